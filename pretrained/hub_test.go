package pretrained

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"context"
	"encoding/base64"
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
	"sync"
	"testing"
	"time"

	"github.com/linnet-ml/linnet/internal/safetensors"
	"github.com/linnet-ml/linnet/internal/shared"
	"github.com/linnet-ml/linnet/text"
)

// embed computes the vectors of texts in float64: what a layer does, in its plainest form.
func embed(t testing.TB, e *Embedding, texts []string) [][]float64 {
	t.Helper()
	table := make([]float32, e.Rows()*e.Dim())
	if err := e.ReadTable(context.Background(), table); err != nil {
		t.Fatal(err)
	}
	var vectors [][]float64
	for _, s := range texts {
		v := make([]float64, e.Dim())
		ids := appendIDs(t, e, s)
		for _, id := range ids {
			for j := range v {
				v[j] += float64(table[int(id)*e.Dim()+j])
			}
		}
		by := 1.0
		switch e.Combiner() {
		case text.Mean:
			by = float64(len(ids))
		case text.Sqrtn:
			by = math.Sqrt(float64(len(ids)))
		}
		for j := range v {
			v[j] /= by
		}
		vectors = append(vectors, v)
	}
	return vectors
}

func closeTo(t *testing.T, what string, got []float64, want func(j int) float64) {
	t.Helper()
	for j := range got {
		if w := want(j); math.Abs(got[j]-w) > 1e-5*(1+math.Abs(w)) {
			t.Errorf("%s: value %d is %v, not %v", what, j, got[j], w)
			return
		}
	}
}

func readJSON(t testing.TB, path string, to any) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, to); err != nil {
		t.Fatal(err)
	}
}

// The recorded modules: tokens, ids, table and vectors of all texts.
func TestOpenHubRecorded(t *testing.T) {
	folder := shared.Path(t, "golden-formats/hub")
	var encoded []string
	readTexts(t, filepath.Join(folder, "texts.json"), &encoded)
	texts := make([]string, len(encoded))
	for i, s := range encoded {
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		texts[i] = string(b)
	}
	for _, name := range []string{"nnlm", "nnlm-oov50", "nnlm-with-normalization"} {
		t.Run(name, func(t *testing.T) {
			var want struct {
				Vocabulary  int
				OOVRows     int `json:"oov_rows"`
				Dim         int
				TokenCounts []int `json:"token_counts"`
				IDs         [][]int32
				IDSums      []int64 `json:"id_sums"`
			}
			readJSON(t, filepath.Join(folder, name+".expected.json"), &want)
			e, err := OpenHub(context.Background(), filepath.Join(folder, name), HubOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if e.Name() != name || e.Rows() != want.Vocabulary+want.OOVRows || e.Dim() != want.Dim ||
				e.Vocabulary().Len() != want.Vocabulary || e.Tokenizer().Size() != e.Rows() || e.Combiner() != text.Sqrtn {
				t.Errorf("opened %s with %d rows of %d, %d words, %d ids, combiner %v", e.Name(), e.Rows(), e.Dim(),
					e.Vocabulary().Len(), e.Tokenizer().Size(), e.Combiner())
			}
			for i, s := range texts {
				ids := appendIDs(t, e, s)
				var sum int64
				for _, id := range ids {
					sum += int64(id)
				}
				if want.IDs[i] != nil && !slices.Equal(ids, want.IDs[i]) || len(ids) != want.TokenCounts[i] || sum != want.IDSums[i] {
					t.Errorf("text %d, %.60q: ids %v, not %v", i, s, ids, want.IDs[i])
				}
			}
			embeddings, _ := readTensor(t, filepath.Join(folder, name+".expected.safetensors"), "embeddings")
			table := make([]float32, e.Rows()*e.Dim())
			if err := e.ReadTable(context.Background(), table); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(table, embeddings) {
				t.Error("the table differs")
			}
			vectors, shape := readTensor(t, filepath.Join(folder, name+".expected.safetensors"), "vectors")
			if shape[0] != len(texts) {
				t.Fatalf("%d vectors for %d texts", shape[0], len(texts))
			}
			for i, v := range embed(t, e, texts) {
				closeTo(t, fmt.Sprintf("text %d", i), v, func(j int) float64 { return float64(vectors[i*e.Dim()+j]) })
			}
		})
	}
}

// readTexts reads a list of strings, or an object that has one under "texts".
func readTexts(t *testing.T, path string, to *[]string) {
	t.Helper()
	var any struct{ Texts []string }
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if json.Unmarshal(b, to) == nil {
		return
	}
	if err := json.Unmarshal(b, &any); err != nil {
		t.Fatal(err)
	}
	*to = any.Texts
}

func readTensor(t *testing.T, path, name string) ([]float32, []int) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	s, err := safetensors.Open(t.Context(), f, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	tensor, err := s.Tensor(name)
	if err != nil {
		t.Fatal(err)
	}
	values, err := tensor.Float32()
	if err != nil {
		t.Fatal(err)
	}
	return values, tensor.Shape
}

// moduleZip unpacks modules of testdata/hub/modules.zip, all of them if none is named.
func moduleZip(t testing.TB, names ...string) string {
	t.Helper()
	r, err := zip.OpenReader(filepath.Join("testdata", "hub", "modules.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	dir := t.TempDir()
	for _, f := range r.File {
		if name, _, _ := strings.Cut(f.Name, "/"); names != nil && !slices.Contains(names, name) {
			continue
		}
		path := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		from, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(from)
		if err := errors.Join(err, from.Close(), os.WriteFile(path, b, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

type variant struct{ Vectors, Table [][]float64 }

func variants(t testing.TB, dir string) (texts []string, modules map[string]variant) {
	t.Helper()
	var expected struct {
		Texts   []string
		Modules map[string]variant
	}
	readJSON(t, filepath.Join(dir, "expected.json"), &expected)
	return expected.Texts, expected.Modules
}

// Graphs that compute the same in other ways, or something else: see make_modules.py.
func TestOpenHubVariants(t *testing.T) {
	dir := moduleZip(t)
	texts, modules := variants(t, dir)
	bad := map[string]string{ // what the error must name
		"bad-strong":     "StringToHashBucketStrong",
		"bad-utf8":       `"utf-8"`,
		"bad-pattern":    `"[!,.]"`,
		"bad-white":      "white space",
		"bad-limit":      "splits texts 2 times",
		"bad-skip":       "empty tokens",
		"bad-v1-no-fill": "no token",
		"bad-mod":        `"mod"`,
		"bad-norm":       "a look-up of vectors",
		"bad-scaled":     "Mul",
		"bad-max":        "SegmentMax",
		"bad-no-oov":     "no bucket",
	}
	for name, want := range modules {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, name)
			e, err := OpenHub(context.Background(), path, HubOptions{})
			if strings.HasPrefix(name, "bad-") {
				if err == nil || bad[name] == "" || !strings.Contains(err.Error(), bad[name]) {
					t.Fatalf("error %v does not say %q", err, bad[name])
				}
				if !strings.HasPrefix(err.Error(), "pretrained: "+path) || !strings.Contains(err.Error(), "HubOptions") {
					t.Errorf("error %v does not say where, or what to do", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			table := make([]float32, e.Rows()*e.Dim())
			if err := e.ReadTable(context.Background(), table); err != nil {
				t.Fatal(err)
			}
			if e.Rows() != len(want.Table) || e.Dim() != len(want.Table[0]) {
				t.Fatalf("table of shape (%d, %d)", e.Rows(), e.Dim())
			}
			for i, v := range table {
				if w := float32(want.Table[i/e.Dim()][i%e.Dim()]); v != w {
					t.Fatalf("row %d, column %d is %v, not %v", i/e.Dim(), i%e.Dim(), v, w)
				}
			}
			for i, v := range embed(t, e, texts) {
				closeTo(t, fmt.Sprintf("%q", texts[i]), v, func(j int) float64 { return want.Vectors[i][j] })
			}
		})
	}
}

// What a graph does not say, the options may; what it says, they may not deny.
func TestHubOptions(t *testing.T) {
	dir := moduleZip(t, "bad-max", "index")
	const key = "embeddings/.ATTRIBUTES/VARIABLE_VALUE"
	all := HubOptions{
		Name: "mine", Tokens: "tokens.txt", Table: key, Combiner: text.Mean,
		Tokenizer: &text.HubTokenizerOptions{Lower: true, OOVBuckets: 3},
	}
	e, err := OpenHub(context.Background(), filepath.Join(dir, "bad-max"), all)
	if err != nil {
		t.Fatal(err)
	}
	if e.Name() != "mine" || e.Combiner() != text.Mean || e.Rows() != 10 {
		t.Errorf("opened %s with %d rows and combiner %v", e.Name(), e.Rows(), e.Combiner())
	}
	if ids := appendIDs(t, e, "MOVIE a"); !slices.Equal(ids, []int32{1, 3}) {
		t.Errorf("ids %v: the options' tokenizer lowers letters", ids)
	}
	same := HubOptions{Tokens: "tokens.txt", Table: key, Combiner: text.Sqrtn, Tokenizer: &text.HubTokenizerOptions{OOVBuckets: 3}}
	if _, err := OpenHub(context.Background(), filepath.Join(dir, "index"), same); err != nil {
		t.Errorf("options that say what the module says: %v", err)
	}
	for _, c := range []struct {
		module, want string
		o            HubOptions
	}{
		{"bad-max", "must name Table, Tokenizer, Combiner", HubOptions{Tokens: "tokens.txt"}},
		{"index", "the combiner mean, but", HubOptions{Combiner: text.Mean}},
		{"index", "Combiner(9)", HubOptions{Combiner: 9}},
		{"index", "the tokens other.txt, but", HubOptions{Tokens: "other.txt"}},
		{"index", "the table save_counter, but", HubOptions{Table: "save_counter"}},
		{"index", "the tokenizer {Lower:true", HubOptions{Tokenizer: &text.HubTokenizerOptions{Lower: true, OOVBuckets: 3}}},
		{"index", "the tokenizer {Lower:false KeepPunctuation:false OOVBuckets:1", HubOptions{Tokenizer: &text.HubTokenizerOptions{}}},
		{"bad-max", "no tensor \"embeddings\": there are", with(all, func(o *HubOptions) { o.Table = "embeddings" })},
		{"bad-max", "not float32 of shape (rows, dim)", with(all, func(o *HubOptions) { o.Table = "save_counter/.ATTRIBUTES/VARIABLE_VALUE" })},
		{"bad-max", "not in the folder assets", with(all, func(o *HubOptions) { o.Tokens = "../saved_model.pb" })},
		{"bad-max", "nothing.txt", with(all, func(o *HubOptions) { o.Tokens = "nothing.txt" })},
		{"bad-max", "11 ids, but the table has only 10", with(all, func(o *HubOptions) { o.Tokenizer = &text.HubTokenizerOptions{OOVBuckets: 4} })},
	} {
		_, err := OpenHub(context.Background(), filepath.Join(dir, c.module), c.o)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s with %+v: error %v does not say %q", c.module, c.o, err, c.want)
		}
	}
}

func with(o HubOptions, change func(*HubOptions)) HubOptions {
	change(&o)
	return o
}

func lfsPointer([]byte) []byte {
	return []byte("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n")
}

// Damage to any file of a module is an error that names the file.
func TestOpenHubDamaged(t *testing.T) {
	for _, c := range []struct {
		what, file, want string
		change           func([]byte) []byte
	}{
		{"no graph", "saved_model.pb", "saved_model.pb", func([]byte) []byte { return nil }},
		{"half a graph", "saved_model.pb", "saved_model.pb", func(b []byte) []byte { return b[:len(b)/2] }},
		{"no index", "variables/variables.index", "variables.index", func([]byte) []byte { return nil }},
		{"an index with a wrong bit", "variables/variables.index", "CRC32C", func(b []byte) []byte { b[20] ^= 1; return b }},
		{"a short table", "variables/variables.data-00000-of-00001", "data-00000-of-00001", func(b []byte) []byte { return b[:100] }},
		{"a word twice", "assets/tokens.txt", "lines 1 and 8", func(b []byte) []byte { return append(b, "the\n"...) }},
		{"an empty line", "assets/tokens.txt", "line 8 of the vocabulary is empty", func(b []byte) []byte { return append(b, "\n"...) }},
		{"no words", "assets/tokens.txt", "no words", func([]byte) []byte { return nil }},
		{"lost lines", "assets/tokens.txt", "6 words, and 3 rows for other words, but the table has 10 rows: the file has lost lines", func(b []byte) []byte { return b[strings.IndexByte(string(b), '\n')+1:] }},
		{"a pointer to the words", "assets/tokens.txt", "tokens.txt is none of a module's files but a pointer of Git LFS", lfsPointer},
		{"a pointer to the graph", "saved_model.pb", "saved_model.pb is none of a module's files but a pointer of Git LFS", lfsPointer},
		{"a pointer to the index", "variables/variables.index", "variables.index is none of a module's files but a pointer of Git LFS", lfsPointer},
		{"too many words", "assets/tokens.txt", "vocabulary of 11 words is larger than the table, which has 10 rows", func(b []byte) []byte { return append(b, "one\ntwo\nthree\nfour"...) }},
	} {
		t.Run(c.what, func(t *testing.T) {
			dir := filepath.Join(moduleZip(t, "index"), "index")
			path := filepath.Join(dir, filepath.FromSlash(c.file))
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, c.change(b), 0o644); err != nil {
				t.Fatal(err)
			}
			_, err = OpenHub(context.Background(), dir, HubOptions{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v does not say %q", err, c.want)
			}
		})
	}
	t.Run("the number of words", func(t *testing.T) {
		dir := filepath.Join(moduleZip(t, "static"), "static") // its graph says 7
		path := filepath.Join(dir, "assets", "tokens.txt")
		if err := os.WriteFile(path, []byte("one\ntwo\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenHub(context.Background(), dir, HubOptions{}); err == nil || !strings.Contains(err.Error(), "2 words, but the module's graph says 7") {
			t.Errorf("error %v", err)
		}
	})
}

// A table with a wrong bit opens, for opening does not read it, but nobody gets its values; nor those that are not
// finite.
func TestReadTableDamaged(t *testing.T) {
	dir := filepath.Join(moduleZip(t, "index"), "index")
	e, err := OpenHub(context.Background(), dir, HubOptions{})
	if err != nil {
		t.Fatal(err)
	}
	table := make([]float32, e.Rows()*e.Dim())
	if err := e.ReadTable(context.Background(), table[1:]); err == nil || !strings.Contains(err.Error(), "39 values") {
		t.Errorf("a short slice: error %v", err)
	}
	if err := e.ReadTable(context.Background(), table); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "variables", "variables.data-00000-of-00001")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// Where the table lies among the other tensors.
	first := binary.LittleEndian.AppendUint32(nil, math.Float32bits(table[0]))
	at := strings.Index(string(b), string(first))
	b[at+5] ^= 4
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := e.ReadTable(context.Background(), table); err == nil || !strings.Contains(err.Error(), "CRC32C") || !strings.Contains(err.Error(), path) {
		t.Errorf("a wrong bit: error %v", err)
	}
	if err := os.WriteFile(path, b[:at+10], 0o644); err != nil {
		t.Fatal(err)
	}
	if err := e.ReadTable(context.Background(), table); err == nil || !strings.Contains(err.Error(), "ends too early") {
		t.Errorf("a file that became shorter: error %v", err)
	}

	e.read = func(_ context.Context, dst []float32) error { dst[9] = float32(math.NaN()); return nil }
	if err := e.ReadTable(context.Background(), table); err == nil || !strings.Contains(err.Error(), "row 2, column 1 of the table is NaN") {
		t.Errorf("NaN: error %v", err)
	}
}

func TestReadTableConcurrently(t *testing.T) {
	e, err := OpenHub(context.Background(), filepath.Join(moduleZip(t, "parts"), "parts"), HubOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := make([]float32, e.Rows()*e.Dim())
	if err := e.ReadTable(context.Background(), want); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			got := make([]float32, len(want))
			if err := e.ReadTable(context.Background(), got); err != nil || !slices.Equal(got, want) {
				t.Errorf("another table, error %v", err)
			}
		})
	}
	wg.Wait()
}

// SavedModels that are no text modules are refused with the reason.
func TestOpenHubOtherModels(t *testing.T) {
	folder := shared.Path(t, "data/formats/savedmodel")
	n := 0
	err := filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.Name() != "saved_model.pb" {
			return err
		}
		n++
		if _, err := OpenHub(context.Background(), filepath.Dir(path), HubOptions{}); err == nil {
			t.Errorf("%s opened", path)
		} else if !strings.Contains(err.Error(), "not a text module") {
			t.Errorf("%s: %v", path, err)
		} else {
			t.Log(err)
		}
		return nil
	})
	if err != nil || n < 7 {
		t.Errorf("%d models, error %v", n, err)
	}
}

type malformed struct{ File, Format, Wrong, Expected string }

// Malformed files are refused in little time and memory, whatever they claim.
func TestOpenHubMalformed(t *testing.T) {
	folder := shared.Path(t, "golden-formats/malformed")
	var index []malformed
	readJSON(t, filepath.Join(folder, "index.json"), &index)
	good := filepath.Join(moduleZip(t, "index"), "index")
	n := 0
	for _, c := range index {
		to := ""
		switch c.Format {
		case "saved_model":
			to = "saved_model.pb"
		case "vocabulary":
			to = filepath.Join("assets", "tokens.txt")
		case "bundle":
			to = filepath.Join("variables", "variables.index")
		default:
			continue
		}
		n++
		t.Run(c.File, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(good)); err != nil {
				t.Fatal(err)
			}
			from := filepath.Join(folder, filepath.FromSlash(c.File))
			if c.Format == "bundle" {
				data, err := os.ReadFile(from + ".data-00000-of-00001")
				if err := errors.Join(err, os.WriteFile(filepath.Join(dir, "variables", "variables.data-00000-of-00001"), data, 0o644)); err != nil {
					t.Fatal(err)
				}
				from += ".index"
			}
			b, err := os.ReadFile(from)
			if err := errors.Join(err, os.WriteFile(filepath.Join(dir, to), b, 0o644)); err != nil {
				t.Fatal(err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			_, err = OpenHub(context.Background(), dir, HubOptions{})
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			if bytes := after.TotalAlloc - before.TotalAlloc; took > time.Second || bytes > 64<<20 {
				t.Errorf("%s: took %v and %d bytes", c.Wrong, took, bytes)
			}
			// A bundle that is not broken is still not the module's.
			if err == nil && c.Expected != "error_or_ok" {
				t.Errorf("%s: no error", c.Wrong)
			}
			t.Log(err)
		})
	}
	if n < 20 {
		t.Errorf("only %d files", n)
	}
}

// The real module: the folder that $LINNET_NNLM names holds google/nnlm-en-dim50/2. The texts are the first three of the
// tutorial's training reviews.
func TestNNLM(t *testing.T) {
	dir := os.Getenv("LINNET_NNLM")
	if dir == "" {
		t.Skip("LINNET_NNLM does not name the folder of google/nnlm-en-dim50/2")
	}
	e, err := OpenHub(context.Background(), dir, HubOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if e.Rows()*e.Dim() != 48_190_600 || e.Dim() != 50 || e.Combiner() != text.Sqrtn {
		t.Errorf("table of shape (%d, %d), combiner %v", e.Rows(), e.Dim(), e.Combiner())
	}
	reviews := findReviews(t, "This was an absolutely terrible movie. Don't be lured", "I have been known to fall asleep during films",
		"Mann photographs the Alberta Rocky Mountains")
	want := [][]float64{{0.5423195, -0.0119017, 0.06337538}, {0.56338924, -0.12339553, -0.10862679}, {0.7456154, 0.21256861, 0.14400336}}
	for i, v := range embed(t, e, reviews) {
		closeTo(t, fmt.Sprintf("review %d", i), v[:3], func(j int) float64 { return want[i][j] })
	}
}

// findReviews finds the training reviews that begin so in the data set's archive.
func findReviews(t *testing.T, begins ...string) []string {
	t.Helper()
	f, err := os.Open(shared.Path(t, "data/imdb/aclImdb_labeled.tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	found := make([]string, len(begins))
	for archive := tar.NewReader(unzipped); ; {
		h, err := archive.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(h.Name, "/train/pos/") && !strings.Contains(h.Name, "/train/neg/") {
			continue
		}
		b, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range begins {
			if strings.HasPrefix(string(b), s) {
				found[i] = string(b)
			}
		}
	}
	for i, s := range found {
		if s == "" {
			t.Fatalf("no review begins with %q", begins[i])
		}
	}
	return found
}
