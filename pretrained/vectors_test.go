package pretrained

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/linnet-ml/linnet/internal/boundary"
	"github.com/linnet-ml/linnet/internal/plainfile"
	"github.com/linnet-ml/linnet/internal/ratio"
	"github.com/linnet-ml/linnet/internal/safetensors"
	"github.com/linnet-ml/linnet/internal/shared"
	"github.com/linnet-ml/linnet/text"
)

// recordedFiles has small files of all kinds and what gensim read from them.
const recordedFiles = "../internal/wordvectors/testdata"

func writeVectorFile(t testing.TB, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func vocabularyOfWords(t testing.TB, words ...string) *text.Vocabulary {
	t.Helper()
	v, err := text.NewVocabulary(context.Background(), words)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func wordsOf(v *text.Vocabulary) []string {
	words := make([]string, v.Len())
	for i := range words {
		words[i], _ = v.Word(int32(i))
	}
	return words
}

func vectorTableOf(e *Embedding) ([]float32, error) {
	table := make([]float32, e.Rows()*e.Dim())
	return table, e.ReadTable(context.Background(), table)
}

func openVectorTable(t testing.TB, path string, o VectorOptions) (*Embedding, []float32) {
	t.Helper()
	e, err := OpenVectors(context.Background(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	table, err := vectorTableOf(e)
	if err != nil {
		t.Fatal(err)
	}
	return e, table
}

func sameVectors(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
}

func recordedVectors(t testing.TB, path, name string) []float32 {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	file, err := safetensors.Open(t.Context(), bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
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

func packGzip(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(b); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func packZstd(t testing.TB, b []byte) []byte {
	t.Helper()
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	return z.EncodeAll(b, nil)
}

// tensorFile is a safetensors file with the tensors given.
func tensorFile(t testing.TB, entries ...safetensors.Entry) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := safetensors.Write(context.Background(), &b, nil, entries, safetensors.Reference); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// The same words in each layout, packed and not, give the recorded words and vectors, bit for bit, and a row of zeros.
func TestOpenVectorsRecorded(t *testing.T) {
	var names struct {
		Words []string
		Odd   []string `json:"odd_words"`
	}
	b, err := os.ReadFile(filepath.Join(recordedFiles, "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &names); err != nil {
		t.Fatal(err)
	}
	vectors := recordedVectors(t, filepath.Join(recordedFiles, "expected.safetensors"), "vectors")
	odd := recordedVectors(t, filepath.Join(recordedFiles, "expected.safetensors"), "odd")
	for _, c := range []struct {
		file    string
		kind    VectorKind
		words   []string
		vectors []float32
	}{
		{"glove.txt", GloVe, names.Words, vectors},
		{"glove.crlf.txt", GloVe, names.Words[:20], vectors[:20*8]},
		{"glove.odd.txt", GloVe, names.Odd, odd},
		{"word2vec.txt", Word2VecText, names.Words, vectors},
		{"fasttext.vec", Word2VecText, names.Words, vectors},
		{"word2vec.gensim.bin", Word2VecBinary, names.Words, vectors},
		{"word2vec.c.bin", Word2VecBinary, names.Words, vectors},
	} {
		b, err := os.ReadFile(filepath.Join(recordedFiles, c.file))
		if err != nil {
			t.Fatal(err)
		}
		base := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(c.file, ".txt"), ".vec"), ".bin")
		for name, content := range map[string][]byte{c.file: b, c.file + ".gz": packGzip(t, b), c.file + ".zst": packZstd(t, b)} {
			for _, o := range []VectorOptions{{}, {Kind: c.kind, Dim: 8}} {
				e, table := openVectorTable(t, writeVectorFile(t, name, content), o)
				want := append(slices.Clone(c.vectors), make([]float32, 8)...)
				if e.Name() != base || e.Dim() != 8 || e.Rows() != len(c.words)+1 || e.Combiner() != text.Sqrtn || e.Tokenizer().Size() != e.Rows() {
					t.Errorf("%s: %q, shape (%d, %d), combiner %v, %d ids", name, e.Name(), e.Rows(), e.Dim(), e.Combiner(), e.Tokenizer().Size())
				}
				if !slices.Equal(wordsOf(e.Vocabulary()), c.words) || !sameVectors(table, want) {
					t.Errorf("%s: other words or vectors than recorded", name)
				}
			}
		}
	}
}

// Each option changes what it is for.
func TestVectorOptions(t *testing.T) {
	path := writeVectorFile(t, "small.txt", []byte("the 1 2\ngood 3 4\nBad 5 6\ndon't 7 8\ngood 9 10\nlast 11 13\n"))
	first := VectorOptions{KeepFirst: true}
	with := func(change func(*VectorOptions)) VectorOptions {
		o := first
		change(&o)
		return o
	}
	for _, c := range []struct {
		what  string
		o     VectorOptions
		words string
		table []float32
		ids   []int32 // of "The good don't", "bad"
	}{
		{"nothing", first, "the good Bad don't last", []float32{1, 2, 3, 4, 5, 6, 7, 8, 11, 13, 0, 0}, []int32{5, 1, 5, 5}},
		{"Lower", with(func(o *VectorOptions) { o.Lower = true }), "the good Bad don't last", []float32{1, 2, 3, 4, 5, 6, 7, 8, 11, 13, 0, 0}, []int32{0, 1, 5, 5}},
		{"KeepPunctuation", with(func(o *VectorOptions) { o.KeepPunctuation = true }), "the good Bad don't last", []float32{1, 2, 3, 4, 5, 6, 7, 8, 11, 13, 0, 0}, []int32{5, 1, 3, 5}},
		{"Limit", VectorOptions{Limit: 2}, "the good", []float32{1, 2, 3, 4, 0, 0}, []int32{2, 1, 2, 2}},
		{"Words", VectorOptions{Words: vocabularyOfWords(t, "last", "absent", "Bad")}, "Bad last", []float32{5, 6, 11, 13, 0, 0}, []int32{2, 2, 2, 2}},
		{"OOVMean", with(func(o *VectorOptions) { o.OOV = OOVMean }), "the good Bad don't last", []float32{1, 2, 3, 4, 5, 6, 7, 8, 11, 13, 5.4, 6.6}, []int32{5, 1, 5, 5}},
		{"Scale", VectorOptions{Limit: 2, Scale: 0.5, OOV: OOVMean}, "the good", []float32{0.5, 1, 1.5, 2, 1, 1.5}, nil},
		{"OOVBuckets", VectorOptions{Limit: 1, OOVBuckets: 2, OOV: OOVMean}, "the", []float32{1, 2, 1, 2, 1, 2}, nil},
	} {
		e, table := openVectorTable(t, path, c.o)
		if got := strings.Join(wordsOf(e.Vocabulary()), " "); got != c.words || !sameVectors(table, c.table) {
			t.Errorf("%s: words %q, table %v, want %q, %v", c.what, got, table, c.words, c.table)
		}
		ids := append(appendIDs(t, e, "The good don't"), appendIDs(t, e, "bad")...)
		if c.ids != nil && !slices.Equal(ids, c.ids) {
			t.Errorf("%s: ids %v, want %v", c.what, ids, c.ids)
		}
	}
	e, _ := openVectorTable(t, path, VectorOptions{KeepFirst: true, Name: "mine", Combiner: text.Mean})
	if e.Name() != "mine" || e.Combiner() != text.Mean {
		t.Errorf("name %q, combiner %v", e.Name(), e.Combiner())
	}
	random := func(seed uint64) []float32 {
		_, table := openVectorTable(t, path, VectorOptions{Limit: 1, OOVBuckets: 500, OOV: OOVUniform, Seed: seed})
		return table[2:]
	}
	a := random(1)
	if lo, hi := slices.Min(a), slices.Max(a); lo < -0.1 || hi >= 0.1 || lo > -0.09 || hi < 0.09 {
		t.Errorf("random vectors lie between %v and %v", lo, hi)
	}
	if !sameVectors(a, random(1)) || sameVectors(a, random(2)) {
		t.Error("random vectors do not follow the seed")
	}
}

func TestVectorsName(t *testing.T) {
	for path, want := range map[string]string{
		"a/glove.6B.100d.txt": "glove.6B.100d", "wiki.en.vec.gz": "wiki.en", "GoogleNews.BIN.zst": "GoogleNews", "table": "table", "x/.txt": ".txt", "m.safetensors": "m",
	} {
		if got := vectorsName(filepath.FromSlash(path)); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

// A safetensors table has its words in another file, and may have the rows for unknown words itself.
func TestOpenSafetensors(t *testing.T) {
	values := []float32{1, 2, 3, 4, 5, 6}
	table := safetensors.Entry{Name: "embeddings", Shape: []int{3, 2}, Data: safetensors.Float32Data(values)}
	other := safetensors.Entry{Name: "bias", Shape: []int{2}, Data: safetensors.Float32Data{9, 9}}
	path := writeVectorFile(t, "module.safetensors", tensorFile(t, other, table))
	three := writeVectorFile(t, "three.txt", []byte("a\nb\nc\n"))
	for _, packed := range [][]byte{[]byte("a\nb\n"), packGzip(t, []byte("a\nb\n"))} {
		two := writeVectorFile(t, "two.txt", packed)
		for _, o := range []VectorOptions{{}, {Kind: Safetensors, Tensor: "embeddings", Dim: 2}} {
			o.VocabularyFile = two
			e, got := openVectorTable(t, path, o)
			if e.Name() != "module" || e.Vocabulary().Len() != 2 || e.Rows() != 3 || !sameVectors(got, values) {
				t.Errorf("%q, %d words, table %v", e.Name(), e.Vocabulary().Len(), got)
			}
		}
	}
	e, got := openVectorTable(t, path, VectorOptions{VocabularyFile: three, OOV: OOVMean, OOVBuckets: 2})
	if e.Vocabulary().Len() != 3 || !sameVectors(got, append(slices.Clone(values), 3, 4, 3, 4)) {
		t.Errorf("%d words, table %v", e.Vocabulary().Len(), got)
	}
}

// hubTexts is the rule of TensorFlow Hub's text modules, for VectorOptions.Tokenizer.
func hubTexts(words *text.Vocabulary) (text.Tokenizer, error) {
	return text.NewHubTokenizer(words, text.HubTokenizerOptions{})
}

func TestOpenVectorsErrors(t *testing.T) {
	good := writeVectorFile(t, "good.txt", []byte("a 1 2\nb 3 4\n"))
	table := func(shape ...int) []byte {
		n := 1
		for _, s := range shape {
			n *= s
		}
		return tensorFile(t, safetensors.Entry{Name: "t", Shape: shape, Data: safetensors.Float32Data(make([]float32, n))})
	}
	tensor := writeVectorFile(t, "good.safetensors", table(3, 2))
	two := writeVectorFile(t, "two.txt", []byte("a\nb\n"))
	four := writeVectorFile(t, "four.txt", []byte("a\nb\nc\nd\n"))
	twice := writeVectorFile(t, "twice.txt", []byte("a\nb\na\n"))
	empty := writeVectorFile(t, "empty.txt", nil)
	three := writeVectorFile(t, "three.txt", []byte("a\nb\nc\n"))
	words := VectorOptions{VocabularyFile: two}
	for _, c := range []struct {
		what, path string
		o          VectorOptions
		want       string
	}{
		{"no file", filepath.Join(t.TempDir(), "none"), VectorOptions{}, "no such file or directory"},
		{"a folder", t.TempDir(), VectorOptions{}, "it is a folder, not a plain file"},
		{"kind", good, VectorOptions{Kind: 9}, "no such kind of vectors: 9"},
		{"OOV", good, VectorOptions{OOV: 9}, "no such vectors for unknown words: 9"},
		{"combiner", good, VectorOptions{Combiner: 9}, "no combiner: name one of sqrtn, mean and sum"},
		{"negative", good, VectorOptions{Limit: -1}, "option Limit -1 must not be negative"},
		{"scale", good, VectorOptions{Scale: -1}, "option Scale -1 is not a positive number"},
		{"scale NaN", good, VectorOptions{Scale: float32(math.NaN())}, "option Scale NaN is not a positive number"},
		{"seed", good, VectorOptions{Seed: 1}, "option Seed 1 is for OOVUniform alone"},
		{"dimension", good, VectorOptions{Dim: 3}, "wordvectors: line 1: the vectors have 2 values, not 3"},
		{"no word wanted", good, VectorOptions{Words: vocabularyOfWords(t, "x")}, "the file has none of the 1 words that are wanted"},
		{"a vocabulary file", good, words, "options VocabularyFile and Tensor are for safetensors files; this is none, or is packed and must be unpacked first"},
		{"empty", empty, VectorOptions{}, "wordvectors: the file is empty"},
		{"no words", writeVectorFile(t, "0.txt", []byte("0 5\n")), VectorOptions{}, "the file has no words"},
		{"length", writeVectorFile(t, "1.txt", []byte("a 1 2\nb 3\n")), VectorOptions{}, `wordvectors: line 2 has 1 values behind the word "b", not 2`},
		{"duplicate", writeVectorFile(t, "2.txt", []byte("3 1\na 1\nb 3\na 2\n")), VectorOptions{}, `line 2 and line 4 both have the word "a" (VectorOptions.KeepFirst keeps the first)`},
		{"duplicate in a binary file", writeVectorFile(t, "3.bin", []byte("2 1\na \x00\x00\x80\x3fa \x00\x00\x80\x3f")), VectorOptions{}, `word 1 at byte 4 and word 2 at byte 10 both have the word "a" (VectorOptions.KeepFirst keeps the first)`},
		{"tensor without words", tensor, VectorOptions{}, "a safetensors file has no words: VectorOptions.VocabularyFile must name the file that has them"},
		{"tensor with Limit", tensor, VectorOptions{VocabularyFile: two, Limit: 1}, "options Words, Limit, KeepFirst, SkipMalformed and Member are for files that have the words beside their vectors, not for safetensors"},
		{"tensor's dimension", tensor, VectorOptions{VocabularyFile: two, Dim: 3}, `tensor "t": the vectors have 2 values, not 3`},
		{"tensor's name", tensor, VectorOptions{VocabularyFile: two, Tensor: "x"}, `safetensors: the file has no tensor "x"`},
		{"vocabulary larger than the table", tensor, VectorOptions{VocabularyFile: four}, "vocabulary " + four + " has 4 words, but the table has only 3 rows"},
		{"buckets", tensor, VectorOptions{VocabularyFile: two, OOVBuckets: 5}, "the table has 3 rows and vocabulary " + two + " has 2 words: the 1 rows behind them are for unknown words only if OOVBuckets is as many, not 5"},
		{"other vectors for unknown words", tensor, VectorOptions{VocabularyFile: two, OOV: OOVMean}, "the table has 1 rows for unknown words of its own: OOV and UnknownWord must not name others"},
		{"duplicate in the vocabulary", tensor, VectorOptions{VocabularyFile: twice}, "vocabulary " + twice + `: text: lines 1 and 3 of the vocabulary are both "a"`},
		{"empty vocabulary", tensor, VectorOptions{VocabularyFile: empty}, "vocabulary " + empty + " has no words"},
		{"no vocabulary", tensor, VectorOptions{VocabularyFile: empty + "x"}, "vocabulary " + empty + "x: no such file or directory"},
		{"rank", writeVectorFile(t, "4.safetensors", table(2, 2, 2)), words, "the file has no tensor of two dimensions"},
		{"named rank", writeVectorFile(t, "5.safetensors", table(8)), VectorOptions{VocabularyFile: two, Tensor: "t"}, `tensor "t" has shape [8], not (words, dimension)`},
		{"no rows", writeVectorFile(t, "6.safetensors", table(0, 2)), words, `tensor "t" of shape [0 2] is empty`},
		{"type", writeVectorFile(t, "7.safetensors", tensorFile(t, safetensors.Entry{Name: "t", Shape: []int{2, 1}, Data: safetensors.Int32Data{1, 2}})), words, `tensor "t" holds I32, not F32`},
		{"two tables", writeVectorFile(t, "8.safetensors", tensorFile(t, safetensors.Entry{Name: "t", Shape: []int{1, 1}, Data: safetensors.Float32Data{1}}, safetensors.Entry{Name: "u", Shape: []int{1, 1}, Data: safetensors.Float32Data{1}})), words,
			`tensors "t" and "u" both have two dimensions: VectorOptions.Tensor must name the table`},
		{"packed tensor", writeVectorFile(t, "9.gz", packGzip(t, table(3, 2))), words, "this is no safetensors file but data packed by gzip"},
		{"a list of words in a zip archive of two files", tensor, VectorOptions{VocabularyFile: writeVectorFile(t, "words.zip", zipFile(t, "a.txt", "a 1\n", "b.txt", "b 1\n"))},
			"vocabulary " + filepath.Join("*", "words.zip") + `: wordvectors: the zip archive has 2 files, "a.txt", "b.txt", and nothing says which is meant: it must have the list of words alone`},
		{"vectors in a zip archive of two files", writeVectorFile(t, "vectors.zip", zipFile(t, "a.txt", "a 1\n", "b.txt", "b 1\n")), VectorOptions{},
			`wordvectors: the zip archive has 2 files, "a.txt", "b.txt", and nothing says which is meant: VectorOptions.Member must name the one with the vectors`},
		{"unknown word", good, VectorOptions{UnknownWord: "<unk>"}, `the file has no word "<unk>", which UnknownWord names`},
		{"unknown word of a tensor", tensor, VectorOptions{VocabularyFile: three, UnknownWord: "<unk>"}, "vocabulary " + three + ` has no word "<unk>", which UnknownWord names`},
		{"unknown word and OOV", good, VectorOptions{UnknownWord: "a", OOV: OOVMean}, `options OOV and UnknownWord "a" both say what the vectors of unknown words are`},
		{"a tokenizer and its options", good, VectorOptions{Tokenizer: hubTexts, Lower: true}, "options Lower and KeepPunctuation are for texts without a Tokenizer of their own"},
		{"no tokenizer", good, VectorOptions{Tokenizer: func(*text.Vocabulary) (text.Tokenizer, error) { return nil, nil }}, "option Tokenizer made none"},
		{"a tokenizer that fails", good, VectorOptions{Tokenizer: func(*text.Vocabulary) (text.Tokenizer, error) { return nil, io.ErrNoProgress }}, "option Tokenizer: " + io.ErrNoProgress.Error()},
		{"a member of no archive", good, VectorOptions{Member: "x"}, `wordvectors: the file is no zip archive, so that it has no member "x"`},
		{"nothing but malformed lines", writeVectorFile(t, "m.txt", []byte("a 1\nb 2\n")), VectorOptions{Dim: 2, Kind: GloVe, SkipMalformed: true}, "the file has no words; 2 malformed lines were skipped"},
	} {
		_, err := OpenVectors(context.Background(), c.path, c.o)
		c.want = strings.Replace(c.want, filepath.Join("*", "words.zip"), c.o.VocabularyFile, 1)
		if want := "pretrained: " + c.path + ": " + c.want; err == nil || err.Error() != want && runtime.GOOS != "windows" {
			t.Errorf("%s:\n got %v\nwant %s", c.what, err, want)
		}
	}
}

// A list of words may begin with a word that other kinds of files begin with, too.
func TestVocabularyFileKinds(t *testing.T) {
	for _, words := range []string{"<head>\nthe\n", "<html>\r\n<body>\r\n</s>\r\n", "GGUF\nPAR1\n", "PAR1\n", "%PDF-1.7\nx\n", "<head>"} {
		path := writeVectorFile(t, "words.txt", []byte(words))
		v, err := readVocabularyFile(t.Context(), path, ratio.Limit{}, maxTokens)
		if err != nil || v.Len() != len(strings.Fields(words)) {
			t.Errorf("%q: %d words, error %v", words, v.Len(), err)
		}
	}
	for other, want := range map[string]string{
		"<!DOCTYPE html>\n<p>\n": "a web page", "<html>\n<head>\n<title>No</title>\n": "a web page", "<html>\n <body>": "a web page", "<head><title>": "a web page",
		"GGUF\x03\x00": "a GGUF file", "PAR1\x15\x04": "a Parquet file", "%PDF-1.7\n1 0 obj\n": "a PDF document",
		"version https://git-lfs.github.com/spec/v1\n": "a pointer of Git LFS", "\x93NUMPY\x01\x00": "an array of NumPy",
	} {
		path := writeVectorFile(t, "words.txt", []byte(other))
		if _, err := readVocabularyFile(t.Context(), path, ratio.Limit{}, maxTokens); err == nil || !strings.Contains(err.Error(), "this is no list of words but "+want) {
			t.Errorf("%q: error %v", other, err)
		}
	}
}

// The limit of a list of words holds for what is packed as well.
func TestVocabularyFileSize(t *testing.T) {
	var list bytes.Buffer
	for i := range 10_000 {
		fmt.Fprintln(&list, i)
	}
	size := int64(list.Len())
	for what, packed := range map[string][]byte{"plain": list.Bytes(), "gzip": packGzip(t, list.Bytes()), "zstd": packZstd(t, list.Bytes())} {
		path := writeVectorFile(t, "words", packed)
		if v, err := readVocabularyFile(t.Context(), path, ratio.Limit{}, size); err != nil || v.Len() != 10_000 {
			t.Errorf("%s: %v", what, err)
		}
		_, err := readVocabularyFile(t.Context(), path, ratio.Limit{}, size-1)
		if !errors.Is(err, plainfile.ErrTooLarge) || what != "plain" && !strings.Contains(err.Error(), fmt.Sprintf("it unpacks to more than %d bytes", size-1)) {
			t.Errorf("%s: error %v", what, err)
		}
	}
}

// No error has more of a path than people should see, whatever finds it.
func TestPathsInErrors(t *testing.T) {
	const bad = "a\x1b[2J\u202eb"
	var errs []error
	add := func(err error) { errs = append(errs, err) }
	dir := filepath.Join(t.TempDir(), bad)
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Skip(err)
	}
	path := filepath.Join(dir, "words.txt")
	if err := os.WriteFile(path, []byte("a 1 2\nb 3 4\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	_, err := OpenVectors(t.Context(), path, VectorOptions{Combiner: 9})
	add(err)
	e, err := OpenVectors(t.Context(), path, VectorOptions{Scale: 2, OOV: OOVMean})
	if err != nil {
		t.Fatal(err)
	}
	add(e.ReadTable(t.Context(), nil))
	done, cancel := context.WithCancel(t.Context())
	cancel()
	add(e.ReadTable(done, make([]float32, e.Rows()*e.Dim())))
	if err := os.WriteFile(path, []byte("a 1 2\nb 3 nan\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	add(e.ReadTable(t.Context(), make([]float32, e.Rows()*e.Dim())))
	_, _, err = e.VectorsOf(t.Context(), []string{"a"})
	add(err)
	words := vocabularyOfWords(t, "a")
	tokens, err := hubTexts(words)
	if err != nil {
		t.Fatal(err)
	}
	for _, failure := range []error{nil, io.ErrNoProgress} {
		own, err := NewEmbedding(Table{Name: bad, Tokenizer: tokens, Vocabulary: words, Rows: 2, Dim: 1, Read: func(_ context.Context, dst []float32) error {
			dst[0] = float32(math.NaN())
			return failure
		}})
		if err != nil {
			t.Fatal(err)
		}
		add(own.ReadTable(t.Context(), make([]float32, 2)))
	}
	_, err = NewEmbedding(Table{Name: bad, Tokenizer: tokens, Vocabulary: words, Rows: 1, Dim: 1, Read: func(context.Context, []float32) error { return nil }})
	add(err)
	emptyCaches(t)
	t.Setenv("LINNET_DATA", dir)
	_, err = FindModule("nnlm-en-dim50")
	add(err)
	_, err = OpenModule(t.Context(), "nnlm-en-dim50", HubOptions{})
	add(err)
	for i, err := range errs {
		if err == nil || !strings.Contains(err.Error(), `a\x1b[2J\u202eb`) || strings.ContainsAny(err.Error(), bad[1:2]+"\u202e") {
			t.Errorf("%d: error %q", i, err)
		}
	}
	if !errors.Is(errs[len(errs)-1], ErrModuleNotFound) || !errors.Is(errs[len(errs)-1], fs.ErrNotExist) || !errors.Is(errs[2], context.Canceled) {
		t.Error("the causes are lost")
	}
}

// The numbers are looked at when the table is read.
func TestReadTableErrors(t *testing.T) {
	for _, c := range []struct {
		what, name string
		content    []byte
		change     []byte
		want       string
	}{
		{"NaN", "a.txt", []byte("a 1 2\nb 3 nan\n"), nil, `wordvectors: line 2: value 2: "nan" is not finite`},
		{"NaN in a binary file", "a.bin", []byte("1 1\na \x00\x00\xc0\x7f"), nil, "wordvectors: word 1 at byte 4: value 1 is NaN"},
		{"NaN in a tensor", "a.safetensors", tensorFile(t, safetensors.Entry{Name: "t", Shape: []int{3, 1}, Data: safetensors.Float32Data{1, float32(math.NaN()), 2}}), nil, "row 1, column 0 of the table is NaN"},
		{"fewer words", "b.txt", []byte("a 1 2\nb 3 4\n"), []byte("a 1 2\n"), "the file has changed since it was opened"},
		{"another word", "c.txt", []byte("a 1 2\nb 3 4\n"), []byte("a 1 2\nc 3 4\n"), "the file has changed since it was opened"},
		{"another dimension", "d.txt", []byte("a 1 2\n"), []byte("a 1\n"), "the file has changed since it was opened"},
		{"another shape", "e.safetensors", tensorFile(t, safetensors.Entry{Name: "t", Shape: []int{3, 1}, Data: safetensors.Float32Data{1, 2, 3}}),
			tensorFile(t, safetensors.Entry{Name: "t", Shape: []int{1, 3}, Data: safetensors.Float32Data{1, 2, 3}}), "the file has changed since it was opened"},
	} {
		path := writeVectorFile(t, c.name, c.content)
		var o VectorOptions
		if strings.HasSuffix(c.name, ".safetensors") {
			o.VocabularyFile = writeVectorFile(t, "words.txt", []byte("a\nb\n"))
		}
		e, err := OpenVectors(context.Background(), path, o)
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		if c.change != nil {
			if err := os.WriteFile(path, c.change, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		_, err = vectorTableOf(e)
		if want := "pretrained: " + path + ": " + c.want; err == nil || err.Error() != want {
			t.Errorf("%s:\n got %v\nwant %s", c.what, err, want)
		}
	}
}

// What the list of malformed files says of word vectors, tables and vocabularies holds here too.
func TestMalformedVectors(t *testing.T) {
	folder := shared.Path(t, "golden-formats/malformed")
	b, err := os.ReadFile(filepath.Join(folder, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	var index []struct{ File, Format, Expected string }
	if err := json.Unmarshal(b, &index); err != nil {
		t.Fatal(err)
	}
	vocabulary := writeVectorFile(t, "words.txt", []byte("a\nb\n"))
	tensor := writeVectorFile(t, "table.safetensors", tensorFile(t, safetensors.Entry{Name: "t", Shape: []int{9, 1}, Data: safetensors.Float32Data(make([]float32, 9))}))
	n := 0
	for _, c := range index {
		path := filepath.Join(folder, c.File)
		var o VectorOptions
		switch c.Format {
		case "glove", "word2vec_text", "word2vec_binary":
		case "safetensors":
			o = VectorOptions{Kind: Safetensors, VocabularyFile: vocabulary}
		case "vocabulary":
			path, o = tensor, VectorOptions{VocabularyFile: path}
		default:
			if !strings.HasPrefix(c.File, "fasttext") {
				continue
			}
		}
		n++
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		begin := time.Now()
		e, err := OpenVectors(context.Background(), path, o)
		if err == nil {
			_, err = vectorTableOf(e)
		}
		took := time.Since(begin)
		runtime.ReadMemStats(&after)
		if err == nil && c.Expected == "error" {
			t.Errorf("%s: no error", c.File)
		}
		if used := after.TotalAlloc - before.TotalAlloc; took > time.Second || used > 64<<20 {
			t.Errorf("%s: %v and %d bytes allocated", c.File, took, used)
		}
	}
	if n < 40 {
		t.Errorf("the list has only %d files for this test", n)
	}
}

// The text modules that were recorded were made from the real GloVe table: its first words, cut to 16 values. The table
// opened as it is gives their rows, their ids and their vectors.
func TestGloVeLikeModule(t *testing.T) {
	hub := shared.Path(t, "golden-formats/hub")
	real := shared.Path(t, "data/embeddings/glove.6B.100d.imdb-vocab.txt.gz")
	var expected struct {
		IDs [][]int32
	}
	readVectorJSON(t, filepath.Join(hub, "nnlm.expected.json"), &expected)
	var recorded struct{ Texts [][]byte } // in base64
	readVectorJSON(t, filepath.Join(hub, "texts.json"), &recorded)
	embeddings := recordedVectors(t, filepath.Join(hub, "nnlm.expected.safetensors"), "embeddings")
	vectors := recordedVectors(t, filepath.Join(hub, "nnlm.expected.safetensors"), "vectors")

	const dim, added = 16, 40 // the module's last words are not from GloVe
	rows := len(embeddings) / dim
	words := rows - 1 - added
	e, table := openVectorTable(t, real, VectorOptions{Limit: words, Dim: 100, Tokenizer: hubTexts})
	if e.Rows() != words+1 {
		t.Fatalf("%d rows, want %d", e.Rows(), words+1)
	}
	for i := range words {
		if !sameVectors(table[i*100:i*100+dim], embeddings[i*dim:(i+1)*dim]) {
			word, _ := e.Vocabulary().Word(int32(i))
			t.Fatalf("row %d, %q: %v, want %v", i, word, table[i*100:i*100+dim], embeddings[i*dim:(i+1)*dim])
		}
	}
	// The row for unknown words is random in the module: the comparison takes it from there. Texts with the words that the
	// module has beyond GloVe's are left out.
	compared := 0
	for i, s := range recorded.Texts {
		want := expected.IDs[i]
		if want == nil || slices.ContainsFunc(want, func(id int32) bool { return id >= int32(words) && id < int32(rows-1) }) {
			continue
		}
		got := appendIDs(t, e, string(s))
		if !slices.EqualFunc(got, want, func(g, w int32) bool { return g == w || g == int32(words) && w == int32(rows-1) }) {
			t.Fatalf("text %d: ids %v, want %v", i, got, want)
		}
		compared++
		for j := range dim {
			sum := float32(0)
			for k, id := range got {
				if id == int32(words) {
					sum += embeddings[int(want[k])*dim+j]
				} else {
					sum += table[int(id)*100+j]
				}
			}
			v, w := float64(sum)/math.Sqrt(float64(len(got))), float64(vectors[i*dim+j])
			if math.Abs(v-w) > 1e-5*(1+math.Abs(w)) {
				t.Errorf("text %d, value %d: %v, want %v", i, j, v, w)
			}
		}
	}
	if compared < 100 {
		t.Errorf("only %d texts were compared", compared)
	}
}

func readVectorJSON(t *testing.T, path string, v any) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatal(err)
	}
}

// The whole table, and a part of it, from the packed file and from text.
func TestRealGloVe(t *testing.T) {
	path := shared.Path(t, "data/embeddings/glove.6B.100d.imdb-vocab.txt.gz")
	e, err := OpenVectors(context.Background(), path, VectorOptions{Lower: true})
	if err != nil {
		t.Fatal(err)
	}
	if e.Name() != "glove.6B.100d.imdb-vocab" || e.Rows() != 82040 || e.Dim() != 100 {
		t.Errorf("%q of shape (%d, %d)", e.Name(), e.Rows(), e.Dim())
	}
	some, table := openVectorTable(t, path, VectorOptions{Words: vocabularyOfWords(t, "terrible", "the", "xqzj")})
	if got := wordsOf(some.Vocabulary()); !slices.Equal(got, []string{"the", "terrible"}) {
		t.Errorf("words %q", got)
	}
	if table[0] != -0.038194 || table[99] != 0.27062 {
		t.Errorf("the: %v", table[:100])
	}
	if testing.Short() {
		return
	}
	all, err := vectorTableOf(e)
	if err != nil {
		t.Fatal(err)
	}
	id, _ := e.Vocabulary().ID("terrible")
	if !sameVectors(all[id*100:(id+1)*100], table[100:200]) {
		t.Error("the row of a word in the whole table is another than in a part of it")
	}
}

func FuzzOpenVectors(f *testing.F) {
	for _, pattern := range []string{"/malformed/*", "/*.txt", "/*.vec", "/*.bin"} {
		files, err := filepath.Glob(recordedFiles + pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, name := range files {
			b, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b[:min(len(b), 2000)], []byte(nil))
		}
	}
	f.Add(tensorFile(f, safetensors.Entry{Name: "t", Shape: []int{2, 2}, Data: safetensors.Float32Data{1, 2, 3, 4}}), []byte("a\nb\n"))
	f.Add(tensorFile(f, safetensors.Entry{Name: "t", Shape: []int{2, 2}, Data: safetensors.Float32Data{1, 2, 3, 4}}), []byte("a\n"))
	f.Add([]byte("a 1 2\na 1 2\n"), []byte(nil))
	for changed := range boundary.Decimals([]byte("2 1\n")) {
		f.Add(slices.Concat(changed, []byte("a 1\nb 2\n")), []byte(nil))
		f.Add(slices.Concat(changed, []byte("a \x00\x00\x80\x3fb \x00\x00\x80\x3f")), []byte(nil))
	}
	for changed := range boundary.Every(3, boundary.Decimals([]byte(`{"t":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}`))) {
		head := binary.LittleEndian.AppendUint64(nil, uint64(len(changed)))
		f.Add(slices.Concat(head, changed, make([]byte, 16)), []byte("a\nb\n"))
	}
	path := filepath.Join(f.TempDir(), "vectors")
	words := filepath.Join(f.TempDir(), "words")
	f.Fuzz(func(t *testing.T, b, vocabulary []byte) {
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		var o VectorOptions
		if len(vocabulary) > 0 {
			if err := os.WriteFile(words, vocabulary, 0o644); err != nil {
				t.Fatal(err)
			}
			o.VocabularyFile = words
		}
		e, err := OpenVectors(context.Background(), path, o)
		if err == nil {
			var table []float32
			if table, err = vectorTableOf(e); err == nil {
				if notFinite(table) >= 0 || e.Vocabulary().Len() >= e.Rows() || len(table) > 1<<20+8*len(b) {
					t.Fatalf("%d words, %d rows, %d values from %d bytes", e.Vocabulary().Len(), e.Rows(), len(table), len(b))
				}
				return
			}
		}
		if !strings.HasPrefix(err.Error(), "pretrained: ") {
			t.Fatalf("an error without the package's name: %v", err)
		}
	})
}

// Opening goes through the packed file once, reading its table once more.
func BenchmarkVectors(b *testing.B) {
	packed := shared.Path(b, "data/embeddings/glove.6B.100d.imdb-vocab.txt.gz")
	f, err := os.Open(packed)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		b.Fatal(err)
	}
	plain, err := io.ReadAll(z)
	if err != nil {
		b.Fatal(err)
	}
	for name, path := range map[string]string{"gzip": packed, "text": writeVectorFile(b, "glove.txt", plain)} {
		b.Run(fmt.Sprintf("Open/%s", name), func(b *testing.B) {
			b.SetBytes(int64(len(plain)))
			for b.Loop() {
				if _, err := OpenVectors(context.Background(), path, VectorOptions{}); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("ReadTable/%s", name), func(b *testing.B) {
			b.SetBytes(int64(len(plain)))
			e, err := OpenVectors(context.Background(), path, VectorOptions{})
			if err != nil {
				b.Fatal(err)
			}
			table := make([]float32, e.Rows()*e.Dim())
			for b.Loop() {
				if err := e.ReadTable(context.Background(), table); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
