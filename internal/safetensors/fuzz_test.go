package safetensors

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime/metrics"
	"testing"

	"github.com/linnet-ml/linnet/internal/boundary"
)

// boundaries are numbers at which sums and products overflow, and some less.
func boundaries() (list []uint64) {
	for _, n := range []uint64{1<<31 - 1, 1 << 31, 1<<32 - 1, 1 << 32, 1 << 53, 1 << 62, 1<<63 - 1, 1 << 63, 1<<64 - 1} {
		for _, less := range []uint64{0, 1, 2, 3, 4, 7, 8, 16} {
			list = append(list, n-less)
		}
	}
	return list
}

// boundaryFiles have a number of the boundaries at each place that has one.
func boundaryFiles() (files [][]byte) {
	data := make([]byte, 16)
	for _, n := range boundaries() {
		good := file(`{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}`, data...)
		binary.LittleEndian.PutUint64(good, n)
		files = append(files, good)
		for _, header := range []string{
			`{"a":{"dtype":"U8","shape":[%d],"data_offsets":[0,16]}}`,
			`{"a":{"dtype":"F32","shape":[4,%d],"data_offsets":[0,16]}}`,
			`{"a":{"dtype":"F4","shape":[%d,4],"data_offsets":[0,16]}}`,
			`{"a":{"dtype":"U8","shape":[0,%d],"data_offsets":[0,0]}}`,
			`{"a":{"dtype":"U8","shape":[%[1]d,%[1]d],"data_offsets":[0,16]}}`,
			`{"a":{"dtype":"F32","shape":[4],"data_offsets":[%d,16]}}`,
			`{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,%d]}}`,
			`{"a":{"dtype":"U8","shape":[%[1]d],"data_offsets":[0,%[1]d]}}`,
			`{"a":{"dtype":"U8","shape":[0],"data_offsets":[%[1]d,%[1]d]}}`,
			`{"a":{"dtype":"U8","shape":[16],"data_offsets":[0,16]},"b":{"dtype":"U8","shape":[0],"data_offsets":[%[1]d,%[1]d]}}`,
		} {
			files = append(files, file(fmt.Sprintf(header, n), data...))
		}
		if n <= math.MaxInt64-16 {
			files = append(files, file(fmt.Sprintf(`{"a":{"dtype":"F32","shape":[4],"data_offsets":[%d,%d]}}`, n, n+16), data...))
		}
	}
	return files
}

// No number at the edge of an integer makes a file of 16 bytes into another one.
func TestBoundaryNumbers(t *testing.T) {
	for _, b := range boundaryFiles() {
		if f, err := open(b); err == nil {
			t.Errorf("accepted %q as %v", b, f.Tensors())
		}
	}
}

func addFiles(f *testing.F) {
	for _, pattern := range []string{"testdata/malformed/*.safetensors", "testdata/interchange/*.safetensors"} {
		files, _ := filepath.Glob(pattern)
		if len(files) == 0 {
			f.Fatalf("no files %s", pattern)
		}
		for _, name := range files {
			b, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
		}
	}
	for _, b := range boundaryFiles() {
		f.Add(b)
	}
	f.Add(file(`{"__metadata__":{"a":"b"},"a":{"dtype":"U8","shape":[2,2],"data_offsets":[0,4]}}`, 1, 2, 3, 4))
	f.Add(file(`{"a":{"dtype":"F64","shape":[],"data_offsets":[0,8]}}`, 0, 0, 0, 0, 0, 0, 0xf0, 0x7f))
}

// allocated is the bytes that this process has allocated; the counting lags by what one size class of a processor holds.
func allocated() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

func FuzzOpen(f *testing.F) {
	addFiles(f)
	header := `{"__metadata__":{"a":"b"},"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"b":{"dtype":"I64","shape":[],"data_offsets":[8,16]}}`
	data := make([]byte, 16)
	for changed := range boundary.Decimals([]byte(header)) {
		f.Add(file(string(changed), data...))
	}
	for changed := range boundary.Words(file(header, data...), 8, 0) {
		f.Add(changed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		before := allocated()
		g, err := open(b)
		if used := allocated() - before; used > uint64(64*len(b)+1<<20) {
			t.Fatalf("a file of %d bytes made Open allocate %d", len(b), used)
		}
		h, err2 := OpenBytes(context.Background(), b)
		if fmt.Sprint(err) != fmt.Sprint(err2) {
			t.Fatalf("Open: %v, OpenBytes: %v", err, err2)
		}
		if err != nil {
			if len(err.Error()) > 2000 {
				t.Fatalf("an error of %d characters", len(err.Error()))
			}
			return
		}
		header := int64(binary.LittleEndian.Uint64(b))
		if !json.Valid(b[lengthBytes : lengthBytes+header]) {
			t.Fatal("accepted a header that is not JSON")
		}
		total := int64(0)
		var entries []Entry
		for i, x := range g.Tensors() {
			raw, err := x.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			y := h.Tensors()[i]
			if y.Raw() == nil || !bytes.Equal(raw, y.Raw()) {
				t.Fatalf("%q: the bytes in memory are others", x.Name)
			}
			total += int64(len(raw))
			entries = append(entries, Entry{x.Name, x.Shape, RawData{x.DType, raw}})
			checkFloats(t, x, y)
		}
		if lengthBytes+header+total != int64(len(b)) {
			t.Fatalf("accepted, but %d bytes of %d are accounted for", lengthBytes+header+total, len(b))
		}
		for _, l := range []Layout{Reference, Aligned} {
			var again bytes.Buffer
			if err := Write(context.Background(), &again, g.Metadata(), entries, l); err != nil {
				t.Fatal(err)
			}
			f, err := OpenBytes(context.Background(), again.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			if fmt.Sprint(f.Metadata()) != fmt.Sprint(g.Metadata()) {
				t.Fatalf("metadata %q became %q", g.Metadata(), f.Metadata())
			}
			for _, x := range h.Tensors() {
				y, err := f.Tensor(x.Name)
				if err != nil || y.DType != x.DType || fmt.Sprint(y.Shape) != fmt.Sprint(x.Shape) || !bytes.Equal(x.Raw(), y.Raw()) {
					t.Fatalf("%q is another tensor after writing (%v)", x.Name, err)
				}
			}
		}
	})
}

// checkFloats reads a tensor from a file and from memory, and where it lies.
func checkFloats(t *testing.T, x, y Tensor) {
	ctx := context.Background()
	a, b := make([]float32, x.Len()), make([]float32, x.Len())
	c := Conversion{RoundF64: true}
	err := x.ReadFloat32(ctx, a, c)
	if err2 := y.ReadFloat32(ctx, b, c); fmt.Sprint(err) != fmt.Sprint(err2) {
		t.Fatalf("from a file: %v, from memory: %v", err, err2)
	}
	for i := range a {
		if err == nil && math.Float32bits(a[i]) != math.Float32bits(b[i]) {
			t.Fatalf("element %d is %v and %v", i, a[i], b[i])
		}
	}
	if v, ok := y.Float32View(); ok {
		for i := range v {
			if math.Float32bits(a[i]) != math.Float32bits(v[i]) {
				t.Fatalf("element %d is %v and %v", i, a[i], v[i])
			}
		}
	}
}

func FuzzIndex(f *testing.F) {
	b, err := os.ReadFile("testdata/interchange/sharded/model.safetensors.index.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	for _, c := range badIndexes {
		f.Add([]byte(c.index))
	}
	for changed := range boundary.Decimals(b) {
		f.Add(changed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		before := allocated()
		x, err := ParseIndex(context.Background(), b)
		if used := allocated() - before; used > uint64(64*len(b)+1<<20) {
			t.Fatalf("an index of %d bytes made ParseIndex allocate %d", len(b), used)
		}
		if err != nil {
			if len(err.Error()) > 2000 {
				t.Fatalf("an error of %d characters", len(err.Error()))
			}
			return
		}
		if !json.Valid(b) {
			t.Fatal("accepted what is not JSON")
		}
		for _, name := range x.Files() {
			if !filepath.IsLocal(name) || filepath.Base(name) != name {
				t.Fatalf("accepted the file %q", name)
			}
		}
	})
}
