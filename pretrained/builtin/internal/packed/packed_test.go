package packed

import (
	"bytes"
	"encoding/binary"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/linnet-ml/linnet/internal/boundary"
)

func small() *Table {
	return &Table{Words: [][]byte{[]byte("good"), []byte("bad"), {}}, Dim: 2, Step: 0.25, Values: []int8{1, -1, 0, 127, -127, 2}}
}

func encode(t testing.TB, table *Table) []byte {
	t.Helper()
	file, err := Encode(table)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func TestEncodeThenDecode(t *testing.T) {
	file := encode(t, small())
	if !bytes.Equal(file, encode(t, small())) {
		t.Error("the same table gives other bytes")
	}
	got, err := Decode(file)
	if err != nil || !reflect.DeepEqual(got, small()) {
		t.Errorf("got %+v, %v", got, err)
	}
	floats := make([]float32, 6)
	got.Floats(floats)
	if want := []float32{0.25, 31.75, -0.25, -31.75, 0, 0.5}; !slices.Equal(floats, want) {
		t.Errorf("got %v, want %v", floats, want)
	}
	for _, bad := range []*Table{{}, {Words: [][]byte{{}}, Dim: 2, Values: []int8{1}}, {Words: [][]byte{[]byte("a\nb")}, Dim: 1, Values: []int8{1}}} {
		if _, err := Encode(bad); err == nil || !strings.HasPrefix(err.Error(), "packed: ") {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

// body packs a body with the right checksum.
func body(t testing.TB, words, dim uint32, step float32, rest string) []byte {
	t.Helper()
	b := binary.LittleEndian.AppendUint32(nil, words)
	b = binary.LittleEndian.AppendUint32(b, dim)
	b = binary.LittleEndian.AppendUint32(b, math.Float32bits(step))
	return seal(t, append(b, rest...))
}

func seal(t testing.TB, b []byte) []byte {
	t.Helper()
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	file := binary.LittleEndian.AppendUint32([]byte(magic), version)
	return z.EncodeAll(b, binary.LittleEndian.AppendUint32(file, checksum(b)))
}

func TestDecodeErrors(t *testing.T) {
	good := encode(t, small())
	change := func(at int) []byte {
		b := slices.Clone(good)
		b[at] ^= 1
		return b
	}
	nan := float32(math.NaN())
	for _, c := range []struct {
		file []byte
		want string
	}{
		{nil, "packed: not a table of this format"},
		{change(0), "packed: not a table of this format"},
		{change(8), "packed: version 0, want 1"},
		{change(12), "packed: checksum "},
		{good[:len(good)-1], "packed: unexpected EOF"},
		{seal(t, []byte("short")), "packed: body of 5 bytes"},
		{body(t, 0, 1, 1, "a\n\x01"), "packed: 0 words of dimension 1 do not fit 3 bytes"},
		{body(t, math.MaxUint32, math.MaxUint32, 1, "a\n\x01"), "packed: 4294967295 words of dimension 4294967295 do not fit 3 bytes"},
		{body(t, 1, 1, 0, "a\n\x01"), "packed: step 0"},
		{body(t, 1, 1, nan, "a\n\x01"), "packed: step NaN"},
		{body(t, 1, 1, 1, "aa"), "packed: word 0 does not end"},
		{body(t, 1, 1, 1, "a\n\x01\x01"), "packed: 2 bytes of values, want 1"},
	} {
		if _, err := Decode(c.file); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("got %v\nwant %s", err, c.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(encode(f, small()))
	f.Add(body(f, 1, 1, 1, "a\n\x01"))
	f.Add(body(f, 2, 1<<31, 1, "a\nb\n\x01"))
	for i, n := range boundary.Numbers() {
		if n > math.MaxUint32 {
			break
		}
		words, dim := uint32(n), uint32(n)
		switch i % 3 {
		case 0:
			words = 1
		case 1:
			dim = 1
		}
		f.Add(body(f, words, dim, 1, "a\n\x01"))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		table, err := Decode(file)
		if err != nil {
			return
		}
		if len(table.Values) != len(table.Words)*table.Dim {
			t.Fatalf("%d words of dimension %d with %d values", len(table.Words), table.Dim, len(table.Values))
		}
		again, err := Decode(encode(t, table))
		if err != nil || !reflect.DeepEqual(again, table) {
			t.Fatalf("written again: %v", err)
		}
	})
}
