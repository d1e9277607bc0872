// Package metrics has the numbers to watch during training: specs to set as FitOptions.Metrics or WeightedMetrics.
//
// A metric gives each row a score; its value is the mean of the scores since the epoch began, each times its row's
// weight where there are weights, over the sum of the weights, and 0 where that sum is 0. Sums are kept in float64 and
// in row order, so that the size of the batches changes no bit. The zero value of a field is Keras's default; each
// metric has a field As that gives it another name in logs.
package metrics
