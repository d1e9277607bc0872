// Package plan is the page for authors of layers, losses, optimizers, metrics and callbacks. Users of models need package
// nn alone.
//
// # Spec, plan, workspace
//
// A spec is plain data that says what to build: a [Layer] is a struct without parameters or state. Build turns specs into a
// [Plan]: operations in order, each of which reads and writes numbered values. A plan never changes, knows no number of
// rows, and may leave the number of steps in a sequence open. What changes lies in a workspace: activations, masks,
// gradients. Each execution owns one, so predictions run concurrently and without allocation. An operation sees its part as
// a [Frame].
//
// Before a plan runs, operations may take over the one after them (Op.Fuse): an embedding followed by an average never
// builds the vectors between them. Losses may look through the last activation in a similar way
// (LossRule.BeforeActivation). The layers in the summary and the parameters stay as they were written.
//
// # Writing a layer
//
// Layer.Build gets a [Builder] and the values that the layer reads, [Symbol]s with type and shape. It adds parameters
// ([Builder.Parameter]), operations ([Builder.Add]) and other layers ([Builder.Apply]), and returns its outputs, or an
// error that says what does not fit.
//
// An [Op] describes an operation: functions that say what shape it makes (Outputs) and compute it (Forward) for the rows of
// a [Span]. Workers share the rows of a batch, so an operation writes no others and keeps nothing in itself. All it reads
// and writes it finds in the Frame: inputs, outputs, their gradients, memory that outlives Forward (Op.Saves, Frame.Saved),
// memory of one worker (Frame.Scratch, Frame.Local). Gradients flow through Backward. Gradient adds up the parameters'
// gradients: workers share the rows of the parameter, and the order of each element's sum must not depend on where a
// worker's part ends. What all rows must know of the batch, such as its mean, is a [Reduction]. Model.CheckGradients of
// package nn says whether gradients are right.
//
// Functions that an operation leaves nil say what it cannot do: there is nothing else to implement.
package plan
