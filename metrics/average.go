package metrics

import (
	"fmt"

	"github.com/linnet-ml/linnet/nn/plan"
)

// average is the weighted mean of rows' scores.
type average struct {
	score      func(labels, output []float32) float64 // of one row
	labelWidth int
	total      float64
	count      float64                   // the sum of the weights
	check      func(label float32) error // of labels that the metric is not for, or nil
}

var _ plan.LabelChecker = (*average)(nil)

// CheckLabel refuses labels that the metric is not for.
func (a *average) CheckLabel(label float32) error {
	if a.check == nil {
		return nil
	}
	return a.check(label)
}

func (a *average) Add(labels, output, weights []float32) {
	rows := len(labels) / a.labelWidth
	if rows == 0 {
		return
	}
	width := len(output) / rows
	for i := range rows {
		w := 1.0
		if len(weights) > 0 {
			w = float64(weights[i])
		}
		if w == 0 { // a masked step may have a score of NaN, by its label
			continue
		}
		a.total += float64(a.score(labels[i*a.labelWidth:(i+1)*a.labelWidth], output[i*width:(i+1)*width]) * w)
		a.count += w
	}
}

func (a *average) Result() float64 {
	if a.count == 0 {
		return 0
	}
	return a.total / a.count
}

func (a *average) Reset() { a.total, a.count = 0, 0 }

func (a *average) Sums() []float64 { return []float64{a.total, a.count} }

func (a *average) SetSums(sums []float64) error { return setSums(sums, &a.total, &a.count) }

// startElements returns the average of a score of each element of the output and its label. It refuses output and labels of
// different shapes.
func startElements(metric string, info plan.MetricInfo, score func(output, label float32) float64) (plan.Accumulator, error) {
	if !sameShape(info.Output, info.Labels) || info.Output.Size() <= 0 {
		return nil, errShapes(metric, info)
	}
	return &average{labelWidth: info.Labels.Size(), score: func(labels, output []float32) float64 {
		sum := 0.0
		for i, v := range output {
			sum += score(v, labels[i])
		}
		return sum / float64(len(output))
	}}, nil
}

// startVectors returns the average of a score of each vector of the output and as many labels. It refuses output and labels
// of different shapes, and an output of a single class.
func startVectors(metric string, info plan.MetricInfo, score func(output, labels []float32) float64) (plan.Accumulator, error) {
	classes, err := classesOf(metric, info)
	if err != nil {
		return nil, err
	}
	if !info.Output.Equal(info.Labels) {
		return nil, errShapes(metric, info)
	}
	return &average{labelWidth: info.Labels.Size(), score: func(labels, output []float32) float64 {
		sum := 0.0
		for i := 0; i < len(output); i += classes {
			sum += score(output[i:i+classes], labels[i:i+classes])
		}
		return sum / float64(len(output)/classes)
	}}, nil
}

// startClassNumbers returns the average of a score of each vector of the output and its label, the number of a class. It
// refuses labels that are not one for each vector, and an output of a single class.
func startClassNumbers(metric string, info plan.MetricInfo, score func(output []float32, label float32) float64) (plan.Accumulator, error) {
	classes, err := classesOf(metric, info)
	if err != nil {
		return nil, err
	}
	if !sameShape(info.Output[:len(info.Output)-1], info.Labels) {
		return nil, errShapes(metric, info)
	}
	check := func(label float32) error {
		if c := classOf(label, classes); c >= 0 && float32(c) == label {
			return nil
		}
		return fmt.Errorf("the metric is for the numbers of the output's %d classes, 0 to %d", classes, classes-1)
	}
	return &average{labelWidth: info.Labels.Size(), check: check, score: func(labels, output []float32) float64 {
		sum := 0.0
		for i, label := range labels {
			sum += score(output[i*classes:(i+1)*classes], label)
		}
		return sum / float64(len(labels))
	}}, nil
}

// oneIf is the score of a prediction that is right or not.
func oneIf(right bool) float64 {
	if right {
		return 1
	}
	return 0
}

// setSums takes the sums of an accumulator, and refuses a list of another length.
func setSums(sums []float64, into ...*float64) error {
	if len(sums) != len(into) {
		return fmt.Errorf("metrics: %d sums in place of %d", len(sums), len(into))
	}
	for i, v := range sums {
		*into[i] = v
	}
	return nil
}
