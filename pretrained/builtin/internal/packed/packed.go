// Package packed is the format of the table that package builtin embeds: words, and their vectors in 8 bits a value.
//
// A file is a header and a body that zstd has packed:
//
//	8 bytes   "lnt-vecs"
//	uint32    version, 1
//	uint32    CRC-32 (Castagnoli) of the unpacked body
//	...       the body, packed
//
//	uint32    words
//	uint32    dimension
//	float32   step: a value of the table is a whole number from -127 to 127 times this
//	...       the words, each followed by a line feed
//	...       the numbers, int8, column by column: those of a column are alike, and pack better than those of a row
//
// Integers and floats are little-endian.
package packed

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"

	"github.com/klauspost/compress/zstd"
)

const (
	magic       = "lnt-vecs"
	version     = 1
	headerBytes = len(magic) + 8
	bodyHeader  = 12
	maxBody     = 64 << 20 // far more than the embedded file has: damage must not cost memory
)

// Table is what a file holds.
type Table struct {
	Words [][]byte // without line feeds
	Dim   int
	Step  float32 // what one is worth
	// Values has Dim columns of len(Words) numbers each.
	Values []int8
}

// Encode writes a table. The same table gives the same bytes.
func Encode(t *Table) ([]byte, error) {
	if len(t.Words) == 0 || t.Dim <= 0 || len(t.Values) != len(t.Words)*t.Dim {
		return nil, fmt.Errorf("packed: %d words of dimension %d with %d values", len(t.Words), t.Dim, len(t.Values))
	}
	body := binary.LittleEndian.AppendUint32(nil, uint32(len(t.Words)))
	body = binary.LittleEndian.AppendUint32(body, uint32(t.Dim))
	body = binary.LittleEndian.AppendUint32(body, math.Float32bits(t.Step))
	for i, w := range t.Words {
		if bytes.IndexByte(w, '\n') >= 0 {
			return nil, fmt.Errorf("packed: word %d, %q, has a line feed", i, w)
		}
		body = append(append(body, w...), '\n')
	}
	for _, v := range t.Values {
		body = append(body, byte(v))
	}
	if len(body) > maxBody {
		return nil, fmt.Errorf("packed: %d bytes are more than %d", len(body), maxBody)
	}
	// One goroutine: more would cut the body elsewhere.
	z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false))
	if err != nil {
		return nil, fmt.Errorf("packed: %w", err)
	}
	file := binary.LittleEndian.AppendUint32([]byte(magic), version)
	file = binary.LittleEndian.AppendUint32(file, checksum(body))
	file = z.EncodeAll(body, file)
	return file, z.Close()
}

// Decode reads a file; what it returns shares no memory with it.
func Decode(file []byte) (*Table, error) {
	if len(file) < headerBytes || string(file[:len(magic)]) != magic {
		return nil, errors.New("packed: not a table of this format")
	}
	if v := binary.LittleEndian.Uint32(file[len(magic):]); v != version {
		return nil, fmt.Errorf("packed: version %d, want %d", v, version)
	}
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxBody))
	if err != nil {
		return nil, fmt.Errorf("packed: %w", err)
	}
	defer z.Close()
	body, err := z.DecodeAll(file[headerBytes:], nil)
	if err != nil {
		return nil, fmt.Errorf("packed: %w", err)
	}
	if sum := binary.LittleEndian.Uint32(file[len(magic)+4:]); sum != checksum(body) {
		return nil, fmt.Errorf("packed: checksum %#08x, want %#08x", checksum(body), sum)
	}
	if len(body) < bodyHeader {
		return nil, fmt.Errorf("packed: body of %d bytes", len(body))
	}
	words, dim := uint64(binary.LittleEndian.Uint32(body)), uint64(binary.LittleEndian.Uint32(body[4:]))
	step := math.Float32frombits(binary.LittleEndian.Uint32(body[8:]))
	rest := body[bodyHeader:]
	if words == 0 || dim == 0 || words > uint64(len(rest)) || dim > uint64(len(rest)) || words*dim > uint64(len(rest)) {
		return nil, fmt.Errorf("packed: %d words of dimension %d do not fit %d bytes", words, dim, len(rest))
	}
	if !(step > 0) || math.IsInf(float64(step), 0) {
		return nil, fmt.Errorf("packed: step %v", step)
	}
	t := &Table{Words: make([][]byte, words), Dim: int(dim), Step: step}
	for i := range t.Words {
		word, after, ok := bytes.Cut(rest, []byte{'\n'})
		if !ok {
			return nil, fmt.Errorf("packed: word %d does not end", i)
		}
		t.Words[i], rest = word, after
	}
	if uint64(len(rest)) != words*dim {
		return nil, fmt.Errorf("packed: %d bytes of values, want %d", len(rest), words*dim)
	}
	t.Values = make([]int8, len(rest))
	for i, b := range rest {
		t.Values[i] = int8(b)
	}
	return t, nil
}

// Floats writes the vectors, row by row, to dst, which has as many values as the table.
func (t *Table) Floats(dst []float32) {
	n := len(t.Values) / t.Dim
	for j := range t.Dim {
		column := t.Values[j*n : (j+1)*n]
		for i, v := range column {
			dst[i*t.Dim+j] = float32(v) * t.Step
		}
	}
}

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }
