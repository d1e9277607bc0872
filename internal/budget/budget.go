package budget

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"runtime/debug"
	"slices"
)

// ErrTooLarge is wrapped by every error of this package. Package tensor exports it.
var ErrTooLarge = errors.New("too large for the memory")

const (
	// Small is the size in bytes up to which everything passes, whatever the limit: 64 MiB. Checks of ordinary sizes then
	// cost a multiplication.
	Small = 64 << 20
	// unknownMemory stands for the physical memory where the system does not tell it.
	unknownMemory = 64 << 30
)

// Limit is the largest size in bytes that one allocation may have.
type Limit int64

// Process is this process's limit: GOMEMLIMIT (or what debug.SetMemoryLimit has set) where there is one, else the
// machine's physical memory, or 64 GiB where the system does not tell it. It is never more than a slice can have:
// math.MaxInt, 2 GiB less a byte on 32-bit machines.
func Process() Limit {
	limit := debug.SetMemoryLimit(-1) // math.MaxInt64 where nobody set one
	if limit == math.MaxInt64 {
		limit = unknownMemory
		if n := physical(); n > 0 {
			limit = int64(min(n, math.MaxInt64))
		}
	}
	return Limit(min(limit, math.MaxInt))
}

// Check returns an error if an array of the given dimensions, elementSize bytes each, is larger than the process's limit.
// No dimension may be negative. What names the array, with the package: "tensor: float32 array".
func Check(what string, elementSize int, dims ...int) error {
	size, _ := sizeOf(elementSize, dims)
	if size <= Small {
		return nil
	}
	return Process().check(what, elementSize, dims)
}

// CheckBytes returns an error if arrays of so many bytes together are larger than the process's limit. What names them.
func CheckBytes(what string, n uint64) error {
	if n <= Small {
		return nil
	}
	if l := Process(); n > uint64(max(l, 0)) {
		return fmt.Errorf("%s: %w: together %d bytes, and the limit is %d bytes", what, ErrTooLarge, n, int64(l))
	}
	return nil
}

// Check is the function [Check] with a limit of the caller's.
func (l Limit) Check(what string, elementSize int, dims ...int) error {
	return l.check(what, elementSize, dims)
}

func (l Limit) check(what string, elementSize int, dims []int) error {
	size, exact := sizeOf(elementSize, dims)
	if size <= Small || exact && size <= uint64(max(l, 0)) {
		return nil
	}
	n := fmt.Sprintf("%d bytes", size)
	if !exact {
		n = fmt.Sprintf("more than %d bytes", uint64(math.MaxUint64))
	}
	return fmt.Errorf("%s of shape %v: %w: it takes %s and the limit is %d bytes", what, slices.Clone(dims), ErrTooLarge, n, int64(l))
}

// sizeOf returns the size in bytes. When 64 bits cannot hold it, it returns the largest number and false.
func sizeOf(elementSize int, dims []int) (size uint64, exact bool) {
	size = uint64(elementSize)
	exact = true
	for _, d := range dims {
		if d == 0 {
			return 0, true
		}
		hi, lo := bits.Mul64(size, uint64(d))
		size = lo
		if hi != 0 || !exact {
			size, exact = math.MaxUint64, false
		}
	}
	return size, exact
}
