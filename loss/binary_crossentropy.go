package loss

import (
	"fmt"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/simd"
)

// BinaryCrossentropy is Keras's loss of that name, for labels from 0 to 1 and outputs that are probabilities:
//
//	-(y·ln p + (1-y)·ln(1-p)), with p brought into [1e-7, 1-1e-7] first; outside, its gradient is 0
//
// or, with FromLogits, logits z, of which p is the sigmoid: max(z, 0) - z·y + ln(1 + e^-|z|).
//
// After a layer with a sigmoid, Fit and Evaluate compute the second form from what goes into the sigmoid, as Keras
// does on TensorFlow: nothing is cut off there, and the gradient of a row that is badly wrong does not vanish. With
// FromLogits set as well they do the same, where Keras warns: the sigmoid is then not applied twice.
//
// After a softmax they do it too, again as Keras on TensorFlow: the loss, and what the model learns, is then that of
// sigmoids in the softmax's place, and not the cross-entropy of the probabilities that the model predicts.
//
// The shapes of output and labels are the same, but labels (rows,) go with an output (rows, 1).
type BinaryCrossentropy struct {
	// FromLogits says that the model's output are logits: any numbers, of which the sigmoid is the probability.
	FromLogits bool
	// LabelSmoothing, from 0 to 1, moves labels towards one half: y becomes y·(1-LabelSmoothing) + LabelSmoothing/2.
	// Keras's default: 0.
	LabelSmoothing float32
}

var _ plan.Loss = BinaryCrossentropy{}

// Kind is "BinaryCrossentropy".
func (l BinaryCrossentropy) Kind() string { return "BinaryCrossentropy" }

// Start refuses a LabelSmoothing outside [0, 1], and output and labels of different shapes.
func (l BinaryCrossentropy) Start(info plan.LossInfo) (plan.LossRule, error) {
	if !(l.LabelSmoothing >= 0 && l.LabelSmoothing <= 1) {
		return plan.LossRule{}, fmt.Errorf("loss: binary cross-entropy: a label smoothing of %v is not from 0 to 1", l.LabelSmoothing)
	}
	if last := len(info.Output) - 1; last >= 0 && info.Output[last] > 1 && isClassNumbers(info.Output, info.Labels) {
		return plan.LossRule{}, plan.NewInputError("", fmt.Errorf("loss: binary cross-entropy: a row of the output has shape %v and a row of the labels %v; labels that are numbers of classes are for SparseCategoricalCrossentropy, or for an output of one unit", info.Output, info.Labels))
	}
	if err := checkShapes("binary cross-entropy", info.Output, info.Labels); err != nil {
		return plan.LossRule{}, err
	}
	rule := plan.LossRule{
		BeforeActivation: hasLogits(info.Activation),
		CheckLabel:       checkProbability("binary cross-entropy"),
	}
	rule.Logits = l.FromLogits && !rule.BeforeActivation
	l.FromLogits = l.FromLogits || rule.BeforeActivation
	rule.Rows = l.rows
	if !l.FromLogits {
		readsProbabilities(&rule, l.Kind(), info.Activation, "sigmoid")
	}
	if info.Activation == "softmax" {
		rule.Warning = "the loss BinaryCrossentropy after a softmax is that of sigmoids in its place, as in Keras, and not of what the model predicts: CategoricalCrossentropy goes with a softmax, and this loss with a sigmoid"
	}
	return rule, nil
}

// rows computes the mean loss of each row, and its gradient by the row's outputs.
func (l BinaryCrossentropy) rows(losses, gradient, output, labels []float32) {
	if len(losses) == 0 {
		return
	}
	width := len(output) / len(losses)
	if l.FromLogits && width == 1 {
		if l.LabelSmoothing != 0 {
			for i, y := range labels {
				losses[i] = l.smooth(y)
			}
			labels = losses // LogisticLoss may write over what it reads
		}
		simd.LogisticLoss(losses, gradient, output, labels)
		return
	}
	element := probabilityLoss
	if l.FromLogits {
		element = logitLoss
	}
	meanRows(losses, gradient, output, func(i int) (loss, slope float32) { return element(output[i], l.smooth(labels[i])) })
}

func (l BinaryCrossentropy) smooth(y float32) float32 {
	if l.LabelSmoothing == 0 {
		return y
	}
	return float32(y*(1-l.LabelSmoothing)) + float32(0.5*l.LabelSmoothing)
}

// Probabilities are cut off where Keras does. Both bounds are rounded to float32, and 1-p is taken in float32 after
// the cut, so that the largest losses are 16.118 at p = 0 and 15.942 at p = 1.
const (
	lowestProbability  = float32(1e-7)
	highestProbability = float32(1 - 1e-7)
)

// probabilityLoss is the loss of one probability, and its slope.
func probabilityLoss(p, y float32) (loss, slope float32) {
	clipped := p
	switch {
	case p < lowestProbability:
		clipped = lowestProbability
	case p > highestProbability:
		clipped = highestProbability
	}
	q := 1 - clipped
	loss = -(float32(y*simd.Log32(clipped)) + float32((1-y)*simd.Log32(q)))
	if clipped == p {
		slope = (1-y)/q - y/clipped
	}
	return loss, slope
}

// logitLoss is what simd.LogisticLoss computes for one logit.
func logitLoss(z, y float32) (loss, slope float32) {
	return simd.LogisticLoss32(z, y), simd.Sigmoid32(z) - y
}
