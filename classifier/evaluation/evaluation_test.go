package evaluation_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/linnet-ml/linnet/classifier/evaluation"
	"github.com/linnet-ml/linnet/internal/budget"
)

func names(k int) (list []string) {
	for c := range k {
		list = append(list, fmt.Sprint("class", c))
	}
	return list
}

// The figures are those of scikit-learn; testdata/make_sklearn.py recorded them.
func TestFiguresOfScikitLearn(t *testing.T) {
	b, err := os.ReadFile("testdata/sklearn.json")
	if err != nil {
		t.Fatal(err)
	}
	var recorded struct {
		Cases []struct {
			Name                string
			Classes             int
			Several             bool
			TrueSets, GivenSets [][]int32
			P                   []float32
			Want                map[string]float64
		}
	}
	if err := json.Unmarshal(b, &recorded); err != nil || len(recorded.Cases) != 3 {
		t.Fatal(err)
	}
	for _, c := range recorded.Cases {
		r, err := evaluation.Measure(t.Context(), &evaluation.Answers{Classes: names(c.Classes), Several: c.Several,
			True: c.TrueSets, Given: c.GivenSets, Probabilities: c.P}, evaluation.Options{Resamples: 200})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for name, got := range r.All {
			if want, ok := c.Want[name]; ok && math.Abs(got-want) > 1e-9 {
				t.Errorf("%s: %s is %v, want %v", c.Name, name, got, want)
			} else if ok {
				n++
			}
			// Of few rows the calibration error of samples is larger than that of the rows.
			if i := r.Intervals[name]; !(i.Low <= got && got <= i.High && i.High-i.Low > 0.01) && name != "calibration_error" {
				t.Errorf("%s: %s is %v, in %+v", c.Name, name, got, i)
			}
		}
		if n != 7 {
			t.Errorf("%s: %d measures are recorded", c.Name, n)
		}
	}
}

// drawn are answers that are right with the probabilities they give, of so many rows.
func drawn(seed uint64, rows, k int) *evaluation.Answers {
	random := rand.New(rand.NewPCG(seed, 1))
	a := &evaluation.Answers{Classes: names(k)}
	for range rows {
		p, sum := make([]float64, k), 0.0
		for c := range p {
			p[c] = math.Exp(2 * random.NormFloat64())
			sum += p[c]
		}
		draw, truth, top := sum*random.Float64(), k-1, 0
		for c := range p {
			if draw -= p[c]; draw < 0 {
				truth = c
				break
			}
		}
		for c := range p {
			if p[c] > p[top] {
				top = c
			}
			a.Probabilities = append(a.Probabilities, float32(p[c]/sum))
		}
		a.True, a.Given = append(a.True, []int32{int32(truth)}), append(a.Given, []int32{int32(top)})
	}
	return a
}

// Probabilities that are what they say have a small calibration error, others the error that they have.
func TestCalibrationError(t *testing.T) {
	a := drawn(1, 200000, 3)
	r, err := evaluation.Measure(t.Context(), a, evaluation.Options{Resamples: 5})
	if err != nil {
		t.Fatal(err)
	}
	if r.CalibrationError > 0.006 {
		t.Errorf("%+v of calibrated answers", r.CalibrationError)
	}
	// One class with a probability of 0.9 that is right in 60 of 100 rows.
	b := &evaluation.Answers{Classes: names(2)}
	for i := range 100 {
		b.Probabilities = append(b.Probabilities, 0.1, 0.9)
		b.True, b.Given = append(b.True, []int32{int32((i%5 + 3) / 5 * 0)}), append(b.Given, []int32{1})
		if i%5 < 3 {
			b.True[i][0] = 1
		}
	}
	if r, err = evaluation.Measure(t.Context(), b, evaluation.Options{Resamples: 10}); err != nil {
		t.Fatal(err)
	}
	// Bins of 100/15 rows hold 3 to 5 right rows of 6 or 7: their mean distance from 0.9 is that of all rows.
	if math.Abs(r.CalibrationError-0.3) > 0.02 {
		t.Errorf("%+v, want 0.3", r.CalibrationError)
	}
}

// The interval contains the true accuracy about as often as it says.
func TestIntervals(t *testing.T) {
	const trials = 200
	missed := 0
	truth, err := evaluation.Measure(t.Context(), drawn(1000, 100000, 3), evaluation.Options{Resamples: 1})
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(trials) {
		r, err := evaluation.Measure(t.Context(), drawn(seed, 300, 3), evaluation.Options{Resamples: 200, Confidence: 0.9})
		if err != nil {
			t.Fatal(err)
		}
		if v, i := truth.Accuracy, r.Intervals["accuracy"]; v < i.Low || v > i.High {
			missed++
		}
	}
	if missed < 8 || missed > 35 { // 20 expected; the numbers are seeded
		t.Errorf("%d of %d intervals of 90 %% missed", missed, trials)
	}
}

// Results do not depend on the number of processors.
func TestSameBits(t *testing.T) {
	a, b := drawn(1, 500, 4), drawn(2, 500, 4)
	b.True = a.True
	var reports []*evaluation.Report
	var comparisons []*evaluation.Comparison
	for _, n := range []int{1, 2, 3} {
		before := runtime.GOMAXPROCS(n)
		r, err := evaluation.Measure(t.Context(), a, evaluation.Options{Seed: 3})
		c, err2 := evaluation.Compare(t.Context(), a, b, evaluation.Options{Seed: 3})
		runtime.GOMAXPROCS(before)
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		reports, comparisons = append(reports, r), append(comparisons, c)
	}
	for i := range reports {
		if !reflect.DeepEqual(reports[i], reports[0]) || !reflect.DeepEqual(comparisons[i], comparisons[0]) {
			t.Errorf("%d processors give another result", i+1)
		}
	}
	other, err := evaluation.Measure(t.Context(), a, evaluation.Options{Seed: 4})
	if err != nil {
		t.Fatal(err)
	}
	if other.Accuracy != reports[0].Accuracy || other.Intervals["accuracy"] == reports[0].Intervals["accuracy"] {
		t.Errorf("another seed: %+v and %+v", other.Accuracy, reports[0].Accuracy)
	}
}

// Labels that the classifier does not know are wrong, whatever it says; a row without an answer is wrong too.
func TestUnknown(t *testing.T) {
	a := &evaluation.Answers{
		Classes: []string{"a", "b"},
		True:    [][]int32{{0}, {1}, {evaluation.Unknown}, {1}},
		Given:   [][]int32{{0}, {0}, {1}, {}},
		Probabilities: []float32{
			0.9, 0.1,
			0.75, 0.25,
			0.2, 0.8,
			0.5, 0.5,
		},
	}
	r, err := evaluation.Measure(t.Context(), a, evaluation.Options{Resamples: 20})
	if err != nil {
		t.Fatal(err)
	}
	if r.Unknown != 1 || r.Accuracy != 0.25 || r.MicroF1 != 2.0/7 {
		t.Errorf("%d unknown, accuracy %v, micro F1 %v", r.Unknown, r.Accuracy, r.MicroF1)
	}
	if want := -(math.Log(0.9) + math.Log(0.25) + math.Log(0.5)) / 3; math.Abs(float64(r.LogLoss)-want) > 1e-7 {
		t.Errorf("log loss %v, want %v", r.LogLoss, want)
	}
	if want := [][]int{{1, 0, 0}, {1, 0, 1}, {0, 1, 0}}; !reflect.DeepEqual(r.Confusion, want) {
		t.Errorf("confusion %v, want %v", r.Confusion, want)
	}
	want := []evaluation.Mistake{{Row: 2, Class: 1, Probability: 0.8}, {Row: 1, Class: 0, Probability: 0.75}, {Row: 3, Class: 1, Missed: true, Probability: 0.5}}
	if !reflect.DeepEqual(r.Mistakes, want) {
		t.Errorf("mistakes %+v", r.Mistakes)
	}
	if c := r.Classes[0]; c.Name != "a" || c.True != 1 || c.Given != 2 || c.Precision != 0.5 || c.Recall != 1 {
		t.Errorf("%+v", c)
	}
}

// A classifier that is better by more than chance is found, and one that is not is not.
func TestCompare(t *testing.T) {
	a := drawn(1, 400, 2)
	b := drawn(1, 400, 2)
	for i := range b.Given { // of what the first has wrong, the second has every second one right
		if b.Given[i][0] != b.True[i][0] && i%2 == 0 {
			b.Given[i] = []int32{b.True[i][0]}
		}
	}
	c, err := evaluation.Compare(t.Context(), a, b, evaluation.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if d := c.Differences[0]; d.Name != "accuracy" || !d.Beyond || d.Low <= 0 || c.OnlyFirst != 0 || c.OnlySecond < 5 || c.P > 0.01 {
		t.Errorf("%+v", c)
	}
	if d := c.Differences[6]; d.Name != "log_loss" || d.Value != 0 || d.Beyond {
		t.Errorf("%+v: the probabilities are the same", d)
	}
	same, err := evaluation.Compare(t.Context(), a, a, evaluation.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if d := same.Differences[0]; d.Beyond || d.Value != 0 || same.P != 1 {
		t.Errorf("%+v of one classifier with itself", same)
	}
}

// McNemar's exact test, by the binomial distribution: 1 against 9 rows have 2·(1+10)/1024.
func TestMcNemar(t *testing.T) {
	row := func(right bool) []int32 {
		if right {
			return []int32{0}
		}
		return []int32{1}
	}
	make := func(right func(i int) bool) *evaluation.Answers {
		a := &evaluation.Answers{Classes: names(2)}
		for i := range 30 {
			a.True, a.Given = append(a.True, []int32{0}), append(a.Given, row(right(i)))
			a.Probabilities = append(a.Probabilities, 0.5, 0.5)
		}
		return a
	}
	first, second := make(func(i int) bool { return i != 0 && i < 21 }), make(func(i int) bool { return i < 20 || i >= 21 })
	c, err := evaluation.Compare(t.Context(), second, first, evaluation.Options{Resamples: 10})
	if err != nil {
		t.Fatal(err)
	}
	if c.OnlyFirst != 10 || c.OnlySecond != 1 || math.Abs(c.P-2*12.0/2048) > 1e-12 {
		t.Errorf("%+v", c)
	}
}

func TestErrors(t *testing.T) {
	good := func() *evaluation.Answers {
		return &evaluation.Answers{Classes: []string{"a", "b"}, True: [][]int32{{0}, {1}}, Given: [][]int32{{0}, {0}}, Probabilities: []float32{1, 0, 1, 0}}
	}
	nan := float32(math.NaN())
	for want, change := range map[string]func(a *evaluation.Answers){
		"there are no rows":                           func(a *evaluation.Answers) { a.True = nil },
		"there are no classes":                        func(a *evaluation.Answers) { a.Classes = nil },
		"1 rows with answers and 2 with labels":       func(a *evaluation.Answers) { a.Given = a.Given[:1] },
		"3 probabilities for 2 rows of 2 classes":     func(a *evaluation.Answers) { a.Probabilities = a.Probabilities[:3] },
		"row 1 has 0 labels in place of one":          func(a *evaluation.Answers) { a.True[1] = nil },
		"row 1 has 2 answers in place of one":         func(a *evaluation.Answers) { a.Given[1] = []int32{0, 1} },
		"row 0: there is no class 2 among 2":          func(a *evaluation.Answers) { a.True[0] = []int32{2} },
		"row 0: there is no class -1 among 2":         func(a *evaluation.Answers) { a.Given[0] = []int32{-1} },
		"row 0 has class 1 twice among its labels":    func(a *evaluation.Answers) { a.Several, a.True[0] = true, []int32{1, 1} },
		"row 1: the probability of class 0 is NaN":    func(a *evaluation.Answers) { a.Probabilities[2] = nan },
		"row 1: the probability of class 1 is -0.001": func(a *evaluation.Answers) { a.Probabilities[3] = -0.001 },
	} {
		a := good()
		change(a)
		if _, err := evaluation.Measure(t.Context(), a, evaluation.Options{}); err == nil || err.Error() != "evaluation: "+want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	for want, o := range map[string]evaluation.Options{
		"Resamples is -1; want 1 to 1,000,000":                {Resamples: -1},
		"Confidence is 1; want more than 0 and less than 1":   {Confidence: 1},
		"Confidence is NaN; want more than 0 and less than 1": {Confidence: math.NaN()},
		"Mistakes is -2": {Mistakes: -2},
	} {
		if _, err := evaluation.Measure(t.Context(), good(), o); err == nil || err.Error() != "evaluation: "+want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := evaluation.Measure(ctx, good(), evaluation.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v of a context that is done", err)
	}
	other := good()
	other.True[1] = []int32{0}
	if _, err := evaluation.Compare(t.Context(), good(), other, evaluation.Options{}); err == nil ||
		err.Error() != `evaluation: row 1 has the labels ["b"] for one classifier and ["a"] for the other` {
		t.Error(err)
	}
}

// rare are answers to n rows, of which so many have the rare class, and all have it with the highest probabilities.
func rare(n, of int) *evaluation.Answers {
	a := &evaluation.Answers{Classes: names(2)}
	for i := range n {
		class := int32(0)
		if i < of {
			class = 1
		}
		p := 0.1 + 0.8*float32(class)
		a.True, a.Given = append(a.True, []int32{class}), append(a.Given, []int32{class})
		a.Probabilities = append(a.Probabilities, 1-p, p)
	}
	return a
}

// A bootstrap sample without a row of the rare class, one of twenty here, says nothing about the area under its curve.
func TestRareClass(t *testing.T) {
	r, err := evaluation.Measure(t.Context(), rare(100, 3), evaluation.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if i := r.Intervals["auc"]; r.AUC != 1 || i.Low != 1 || i.High != 1 {
		t.Errorf("AUC %v, %+v", r.AUC, i)
	}
	worse := rare(100, 3)
	for i := range worse.Given {
		worse.Probabilities[2*i], worse.Probabilities[2*i+1] = 0.5, 0.5
	}
	c, err := evaluation.Compare(t.Context(), rare(100, 3), worse, evaluation.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if d := c.Differences[5]; d.Name != "auc" || d.Value != -0.5 || d.Low != -0.5 || d.High != -0.5 || !d.Beyond {
		t.Errorf("%+v", d)
	}
}

// What the rows do not say is no figure, least of all the worst one, in Go, in JSON and in a comparison.
func TestUndefined(t *testing.T) {
	one, unknown := rare(20, 0), rare(20, 10)
	for i := range unknown.True {
		unknown.True[i] = []int32{evaluation.Unknown}
	}
	for name, a := range map[string]*evaluation.Answers{"auc": one, "log_loss": unknown} {
		r, err := evaluation.Measure(t.Context(), a, evaluation.Options{Resamples: 20})
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var document map[string]any
		var again evaluation.Report
		if err := errors.Join(json.Unmarshal(b, &document), json.Unmarshal(b, &again)); err != nil {
			t.Fatal(err)
		}
		if v, ok := document[name]; !ok || v != nil {
			t.Errorf("JSON has %s %v", name, v)
		}
		figures := map[string]evaluation.Figure{"auc": r.AUC, "log_loss": r.LogLoss}
		if _, ok := r.Intervals[name]; ok || figures[name].Defined() {
			t.Errorf("%s is %v, %+v", name, figures[name], r.Intervals[name])
		}
		if again.AUC.Defined() != r.AUC.Defined() || again.LogLoss.Defined() != r.LogLoss.Defined() || again.Accuracy != r.Accuracy {
			t.Errorf("JSON gives %+v of %+v", again.Measures, r.Measures)
		}
		c, err := evaluation.Compare(t.Context(), a, a, evaluation.Options{Resamples: 20})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range c.Differences {
			if d.Name == name || math.IsNaN(d.Value) {
				t.Errorf("%s is compared: %+v", name, d)
			}
		}
		if len(c.Differences) < 6 {
			t.Errorf("%+v", c.Differences)
		}
	}
}

// Of many classes there is no matrix, whose size is the square, but the pairs that are mixed up.
func TestManyClasses(t *testing.T) {
	const k = 5000
	a := &evaluation.Answers{Classes: names(k), Probabilities: make([]float32, 8*k)}
	for i, given := range []int32{1, 1, 1, 4, 4, 5, 0, 7} {
		a.True, a.Given = append(a.True, []int32{int32(i % 3 * 2)}), append(a.Given, []int32{given})
	}
	a.True[0][0] = evaluation.Unknown
	r, err := evaluation.Measure(t.Context(), a, evaluation.Options{Resamples: 2})
	if err != nil {
		t.Fatal(err)
	}
	want := []evaluation.Confused{{True: 0, Given: 4, Rows: 1}, {True: 2, Given: 1, Rows: 1}, {True: 2, Given: 4, Rows: 1}, {True: 2, Given: 7, Rows: 1}, {True: 4, Given: 1, Rows: 1}, {True: 4, Given: 5, Rows: 1}}
	if r.Confusion != nil || !reflect.DeepEqual(r.Confused, want) {
		t.Errorf("%d rows of the matrix, %+v", len(r.Confusion), r.Confused)
	}
	few := rare(20, 3)
	for i := range 3 {
		few.Given[i][0] = 0
	}
	if r, err = evaluation.Measure(t.Context(), few, evaluation.Options{Resamples: 2}); err != nil {
		t.Fatal(err)
	}
	if want := []evaluation.Confused{{True: 1, Given: 0, Rows: 3}}; !reflect.DeepEqual(r.Confused, want) || r.Confusion[1][0] != 3 {
		t.Errorf("%+v, %v", r.Confused, r.Confusion)
	}
}

// Memory is asked for before it is taken.
func TestTooManyRows(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(100 << 20))
	const n, k = 200_000, 40
	a := &evaluation.Answers{Classes: names(k), Several: true, True: make([][]int32, n), Given: make([][]int32, n), Probabilities: make([]float32, n*k)}
	if _, err := evaluation.Measure(t.Context(), a, evaluation.Options{Resamples: 1}); !errors.Is(err, budget.ErrTooLarge) {
		t.Errorf("%d rows of %d classes in 100 MiB: %v", n, k, err)
	}
}

// Of two faults the same one is named each time.
func TestFirstFault(t *testing.T) {
	for range 50 {
		a := &evaluation.Answers{Classes: names(2), True: [][]int32{{7}}, Given: [][]int32{{8}}, Probabilities: []float32{0, 1}}
		if _, err := evaluation.Measure(t.Context(), a, evaluation.Options{}); err == nil || err.Error() != "evaluation: row 0: there is no class 7 among 2" {
			t.Fatal(err)
		}
	}
}
