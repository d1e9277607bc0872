package evaluation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
)

// Report says how good answers are.
type Report struct {
	Rows int `json:"rows"`
	// Unknown is the number of rows with a label that the classifier does not know.
	Unknown int `json:"unknown"`
	Measures
	// Intervals are the measures' confidence intervals by their names in JSON: "accuracy". A measure that is undefined has none.
	// An interval is of the bootstrap samples in which the measure is defined: one may lack all rows of a rare class.
	Intervals map[string]Interval `json:"intervals"`

	Classes []Class `json:"classes"` // in the order of Answers.Classes
	// Confusion counts rows by true class (outer) and class given; the last row is unknown labels, the last column rows
	// without an answer. It is nil where a text may have several labels, and for more than 1,000 classes.
	Confusion [][]int `json:"confusion,omitempty"`
	// Confused are the pairs of classes that Confusion counts off its diagonal, the most frequent first, and 1,000 at most. It is nil
	// where a text may have several labels.
	Confused []Confused `json:"confused,omitempty"`
	Mistakes []Mistake  `json:"mistakes"` // the worst first
}

// Confused is how many rows of one class were given another.
type Confused struct {
	True  int `json:"true"`  // the number of the class in Answers.Classes
	Given int `json:"given"` // that of the one given
	Rows  int `json:"rows"`
}

const (
	// mostClasses is the largest number of classes that have a confusion matrix: 8 MB.
	mostClasses = 1000
	// mostConfused is how many pairs of classes are listed at most.
	mostConfused = 1000
)

// Class is what the answers are for one class.
type Class struct {
	Name      string  `json:"name"`
	True      int     `json:"true"`  // rows that have it
	Given     int     `json:"given"` // rows that were given it
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	F1        float64 `json:"f1"`
}

// Mistake is a row with wrong labels.
type Mistake struct {
	Row int `json:"row"`
	// Class is the class that is wrong: given and not true, or true and not given. It is Unknown for a label that the
	// classifier does not know.
	Class int32 `json:"class"`
	// Missed says that the class is true and was not given.
	Missed bool `json:"missed"`
	// Probability is what the classifier gave the class.
	Probability float32 `json:"probability"`
}

// Measure computes a Report. Answers that contradict themselves are an error that names the row.
func Measure(ctx context.Context, a *Answers, o Options) (*Report, error) {
	o = o.withDefaults()
	if err := check(ctx, o, a); err != nil {
		return nil, err
	}
	p, err := prepare(ctx, a)
	if err != nil {
		return nil, err
	}
	samples, err := p.resample(ctx, o)
	if err != nil {
		return nil, err
	}
	r := &Report{Rows: len(a.True)}
	r.Measures, r.Intervals = measures(p.all(ctx)), map[string]Interval{}
	for m, name := range measureNames {
		if i, ok := interval(samples[m], o.Confidence); ok {
			r.Intervals[name] = i
		}
	}
	r.count(a)
	if r.Mistakes, err = mistakes(ctx, a, o.Mistakes); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil { // figures computed after its end are worth nothing
		return nil, err
	}
	return r, nil
}

func check(ctx context.Context, o Options, answers ...*Answers) error {
	switch {
	case ctx == nil:
		return errors.New("evaluation: the context is nil")
	case o.Resamples < 1 || o.Resamples > MostResamples:
		return fmt.Errorf("evaluation: Resamples is %d; want 1 to 1,000,000", o.Resamples)
	case !(o.Confidence > 0 && o.Confidence < 1):
		return fmt.Errorf("evaluation: Confidence is %v; want more than 0 and less than 1", o.Confidence)
	case o.Mistakes < -1:
		return fmt.Errorf("evaluation: Mistakes is %d", o.Mistakes)
	}
	for _, a := range answers {
		if a == nil {
			return errors.New("evaluation: there are no answers")
		}
		if err := a.check(); err != nil {
			return err
		}
	}
	return nil
}

// all is the measures of the rows themselves.
func (p *prepared) all(ctx context.Context) [numMeasures]float64 {
	once := make([]int32, len(p.a.True))
	for i := range once {
		once[i] = 1
	}
	return p.measure(ctx, once, make([]counts, len(p.a.Classes)))
}

// resample returns each measure's value in each bootstrap sample.
func (p *prepared) resample(ctx context.Context, o Options) (samples [numMeasures][]float64, err error) {
	for f := range samples {
		samples[f] = make([]float64, o.Resamples)
	}
	scratch := make([][]counts, workers())
	for w := range scratch {
		scratch[w] = make([]counts, len(p.a.Classes))
	}
	err = bootstrap(ctx, len(p.a.True), o, func(worker, r int, weight []int32) {
		for f, v := range p.measure(ctx, weight, scratch[worker]) {
			samples[f][r] = v
		}
	})
	return samples, err
}

// count fills in the table of classes and the confusion matrix.
func (r *Report) count(a *Answers) {
	k := len(a.Classes)
	byClass := make([]counts, k)
	confused := map[[2]int]int{}
	if !a.Several && k <= mostClasses {
		r.Confusion = make([][]int, k+1)
		for c := range r.Confusion {
			r.Confusion[c] = make([]int, k+1)
		}
	}
	for i := range a.True {
		if has(a.True[i], Unknown) {
			r.Unknown++
		}
		for _, c := range a.True[i] {
			if c != Unknown {
				byClass[c].true++
				if has(a.Given[i], c) {
					byClass[c].both++
				}
			}
		}
		for _, c := range a.Given[i] {
			byClass[c].given++
		}
		if !a.Several {
			from, to := k, k
			if c := a.True[i][0]; c != Unknown {
				from = int(c)
			}
			if len(a.Given[i]) > 0 {
				to = int(a.Given[i][0])
			}
			if r.Confusion != nil {
				r.Confusion[from][to]++
			}
			if from != to && from < k && to < k {
				confused[[2]int{from, to}]++
			}
		}
	}
	for pair, n := range confused {
		r.Confused = append(r.Confused, Confused{pair[0], pair[1], n})
	}
	slices.SortFunc(r.Confused, func(x, y Confused) int {
		return cmp.Or(cmp.Compare(y.Rows, x.Rows), cmp.Compare(x.True, y.True), cmp.Compare(x.Given, y.Given))
	})
	r.Confused = slices.Clip(r.Confused[:min(mostConfused, len(r.Confused))])
	for c, x := range byClass {
		r.Classes = append(r.Classes, Class{a.Classes[c], int(x.true), int(x.given), x.precision(), x.recall(), x.f1()})
	}
}

// mistakes returns the worst: those of which the classifier was most certain.
func mistakes(ctx context.Context, a *Answers, most int) ([]Mistake, error) {
	all := []Mistake{}
	if most < 0 {
		return all, nil
	}
	for i := range a.True {
		for _, c := range a.Given[i] {
			if !has(a.True[i], c) {
				all = append(all, Mistake{Row: i, Class: c, Probability: a.probability(i, c)})
			}
		}
		if !a.Several && len(a.Given[i]) > 0 {
			continue // the class that was missed is the same mistake
		}
		for _, c := range a.True[i] {
			switch {
			case c == Unknown:
				all = append(all, Mistake{Row: i, Class: c, Missed: true})
			case !has(a.Given[i], c):
				all = append(all, Mistake{Row: i, Class: c, Missed: true, Probability: a.probability(i, c)})
			}
		}
	}
	wrong := func(m Mistake) float32 { // how certain the classifier was of the opposite
		if m.Missed {
			return 1 - m.Probability
		}
		return m.Probability
	}
	if err := sortStable(ctx, all, func(x, y Mistake) int { return cmp.Compare(wrong(y), wrong(x)) }); err != nil {
		return nil, err
	}
	return slices.Clip(all[:min(most, len(all))]), nil
}
