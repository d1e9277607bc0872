package metrics

import (
	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optional"
)

// Recall is Keras's metric of that name: the share of positive labels that are predicted to be positive,
// TP / (TP + FN), and 0 where no label is positive.
//
// An output above the threshold is a positive prediction; a label other than 0 is positive. All elements of a row count,
// each with the row's weight. Labels have the output's shape, such as (rows, classes) with any number of ones, or are
// numbers of classes, which count as rows with a single 1 (Keras refuses these).
type Recall struct {
	// Thresholds are from 0 to 1; 0.5 alone by default, or with TopK none. With several of them the metric has a value for
	// each: "recall_0.3". They are compared in float32, and an output equal to one is not above it. There is no default
	// where the loss takes logits, for which 0 means a probability of one half; any number may then be a threshold.
	//
	// Three or more that divide [0, 1] evenly are treated as in Keras: output·(n-1), in float32, tells how many are below
	// the output, and outputs outside [0, 1] count as 0 or 1.
	Thresholds []float32
	// TopK takes only the TopK largest outputs of a vector for positive predictions, of equal ones the first; 0 takes all
	// that are above the threshold.
	TopK int
	// ClassID restricts the metric to one class, a place in the output's last dimension. By default all count.
	ClassID optional.Value[int]
	// As is the name in logs; "recall" by default.
	As string
}

var _ plan.Metric = Recall{}

// Kind is "Recall".
func (m Recall) Kind() string { return "Recall" }

// Name is the name in logs.
func (m Recall) Name() string { return nameOr(m.As, "recall") }

// Direction is history.HigherIsBetter.
func (m Recall) Direction() history.Direction { return history.HigherIsBetter }

// Start refuses output and labels that do not go together, thresholds outside [0, 1], logits without a threshold, a TopK
// larger than the number of classes, and a ClassID that is none of them.
func (m Recall) Start(info plan.MetricInfo) (plan.Accumulator, error) {
	o := confusionOptions{name: m.Name(), thresholds: m.Thresholds, topK: m.TopK, classID: m.ClassID}
	return startConfusion(o, info, func(tp, _, _, fn float64) float64 { return ratio(tp, fn) })
}
