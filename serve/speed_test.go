package serve

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/debug"
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
		r := httptest.NewRequestWithContext(context.WithValue(b.Context(), http.ServerContextKey, h.Server("")), "POST", "/v1/classify", nil)
		r.Body, r.ContentLength = io.NopCloser(reader), int64(len(body))
		for b.Loop() {
			reader.Reset(string(body))
			h.ServeHTTP(w, r)
		}
	})
	b.Run("loopback", func(b *testing.B) {
		s := httptest.NewUnstartedServer(h)
		s.Config = h.Server("")
		s.Start()
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
type discard struct {
	header http.Header
	status int // 0 if it was not set
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(status int)      { d.status = status }

// A classification of one text takes no memory for the text, and few allocations besides those of net/http.
func TestAllocations(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // another processor has pools of its own
	h := newHandler(t, Options{})
	ctx := context.WithValue(t.Context(), http.ServerContextKey, h.Server(""))
	var bytes [2]uint64
	for i, body := range []string{`{"text":"` + review230 + `"}`, `{"text":"` + strings.Repeat(review230, 8) + `"}`} {
		w := &discard{header: http.Header{}}
		reader := strings.NewReader("")
		r := httptest.NewRequestWithContext(ctx, "POST", "/v1/classify", nil)
		r.Body, r.ContentLength = io.NopCloser(reader), int64(len(body))
		serve := func() {
			reader.Reset(body)
			h.ServeHTTP(w, r)
		}
		n := testing.AllocsPerRun(200, serve)
		var before, after runtime.MemStats
		collect := debug.SetGCPercent(-1) // a collection would empty the pools
		runtime.ReadMemStats(&before)
		const runs = 200
		for range runs {
			serve()
		}
		runtime.ReadMemStats(&after)
		debug.SetGCPercent(collect)
		bytes[i] = (after.TotalAlloc - before.TotalAlloc) / runs
		t.Logf("%v allocations, %d bytes", n, bytes[i])
		if raceDetector {
			continue // the race detector lets pools forget
		}
		if n > 1 {
			t.Errorf("%v allocations", n)
		}
	}
	if !raceDetector && bytes[1] > bytes[0]+1000 {
		t.Errorf("%d bytes for a text, %d for one 8 times as long", bytes[0], bytes[1])
	}
}

// raceDetector is whether the race detector is on, under which a sync.Pool drops what it is given at random.
var raceDetector bool
