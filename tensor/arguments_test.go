package tensor_test

import (
	"errors"
	"math"
	"runtime/debug"
	"testing"

	"github.com/linnet-ml/linnet/tensor"
)

// Sizes that fit an int and no memory are errors, with what they take and what there is. Nothing is allocated for them.
func TestTooLarge(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(1 << 28))
	for _, shape := range [][]int{
		{1<<28 + 1}, {1 << 14, 1<<14 + 1}, {math.MaxInt32}, {math.MaxInt / 16}, {math.MaxInt / 4}, {math.MaxInt}, {math.MaxInt, math.MaxInt},
		{1 << 20, 1 << 16}, {1 << 20, 1 << 20}, {1 << 20, 1 << 20, 1 << 20, 1 << 20}, {1, math.MaxInt / 4},
	} {
		errs := map[string]error{}
		_, errs["float32"] = tensor.New[float32](shape...)
		_, errs["int32"] = tensor.New[int32](shape...)
		_, errs["string"] = tensor.New[string](shape...)
		for name, err := range errs {
			if !errors.Is(err, tensor.ErrTooLarge) {
				t.Errorf("%s %v: error %v", name, shape, err)
			}
		}
	}
	_, err := tensor.New[int32](1<<15, 1<<14)
	if want := "tensor: array of int32 of shape [32768 16384]: too large for the memory: it takes 2147483648 bytes and the limit is 268435456 bytes"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if n := testing.AllocsPerRun(5, func() { _, err = tensor.New[float32](1 << 30) }); n > 20 {
		t.Errorf("%v allocations", n)
	}
	if math.MaxInt > math.MaxInt32 {
		if _, err := tensor.NewSparse(math.MaxInt, []int{0}, nil, nil); !errors.Is(err, tensor.ErrTooLarge) {
			t.Errorf("error %v", err)
		}
	}
	// A row that is taken again and again.
	row, err := tensor.New[float32](1, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := row.Take(make([]int, 300)); !errors.Is(err, tensor.ErrTooLarge) {
		t.Errorf("error %v", err)
	}
}

// Nil arguments make an empty array, or an error.
func TestNilArguments(t *testing.T) {
	if a, err := tensor.Of[float32](nil); err != nil || a.Shape().String() != "(0,)" {
		t.Error(a, err)
	}
	if a, err := tensor.Of[string](nil, nil...); err != nil || a.Len() != 0 {
		t.Error(a, err)
	}
	if a, err := tensor.StringRows(nil); err != nil || a.Shape().String() != "(0, 0)" {
		t.Error(a, err)
	}
	if a, err := tensor.Convert[float32]([]bool(nil)); err != nil || a.Len() != 0 {
		t.Error(a, err)
	}
	if a, err := tensor.ConvertRows[float32]([][]bool(nil)); err != nil || a.Len() != 0 {
		t.Error(a, err)
	}
	for name, f := range map[string]func() error{
		"NewSparse":       func() error { _, err := tensor.NewSparse(0, nil, nil, nil); return err },
		"nil Array.Take":  func() error { _, err := (*tensor.Float32)(nil).Take(nil); return err },
		"zero Array.Take": func() error { _, err := new(tensor.Float32).Take([]int{0}); return err },
		"nil Sparse.Take": func() error { _, err := (*tensor.Sparse)(nil).Take(nil); return err },
		"zero Sparse":     func() error { _, err := new(tensor.Sparse).Take([]int{0}); return err },
	} {
		if f() == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if n := new(tensor.Sparse).Len(); n != 0 {
		t.Errorf("a zero Sparse has %d rows", n)
	}
}
