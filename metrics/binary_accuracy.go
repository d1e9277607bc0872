package metrics

import (
	"errors"
	"fmt"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optional"
)

// BinaryAccuracy is Keras's metric of that name: the share of elements where the label equals 1 if the output is above
// the threshold, and 0 if not.
type BinaryAccuracy struct {
	// Threshold, compared in float32; an output equal to it counts as 0. Keras's default: 0.5. There is no default
	// where the loss takes logits, of which 0 is what means a probability of one half.
	Threshold optional.Value[float32]
	// As is the name in logs; "binary_accuracy" by default.
	As string
}

var _ plan.Metric = BinaryAccuracy{}

// Kind is "BinaryAccuracy".
func (m BinaryAccuracy) Kind() string { return "BinaryAccuracy" }

// Name is the name in logs.
func (m BinaryAccuracy) Name() string { return nameOr(m.As, "binary_accuracy") }

// Direction is history.HigherIsBetter.
func (m BinaryAccuracy) Direction() history.Direction { return history.HigherIsBetter }

// Start refuses output and labels of different shapes, a threshold that is NaN or infinite, and logits without a
// threshold.
func (m BinaryAccuracy) Start(info plan.MetricInfo) (plan.Accumulator, error) {
	if !sameShape(info.Output, info.Labels) || info.Output.Size() <= 0 {
		return nil, errShapes(m.Name(), info)
	}
	if info.Logits && !m.Threshold.IsSet() {
		return nil, errLogits(m.Name())
	}
	threshold := m.Threshold.Or(0.5)
	if !finite(threshold) {
		return nil, fmt.Errorf("metrics: %s: the threshold is %v", m.Name(), threshold)
	}
	if info.Output.Size() == 1 {
		return &binary{threshold: threshold}, nil
	}
	return &average{labelWidth: info.Labels.Size(), check: checkBinary, score: func(labels, output []float32) float64 {
		right := 0
		for i, v := range output {
			if labels[i] == truth(v > threshold) {
				right++
			}
		}
		return float64(right) / float64(len(output))
	}}, nil
}

// checkBinary refuses labels that no prediction equals.
func checkBinary(label float32) error {
	if label == 0 || label == 1 {
		return nil
	}
	return errors.New("the metric is for labels 0 and 1, and counts others as wrong; for numbers there is MeanAbsoluteError")
}

// binary is BinaryAccuracy of an output of one element. Whole numbers add up exactly in any order.
type binary struct {
	threshold    float32
	right, count float64
}

var _ plan.LabelChecker = (*binary)(nil)

// CheckLabel refuses labels other than 0 and 1.
func (b *binary) CheckLabel(label float32) error { return checkBinary(label) }

func (b *binary) Add(labels, output, weights []float32) {
	output = output[:len(labels)]
	if len(weights) == 0 { // without a branch on what a model says, which no processor can foresee
		right := 0
		for i, label := range labels {
			one := bit(output[i] > b.threshold)
			right += one&bit(label == 1) | (1-one)&bit(label == 0)
		}
		b.right += float64(right)
		b.count += float64(len(labels))
		return
	}
	for i, label := range labels {
		if label == truth(output[i] > b.threshold) {
			b.right += float64(weights[i])
		}
		b.count += float64(weights[i])
	}
}

// bit is 1 for true and 0 for false.
func bit(b bool) int {
	n := 0
	if b {
		n = 1
	}
	return n
}

// truth is bit as a label.
func truth(b bool) float32 { return float32(bit(b)) }

func (b *binary) Result() float64 {
	if b.count == 0 {
		return 0
	}
	return b.right / b.count
}

func (b *binary) Reset() { b.right, b.count = 0, 0 }

func (b *binary) Sums() []float64 { return []float64{b.right, b.count} }

func (b *binary) SetSums(sums []float64) error { return setSums(sums, &b.right, &b.count) }

func nameOr(as, name string) string {
	if as != "" {
		return as
	}
	return name
}
