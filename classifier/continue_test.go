package classifier

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
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
	done, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := c.Continue(done, sentences([]string{"neg", "pos"}, 20), ContinueOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}
