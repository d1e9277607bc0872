package safetensors

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// chunkBytes is how much is read or written at a time; a multiple of every element's size.
const chunkBytes = 64 << 10

// File is the checked header of a safetensors file.
type File struct {
	tensors  []Tensor
	index    map[string]int
	metadata map[string]string
}

// Tensor is one array of a file: what it is, and where its elements are.
type Tensor struct {
	Name  string
	DType DType
	Shape []int // empty for a scalar

	r            io.ReaderAt
	offset, size int64 // offset counts from the start of the data until Open adds what precedes it
}

// Open reads and checks the header of the file of size bytes that r holds. It reads no element.
func Open(r io.ReaderAt, size int64) (*File, error) {
	if size < lengthBytes {
		return nil, fmt.Errorf("safetensors: file of %d bytes is too short for the header's length", size)
	}
	var field [lengthBytes]byte
	if err := readFull(r, field[:], 0); err != nil {
		return nil, fmt.Errorf("safetensors: header's length: %w", err)
	}
	n := binary.LittleEndian.Uint64(field[:])
	if n > maxHeader || n > uint64(size-lengthBytes) {
		return nil, fmt.Errorf("safetensors: header of %d bytes in a file of %d (limit %d)", n, size, maxHeader)
	}
	header := make([]byte, n)
	if err := readFull(r, header, lengthBytes); err != nil {
		return nil, fmt.Errorf("safetensors: header: %w", err)
	}
	start := lengthBytes + int64(n)
	tensors, metadata, err := parseHeader(header, size-start)
	if err != nil {
		return nil, err
	}
	f := &File{tensors: tensors, index: make(map[string]int, len(tensors)), metadata: metadata}
	for i := range tensors {
		t := &tensors[i]
		t.r, t.offset = r, start+t.offset
		f.index[t.Name] = i
	}
	return f, nil
}

// Tensors lists the file's tensors in the order of their data. The caller must not change the list.
func (f *File) Tensors() []Tensor { return f.tensors }

// Tensor finds a tensor by its name.
func (f *File) Tensor(name string) (Tensor, error) {
	i, ok := f.index[name]
	if !ok {
		return Tensor{}, fmt.Errorf("safetensors: the file has no tensor %q", name)
	}
	return f.tensors[i], nil
}

// Metadata is what the header holds under __metadata__; nil without it. The caller must not change the map.
func (f *File) Metadata() map[string]string { return f.metadata }

// Len is the number of elements.
func (t Tensor) Len() int { return int(t.size) / t.DType.Size() }

// Section reads the tensor's bytes, little-endian, without loading them.
func (t Tensor) Section() *io.SectionReader { return io.NewSectionReader(t.r, t.offset, t.size) }

// Bytes reads the elements of any type as they are in the file, little-endian.
func (t Tensor) Bytes() ([]byte, error) {
	b := make([]byte, t.size)
	if err := readFull(t.r, b, t.offset); err != nil {
		return nil, t.readError(0, err)
	}
	return b, nil
}

// Float32 reads the elements of an F32 tensor.
func (t Tensor) Float32() ([]float32, error) {
	return decode(t, F32, func(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) })
}

// Int32 reads the elements of an I32 tensor.
func (t Tensor) Int32() ([]int32, error) {
	return decode(t, I32, func(b []byte) int32 { return int32(binary.LittleEndian.Uint32(b)) })
}

// Int64 reads the elements of an I64 tensor.
func (t Tensor) Int64() ([]int64, error) {
	return decode(t, I64, func(b []byte) int64 { return int64(binary.LittleEndian.Uint64(b)) })
}

// decode goes through the file in chunks, so that a large tensor is in memory once and not twice.
func decode[E any](t Tensor, want DType, element func([]byte) E) ([]E, error) {
	if t.DType != want {
		return nil, fmt.Errorf("safetensors: tensor %.80q holds %s, not %s", t.Name, t.DType, want)
	}
	out := make([]E, t.Len())
	width := want.Size()
	buf := make([]byte, min(t.size, chunkBytes))
	for at := int64(0); at < t.size; at += chunkBytes {
		chunk := buf[:min(t.size-at, chunkBytes)]
		if err := readFull(t.r, chunk, t.offset+at); err != nil {
			return nil, t.readError(at, err)
		}
		dst := out[at/int64(width):]
		for i := range len(chunk) / width {
			dst[i] = element(chunk[i*width:])
		}
	}
	return out, nil
}

func (t Tensor) readError(at int64, err error) error {
	return fmt.Errorf("safetensors: tensor %.80q at byte %d of the file: %w", t.Name, t.offset+at, err)
}

// readFull fills b; an io.ReaderAt may report io.EOF together with the last bytes.
func readFull(r io.ReaderAt, b []byte, offset int64) error {
	n, err := r.ReadAt(b, offset)
	if n == len(b) {
		return nil
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}
