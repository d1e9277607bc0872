// Package ratio bounds what packed files may unpack to. A few kilobytes of gzip or zstd can claim, and give, gigabytes; files
// that somebody wrote for use pack ten times, and seldom fifty. There is one limit for all readers: [Default] times the
// packed bytes, and [Slack] beside, which each reader has an option to raise.
package ratio

import (
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
)

const (
	// Default is how many times its size a packed input may unpack to.
	Default = 100
	// Slack is how many bytes it may unpack to whatever its size: few bytes that repeat are no danger.
	Slack = 16 << 20
)

// ErrExceeded is wrapped by the error for an input that unpacks to too much.
var ErrExceeded = errors.New("packed more tightly than is allowed")

// Limit is how much packed input may unpack to. The zero value is the default.
type Limit struct {
	// Ratio is how many times its size. 0 means Default.
	Ratio int
	// Option names the option that Ratio comes from, for errors: "VectorOptions.MaxRatio".
	Option string
}

// Check returns an error if the ratio is negative.
func (l Limit) Check() error {
	if l.Ratio < 0 {
		return fmt.Errorf("%s is %d; it must not be negative", l.option(), l.Ratio)
	}
	return nil
}

func (l Limit) option() string {
	if l.Option == "" {
		return "the ratio"
	}
	return l.Option
}

func (l Limit) ratio() int {
	if l.Ratio == 0 {
		return Default
	}
	return l.Ratio
}

// Bytes is how many bytes so many packed ones may unpack to.
func (l Limit) Bytes(packed int64) int64 {
	hi, lo := bits.Mul64(uint64(max(packed, 0)), uint64(max(l.ratio(), 0)))
	if hi != 0 || lo > math.MaxInt64-Slack {
		return math.MaxInt64
	}
	return int64(lo) + Slack
}

// Exceeded is the error for packed bytes that unpack to more than the limit.
func (l Limit) Exceeded(packed int64) error {
	return fmt.Errorf("%w: %d packed bytes give more than %d, the limit of %d times as many and %d MiB; if the file is meant to be so, raise %s",
		ErrExceeded, packed, l.Bytes(packed), l.ratio(), Slack>>20, l.option())
}

// Reader returns a reader of what r unpacks, which ends with an error when that is more than the limit. Packed says how many
// packed bytes r has read so far.
func (l Limit) Reader(r io.Reader, packed func() int64) io.Reader {
	return &limited{r: r, packed: packed, limit: l}
}

type limited struct {
	r      io.Reader
	packed func() int64
	limit  Limit
	n      int64
	err    error
}

func (l *limited) Read(p []byte) (int, error) {
	if l.err != nil {
		return 0, l.err
	}
	n, err := l.r.Read(p)
	l.n += int64(n)
	if packed := l.packed(); l.n > l.limit.Bytes(packed) {
		l.err = l.limit.Exceeded(packed)
		return 0, l.err
	}
	return n, err
}

// Counter reads a packed file and counts.
type Counter struct {
	R io.Reader
	n int64
}

func (c *Counter) Read(p []byte) (int, error) {
	n, err := c.R.Read(p)
	c.n += int64(n)
	return n, err
}

// ReadAt is for archives that are not read from their beginning: R must be an io.ReaderAt too. It is for one goroutine.
func (c *Counter) ReadAt(p []byte, off int64) (int, error) {
	r, ok := c.R.(io.ReaderAt)
	if !ok {
		return 0, errors.ErrUnsupported
	}
	n, err := r.ReadAt(p, off)
	c.n += int64(n)
	return n, err
}

// Count is how many bytes have been read.
func (c *Counter) Count() int64 { return c.n }
