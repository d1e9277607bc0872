// Package parquetguard reads the pages of Parquet files of which nobody knows where they come from. The module that decodes
// them trusts every number it reads: a footer of thirty bytes may ask for a list of two thousand million columns, and a page
// of ten for as many values. So each part of a file is looked at before the module sees it, and refused if decoding it
// would take memory that its bytes do not stand for.
//
// What is looked at is all that the format packs: the Thrift of the footer and of the page headers, the compression of
// pages, and the encodings of levels and values, as https://parquet.apache.org/docs/file-format/ defines them.
package parquetguard

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/linnet-ml/linnet/internal/budget"
	"github.com/linnet-ml/linnet/internal/ratio"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

const (
	magic = "PAR1"
	// mostDepth is how deep columns may be nested. Columns of texts and lists of labels are three deep.
	mostDepth = 32
	// memberBytes is about what the module keeps for one struct of the footer: a column of a row group has some 600 bytes.
	memberBytes = 600
	// valueBytes is about what the module keeps for one value of a page beside its text: levels, an index, a place.
	valueBytes = 16
)

// Open opens a file whose footer it has looked at. Limit bounds what the footer may unpack to.
func Open(r io.ReaderAt, size int64, limit ratio.Limit) (*parquet.File, error) {
	if err := checkFooter(r, size, limit); err != nil {
		return nil, err
	}
	return parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
}

// checkFooter looks at the metadata at the end of the file.
func checkFooter(r io.ReaderAt, size int64, limit ratio.Limit) error {
	const tail = 4 + len(magic) // the footer's length and the magic bytes behind it
	if size < int64(len(magic)+tail) {
		return fmt.Errorf("a file of %d bytes is too short: %w", size, io.ErrUnexpectedEOF)
	}
	var end [tail]byte
	if _, err := r.ReadAt(end[:], size-int64(tail)); err != nil && err != io.EOF {
		return err
	}
	switch string(end[4:]) {
	case magic:
	case "PARE":
		return errors.New("the file is encrypted, which is not supported")
	default:
		return errors.New("the file does not end as a Parquet file does; it is cut off, or not one")
	}
	n := int64(binary.LittleEndian.Uint32(end[:]))
	if n > size-int64(len(magic)+tail) {
		return fmt.Errorf("the footer is said to have %d bytes, and the file has %d", n, size)
	}
	if err := budget.CheckBytes("footer", uint64(n)); err != nil {
		return err
	}
	footer := make([]byte, n)
	if _, err := r.ReadAt(footer, size-int64(tail)-n); err != nil {
		return fmt.Errorf("footer: %w", err)
	}
	length, members, err := structure(footer)
	if err != nil {
		return fmt.Errorf("footer: %w", err)
	}
	if int64(members) > limit.Bytes(n)/memberBytes {
		return fmt.Errorf("footer: %w", limit.Exceeded(n))
	}
	var metadata format.FileMetaData
	if err := thrift.Unmarshal(new(thrift.CompactProtocol), footer[:length], &metadata); err != nil {
		return fmt.Errorf("footer: %w", err)
	}
	return checkSchema(&metadata)
}

// checkSchema refuses columns nested too deep for the module's recursion, and row groups that do not have each column:
// the module sets aside as many places as there are row groups times columns.
func checkSchema(m *format.FileMetaData) error {
	var open []int32 // how many children each of the groups around the next column lacks
	leaves := 0
	for i := range m.Schema {
		children := int32(0)
		if c := m.Schema[i].NumChildren; c.Valid {
			children = c.V
		}
		if n := int64(m.Schema[i].TypeLength.V); n < 0 || n > 1<<20 {
			return fmt.Errorf("footer: the column %.40q has values of %d bytes each", m.Schema[i].Name, n)
		}
		for len(open) > 0 && open[len(open)-1] == 0 {
			open = open[:len(open)-1]
		}
		if len(open) > 0 {
			open[len(open)-1]--
		} else if i > 0 {
			return errors.New("footer: columns outside the schema")
		}
		isLeaf := m.Schema[i].Type.Valid // as the module tells columns of values and groups of columns apart
		if children < 0 || isLeaf && children > 0 {
			return fmt.Errorf("footer: the column %.40q has %d columns in it", m.Schema[i].Name, children)
		}
		if isLeaf {
			leaves++
		} else if open = append(open, children); len(open) > mostDepth {
			return fmt.Errorf("footer: columns are nested more than %d deep", mostDepth)
		}
	}
	for i := range m.RowGroups {
		if n := len(m.RowGroups[i].Columns); n != leaves {
			return fmt.Errorf("footer: row group %d has %d columns, and the schema %d", i+1, n, leaves)
		}
	}
	return nil
}
