package serve

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/linnet-ml/linnet/classifier"
)

// characters is a classifier of n-grams of characters, which need the most memory.
var characters = sync.OnceValue(func() *classifier.Classifier {
	var list []classifier.Example
	for i := range 40 {
		// No word comes twice.
		list = append(list, classifier.Example{Text: fmt.Sprintf("%dqwertyuiop", i), Labels: []string{"a"}}, classifier.Example{Text: fmt.Sprintf("%dasdfghjkl", i), Labels: []string{"b"}})
	}
	c, err := classifier.Train(context.Background(), list, classifier.Options{})
	if err != nil {
		panic(err)
	}
	if c.Parts().Spec.CharMax == 0 {
		panic("the classifier has no n-grams of characters")
	}
	return c
})

// Many clients with large texts at once are answered or sent away, and the memory does not grow with their number.
func TestMemory(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector has memory of its own")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	defer debug.SetGCPercent(debug.SetGCPercent(25)) // so that the heap is not much more than what is in use
	h, err := New([]Model{{"m", "", characters()}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	const clients = 16
	for name, body := range map[string]string{
		"large texts":  `{"text":"` + strings.Repeat("qwertyui asdf ", 1<<20/14) + `"}`,
		"explanations": `{"explain":true,"text":"` + strings.Repeat("!", 64<<10) + `"}`,
	} {
		var most atomic.Int64
		var answered [600]atomic.Int64
		stop := make(chan struct{})
		var beside, wait sync.WaitGroup
		beside.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(2 * time.Millisecond):
				}
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most.Store(max(most.Load(), int64(m.HeapInuse)-h.buffered.Load()))
			}
		})
		for range clients {
			wait.Go(func() {
				w := &discard{header: http.Header{}}
				h.ServeHTTP(w, httptest.NewRequest("POST", "/v1/classify", strings.NewReader(body)))
				answered[w.status].Add(1)
			})
		}
		wait.Wait()
		close(stop)
		beside.Wait()
		t.Logf("%s: %d MiB, %d answered", name, most.Load()>>20, answered[0].Load())
		if most.Load() > 300<<20 {
			t.Errorf("%s: %d MiB are in use besides what is counted", name, most.Load()>>20)
		}
		if answered[0].Load()+answered[429].Load() != clients || answered[0].Load() == 0 {
			t.Errorf("%s: %d answered, %d sent away", name, answered[0].Load(), answered[429].Load())
		}
	}
	if h.working.Load() != 0 || h.buffered.Load() != 0 || len(h.heavy) != 0 {
		t.Errorf("%d requests, %d bytes and %d places are still counted", h.working.Load(), h.buffered.Load(), len(h.heavy))
	}
}

// Memory that a large request has used is not used by another one without being counted.
func TestBufferedAfterLarge(t *testing.T) {
	h := newHandler(t, Options{MaxBody: 1 << 20, MaxBuffered: 1 << 20})
	for range 20 {
		check(t, "alone", post(h, "/v1/classify", `{"text":"`+strings.Repeat("a", 900_000)+`"}`), 200, "")
	}
	h.buffered.Add(1 << 20)
	for range 20 {
		check(t, "too much", post(h, "/v1/classify", `{"text":"`+strings.Repeat("a", 900_000)+`"}`), 429, "buffers_full")
	}
}

// Long answers and scores count like bodies.
func TestAnswersCount(t *testing.T) {
	h := newHandler(t, Options{MaxBody: 100_000, MaxBuffered: 100_000, MaxTexts: 5000})
	check(t, "a long explanation", post(h, "/v1/classify", `{"explain":true,"text":"`+strings.Repeat("!", 10_000)+`"}`), 429, "buffers_full")
	texts := strings.TrimPrefix(strings.Repeat(`,"a"`, 4000), ",")
	body := `{"inputs":[{"name":"text","datatype":"BYTES","shape":[4000],"data":[` + texts + `]}]`
	h.buffered.Store(60_000)
	check(t, "scores", post(h, "/v2/models/three/infer", body+`}`), 429, "buffers_full")
	h.buffered.Store(80_000)
	check(t, "labels", post(h, "/v2/models/three/infer", body+`,"outputs":[{"name":"label"}]}`), 429, "buffers_full")
	h.buffered.Store(0)
	w := post(h, "/v2/models/three/infer", body+`,"parameters":{"binary_data_output":true}}`)
	check(t, "all as bytes", w, 429, "buffers_full")
	if w.Header().Get("Content-Type") != "application/json" || w.Header().Get(headerLength) != "" {
		t.Errorf("%v", w.Header())
	}
	if n := h.buffered.Load(); n != 0 {
		t.Errorf("%d bytes are still counted", n)
	}
}

// A heavy request waits for its place, and small ones go on meanwhile.
func TestHeavyWaits(t *testing.T) {
	h := newHandler(t, Options{})
	for range cap(h.heavy) {
		h.heavy <- struct{}{}
	}
	bodies := []string{`{"explain":true,"text":"a lovely film"}`, `{"text":"` + strings.Repeat("a lovely film ", 2000) + `"}`}
	var wait sync.WaitGroup
	var done atomic.Int64
	for _, body := range bodies {
		wait.Go(func() {
			check(t, body, post(h, "/v1/classify", body), 200, "")
			done.Add(1)
		})
	}
	for range 20 {
		check(t, "small", post(h, "/v1/classify", `{"text":"a lovely film"}`), 200, "")
		time.Sleep(time.Millisecond)
	}
	if n := done.Load(); n != 0 {
		t.Errorf("%d heavy requests had no place and were answered", n)
	}
	until(t, "requests that wait without a place", func() bool { return h.working.Load() == 0 })
	for range cap(h.heavy) {
		<-h.heavy
	}
	wait.Wait()
	if h.working.Load() != 0 || len(h.heavy) != 0 {
		t.Errorf("%d requests and %d places are still counted", h.working.Load(), len(h.heavy))
	}
}
