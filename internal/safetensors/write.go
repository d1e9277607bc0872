package safetensors

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/linnet-ml/linnet/internal/strictjson"
)

// Entry is a tensor to be written.
type Entry struct {
	Name  string // any UTF-8 text but "__metadata__"
	Shape []int  // empty for a scalar
	Data  Data
}

// Data holds an entry's elements, row-major: [Float32Data], [Float16Data], [BFloat16Data], [Int8Data], [Uint8Data], [Int32Data]
// or [RawData].
type Data interface {
	dtype() DType
	bytes() int64
	// native returns the elements as the bytes that they are in a file, without a copy; false where the machine is big-endian.
	native() ([]byte, bool)
	// put encodes the elements from byte at on into b, which holds whole elements.
	put(b []byte, at int64)
}

type (
	// Float32Data is written as F32.
	Float32Data []float32
	// Float16Data holds the bits of half-precision numbers and is written as F16.
	Float16Data []uint16
	// BFloat16Data holds the upper 16 bits of float32 numbers and is written as BF16.
	BFloat16Data []uint16
	// Int8Data is written as I8.
	Int8Data []int8
	// Uint8Data is written as U8.
	Uint8Data []uint8
	// Int32Data is written as I32.
	Int32Data []int32
	// RawData is written as it is: little-endian elements of the given type.
	RawData struct {
		DType DType
		Bytes []byte
	}
)

func (d Float32Data) dtype() DType  { return F32 }
func (d Float16Data) dtype() DType  { return F16 }
func (d BFloat16Data) dtype() DType { return BF16 }
func (d Int8Data) dtype() DType     { return I8 }
func (d Uint8Data) dtype() DType    { return U8 }
func (d Int32Data) dtype() DType    { return I32 }
func (d RawData) dtype() DType      { return d.DType }

func (d Float32Data) bytes() int64  { return 4 * int64(len(d)) }
func (d Float16Data) bytes() int64  { return 2 * int64(len(d)) }
func (d BFloat16Data) bytes() int64 { return 2 * int64(len(d)) }
func (d Int8Data) bytes() int64     { return int64(len(d)) }
func (d Uint8Data) bytes() int64    { return int64(len(d)) }
func (d Int32Data) bytes() int64    { return 4 * int64(len(d)) }
func (d RawData) bytes() int64      { return int64(len(d.Bytes)) }

func (d Float32Data) native() ([]byte, bool)  { return asBytes(d) }
func (d Float16Data) native() ([]byte, bool)  { return asBytes(d) }
func (d BFloat16Data) native() ([]byte, bool) { return asBytes(d) }
func (d Int8Data) native() ([]byte, bool)     { return asBytes(d) }
func (d Uint8Data) native() ([]byte, bool)    { return d, true }
func (d Int32Data) native() ([]byte, bool)    { return asBytes(d) }
func (d RawData) native() ([]byte, bool)      { return d.Bytes, true }

func (d Float32Data) put(b []byte, at int64)  { put(b, d[at/4:]) }
func (d Float16Data) put(b []byte, at int64)  { put(b, d[at/2:]) }
func (d BFloat16Data) put(b []byte, at int64) { put(b, d[at/2:]) }
func (d Int8Data) put(b []byte, at int64)     { put(b, d[at:]) }
func (d Uint8Data) put(b []byte, at int64)    { copy(b, d[at:]) }
func (d Int32Data) put(b []byte, at int64)    { put(b, d[at/4:]) }
func (d RawData) put(b []byte, at int64)      { copy(b, d.Bytes[at:]) }

// put encodes as many elements of v as b takes.
func put[E number](b []byte, v []E) {
	width := int(unsafe.Sizeof(v[0]))
	_, _ = binary.Encode(b, binary.LittleEndian, v[:len(b)/width]) // fails only if b is too short
}

// Layout is the order of the tensors in a file and where their data begin.
type Layout uint8

const (
	// Reference is the layout of the reference implementation, to the byte: types in the order of their alignment, the largest
	// first, then names. The data begin at a multiple of 8.
	Reference Layout = iota
	// Aligned begins the data at a multiple of 64 and puts the tensors first whose size is a multiple of 64, so that each of these
	// begins at one. The others follow with the largest elements first, so that each is aligned for its type.
	Aligned
)

const alignment = 64 // a cache line, and the widest vector

// compare orders two entries. No two of a file are equal, so that the file does not depend on the order of its entries.
func (l Layout) compare(a, b Entry) int {
	c := 0
	if l == Aligned {
		c = cmp.Compare(min(a.Data.bytes()%alignment, 1), min(b.Data.bytes()%alignment, 1))
	}
	return cmp.Or(c, cmp.Compare(b.Data.dtype().rank(), a.Data.dtype().rank()), cmp.Compare(a.Name, b.Name))
}

// Write writes a file of these tensors. The order of entries does not matter; equal content gives equal files. metadata may
// be nil. All entries are checked before the first byte is written. It ends with an error when ctx is done, and takes no
// memory for the elements.
func Write(ctx context.Context, w io.Writer, metadata map[string]string, entries []Entry, l Layout) error {
	entries = slices.Clone(entries)
	for _, e := range entries {
		if err := e.check(); err != nil {
			return err
		}
	}
	slices.SortFunc(entries, l.compare)
	header, err := buildHeader(metadata, entries, l)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("safetensors: %w", err)
	}
	if _, err := w.Write(header); err != nil {
		return fmt.Errorf("safetensors: header: %w", err)
	}
	for _, e := range entries {
		raw, ok := e.Data.native()
		if err := writeData(ctx, w, e.Data, raw, ok); err != nil {
			return fmt.Errorf("safetensors: tensor %s: %w", strictjson.Quote(e.Name), err)
		}
	}
	return nil
}

// writeData writes the bytes raw, or what put makes if there are none.
func writeData(ctx context.Context, w io.Writer, d Data, raw []byte, native bool) error {
	var buf []byte
	size := d.bytes()
	for at := int64(0); at < size; at += chunkBytes {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(size-at, chunkBytes)
		var chunk []byte
		if native {
			chunk = raw[at : at+n]
		} else {
			if buf == nil {
				buf = make([]byte, n)
			}
			chunk = buf[:n]
			d.put(chunk, at)
		}
		if _, err := w.Write(chunk); err != nil {
			return err
		}
	}
	return nil
}

func (e Entry) check() error {
	switch {
	case e.Name == metadataKey || !utf8.ValidString(e.Name):
		return fmt.Errorf("safetensors: a tensor cannot be named %s", strictjson.Quote(e.Name))
	case e.Data == nil:
		return fmt.Errorf("safetensors: tensor %s has no data", strictjson.Quote(e.Name))
	case e.Data.dtype().Bits() == 0:
		return fmt.Errorf("safetensors: tensor %s: unknown dtype %s", strictjson.Quote(e.Name), strictjson.Quote(string(e.Data.dtype())))
	case len(e.Shape) > maxDims:
		return fmt.Errorf("safetensors: tensor %s has %d dimensions, more than %d", strictjson.Quote(e.Name), len(e.Shape), maxDims)
	}
	_, need, err := sizes(e.Data.dtype(), e.Shape)
	if err != nil {
		return fmt.Errorf("safetensors: tensor %s: %w", strictjson.Quote(e.Name), err)
	}
	if need != e.Data.bytes() {
		return fmt.Errorf("safetensors: tensor %s: %d bytes of %s do not fill shape %v",
			strictjson.Quote(e.Name), e.Data.bytes(), e.Data.dtype(), e.Shape)
	}
	return nil
}

// buildHeader is the length and the JSON, padded with spaces so that the data begin where the layout has them.
func buildHeader(metadata map[string]string, entries []Entry, l Layout) ([]byte, error) {
	b := make([]byte, lengthBytes, 1<<10)
	b = append(b, '{')
	if metadata != nil {
		b = append(appendString(b, metadataKey), ":{"...)
		for i, k := range slices.Sorted(maps.Keys(metadata)) {
			v := metadata[k]
			if !utf8.ValidString(k) || !utf8.ValidString(v) {
				return nil, fmt.Errorf("safetensors: metadata %s is not UTF-8", strictjson.Quote(k))
			}
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendString(b, k), ':')
			b = appendString(b, v)
		}
		b = append(b, '}')
	}
	var offset int64
	names := make(map[string]bool, len(entries))
	for _, e := range entries {
		if names[e.Name] {
			return nil, fmt.Errorf("safetensors: two tensors are named %s", strictjson.Quote(e.Name))
		}
		names[e.Name] = true
		if len(b) > lengthBytes+1 {
			b = append(b, ',')
		}
		if offset > math.MaxInt64-e.Data.bytes() {
			return nil, fmt.Errorf("safetensors: tensor %s: the size of the file overflows", strictjson.Quote(e.Name))
		}
		end := offset + e.Data.bytes()
		b = append(appendString(b, e.Name), `:{"dtype":"`...)
		b = append(append(b, e.Data.dtype()...), `","shape":[`...)
		for i, n := range e.Shape {
			if i > 0 {
				b = append(b, ',')
			}
			b = strconv.AppendInt(b, int64(n), 10)
		}
		b = append(b, `],"data_offsets":[`...)
		b = append(strconv.AppendInt(b, offset, 10), ',')
		b = append(strconv.AppendInt(b, end, 10), "]}"...)
		offset = end
	}
	b = append(b, '}')
	multiple := 8
	if l == Aligned {
		multiple = alignment
	}
	for len(b)%multiple != 0 {
		b = append(b, ' ')
	}
	if len(b)-lengthBytes > maxHeader {
		return nil, fmt.Errorf("safetensors: header of %d bytes exceeds %d", len(b)-lengthBytes, maxHeader)
	}
	binary.LittleEndian.PutUint64(b, uint64(len(b)-lengthBytes))
	return b, nil
}

// appendString adds a JSON string, escaped no more than JSON demands, as the reference implementation writes it.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		c := s[i]
		if k := strings.IndexByte("\"\\\b\f\n\r\t", c); k >= 0 {
			b = append(b, '\\', `"\bfnrt`[k])
		} else if c < ' ' {
			b = fmt.Appendf(b, `\u%04x`, c)
		} else {
			b = append(b, c)
		}
	}
	return append(b, '"')
}
