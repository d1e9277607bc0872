package safetensors

import (
	"encoding/binary"
	"math"
	"slices"
	"unsafe"
)

// Raw returns the tensor's bytes where they lie, little-endian, nil if the file is not in memory ([OpenBytes] opened it if it
// is). They are the file's own: whoever writes to them changes the file, or faults where the memory is read-only.
func (t Tensor) Raw() []byte {
	if t.source.memory == nil {
		return nil
	}
	end := t.offset + t.size
	return t.source.memory[t.offset:end:end]
}

// Float32View returns the elements of an F32 tensor where they lie, as Raw does. It is false if the tensor holds another type,
// is not in memory, or does not lie at a multiple of 4 bytes, and where the machine is big-endian. Then it must be read.
func (t Tensor) Float32View() ([]float32, bool) { return view[float32](t, F32) }

// Uint16View is Float32View for the bits of an F16, BF16 or U16 tensor.
func (t Tensor) Uint16View() ([]uint16, bool) { return view[uint16](t, F16, BF16, U16) }

// Int8View is Float32View for an I8 tensor.
func (t Tensor) Int8View() ([]int8, bool) { return view[int8](t, I8) }

type number interface {
	int8 | uint8 | uint16 | int32 | int64 | float32
}

func view[E number](t Tensor, types ...DType) ([]E, bool) {
	raw := t.Raw()
	if raw == nil || !slices.Contains(types, t.DType) {
		return nil, false
	}
	return asElements[E](raw)
}

// littleEndian is whether numbers lie in memory as they do in a file.
func littleEndian() bool { return binary.NativeEndian.Uint16([]byte{1, 0}) == 1 }

// asElements returns bytes of a file as the numbers that they are, without a copy; false where that is not possible.
func asElements[E number](b []byte) ([]E, bool) {
	width := int(unsafe.Sizeof(*new(E)))
	if len(b) == 0 {
		return []E{}, true
	}
	p := unsafe.Pointer(unsafe.SliceData(b))
	if width > 1 && !littleEndian() || uintptr(p)%uintptr(width) != 0 {
		return nil, false
	}
	return unsafe.Slice((*E)(p), len(b)/width), true
}

// asBytes returns numbers as the bytes that they are in a file, without a copy; false where the machine is big-endian.
func asBytes[E number](v []E) ([]byte, bool) {
	width := int(unsafe.Sizeof(*new(E)))
	if width > 1 && !littleEndian() {
		return nil, false
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), len(v)*width), true
}

// readFloat32 decodes F32 elements.
func readFloat32(dst []float32, b []byte) {
	if raw, ok := asBytes(dst); ok {
		copy(raw, b)
		return
	}
	for i := range dst {
		dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
}
