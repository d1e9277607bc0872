package boundary

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"io"
	"math"
	"slices"
	"testing"

	"github.com/klauspost/compress/zstd"
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

func TestZip(t *testing.T) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	to, err := w.CreateRaw(&zip.FileHeader{Name: "a", CompressedSize64: 3, UncompressedSize64: 3})
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(to, "abc")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	sizes, refused := map[uint64]bool{}, 0
	for b := range Zip(b.Bytes()) {
		r, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			refused++
		} else if len(r.File) > 0 {
			sizes[r.File[0].UncompressedSize64] = true
		}
	}
	if !sizes[math.MaxUint32-1] || !sizes[0] || !sizes[3] || refused == 0 {
		t.Errorf("%d sizes are read, %d archives refused", len(sizes), refused)
	}
}

func TestZstd(t *testing.T) {
	sizes, whole, skipped := map[uint64]bool{}, 0, 0
	for b := range Zstd([]byte("ab")) {
		var h zstd.Header
		if err := h.Decode(b); err != nil {
			t.Fatal(err)
		}
		if h.Skippable {
			skipped++
			continue
		}
		sizes[h.FrameContentSize] = true
		if r, err := zstd.NewReader(bytes.NewReader(b)); err != nil {
			t.Fatal(err)
		} else if got, err := io.ReadAll(r); err == nil && string(got) == "ab" {
			whole++
		}
	}
	if len(sizes) != len(Numbers()) || whole == 0 || skipped == 0 {
		t.Errorf("%d sizes; %d frames are whole, %d come after one to be skipped", len(sizes), whole, skipped)
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
