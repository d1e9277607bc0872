package classifier

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/linnet-ml/linnet/internal/budget"
	"github.com/linnet-ml/linnet/internal/random"
)

// sentences are texts in which words of the label's topic are three of ten, sorted by label.
func sentences(labels []string, each int) []Example {
	s := random.New(7, random.Check, 2)
	n := uint64(0)
	draw := func(k int) int { n++; return int(s.Uint32(n) % uint32(k)) }
	var out []Example
	for _, l := range labels {
		for range each {
			var words []string
			for range 10 {
				if draw(10) < 3 {
					words = append(words, fmt.Sprintf("%s%d", l, draw(20)))
				} else {
					words = append(words, fmt.Sprintf("word%d", draw(200)))
				}
			}
			out = append(out, Example{Text: strings.Join(words, " "), Labels: []string{l}})
		}
	}
	return out
}

func train(t testing.TB, examples []Example) *Classifier {
	t.Helper()
	c, err := Train(context.Background(), examples, Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func several(labels []string, each int) []Example {
	examples := sentences(labels, each)
	n := len(examples)
	for i := range n / 4 {
		a, b := examples[i], examples[(i*7+n/2)%n]
		e := Example{Text: a.Text + " " + b.Text, Labels: a.Labels}
		if a.Labels[0] != b.Labels[0] {
			e.Labels = []string{a.Labels[0], b.Labels[0]}
		}
		examples = append(examples, e)
	}
	for i := range n / 4 {
		examples = append(examples, Example{Text: fmt.Sprintf("word%d word%d", i%200, i*3%200)})
	}
	return examples
}

// What is learned on texts sorted by class is right for most texts, for two classes, several, and several labels a text.
func TestTrain(t *testing.T) {
	for _, v := range []struct {
		name     string
		examples []Example
		min      float64
	}{
		{"two", sentences([]string{"neg", "pos"}, 150), 0.95},
		{"four", sentences([]string{"a", "b", "c", "d"}, 100), 0.93},
		{"several", several([]string{"a", "b", "c"}, 100), 0.85},
		{"one label", several([]string{"a"}, 100), 0.93},
	} {
		t.Run(v.name, func(t *testing.T) {
			c := train(t, v.examples)
			right := 0
			for _, e := range v.examples {
				r := c.Classify(e.Text)
				got := map[string]bool{}
				for _, l := range r.Labels {
					got[l] = true
				}
				same := len(got) == len(e.Labels)
				for _, l := range e.Labels {
					same = same && got[l]
				}
				if same {
					right++
				}
				sum := float32(0)
				for _, p := range r.Scores {
					if !(p >= 0 && p <= 1) {
						t.Fatalf("probability %g", p)
					}
					sum += p
				}
				if !c.parts.Spec.MultiLabel && math.Abs(float64(sum-1)) > 1e-5 {
					t.Fatalf("probabilities add up to %g", sum)
				}
			}
			if share := float64(right) / float64(len(v.examples)); share < v.min {
				t.Errorf("%.3f of the examples right, want %g; %+v", share, v.min, c.Report().Best)
			}
			if c.Report().Best.Rows == 0 || len(c.Report().Tried) < 5 || c.Report().Features != len(c.parts.Hashes) {
				t.Errorf("report %+v", c.Report())
			}
		})
	}
}

// The same examples and seed give the same bits, with any number of processors and on every platform.
func TestSameBits(t *testing.T) {
	for _, c := range []struct {
		name     string
		examples []Example
		options  Options
		sha256   string
	}{
		{"two", sentences([]string{"neg", "pos"}, 60), Options{}, "c2da96a8f7ba8038b489e594c5fb1535888b4d2943ee780f376bc876a13b6cec"},
		{"three", sentences([]string{"a", "b", "c"}, 60), Options{}, "df02d07710d81fb09ee2e49f793014ae19f7e7bcb31d6abf6b6c4a142afbe819"},
		{"several", several([]string{"a", "b"}, 60), Options{}, "cccd44d93d0fa491a8bc0ae9496eb5a2f7ba6de371462f4f493376d99be6edf6"},
		{"network", sentences([]string{"neg", "pos"}, 60), Options{Budget: 10 * time.Second}, "916f5776b8d6ca6a1f4d58fd45352e148ad45ae970faa18d8ddf0349951d05cd"},
	} {
		for n := 1; n <= 3; n++ {
			old := runtime.GOMAXPROCS(n)
			trained, err := Train(t.Context(), c.examples, c.options)
			runtime.GOMAXPROCS(old)
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			if err := trained.Write(t.Context(), &b); err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprintf("%x", sha256.Sum256(b.Bytes())); got != c.sha256 {
				t.Errorf("%s, %d processors: the file has the digest %s, want %s", c.name, n, got, c.sha256)
			}
		}
	}
}

// With a spread, logits are multiplied by a power of it beside their own, and contributions with them.
func TestSpread(t *testing.T) {
	plain := train(t, sentences([]string{"a", "b", "c"}, 60)).Parts()
	plain.Spec.Spread, plain.Spec.SpreadPower = 0, 0
	even := plain
	even.Spec.Spread, even.Spec.SpreadPower = 3, 0.75
	c, err := New(plain)
	if err != nil {
		t.Fatal(err)
	}
	d, err := New(even)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"a1 word3", "b4 a4 c1 word2", "c1 c2 c3 c4", ""} {
		p, q := c.Classify(text), d.Classify(text)
		z, mean, squares := make([]float64, 3), 0.0, 0.0
		for k, v := range p.Scores {
			z[k] = math.Log(float64(v))
			mean += z[k] / 3
		}
		for _, v := range z {
			squares += (v - mean) * (v - mean) / 3
		}
		sum := 0.0
		for k, v := range z {
			if text != "" { // its logits are the classes' shares
				v *= math.Pow(3/math.Sqrt(squares), 0.75)
			}
			z[k] = math.Exp(v)
			sum += z[k]
		}
		for k, v := range q.Scores {
			if math.Abs(float64(v)-z[k]/sum) > 1e-5 {
				t.Errorf("%q: probability %d is %g, want %g", text, k, v, z[k]/sum)
			}
		}
		e, err := d.Explain(text, "")
		if err != nil {
			t.Fatal(err)
		}
		got := e.Base
		for _, tok := range e.Tokens {
			got += tok.Contribution
		}
		if math.Abs(float64(got-e.Logit)) > 1e-4 {
			t.Errorf("%q: contributions add up to %g, the logit is %g", text, got, e.Logit)
		}
	}
}

// Contributions and the base add up to the logit, from which the probability comes.
func TestExplain(t *testing.T) {
	texts := []string{"pos1 word3, pos7 word9!", "neg4 neg4 neg5 Ünknown", "", "?", "日本 a1"}
	for _, examples := range [][]Example{sentences([]string{"neg", "pos"}, 80), sentences([]string{"a", "b", "c"}, 60), several([]string{"a", "b"}, 60)} {
		trained := train(t, examples)
		p := trained.Parts()
		for _, text := range texts {
			for _, class := range append(trained.Classes(), "") {
				e, err := trained.Explain(text, class)
				if err != nil {
					t.Fatal(err)
				}
				sum := e.Base
				for i, tok := range e.Tokens {
					sum += tok.Contribution
					if tok.Start >= tok.End || tok.End > len(text) || i > 0 && tok.Start < e.Tokens[i-1].End {
						t.Errorf("%q: token %+v", text, tok)
					}
				}
				if math.Abs(float64(sum-e.Logit)) > 1e-4 {
					t.Errorf("%q for %q: contributions add up to %g, the logit is %g", text, class, sum, e.Logit)
				}
				if class == "" && p.Spec.columns() == 1 {
					if r := trained.Classify(text); r.Label != e.Class || math.Abs(float64(r.Probability)-1/(1+math.Exp(-float64(e.Logit)))) > 1e-5 {
						t.Errorf("%q: result %+v, explanation %+v", text, r, e)
					}
				}
			}
		}
		if _, err := trained.Explain("x", "no such class"); err == nil {
			t.Error("a class that is none is explained")
		}
	}
}

// Texts without a known n-gram get the shares of the classes.
func TestPrior(t *testing.T) {
	examples := sentences([]string{"a", "b", "c"}, 50)
	c := train(t, append(examples[:50:50], examples[75:]...)) // 50, 25 and 50 rows
	for _, text := range []string{"", " \n", "\xff"} {
		r := c.Classify(text)
		for k, want := range []float64{0.4, 0.2, 0.4} {
			if math.Abs(float64(r.Scores[k])-want) > 0.01 {
				t.Errorf("%q: probabilities %v", text, r.Scores)
			}
		}
	}
}

// raceDetector is whether the race detector is on, under which a sync.Pool drops what it is given at random.
var raceDetector bool

// After the first texts nothing is allocated.
func TestAllocations(t *testing.T) {
	if testing.Short() {
		t.Skip("trains")
	}
	c := train(t, several([]string{"a", "b"}, 60))
	var r Result
	text := strings.Repeat("a1 word3 b2 something else ", 40)
	c.ClassifyInto(&r, text)
	if n := testing.AllocsPerRun(100, func() { c.ClassifyInto(&r, text) }); n >= 1 && !raceDetector {
		t.Errorf("%g allocations", n)
	}
}

// What a huge text needs is not kept for the next one.
func TestLongTextScratch(t *testing.T) {
	c := train(t, sentences([]string{"neg", "pos"}, 20))
	memory := func() int64 {
		runtime.GC() // a pool keeps what it has for one collection more
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	var r Result
	c.ClassifyInto(&r, "pos1")
	before := memory()
	text := strings.Repeat("pos1 ", 4*keptBytes/5)
	c.ClassifyInto(&r, text)
	if kept := memory() - before - int64(len(text)); kept > keptBytes {
		t.Errorf("%d bytes are kept after a text of %d", kept, len(text))
	}
	runtime.KeepAlive(text)
	runtime.KeepAlive(c)
}

// A Classifier of the same parts says the same, and parts that do not go together are an error.
func TestNew(t *testing.T) {
	c := train(t, several([]string{"a", "b"}, 60))
	again, err := New(c.Parts())
	if err != nil {
		t.Fatal(err)
	}
	if a, b := c.Classify("a1 a2 b3"), again.Classify("a1 a2 b3"); !reflect.DeepEqual(a, b) {
		t.Errorf("%+v and %+v", a, b)
	}
	for name, change := range map[string]func(*Parts){
		"no classes":        func(p *Parts) { p.Spec.Classes = nil },
		"class twice":       func(p *Parts) { p.Spec.Classes = []string{"a", "a"} },
		"one label missing": func(p *Parts) { p.Spec.Classes = []string{"a"} },
		"weighting":         func(p *Parts) { p.Spec.Weighting = "x" },
		"no n-grams":        func(p *Parts) { p.Spec.WordMin, p.Spec.WordMax, p.Spec.CharMin, p.Spec.CharMax = 0, 0, 0, 0 },
		"long n-grams":      func(p *Parts) { p.Spec.WordMin, p.Spec.WordMax = 1, 9 },
		"weights":           func(p *Parts) { p.Weights = p.Weights[1:] },
		"inverse":           func(p *Parts) { p.Inverse = make([]uint8, len(p.Hashes)) },
		"hash twice":        func(p *Parts) { p.Hashes = append([]uint64{p.Hashes[1]}, p.Hashes[1:]...) },
		"threshold":         func(p *Parts) { p.Threshold = []float32{0.5, 2} },
		"no thresholds":     func(p *Parts) { p.Threshold = nil },
		"infinite scale":    func(p *Parts) { p.Scale = []float32{1, float32(math.Inf(1))} },
		"bias":              func(p *Parts) { p.Bias = []float32{float32(math.NaN()), 0} },
	} {
		p := c.Parts()
		change(&p)
		if _, err := New(p); err == nil {
			t.Errorf("%s: no error", name)
		} else if !strings.HasPrefix(err.Error(), "classifier: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTrainErrors(t *testing.T) {
	for name, examples := range map[string][]Example{
		"none":            nil,
		"one class":       {{"a", []string{"x"}}, {"b", []string{"x"}}},
		"one row a class": {{"a", []string{"x"}}, {"b", []string{"y"}}},
		"label twice":     {{"a", []string{"x", "x"}}, {"b", []string{"y"}}},
		"no labels":       {{"a", nil}, {"b", nil}},
		"label of all":    {{"a", []string{"x"}}, {"b", []string{"x"}}, {"b", []string{"x", "y"}}},
	} {
		if c, err := Train(context.Background(), examples, Options{}); err == nil {
			t.Errorf("%s: no error, %v", name, c.Classes())
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Train(ctx, sentences([]string{"a", "b"}, 20), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v", err)
	}
}

// A column of names in place of labels is an error at once: no model of so many classes fits into memory.
func TestTooManyClasses(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(256 << 20))
	var examples []Example
	for i := range 40_000 {
		examples = append(examples, Example{"a text", []string{fmt.Sprint("user", i/2)}})
	}
	_, err := Train(t.Context(), examples, Options{})
	const want = "classifier: a model of 20000 classes (are these the labels?): too large for the memory: "
	if !errors.Is(err, budget.ErrTooLarge) || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v", err)
	}
}

// Few rows, texts without words and equal texts are learned from without a fault.
func TestSmall(t *testing.T) {
	for _, examples := range [][]Example{
		{{"good", []string{"x"}}, {"bad", []string{"y"}}, {"good", []string{"x"}}, {"bad", []string{"y"}}},
		{{"", []string{"x"}}, {"", []string{"y"}}, {"", []string{"x"}}, {"!", []string{"y"}}},
		{{"same", []string{"x"}}, {"same", []string{"y"}}, {"same", []string{"x"}}, {"same", []string{"y"}}, {"rare", []string{"z"}}},
	} {
		c := train(t, examples)
		for _, e := range examples {
			if r := c.Classify(e.Text); math.IsNaN(float64(r.Probability)) {
				t.Errorf("%+v", r)
			}
		}
	}
}

// Any number of goroutines may use a Classifier, with the same results.
func TestConcurrent(t *testing.T) {
	for _, examples := range [][]Example{sentences([]string{"neg", "pos"}, 40), sentences([]string{"a", "b", "c"}, 40)} {
		c := train(t, examples)
		var want []Result
		for _, e := range examples {
			want = append(want, c.Classify(e.Text))
		}
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				var r Result
				for i, e := range examples {
					if c.ClassifyInto(&r, e.Text); !reflect.DeepEqual(r, want[i]) {
						t.Errorf("%+v, want %+v", r, want[i])
						return
					}
					if i%10 == 0 {
						if _, err := c.Explain(e.Text, ""); err != nil {
							t.Error(err)
						}
					}
				}
			})
		}
		wg.Wait()
	}
}

// Without MaxFeatures, several classes have room for more n-grams, within 16 Mi weights.
func TestMaxFeatures(t *testing.T) {
	for _, v := range []struct {
		o      Options
		scores int
		multi  bool
		want   int
	}{{Options{}, 1, false, 300_000}, {Options{}, 3, false, 1 << 20}, {Options{}, 20, false, 838_860}, {Options{}, 100, false, 300_000}, {Options{}, 20, true, 300_000}, {Options{MaxFeatures: 7}, 20, false, 7}} {
		if got := v.o.maxFeatures(v.scores, v.multi); got != v.want {
			t.Errorf("%d scores, several labels %v: %d, want %d", v.scores, v.multi, got, v.want)
		}
	}
}

// What a report says of a classifier with few n-grams, and the threshold that is chosen for it, are true of that classifier and not of
// one with all of them.
func TestReportOfFewFeatures(t *testing.T) {
	share := func(rows []Example, right func(e Example, r Result) bool, c *Classifier) float64 {
		n := 0
		for _, e := range rows {
			if right(e, c.Classify(e.Text)) {
				n++
			}
		}
		return float64(n) / float64(len(rows))
	}
	words := map[string]int{}
	for _, v := range []struct {
		name   string
		labels []string
		fewest int
		o      Options
	}{
		{"two classes", []string{"neg", "pos"}, 8, Options{Positive: "pos"}},
		{"a goal", []string{"neg", "pos"}, 8, Options{Positive: "pos", Goal: Goal{Precision: 0.8}}},
		{"classes", []string{"a", "b", "c", "d"}, 30, Options{}},
		{"several labels", []string{"a", "b", "c"}, 25, Options{MultiLabel: true}},
		{"a network", []string{"a", "b", "c", "d"}, 8, Options{Budget: 10 * time.Second}},
		{"a network and a goal", []string{"neg", "pos"}, 4, Options{Positive: "pos", Goal: Goal{Precision: 0.8}, Budget: 10 * time.Second}},
	} {
		t.Run(v.name, func(t *testing.T) {
			examples := sentences(v.labels, 600)
			for i, e := range examples { // words that only as wholes tell something
				var text strings.Builder
				for word := range strings.FieldsSeq(e.Text) {
					if words[word] == 0 {
						words[word] = 1 + len(words)
					}
					fmt.Fprintf(&text, " %04d", words[word]*3571%9973)
				}
				examples[i].Text = text.String()
			}
			fresh := make([]Example, 0, len(examples)/2)
			learned := make([]Example, 0, len(examples)/2)
			for i, e := range examples {
				if i%2 == 0 {
					fresh = append(fresh, e)
				} else {
					learned = append(learned, e)
				}
			}
			o := v.o
			o.Seed = 1
			if o.Budget > 0 && testing.Short() {
				t.Skip("a network takes ten seconds")
			}
			all, err := Train(t.Context(), learned, o)
			if err != nil {
				t.Fatal(err)
			}
			o.MaxFeatures = v.fewest
			few, err := Train(t.Context(), learned, o)
			if err != nil {
				t.Fatal(err)
			}
			if few.Report().Features != v.fewest {
				t.Fatalf("%d n-grams, want %d", few.Report().Features, v.fewest)
			}
			// The runner-up is behind the recipe as it was measured beside it, with all n-grams.
			r := few.Report()
			if want := all.Report(); r.Unlimited == nil || want.Unlimited != nil || r.RunnerUp != want.RunnerUp || r.Behind != want.Behind ||
				v.o.Budget == 0 && *r.Unlimited != want.Best || v.o.Budget > 0 && *r.Unlimited != want.Network.Linear {
				t.Errorf("unlimited %+v of %+v, all %+v", r.Unlimited, r, want)
			}
			got := r.Best
			if v.o.Budget == 0 && (got.Accuracy > all.Report().Best.Accuracy-0.05 || got.Loss < all.Report().Best.Loss) {
				t.Errorf("few n-grams %+v, all %+v", got, all.Report().Best)
			}
			if v.o.Goal.Precision > 0 {
				given, right := 0, 0
				for _, e := range fresh {
					if few.Classify(e.Text).Label == "pos" {
						given++
						if e.Labels[0] == "pos" {
							right++
						}
					}
				}
				said := few.Report().Labels[0]
				if precision := float64(right) / float64(max(given, 1)); math.Abs(precision-float64(said.Precision)) > 0.06 {
					t.Errorf("the report says %+v, and of %d texts with the label %.3f are right", said, given, precision)
				}
				return
			}
			var right func(e Example, r Result) bool
			if v.o.MultiLabel {
				// of each label, as the report counts them
				sum, n := 0.0, 0
				for _, e := range fresh {
					r := few.Classify(e.Text)
					for k, p := range r.Scores {
						if (p > 0.5) == (v.labels[k] == e.Labels[0]) {
							sum++
						}
						n++
					}
				}
				if accuracy := sum / float64(n); math.Abs(accuracy-got.Accuracy) > 0.05 {
					t.Errorf("the report says %.3f, and %.3f of labels are right", got.Accuracy, accuracy)
				}
				return
			}
			right = func(e Example, r Result) bool { return slices.Index(few.Classes(), e.Labels[0]) == most(r.Scores) }
			loss := 0.0
			for _, e := range fresh {
				loss -= math.Log(float64(few.Classify(e.Text).Scores[slices.Index(few.Classes(), e.Labels[0])])) / float64(len(fresh))
			}
			// Probabilities depend on how much larger values of a text's n-grams are when they are fewer.
			if loss > 1.05*got.Loss || loss < 0.8*got.Loss {
				t.Errorf("the report says that the log loss is %.4f, and it is %.4f", got.Loss, loss)
			}
			if accuracy := share(fresh, right, few); math.Abs(accuracy-got.Accuracy) > 0.05 {
				t.Errorf("the report says %.3f, and %.3f of texts are right", got.Accuracy, accuracy)
			}
		})
	}
}

// most is the place of the largest score.
func most(scores []float32) int { return slices.Index(scores, slices.Max(scores)) }
