package pretrained

import (
	"archive/zip"
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/internal/safetensors"
	"github.com/linnet-ml/linnet/text"
)

// wordReaders are all ways to read words from lines: of a file with the lines that are given they return the words. Each
// line has a word and, where vectors is set, two values.
var wordReaders = map[string]struct {
	vectors bool
	header  bool // a first line "2 2"
	read    func(t *testing.T, path string) ([]string, error)
}{
	"ReadVocabulary": {read: func(t *testing.T, path string) ([]string, error) {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		v, err := text.ReadVocabulary(t.Context(), f)
		return wordsOf(v), err
	}},
	"VocabularyFile": {read: func(t *testing.T, path string) ([]string, error) {
		table := tensorFile(t, safetensors.Entry{Name: "t", Shape: []int{2, 1}, Data: safetensors.Float32Data{1, 2}})
		e, err := OpenVectors(t.Context(), writeVectorFile(t, "t.safetensors", table), VectorOptions{VocabularyFile: path})
		if err != nil {
			return nil, err
		}
		return wordsOf(e.Vocabulary()), nil
	}},
	"GloVe":         {vectors: true, read: wordsOfVectors(AutoVectors)},
	"GloVe, named":  {vectors: true, read: wordsOfVectors(GloVe)},
	"word2vec":      {vectors: true, header: true, read: wordsOfVectors(AutoVectors)},
	"word2vec text": {vectors: true, header: true, read: wordsOfVectors(Word2VecText)},
}

func wordsOfVectors(kind VectorKind) func(t *testing.T, path string) ([]string, error) {
	return func(t *testing.T, path string) ([]string, error) {
		e, err := OpenVectors(t.Context(), path, VectorOptions{Kind: kind})
		if err != nil {
			return nil, err
		}
		if _, err := vectorTableOf(e); err != nil {
			return nil, err
		}
		return wordsOf(e.Vocabulary()), nil
	}
}

// A byte order mark and the line ends of Windows are no part of a word, whoever reads it, packed or not.
func TestLineEnds(t *testing.T) {
	for name, r := range wordReaders {
		for _, end := range []string{"\n", "\r\n"} {
			for _, mark := range []string{"", "\ufeff"} {
				file := mark
				if r.header {
					file += "2 2" + end
				}
				for _, word := range []string{"the", "film"} {
					if file += word; r.vectors {
						file += " 0.5 1"
					}
					file += end
				}
				for packing, b := range map[string][]byte{"plain": []byte(file), "gzip": packGzip(t, []byte(file)), "zip": zipFile(t, "words.txt", file)} {
					if name == "ReadVocabulary" && packing != "plain" {
						continue
					}
					words, err := r.read(t, writeVectorFile(t, "words.txt", b))
					if err != nil || !slices.Equal(words, []string{"the", "film"}) {
						t.Errorf("%s, %s, lines end with %q after %q: words %q, error %v", name, packing, end, mark, words, err)
					}
				}
			}
		}
	}
	// TensorFlow keeps the mark of a module's words.
	dir := filepath.Join(moduleZip(t, "index"), "index")
	path := filepath.Join(dir, "assets", "tokens.txt")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append([]byte("\ufeff"), bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n"))...), 0o644); err != nil {
		t.Fatal(err)
	}
	e, err := OpenHub(t.Context(), dir, HubOptions{})
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(b), "\n")
	if words := wordsOf(e.Vocabulary()); words[0] != "\ufeff"+first || strings.Contains(strings.Join(words, ""), "\r") {
		t.Errorf("a module's words %q", words)
	}
}

// A file of another kind in place of words is named, whoever should have read it.
func TestForeignFiles(t *testing.T) {
	for head, want := range map[string]string{
		"\x80\x04\x95\x10\x00\x00": "a pickle of Python", "\x93NUMPY\x01\x00": "an array of NumPy", "\x89HDF\r\n\x1a\n\x00": "an HDF5 file",
		"\xfd7zXZ\x00\x00": "data packed by xz", "x" + strings.Repeat("\x00", 256) + "ustar\x00": "a tar archive",
		"<!doctype html>\n<p>404</p>\n": "a web page", "version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 5\n": "a pointer of Git LFS",
		"\xff\xfet\x00h\x00e\x00\n\x00": "UTF-16",
	} {
		for name, r := range wordReaders {
			if name == "ReadVocabulary" {
				continue // it takes any lines
			}
			for packing, b := range map[string][]byte{"plain": []byte(head), "gzip": packGzip(t, []byte(head)), "zip": zipFile(t, "words.txt", head)} {
				if _, err := r.read(t, writeVectorFile(t, "words.txt", b)); err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%s, %s: error %v does not say %q", name, packing, err, want)
				}
			}
		}
		path := writeVectorFile(t, "table.safetensors", []byte(head))
		for _, o := range []VectorOptions{{Kind: Safetensors, VocabularyFile: path}, {VocabularyFile: path}} {
			if _, err := OpenVectors(t.Context(), path, o); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("safetensors: error %v does not say %q", err, want)
			}
		}
	}
}

func zipFile(t testing.TB, members ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(members); i += 2 {
		w, err := z.Create(members[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(members[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Of a zip archive with many tables one is read, and gives the embedding its name.
func TestZippedVectors(t *testing.T) {
	path := writeVectorFile(t, "glove.zip", zipFile(t, "glove.1d.txt", "a 1\nb 2\n", "glove.2d.txt", "a 3 4\nroute 66 5 6\n"))
	e, table := openVectorTable(t, path, VectorOptions{Member: "glove.2d.txt", Dim: 2})
	if e.Name() != "glove.2d" || !slices.Equal(wordsOf(e.Vocabulary()), []string{"a", "route 66"}) || !slices.Equal(table, []float32{3, 4, 5, 6, 0, 0}) {
		t.Errorf("%s: words %q, table %v", e.Name(), wordsOf(e.Vocabulary()), table)
	}
	_, err := OpenVectors(t.Context(), path, VectorOptions{})
	if err == nil || !strings.HasSuffix(err.Error(), `has 2 files, "glove.1d.txt", "glove.2d.txt", and nothing says which is meant: VectorOptions.Member must name the one with the vectors`) {
		t.Errorf("error %v", err)
	}
}

// Texts lose no words to line ends, tabs, spaces in a row and line breaks of HTML; the rule may be another.
func TestTextsOfVectors(t *testing.T) {
	path := writeVectorFile(t, "small.txt", []byte("the 1 2\ngood 3 4\nfilm 5 6\n"))
	e, _ := openVectorTable(t, path, VectorOptions{Lower: true})
	for s, want := range map[string][]int32{
		"Good\n": {1}, "the\tgood\r\nfilm": {0, 1, 2}, "good.<br /><br />The film": {1, 0, 2}, " good  film ": {1, 2}, "good\u00a0film, x": {1, 2, 3}, "": nil,
	} {
		if got := appendIDs(t, e, s); !slices.Equal(got, want) {
			t.Errorf("%q: ids %v, want %v", s, got, want)
		}
	}
	e, _ = openVectorTable(t, path, VectorOptions{OOVBuckets: 2, Tokenizer: func(words *text.Vocabulary) (text.Tokenizer, error) {
		if words.Len() != 3 {
			t.Errorf("a tokenizer for %d words", words.Len())
		}
		return text.NewHubTokenizer(words, text.HubTokenizerOptions{OOVBuckets: 2})
	}})
	if got := appendIDs(t, e, "good\n film"); len(got) != 2 || got[0] < 3 || got[1] != 2 {
		t.Errorf("ids %v by the rule of TensorFlow Hub", got)
	}
	if _, err := OpenVectors(t.Context(), path, VectorOptions{Tokenizer: func(*text.Vocabulary) (text.Tokenizer, error) {
		return text.NewHubTokenizer(vocabularyOfWords(t, "a", "b", "c", "d", "e"), text.HubTokenizerOptions{})
	}}); err == nil || !strings.Contains(err.Error(), "words have 6 ids, but the table has only 4 rows") {
		t.Errorf("a tokenizer with too many ids: error %v", err)
	}
}

// Unknown words begin with the vector of the file's own word for them, wherever it stands.
func TestUnknownWord(t *testing.T) {
	path := writeVectorFile(t, "small.txt", []byte("the 1 2\ngood 3 4\nfilm 5 6\n<unk> 7 8\n"))
	for what, c := range map[string]struct {
		o     VectorOptions
		words string
		table []float32
	}{
		"all":          {VectorOptions{}, "the good film <unk>", []float32{1, 2, 3, 4, 5, 6, 7, 8, 7, 8}},
		"two rows":     {VectorOptions{OOVBuckets: 2, Scale: 0.5}, "the good film <unk>", []float32{.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 3.5, 4, 3.5, 4}},
		"behind Limit": {VectorOptions{Limit: 1}, "the <unk>", []float32{1, 2, 7, 8, 7, 8}},
		"not in Words": {VectorOptions{Words: vocabularyOfWords(t, "film", "x")}, "film <unk>", []float32{5, 6, 7, 8, 7, 8}},
	} {
		c.o.UnknownWord = "<unk>"
		e, table := openVectorTable(t, path, c.o)
		if got := strings.Join(wordsOf(e.Vocabulary()), " "); got != c.words || !slices.Equal(table, c.table) {
			t.Errorf("%s: words %q, table %v", what, got, table)
		}
	}
	if _, err := OpenVectors(t.Context(), path, VectorOptions{Words: vocabularyOfWords(t, "x"), UnknownWord: "<unk>"}); err == nil || !strings.Contains(err.Error(), "none of the 1 words") {
		t.Errorf("error %v", err)
	}
	tensor := writeVectorFile(t, "t.safetensors", tensorFile(t, safetensors.Entry{Name: "t", Shape: []int{2, 1}, Data: safetensors.Float32Data{1, 2}}))
	words := writeVectorFile(t, "words.txt", []byte("<unk>\na\n"))
	if _, table := openVectorTable(t, tensor, VectorOptions{VocabularyFile: words, UnknownWord: "<unk>"}); !slices.Equal(table, []float32{1, 2, 1}) {
		t.Errorf("table %v", table)
	}
}

func TestSkipMalformedVectors(t *testing.T) {
	path := writeVectorFile(t, "small.txt", []byte("the 1 2\nbroken\ngood 3 4\nx 5 y\nfilm 5 6\n"))
	e, table := openVectorTable(t, path, VectorOptions{SkipMalformed: true})
	if e.Skipped() != 2 || !slices.Equal(wordsOf(e.Vocabulary()), []string{"the", "good", "film"}) || !slices.Equal(table, []float32{1, 2, 3, 4, 5, 6, 0, 0}) {
		t.Errorf("%d skipped, words %q, table %v", e.Skipped(), wordsOf(e.Vocabulary()), table)
	}
}

// A table cut to one's own words has their order, and zeros for those that the file lacks.
func TestVectorsOf(t *testing.T) {
	path := writeVectorFile(t, "small.txt", []byte("the 1 2\ngood 3 4\nfilm 5 6\n"))
	words := []string{"", "[UNK]", "film", "the", "film"}
	for _, o := range []VectorOptions{{}, {Words: vocabularyOfWords(t, "film", "the", "bad")}} {
		e, err := OpenVectors(t.Context(), path, o)
		if err != nil {
			t.Fatal(err)
		}
		x, found, err := e.VectorsOf(t.Context(), words)
		if err != nil || found != 3 || !slices.Equal(x.Data(), []float32{0, 0, 0, 0, 5, 6, 1, 2, 5, 6}) || !slices.Equal(x.Shape(), []int{5, 2}) {
			t.Errorf("%d found, %v, error %v", found, x, err)
		}
		if x, found, err := e.VectorsOf(t.Context(), nil); err != nil || found != 0 || x.Len() != 0 {
			t.Errorf("of no words: %v, error %v", x, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, _, err := e.VectorsOf(ctx, words); err == nil {
			t.Error("no error after the end of the context")
		}
	}
}
