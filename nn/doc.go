// Package nn builds neural networks out of layers, trains them and predicts with them. The layers are in package
// layers; losses, optimizers, metrics and callbacks have packages of their own.
//
// # For users
//
// A model is written down as a spec, the [Sequential] of its layers, which are plain structs. [Sequential.Build] gives
// it an [Input], works out all shapes and makes the parameters, whose first values depend on a [Seed] and on their
// names alone. The [Model] then has the methods that Keras users know: [Model.Fit], [Model.Evaluate], [Model.Predict],
// [Model.Summary]. The zero value of each setting is Keras's default; where zero is legal but not the default, the
// setting is an [optional.Value] or is named in the negative (NoShuffle).
//
// From one seed Fit gives the same bits on every machine, with any number of threads. Mistakes are errors that name the
// place: the row and column of an id outside the vocabulary, the index, name and shapes of a layer that does not fit, the
// epoch and step at which a loss was NaN. After an error or a cancelled context the weights are those after the last
// whole step, and the [history.History] is that of the epochs before.
//
// Any number of goroutines may call Predict and Evaluate on one model at once, while none trains it. A prediction
// allocates nothing once there were rows of the same length before it.
//
// # Spec, plan, workspace
//
// Three things carry the package. A spec says what to build: a [Layer] is data, without parameters or state, so that it
// can be compared, printed and used again. Build turns the spec into a plan: steps in order, each of which reads and
// writes numbered values. A plan never changes, knows no number of rows, and may leave the number of steps in a sequence
// open ([AnyLength]). What changes lies in a workspace: activations, masks, gradients. Each execution owns one, which the
// model keeps for the next of its kind; hence concurrent predictions without allocation.
//
// Before a plan runs, steps may take over the one behind them ([FusingStep]): an embedding followed by an average never
// builds the vectors between them. Losses look through the last activation in a similar way ([LogitsLoss]). The layers
// in the summary and the parameters stay as they were written; FitOptions.NoFusion runs them so, too.
//
// # Writing a layer
//
// Layer.Build gets a [Builder] and the values that the layer reads, [Symbol]s with type and shape. It adds parameters
// ([Builder.Parameter]) and steps ([Builder.Step]) and returns the value that holds its output, or an error that says
// what does not fit; nn adds the layer's place and name to that.
//
// A [Step] says what shape it makes and computes it, for the rows of a [Span]: workers share the rows of a batch, so a
// step writes no others and keeps nothing in itself. All it reads and writes it finds in the [Frame]; memory of its own
// are Frame.Scratch and Frame.Local, one for each worker. Gradients flow through a [BackwardStep], and a [ParameterStep]
// adds up those of its parameters; there the workers share the rows of the parameter, and each element's sum must be made
// in an order that does not depend on where a worker's part ends. [Model.CheckGradients] says whether they are right.
//
// Steps that can do more say so by further interfaces: [SourceStep] reads the data where it lies, [ReadyStep] also reads
// what was made of such data before and [UnpreparedStep] data of which nothing was made, [InputStep] refuses some inputs,
// [RowStep] touches few rows of a large table and [ReadingStep] knows which a batch reads, [ParameterReadingStep] makes
// gradients from parameters too, [ActivationStep] is an activation that a loss may look through.
package nn
