package budget

import (
	"errors"
	"math"
	"runtime/debug"
	"strings"
	"testing"
)

func TestLimitCheck(t *testing.T) {
	const limit = Limit(1 << 30)
	for _, c := range []struct {
		elementSize int
		dims        []int
		want        string // of the error, "" for none
	}{
		{4, []int{1 << 28}, ""},
		{4, []int{1<<28 + 1}, "x: array of shape [268435457]: too large for the memory: it takes 1073741828 bytes and the limit is 1073741824 bytes"},
		{4, []int{1 << 14, 1 << 14}, ""},
		{16, []int{1 << 14, 1 << 14}, "x: array of shape [16384 16384]: too large for the memory: it takes 4294967296 bytes and the limit is 1073741824 bytes"},
		{4, nil, ""},
		{4, []int{0}, ""},
		{4, []int{math.MaxInt, 0}, ""},
		{4, []int{0, math.MaxInt, math.MaxInt}, ""},
		{4, []int{math.MaxInt32, math.MaxInt32, math.MaxInt32, math.MaxInt32, 0}, ""},
		{4, []int{math.MaxInt32, math.MaxInt32, math.MaxInt32}, "more than 18446744073709551615 bytes"},
		{4, []int{math.MaxInt32, math.MaxInt32, math.MaxInt32, 1}, "more than 18446744073709551615 bytes"},
	} {
		err := limit.Check("x: array", c.elementSize, c.dims...)
		if (err == nil) != (c.want == "") || err != nil && (!strings.Contains(err.Error(), c.want) || !errors.Is(err, ErrTooLarge)) {
			t.Errorf("%d times %v: error %v, want %s", c.elementSize, c.dims, err, c.want)
		}
	}
	// Small sizes pass whatever the limit is.
	for _, l := range []Limit{-1, 0, 1} {
		if err := l.Check("x", 1, Small); err != nil {
			t.Error(err)
		}
		if err := l.Check("x", 1, Small+1); !errors.Is(err, ErrTooLarge) {
			t.Errorf("limit %d: error %v", l, err)
		}
	}
}

// A memory limit of the process counts; without one the machine's memory does.
func TestProcess(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(100 << 20))
	if got := Process(); got != 100<<20 {
		t.Errorf("the limit is %d", got)
	}
	if err := Check("x", 1, 100<<20); err != nil {
		t.Error(err)
	}
	if err := Check("x", 1, 100<<20+1); !errors.Is(err, ErrTooLarge) {
		t.Errorf("error %v", err)
	}
	debug.SetMemoryLimit(math.MaxInt64)
	if got := Process(); got < 256<<20 || int64(got) > math.MaxInt || got == math.MaxInt64 {
		t.Errorf("without a memory limit the limit is %d", got)
	}
}

func TestSmallChecksDoNotAllocate(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() {
		if err := Check("x", 4, 1000, 20); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Arrays that fit one by one do not fit together.
func TestCheckBytes(t *testing.T) {
	before := debug.SetMemoryLimit(1 << 30)
	defer debug.SetMemoryLimit(before)
	for n, ok := range map[uint64]bool{0: true, Small: true, 1 << 30: true, 1<<30 + 1: false, math.MaxUint64: false} {
		err := CheckBytes("test: arrays", n)
		if ok != (err == nil) || err != nil && !errors.Is(err, ErrTooLarge) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	const want = "test: arrays: too large for the memory: together 1073741825 bytes, and the limit is 1073741824 bytes"
	if err := CheckBytes("test: arrays", 1<<30+1); err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
