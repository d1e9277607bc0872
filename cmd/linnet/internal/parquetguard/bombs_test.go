package parquetguard

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/internal/ratio"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// page is a page of a made-up file.
type page struct {
	header format.PageHeader
	body   []byte
}

// packed is a page with a body that is said to unpack to so many bytes.
func (p page) packed(size int, body []byte) page {
	p.header.UncompressedPageSize, p.header.CompressedPageSize, p.body = int32(size), int32(len(body)), body
	return p
}

func dataPage(encoding format.Encoding, values int32, body ...byte) page {
	p := page{header: format.PageHeader{Type: format.DataPage}}
	p.header.DataPageHeader = thrift.New(format.DataPageHeader{
		NumValues: values, Encoding: encoding, DefinitionLevelEncoding: format.RLE, RepetitionLevelEncoding: format.RLE})
	return p.packed(len(body), body)
}

func dataPageV2(h format.DataPageHeaderV2, body ...byte) page {
	p := page{header: format.PageHeader{Type: format.DataPageV2, DataPageHeaderV2: thrift.New(h)}}
	return p.packed(len(body), body)
}

func dictionaryPage(values int32, body ...byte) page {
	p := page{header: format.PageHeader{Type: format.DictionaryPage}}
	p.header.DictionaryPageHeader = thrift.New(format.DictionaryPageHeader{NumValues: values, Encoding: format.Plain})
	return p.packed(len(body), body)
}

// A column of a made-up file.
var (
	required = format.SchemaElement{Name: "text", Type: thrift.New(format.ByteArray), RepetitionType: thrift.New(format.Required)}
	optional = format.SchemaElement{Name: "text", Type: thrift.New(format.ByteArray), RepetitionType: thrift.New(format.Optional)}
	list     = format.SchemaElement{Name: "text", Type: thrift.New(format.ByteArray), RepetitionType: thrift.New(format.Repeated)}
	number   = format.SchemaElement{Name: "text", Type: thrift.New(format.Int64), RepetitionType: thrift.New(format.Required)}
	boolean  = format.SchemaElement{Name: "text", Type: thrift.New(format.Boolean), RepetitionType: thrift.New(format.Required)}
	fixed    = format.SchemaElement{Name: "text", Type: thrift.New(format.FixedLenByteArray), TypeLength: thrift.New[int32](1 << 20), RepetitionType: thrift.New(format.Required)}
)

// madeUp is a file of one column.
func madeUp(t testing.TB, column format.SchemaElement, codec format.CompressionCodec, pages ...page) []byte {
	t.Helper()
	return columnOf(t, column, codec, pageBytes(t, pages...))
}

func pageBytes(t testing.TB, pages ...page) (b []byte) {
	t.Helper()
	for _, p := range pages {
		b = append(append(b, thriftBytes(t, &p.header)...), p.body...)
	}
	return b
}

// columnOf is a file of one column with these bytes.
func columnOf(t testing.TB, column format.SchemaElement, codec format.CompressionCodec, b []byte) []byte {
	t.Helper()
	b = append([]byte(magic), b...)
	return withFooter(t, b, metadata(column, format.ColumnMetaData{
		PathInSchema: []string{"text"}, Codec: codec, NumValues: 1,
		TotalUncompressedSize: int64(len(b) - 4), TotalCompressedSize: int64(len(b) - 4), DataPageOffset: 4,
	}))
}

// metadata is the footer of a file of one row.
func metadata(column format.SchemaElement, chunk format.ColumnMetaData) *format.FileMetaData {
	chunk.Type = column.Type.V
	return &format.FileMetaData{
		Version:   1,
		Schema:    []format.SchemaElement{{Name: "schema", NumChildren: thrift.New[int32](1)}, column},
		NumRows:   1,
		RowGroups: []format.RowGroup{{Columns: []format.ColumnChunk{{MetaData: chunk}}, NumRows: 1}},
	}
}

func withFooter(t testing.TB, b []byte, m *format.FileMetaData) []byte {
	t.Helper()
	return footed(b, thriftBytes(t, m))
}

// footed ends a file.
func footed(b, footer []byte) []byte {
	return append(binary.LittleEndian.AppendUint32(append(bytes.Clone(b), footer...), uint32(len(footer))), magic...)
}

func thriftBytes(t testing.TB, v any) []byte {
	t.Helper()
	b, err := thrift.Marshal(new(thrift.CompactProtocol), v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func uvarints(list ...uint64) (b []byte) {
	for _, v := range list {
		b = binary.AppendUvarint(b, v)
	}
	return b
}

// prefix puts the length of the bytes before them.
func prefix(b ...byte) []byte {
	return append(binary.LittleEndian.AppendUint32(nil, uint32(len(b))), b...)
}

// deltas are n numbers, the first and its like, as DELTA_BINARY_PACKED.
func deltas(n uint64, first int64) []byte {
	b := binary.AppendVarint(uvarints(1<<16, 4, n), first)
	for left := int64(n) - 1; left > 0 && left < 1<<30; left -= 1 << 16 {
		b = append(binary.AppendVarint(b, 0), 0, 0, 0, 0) // differences of no bits
	}
	return b
}

// bombs are files of few bytes that the module would need much memory for, or time.
func bombs(t testing.TB) map[string][]byte {
	const many = math.MaxInt32
	text := prefix([]byte("text")...)
	run := append([]byte{1}, append(uvarints(many-1), 0)...) // indexes of one bit, and 2³⁰ of them at once
	plain := func(list ...page) []byte { return madeUp(t, required, format.Uncompressed, list...) }

	zeros := make([]byte, 64<<20)
	zstd := packed(t, &parquet.Zstd, zeros)
	lie := []byte{0x28, 0xB5, 0x2F, 0xFD, 0xE0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0} // a zstd frame said to have 4 GiB, and that has none

	deep := []format.SchemaElement{{Name: "schema", NumChildren: thrift.New[int32](1)}}
	for range 20000 {
		deep = append(deep, format.SchemaElement{Name: "a", NumChildren: thrift.New[int32](1)})
	}
	wide := []format.SchemaElement{{Name: "schema", NumChildren: thrift.New[int32](5000)}}
	for range 5000 {
		wide = append(wide, required)
	}
	v2 := format.DataPageHeaderV2{NumValues: 1 << 20, NumRows: 1, Encoding: format.Plain, DefinitionLevelsByteLength: 6}

	return map[string][]byte{
		"length of the footer":    append([]byte(magic+"\xff\xff\xff\x7f"), magic...),
		"list of columns":         footed([]byte(magic), append([]byte{0x15, 2, 0x19, 0xFC}, uvarints(many)...)),
		"map":                     footed([]byte(magic), append([]byte{0x1B}, append(uvarints(many), 0xCC)...)),
		"empty row groups":        footed([]byte(magic), slicesOf([]byte{0x15, 2, 0x39, 0xFC}, uvarints(1<<20), make([]byte, 1<<20+1))),
		"nested Thrift":           footed([]byte(magic), bytes.Repeat([]byte{0xFC}, 1<<20)),
		"nested columns":          withFooter(t, []byte(magic), &format.FileMetaData{Schema: deep}),
		"columns × row groups":    withFooter(t, []byte(magic), &format.FileMetaData{Schema: wide, RowGroups: make([]format.RowGroup, 5000)}),
		"header of a page":        columnOf(t, required, format.Uncompressed, append([]byte{0x19, 0xF8}, uvarints(many, many)...)),
		"text in a header":        columnOf(t, required, format.Uncompressed, append([]byte{0x5C, 0x5C, 0x18}, uvarints(many)...)),
		"values of a page":        plain(dataPage(format.Plain, many, text...)),
		"values of a dictionary":  plain(dictionaryPage(many, text...), dataPage(format.RLEDictionary, 1, 1, 2, 0)),
		"long values":             madeUp(t, fixed, format.Uncompressed, dataPage(format.DeltaByteArray, 1<<16, deltas(1<<16, 0)...)),
		"run of indexes":          plain(dictionaryPage(1, text...), dataPage(format.RLEDictionary, 1, run...)),
		"runs of indexes":         plain(dictionaryPage(1, text...), dataPage(format.RLEDictionary, 1, append([]byte{0}, bytes.Repeat(uvarints(2<<13), 1<<18)...)...)),
		"packed indexes":          plain(dictionaryPage(1, text...), dataPage(format.RLEDictionary, 1, append([]byte{0}, uvarints(1<<28|1)...)...)),
		"run of definitions":      madeUp(t, optional, format.Uncompressed, dataPage(format.Plain, 1, slicesOf(prefix(run[1:]...), text)...)),
		"run of repetitions":      madeUp(t, list, format.Uncompressed, dataPage(format.Plain, 1, slicesOf(prefix(run[1:]...), prefix(2, 1), text)...)),
		"run of definitions, v2":  madeUp(t, optional, format.Uncompressed, dataPageV2(v2, slicesOf(run[1:], text)...)),
		"length of definitions":   madeUp(t, optional, format.Uncompressed, dataPageV2(format.DataPageHeaderV2{NumValues: 1, DefinitionLevelsByteLength: many}, text...)),
		"run of truths":           madeUp(t, boolean, format.Uncompressed, dataPage(format.RLE, 1, prefix(run[1:]...)...)),
		"differences":             plain(dataPage(format.DeltaLengthByteArray, 1, deltas(many, 0)...)),
		"differences of numbers":  madeUp(t, number, format.Uncompressed, dataPage(format.DeltaBinaryPacked, 1, deltas(many, 0)...)),
		"texts that begin alike":  plain(dataPage(format.DeltaByteArray, 1<<16, slicesOf(deltas(1<<16, 1<<14), deltas(1<<16, 0))...)),
		"lengths without texts":   plain(dataPage(format.DeltaByteArray, 1<<10, slicesOf(deltas(1<<10, 0), deltas(1<<10, many))...)),
		"size of a page":          madeUp(t, required, format.Zstd, dataPage(format.Plain, 1).packed(64<<20, zstd)),
		"size that is a lie":      madeUp(t, required, format.Zstd, dataPage(format.Plain, 1).packed(8, zstd)),
		"size of a dictionary":    madeUp(t, required, format.Zstd, dictionaryPage(1).packed(8, zstd), dataPage(format.RLEDictionary, 1, 0)),
		"size in zstd":            madeUp(t, required, format.Zstd, dataPage(format.Plain, 1).packed(8, lie)),
		"size in snappy":          madeUp(t, required, format.Snappy, dataPage(format.Plain, 1).packed(8, slicesOf(uvarints(math.MaxUint32), text))),
		"lz4 without an end":      madeUp(t, required, format.Lz4Raw, dataPage(format.Plain, 1).packed(8, []byte{0xF0, 0xFF, 0xFF})),
		"gzip":                    madeUp(t, required, format.Gzip, dataPage(format.Plain, 1).packed(8, packed(t, &parquet.Gzip, zeros))),
		"brotli":                  madeUp(t, required, format.Brotli, dataPage(format.Plain, 1).packed(8, packed(t, &parquet.Brotli, zeros))),
		"lz4":                     madeUp(t, required, format.Lz4Raw, dataPage(format.Plain, 1).packed(8, packed(t, &parquet.Lz4Raw, zeros))),
		"a dictionary in no page": plain(dataPage(format.RLEDictionary, 1, 1, 2, 0)),
	}
}

func slicesOf(list ...[]byte) []byte { return bytes.Join(list, nil) }

func packed(t testing.TB, codec compress.Codec, b []byte) []byte {
	t.Helper()
	b, err := codec.Encode(nil, b)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Each bomb is refused before the module sees it, so none costs more memory than the slack of every packed input.
func TestBombs(t *testing.T) {
	for name, b := range bombs(t) {
		before := allocated()
		_, err := values(b, ratio.Limit{}, math.MaxInt)
		n := allocated() - before
		if err == nil || strings.Contains(err.Error(), "panic") || n > 64<<20 {
			t.Errorf("%s: %d bytes take %d; error %v", name, len(b), n, err)
		}
	}
}

// What is packed more tightly than usual is read where the limit is raised.
func TestRatio(t *testing.T) {
	text := prefix(bytes.Repeat([]byte{'a'}, 32<<20)...)
	b := madeUp(t, required, format.Zstd, dataPage(format.Plain, 1).packed(len(text), packed(t, &parquet.Zstd, text)))
	if _, err := values(b, ratio.Limit{Option: "--max-ratio"}, 10); !errors.Is(err, ratio.ErrExceeded) || !strings.HasSuffix(err.Error(), "raise --max-ratio") {
		t.Errorf("error %v", err)
	}
	if list, err := values(b, ratio.Limit{Ratio: 1e6}, 10); err != nil || len(list) != 1 {
		t.Errorf("%d values, error %v", len(list), err)
	}
}
