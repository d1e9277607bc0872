package serve

import (
	"encoding/json"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/linnet-ml/linnet/internal/boundary"
)

// Whatever a body is, the answer is a success or the client's fault, and JSON; what is taken for a request is one for package json too.
func FuzzClassifyRequest(f *testing.F) {
	for _, s := range []string{
		`{"text":"a lovely film"}`, `{"texts":["a","b",""],"model":"several","scores":true,"explain":true,"class":"red"}`, `{"text":"\ud83d\ude00\u0000"}`,
		`{"text":"a","text":"b"}`, `{"texts":[`, `{`, ``, `[[[[`, "{\"text\":\"\xff\"}", `{"text":1e999}`, `{"text":"a"}x`, ` { "text" : "a" , "explain" : true } `,
	} {
		f.Add([]byte(s))
	}
	h := newHandler(f, Options{MaxTexts: 8, MaxText: 1000})
	f.Fuzz(func(t *testing.T, body []byte) {
		w := post(h, "/v1/classify", string(body))
		checkFuzzed(t, w, body)
		if w.Code == 200 {
			var q classifyRequest
			if p := q.parse(body, func(string, int) error { return nil }); p != nil {
				t.Fatal(p)
			}
			var same struct {
				Text  *string
				Texts []string
			}
			if err := json.Unmarshal(body, &same); err != nil {
				t.Fatal(err)
			}
			if same.Text != nil {
				same.Texts = []string{*same.Text}
			}
			if !slices.Equal(same.Texts, q.texts) {
				t.Fatalf("%q, and package json has %q", q.texts, same.Texts)
			}
		}
	})
}

// The same for the Open Inference Protocol, with a tensor of bytes after the JSON.
func FuzzInferRequest(f *testing.F) {
	for _, s := range []string{
		`{"inputs":[{"name":"text","datatype":"BYTES","shape":[1],"data":["a"]}]}`,
		`{"id":"a","parameters":{"binary_data_output":true},"inputs":[{"name":"text","datatype":"BYTES","shape":[2,1],"data":[["a"],["b"]]}],"outputs":[{"name":"label"},{"name":"given","parameters":{"binary_data":false}}]}`,
		`{"inputs":[{"name":"text","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":5}}]}`,
		`{"inputs":[{"name":"text","datatype":"BYTES","shape":[2147483647],"parameters":{"binary_data_size":2147483647}}]}`,
		`{"inputs":[]}`, `{"inputs":[{}]}`, `{`, ``,
	} {
		f.Add([]byte(s), []byte(""))
		f.Add([]byte(s), []byte("\x01\x00\x00\x00a"))
		f.Add([]byte(s), []byte("\xff\xff\xff\xff"))
	}
	for changed := range boundary.Decimals([]byte(`{"inputs":[{"name":"text","datatype":"BYTES","shape":[1,1],"parameters":{"binary_data_size":5}}]}`)) {
		f.Add(changed, []byte("\x01\x00\x00\x00a"))
	}
	for changed := range boundary.Words([]byte("\x01\x00\x00\x00a"), 4, 0) {
		f.Add([]byte(`{"inputs":[{"name":"text","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":5}}]}`), changed)
	}
	h := newHandler(f, Options{MaxTexts: 8, MaxText: 1000})
	f.Fuzz(func(t *testing.T, body, tail []byte) {
		w := post(h, "/v2/models/several/infer", string(body)+string(tail), headerLength, strconv.Itoa(len(body)))
		if n := w.Header().Get(headerLength); n != "" {
			k, err := strconv.Atoi(n)
			if err != nil || k > w.Body.Len() {
				t.Fatalf("%s of %d bytes: %v", n, w.Body.Len(), err)
			}
			w.Body.Truncate(k)
		}
		checkFuzzed(t, w, body)
	})
}

// Whatever a path is, it is found as it is or not at all.
func FuzzRoute(f *testing.F) {
	for _, s := range []string{"/", "/v2/models/a/versions/b/infer", "/v2/models/../ready", "/v1/classify", "//", "/v2/models/a/versions//infer", "/page.js\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		e, model, version := route(path)
		if (model != "" && !ValidName(model)) || (version != "" && !ValidName(version)) {
			t.Fatalf("%q: model %q, version %q", path, model, version)
		}
		if model != "" {
			want := "/v2/models/" + model
			if version != "" {
				want += "/versions/" + version
			}
			want += map[endpoint]string{modelReady: "/ready", modelInfer: "/infer"}[e]
			if path != want {
				t.Fatalf("%q is taken for %q", path, want)
			}
		}
	})
}

func checkFuzzed(t *testing.T, w *httptest.ResponseRecorder, body []byte) {
	t.Helper()
	if w.Code != 200 && w.Code/100 != 4 {
		t.Fatalf("%q: status %d: %s", body, w.Code, w.Body)
	}
	if !json.Valid(w.Body.Bytes()) || !utf8.Valid(w.Body.Bytes()) {
		t.Fatalf("%q: status %d, and no JSON: %q", body, w.Code, w.Body)
	}
	if w.Code != 200 && !strings.Contains(w.Body.String(), `"code":"`) {
		t.Fatalf("%q: no code: %s", body, w.Body)
	}
}
