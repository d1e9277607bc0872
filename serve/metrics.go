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

// metrics are what GET /metrics tells. They are the Handler's own, so that a program may have several Handlers.
type metrics struct {
	handler    http.Handler
	requests   *prometheus.CounterVec   // endpoint, status
	errors     *prometheus.CounterVec   // kind
	duration   *prometheus.HistogramVec // endpoint
	inProgress prometheus.Gauge
	ready      prometheus.Gauge
	texts      *prometheus.CounterVec   // model
	labels     *prometheus.CounterVec   // model, label
	scores     *prometheus.HistogramVec // model
	words      *prometheus.CounterVec   // model
	unknown    *prometheus.CounterVec   // model
	info       *prometheus.GaugeVec     // model, version
	loaded     *prometheus.GaugeVec     // model
	failures   *prometheus.CounterVec   // model
	stale      *prometheus.GaugeVec     // model

	ok      [endpoints]prometheus.Counter // requests with status 200, which are most
	seconds [endpoints]prometheus.Observer
}

// modelMetrics are the metrics of the classifiers of one name.
type modelMetrics struct {
	name           string
	all            *metrics
	texts          prometheus.Counter
	probability    prometheus.Observer
	words, unknown prometheus.Counter
	count          atomic.Uint64 // texts
}

func newMetrics() *metrics {
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
	m := &metrics{
		requests:   counter("requests_total", "Requests by endpoint and status; 499 for clients that left before the answer.", "endpoint", "status"),
		errors:     counter("errors_total", "Answers that are no success, by the code in their body.", "kind"),
		duration:   histogram("request_duration_seconds", "Time from the end of a request's header to the end of its answer.", []float64{50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 100e-3, 250e-3, 1, 5}, "endpoint"),
		inProgress: gauge("requests_in_progress", "Requests that are classified right now.").WithLabelValues(),
		ready:      gauge("ready", "Whether the server wants requests: 1 if so.").WithLabelValues(),
		texts:      counter("texts_total", "Texts that were classified.", "model"),
		labels:     counter("labels_total", "Labels that texts were given; the empty one for texts without. Classes after the first 100 count as other.", "model", "label"),
		scores:     histogram("probability", "Probability of the label, or of the most probable class of a text without one.", []float64{0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1}, "model"),
		words:      counter("sampled_words_total", "Words of one text in 64.", "model"),
		unknown:    counter("sampled_unknown_words_total", "Those of linnet_sampled_words_total that the classifier does not have.", "model"),
		info:       gauge("model_info", "1 for the version of each classifier that answers.", "model", "version"),
		loaded:     gauge("model_loaded_timestamp_seconds", "When the version that answers began to.", "model"),
		failures:   counter("model_reload_failures_total", "New files that are no classifier.", "model"),
		stale:      gauge("model_stale", "1 while the newest file of a classifier cannot be used and an older version answers.", "model"),
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
	return &modelMetrics{
		name: name, all: m,
		texts:       m.texts.WithLabelValues(name),
		probability: m.scores.WithLabelValues(name),
		words:       m.words.WithLabelValues(name),
		unknown:     m.unknown.WithLabelValues(name),
	}
}

// maxLabels is the largest number of classes of a classifier that are counted one by one.
const maxLabels = 100

// label returns the counter of texts that get class i.
func (m *modelMetrics) label(i int, class string) prometheus.Counter {
	if i >= maxLabels {
		class = "other"
	}
	return m.all.labels.WithLabelValues(m.name, strings.ToValidUTF8(class, "\ufffd"))
}

// replaced tells which version answers now.
func (m *modelMetrics) replaced(version string) {
	m.all.info.DeletePartialMatch(prometheus.Labels{"model": m.name})
	m.all.info.WithLabelValues(m.name, version).Set(1)
	m.all.loaded.WithLabelValues(m.name).SetToCurrentTime()
	m.all.stale.WithLabelValues(m.name).Set(0)
}

// failed tells that there is a newer file, which is no classifier.
func (m *modelMetrics) failed() {
	m.all.failures.WithLabelValues(m.name).Inc()
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
