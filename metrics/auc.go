package metrics

import (
	"fmt"
	"math"
	"slices"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/internal/budget"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/simd"
)

// Curve says of which curve AUC is the area, by Keras's names. The zero value is ROC.
type Curve string

// The curves.
const (
	ROC Curve = "ROC" // recall over the share of negative labels that are predicted to be positive
	PR  Curve = "PR"  // precision over recall
)

// Summation says how AUC adds up the area between two thresholds, by Keras's names. The zero value is Interpolation.
type Summation string

// The ways to add up.
const (
	// Interpolation takes the mean of both heights. Of the PR curve it interpolates the counts of positives and not their
	// ratio, the precision (Davis and Goadrich, 2006).
	Interpolation Summation = "interpolation"
	Minoring      Summation = "minoring" // the smaller height
	Majoring      Summation = "majoring" // the larger height
)

// AUC is Keras's metric of that name: the area under a curve (ROC or PR), computed from the counts of right and wrong
// predictions at some thresholds. Outputs are probabilities, or with FromLogits logits. The more thresholds, the closer it is
// to the exact area; outputs that lie between the same two thresholds count as equal.
//
// All elements of a row count, each with the row's weight. Labels have the output's shape, with 0 for negative and any
// other number for positive, or are numbers of classes, which count as rows with a single 1 (Keras refuses these).
type AUC struct {
	// NumThresholds is how many thresholds divide [0, 1] evenly; 200 by default, at least 2. The first is a little below 0
	// and the last a little above 1.
	NumThresholds int
	// Thresholds, from 0 to 1, are in the place of even ones; one below 0 and one above 1 are added.
	Thresholds []float32
	// Curve is ROC by default.
	Curve Curve
	// Summation is Interpolation by default.
	Summation Summation
	// MultiLabel makes the metric the mean of the labels' areas, for an output (rows, labels). By default all elements count
	// as predictions of one label.
	MultiLabel bool
	// LabelWeights, one for each label, weigh the labels' areas in the mean, or without MultiLabel each label's elements. The
	// output is then (rows, labels).
	LabelWeights []float32
	// FromLogits says that the outputs are logits, of which the sigmoid is the probability.
	FromLogits bool
	// As is the name in logs; "auc" by default.
	As string
}

var _ plan.Metric = AUC{}

// Kind is "AUC".
func (m AUC) Kind() string { return "AUC" }

// Name is the name in logs.
func (m AUC) Name() string { return nameOr(m.As, "auc") }

// Direction is history.HigherIsBetter.
func (m AUC) Direction() history.Direction { return history.HigherIsBetter }

// Start refuses settings that are out of range, output and labels that do not go together, and logits without FromLogits.
func (m AUC) Start(info plan.MetricInfo) (plan.Accumulator, error) {
	if info.Logits && !m.FromLogits {
		return nil, errNotFromLogits(m.Name())
	}
	if m.Curve != "" && m.Curve != ROC && m.Curve != PR {
		return nil, fmt.Errorf("metrics: %s: the curve %q is none of %q", m.Name(), m.Curve, []Curve{ROC, PR})
	}
	switch m.Summation {
	case "", Interpolation, Minoring, Majoring:
	default:
		return nil, fmt.Errorf("metrics: %s: the summation %q is none of %q", m.Name(), m.Summation, []Summation{Interpolation, Minoring, Majoring})
	}
	t, err := m.thresholds()
	if err != nil {
		return nil, err
	}
	rows, err := labelsOf(m.Name(), info)
	if err != nil {
		return nil, err
	}
	a := &area{AUC: m, thresholds: t, rows: rows, width: info.Output.Size(), labels: 1}
	if m.MultiLabel || m.LabelWeights != nil {
		if len(info.Output) != 1 {
			return nil, errShapes(m.Name(), info)
		}
		if n := len(m.LabelWeights); m.LabelWeights != nil && n != info.Output[0] {
			return nil, fmt.Errorf("metrics: %s: %d label weights for an output of %d labels", m.Name(), n, info.Output[0])
		}
		for i, w := range m.LabelWeights {
			if !(w >= 0) || math.IsInf(float64(w), 0) {
				return nil, fmt.Errorf("metrics: %s: the weight of label %d is %v", m.Name(), i, w)
			}
		}
		if m.MultiLabel {
			a.labels = info.Output[0]
		}
	}
	a.buckets = t.n + 1
	if err := budget.Check("metrics: "+m.Name(), 2*8, a.labels, a.buckets); err != nil {
		return nil, err
	}
	a.positive, a.negative = make([]float64, a.labels*a.buckets), make([]float64, a.labels*a.buckets)
	return a, nil
}

// mostThresholds is a bound on settings that come from files.
const mostThresholds = 1 << 20

// thresholds are those of the settings with one below 0 and one above 1, as Keras makes them.
func (m AUC) thresholds() (thresholds, error) {
	const epsilon = 1e-7
	n := m.NumThresholds
	if m.Thresholds != nil {
		if n != 0 {
			return thresholds{}, fmt.Errorf("metrics: %s: Thresholds and NumThresholds are both set", m.Name())
		}
		if err := checkThresholds(m.Name(), m.Thresholds, plan.MetricInfo{}); err != nil {
			return thresholds{}, err
		}
		inner := slices.Sorted(slices.Values(m.Thresholds))
		even := areEven(slices.Concat([]float32{0}, inner, []float32{1}))
		t := newThresholds(slices.Concat([]float32{-epsilon}, inner, []float32{1 + epsilon}))
		t.even, t.open = even, true
		return t, nil
	}
	if n == 0 {
		n = 200
	}
	if n < 2 || n > mostThresholds {
		return thresholds{}, fmt.Errorf("metrics: %s: the number of thresholds is %d, and not from 2 to %d", m.Name(), n, mostThresholds)
	}
	return thresholds{n: n, even: true, open: true}, nil
}

// errNotFromLogits says that a metric of probabilities is given logits.
func errNotFromLogits(metric string) error {
	return fmt.Errorf("metrics: %s: the loss takes the output as logits, and without FromLogits the metric takes it as probabilities", metric)
}

// area keeps the sums of the weights of positive and of negative labels in buckets: those of the outputs that are above
// no threshold, above the first alone, and so on, for each label.
type area struct {
	AUC
	positive, negative []float64 // (labels, buckets)
	thresholds         thresholds
	rows               denseLabels
	width              int // elements of a row of the output
	labels             int // 1 where all elements count as one label's
	buckets            int
}

var _ plan.LabelChecker = (*area)(nil)

// CheckLabel refuses labels other than 0 and 1, or than numbers of classes.
func (a *area) CheckLabel(label float32) error { return a.rows.CheckLabel(label) }

func (a *area) Add(labels, output, weights []float32) {
	labels = a.rows.dense(labels)
	for lo := 0; lo+a.width <= len(output); lo += a.width {
		row := 1.0
		if len(weights) > 0 {
			row = float64(weights[lo/a.width])
		}
		for i, p := range output[lo : lo+a.width] {
			if a.FromLogits {
				p = simd.Sigmoid32(p)
			}
			at, w := a.thresholds.below(p), row
			if a.labels > 1 {
				at += i * a.buckets
			} else if !a.MultiLabel && a.LabelWeights != nil {
				w = float64(row * float64(a.LabelWeights[i]))
			}
			if labels[lo+i] != 0 {
				a.positive[at] += w
			} else {
				a.negative[at] += w
			}
		}
	}
}

func (a *area) Result() float64 {
	sum, weights := 0.0, 0.0
	for i := range a.labels {
		w := 1.0
		if a.MultiLabel && a.LabelWeights != nil {
			w = float64(a.LabelWeights[i])
		}
		lo, hi := i*a.buckets, (i+1)*a.buckets
		sum += float64(a.of(a.positive[lo:hi], a.negative[lo:hi]) * w)
		weights += w
	}
	if weights == 0 {
		return 0
	}
	return sum / weights
}

// of is the area of one label, from the highest threshold to the lowest.
func (a *area) of(positive, negative []float64) float64 {
	var positives, negatives float64
	for k, v := range positive {
		positives += v
		negatives += negative[k]
	}
	last := len(positive) - 1
	tp, fp, sum := positive[last], negative[last], 0.0
	for k := last - 1; k > 0; k-- {
		moreTP, moreFP := tp+positive[k], fp+negative[k]
		switch {
		case a.Curve == PR && (a.Summation == "" || a.Summation == Interpolation):
			sum += interpolated(tp, fp, positive[k], negative[k], positives)
		case a.Curve == PR:
			sum += float64((share(moreTP, positives) - share(tp, positives)) * a.height(ratio(tp, fp), ratio(moreTP, moreFP)))
		default:
			sum += float64((share(moreFP, negatives) - share(fp, negatives)) * a.height(share(tp, positives), share(moreTP, positives)))
		}
		tp, fp = moreTP, moreFP
	}
	return sum
}

// height is that of the area between two thresholds.
func (a *area) height(x, y float64) float64 {
	switch a.Summation {
	case Minoring:
		return min(x, y)
	case Majoring:
		return max(x, y)
	}
	return (x + y) / 2
}

// interpolated is the area under the PR curve between two thresholds: above the upper one are tp and fp, between both
// moreTP and moreFP. With p = tp + fp, which grows by dp, and the slope moreTP/dp it is
//
//	slope · (moreTP + (tp - slope·p) · ln((p + dp)/p)) / positives
func interpolated(tp, fp, moreTP, moreFP, positives float64) float64 {
	p, dp := tp+fp, moreTP+moreFP
	if !(dp > 0) || !(positives > 0) {
		return 0
	}
	slope, log := moreTP/dp, 0.0
	if p > 0 {
		log = simd.Log1p64(dp / p)
	}
	return slope * (moreTP + float64((tp-float64(slope*p))*log)) / positives
}

// share is part/all, and 0 of nothing.
func share(part, all float64) float64 {
	if all == 0 {
		return 0
	}
	return part / all
}

func (a *area) Reset() {
	clear(a.positive)
	clear(a.negative)
}

func (a *area) Sums() []float64 { return joinSums(a.positive, a.negative) }

func (a *area) SetSums(sums []float64) error { return splitSums(sums, a.positive, a.negative) }
