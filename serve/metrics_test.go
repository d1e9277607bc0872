package serve

import (
	"bufio"
	"fmt"
	"strings"
	"testing"

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
	h.models["three"].metrics.failed()
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
