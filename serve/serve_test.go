package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/linnet-ml/linnet/classifier"
)

// The classifiers of the tests: two classes, three, and any number of labels a text.
var (
	two     = sync.OnceValue(func() *classifier.Classifier { return train("positive lovely great; negative dull awful") })
	turned  = sync.OnceValue(func() *classifier.Classifier { return train("negative lovely great; positive dull awful") })
	three   = sync.OnceValue(func() *classifier.Classifier { return train("bad dull; good lovely; odd \"<strange>\"") })
	several = sync.OnceValue(func() *classifier.Classifier {
		var list []classifier.Example
		for range 10 {
			list = append(list, classifier.Example{Text: "red", Labels: []string{"red"}}, classifier.Example{Text: "blue", Labels: []string{"blue"}},
				classifier.Example{Text: "red and blue", Labels: []string{"blue", "red"}}, classifier.Example{Text: "grey"})
		}
		c, err := classifier.Train(context.Background(), list, classifier.Options{})
		if err != nil {
			panic(err)
		}
		return c
	})
)

// train learns classes from the words after them.
func train(classes string) *classifier.Classifier {
	var list []classifier.Example
	for c := range strings.SplitSeq(classes, ";") {
		words := strings.Fields(c)
		for _, thing := range strings.Fields("film book song play show opera novel poem tale dance") {
			for _, word := range words[1:] {
				list = append(list, classifier.Example{Text: "a " + word + " " + thing, Labels: words[:1]})
			}
		}
	}
	c, err := classifier.Train(context.Background(), list, classifier.Options{})
	if err != nil {
		panic(err)
	}
	return c
}

// models are all of them, the first of which answers requests that name none.
func models() []Model {
	return []Model{{"two", "v1", two()}, {"three", "", three()}, {"several", "", several()}}
}

func newHandler(tb testing.TB, o Options) *Handler {
	tb.Helper()
	h, err := New(models(), o)
	if err != nil {
		tb.Fatal(err)
	}
	return h
}

// post sends a body and returns the answer.
func post(h http.Handler, path, body string, headers ...string) *httptest.ResponseRecorder {
	return send(h, "POST", path, body, headers...)
}

func send(h http.Handler, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func decode[T any](tb testing.TB, w *httptest.ResponseRecorder) (v T) {
	tb.Helper()
	if w.Code != http.StatusOK {
		tb.Fatalf("status %d: %s", w.Code, w.Body)
	}
	d := json.NewDecoder(bytes.NewReader(w.Body.Bytes()))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		tb.Fatalf("%v: %s", err, w.Body)
	}
	return v
}

type answer struct {
	Model, Version string
	Results        []answer
	Label          string
	Probability    float32
	Labels         []string
	Scores         map[string]float32
	Explanation    *explanation
}

type explanation struct {
	Class       string
	Score, Base float32
	Approximate bool
	Tokens      []token
}

type token struct {
	Text         string
	Start, End   int
	Contribution float32
}

// What is answered is what the classifier says.
func TestClassify(t *testing.T) {
	h := newHandler(t, Options{})
	texts := []string{"a lovely film", "a dull play", "", "a lovely “☃” \"dull\" \\ film\x00\n", "red", "red and blue", "grey", "a \"<strange>\" tale"}
	for _, m := range models() {
		classes := m.Classifier.Classes()
		version := m.Version
		if version == "" {
			version = "1"
		}
		want := func(text string, scores, explain bool, class string) answer {
			r := m.Classifier.Classify(text)
			a := answer{Label: r.Label, Probability: r.Probability}
			if m.Name == "several" {
				a.Labels = append([]string{}, r.Labels...)
			}
			if scores {
				a.Scores = map[string]float32{}
				for k, c := range classes {
					a.Scores[c] = r.Scores[k]
				}
			}
			if explain {
				e, err := m.Classifier.Explain(text, class)
				if err != nil {
					t.Fatal(err)
				}
				a.Explanation = &explanation{e.Class, e.Logit, e.Base, e.Approximate, []token{}}
				for _, k := range e.Tokens {
					a.Explanation.Tokens = append(a.Explanation.Tokens, token{text[k.Start:k.End], k.Start, k.End, k.Contribution})
				}
			}
			return a
		}
		for _, v := range []struct {
			scores, explain bool
			class           string
		}{{false, false, ""}, {true, false, ""}, {false, true, ""}, {true, true, classes[0]}} {
			request := map[string]any{"model": m.Name, "scores": v.scores, "explain": v.explain}
			if v.class != "" {
				request["class"] = v.class
			}
			batch := answer{Model: m.Name, Version: version, Results: []answer{}}
			for _, text := range texts {
				request["text"] = text
				body, _ := json.Marshal(request)
				a := want(text, v.scores, v.explain, v.class)
				batch.Results = append(batch.Results, a)
				a.Model, a.Version = m.Name, version
				if d := cmp.Diff(a, decode[answer](t, post(h, "/v1/classify", string(body)))); d != "" {
					t.Errorf("%s: %s", body, d)
				}
			}
			delete(request, "text")
			request["texts"] = texts
			body, _ := json.Marshal(request)
			if d := cmp.Diff(batch, decode[answer](t, post(h, "/v1/classify", string(body)))); d != "" {
				t.Errorf("%s: %s", body, d)
			}
		}
	}
	if a := decode[answer](t, post(h, "/v1/classify", `{"text":"a lovely film"}`)); a.Model != "two" || a.Version != "v1" || a.Label != "positive" {
		t.Errorf("without a model: %+v", a)
	}
	if got, want := post(h, "/v1/classify", `{"texts":[]}`).Body.String(), `{"model":"two","version":"v1","results":[]}`+"\n"; got != want {
		t.Errorf("no texts: %s", got)
	}
}

// A long answer comes in parts and whole.
func TestLongAnswer(t *testing.T) {
	h := newHandler(t, Options{MaxTexts: 5000})
	body, _ := json.Marshal(map[string]any{"texts": slices.Repeat([]string{"a lovely film", "a dull film"}, 2000), "scores": true})
	w := post(h, "/v1/classify", string(body))
	if w.Body.Len() < 3*flushBytes {
		t.Fatalf("%d bytes are no long answer", w.Body.Len())
	}
	a := decode[answer](t, w)
	if len(a.Results) != 4000 {
		t.Fatalf("%d results", len(a.Results))
	}
	for i, r := range a.Results {
		if want := []string{"positive", "negative"}[i%2]; r.Label != want || r.Scores[want] != r.Probability {
			t.Fatalf("%d: %+v", i, r)
		}
	}
}

// Each mistake of a client has its status, its code and a hint.
func TestProblems(t *testing.T) {
	h := newHandler(t, Options{MaxBody: 1000, MaxTexts: 3, MaxText: 20, MaxExplained: 30, APIKeys: []string{"one", "two"}})
	for _, v := range []struct {
		method, path, body string
		status             int
		code               string
	}{
		{"POST", "/v1/classify", `{"text":"a"}`, 200, ""},
		{"POST", "/v1/classify", ``, 400, "malformed"},
		{"POST", "/v1/classify", `{`, 400, "malformed"},
		{"POST", "/v1/classify", `[]`, 400, "malformed"},
		{"POST", "/v1/classify", `null`, 400, "malformed"},
		{"POST", "/v1/classify", `{}`, 400, "malformed"},
		{"POST", "/v1/classify", `{"text":"a"} {}`, 400, "malformed"},
		{"POST", "/v1/classify", `{"text":1}`, 400, "malformed"},
		{"POST", "/v1/classify", `{"text":null}`, 400, "malformed"},
		{"POST", "/v1/classify", `{"text":"a","text":"b"}`, 400, "malformed"},
		{"POST", "/v1/classify", `{"text":"a","\u0074ext":"b"}`, 400, "malformed"},
		{"POST", "/v1/classify", `{"Text":"a"}`, 400, "malformed"},
		{"POST", "/v1/classify", `{"text":"a","texts":["b"]}`, 400, "malformed"},
		{"POST", "/v1/classify", `{"texts":["b"],"text":"a"}`, 400, "malformed"},
		{"POST", "/v1/classify", `{"texts":"b"}`, 400, "malformed"},
		{"POST", "/v1/classify", `{"texts":["a",["b"]]}`, 400, "malformed"},
		{"POST", "/v1/classify", `{"texts":["a",]}`, 400, "malformed"},
		{"POST", "/v1/classify", `{"text":"a","scores":1}`, 400, "malformed"},
		{"POST", "/v1/classify", `{"text":"a","scores":"true"}`, 400, "malformed"},
		{"POST", "/v1/classify", `{"text":"a","model":""}`, 400, "malformed"},
		{"POST", "/v1/classify", `{"text":"a","class":"positive"}`, 400, "malformed"},
		{"POST", "/v1/classify", `{"text":"a","more":1}`, 400, "malformed"},
		{"POST", "/v1/classify", "{\"text\":\"\xff\"}", 400, "malformed"},
		{"POST", "/v1/classify", `{"text":"\ud800"}`, 400, "malformed"},
		{"POST", "/v1/classify", `{"text":"a","explain":true,"class":"neutral"}`, 400, "no_such_class"},
		{"POST", "/v1/classify", `{"text":"a","model":"four"}`, 404, "no_such_model"},
		{"POST", "/v1/classify", `{"text":"aaaaaaaaaaaaaaaaaaaaa"}`, 413, "text_too_long"},
		{"POST", "/v1/classify", `{"texts":["a","a","a","a"]}`, 413, "too_many_texts"},
		{"POST", "/v1/classify", `{"texts":["aaaaaaaaaaaaaaaa","aaaaaaaaaaaaaaaaaaa"],"explain":true}`, 413, "explained_too_long"},
		{"POST", "/v1/classify", strings.Repeat(" ", 1001), 413, "body_too_large"},
		{"GET", "/v1/classify", ``, 405, "method"},
		{"POST", "/v1/models", ``, 405, "method"},
		{"POST", "/v2/health/live", ``, 405, "method"},
		{"DELETE", "/v2/models/two", ``, 405, "method"},
		{"GET", "/v2/models/two/infer", ``, 405, "method"},
		{"GET", "/v1", ``, 404, "no_such_path"},
		{"GET", "/v1/classify/", ``, 404, "no_such_path"},
		{"GET", "/../etc/passwd", ``, 404, "no_such_path"},
		{"GET", "/page/../page.js", ``, 404, "no_such_path"},
		{"GET", "//v2", ``, 404, "no_such_path"},
		{"GET", "/v2/", ``, 404, "no_such_path"},
		{"GET", "/v2/models", ``, 404, "no_such_path"},
		{"GET", "/v2/models/", ``, 404, "no_such_path"},
		{"GET", "/v2/models/two/", ``, 404, "no_such_path"},
		{"GET", "/v2/models/two/versions", ``, 404, "no_such_path"},
		{"GET", "/v2/models/two/versions/", ``, 404, "no_such_path"},
		{"GET", "/v2/models/two/versions/v1/", ``, 404, "no_such_path"},
		{"GET", "/v2/models/two/versions/v1/explain", ``, 404, "no_such_path"},
		{"GET", "/v2/models/%2e%2e/ready", ``, 404, "no_such_path"},
		{"GET", "/v2/models/four", ``, 404, "no_such_model"},
		{"GET", "/v2/models/four/ready", ``, 404, "no_such_model"},
		{"POST", "/v2/models/four/infer", `{}`, 404, "no_such_model"},
		{"GET", "/v2/models/two/versions/v2", ``, 404, "no_such_version"},
		{"POST", "/v2/models/two/versions/v2/infer", `{}`, 404, "no_such_version"},
	} {
		w := send(h, v.method, v.path, v.body, "X-API-Key", "two")
		check(t, v.method+" "+v.path+" "+v.body, w, v.status, v.code)
		if w.Code == 405 && w.Header().Get("Allow") == "" {
			t.Errorf("%s %s: no Allow", v.method, v.path)
		}
	}
	for _, v := range []struct {
		headers []string
		status  int
		code    string
	}{
		{nil, 401, "no_key"},
		{[]string{"X-API-Key", "three"}, 401, "wrong_key"},
		{[]string{"X-API-Key", ""}, 401, "wrong_key"},
		{[]string{"X-API-Key", "on"}, 401, "wrong_key"},
		{[]string{"X-API-Key", "one", "X-API-Key", "one"}, 401, "no_key"},
		{[]string{"Authorization", "one"}, 401, "no_key"},
		{[]string{"Authorization", "Basic one"}, 401, "no_key"},
		{[]string{"Authorization", "Bearer one", "X-API-Key", "one"}, 401, "no_key"},
		{[]string{"Authorization", "Basic x", "X-API-Key", "one"}, 200, ""},
		{[]string{"Authorization", "Basic x", "X-API-Key", "three"}, 401, "wrong_key"},
		{[]string{"Authorization", "Basic x", "Authorization", "Bearer one"}, 200, ""},
		{[]string{"Authorization", "Bearer one", "Authorization", "Bearer one"}, 401, "no_key"},
		{[]string{"Authorization", "Bearer one"}, 200, ""},
		{[]string{"Authorization", "bearer two"}, 200, ""},
		{[]string{"X-API-Key", "one"}, 200, ""},
		{[]string{"X-API-Key", "one", "Content-Type", "application/json; charset=UTF-8"}, 200, ""},
		{[]string{"X-API-Key", "one", "Content-Type", "application/json; charset=latin1"}, 415, "content_type"},
		{[]string{"X-API-Key", "one", "Content-Type", "text/plain"}, 415, "content_type"},
		{[]string{"X-API-Key", "one", "Content-Type", "application/json", "Content-Type", "text/plain"}, 415, "content_type"},
		{[]string{"X-API-Key", "one", "Content-Encoding", "gzip"}, 415, "encoding"},
		{[]string{"X-API-Key", "one", "Content-Encoding", "identity"}, 200, ""},
	} {
		w := post(h, "/v1/classify", `{"text":"a"}`, v.headers...)
		check(t, fmt.Sprint(v.headers), w, v.status, v.code)
		if w.Code == 401 && w.Header().Get("WWW-Authenticate") == "" {
			t.Errorf("%v: no WWW-Authenticate", v.headers)
		}
	}
	for path, status := range map[string]int{"/": 200, "/openapi.json": 200, "/v2/health/live": 200, "/v2/health/ready": 200, "/metrics": 401, "/v1/models": 401, "/v2": 401, "/v2/models/two": 401, "/v2/models/two/ready": 401} {
		if w := send(h, "GET", path, ""); w.Code != status {
			t.Errorf("%s without a key: %d", path, w.Code)
		}
	}
}

// check checks an answer's status and, if that is no success, its body.
func check(tb testing.TB, what string, w *httptest.ResponseRecorder, status int, code string) {
	tb.Helper()
	if len(what) > 200 {
		what = what[:200]
	}
	if w.Code != status {
		tb.Errorf("%s: status %d, want %d: %.300s", what, w.Code, status, w.Body)
		return
	}
	if status == 200 {
		return
	}
	var p struct{ Error, Code, Hint string }
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Code != code || p.Error == "" || p.Hint == "" {
		tb.Errorf("%s: %s, want code %s: %v", what, w.Body, code, err)
	}
}

func TestNewErrors(t *testing.T) {
	good := models()[0]
	for want, v := range map[string]struct {
		models []Model
		o      Options
	}{
		"there is no classifier":              {},
		"two classifiers have the name two":   {models: []Model{good, good}},
		"is no name":                          {models: []Model{{"a/b", "", two()}}},
		"is no version":                       {models: []Model{{"a", "..", two()}}},
		"the classifier a is nil or empty":    {models: []Model{{Name: "a"}}},
		"the classifier b is nil or empty":    {models: []Model{{Name: "b", Classifier: &classifier.Classifier{}}}},
		"MaxBody is negative":                 {models: []Model{good}, o: Options{MaxBody: -1}},
		"one of APIKeys is empty":             {models: []Model{good}, o: Options{APIKeys: []string{""}}},
		"a character that no header can have": {models: []Model{good}, o: Options{APIKeys: []string{"a b"}}},
	} {
		if _, err := New(v.models, v.o); err == nil || !strings.HasPrefix(err.Error(), "serve: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	h := newHandler(t, Options{})
	if err := h.Replace(Model{"four", "", two()}); err == nil {
		t.Error("a classifier that is not there was replaced")
	}
}

// Whether the Handler is ready concerns load balancers alone.
func TestReady(t *testing.T) {
	h := newHandler(t, Options{})
	for _, ready := range []bool{false, true} {
		h.SetReady(ready)
		want := map[bool]int{false: 503, true: 200}[ready]
		for path, status := range map[string]int{"/v2/health/live": 200, "/v2/health/ready": want, "/v2/models/two/ready": want} {
			if w := send(h, "GET", path, ""); w.Code != status {
				t.Errorf("ready %v: %s: %d", ready, path, w.Code)
			} else if status == 503 && w.Header().Get("Retry-After") == "" {
				t.Errorf("%s: no Retry-After", path)
			}
		}
		if w := post(h, "/v1/classify", `{"text":""}`); w.Code != 200 {
			t.Errorf("ready %v: status %d", ready, w.Code)
		}
	}
}

// Requests that come while a classifier is replaced are answered by one of the two, and by one alone.
func TestReplaceUnderLoad(t *testing.T) {
	h := newHandler(t, Options{})
	stop := make(chan struct{})
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				w := post(h, "/v1/classify", `{"texts":["a lovely film","a dull film","a lovely film"]}`)
				var a answer
				if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil || w.Code != 200 {
					t.Errorf("%d: %s", w.Code, w.Body)
					return
				}
				want := map[string][]string{"v1": {"positive", "negative", "positive"}, "v2": {"negative", "positive", "negative"}}[a.Version]
				for i, r := range a.Results {
					if r.Label != want[i] {
						t.Errorf("version %s: %s", a.Version, w.Body)
						return
					}
				}
			}
		})
	}
	for i := range 100 {
		m := []Model{{"two", "v2", turned()}, {"two", "v1", two()}}[i%2]
		if err := h.Replace(m); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	wait.Wait()
}

// No more requests are classified at once than may be, and the others hear when to come again.
func TestBusy(t *testing.T) {
	h := newHandler(t, Options{MaxConcurrent: 1})
	h.working.Add(1)
	for path, body := range map[string]string{"/v1/classify": `{"text":"a"}`, "/v2/models/two/infer": `{}`} {
		w := post(h, path, body)
		check(t, path, w, 429, "busy")
		if w.Header().Get("Retry-After") != "1" {
			t.Errorf("%s: Retry-After %q", path, w.Header().Get("Retry-After"))
		}
	}
	h.working.Add(-1)
	check(t, "after", post(h, "/v1/classify", `{"text":"a"}`), 200, "")

	h = newHandler(t, Options{MaxBody: 1 << 20, MaxBuffered: 1 << 20})
	body := `{"text":"` + strings.Repeat("a", 100_000) + `"}`
	h.buffered.Add(1 << 20)
	w := post(h, "/v1/classify", body)
	check(t, "large", w, 429, "buffers_full")
	check(t, "small", post(h, "/v1/classify", `{"text":"a"}`), 200, "")
	h.buffered.Add(-1 << 20)
	check(t, "large", post(h, "/v1/classify", body), 200, "")
	if n := h.buffered.Load(); n != 0 {
		t.Errorf("%d bytes are still counted", n)
	}
	if n := h.working.Load(); n != 0 {
		t.Errorf("%d requests are still counted", n)
	}
}

// A client that leaves stops the work. Nothing is answered: an empty answer would look like a success.
func TestGone(t *testing.T) {
	h := newHandler(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := httptest.NewRecorder()
	func() {
		defer func() {
			if v := recover(); v != http.ErrAbortHandler {
				t.Errorf("ServeHTTP ended with %v", v)
			}
		}()
		h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "POST", "/v1/classify", strings.NewReader(`{"texts":["a"]}`)))
	}()
	if w.Body.Len() > 0 {
		t.Errorf("answered %s", w.Body)
	}
	if got := readMetrics(t, h)[`linnet_requests_total{endpoint="classify",status="499"}`]; got != 1 {
		t.Errorf("%v requests have status 499", got)
	}
}

// A request that takes longer than somebody's middleware allows is answered: the client is still there.
func TestDeadline(t *testing.T) {
	h := newHandler(t, Options{})
	ctx, cancel := context.WithTimeout(t.Context(), -1)
	defer cancel()
	for path, body := range map[string]string{
		"/v1/classify":         `{"texts":["a"]}`,
		"/v2/models/two/infer": `{"inputs":[{"name":"text","datatype":"BYTES","shape":[1],"data":["a"]}]}`,
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "POST", path, strings.NewReader(body)))
		check(t, path, w, 503, "deadline")
		if w.Header().Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", path)
		}
	}
}

// A panic is an answer with status 500, and the log does not have the text.
func TestPanic(t *testing.T) {
	var log bytes.Buffer
	h := newHandler(t, Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	r := httptest.NewRequest("POST", "/v1/classify", panicReader{})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	check(t, "panic", w, 500, "internal")
	if !strings.Contains(log.String(), "panicReader") || strings.Contains(log.String(), "secret") {
		t.Errorf("the log has %s", log.String())
	}
	check(t, "after", post(h, "/v1/classify", `{"text":"a"}`), 200, "")
}

type panicReader struct{}

func (panicReader) Read([]byte) (int, error) { panic("secret text") }

// No text is in a log, not even at the level that logs every request.
func TestLog(t *testing.T) {
	var log bytes.Buffer
	h := newHandler(t, Options{Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	post(h, "/v1/classify", `{"text":"secret"}`)
	post(h, "/v1/classify", `{"text":"secret","secret":1}`)
	post(h, "/secret?secret", `{"text":"secret"}`)
	if got := strings.Count(log.String(), "msg=request"); got != 3 || strings.Contains(log.String(), "secret") {
		t.Errorf("%d requests are logged: %s", got, log.String())
	}
}

// Files of the page come with their type and a policy, and not again if the browser has them.
func TestAssets(t *testing.T) {
	h := newHandler(t, Options{})
	for _, path := range append(slices.Sorted(maps.Keys(h.page)), "/openapi.json") {
		w := send(h, "GET", path, "")
		if w.Code != 200 || w.Body.Len() == 0 || w.Header().Get("Content-Type") == "" || w.Header().Get("Content-Security-Policy") != contentPolicy {
			t.Errorf("%s: %d %v", path, w.Code, w.Header())
		}
		w = send(h, "GET", path, "", "If-None-Match", w.Header().Get("ETag"))
		if w.Code != 304 || w.Body.Len() > 0 {
			t.Errorf("%s again: %d", path, w.Code)
		}
	}
	h = newHandler(t, Options{NoPage: true})
	if w := send(h, "GET", "/", ""); w.Code != 404 {
		t.Errorf("no page: %d", w.Code)
	}
}

// The list of models tells the limits, so that a client can keep to them.
func TestLimits(t *testing.T) {
	h := newHandler(t, Options{MaxBody: 1000, MaxTexts: 3, MaxText: 20, MaxExplained: 30})
	list := decode[struct {
		Models []any
		Limits map[string]int
	}](t, send(h, "GET", "/v1/models", ""))
	if d := cmp.Diff(map[string]int{"max_body": 1000, "max_texts": 3, "max_text": 20, "max_explained": 30}, list.Limits); len(list.Models) != 3 || d != "" {
		t.Errorf("%d models, limits: %s", len(list.Models), d)
	}
}

// The server that Server returns sets every limit that net/http does not.
func TestServer(t *testing.T) {
	s := newHandler(t, Options{}).Server("127.0.0.1:0")
	if s.ReadHeaderTimeout <= 0 || s.ReadTimeout <= s.ReadHeaderTimeout || s.WriteTimeout <= 0 || s.IdleTimeout <= 0 || s.MaxHeaderBytes <= 0 {
		t.Errorf("%+v", s)
	}
}

// What clients cause is no warning, however often they do it.
func TestServerLog(t *testing.T) {
	var log bytes.Buffer
	s := newHandler(t, Options{Log: slog.New(slog.NewTextHandler(&log, nil))}).Server("")
	s.ErrorLog.Printf("http: TLS handshake error from %s: EOF", "192.0.2.1:1")
	if log.Len() > 0 {
		t.Errorf("logged %s", log.String())
	}
	s.ErrorLog.Printf("http: Accept error: too many open files; retrying in 5ms")
	if !strings.Contains(log.String(), "level=ERROR") || !strings.Contains(log.String(), "too many open files") {
		t.Errorf("logged %s", log.String())
	}
}

// Texts with every kind of character come back as JSON that says the same.
func TestAppendString(t *testing.T) {
	for _, s := range []string{"", "plain", "\"\\/\b\f\n\r\t\x00\x1f\x7f", "ä☃𝄞\u2028\u2029", "a\xffb\xc3", "\xed\xa0\x80", strings.Repeat("x\n", 100)} {
		b := appendString(nil, s)
		var got string
		if err := json.Unmarshal(b, &got); err != nil || got != string([]rune(s)) {
			t.Errorf("%q: %s: %v", s, b, err)
		}
	}
}
