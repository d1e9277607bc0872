package serve

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// review230 is a text of 230 words.
var review230 = strings.TrimSpace(strings.Repeat("the film was lovely but its great plot is dull and ", 21))

// BenchmarkClassify answers requests for one text of 230 words: without a network, and on the loopback with eight connections.
func BenchmarkClassify(b *testing.B) {
	h := newHandler(b, Options{})
	body, _ := json.Marshal(map[string]string{"text": review230})
	b.Run("handler", func(b *testing.B) {
		b.ReportAllocs()
		w := &discard{header: http.Header{}}
		reader := strings.NewReader("")
		r := httptest.NewRequest("POST", "/v1/classify", nil)
		r.Body, r.ContentLength = io.NopCloser(reader), int64(len(body))
		for b.Loop() {
			reader.Reset(string(body))
			h.ServeHTTP(w, r)
		}
	})
	b.Run("loopback", func(b *testing.B) {
		s := httptest.NewServer(h)
		defer s.Close()
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
		defer client.CloseIdleConnections()
		b.SetParallelism(4)
		b.RunParallel(func(p *testing.PB) {
			for p.Next() {
				answer, err := client.Post(s.URL+"/v1/classify", "application/json", strings.NewReader(string(body)))
				if err != nil {
					b.Error(err)
					return
				}
				io.Copy(io.Discard, answer.Body)
				answer.Body.Close()
			}
		})
	})
}

// discard takes answers and keeps nothing.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(int)             {}

// A classification takes few allocations besides those of net/http.
func TestAllocations(t *testing.T) {
	h := newHandler(t, Options{})
	body := `{"text":"` + review230 + `"}`
	w := &discard{header: http.Header{}}
	reader := strings.NewReader("")
	r := httptest.NewRequest("POST", "/v1/classify", nil)
	r.Body, r.ContentLength = io.NopCloser(reader), int64(len(body))
	n := testing.AllocsPerRun(200, func() {
		reader.Reset(body)
		h.ServeHTTP(w, r)
	})
	// The race detector lets pools forget.
	if n > 40 {
		t.Errorf("%v allocations", n)
	}
	t.Logf("%v allocations", n)
}
