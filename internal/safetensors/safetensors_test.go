package safetensors

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func open(b []byte) (*File, error) {
	return Open(context.Background(), bytes.NewReader(b), int64(len(b)))
}

// file puts the length in front of a header and data behind it.
func file(header string, data ...byte) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), data...)
}

// checkError compares the whole text; after "…" it leaves the wording to encoding/json.
func checkError(t *testing.T, what string, err error, want string) {
	t.Helper()
	begin, open := strings.CutSuffix(want, "…")
	if err == nil || !strings.HasPrefix(err.Error(), begin) || !open && err.Error() != want {
		t.Errorf("%s:\n got %v\nwant %s", what, err, want)
	}
}

// The files with one fault each were made for this test; what the error says is part of the promise.
func TestMalformedFiles(t *testing.T) {
	wants := map[string]string{
		"st-cut-0":                              "safetensors: it is an empty file, not a safetensors file",
		"st-cut-135":                            "safetensors: header of 128 bytes in a file of 135, which is cut short",
		"st-cut-8":                              "safetensors: header of 128 bytes in a file of 8, which is cut short",
		"st-duplicate-field":                    `safetensors: byte 47: field "shape" occurs twice`,
		"st-duplicate-key":                      `safetensors: byte 66: name "a" occurs twice`,
		"st-header-length-0":                    "safetensors: byte 8: header does not begin with {",
		"st-header-length-18446744073709551615": "safetensors: header of 18446744073709551615 bytes in a file of 160 (limit 100000000)",
		"st-header-length-2147483648":           "safetensors: header of 2147483648 bytes in a file of 160 (limit 100000000)",
		"st-metadata-number":                    `safetensors: byte 32: metadata "n" is the number 1, want a string`,
		"st-negative-shape":                     "safetensors: byte 43: shape holds -2, want integers from 0 up",
		"st-not-utf8":                           "safetensors: byte 75: header is not UTF-8",
		"st-nul-start":                          "safetensors: byte 8: header does not begin with {",
		"st-offset-past-end":                    `safetensors: tensor "b": data_offsets [1099511627776,1099511627784], but the file has 24 bytes of data; it may be cut short`,
		"st-one-offset":                         `safetensors: byte 68: tensor "a": data_offsets has 1 values, want 2`,
		"st-shape-mismatch":                     `safetensors: byte 72: tensor "a": F32 of shape [3 2] needs 24 bytes, data_offsets are [0,16]`,
		"st-shape-overflow":                     `safetensors: byte 93: tensor "a": the size of shape [4294967296 4294967296 4] overflows`,
		"st-trailing-comma":                     "safetensors: byte 137: name is }, want a string",
		"st-trailing":                           "safetensors: data bytes 24 to 26 belong to no tensor",
	}
	if math.MaxInt == math.MaxInt32 { // there no size gets so far as to overflow
		wants["st-shape-overflow"] = `safetensors: byte 67: tensor "a": size 4294967296 is too large for this platform`
	}
	files, err := filepath.Glob("testdata/malformed/*.safetensors")
	if err != nil || len(files) != len(wants) {
		t.Fatalf("found %d files (%v), want %d", len(files), err, len(wants))
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		name = strings.TrimSuffix(filepath.Base(name), ".safetensors")
		_, err = open(b)
		checkError(t, name, err, wants[name])
	}
}

func TestMalformedHeaders(t *testing.T) {
	const a = `"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}`
	for _, c := range []struct {
		what, header string
		data         int
		want         string
	}{
		{"nested 100,000 deep", `{"a":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + "}", 0,
			"byte 14: header has [ where { is expected"},
		{"100,000 dimensions", `{"a":{"dtype":"F32","shape":[` + strings.Repeat("1,", 100_000) + `1],"data_offsets":[0,4]}}`, 4,
			"byte 166: shape has more than 64 values"},
		{"overlap", `{` + a + `,"b":{"dtype":"U8","shape":[2],"data_offsets":[3,5]}}`, 5,
			`tensor "b" begins at data byte 3, inside tensor "a", which ends at 4`},
		{"same bytes twice", `{` + a + `,"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4,
			`tensor "b" begins at data byte 0, inside tensor "a", which ends at 4`},
		{"empty tensor inside another", `{` + a + `,"b":{"dtype":"F32","shape":[0],"data_offsets":[2,2]}}`, 4,
			`tensor "b" begins at data byte 2, inside tensor "a", which ends at 4`},
		{"gap", `{` + a + `,"b":{"dtype":"U8","shape":[1],"data_offsets":[5,6]}}`, 6, "data bytes 4 to 5 belong to no tensor"},
		{"data without tensors", `{}`, 1, "data bytes 0 to 1 belong to no tensor"},
		{"offsets reversed", `{"a":{"dtype":"F32","shape":[0],"data_offsets":[4,0]}}`, 0,
			`byte 61: tensor "a": F32 of shape [0] needs 0 bytes, data_offsets are [4,0]`},
		{"4 bits", `{"a":{"dtype":"F4","shape":[1],"data_offsets":[0,1]}}`, 1,
			`byte 60: tensor "a": F4 of shape [1] does not fill whole bytes`},
		{"6 bits", `{"a":{"dtype":"F6_E2M3","shape":[3],"data_offsets":[0,2]}}`, 2,
			`byte 65: tensor "a": F6_E2M3 of shape [3] does not fill whole bytes`},
		{"4 bits read as 8", `{"a":{"dtype":"F4","shape":[4],"data_offsets":[0,4]}}`, 4,
			`byte 60: tensor "a": F4 of shape [4] needs 2 bytes, data_offsets are [0,4]`},
		{"unknown dtype", `{"a":{"dtype":"F32\u0000","shape":[1],"data_offsets":[0,1]}}`, 1,
			`byte 33: tensor "a": unknown dtype "F32\x00"`},
		{"unknown field", `{"a":{"stride":[1]}}`, 0, `byte 22: tensor "a": unknown field "stride"`},
		{"fields in capitals", `{"a":{"DType":"F32","shape":[1],"data_offsets":[0,4]}}`, 4, `byte 21: tensor "a": unknown field "DType"`},
		{"no shape", `{"a":{"dtype":"F32","data_offsets":[0,4]}}`, 4, `byte 49: tensor "a" has no shape`},
		{"fraction", `{"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}`, 4, "byte 40: shape holds 1.0, want integers from 0 up"},
		{"beyond int64", `{"a":{"dtype":"F32","shape":[9223372036854775808]}}`, 0,
			"byte 56: shape holds 9223372036854775808, want integers from 0 up"},
		{"metadata twice", `{"__metadata__":{},"__metadata__":{}}`, 0, `byte 41: name "__metadata__" occurs twice`},
		{"more than one value", `{} {}`, 0, "byte 12: something follows the header's closing brace"},
		{"brace missing", `{` + a, 4, "byte 61: header is not JSON: unexpected EOF"},
		{"half a surrogate", `{"\ud800":{}}`, 0, `byte 16: header is not JSON: \u in a string without a character`},
		{"two first halves", `{"\ud800\ud800":{}}`, 0, `byte 22: header is not JSON: \u in a string without a character`},
		{"three digits of a code", `{"\u00e":{}}`, 0, `byte 12: header is not JSON: \u in a string without a character`},
		{"line feed in a name", "{\"a\n\":{}}", 0, `byte 12: header is not JSON: a control character in a string`},
		{"line feed after an escape", "{\"\\t\n\":{}}", 0, `byte 13: header is not JSON: a control character in a string`},
		{"no such escape", `{"\x":{}}`, 0, `byte 12: header is not JSON: an escape that does not exist in a string`},
		{"no end of a name", `{"\"`, 0, `byte 12: header is not JSON: unexpected EOF`},
		{"octal", `{"a":{"shape":[01]}}`, 0, `byte 25: header is not JSON: the number 1 where , or ] is expected`},
		{"number without digits", `{"a":{"shape":[-]}}`, 0, `byte 24: header is not JSON: invalid number`},
		{"exponent", `{"a":{"shape":[1e0]}}`, 0, `byte 26: shape holds 1e0, want integers from 0 up`},
		{"minus zero", `{"a":{"dtype":"U8","shape":[-0],"data_offsets":[0,0]}}`, 0, `byte 38: shape holds -0, want integers from 0 up`},
		{"null", `{"a":null}`, 0, `byte 17: header has null where { is expected`},
		{"no value", `{"a":nul}`, 0, `byte 14: header is not JSON: invalid character 'n'`},
		{"comment", "{/**/}", 0, `byte 10: header is not JSON: invalid character '/'`},
		{"no colon", `{"a" {}}`, 0, `byte 14: header has { where : is expected`},
		{"no comma", `{"a":{"dtype":"U8" "shape":[]}}`, 0, `byte 34: header is not JSON: "shape" where , or } is expected`},
		{"a digit many times", `{"a":{"shape":[` + strings.Repeat("1", 1000) + `]}}`, 0,
			"byte 1023: shape holds " + strings.Repeat("1", 80) + ", want integers from 0 up"},
		{"a name of megabytes", `{"` + strings.Repeat("é", 1<<20) + `":1}`, 0, "byte 2097165: header has the number 1 where { is expected"},
		{"a name of megabytes in quotes", `{"` + strings.Repeat("é", 1<<20) + `":{"dtype":"` + strings.Repeat("\\n", 1<<20) + `"}}`, 0,
			`byte 4194327: tensor "` + strings.Repeat("é", 40) + `"…: unknown dtype "` + strings.Repeat(`\n`, 80) + `"…`},
		{"sizes that overflow on the way to 0", `{"a":{"dtype":"U8","shape":[2147483647,2147483647,2147483647,0],"data_offsets":[0,0]}}`, 0,
			`byte 93: tensor "a": the size of shape [2147483647 2147483647 2147483647 0] overflows`},
		{"offsets at the end of int64", `{"a":{"dtype":"U8","shape":[2],"data_offsets":[9223372036854775805,9223372036854775807]}}`, 2,
			`tensor "a": data_offsets [9223372036854775805,9223372036854775807], but the file has 2 bytes of data; it may be cut short`},
	} {
		_, err := open(file(c.header, make([]byte, c.data)...))
		checkError(t, c.what, err, "safetensors: "+c.want)
	}
}

// A header of millions of brackets or of a claimed size must cost no more than the file itself.
func TestMemoryInProportion(t *testing.T) {
	for _, b := range [][]byte{
		file(`{"a":` + strings.Repeat("[", 1<<20)),
		append(binary.LittleEndian.AppendUint64(nil, 99_999_999), make([]byte, 1<<20)...),
		file(`{"a":{"dtype":"F32","shape":[` + strings.Repeat("4611686018427387904,", 60) + `1],"data_offsets":[0,0]}}`),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := open(b); err == nil {
			t.Error("accepted")
		}
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > uint64(8*len(b)+64<<10) {
			t.Errorf("a file of %d bytes made Open allocate %d", len(b), used)
		}
	}
}

// The sums were taken by PyTorch, which wrote the files.
func TestFileFromPyTorch(t *testing.T) {
	want := []struct {
		name  string
		shape []int
		sum   float64
	}{
		{"embedding.weight", []int{300, 8}, 42.03083336632699},
		{"hidden.weight", []int{16, 8}, -3.4342630496248603},
		{"hidden.bias", []int{16}, -0.9784166812896729},
		{"output.weight", []int{1, 16}, 0.3791058240458369},
		{"output.bias", []int{1}, 0.15841922163963318},
	}
	for _, c := range []struct {
		file    string
		dtype   DType
		element func(b []byte) float64 // for the types that are handed out as bytes
		within  float64                // the rounding of the elements, added up
	}{
		{"torch-state_dict.safetensors", F32, nil, 0},
		{"torch-state_dict.bf16.safetensors", BF16, func(b []byte) float64 {
			return float64(math.Float32frombits(uint32(binary.LittleEndian.Uint16(b)) << 16))
		}, 0.1},
		{"torch-state_dict.f16.safetensors", F16, func(b []byte) float64 {
			bits := uint64(binary.LittleEndian.Uint16(b)) // no zero, denormal or infinity among the weights
			return math.Float64frombits(bits>>15<<63 | (bits>>10&31+1023-15)<<52 | bits&1023<<42)
		}, 0.02},
	} {
		b, err := os.ReadFile("testdata/" + c.file)
		if err != nil {
			t.Fatal(err)
		}
		f, err := open(b)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.Metadata()["format"]; c.dtype != F16 && got != "pt" {
			t.Errorf("%s: metadata %v", c.file, f.Metadata())
		}
		for _, w := range want {
			x, err := f.Tensor(w.name)
			if err != nil || x.DType != c.dtype || !cmp.Equal(x.Shape, w.shape) {
				t.Fatalf("%s: %s: %v %v, %v", c.file, w.name, x.DType, x.Shape, err)
			}
			sum := 0.0
			if c.element == nil {
				values, err := x.Float32()
				if err != nil {
					t.Fatal(err)
				}
				for _, v := range values {
					sum += float64(v)
				}
			} else {
				raw, err := x.Bytes()
				if err != nil {
					t.Fatal(err)
				}
				for i := range x.Len() {
					sum += c.element(raw[2*i:])
				}
			}
			if math.Abs(sum-w.sum) > c.within+1e-9 {
				t.Errorf("%s: sum of %s is %v, want %v", c.file, w.name, sum, w.sum)
			}
		}
	}
}

// A header whose length is no multiple of 8 leaves the elements unaligned, which is legal.
func TestUnalignedData(t *testing.T) {
	f, err := open(file(`{"a":{"dtype":"I64","shape":[],"data_offsets":[0,8]}} `, 1, 2, 3, 4, 5, 6, 7, 0x80))
	if err != nil {
		t.Fatal(err)
	}
	x, _ := f.Tensor("a")
	if got, err := x.Int64(); err != nil || got[0] != -0x7ff8f9fafbfcfdff {
		t.Errorf("got %#x, %v", got, err)
	}
	if _, err := x.Float32(); err == nil || err.Error() != `safetensors: tensor "a" holds I64, not F32` {
		t.Errorf("got %v", err)
	}
	if _, err := f.Tensor("b"); err == nil {
		t.Error("found a tensor that is not there")
	}
}

// What is written comes back bit for bit, also over several chunks, whatever order the entries are given in.
func TestWriteThenRead(t *testing.T) {
	floats := make(Float32Data, 3*chunkBytes/4+5)
	ints, longs := make(Int32Data, len(floats)), make(Int64Data, chunkBytes/8+1)
	for i := range floats {
		floats[i], ints[i] = math.Float32frombits(uint32(i)*2654435761), int32(uint32(i)*2654435761)
	}
	for i := range longs {
		longs[i] = int64(uint64(i) * 0x9e3779b97f4a7c15)
	}
	halves := make(BFloat16Data, chunkBytes/2+1)
	for i := range halves {
		halves[i] = uint16(i * 40503)
	}
	raw := bytes.Repeat([]byte{1, 2, 3}, chunkBytes)
	entries := []Entry{
		{"b/\"quoted\" é", []int{len(floats)}, floats},
		{"a", []int{1, len(ints), 1}, ints},
		{"longs", []int{len(longs)}, longs},
		{"raw", []int{len(raw) / 2}, RawData{F16, raw}},
		{"halves", []int{3}, Float16Data{1, 2, 0xffff}},
		{"upper halves", []int{len(halves)}, halves},
		{"bytes", []int{3}, Int8Data{-1, 0, 127}},
		{"unsigned", []int{2}, Uint8Data{0, 255}},
		{"scalar", nil, Float32Data{float32(math.Inf(-1))}},
		{"empty", []int{3, 0}, Int32Data(nil)},
	}
	metadata := map[string]string{"format": "pt", "a": "ü"}
	var first, second bytes.Buffer
	if err := Write(context.Background(), &first, metadata, entries, Reference); err != nil {
		t.Fatal(err)
	}
	reversed := make([]Entry, 0, len(entries))
	for i := len(entries) - 1; i >= 0; i-- {
		reversed = append(reversed, entries[i])
	}
	if err := Write(context.Background(), &second, metadata, reversed, Reference); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("the order of the entries changes the file")
	}
	f, err := open(first.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(metadata, f.Metadata()); d != "" {
		t.Error(d)
	}
	if start := binary.LittleEndian.Uint64(first.Bytes()); start%8 != 0 {
		t.Errorf("header of %d bytes leaves the data unaligned", start)
	}
	var order []string
	for _, x := range f.Tensors() {
		order = append(order, x.Name)
	}
	if d := cmp.Diff([]string{"longs", "b/\"quoted\" é", "scalar", "a", "empty", "upper halves", "halves", "raw", "bytes", "unsigned"}, order); d != "" {
		t.Error(d)
	}
	for _, e := range entries {
		x, err := f.Tensor(e.Name)
		if err != nil {
			t.Fatal(err)
		}
		if x.DType != e.Data.dtype() || fmt.Sprint(x.Shape) != fmt.Sprint(e.Shape) {
			t.Errorf("%s: %s %v", e.Name, x.DType, x.Shape)
		}
		want := make([]byte, e.Data.bytes())
		e.Data.put(want, 0)
		if got, err := x.Bytes(); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: bytes differ (%v)", e.Name, err)
		}
		if got, err := io.ReadAll(x.Section()); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: section differs (%v)", e.Name, err)
		}
		var again []byte
		switch x.DType {
		case F32:
			v, err := x.Float32()
			again = encode(t, Float32Data(v), err)
		case I32:
			v, err := x.Int32()
			again = encode(t, Int32Data(v), err)
		case I64:
			v, err := x.Int64()
			again = encode(t, Int64Data(v), err)
		default:
			continue
		}
		if !bytes.Equal(again, want) {
			t.Errorf("%s: elements differ", e.Name)
		}
	}
}

func encode(t *testing.T, d Data, err error) []byte {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, d.bytes())
	d.put(b, 0)
	return b
}

func TestWriteRefuses(t *testing.T) {
	for _, c := range []struct {
		entries []Entry
		want    string
	}{
		{[]Entry{{"a", []int{2}, Float32Data{1}}}, `safetensors: tensor "a": 4 bytes of F32 do not fill shape [2]`},
		{[]Entry{{"a", []int{-1, -1}, Float32Data{1}}}, `safetensors: tensor "a": shape [-1 -1] has a negative size`},
		{[]Entry{{"a", nil, Float32Data{1}}, {"a", nil, Float32Data{1}}}, `safetensors: two tensors are named "a"`},
		{[]Entry{{"__metadata__", nil, Float32Data{1}}}, `safetensors: a tensor cannot be named "__metadata__"`},
		{[]Entry{{"\xff", nil, Float32Data{1}}}, `safetensors: a tensor cannot be named "\xff"`},
		{[]Entry{{"a", nil, nil}}, `safetensors: tensor "a" has no data`},
		{[]Entry{{"a", nil, RawData{"F4", []byte{1}}}}, `safetensors: tensor "a": F4 of shape [] does not fill whole bytes`},
		{[]Entry{{"a", nil, RawData{"F", []byte{1}}}}, `safetensors: tensor "a": unknown dtype "F"`},
	} {
		var b bytes.Buffer
		if err := Write(context.Background(), &b, nil, c.entries, Reference); err == nil || err.Error() != c.want {
			t.Errorf("got %v\nwant %s", err, c.want)
		}
		if b.Len() != 0 {
			t.Errorf("%s: wrote %d bytes nevertheless", c.want, b.Len())
		}
	}
}

type failing struct{ at int64 }

func (r failing) ReadAt(p []byte, off int64) (int, error) {
	whole := file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, make([]byte, 8)...)
	if off+int64(len(p)) > r.at {
		return 0, errors.New("disk gone")
	}
	return copy(p, whole[off:]), nil
}

func TestReadErrorNamesThePlace(t *testing.T) {
	f, err := Open(context.Background(), failing{at: 62}, 70)
	if err != nil {
		t.Fatal(err)
	}
	x, _ := f.Tensor("a")
	if _, err := x.Float32(); err == nil || err.Error() != `safetensors: tensor "a" at byte 62 of the file: disk gone` {
		t.Errorf("got %v", err)
	}
}

// A size comes from who calls, as that of a file that could not be asked for it.
func TestNegativeSize(t *testing.T) {
	for _, size := range []int64{-1, math.MinInt64} {
		want := fmt.Sprintf("safetensors: a file of %d bytes cannot be", size)
		if _, err := Open(context.Background(), strings.NewReader(""), size); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
