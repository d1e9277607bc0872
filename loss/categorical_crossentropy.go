package loss

import (
	"fmt"
	"math"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/simd"
	"github.com/linnet-ml/linnet/tensor"
)

// CategoricalCrossentropy is Keras's loss of that name, for labels that give each class its probability, such as rows
// with a single 1 (one-hot), and outputs (…, classes) that are probabilities:
//
//	-Σ y·ln q, with q = p / Σp, brought into [1e-7, 1-1e-7]; outside, its gradient is 0
//
// or, with FromLogits, logits z, of which q is the softmax: Σ y·(ln Σe^z - z).
//
// After a layer with a softmax, Fit and Evaluate compute the second form from what goes into the softmax, as Keras does
// on TensorFlow: nothing is cut off there, and the gradient of a row that is badly wrong does not vanish. With FromLogits
// set as well they do the same, where Keras warns: the softmax is then not applied twice. After a sigmoid they do it
// too, again as Keras on TensorFlow: the loss is then that of a softmax in the sigmoid's place.
//
// The shapes of output and labels are the same, with 2 classes or more in the last dimension. Labels of a vector sum to
// 1 (within 0.01): of others, all zero or with several ones, TensorFlow computes a gradient that is not that of its
// loss, and Fit refuses them. For labels that are numbers of classes there is [SparseCategoricalCrossentropy].
type CategoricalCrossentropy struct {
	// FromLogits says that the model's output are logits: any numbers, of which the softmax gives the probabilities.
	FromLogits bool
	// LabelSmoothing, from 0 to 1, moves labels towards equal ones: y becomes y·(1-LabelSmoothing) +
	// LabelSmoothing/classes. Keras's default: 0.
	LabelSmoothing float32
}

var _ plan.Loss = CategoricalCrossentropy{}

const categorical = "categorical cross-entropy"

// Kind is "CategoricalCrossentropy".
func (l CategoricalCrossentropy) Kind() string { return "CategoricalCrossentropy" }

// Start refuses a LabelSmoothing outside [0, 1], output and labels of different shapes, and an output of one class, of
// which the loss would always be 0.
func (l CategoricalCrossentropy) Start(info plan.LossInfo) (plan.LossRule, error) {
	if err := l.check(info.Output, info.Labels); err != nil {
		return plan.LossRule{}, err
	}
	c := categoricalCrossentropy{
		classes:  info.Output[len(info.Output)-1],
		smooth:   l.LabelSmoothing,
		isLogits: l.FromLogits || hasLogits(info.Activation),
	}
	rule := plan.LossRule{
		Rows:             c.rows,
		BeforeActivation: hasLogits(info.Activation),
		Logits:           l.FromLogits && !hasLogits(info.Activation),
		CheckLabel:       checkProbability(categorical),
		CheckLabels:      c.checkLabels,
		Warning:          warnSigmoid(l.Kind(), info.Activation),
	}
	if !c.isLogits {
		readsProbabilities(&rule, l.Kind(), info.Activation, "softmax")
	}
	return rule, nil
}

func (l CategoricalCrossentropy) check(output, labels tensor.Shape) error {
	if !(l.LabelSmoothing >= 0 && l.LabelSmoothing <= 1) {
		return fmt.Errorf("loss: %s: a label smoothing of %v is not from 0 to 1", categorical, l.LabelSmoothing)
	}
	if err := checkClasses(categorical, output); err != nil {
		return err
	}
	if output.Equal(labels) {
		return nil
	}
	hint := ""
	if isClassNumbers(output, labels) {
		hint = "; labels that are numbers of classes are for SparseCategoricalCrossentropy"
	}
	return plan.NewInputError("", fmt.Errorf("loss: %s: a row of the output has shape %v and a row of the labels %v%s", categorical, output, labels, hint))
}

// categoricalCrossentropy is the loss for an output of a known number of classes.
type categoricalCrossentropy struct {
	classes  int
	smooth   float32
	isLogits bool // the outputs that rows gets are logits
}

// checkLabels refuses labels that do not sum to 1 over the classes.
func (c categoricalCrossentropy) checkLabels(labels []float32) (column int, err error) {
	for i := 0; i < len(labels); i += c.classes {
		sum := 0.0
		for _, y := range labels[i : i+c.classes] {
			sum += float64(y)
		}
		if math.Abs(sum-1) > 0.01 {
			return i, fmt.Errorf("loss: %s is defined for labels that sum to 1 over the %d classes, not to %.4g", categorical, c.classes, sum)
		}
	}
	return 0, nil
}

// rows computes the mean loss of each row's vectors, and its gradient by the row's outputs.
func (c categoricalCrossentropy) rows(losses, gradient, output, labels []float32) {
	if len(losses) == 0 || len(output) == 0 {
		return
	}
	width := len(output) / len(losses)
	n := c.classes
	vectors := width / n
	for r := range losses {
		sum := 0.0
		for i := r * width; i < (r+1)*width; i += n {
			g := part(gradient, i, i+n)
			if c.isLogits {
				sum += c.logits(g, output[i:i+n], labels[i:i+n])
			} else {
				sum += c.probabilities(g, output[i:i+n], labels[i:i+n])
			}
			average(g, vectors)
		}
		losses[r] = float32(sum / float64(vectors))
	}
}

// logits is the loss of one vector of logits z with labels y. The gradient, where it is wanted, is the softmax of z
// minus y, as y sums to 1.
func (c categoricalCrossentropy) logits(gradient, z, y []float32) float64 {
	keep, equal := c.smoothing(len(z))
	largest, sum := expSum(gradient, z)
	logSum, loss := simd.Log32(sum), 0.0
	for i, v := range y {
		if v = float32(v*keep) + equal; v != 0 { // 0 times an infinite loss is 0
			loss += float64(v * (logSum - (z[i] - largest)))
		}
		if gradient != nil {
			gradient[i] = gradient[i]/sum - v
		}
	}
	return loss
}

// probabilities is the loss of one vector of probabilities p with labels y.
func (c categoricalCrossentropy) probabilities(gradient, p, y []float32) float64 {
	keep, equal := c.smoothing(len(p))
	var total lanes
	for i, v := range p {
		total.add(i, len(p), v)
	}
	sum := total.sum()
	loss, inner := 0.0, 0.0 // inner is Σ q·(slope of the loss by q)
	for i, v := range y {
		v = float32(v*keep) + equal
		q := p[i] / sum
		clipped := clip(q)
		if v != 0 {
			loss -= float64(v * simd.Log32(clipped))
		}
		if gradient == nil {
			continue
		}
		gradient[i] = 0
		if clipped == q {
			gradient[i] = -v / q
			inner += float64(float64(gradient[i]) * float64(q))
		}
	}
	for i, g := range gradient {
		gradient[i] = float32((float64(g) - inner) / float64(sum))
	}
	return loss
}

// smoothing returns what a label is multiplied by, and what is added.
func (c categoricalCrossentropy) smoothing(classes int) (keep, equal float32) {
	return 1 - c.smooth, c.smooth / float32(classes)
}

// checkClasses refuses an output, of the given shape of one row, without two classes in its last dimension.
func checkClasses(name string, output tensor.Shape) error {
	switch n := len(output); {
	case n == 0 || output.Size() <= 0:
		return fmt.Errorf("loss: %s: a row of the output has shape %v: no elements, or a number of them that is not known", name, output)
	case output[n-1] == 1:
		return fmt.Errorf("loss: %s: a row of the output has shape %v: of a single class it is always 0; BinaryCrossentropy is for one output", name, output)
	}
	return nil
}

// isClassNumbers reports whether labels have one number for each vector of the output. A last dimension of 1 may follow.
func isClassNumbers(output, labels tensor.Shape) bool {
	vectors := output[:len(output)-1]
	return labels.Equal(vectors) || labels.Equal(withOne(vectors))
}
