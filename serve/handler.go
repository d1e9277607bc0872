package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/linnet-ml/linnet/classifier"
)

// A Handler answers HTTP requests with classifiers. [New] makes one. Any number of goroutines may use it.
type Handler struct {
	o        Options
	keys     keys
	models   map[string]*slot
	order    []string // the names as they were given
	page     map[string]*asset
	metrics  *metrics
	ready    atomic.Bool
	working  atomic.Int64 // requests that are classified
	buffered atomic.Int64 // bytes of bodies
	calls    sync.Pool    // *call
}

// A slot has the classifier that answers under a name.
type slot struct {
	atomic.Pointer[served]
	metrics *modelMetrics
	change  sync.Mutex // held while a classifier is replaced
}

// New returns a Handler for models, of which the first answers requests that name none. It is ready at once: the classifiers
// are there and have labelled their first text.
func New(models []Model, o Options) (*Handler, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if len(models) == 0 {
		return nil, errors.New("serve: there is no classifier")
	}
	h := &Handler{o: o, keys: newKeys(o.APIKeys), models: map[string]*slot{}, metrics: newMetrics(), page: pageAssets()}
	h.calls.New = func() any { return &call{h: h} }
	if o.NoPage {
		h.page = nil
	}
	for i := range models {
		m := &models[i]
		if err := m.check(); err != nil {
			return nil, err
		}
		if h.models[m.Name] != nil {
			return nil, fmt.Errorf("serve: two classifiers have the name %s", m.Name)
		}
		h.models[m.Name] = &slot{metrics: h.metrics.model(m.Name)}
		h.order = append(h.order, m.Name)
		if err := h.Replace(*m); err != nil {
			return nil, err
		}
	}
	h.SetReady(true)
	return h, nil
}

// Replace makes m answer the requests for its name, of which there must be a classifier already. Requests that are being
// answered keep the classifier that they began with.
func (h *Handler) Replace(m Model) error {
	if err := m.check(); err != nil {
		return err
	}
	s := h.models[m.Name]
	if s == nil {
		return fmt.Errorf("serve: there is no classifier %s to replace", m.Name)
	}
	s.change.Lock()
	defer s.change.Unlock()
	next := newServed(m, s.metrics)
	s.Store(next)
	s.metrics.replaced(next.Version)
	return nil
}

// SetReady sets what /v2/health/ready and the readiness of each model say. A server that is about to end says that it is not
// ready, so that a load balancer sends nothing new; it answers all the same.
func (h *Handler) SetReady(ready bool) {
	h.ready.Store(ready)
	value := 0.0
	if ready {
		value = 1
	}
	h.metrics.ready.Set(value)
}

// A call is a request with the memory that its answer needs, which the next one uses again.
type call struct {
	h        *Handler
	w        http.ResponseWriter
	r        *http.Request
	start    time.Time
	body     []byte
	reserved int64 // bytes of body that Handler.buffered counts
	out      []byte
	wrote    bool // a part of the answer is with the client
	classify classifyRequest
	infer    inferRequest
	result   classifier.Result
}

// ServeHTTP answers a request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := h.calls.Get().(*call)
	c.w, c.r, c.start = w, r, time.Now()
	e, model, version := route(r.URL.Path)
	file := h.page[r.URL.Path]
	if e == unknownPath && file != nil {
		e = pageFile
	}
	status := http.StatusOK
	finished := false
	defer func() {
		if !finished { // a panic, of which net/http takes care if the client has part of an answer
			v := recover()
			wrote := c.wrote
			h.release(c)
			if v == http.ErrAbortHandler {
				h.metrics.answered(e, statusGone, time.Since(c.start))
				panic(v)
			}
			h.o.Log.Error("a request panicked", "endpoint", e.String(), "panic", fmt.Sprintf("%T", v), "stack", string(debug.Stack()))
			h.metrics.errors.WithLabelValues("internal").Inc()
			h.metrics.answered(e, http.StatusInternalServerError, time.Since(c.start))
			if wrote {
				panic(http.ErrAbortHandler)
			}
			internal().write(w, r, nil)
		}
	}()
	if p := c.serve(e, model, version, file); p != nil {
		status = p.status
		h.metrics.errors.WithLabelValues(p.code).Inc()
		if c.wrote {
			panic(http.ErrAbortHandler) // the client must not take half an answer for a whole one
		}
		if status != statusGone {
			p.write(w, r, c.out)
		}
	}
	h.metrics.answered(e, status, time.Since(c.start))
	if h.o.Log.Enabled(r.Context(), slog.LevelDebug) {
		h.o.Log.Debug("request", "endpoint", e.String(), "status", status, "seconds", time.Since(c.start).Seconds(), "body", len(c.body), "remote", r.RemoteAddr)
	}
	finished = true
	h.release(c)
	h.calls.Put(c)
}

// release gives back what other requests wait for, and forgets the request.
func (h *Handler) release(c *call) {
	if c.reserved > 0 {
		h.buffered.Add(-c.reserved)
		c.reserved = 0
	}
	c.w, c.r, c.wrote = nil, nil, false
	c.classify.reset()
	c.infer.reset()
	if cap(c.body) > keptBody {
		c.body = nil
	}
	if cap(c.out) > keptBody {
		c.out = nil
	}
	c.body, c.out = c.body[:0], c.out[:0]
}

func (c *call) serve(e endpoint, model, version string, file *asset) *problem {
	h := c.h
	if e == unknownPath {
		p := notFound("no_such_path", "GET /openapi.json has the paths", "there is nothing at this path")
		p.cut = c.r.ContentLength != 0
		return p
	}
	if !e.allows(c.r.Method) {
		return &problem{status: http.StatusMethodNotAllowed, code: "method", message: "this path does not have this method", hint: "use " + e.methods(), allow: e.methods(), cut: c.r.ContentLength != 0}
	}
	if !e.open() {
		if p := h.keys.allow(c.r); p != nil {
			return p
		}
	}
	switch e {
	case pageFile:
		file.write(c.w, c.r)
	case openAPI:
		openAPIFile.write(c.w, c.r)
	case metricsList:
		h.metrics.handler.ServeHTTP(c.w, c.r)
	case classifyTexts:
		return c.serveClassify()
	case listModels:
		return c.serveModels()
	case serverMetadata:
		return c.serveServerMetadata()
	case serverLive:
		return c.answer(`{"live":true}`)
	case serverReady:
		if !h.ready.Load() {
			return notReady()
		}
		return c.answer(`{"ready":true}`)
	case modelMetadata, modelReady, modelInfer:
		m, p := h.version(model, version)
		switch {
		case p != nil:
			p.cut = c.r.ContentLength != 0
			return p
		case e == modelMetadata:
			return c.serveModelMetadata(m)
		case e == modelReady && !h.ready.Load():
			return notReady()
		case e == modelReady:
			return c.answer(`{"name":"` + m.Name + `","ready":true}`)
		}
		return c.serveInfer(m)
	}
	return nil
}

func notReady() *problem {
	return &problem{status: http.StatusServiceUnavailable, code: "not_ready", message: "the server is not ready: it is about to start or to end", hint: "ask another one"}
}

// model returns the classifier of a name; "" is the first one.
func (h *Handler) model(name string) (*served, *problem) {
	if name == "" {
		name = h.order[0]
	}
	if s := h.models[name]; s != nil {
		return s.Load(), nil
	}
	return nil, notFound("no_such_model", "the models are "+h.list(), "there is no model of this name")
}

// version returns a version of the classifier of a name; "" is the one there is.
func (h *Handler) version(name, version string) (*served, *problem) {
	m, p := h.model(name)
	if p == nil && version != "" && version != m.Version {
		return nil, notFound("no_such_version", "ask for version "+m.Version+", or for none", "the model %s does not have this version", m.Name)
	}
	return m, p
}

// list names the models, the first ones of many.
func (h *Handler) list() string {
	const most = 10
	if len(h.order) > most {
		return strings.Join(h.order[:most], ", ") + ", …"
	}
	return strings.Join(h.order, ", ")
}

// begin takes a place among the requests that are classified; end gives it back.
func (c *call) begin() *problem {
	if c.h.working.Add(1) > int64(c.h.o.MaxConcurrent) {
		c.h.working.Add(-1)
		return busy()
	}
	c.h.metrics.inProgress.Inc()
	return nil
}

func (c *call) end() {
	c.h.working.Add(-1)
	c.h.metrics.inProgress.Dec()
}

// canceled returns a problem if nobody waits for the answer any more.
func (c *call) canceled() *problem {
	if c.r.Context().Err() != nil {
		return gone()
	}
	return nil
}

// answer sends a body of JSON.
func (c *call) answer(body string) *problem {
	c.out = append(append(c.out[:0], body...), '\n')
	c.flush()
	return nil
}

// flushBytes is how much of an answer is kept before it is sent.
const flushBytes = 64 << 10

// flush sends what there is of the answer.
func (c *call) flush() {
	if !c.wrote {
		setJSON(c.w.Header())
		c.wrote = true
	}
	c.w.Write(c.out)
	c.out = c.out[:0]
}

// checkText returns a problem if a text is too long, or if it is one more than there may be.
func (c *call) checkText(text string, before int) error {
	o := &c.h.o
	switch {
	case before >= o.MaxTexts:
		return tooLarge("too_many_texts", "send several requests", "the request has more than %d texts", o.MaxTexts)
	case len(text) > o.MaxText:
		return tooLarge("text_too_long", "send the part of it that matters", "text %d has %d bytes; %d are allowed", before, len(text), o.MaxText)
	}
	return nil
}

// background is for reading JSON that is in memory and bounded.
var background = context.Background()

// forget empties a list of texts, so that the memory of the texts is not kept.
func forget(texts []string) []string {
	clear(texts[:cap(texts)])
	if cap(texts) > 4096 {
		return nil
	}
	return texts[:0]
}

// in is slices.Index for short lists of names.
func in(list []string, name string) int { return slices.Index(list, name) }
