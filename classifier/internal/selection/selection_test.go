package selection

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/linnet-ml/linnet/classifier/internal/features"
)

// sorted is a task whose rows are sorted by class: 100 of class 0, 30 of class 1, 10 of class 2.
func sorted() *Task {
	t := &Task{Classes: 3}
	for k, n := range []int{100, 30, 10} {
		for i := range n {
			t.Texts = append(t.Texts, fmt.Sprintf("topic%d word%d other%d", k, i%7, i%5))
			t.Class = append(t.Class, int32(k))
		}
	}
	return t
}

// Each class is in each fold with a fifth of its rows, and a fold's rows of a class are neighbours.
func TestDraw(t *testing.T) {
	task := sorted()
	for _, n := range []int{70, 140} {
		s := task.Draw(n, 1000, 1)
		if len(s.Rows) != n || s.Folds != parts || !slices.IsSorted(s.Rows) {
			t.Fatalf("%d rows, %d folds", len(s.Rows), s.Folds)
		}
		var counts [3][parts]int
		changes := 0
		for j, row := range s.Rows {
			k := task.Class[row]
			counts[k][s.Fold[j]]++
			if j > 0 && s.Fold[j] != s.Fold[j-1] {
				changes++
			}
		}
		for k, c := range counts {
			if slices.Min(c[:]) == 0 || slices.Max(c[:])-slices.Min(c[:]) > 1 {
				t.Errorf("class %d has %v rows in the folds", k, c)
			}
		}
		if changes > 3*parts {
			t.Errorf("folds change %d times", changes)
		}
	}
	if s := task.Draw(140, 50, 1); s.Folds != 2 {
		t.Errorf("%d folds for 50 rows of 140, want 2", s.Folds)
	}
}

// With several labels a text, rare labels are spread over the folds.
func TestDrawSets(t *testing.T) {
	task := &Task{Classes: 2, Texts: make([]string, 100), Sets: make([][]int32, 100)}
	for i := range 10 {
		task.Sets[i] = []int32{0, 1}
	}
	for i := range 30 {
		task.Sets[10+i] = []int32{0}
	}
	s := task.Draw(100, 100, 1)
	var counts [parts]int
	for j, row := range s.Rows {
		if task.Is(row, 1) {
			counts[s.Fold[j]]++
		}
	}
	if counts != [parts]int{2, 2, 2, 2, 2} {
		t.Errorf("the rare label has %v rows in the folds", counts)
	}
}

// A costlier recipe must win by a standard error, a cheaper one by half of it.
func TestBetter(t *testing.T) {
	cheap := &Outcome{Losses: []float64{1, 1, 1, 1}, Loss: 1, Recipe: Recipe{Features: features.Settings{WordMin: 1, WordMax: 1}}}
	costly := &Outcome{Recipe: Recipe{Features: features.Settings{WordMin: 1, WordMax: 3}}}
	for _, v := range []struct {
		gain                float64
		costlier, cheaperOK bool
	}{{0.3, false, false}, {0.7, false, true}, {1.2, true, true}} {
		// Differences of gain ± sqrt(3) have a standard error of 1.
		d := math.Sqrt(3)
		costly.Losses, costly.Loss = []float64{1 - v.gain - d, 1 - v.gain + d, 1 - v.gain - d, 1 - v.gain + d}, 1-v.gain
		if got := better(costly, cheap); got != v.costlier {
			t.Errorf("gain of %g standard errors, costlier: %v", v.gain, got)
		}
		swapped := *costly
		swapped.Recipe = cheap.Recipe
		if got := better(&swapped, cheap); got != v.cheaperOK {
			t.Errorf("gain of %g standard errors, as costly: %v", v.gain, got)
		}
	}
}

// The largest weights of any score stay, and a text's remaining values keep their average length.
func TestPrune(t *testing.T) {
	l := &Linear{Weights: [][]float32{{0.1, -3, 0, 0.2}, {2, 0, 0, 0.3}}, Bias: make([]float32, 2)}
	if got := largest(l, 2); !slices.Equal(got, []uint32{0, 1}) {
		t.Errorf("columns %v, want 0 and 1", got)
	}
	if got := largest(l, 9); !slices.Equal(got, []uint32{0, 1, 3}) {
		t.Errorf("columns %v, want those with a weight", got)
	}
	c, err := features.Build(context.Background(), []string{"a b c d"}, []int32{0}, features.Settings{WordMin: 1, WordMax: 1}, 1)
	if err != nil {
		t.Fatal(err)
	}
	w := Weigh(c, Recipe{Features: features.Settings{WordMin: 1, WordMax: 1}, NaiveBayes: true})
	if got := lengths(w, c, []uint32{2}); got != [2]float32{0.5, 1} {
		t.Errorf("lengths %v, want 0.5 for words and 1 for characters", got)
	}
}

// The search finds the topics, and with a work budget of next to nothing it does not try characters.
func TestSearch(t *testing.T) {
	r, err := Search(context.Background(), sorted(), 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	if r.Best.Accuracy < 0.95 || r.RunnerUp == nil || len(r.Best.Rows) != 140 {
		t.Errorf("best %v: %g of %d rows", r.Best.Recipe, r.Best.Accuracy, len(r.Best.Rows))
	}
	for _, o := range r.Sample {
		if o.Recipe.Features.CharMax > 0 {
			t.Errorf("tried %v", o.Recipe)
		}
	}
}
