// Package layers holds linnet's layers, one file each: the spec that a user writes, and beside it the
// operations that it builds, forward and backward. Names and defaults are Keras's. Initializers are specs, too.
//
// A layer is plain data. Its zero fields mean the defaults, equal specs are equal values, and one spec may stand in
// several models; what a model learns lies in the parameters that Build makes of it:
//
//	nn.NewSequential(
//		layers.Embedding{Vocabulary: 10000, Dim: 16, MaskZero: true},
//		layers.GlobalAveragePooling1D{},
//		layers.Dense{Units: 16, Activation: layers.ReLU},
//		layers.Dense{Units: 1, Activation: layers.Sigmoid},
//	)
//
// A model reads ids of words, or texts: a [TextEmbedding] turns each text into a vector, the average of its words' vectors.
// These are its own, learned with the rest, or those of a table that somebody else trained, such as a pretrained.Embedding,
// left as they are or trained further. [TextTokens] turns texts into ids in order, for an Embedding and an LSTM.
//
// In the shapes of this package the first dimension, batch, counts rows, and is known only when a model runs; the
// number of steps may be unknown too. A mask, (batch, steps), says which steps count and which are padding: Embedding
// and TextTokens make it, GlobalAveragePooling1D and BatchNormalization use it, MultiHeadAttention uses it and hands on
// the query's, Dense, Dropout, Activation, TimeDistributed and both normalisations hand it on, Concatenate, Add and their
// like merge those of their inputs, and Flatten and Conv1D drop it.
//
// A layer that does not fit its input is an error of Build; an id outside a vocabulary is one of Fit, Evaluate and
// Predict, and names its row and column.
//
// Values and gradients agree with Keras's within float32 rounding, with one exception: the masked average of a row
// without any unmasked step is 0 and not NaN.
package layers
