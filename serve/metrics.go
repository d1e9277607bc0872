package serve

import (
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are what GET /metrics tells. They are the Handler's own, so that a program may have several Handlers. What every request
// changes is counted where the request changes it anyway: texts_total and requests_in_progress read counters of the Handler.
type metrics struct {
	registry *prometheus.Registry
	handler  http.Handler
	requests *prometheus.CounterVec   // endpoint, status
	errors   *prometheus.CounterVec   // kind
	duration *prometheus.HistogramVec // endpoint
	ready    prometheus.Gauge
	labels   *prometheus.CounterVec   // model, label
	others   *prometheus.CounterVec   // model
	scores   *prometheus.HistogramVec // model
	words    *prometheus.CounterVec   // model
	unknown  *prometheus.CounterVec   // model
	info     *prometheus.GaugeVec     // model, version
	loaded   *prometheus.GaugeVec     // model
	failures *prometheus.CounterVec   // model
	stale    *prometheus.GaugeVec     // model

	ok      [endpoints]prometheus.Counter // requests with status 200, which are most
	seconds [endpoints]prometheus.Observer
}

// modelMetrics are the metrics of the classifiers of one name.
type modelMetrics struct {
	name           string
	all            *metrics
	probability    prometheus.Observer
	words, unknown prometheus.Counter
	counted        map[string]bool // the classes that are counted one by one; guarded by slot.change

	// Every request changes this. It has a cache line of its own.
	_     [64]byte
	texts atomic.Uint64
	_     [56]byte
}

// newMetrics makes the metrics. working is how many requests are classified right now.
func newMetrics(working func() int64) *metrics {
	registry := prometheus.NewRegistry()
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "linnet", Name: name, Help: help}, labels)
		registry.MustRegister(c)
		return c
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "linnet", Name: name, Help: help}, labels)
		registry.MustRegister(g)
		return g
	}
	histogram := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: "linnet", Name: name, Help: help, Buckets: buckets}, labels)
		registry.MustRegister(h)
		return h
	}
	registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "linnet", Name: "requests_in_progress", Help: "Requests that are classified right now."}, func() float64 { return float64(working()) }))
	m := &metrics{
		registry: registry,
		requests: counter("requests_total", "Requests by endpoint and status: 499 for clients that left before the whole answer, cut for answers that a fault of the server ended.", "endpoint", "status"),
		errors:   counter("errors_total", "Answers that are no success, by the code in their body; client_gone for clients that left before it.", "kind"),
		duration: histogram("request_duration_seconds", "Time from the end of the header of a request to the end of its answer.", []float64{50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 100e-3, 250e-3, 1, 5}, "endpoint"),
		ready:    gauge("ready", "Whether the server wants requests: 1 if so.").WithLabelValues(),
		labels:   counter("labels_total", "Labels that texts were given; the empty one for texts without. Of the classes of a model, the first 100 are here.", "model", "label"),
		others:   counter("other_labels_total", "Labels that texts were given, of the classes after the first 100.", "model"),
		scores:   histogram("probability", "Probability of the label, or of the most probable class of a text without one.", []float64{0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1}, "model"),
		words:    counter("sampled_words_total", "Words of one text in 1024.", "model"),
		unknown:  counter("sampled_unknown_words_total", "Those of linnet_sampled_words_total that the classifier does not have.", "model"),
		info:     gauge("model_info", "1 for the version of each classifier that answers.", "model", "version"),
		loaded:   gauge("model_loaded_timestamp_seconds", "When the version that answers began to.", "model"),
		failures: counter("model_reload_failures_total", "New files that are no classifier.", "model"),
		stale:    gauge("model_stale", "1 while the newest file of a classifier cannot be used and an older version answers.", "model"),
	}
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.handler = promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
	for e := range endpoints {
		m.ok[e] = m.requests.WithLabelValues(e.String(), "200")
		m.seconds[e] = m.duration.WithLabelValues(e.String())
	}
	return m
}

// model returns the metrics of the classifiers of a name.
func (m *metrics) model(name string) *modelMetrics {
	m.failures.WithLabelValues(name)
	m.stale.WithLabelValues(name)
	own := &modelMetrics{
		name: name, all: m,
		probability: m.scores.WithLabelValues(name),
		words:       m.words.WithLabelValues(name),
		unknown:     m.unknown.WithLabelValues(name),
		counted:     map[string]bool{},
	}
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Namespace: "linnet", Name: "texts_total", Help: "Texts that were classified.", ConstLabels: prometheus.Labels{"model": name},
	}, func() float64 { return float64(own.texts.Load()) }))
	return own
}

// maxLabels is the largest number of classes of a classifier that are counted one by one.
const maxLabels = 100

// label returns the counter of texts that get class i.
func (m *modelMetrics) label(i int, class string) prometheus.Counter {
	if i >= maxLabels {
		return m.all.others.WithLabelValues(m.name)
	}
	return m.all.labels.WithLabelValues(m.name, labelValue(class))
}

// labelValue is a class as the value of a label, which must be UTF-8.
func labelValue(class string) string { return strings.ToValidUTF8(class, "\ufffd") }

// replaced tells which version answers now, with which classes.
func (m *modelMetrics) replaced(version string, classes []string) {
	m.all.info.DeletePartialMatch(prometheus.Labels{"model": m.name})
	m.all.info.WithLabelValues(m.name, version).Set(1)
	m.all.loaded.WithLabelValues(m.name).SetToCurrentTime()
	m.all.stale.WithLabelValues(m.name).Set(0)
	now := map[string]bool{}
	for _, class := range classes[:min(len(classes), maxLabels)] {
		now[labelValue(class)] = true
	}
	for class := range m.counted {
		if !now[class] && class != "" {
			m.all.labels.DeleteLabelValues(m.name, class)
		}
	}
	m.counted = now
}

// failed tells that the newest file is no classifier, and counts it if that is news. A Replace by the program may have said otherwise
// meanwhile.
func (m *modelMetrics) failed(news bool) {
	if news {
		m.all.failures.WithLabelValues(m.name).Inc()
	}
	m.all.stale.WithLabelValues(m.name).Set(1)
}

// answered counts a request.
func (m *metrics) answered(e endpoint, status int, after time.Duration) {
	switch status {
	case http.StatusOK:
		m.ok[e].Inc()
	case statusCut:
		m.requests.WithLabelValues(e.String(), "cut").Inc()
	default:
		m.requests.WithLabelValues(e.String(), strconv.Itoa(status)).Inc()
	}
	m.seconds[e].Observe(after.Seconds())
}
