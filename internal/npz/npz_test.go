package npz

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/linnet-ml/linnet/internal/boundary"
	"github.com/linnet-ml/linnet/internal/ratio"
	"github.com/linnet-ml/linnet/internal/shared"
)

func open(tb testing.TB, path string) (*Archive, error) {
	tb.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return NewArchive(bytes.NewReader(data), int64(len(data)), ratio.Limit{})
}

// TestLists reads one array as Python 2 and as NumPy 2.4 with each protocol write it (testdata/make.py).
func TestLists(t *testing.T) {
	counting := make([]int32, 1005) // more than Python puts into one APPENDS
	for i := range counting {
		counting[i] = int32(i)
	}
	long := make([]int32, 40000) // more than one frame of protocol 4
	for i := range long {
		long[i] = 5
	}
	want := [][]int32{{1, 255, 256, 65535, 65536, 70000}, {}, {7}, counting, {-1, 2147483647, -2147483648}, long}
	for protocol := 2; protocol <= 5; protocol++ {
		t.Run(fmt.Sprintf("protocol=%d", protocol), func(t *testing.T) {
			a, err := open(t, fmt.Sprintf("testdata/protocol%d.npz", protocol))
			if err != nil {
				t.Fatal(err)
			}
			lists, err := a.Lists("x")
			if err != nil {
				t.Fatal(err)
			}
			got := make([][]int32, lists.Len())
			for i := range got {
				got[i] = lists.Row(i)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestInts(t *testing.T) {
	a, err := open(t, "testdata/ints.npz")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]int32{
		"i1": {0, 1, 100}, "u1": {0, 1, 100}, "i2": {0, 1, 100}, "i2_big": {0, 1, 100}, "u2": {0, 1, 100}, "i4": {0, 1, 100},
		"u4_big": {0, 1, 100}, "i8": {0, 1, 100}, "i8_big": {0, 1, 100}, "u8": {0, 1, 100}, "negative": {-1, -128}, "none": {},
	} {
		got, err := a.Ints(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	for name, want := range map[string]string{
		"wide":   "npz: wide.npy: byte 136: element 1 does not fit into 32 bits",
		"matrix": "npz: matrix.npy: an array of shape (2, 2) of <i8 is no list of integers",
		"floats": "npz: floats.npy: an array of shape (3,) of <f8 is no list of integers",
		"other":  "npz: the archive has no member other.npy",
	} {
		if _, err := a.Ints(name); err == nil || err.Error() != want {
			t.Errorf("%s: error %v, want %s", name, err, want)
		}
	}
	if _, err := a.Lists("i8"); err == nil || err.Error() != "npz: i8.npy: an array of shape (3,) of <i8 is no list of objects" {
		t.Errorf("integers as lists: error %v", err)
	}
}

// TestMalformed reads recorded broken files, each of which must give its error.
func TestMalformed(t *testing.T) {
	refused := func(at int, op string) string {
		return fmt.Sprintf("npz: x_train.npy: byte %d: pickle instruction %s is refused: lists of integers do not need it", at, op)
	}
	const onlyNumPy = ", which is refused: only numpy's ndarray, dtype and _reconstruct are allowed"
	want := map[string]string{
		"npy-cut-0.npy":              "the data end at byte 0, too early: unexpected EOF",
		"npy-cut-9.npy":              "the data end at byte 9, too early: unexpected EOF",
		"npy-cut-83.npy":             "an array of shape (4,) of <f4 takes 16 bytes, but 15 follow the header",
		"npy-deep.npy":               "byte 8: a header of 40054 bytes is longer than 10000",
		"npy-descr.npy":              `byte 10: "<q9" is no type of element that is known here`,
		"npy-header-length.npy":      "byte 8: a header of 4294967295 bytes is longer than 10000",
		"npy-overflow.npy":           "byte 10: an array of shape (4294967296, 4294967296, 4) is too large",
		"npy-version.npy":            "byte 6: version 9.0 of the .npy format is unknown",
		"npz-bomb.npz":               "npz: up to x_00.npy: packed more tightly than is allowed: 62295 packed bytes give more than 23006716, the limit of 100 times as many and 16 MiB; if the file is meant to be so, raise the ratio",
		"npz-pickle-ext.npz":         refused(69, "0x82"),
		"npz-pickle-inst.npz":        refused(68, "0x53 ('S')"),
		"npz-pickle-long-string.npz": refused(69, "0x8d"),
		"npz-pickle-long1.npz":       refused(69, "0x8b"),
		"npz-pickle-memo-huge.npz":   "npz: x_train.npy: the pickle does not end with an array of lists",
		"npz-pickle-memo.npz":        "npz: x_train.npy: byte 69: memo entry 99 was never made, or is a list",
		"npz-pickle-newobj.npz":      `npz: x_train.npy: byte 69: the pickle asks for "builtins.bytearray"` + onlyNumPy,
		"npz-pickle-obj.npz":         `npz: x_train.npy: byte 68: the pickle asks for "os.system"` + onlyNumPy,
		"npz-pickle-opcode.npz":      refused(69, "0xf0"),
		"npz-pickle-persid.npz":      refused(67, "0x50 ('P')"),
		"npz-pickle-proto.npz":       "npz: x_train.npy: byte 67: pickle protocol 99 is not one from 2 to 5",
	}
	files, err := filepath.Glob("testdata/malformed/*")
	if err != nil || len(files) != len(want) {
		t.Fatalf("%d files, want %d (%v)", len(files), len(want), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(file, ".npy") {
				_, err = readInts(newSource(bytes.NewReader(data)), int64(len(data)))
			} else if a, e := NewArchive(bytes.NewReader(data), int64(len(data)), ratio.Limit{}); e != nil {
				err = e
			} else {
				_, err = a.Lists("x_train")
			}
			if err == nil || err.Error() != want[filepath.Base(file)] {
				t.Errorf("error %v\nwant  %s", err, want[filepath.Base(file)])
			}
		})
	}
}

const npyHeader = "\x93NUMPY\x01\x00\x36\x00{'descr': '|O', 'fortran_order': False, 'shape': (%d,)}"

// arrayOf is a pickle of an object array of n lists, of which items is the pickled list.
func arrayOf(n int, items string) string {
	return "\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R" +
		"(K\x01K" + string(rune(n)) + "\x85cnumpy\ndtype\nU\x02O8K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?tb\x89" +
		items + "tb."
}

// TestPickle runs pickles that are close to an array of lists.
func TestPickle(t *testing.T) {
	for _, c := range []struct {
		name, items string
		n           int
		want        string // "" for an array that is read; +N counts from the first of items
	}{
		{"good", "](](K\x01K\x02e](K\x03ee", 2, ""},
		{"one by one", "]]K\x01aK\x02aa", 1, ""},
		{"empty lists", "](]]e", 2, ""},
		{"no lists", "]", 0, ""},
		{"fewer than promised", "](](K\x01ee", 2, "the header promises 2 lists, the pickle 2, and it has 1"},
		{"more than promised", "](]]e", 1, "the header promises 1 lists, the pickle 1, and it has 2"},
		{"integers, not lists", "](K\x01e", 1, "byte +6: the array holds a list, not a list of lists"},
		{"lists of lists of lists", "]]]aa", 1, "byte +4: a list of lists cannot be appended to a list: only integers, and lists of them, are read"},
		{"a string in a list", "]]U\x01aaa", 1, "byte +5: a string cannot be appended to a list: only integers, and lists of them, are read"},
		{"None in a list", "](](K\x01Nee", 1, "byte +7: None cannot be appended to a list: only integers, and lists of them, are read"},
		{"a list twice", "]]q\x01h\x01ee", 2, "byte +4: memo entry 1 was never made, or is a list"},
		{"long integer too wide", "]](\x8a\x05\x00\x00\x00\x00\x01ea", 1, "byte +3: the integer 4294967296 does not fit into 32 bits"},
		{"longer integer", "]](\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01ea", 1, "byte +3: an integer of 9 bytes does not fit into 32 bits"},
		{"an integer beside lists", "](]](K\x01eK\x02ee", 2, "byte +10: an integer cannot be appended to a list of lists: only integers, and lists of them, are read"},
		{"integers of no list", "](]](K\x01)ee", 1, "byte +8: a tuple cannot be appended to a list: only integers, and lists of them, are read"},
		{"bytes after the end", "]tb.", 0, "byte +4: data after the end of the array"},
	} {
		t.Run(c.name, func(t *testing.T) {
			data := fmt.Sprintf(npyHeader, c.n) + arrayOf(c.n, c.items)
			want := c.want
			if rest, ok := strings.CutPrefix(want, "byte +"); ok {
				n, text, _ := strings.Cut(rest, ":")
				offset, _ := strconv.Atoi(n)
				want = fmt.Sprintf("byte %d:%s", strings.LastIndex(data, c.items)+offset, text)
			}
			_, err := readLists(newSource(strings.NewReader(data)), int64(len(data)))
			if got := fmt.Sprint(err); got != want && (err != nil || want != "") {
				t.Errorf("error %v\nwant  %s", err, want)
			}
		})
	}
}

// TestOtherPickles runs pickles that are no array of lists at all.
func TestOtherPickles(t *testing.T) {
	laughs := "\x80\x02]q\x00" // lists of ten references to the list before: 10^30 integers if they were followed
	for i := range 30 {
		laughs += "](" + strings.Repeat("h"+string(rune(i)), 10) + "eq" + string(rune(i+1))
	}
	for _, c := range []struct{ name, pickle, want string }{
		{"nothing", "", "the data end at byte 0, too early: unexpected EOF"},
		{"no end", "\x80\x02](K\x01K\x02", "the data end at byte 8, too early: unexpected EOF"},
		{"cut", "\x80\x02](K\x01J\x02", "byte 6: the data end at byte 8, too early: unexpected EOF"},
		{"list", "\x80\x02](K\x01e.", "the pickle does not end with an array of lists"},
		{"empty stack", "\x80\x02a.", "byte 2: APPEND does not find on the stack what it needs"},
		{"no mark", "\x80\x02)t.", "byte 3: TUPLE without a mark"},
		{"nested lists", "\x80\x02" + strings.Repeat("]", 50000), "byte 4098: more than 4096 values wait on the stack"},
		{"laughs", laughs + ".", "byte 7: memo entry 0 was never made, or is a list"},
		{"long string", "\x80\x02X\xff\xff\xff\x7f", "byte 2: a string of 2147483647 bytes does not belong into an array of lists"},
		{"long name", "\x80\x02c" + strings.Repeat("n", 99), `byte 2: the name "` + strings.Repeat("n", 65) + `"... is too long`},
		{"call", "\x80\x02cnumpy\nload\n)R.", `byte 2: the pickle asks for "numpy.load", which is refused: only numpy's ndarray, dtype and _reconstruct are allowed`},
		{"call of a type", "\x80\x02cnumpy\ndtype\nU\x02f8\x85R.", "byte 20: numpy.dtype is called with arguments that do not make an array of lists"},
		{"memo", "\x80\x04" + strings.Repeat("N\x94", 300), "byte 515: more than 256 memo entries"},
		{"integers of no list", strings.Replace(arrayOf(1, "]]a"), "K?tb", "](K\x01etb", 1), "byte 119: integers stand outside the array's lists"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := unpickle(newSource(strings.NewReader(c.pickle)), 1, int64(len(c.pickle)))
			if err == nil || err.Error() != c.want {
				t.Errorf("error %v\nwant  %s", err, c.want)
			}
		})
	}
}

func tiny(tb testing.TB) []byte {
	data, err := os.ReadFile("testdata/tiny.npz")
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// read returns all that testdata/tiny.npz, or a broken copy of it, holds.
func read(data []byte) (x Lists, y []int32, err error) {
	a, err := NewArchive(bytes.NewReader(data), int64(len(data)), ratio.Limit{})
	if err != nil {
		return x, nil, err
	}
	if x, err = a.Lists("x"); err != nil {
		return x, nil, err
	}
	y, err = a.Ints("y")
	return x, y, err
}

func TestCutArchive(t *testing.T) {
	data := tiny(t)
	for n := range data {
		if _, _, err := read(data[:n]); !errors.Is(err, zip.ErrFormat) {
			t.Fatalf("cut to %d of %d bytes: error %v", n, len(data), err)
		}
	}
	_, _, err := read(data[:len(data)/2])
	if want := "npz: no zip archive, or one that was cut off: zip: not a valid zip file"; err.Error() != want {
		t.Errorf("error %v\nwant  %s", err, want)
	}
}

// TestFlippedBits flips every bit of an archive: what is read is the same (a time stamp does not matter), or an error
// says that something is wrong. It is never another content.
func TestFlippedBits(t *testing.T) {
	data := tiny(t)
	x, y, err := read(data)
	if err != nil {
		t.Fatal(err)
	}
	failed := 0
	for i := range data {
		for bit := range 8 {
			data[i] ^= 1 << bit
			gotX, gotY, err := read(data)
			data[i] ^= 1 << bit
			if err != nil {
				failed++
			} else if !cmp.Equal(x, gotX) || !cmp.Equal(y, gotY) {
				t.Fatalf("bit %d of byte %d flipped: read %v and %v, want %v and %v", bit, i, gotX, gotY, x, y)
			}
		}
	}
	if failed < len(data)*4 {
		t.Errorf("only %d of %d flipped bits were noticed", failed, 8*len(data))
	}
}

// TestChecksum flips a bit of stored data, which only the checksum can notice.
func TestChecksum(t *testing.T) {
	data := store(t, "y.npy", "\x93NUMPY\x01\x00\x37\x00{'descr': '|u1', 'fortran_order': False, 'shape': (3,)}\x01\x02\x03")
	i := bytes.Index(data, []byte("\x01\x02\x03"))
	data[i] ^= 4
	a, err := NewArchive(bytes.NewReader(data), int64(len(data)), ratio.Limit{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = a.Ints("y")
	if want := "npz: y.npy: after byte 68: zip: checksum error"; err == nil || err.Error() != want {
		t.Errorf("error %v\nwant  %s", err, want)
	}
}

// store makes an archive of members that are not compressed: name, content, name, content ...
func store(tb testing.TB, members ...string) []byte {
	tb.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(members); i += 2 {
		f, err := w.CreateHeader(&zip.FileHeader{Name: members[i], Method: zip.Store})
		if err == nil {
			_, err = io.WriteString(f, members[i+1])
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func TestMembers(t *testing.T) {
	twice := store(t, "x.npy", "one", "x.npy", "two")
	overlapping := store(t, "x.npy", strings.Repeat("a", 40), "y.npy", strings.Repeat("b", 40))
	// The second entry of the directory ends with its local header's offset, 4 bytes before its name.
	i := bytes.LastIndex(overlapping, []byte("y.npy")) - 4
	copy(overlapping[i:], []byte{0, 0, 0, 0})
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"twice", twice, `npz: two members are named "x.npy"`},
		{"overlapping", overlapping, `npz: members "x.npy" and "y.npy" overlap`},
		{"empty", nil, "npz: no zip archive, or one that was cut off: zip: not a valid zip file"},
	} {
		_, err := NewArchive(bytes.NewReader(c.data), int64(len(c.data)), ratio.Limit{})
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: error %v\nwant  %s", c.name, err, c.want)
		}
	}
}

// claiming makes an archive whose one member claims these sizes, in the directory's fields of 64 bits where they need them.
func claiming(tb testing.TB, packed, unpacked uint64) []byte {
	tb.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	m, err := w.CreateRaw(&zip.FileHeader{Name: "x.npy", Method: zip.Deflate, CompressedSize64: packed, UncompressedSize64: unpacked})
	if err == nil {
		_, err = io.WriteString(m, "abc")
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func FuzzArchive(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.npz")
	malformed, _ := filepath.Glob("testdata/malformed/*.npz")
	for _, file := range append(files, malformed...) {
		if data, err := os.ReadFile(file); err == nil {
			f.Add(data)
		}
	}
	// The sizes and places in the directory, in the members' own headers, and at the end.
	good := store(f, "x.npy", fmt.Sprintf(npyHeader, 1)+arrayOf(1, "](](K\x01ee"), "y.npy", "\x93NUMPY\x01\x00\x37\x00{'descr': '|u1', 'fortran_order': False, 'shape': (3,)}\x01\x02\x03")
	for changed := range boundary.Zip(good) {
		f.Add(changed)
	}
	for _, a := range boundary.Numbers() {
		for _, b := range []uint64{0, 1, a, 1 << 62} {
			f.Add(claiming(f, a, b))
		}
	}
	for changed := range boundary.Decimals([]byte("(3,)")) {
		npy := "{'descr': '<i8', 'fortran_order': False, 'shape': " + string(changed) + "}"
		f.Add(store(f, "y.npy", "\x93NUMPY\x01\x00"+string([]byte{byte(len(npy)), 0})+npy+"12345678"))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := NewArchive(bytes.NewReader(data), int64(len(data)), ratio.Limit{})
		if err != nil {
			return
		}
		limit := int(ratio.Limit{}.Bytes(int64(len(data))))
		for name := range a.members {
			name = strings.TrimSuffix(name, ".npy")
			if x, err := a.Lists(name); err == nil && (len(x.Values) > limit/2 || x.Len() > limit) {
				t.Errorf("%d lists of %d integers from %d bytes", x.Len(), len(x.Values), len(data))
			}
			if y, err := a.Ints(name); err == nil && len(y) > limit {
				t.Errorf("%d integers from %d bytes", len(y), len(data))
			}
		}
	})
}

func FuzzPickle(f *testing.F) {
	f.Add([]byte(arrayOf(2, "](](K\x01K\x02e](K\x03ee")), int64(2))
	f.Add([]byte(arrayOf(1, "]]K\x01aK\x02aa")), int64(1))
	for _, n := range boundary.Numbers() {
		f.Add([]byte(arrayOf(1, "]]K\x01aK\x02aa")), int64(n))
		f.Add(binary.LittleEndian.AppendUint64([]byte("\x80\x05\x8a\x08"), n), int64(1))
		f.Add(binary.LittleEndian.AppendUint32([]byte("\x80\x05B"), uint32(n)), int64(1))
	}
	f.Fuzz(func(t *testing.T, data []byte, count int64) {
		x, err := unpickle(newSource(bytes.NewReader(data)), count, int64(len(data)))
		if err != nil {
			return
		}
		if int64(x.Len()) != count {
			t.Fatalf("%d lists, want %d", x.Len(), count)
		}
		for i := range x.Len() {
			x.Row(i)
		}
	})
}

func BenchmarkReviews(b *testing.B) {
	file := shared.Path(b, "data/imdb/imdb.npz")
	info, err := os.Stat(file)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(info.Size())
	b.ReportAllocs()
	for b.Loop() {
		f, err := os.Open(file)
		if err != nil {
			b.Fatal(err)
		}
		a, err := NewArchive(f, info.Size(), ratio.Limit{})
		if err != nil {
			b.Fatal(err)
		}
		for _, name := range []string{"x_train", "x_test"} {
			if x, err := a.Lists(name); err != nil || x.Len() != 25000 {
				b.Fatal(err)
			}
		}
		f.Close()
	}
}
