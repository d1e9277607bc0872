package golden

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// Tolerance is how far a value may be from the recorded one: by the sum of its parts. NaN is close to NaN alone, an
// infinity to itself alone. The zero value demands equal numbers (0 and -0 are equal).
type Tolerance struct {
	Abs       float64 // as it is
	Rel       float64 // times the recorded element's magnitude
	OfLargest float64 // times the largest finite magnitude of the recorded array
}

// Close reports an error that names the worst element unless each of got is within the tolerance of want.
// It returns whether they agree.
func Close(tb testing.TB, name string, got []float32, want Array, tolerance Tolerance) bool {
	tb.Helper()
	if want.Float32 == nil && want.Len() > 0 {
		tb.Errorf("%s: the recorded array does not hold float32", name)
		return false
	}
	return compare(tb, name, got, want.Float32, want.Shape, tolerance)
}

// CloseList is [Close] for plain lists of numbers, such as the losses of a history.
func CloseList[G, W float32 | float64](tb testing.TB, name string, got []G, want []W, tolerance Tolerance) bool {
	tb.Helper()
	return compare(tb, name, got, want, []int{len(want)}, tolerance)
}

// CloseNumber is [Close] for a single number.
func CloseNumber(tb testing.TB, name string, got, want float64, tolerance Tolerance) bool {
	tb.Helper()
	return compare(tb, name, []float64{got}, []float64{want}, nil, tolerance)
}

// Equal compares integers, such as a mask.
func Equal(tb testing.TB, name string, got []int32, want Array) bool {
	tb.Helper()
	if want.Int32 == nil && want.Len() > 0 {
		tb.Errorf("%s: the recorded array does not hold int32", name)
		return false
	}
	if len(got) != want.Len() {
		tb.Errorf("%s: %d elements, want %d (shape %v)", name, len(got), want.Len(), want.Shape)
		return false
	}
	for i, g := range got {
		if w := want.Int32[i]; g != w {
			tb.Errorf("%s%s: got %d, want %d", name, place(i, want.Shape), g, w)
			return false
		}
	}
	return true
}

func compare[G, W float32 | float64](tb testing.TB, name string, got []G, want []W, shape []int, tolerance Tolerance) bool {
	tb.Helper()
	if len(got) != len(want) {
		tb.Errorf("%s: %d elements, want %d (shape %v)", name, len(got), len(want), shape)
		return false
	}
	largest := 0.0
	for _, w := range want {
		if m := math.Abs(float64(w)); !math.IsInf(m, 0) && m > largest {
			largest = m
		}
	}
	worst, excess, count := -1, 0.0, 0
	for i := range want {
		g, w := float64(got[i]), float64(want[i])
		if g == w || math.IsNaN(g) && math.IsNaN(w) {
			continue
		}
		// Not off <= allowed rather than off > allowed: a NaN or an infinity in got makes off NaN or +Inf.
		off, allowed := math.Abs(g-w), tolerance.at(w, largest)
		if math.IsInf(w, 0) || !(off <= allowed) {
			count++
			if math.IsNaN(off) || math.IsInf(w, 0) {
				off = math.Inf(1)
			}
			if e := off - allowed; worst < 0 || e > excess {
				worst, excess = i, e
			}
		}
	}
	if worst < 0 {
		return true
	}
	g, w := float64(got[worst]), float64(want[worst])
	text := fmt.Sprintf("%s%s: got %.9g, want %.9g, off by %.3g, allowed %.3g",
		name, place(worst, shape), g, w, math.Abs(g-w), tolerance.at(w, largest))
	if len(want) > 1 {
		text += fmt.Sprintf(" (the worst of %d that differ, of %d)", count, len(want))
	}
	tb.Error(text)
	return false
}

func (t Tolerance) at(want, largest float64) float64 {
	allowed := t.Abs + t.OfLargest*largest
	if t.Rel != 0 {
		allowed += t.Rel * math.Abs(want)
	}
	return allowed
}

// place writes the flat index i as one index a dimension: "[1 2]"; nothing for a scalar.
func place(i int, shape []int) string {
	if len(shape) == 0 {
		return ""
	}
	var at []int
	for _, n := range slices.Backward(shape) {
		at = append(at, i%n)
		i /= n
	}
	slices.Reverse(at)
	return fmt.Sprint(at)
}
