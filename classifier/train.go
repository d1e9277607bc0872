package classifier

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/linnet-ml/linnet/classifier/internal/selection"
	"github.com/linnet-ml/linnet/simd"
)

// Train learns a Classifier from examples, in any order. There must be two classes with two examples each, or with several
// labels a text, one label that some but not all examples have. ctx interrupts it.
func Train(ctx context.Context, examples []Example, o Options) (*Classifier, error) {
	spec, task, err := newTask(examples, o)
	if err != nil {
		return nil, err
	}
	if err := o.check(spec); err != nil {
		return nil, err
	}
	found, err := selection.Search(ctx, task, o.Seed, o.work())
	if err != nil {
		return nil, err
	}
	linear, columns, err := found.Fit(ctx, task, o.Seed, o.maxFeatures())
	if err != nil {
		return nil, err
	}
	r := found.Best.Recipe
	f := r.Features
	spec.WordMin, spec.WordMax, spec.CharMin, spec.CharMax = f.WordMin, f.WordMax, f.CharMin, f.CharMax
	spec.KeepCase, spec.Punctuation, spec.Weighting = f.KeepCase, f.Punctuation, string(r.Weighting())
	columns, known := order(found.Corpus.Hash, columns, 64)
	spec.MinConfidence = float32(o.MinConfidence)
	p := Parts{Spec: *spec}
	p.setHashes(found.Corpus.Hash, columns, known)
	for _, c := range columns {
		if !r.NaiveBayes {
			p.Inverse = append(p.Inverse, found.Weighted.Inverse[c])
		}
	}
	p.quantize(linear, columns, found.Best.Calibration)
	p.measureLengths(found.Weighted, found.Corpus.Kind, columns)
	p.Prior = prior(task)
	labels := p.chooseThresholds(task, found.Best, &o)
	c, err := New(p)
	if err != nil {
		return nil, err
	}
	c.report = newReport(found, len(examples), len(columns))
	c.report.Labels = labels
	return c, nil
}

// newTask numbers the classes.
func newTask(examples []Example, o Options) (*Spec, *selection.Task, error) {
	if len(examples) > math.MaxInt32 {
		return nil, nil, fmt.Errorf("classifier: %d examples are too many", len(examples))
	}
	spec := &Spec{MultiLabel: o.MultiLabel}
	counts := map[string]int{}
	for _, e := range examples {
		if len(e.Labels) != 1 {
			spec.MultiLabel = true
		}
		for _, l := range e.Labels {
			if counts[l]++; counts[l] == 1 {
				spec.Classes = append(spec.Classes, l)
			}
		}
	}
	slices.Sort(spec.Classes)
	if len(spec.Classes) == 0 || len(spec.Classes) == 1 && !spec.MultiLabel {
		return nil, nil, fmt.Errorf("classifier: %w: %d in %d examples, want two", ErrTooFewClasses, len(spec.Classes), len(examples))
	}
	task := &selection.Task{Classes: len(spec.Classes)}
	number := make(map[string]int32, len(spec.Classes))
	for k, l := range spec.Classes {
		number[l] = int32(k)
	}
	for i, e := range examples {
		task.Texts = append(task.Texts, e.Text)
		var set []int32
		for _, l := range e.Labels {
			k := number[l]
			if slices.Contains(set, k) {
				return nil, nil, &ExampleError{i, fmt.Sprintf("has the label %.40q twice", l)}
			}
			set = append(set, k)
		}
		if spec.MultiLabel {
			task.Sets = append(task.Sets, set)
		} else {
			task.Class = append(task.Class, set[0])
		}
	}
	enough := 0
	for _, l := range spec.Classes {
		if counts[l] >= 2 && (!spec.MultiLabel || counts[l] < len(examples)) {
			enough++
		}
	}
	if enough == 0 || enough < 2 && !spec.MultiLabel {
		return nil, nil, fmt.Errorf("classifier: %w: %d of %d classes have two, to learn from and to test with", ErrTooFewExamples, enough, len(spec.Classes))
	}
	return spec, task, nil
}

// quantize fills Weights, Scale and Bias with the calibrated model.
func (p *Parts) quantize(l *selection.Linear, columns []uint32, c selection.Calibration) {
	k := len(l.Weights)
	p.Weights = make([]int8, len(columns)*k)
	for j, w := range l.Weights {
		largest := float32(0)
		for _, f := range columns {
			largest = max(largest, w[f], -w[f])
		}
		slope := float32(c.Slope[j])
		p.Scale = append(p.Scale, float32(largest*slope))
		p.Bias = append(p.Bias, float32(l.Bias[j]*slope)+float32(c.Offset[j]))
		if largest == 0 {
			continue
		}
		for i, f := range columns {
			q := int8(math.Floor(127*math.Sqrt(math.Abs(float64(w[f]))/float64(largest)) + 0.5))
			if w[f] < 0 {
				q = -q
			}
			p.Weights[i*k+j] = q
		}
	}
}

// prior is the logits of the classes' shares of the rows, each class counted half a row more than it has.
func prior(t *selection.Task) []float32 {
	n := float64(len(t.Texts))
	logits := make([]float32, t.Columns())
	for k := range logits {
		yes := 0.5
		for i := range t.Texts {
			if t.Is(int32(i), k) {
				yes++
			}
		}
		rest := n + 1 - yes
		if t.Class != nil && !t.Binary() {
			rest = 1 // softmax needs no more than the logarithm
		}
		logits[k] = float32(simd.Log64(yes) - simd.Log64(rest))
	}
	return logits
}
