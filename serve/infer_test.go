package serve

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type inferred struct {
	ModelName    string `json:"model_name"`
	ModelVersion string `json:"model_version"`
	ID           string
	Outputs      []tensor
}

type tensor struct {
	Name, Datatype string
	Shape          []int
	Data           any
	Parameters     map[string]any
}

// elements is a tensor of bytes.
func elements(texts ...string) string {
	var b []byte
	for _, s := range texts {
		b = append(binary.LittleEndian.AppendUint32(b, uint32(len(s))), s...)
	}
	return string(b)
}

// The protocol's answers, as JSON, are what the classifier says.
func TestInfer(t *testing.T) {
	h := newHandler(t, Options{})
	for _, m := range models() {
		texts := []string{"a lovely film", "red and blue", ""}
		var labels, probabilities, scores, classes, given []any
		for _, c := range m.Classifier.Classes() {
			classes = append(classes, c)
		}
		for _, text := range texts {
			r := m.Classifier.Classify(text)
			labels = append(labels, r.Label)
			probabilities = append(probabilities, float64(r.Probability))
			for k, p := range r.Scores {
				scores = append(scores, float64(p))
				is := false
				for _, l := range r.Labels {
					is = is || l == classes[k]
				}
				given = append(given, is)
			}
		}
		k := len(classes)
		all := []tensor{
			{"label", "BYTES", []int{3}, labels, nil}, {"probability", "FP32", []int{3}, probabilities, nil},
			{"scores", "FP32", []int{3, k}, scores, nil}, {"classes", "BYTES", []int{k}, classes, nil},
		}
		if m.Name == "several" {
			all = append(all, tensor{"given", "BOOL", []int{3, k}, given, nil})
		}
		version := "1"
		if m.Version != "" {
			version = m.Version
		}
		for _, v := range []struct {
			input, outputs string
			want           []tensor
		}{
			{`"shape":[3],"data":["a lovely film","red and blue",""]`, ``, all},
			{`"data":["a lovely film","red and blue",""],"shape":[3,1]`, `,"outputs":[]`, all},
			{`"shape":[3,1],"data":[["a lovely film"],["red and blue"],[""]],"parameters":{"a":1,"b":"c","d":true}`, `,"outputs":[{"name":"classes"},{"name":"label","parameters":{"binary_data":false}}]`, []tensor{all[3], all[0]}},
		} {
			body := `{"id":"a\"b","parameters":{"priority":1},"inputs":[{"name":"text","datatype":"BYTES",` + v.input + `}]` + v.outputs + `}`
			for _, path := range []string{"/v2/models/" + m.Name + "/infer", "/v2/models/" + m.Name + "/versions/" + version + "/infer"} {
				got := decode[inferred](t, post(h, path, body))
				rounded(got.Outputs)
				rounded(v.want)
				if d := cmp.Diff(inferred{m.Name, version, `a"b`, v.want}, got); d != "" {
					t.Errorf("%s: %s", body, d)
				}
			}
		}
	}
	got := decode[inferred](t, post(h, "/v2/models/two/infer", `{"inputs":[{"name":"text","datatype":"BYTES","shape":[0],"data":[]}]}`))
	if len(got.Outputs) != 4 || got.Outputs[0].Shape[0] != 0 {
		t.Errorf("no texts: %+v", got)
	}
}

// rounded makes numbers those that float32 has.
func rounded(list []tensor) {
	for _, o := range list {
		values, _ := o.Data.([]any)
		for i, v := range values {
			if f, ok := v.(float64); ok {
				values[i] = float64(float32(f))
			}
		}
	}
}

// Tensors as bytes, in requests and answers.
func TestInferBinary(t *testing.T) {
	h := newHandler(t, Options{})
	texts := []string{"red and blue", "", "a “blue”\x00 film"}
	tail := elements(texts...)
	want := map[string]string{}
	var labels []string
	for _, text := range texts {
		r := several().Classify(text)
		labels = append(labels, r.Label)
		want["probability"] += string(binary.LittleEndian.AppendUint32(nil, math.Float32bits(r.Probability)))
		for k, p := range r.Scores {
			want["scores"] += string(binary.LittleEndian.AppendUint32(nil, math.Float32bits(p)))
			is := "\x00"
			for _, l := range r.Labels {
				if l == several().Classes()[k] {
					is = "\x01"
				}
			}
			want["given"] += is
		}
	}
	want["label"], want["classes"] = elements(labels...), elements(several().Classes()...)
	for _, v := range []struct{ rest, names string }{
		{`,"parameters":{"binary_data_output":true}`, "label probability scores classes given"},
		{`,"outputs":[{"name":"given"},{"name":"label","parameters":{"binary_data":false}}],"parameters":{"binary_data_output":true}`, "given"},
		{`,"outputs":[{"name":"label","parameters":{"binary_data":true}},{"name":"scores"},{"name":"probability","parameters":{"binary_data":true}}]`, "label probability"},
		{``, ""},
	} {
		body := fmt.Sprintf(`{"inputs":[{"name":"text","datatype":"BYTES","shape":[3],"parameters":{"binary_data_size":%d}}]%s}`, len(tail), v.rest)
		w := post(h, "/v2/models/several/infer", body+tail, headerLength, strconv.Itoa(len(body)))
		n := w.Body.Len()
		if header := w.Header().Get(headerLength); header != "" {
			n, _ = strconv.Atoi(header)
		}
		if w.Code != 200 || (v.names == "") != (w.Header().Get("Content-Type") == "application/json") {
			t.Fatalf("%s: %d %v %s", body, w.Code, w.Header(), w.Body)
		}
		var got inferred
		if err := json.Unmarshal(w.Body.Bytes()[:n], &got); err != nil {
			t.Fatalf("%s: %v: %s", body, err, w.Body)
		}
		rest, names := w.Body.String()[n:], ""
		for _, o := range got.Outputs {
			size, ok := o.Parameters["binary_data_size"].(float64)
			if !ok {
				if o.Data == nil {
					t.Errorf("%s: the output %s has no data", body, o.Name)
				}
				continue
			}
			names += " " + o.Name
			if got := rest[:int(size)]; got != want[o.Name] {
				t.Errorf("%s: %s: %q, want %q", body, o.Name, got, want[o.Name])
			}
			rest = rest[int(size):]
		}
		if strings.TrimSpace(names) != v.names || rest != "" {
			t.Errorf("%s: %q as bytes, %d more", body, names, len(rest))
		}
	}
}

func TestInferProblems(t *testing.T) {
	h := newHandler(t, Options{MaxTexts: 3, MaxText: 20})
	input := func(s string) string { return `{"inputs":[{"name":"text","datatype":"BYTES",` + s + `}]}` }
	binaryInput := func(size string) string { return input(`"shape":[1],"parameters":{"binary_data_size":` + size + `}`) }
	good := input(`"shape":[1],"data":["a"]`)
	for _, v := range []struct {
		body, tail, length string // length as a header; "" for the right one if there is a tail
		status             int
		code               string
	}{
		{good, "", "", 200, ""},
		{binaryInput("5"), elements("a"), "", 200, ""},
		{``, "", "", 400, "malformed"},
		{`{}`, "", "", 400, "malformed"},
		{`{"inputs":[]}`, "", "", 400, "malformed"},
		{`{"inputs":{}}`, "", "", 400, "malformed"},
		{`{"inputs":[{}]}`, "", "", 400, "malformed"},
		{`{"inputs":[{"name":"text","datatype":"BYTES","shape":[1]}]}`, "", "", 400, "malformed"},
		{strings.Replace(good, `"text"`, `"other"`, 1), "", "", 400, "malformed"},
		{strings.Replace(good, `BYTES`, `FP32`, 1), "", "", 400, "malformed"},
		{strings.Replace(good, `[{`, `[{"name":"text","datatype":"BYTES","shape":[1],"data":["a"]},{`, 1), "", "", 400, "malformed"},
		{strings.Replace(good, `{"inputs"`, `{"more":1,"inputs"`, 1), "", "", 200, ""},
		{strings.Replace(good, `{"inputs"`, `{"more":1,"more":1,"inputs"`, 1), "", "", 400, "malformed"},
		{strings.Replace(good, `{"inputs"`, `{"more":[,],"inputs"`, 1), "", "", 400, "malformed"},
		{strings.Replace(good, `{"inputs"`, `{"id":nul,"inputs"`, 1), "", "", 400, "malformed"},
		{`{"inputs":null}`, "", "", 400, "malformed"},
		{input(`"shape":[1],"data":null`), "", "", 400, "malformed"},
		{input(`"shape":[1],"data":[null]`), "", "", 400, "malformed"},
		{strings.Replace(good, `{"inputs"`, `{"id":1,"inputs"`, 1), "", "", 400, "malformed"},
		{strings.Replace(good, `{"inputs"`, `{"parameters":{"a":{}},"inputs"`, 1), "", "", 400, "malformed"},
		{strings.Replace(good, `{"inputs"`, `{"parameters":{"a":1,"a":2},"inputs"`, 1), "", "", 400, "malformed"},
		{strings.Replace(good, `{"inputs"`, `{"outputs":[{"name":"label"},{"name":"label"}],"inputs"`, 1), "", "", 400, "malformed"},
		{strings.Replace(good, `{"inputs"`, `{"outputs":[{"name":"given"}],"inputs"`, 1), "", "", 400, "no_such_output"},
		{strings.Replace(good, `{"inputs"`, `{"outputs":[{}],"inputs"`, 1), "", "", 400, "no_such_output"},
		{strings.Replace(good, `{"inputs"`, `{"outputs":[{"name":"label","parameters":{"classification":2}}],"inputs"`, 1), "", "", 400, "malformed"},
		{input(`"shape":[2],"data":["a"]`), "", "", 400, "malformed"},
		{input(`"shape":[],"data":["a"]`), "", "", 400, "malformed"},
		{input(`"shape":[1,2],"data":["a"]`), "", "", 400, "malformed"},
		{input(`"shape":[1,1,1],"data":["a"]`), "", "", 400, "malformed"},
		{input(`"shape":[-1],"data":["a"]`), "", "", 400, "malformed"},
		{input(`"shape":[1.0],"data":["a"]`), "", "", 400, "malformed"},
		{input(`"shape":[1e0],"data":["a"]`), "", "", 400, "malformed"},
		{input(`"shape":[18446744073709551617],"data":["a"]`), "", "", 400, "malformed"},
		{input(`"shape":[` + strings.Repeat("9", 900) + `],"data":["a"]`), "", "", 400, "malformed"},
		{input(`"shape":[1],"data":[1]`), "", "", 400, "malformed"},
		{input(`"shape":[1],"data":[[["a"]]]`), "", "", 400, "malformed"},
		{input(`"shape":[1],"data":["a"],"parameters":{"binary_data_size":0}`), "", "", 400, "malformed"},
		{input(`"shape":[4],"data":["a","a","a","a"]`), "", "", 413, "too_many_texts"},
		{input(`"shape":[1],"data":["aaaaaaaaaaaaaaaaaaaaa"]`), "", "", 413, "text_too_long"},
		{binaryInput("5"), "", "", 400, "malformed"},
		{binaryInput("6"), elements("a"), "", 400, "malformed"},
		{binaryInput("4"), elements("a"), "", 400, "malformed"},
		{binaryInput("3"), "\x00\x00\x00", "", 400, "malformed"},
		{binaryInput("-5"), elements("a"), "", 400, "malformed"},
		{binaryInput("4"), "\xff\xff\xff\xff", "", 400, "malformed"},
		{binaryInput("5"), elements("\xff"), "", 400, "malformed"},
		{binaryInput("25"), elements("aaaaaaaaaaaaaaaaaaaaa"), "", 413, "text_too_long"},
		{good, elements("a"), "", 400, "malformed"},
		{good, "", "1000", 400, "malformed"},
		{good, "", "-1", 400, "malformed"},
		{good, "", "x", 400, "malformed"},
		{good, "", "5", 400, "malformed"},
	} {
		var headers []string
		if v.length != "" {
			headers = []string{headerLength, v.length}
		} else if v.tail != "" {
			headers = []string{headerLength, strconv.Itoa(len(v.body))}
		}
		check(t, v.body+v.tail, post(h, "/v2/models/two/infer", v.body+v.tail, headers...), v.status, v.code)
	}
}

// The bodies that clients made by others send are answered: those of tritonclient (http/_utils.py) and of KServe's Python client
// (protocol/infer_type.py), and Python's None where a client leaves something out.
func TestClientBodies(t *testing.T) {
	h := newHandler(t, Options{})
	tail := elements("a lovely film")
	for name, v := range map[string]struct {
		body, tail, contentType string
		binary                  bool
	}{
		"triton":             {`{"inputs":[{"name":"text","shape":[1],"datatype":"BYTES","parameters":{"binary_data_size":17}}],"parameters":{"binary_data_output":true}}`, tail, "", true},
		"triton, a sequence": {`{"id":"1","parameters":{"sequence_id":3,"sequence_start":true,"sequence_end":false,"priority":1,"timeout":5},"inputs":[{"name":"text","shape":[1,1],"datatype":"BYTES","parameters":{"binary_data_size":17}}],"outputs":[{"name":"label","parameters":{"binary_data":true}},{"name":"probability","parameters":{"binary_data":false}}]}`, tail, "", true},
		"triton, JSON":       {`{"inputs":[{"name":"text","shape":[1],"datatype":"BYTES","data":["a lovely film"]}],"outputs":[{"name":"label","parameters":{"binary_data":false}}]}`, "", "", false},
		"kserve":             {`{"id": "7d7f1ca6-2a4c-44f6-a4d2-f2d38b7c3aab", "model_name": "two", "inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": ["a lovely film"]}]}`, "", "application/json", false},
		"kserve, outputs":    {`{"id":"a","model_name":"two","inputs":[{"name":"text","shape":[1,1],"datatype":"BYTES","parameters":{},"data":[["a lovely film"]]}],"outputs":[{"name":"label"},{"name":"scores","parameters":{"binary_data":false}}],"parameters":{"binary_data_output":false}}`, "", "application/json", false},
		"kserve, binary":     {`{"id":"a","model_name":"two","inputs":[{"name":"text","shape":[1],"datatype":"BYTES","parameters":{"binary_data_size":17}}],"parameters":{"binary_data_output":true}}`, tail, "application/octet-stream", true},
		"None":               {`{"id":null,"model_version":null,"parameters":null,"inputs":[{"name":"text","shape":[1],"datatype":"BYTES","parameters":{"binary_data_size":null,"content_type":null},"data":["a lovely film"]}],"outputs":null}`, "", "", false},
		"None in an output":  {`{"inputs":[{"name":"text","shape":[1],"datatype":"BYTES","parameters":null,"data":["a lovely film"]}],"outputs":[{"name":"label","parameters":null}]}`, "", "", false},
		"None, binary":       {`{"inputs":[{"name":"text","shape":[1],"datatype":"BYTES","data":null,"parameters":{"binary_data_size":17}}]}`, tail, "", false},
	} {
		var headers []string
		if v.tail != "" {
			headers = append(headers, headerLength, strconv.Itoa(len(v.body)))
		}
		if v.contentType != "" {
			headers = append(headers, "Content-Type", v.contentType)
		}
		w := post(h, "/v2/models/two/infer", v.body+v.tail, headers...)
		if w.Code != 200 || !strings.Contains(w.Body.String(), "positive") || (w.Header().Get(headerLength) != "") != v.binary {
			t.Errorf("%s: status %d: %q", name, w.Code, w.Body)
		}
	}
}
