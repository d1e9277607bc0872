package safetensors

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"runtime"
	"strings"
	"testing"
	"unsafe"
)

// at returns a copy of b whose first byte lies behind a multiple of 64 by so many bytes.
func at(b []byte, behind int) []byte {
	whole := make([]byte, len(b)+128)
	start := (64-int(uintptr(unsafe.Pointer(&whole[0]))%64))%64 + behind
	return append(whole[start:start:start+len(b)], b...)
}

// A tensor is used where it lies if its type allows it there, and read to the same bits everywhere.
func TestViews(t *testing.T) {
	floats := Float32Data{1, -2, float32(math.Inf(1)), math.Float32frombits(0x7fc12345)}
	var b bytes.Buffer
	err := Write(context.Background(), &b, nil, []Entry{
		{"f32", []int{4}, floats}, {"f16", []int{2}, Float16Data{0x3c00, 0xfbff}}, {"bf16", []int{2}, BFloat16Data{0x3f80, 0xff7f}},
		{"i8", []int{2}, Int8Data{-128, 127}}, {"i32", []int{1}, Int32Data{-5}}, {"u16", nil, RawData{U16, []byte{1, 2}}},
		{"none", []int{0}, Float32Data{}},
	}, Aligned)
	if err != nil {
		t.Fatal(err)
	}
	for behind := range 8 {
		whole := at(b.Bytes(), behind)
		f, err := OpenBytes(context.Background(), whole)
		if err != nil {
			t.Fatal(err)
		}
		get := func(name string) Tensor {
			x, err := f.Tensor(name)
			if err != nil {
				t.Fatal(err)
			}
			return x
		}
		v, ok := get("f32").Float32View()
		if ok != (behind%4 == 0 && littleEndian()) {
			t.Fatalf("%d bytes behind: a view: %v", behind, ok)
		}
		if ok && (len(v) != 4 || cap(v) != 4 || math.Float32bits(v[3]) != 0x7fc12345 || v[1] != -2) {
			t.Errorf("view %v", v)
		}
		if raw := get("f32").Raw(); len(raw) != 16 || cap(raw) != 16 || ok && unsafe.Pointer(&raw[0]) != unsafe.Pointer(&v[0]) {
			t.Errorf("the view lies elsewhere than the %d raw bytes", len(raw))
		}
		h, ok := get("f16").Uint16View()
		if ok != (behind%2 == 0 && littleEndian()) || ok && (h[0] != 0x3c00 || h[1] != 0xfbff) {
			t.Errorf("%d bytes behind: halves %x, %v", behind, h, ok)
		}
		if h, ok := get("bf16").Uint16View(); ok && (h[0] != 0x3f80 || h[1] != 0xff7f) {
			t.Errorf("bfloat16 %x", h)
		}
		if _, ok := get("u16").Uint16View(); ok != (behind%2 == 0 && littleEndian()) {
			t.Errorf("U16: %v", ok)
		}
		if i, ok := get("i8").Int8View(); !ok || i[0] != -128 || i[1] != 127 {
			t.Errorf("int8 %v, %v", i, ok)
		}
		if v, ok := get("none").Float32View(); !ok || v == nil || len(v) != 0 {
			t.Errorf("no elements: %v, %v", v, ok)
		}
		if _, ok := get("i8").Float32View(); ok {
			t.Error("an I8 tensor as float32")
		}
		if _, ok := get("f32").Uint16View(); ok {
			t.Error("an F32 tensor as uint16")
		}
		for name, want := range map[string][]float32{
			"f32": floats, "f16": {1, -65504}, "bf16": {1, -math.MaxFloat32 * (255.0 / 128 / (2 - 1.0/(1<<23)))}, "i8": {-128, 127}, "none": {},
		} {
			got := make([]float32, len(want))
			if err := get(name).ReadFloat32(context.Background(), got, Conversion{}); err != nil {
				t.Error(err)
			}
			for i := range want {
				if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
					t.Errorf("%s: element %d is %v, want %v", name, i, got[i], want[i])
				}
			}
		}
	}
	f, err := open(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	x, _ := f.Tensor("f32")
	if _, ok := x.Float32View(); ok || x.Raw() != nil {
		t.Error("a view of a file that is not in memory")
	}
}

func one(t *testing.T, d DType, data ...byte) Tensor {
	t.Helper()
	var b bytes.Buffer
	if err := Write(context.Background(), &b, nil, []Entry{{"x", []int{8 * len(data) / d.Bits()}, RawData{d, data}}}, Reference); err != nil {
		t.Fatal(err)
	}
	f, err := OpenBytes(context.Background(), b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return f.Tensors()[0]
}

// Types that linnet has no use for are refused by name, those smaller than a byte too.
func TestReadFloat32(t *testing.T) {
	for _, d := range order {
		x := one(t, d, make([]byte, 24)...)
		dst := make([]float32, x.Len())
		err := x.ReadFloat32(context.Background(), dst, Conversion{})
		switch d {
		case F32, F16, BF16, I8:
			if err != nil {
				t.Error(err)
			}
		case F64:
			checkError(t, string(d), err, `safetensors: tensor "x" holds F64, which float32 cannot hold without rounding`)
			if err := x.ReadFloat32(context.Background(), dst, Conversion{RoundF64: true}); err != nil {
				t.Error(err)
			}
		default:
			want := `safetensors: tensor "x" holds ` + string(d) + `, which is not read as float32: F32, F16, BF16, I8 and F64 are`
			checkError(t, string(d), err, want)
			checkError(t, string(d), x.ReadFloat32(context.Background(), dst, Conversion{RoundF64: true}), want)
		}
		if err := x.ReadFloat32(context.Background(), make([]float32, x.Len()+1), Conversion{}); err == nil {
			t.Errorf("%s: a slice that is too long was filled", d)
		}
	}
	f64 := func(v ...float64) (b []byte) {
		for _, v := range v {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
		}
		return b
	}
	x := one(t, F64, f64(1+1e-12, math.Inf(-1), math.MaxFloat32, math.MaxFloat32*(1+1e-12))...)
	got := make([]float32, 4)
	if err := x.ReadFloat32(context.Background(), got, Conversion{RoundF64: true}); err != nil || got[0] != 1 || !math.IsInf(float64(got[1]), -1) ||
		got[2] != math.MaxFloat32 || got[3] != math.MaxFloat32 {
		t.Errorf("%v, %v", got, err)
	}
	checkError(t, "beyond", one(t, F64, f64(0, -1e39)...).ReadFloat32(context.Background(), got[:2], Conversion{RoundF64: true}),
		`safetensors: tensor "x": element 1, -1e+39, is beyond the range of float32`)
}

// Whole numbers are read as int32 where int32 holds them.
func TestReadInt32(t *testing.T) {
	ff := func(n int) []byte { return bytes.Repeat([]byte{0xff}, n) }
	for _, c := range []struct {
		d    DType
		data []byte
		want int32
		err  string
	}{
		{I8, ff(1), -1, ""}, {U8, ff(1), 255, ""}, {I16, ff(2), -1, ""}, {U16, ff(2), 65535, ""}, {I32, ff(4), -1, ""}, {I64, ff(8), -1, ""},
		{I32, []byte{0, 0, 0, 0x80}, math.MinInt32, ""}, {U32, []byte{1, 2, 3, 0x7f}, 0x7f030201, ""}, {U64, []byte{9, 0, 0, 0, 0, 0, 0, 0}, 9, ""},
		{I64, []byte{0, 0, 0, 0x80, 0xff, 0xff, 0xff, 0xff}, math.MinInt32, ""},
		{U32, ff(4), 0, "element 0, 4294967295, is beyond the range of int32"},
		{U64, ff(8), 0, "element 0, 18446744073709551615, is beyond the range of int32"},
		{U64, []byte{0, 0, 0, 0x80, 0xff, 0xff, 0xff, 0xff}, 0, "element 0, 18446744071562067968, is beyond the range of int32"},
		{I64, []byte{0, 0, 0, 0x80, 0, 0, 0, 0}, 0, "element 0, 2147483648, is beyond the range of int32"},
		{I64, []byte{0, 0, 0, 0, 0, 0, 0, 0x80}, 0, "element 0, -9223372036854775808, is beyond the range of int32"},
	} {
		got := make([]int32, 1)
		err := one(t, c.d, c.data...).ReadInt32(context.Background(), got)
		if c.err != "" {
			checkError(t, string(c.d), err, `safetensors: tensor "x": `+c.err)
		} else if err != nil || got[0] != c.want {
			t.Errorf("%s %x: %d, %v", c.d, c.data, got[0], err)
		}
	}
	for _, d := range []DType{F32, Bool, F4, BF16} {
		checkError(t, string(d), one(t, d, 0, 0, 0, 0).ReadInt32(context.Background(), make([]int32, 32/d.Bits())),
			`safetensors: tensor "x" holds `+string(d)+`, which is not read as int32: whole numbers are`)
	}
	if err := one(t, I8, 1).ReadInt32(context.Background(), nil); err == nil {
		t.Error("a slice that is too short was filled")
	}
}

// Every half-precision number, from its definition.
func TestFloat16(t *testing.T) {
	for bits := range 1 << 16 {
		exponent, fraction := bits>>10&31, float64(bits&1023)
		want := math.Ldexp(1024+fraction, exponent-25)
		switch exponent {
		case 0:
			want = math.Ldexp(fraction, -24)
		case 31:
			if want = math.Inf(1); fraction != 0 {
				want = math.NaN()
			}
		}
		if bits>>15 != 0 {
			want = -want
		}
		got := float16(uint16(bits))
		if math.IsNaN(want) && got != got && math.Float32bits(got)>>13&1023 == uint32(bits)&1023 {
			continue
		}
		if math.Float32bits(got) != math.Float32bits(float32(want)) {
			t.Fatalf("%#04x is %v, want %v", bits, got, want)
		}
	}
}

// What a big-endian machine writes is what a little-endian one writes.
func TestWriteWithoutViews(t *testing.T) {
	long := make(Float32Data, chunkBytes/4+3)
	for i := range long {
		long[i] = math.Float32frombits(uint32(i) * 2654435761)
	}
	for _, d := range []Data{
		long, Float16Data{1, 0x1234, 0xffff}, BFloat16Data{0x4321}, Int8Data{-1, 2}, Uint8Data{3, 255}, Int32Data{-2, 1 << 30},
		Int64Data{-3, 1 << 60}, RawData{F64, make([]byte, 16)},
	} {
		raw, ok := d.native()
		if ok != (littleEndian() || d.dtype().Size() == 1) && d.dtype() != F64 {
			t.Errorf("%T: native is %v", d, ok)
		}
		var with, without bytes.Buffer
		if err := errors.Join(writeData(context.Background(), &with, d, raw, ok), writeData(context.Background(), &without, d, nil, false)); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(with.Bytes(), without.Bytes()) || int64(with.Len()) != d.bytes() {
			t.Errorf("%T: the bytes differ", d)
		}
	}
}

func TestAlignedLayout(t *testing.T) {
	entries := []Entry{
		{"a", []int{3}, Int64Data{1, 2, 3}}, {"b", []int{16}, make(Float32Data, 16)}, {"c", []int{64}, make(Int8Data, 64)},
		{"d", []int{5}, make(Float32Data, 5)}, {"e", []int{3}, make(Float16Data, 3)}, {"f", []int{1}, make(Uint8Data, 1)},
		{"g", []int{128}, make(Float16Data, 128)}, {"h", []int{1}, make(Int64Data, 1)}, {"i", []int{0}, Float32Data{}},
	}
	for n := range 64 { // whatever the header's length
		metadata := map[string]string{"pad": strings.Repeat("x", n)}
		var b bytes.Buffer
		if err := Write(context.Background(), &b, metadata, entries, Aligned); err != nil {
			t.Fatal(err)
		}
		f, err := OpenBytes(context.Background(), b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		names := ""
		for _, x := range f.Tensors() {
			names += x.Name
			multiple := int64(x.DType.Size())
			if x.size > 0 && x.size%64 == 0 {
				multiple = 64
			}
			if x.offset%multiple != 0 {
				t.Errorf("%s of %d bytes begins at byte %d", x.Name, x.size, x.offset)
			}
		}
		if names != "bigcahdef" && names != "ibgcahdef" {
			t.Fatalf("order %s", names)
		}
	}
}

// cancelled counts the writes and is done after some.
type cancelled struct {
	context.Context
	cancel func()
	writes int
}

func (c *cancelled) Write(b []byte) (int, error) {
	if c.writes++; c.writes == 3 {
		c.cancel()
	}
	return len(b), nil
}

// Writing and reading end within a chunk after their context, and writing takes no memory for the elements.
func TestContextsAndMemory(t *testing.T) {
	values := make(Float32Data, 64<<20/4)
	entries := []Entry{{"x", []int{len(values)}, values}}
	ctx, cancel := context.WithCancel(context.Background())
	w := &cancelled{Context: ctx, cancel: cancel}
	before := allocated()
	err := Write(ctx, w, nil, entries, Aligned)
	if used := allocated() - before; used > 1<<20 {
		t.Errorf("writing allocated %d bytes", used)
	}
	if !errors.Is(err, context.Canceled) || w.writes != 3 {
		t.Errorf("%d writes, then %v", w.writes, err)
	}
	if err := Write(ctx, w, nil, entries, Aligned); !errors.Is(err, context.Canceled) || w.writes != 3 {
		t.Errorf("%d writes, then %v", w.writes, err)
	}
	x := one(t, F32, 0, 0, 0, 0)
	if err := x.ReadFloat32(ctx, make([]float32, 1), Conversion{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	runtime.KeepAlive(values)
}

// A million tensors cost memory and time in proportion to the header.
func TestManyTensors(t *testing.T) {
	var header strings.Builder
	header.WriteString("{")
	const n = 200_000
	for i := range n {
		if i > 0 {
			header.WriteByte(',')
		}
		header.WriteString(`"t`)
		for j := i; j > 0; j /= 10 {
			header.WriteByte(byte('0' + j%10))
		}
		header.WriteString(`":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`)
	}
	b := file(header.String() + "}")
	before := allocated()
	f, err := OpenBytes(context.Background(), b)
	if err != nil || len(f.Tensors()) != n {
		t.Fatal(err)
	}
	if used := allocated() - before; used > uint64(16*len(b)) {
		t.Errorf("a header of %d bytes made OpenBytes allocate %d", len(b), used)
	} else {
		t.Logf("a header of %d bytes: %d allocated", len(b), used)
	}
}
