// Package optim has the optimizers: specs of how parameters follow their gradients, to set as FitOptions.Optimizer.
//
// They compute in float32 what Keras's optimizers of the same names compute for dense gradients: a row of an embedding
// that occurs several times in a batch has one gradient, the sum. (Keras on TensorFlow squares the parts of such a sum
// one by one in Adam and RMSprop.) The zero value of a field is Keras's default. Settings of which zero is legal but
// not the default are an optional.Value: optim.Adam{Beta1: optional.Of(0.5)}.
//
// The learning rate is that of a run's start; callbacks change it with Training.SetLearningRate. Or a schedule decides it
// from step to step, one of Keras's or a type of your own: optim.Adam{Schedule: optim.CosineDecay{…}}. Rates are computed in
// float32, in Keras's order of operations, and are the same bits on every machine.
package optim
