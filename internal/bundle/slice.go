package bundle

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"github.com/linnet-ml/linnet/internal/budget"
	"github.com/linnet-ml/linnet/internal/wire"
)

// extent is a range of one dimension; a length of wholeExtent is all of it.
type extent struct{ start, length int64 }

const wholeExtent = -1

// slice is the part of a tensor that an entry of its own holds (TensorSliceProto): one extent a dimension.
type slice []extent

func parseSlice(f wire.Field) (slice, error) {
	var s slice
	err := f.Walk(func(f wire.Field) error {
		if f.Number != 1 {
			return nil
		}
		if len(s) == maxDims {
			return fmt.Errorf("more than %d dimensions", maxDims)
		}
		e := extent{0, wholeExtent}
		err := f.Walk(func(f wire.Field) (err error) {
			switch f.Number {
			case 1:
				e.start, err = f.Int64()
			case 2:
				e.length, err = f.Int64()
			}
			return err
		})
		s = append(s, e)
		return err
	})
	return s, err
}

// within demands that the slice lies in a tensor of the shape.
func (s slice) within(shape []int64) error {
	if len(s) != len(shape) {
		return fmt.Errorf("part %v of a tensor of shape %v", s, shape)
	}
	for i, e := range s {
		if whole := e == (extent{0, wholeExtent}); !whole && !budget.Within(e.start, e.length, shape[i]) {
			return fmt.Errorf("part %v of a tensor of shape %v", s, shape)
		}
	}
	return nil
}

// rows returns the first row of the slice and their number if the slice is whole in all dimensions but the first: then
// its elements follow each other in the tensor.
func (s slice) rows(shape []int64) (first, n int64, err error) {
	if len(s) == 0 {
		return 0, 0, errors.New("part of a tensor without dimensions")
	}
	for i, e := range s[1:] {
		if e.length != wholeExtent && e.length != shape[i+1] {
			return 0, 0, fmt.Errorf("part %v of a tensor of shape %v is cut in dimension %d: only cuts between rows are supported", s, shape, i+1)
		}
	}
	if s[0].length == wholeExtent {
		return 0, shape[0], nil
	}
	return s[0].start, s[0].length, nil
}

// key is the key of the entry that holds the slice of the tensor of that name (EncodeTensorNameSlice): written so that
// the order of the bytes is the order of names and numbers. It begins with a zero byte, as no other key does.
func (s slice) key(name string) string {
	b := []byte{0}
	for i := range len(name) {
		switch c := name[i]; c {
		case 0x00:
			b = append(b, 0x00, 0xff)
		case 0xff:
			b = append(b, 0xff, 0x00)
		default:
			b = append(b, c)
		}
	}
	b = append(b, 0x00, 0x01)
	b = appendNumber(b, uint64(len(s)))
	for _, e := range s {
		b = appendSigned(appendSigned(b, e.start), e.length)
	}
	return string(b)
}

// appendNumber writes the number of bytes and then the bytes, most significant first (OrderedCode::WriteNumIncreasing).
func appendNumber(b []byte, v uint64) []byte {
	n := (bits.Len64(v) + 7) / 8
	b = append(b, byte(n))
	for i := n - 1; i >= 0; i-- {
		b = append(b, byte(v>>(8*i)))
	}
	return b
}

// appendSigned writes n bytes, most significant first, of which the first n+1 bits say n and the sign
// (OrderedCode::WriteSignedNumIncreasing).
func appendSigned(b []byte, v int64) []byte {
	magnitude := uint64(v ^ v>>63)
	n := bits.Len64(magnitude)/7 + 1
	var all [10]byte // v as an integer of ten bytes
	if v < 0 {
		all[0], all[1] = 0xff, 0xff
	}
	binary.BigEndian.PutUint64(all[2:], uint64(v))
	last := slices.Clone(all[10-n:])
	header := uint16(0xffff) << (16 - n)
	last[0] ^= byte(header >> 8)
	if n > 8 {
		last[1] ^= byte(header)
	}
	return append(b, last...)
}
