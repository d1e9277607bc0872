package split_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/linnet-ml/linnet/datasets/split"
)

// each fails unless train and validation have each of n rows once.
func each(t interface{ Fatalf(string, ...any) }, n int, train, validation []int) {
	all := slices.Sorted(slices.Values(slices.Concat(train, validation)))
	for i := range n {
		if len(all) != n || all[i] != i {
			t.Fatalf("%d and %d rows are not the %d rows once each", len(train), len(validation), n)
		}
	}
}

func TestShuffled(t *testing.T) {
	for _, c := range []struct {
		n          int
		validation float64
		want       int
	}{{10, 0.2, 2}, {10, 0.25, 3}, {10, 0.24, 2}, {2, 0.5, 1}, {2, 0.26, 1}, {1000, 0.001, 1}, {3, 0.8, 2}, {1000, 0.9994, 999}} {
		o := split.Options{Validation: c.validation, Seed: 7}
		train, validation, err := split.Shuffled(c.n, o)
		if err != nil || len(validation) != c.want {
			t.Errorf("%+v: %d rows validate, error %v", c, len(validation), err)
		}
		each(t, c.n, train, validation)
		again, _, err := split.Shuffled(c.n, o)
		if err != nil || !slices.Equal(train, again) {
			t.Errorf("%+v: two splits with one seed differ", c)
		}
	}
	a, _, _ := split.Shuffled(100, split.Options{Validation: 0.5, Seed: 1})
	b, _, _ := split.Shuffled(100, split.Options{Validation: 0.5, Seed: 2})
	if slices.Equal(a, b) || slices.IsSorted(a) {
		t.Error("the seed decides nothing")
	}
	train, validation, _ := split.Shuffled(4, split.Options{Validation: 0.5})
	if before := train[0]; append(validation, -1) == nil || train[0] != before {
		t.Error("append to one list wrote into the other")
	}
}

// These lists never change: models that were trained on them could not be compared any more.
func TestSplitsStay(t *testing.T) {
	train, validation, err := split.Shuffled(8, split.Options{Validation: 0.25, Seed: 7})
	got := fmt.Sprint(train, validation, err)
	if want := "[2 0 3 7 5 1] [4 6] <nil>"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	train, validation, err = split.Stratified([]string{"a", "b", "a", "b", "a", "a", "a", "a"}, split.Options{Validation: 0.25, Seed: 7})
	got = fmt.Sprint(train, validation, err)
	if want := "[2 0 3 7 5 1] [4 6] <nil>"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Whatever the classes are, each has its share to within one row, and keeps a row to train on.
func TestStratifiedShares(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.IntRange(1, 30), 1, 6).Draw(t, "sizes")
		var labels []int32
		for c, n := range sizes {
			labels = append(labels, slices.Repeat([]int32{int32(c)}, n)...)
		}
		labels = rapid.Permutation(labels).Draw(t, "labels")
		o := split.Options{Validation: rapid.Float64Range(0.01, 0.99).Draw(t, "fraction"), Seed: rapid.Uint64().Draw(t, "seed")}
		train, validation, err := split.Stratified(labels, o)
		total := math.Floor(o.Validation*float64(len(labels)) + 0.5)
		if err != nil {
			if train != nil || validation != nil {
				t.Fatalf("rows beside an error")
			}
			largest := slices.Max(sizes)
			if largest > 1 && total >= 1 {
				t.Fatalf("%v of classes %v: %v", o.Validation, sizes, err)
			}
			return
		}
		each(t, len(labels), train, validation)
		if float64(len(validation)) > total {
			t.Fatalf("%d rows validate, not %v", len(validation), total)
		}
		got := make([]int, len(sizes))
		for _, i := range validation {
			got[labels[i]]++
		}
		full := true
		for c, n := range sizes {
			if math.Abs(float64(got[c])-o.Validation*float64(n)) >= 1 || got[c] > n-1 {
				t.Fatalf("%d of the %d rows of class %d validate, the fraction is %v", got[c], n, c, o.Validation)
			}
			full = full && o.Validation*float64(n) <= float64(n-1)
		}
		if full && float64(len(validation)) != total {
			t.Fatalf("%d rows validate, not %v", len(validation), total)
		}
	})
}

func TestErrors(t *testing.T) {
	for _, f := range []float64{0, 1, -0.1, 1.5, math.NaN(), math.Inf(1)} {
		want := fmt.Sprintf("split: Validation %v is not between 0 and 1", f)
		if _, _, err := split.Shuffled(10, split.Options{Validation: f}); err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
		if _, _, err := split.Stratified([]bool{true, false, true}, split.Options{Validation: f}); err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	half := split.Options{Validation: 0.5}
	for n, want := range map[int]string{-1: "-1 rows are not", 0: "there are no rows", 1: "leaves one of the two parts of 1 rows empty", math.MaxInt: "rows"} {
		if _, _, err := split.Shuffled(n, half); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%d rows: error %v", n, err)
		}
	}
	for _, c := range []struct {
		labels []float64
		want   string
	}{
		{nil, "there are no rows"}, {[]float64{1}, "leaves one"}, {[]float64{1, 2, 3}, "leaves one"}, // each class has a single row
		{[]float64{1, 1, math.NaN()}, "the label of row 2 is NaN"},
	} {
		if _, _, err := split.Stratified(c.labels, half); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: error %v, want %s", c.labels, err, c.want)
		}
	}
	// A class of a single row is trained on.
	for seed := range uint64(20) {
		_, validation, err := split.Stratified([]string{"x", "x", "one", "x", "x"}, split.Options{Validation: 0.4, Seed: seed})
		if err != nil || slices.Contains(validation, 2) || len(validation) != 2 {
			t.Errorf("seed %d: %v, %v", seed, validation, err)
		}
	}
	if _, err := split.Take([]string{"a"}, []int{0, 1}); err == nil || err.Error() != "split: number 1 of the rows is 1, but there are rows 0 to 0" {
		t.Errorf("error %v", err)
	}
}
