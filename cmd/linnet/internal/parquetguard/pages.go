package parquetguard

import (
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/klauspost/compress/zstd"
	"github.com/linnet-ml/linnet/internal/budget"
	"github.com/linnet-ml/linnet/internal/ratio"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// mostHeader is how many bytes the header of a page may have. It holds the smallest and the largest value of the page, which
// some writers do not cut.
const mostHeader = 16 << 20

// Pages reads the pages of a column in a row group. Each is looked at before the module reads it, which takes them in the same
// order.
type Pages struct {
	file       *parquet.File
	pages      parquet.Pages // of the module
	at, end    int64         // where the next page begins, and the last one ends
	column     *parquet.Column
	limit      ratio.Limit
	mostValues int64  // of a page
	dictionary bool   // whether there was one
	window     []byte // what is read of a header
	body       []byte // a page
	size       int64  // what it may unpack to
	unpacked   []byte
	zstd       *zstd.Decoder
}

// NewPages opens the pages of a column in the row group of this number. Limit is how many times its size a page may unpack to.
func NewPages(f *parquet.File, column *parquet.Column, group int, limit ratio.Limit) (*Pages, error) {
	chunk := &f.Metadata().RowGroups[group].Columns[column.Index()].MetaData
	begin := chunk.DataPageOffset
	if chunk.DictionaryPageOffset != 0 {
		begin = chunk.DictionaryPageOffset
	}
	if !budget.Within(begin, chunk.TotalCompressedSize, f.Size()) {
		return nil, fmt.Errorf("%d bytes at %d lie outside the file of %d bytes", chunk.TotalCompressedSize, begin, f.Size())
	}
	if c := column.Compression().CompressionCodec(); c != chunk.Codec {
		return nil, fmt.Errorf("row group %d is packed with %v and the first with %v, which is not supported", group+1, chunk.Codec, c)
	}
	return &Pages{
		file: f, pages: f.RowGroups()[group].ColumnChunks()[column.Index()].Pages(),
		at: begin, end: begin + chunk.TotalCompressedSize,
		column: column, limit: limit, mostValues: min(limit.Bytes(f.Size())/valueBytes, math.MaxInt32),
	}, nil
}

// Next returns the next page of values, or io.EOF behind the last one.
func (p *Pages) Next() (parquet.Page, error) {
	for {
		if p.at >= p.end {
			return nil, io.EOF
		}
		begin := p.at
		isData, err := p.check()
		if err != nil {
			return nil, fmt.Errorf("the page at byte %d: %w", begin, err)
		}
		if isData {
			return p.pages.ReadPage()
		}
	}
}

// Close closes the module's pages.
func (p *Pages) Close() error {
	if p.zstd != nil {
		p.zstd.Close()
	}
	return p.pages.Close()
}

// header reads the header at p.at, whose length nothing tells.
func (p *Pages) header() (*format.PageHeader, error) {
	for size := int64(512); ; size *= 8 {
		most := min(p.end-p.at, mostHeader)
		size = min(size, most)
		p.window = resized(p.window, size)
		if err := p.read(p.window); err != nil {
			return nil, err
		}
		n, _, err := structure(p.window)
		if err == io.ErrUnexpectedEOF && size < most {
			continue
		}
		header := new(format.PageHeader)
		if err == nil {
			err = thrift.Unmarshal(new(thrift.CompactProtocol), p.window[:n], header)
		}
		if err != nil {
			return nil, fmt.Errorf("header: %w", err)
		}
		p.at += int64(n)
		return header, nil
	}
}

// read fills b with what is at p.at.
func (p *Pages) read(b []byte) error {
	n, err := p.file.ReadAt(b, p.at)
	if n == len(b) {
		return nil
	}
	if err == io.EOF { // the file is shorter than it was
		err = io.ErrUnexpectedEOF
	}
	return err
}

// resized returns a slice of n bytes, b where it is large enough.
func resized(b []byte, n int64) []byte {
	if int64(cap(b)) < n {
		return make([]byte, n)
	}
	return b[:n]
}

// check looks at the page at p.at, and reports whether it holds values of rows.
func (p *Pages) check() (isData bool, err error) {
	h, err := p.header()
	if err != nil {
		return false, err
	}
	if !budget.Within(p.at, int64(h.CompressedPageSize), p.end) {
		return false, fmt.Errorf("it is said to have %d bytes, and its column has %d more", h.CompressedPageSize, p.end-p.at)
	}
	if h.UncompressedPageSize < 0 || int64(h.UncompressedPageSize) > p.limit.Bytes(int64(h.CompressedPageSize)) {
		return false, p.limit.Exceeded(int64(h.CompressedPageSize))
	}
	p.size = int64(h.UncompressedPageSize)
	if h.Type == format.DictionaryPage && p.dictionary {
		p.at += int64(h.CompressedPageSize) // the module too takes the first alone
		return false, nil
	}
	p.body = resized(p.body, int64(h.CompressedPageSize))
	if err := p.read(p.body); err != nil {
		return false, err
	}
	p.at += int64(len(p.body))
	switch {
	case h.Type == format.DictionaryPage && h.DictionaryPageHeader.Valid:
		p.dictionary = true
		return false, p.checkDictionary(&h.DictionaryPageHeader.V)
	case h.Type == format.DataPage && h.DataPageHeader.Valid:
		return true, p.checkV1(&h.DataPageHeader.V)
	case h.Type == format.DataPageV2 && h.DataPageHeaderV2.Valid:
		return true, p.checkV2(&h.DataPageHeaderV2.V)
	}
	return false, fmt.Errorf("a page of type %v without its header", h.Type)
}

// checkCount checks how many values a page says it has.
func (p *Pages) checkCount(n int32) error {
	most := p.mostValues
	if t := p.column.Type(); t.Kind() == parquet.FixedLenByteArray {
		most /= 1 + int64(t.Length())/valueBytes
	}
	if n < 0 || int64(n) > most {
		return fmt.Errorf("%d values: %w", n, p.limit.Exceeded(p.file.Size()))
	}
	return nil
}

func (p *Pages) checkDictionary(h *format.DictionaryPageHeader) error {
	if err := p.checkCount(h.NumValues); err != nil {
		return err
	}
	if h.Encoding != format.Plain && h.Encoding != plainDictionary {
		return fmt.Errorf("a dictionary in the encoding %v is not supported", h.Encoding)
	}
	_, err := p.unpack(p.body)
	return err
}

// checkV1 looks at a page whose levels lie before the values and are packed with them.
func (p *Pages) checkV1(h *format.DataPageHeader) error {
	if err := p.checkCount(h.NumValues); err != nil {
		return err
	}
	b, err := p.unpack(p.body)
	if err != nil {
		return err
	}
	for _, levels := range []struct {
		what     string
		encoding format.Encoding
		max      int
	}{
		{"repetition levels", h.RepetitionLevelEncoding, p.column.MaxRepetitionLevel()},
		{"definition levels", h.DefinitionLevelEncoding, p.column.MaxDefinitionLevel()},
	} {
		if levels.max == 0 {
			continue
		}
		part, rest, err := prefixed(b)
		if err == nil {
			err = checkLevels(levels.encoding, part, levels.max, int(h.NumValues))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", levels.what, err)
		}
		b = rest
	}
	return p.checkValues(h.Encoding, b, int(h.NumValues))
}

// checkV2 looks at a page whose levels lie before the packed values.
func (p *Pages) checkV2(h *format.DataPageHeaderV2) error {
	if err := p.checkCount(h.NumValues); err != nil {
		return err
	}
	b := p.body
	for _, levels := range []struct {
		what        string
		length, max int
	}{
		{"repetition levels", int(h.RepetitionLevelsByteLength), p.column.MaxRepetitionLevel()},
		{"definition levels", int(h.DefinitionLevelsByteLength), p.column.MaxDefinitionLevel()},
	} {
		if !budget.Within(0, levels.length, len(b)) {
			return fmt.Errorf("%s of %d bytes in a page of %d", levels.what, levels.length, len(b))
		}
		if levels.max > 0 {
			if err := checkLevels(format.RLE, b[:levels.length], levels.max, int(h.NumValues)); err != nil {
				return fmt.Errorf("%s: %w", levels.what, err)
			}
		}
		b = b[levels.length:]
	}
	if !h.IsCompressed.Valid || h.IsCompressed.V {
		var err error
		if b, err = p.unpack(b); err != nil {
			return err
		}
	}
	return p.checkValues(h.Encoding, b, int(h.NumValues))
}

func (p *Pages) checkValues(encoding format.Encoding, b []byte, values int) error {
	if (encoding == plainDictionary || encoding == format.RLEDictionary) && !p.dictionary {
		return errors.New("its dictionary is not there")
	}
	if err := checkValues(encoding, p.column.Type().Kind(), b, values, p.limit.Bytes(int64(len(p.body)))); err != nil {
		return fmt.Errorf("values: %w", err)
	}
	return nil
}
