package bundle

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/linnet-ml/linnet/internal/budget"
	"github.com/linnet-ml/linnet/internal/wire"
)

// DType is TensorFlow's number of a type of element (tensorflow.DataType).
type DType int32

// The types of elements that this package decodes, and the bytes of those that it hands out.
const (
	Float32 DType = 1
	Int32   DType = 3
	String  DType = 7
	Int64   DType = 9
)

var dtypes = [...]struct {
	name string
	size int64
}{
	1: {"float32", 4}, 2: {"float64", 8}, 3: {"int32", 4}, 4: {"uint8", 1}, 5: {"int16", 2}, 6: {"int8", 1},
	7: {"string", 0}, 8: {"complex64", 8}, 9: {"int64", 8}, 10: {"bool", 1}, 11: {"qint8", 1}, 12: {"quint8", 1},
	13: {"qint32", 4}, 14: {"bfloat16", 2}, 15: {"qint16", 2}, 16: {"quint16", 2}, 17: {"uint16", 2},
	18: {"complex128", 16}, 19: {"float16", 2}, 20: {"resource", 0}, 21: {"variant", 0}, 22: {"uint32", 4},
	23: {"uint64", 8},
}

// Size is the number of bytes of an element, 0 where they differ in length or the type is unknown to this package.
func (d DType) Size() int64 {
	if d > 0 && int(d) < len(dtypes) {
		return dtypes[d].size
	}
	return 0
}

func (d DType) String() string {
	if d > 0 && int(d) < len(dtypes) {
		return dtypes[d].name
	}
	return fmt.Sprintf("DType(%d)", int32(d))
}

// Tensor is an entry of the index.
type Tensor struct {
	Key   string
	DType DType
	Shape []int64 // no dimension is negative, and the product fits an int64

	elements     int64
	shard        int
	offset, size int64 // in the data file of the shard
	crc          uint32
	slices       []slice // of a tensor that is stored in parts; it has no place of its own
}

// Elements is the product of the shape.
func (t *Tensor) Elements() int64 { return t.elements }

// Parts is the number of parts in which the tensor is stored: 1 for all but the partitioned variables of TensorFlow 1.
func (t *Tensor) Parts() int { return max(1, len(t.slices)) }

// maxDims is the limit of TensorFlow's own shapes.
const maxDims = 254

// parseTensor reads a BundleEntryProto and checks what can be checked without the data files.
func parseTensor(key string, message []byte) (*Tensor, error) {
	t := &Tensor{Key: key}
	err := wire.Walk(message, func(f wire.Field) (err error) {
		switch f.Number {
		case 1:
			var v int
			v, err = f.Int()
			t.DType = DType(v)
		case 2:
			t.Shape, err = parseShape(f)
		case 3:
			t.shard, err = f.Int()
		case 4:
			t.offset, err = f.Int64()
		case 5:
			t.size, err = f.Int64()
		case 6:
			t.crc, err = f.Fixed32()
		case 7:
			var s slice
			s, err = parseSlice(f)
			t.slices = append(t.slices, s)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if !budget.Within(t.offset, t.size, math.MaxInt64) {
		return nil, fmt.Errorf("%d bytes at byte %d of a data file", t.size, t.offset)
	}
	var ok bool
	if t.elements, ok = product(t.Shape); !ok {
		return nil, fmt.Errorf("shape %v is negative or too large", t.Shape)
	}
	if size := t.DType.Size(); size > 0 {
		hi, want := bits.Mul64(uint64(t.elements), uint64(size))
		if hi != 0 || want > math.MaxInt64 {
			return nil, fmt.Errorf("shape %v is too large", t.Shape)
		}
		if len(t.slices) == 0 && int64(want) != t.size {
			return nil, fmt.Errorf("%v of shape %v needs %d bytes, but %d are stored", t.DType, t.Shape, want, t.size)
		}
	}
	for _, s := range t.slices {
		if err := s.within(t.Shape); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// parseShape reads a TensorShapeProto.
func parseShape(f wire.Field) ([]int64, error) {
	var shape []int64
	err := f.Walk(func(f wire.Field) error {
		switch f.Number {
		case 2:
			if len(shape) == maxDims {
				return fmt.Errorf("more than %d dimensions", maxDims)
			}
			var size int64
			err := f.Walk(func(f wire.Field) (err error) {
				if f.Number == 1 {
					size, err = f.Int64()
				}
				return err
			})
			shape = append(shape, size)
			return err
		case 3:
			if v, err := f.Int64(); err != nil || v != 0 {
				return errors.Join(err, errors.New("the shape is unknown"))
			}
		}
		return nil
	})
	return shape, err
}

func product(shape []int64) (int64, bool) {
	n := uint64(1)
	empty := slices.Contains(shape, 0)
	for _, d := range shape {
		if d < 0 {
			return 0, false
		}
		if empty {
			continue
		}
		hi, lo := bits.Mul64(n, uint64(d))
		if hi != 0 || lo > math.MaxInt64 {
			return 0, false
		}
		n = lo
	}
	if empty {
		return 0, true
	}
	return int64(n), true
}
