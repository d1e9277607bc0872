package ratio

import (
	"bytes"
	"errors"
	"io"
	"math"
	"testing"

	"github.com/linnet-ml/linnet/internal/boundary"
)

func TestBytes(t *testing.T) {
	for _, c := range []struct {
		l            Limit
		packed, want int64
	}{
		{Limit{}, 0, Slack}, {Limit{}, -1, Slack}, {Limit{}, 10, Slack + 1000}, {Limit{Ratio: 3}, 10, Slack + 30},
		{Limit{}, math.MaxInt64, math.MaxInt64}, {Limit{Ratio: 1}, math.MaxInt64 - 1, math.MaxInt64},
	} {
		if got := c.l.Bytes(c.packed); got != c.want {
			t.Errorf("%+v of %d: %d, want %d", c.l, c.packed, got, c.want)
		}
	}
	for _, n := range boundary.Numbers() {
		if got := (Limit{Ratio: math.MaxInt}).Bytes(int64(n)); got < Slack {
			t.Errorf("%d: %d", n, got)
		}
	}
	if (Limit{Ratio: -1}).Check() == nil || (Limit{}).Check() != nil {
		t.Error("Check")
	}
}

// zeros are without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestReader(t *testing.T) {
	r := Limit{Ratio: 2, Option: "O.Max"}.Reader(zeros{}, func() int64 { return 100 })
	n, err := io.Copy(io.Discard, r)
	const want = "packed more tightly than is allowed: 100 packed bytes give more than 16777416, the limit of 2 times as many and 16 MiB; if the file is meant to be so, raise O.Max"
	if !errors.Is(err, ErrExceeded) || err.Error() != want || n > Slack+200 {
		t.Errorf("after %d bytes error %v\nwant  %s", n, err, want)
	}
	if n, err := r.Read(make([]byte, 1)); n != 0 || !errors.Is(err, ErrExceeded) {
		t.Errorf("after the end: %d, %v", n, err)
	}
	// What is packed as files are is not touched.
	whole := bytes.Repeat([]byte("0123456789"), 1000)
	c := &Counter{R: bytes.NewReader(whole)}
	b, err := io.ReadAll(Limit{}.Reader(c, c.Count))
	if err != nil || !bytes.Equal(b, whole) || c.Count() != int64(len(whole)) {
		t.Errorf("%d bytes, %d counted: %v", len(b), c.Count(), err)
	}
	if _, err := c.ReadAt(b[:5], 10); err != nil || string(b[:5]) != "01234" || c.Count() != int64(len(whole))+5 {
		t.Errorf("%q, %d counted: %v", b[:5], c.Count(), err)
	}
	if _, err := (&Counter{R: zeros{}}).ReadAt(b, 0); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
}
