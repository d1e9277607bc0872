package serve

import (
	"bufio"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/classifier"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
)

// readMetrics returns the values of GET /metrics by name and labels.
func readMetrics(tb testing.TB, h *Handler) map[string]float64 {
	tb.Helper()
	w := send(h, "GET", "/metrics", "")
	if w.Code != 200 {
		tb.Fatalf("status %d", w.Code)
	}
	problems, err := promlint.New(strings.NewReader(w.Body.String())).Lint()
	if err != nil {
		tb.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "linnet_") {
			tb.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
	values := map[string]float64{}
	for s := bufio.NewScanner(w.Body); s.Scan(); {
		at := strings.LastIndexByte(s.Text(), ' ')
		if strings.HasPrefix(s.Text(), "#") || at < 0 {
			continue
		}
		var v float64
		if _, err := fmt.Sscan(s.Text()[at+1:], &v); err != nil {
			tb.Fatalf("%s: %v", s.Text(), err)
		}
		values[s.Text()[:at]] = v
	}
	return values
}

// Metrics count what happened, and Prometheus's parser and its rules accept them.
func TestMetrics(t *testing.T) {
	h := newHandler(t, Options{})
	post(h, "/v1/classify", `{"text":"secret lovely film"}`)
	post(h, "/v1/classify", `{"texts":["a lovely film","a dull play"]}`)
	post(h, "/v1/classify", `{"texts":["red and blue","grey"],"model":"several"}`)
	post(h, "/v1/classify", `{"text":"a","model":"secret"}`)
	post(h, "/v1/classify", `{"text":"a","secret":1}`)
	post(h, "/v2/models/two/infer", `{"inputs":[{"name":"text","datatype":"BYTES","shape":[1],"data":["a dull film"]}]}`)
	send(h, "GET", "/secret", "")
	if err := h.Replace(Model{"three", "v2", three()}); err != nil {
		t.Fatal(err)
	}
	h.models["three"].metrics.failed(true)
	got := readMetrics(t, h)
	for name, want := range map[string]float64{
		`linnet_requests_total{endpoint="classify",status="200"}`:    3,
		`linnet_requests_total{endpoint="classify",status="400"}`:    1,
		`linnet_requests_total{endpoint="classify",status="404"}`:    1,
		`linnet_requests_total{endpoint="v2_infer",status="200"}`:    1,
		`linnet_requests_total{endpoint="unknown",status="404"}`:     1,
		`linnet_errors_total{kind="malformed"}`:                      1,
		`linnet_errors_total{kind="no_such_model"}`:                  1,
		`linnet_errors_total{kind="no_such_path"}`:                   1,
		`linnet_request_duration_seconds_count{endpoint="classify"}`: 5,
		`linnet_requests_in_progress`:                                0,
		`linnet_ready`:                                               1,
		`linnet_texts_total{model="two"}`:                            4,
		`linnet_texts_total{model="several"}`:                        2,
		`linnet_labels_total{label="positive",model="two"}`:          2,
		`linnet_labels_total{label="negative",model="two"}`:          2,
		`linnet_labels_total{label="red",model="several"}`:           1,
		`linnet_labels_total{label="blue",model="several"}`:          1,
		`linnet_labels_total{label="",model="several"}`:              1,
		`linnet_probability_count{model="two"}`:                      4,
		`linnet_probability_bucket{model="two",le="1"}`:              4,
		`linnet_sampled_words_total{model="two"}`:                    3,
		`linnet_sampled_unknown_words_total{model="two"}`:            1,
		`linnet_model_info{model="two",version="v1"}`:                1,
		`linnet_model_info{model="three",version="v2"}`:              1,
		`linnet_model_stale{model="three"}`:                          1,
		`linnet_model_stale{model="two"}`:                            0,
		`linnet_model_reload_failures_total{model="three"}`:          1,
	} {
		if v, ok := got[name]; !ok || v != want {
			t.Errorf("%s is %v (%v), want %v", name, v, ok, want)
		}
	}
	if _, ok := got[`linnet_model_info{model="three",version="1"}`]; ok {
		t.Error("a version that is gone is still there")
	}
	for name := range got {
		if strings.Contains(name, "secret") {
			t.Errorf("text of a client is in %s", name)
		}
	}
}

// Series of classes that a new version does not have end; those of classes that it has go on.
func TestMetricsOfClasses(t *testing.T) {
	var list []classifier.Example
	for i := range maxLabels + 2 {
		for _, thing := range []string{"film", "book"} {
			list = append(list, classifier.Example{Text: fmt.Sprintf("a w%03d %s", i, thing), Labels: []string{fmt.Sprintf("c%03d", i)}})
		}
	}
	first, err := classifier.Train(t.Context(), list, classifier.Options{Work: 1})
	if err != nil {
		t.Fatal(err)
	}
	h, err := New([]Model{{"m", "1", first}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"a w000 film", "a w001 film", "a w101 film"} {
		post(h, "/v1/classify", `{"text":"`+text+`"}`)
	}
	got := readMetrics(t, h)
	if got[`linnet_labels_total{label="c000",model="m"}`] != 1 || got[`linnet_labels_total{label="c001",model="m"}`] != 1 || got[`linnet_other_labels_total{model="m"}`] != 1 {
		t.Errorf("%v", got)
	}
	if err := h.Replace(Model{"m", "2", train("c000 w000; new w001")}); err != nil {
		t.Fatal(err)
	}
	post(h, "/v1/classify", `{"text":"a w000 film"}`)
	got = readMetrics(t, h)
	for name, want := range map[string]float64{`label="c000"`: 2, `label="c001"`: -1, `label="new"`: 0, `label=""`: 0} {
		name = "linnet_labels_total{" + name + `,model="m"}`
		if v, ok := got[name]; !ok && want >= 0 || ok && v != want {
			t.Errorf("%s is %v (%v), want %v", name, v, ok, want)
		}
	}
}

// Every status counts as what the client saw.
func TestMetricsOfStatuses(t *testing.T) {
	h := newHandler(t, Options{})
	tag := send(h, "GET", "/", "").Header().Get("ETag")
	send(h, "GET", "/", "", "If-None-Match", tag)
	send(h, "GET", "/openapi.json", "", "If-None-Match", send(h, "GET", "/openapi.json", "").Header().Get("ETag"))
	func() {
		defer func() { recover() }()
		r := httptest.NewRequest("POST", "/v1/classify", strings.NewReader(`{"text":"a"}`))
		h.ServeHTTP(panicWriter{httptest.NewRecorder()}, r)
	}()
	h.metrics.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Error(w, "", http.StatusServiceUnavailable) })
	send(h, "GET", "/metrics", "")
	h.metrics.handler = promhttp.HandlerFor(h.metrics.registry, promhttp.HandlerOpts{})
	got := readMetrics(t, h)
	for name, want := range map[string]float64{
		`linnet_requests_total{endpoint="page",status="200"}`:     1,
		`linnet_requests_total{endpoint="page",status="304"}`:     1,
		`linnet_requests_total{endpoint="openapi",status="304"}`:  1,
		`linnet_requests_total{endpoint="metrics",status="503"}`:  1,
		`linnet_requests_total{endpoint="classify",status="cut"}`: 1,
		`linnet_errors_total{kind="internal"}`:                    1,
	} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
}

// A panicWriter panics after a part of the answer.
type panicWriter struct{ *httptest.ResponseRecorder }

func (w panicWriter) Write(b []byte) (int, error) {
	w.ResponseRecorder.Write(b[:1])
	panic("broken")
}

// The words of the first of each 1024 texts are counted, however texts come.
func TestSample(t *testing.T) {
	h := newHandler(t, Options{MaxTexts: 5000})
	all := 0
	for _, n := range []int{1, 1022, 1, 0, 1, 3000, 1} {
		texts := strings.TrimPrefix(strings.Repeat(`,"a lovely film"`, n), ",")
		if w := post(h, "/v1/classify", `{"texts":[`+texts+`]}`); w.Code != 200 {
			t.Fatal(w.Body)
		}
		all += n
	}
	got := readMetrics(t, h)
	known, words := two().Known("a lovely film")
	n := float64((all + sampleEvery - 1) / sampleEvery)
	if got[`linnet_texts_total{model="two"}`] != float64(all) || got[`linnet_sampled_words_total{model="two"}`] != n*float64(words) || got[`linnet_sampled_unknown_words_total{model="two"}`] != n*float64(words-known) {
		t.Errorf("%d texts: %v", all, got)
	}
}
