package loss

import (
	"fmt"
	"math"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optional"
	"github.com/linnet-ml/linnet/simd"
	"github.com/linnet-ml/linnet/tensor"
)

// SparseCategoricalCrossentropy is Keras's loss of that name, for labels that are numbers of classes, 0 to classes-1,
// and outputs (…, classes) that are probabilities:
//
//	ln Σp - ln p[y], with p brought into [1e-7, 1-1e-7] first; outside, its gradient is 0
//
// or, with FromLogits, logits z, of which p is the softmax: ln Σe^z - z[y].
//
// After a layer with a softmax, Fit and Evaluate compute the second form from what goes into the softmax, as Keras does
// on TensorFlow: nothing is cut off there, and the gradient of a row that is badly wrong does not vanish. With FromLogits
// set as well they do the same, where Keras warns: the softmax is then not applied twice. After a sigmoid they do it
// too, again as Keras on TensorFlow: the loss is then that of a softmax in the sigmoid's place. With an IgnoreClass they
// do none of this, as in Keras: the loss is computed from what comes out of the activation.
//
// Labels are int32 or float32, of shape (rows,) or (rows, 1) for an output (rows, classes), and (rows, steps) for an
// output (rows, steps, classes). A label that is no number of a class is an error; there are 2 classes or more. For
// labels that give each class its probability there is [CategoricalCrossentropy].
type SparseCategoricalCrossentropy struct {
	// FromLogits says that the model's output are logits: any numbers, of which the softmax gives the probabilities.
	FromLogits bool
	// IgnoreClass is a label, which need not be the number of a class (often -1), that leaves its element out. The loss
	// of a batch is the mean over the others, and 0 if there are none; so what Fit and Evaluate log depends, as in Keras,
	// on how rows are put into batches. By default no label is left out.
	IgnoreClass optional.Value[int]
}

var _ plan.Loss = SparseCategoricalCrossentropy{}

const sparseCategorical = "sparse categorical cross-entropy"

// Kind is "SparseCategoricalCrossentropy".
func (l SparseCategoricalCrossentropy) Kind() string { return "SparseCategoricalCrossentropy" }

// Start refuses labels that are not one for each vector of the output, an output of one class, of which the loss would
// always be 0, and an IgnoreClass that float32 does not hold.
func (l SparseCategoricalCrossentropy) Start(info plan.LossInfo) (plan.LossRule, error) {
	if err := l.check(info.Output, info.Labels); err != nil {
		return plan.LossRule{}, err
	}
	classes := info.Output[len(info.Output)-1]
	rule := plan.LossRule{
		BeforeActivation: hasLogits(info.Activation) && !l.IgnoreClass.IsSet(),
		CheckLabel:       l.checkLabel,
		CheckLabels: func(labels []float32) (column int, err error) {
			for i, y := range labels {
				if classOf(y, classes) < 0 && !l.ignores(y) {
					return i, fmt.Errorf("loss: %s: the output has %d classes, 0 to %d, and so none with the number %v", sparseCategorical, classes, classes-1, y)
				}
			}
			return 0, nil
		},
	}
	if l.IgnoreClass.IsSet() {
		rule.Counted = l.counted
	}
	rule.Logits = l.FromLogits && !rule.BeforeActivation
	isLogits := l.FromLogits || rule.BeforeActivation
	if rule.BeforeActivation {
		rule.Warning = warnSigmoid(l.Kind(), info.Activation)
	}
	if !isLogits {
		readsProbabilities(&rule, l.Kind(), info.Activation, "softmax")
	}
	rule.Rows = func(losses, gradient, output, labels []float32) { l.rows(isLogits, losses, gradient, output, labels) }
	return rule, nil
}

func (l SparseCategoricalCrossentropy) check(output, labels tensor.Shape) error {
	if c := l.IgnoreClass.Or(0); c < -1<<24 || c > 1<<24 {
		return fmt.Errorf("loss: %s: the class %d to ignore is not from -%d to %d", sparseCategorical, c, 1<<24, 1<<24)
	}
	if err := checkClasses(sparseCategorical, output); err != nil {
		return err
	}
	if isClassNumbers(output, labels) {
		return nil
	}
	hint := ""
	if output.Equal(labels) {
		hint = "; labels that give each class its probability are for CategoricalCrossentropy"
	}
	return plan.NewInputError("", fmt.Errorf("loss: %s: a row of the output has shape %v and a row of the labels %v%s", sparseCategorical, output, labels, hint))
}

// checkLabel refuses labels other than 0, 1, 2 and so on, unless they are ignored.
func (l SparseCategoricalCrossentropy) checkLabel(label float32) error {
	if l.ignores(label) || label >= 0 && float64(label) == math.Floor(float64(label)) && !math.IsInf(float64(label), 1) {
		return nil
	}
	return fmt.Errorf("loss: %s is defined for labels that are numbers of classes, not %v", sparseCategorical, label)
}

// counted is the number of labels that are not ignored.
func (l SparseCategoricalCrossentropy) counted(labels []float32) int {
	n := 0
	for _, y := range labels {
		if !l.ignores(y) {
			n++
		}
	}
	return n
}

func (l SparseCategoricalCrossentropy) ignores(label float32) bool {
	return l.IgnoreClass.IsSet() && label == float32(l.IgnoreClass.Or(0))
}

// classOf is the class that a label is the number of, or -1. A fraction is dropped, as in Keras.
func classOf(label float32, classes int) int {
	if label >= 0 && label <= 1<<24 && int(label) < classes {
		return int(label)
	}
	return -1
}

// rows computes the mean loss of each row's vectors, and its gradient by the row's outputs. Of a vector whose label is
// no class both are NaN; those that are ignored have a loss of 0.
func (l SparseCategoricalCrossentropy) rows(isLogits bool, losses, gradient, output, labels []float32) {
	if len(losses) == 0 || len(labels) == 0 {
		return
	}
	vectors, n := len(labels)/len(losses), len(output)/len(labels)
	for r := range losses {
		sum := 0.0
		for i := r * vectors; i < (r+1)*vectors; i++ {
			g := part(gradient, i*n, (i+1)*n)
			if l.ignores(labels[i]) {
				clear(g)
				continue
			}
			class := classOf(labels[i], n)
			switch {
			case class < 0:
				sum = math.NaN()
				for k := range g {
					g[k] = float32(math.NaN())
				}
			case isLogits:
				sum += sparseLogits(g, output[i*n:(i+1)*n], class)
			default:
				sum += sparseProbabilities(g, output[i*n:(i+1)*n], class)
			}
			average(g, vectors)
		}
		losses[r] = float32(sum / float64(vectors))
	}
}

// sparseLogits is the loss of one vector of logits. The gradient, where it is wanted, is their softmax, minus 1 at the
// class.
func sparseLogits(gradient, z []float32, class int) float64 {
	largest, sum := expSum(gradient, z)
	for i, e := range gradient {
		gradient[i] = e / sum
	}
	if gradient != nil {
		gradient[class]--
	}
	return float64(simd.Log32(sum) - (z[class] - largest))
}

// sparseProbabilities is the loss of one vector of probabilities. Keras takes their logarithms for logits; e^(ln p - ln
// largest) is here the quotient.
func sparseProbabilities(gradient, p []float32, class int) float64 {
	largest := clip(p[0])
	for _, v := range p {
		if v = clip(v); v > largest {
			largest = v
		}
	}
	var total lanes
	for i, v := range p {
		total.add(i, len(p), clip(v)/largest)
	}
	sum := total.sum()
	for i := range gradient {
		c := clip(p[i])
		gradient[i] = 0
		if c == p[i] {
			share := c / largest / sum
			if i == class {
				share--
			}
			gradient[i] = share / c
		}
	}
	return float64(simd.Log32(sum) - (simd.Log32(clip(p[class])) - simd.Log32(largest)))
}
