package selection

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"runtime"
	"slices"
	"testing"

	"github.com/linnet-ml/linnet/classifier/internal/features"
)

// sorted is a task whose rows are sorted by class: 100 of class 0, 30 of class 1, 10 of class 2.
func sorted() *Task {
	t := &Task{Classes: 3}
	var texts features.Memory
	for k, n := range []int{100, 30, 10} {
		for i := range n {
			texts = append(texts, fmt.Sprintf("topic%d word%d other%d", k, i%7, i%5))
			t.Class = append(t.Class, int32(k))
		}
	}
	t.Texts = texts
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
	task := &Task{Classes: 2, Sets: make([][]int32, 100)}
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

// A costlier recipe, or one with weaker regularisation, must win by a standard error, a cheaper one by half of it.
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
		swapped.Recipe.C = 4
		if got := better(&swapped, cheap); got != v.costlier {
			t.Errorf("gain of %g standard errors, with a larger C: %v", v.gain, got)
		}
	}
}

// The largest weights of any score stay, and a text's remaining values keep their average length.
func TestPrune(t *testing.T) {
	l := &Linear{Weights: [][]float32{{0.1, -3, 0, 0.2}, {2, 0, 0, 0.3}}, Bias: make([]float32, 2)}
	if got, err := largest(t.Context(), l, 2); err != nil || !slices.Equal(got, []uint32{0, 1}) {
		t.Errorf("columns %v, want 0 and 1", got)
	}
	if got, err := largest(t.Context(), l, 9); err != nil || !slices.Equal(got, []uint32{0, 1, 3}) {
		t.Errorf("columns %v, want those with a weight", got)
	}
	c, err := features.Build(context.Background(), features.Memory{"a b c d"}, []int32{0}, features.Settings{WordMin: 1, WordMax: 1}, features.Limits{Minimum: 1})
	if err != nil {
		t.Fatal(err)
	}
	w, err := Weigh(context.Background(), c, Recipe{Features: features.Settings{WordMin: 1, WordMax: 1}, NaiveBayes: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := lengths(context.Background(), w, []uint32{2}, []int32{0}); err != nil || got != [2]float32{0.5, 1} {
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

// A recipe whose linear models another outcome has is not fitted again, and gets what a fit gives.
func TestSimilar(t *testing.T) {
	task := sorted()
	s := task.Draw(140, 1000, 1)
	plain := Recipe{Features: features.Settings{WordMin: 1, WordMax: 1}, C: 1}
	both := plain
	both.Complement = 0.5
	c, err := features.Build(context.Background(), task.Texts, s.Rows, plain.Features, features.Limits{Minimum: 1})
	if err != nil {
		t.Fatal(err)
	}
	x, err := Weigh(context.Background(), c, plain, nil)
	if err != nil {
		t.Fatal(err)
	}
	evaluate := func(r Recipe, similar *Outcome) *Outcome {
		o, err := task.evaluate(context.Background(), x, s, r, 1, similar, rough)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	first := evaluate(plain, nil)
	reused, fitted := evaluate(both, first), evaluate(both, nil)
	if !slices.Equal(reused.Scores, fitted.Scores) || &reused.linear[0] != &first.linear[0] {
		t.Error("other scores with the linear models of the recipe without complement naive Bayes")
	}
	if slices.Equal(first.Scores, fitted.Scores) {
		t.Error("complement naive Bayes has changed no score")
	}
	stronger := plain
	stronger.C = 0.25
	near, far := evaluate(stronger, first), evaluate(stronger, nil)
	for i, v := range near.Scores {
		if math.Abs(float64(v-far.Scores[i])) > 0.1 {
			t.Fatalf("score %d is %g after a similar recipe, %g after none", i, v, far.Scores[i])
		}
	}
}

// Bits do not depend on the number of processors, on which folds and scores are spread.
func TestProcessors(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	var first *Result
	for n := 1; n <= 3; n++ {
		runtime.GOMAXPROCS(n)
		r, err := Search(context.Background(), sorted(), 1, DefaultWork)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = r
		}
		if r.Best.Recipe != first.Best.Recipe || !slices.Equal(r.Best.Scores, first.Best.Scores) || len(r.Sample) != len(first.Sample) {
			t.Errorf("another result with %d processors", n)
		}
	}
}

// Marks and case are tried only where texts have them.
func TestStyle(t *testing.T) {
	for text, want := range map[string][2]bool{
		"only words 12 ünd": {false, false}, "a full stop.": {true, false}, "a Name": {false, true}, "É €": {true, true}, "": {false, false},
	} {
		task := &Task{Texts: features.Memory{"x", text}}
		if marks, upper, err := task.style(context.Background(), []int32{0, 1}); err != nil || marks != want[0] || upper != want[1] {
			t.Errorf("%q: marks %v, upper case %v, %v", text, marks, upper, err)
		}
	}
	r, err := Search(context.Background(), sorted(), 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range r.Sample {
		if o.Recipe.Features.Punctuation || o.Recipe.Features.KeepCase || o.Recipe.Features.WordMax > 2 {
			t.Errorf("tried %v", o.Recipe)
		}
	}
}

// Labels that depend on word order alone are learned with n-grams of three words.
func TestSearchOrder(t *testing.T) {
	task := &Task{Classes: 2}
	var texts features.Memory
	for i := range 300 {
		a, b, c := "red", "green", "blue"
		if i%2 == 0 {
			a, b = b, a
		}
		texts = append(texts, fmt.Sprintf("w%d %s %s %s w%d", i%11, a, b, c, i%7))
		task.Class = append(task.Class, int32(i%2))
	}
	task.Texts = texts
	r, err := Search(context.Background(), task, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	if r.Best.Accuracy != 1 || r.Best.Recipe.Features.WordMax < 2 {
		t.Errorf("%v: %g right", r.Best.Recipe, r.Best.Accuracy)
	}
	if !slices.ContainsFunc(r.Sample, func(o *Outcome) bool { return o.Recipe.Features.WordMax == 3 }) {
		t.Error("two words are better than one, and three are not tried")
	}
}

// Of more rows than the sample has, all are compared in the end, and the model is learned from all.
func TestFinal(t *testing.T) {
	task := &Task{Classes: 2}
	var texts features.Memory
	for i := range allRows + 100 {
		k := i % 2
		texts = append(texts, fmt.Sprintf("topic%d of%d w%d w%d", (k+i/7%5/4)%2, i%3, i%13, i%17))
		task.Class = append(task.Class, int32(k))
	}
	task.Texts = texts
	r, err := Search(context.Background(), task, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	if r.Rows != sampleRows || r.Corpus.Rows() != task.Rows() || r.Weighted.Matrix.Rows() != task.Rows() || len(r.Best.Rows) < heldOut {
		t.Errorf("sample of %d rows, corpus of %d, %d held out", r.Rows, r.Corpus.Rows(), len(r.Best.Rows))
	}
	l, used, err := r.Fit(context.Background(), task, 1, 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(used) == 0 || len(used) > 10 || len(l.Weights) != 1 || r.Best.Accuracy < 0.75 {
		t.Errorf("%d columns, %d scores, accuracy %g", len(used), len(l.Weights), r.Best.Accuracy)
	}
}

// A stop among the finals keeps the best recipe of the sample: the first finalist has won nothing.
func TestStopFinals(t *testing.T) {
	task := &Task{Classes: 2}
	var texts features.Memory
	for i := range allRows + 100 {
		texts = append(texts, fmt.Sprintf("topic%d of%d", (i%2+i/7%5/4)%2, uint32(i)*2654435761>>7%3))
		task.Class = append(task.Class, int32(i%2))
	}
	task.Texts = texts
	s := &search{task: task, sample: task.Draw(sampleRows, heldOut, 1), seed: 1}
	best, err := s.compare(t.Context(), 1)
	if err != nil || best.Recipe.Features.WordMax != 1 || !s.promising(best, 2) {
		t.Fatalf("%v, %v: n-grams of two words are not a finalist", best.Recipe, err)
	}
	stop := make(chan struct{})
	finalists := 0
	task.Stop = stop
	task.Meter = NewMeter(func(phase string, done, total int) {
		if phase == Finals && done == 0 {
			if finalists++; finalists == 2 {
				close(stop)
			}
		}
	})
	r, err := Search(t.Context(), task, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	if finalists != 2 || !r.Stopped || r.RunnerUp != nil || r.Best.Recipe != best.Recipe {
		t.Errorf("%d finalists, stopped: %v, %v, want %v", finalists, r.Stopped, r.Best.Recipe, best.Recipe)
	}
	// Any other error is not taken for the stop.
	stop = make(chan struct{})
	task.Stop, task.Texts, task.Meter = stop, broken{texts, stop}, nil
	if _, err := Search(t.Context(), task, 1, 1); !errors.Is(err, errDisk) {
		t.Errorf("a bad disk after the stop: %v", err)
	}
}

var errDisk = errors.New("a bad disk")

// broken is texts that cannot be read just when the search is stopped.
type broken struct {
	features.Memory
	stop chan struct{}
}

func (b broken) Read(context.Context, []int32) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		close(b.stop)
		yield("", errDisk)
	}
}
