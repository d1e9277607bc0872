package classifier

import (
	"cmp"
	"slices"

	"github.com/linnet-ml/linnet/classifier/internal/calibration"
	"github.com/linnet-ml/linnet/classifier/internal/selection"
)

// A Goal is what thresholds are chosen for, on held-out rows. The zero value means the best F1: of each label where a text may have
// several, and the mean of both classes' F1 (macro-F1) where it has one of two. That is close to even odds for classes of about the
// same size, and lower for a rare class that is hard to tell. Of three classes or more the most probable one is the label.
type Goal struct {
	// Precision is the share of right ones among given labels that is wanted at least, from 0 to 1: the threshold is the one that
	// finds most of them.
	Precision float64 `json:"precision,omitempty"`
	// Recall is the share of texts with the label that are to be found at least: the threshold is the largest that does.
	Recall float64 `json:"recall,omitempty"`
}

// check returns an error if no thresholds can be chosen.
func (o *Options) check(s *Spec) error {
	g := o.Goal
	switch {
	case !(g.Precision >= 0 && g.Precision <= 1) || !(g.Recall >= 0 && g.Recall <= 1):
		return &OptionError{"Goal", "is not from 0 to 1"}
	case o.Budget < 0:
		return &OptionError{"Budget", "is negative"}
	case g.Precision > 0 && g.Recall > 0:
		return &OptionError{"Goal", "has both a precision and a recall: one threshold cannot aim at two"}
	case g != Goal{} && s.thresholds() == 0:
		return &OptionError{"Goal", "is for two classes, or for texts with several labels: of more classes the most probable one is the label"}
	case !(o.MinConfidence >= 0 && o.MinConfidence <= 1):
		return &OptionError{"MinConfidence", "is not from 0 to 1"}
	case o.MinConfidence > 0 && s.MultiLabel:
		return &OptionError{"MinConfidence", "is for texts with one label: of several, each has a threshold of its own"}
	case o.Positive != "" && (s.MultiLabel || s.columns() > 1):
		return &OptionError{"Positive", "is for two classes"}
	case o.Positive != "" && !slices.Contains(s.Classes, o.Positive):
		return &OptionError{"Positive", "is no class of the examples"}
	}
	return nil
}

// A LabelReport is what the threshold of a label reaches on held-out rows.
type LabelReport struct {
	Label     string  `json:"label"`
	Threshold float32 `json:"threshold"` // of the label's probability
	Precision float64 `json:"precision"` // 0 without a text that gets the label
	Recall    float64 `json:"recall"`
	// Reached says whether the stated goal is reached. Where no threshold reaches a precision, the label is given to texts of
	// probability 1 alone.
	Reached bool `json:"reached"`
}

// heldOut returns the calibrated probabilities of score k on held-out rows, and which rows are positive.
func heldOut(t *selection.Task, o *selection.Outcome, k int) (p []float32, positive []bool) {
	columns := t.Columns()
	p, positive = make([]float32, len(o.Rows)), make([]bool, len(o.Rows))
	for j, row := range o.Rows {
		p[j] = float32(calibration.Sigmoid(float64(o.Calibration.Slope[k]*float64(o.Scores[j*columns+k])) + o.Calibration.Offset[k]))
		positive[j] = t.Is(row, k)
	}
	return p, positive
}

// chooseThresholds sets p.Threshold and reports what it reaches.
func (p *Parts) chooseThresholds(t *selection.Task, best *selection.Outcome, o *Options) []LabelReport {
	var reports []LabelReport
	n := p.Spec.thresholds()
	p.Threshold = nil
	for k := range n {
		probability, positive := heldOut(t, best, k)
		label := p.Spec.Classes[k]
		first := false // the threshold is of the first of two classes
		if t.Binary() {
			label = p.Spec.Classes[1]
			if first = o.Positive == p.Spec.Classes[0]; first {
				label = o.Positive
				for i := range probability {
					probability[i], positive[i] = 1-probability[i], !positive[i]
				}
			}
		}
		r := LabelReport{Label: label, Reached: true}
		switch {
		case o.Goal != Goal{}:
			r.Threshold, r.Reached = o.Goal.threshold(probability, positive)
		case t.Binary():
			r.Threshold = calibration.ThresholdMacroF1(probability)
		default:
			r.Threshold = calibration.ThresholdF1(probability, positive)
		}
		given, hits, all := 0, 0, 0
		for i, v := range probability {
			if positive[i] {
				all++
			}
			if v >= r.Threshold {
				given++
				if positive[i] {
					hits++
				}
			}
		}
		r.Precision, r.Recall = ratio(hits, given), ratio(hits, all)
		if first {
			p.Threshold = append(p.Threshold, 1-r.Threshold)
		} else {
			p.Threshold = append(p.Threshold, r.Threshold)
		}
		reports = append(reports, r)
	}
	return reports
}

func ratio(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// threshold is the probability from which the label is given, and whether that reaches the goal on these rows.
func (g Goal) threshold(p []float32, positive []bool) (float32, bool) {
	order := make([]int32, len(p))
	total := 0
	for i := range order {
		order[i] = int32(i)
		if positive[i] {
			total++
		}
	}
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(p[b], p[a]) })
	result, reached := float32(1), false
	hits := 0
	for n, i := range order {
		if positive[i] {
			hits++
		}
		if n+1 < len(order) && p[order[n+1]] == p[i] {
			continue // no cut lies between equal probabilities
		}
		// The threshold lies between the row and the next one.
		cut := p[i]
		if n+1 < len(order) {
			cut -= (p[i] - p[order[n+1]]) / 2
		}
		switch {
		case g.Recall > 0 && float64(hits) >= g.Recall*float64(total):
			return cut, total > 0
		case g.Precision > 0 && float64(hits) >= g.Precision*float64(n+1):
			result, reached = cut, true
		}
	}
	return result, reached
}
