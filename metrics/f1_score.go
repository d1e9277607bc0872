package metrics

import (
	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optional"
)

// F1Score is Keras's metric of that name, the harmonic mean of precision and recall: [FBetaScore] with a Beta of 1.
type F1Score struct {
	// Average says how the classes' scores become one. By default they do not: the metric has a value for each,
	// "f1_score_0" and so on.
	Average Average
	// Threshold is as for [FBetaScore]: by default the largest output of a row is the class that is predicted.
	Threshold optional.Value[float32]
	// As is the name in logs; "f1_score" by default.
	As string
}

var _ plan.Metric = F1Score{}

// Kind is "F1Score".
func (m F1Score) Kind() string { return "F1Score" }

// Name is the name in logs.
func (m F1Score) Name() string { return nameOr(m.As, "f1_score") }

// Direction is history.HigherIsBetter.
func (m F1Score) Direction() history.Direction { return history.HigherIsBetter }

// Start refuses what FBetaScore refuses.
func (m F1Score) Start(info plan.MetricInfo) (plan.Accumulator, error) {
	return FBetaScore{Average: m.Average, Threshold: m.Threshold, As: m.Name()}.Start(info)
}
