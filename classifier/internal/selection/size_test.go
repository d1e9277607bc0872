package selection

import (
	"context"
	"errors"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/linnet-ml/linnet/classifier/internal/features"
	"github.com/linnet-ml/linnet/internal/budget"
)

// Weights and held-out scores have a bound that does not grow with the classes, until there are more than 16,384 of them.
func TestSizes(t *testing.T) {
	for _, classes := range []int{2, 20, 112, 1000, 16_000, 1_000_000} {
		task := &Task{Classes: classes, Class: []int32{0}}
		k := int64(task.Columns())
		columns, held := int64(task.mostColumns()), int64(task.mostHeld())
		if classes <= 112 && columns != min(1<<21, max(1<<25/k, 300_000)) || classes <= 300 && held != 100_000 {
			t.Errorf("%d classes: %d n-grams, %d rows held out", classes, columns, held)
		}
		if classes <= 16_000 && (k*columns > 1<<28 || k*held > 1<<25) || columns < 1<<14 || held < 1000 {
			t.Errorf("%d classes: %d n-grams, %d rows held out", classes, columns, held)
		}
	}
}

// Classes of which no model fits into memory are an error, before anything is learned.
func TestTooManyClasses(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(512 << 20))
	labelled := func(classes, rows int) *Task {
		task := &Task{Classes: classes}
		texts := features.Memory{}
		for i := range rows {
			task.Class = append(task.Class, int32(i%classes))
			texts = append(texts, "some words of a text")
		}
		task.Texts = texts
		return task
	}
	err := labelled(50_000, 100_000).Check()
	if !errors.Is(err, budget.ErrTooLarge) || !strings.Contains(err.Error(), "50000 classes") {
		t.Errorf("50,000 classes: %v", err)
	}
	for _, task := range []*Task{labelled(2, 100_000), labelled(100, 100_000), labelled(5000, 10)} {
		if err := task.Check(); err != nil {
			t.Error(err)
		}
	}
}

// No more rows are held out than asked for, even if all folds are held out in turn, and those left are spread over the folds.
func TestLimit(t *testing.T) {
	for _, enough := range []int{30, 1000} {
		task := sorted()
		s := task.Draw(140, enough, 1)
		folds := s.Folds
		s.limit(task, 25)
		held := make([]int, folds)
		classes := map[int32]int{}
		for j, p := range s.Fold {
			if int(p) < folds {
				held[p]++
				classes[task.Class[s.Rows[j]]]++
			}
		}
		n := 0
		for _, h := range held {
			n += h
		}
		if s.Folds != folds || n < 25 || n > 25+3*folds || len(classes) != 3 || slices.Min(held) < 25/folds-1 { // each class is rounded up
			t.Errorf("%d rows are held out, in the folds %v, of classes %v", n, held, classes)
		}
	}
	task := &Task{Classes: 1000}
	for i := range 5000 {
		task.Class = append(task.Class, int32(i%1000))
	}
	s := task.Draw(5000, 1000, 1)
	s.limit(task, 100)
	n := 0
	for _, p := range s.Fold {
		if int(p) < s.Folds {
			n++
		}
	}
	if n < 100 || n > 200 {
		t.Errorf("of 1,000 classes %d rows are held out, want 100 to 200", n)
	}
}

// Of what was tried losses stay, not scores and dual variables.
func TestForget(t *testing.T) {
	r, err := Search(context.Background(), sorted(), 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range r.Sample {
		if o.Scores != nil || o.linear != nil || o.bayes != nil || o.duals != nil || len(o.Losses) != len(o.Rows) || len(o.Rows) == 0 {
			t.Errorf("%v: %d scores, %d losses of %d rows", o.Recipe, len(o.Scores), len(o.Losses), len(o.Rows))
		}
	}
	if len(r.Best.Scores) != len(r.Best.Rows)*3 || r.Best.duals == nil {
		t.Error("the best recipe has lost its scores or dual variables")
	}
}

// Rows are counted as one by one.
func TestPositive(t *testing.T) {
	for name, task := range map[string]*Task{
		"two":     {Classes: 2, Class: []int32{0, 1, 1, 0, 1}},
		"three":   sorted(),
		"several": {Classes: 3, Sets: [][]int32{{0, 2}, nil, {2}, {0, 1, 2}}},
	} {
		positive := task.Positive()
		if len(positive) != task.Columns() {
			t.Fatalf("%s: %d numbers", name, len(positive))
		}
		for k, got := range positive {
			want := 0
			for i := range task.Rows() {
				if task.Is(int32(i), k) {
					want++
				}
			}
			if got != want {
				t.Errorf("%s: score %d should be positive for %d rows, counted %d", name, k, want, got)
			}
		}
	}
}

// A calibration of many scores ends with its context, and gives the same bits on any number of processors.
func TestCalibrate(t *testing.T) {
	const rows, classes = 3_000, 100
	one, several := &Task{Classes: classes}, &Task{Classes: classes}
	o := &Outcome{Scores: make([]float32, rows*classes)}
	for i := range int32(rows) {
		o.Rows = append(o.Rows, i)
		one.Class, several.Sets = append(one.Class, i*7%classes), append(several.Sets, []int32{i % classes})
	}
	for j := range o.Scores {
		o.Scores[j] = float32(j*7919%1000)/500 - 1
	}
	for _, task := range []*Task{one, several} {
		begin := time.Now()
		c := Outcome{Rows: o.Rows, Scores: o.Scores}
		if err := c.calibrate(t.Context(), task, nil); err != nil {
			t.Fatal(err)
		}
		whole := time.Since(begin)
		ctx, cancel := context.WithTimeout(t.Context(), whole/16)
		begin = time.Now()
		c = Outcome{Rows: o.Rows, Scores: o.Scores}
		err := c.calibrate(ctx, task, nil)
		cancel()
		if took := time.Since(begin); err != context.DeadlineExceeded && took > whole/2 {
			t.Errorf("%v after %v of %v, with a context of a sixteenth of it", err, took, whole)
		}
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, task := range []*Task{one, several} {
		var first *Outcome
		for n := 1; n <= 3; n++ {
			runtime.GOMAXPROCS(n)
			c := &Outcome{Rows: o.Rows[:60], Scores: o.Scores[:60*classes]}
			if err := c.calibrate(t.Context(), task, nil); err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = c
			}
			if !slices.Equal(c.Losses, first.Losses) || c.Loss != first.Loss || c.Accuracy != first.Accuracy || !reflect.DeepEqual(c.Calibration, first.Calibration) {
				t.Errorf("%d processors give another calibration", n)
			}
		}
	}
}
