// Package optim has the optimizers: specs of how parameters follow their gradients, to set as FitOptions.Optimizer.
//
// # Which one
//
// [Adam] needs the least tuning and is the usual first choice; [AdamW] is Adam with weight decay, which large models are
// trained with. [SGD] with Momentum needs a good rate and a schedule, and can then end in a better place. [RMSprop],
// [Adagrad], [Adadelta], [Adamax] and [Nadam] are relatives of Adam. [Lion] keeps half of Adam's state. [Ftrl] trains linear
// models with weights that are exactly 0. The doc comment of each has its formulas, in which w is a weight, g the gradient
// of the loss by it, and what a formula keeps from step to step is a slot, 0 at the start unless said otherwise.
//
// The zero value of a field means Keras's default. A setting for which zero is legal, but not the default, is an
// optional.Value: optim.Adam{Beta1: optional.Of(0.5)}. Settings that are out of range are errors of Rule, and so of Fit.
//
// # What all have
//
// LearningRate is the rate of a run's start; callbacks change it with Training.SetLearningRate. Or a schedule decides it
// from step to step, one of this package's or a type of your own: optim.Adam{Schedule: optim.CosineDecay{…}}. [Shared] has
// the clipping of gradients, weight decay, a moving average of the weights, and accumulation of gradients over batches.
//
// # Numbers
//
// Optimizers and schedules compute in float32, in the order of operations of Keras's classes of the same names, and give
// the same bits on every machine. Keras's results for dense gradients are theirs: a row of an embedding that occurs several
// times in a batch has one gradient, the sum. (Keras 3 on TensorFlow squares the parts of such a sum one by one; the field
// SquareOccurrences of Adam, AdamW, RMSprop and Adagrad does so too.)
package optim
