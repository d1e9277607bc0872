package safetensors

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/linnet-ml/linnet/internal/budget"
	"github.com/linnet-ml/linnet/internal/filekind"
	"github.com/linnet-ml/linnet/internal/strictjson"
)

// chunkBytes is how much is read or written at a time: a multiple of every element's size, and little enough to look at a
// context often.
const chunkBytes = 256 << 10

// File is the checked header of a safetensors file, or of several that make one model (see [Index.Join]).
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

	source       *source
	count        int
	offset, size int64 // offset counts from the start of the data until Open adds what precedes it
}

// source is where a file's bytes are.
type source struct {
	r      io.ReaderAt
	memory []byte // the whole file, nil if it is not in memory
}

// Open reads and checks the header of the file of size bytes that r holds. It reads no element. It looks at ctx on the way,
// since a header may have 100 MB; a ReadAt of r that does not return it cannot end.
func Open(ctx context.Context, r io.ReaderAt, size int64) (*File, error) {
	if size < 0 {
		return nil, fmt.Errorf("safetensors: a file of %d bytes cannot be", size)
	}
	start := make([]byte, min(size, lengthBytes+1))
	if err := readFull(r, start, 0); err != nil {
		return nil, fmt.Errorf("safetensors: header's length: %w", err)
	}
	n, err := headerLength(start, size)
	if foreign := (*ForeignError)(nil); errors.As(err, &foreign) {
		head := make([]byte, min(size, headBytes))
		if readFull(r, head, 0) == nil {
			foreign.What = filekind.Described(head)
		}
	}
	if err != nil {
		return nil, err
	}
	header := make([]byte, n)
	for at := 0; at < n; at += chunkBytes {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("safetensors: header: %w", err)
		}
		if err := readFull(r, header[at:min(at+chunkBytes, n)], lengthBytes+int64(at)); err != nil {
			return nil, fmt.Errorf("safetensors: header: %w", err)
		}
	}
	return openHeader(ctx, &source{r: r}, header, size)
}

// OpenBytes checks the header of the file that b holds, which must not change as long as the File is in use. Its tensors
// can be used where they lie ([Tensor.Raw], [Tensor.Float32View]).
func OpenBytes(ctx context.Context, b []byte) (*File, error) {
	size := int64(len(b))
	n, err := headerLength(b, size)
	if foreign := (*ForeignError)(nil); errors.As(err, &foreign) {
		foreign.What = filekind.Described(b[:min(size, headBytes)])
	}
	if err != nil {
		return nil, err
	}
	return openHeader(ctx, &source{r: bytes.NewReader(b), memory: b}, b[lengthBytes:lengthBytes+n], size)
}

// headBytes is how much of a file tells what it is.
const headBytes = 512

// headerLength is the number of bytes of the header of a file of size bytes that begins with head, which has a byte of the header
// too if there is one.
func headerLength(head []byte, size int64) (int, error) {
	if len(head) < lengthBytes {
		return 0, foreign("file of %d bytes is too short for the header's length", size)
	}
	n := binary.LittleEndian.Uint64(head)
	switch fits := budget.Within(lengthBytes, n, uint64(size)); {
	case n > maxHeader, !fits && len(head) > lengthBytes && head[lengthBytes] != '{':
		return 0, foreign("header of %d bytes in a file of %d (limit %d)", n, size, maxHeader)
	case !fits:
		return 0, fmt.Errorf("safetensors: header of %d bytes in a file of %d, which is cut short", n, size)
	case n > 0 && head[lengthBytes] != '{':
		return 0, foreign("byte %d: header does not begin with {", lengthBytes)
	}
	return int(n), nil
}

// ForeignError reports a file that is none of safetensors.
type ForeignError struct {
	What   string // the file is, such as "a PNG picture"; "" if that is not known
	detail string // what is wrong with it otherwise
}

// Error says what the file is, or what it lacks.
func (e *ForeignError) Error() string {
	if e.What == "" {
		return "safetensors: " + e.detail
	}
	return "safetensors: it is " + e.What + ", not a safetensors file"
}

func foreign(format string, args ...any) error {
	return &ForeignError{detail: fmt.Sprintf(format, args...)}
}

func openHeader(ctx context.Context, s *source, header []byte, size int64) (*File, error) {
	start := lengthBytes + int64(len(header))
	f, err := parseHeader(ctx, header, size-start)
	if err != nil {
		return nil, err
	}
	for i := range f.tensors {
		t := &f.tensors[i]
		t.source, t.offset = s, start+t.offset
	}
	return f, nil
}

// Tensors lists the file's tensors in the order of their data. The caller must not change the list.
func (f *File) Tensors() []Tensor { return f.tensors }

// Tensor finds a tensor by its name.
func (f *File) Tensor(name string) (Tensor, error) {
	i, ok := f.index[name]
	if !ok {
		return Tensor{}, fmt.Errorf("safetensors: the file has no tensor %s", strictjson.Quote(name))
	}
	return f.tensors[i], nil
}

// Metadata is what the header holds under __metadata__; nil without it. The caller must not change the map.
func (f *File) Metadata() map[string]string { return f.metadata }

// Len is the number of elements.
func (t Tensor) Len() int { return t.count }

// Size is the number of bytes of all elements in the file.
func (t Tensor) Size() int64 { return t.size }

// Section reads the tensor's bytes, little-endian, without loading them.
func (t Tensor) Section() *io.SectionReader { return io.NewSectionReader(t.source.r, t.offset, t.size) }

// Bytes reads the elements of any type as they are in the file, little-endian.
func (t Tensor) Bytes() ([]byte, error) {
	if err := budget.Check("safetensors: tensor "+strictjson.Quote(t.Name), 1, int(t.size)); err != nil {
		return nil, err
	}
	b := make([]byte, t.size)
	if err := readFull(t.source.r, b, t.offset); err != nil {
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

func decode[E any](t Tensor, want DType, element func([]byte) E) ([]E, error) {
	if t.DType != want {
		return nil, fmt.Errorf("safetensors: tensor %s holds %s, not %s", strictjson.Quote(t.Name), t.DType, want)
	}
	width := want.Size()
	if err := budget.Check("safetensors: tensor "+strictjson.Quote(t.Name), width, t.count); err != nil {
		return nil, err
	}
	out := make([]E, t.count)
	return out, t.chunks(context.Background(), func(at int, b []byte) error {
		dst := out[at : at+len(b)/width]
		for i := range dst {
			dst[i] = element(b[i*width:])
		}
		return nil
	})
}

// Conversion says which conversions are allowed that change values.
type Conversion struct {
	// RoundF64 allows F64, rounded to the nearest float32. A finite number beyond float32's range is an error.
	RoundF64 bool
}

// ReadFloat32 reads the elements as float32 into dst, which has the tensor's length. F32, F16, BF16 and I8 are exact; of the
// other types those that c allows are read, and the rest are an error that names the type. It ends with an error when ctx
// is done.
func (t Tensor) ReadFloat32(ctx context.Context, dst []float32, c Conversion) error {
	if len(dst) != t.count {
		return fmt.Errorf("safetensors: tensor %s has %d elements, the slice %d", strictjson.Quote(t.Name), t.count, len(dst))
	}
	switch t.DType {
	case F32:
		return t.chunks(ctx, func(at int, b []byte) error {
			readFloat32(dst[at:at+len(b)/4], b)
			return nil
		})
	case F16:
		return t.chunks(ctx, func(at int, b []byte) error {
			dst := dst[at : at+len(b)/2]
			for i := range dst {
				dst[i] = float16(binary.LittleEndian.Uint16(b[2*i:]))
			}
			return nil
		})
	case BF16:
		return t.chunks(ctx, func(at int, b []byte) error {
			dst := dst[at : at+len(b)/2]
			for i := range dst {
				dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(b[2*i:])) << 16)
			}
			return nil
		})
	case I8:
		return t.chunks(ctx, func(at int, b []byte) error {
			for i, v := range b {
				dst[at+i] = float32(int8(v))
			}
			return nil
		})
	case F64:
		if !c.RoundF64 {
			return fmt.Errorf("safetensors: tensor %s holds F64, which float32 cannot hold without rounding", strictjson.Quote(t.Name))
		}
		return t.chunks(ctx, func(at int, b []byte) error {
			dst := dst[at : at+len(b)/8]
			for i := range dst {
				v := math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
				dst[i] = float32(v)
				if math.IsInf(float64(dst[i]), 0) && !math.IsInf(v, 0) {
					return fmt.Errorf("safetensors: tensor %s: element %d, %v, is beyond the range of float32", strictjson.Quote(t.Name), at+i, v)
				}
			}
			return nil
		})
	}
	return fmt.Errorf("safetensors: tensor %s holds %s, which is not read as float32: F32, F16, BF16, I8 and F64 are",
		strictjson.Quote(t.Name), t.DType)
}

// ReadInt32 reads whole numbers as int32 into dst, which has the tensor's length. I32, I16, U16, I8 and U8 are exact; a value of
// I64, U32 or U64 that int32 cannot hold is an error. It ends with an error when ctx is done.
func (t Tensor) ReadInt32(ctx context.Context, dst []int32) error {
	if len(dst) != t.count {
		return fmt.Errorf("safetensors: tensor %s has %d elements, the slice %d", strictjson.Quote(t.Name), t.count, len(dst))
	}
	var element func(b []byte) uint64
	signed := true
	switch t.DType {
	case I64:
		element = binary.LittleEndian.Uint64
	case I32:
		element = func(b []byte) uint64 { return uint64(int32(binary.LittleEndian.Uint32(b))) }
	case I16:
		element = func(b []byte) uint64 { return uint64(int16(binary.LittleEndian.Uint16(b))) }
	case I8:
		element = func(b []byte) uint64 { return uint64(int8(b[0])) }
	case U64:
		signed, element = false, binary.LittleEndian.Uint64
	case U32:
		signed, element = false, func(b []byte) uint64 { return uint64(binary.LittleEndian.Uint32(b)) }
	case U16:
		signed, element = false, func(b []byte) uint64 { return uint64(binary.LittleEndian.Uint16(b)) }
	case U8:
		signed, element = false, func(b []byte) uint64 { return uint64(b[0]) }
	default:
		return fmt.Errorf("safetensors: tensor %s holds %s, which is not read as int32: whole numbers are", strictjson.Quote(t.Name), t.DType)
	}
	width := t.DType.Size()
	return t.chunks(ctx, func(at int, b []byte) error {
		dst := dst[at : at+len(b)/width]
		for i := range dst {
			v := element(b[i*width:])
			if dst[i] = int32(v); uint64(dst[i]) == v && (signed || dst[i] >= 0) {
				continue
			}
			value := strconv.FormatUint(v, 10)
			if signed {
				value = strconv.FormatInt(int64(v), 10)
			}
			return fmt.Errorf("safetensors: tensor %s: element %d, %s, is beyond the range of int32", strictjson.Quote(t.Name), at+i, value)
		}
		return nil
	})
}

// float16 converts an IEEE 754 half-precision number, exactly.
func float16(h uint16) float32 {
	sign, exponent, fraction := uint32(h&0x8000)<<16, uint32(h>>10&0x1f), uint32(h&0x3ff)
	switch exponent {
	case 0: // zero or a subnormal number: a multiple of 2^-24
		return math.Float32frombits(sign | math.Float32bits(float32(fraction)*(1.0/(1<<24))))
	case 0x1f: // infinite, or not a number
		return math.Float32frombits(sign | 0x7f800000 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+112)<<23 | fraction<<13)
}

// chunks goes through the elements in the file's bytes, so that a large tensor is in memory once and not twice. It calls use with
// the number of the first element and the bytes of some, whole ones; elements must not be smaller than a byte. It ends
// when use returns an error, or ctx is done.
func (t Tensor) chunks(ctx context.Context, use func(at int, b []byte) error) error {
	width := int64(t.DType.Size())
	raw := t.Raw()
	var buf []byte
	if raw == nil {
		buf = make([]byte, min(t.size, chunkBytes))
	}
	for at := int64(0); at < t.size; at += chunkBytes {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("safetensors: tensor %s: %w", strictjson.Quote(t.Name), err)
		}
		n := min(t.size-at, chunkBytes)
		chunk := buf
		if raw != nil {
			chunk = raw[at : at+n]
		} else {
			chunk = buf[:n]
			if err := readFull(t.source.r, chunk, t.offset+at); err != nil {
				return t.readError(at, err)
			}
		}
		if err := use(int(at/width), chunk); err != nil {
			return err
		}
	}
	return nil
}

func (t Tensor) readError(at int64, err error) error {
	return fmt.Errorf("safetensors: tensor %s at byte %d of the file: %w", strictjson.Quote(t.Name), t.offset+at, err)
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
