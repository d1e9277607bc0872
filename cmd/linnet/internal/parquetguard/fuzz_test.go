package parquetguard

import (
	"iter"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/internal/boundary"
	"github.com/linnet-ml/linnet/internal/ratio"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/format"
)

// boundaryFiles have a number at which sizes go wrong in each place of the footer and of a page's header that has one.
func boundaryFiles(t testing.TB) iter.Seq[[]byte] {
	text := prefix([]byte("text")...)
	return func(yield func([]byte) bool) {
		for _, n := range boundary.Numbers() {
			for place := range 9 {
				p := dataPage(format.Plain, 1, text...)
				c := format.ColumnMetaData{PathInSchema: []string{"text"}, DataPageOffset: 4}
				rows := int64(1)
				switch place {
				case 0:
					p.header.CompressedPageSize = int32(n)
				case 1:
					p.header.UncompressedPageSize = int32(n)
				case 2:
					p.header.DataPageHeader.V.NumValues = int32(n)
				}
				b := append(append([]byte(magic), thriftBytes(t, &p.header)...), p.body...)
				c.TotalCompressedSize = int64(len(b)) - 4
				switch place {
				case 3:
					c.DataPageOffset = int64(n)
				case 4:
					c.DictionaryPageOffset = int64(n)
				case 5:
					c.TotalCompressedSize = int64(n)
				case 6:
					c.NumValues = int64(n)
				case 7:
					rows = int64(n)
				case 8:
					c.Codec = format.CompressionCodec(n)
				}
				m := metadata(required, c)
				m.NumRows, m.RowGroups[0].NumRows = rows, rows
				if !yield(withFooter(t, b, m)) {
					return
				}
			}
		}
	}
}

// No number at the edge of an integer takes memory that the file does not stand for.
func TestBoundaryNumbers(t *testing.T) {
	good := 0
	for b := range boundaryFiles(t) {
		before := allocated()
		list, err := values(b, ratio.Limit{}, 1000)
		if n := allocated() - before; n > 64<<20 || err != nil && strings.Contains(err.Error(), "panic") {
			t.Errorf("%d values, %d bytes of memory, error %v of %q", len(list), n, err, b)
		}
		if err == nil && len(list) == 1 && list[0] == "text" {
			good++
		}
	}
	if good == 0 {
		t.Error("no file is read")
	}
}

// FuzzOpen reads anything. No input may end in a panic outside the module, take memory out of proportion, or not end.
func FuzzOpen(f *testing.F) {
	for _, b := range arrowFiles(f) {
		f.Add(b)
	}
	for _, b := range bombs(f) {
		if len(b) < 10000 {
			f.Add(b)
		}
	}
	for b := range boundaryFiles(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		before := allocated()
		list, err := values(b, ratio.Limit{}, 1000)
		if n := allocated() - before; n > 256<<20 {
			t.Errorf("%d bytes take %d bytes of memory; %d values, error %v", len(b), n, len(list), err)
		}
	})
}

// FuzzPages reads anything as the pages of a column, which few changed bytes of a whole file reach.
func FuzzPages(f *testing.F) {
	columns := []format.SchemaElement{required, optional, list, boolean, fixed, number}
	for i := range columns {
		for _, encoding := range []format.Encoding{format.Plain, format.DeltaByteArray, format.DeltaLengthByteArray, format.DeltaBinaryPacked, format.RLE} {
			p := dataPage(encoding, 5, slicesOf(deltas(5, 1), deltas(5, 1), []byte("abcdefghijkl"))...)
			f.Add(uint8(i), uint8(format.Uncompressed), pageBytes(f, p))
		}
		dictionary := dictionaryPage(2, slicesOf(prefix('a', 'b'), prefix('c'), make([]byte, 16))...)
		f.Add(uint8(i), uint8(format.Uncompressed), pageBytes(f, dictionary, dataPage(format.RLEDictionary, 3, 1, 3, 5, 2, 0)))
		v2 := format.DataPageHeaderV2{NumValues: 3, NumRows: 3, Encoding: format.Plain, DefinitionLevelsByteLength: 2, RepetitionLevelsByteLength: 2}
		f.Add(uint8(i), uint8(format.Uncompressed), pageBytes(f, dataPageV2(v2, slicesOf([]byte{6, 0, 6, 1}, prefix('a'), prefix('b'), prefix('c'))...)))
		for codec, module := range map[format.CompressionCodec]compress.Codec{format.Snappy: &parquet.Snappy, format.Gzip: &parquet.Gzip,
			format.Brotli: &parquet.Brotli, format.Zstd: &parquet.Zstd, format.Lz4Raw: &parquet.Lz4Raw} {
			text := slicesOf(prefix('a', 'a', 'a', 'a'), prefix('a', 'a', 'a', 'a'))
			f.Add(uint8(i), uint8(codec), pageBytes(f, dataPage(format.Plain, 2).packed(len(text), packed(f, module, text))))
		}
	}
	for _, n := range boundary.Numbers() {
		for i, p := range []page{dataPage(format.Plain, int32(n), 1), dictionaryPage(int32(n), 1), dataPageV2(format.DataPageHeaderV2{NumValues: int32(n)}, 1),
			dataPageV2(format.DataPageHeaderV2{NumValues: 1, NumNulls: int32(n)}, 1),
			dataPageV2(format.DataPageHeaderV2{NumValues: 1, DefinitionLevelsByteLength: int32(n)}, 1),
			dataPage(format.DeltaByteArray, 1, uvarints(n, n, n, n)...), dataPage(format.DeltaByteArray, 1, deltas(1, int64(n))...)} {
			f.Add(uint8(i%2), uint8(format.Uncompressed), pageBytes(f, p))
		}
	}
	f.Fuzz(func(t *testing.T, column, codec uint8, b []byte) {
		file := columnOf(t, columns[int(column)%len(columns)], format.CompressionCodec(codec%8), b)
		before := allocated()
		list, err := values(file, ratio.Limit{}, 1000)
		if n := allocated() - before; n > 256<<20 {
			t.Errorf("%d bytes take %d bytes of memory; %d values, error %v", len(b), n, len(list), err)
		}
	})
}
