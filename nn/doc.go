// Package nn builds neural networks out of layers, trains them and predicts with them. The layers are in package layers;
// losses, optimizers, metrics and callbacks have packages of their own. Authors of new ones find their contracts in
// package plan.
//
// # Building
//
// A model is written down as a spec: the [Sequential] of its layers, which are plain structs, or a [Graph] of them with
// any number of named inputs and outputs. Build works out all shapes and makes the parameters, whose first values depend
// on the seed ([BuildOptions]) and their names. The [Model] then has the methods that Keras users know: [Model.Fit],
// [Model.Evaluate], [Model.Predict], [Model.Summary]. The zero value of each setting is Keras's default; where zero is
// something else one may want, the setting is an optional.Value or is named in the negative (NoShuffle).
//
// # Training
//
// From one seed Fit gives the same bits on every machine, with any number of threads. Data comes from a [Source]: rows in
// memory ([Data]), or batches that are read or made as they are needed. A [Trainer] takes single steps, for a loop of
// one's own. A [TrainingState] carries a training from one process to another: n epochs, the state and m epochs give the
// bits of n + m epochs.
//
// # Predicting
//
// Any number of goroutines may call Predict and Evaluate on one model at once, while none trains it. [Model.PredictInto]
// allocates nothing once there were rows of the same length before it.
//
// # Errors
//
// Mistakes are errors that name the place: the row and column of an id outside the vocabulary, the index, name and shapes
// of a layer that does not fit, the epoch and step at which a loss was NaN. Data that a model cannot take is an
// [InputError], which a server can tell from its own faults. A panic in a layer, loss, optimizer, metric or callback is a
// [PanicError] of the call that ran it. After an error or a cancelled context the weights are those after the last whole
// step, and the History is that of the epochs before.
package nn
