package golden

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/internal/safetensors"
	"github.com/linnet-ml/linnet/internal/shared"
)

//go:embed testdata/*.json testdata/*.safetensors testdata/summary_progress/*.txt
var recorded embed.FS

// Topic is one file of recorded cases. As a [Value] it is the whole file: settings, noise, what the topic shares.
type Topic struct {
	Value
	Name  string
	Cases []Case

	files   fs.FS
	tensors *Tensors // nil where all arrays are inline
}

// Case is one recorded case. As a [Value] it is an object with a config and, mostly, an expected.
type Case struct {
	Value
	Name string // unique in its topic
}

// Open reads a topic from this package's testdata.
func Open(tb testing.TB, topic string) *Topic {
	tb.Helper()
	files, err := fs.Sub(recorded, "testdata")
	if err != nil {
		tb.Fatal(err)
	}
	return open(tb, files, topic)
}

// OpenShared reads a topic from the folder golden of the shared data; the test is skipped where that is not there.
func OpenShared(tb testing.TB, topic string) *Topic {
	tb.Helper()
	return open(tb, os.DirFS(shared.Path(tb, "golden")), topic)
}

func open(tb testing.TB, files fs.FS, topic string) *Topic {
	tb.Helper()
	whole, err := fs.ReadFile(files, topic+".json")
	if err != nil {
		tb.Fatalf("golden: %v", err)
	}
	t := &Topic{Name: topic, files: files}
	t.Value = Value{topic: t, where: topic, raw: whole}
	var list struct{ Cases []json.RawMessage }
	if err := json.Unmarshal(whole, &list); err != nil {
		tb.Fatalf("golden: %s.json: %v", topic, err)
	}
	for _, raw := range list.Cases {
		v := Value{topic: t, where: topic, raw: raw}
		name := v.Text("name")
		v.where = topic + ": " + name
		t.Cases = append(t.Cases, Case{Value: v, Name: name})
	}
	if b, err := fs.ReadFile(files, topic+".safetensors"); err == nil {
		t.tensors = readTensors(tb, topic+".safetensors", b)
	}
	return t
}

// Case finds a case by its name.
func (t *Topic) Case(name string) Case {
	i := slices.IndexFunc(t.Cases, func(c Case) bool { return c.Name == name })
	if i < 0 {
		panic(fmt.Sprintf("golden: %s has no case %q", t.Name, name))
	}
	return t.Cases[i]
}

// Run runs f as a subtest for each case whose name begins with prefix, and fails when there is none.
func (t *Topic) Run(tt *testing.T, prefix string, f func(t *testing.T, c Case)) {
	tt.Helper()
	found := false
	for _, c := range t.Cases {
		if strings.HasPrefix(c.Name, prefix) {
			found = true
			tt.Run(c.Name, func(t *testing.T) { f(t, c) })
		}
	}
	if !found {
		tt.Errorf("golden: %s has no case %s…", t.Name, prefix)
	}
}

// Tensor is an array of the topic's .safetensors file, for topics whose cases name tensors as plain text.
func (t *Topic) Tensor(key string) Array {
	if t.tensors == nil {
		panic(fmt.Sprintf("golden: %s has no .safetensors file", t.Name))
	}
	return t.tensors.Array(key)
}

// File is the content of a recorded text that a case names, such as "summary_progress/tutorial.built.txt".
func (t *Topic) File(name string) string {
	b, err := fs.ReadFile(t.files, path.Clean(name))
	if err != nil {
		panic(fmt.Sprintf("golden: %s: %v", t.Name, err))
	}
	return string(b)
}

// Tensors is a .safetensors file.
type Tensors struct {
	name string
	file *safetensors.File
}

// OpenTensors reads a .safetensors file of the shared data, such as "golden/train_imdb_initial.safetensors"; the test
// is skipped where that is not there.
func OpenTensors(tb testing.TB, rel string) *Tensors {
	tb.Helper()
	b, err := os.ReadFile(shared.Path(tb, rel))
	if err != nil {
		tb.Fatalf("golden: %v", err)
	}
	return readTensors(tb, rel, b)
}

func readTensors(tb testing.TB, name string, b []byte) *Tensors {
	tb.Helper()
	f, err := safetensors.Open(context.Background(), bytes.NewReader(b), int64(len(b)))
	if err != nil {
		tb.Fatalf("golden: %s: %v", name, err)
	}
	return &Tensors{name: name, file: f}
}

// Array reads a tensor.
func (t *Tensors) Array(key string) Array {
	a, err := readArray(t.file, key)
	if err != nil {
		panic(fmt.Sprintf("golden: %s: %v", t.name, err))
	}
	return a
}

func readArray(f *safetensors.File, key string) (Array, error) {
	x, err := f.Tensor(key)
	if err != nil {
		return Array{}, err
	}
	a := Array{Shape: x.Shape}
	switch x.DType {
	case safetensors.F32:
		a.Float32, err = x.Float32()
	case safetensors.I32:
		a.Int32, err = x.Int32()
	case safetensors.I64:
		a.Int64, err = x.Int64()
	default:
		err = fmt.Errorf("tensor %q has type %s", key, x.DType)
	}
	return a, err
}
