package evaluation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/linnet-ml/linnet/classifier"
)

// Options are settings of [Evaluate] and [Compare]. The zero value is what most users want.
type Options struct {
	Seed uint64 // of the rows that the bootstrap draws
	// Resamples is how many samples the bootstrap draws. 0 means 1000.
	Resamples int
	// Confidence is the share of intervals that hold the value they are for. 0 means 0.95.
	Confidence float64
	// Mistakes is how many of the worst mistakes are listed. 0 means 10; below 0, none.
	Mistakes int
}

func (o *Options) fill() error {
	if o.Resamples == 0 {
		o.Resamples = 1000
	}
	if o.Confidence == 0 {
		o.Confidence = 0.95
	}
	if o.Mistakes == 0 {
		o.Mistakes = 10
	}
	if o.Resamples < 0 || o.Resamples > 1_000_000 {
		return fmt.Errorf("evaluation: %d resamples: want 1 to 1,000,000", o.Resamples)
	}
	if !(o.Confidence > 0 && o.Confidence < 1) {
		return fmt.Errorf("evaluation: a confidence of %g: want more than 0 and less than 1", o.Confidence)
	}
	return nil
}

// Measures are the figures that a Report has intervals for.
type Measures struct {
	// Accuracy is the share of texts whose labels are exactly right. A text that has no label is wrong unless it should have
	// none.
	Accuracy float64 `json:"accuracy"`
	// MacroF1, Precision and Recall are averages over the classes. Each is 0 for a class without a right answer.
	MacroF1   float64 `json:"macro_f1"`
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	// MicroF1 is the F1 of all labels of all texts together.
	MicroF1 float64 `json:"micro_f1"`
	// AUC is the area under the ROC curve: of the second of two classes, else the average over the classes, each against all
	// others. Classes that all texts have, or none, do not count; without any other it is 0.5.
	AUC float64 `json:"auc"`
	// LogLoss is the average of -log p of the right class; where a text may have several, of each label's right answer. A
	// probability counts as 1e-15 at least.
	LogLoss float64 `json:"log_loss"`
	// CalibrationError is the average distance of probability and share of right ones in 15 bins of as many texts each, in the order of the
	// probability: that of the most probable class, or of every label where a text may have several.
	CalibrationError float64 `json:"calibration_error"`
}

// measures is the number of Measures.
const measures = 8

// names are the members in JSON, in the order of list.
var names = [measures]string{"accuracy", "macro_f1", "precision", "recall", "micro_f1", "auc", "log_loss", "calibration_error"}

func (m *Measures) list() [measures]float64 {
	return [...]float64{m.Accuracy, m.MacroF1, m.Precision, m.Recall, m.MicroF1, m.AUC, m.LogLoss, m.CalibrationError}
}

// An Interval is a confidence interval: the quantiles of what bootstrap samples give.
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// A Class is a row of the table of classes.
type Class struct {
	Label     string  `json:"label"`
	Rows      int     `json:"rows"`  // texts that have the label
	Given     int     `json:"given"` // texts that the classifier gives it to
	Right     int     `json:"right"` // texts that are in both
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	F1        float64 `json:"f1"`
}

// A Mistake is a text that has the wrong labels.
type Mistake struct {
	Index       int      `json:"index"` // in the list of examples
	Labels      []string `json:"labels"`
	Given       []string `json:"given"`
	Probability float32  `json:"probability"` // the smallest one of a right answer: that of the right class, for example
}

// A Report says how good a classifier is.
type Report struct {
	Rows int `json:"rows"`
	Measures
	// Intervals has the confidence interval of each of the Measures, by its name in JSON.
	Intervals map[string]Interval `json:"intervals"`
	Classes   []Class             `json:"classes"`
	// Confusion has the number of texts of each class (row) that got each class (column), in the order of Classes; the last
	// column is that of no label. It is nil where a text may have several labels.
	Confusion [][]int `json:"confusion,omitempty"`
	// Mistakes are the worst mistakes, the worst first.
	Mistakes []Mistake `json:"mistakes"`
}

// Evaluate labels the examples and compares. Each must have labels that the classifier knows, exactly one where the
// classifier gives one.
//
// Confidence intervals come from samples of as many rows drawn with replacement (Efron, 1979). The same examples and options
// give the same Report, bit for bit.
func Evaluate(ctx context.Context, c *classifier.Classifier, examples []classifier.Example, o Options) (*Report, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	a, err := answer(ctx, c, examples)
	if err != nil {
		return nil, err
	}
	r := &Report{Rows: len(examples), Intervals: map[string]Interval{}}
	t := newTally(a)
	r.Measures = t.measure(nil)
	samples := make([][measures]float64, o.Resamples)
	if err := resample(ctx, len(examples), o, func(i int, weights []uint32) {
		m := t.measure(weights)
		samples[i] = m.list()
	}); err != nil {
		return nil, err
	}
	column := make([]float64, len(samples))
	for k, name := range names {
		for i, s := range samples {
			column[i] = s[k]
		}
		r.Intervals[name] = interval(column, o.Confidence)
	}
	r.Classes = a.table()
	r.Confusion = a.confusion()
	r.Mistakes = a.mistakes(o.Mistakes)
	return r, nil
}

// answers are the labels of texts, by number, and what a classifier says about them.
type answers struct {
	classes []string
	multi   bool
	rows    int
	is      []bool    // (rows, classes)
	given   []bool    // (rows, classes)
	scores  []float32 // (rows, classes)
}

// answer labels the examples.
func answer(ctx context.Context, c *classifier.Classifier, examples []classifier.Example) (*answers, error) {
	if len(examples) == 0 {
		return nil, errors.New("evaluation: no examples")
	}
	a := &answers{classes: c.Classes(), multi: c.Parts().Spec.MultiLabel, rows: len(examples)}
	k := len(a.classes)
	number := make(map[string]int, k)
	for i, l := range a.classes {
		number[l] = i
	}
	a.is, a.given, a.scores = make([]bool, len(examples)*k), make([]bool, len(examples)*k), make([]float32, len(examples)*k)
	for i, e := range examples {
		if !a.multi && len(e.Labels) != 1 {
			return nil, &classifier.ExampleError{Index: i, Problem: fmt.Sprintf("has %d labels: this classifier gives one", len(e.Labels))}
		}
		for _, l := range e.Labels {
			j, ok := number[l]
			if !ok {
				return nil, fmt.Errorf("evaluation: example %d has the label %.40q: %w", i, l, classifier.ErrUnknownClass)
			}
			a.is[i*k+j] = true
		}
	}
	err := parallel(ctx, len(examples), func(i int, s *state) {
		c.ClassifyInto(&s.result, examples[i].Text)
		copy(a.scores[i*k:(i+1)*k], s.result.Scores)
		for _, l := range s.result.Labels {
			a.given[i*k+number[l]] = true
		}
	})
	return a, err
}

// right returns whether a row's labels are exactly right.
func (a *answers) right(row int) bool {
	k := len(a.classes)
	return slices.Equal(a.is[row*k:(row+1)*k], a.given[row*k:(row+1)*k])
}

// table counts the classes.
func (a *answers) table() []Class {
	k := len(a.classes)
	all := make([]Class, k)
	for j := range all {
		c := &all[j]
		c.Label = a.classes[j]
		for i := range a.rows {
			is, given := a.is[i*k+j], a.given[i*k+j]
			if is {
				c.Rows++
			}
			if given {
				c.Given++
			}
			if is && given {
				c.Right++
			}
		}
		c.Precision, c.Recall, c.F1 = share(c.Right, c.Given), share(c.Right, c.Rows), share(2*c.Right, c.Given+c.Rows)
	}
	return all
}

func share[N int | uint64](a, b N) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

func (a *answers) confusion() [][]int {
	if a.multi {
		return nil
	}
	k := len(a.classes)
	m := make([][]int, k)
	for j := range m {
		m[j] = make([]int, k+1)
	}
	for i := range a.rows {
		is, given := slices.Index(a.is[i*k:(i+1)*k], true), slices.Index(a.given[i*k:(i+1)*k], true)
		if given < 0 {
			given = k
		}
		m[is][given]++
	}
	return m
}

// surest is the smallest probability of a right answer in a row.
func (a *answers) surest(row int) float32 {
	k := len(a.classes)
	p := float32(1)
	for j, v := range a.scores[row*k : (row+1)*k] {
		switch {
		case a.is[row*k+j]:
			p = min(p, v)
		case a.multi:
			p = min(p, 1-v)
		}
	}
	return p
}

func (a *answers) mistakes(n int) []Mistake {
	all := []Mistake{}
	for i := range a.rows {
		if !a.right(i) {
			all = append(all, Mistake{Index: i, Probability: a.surest(i)})
		}
	}
	slices.SortStableFunc(all, func(x, y Mistake) int { return cmp.Compare(x.Probability, y.Probability) })
	all = all[:min(len(all), max(n, 0))]
	k := len(a.classes)
	for m := range all {
		all[m].Labels, all[m].Given = []string{}, []string{}
		for j, l := range a.classes {
			if a.is[all[m].Index*k+j] {
				all[m].Labels = append(all[m].Labels, l)
			}
			if a.given[all[m].Index*k+j] {
				all[m].Given = append(all[m].Given, l)
			}
		}
	}
	return all
}
