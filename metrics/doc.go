// Package metrics has the numbers to watch during training: specs to set as FitOptions.Metrics or WeightedMetrics, with
// the names, defaults and results of Keras's metrics.
//
//   - Classes: [Accuracy] and its kinds [BinaryAccuracy], [CategoricalAccuracy], [SparseCategoricalAccuracy];
//     [TopKCategoricalAccuracy], [SparseTopKCategoricalAccuracy]; [ExactAccuracy].
//   - Right and wrong predictions: [Precision], [Recall], [F1Score], [FBetaScore], [AUC], [TruePositives], [FalsePositives],
//     [TrueNegatives], [FalseNegatives].
//   - Log loss: [BinaryCrossentropy], [CategoricalCrossentropy], [SparseCategoricalCrossentropy].
//   - Numbers: [MeanAbsoluteError], [MeanSquaredError], [RootMeanSquaredError], [Mean].
//
// Most metrics give each row a score; their value is the mean of the scores since the epoch began, each times its row's
// weight where there are weights, over the sum of the weights, and 0 where that sum is 0. Others add up the weights of right
// and wrong predictions. Rows and steps of weight 0, such as padding with a mask, do not count, whatever their labels.
// Sums are kept in float64 and in row order, so that the size of the batches changes no bit, and a value over many batches is
// that of one. The zero value of a field is Keras's default; each metric has a field As that gives it another name in logs.
package metrics
