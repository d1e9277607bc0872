package evaluation

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/linnet-ml/linnet/simd"
)

// Comparison is how the second of two classifiers differs from the first on the same rows.
type Comparison struct {
	Rows int `json:"rows"`
	// Differences are the second's measures less the first's, in the order of Measures. A measure that is undefined for one of
	// them is left out.
	Differences []Difference `json:"differences"`
	// Only counts the rows that one classifier alone answers rightly.
	OnlyFirst  int `json:"only_first"`
	OnlySecond int `json:"only_second"`
	// P is the probability of a difference in accuracy at least as large if both were equally good: McNemar's exact test.
	P float64 `json:"p"`
}

// Difference is that of one measure.
type Difference struct {
	Name  string  `json:"name"` // as in Report's JSON: "macro_f1"
	Value float64 `json:"value"`
	Interval
	// Beyond says that the interval does not contain 0: the difference is more than chance, at this confidence.
	Beyond bool `json:"beyond_chance"`
}

// Compare measures two classifiers' answers to the same texts. Both draw the same bootstrap samples, so that what is hard
// for both does not blur the difference. Classes may differ; rows and their labels may not.
func Compare(ctx context.Context, first, second *Answers, o Options) (*Comparison, error) {
	o = o.withDefaults()
	if err := check(ctx, o, first, second); err != nil {
		return nil, err
	}
	if err := sameRows(first, second); err != nil {
		return nil, err
	}
	p, err := prepare(ctx, first)
	if err != nil {
		return nil, err
	}
	q, err := prepare(ctx, second)
	if err != nil {
		return nil, err
	}
	c := &Comparison{Rows: len(first.True), P: 1}
	x, err := p.resample(ctx, o)
	if err != nil {
		return nil, err
	}
	y, err := q.resample(ctx, o)
	if err != nil {
		return nil, err
	}
	before, after := p.all(ctx), q.all(ctx)
	for m := range numMeasures {
		for i := range y[m] {
			y[m][i] -= x[m][i]
		}
		d := Difference{Name: measureNames[m]}
		d.Value = after[m] - before[m]
		var ok bool
		if d.Interval, ok = interval(y[m], o.Confidence); !ok || math.IsNaN(d.Value) {
			continue
		}
		d.Beyond = d.Low > 0 || d.High < 0
		c.Differences = append(c.Differences, d)
	}
	for i := range p.correct {
		switch {
		case p.correct[i] && !q.correct[i]:
			c.OnlyFirst++
		case q.correct[i] && !p.correct[i]:
			c.OnlySecond++
		}
	}
	c.P = mcnemar(c.OnlyFirst, c.OnlySecond)
	if err := ctx.Err(); err != nil { // figures computed after its end are worth nothing
		return nil, err
	}
	return c, nil
}

// sameRows returns an error if two classifiers were not asked the same.
func sameRows(a, b *Answers) error {
	if a.Several != b.Several {
		return errors.New("evaluation: one classifier gives one label and the other several")
	}
	if len(a.True) != len(b.True) {
		return fmt.Errorf("evaluation: %d and %d rows cannot be compared", len(a.True), len(b.True))
	}
	for i := range a.True {
		x, y := a.names(i), b.names(i)
		// A class that one classifier does not know says nothing about what it is.
		if len(x) == len(y) && !has(a.True[i], Unknown) && !has(b.True[i], Unknown) && !slices.Equal(x, y) {
			return fmt.Errorf("evaluation: row %d has the labels %.100q for one classifier and %.100q for the other", i, x, y)
		}
		if len(x) != len(y) {
			return fmt.Errorf("evaluation: row %d has %d labels for one classifier and %d for the other", i, len(x), len(y))
		}
	}
	return nil
}

// names are a row's labels in order.
func (a *Answers) names(row int) []string {
	var list []string
	for _, c := range a.True[row] {
		if c == Unknown {
			list = append(list, "")
		} else {
			list = append(list, a.Classes[c])
		}
	}
	slices.Sort(list)
	return list
}

// mcnemar is the two-sided probability of so uneven a split of b + c rows between two equally good classifiers.
func mcnemar(b, c int) float64 {
	n := b + c
	if n == 0 {
		return 1
	}
	// The terms of the binomial distribution by their logarithms: n may be large.
	sum, term := 0.0, float64(-float64(n)*math.Ln2)
	for k := 0; ; k++ {
		sum += simd.Exp64(term)
		if k == min(b, c) {
			break
		}
		term += simd.Log64(float64(n-k)) - simd.Log64(float64(k+1))
	}
	return math.Min(1, 2*sum)
}
