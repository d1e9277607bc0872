package evaluation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"runtime"
	"slices"
	"testing"

	"github.com/linnet-ml/linnet/classifier"
	"github.com/linnet-ml/linnet/internal/random"
)

// made are answers with random scores of few values, so that many are equal.
func made(classes, rows int, multi bool) *answers {
	s := random.New(3, random.Check, uint64(classes))
	n := uint64(0)
	draw := func(k uint32) int { n++; return int(s.Uint32(n) % k) }
	a := &answers{multi: multi, rows: rows}
	for j := range classes {
		a.classes = append(a.classes, string(rune('a'+j)))
	}
	for range rows {
		is, given := make([]bool, classes), make([]bool, classes)
		scores := make([]float32, classes)
		for j := range scores {
			scores[j] = float32(1+draw(9)) / 10
			if multi {
				is[j], given[j] = draw(3) == 0, scores[j] > 0.5
			}
		}
		if !multi {
			sum := float32(0)
			for _, v := range scores {
				sum += v
			}
			for j := range scores {
				scores[j] /= sum
			}
			best := slices.Index(scores, slices.Max(scores))
			if draw(9) > 0 {
				given[best] = true
			}
			if draw(2) > 0 {
				is[best] = true
			} else {
				is[draw(uint32(classes))] = true
			}
		}
		a.is, a.given, a.scores = append(a.is, is...), append(a.given, given...), append(a.scores, scores...)
	}
	return a
}

// slow measures what measure does from the definitions.
func slow(a *answers) (m Measures) {
	k := len(a.classes)
	type pair struct {
		p     float64
		right bool
	}
	var pairs []pair
	for i := range a.rows {
		if slices.Equal(a.is[i*k:(i+1)*k], a.given[i*k:(i+1)*k]) {
			m.Accuracy += 1 / float64(a.rows)
		}
		best := 0
		for j := range k {
			p := float64(a.scores[i*k+j])
			if p > float64(a.scores[i*k+best]) {
				best = j
			}
			if a.multi {
				pairs = append(pairs, pair{p, a.is[i*k+j]})
				if !a.is[i*k+j] {
					p = float64(1 - a.scores[i*k+j])
				}
				m.LogLoss -= math.Log(p) / float64(a.rows*k)
			} else if a.is[i*k+j] {
				m.LogLoss -= math.Log(p) / float64(a.rows)
			}
		}
		if !a.multi {
			pairs = append(pairs, pair{float64(a.scores[i*k+best]), a.is[i*k+best]})
		}
	}
	var tp, fp, fn, counted float64
	for j := range k {
		var a1, a2, a3, won, all float64
		for i := range a.rows {
			is, given := a.is[i*k+j], a.given[i*k+j]
			switch {
			case is && given:
				a1++
			case given:
				a2++
			case is:
				a3++
			}
			for h := range a.rows {
				if is && !a.is[h*k+j] {
					all++
					if a.scores[i*k+j] > a.scores[h*k+j] {
						won++
					} else if a.scores[i*k+j] == a.scores[h*k+j] {
						won += 0.5
					}
				}
			}
		}
		m.Precision += a1 / max(a1+a2, 1) / float64(k)
		m.Recall += a1 / max(a1+a3, 1) / float64(k)
		m.MacroF1 += 2 * a1 / max(2*a1+a2+a3, 1) / float64(k)
		tp, fp, fn = tp+a1, fp+a2, fn+a3
		if (j == 1 || k > 2 || a.multi) && all > 0 {
			m.AUC += won / all
			counted++
		}
	}
	m.AUC /= counted
	m.MicroF1 = 2 * tp / (2*tp + fp + fn)
	slices.SortStableFunc(pairs, func(x, y pair) int { return int(math.Copysign(1, x.p-y.p)) * b2i(x.p != y.p) })
	for b := range bins {
		sum := 0.0
		for i, p := range pairs {
			if i*bins/len(pairs) == b {
				sum += p.p
				if p.right {
					sum--
				}
			}
		}
		m.CalibrationError += math.Abs(sum) / float64(len(pairs))
	}
	return m
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Measures are what the definitions give, and a row that counts twice is two rows.
func TestMeasures(t *testing.T) {
	for _, a := range []*answers{made(2, 300, false), made(4, 200, false), made(3, 250, true), made(1, 100, true)} {
		got, want := newTally(a).measure(nil), slow(a)
		near(t, fmt.Sprintf("%d classes", len(a.classes)), got, want)
		k := len(a.classes)
		twice := *a
		weights := make([]uint32, a.rows)
		twice.is, twice.given, twice.scores, twice.rows = nil, nil, nil, 0
		for i := range a.rows {
			weights[i] = uint32(i % 3)
			for range i % 3 {
				twice.rows++
				twice.is = append(twice.is, a.is[i*k:(i+1)*k]...)
				twice.given = append(twice.given, a.given[i*k:(i+1)*k]...)
				twice.scores = append(twice.scores, a.scores[i*k:(i+1)*k]...)
			}
		}
		weighted, repeated := newTally(a).measure(weights), newTally(&twice).measure(nil)
		// A row that counts twice is in one bin as a whole.
		if math.Abs(weighted.CalibrationError-repeated.CalibrationError) > 0.05 {
			t.Errorf("calibration error %g, want about %g", weighted.CalibrationError, repeated.CalibrationError)
		}
		weighted.CalibrationError = repeated.CalibrationError
		near(t, "weighted", weighted, repeated)
	}
}

func near(t *testing.T, what string, got, want Measures) {
	t.Helper()
	g, w := got.list(), want.list()
	for i, name := range names {
		if math.Abs(g[i]-w[i]) > 1e-6 {
			t.Errorf("%s: %s is %g, want %g", what, name, g[i], w[i])
		}
	}
}

// list and names have every field of Measures, under its name in JSON.
func TestNames(t *testing.T) {
	m := Measures{1, 2, 3, 4, 5, 6, 7, 8}
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]float64
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	for i, v := range m.list() {
		if got[names[i]] != v {
			t.Errorf("%s is %g, want %g", names[i], got[names[i]], v)
		}
	}
	if len(got) != measures || reflect.TypeFor[Measures]().NumField() != measures {
		t.Errorf("%d names", len(got))
	}
}

// Exact values are sums of binomial coefficients, computed in whole numbers.
func TestMcNemar(t *testing.T) {
	for _, v := range []struct {
		a, b int
		want float64
	}{{0, 0, 1}, {5, 5, 1}, {0, 5, 0.0625}, {2, 10, 0.03857421875}, {10, 2, 0.03857421875}, {40, 60, 0.056887933640980}, {900, 1100, 8.457089535e-06}} {
		if got := mcnemar(v.a, v.b); math.Abs(got-v.want) > 1e-9*v.want {
			t.Errorf("%d and %d: %g, want %g", v.a, v.b, got, v.want)
		}
	}
}

func topics(labels []string, each int, part uint64) []classifier.Example {
	s := random.New(5, random.Check, part)
	n := uint64(0)
	draw := func(k uint32) int { n++; return int(s.Uint32(n) % k) }
	var out []classifier.Example
	for _, l := range labels {
		for range each {
			text := ""
			for range 8 {
				if draw(10) < 2 {
					text += fmt.Sprintf(" %s%d", l, draw(20))
				} else {
					text += fmt.Sprintf(" word%d", draw(100))
				}
			}
			out = append(out, classifier.Example{Text: text, Labels: []string{l}})
		}
	}
	return out
}

func train(t testing.TB, examples []classifier.Example) *classifier.Classifier {
	t.Helper()
	c, err := classifier.Train(context.Background(), examples, classifier.Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A report has the same bits from any number of processors, intervals around the values, and tables that add up.
func TestEvaluate(t *testing.T) {
	ctx := context.Background()
	for _, labels := range [][]string{{"neg", "pos"}, {"a", "b", "c"}} {
		c := train(t, topics(labels, 80, 1))
		test := topics(labels, 60, 2)
		var first *Report
		for n := 1; n <= 3; n++ {
			old := runtime.GOMAXPROCS(n)
			r, err := Evaluate(ctx, c, test, Options{Resamples: 200})
			runtime.GOMAXPROCS(old)
			if err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = r
			} else if !reflect.DeepEqual(first, r) {
				t.Fatalf("another report with %d processors", n)
			}
		}
		list := first.list()
		for i, name := range names {
			v, ok := first.Intervals[name]
			if !ok || !(v.Low < v.High) || name != "calibration_error" && (list[i] < v.Low || list[i] > v.High) {
				t.Errorf("%s is %g, interval %+v", name, list[i], v)
			}
		}
		right, rows := 0, 0
		for j := range first.Confusion {
			right += first.Confusion[j][j]
			for _, n := range first.Confusion[j] {
				rows += n
			}
		}
		if rows != len(test) || first.Rows != rows || math.Abs(float64(right)/float64(rows)-first.Accuracy) > 1e-12 || first.Accuracy < 0.6 {
			t.Errorf("%d of %d right, accuracy %g", right, rows, first.Accuracy)
		}
		for i, m := range first.Mistakes {
			if r := c.Classify(test[m.Index].Text); !slices.Equal(r.Labels, m.Given) || slices.Equal(m.Given, m.Labels) || !slices.Equal(m.Labels, test[m.Index].Labels) || i > 0 && m.Probability < first.Mistakes[i-1].Probability {
				t.Errorf("mistake %+v", m)
			}
		}
		if len(first.Mistakes) != 10 {
			t.Errorf("%d mistakes", len(first.Mistakes))
		}
	}
}

// The interval of accuracy has the width that theory gives.
func TestInterval(t *testing.T) {
	a := made(2, 400, false)
	tally := newTally(a)
	values := make([]float64, 2000)
	o := Options{Resamples: len(values)}
	if err := resample(context.Background(), a.rows, o, func(i int, w []uint32) { values[i] = tally.measure(w).Accuracy }); err != nil {
		t.Fatal(err)
	}
	p := tally.measure(nil).Accuracy
	got := interval(values, 0.95)
	want := 2 * 1.96 * math.Sqrt(p*(1-p)/float64(a.rows))
	if math.Abs(got.High-got.Low-want) > 0.1*want {
		t.Errorf("interval %+v, want a width of %g", got, want)
	}
}

// A classifier is no better than itself, and one that learned from more rows is better than one that learned from few, some of them wrong.
func TestCompare(t *testing.T) {
	ctx := context.Background()
	labels := []string{"neg", "pos"}
	wrong := topics(labels, 60, 1)
	for i := range wrong {
		if i%5 < 2 {
			wrong[i].Labels = []string{labels[i%2]}
		}
	}
	few, many := train(t, wrong), train(t, topics(labels, 300, 1))
	test := topics(labels, 400, 2)
	same, err := Compare(ctx, many, many, test, Options{Resamples: 100})
	if err != nil {
		t.Fatal(err)
	}
	if same.PValue != 1 || same.Significant || same.Difference != (Measures{}) || same.Intervals["auc"] != (Interval{}) {
		t.Errorf("%+v", same)
	}
	c, err := Compare(ctx, few, many, test, Options{Resamples: 100})
	if err != nil {
		t.Fatal(err)
	}
	if !c.Significant || c.OnlySecond <= c.OnlyFirst || c.Intervals["accuracy"].Low <= 0 || c.Difference.LogLoss >= 0 {
		t.Errorf("%+v", c)
	}
}

func TestErrors(t *testing.T) {
	ctx := context.Background()
	c := train(t, topics([]string{"neg", "pos"}, 20, 1))
	if _, err := Evaluate(ctx, c, nil, Options{}); err == nil {
		t.Error("no examples: no error")
	}
	if _, err := Evaluate(ctx, c, []classifier.Example{{Text: "x", Labels: []string{"new"}}}, Options{}); !errors.Is(err, classifier.ErrUnknownClass) {
		t.Errorf("unknown class: %v", err)
	}
	_, err := Evaluate(ctx, c, []classifier.Example{{Text: "x"}}, Options{})
	if e, ok := errors.AsType[*classifier.ExampleError](err); !ok || e.Index != 0 {
		t.Errorf("no label: %v", err)
	}
	for _, o := range []Options{{Resamples: -1}, {Confidence: 1}, {Confidence: -0.5}} {
		if _, err := Evaluate(ctx, c, topics([]string{"neg"}, 1, 1), o); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
	done, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := Evaluate(done, c, topics([]string{"neg", "pos"}, 5, 1), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}
