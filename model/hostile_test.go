package model_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/linnet-ml/linnet/internal/boundary"
	"github.com/linnet-ml/linnet/internal/safetensors"
	"github.com/linnet-ml/linnet/model"
	"github.com/linnet-ml/linnet/nn/plan"
)

// parts are a model file taken apart.
type parts struct {
	metadata map[string]string
	entries  []safetensors.Entry
}

// takeApart reads a model file.
func takeApart(t testing.TB, b []byte) *parts {
	t.Helper()
	f, err := safetensors.OpenBytes(t.Context(), b)
	must(t, err)
	p := &parts{metadata: map[string]string{}}
	for key, value := range f.Metadata() {
		p.metadata[key] = value
	}
	for _, x := range f.Tensors() {
		raw, err := x.Bytes()
		must(t, err)
		p.entries = append(p.entries, safetensors.Entry{Name: x.Name, Shape: x.Shape, Data: safetensors.RawData{DType: x.DType, Bytes: raw}})
	}
	return p
}

func (p *parts) bytes(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	must(t, safetensors.Write(t.Context(), &b, p.metadata, p.entries, safetensors.Aligned))
	return b.Bytes()
}

// replace changes a text of the metadata, which must have the old one.
func (p *parts) replace(t testing.TB, key, old, with string) {
	t.Helper()
	if !strings.Contains(p.metadata[key], old) {
		t.Fatalf("%s has no %s:\n%s", key, old, p.metadata[key])
	}
	p.metadata[key] = strings.Replace(p.metadata[key], old, with, 1)
}

// at is the entry of a name.
func (p *parts) at(t testing.TB, name string) *safetensors.Entry {
	t.Helper()
	i := p.index(name)
	if i < 0 {
		t.Fatalf("there is no tensor %s", name)
	}
	return &p.entries[i]
}

func (p *parts) index(name string) int {
	return slices.IndexFunc(p.entries, func(e safetensors.Entry) bool { return e.Name == name })
}

func (p *parts) remove(t testing.TB, name string) {
	t.Helper()
	p.at(t, name)
	i := p.index(name)
	p.entries = slices.Delete(p.entries, i, i+1)
}

func (p *parts) add(name string, data safetensors.Data, shape ...int) {
	p.entries = append(p.entries, safetensors.Entry{Name: name, Shape: shape, Data: data})
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	must(t, err)
	return b
}

const (
	words     = "linnet.asset:Layers[0].Table.Words/words"
	wordsEnds = "linnet.ends:" + words
	table     = "text_embedding/embeddings"
	scales    = "linnet.scales:" + table
)

// Each thing that can be wrong with a file is an error that says what and where.
func TestHostileFiles(t *testing.T) {
	b := readFile(t, "testdata/v1.linnet")
	const m, s = "linnet.model", "linnet.state"
	for _, c := range []struct {
		name   string
		change func(p *parts)
		want   string // of Load
	}{
		{"no format", func(p *parts) { delete(p.metadata, "linnet.format") },
			`it is a safetensors file without "linnet.format": not one of linnet's models (OpenTensors reads its tensors)`},
		{"no metadata", func(p *parts) { p.metadata = nil },
			`it is a safetensors file without "linnet.format": not one of linnet's models (OpenTensors reads its tensors)`},
		{"version 2", func(p *parts) { p.metadata["linnet.format"] = "2" },
			`it has version 2 of the format, and this linnet reads up to 1: it needs a newer linnet`},
		{"version 0", func(p *parts) { p.metadata["linnet.format"] = "0" }, `"linnet.format" is "0", not a version`},
		{"version +1", func(p *parts) { p.metadata["linnet.format"] = "+1" }, `"linnet.format" is "+1", not a version`},
		{"version of a novel", func(p *parts) { p.metadata["linnet.format"] = strings.Repeat("\x1b", 1000) },
			`"linnet.format" is "` + strings.Repeat(`\x1b`, 80) + `"…, not a version`},
		{"no model", func(p *parts) { delete(p.metadata, m) }, `"linnet.model" is missing`},
		{"no JSON", func(p *parts) { p.metadata[m] = "{" }, `"linnet.model": it is not JSON: unexpected EOF`},
		{"two values", func(p *parts) { p.metadata[m] += "{}" }, `"linnet.model": more follows the value`},
		{"null", func(p *parts) { p.metadata[m] = "null" }, `"linnet.model": there is no object`},
		{"no spec", func(p *parts) { p.metadata[m] = "{}" }, `"linnet.model" has no spec`},
		{"spec null", func(p *parts) { p.metadata[m] = `{"spec":null}` }, `"linnet.model" has no spec`},
		{"unknown member", func(p *parts) { p.replace(t, m, `"seed"`, `"sead"`) }, `"linnet.model": the member "sead" is not known`},
		{"other case", func(p *parts) { p.replace(t, m, `"seed"`, `"Seed"`) }, `"linnet.model": the member "Seed" is not known`},
		{"member twice", func(p *parts) { p.replace(t, m, `"seed":`, `"seed":"1","seed":`) }, `"linnet.model": the member "seed" is there twice`},
		{"member of input", func(p *parts) { p.replace(t, m, `"type"`, `"Type"`) }, `"linnet.model": input: the member "Type" is not known`},
		{"seed", func(p *parts) { p.replace(t, m, `"9223372036854775817"`, `"-1"`) },
			`"linnet.model": seed: "-1" is no uint64`},
		{"unknown key", func(p *parts) { p.metadata["linnet.modell"] = "" }, `the metadata "linnet.modell" are none that this linnet knows`},
		{"history", func(p *parts) { p.metadata["linnet.history"] = `{"epoch":[0],"history":{"loss":[1,2]}}` },
			`"linnet.history": history: "loss": 2 values for 1 epochs`},
		{"unknown kind", func(p *parts) { p.replace(t, m, `{"kind":"Dropout"`, `{"kind":"Drop\u0007out"`) }, `plan: Layers[3]: the kind "Drop\aout" is not known; there are `},
		{"no kind", func(p *parts) { p.replace(t, m, `{"kind":"Dropout",`, `{`) }, `plan: Layers[3]: there is no kind`},
		{"no model at all", func(p *parts) { p.metadata[m] = `{"spec":{"kind":"Dropout"}}` }, `plan: the spec: no spec has the asset "Layers[0].Table.Words/words"`},
		{"a layer as model", func(p *parts) {
			p.metadata[m] = `{"spec":{"kind":"Dropout"}}`
			p.remove(t, words)
			p.remove(t, wordsEnds)
		}, `a "Dropout" is no model`},
		{"spec of a number", func(p *parts) { p.metadata[m] = `{"spec":7}` }, `plan: the spec: there is no object`},
		{"wrong kind", func(p *parts) { p.replace(t, m, `{"kind":"L2"}`, `{"kind":"Ones"}`) }, `plan: Layers[2].KernelRegularizer: a Ones is no plan.Regularizer`},
		{"unknown setting", func(p *parts) { p.replace(t, m, `"Units":3`, `"units":3`) }, `plan: Layers[2]: layers.Dense has no "units"`},
		{"setting twice", func(p *parts) { p.replace(t, m, `"Units":3`, `"Units":3,"Units":3`) }, `plan: Layers[2]: the member "Units" is there twice`},
		{"setting of another type", func(p *parts) { p.replace(t, m, `"Units":3`, `"Units":3.5`) }, `plan: Layers[2].Units: "3.5" is no int`},
		{"no input", func(p *parts) { p.replace(t, m, `"input":{"type":"string"},`, ``) }, `a Sequential without an input`},
		{"other input", func(p *parts) { p.replace(t, m, `"type":"string"`, `"type":"text"`) }, `"linnet.model": input: type: tensor: there is no type "text"`},
		{"input of no type", func(p *parts) { p.replace(t, m, `"type":"string"`, `"type":"int32"`) }, `nn: Tokens(): 0 dimensions`},
		{"input that does not fit", func(p *parts) { p.replace(t, m, `"type":"string"`, `"type":"int32","dims":[4]`) },
			`nn: layer 0 (text_embedding) cannot follow the input (int32) of shape (None, 4): shape does not fit: TextEmbedding reads texts, one a row (nn.Texts), not int32 of shape (None, 4)`},
		{"missing tensor", func(p *parts) { p.remove(t, "hidden/kernel") }, `nn: layer 4 (hidden): parameter kernel: the file has no tensor "hidden/kernel"`},
		{"wrong shape", func(p *parts) { p.at(t, "hidden/kernel").Shape = []int{9} },
			`nn: layer 4 (hidden): parameter kernel: shape does not fit: the file has it with shape (9,), and the layer needs (3, 3)`},
		{"wrong dtype", func(p *parts) {
			p.at(t, "hidden/kernel").Data = safetensors.RawData{DType: safetensors.U16, Bytes: make([]byte, 18)}
		}, `nn: layer 4 (hidden): parameter kernel: the file has it as U16; weights are F32, F16, BF16 or I8`},
		{"float64", func(p *parts) {
			p.at(t, "hidden/kernel").Data = safetensors.RawData{DType: safetensors.F64, Bytes: make([]byte, 72)}
		}, `nn: layer 4 (hidden): parameter kernel: the file has it as F64; weights are F32, F16, BF16 or I8`},
		{"tensor too many", func(p *parts) { p.add("more", safetensors.Float32Data{1}, 1) }, `tensor "more" belongs to no parameter of the model`},
		{"scales too many", func(p *parts) { p.add("linnet.scales:more", safetensors.Float32Data{1}, 1) }, `tensor "linnet.scales:more" belongs to no parameter of the model`},
		{"scales of floats", func(p *parts) { p.add("linnet.scales:hidden/kernel", safetensors.Float32Data{1, 2, 3}, 3) },
			`tensor "linnet.scales:hidden/kernel" belongs to no parameter of the model`},
		{"linnet's own too many", func(p *parts) { p.add("linnet.more", safetensors.Float32Data{1}, 1) }, `tensor "linnet.more" belongs to no parameter of the model`},
		{"no scales", func(p *parts) { p.remove(t, scales) },
			`nn: layer 0 (text_embedding): parameter embeddings: the file has it as I8, and no tensor "linnet.scales:text_embedding/embeddings" with the scale of each row`},
		{"scales of another type", func(p *parts) { p.at(t, scales).Data = safetensors.Int32Data(make([]int32, 6)) },
			`nn: layer 0 (text_embedding): parameter embeddings: tensor "linnet.scales:text_embedding/embeddings" holds I32 of shape (6,), which are no scales for 24 elements`},
		{"too few scales", func(p *parts) { e := p.at(t, scales); e.Data, e.Shape = make(safetensors.Float32Data, 5), []int{5} },
			`nn: layer 0 (text_embedding): parameter embeddings: tensor "linnet.scales:text_embedding/embeddings" holds F32 of shape (5,), which are no scales for 24 elements`},
		{"none", func(p *parts) { e := p.at(t, scales); e.Data, e.Shape = safetensors.Float32Data{}, []int{0} },
			`nn: layer 0 (text_embedding): parameter embeddings: tensor "linnet.scales:text_embedding/embeddings" holds F32 of shape (0,), which are no scales for 24 elements`},
		{"a table of scales", func(p *parts) { p.at(t, scales).Shape = []int{2, 3} },
			`nn: layer 0 (text_embedding): parameter embeddings: tensor "linnet.scales:text_embedding/embeddings" holds F32 of shape (2, 3), which are no scales for 24 elements`},
		{"no ends", func(p *parts) { p.remove(t, wordsEnds) },
			`tensor "` + words + `": it has texts, and there is no tensor "` + wordsEnds + `" that says where they end`},
		{"ends of nothing", func(p *parts) { p.remove(t, words) }, `tensor "` + wordsEnds + `" says where texts end that are not there`},
		{"no words", func(p *parts) { p.remove(t, words); p.remove(t, wordsEnds) },
			`plan: Layers[0].Table.Words: text: a HubTokenizer has the asset "words", texts, and no other`},
		{"ends of another type", func(p *parts) { e := p.at(t, wordsEnds); e.Data = safetensors.Float32Data(make([]float32, 5)) },
			`tensor "` + words + `": tensor "` + wordsEnds + `" holds F32 of shape [5], not a list of I32`},
		{"ends backwards", func(p *parts) { p.at(t, wordsEnds).Data = safetensors.Int32Data{4, 3, 9, 9, 22} },
			`tensor "` + words + `": text 1 ends at byte 3, after 4 of 22 bytes`},
		{"ends below 0", func(p *parts) { p.at(t, wordsEnds).Data = safetensors.Int32Data{-1, 3, 9, 9, 22} },
			`tensor "` + words + `": text 0 ends at byte -1, after 0 of 22 bytes`},
		{"ends beyond", func(p *parts) { p.at(t, wordsEnds).Data = safetensors.Int32Data{4, 5, 9, 9, math.MaxInt32} },
			`tensor "` + words + `": text 4 ends at byte 2147483647, after 9 of 22 bytes`},
		{"ends before the end", func(p *parts) { p.at(t, wordsEnds).Data = safetensors.Int32Data{4, 5, 9, 9, 21} },
			`tensor "` + words + `": the texts end at byte 21 of 22`},
		{"words that are numbers", func(p *parts) {
			p.remove(t, wordsEnds)
			p.at(t, words).Data, p.at(t, words).Shape = make(safetensors.Float32Data, 5), []int{5}
		}, `plan: Layers[0].Table.Words: text: a HubTokenizer has the asset "words", texts, and no other`},
		{"words of F16", func(p *parts) { p.at(t, words).Data = safetensors.Float16Data(make([]uint16, 22)) },
			`tensor "` + words + `": it holds F16; arrays beside a spec are F32, I32 or texts`},
		{"a word twice", func(p *parts) {
			p.at(t, words).Data, p.at(t, words).Shape, p.at(t, wordsEnds).Data = safetensors.Uint8Data("aabcd"), []int{5}, safetensors.Int32Data{1, 2, 3, 4, 5}
		}, `plan: Layers[0].Table.Words: text: words 0 and 1 of the vocabulary are both "a"`},
		{"asset too many", func(p *parts) { p.add("linnet.asset:Layers[0]/more", safetensors.Float32Data{1}, 1) },
			`plan: the spec: no spec has the asset "Layers[0]/more"`},
		{"asset without a place", func(p *parts) { p.add("linnet.asset:more", safetensors.Float32Data{1}, 1) }, `plan: the spec: asset "more" has no place`},
		{"labels", func(p *parts) { p.replace(t, m, `"bad",`, `"bad","so-so",`) }, `output "output" has 1 columns and 3 labels`},
		{"labels twice", func(p *parts) { p.replace(t, m, `["bad","good `, `["good ☃","good `) }, `output "output" has two labels "good ☃"`},
		{"labels of nothing", func(p *parts) { p.replace(t, m, `"labels":{"output"`, `"labels":{"out\u0000put"`) },
			`labels: the model has no output "out\x00put"; there are ["output"]`},
		{"thresholds", func(p *parts) { p.replace(t, m, `[0.1]`, `[0.1,0.2]`) }, `output "output" has 1 columns and 2 thresholds`},
		{"threshold beyond", func(p *parts) { p.replace(t, m, `[0.1]`, `[1e999]`) },
			`"linnet.model": thresholds: output: 0: "1e999" is no float64`},
		{"frozen", func(p *parts) { p.replace(t, m, `"dense/bias"`, `"dense/*"`) }, `frozen: nn: the model has no parameter "dense/*"`},
		{"frozen that never trains", func(p *parts) { p.replace(t, m, `"dense/bias"`, `"batch_normalization/moving_mean"`) },
			`frozen: nn: the layer of parameter "batch_normalization/moving_mean" never trains it`},
		{"frozen twice", func(p *parts) { p.replace(t, m, `"dense/bias"`, `"dense/bias","dense/bias"`) }, `frozen: nn: parameter "dense/bias" is there twice`},
		{"state's arrays without a state", func(p *parts) { delete(p.metadata, s) }, `tensor "linnet.state:`},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := takeApart(t, b)
			c.change(p)
			file := p.bytes(t)
			path := filepath.Join(t.TempDir(), "hostile.linnet")
			must(t, os.WriteFile(path, file, 0o644))
			for way, open := range waysToOpen(path, file, nil) {
				_, err := open(t)
				name := map[string]string{"Load": path, "InMemory": path, "FromBytes": "bytes", "Read": "file"}[way]
				want := "model: " + name + ": " + c.want
				if err == nil || err.Error() != want && !(strings.HasSuffix(want, " ") || strings.HasSuffix(want, ":")) || !strings.HasPrefix(err.Error(), want) {
					t.Errorf("%s: the error is\n%v\nwant\n%s", way, err, want)
				}
			}
		})
	}
}

// Each thing that can be wrong with a training state is an error of State; the model is usable all the same.
func TestHostileStates(t *testing.T) {
	b := readFile(t, "testdata/v1.linnet")
	const s = "linnet.state"
	for _, c := range []struct {
		name   string
		change func(p *parts)
		want   string
	}{
		{"no JSON", func(p *parts) { p.metadata[s] = "[]" }, `plan: the training state: there is no object`},
		{"unknown member", func(p *parts) { p.replace(t, s, `"epoch"`, `"epock"`) }, `plan: the training state: the member "epock" is not known`},
		{"other case", func(p *parts) { p.replace(t, s, `"rate"`, `"RATE"`) }, `plan: the training state: groups: 0: the member "RATE" is not known`},
		{"member twice", func(p *parts) { p.replace(t, s, `"rate":`, `"rate":1,"rate":`) }, `plan: the training state: groups: 0: the member "rate" is there twice`},
		{"version", func(p *parts) { p.replace(t, s, `"version":1`, `"version":2`) }, `the training state has version 2; this version of linnet reads 1`},
		{"epoch", func(p *parts) { p.replace(t, s, `"epoch":2`, `"epoch":-2`) }, `the training state has the epoch -2, which is not from 0 to 1073741823`},
		{"step", func(p *parts) { p.replace(t, s, `"step":6`, `"step":-6`) }, `the training state of optimizer 0: step -6`},
		{"rate", func(p *parts) { p.replace(t, s, `"rate":0.001`, `"rate":-1`) }, `the training state of optimizer 0: a learning rate of -1`},
		{"odd place", func(p *parts) { p.replace(t, s, `"odd":{"strange":{"0"`, `"odd":{"strange":{"2"`) }, `plan: the training state: the history of "strange" has no value "2"`},
		{"odd number", func(p *parts) { p.replace(t, s, `"fff0000000000000"`, `"x"`) }, `plan: the training state: "x" is no number`},
		{"slots", func(p *parts) { p.replace(t, s, `"dense/kernel":3`, `"dense/kernel":4`) }, `plan: the training state has 3 slots of "dense/kernel" in place of 4`},
		{"missing slot", func(p *parts) { p.remove(t, "linnet.state:slot1/dense/kernel") }, `plan: the training state lacks a slot of "dense/kernel"`},
		{"missing rows", func(p *parts) { p.remove(t, "linnet.state:rows/dense/bias") }, `plan: the training state lacks the rows or a slot of "dense/bias"`},
		{"missing slot of rows", func(p *parts) { p.remove(t, "linnet.state:rowslot1/dense/bias") }, `plan: the training state lacks the rows or a slot of "dense/bias"`},
		{"too many slots", func(p *parts) { p.add("linnet.state:slot64/dense/kernel", safetensors.Float32Data{1}, 1) },
			`plan: the training state: asset "slot64/dense/kernel": the name is unknown`},
		{"unknown array", func(p *parts) { p.add("linnet.state:more/dense/kernel", safetensors.Float32Data{1}, 1) },
			`plan: the training state: asset "more/dense/kernel": the name is unknown`},
		{"array without a name", func(p *parts) { p.add("linnet.state:weights", safetensors.Float32Data{1}, 1) }, `plan: the training state: asset "weights": the name is unknown`},
		{"another callback", func(p *parts) { p.add("linnet.state:callback1/dense/kernel", safetensors.Float32Data{1}, 1) },
			`plan: the training state: asset "callback1/dense/kernel": the name is unknown`},
		{"rows of floats", func(p *parts) { p.at(t, "linnet.state:rows/dense/bias").Data = safetensors.Float32Data{} },
			`plan: the training state: asset "rows/dense/bias": rows are int32`},
		{"slots of integers", func(p *parts) {
			p.at(t, "linnet.state:slot0/dense/kernel").Data = safetensors.Int32Data(make([]int32, 12))
		},
			`plan: the training state: asset "slot0/dense/kernel": the values are float32`},
		{"slots of texts", func(p *parts) { p.add("linnet.state:slot5/x", safetensors.Uint8Data{1}, 1) },
			`tensor "linnet.state:slot5/x": it has texts, and there is no tensor "linnet.ends:linnet.state:slot5/x" that says where they end`},
		{"weights that are not finite", func(p *parts) {
			p.at(t, "linnet.state:weights/dense_1/bias").Data = safetensors.Float32Data{float32(math.Inf(1))}
		}, `the training state's weights of "dense_1/bias" have +Inf at element 0`},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := takeApart(t, b)
			c.change(p)
			f, err := model.FromBytes(t.Context(), p.bytes(t), model.LoadOptions{})
			must(t, err)
			defer f.Close()
			predictReviews(t, f.Model)
			_, err = f.State(t.Context())
			checkText(t, err, "model: bytes: "+c.want)
		})
	}
	p := takeApart(t, b)
	delete(p.metadata, s)
	p.entries = slices.DeleteFunc(p.entries, func(e safetensors.Entry) bool { return strings.HasPrefix(e.Name, "linnet.state:") })
	f, err := model.FromBytes(t.Context(), p.bytes(t), model.LoadOptions{})
	must(t, err)
	_, err = f.State(t.Context())
	checkText(t, err, "model: bytes: the file has no training state")
}

// What is no file, or no safetensors file, is an error at once.
func TestNoModelFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		must(t, os.WriteFile(path, b, 0o644))
		return path
	}
	for path, want := range map[string]string{
		write("empty", nil):               "%s: it is an empty file, not a model file of linnet",
		write("text", []byte("a model!")): `%s: it is a text, which begins with "a model!", not a model file of linnet`,
		dir:                               "%s is a folder",
		filepath.Join(dir, "missing"):     "stat %s: no such file or directory",
	} {
		_, err := model.Load(t.Context(), path, model.LoadOptions{})
		if err == nil || runtime.GOOS == "linux" && !strings.Contains(err.Error(), fmt.Sprintf(want, path)) {
			t.Errorf("%v, want %s", err, fmt.Sprintf(want, path))
		}
	}
}

// A file that is cut short at any byte, or has one byte more, is an error.
func TestEveryCut(t *testing.T) {
	for _, name := range []string{"testdata/v1.linnet", "testdata/v1-graph.linnet"} {
		b := readFile(t, name)
		for n := range len(b) {
			if _, err := model.FromBytes(t.Context(), b[:n:n], model.LoadOptions{Kinds: []plan.Spec{tabled{}}}); err == nil {
				t.Fatalf("%s cut to %d bytes is no error", name, n)
			}
			if n%7 == 0 {
				if _, err := model.Read(t.Context(), bytes.NewReader(b[:n]), int64(len(b)), model.LoadOptions{Kinds: []plan.Spec{tabled{}}}); err == nil {
					t.Fatalf("%s of which %d bytes can be read is no error", name, n)
				}
			}
		}
		if _, err := model.FromBytes(t.Context(), append(slices.Clone(b), 0), model.LoadOptions{Kinds: []plan.Spec{tabled{}}}); err == nil {
			t.Errorf("%s with a byte more is no error", name)
		}
	}
}

// openBounded opens a file within bounds of memory and time that depend on its size alone.
func openBounded(t testing.TB, b []byte) (*model.File, error) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := spent()
	f, err := model.FromBytes(t.Context(), b, model.LoadOptions{})
	took := spent() - start
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > uint64(300*len(b)+1<<20) {
		t.Errorf("a file of %d bytes made the process allocate %d", len(b), used)
	}
	if took > 10*time.Second+time.Duration(len(b))*time.Microsecond {
		t.Errorf("a file of %d bytes took %v", len(b), took)
	}
	if err != nil && len(err.Error()) > 4000 {
		t.Errorf("an error of %d bytes", len(err.Error()))
	}
	return f, err
}

// spec makes a file with a spec and no tensors.
func specFile(t testing.TB, model string) []byte {
	t.Helper()
	return (&parts{metadata: map[string]string{"linnet.format": "1", "linnet.model": model}}).bytes(t)
}

// Settings that ask for more than any memory has, graphs and specs of absurd size and assets without number cost in
// proportion to the file.
func TestAbsurdFiles(t *testing.T) {
	layer := func(spec string) string {
		return `{"spec":{"kind":"Sequential","Layers":[` + spec + `]},"input":{"type":"int32","dims":[4]}}`
	}
	dense := func(spec string) string {
		return `{"spec":{"kind":"Sequential","Layers":[` + spec + `]},"input":{"type":"float32","dims":[4]}}`
	}
	for name, text := range map[string]string{
		"units":        dense(`{"kind":"Dense","Units":1099511627776}`),
		"vocabulary":   layer(`{"kind":"Embedding","Vocabulary":1152921504606846976,"Dim":1}`),
		"both":         layer(`{"kind":"Embedding","Vocabulary":3037000500,"Dim":3037000500}`),
		"largest":      layer(`{"kind":"Embedding","Vocabulary":9223372036854775807,"Dim":9223372036854775807}`),
		"2 billion":    layer(`{"kind":"Embedding","Vocabulary":2147483647,"Dim":1}`),
		"filters":      `{"spec":{"kind":"Sequential","Layers":[{"kind":"Conv1D","Filters":2147483647,"KernelSize":2147483647}]},"input":{"type":"float32","dims":[-1,4]}}`,
		"heads":        `{"spec":{"kind":"Sequential","Layers":[{"kind":"LSTM","Units":2147483647}]},"input":{"type":"float32","dims":[4,4]}}`,
		"dims":         `{"spec":{"kind":"Sequential","Layers":[{"kind":"Flatten"}]},"input":{"type":"float32","dims":[4294967296,4294967296,4294967296]}}`,
		"flatten":      `{"spec":{"kind":"Sequential","Layers":[{"kind":"Flatten"},{"kind":"Dense","Units":2}]},"input":{"type":"float32","dims":[2147483647,2147483647]}}`,
		"deep":         layer(strings.Repeat(`{"kind":"TimeDistributed","Layer":`, 90) + `{"kind":"Dense","Units":1}` + strings.Repeat("}", 90)),
		"deeper":       layer(strings.Repeat(`{"kind":"TimeDistributed","Layer":`, 10000) + `{"kind":"Dense","Units":1}` + strings.Repeat("}", 10000)),
		"lists":        `{"spec":` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + `}`,
		"more lists":   `{"spec":` + strings.Repeat("[", 1000000) + strings.Repeat("]", 1000000) + `}`,
		"many members": `{"spec":{"kind":"Sequential"},"labels":{` + strings.TrimSuffix(numbered(100000, `"o%d":[],`), ",") + `}}`,
		"many errors":  `{"spec":{` + numbered(100000, `"o%d":[],`) + `"kind":"Sequential"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := openBounded(t, specFile(t, text)); err == nil {
				t.Error("no error")
			}
		})
	}
}

func numbered(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// A graph of 100,000 nodes opens in time in proportion to its size, whatever the order of its nodes, and so does one with
// that many inputs and outputs.
func TestLargeGraphs(t *testing.T) {
	n := 100000
	if testing.Short() {
		n = 10000
	}
	graph := func(inputs, nodes, outputs string) string {
		return `{"spec":{"kind":"Functional","Inputs":[` + strings.TrimSuffix(inputs, ",") + `],"Nodes":[` + strings.TrimSuffix(nodes, ",") + `],"Outputs":[` +
			strings.TrimSuffix(outputs, ",") + `]}}`
	}
	const input, output = `{"Name":"in","Input":{"Type":"float32","Dims":[1]}}`, `{"Name":"out","Ref":{"Node":%d}}`
	var forward, backward, wide strings.Builder
	for i := range n {
		fmt.Fprintf(&forward, `{"Layer":{"kind":"Flatten"},"Calls":[[{"Node":%d}]]},`, i-1)
		from := i + 1
		if from == n {
			from = -1
		}
		fmt.Fprintf(&backward, `{"Layer":{"kind":"Flatten"},"Calls":[[{"Node":%d}]]},`, from)
		fmt.Fprintf(&wide, `{"Layer":{"kind":"Flatten"},"Calls":[[{"Node":%d}]]},`, -1-i)
	}
	for name, c := range map[string]struct {
		text   string
		inputs int
	}{
		"forward":  {graph(input, forward.String(), fmt.Sprintf(output, n-1)), 1},
		"backward": {graph(input, backward.String(), fmt.Sprintf(output, 0)), 1},
		"wide": {graph(numbered(n, `{"Name":"in%d","Input":{"Type":"float32","Dims":[1]}},`), wide.String(),
			numbered(n, `{"Name":"out%d","Ref":{"Node":%[1]d}},`)), n},
		"calls": {graph(input, `{"Layer":{"kind":"Flatten"},"Calls":[`+strings.TrimSuffix(strings.Repeat(`[{"Node":-1}],`, n), ",")+`]}`, fmt.Sprintf(output, 0)), 1},
		"merge": {graph(input, `{"Layer":{"kind":"Add"},"Calls":[[`+strings.TrimSuffix(strings.Repeat(`{"Node":-1},`, n), ",")+`]]}`, fmt.Sprintf(output, 0)), 1},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := openBounded(t, specFile(t, c.text))
			must(t, err)
			if got := len(f.Model.InputNames()); got != c.inputs {
				t.Errorf("%d inputs", got)
			}
			must(t, f.Close())
		})
	}
	t.Run("many layers", func(t *testing.T) {
		f, err := openBounded(t, specFile(t, `{"spec":{"kind":"Sequential","Layers":[`+strings.TrimSuffix(strings.Repeat(`{"kind":"Flatten"},`, n), ",")+
			`]},"input":{"type":"float32","dims":[1]}}`))
		must(t, err)
		must(t, f.Close())
	})
}

// A model with thousands of tokenizers finds the words of each.
func TestManyAssets(t *testing.T) {
	const n = 5000
	p := &parts{metadata: map[string]string{"linnet.format": "1"}}
	var nodes, outputs strings.Builder
	for i := range n {
		fmt.Fprintf(&nodes, `{"Layer":{"kind":"TextEmbedding","Name":"e%d","Table":{"kind":"TokenTable","Words":{"kind":"HubTokenizer","value":{}},"By":"sum","Vectors":2,"Width":1}},"Calls":[[{"Node":-1}]]},`, i)
		fmt.Fprintf(&outputs, `{"Name":"o%d","Ref":{"Node":%[1]d}},`, i)
		asset := fmt.Sprintf("linnet.asset:Nodes[%d].Layer.Table.Words/words", i)
		p.add(asset, safetensors.Uint8Data("a"), 1)
		p.add("linnet.ends:"+asset, safetensors.Int32Data{1}, 1)
		p.add(fmt.Sprintf("e%d/embeddings", i), safetensors.Float32Data{float32(i), 1}, 2, 1)
	}
	p.metadata["linnet.model"] = `{"spec":{"kind":"Functional","Inputs":[{"Name":"in","Input":{"Type":"string"}}],"Nodes":[` + strings.TrimSuffix(nodes.String(), ",") +
		`],"Outputs":[` + strings.TrimSuffix(outputs.String(), ",") + `]}}`
	f, err := openBounded(t, p.bytes(t))
	must(t, err)
	for i, p := range f.Model.Parameters() {
		if p.Values()[0] != float32(i) {
			t.Fatalf("%s has %v", p.Name(), p.Values())
		}
	}
	must(t, f.Close())
}

// withNumbers gives a file in which one number of the header or of a document is another one, for each of them.
func withNumbers(b []byte, with func(file []byte)) {
	header := int(binary.LittleEndian.Uint64(b))
	text, data := b[8:8+header], b[8+header:]
	for i := 0; i < len(text); i++ {
		end := i
		for end < len(text) && text[end] >= '0' && text[end] <= '9' {
			end++
		}
		if end == i || i > 0 && (text[i-1] >= 'a' && text[i-1] <= 'z' || text[i-1] >= 'A' && text[i-1] <= 'Z') {
			i = max(i, end-1)
			continue
		}
		for k, n := range boundary.Numbers() {
			if (k+i)%2 == 0 { // every second one, the others at the next place, for the time that this takes
				continue
			}
			changed := fmt.Appendf(nil, "%s%d%s", text[:i], n, text[end:])
			file := binary.LittleEndian.AppendUint64(nil, uint64(len(changed)))
			with(append(append(file, changed...), data...))
		}
		i = end - 1
	}
}

// smallFile is a file with something of everything in few numbers.
func smallFile(t testing.TB) []byte {
	t.Helper()
	m, _ := textModel(t)
	var b bytes.Buffer
	must(t, model.Write(t.Context(), &b, m, model.SaveOptions{}))
	return b.Bytes()
}

// No number at the edge of an integer, at any place of a file, makes Load panic or take more memory than the file is worth.
func TestBoundaryNumbers(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	boundMemory(t)
	for _, b := range [][]byte{smallFile(t), readFile(t, "testdata/v1.linnet"), readFile(t, "testdata/v1-graph.linnet")} {
		n := 0
		withNumbers(b, func(file []byte) {
			n++
			use(t, file)
		})
		if n < 1000 {
			t.Errorf("only %d files", n)
		}
	}
}

// use opens a file in two ways and does with the model what a program would. Whatever is wrong with it is an error.
func use(t testing.TB, b []byte) {
	t.Helper()
	o := model.LoadOptions{Kinds: []plan.Spec{tabled{}}}
	before := allocated()
	f, err := model.FromBytes(t.Context(), b, o)
	if used := allocated() - before; used > uint64(300*len(b)+4<<20) {
		t.Fatalf("a file of %d bytes made FromBytes allocate %d", len(b), used)
	}
	g, err2 := model.Read(t.Context(), bytes.NewReader(b), int64(len(b)), o)
	if (err == nil) != (err2 == nil) {
		t.Fatalf("FromBytes: %v\nRead: %v", err, err2)
	}
	for _, err := range []error{err, err2} {
		if err != nil && len(err.Error()) > 4000 {
			t.Fatalf("an error of %d bytes", len(err.Error()))
		}
		noPanic(t, err)
	}
	if err != nil {
		return
	}
	for _, f := range []*model.File{f, g} {
		_, err := f.State(t.Context())
		noPanic(t, err)
		noPanic(t, predictOne(t, f.Model))
		must(t, f.Close())
	}
}
