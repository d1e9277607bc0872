package loss

import (
	"fmt"
	"math"

	"github.com/linnet-ml/linnet/nn"
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
// Behind a layer with a softmax, Fit and Evaluate compute the second form from what goes into the softmax, as Keras does
// on TensorFlow: nothing is cut off there, and the gradient of a row that is badly wrong does not vanish. With FromLogits
// set as well they do the same, where Keras warns: the softmax is then not applied twice. Behind a sigmoid they do it
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

	classes int // 0: all outputs of a row make one vector
}

var (
	_ nn.LogitsLoss    = CategoricalCrossentropy{}
	_ nn.ShapedLoss    = CategoricalCrossentropy{}
	_ nn.RowLabelsLoss = CategoricalCrossentropy{}
)

const categorical = "categorical cross-entropy"

// Name returns "categorical_crossentropy".
func (l CategoricalCrossentropy) Name() string { return "categorical_crossentropy" }

// Check refuses a LabelSmoothing outside [0, 1], output and labels of different shapes, and an output of one class, of
// which the loss would always be 0.
func (l CategoricalCrossentropy) Check(output, labels tensor.Shape) error {
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
	return fmt.Errorf("loss: %s: a row of the output has shape %v and a row of the labels %v%s", categorical, output, labels, hint)
}

// CheckLabel refuses labels outside [0, 1], and NaN.
func (l CategoricalCrossentropy) CheckLabel(label float32) error {
	if !(label >= 0 && label <= 1) {
		return fmt.Errorf("loss: %s is defined for labels from 0 to 1, not %v", categorical, label)
	}
	return nil
}

// CheckLabels refuses labels that do not sum to 1 over the classes.
func (l CategoricalCrossentropy) CheckLabels(output tensor.Shape, labels []float32) (column int, err error) {
	classes := output[len(output)-1]
	for i := 0; i < len(labels); i += classes {
		sum := 0.0
		for _, y := range labels[i : i+classes] {
			sum += float64(y)
		}
		if math.Abs(sum-1) > 0.01 {
			return i, fmt.Errorf("loss: %s is defined for labels that sum to 1 over the %d classes, not to %.4g", categorical, classes, sum)
		}
	}
	return 0, nil
}

// FromActivation returns the loss that takes the input of a softmax or sigmoid.
func (l CategoricalCrossentropy) FromActivation(activation string) (nn.Loss, bool) {
	if activation != "softmax" && activation != "sigmoid" {
		return nil, false
	}
	l.FromLogits = true
	return l, true
}

// TakesLogits returns FromLogits.
func (l CategoricalCrossentropy) TakesLogits() bool { return l.FromLogits }

// For returns the loss with as many classes as the last dimension of the output is long. Without it, Rows takes all
// outputs of a row for classes.
func (l CategoricalCrossentropy) For(output tensor.Shape) nn.Loss {
	if n := len(output); n > 0 {
		l.classes = output[n-1]
	}
	return l
}

// Rows computes the mean loss of each row's vectors, and its gradient by the row's outputs.
func (l CategoricalCrossentropy) Rows(losses, gradient, output, labels []float32) {
	if len(losses) == 0 || len(output) == 0 {
		return
	}
	width := len(output) / len(losses)
	n := l.classes
	if n == 0 {
		n = width
	}
	vectors := width / n
	for r := range losses {
		sum := 0.0
		for i := r * width; i < (r+1)*width; i += n {
			g := part(gradient, i, i+n)
			if l.FromLogits {
				sum += l.logits(g, output[i:i+n], labels[i:i+n])
			} else {
				sum += l.probabilities(g, output[i:i+n], labels[i:i+n])
			}
			average(g, vectors)
		}
		losses[r] = float32(sum / float64(vectors))
	}
}

// logits is the loss of one vector of logits z with labels y. The gradient, where it is wanted, is the softmax of z
// minus y, as y sums to 1.
func (l CategoricalCrossentropy) logits(gradient, z, y []float32) float64 {
	keep, equal := l.smoothing(len(z))
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
func (l CategoricalCrossentropy) probabilities(gradient, p, y []float32) float64 {
	keep, equal := l.smoothing(len(p))
	var total lanes
	for i, v := range p {
		total.add(i, len(p), v)
	}
	sum := total.sum()
	loss, inner := 0.0, 0.0 // inner is Σ q·(slope of the loss by q)
	for i, v := range y {
		v = float32(v*keep) + equal
		q := p[i] / sum
		c := clip(q)
		if v != 0 {
			loss -= float64(v * simd.Log32(c))
		}
		if gradient == nil {
			continue
		}
		gradient[i] = 0
		if c == q {
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
func (l CategoricalCrossentropy) smoothing(classes int) (keep, equal float32) {
	return 1 - l.LabelSmoothing, l.LabelSmoothing / float32(classes)
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
