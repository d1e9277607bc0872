package bundle

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/linnet-ml/linnet/internal/shared"
)

// unpack writes the bundles of testdata/bundles.zip to a folder.
func unpack(t testing.TB) string {
	t.Helper()
	r, err := zip.OpenReader(filepath.Join("testdata", "bundles.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	dir := t.TempDir()
	for _, f := range r.File {
		from, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(from)
		if err := errors.Join(err, from.Close(), os.WriteFile(filepath.Join(dir, f.Name), b, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// What TensorFlow wrote is read as TensorFlow reads it.
func TestRead(t *testing.T) {
	dir := unpack(t)
	b, err := os.ReadFile(filepath.Join(dir, "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var expected map[string][]struct {
		Key, Bytes []byte
		DType      string
		Shape      []int64
		Strings    [][]byte
	}
	if err := json.Unmarshal(b, &expected); err != nil {
		t.Fatal(err)
	}
	for prefix, want := range expected {
		t.Run(prefix, func(t *testing.T) {
			b, err := Open(context.Background(), filepath.Join(dir, prefix))
			if err != nil {
				t.Fatal(err)
			}
			if n := len(b.Tensors()); n != len(want) {
				t.Errorf("%d tensors, not %d", n, len(want))
			}
			for _, w := range want {
				e, err := b.Tensor(string(w.Key))
				if err != nil {
					t.Error(err)
					continue
				}
				if !slices.Equal(e.Shape, w.Shape) || e.DType.String() != w.DType {
					t.Errorf("%q: %v of shape %v, not %v of shape %v", w.Key, e.DType, e.Shape, w.DType, w.Shape)
					continue
				}
				var got []byte
				switch {
				case e.DType == String:
					texts, err := b.ReadStrings(context.Background(), e)
					if err != nil || !slices.EqualFunc(texts, w.Strings, bytes.Equal) {
						t.Errorf("%q: %q, error %v, not %q", w.Key, texts, err, w.Strings)
					}
					continue
				case string(w.Key) == "columns":
					if err := b.ReadFloat32(context.Background(), e, make([]float32, e.Elements())); err == nil || !strings.Contains(err.Error(), "only cuts between rows") {
						t.Errorf("a tensor that is cut between columns: error %v", err)
					}
					continue
				case e.DType == Float32:
					values := make([]float32, e.Elements())
					err = b.ReadFloat32(context.Background(), e, values)
					got, _ = binary.Append(nil, binary.LittleEndian, values)
				default:
					got, err = b.ReadBytes(context.Background(), e)
				}
				if err != nil || !bytes.Equal(got, w.Bytes) {
					t.Errorf("%q: %v, error %v, not %v", w.Key, got, err, w.Bytes)
				}
			}
		})
	}
}

func TestAsked(t *testing.T) {
	b, err := Open(context.Background(), filepath.Join(unpack(t), "types"))
	if err != nil {
		t.Fatal(err)
	}
	tensor := func(key string) *Tensor {
		e, err := b.Tensor(key)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	_, missing := b.Tensor("float")
	_, text := b.ReadBytes(context.Background(), tensor("strings"))
	_, number := b.ReadStrings(context.Background(), tensor("int8"))
	for _, c := range []struct {
		err  error
		want string
	}{
		{missing, `no tensor "float": there are ["float16" "float32" "float64"]`},
		{text, "cannot be read as bytes"},
		{number, "cannot be read as strings"},
		{b.ReadFloat32(context.Background(), tensor("float32"), make([]float32, 5)), "does not fit a slice of 5"},
		{b.ReadFloat32(context.Background(), tensor("float64"), make([]float32, 6)), "holds float64, not float32"},
	} {
		if c.err == nil || !strings.HasPrefix(c.err.Error(), "bundle: ") || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("error %v does not say %q", c.err, c.want)
		}
	}
}

// Each bit of the data is under a checksum, and so is each bit of the index that is read.
func TestDamage(t *testing.T) {
	dir := unpack(t)
	prefix := filepath.Join(dir, "types")
	index, err := os.ReadFile(prefix + ".index")
	if err != nil {
		t.Fatal(err)
	}
	for i := range index {
		// The footer is not, and the meta index block in front of the index block is not read.
		changed := slices.Clone(index)
		changed[i] ^= 0x10
		b, err := parseIndex(bytes.NewReader(changed), int64(len(changed)))
		if err == nil && i < len(index)-200 {
			t.Errorf("byte %d of the index changed: no error, %d tensors", i, len(b.tensors))
		}
	}
	data, err := os.ReadFile(prefix + ".data-00000-of-00001")
	if err != nil {
		t.Fatal(err)
	}
	b, err := Open(context.Background(), prefix)
	if err != nil {
		t.Fatal(err)
	}
	for i := range data {
		data[i] ^= 0x10
		if err := os.WriteFile(prefix+".data-00000-of-00001", data, 0o644); err != nil {
			t.Fatal(err)
		}
		data[i] ^= 0x10
		for j := range b.tensors {
			e := &b.tensors[j]
			hit := e.offset <= int64(i) && int64(i) < e.offset+e.size
			if !hit {
				continue
			}
			var err error
			switch e.DType {
			case String:
				_, err = b.ReadStrings(context.Background(), e)
			case Float32:
				err = b.ReadFloat32(context.Background(), e, make([]float32, e.elements))
			default:
				_, err = b.ReadBytes(context.Background(), e)
			}
			if err == nil {
				t.Errorf("byte %d of the data changed: %q is read without an error", i, e.Key)
			}
		}
	}
	if err := os.WriteFile(prefix+".data-00000-of-00001", data[:len(data)-1], 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(context.Background(), prefix); err == nil || !strings.Contains(err.Error(), "data-00000-of-00001") {
		t.Errorf("a short data file: error %v", err)
	}
	if err := os.Remove(prefix + ".data-00000-of-00001"); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(context.Background(), prefix); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no data file: error %v", err)
	}
}

// message writes a protocol buffer from pairs of field numbers and values.
func message(fields ...any) []byte {
	var b []byte
	for i := 0; i < len(fields); i += 2 {
		n := protowire.Number(fields[i].(int))
		switch v := fields[i+1].(type) {
		case int:
			b = protowire.AppendVarint(protowire.AppendTag(b, n, protowire.VarintType), uint64(v))
		case int64:
			b = protowire.AppendVarint(protowire.AppendTag(b, n, protowire.VarintType), uint64(v))
		case uint32:
			b = protowire.AppendFixed32(protowire.AppendTag(b, n, protowire.Fixed32Type), v)
		case []byte:
			b = protowire.AppendBytes(protowire.AppendTag(b, n, protowire.BytesType), v)
		}
	}
	return b
}

func shape(dims ...int64) []byte {
	var b []byte
	for _, d := range dims {
		b = append(b, message(2, message(1, d))...)
	}
	return b
}

// makeIndex writes an index of one block from keys and values in turn.
func makeIndex(entries ...[]byte) []byte {
	file := makeBlock(entries...)
	meta := len(file)
	empty := makeBlock()
	file = append(file, empty...)
	index := len(file)
	handles := makeBlock([]byte("\xff"), appendHandle(nil, 0, meta-trailerBytes))
	file = append(file, handles...)
	footer := appendHandle(nil, meta, len(empty)-trailerBytes)
	footer = appendHandle(footer, index, len(handles)-trailerBytes)
	footer = append(footer, make([]byte, footerBytes-8-len(footer))...)
	return append(file, binary.LittleEndian.AppendUint64(footer, tableMagic)...)
}

func appendHandle(b []byte, offset, size int) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(b, uint64(offset)), uint64(size))
}

func makeBlock(entries ...[]byte) []byte {
	var b []byte
	for i := 0; i < len(entries); i += 2 {
		b = append(b, 0)
		b = binary.AppendUvarint(b, uint64(len(entries[i])))
		b = binary.AppendUvarint(b, uint64(len(entries[i+1])))
		b = append(append(b, entries[i]...), entries[i+1]...)
	}
	return seal(append(b, 0, 0, 0, 0, 1, 0, 0, 0))
}

func seal(block []byte) []byte { return sealAs(append(block, uncompressed)) }

// sealAs appends the checksum to a block that ends with how it is compressed.
func sealAs(block []byte) []byte {
	block = slices.Clip(block)
	return binary.LittleEndian.AppendUint32(block, mask(crc32.Checksum(block, castagnoli())))
}

// An index whose checksums are right may still say what cannot be.
func TestIndex(t *testing.T) {
	header := message(1, 2)
	good := message(1, 1, 2, shape(2, 3), 5, 24)
	key := func(s string) []byte { return []byte(s) }
	for _, c := range []struct {
		what, want string
		index      []byte
	}{
		{"good", "", makeIndex(nil, header, key("w"), good)},
		{"big endian", "byte order 1", makeIndex(nil, message(1, 1, 2, 1))},
		{"a later version", "readers of version 2", makeIndex(nil, message(1, 1, 3, message(1, 2, 2, 2)))},
		{"no files", "no data files", makeIndex(nil, message(2, 0))},
		{"no entries", "no header", makeIndex()},
		{"a key twice", "does not come after", makeIndex(nil, header, key("w"), good, key("w"), good)},
		{"keys in disorder", "does not come after", makeIndex(nil, header, key("w"), good, key("v"), good)},
		{"a shard too many", "data file 2 of 2", makeIndex(nil, header, key("w"), append(message(3, 2), good...))},
		{"a negative shard", "is not between", makeIndex(nil, header, key("w"), append(message(3, -1), good...))},
		{"a size of another shape", "needs 24 bytes, but 20", makeIndex(nil, header, key("w"), message(1, 1, 2, shape(2, 3), 5, 20))},
		{"an end past all numbers", "of a data file", makeIndex(nil, header, key("w"), message(1, 7, 2, shape(1), 4, int64(math.MaxInt64-1), 5, 8))},
		{"a shape of unknown rank", "the shape is unknown", makeIndex(nil, header, key("w"), message(1, 1, 2, message(3, 1)))},
		{"too many bytes", "too large", makeIndex(nil, header, key("w"), message(1, 2, 2, shape(1<<31, 1<<30, 1<<1)))},
		{"a part outside", "part", makeIndex(nil, header, key("w"), message(1, 1, 2, shape(2, 3), 7, message(1, message(1, 1, 2, 2), 1, nil)))},
		{"a part of other rank", "part", makeIndex(nil, header, key("w"), message(1, 1, 2, shape(2, 3), 7, message(1, message(2, 2))))},
		{"a string for a number", "wire type 2", makeIndex(nil, header, key("w"), message(1, key("x")))},
	} {
		b, err := parseIndex(bytes.NewReader(c.index), int64(len(c.index)))
		if c.want == "" {
			if err != nil || len(b.tensors) != 1 || b.shards != 2 {
				t.Errorf("%s: error %v", c.what, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v does not say %q", c.what, err, c.want)
		}
	}
}

// Keys that share nearly all of a long one could take far more memory than the file.
func TestKeyBomb(t *testing.T) {
	long := bytes.Repeat([]byte("k"), 1<<16)
	var block []byte
	value := message(1, 7)
	put := func(shared int, rest []byte) {
		block = binary.AppendUvarint(block, uint64(shared))
		block = binary.AppendUvarint(block, uint64(len(rest)))
		block = append(append(binary.AppendUvarint(block, uint64(len(value))), rest...), value...)
	}
	put(0, nil)
	block = append(block[:len(block)-len(value)], message(1, 1)...)
	put(0, long)
	for i := range 20000 {
		put(len(long), []byte{byte(i >> 8), byte(i), 'x'})
	}
	block = seal(append(block, 0, 0, 0, 0, 1, 0, 0, 0))
	handles := makeBlock([]byte("\xff"), appendHandle(nil, 0, len(block)-trailerBytes))
	footer := appendHandle(appendHandle(nil, 0, 0), len(block), len(handles)-trailerBytes)
	footer = append(footer, make([]byte, footerBytes-8-len(footer))...)
	file := append(append(block, handles...), binary.LittleEndian.AppendUint64(footer, tableMagic)...)
	if _, err := parseIndex(bytes.NewReader(file), int64(len(file))); err == nil || !strings.Contains(err.Error(), "times the bytes of the file") {
		t.Errorf("error %v", err)
	}
}

// Parts that do not cover their tensor.
func TestParts(t *testing.T) {
	dir := unpack(t)
	b, err := Open(context.Background(), filepath.Join(dir, "shards"))
	if err != nil {
		t.Fatal(err)
	}
	e, err := b.Tensor("odd\x00name\u00ff")
	if err != nil {
		t.Fatal(err)
	}
	if e.Parts() != 3 {
		t.Errorf("%d parts", e.Parts())
	}
	for what, change := range map[string]func(s []slice) []slice{
		"one missing":  func(s []slice) []slice { return s[1:] },
		"the last too": func(s []slice) []slice { return s[:2] },
		"one twice":    func(s []slice) []slice { return append(s, s[0]) },
		"another cut":  func(s []slice) []slice { s[0] = slice{{0, 71}, {0, 3}}; return s },
	} {
		broken := *e
		broken.slices = change(slices.Clone(e.slices))
		if err := b.ReadFloat32(context.Background(), &broken, make([]float32, e.Elements())); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

// The keys of parts, by the definition of OrderedCode's signed numbers: more bytes for larger ones, in their order.
func TestOrderedCode(t *testing.T) {
	for v, want := range map[int64]string{
		0: "\x80", 1: "\x81", 63: "\xbf", 64: "\xc0\x40", -1: "\x7f", -64: "\x40", -65: "\x3f\xbf",
		8191: "\xdf\xff", 8192: "\xe0\x20\x00", math.MaxInt64: "\xff\xc0\x7f\xff\xff\xff\xff\xff\xff\xff",
	} {
		if got := string(appendSigned(nil, v)); got != want {
			t.Errorf("%d: %x, not %x", v, got, want)
		}
	}
	numbers := []int64{math.MinInt64, -1 << 55, -1<<55 + 1, -70000, -8193, -8192, -65, -64, -1, 0, 1, 63, 64, 8191, 8192, 70000, 1<<55 - 1, 1 << 55, math.MaxInt64}
	for i, v := range numbers[1:] {
		if string(appendSigned(nil, numbers[i])) >= string(appendSigned(nil, v)) {
			t.Errorf("%d is not before %d", numbers[i], v)
		}
	}
	if got := string(appendNumber(nil, 0x1234)); got != "\x02\x12\x34" {
		t.Errorf("%x", got)
	}
}

// Bundles of real models: every tensor can be read.
func TestReal(t *testing.T) {
	tensors := map[string]int{ // by folder: what TensorFlow lists
		"imdb_tfidf_2gram_dense": 18, "saved_model_counter": 1, "saved_model_half_plus_three": 3,
		"saved_model_half_plus_two_cpu": 5, "saved_model_half_plus_two_mkl": 9, "saved_model_half_plus_two_tf2_cpu": 4,
		"spam_average_word_vec": 20,
	}
	folder := shared.Path(t, "data/formats/savedmodel")
	n := 0
	err := filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.Name() != "variables.index" {
			return err
		}
		n++
		rel, _ := filepath.Rel(folder, path)
		b, err := Open(context.Background(), strings.TrimSuffix(path, ".index"))
		if err != nil {
			t.Error(err)
			return nil
		}
		if want := tensors[strings.Split(filepath.ToSlash(rel), "/")[0]]; len(b.Tensors()) != want {
			t.Errorf("%s lists %d tensors, not %d", rel, len(b.Tensors()), want)
		}
		for i := range b.Tensors() {
			e := &b.Tensors()[i]
			switch e.DType {
			case String:
				_, err = b.ReadStrings(context.Background(), e)
			case Float32:
				err = b.ReadFloat32(context.Background(), e, make([]float32, e.Elements()))
			default:
				_, err = b.ReadBytes(context.Background(), e)
			}
			if err != nil {
				t.Error(err)
			}
		}
		return nil
	})
	if err != nil || n != len(tensors) {
		t.Errorf("%d bundles, error %v", n, err)
	}
}

// Malformed bundles are refused in little time and memory, whatever they claim.
func TestMalformed(t *testing.T) {
	folder := shared.Path(t, "golden-formats/malformed")
	b, err := os.ReadFile(filepath.Join(folder, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	var index []struct{ File, Format, Wrong, Expected string }
	if err := json.Unmarshal(b, &index); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, c := range index {
		if c.Format != "bundle" {
			continue
		}
		n++
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		b, err := Open(context.Background(), filepath.Join(folder, filepath.FromSlash(c.File)))
		if err == nil {
			for i := range b.tensors {
				err = errors.Join(err, b.ReadFloat32(context.Background(), &b.tensors[i], make([]float32, b.tensors[i].elements)))
			}
		}
		took := time.Since(start)
		runtime.ReadMemStats(&after)
		if bytes := after.TotalAlloc - before.TotalAlloc; took > time.Second || bytes > 64<<20 {
			t.Errorf("%s: took %v and %d bytes", c.File, took, bytes)
		}
		if c.Expected == "ok" && err != nil || c.Expected == "error" && err == nil {
			t.Errorf("%s (%s): error %v", c.File, c.Wrong, err)
		}
	}
	if n < 15 {
		t.Errorf("only %d bundles", n)
	}
}

// The masked checksums that TensorFlow writes.
func TestMask(t *testing.T) {
	path := shared.Path(t, "golden-formats/tensorboard/crc32c.json")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var recorded struct {
		Records []struct {
			Data   []byte
			Masked uint32
		}
	}
	if err := json.Unmarshal(b, &recorded); err != nil || len(recorded.Records) == 0 {
		t.Fatalf("%d records, error %v", len(recorded.Records), err)
	}
	for _, c := range recorded.Records {
		if got := mask(crc32.Checksum(c.Data, castagnoli())); got != c.Masked {
			t.Errorf("%q: %d, not %d", c.Data, got, c.Masked)
		}
	}
}
