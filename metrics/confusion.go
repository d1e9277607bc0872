package metrics

import (
	"fmt"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optional"
)

// confusion counts right and wrong predictions at each of some thresholds. An output above a threshold is a prediction of
// "positive"; a label other than 0 is positive.
//
// It keeps, for positive and for negative labels, the sum of the weights of the outputs that are above none of the
// thresholds, above the lowest alone, and so on, as Keras does for thresholds of equal distance. A batch so costs the same
// for any number of thresholds.
type confusion struct {
	positive, negative []float64 // one more than there are thresholds
	thresholds         thresholds
	rows               denseLabels
	width              int // elements of a row of the output
	classes            int // elements of its last dimension
	top                *topK
	class              optional.Value[int]
	value              func(tp, fp, tn, fn float64) float64
}

// confusionOptions are the fields that specs of such metrics share.
type confusionOptions struct {
	name       string
	thresholds []float32
	topK       int
	classID    optional.Value[int]
}

// belowAll is below every output, the threshold of Keras for metrics of the largest outputs.
const belowAll = -1e10

// startConfusion returns an accumulator of value, of one or, with several thresholds, of several values.
func startConfusion(o confusionOptions, info plan.MetricInfo, value func(tp, fp, tn, fn float64) float64) (plan.Accumulator, error) {
	list := o.thresholds
	if o.topK == 0 || len(list) > 0 {
		if err := checkThresholds(o.name, list, info); err != nil {
			return nil, err
		}
	}
	if len(list) == 0 {
		list = []float32{0.5}
		if o.topK != 0 {
			list[0] = belowAll
		}
	}
	c, err := newConfusion(o.name, info, newThresholds(list))
	if err != nil {
		return nil, err
	}
	c.value = value
	if o.topK != 0 {
		if c.top, err = newTopK(o.name, o.topK, c.classes); err != nil {
			return nil, err
		}
	}
	if id, ok := o.classID.Get(); ok && (id < 0 || id >= c.classes) {
		return nil, fmt.Errorf("metrics: %s: the output has %d classes, 0 to %d, and so none with the number %d", o.name, c.classes, c.classes-1, id)
	}
	c.class = o.classID
	if len(list) == 1 {
		return c, nil
	}
	return several{c, namesOf(list)}, nil
}

func newConfusion(name string, info plan.MetricInfo, t thresholds) (*confusion, error) {
	rows, err := labelsOf(name, info)
	if err != nil {
		return nil, err
	}
	n := t.n + 1
	c := &confusion{thresholds: t, rows: rows, width: info.Output.Size(), classes: 1, positive: make([]float64, n), negative: make([]float64, n)}
	if rank := len(info.Output); rank > 0 {
		c.classes = info.Output[rank-1]
	}
	return c, nil
}

var _ plan.LabelChecker = (*confusion)(nil)

// CheckLabel refuses labels other than 0 and 1, or than numbers of classes.
func (c *confusion) CheckLabel(label float32) error { return c.rows.CheckLabel(label) }

func (c *confusion) Add(labels, output, weights []float32) {
	labels = c.rows.dense(labels)
	class, one := c.class.Get()
	w := 1.0
	for lo := 0; lo+c.classes <= len(output); lo += c.classes {
		if len(weights) > 0 && lo%c.width == 0 {
			w = float64(weights[lo/c.width])
		}
		y, x := labels[lo:lo+c.classes], output[lo:lo+c.classes]
		if c.top != nil {
			c.top.choose(x)
		}
		if one {
			c.count(class, y, x, w)
			continue
		}
		for i := range x {
			c.count(i, y, x, w)
		}
	}
}

// count takes element i of a vector.
func (c *confusion) count(i int, labels, output []float32, weight float64) {
	n := 0
	if c.top == nil || c.top.has[i] {
		n = c.thresholds.below(output[i])
	}
	if labels[i] != 0 {
		c.positive[n] += weight
	} else {
		c.negative[n] += weight
	}
}

// Value is the metric at threshold i.
func (c *confusion) Value(i int) float64 {
	at := c.thresholds.rank[i] + 1
	var tp, fp, tn, fn float64
	for k, v := range c.positive {
		if k < at {
			fn += v
			tn += c.negative[k]
		} else {
			tp += v
			fp += c.negative[k]
		}
	}
	return c.value(tp, fp, tn, fn)
}

func (c *confusion) Result() float64 { return c.Value(0) }

func (c *confusion) Reset() {
	clear(c.positive)
	clear(c.negative)
}

func (c *confusion) Sums() []float64 { return joinSums(c.positive, c.negative) }

func (c *confusion) SetSums(sums []float64) error { return splitSums(sums, c.positive, c.negative) }

// ratio is a/(a+b), and 0 where that is 0/0.
func ratio(a, b float64) float64 {
	if a+b == 0 {
		return 0
	}
	return a / (a + b)
}
