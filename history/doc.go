// Package history has the log of a training run: the loss and the metrics of each epoch, as values, JSON and CSV.
//
// Fit returns a [History], which knows the numbers of the epochs, the values of each name in the order they were logged
// ("loss", "accuracy", "val_loss", …), which values are better ([Direction]), and why a callback stopped the run. It prints
// as a line for each epoch, and goes to JSON and back, so that a run can be continued, compared or drawn elsewhere; package
// plots draws it.
//
// [Logs] are the numbers of one epoch or batch, as callbacks see them.
package history
