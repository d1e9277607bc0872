package metrics

import (
	"fmt"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/simd"
)

// BinaryCrossentropy is Keras's metric of that name, the log loss of labels from 0 to 1: the mean of
//
//	-(y·ln p + (1-y)·ln(1-p)), with p brought into [1e-7, 1-1e-7] first
//
// or, with FromLogits, of max(z, 0) - z·y + ln(1 + e^-|z|). Unlike the loss of that name it never looks behind a sigmoid: it
// is computed from what the model predicts. The shapes of output and labels are the same, but labels (rows,) go with an
// output (rows, 1).
type BinaryCrossentropy struct {
	// FromLogits says that the model's output are logits: any numbers, of which the sigmoid is the probability.
	FromLogits bool
	// LabelSmoothing, from 0 to 1, moves labels towards one half: y becomes y·(1-LabelSmoothing) + LabelSmoothing/2.
	// Keras's default: 0.
	LabelSmoothing float32
	// As is the name in logs; "binary_crossentropy" by default.
	As string
}

var _ plan.Metric = BinaryCrossentropy{}

// Kind is "BinaryCrossentropyMetric"; "BinaryCrossentropy" is the loss.
func (m BinaryCrossentropy) Kind() string { return "BinaryCrossentropyMetric" }

// Name is the name in logs.
func (m BinaryCrossentropy) Name() string { return nameOr(m.As, "binary_crossentropy") }

// Direction is history.LowerIsBetter.
func (m BinaryCrossentropy) Direction() history.Direction { return history.LowerIsBetter }

// Start refuses a LabelSmoothing outside [0, 1], output and labels of different shapes, and logits without FromLogits.
func (m BinaryCrossentropy) Start(info plan.MetricInfo) (plan.Accumulator, error) {
	if err := checkCrossentropy(m.Name(), m.LabelSmoothing, m.FromLogits, info); err != nil {
		return nil, err
	}
	keep, half := 1-m.LabelSmoothing, m.LabelSmoothing/2
	loss := probabilityLoss
	if m.FromLogits {
		loss = simd.LogisticLoss32
	}
	return startElements(m.Name(), info, func(v, y float32) float64 { return float64(loss(v, float32(y*keep)+half)) })
}

// checkCrossentropy refuses a label smoothing outside [0, 1], and logits that are to be taken as probabilities.
func checkCrossentropy(metric string, smoothing float32, fromLogits bool, info plan.MetricInfo) error {
	if !(smoothing >= 0 && smoothing <= 1) {
		return fmt.Errorf("metrics: %s: a label smoothing of %v is not from 0 to 1", metric, smoothing)
	}
	if info.Logits && !fromLogits {
		return errNotFromLogits(metric)
	}
	return nil
}

// clip brings a probability to where Keras cuts it off. Both bounds are rounded to float32.
func clip(p float32) float32 {
	switch {
	case p < 1e-7:
		return 1e-7
	case p > 1-1e-7:
		return 1 - 1e-7
	}
	return p
}

// probabilityLoss is the cross-entropy of one probability. 1-p is taken in float32 after the cut, as in Keras.
func probabilityLoss(p, y float32) float32 {
	p = clip(p)
	return -(float32(y*simd.Log32(p)) + float32((1-y)*simd.Log32(1-p)))
}
