package selection

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/linnet-ml/linnet/classifier/internal/features"
	"github.com/linnet-ml/linnet/classifier/internal/linear"
)

// A held-out text is scored as a classifier scores it that has not seen it: unknown n-grams have no weight, and the known ones of words
// and those of characters have length 1.
func TestKnown(t *testing.T) {
	texts := features.Memory{"a b", "a c", "a b d"}
	for _, f := range []features.Settings{{WordMin: 1, WordMax: 1}, {WordMin: 1, WordMax: 1, CharMin: 1, CharMax: 1}} {
		c, err := features.Build(context.Background(), texts, []int32{0, 1, 2}, f, features.Limits{Minimum: 1})
		if err != nil {
			t.Fatal(err)
		}
		w, err := Weigh(context.Background(), c, Recipe{Features: f, NaiveBayes: true}, nil)
		if err != nil {
			t.Fatal(err)
		}
		var k known
		if err := k.find(context.Background(), w, []int32{0, 1}, []int32{2}); err != nil {
			t.Fatal(err)
		}
		m := &linear.Model{Weights: make([]float32, len(c.Hash)), Bias: 0.5}
		for i := range m.Weights {
			m.Weights[i] = 1
		}
		k.keep(m.Weights)
		// Words a, b of a, b, d; characters space, a, b of space, a, b, d.
		want := 0.5 + math.Sqrt(2)
		if f.CharMax > 0 {
			want += math.Sqrt(3)
		}
		if got := w.score(m, 2, k.scale[0]); math.Abs(float64(got)-want) > 1e-6 {
			t.Errorf("%+v: score %g, want %g", f, got, want)
		}
	}
}

// N-grams of one text stay with TF-IDF, if there is room.
func TestMinimum(t *testing.T) {
	task := sorted()
	two := Recipe{Features: features.Settings{WordMin: 1, WordMax: 2}}
	bayes, chars := two, two
	bayes.NaiveBayes = true
	chars.Features.CharMin, chars.Features.CharMax = 2, 4
	alone := chars
	alone.Features.WordMin, alone.Features.WordMax = 0, 0
	one := Recipe{Features: features.Settings{WordMin: 1, WordMax: 1}, NaiveBayes: true}
	for _, v := range []struct {
		r          Recipe
		rows, want int
	}{{two, 1000, 1}, {bayes, 1000, 2}, {chars, 1000, 1}, {alone, 1000, 2}, {one, 1000, 1}, {alone, 100, 1}} {
		if got := task.minimum(v.rows, v.r); got != v.want {
			t.Errorf("%v, %d rows: %d, want %d", v.r, v.rows, got, v.want)
		}
	}
	task = &Task{Classes: 3, Class: []int32{0}, Texts: features.Memory{string(make([]byte, 1<<25))}}
	if got := task.minimum(1000, two); got != 2 {
		t.Errorf("of 32 MiB: %d, want 2", got)
	}
}

// N-grams of characters that decide are learned beyond the bound of work, up to a factor.
func TestAdmit(t *testing.T) {
	task := &Task{Classes: 3}
	var texts features.Memory
	for i := range 24_000 { // words are all different, and their ends say the class
		k := i % 3
		texts = append(texts, fmt.Sprintf("w%dx%s", i*7919, [...]string{"ab", "ba", "bb"}[k]))
		task.Class = append(task.Class, int32(k))
	}
	task.Texts = texts
	all := task.work(task.All())
	for _, v := range []struct {
		work int64
		want bool
	}{{all - 1, true}, {all / 20, false}} {
		r, err := Search(context.Background(), task, 1, v.work)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Best.Recipe.Features.CharMax > 0; got != v.want {
			t.Errorf("work %d of %d: %v", v.work, all, r.Best.Recipe)
		}
	}
}

// N-grams of characters that are better, but not by far, are not learned beyond the bound of work: not when training is stopped
// either, and what the next recipes begin with is still there.
func TestAdmitRefused(t *testing.T) {
	task := &Task{Classes: 3}
	var texts features.Memory
	for i := range 24_000 {
		k := i % 3
		text := [...]string{"alpha one", "beta two", "gamma three"}[k]
		if i/3%100 == 0 { // words that say nothing, with ends that say the class
			text = fmt.Sprintf("w%dx%s", i*7919, [...]string{"ab", "ba", "bb"}[k])
		}
		texts = append(texts, text)
		task.Class = append(task.Class, int32(k))
	}
	task.Texts = texts
	s := &search{task: task, sample: task.Draw(sampleRows, heldOut, 1), seed: 1}
	best, err := s.words(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.admit(t.Context(), best, task.work(task.All())-1)
	if err != nil {
		t.Fatal(err)
	}
	tried := false
	for _, o := range s.tried {
		if d, se := best.Against(o); o.Recipe.Features.CharMax > 0 && d > se {
			tried = true
			t.Logf("%v: better by %.1f standard errors", o.Recipe, d/se)
		}
	}
	if !tried {
		t.Fatal("no n-grams of characters were better")
	}
	if got != best || s.leader != best || best.duals == nil || best.linear == nil {
		t.Errorf("%v leads, %v is the best; duals %v", s.leader.Recipe, got.Recipe, best.duals != nil)
	}
}
