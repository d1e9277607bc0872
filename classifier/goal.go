package classifier

import (
	"cmp"
	"context"
	"math"
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

// A LabelReport is what the threshold of a label reaches on held-out rows.
type LabelReport struct {
	Label     string  `json:"label"`
	Threshold float32 `json:"threshold"` // of the label's probability
	Precision float64 `json:"precision"` // 0 without a text that gets the label
	Recall    float64 `json:"recall"`
	// Reached says whether the stated goal is reached: by the labels that are given, with [Options.MinConfidence]. Where no
	// threshold reaches a precision, the label is given to texts of probability 1 alone.
	Reached bool `json:"reached"`
}

// heldOut returns the calibrated probabilities of score k on held-out rows, and which rows are positive.
func heldOut(t *selection.Task, o *selection.Outcome, k int) (p []float32, positive []bool) {
	columns, prior := t.Columns(), t.Prior()
	p, positive = make([]float32, len(o.Rows)), make([]bool, len(o.Rows))
	for j, row := range o.Rows {
		logit := float64(o.Calibration.Slope[k]*float64(o.Scores[j*columns+k])) + o.Calibration.Offset[k]
		if o.Unknown(j) {
			logit = float64(prior[k])
		}
		p[j] = float32(calibration.Sigmoid(logit))
		positive[j] = t.Is(row, k)
	}
	return p, positive
}

// chooseThresholds sets p.Threshold and reports what it reaches.
func (p *Parts) chooseThresholds(ctx context.Context, t *selection.Task, best *selection.Outcome, o *Options) ([]LabelReport, error) {
	var reports []LabelReport
	p.Threshold = nil
	for k := range p.Spec.thresholds() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		probability, positive := heldOut(t, best, k)
		s := side{confidence: p.Spec.MinConfidence}
		label := p.Spec.Classes[k]
		if t.Binary() {
			label = p.Spec.Classes[1]
			if s.first = o.Positive == p.Spec.Classes[0]; s.first {
				label = o.Positive
			}
		}
		var cut float32
		switch {
		case o.Goal != Goal{}:
			cut = o.Goal.threshold(probability, positive, s.first)
		case t.Binary():
			cut = calibration.ThresholdMacroF1(probability)
		default:
			cut = calibration.ThresholdF1(probability, positive)
		}
		p.Threshold = append(p.Threshold, cut)
		reports = append(reports, s.report(label, cut, probability, positive, o.Goal))
	}
	return reports, nil
}

// side says when a threshold gives a label: where a probability reaches it, or that of the second of two classes does not.
type side struct {
	first      bool    // the label is the first of two classes
	confidence float32 // the least probability of the label
}

// given returns whether a text gets the label, as [Classifier.decide] does.
func (s side) given(p, cut float32) bool {
	if s.first {
		return p < cut && 1-p >= s.confidence
	}
	return p >= cut && p >= s.confidence
}

// report says what a threshold reaches.
func (s side) report(label string, cut float32, p []float32, positive []bool, g Goal) LabelReport {
	given, hits, all := 0, 0, 0
	for i, v := range p {
		is := positive[i] != s.first
		if is {
			all++
		}
		if s.given(v, cut) {
			given++
			if is {
				hits++
			}
		}
	}
	r := LabelReport{Label: label, Threshold: cut, Precision: ratio(hits, given), Recall: ratio(hits, all)}
	if s.first {
		r.Threshold = 1 - cut
	}
	r.Reached = (g.Precision == 0 || given > 0 && g.precise(hits, given)) && (g.Recall == 0 || all > 0 && g.found(hits, all))
	return r
}

func (g Goal) precise(hits, given int) bool {
	return float64(hits) >= float64(g.Precision*float64(given))
}
func (g Goal) found(hits, all int) bool { return float64(hits) >= float64(g.Recall*float64(all)) }

func ratio(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// threshold is the probability from which the label is given; for the first of two classes, the probability of the second one below
// which the first is given. If no threshold reaches the goal, it leaves those of which a text is certain.
func (g Goal) threshold(p []float32, positive []bool, first bool) float32 {
	order := make([]int32, len(p))
	total := 0
	for i := range order {
		order[i] = int32(i)
		if positive[i] != first {
			total++
		}
	}
	slices.SortStableFunc(order, func(a, b int32) int {
		if first {
			a, b = b, a
		}
		return cmp.Compare(p[b], p[a])
	})
	result := float32(1)
	if first {
		result = math.SmallestNonzeroFloat32
	}
	hits := 0
	for n, i := range order {
		if positive[i] != first {
			hits++
		}
		if n+1 < len(order) && p[order[n+1]] == p[i] {
			continue // no cut lies between equal probabilities
		}
		// The threshold lies between the row and the next one, or the end.
		cut := float32(0)
		switch last := n+1 == len(order); {
		case first && last:
			cut = between(p[i], 1)
		case first:
			cut = between(p[i], p[order[n+1]])
		case last:
			cut = between(0, p[i])
		default:
			cut = between(p[order[n+1]], p[i])
		}
		switch {
		case g.Recall > 0 && g.found(hits, total):
			return cut
		case g.Precision > 0 && g.precise(hits, n+1):
			result = cut
		}
	}
	return result
}

// between returns a number above low, in the middle if there is room, and not above high.
func between(low, high float32) float32 {
	if middle := low + (high-low)/2; middle > low {
		return middle
	}
	return high
}
