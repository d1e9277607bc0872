package boundary

import (
	"archive/tar"
	"bytes"
	"io"
	"math"
	"slices"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

func TestNumbers(t *testing.T) {
	list := Numbers()
	if !slices.IsSorted(list) || len(slices.Compact(slices.Clone(list))) != len(list) {
		t.Errorf("not sorted, or with doubles: %d", list)
	}
	for _, n := range []uint64{0, math.MaxInt32, 1 << 31, math.MaxUint32, 1 << 32, 1 << 62, math.MaxInt64, math.MaxInt64 - 5, 1 << 63, math.MaxUint64, math.MaxUint64 - 47} {
		if !slices.Contains(list, n) {
			t.Errorf("%d is missing", n)
		}
	}
}

func TestDecimals(t *testing.T) {
	n, first, last := 0, "", ""
	for b := range Decimals([]byte(`{"F32":[12,3]}`)) {
		if n == 0 {
			first = string(b)
		}
		n++
		last = string(b)
	}
	if want := 2 * (len(Numbers()) + 1); n != want || first != `{"F32":[0,3]}` || last != `{"F32":[12,-1]}` {
		t.Errorf("%d texts, want %d; the first %s, the last %s", n, want, first, last)
	}
}

func TestWords(t *testing.T) {
	n := 0
	for b := range Words([]byte("abcdef"), 2, -1, 1, 5) {
		if len(b) != 6 || b[0] != 'a' || !bytes.Equal(b[3:], []byte("def")) {
			t.Fatalf("%q", b)
		}
		n++
	}
	if n == 0 || n >= len(Numbers()) {
		t.Errorf("%d files", n)
	}
	n = 0
	for range Words(make([]byte, 8), 8, 0) {
		n++
	}
	if n != len(Numbers()) {
		t.Errorf("%d files of 8 bytes", n)
	}
}

func TestProtobuf(t *testing.T) {
	inner := protowire.AppendVarint(protowire.AppendTag(nil, 3, protowire.VarintType), 5)
	message := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), inner)
	message = protowire.AppendVarint(protowire.AppendTag(message, 2, protowire.VarintType), 7)
	n := 0
	for b := range Protobuf(message, 1) {
		if !isMessage(b) {
			t.Fatalf("%x", b)
		}
		n++
	}
	if n != 2*len(Numbers()) {
		t.Errorf("%d messages", n)
	}
}

func TestTar(t *testing.T) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: "a", Size: 3}); err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, "abc")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	sizes := map[int64]bool{}
	for b := range Tar(b.Bytes()) {
		if h, err := tar.NewReader(bytes.NewReader(b)).Next(); err == nil {
			sizes[h.Size] = true
		}
	}
	if !sizes[math.MaxInt64] || !sizes[1<<62] || !sizes[0] {
		t.Errorf("%d sizes are read", len(sizes))
	}
}

func TestEvery(t *testing.T) {
	n := 0
	for range Every(7, Words(make([]byte, 8), 8, 0)) {
		n++
	}
	if n != len(Numbers())/7 {
		t.Errorf("%d files", n)
	}
}
