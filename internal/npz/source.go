package npz

import (
	"errors"
	"fmt"
	"io"
)

// source is a window over a stream that knows its place in it.
type source struct {
	r      io.Reader
	buf    []byte
	lo, hi int   // buf[lo:hi] is read from r but not used yet
	base   int64 // offset of buf[0] in the stream
	err    error // why no more comes from r
	packed int64 // bytes that r unpacks, 0 if it does not
}

func newSource(r io.Reader) *source { return &source{r: r, buf: make([]byte, 64<<10)} }

// expected is how many of n elements to make room for at once: all, unless it would take more than a usual file is packed.
func (s *source) expected(n int64) int64 {
	if s.packed > 0 {
		n = min(n, 16<<10+8*s.packed)
	}
	return max(min(n, maxCapacity), 0)
}

// offset is the place of the next unused byte.
func (s *source) offset() int64 { return s.base + int64(s.lo) }

// fill makes at least n unused bytes available, n being at most len(buf), and reports whether the stream has them.
func (s *source) fill(n int) bool {
	if s.hi-s.lo >= n {
		return true
	}
	copy(s.buf, s.buf[s.lo:s.hi])
	s.base += int64(s.lo)
	s.lo, s.hi = 0, s.hi-s.lo
	for s.hi < n && s.err == nil {
		var k int
		k, s.err = s.r.Read(s.buf[s.hi:])
		s.hi += k
	}
	return s.hi >= n
}

// take uses up n bytes, at most len(buf). They are valid until the next call.
func (s *source) take(n int) ([]byte, error) {
	if !s.fill(n) {
		return nil, s.early()
	}
	b := s.buf[s.lo : s.lo+n]
	s.lo += n
	return b, nil
}

// early says why the stream ended before its content did.
func (s *source) early() error {
	if errors.Is(s.err, io.EOF) {
		return fmt.Errorf("the data end at byte %d, too early: %w", s.base+int64(s.hi), io.ErrUnexpectedEOF)
	}
	return fmt.Errorf("after byte %d: %w", s.base+int64(s.hi), s.err)
}

// end checks that nothing follows. Reading up to the end also makes a zip member verify its checksum.
func (s *source) end() error {
	if s.fill(1) {
		return fmt.Errorf("byte %d: data after the end of the array", s.offset())
	}
	if !errors.Is(s.err, io.EOF) {
		return s.early()
	}
	return nil
}
