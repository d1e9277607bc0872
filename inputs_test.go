package linnet_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/linnet-ml/linnet/classifier"
	"github.com/linnet-ml/linnet/datasets/imdb"
	"github.com/linnet-ml/linnet/datasets/textdir"
	"github.com/linnet-ml/linnet/datasets/texts"
	"github.com/linnet-ml/linnet/internal/plainfile"
	"github.com/linnet-ml/linnet/internal/ratio"
	"github.com/linnet-ml/linnet/model"
	"github.com/linnet-ml/linnet/pretrained"
	"github.com/linnet-ml/linnet/pretrained/fetch"
	"github.com/linnet-ml/linnet/serve"
)

// A reader of a file that a user names: what it calls the file, what lies beside it, and the call. Its packages are those that
// open or map the file.
type fileReader struct {
	packages string
	file     string // the place of the file, in the folder that read gets
	beside   func(t *testing.T, dir string)
	read     func(ctx context.Context, dir string) error
}

func without[T any](_ T, err error) error { return err }

// fileReaders are all public functions that open a file, by file.
func fileReaders() map[string]fileReader {
	at := filepath.Join
	module := func(t *testing.T, dir string) { unzip(t, "pretrained/testdata/hub/modules.zip", "divided/", dir) }
	hub := func(ctx context.Context, dir string) error {
		e, err := pretrained.OpenHub(ctx, dir, pretrained.HubOptions{})
		if err != nil {
			return err
		}
		return e.ReadTable(ctx, make([]float32, e.Rows()*e.Dim()))
	}
	vectors := func(o pretrained.VectorOptions) func(ctx context.Context, dir string) error {
		return func(ctx context.Context, dir string) error {
			return without(pretrained.OpenVectors(ctx, at(dir, "vectors"), o))
		}
	}
	return map[string]fileReader{
		"classifier.Load": {"classifier internal/mapfile", "c", nil, func(ctx context.Context, dir string) error {
			return without(classifier.Load(ctx, at(dir, "c")))
		}},
		"serve.Load": {"serve", "c", nil, func(ctx context.Context, dir string) error {
			return without(serve.Load(ctx, "c", at(dir, "c")))
		}},
		"model.Load": {"model", "m", nil, func(ctx context.Context, dir string) error {
			return without(model.Load(ctx, at(dir, "m"), model.LoadOptions{}))
		}},
		"model.OpenTensors": {"model", "m", nil, func(ctx context.Context, dir string) error {
			return without(model.OpenTensors(ctx, at(dir, "m")))
		}},
		"model.OpenTensors, index": {"model", "m.json", nil, func(ctx context.Context, dir string) error {
			return without(model.OpenTensors(ctx, at(dir, "m.json")))
		}},
		"model.OpenTensors, a file of the index": {"model", "a.safetensors", func(t *testing.T, dir string) {
			write(t, at(dir, "m.json"), `{"weight_map":{"w":"a.safetensors"}}`)
		}, func(ctx context.Context, dir string) error { return without(model.OpenTensors(ctx, at(dir, "m.json"))) }},
		"imdb.Load": {"datasets/imdb", "imdb.npz", nil, func(ctx context.Context, dir string) error {
			_, _, err := imdb.Load(ctx, imdb.Options{Path: dir})
			return err
		}},
		"imdb.WordIndex": {"datasets/imdb", "imdb_word_index.json", nil, func(ctx context.Context, dir string) error {
			return without(imdb.WordIndex(ctx, imdb.Options{Path: dir}))
		}},
		"imdb.LoadTexts": {"datasets/imdb", "aclImdb_v1.tar.gz", nil, func(ctx context.Context, dir string) error {
			_, _, err := imdb.LoadTexts(ctx, imdb.TextOptions{Path: at(dir, "aclImdb_v1.tar.gz")})
			return err
		}},
		"imdb.LoadTexts, a review": {"datasets/imdb datasets/internal/textfile", "train/pos/0_9.txt", nil, func(ctx context.Context, dir string) error {
			_, _, err := imdb.LoadTexts(ctx, imdb.TextOptions{Path: dir})
			return err
		}},
		"imdb.LoadUnsupervisedTexts": {"datasets/imdb", "aclImdb_v1.tar.gz", nil, func(ctx context.Context, dir string) error {
			return without(imdb.LoadUnsupervisedTexts(ctx, imdb.TextOptions{Path: at(dir, "aclImdb_v1.tar.gz")}))
		}},
		"textdir.Load": {"datasets/textdir datasets/internal/textfile", "a/1.txt", nil, func(ctx context.Context, dir string) error {
			return without(textdir.Load(ctx, os.DirFS(dir), textdir.Options{}))
		}},
		"textdir.LoadBoth": {"datasets/textdir", "a/1.txt", func(t *testing.T, dir string) { write(t, at(dir, "b", "2.txt"), "x") }, func(ctx context.Context, dir string) error {
			_, _, err := textdir.LoadBoth(ctx, os.DirFS(dir), textdir.Options{ValidationSplit: 0.5, NoShuffle: true})
			return err
		}},
		// A file system that cannot tell what a file is without opening it.
		"textdir.Load, plain fs.FS": {"datasets/textdir", "a/1.txt", nil, func(ctx context.Context, dir string) error {
			return without(textdir.Load(ctx, struct{ fs.FS }{os.DirFS(dir)}, textdir.Options{}))
		}},
		"texts.Open": {"datasets/texts", "t.csv", nil, func(ctx context.Context, dir string) error {
			return without(texts.Open(ctx, at(dir, "t.csv"), texts.Options{}))
		}},
		"texts.Open, a file of a folder": {"datasets/texts", "a/1.txt", func(t *testing.T, dir string) { write(t, at(dir, "b", "2.txt"), "x") }, func(ctx context.Context, dir string) error {
			s, err := texts.Open(ctx, dir, texts.Options{})
			if err != nil {
				return err
			}
			for _, err := range s.Rows(ctx) {
				if err != nil {
					return err
				}
			}
			return nil
		}},
		"pretrained.OpenVectors":                {"pretrained", "vectors", nil, vectors(pretrained.VectorOptions{})},
		"pretrained.OpenVectors, glove":         {"pretrained", "vectors", nil, vectors(pretrained.VectorOptions{Kind: pretrained.GloVe})},
		"pretrained.OpenVectors, binary":        {"pretrained", "vectors", nil, vectors(pretrained.VectorOptions{Kind: pretrained.Word2VecBinary})},
		"pretrained.OpenVectors, safetensors":   {"pretrained", "vectors", nil, vectors(pretrained.VectorOptions{Kind: pretrained.Safetensors, VocabularyFile: "w"})},
		"pretrained.OpenVectors, words":         {"pretrained", "words", tensorFile, vocabularyBeside},
		"pretrained.OpenHub, saved_model.pb":    {"pretrained internal/savedmodel", "saved_model.pb", module, hub},
		"pretrained.OpenHub, variables.index":   {"pretrained internal/bundle", "variables/variables.index", module, hub},
		"pretrained.OpenHub, data":              {"pretrained internal/bundle", "variables/variables.data-00000-of-00001", module, hub},
		"pretrained.OpenHub, tokens":            {"pretrained", "assets/tokens.txt", module, hub},
		"pretrained/fetch.Module, archive":      {"pretrained/fetch", "tfhub/google/nnlm-en-dim50/2.tar.gz", nil, fetchModule},
		"pretrained/fetch.Module, note of part": {"internal/download", "tfhub/google/nnlm-en-dim50/2.tar.gz.part.json", partBeside, fetchModule},
	}
}

func tensorFile(t *testing.T, dir string) {
	t.Helper()
	header := `{"t":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]}}`
	write(t, filepath.Join(dir, "vectors"), string([]byte{byte(len(header)), 0, 0, 0, 0, 0, 0, 0})+header+"\x00\x00\x80\x3f")
}

func vocabularyBeside(ctx context.Context, dir string) error {
	o := pretrained.VectorOptions{VocabularyFile: filepath.Join(dir, "words")}
	return without(pretrained.OpenVectors(ctx, filepath.Join(dir, "vectors"), o))
}

func fetchModule(ctx context.Context, dir string) error {
	nobody := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.NotFound(w, nil) })
	server := httptest.NewServer(nobody)
	defer server.Close()
	return without(fetch.Module(ctx, "nnlm-en-dim50", fetch.Options{Folder: dir, Mirror: server.URL}))
}

func partBeside(t *testing.T, dir string) {
	write(t, filepath.Join(dir, "tfhub", "google", "nnlm-en-dim50", "2.tar.gz.part"), "x")
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, []byte(content), 0o666)); err != nil {
		t.Fatal(err)
	}
}

func unzip(t *testing.T, archive, prefix, dir string) {
	t.Helper()
	z, err := zip.OpenReader(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	for _, f := range z.File {
		name, ok := strings.CutPrefix(f.Name, prefix)
		if !ok || strings.HasSuffix(name, "/") {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, filepath.FromSlash(name)), string(b))
	}
}

// allocated is the bytes that this process has allocated so far.
func allocated() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// refuses demands that a call is an error at once, in little memory.
func refuses(t *testing.T, call func(ctx context.Context) error) (err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	before, begin := allocated(), time.Now()
	done := make(chan error, 1)
	go func() { done <- call(ctx) }()
	select {
	case err = <-done:
	case <-time.After(30 * time.Second):
		t.Fatal("it waits, and its context does not end it")
	}
	if ctx.Err() != nil || time.Since(begin) > 5*time.Second {
		t.Errorf("it took %v: %v", time.Since(begin), err)
	}
	if used := allocated() - before; used > 64<<20 {
		t.Errorf("it allocated %d bytes: %v", used, err)
	}
	if err == nil {
		t.Error("no error")
	}
	return err
}

// What is no file, and a file of a terabyte without content, is an error at once in place of every file that a user names. The
// note beside a part of a download is linnet's own: what is no note is none.
func TestInputsAreFiles(t *testing.T) {
	kinds := map[string]func(path string) error{
		"folder": func(path string) error { return os.Mkdir(path, 0o777) },
		"holes": func(path string) error {
			f, err := os.Create(path)
			if err != nil {
				return err
			}
			return errors.Join(f.Truncate(1<<40), f.Close())
		},
		"device": func(path string) error {
			_, err := os.Stat("/dev/zero")
			return errors.Join(err, os.Symlink("/dev/zero", path)) // without the device the test is skipped
		},
		"pipe": makePipe,
	}
	for name, r := range fileReaders() {
		for kind, put := range kinds {
			t.Run(name+"/"+kind, func(t *testing.T) {
				dir := t.TempDir()
				if r.beside != nil {
					r.beside(t, dir)
				}
				file := filepath.Join(dir, filepath.FromSlash(r.file))
				if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o777), os.RemoveAll(file), put(file)); err != nil {
					t.Skip(err)
				}
				switch {
				case kind == "folder" && (strings.HasPrefix(name, "textdir") || strings.Contains(name, "a file of a folder") || name == "texts.Open" || strings.HasSuffix(name, "Texts")):
					t.Skip("there may be a folder there")
				case kind == "pipe" && name == "texts.Open":
					t.Skip("a pipe is a stream, which a context ends: TestNamedPipe of the package")
				}
				err := refuses(t, func(ctx context.Context) error { return r.read(ctx, dir) })
				if err == nil || strings.Contains(name, "note of part") {
					return
				}
				if want := path.Base(r.file); !strings.Contains(err.Error(), want) {
					t.Errorf("the error does not name %s: %v", want, err)
				}
				// Some look themselves: a source of texts may be a pipe, what is downloaded must not lie there yet, and an index must not
				// lead out of its folder.
				itself := regexp.MustCompile(`not a file|path escapes`)
				if kind != "holes" && !errors.Is(err, plainfile.ErrNotRegular) && !itself.MatchString(err.Error()) {
					t.Errorf("%v", err)
				}
			})
		}
	}
}

// endless is a file that says it has few bytes, and never ends.
type endless struct{ fs.File }

func (endless) Read(p []byte) (int, error) { return len(p), nil }

type endlessFS struct{ fstest.MapFS }

func (e endlessFS) Open(name string) (fs.File, error) {
	f, err := e.MapFS.Open(name)
	if err == nil && strings.HasSuffix(name, ".txt") {
		return endless{f}, nil
	}
	return f, err
}

// A file that grows as it is read ends at the reader's limit, and a context ends it before.
func TestEndlessInput(t *testing.T) {
	fsys := endlessFS{fstest.MapFS{"a/1.txt": {Data: []byte("x")}, "b/2.txt": {Data: []byte("y")}}}
	_, err := textdir.Load(t.Context(), fsys, textdir.Options{MaxText: 1 << 20, NoShuffle: true})
	if !errors.Is(err, plainfile.ErrTooLarge) || !strings.Contains(err.Error(), "a/1.txt has more than 1048576 bytes") {
		t.Errorf("error %v", err)
	}
	d, err := textdir.Load(t.Context(), fsys, textdir.Options{MaxLength: 10, NoShuffle: true})
	if err != nil || len(d.Texts[0]) != 10 {
		t.Errorf("cut to 10 bytes: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if _, err := textdir.Load(ctx, fsys, textdir.Options{MaxText: 1 << 30}); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) > time.Second {
		t.Errorf("after %v error %v", time.Since(begin), err)
	}
}

// opensItself are the files that open what they do not read as a user's input, or do so in a way of their own.
var opensItself = map[string]string{
	"internal/plainfile/plainfile.go":       "it is the one place",
	"internal/golden/topic.go":              "recorded results, for tests",
	"internal/atomicfile/write.go":          "writes",
	"internal/atomicfile/temporary.go":      "writes",
	"internal/atomicfile/target.go":         "writes",
	"internal/download/lock.go":             "a lock of its own",
	"internal/download/download.go":         "its own part of a file, and the folder to sync",
	"pretrained/fetch/unpack.go":            "writes",
	"datasets/texts/input.go":               "a named pipe, with a context",
	"datasets/texts/pipe_unix.go":           "the other end of that pipe",
	"callbacks/csv_logger.go":               "its own log",
	"model/tensors.go":                      "a folder that links must not leave; its files are opened by internal/mapfile",
	"cmd/linnet/plot.go":                    "a file or a pipe, with a context and a limit",
	"cmd/linnet/serve.go":                   "a file or a pipe, with a context and a limit",
	"examples/wasm/main.go":                 "files of the Go installation and its own",
	"examples/internal/example/cpu.go":      "/proc/cpuinfo",
	"examples/internal/exampletest":         "tests",
	"internal/spill/spill.go":               "temporary files of its own",
	"internal/filelock/filelock_flock.go":   "a lock",
	"internal/filelock/filelock_other.go":   "a lock",
	"internal/filelock/filelock_windows.go": "a lock",
}

// unpacks are the packages that unpack, and why they need no limit if they do not import internal/ratio.
var unpacks = map[string]string{
	"internal/ratio":                     "",
	"internal/npz":                       "",
	"internal/wordvectors":               "pretrained, which calls it, sets the limit",
	"pretrained/fetch":                   "",
	"datasets/imdb":                      "",
	"datasets/texts":                     "",
	"cmd/linnet":                         "",
	"cmd/linnet/internal/parquetguard":   "",
	"pretrained/builtin/internal/packed": "data in the program, with a limit of its own",
	"internal/bundle":                    "Snappy, whose blocks cannot unpack to more than 32 times their size",
}

var (
	opening = regexp.MustCompile(`\b(os\.(Open|OpenFile|OpenInRoot|OpenRoot|ReadFile)|tls\.LoadX509KeyPair|root\.Open(File)?|root\.ReadFile|fs\.ReadFile|fsys\.Open|fsys\.ReadFile)\(`)
	packing = regexp.MustCompile(`^(github.com/(klauspost/compress/|andybalholm/brotli|pierrec/lz4|parquet-go/)|compress/|archive/)`)
)

// Every file is opened by internal/plainfile or internal/mapfile, every package that opens one has a row in fileReaders, and
// every package that unpacks has the limit of internal/ratio.
func TestInputsAreOpenedInOnePlace(t *testing.T) {
	rows := map[string]bool{}
	for _, r := range fileReaders() {
		for p := range strings.FieldsSeq(r.packages) {
			rows[p] = true
		}
	}
	limited, unpacking := map[string]bool{}, map[string]bool{}
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		file = filepath.ToSlash(file)
		switch {
		case err != nil:
			return err
		case d.IsDir() && (file == "bench" || file == "tools" || file == "docs" || d.Name() == "testdata" || d.Name() == "make" || strings.HasPrefix(d.Name(), "_") || len(file) > 1 && strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go"):
			return nil
		}
		source, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		folder := path.Dir(file)
		for i, line := range bytes.Split(source, []byte("\n")) {
			line, _, _ = bytes.Cut(line, []byte("//"))
			if opening.Match(line) && opensItself[file] == "" && opensItself[folder] == "" {
				t.Errorf("%s:%d opens a file itself, without internal/plainfile: %s", file, i+1, bytes.TrimSpace(line))
			}
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, source, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, i := range parsed.Imports {
			name, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			switch {
			case name == module+"/internal/plainfile" || name == module+"/internal/mapfile":
				if !rows[folder] && !strings.HasPrefix(folder, "cmd/") {
					t.Errorf("%s opens files and has no row in fileReaders", folder)
				}
			case name == module+"/internal/ratio":
				limited[folder] = true
			case packing.MatchString(name):
				unpacking[folder] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for folder := range unpacking {
		if reason, known := unpacks[folder]; !known || reason == "" && !limited[folder] && folder != "internal/ratio" {
			t.Errorf("%s unpacks, and nothing limits what to", folder)
		}
	}
}

// noSizes are the fuzz targets that read nothing that says how large it is.
var noSizes = map[string][]string{
	"classifier/internal/features": {"FuzzScan"},
	"datasets/texts":               {"FuzzCSV", "FuzzDecode", "FuzzFastText", "FuzzJSON", "FuzzJSONLines"},
	"internal/wordvectors":         {"FuzzNumber"},
	"serve":                        {"FuzzClassifyRequest", "FuzzRoute"},
	"text":                         {"FuzzHubTokenizer", "FuzzReadVocabulary", "FuzzVectorization"},
}

// The fuzz target of every reader of sizes, offsets and counts begins with the numbers of internal/boundary, itself or in a
// function of its tests that it calls.
func TestFuzzTargetsHaveBoundaries(t *testing.T) {
	packages := map[string]map[string]*ast.FuncDecl{} // the functions of the tests of a folder
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(file, "_test.go") {
			return err
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		folder := path.Dir(filepath.ToSlash(file))
		if packages[folder] == nil {
			packages[folder] = map[string]*ast.FuncDecl{}
		}
		for _, d := range tree.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
				packages[folder][f.Name.Name] = f
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	targets := 0
	for folder, functions := range packages {
		seen := map[string]bool{}
		var seeded func(name string) bool
		seeded = func(name string) (found bool) {
			f := functions[name]
			if f == nil || seen[name] {
				return false
			}
			seen[name] = true
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.SelectorExpr:
					found = found || isName(n.X, "boundary")
				case *ast.CallExpr:
					if called, ok := n.Fun.(*ast.Ident); ok {
						found = found || seeded(called.Name)
					}
				}
				return !found
			})
			return found
		}
		without := slices.Clone(noSizes[folder])
		for name := range functions {
			if !strings.HasPrefix(name, "Fuzz") {
				continue
			}
			targets++
			clear(seen)
			listed := slices.Contains(without, name)
			without = slices.DeleteFunc(without, func(s string) bool { return s == name })
			if has := seeded(name); has == listed {
				t.Errorf("%s: %s has seeds of internal/boundary: %t; it is listed as a reader of no sizes: %t", folder, name, has, listed)
			}
		}
		if len(without) > 0 {
			t.Errorf("%s: there is no %q", folder, without)
		}
	}
	if targets < 30 {
		t.Errorf("looked at %d targets", targets)
	}
}

// bzip2Bomb is what Python's bz2 makes of 20 MiB of lines of 60,000 times the letter w.
const bzip2Bomb = "\x42\x5a\x68\x39\x31\x41\x59\x26\x53\x59\x33\xfb\x2c\xf0\x00\xa3\xad\x44\x80\x80\x10\x00\x80\x00\x80\x00\x08\x20\x00\x50\x66\x9a\x05\x28\x32\x54\x9a\x4a\x93\xaa\xa4\x02\x74\xa9\x34\xaa\x90\x09\xe2\xee\x48\xa7\x0a\x12\x06\x7f\x65\x9e\x00"

// Packed files of 20 MiB of one line again and again.
func pack(t *testing.T, how, line string) []byte {
	t.Helper()
	content := bytes.Repeat([]byte(line), (20<<20)/len(line))
	var b bytes.Buffer
	switch how {
	case "gzip":
		z := gzip.NewWriter(&b)
		if err := errors.Join(without(z.Write(content)), z.Close()); err != nil {
			t.Fatal(err)
		}
	case "zstd":
		z, err := zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
		if err := errors.Join(err, without(z.Write(content)), z.Close()); err != nil {
			t.Fatal(err)
		}
	case "zip":
		z := zip.NewWriter(&b)
		w, err := z.Create("x.txt")
		if err := errors.Join(err, without(w.Write(content)), z.Close()); err != nil {
			t.Fatal(err)
		}
	case "bzip2": // package bzip2 only reads
		return []byte(bzip2Bomb)
	default:
		t.Fatal(how)
	}
	return b.Bytes()
}

// A few kilobytes that unpack to much are an error of every reader, in every packing it knows, that names the option which
// raises the limit.
func TestBombs(t *testing.T) {
	at := filepath.Join
	readAll := func(ctx context.Context, path string, o texts.Options) error {
		s, err := texts.Open(ctx, path, o)
		if err != nil {
			return err
		}
		for _, err := range s.Rows(ctx) {
			if err != nil {
				return err
			}
		}
		return nil
	}
	row := strings.Repeat("a", 100_000) + ",good\n"
	packed := map[string][]byte{}
	csv := func(t *testing.T, how string) []byte {
		if packed[how] == nil {
			packed[how] = pack(t, how, row)
		}
		return packed[how]
	}
	for name, c := range map[string]struct {
		packings string
		option   string
		make     func(t *testing.T, how string) []byte
		read     func(ctx context.Context, dir string, b []byte, ratio int) error
	}{
		"texts.Open": {"gzip zstd", "Options.MaxRatio", csv, func(ctx context.Context, dir string, b []byte, ratio int) error {
			if err := os.WriteFile(at(dir, "f"), b, 0o666); err != nil {
				return err
			}
			return readAll(ctx, at(dir, "f"), texts.Options{MaxRatio: ratio, Header: texts.NoHeader})
		}},
		"texts.Open, stream": {"gzip zstd", "Options.MaxRatio", csv, func(ctx context.Context, _ string, b []byte, ratio int) error {
			return readAll(ctx, "-", texts.Options{MaxRatio: ratio, Stdin: bytes.NewReader(b), Header: texts.NoHeader})
		}},
		"texts.Open, folder": {"gzip zstd", "Options.MaxRatio", csv, func(ctx context.Context, dir string, b []byte, ratio int) error {
			if err := errors.Join(os.MkdirAll(at(dir, "a"), 0o777), os.MkdirAll(at(dir, "b"), 0o777), os.WriteFile(at(dir, "b", "2.txt"), b, 0o666), os.WriteFile(at(dir, "a", "1.txt"), []byte("x"), 0o666)); err != nil {
				return err
			}
			return readAll(ctx, dir, texts.Options{MaxRatio: ratio})
		}},
		"pretrained.OpenVectors": {"gzip zstd zip", "VectorOptions.MaxRatio", func(t *testing.T, how string) []byte {
			return pack(t, how, "word"+strings.Repeat(" 1.5", 100_000)+"\n")
		}, func(ctx context.Context, dir string, b []byte, ratio int) error {
			if err := os.WriteFile(at(dir, "f"), b, 0o666); err != nil {
				return err
			}
			return without(pretrained.OpenVectors(ctx, at(dir, "f"), pretrained.VectorOptions{MaxRatio: ratio, KeepFirst: true}))
		}},
		"pretrained.OpenVectors, words": {"gzip zstd zip bzip2", "VectorOptions.MaxRatio", func(t *testing.T, how string) []byte {
			return pack(t, how, strings.Repeat("w", 60000)+"\n")
		}, func(ctx context.Context, dir string, b []byte, ratio int) error {
			header := `{"t":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]}}`
			if err := errors.Join(os.WriteFile(at(dir, "words"), b, 0o666),
				os.WriteFile(at(dir, "f"), []byte(string([]byte{byte(len(header)), 0, 0, 0, 0, 0, 0, 0})+header+"\x00\x00\x80\x3f"), 0o666)); err != nil {
				return err
			}
			return without(pretrained.OpenVectors(ctx, at(dir, "f"), pretrained.VectorOptions{MaxRatio: ratio, VocabularyFile: at(dir, "words")}))
		}},
		"imdb.Load": {"deflate", "Options.MaxRatio", func(t *testing.T, _ string) []byte {
			var b bytes.Buffer
			z := zip.NewWriter(&b)
			w, err := z.Create("x_train.npy")
			if err := errors.Join(err, without(w.Write(make([]byte, 20<<20))), z.Close()); err != nil {
				t.Fatal(err)
			}
			return b.Bytes()
		}, func(ctx context.Context, dir string, b []byte, ratio int) error {
			if err := os.WriteFile(at(dir, "imdb.npz"), b, 0o666); err != nil {
				return err
			}
			_, _, err := imdb.Load(ctx, imdb.Options{Path: dir, MaxRatio: ratio, AllowUnverified: true})
			return err
		}},
		"imdb.LoadTexts": {"tar.gz", "TextOptions.MaxRatio", tarBomb, func(ctx context.Context, dir string, b []byte, ratio int) error {
			if err := os.WriteFile(at(dir, "aclImdb_v1.tar.gz"), b, 0o666); err != nil {
				return err
			}
			_, _, err := imdb.LoadTexts(ctx, imdb.TextOptions{Path: dir, MaxRatio: ratio, AllowUnverified: true})
			return err
		}},
		"pretrained/fetch.Module": {"tar.gz", "Options.MaxRatio", tarBomb, func(ctx context.Context, dir string, b []byte, ratio int) error {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write(b) }))
			defer server.Close()
			return without(fetch.Module(ctx, "nnlm-en-dim50", fetch.Options{Folder: dir, Mirror: server.URL, MaxRatio: ratio}))
		}},
	} {
		for how := range strings.FieldsSeq(c.packings) {
			t.Run(name+"/"+how, func(t *testing.T) {
				b := c.make(t, how)
				err := c.read(t.Context(), t.TempDir(), b, 0)
				if err == nil || !strings.Contains(err.Error(), ratio.ErrExceeded.Error()) || !strings.Contains(err.Error(), "raise "+c.option) {
					t.Errorf("%d bytes: error %.300v", len(b), err)
				}
				if how == "gzip" {
					return
				}
				if err := c.read(t.Context(), t.TempDir(), b, 1<<20); err != nil && strings.Contains(err.Error(), ratio.ErrExceeded.Error()) {
					t.Errorf("with a higher limit: %v", err)
				}
				if err := c.read(t.Context(), t.TempDir(), b, -1); err == nil || !strings.Contains(err.Error(), "MaxRatio") || !strings.Contains(err.Error(), "negative") {
					t.Errorf("with a negative limit: %v", err)
				}
			})
		}
	}
}

// tarBomb is an archive with one large entry that is neither a review nor a model.
func tarBomb(t *testing.T, _ string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	const size = 20 << 20
	err := w.WriteHeader(&tar.Header{Name: "x", Mode: 0o644, Size: size, Typeflag: tar.TypeReg})
	if err := errors.Join(err, without(w.Write(make([]byte, size))), w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
