package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"unicode/utf8"
)

// Entry is a tensor to be written.
type Entry struct {
	Name  string // any UTF-8 text but "__metadata__"
	Shape []int  // empty for a scalar
	Data  Data
}

// Data holds an entry's elements, row-major: [Float32Data], [Int32Data], [Int64Data] or [RawData].
type Data interface {
	dtype() DType
	bytes() int64
	// put encodes the elements from byte at on into b, which holds whole elements.
	put(b []byte, at int64)
}

type (
	// Float32Data is written as F32.
	Float32Data []float32
	// Int32Data is written as I32.
	Int32Data []int32
	// Int64Data is written as I64.
	Int64Data []int64
	// RawData is written as it is: little-endian elements of the given type.
	RawData struct {
		DType DType
		Bytes []byte
	}
)

func (d Float32Data) dtype() DType { return F32 }
func (d Int32Data) dtype() DType   { return I32 }
func (d Int64Data) dtype() DType   { return I64 }
func (d RawData) dtype() DType     { return d.DType }

func (d Float32Data) bytes() int64 { return 4 * int64(len(d)) }
func (d Int32Data) bytes() int64   { return 4 * int64(len(d)) }
func (d Int64Data) bytes() int64   { return 8 * int64(len(d)) }
func (d RawData) bytes() int64     { return int64(len(d.Bytes)) }

func (d Float32Data) put(b []byte, at int64) {
	for i, v := range d[at/4:][:len(b)/4] {
		binary.LittleEndian.PutUint32(b[4*i:], math.Float32bits(v))
	}
}

func (d Int32Data) put(b []byte, at int64) {
	for i, v := range d[at/4:][:len(b)/4] {
		binary.LittleEndian.PutUint32(b[4*i:], uint32(v))
	}
}

func (d Int64Data) put(b []byte, at int64) {
	for i, v := range d[at/8:][:len(b)/8] {
		binary.LittleEndian.PutUint64(b[8*i:], uint64(v))
	}
}

func (d RawData) put(b []byte, at int64) { copy(b, d.Bytes[at:]) }

// Write writes a file of these tensors. The order of entries does not matter: as in the reference implementation,
// types with larger elements come first, then names in byte order; equal content gives equal files. metadata may be nil.
// All entries are checked before the first byte is written.
func Write(w io.Writer, metadata map[string]string, entries []Entry) error {
	entries = slices.Clone(entries)
	for _, e := range entries {
		if err := e.check(); err != nil {
			return err
		}
	}
	slices.SortFunc(entries, func(a, b Entry) int {
		return cmp.Or(
			cmp.Compare(b.Data.dtype().Size(), a.Data.dtype().Size()),
			cmp.Compare(a.Data.dtype(), b.Data.dtype()),
			cmp.Compare(a.Name, b.Name))
	})
	header, err := buildHeader(metadata, entries)
	if err != nil {
		return err
	}
	if _, err := w.Write(header); err != nil {
		return fmt.Errorf("safetensors: header: %w", err)
	}
	buf := make([]byte, chunkBytes)
	for _, e := range entries {
		size := e.Data.bytes()
		for at := int64(0); at < size; at += chunkBytes {
			chunk := buf[:min(size-at, chunkBytes)]
			e.Data.put(chunk, at)
			if _, err := w.Write(chunk); err != nil {
				return fmt.Errorf("safetensors: tensor %q: %w", e.Name, err)
			}
		}
	}
	return nil
}

func (e Entry) check() error {
	switch {
	case e.Name == metadataKey || !utf8.ValidString(e.Name):
		return fmt.Errorf("safetensors: a tensor cannot be named %q", e.Name)
	case e.Data == nil:
		return fmt.Errorf("safetensors: tensor %q has no data", e.Name)
	case e.Data.dtype().Size() == 0:
		return fmt.Errorf("safetensors: tensor %q: unknown dtype %q", e.Name, e.Data.dtype())
	case len(e.Shape) > maxDims:
		return fmt.Errorf("safetensors: tensor %q has %d dimensions, more than %d", e.Name, len(e.Shape), maxDims)
	}
	if need, ok := byteSize(e.Data.dtype(), e.Shape); !ok || need != e.Data.bytes() {
		return fmt.Errorf("safetensors: tensor %q: %d bytes of %s do not fill shape %v",
			e.Name, e.Data.bytes(), e.Data.dtype(), e.Shape)
	}
	return nil
}

// buildHeader is the length and the JSON, padded with spaces so that the data start at a multiple of 8.
func buildHeader(metadata map[string]string, entries []Entry) ([]byte, error) {
	var b bytes.Buffer
	b.Write(make([]byte, lengthBytes))
	b.WriteByte('{')
	if metadata != nil {
		for k, v := range metadata {
			if !utf8.ValidString(k) || !utf8.ValidString(v) {
				return nil, fmt.Errorf("safetensors: metadata %q is not UTF-8", k)
			}
		}
		b.WriteString(`"` + metadataKey + `":`)
		b.Write(mustJSON(metadata)) // encoding/json sorts the keys
	}
	var offset int64
	names := map[string]bool{}
	for _, e := range entries {
		if names[e.Name] {
			return nil, fmt.Errorf("safetensors: two tensors are named %q", e.Name)
		}
		names[e.Name] = true
		if b.Len() > lengthBytes+1 {
			b.WriteByte(',')
		}
		end := offset + e.Data.bytes()
		shape := e.Shape
		if shape == nil {
			shape = []int{} // not JSON's null
		}
		fmt.Fprintf(&b, `%s:{"dtype":%s,"shape":%s,"data_offsets":[%d,%d]}`,
			mustJSON(e.Name), mustJSON(e.Data.dtype()), mustJSON(shape), offset, end)
		offset = end
	}
	b.WriteByte('}')
	for b.Len()%8 != 0 {
		b.WriteByte(' ')
	}
	if b.Len()-lengthBytes > maxHeader {
		return nil, fmt.Errorf("safetensors: header of %d bytes exceeds %d", b.Len()-lengthBytes, maxHeader)
	}
	binary.LittleEndian.PutUint64(b.Bytes(), uint64(b.Len()-lengthBytes))
	return b.Bytes(), nil
}

// mustJSON encodes values that cannot fail to: strings, integers and lists of them.
func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
