// Package beam labels texts in pipelines of Apache Beam with a classifier of linnet.
//
//	labels := beam.Classify(s, texts, "/models/reviews.linnet")
//
// Each worker loads the classifier once for all bundles of an instance of [ClassifyFn]. The file must be where the workers run, under the
// same path: in their image, or on a volume. The same text has the same label and probability on every worker.
//
// It is tested on Prism, the local runner of Beam's SDK for Go, and on no other runner.
package beam
