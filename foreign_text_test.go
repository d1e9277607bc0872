package linnet_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"

	"github.com/linnet-ml/linnet/callbacks"
	"github.com/linnet-ml/linnet/classifier"
	"github.com/linnet-ml/linnet/datasets/imdb"
	imdbfetch "github.com/linnet-ml/linnet/datasets/imdb/fetch"
	"github.com/linnet-ml/linnet/datasets/labels"
	"github.com/linnet-ml/linnet/datasets/textdir"
	"github.com/linnet-ml/linnet/datasets/texts"
	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/internal/atomicfile"
	"github.com/linnet-ml/linnet/internal/download"
	"github.com/linnet-ml/linnet/internal/statusline"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/model"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/plots"
	"github.com/linnet-ml/linnet/pretrained"
	"github.com/linnet-ml/linnet/pretrained/fetch"
	"github.com/linnet-ml/linnet/serve"
	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

// foreign is what a terminal or a log should not get: an escape sequence, NUL, a character that turns the direction of
// reading round, and a line end.
const foreign = "a\x1b[2J\x00\u202eb\nc\u009b"

// nameable is foreign without what a system may refuse in the name of a file.
const nameable = "a\x1b[2J\u202eb\nc\u009b"

// harmless reports whether a text has printable characters alone.
func harmless(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// poisoned yields copies of a file: in each, one text that is in it, wherever it stands, is replaced by one of the same length
// that a terminal should not get, as it is and in JSON's escapes. Texts of fewer letters than least stay.
func poisoned(file []byte, least int, yield func([]byte)) {
	var seen []string
	for _, run := range regexp.MustCompile(`[A-Za-z_][A-Za-z_0-9/.-]*`).FindAllString(string(file), -1) {
		if len(run) < least || slices.Contains(seen, run) {
			continue
		}
		seen = append(seen, run)
		raw := strings.Repeat(foreign, len(run)/len(foreign)+1)[:len(run)]
		yield(bytes.ReplaceAll(file, []byte(run), []byte(raw)))
		if n := len(run) / 6; n > 0 {
			escaped := strings.Repeat(`\u001b`, n) + strings.Repeat("x", len(run)-6*n)
			yield(bytes.ReplaceAll(file, []byte(run), []byte(escaped)))
		}
	}
}

// A reading is a row of the table of readers: the functions that it calls, by package and name, and what they say of foreign
// text. Each error is handed to say, and so is each text that a reader makes for people.
type reading struct {
	functions string
	run       func(t *testing.T, say func(error))
}

var readings = []reading{
	{"pretrained.OpenHub pretrained.FindModule pretrained.OpenModule", func(t *testing.T, say func(error)) {
		const module = "pretrained/testdata/hub/movie"
		for _, name := range []string{"saved_model.pb", "variables/variables.index", "assets/tokens.txt"} {
			folder := t.TempDir()
			if err := os.CopyFS(folder, os.DirFS(module)); err != nil {
				t.Fatal(err)
			}
			least := 16 // names of operations, nodes and files
			if name != "saved_model.pb" {
				least = 4
			}
			poisoned(read(t, filepath.Join(module, name)), least, func(b []byte) {
				put(t, filepath.Join(folder, name), b)
				_, err := pretrained.OpenHub(t.Context(), folder, pretrained.HubOptions{})
				say(err)
			})
		}
		_, err := pretrained.OpenHub(t.Context(), module, pretrained.HubOptions{Tokens: foreign, Table: foreign})
		say(err)
		_, err = pretrained.OpenHub(t.Context(), foreign, pretrained.HubOptions{})
		say(err)
		_, err = pretrained.FindModule(foreign)
		say(err)
		_, err = pretrained.OpenModule(t.Context(), "https://tfhub.dev/"+foreign, pretrained.HubOptions{})
		say(err)
	}},
	{"pretrained.OpenVectors pretrained.Embedding.ReadTable", func(t *testing.T, say func(error)) {
		open := func(name, content string, o pretrained.VectorOptions) {
			path := filepath.Join(t.TempDir(), name)
			put(t, path, []byte(content))
			e, err := pretrained.OpenVectors(t.Context(), path, o)
			say(err)
			if err == nil {
				say(e.ReadTable(t.Context(), make([]float32, e.Rows()*e.Dim())))
			}
		}
		word := strings.ReplaceAll(foreign, "\n", "")
		open("twice.txt", "a 1 2\n"+word+" 1 2\n"+word+" 3 4\n", pretrained.VectorOptions{})
		open("number.txt", "a 1 2\nb "+word+" 2\n", pretrained.VectorOptions{})
		open("number.txt", "a 1 2\n"+word+" 1e99 2\n", pretrained.VectorOptions{})
		open("header.vec", word+" 2\na 1 2\n", pretrained.VectorOptions{})
		open("header.vec", "2 "+word+"\na 1 2\n", pretrained.VectorOptions{})
		open("long.txt", "a 1 2\n"+word+" 3\n", pretrained.VectorOptions{})
		open("vocabulary.safetensors", safetensorsOf(`{"`+escapedJSON+`":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]}}`, 4), pretrained.VectorOptions{VocabularyFile: foreign})
		_, err := pretrained.OpenVectors(t.Context(), foreign, pretrained.VectorOptions{})
		say(err)
	}},
	{"fetch.Module fetch.Reviews fetch.Texts", func(t *testing.T, say func(error)) {
		line := strings.ReplaceAll(foreign, "\n", "")
		for _, answer := range []string{"HTTP/1.1 " + line, line, "HTTP/1.1 301 Moved\r\nLocation: http://" + line, "HTTP/1.1 206 OK\r\nContent-Range: " + line, "HTTP/1.1 500 OK\r\nContent-Length: " + line} {
			url := answering(t, answer+"\r\nConnection: close\r\n\r\n")
			_, err := download.Fetch(t.Context(), t.TempDir(), download.File{URL: url + "/file"}, download.Options{Attempts: 1})
			say(err)
		}
		for _, name := range []string{foreign, "a/" + nameable} {
			_, err := download.Fetch(t.Context(), t.TempDir(), download.File{URL: "http://localhost/file", Name: name}, download.Options{})
			say(err)
			_, err = download.Fetch(t.Context(), t.TempDir(), download.File{URL: name}, download.Options{})
			say(err)
		}
		{
			url := answering(t, "HTTP/1.1 404 "+line+"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
			_, err := fetch.Module(t.Context(), "nnlm-en-dim50", fetch.Options{Folder: t.TempDir(), Mirror: url})
			say(err)
			_, err = imdbfetch.Reviews(t.Context(), imdbfetch.Options{Folder: t.TempDir(), Mirror: url})
			say(err)
			_, err = imdbfetch.Texts(t.Context(), imdbfetch.Options{Folder: t.TempDir(), Mirror: url})
			say(err)
		}
		for _, name := range []string{foreign, "../" + nameable, "saved_model.pb/" + nameable} {
			archive := packed(t, name)
			url := answering(t, fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(archive), archive))
			_, err := fetch.Module(t.Context(), "nnlm-en-dim50", fetch.Options{Folder: t.TempDir(), Mirror: url})
			say(err)
		}
	}},
	{"model.Load model.FromBytes model.Read model.OpenTensors model.Format.LoadState plan.DecodeState plan.Kinds.Decode text.HubTokenizer.UnmarshalJSON " +
		"text.Vectorization.UnmarshalJSON", func(t *testing.T, say func(error)) {
		folder := t.TempDir()
		path := filepath.Join(folder, "model.linnet")
		m := smallModel(t, layers.Dense{Units: 1, Name: "a_layer_with_a_name"})
		h := new(history.History)
		if err := h.DecodeJSON(t.Context(), []byte(`{"epoch":[0],"history":{"a_metric_with_a_name":[1]},"stopped":"a reason to stop"}`)); err != nil {
			t.Fatal(err)
		}
		state := &nn.TrainingState{}
		x, err := tensor.New[float32](2, 3)
		if err != nil {
			t.Fatal(err)
		}
		y, err := tensor.New[float32](2, 1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Fit(t.Context(), nn.Data{X: x, Y: y}, nn.FitOptions{Optimizer: optim.Adam{}, Loss: loss.MeanSquaredError{}, State: state,
			Callbacks: []nn.Callback{callbacks.EarlyStopping{Monitor: "loss", RestoreBest: true}}}); err != nil {
			t.Fatal(err)
		}
		info := model.Info{Labels: map[string][]string{"output": {"a_label_with_a_name"}}, History: h, Metadata: map[string]string{"a_key_with_a_name": "a_value"}}
		if err := model.Save(t.Context(), path, m, model.SaveOptions{Info: info, State: state}); err != nil {
			t.Fatal(err)
		}
		whole := read(t, path)
		poisoned(whole, 4, func(b []byte) {
			file, err := model.FromBytes(t.Context(), b, model.LoadOptions{})
			say(err)
			if err == nil {
				_, err = file.State(t.Context())
				say(err)
				say(errors.New(file.Model.Summary()))
				file.Close()
			}
		})
		poisoned(whole, 10, func(b []byte) {
			_, err := model.Read(t.Context(), bytes.NewReader(b), int64(len(b)), model.LoadOptions{})
			say(err)
			put(t, path, b)
			_, err = model.OpenTensors(t.Context(), path)
			say(err)
			_, err = model.Format{}.LoadState(t.Context(), path, m)
			say(err)
		})
		_, err = model.Load(t.Context(), foreign, model.LoadOptions{})
		say(err)
		_, err = model.OpenTensors(t.Context(), foreign)
		say(err)
		_, err = model.OpenTensors(t.Context(), foreign+".json")
		say(err)
	}},
	{"classifier.Load classifier.FromBytes serve.Load evaluation.Figure.UnmarshalJSON", func(t *testing.T, say func(error)) {
		path := filepath.Join(t.TempDir(), "c.linnet")
		poisoned(read(t, "examples/embed/classifier/messages.linnet")[:4000], 4, func(b []byte) {
			_, err := classifier.FromBytes(t.Context(), b)
			say(err)
		})
		put(t, path, []byte(foreign))
		_, err := serve.Load(t.Context(), foreign, path)
		say(err)
		for _, path := range []string{foreign, filepath.Join(t.TempDir(), nameable)} {
			_, err = classifier.Load(t.Context(), path)
			say(err)
			_, err = serve.Load(t.Context(), "name", path)
			say(err)
		}
	}},
	{"history.ReadCSV history.History.DecodeJSON history.History.UnmarshalJSON history.Direction.UnmarshalText", func(t *testing.T, say func(error)) {
		field := `"` + foreign + `"`
		for _, table := range []string{field + "\n", "epoch," + field + "," + field + "\n", "epoch,a\n" + field + ",1\n", "epoch,a\n1," + field + "\n", "epoch,a\"" + field, foreign} {
			_, err := history.ReadCSV(strings.NewReader(table))
			say(err)
		}
		for _, text := range []string{
			foreign, `{"` + foreign + `":1}`, `{"epoch":[0],"history":{"NAME":[1,2]}}`, `{"epoch":[0],"history":{"NAME":[1],"NAME":[1]}}`, `{"epoch":[0],"history":{"a":["NAME"]}}`,
			`{"epoch":[0],"history":{},"directions":{"NAME":"lower"}}`, `{"epoch":[0],"history":{"a":[1]},"directions":{"a":"NAME"}}`, `{"epoch":["NAME"]}`,
		} {
			say(new(history.History).DecodeJSON(t.Context(), []byte(strings.ReplaceAll(text, "NAME", escapedJSON))))
		}
		say(new(history.Direction).UnmarshalText([]byte(foreign)))
	}},
	{"text.ReadVocabulary text.ReadHubVocabulary text.ParseCombiner text.Combiner.UnmarshalText text.HashedFeatures.UnmarshalJSON tensor.Type.UnmarshalText", func(t *testing.T, say func(error)) {
		word := strings.ReplaceAll(foreign, "\n", "")
		for _, list := range []string{word + "\n" + word + "\n", word + "\xff", strings.Repeat(word, 10000)} {
			_, err := text.ReadVocabulary(t.Context(), strings.NewReader(list))
			say(err)
			_, err = text.ReadHubVocabulary(t.Context(), strings.NewReader(list))
			say(err)
		}
		_, err := text.ParseCombiner(foreign)
		say(err)
		say(new(text.Combiner).UnmarshalText([]byte(foreign)))
		say(new(text.HashedFeatures).UnmarshalJSON([]byte(`{"` + escapedJSON + `":1}`)))
		say(new(tensor.Type).UnmarshalText([]byte(foreign)))
	}},
	{"imdb.Load imdb.Find imdb.LoadTexts imdb.FindTexts imdb.LoadUnsupervisedTexts", func(t *testing.T, say func(error)) {
		folder := t.TempDir()
		for _, name := range []string{"imdb.npz", "imdb_word_index.json"} {
			poisoned(read(t, filepath.Join("datasets/imdb/testdata", name)), 3, func(b []byte) {
				put(t, filepath.Join(folder, name), b)
				_, _, err := imdb.Load(t.Context(), imdb.Options{Path: folder, AllowUnverified: true})
				say(err)
				_, err = imdb.WordIndex(t.Context(), imdb.Options{Path: folder, AllowUnverified: true})
				say(err)
			})
		}
		for _, name := range []string{"aclImdb/train/pos/" + nameable + ".txt", "aclImdb/train/pos/1_1" + foreign + ".txt", foreign} {
			path := filepath.Join(folder, "aclImdb_v1.tar.gz")
			put(t, path, packed(t, name))
			_, _, err := imdb.LoadTexts(t.Context(), imdb.TextOptions{Path: path})
			say(err)
			_, err = imdb.LoadUnsupervisedTexts(t.Context(), imdb.TextOptions{Path: path})
			say(err)
			archive := packed(t, name)
			put(t, path, archive[:len(archive)/2])
			_, _, err = imdb.LoadTexts(t.Context(), imdb.TextOptions{Path: path})
			say(err)
		}
		if runtime.GOOS != "windows" {
			file := filepath.Join(folder, "aclImdb", "train", "pos", nameable+".txt")
			if err := os.MkdirAll(file, 0o777); err != nil {
				t.Fatal(err)
			}
			_, _, err := imdb.LoadTexts(t.Context(), imdb.TextOptions{Path: filepath.Join(folder, "aclImdb")})
			say(err)
		}
		for _, path := range []string{foreign, nameable} {
			_, _, err := imdb.Load(t.Context(), imdb.Options{Path: path})
			say(err)
			_, err = imdb.Find(path)
			say(err)
			_, err = imdb.FindTexts(path)
			say(err)
			_, _, err = imdb.LoadTexts(t.Context(), imdb.TextOptions{Path: path})
			say(err)
		}
	}},
	{"textdir.Load textdir.LoadBoth", func(t *testing.T, say func(error)) {
		for _, files := range []fstest.MapFS{
			{nameable + "/" + nameable + ".txt": {Data: []byte("\xff\xfe")}},
			{nameable + "/1.txt": {Data: []byte("text")}, "b": {}},
			{nameable + "/1.txt": {Mode: fs.ModeNamedPipe}},
			{nameable + "/1.txt": {Data: make([]byte, 1000)}, nameable + "2/" + nameable + ".txt/x": {}},
			{nameable: {Data: []byte("text")}},
		} {
			for _, o := range []textdir.Options{{}, {ClassNames: []string{foreign}}, {ClassNames: []string{foreign, foreign}}, {MaxLength: 1}} {
				d, err := textdir.Load(t.Context(), files, o)
				say(err)
				if err == nil {
					_, err = d.BinaryLabels()
					say(err)
				}
				o.ValidationSplit = 0.5
				_, _, err = textdir.LoadBoth(t.Context(), files, o)
				say(err)
			}
		}
	}},
	{"texts.Open", func(t *testing.T, say func(error)) {
		folder := t.TempDir()
		field, name := `"`+foreign+`"`, escapedJSON
		for file, content := range map[string]string{
			"a.csv":    field + "," + field + "\n1,2\n",
			"b.csv":    "text,label\n" + field + ",a\n" + field + "\n" + field + ",b\n",
			"c.csv":    field + "," + field + "2," + field + "3\na,b,c\n",
			"d.jsonl":  `{"` + name + `":1,"` + name + `":2}` + "\n",
			"e.jsonl":  `{"text":"` + name + `","label":{"` + name + `":1}}` + "\n" + foreign,
			"f.json":   `[{"text":1,"` + name + `":"` + name + `"}]`,
			"g.txt":    "__label__" + strings.ReplaceAll(foreign, "\n", "") + " a\n" + foreign + "\n",
			"h.tsv":    foreign + "\t" + foreign + "\n" + foreign,
			nameable:   "text,label\na\n",
			"i.gz":     "\x1f\x8b" + foreign,
			"j.csv.gz": foreign,
		} {
			path := filepath.Join(folder, file)
			if runtime.GOOS == "windows" && file == nameable {
				continue
			}
			put(t, path, []byte(content))
			for _, o := range []texts.Options{{}, {Text: foreign, Label: foreign}, {Format: foreign}, {Encoding: foreign}, {Part: foreign}, {Text: "text", Label: "label"}} {
				s, err := texts.Open(t.Context(), path, o)
				say(err)
				if err != nil {
					continue
				}
				say(errors.New(s.Found().String()))
				var checker texts.Checker
				for _, err := range checker.Watch(s.Rows(t.Context())) {
					say(err)
				}
				for _, f := range checker.Faults() {
					for _, e := range f.Examples {
						say(errors.New(e.String()))
					}
				}
				s.Close()
			}
		}
		_, err := texts.Open(t.Context(), foreign, texts.Options{})
		say(err)
		_, err = texts.Open(t.Context(), filepath.Join(folder, nameable, "x"), texts.Options{})
		say(err)
		c, err := labels.New("a", "b")
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.IDs([]string{foreign})
		say(err)
		_, err = labels.New(foreign, foreign)
		say(err)
	}},
}

// notReaders are functions with the name of a reader that read nothing from outside.
var notReaders = []string{
	"plan.ReadOnlyStorage.Read", "plan.LentStorage.Read", "plan.Float32Storage.Read", "plan.Float16Storage.Read", "plan.BFloat16Storage.Read", "plan.Int8Storage.Read", "nn.ReadAhead", "text.Decoder.Decode", "imdb.Decode", "layers.VectorTable.ReadTable", "layers.TokenTable.ReadTable",
	"builtin.Load", "builtin.Open",
}

// What stands in a file, an archive, a folder or an answer never reaches a terminal as it is. A reader without a row fails.
func TestForeignTextInErrors(t *testing.T) {
	var have []string
	for _, r := range readings {
		names := strings.Fields(r.functions)
		have = append(have, names...)
		t.Run(names[0], func(t *testing.T) {
			said := 0
			r.run(t, func(err error) {
				if err == nil {
					return
				}
				said++
				if text := strings.ReplaceAll(err.Error(), "\n", ""); !harmless(text) || strings.Contains(err.Error(), "\n") && !isSummary(err) {
					t.Errorf("%q", err)
				}
			})
			if said == 0 {
				t.Error("it has nothing to say")
			}
		})
	}
	for _, name := range readers(t) {
		if !slices.Contains(have, name) && !slices.Contains(notReaders, name) {
			t.Errorf("%s is in no row", name)
		}
	}
}

// isSummary reports whether a text is that of a model, which has lines.
func isSummary(err error) bool { return strings.HasPrefix(err.Error(), "Model: ") }

// readers are the exported functions and methods of the library whose names say that they read something.
func readers(t *testing.T) (names []string) {
	t.Helper()
	reads := regexp.MustCompile(`^(Open|Load|Read|Decode|Parse|From|Unmarshal|Find)([A-Z]|$)`)
	for _, root := range []string{"callbacks", "classifier", "datasets", "history", "layers", "loss", "metrics", "model", "nn", "optim", "pretrained", "serve", "tensor", "text"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() && (d.Name() == "internal" || d.Name() == "testdata" || d.Name() == "make") {
				return filepath.SkipDir
			}
			if d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return nil
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			for _, d := range file.Decls {
				f, ok := d.(*ast.FuncDecl)
				if !ok || !reads.MatchString(f.Name.Name) {
					continue
				}
				name := file.Name.Name + "."
				if f.Recv != nil {
					typ := f.Recv.List[0].Type
					if star, ok := typ.(*ast.StarExpr); ok {
						typ = star.X
					}
					id, ok := typ.(*ast.Ident)
					if !ok || !id.IsExported() {
						continue
					}
					name += id.Name + "."
				}
				if name += f.Name.Name; !slices.Contains(names, name) {
					names = append(names, name)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return names
}

// escapedJSON is foreign as it stands in a text of JSON.
var escapedJSON = func() string {
	b, _ := json.Marshal(foreign)
	return string(b[1 : len(b)-1])
}()

// safetensorsOf is a file with a header and bytes of data.
func safetensorsOf(header string, data int) string {
	var b bytes.Buffer
	n := len(header)
	b.Write([]byte{byte(n), byte(n >> 8), 0, 0, 0, 0, 0, 0})
	b.WriteString(header)
	b.Write(make([]byte, data))
	return b.String()
}

// packed is a tar archive, packed by gzip, of a file with that name.
func packed(t *testing.T, name string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	// A header of PAX may not have NUL: one of the old kind ends there.
	name = strings.ReplaceAll(name, "\x00", "")
	if err := w.WriteHeader(&tar.Header{Name: name, Size: 4, Mode: 0o666, Format: tar.FormatPAX}); err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, "text")
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// answering is the URL of a server that gives one answer to all.
func answering(t *testing.T, answer string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Read(make([]byte, 4096))
			io.WriteString(c, answer)
			c.Close()
		}
	}()
	return "http://" + l.Addr().String()
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func put(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o666); err != nil {
		t.Fatal(err)
	}
}

// smallModel is a network of layers over rows of three numbers.
func smallModel(t *testing.T, list ...nn.Layer) *nn.Model {
	t.Helper()
	m, err := nn.NewSequential(list...).Build(t.Context(), nn.Features(3), nn.BuildOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// logging is a callback that logs a number under a foreign name.
type logging struct{}

func (logging) Kind() string { return "Logging" }

func (logging) Start(plan.Training) (plan.Handler, error) {
	return plan.Handler{Handle: func(e plan.Event, t plan.Training) error {
		if e == plan.EpochEnd {
			t.Logs().Set(foreign, 1)
		}
		return nil
	}}, nil
}

// Names that nobody vouches for never reach what people look at as they are: progress, logs, tables, diagrams.
func TestForeignTextInOutput(t *testing.T) {
	x, err := tensor.New[float32](2, 3)
	if err != nil {
		t.Fatal(err)
	}
	y, err := tensor.New[float32](2, 1)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	var shows, plain, told bytes.Buffer
	log := func(format string, args ...any) { fmt.Fprintf(&told, format+"\n", args...) }
	m := smallModel(t, layers.Dense{Units: 1})
	table := filepath.Join(folder, "log.csv")
	h, err := m.Fit(t.Context(), nn.Data{X: x, Y: y}, nn.FitOptions{Optimizer: optim.SGD{}, Loss: loss.MeanSquaredError{}, Epochs: 4, Callbacks: []nn.Callback{
		logging{},
		callbacks.ProgressLine{To: &shows, Style: callbacks.Terminal}, callbacks.Progress(&plain), callbacks.CSVLogger{Path: table},
		callbacks.ModelCheckpoint{Path: filepath.Join(folder, "{epoch}.linnet"), Format: model.Format{}, Monitor: foreign, Mode: history.LowerIsBetter, SaveBestOnly: true, Log: log},
		callbacks.EarlyStopping{Monitor: foreign, Mode: history.LowerIsBetter, Patience: 1, Log: log},
	}})
	if err != nil {
		t.Fatal(err)
	}
	logs := &history.Logs{}
	logs.Set(foreign, 1)
	var csv, diagram, svg, downloads, status bytes.Buffer
	if err := h.WriteCSV(&csv); err != nil {
		t.Fatal(err)
	}
	panels := []plots.Panel{{Title: foreign, Label: foreign, Training: plots.Curve{Name: foreign, Values: []float64{1, 2}}, Validation: plots.Curve{Name: foreign, Values: []float64{1, 2}}}}
	if err := plots.WriteText(&diagram, plots.Text{}, panels...); err != nil {
		t.Fatal(err)
	}
	if err := plots.Write(&svg, plots.SVG, panels...); err != nil {
		t.Fatal(err)
	}
	p := download.NewPrinter(&downloads)
	p.Report(foreign, 1, 2)
	p.Report(foreign, 2, 2)
	line := statusline.New(&status)
	line.Draw([]byte(foreign))
	line.Finish([]byte(foreign))
	_, noPanels := plots.Panels(h, "none")
	_, noMonitor := m.Fit(t.Context(), nn.Data{X: x, Y: y}, nn.FitOptions{Optimizer: optim.SGD{}, Loss: loss.MeanSquaredError{}, Callbacks: []nn.Callback{logging{}, callbacks.EarlyStopping{Monitor: "none"}}})
	for what, s := range map[string]string{
		"progress on a terminal": shows.String(), "progress elsewhere": plain.String(), "what callbacks tell": told.String(), "the reason to stop": h.Stopped,
		"a log of CSV": string(read(t, table)), "a history as CSV": csv.String(), "logs": logs.String(), "a diagram": diagram.String(), "a picture": svg.String(),
		"downloads": downloads.String(), "a line in its place": status.String(),
		"a summary":                       nn.NewSequential(layers.Dense{Units: 1, Name: foreign}).Summary(),
		"an error of a name":              fmt.Sprint(built(layers.Dense{Units: 1, Name: foreign})),
		"an error of a file":              fmt.Sprint(atomicfile.Check(filepath.Join(foreign, foreign))),
		"an error of a name of a log":     fmt.Sprint(noMonitor),
		"an error of a name of a panel":   fmt.Sprint(noPanels),
		"an error of a name of a picture": fmt.Sprint(plots.Check(foreign)),
	} {
		if s == "" || !harmless(strings.NewReplacer("\n", "", "\r", "", "\t", "").Replace(s)) {
			t.Errorf("%s: %q", what, s)
		}
		// The name's own line end is none of the output.
		if strings.Contains(s, "b\nc") || !strings.Contains(s, `\x1b`) && !strings.Contains(s, "none") && what != "a picture" {
			t.Errorf("%s: the name is not shown escaped: %q", what, s)
		}
	}
	// The page of the server makes no elements out of texts, and does not let them turn what stands beside them round.
	script, style := string(read(t, "serve/page/page.js")), string(read(t, "serve/page/page.css"))
	if regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write`).MatchString(script) || !strings.Contains(style, "unicode-bidi: isolate") {
		t.Error("the page shows texts as they are")
	}
}

func built(l nn.Layer) error {
	_, err := nn.NewSequential(l).Build(context.Background(), nn.Features(3), nn.BuildOptions{})
	return err
}
