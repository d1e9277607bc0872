package safetensors

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const interchange = "testdata/interchange/" // interchange.py there says how the files were made

func readJSON(t *testing.T, name string, v any) {
	t.Helper()
	b, err := os.ReadFile(interchange + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatal(err)
	}
}

// openBoth opens a file, or the files of an index, from a reader and from memory.
func openBoth(t *testing.T, name string) (fromReader, fromMemory *File) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Ext(name) != ".json" {
		if fromReader, err = open(b); err != nil {
			t.Fatal(err)
		}
		if fromMemory, err = OpenBytes(context.Background(), b); err != nil {
			t.Fatal(err)
		}
		return fromReader, fromMemory
	}
	x, err := ParseIndex(context.Background(), b)
	if err != nil {
		t.Fatal(err)
	}
	var readers, memories []*File
	for _, shard := range x.Files() {
		r, m := openBoth(t, filepath.Join(filepath.Dir(name), shard))
		readers, memories = append(readers, r), append(memories, m)
	}
	if fromReader, err = x.Join(readers); err != nil {
		t.Fatal(err)
	}
	if fromMemory, err = x.Join(memories); err != nil {
		t.Fatal(err)
	}
	return fromReader, fromMemory
}

// Files that NumPy, PyTorch and huggingface_hub wrote are read to the bit, every type and value of them.
func TestWrittenByOthers(t *testing.T) {
	var expected struct {
		Files map[string]struct {
			Metadata map[string]string
			Tensors  map[string]struct {
				DType   DType
				Shape   []int
				Bytes   string
				Float32 *string
			}
		}
	}
	readJSON(t, "expected.json", &expected)
	types := map[DType]bool{}
	for name, want := range expected.Files {
		r, m := openBoth(t, interchange+name)
		for _, f := range []*File{r, m} {
			if d := cmp.Diff(want.Metadata, f.Metadata()); d != "" {
				t.Errorf("%s: %s", name, d)
			}
			if len(f.Tensors()) != len(want.Tensors) {
				t.Errorf("%s has %d tensors, want %d", name, len(f.Tensors()), len(want.Tensors))
			}
			for n, w := range want.Tensors {
				x, err := f.Tensor(n)
				if err != nil {
					t.Fatal(name, err)
				}
				types[x.DType] = true
				if x.DType != w.DType || !cmp.Equal(x.Shape, w.Shape) {
					t.Errorf("%s: %q is %s %v, want %s %v", name, n, x.DType, x.Shape, w.DType, w.Shape)
				}
				if b, err := x.Bytes(); err != nil || hex.EncodeToString(b) != w.Bytes {
					t.Errorf("%s: %q holds %x (%v), want %s", name, n, b, err, w.Bytes)
				}
				v := make([]float32, x.Len())
				err = x.ReadFloat32(context.Background(), v, Conversion{RoundF64: true})
				if (err == nil) != (w.Float32 != nil) {
					t.Errorf("%s: %q as float32: %v", name, n, err)
				}
				if err == nil && !sameFloats(t, v, *w.Float32) {
					t.Errorf("%s: %q is %v, want %s", name, n, v, *w.Float32)
				}
			}
		}
	}
	for _, d := range order {
		if !types[d] && d != F6E2M3 && d != F6E3M2 { // which their writer does not take
			t.Errorf("no file has a tensor of %s", d)
		}
	}
}

// sameFloats compares bits; a NaN may be another one.
func sameFloats(t *testing.T, got []float32, want string) bool {
	b, err := hex.DecodeString(want)
	if err != nil || len(b) != 4*len(got) {
		t.Fatalf("%d bytes for %d numbers (%v)", len(b), len(got), err)
	}
	for i, v := range got {
		w := math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
		if math.Float32bits(v) != math.Float32bits(w) && !(v != v && w != w) {
			return false
		}
	}
	return true
}

// forOthers is what interchange.py checks, by the same formulas.
func forOthers() []Entry {
	matrix, wide, i8, u8, wideBytes := make(Float32Data, 15), make(Float32Data, 64), make(Int8Data, 9), make(Uint8Data, 5), make(Uint8Data, 128)
	f16, bf16, i32 := make(Float16Data, 7), make(BFloat16Data, 7), make(Int32Data, 6)
	for i := range matrix {
		matrix[i] = float32(i-7) * 0.375
	}
	for i := range wide {
		wide[i] = float32(i) / 16
	}
	for i := range f16 {
		f16[i], bf16[i] = uint16(0x3c00+97*i), uint16(0x3f80+31*i)
	}
	for i := range i8 {
		i8[i] = int8((i - 4) * 31)
	}
	for i := range u8 {
		u8[i] = uint8(50 * i)
	}
	for i := range wideBytes {
		wideBytes[i] = uint8(i)
	}
	for i := range i32 {
		i32[i] = int32(i-3) * 100_000_007
	}
	f64 := binary.LittleEndian.AppendUint64(nil, math.Float64bits(0.1))
	f64 = binary.LittleEndian.AppendUint64(f64, math.Float64bits(-1e300))
	return []Entry{
		{"f32/matrix", []int{3, 5}, matrix}, {"f32/scalar", nil, Float32Data{1.5}}, {"f32/empty", []int{0, 4}, Float32Data{}},
		{"f32/wide", []int{4, 16}, wide}, {"a \"name\" <&>\u2028 é\U0001f426\n", []int{1}, Float32Data{-0.5}},
		{"f16", []int{7}, f16}, {"bf16", []int{7}, bf16}, {"i8", []int{9}, i8}, {"u8", []int{5}, u8}, {"i32", []int{2, 3}, i32},
		{"i64", []int{3}, Int64Data{-1 << 40, 0, 1 << 40}}, {"u8/wide", []int{128}, wideBytes}, {"bool", []int{4}, RawData{Bool, []byte{1, 0, 0, 1}}},
		{"f64", []int{2}, RawData{F64, f64}}, {"f8", []int{3}, RawData{F8E4M3, []byte{0x38, 0x7e, 0x81}}},
	}
}

// What linnet writes is what Hugging Face's reader opened and found right: checked.json has the sums of those files.
func TestWrittenForOthers(t *testing.T) {
	var checked struct {
		Files map[string]struct{ SHA256 string }
	}
	readJSON(t, "checked.json", &checked)
	for name, l := range map[string]Layout{"linnet-reference.safetensors": Reference, "linnet-aligned.safetensors": Aligned} {
		var b bytes.Buffer
		if err := Write(context.Background(), &b, map[string]string{"note": "ü \"<&>\n"}, forOthers(), l); err != nil {
			t.Fatal(err)
		}
		if os.Getenv("LINNET_UPDATE") != "" {
			if err := os.WriteFile(interchange+name, b.Bytes(), 0o666); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if sum := sha256.Sum256(b.Bytes()); hex.EncodeToString(sum[:]) != checked.Files[name].SHA256 {
			t.Errorf("%s is no longer the file that was checked; run interchange.py again", name)
		}
	}
}
