// Package savedmodel reads saved_model.pb, the part of a TensorFlow SavedModel that holds its graphs: nodes, functions,
// signatures, assets, and the objects of TensorFlow 2 with the functions that they carry. The values of the variables
// are elsewhere: see package bundle.
//
// [Read] parses what a caller may want to know and leaves the attributes of nodes as they are until someone asks.
// [Value] follows the flow of data backwards from the output of a function to its arguments, through calls of other
// functions, so that a caller can recognise what a model computes. Nothing is executed.
package savedmodel
