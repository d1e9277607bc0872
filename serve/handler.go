package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/linnet-ml/linnet/classifier"
	"github.com/linnet-ml/linnet/internal/strictjson"
)

// A Handler answers HTTP requests with classifiers. [New] makes one. Any number of goroutines may use it.
type Handler struct {
	o       Options
	keys    keys
	models  map[string]*slot
	order   []string // the names as they were given
	page    map[string]*asset
	metrics *metrics
	ready   atomic.Bool
	calls   sync.Pool     // *call
	heavy   chan struct{} // has an element for each heavy request that is worked on

	// Every request changes these. They have cache lines of their own, so that the fields above stay in the caches of all CPUs.
	_        [64]byte
	working  atomic.Int64 // requests that are classified
	_        [56]byte
	buffered atomic.Int64 // bytes of bodies, answers and scores
	_        [56]byte
}

var _ http.Handler = (*Handler)(nil)

// A slot has the classifier that answers under a name.
type slot struct {
	current atomic.Pointer[served]
	metrics *modelMetrics
	change  sync.Mutex // held while a classifier is replaced
}

// New returns a Handler for models. The first one answers requests that name none. The Handler is ready at once: the classifiers
// are there and have labelled their first text.
func New(models []Model, o Options) (*Handler, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if len(models) == 0 {
		return nil, errors.New("serve: there is no classifier")
	}
	h := &Handler{o: o, keys: newKeys(o.APIKeys), models: map[string]*slot{}, page: pageAssets(), heavy: heavyPlaces(o.MaxConcurrent)}
	h.metrics = newMetrics(h.working.Load)
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

// made reports whether New has made the Handler.
func (h *Handler) made() bool { return h != nil && h.metrics != nil }

var errNotMade = errors.New("serve: the Handler is nil or empty: New makes one")

// Replace makes m answer the requests for its name. There must be a classifier of this name already. Requests that are being
// answered keep the classifier that they began with.
func (h *Handler) Replace(m Model) error {
	if !h.made() {
		return errNotMade
	}
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
	s.current.Store(next)
	s.metrics.replaced(next.Version, next.classes)
	return nil
}

// SetReady sets what /v2/health/ready and the readiness of each model say. A server that is about to end says that it is not
// ready, so that a load balancer sends nothing new. It answers all the same, and asks clients with each answer to close the
// connection, so that none of them sends a request at the moment when the server ends.
func (h *Handler) SetReady(ready bool) {
	if !h.made() {
		return // it is never ready
	}
	h.ready.Store(ready)
	value := 0.0
	if ready {
		value = 1
	}
	h.metrics.ready.Set(value)
}

// A call is a request with the memory that its answer needs, which the next one uses again.
type call struct {
	h          *Handler
	w          http.ResponseWriter
	r          *http.Request
	start      time.Time
	endpoint   endpoint
	status     int // of the answer, if it is no problem
	body       []byte
	read       bool // the body was read to its end
	out        []byte
	jsonLength int // of an answer with bytes after the JSON
	reserved   reservations
	working    bool // the request has a place
	heavy      bool // the request has a heavy place
	wrote      bool // a part of the answer is with the client
	limited    bool // the time of writes is limited
	classify   classifyRequest
	infer      inferRequest
	result     classifier.Result
}

// ServeHTTP answers a request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !h.made() {
		http.Error(w, errNotMade.Error(), http.StatusServiceUnavailable)
		return
	}
	c := h.calls.Get().(*call)
	c.w, c.r, c.start, c.status = w, r, time.Now(), http.StatusOK
	if !h.ready.Load() {
		w.Header()["Connection"] = closeConnection
	}
	finished := false
	defer func() {
		if !finished {
			c.recovered(recover())
		}
	}()
	e, model, version := route(r.URL.Path)
	var file *asset
	if e == unknownPath {
		if file = h.page[r.URL.Path]; file != nil {
			e = pageFile
		}
	}
	c.endpoint = e
	p := c.serve(e, model, version, file)
	c.end()
	linger := false
	if p != nil {
		h.metrics.errors.WithLabelValues(p.code).Inc()
		if c.wrote || p.status == statusGone {
			panic(http.ErrAbortHandler) // the client must not take half an answer, or none, for a whole one
		}
		c.status = p.status
		linger = p.write(w, r, c.read, c.out)
	}
	c.unlimit()
	after := time.Since(c.start)
	h.metrics.answered(e, c.status, after)
	if h.o.Log.Enabled(r.Context(), slog.LevelDebug) {
		h.o.Log.Debug("request", "endpoint", e.String(), "status", c.status, "seconds", after.Seconds(), "body", len(c.body), "remote", r.RemoteAddr)
	}
	finished = true
	c.release()
	h.calls.Put(c)
	if linger {
		lingerFor(w, r)
	}
}

// recovered ends a call that panicked with v. net/http takes care of the panic if the client has part of an answer.
func (c *call) recovered(v any) {
	h, w, r, e, start, wrote := c.h, c.w, c.r, c.endpoint, c.start, c.wrote
	c.release()
	if v == http.ErrAbortHandler {
		h.metrics.answered(e, statusGone, time.Since(start))
		panic(v)
	}
	h.o.Log.Error("a request panicked", "endpoint", e.String(), "panic", fmt.Sprintf("%T", v), "stack", string(debug.Stack()))
	h.metrics.errors.WithLabelValues("internal").Inc()
	if wrote {
		h.metrics.answered(e, statusCut, time.Since(start))
		panic(http.ErrAbortHandler)
	}
	h.metrics.answered(e, http.StatusInternalServerError, time.Since(start))
	internal().write(w, r, false, nil)
}

// release gives back what other requests wait for, and forgets the request.
func (c *call) release() {
	c.end()
	c.unreserve()
	c.classify.reset()
	c.infer.reset()
	if cap(c.body) > freeBody {
		c.body = nil
	}
	if cap(c.out) > freeBody {
		c.out = nil
	}
	c.w, c.r, c.endpoint, c.status = nil, nil, unknownPath, 0
	c.read, c.wrote, c.limited, c.jsonLength = false, false, false, 0
	c.body, c.out = c.body[:0], c.out[:0]
}

func (c *call) serve(e endpoint, model, version string, file *asset) *problem {
	h := c.h
	if e == unknownPath {
		return notFound("no_such_path", "GET /openapi.json has the paths", "there is nothing at this path")
	}
	if !e.allows(c.r.Method) {
		return &problem{status: http.StatusMethodNotAllowed, code: "method", message: "this path does not have this method", hint: "use " + e.methods(), allow: e.methods()}
	}
	if !e.open() {
		if p := h.keys.allow(c.r); p != nil {
			return p
		}
	}
	switch e {
	case pageFile:
		c.wrote = true // as far as anybody here knows
		c.status = file.write(c.w, c.r)
	case openAPI:
		c.wrote = true
		c.status = openAPIFile.write(c.w, c.r)
	case metricsList:
		c.wrote = true
		w := &statusWriter{ResponseWriter: c.w, status: c.status}
		h.metrics.handler.ServeHTTP(w, c.r)
		c.status = w.status
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

// A statusWriter notes the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func notReady() *problem {
	return &problem{status: http.StatusServiceUnavailable, code: "not_ready", message: "the server is not ready: it starts or ends", hint: "try again after the seconds in Retry-After, or ask another server", retry: 1}
}

// model returns the classifier of a name; "" is the first one.
func (h *Handler) model(name string) (*served, *problem) {
	if name == "" {
		name = h.order[0]
	}
	if s := h.models[name]; s != nil {
		return s.current.Load(), nil
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

// canceled returns a problem if the client does not wait for the answer any more.
func (c *call) canceled() *problem {
	err := c.r.Context().Err()
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.DeadlineExceeded): // of somebody's middleware: the client may still be there
		return &problem{status: http.StatusServiceUnavailable, code: "deadline", message: "the answer took longer than this server allows", hint: "send fewer or shorter texts a request", retry: 1}
	}
	return gone()
}

// A textCheck returns an error if a text is too long, or if it is one too many: before is how many texts come before it.
type textCheck func(text string, before int) error

// checkText is the textCheck of the options.
func (c *call) checkText(text string, before int) error {
	o := &c.h.o
	switch {
	case before >= o.MaxTexts:
		return tooLarge("too_many_texts", "send several requests", "the request has more than %d texts", o.MaxTexts)
	case len(text) > o.MaxText:
		return tooLarge("text_too_long", "send a shorter text, or a part of it", "text %d has %d bytes; %d are allowed", before, len(text), o.MaxText)
	}
	return nil
}

// readText appends a text to texts if check has no objection.
func readText(s *strictjson.Scanner, texts []string, check textCheck) ([]string, error) {
	t, err := s.Text("text")
	if err == nil {
		err = check(t, len(texts))
	}
	if err != nil {
		return texts, err
	}
	return append(texts, t), nil
}

// forget empties a list of texts, so that the memory of the texts is not kept.
func forget(texts []string) []string {
	clear(texts[:cap(texts)])
	if cap(texts) > freeBody/16 {
		return nil
	}
	return texts[:0]
}
