package wordvectors

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/linnet-ml/linnet/internal/boundary"
	"github.com/linnet-ml/linnet/internal/safetensors"
	"github.com/linnet-ml/linnet/internal/shared"
)

type table struct {
	kind    Kind
	dim     int
	words   []string
	vectors []float32
	places  []string
}

// readAll reads a whole table, as far as there is no error.
func readAll(r io.Reader, o Options) (table, error) {
	var t table
	d, err := NewReader(r, o)
	if err != nil {
		return t, err
	}
	t.kind, t.dim = d.Kind(), d.Dim()
	vector := make([]float32, d.Dim())
	for {
		word, err := d.Next()
		if err == io.EOF {
			return t, nil
		}
		if err != nil {
			return t, err
		}
		t.words = append(t.words, string(word))
		if err := d.Vector(vector); err != nil {
			return t, err
		}
		t.vectors = append(t.vectors, vector...)
		t.places = append(t.places, d.Place())
	}
}

// recorded are the words and vectors that gensim read from the files.
func recorded(t *testing.T) (words, odd []string, vectors, oddVectors []float32) {
	t.Helper()
	b, err := os.ReadFile("testdata/expected.json")
	if err != nil {
		t.Fatal(err)
	}
	var names struct {
		Words []string
		Odd   []string `json:"odd_words"`
	}
	if err := json.Unmarshal(b, &names); err != nil {
		t.Fatal(err)
	}
	if b, err = os.ReadFile("testdata/expected.safetensors"); err != nil {
		t.Fatal(err)
	}
	file, err := safetensors.Open(t.Context(), bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	tensor := func(name string) []float32 {
		x, err := file.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		v, err := x.Float32()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	return names.Words, names.Odd, tensor("vectors"), tensor("odd")
}

func sameBits(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
}

// Every value of every file has the bits that were recorded; the kind is recognised, in files that are packed too.
func TestRecordedFiles(t *testing.T) {
	words, odd, vectors, oddVectors := recorded(t)
	for _, c := range []struct {
		name    string
		kind    Kind
		words   []string
		vectors []float32
	}{
		{"glove.txt", GloVe, words, vectors},
		{"glove.crlf.txt", GloVe, words[:20], vectors[:20*8]},
		{"glove.odd.txt", GloVe, odd, oddVectors},
		{"word2vec.txt", Word2VecText, words, vectors},
		{"fasttext.vec", Word2VecText, words, vectors},
		{"word2vec.gensim.bin", Word2VecBinary, words, vectors},
		{"word2vec.c.bin", Word2VecBinary, words, vectors},
	} {
		plain, err := os.ReadFile(filepath.Join("testdata", c.name))
		if err != nil {
			t.Fatal(err)
		}
		var zipped, squeezed bytes.Buffer
		z := gzip.NewWriter(&zipped)
		if _, err := z.Write(plain); err != nil || z.Close() != nil {
			t.Fatal(err)
		}
		s, err := zstd.NewWriter(&squeezed)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Write(plain); err != nil || s.Close() != nil {
			t.Fatal(err)
		}
		for packing, b := range map[string][]byte{"plain": plain, "gzip": zipped.Bytes(), "zstd": squeezed.Bytes()} {
			for _, o := range []Options{{}, {Kind: c.kind, Dim: 8}} {
				u, packed, err := Unpack(iotest.OneByteReader(bytes.NewReader(b)))
				if err != nil || packed != (packing != "plain") {
					t.Fatalf("%s, %s: packed %v, error %v", c.name, packing, packed, err)
				}
				got, err := readAll(iotest.HalfReader(u), o)
				if err != nil {
					t.Fatalf("%s, %s, %+v: %v", c.name, packing, o, err)
				}
				if got.kind != c.kind || got.dim != 8 || !slices.Equal(got.words, c.words) || !sameBits(got.vectors, c.vectors) {
					t.Errorf("%s, %s, %+v: kind %v, dimension %d, words %.200q, or other vectors than recorded", c.name, packing, o, got.kind, got.dim, got.words)
				}
				if err := u.Close(); err != nil {
					t.Error(err)
				}
			}
		}
	}
}

// What the errors say is part of the promise.
func TestMalformedFiles(t *testing.T) {
	wants := map[string]string{
		"fasttext-cut-2000.bin":        "wordvectors: this is a fastText model (.bin), which has vectors for parts of words; its .vec file has the words",
		"glove-comma.txt":              `wordvectors: line 1 is neither a word with its values nor a header of word2vec: "the,-0.038194,-0.24487,0.72812,-0.39961,0.083172,0.043953,-0"`,
		"glove-float-overflow.txt":     `wordvectors: line 4: value 1: "1e999" is too large for a float32`,
		"glove-short-line.txt":         `wordvectors: line 6 has 6 values behind the word "and", not 8`,
		"glove-word-only.txt":          `wordvectors: line 1 is neither a word with its values nor a header of word2vec: "the"`,
		"word2vec-count-huge.bin":      "wordvectors: line 1 promises 999999999999 words, more than 2147483647",
		"word2vec-count-huge.txt":      "wordvectors: line 1 promises 999999999999999999 words, more than 2147483647",
		"word2vec-count-more.txt":      "wordvectors: line 1 promises 200 words, but the file ends behind 19",
		"word2vec-count-overflow.txt":  "wordvectors: line 1 promises 99999999999999999999 words, more than 2147483647",
		"word2vec-count-times-dim.bin": "wordvectors: line 1 promises 4611686018427387904 words, more than 2147483647",
		"word2vec-cut-0.bin":           "wordvectors: the file is empty",
		"word2vec-cut-3.bin":           `wordvectors: line 1 is neither a word with its values nor a header of word2vec: "200"`,
		"word2vec-dim-huge.bin":        "wordvectors: line 1 names the dimension 2000000000, not one between 1 and 1048576",
		"word2vec-dim-wrong.txt":       `wordvectors: line 2 has 8 values behind the word "the", not 9`,
		"word2vec-endless-word.bin":    "wordvectors: word 1 at byte 4: unexpected EOF" + spaceHint,
	}
	files, err := filepath.Glob("testdata/malformed/*")
	if err != nil || len(files) != len(wants) {
		t.Fatalf("found %d files (%v), want %d", len(files), err, len(wants))
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		name = filepath.Base(name)
		_, err = readAll(bytes.NewReader(b), Options{})
		checkError(t, name, err, wants[name])
	}
}

func checkError(t *testing.T, what string, err error, want string) {
	t.Helper()
	if err == nil || err.Error() != want {
		t.Errorf("%s:\n got %v\nwant %s", what, err, want)
	}
}

// The recorded list of malformed files says what must become of each; none may take long or much memory.
func TestMalformedIndex(t *testing.T) {
	folder := shared.Path(t, "golden-formats/malformed")
	b, err := os.ReadFile(filepath.Join(folder, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	var index []struct{ File, Format, Expected string }
	if err := json.Unmarshal(b, &index); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, c := range index {
		kinds := []Kind{Auto}
		switch c.Format {
		case "glove":
			kinds = append(kinds, GloVe)
		case "word2vec_text":
			kinds = append(kinds, Word2VecText)
		case "word2vec_binary":
			kinds = append(kinds, Word2VecBinary)
		default:
			if !strings.HasPrefix(c.File, "fasttext") {
				continue
			}
		}
		n++
		for _, kind := range kinds {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			begin := time.Now()
			b, err := os.ReadFile(filepath.Join(folder, c.File))
			if err != nil {
				t.Fatal(err)
			}
			_, err = readAll(bytes.NewReader(b), Options{Kind: kind})
			took := time.Since(begin)
			runtime.ReadMemStats(&after)
			if err == nil && c.Expected == "error" {
				t.Errorf("%s as %v: no error", c.File, kind)
			}
			if used := after.TotalAlloc - before.TotalAlloc; took > time.Second || used > 64<<20 {
				t.Errorf("%s as %v: %v and %d bytes allocated", c.File, kind, took, used)
			}
		}
	}
	if n < 20 {
		t.Errorf("the list has only %d files of word vectors", n)
	}
}

const dimHint = "; if the word ends with numbers VectorOptions.Dim must name the dimension"

func TestMalformed(t *testing.T) {
	long := strings.Repeat("x", MaxWord+1)
	for _, c := range []struct{ what, file, want string }{
		{"nothing", "", "wordvectors: the file is empty"},
		{"NaN", "a 1 2\nb 1 nan\n", `wordvectors: line 2: value 2: "nan" is not finite`},
		{"infinity", "a 1 -Inf\n", `wordvectors: line 1: value 2: "-Inf" is not finite`},
		{"no number", "a 1 2\nb 1 0x1p-2\n", `wordvectors: line 2: value 2: "0x1p-2" is no number`},
		{"underscore", "a 1 2\nb 1_0 2\n", `wordvectors: line 2: value 1: "1_0" is no number`},
		{"two spaces and too few", "a 1 2 3\nb 1  2\n", "wordvectors: line 2: value 3 is missing"},
		{"three spaces and too few", "a 1 2 3\nb 1   2\n", `wordvectors: line 2 has 2 values behind the word "b", not 3`},
		{"one more", "a 1 2\nb 1 2 3\n", `wordvectors: line 2 has 3 values behind the word "b", not 2` + dimHint},
		{"one more and two spaces", "a 1 2\nb  1 2   3\n", `wordvectors: line 2 has 3 values behind the word "b", not 2` + dimHint},
		{"two more", "a 1 2\nb c 1 2 3 4\n", `wordvectors: line 2 has 4 values behind the word "b c", not 2` + dimHint},
		{"two more than the header says", "3 1\na 1 2\nb 1 2\nc 1 3\n", `wordvectors: line 2: the vectors have 2 values, not 1`},
		{"empty line", "a 1 2\n\nb 1 2\n", "wordvectors: line 2 is empty"},
		{"no word", "a 1 2\n 1 2\n", "wordvectors: line 2 has a vector but no word"},
		{"long word", "a 1 2\n" + long + " 1 2\n", "wordvectors: line 2: a word of 65536 bytes is longer than 65535"},
		{"long line", "a 1 2\n" + long + long + " 1 2\n", `wordvectors: line 2: more than 65730 bytes up to '\n': too long`},
		{"fewer than promised", "3 2\na 1 2\nb 1 2\n", "wordvectors: line 1 promises 3 words, but the file ends behind 2"},
		{"fewer, then empty lines", "3 2\na 1 2\nb 1 2\n\n\n", "wordvectors: line 1 promises 3 words, but the file ends behind 2"},
		{"more than promised", "1 2\na 1 2\nb 1 2\n", "wordvectors: line 3: line 1 promises 1 words, but there are more"},
		{"dimension 0", "1 0\na\n", "wordvectors: line 1 names the dimension 0, not one between 1 and 1048576"},
		{"binary: cut", "1 2\na \x00\x00\x80\x3f\x00\x00", "wordvectors: word 1 at byte 4: the file ends within its vector" + spaceHint},
		{"binary: a word with a space", "2 2\na b \x00\x00\x80\x3f\x00\x00\x00\x40c \x00\x00\x80\x3f\x00\x00\x80\x3f", "wordvectors: word 2 at byte 14 has a zero byte" + spaceHint},
		{"binary: fewer", "2 1\na \x00\x00\x80\x3f", "wordvectors: byte 10: line 1 promises 2 words, but the file ends behind 1" + spaceHint},
		{"binary: more", "1 1\na \x00\x00\x80\x3fb \x00\x00\x80\x3f", "wordvectors: byte 10: line 1 promises 1 words, but there is more behind them" + spaceHint},
		{"binary: NaN", "2 1\na \x00\x00\x80\x3f\nb \x00\x00\xc0\x7f\n", "wordvectors: word 2 at byte 11: value 1 is NaN"},
		{"binary: no word", "2 1\na \x00\x00\x80\x3f\n \x00\x00\xc0\x7f\n", "wordvectors: word 2 at byte 11 has a vector but no word"},
		{"binary: endless word", "2 1\na \x00\x00\x80\x3f" + long + long, `wordvectors: word 2 at byte 10: more than 65536 bytes up to ' ': too long` + spaceHint},
	} {
		_, err := readAll(strings.NewReader(c.file), Options{})
		checkError(t, c.what, err, c.want)
	}
	for _, c := range []struct {
		what, file string
		o          Options
		want       string
	}{
		{"another dimension", "a 1 2\n", Options{Dim: 3}, "wordvectors: line 1: the vectors have 2 values, not 3"},
		{"a smaller dimension", "a 1 2\nb 1 2\n", Options{Dim: 1}, "wordvectors: line 1: the vectors have 2 values, not 1"},
		{"another dimension than the header's", "1 2\na 1 2\n", Options{Dim: 3}, "wordvectors: line 1: the vectors have 2 values, not 3"},
		{"negative dimension", "a 1 2\n", Options{Dim: -1}, "wordvectors: dimension -1 is not between 1 and 1048576"},
		{"no header", "a 1 2\n", Options{Kind: Word2VecText}, `wordvectors: line 1 is not the header of word2vec text, "words dimension": "a 1 2"`},
		{"a header taken for a word", "1 2\na 1 2\n", Options{Kind: GloVe}, `wordvectors: line 2 has 2 values behind the word "a", not 1` + dimHint},
		{"no such kind", "a 1 2\n", Options{Kind: 9}, "wordvectors: no such kind of file: Kind(9)"},
	} {
		_, err := readAll(strings.NewReader(c.file), c.o)
		checkError(t, c.what, err, c.want)
	}
	d, err := NewReader(strings.NewReader("a 1 2\n"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	checkError(t, "Vector before Next", d.Vector(make([]float32, 2)), "wordvectors: no word has been read")
	if _, err := d.Next(); err != nil {
		t.Fatal(err)
	}
	checkError(t, "too short a slice", d.Vector(make([]float32, 1)), "wordvectors: a vector of 2 values does not fit 1")
}

// A word may hold spaces and may look like a number; empty lines may stand at the end.
func TestOddButLegal(t *testing.T) {
	for _, c := range []struct {
		file  string
		words []string
	}{
		{"a 1 2\nb 3 4", []string{"a", "b"}},
		{"a 1 2\nb 3 4\n\n \r\n", []string{"a", "b"}},
		{"0.5 1 2\n7 3 4\n", []string{"0.5", "7"}},
		{"a 1 2\n. . . 3 4\n  3 4\n", []string{"a", ". . .", " "}},
		{". . . 1 2\na 3 4\n", []string{". . .", "a"}},
		{"2 2\n1 2 3\n2 3 4\n", []string{"1", "2"}},
		{"1 1\na 1", []string{"a"}},
		{"0 5\n", nil},
		{"a 1 2\nb 1  2\nc   3 4  \n", []string{"a", "b", "c"}},
		{"\ufeffa 1 2\r\nb 3 4\r\n", []string{"a", "b"}},
		{"\ufeff2  2\r\na 1 2\r\nb 3 4\r\n", []string{"a", "b"}},
		{"3 2\nthe 1 2\nroute 66 3 4\nR$ 00 5 6\n", []string{"the", "route 66", "R$ 00"}}, // the header knows the dimension
		{"<html> 1 2\nversion 3 4\n", []string{"<html>", "version"}},
		{"\xff\xfe 1 2\n", []string{"\xff\xfe"}},
	} {
		got, err := readAll(strings.NewReader(c.file), Options{})
		if err != nil || !slices.Equal(got.words, c.words) {
			t.Errorf("%q: words %q, error %v, want %q", c.file, got.words, err, c.words)
		}
	}
	for _, file := range []string{"route 66 1 2\nthe 3 4\n", "the 1 2\nroute 66 3 4\n", "route 66 1 2\n", "2 2\nroute 66 1 2\nroute 67 3 4\n"} {
		got, err := readAll(strings.NewReader(file), Options{Dim: 2})
		if err != nil || !slices.Contains(got.words, "route 66") || got.dim != 2 {
			t.Errorf("%q with its dimension: words %q, error %v", file, got.words, err)
		}
	}
	got, err := readAll(strings.NewReader("a 1 2\nb 1  2\n"), Options{})
	if err != nil || !slices.Equal(got.vectors, []float32{1, 2, 1, 2}) {
		t.Errorf("vectors %v, error %v", got.vectors, err)
	}
	got, err = readAll(strings.NewReader("a 1 2\nb 3 4\n"), Options{})
	if err != nil || !slices.Equal(got.places, []string{"line 1", "line 2"}) {
		t.Errorf("places %q, error %v", got.places, err)
	}
}

// What is skipped is counted, and what is read is what a file without it has.
func TestSkipMalformed(t *testing.T) {
	long := strings.Repeat("x", 2*MaxWord)
	for _, c := range []struct {
		what, file string
		o          Options
		skipped    int
	}{
		{"nothing", "a 1 2\nb 3 4\n", Options{}, 0},
		{"empty lines at the end", "a 1 2\nb 3 4\n\n \n", Options{}, 0},
		{"empty lines", "a 1 2\n\n\nb 3 4\n", Options{}, 2},
		{"too few", "a 1 2\nx 5\nb 3 4\ny\n", Options{}, 2},
		{"too many", "a 1 2\nx 5 6 7\nb 3 4\n", Options{}, 1},
		{"no numbers", "a 1 2\nx 5 y\nb 3 4\nz nan 1\n", Options{}, 2},
		{"no word", "a 1 2\n 5 6\nb 3 4\n", Options{}, 1},
		{"a long line", "a 1 2\n" + long + " 5 6\nb 3 4\n" + long, Options{}, 2},
		{"the first line", "x 5\na 1 2\nb 3 4\n", Options{Kind: GloVe, Dim: 2}, 1},
		{"behind a header", "3 2\na 1 2\nx 5\nb 3 4\n", Options{}, 1},
		{"not counted by the header", "2 2\na 1 2\nx 5\nb 3 4\ny 5\n", Options{}, 2},
		{"not counted by the header, and wrong by their numbers", "2 2\na 1 2\nb 3 4\nz nan 1\n 5 6\n", Options{}, 2},
		{"a first line that is too short", "the 0.1\na 1 2\nb 3 4\n", Options{}, 1},
		{"a first line that is too long", "the 0.1 0.2 0.3\na 1 2\nb 3 4\n", Options{}, 1},
		{"a first line without values", "the\na 1 2\nb 3 4\n", Options{Kind: GloVe}, 1},
		{"a first line of a word with a number", "route 66 1 2\na 1 2\nb 3 4\n", Options{}, 1},
		{"in a binary file", "3 2\na \x00\x00\x80\x3f\x00\x00\x00\x40x \x00\x00\xc0\x7f\x00\x00\x00\x40b \x00\x00\x40\x40\x00\x00\x80\x40", Options{}, 1},
	} {
		if c.skipped > 0 {
			if _, err := readAll(strings.NewReader(c.file), c.o); err == nil {
				t.Errorf("%s: no error without SkipMalformed", c.what)
			}
		}
		c.o.SkipMalformed = true
		d, err := NewReader(strings.NewReader(c.file), c.o)
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		var words []string
		values := make([]float32, 2*2)
		_, err = d.ReadRows(values, func(_ int, word []byte) bool {
			words = append(words, string(word))
			return true
		})
		if _, end := d.Next(); end != io.EOF {
			t.Errorf("%s: %v where the file ends", c.what, end)
		}
		if err != nil || !slices.Equal(words, []string{"a", "b"}) || !slices.Equal(values, []float32{1, 2, 3, 4}) || d.Skipped() != c.skipped {
			t.Errorf("%s: words %q, values %v, %d skipped, error %v", c.what, words, values, d.Skipped(), err)
		}
	}
	// A file that is cut short is no malformed line.
	_, err := readAll(strings.NewReader("3 2\na 1 2\nb 3 4\n"), Options{SkipMalformed: true})
	checkError(t, "cut", err, "wordvectors: line 1 promises 3 words, but the file ends behind 2")
	// Nor is a good line more than the header counts.
	_, err = readAll(strings.NewReader("1 2\na 1 2\nz nan 1\nb 3 4\n"), Options{SkipMalformed: true})
	checkError(t, "more", err, "wordvectors: line 4: line 1 promises 1 words, but there are more")
	// Of as many lines of each kind the first counts.
	got, err := readAll(strings.NewReader("a 1 2\nx 1\n"), Options{SkipMalformed: true})
	if err != nil || got.dim != 2 {
		t.Errorf("dimension %d, error %v", got.dim, err)
	}
}

// Each kind of file that is no table of words is named, and what is packed in two ways too.
func TestForeign(t *testing.T) {
	for head, want := range map[string]string{
		"\x93NUMPY\x01\x00v\x00{'descr'":                "this is no table of word vectors but an array of NumPy (.npy), which has no words",
		"\x89HDF\r\n\x1a\n\x00":                         "this is no table of word vectors but an HDF5 file (.h5), which has no words",
		"\x80\x04\x95\x10\x00":                          "this is no table of word vectors but a pickle of Python; gensim's save_word2vec_format writes word vectors that can be read",
		"\xfd7zXZ\x00\x00\x04":                          "this is no table of word vectors but data packed by xz; unpack it first",
		"a" + strings.Repeat("\x00", 256) + "ustar\x00": "this is no table of word vectors but a tar archive; unpack it first",
		"<!DOCTYPE html>\n<html>":                       "this is no table of word vectors but a web page, maybe one that says why there is no download",
		"version https://git-lfs.github.com/spec/v1\n":  "this is no table of word vectors but a pointer of Git LFS, which stands for a file that was not downloaded; git lfs pull brings it",
		"\x1f\x8b\x08":                                  "the file is packed twice: this is data packed by gzip once more; unpack it first",
		"PK\x03\x04":                                    "this is no table of word vectors but a zip archive in another; unpack it first",
	} {
		for _, kind := range []Kind{Auto, GloVe, Word2VecText, Word2VecBinary} {
			_, err := NewReader(strings.NewReader(head), Options{Kind: kind})
			checkError(t, fmt.Sprintf("%.10q as %v", head, kind), err, "wordvectors: "+want)
		}
	}
}

func zipped(t testing.TB, members ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(members); i += 2 {
		w, err := z.Create(members[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, members[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// bz2 is "a 1 2\nb 3 4\n", packed by Python's bz2.
const bz2 = "BZh91AY&SY\x4f\xae\xb1\xbf\x00\x00\x05\x59\x00\x00\x10\x40\x00\x3c\x00\x30\x00\x20\x00\x21\xa0\xc9\xea\x10\xc0\x88\xfa\x00\x90\xbc\x5d\xc9\x14\xe1\x42\x41\x3e\xba\xc6\xfc"

// A file that is not packed, or packed in any known way, is the same table.
func TestUnpackFile(t *testing.T) {
	const table = "a 1 2\nb 3 4\n"
	all := zipped(t, "data/", "", "data/x.50d.txt", "x 1\n", "data/x.100d.txt", table, "__MACOSX/._x.txt", "junk", ".hidden", "junk")
	for _, c := range []struct {
		what         string
		file         []byte
		member, name string
		want         string // an error
	}{
		{"plain", []byte(table), "", "", ""},
		{"bzip2", []byte(bz2), "", "", ""},
		{"zip", zipped(t, "x.vec", table), "", "x.vec", ""},
		{"zip with a member of any name", zipped(t, "x", table), "", "x", ""},
		{"zip with a page", zipped(t, "LICENSE", "free", "x.vec", table), "", "x.vec", ""},
		{"zip, member by its path", all, "data/x.100d.txt", "data/x.100d.txt", ""},
		{"zip, member by its name", all, "x.100d.txt", "data/x.100d.txt", ""},
		{"zip, many", all, "", "", `the zip archive has 2 files, "data/x.50d.txt", "data/x.100d.txt", and nothing says which is meant`},
		{"zip, no such member", all, "x", "", `the zip archive has no member "x", but "data/x.50d.txt", "data/x.100d.txt"`},
		{"zip without files", zipped(t), "", "", "the zip archive has no files"},
		{"npz", zipped(t, "a.npy", "\x93NUMPY", "b.npy", "\x93NUMPY"), "", "", `the zip archive has arrays of NumPy (.npz), "a.npy", and no table of word vectors`},
		{"PyTorch", zipped(t, "archive/data.pkl", "\x80\x02", "archive/version", "3"), "", "", `the zip archive has a pickle of Python, "archive/data.pkl", as PyTorch's files have, and no table of word vectors`},
		{"cut zip", all[:len(all)/2], "", "", "the zip archive cannot be read, as if a part of it were missing: zip: not a valid zip file"},
		{"member of no archive", []byte(table), "x", "", `the file is no zip archive, so that it has no member "x"`},
	} {
		u, name, packed, err := UnpackFile(bytes.NewReader(c.file), int64(len(c.file)), c.member)
		if c.want != "" {
			checkError(t, c.what, err, "wordvectors: "+c.want)
			continue
		}
		if err != nil || name != c.name || packed != (c.what != "plain") {
			t.Errorf("%s: member %q, packed %v, error %v", c.what, name, packed, err)
			continue
		}
		b, err := io.ReadAll(u)
		if err := errors.Join(err, u.Close()); err != nil || string(b) != table {
			t.Errorf("%s: %q, error %v", c.what, b, err)
		}
	}
}

// A broken file under the packing, and a disk that fails, are errors and not the end of the file.
func TestErrorsOfTheFile(t *testing.T) {
	plain := []byte("a 1 2\n" + strings.Repeat("bbb 0.123456 7.5\n", 100_000))
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(plain); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	u, _, err := Unpack(bytes.NewReader(b.Bytes()[:b.Len()/2]))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := readAll(u, Options{}); err == nil || !strings.Contains(err.Error(), "unexpected EOF") {
		t.Errorf("a gzip file cut in half: %v", err)
	}
	_, err = readAll(iotest.TimeoutReader(bytes.NewReader(plain)), Options{})
	if err == nil || !strings.HasPrefix(err.Error(), "wordvectors: line ") || !strings.HasSuffix(err.Error(), "timeout") {
		t.Errorf("a disk that fails: %v", err)
	}
	for _, head := range []string{"\x1f\x8b", "\x1f\x8bxxxxxxxxxxxxxxxxxx"} {
		if _, _, err := Unpack(strings.NewReader(head)); err == nil || !strings.HasPrefix(err.Error(), "wordvectors: gzip: ") {
			t.Errorf("%q: %v", head, err)
		}
	}
	// A window of 2 GiB, asked for by a few bytes.
	huge := []byte{0x28, 0xb5, 0x2f, 0xfd, 0, 21 << 3, 1, 0, 0}
	u, _, err = Unpack(bytes.NewReader(huge))
	if err == nil {
		_, err = readAll(u, Options{})
	}
	if err == nil || !strings.Contains(err.Error(), "window size") {
		t.Errorf("a zstd file with a window of 2 GiB: %v", err)
	}
}

// The reader's own memory does not grow with the file.
func TestMemory(t *testing.T) {
	file := bytes.Repeat([]byte("word 0.25 -1.5 3e-05 7\n"), 200_000)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	d, err := NewReader(bytes.NewReader(file), Options{})
	if err != nil {
		t.Fatal(err)
	}
	vector := make([]float32, 4)
	for n := 0; ; n++ {
		if _, err := d.Next(); err == io.EOF && n == 200_000 {
			break
		} else if err != nil {
			t.Fatal(n, err)
		}
		if err := d.Vector(vector); err != nil {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 4*bufferBytes {
		t.Errorf("%d bytes allocated", used)
	}
}

func FuzzReader(f *testing.F) {
	for _, pattern := range []string{"testdata/malformed/*", "testdata/*.txt", "testdata/*.vec", "testdata/*.bin"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, name := range files {
			b, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b[:min(len(b), 2000)], uint8(0))
		}
	}
	f.Add([]byte("2 1\na \x00\x00\x80\x3f\nb \x00\x00\x80\x3f\n"), uint8(Word2VecBinary))
	f.Add([]byte("a 1 2\n. . . 1e-5 -.5\n"), uint8(GloVe))
	for _, head := range []string{"2 1\na 1\nb 2\n", "2 1\na \x00\x00\x80\x3f\nb \x00\x00\x80\x3f\n"} {
		line, rest, _ := strings.Cut(head, "\n")
		for changed := range boundary.Decimals([]byte(line)) {
			f.Add(slices.Concat(changed, []byte("\n"), []byte(rest)), uint8(Word2VecText))
			f.Add(slices.Concat(changed, []byte("\n"), []byte(rest)), uint8(Word2VecBinary))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, kind uint8) {
		got, err := readAll(bytes.NewReader(b), Options{Kind: Kind(kind % 4), Dim: int(kind / 8 % 4), SkipMalformed: kind&4 != 0})
		if err != nil {
			if !strings.HasPrefix(err.Error(), "wordvectors: ") {
				t.Fatalf("an error without the package's name: %v", err)
			}
			return
		}
		// What was accepted gives the same again when written the plain way.
		var out bytes.Buffer
		for i, w := range got.words {
			out.WriteString(w)
			out.WriteByte(' ')
			for _, v := range got.vectors[i*got.dim : (i+1)*got.dim] {
				out.Write(binary.LittleEndian.AppendUint32(nil, math.Float32bits(v)))
			}
		}
		if got.kind == Word2VecBinary && len(got.words) > 0 && kind&4 == 0 { // all of them
			head, _, _ := bytes.Cut(b, []byte{'\n'})
			again, err := readAll(io.MultiReader(bytes.NewReader(append(head, '\n')), &out), Options{Kind: Word2VecBinary})
			if err != nil || !slices.Equal(again.words, got.words) || !sameBits(again.vectors, got.vectors) {
				t.Fatalf("written again: %v, words %q, want %q", err, again.words, got.words)
			}
		}
	})
}

// Packed files come from strangers too.
func FuzzUnpack(f *testing.F) {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	_, _ = w.Write([]byte("a 1 2\nb 3 4\n"))
	_ = w.Close()
	f.Add(z.Bytes())
	s, err := zstd.NewWriter(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(s.EncodeAll([]byte("a 1 2\nb 3 4\n"), nil))
	f.Add([]byte("a 1 2\n"))
	f.Add([]byte(bz2))
	f.Add(zipped(f, "x.txt", "a 1 2\nb 3 4\n", "LICENSE", ""))
	for changed := range boundary.Zip(zipped(f, "x.txt", "a 1 2\nb 3 4\n", "LICENSE", "")) {
		f.Add(changed)
	}
	for changed := range boundary.Zstd([]byte("a 1 2\nb 3 4\n")) {
		f.Add(changed)
	}
	for changed := range boundary.Words(z.Bytes(), 4, z.Len()-4) { // the size at the end of gzip
		f.Add(changed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		u, _, _, err := UnpackFile(bytes.NewReader(b), int64(len(b)), "")
		if err != nil {
			if !strings.HasPrefix(err.Error(), "wordvectors: ") {
				t.Fatalf("an error without the package's name: %v", err)
			}
			return
		}
		defer u.Close()
		_, _ = readAll(io.LimitReader(u, 1<<20), Options{})
	})
}

func BenchmarkReader(b *testing.B) {
	file := realGloVe(b)
	for name, read := range map[string]func(d *Reader) error{
		"words": func(d *Reader) error {
			for {
				if _, err := d.Next(); err != nil {
					return err
				}
			}
		},
		"vectors": func(d *Reader) error {
			vector := make([]float32, d.Dim())
			for {
				if _, err := d.Next(); err != nil {
					return err
				}
				if err := d.Vector(vector); err != nil {
					return err
				}
			}
		},
		"rows": func(d *Reader) error {
			if _, err := d.ReadRows(make([]float32, 82039*d.Dim()), func(int, []byte) bool { return true }); err != nil {
				return err
			}
			return io.EOF
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(file)))
			for b.Loop() {
				d, err := NewReader(bytes.NewReader(file), Options{})
				if err != nil {
					b.Fatal(err)
				}
				if err := read(d); err != io.EOF {
					b.Fatal(err)
				}
			}
		})
	}
}

func realGloVe(tb testing.TB) []byte {
	f, err := os.Open(shared.Path(tb, "data/embeddings/glove.6B.100d.imdb-vocab.txt.gz"))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	u, _, err := Unpack(f)
	if err != nil {
		tb.Fatal(err)
	}
	b, err := io.ReadAll(u)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}
