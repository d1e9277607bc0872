package classifier

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/internal/boundary"
	"github.com/linnet-ml/linnet/internal/mapfile"
	"github.com/linnet-ml/linnet/internal/safetensors"
)

var update = flag.Bool("update", false, "write golden files")

// made is a classifier of one kind, without training.
func made(t testing.TB, columns int, multi bool, weighting string) *Classifier {
	t.Helper()
	p := Parts{Spec: Spec{Classes: []string{"a", "b", "c"}[:columns], MultiLabel: multi, WordMin: 1, WordMax: 2, CharMin: 2, CharMax: 3, Weighting: weighting}}
	if columns == 1 {
		p.Spec.Classes = []string{"neg", "pos"}
		p.Spec.MinConfidence = 0.5625
		p.Threshold = []float32{0.625}
	}
	scanner := Example{Text: "A good film, a bad film; good and bad. Ärger über Größe, 日本語!"}
	var hashes []uint64
	s := newScanner(p.Spec)
	hashes = append(hashes, s.Scan(scanner.Text)...)
	slices.Sort(hashes)
	hashes = slices.Compact(hashes)
	n := len(hashes)
	for i, h := range hashes {
		p.Hashes = append(p.Hashes, truncate(h, hashBits(n)))
		if weighting != "binary" {
			p.Inverse = append(p.Inverse, uint8(16+i%200))
		}
		for k := range columns {
			p.Weights = append(p.Weights, int8((i*37+k*11)%255-127))
		}
	}
	for k := range columns {
		p.Scale = append(p.Scale, 1.5+float32(k))
		p.Bias = append(p.Bias, 0.25-float32(k))
		p.Prior = append(p.Prior, float32(k)/8)
		if multi {
			p.Threshold = append(p.Threshold, 0.5-float32(k)/8)
		}
	}
	c, err := New(p)
	if err != nil {
		t.Fatal(err)
	}
	c.report = &Report{Rows: 7, Tried: []Trial{{Recipe: "r", Rows: 3, Accuracy: 0.5, Loss: 0.25}}, Best: Trial{Recipe: "r"}, Behind: 0.125, Features: n}
	return c
}

func kindsOf(t testing.TB) map[string]*Classifier {
	return map[string]*Classifier{
		"v1-two":     made(t, 1, false, "binary"),
		"v1-three":   made(t, 3, false, "tf-idf"),
		"v1-several": made(t, 2, true, "tf-idf"),
		"v1-network": withNetwork(t, 3),
	}
}

func written(t testing.TB, c *Classifier) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := c.Write(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var probes = []string{"", "a good film", "bad, bad and bad", "Ärger 日本語", "none of these", strings.Repeat("good bad film ", 300)}

// A file has the same classifier, which writes the same bytes.
func TestFile(t *testing.T) {
	ctx := context.Background()
	trained := train(t, sentences([]string{"a", "b", "c"}, 40))
	all := kindsOf(t)
	all["trained"] = trained
	all["nothing"] = train(t, []Example{{"", []string{"x"}}, {"", []string{"y"}}, {"", []string{"x"}}, {"", []string{"y"}}})
	for name, c := range all {
		path := filepath.Join(t.TempDir(), "c.linnet")
		if err := c.Save(ctx, path); err != nil {
			t.Fatal(err)
		}
		again, err := Load(ctx, path)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(c.parts.Hashes) > 0 && !reflect.DeepEqual(c.Parts(), again.Parts()) || !reflect.DeepEqual(c.Report(), again.Report()) {
			t.Errorf("%s: another classifier was read", name)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b, written(t, again)) {
			t.Errorf("%s: the same classifier gives other bytes", name)
		}
		for _, text := range probes {
			if !reflect.DeepEqual(c.Classify(text), again.Classify(text)) {
				t.Errorf("%s: %q: %+v and %+v", name, text, c.Classify(text), again.Classify(text))
			}
		}
	}
}

// Files of version 1 are read for ever, with the same results to the bit.
func TestGolden(t *testing.T) {
	for name, c := range kindsOf(t) {
		file, results := filepath.Join("testdata", name+".linnet"), filepath.Join("testdata", name+".json")
		if *update {
			var all []Result
			for _, text := range probes {
				all = append(all, c.Classify(text))
			}
			j, err := json.MarshalIndent(all, "", "\t")
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(file, written(t, c), 0o644), os.WriteFile(results, append(j, '\n'), 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		loaded, err := Load(context.Background(), file)
		if err != nil {
			t.Fatal(err)
		}
		j, err := os.ReadFile(results)
		if err != nil {
			t.Fatal(err)
		}
		var want []Result
		if err := json.Unmarshal(j, &want); err != nil {
			t.Fatal(err)
		}
		for i, text := range probes {
			want[i].Unknown = text == "" || text == "none of these" // which the oldest results do not say
			if got := loaded.Classify(text); !reflect.DeepEqual(got, want[i]) {
				t.Errorf("%s: %q: %+v, want %+v", name, text, got, want[i])
			}
		}
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b, written(t, c)) {
			t.Errorf("%s: another file is written now", name)
		}
	}
}

// model/FORMAT.md names every member and tensor.
func TestFormatPage(t *testing.T) {
	b, err := os.ReadFile("../model/FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	_, page, _ := strings.Cut(string(b), "## `linnet.classifier`")
	page, _, _ = strings.Cut(page, "\n## ")
	names := []string{bucketsName, hashesName, inverseName, weightsName, scaleName, biasName, priorName, thresholdName, networkWordsName, networkSmallName, networkLargeName, networkScaleName, networkBiasName, networkOutputName, networkWithoutName, "kind", "report"}
	for i := range reflect.TypeFor[Spec]().NumField() {
		name, _, _ := strings.Cut(reflect.TypeFor[Spec]().Field(i).Tag.Get("json"), ",")
		names = append(names, name)
	}
	for _, name := range names {
		if !strings.Contains(page, "`"+name+"`") {
			t.Errorf("FORMAT.md does not name %q", name)
		}
	}
}

// change writes a file with a changed header or changed tensors.
func change(t testing.TB, c *Classifier, edit func(metadata map[string]string, entries map[string]*safetensors.Entry)) []byte {
	t.Helper()
	metadata, list, err := c.encode(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	entries := map[string]*safetensors.Entry{}
	for i := range list {
		entries[list[i].Name] = &list[i]
	}
	edit(metadata, entries)
	list = list[:0:0]
	for _, e := range entries {
		list = append(list, *e)
	}
	var b bytes.Buffer
	if err := safetensors.Write(context.Background(), &b, metadata, list, safetensors.Aligned); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Whatever is wrong with a file is an error that says what.
func TestHostileFile(t *testing.T) {
	type (
		header = map[string]string
		data   = map[string]*safetensors.Entry
	)
	inf := float32(math.Inf(1))
	member := func(name, value string) func(header, data) {
		return func(m header, _ data) {
			var all map[string]json.RawMessage
			if err := json.Unmarshal([]byte(m[classifierKey]), &all); err != nil {
				t.Fatal(err)
			}
			all[name] = json.RawMessage(value)
			b, err := json.Marshal(all)
			if err != nil {
				t.Fatal(err)
			}
			m[classifierKey] = string(b)
		}
	}
	floats := func(name string, v ...float32) func(header, data) {
		return func(_ header, d data) { d[name].Data = safetensors.Float32Data(v) }
	}
	for _, v := range []struct {
		name, want string
		edit       func(header, data)
	}{
		{"no format", `without "linnet.format"`, func(m header, _ data) { delete(m, formatKey) }},
		{"later version", "needs a newer linnet", func(m header, _ data) { m[formatKey] = "2" }},
		{"no version", "not a version", func(m header, _ data) { m[formatKey] = "01" }},
		{"unknown key", "none that this linnet knows", func(m header, _ data) { m["linnet.x"] = "" }},
		{"model", "model.Load opens it", func(m header, _ data) { delete(m, classifierKey); m[modelKey] = "{}" }},
		{"model with a history", "it is a model of a network, not a classifier: model.Load opens it, and linnet inspect, plot and quantize take it", func(m header, _ data) {
			delete(m, classifierKey)
			m[modelKey], m["linnet.history"], m["linnet.state"] = "{}", "{}", "{}"
		}},
		{"both", "has both", func(m header, _ data) { m[modelKey] = "{}" }},
		{"nothing", "is missing", func(m header, _ data) { delete(m, classifierKey) }},
		{"no JSON", "linnet.classifier", func(m header, _ data) { m[classifierKey] = "{" }},
		{"more JSON", "more follows", func(m header, _ data) { m[classifierKey] += "{}" }},
		{"unknown member", `the member "x" is not known`, member("x", "1")},
		{"other case", `the member "CLASSES" is not known`, member("CLASSES", `["a","b"]`)},
		{"member twice", "twice", func(m header, _ data) {
			m[classifierKey] = `{"classes":["a","b"],` + m[classifierKey][1:]
		}},
		{"report twice", "twice", member("report", `{"rows":1,"rows":2}`)},
		{"text in the report", "report: rows", member("report", `{"rows":"many"}`)},
		{"no name", "no name", member("classes", `["","b"]`)},
		{"kind", "none that this linnet knows", member("kind", `"x"`)},
		{"classes not in order", "does not come before", member("classes", `["b","a"]`)},
		{"class twice", "does not come before", member("classes", `["a","a"]`)},
		{"no classes", "0 classes", member("classes", `[]`)},
		{"long n-grams", "n-grams", member("word_max", "9")},
		{"huge n-grams", "n-grams", member("word_max", "2147483647")},
		{"weighting", "weighting", member("weighting", `"x"`)},
		{"confidence", "confidence", member("min_confidence", "1.5")},
		{"few bits", "bits", member("hash_bits", "9")},
		{"negative bits", "bits", member("hash_bits", "-1")},
		{"more bits", "bits", member("hash_bits", "64")},
		{"usual bits", "bits", member("hash_bits", "28")},
		{"lengths", "lengths", member("lengths", "[1]")},
		{"another power", "spread_power 0.3", member("spread_power", "0.3")},
		{"a power without a spread", "spread", member("spread_power", "0.5")},
		{"a spread of two classes", "three classes", func(m header, d data) { member("spread", "2")(m, d); member("spread_power", "0.75")(m, d) }},
		{"a negative spread", "spread -1", member("spread", "-1")},
		{"lengths not in order", "lengths[1]", member("lengths", "[1,0.5,1,1,1,1,1,1,1,1,1,1,1,1,1,1]")},
		{"three classes", "shape", member("classes", `["a","b","c"]`)},
		{"tf-idf", "inverse", member("weighting", `"tf-idf"`)},
		{"no weights", "weights", func(_ header, d data) { delete(d, weightsName) }},
		{"another tensor", "does not belong", func(_ header, d data) {
			d["x"] = &safetensors.Entry{Name: "x", Shape: []int{1}, Data: safetensors.Uint8Data{1}}
		}},
		{"type of hashes", "hashes", func(_ header, d data) {
			d[hashesName].Data = safetensors.Int8Data(make([]int8, 3*d[hashesName].Shape[0]))
		}},
		{"fewer hashes", "hashes", func(_ header, d data) {
			d[hashesName].Shape = []int{1, 3}
			d[hashesName].Data = safetensors.Uint8Data{1, 2, 3}
		}},
		{"hashes not in order", "not above", func(_ header, d data) {
			x := d[hashesName].Data.(safetensors.Uint8Data)
			x[2], x[5] = 255, 0
		}},
		{"hash twice", "not above", func(_ header, d data) {
			x := d[hashesName].Data.(safetensors.Uint8Data)
			copy(x[3:6], x[:3])
		}},
		{"bucket too large", "more n-grams", func(_ header, d data) { d[bucketsName].Data.(safetensors.Uint8Data)[0] = 255 }},
		{"bucket too small", "n-grams", func(_ header, d data) { d[bucketsName].Data.(safetensors.Uint8Data)[0] = 0 }},
		{"infinite scale", "scale[0]", floats(scaleName, inf)},
		{"negative scale", "scale[0]", floats(scaleName, -1)},
		{"bias", "bias[0]", floats(biasName, float32(math.NaN()))},
		{"prior", "prior[0]", floats(priorName, -inf)},
		{"threshold", "threshold[0]", floats(thresholdName, 1.25)},
	} {
		b := change(t, made(t, 1, false, "binary"), v.edit)
		if c, err := FromBytes(context.Background(), b); err == nil {
			t.Errorf("%s: no error: %+v", v.name, c.parts.Spec)
		} else if !strings.HasPrefix(err.Error(), "classifier: bytes: ") || !strings.Contains(err.Error(), v.want) {
			t.Errorf("%s: error %q, want %q in it", v.name, err, v.want)
		}
	}
	b := change(t, made(t, 3, false, "tf-idf"), func(_ map[string]string, d map[string]*safetensors.Entry) {
		d[inverseName].Data.(safetensors.Uint8Data)[3] = 0
	})
	if _, err := FromBytes(context.Background(), b); err == nil || !strings.Contains(err.Error(), "inverse[3] is 0") {
		t.Errorf("an inverse frequency of 0: error %v", err)
	}
	whole := written(t, made(t, 3, false, "tf-idf"))
	for n := range len(whole) {
		if _, err := FromBytes(context.Background(), whole[:n]); err == nil {
			t.Fatalf("a file cut after %d bytes of %d is read", n, len(whole))
		}
	}
}

// What a newer linnet says more in the report, for people to read, does not keep an older one from using the file.
func TestNewerReport(t *testing.T) {
	c := made(t, 1, false, "binary")
	for _, report := range []string{`{"rows":7,"novelty":{"a":[1,2,{"b":null}]},"best":{"recipe":"r","sort":"x"}}`, "null"} {
		b := change(t, c, func(m map[string]string, _ map[string]*safetensors.Entry) {
			var all map[string]json.RawMessage
			if err := json.Unmarshal([]byte(m[classifierKey]), &all); err != nil {
				t.Fatal(err)
			}
			all["report"] = json.RawMessage(report)
			text, err := json.Marshal(all)
			if err != nil {
				t.Fatal(err)
			}
			m[classifierKey] = string(text)
		})
		again, err := FromBytes(t.Context(), b)
		if err != nil {
			t.Errorf("%s: %v", report, err)
			continue
		}
		if r := again.Report(); report == "null" && r != nil || report != "null" && (r.Rows != 7 || r.Best.Recipe != "r") {
			t.Errorf("%s: %+v", report, r)
		}
	}
}

// What is no plain file, and an interrupt, are errors; a file that could not be written leaves the old one.
func TestFileErrors(t *testing.T) {
	ctx := context.Background()
	c := made(t, 1, false, "binary")
	if _, err := Load(ctx, t.TempDir()); !errors.Is(err, mapfile.ErrNotRegular) {
		t.Errorf("a folder: %v", err)
	}
	if _, err := Load(ctx, filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	done, cancel := context.WithCancel(ctx)
	cancel()
	path := filepath.Join(t.TempDir(), "c")
	if err := c.Save(done, path); !errors.Is(err, context.Canceled) {
		t.Errorf("Save: %v", err)
	}
	if err := c.Write(done, &bytes.Buffer{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Write: %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after an interrupt: %v", err)
	}
	if err := c.Save(ctx, path); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(done, path); !errors.Is(err, context.Canceled) {
		t.Errorf("Load: %v", err)
	}
	if _, err := FromBytes(done, written(t, c)); !errors.Is(err, context.Canceled) {
		t.Errorf("FromBytes: %v", err)
	}
}

// FuzzFile changes bytes of a file: it is an error, or a classifier that labels texts and writes a file that it reads.
func FuzzFile(f *testing.F) {
	for _, c := range kindsOf(f) {
		b := written(f, c)
		f.Add(b, uint16(0), uint8(0), "good film")
		header := int(b[0]) | int(b[1])<<8
		for _, at := range []int{0, 1, 7, 8, 9, header, header + 8, header + 9, header + 100, len(b) - 1} {
			for _, v := range []uint8{0, 1, 0x7f, 0x80, 0xff} {
				f.Add(b, uint16(at), v, "bad\xff film 日本")
			}
		}
		head, data := b[8:8+header], b[8+header:]
		for changed := range boundary.Every(97, boundary.Decimals(head)) {
			changed = slices.Concat(binary.LittleEndian.AppendUint64(nil, uint64(len(changed))), changed, data)
			f.Add(changed, uint16(0), changed[0], "x")
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, at uint16, v uint8, text string) {
		b = slices.Clone(b)
		if int(at) < len(b) {
			b[at] = v
		}
		c, err := FromBytes(context.Background(), b)
		if err != nil {
			return
		}
		first := c.Classify(text)
		if _, err := c.Explain(text, ""); err != nil {
			t.Fatal(err)
		}
		again, err := FromBytes(context.Background(), written(t, c))
		if err != nil {
			t.Fatalf("what was read and written is not read: %v", err)
		}
		if second := again.Classify(text); !reflect.DeepEqual(first, second) {
			for _, s := range first.Scores {
				if s != s {
					return
				}
			}
			t.Fatalf("%+v and %+v", first, second)
		}
	})
}

// A label that is not UTF-8 would have another name in the file.
func TestLabelsAreUTF8(t *testing.T) {
	examples := append(sentences([]string{"a"}, 10), Example{"odd", []string{"\xff"}}, Example{"odd too", []string{"\xff"}})
	var bad *ExampleError
	if _, err := Train(t.Context(), examples, Options{}); !errors.As(err, &bad) || bad.Index != 10 {
		t.Errorf("Train: %v", err)
	}
	c := train(t, sentences([]string{"a", "b"}, 30))
	if _, err := c.Continue(t.Context(), examples, ContinueOptions{}); !errors.As(err, &bad) || bad.Index != 10 {
		t.Errorf("Continue: %v", err)
	}
	p := c.Parts()
	p.Spec.Classes = []string{"a", "\xff"}
	if _, err := New(p); err == nil {
		t.Error("New takes a class that is not UTF-8")
	}
}
