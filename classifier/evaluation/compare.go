package evaluation

import (
	"context"

	"github.com/linnet-ml/linnet/classifier"
	"github.com/linnet-ml/linnet/simd"
)

// A Comparison says how two classifiers differ on the same rows. Differences are the second one's value less the first one's.
type Comparison struct {
	Rows       int `json:"rows"`
	OnlyFirst  int `json:"only_first"`  // rows that only the first has exactly right
	OnlySecond int `json:"only_second"` // rows that only the second has exactly right
	// PValue is that of McNemar's exact test: how probable at least this difference in OnlyFirst and OnlySecond is if both are
	// equally good.
	PValue float64 `json:"p_value"`
	// Significant says whether PValue is below 1 less the confidence of the options: the difference in accuracy is more than
	// chance.
	Significant bool     `json:"significant"`
	Difference  Measures `json:"difference"`
	// Intervals has the confidence interval of each difference, by its name in JSON, from bootstrap samples that have the same rows
	// for both.
	Intervals map[string]Interval `json:"intervals"`
}

// Compare evaluates two classifiers on the same examples.
func Compare(ctx context.Context, first, second *classifier.Classifier, examples []classifier.Example, o Options) (*Comparison, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	a, err := answer(ctx, first, examples)
	if err != nil {
		return nil, err
	}
	b, err := answer(ctx, second, examples)
	if err != nil {
		return nil, err
	}
	c := &Comparison{Rows: len(examples), Intervals: map[string]Interval{}}
	for i := range examples {
		switch x, y := a.right(i), b.right(i); {
		case x && !y:
			c.OnlyFirst++
		case y && !x:
			c.OnlySecond++
		}
	}
	c.PValue = mcnemar(c.OnlyFirst, c.OnlySecond)
	c.Significant = c.PValue < 1-o.Confidence
	s, t := newTally(a), newTally(b)
	difference := func(weights []uint32) Measures {
		x, y := s.measure(weights), t.measure(weights)
		return Measures{y.Accuracy - x.Accuracy, y.MacroF1 - x.MacroF1, y.Precision - x.Precision, y.Recall - x.Recall, y.MicroF1 - x.MicroF1,
			y.AUC - x.AUC, y.LogLoss - x.LogLoss, y.CalibrationError - x.CalibrationError}
	}
	c.Difference = difference(nil)
	samples := make([][measures]float64, o.Resamples)
	if err := resample(ctx, len(examples), o, func(i int, weights []uint32) {
		m := difference(weights)
		samples[i] = m.list()
	}); err != nil {
		return nil, err
	}
	column := make([]float64, len(samples))
	for k, name := range names {
		for i, v := range samples {
			column[i] = v[k]
		}
		c.Intervals[name] = interval(column, o.Confidence)
	}
	return c, nil
}

// mcnemar is the two-sided p-value of a and b of a+b throws of a coin (McNemar, 1947, with the binomial distribution).
func mcnemar(a, b int) float64 {
	n := a + b
	const log2 = 0.6931471805599453
	term := -float64(float64(n) * log2) // the logarithm of C(n, 0) / 2^n
	sum := 0.0
	for i := range min(a, b) + 1 {
		sum += simd.Exp64(term)
		term += simd.Log64(float64(n-i) / float64(i+1))
		if i == n { // both are 0
			break
		}
	}
	return min(1, 2*sum)
}
