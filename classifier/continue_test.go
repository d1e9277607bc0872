package classifier

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/linnet-ml/linnet/internal/budget"
)

func accuracy(c *Classifier, examples []Example) float64 {
	right := 0
	for _, e := range examples {
		if r := c.Classify(e.Text); reflect.DeepEqual(append([]string{}, r.Labels...), append([]string{}, e.Labels...)) {
			right++
		}
	}
	return float64(right) / float64(len(examples))
}

// renamed gives the words of topics other letters, so that they are new n-grams.
func renamed(examples []Example) []Example {
	var out []Example
	for _, e := range examples {
		words := strings.Fields(e.Text)
		for i, w := range words {
			if !strings.HasPrefix(w, "word") {
				words[i] = strings.NewReplacer("neg", "zu", "pos", "vi", "a", "zu", "b", "vi", "c", "mo").Replace(w)
			}
		}
		out = append(out, Example{strings.Join(words, " "), e.Labels})
	}
	return out
}

// New rows with new words are learned, and old ones not forgotten.
func TestContinue(t *testing.T) {
	ctx := context.Background()
	for name, examples := range map[string][]Example{
		"two": sentences([]string{"neg", "pos"}, 150), "three": sentences([]string{"a", "b", "c"}, 100), "several": several([]string{"a", "b"}, 100),
	} {
		t.Run(name, func(t *testing.T) {
			c := train(t, examples)
			before := written(t, c)
			more := renamed(examples)
			first := accuracy(c, more)
			again, err := c.Continue(ctx, more, ContinueOptions{Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			if string(before) != string(written(t, c)) {
				t.Fatal("the old classifier has changed")
			}
			if a := accuracy(again, more); a < 0.9 || a < first+0.2 {
				t.Errorf("%.3f of the new rows right, %.3f before", a, first)
			}
			if a, b := accuracy(again, examples), accuracy(c, examples); a < b-0.1 {
				t.Errorf("%.3f of the old rows right, %.3f before", a, b)
			}
			r := again.Report().Continued
			if len(r) != 1 || r[0].Rows != len(more) || r[0].After >= r[0].Before || r[0].Held != len(more)/5 || r[0].Added == 0 || again.Report().Features != len(again.parts.Hashes) {
				t.Errorf("report %+v", r)
			}
			same, err := c.Continue(ctx, more, ContinueOptions{Seed: 1})
			if err != nil || string(written(t, same)) != string(written(t, again)) {
				t.Errorf("the same rows give another classifier: %v", err)
			}
			small, err := c.Continue(ctx, more, ContinueOptions{Seed: 1, MaxFeatures: 500})
			if err != nil || len(small.parts.Hashes) > 500 {
				t.Errorf("%d n-grams, want 500; %v", len(small.parts.Hashes), err)
			}
			// What was reached is told of the classifier that had all its n-grams.
			n := len(c.parts.Hashes)
			if last := small.Report().Continued[0]; last.Dropped != n-(500-last.Added) || last.Dropped <= 0 || small.Report().Shrunk != n {
				t.Errorf("of %d n-grams 500 stay, and the report says %+v", n, small.Report())
			}
			if r[0].Dropped != 0 || again.Report().Shrunk != 0 {
				t.Errorf("all n-grams stay, and the report says %+v", again.Report())
			}
			loaded, err := FromBytes(ctx, written(t, again))
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range more {
				if a, b := again.Classify(e.Text), loaded.Classify(e.Text); !reflect.DeepEqual(a, b) {
					t.Fatalf("%+v and %+v", a, b)
				}
			}
		})
	}
}

// The n-grams of a model that grows are still found.
func TestContinueGrows(t *testing.T) {
	ctx := context.Background()
	examples := sentences([]string{"neg", "pos"}, 20)
	c := train(t, examples)
	var more []Example
	for i := range 200 {
		text := examples[i%len(examples)].Text
		for j := range 60 {
			text += fmt.Sprintf(" x%dy%d", i/2, j)
		}
		more = append(more, Example{text, examples[i%len(examples)].Labels})
	}
	again, err := c.Continue(ctx, more, ContinueOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(again.parts.Hashes) < 2*len(c.parts.Hashes) || again.parts.Spec.HashBits != c.parts.known() {
		t.Fatalf("%d n-grams from %d, %d bits from %d", len(again.parts.Hashes), len(c.parts.Hashes), again.parts.known(), c.parts.known())
	}
	s := newScanner(c.parts.Spec)
	for _, e := range examples {
		for _, h := range s.Scan(e.Text) {
			if _, ok := c.index.Find(h); ok {
				if _, ok := again.index.Find(h); !ok {
					t.Fatal("an n-gram of the old model is not found")
				}
			}
		}
	}
	small, err := again.Shrink(ctx, int64(len(written(t, again)))/2)
	if err != nil {
		t.Fatal(err)
	}
	if small, err = FromBytes(ctx, written(t, small)); err != nil {
		t.Fatal(err)
	}
	if a := accuracy(small, more); a < 0.8 {
		t.Errorf("%.3f right in half of the size", a)
	}
}

// A new class is learned with a sample of the old rows, from two classes and from three, and where texts have several.
func TestContinueNewClass(t *testing.T) {
	ctx := context.Background()
	for _, labels := range [][]string{{"b", "c"}, {"b", "c", "d"}} {
		c := train(t, sentences(labels, 100))
		all := sentences(append([]string{"a"}, labels...), 100)
		again, err := c.Continue(ctx, all, ContinueOptions{Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		if got := again.Classes(); len(got) != len(labels)+1 || got[0] != "a" {
			t.Errorf("classes %q", got)
		}
		if a := accuracy(again, all); a < 0.85 {
			t.Errorf("%q: %.3f right", labels, a)
		}
	}
	c := train(t, several([]string{"b", "c"}, 100))
	all := several([]string{"a", "b", "c"}, 100)
	again, err := c.Continue(ctx, all, ContinueOptions{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if a := accuracy(again, all); a < 0.8 || len(again.Classes()) != 3 {
		t.Errorf("several labels: %.3f right", a)
	}
}

func TestContinueErrors(t *testing.T) {
	ctx := context.Background()
	c := train(t, sentences([]string{"neg", "pos"}, 20))
	if _, err := c.Continue(ctx, nil, ContinueOptions{}); !errors.Is(err, ErrTooFewExamples) {
		t.Errorf("no rows: %v", err)
	}
	if _, err := c.Continue(ctx, []Example{{"x", []string{"new"}}}, ContinueOptions{}); !errors.Is(err, ErrTooFewExamples) {
		t.Errorf("one row of a new class: %v", err)
	}
	for _, labels := range [][]string{nil, {"neg", "pos"}} {
		_, err := c.Continue(ctx, []Example{{"x", labels}}, ContinueOptions{})
		if e, ok := errors.AsType[*ExampleError](err); !ok || e.Index != 0 {
			t.Errorf("labels %q: %v", labels, err)
		}
	}
	if _, err := c.Continue(ctx, sentences([]string{"neg", "pos"}, 20), ContinueOptions{MaxFeatures: -1}); !isOptionError(err) {
		t.Errorf("negative MaxFeatures: %v", err)
	}
	done, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := c.Continue(done, sentences([]string{"neg", "pos"}, 20), ContinueOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

// What was not learned is not reported as learned: without an epoch no n-gram is new, and those that are there have their lengths.
func TestContinueAdded(t *testing.T) {
	examples := sentences([]string{"neg", "pos"}, 60)
	c := train(t, examples)
	x, err := c.newContinuation(renamed(examples))
	if err != nil {
		t.Fatal(err)
	}
	x.limit = 300_000
	if err := errors.Join(x.read(t.Context()), x.take(t.Context())); err != nil {
		t.Fatal(err)
	}
	again, err := x.finish(t.Context(), clone(x.first), Continuation{})
	if err != nil {
		t.Fatal(err)
	}
	if r := again.Report(); len(x.hashes) == len(c.parts.Hashes) || r.Continued[0].Added != 0 || r.Features != c.Report().Features {
		t.Errorf("%+v, %d n-grams of %d", r.Continued, r.Features, c.Report().Features)
	}
	if !reflect.DeepEqual(again.parts.Spec, c.parts.Spec) {
		t.Errorf("%+v, was %+v", again.parts.Spec, c.parts.Spec)
	}
	more, err := c.Continue(t.Context(), renamed(examples), ContinueOptions{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	added := 0
	for _, h := range more.parts.Hashes {
		if _, ok := c.index.Find(h); !ok {
			added++
		}
	}
	if r := more.Report().Continued[0]; added == 0 || r.Added != added || len(more.parts.Spec.Lengths) != lengthSteps {
		t.Errorf("%d n-grams are new, the report says %+v", added, r)
	}
}

// N-grams are as many as was asked for while learning too, the most frequent of the new ones; a text's score stays about as large
// as with all of them.
func TestContinueLimit(t *testing.T) {
	c := train(t, sentences([]string{"neg", "pos"}, 60))
	more := renamed(sentences([]string{"neg", "pos"}, 150))
	x, err := c.newContinuation(more)
	if err != nil {
		t.Fatal(err)
	}
	x.limit = 40
	if err := x.read(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(x.hashes) - len(c.parts.Hashes); n != 40 {
		t.Errorf("learning has %d n-grams that are new, want 40", n)
	}
	all, err := c.Continue(t.Context(), more, ContinueOptions{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	few, err := c.Continue(t.Context(), more, ContinueOptions{Seed: 1, MaxFeatures: 200})
	if err != nil {
		t.Fatal(err)
	}
	mean := func(c *Classifier) float64 {
		sum := 0.0
		for _, e := range more {
			x, err := c.Explain(e.Text, "")
			if err != nil {
				t.Fatal(err)
			}
			sum += float64(x.Logit)
		}
		return sum / float64(len(more))
	}
	if a, b := mean(all), mean(few); b > 1.25*a || b < 0.6*a {
		t.Errorf("the mean score of a text's label is %.3f with %d n-grams and %.3f with %d", a, len(all.parts.Hashes), b, len(few.parts.Hashes))
	}
}

// length is what is left of the lengths of words and of characters in a row.
func TestContinueLength(t *testing.T) {
	x := &continuation{hashes: make([]uint64, 4), chars: []bool{false, false, true, true}}
	x.x.Start, x.x.ID, x.x.Value = []int{0, 3, 4}, []uint32{0, 1, 2, 3}, []float32{0.6, 0.8, 1, 1}
	for _, v := range []struct {
		from, to []uint32
		want     float32
	}{
		{[]uint32{0, 1, 2, 3}, []uint32{0, 1, 2, 3}, 1}, {[]uint32{0, 1, 2, 3}, []uint32{0, 2, 3}, 2.6 / 3}, {[]uint32{0, 1, 2, 3}, []uint32{1}, 0.8},
		{[]uint32{0, 2}, []uint32{0}, 1}, {[]uint32{0, 1}, nil, 1},
	} {
		if got, err := x.length(t.Context(), v.from, v.to); err != nil || got < v.want-1e-6 || got > v.want+1e-6 {
			t.Errorf("%v of %v: %g, %v, want %g", v.to, v.from, got, err, v.want)
		}
	}
}

// Progress is told, and a context that is done or a stop ends the work where it is.
func TestContinueStop(t *testing.T) {
	c := train(t, sentences([]string{"neg", "pos"}, 60))
	more := renamed(sentences([]string{"neg", "pos"}, 200))
	seen := map[Phase]int{}
	whole, err := c.Continue(t.Context(), more, ContinueOptions{Seed: 1, Progress: func(p Progress) {
		if seen[p.Phase]++; p.Done < 0 || p.Done > p.Total {
			t.Errorf("%+v", p)
		}
	}})
	if err != nil || seen[PhaseCounting] == 0 || seen[PhaseRates] == 0 || seen[PhaseLearning] == 0 {
		t.Fatalf("progress %v, %v", seen, err)
	}
	for phase := range seen {
		ctx, cancel := context.WithCancel(t.Context())
		after := 0
		_, err := c.Continue(ctx, more, ContinueOptions{Seed: 1, Progress: func(p Progress) {
			if p.Phase == phase {
				cancel()
			}
			if ctx.Err() != nil {
				after++
			}
		}})
		if !errors.Is(err, context.Canceled) || after > 100 {
			t.Errorf("interrupted while %s: %v, %d calls later", phase, err, after)
		}
	}
	stop := make(chan struct{})
	close(stop)
	if _, err := c.Continue(t.Context(), more, ContinueOptions{Stop: stop}); !errors.Is(err, ErrStopped) {
		t.Errorf("stopped before it began: %v", err)
	}
	stop = make(chan struct{})
	first := len(more) / 5 * 4 // rows of an epoch
	stopped, err := c.Continue(t.Context(), more, ContinueOptions{Seed: 1, Stop: stop, Progress: func(p Progress) {
		if p.Phase == PhaseRates && p.Done == 2*first {
			select {
			case <-stop:
			default:
				close(stop)
			}
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	r := stopped.Report().Continued[0]
	if !r.Stopped || r.Rate != 0.1 || r.Epochs < 1 || r.Epochs > 2 || r.After >= r.Before || whole.Report().Continued[0].Stopped {
		t.Errorf("%+v", r)
	}
}

// Weights that do not fit into the memory are an error before they are made: one column with a label for each user.
func TestContinueMemory(t *testing.T) {
	c := train(t, sentences([]string{"neg", "pos"}, 20))
	var more []Example
	for i := range 2000 {
		text := ""
		for j := range 20 {
			text += fmt.Sprintf("u%dw%d ", i, j)
		}
		e := Example{text, []string{fmt.Sprintf("user%d", i)}}
		more = append(more, e, e)
	}
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(120 << 20))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := c.Continue(ctx, more, ContinueOptions{}); !errors.Is(err, budget.ErrTooLarge) || !strings.Contains(fmt.Sprint(err), "2002 classes") {
		t.Errorf("2,000 new classes in 120 MiB: %v", err)
	}
}

// The report has the thresholds of the Classifier: of new labels too, and none where there are none any more.
func TestContinueLabels(t *testing.T) {
	c := train(t, several([]string{"b", "c"}, 100))
	again, err := c.Continue(t.Context(), several([]string{"a", "b", "c"}, 100), ContinueOptions{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	for k, l := range again.Report().Labels {
		if l.Label != again.Classes()[k] || l.Threshold != again.parts.Threshold[k] {
			t.Errorf("%+v, want %q from %g on", l, again.Classes()[k], again.parts.Threshold[k])
		}
	}
	if n := len(again.Report().Labels); n != 3 || len(c.Report().Labels) != 2 {
		t.Errorf("%d and %d labels", n, len(c.Report().Labels))
	}
	two := train(t, sentences([]string{"b", "c"}, 100))
	three, err := two.Continue(t.Context(), sentences([]string{"a", "b", "c"}, 100), ContinueOptions{Seed: 1})
	if err != nil || len(three.Report().Labels) != 0 || len(two.Report().Labels) != 1 {
		t.Errorf("three classes: %+v, %v", three.Report().Labels, err)
	}
}

// How many rows a file says were learned before is not trusted.
func TestContinueFromFile(t *testing.T) {
	c := train(t, sentences([]string{"a", "b", "c"}, 40))
	for _, rows := range []int{math.MaxInt32, 0} {
		c.report.Rows = rows
		c.report.Continued = []Continuation{{Rows: rows}, {Rows: rows}}
		again, err := c.Continue(t.Context(), sentences([]string{"a", "b", "c"}, 40), ContinueOptions{})
		if err != nil {
			t.Errorf("%d rows: %v", rows, err)
			continue
		}
		if _, err := FromBytes(t.Context(), written(t, again)); err != nil {
			t.Errorf("%d rows: %v", rows, err)
		}
	}
	for _, report := range []Report{{Rows: -1}, {Continued: []Continuation{{Rows: -7}}}} {
		c.report = &report
		if _, err := FromBytes(t.Context(), written(t, c)); !errors.Is(err, ErrFile) {
			t.Errorf("%+v: %v", report, err)
		}
	}
}
