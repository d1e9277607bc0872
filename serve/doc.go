// Package serve answers HTTP requests with the labels of texts. [New] makes an http.Handler of classifiers, each with a name:
//
//	POST /v1/classify                    a text or several: label, probability, scores, explanation
//	GET  /v1/models                      the classifiers and their classes
//	     /v2/…                           the Open Inference Protocol (KServe, Triton), with binary tensors
//	GET  /metrics                        for Prometheus
//	GET  /openapi.json                   the description of all this
//	GET  /                               a page to try the classifiers
//
// [Handler.Server] gives the http.Server to run it in, with timeouts; [Handler.Watch] follows a file that changes. Every request
// is answered by one version of one classifier. No text of a client gets into a log or a metric.
package serve
