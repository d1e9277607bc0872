package metrics

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optional"
)

// Average says what an F score makes of several classes, by Keras's names. The zero value is PerClass, as in Keras.
type Average string

// The kinds of average.
const (
	PerClass Average = "none"     // a value for each class: "f1_score_0", "f1_score_1" and so on (Keras's None)
	Micro    Average = "micro"    // the score of the counts of all classes together
	Macro    Average = "macro"    // the mean of the classes' scores
	Weighted Average = "weighted" // their mean, each weighed by how often the class is a label
)

// FBetaScore is Keras's metric of that name, the weighted harmonic mean of precision and recall:
//
//	(1 + Beta²) · precision · recall / (Beta² · precision + recall)
//
// for an output (rows, classes). Labels have the same shape, with any number of ones in a row, or are numbers of classes,
// (rows,) or (rows, 1), which count as rows with a single 1 (Keras refuses these). As in Keras 1e-7 is added to each
// denominator, so that a class that is neither a label nor predicted has the score 0.
type FBetaScore struct {
	// Average says how the classes' scores become one. By default they do not: the metric has a value for each.
	Average Average
	// Beta says how many times as much recall counts as precision; 1 by default.
	Beta float64
	// Threshold, above 0 and up to 1: the outputs above it are the classes that are predicted. By default that is the
	// largest output of a row alone (of equal ones all, and of zeros none), which a single output per row does not allow.
	// For logits any number may be the threshold; 0 means a probability of one half.
	Threshold optional.Value[float32]
	// As is the name in logs; "fbeta_score" by default.
	As string
}

var _ plan.Metric = FBetaScore{}

// Kind is "FBetaScore".
func (m FBetaScore) Kind() string { return "FBetaScore" }

// Name is the name in logs.
func (m FBetaScore) Name() string { return nameOr(m.As, "fbeta_score") }

// Direction is history.HigherIsBetter.
func (m FBetaScore) Direction() history.Direction { return history.HigherIsBetter }

// Start refuses settings that are out of range, an output that is not (rows, classes), labels that do not go with it, and a
// single output per row without a threshold.
func (m FBetaScore) Start(info plan.MetricInfo) (plan.Accumulator, error) {
	beta := m.Beta
	if beta == 0 {
		beta = 1
	}
	if !(beta > 0) || math.IsInf(beta, 0) {
		return nil, fmt.Errorf("metrics: %s: Beta is %v", m.Name(), m.Beta)
	}
	threshold, fixed := m.Threshold.Get()
	if fixed && (!finite(threshold) || !info.Logits && !(threshold > 0 && threshold <= 1)) {
		return nil, fmt.Errorf("metrics: %s: the threshold %v is not above 0 and up to 1", m.Name(), threshold)
	}
	if len(info.Output) != 1 {
		return nil, errShapes(m.Name(), info)
	}
	rows, err := labelsOf(m.Name(), info)
	if err != nil {
		return nil, err
	}
	n := info.Output[0]
	if n == 1 && !fixed {
		return nil, fmt.Errorf("metrics: %s of one output needs a threshold, such as 0.5 of probabilities; without one Keras takes every row for positive", m.Name())
	}
	s := &fScore{classes: n, rows: rows, threshold: threshold, fixed: fixed, square: float64(beta * beta), average: m.Average}
	switch m.Average {
	case "", PerClass, Macro, Weighted:
	case Micro:
		n = 1
	default:
		return nil, fmt.Errorf("metrics: %s: the average %q is none of %q", m.Name(), m.Average, []Average{PerClass, Micro, Macro, Weighted})
	}
	s.hits, s.extra, s.missed, s.support = make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	if m.Average == "" || m.Average == PerClass {
		names := make([]string, n)
		for i := range names {
			names[i] = strconv.Itoa(i)
		}
		return several{s, names}, nil
	}
	return s, nil
}

// fScore adds up, for each class or for all together, the weights of true positives, false positives, false negatives
// and positive labels.
type fScore struct {
	hits, extra, missed, support []float64

	classes   int
	rows      denseLabels
	threshold float32
	fixed     bool
	square    float64 // of beta
	average   Average
}

var _ plan.LabelChecker = (*fScore)(nil)

// CheckLabel refuses numbers of no class and, in vectors, labels that are not from 0 to 1: one between them is positive in part.
func (s *fScore) CheckLabel(label float32) error {
	switch {
	case s.rows.classes > 0:
		return s.rows.checkClass(label)
	case label >= 0 && label <= 1:
		return nil
	}
	return errors.New("the metric is for labels from 0 to 1")
}

func (s *fScore) Add(labels, output, weights []float32) {
	labels = s.rows.dense(labels)
	for lo := 0; lo+s.classes <= len(output); lo += s.classes {
		w := 1.0
		if len(weights) > 0 {
			w = float64(weights[lo/s.classes])
		}
		if w == 0 { // a masked row may have labels of NaN
			continue
		}
		x := output[lo : lo+s.classes]
		top := float32(0)
		if !s.fixed {
			top = x[largest(x)]
		}
		for i, v := range x {
			y, at := float64(labels[lo+i]), i
			if s.average == Micro {
				at = 0
			}
			s.support[at] += float64(w * y)
			if s.predicts(v, top) {
				s.hits[at] += float64(w * y)
				s.extra[at] += float64(w * (1 - y))
			} else {
				s.missed[at] += float64(w * y)
			}
		}
	}
}

// predicts reports whether an output means that its class is predicted. The bound on the largest output is Keras's, for
// rows of zeros.
func (s *fScore) predicts(output, top float32) bool {
	if s.fixed {
		return output > s.threshold
	}
	return output >= top && (output > 1e-9 || output < -1e-9)
}

// Value is the score of class i.
func (s *fScore) Value(i int) float64 {
	const epsilon = 1e-7
	precision := s.hits[i] / (s.hits[i] + s.extra[i] + epsilon)
	recall := s.hits[i] / (s.hits[i] + s.missed[i] + epsilon)
	return float64(precision * recall / (float64(s.square*precision) + recall + epsilon) * (1 + s.square))
}

func (s *fScore) Result() float64 {
	sum, weights := 0.0, 0.0
	for i := range s.hits {
		w := 1.0
		if s.average == Weighted {
			w = s.support[i]
		}
		sum += float64(s.Value(i) * w)
		weights += w
	}
	if s.average == Weighted {
		weights += 1e-7
	}
	return sum / weights
}

func (s *fScore) Reset() {
	clear(s.hits)
	clear(s.extra)
	clear(s.missed)
	clear(s.support)
}

func (s *fScore) Sums() []float64 { return joinSums(s.hits, s.extra, s.missed, s.support) }

func (s *fScore) SetSums(sums []float64) error {
	return splitSums(sums, s.hits, s.extra, s.missed, s.support)
}
