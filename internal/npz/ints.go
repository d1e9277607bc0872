package npz

import (
	"encoding/binary"
	"fmt"
	"math"
)

// readInts reads a .npy file of size bytes that holds a one-dimensional array of integers of any width and byte order.
// A value outside int32 is an error.
func readInts(s *source, size int64) ([]int32, error) {
	h, err := readHeader(s)
	if err != nil {
		return nil, err
	}
	if have := size - s.offset(); h.kind != 'O' && h.count*int64(h.width) != have {
		return nil, fmt.Errorf("an array of shape %s of %s takes %d bytes, but %d follow the header", h.shapeString(), h.descr, h.count*int64(h.width), have)
	}
	if len(h.shape) != 1 || (h.kind != 'i' && h.kind != 'u') || h.width > 8 {
		return nil, fmt.Errorf("an array of shape %s of %s is no list of integers", h.shapeString(), h.descr)
	}
	if h.count > math.MaxInt/8 {
		return nil, fmt.Errorf("%d integers do not fit into the memory of this machine", h.count)
	}
	var order binary.ByteOrder = binary.LittleEndian
	if h.order == '>' {
		order = binary.BigEndian
	}
	// The archive's limit bounds the size; how much of it is there, only reading tells.
	values := make([]int32, 0, s.expected(h.count))
	for i := range h.count {
		at := s.offset()
		b, err := s.take(h.width)
		if err != nil {
			return nil, err
		}
		var u uint64
		switch h.width {
		case 1:
			u = uint64(b[0])
		case 2:
			u = uint64(order.Uint16(b))
		case 4:
			u = uint64(order.Uint32(b))
		case 8:
			u = order.Uint64(b)
		}
		if h.kind == 'i' { // extend the sign
			shift := 64 - 8*h.width
			u = uint64(int64(u<<shift) >> shift)
		}
		if v := int64(u); v != int64(int32(v)) || (h.kind == 'u' && u > math.MaxInt32) {
			return nil, fmt.Errorf("byte %d: element %d does not fit into 32 bits", at, i)
		}
		values = append(values, int32(u))
	}
	return values, s.end()
}
