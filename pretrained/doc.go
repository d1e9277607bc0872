// Package pretrained opens word vectors and text embeddings that others have trained, and turns them into tables that
// a layer can start from.
//
// [OpenHub] reads a text module of TensorFlow Hub (a SavedModel folder such as nnlm-en-dim50), [OpenVectors] a table of
// GloVe, word2vec, fastText (.vec) or safetensors, and [NewEmbedding] takes one of the caller's own. Each gives an
// [Embedding]: the table of vectors, the words of its rows, and the rule that turns a text into rows and the vectors
// of these rows into one. A module brings its rule with it; one that linnet does not know is an error, unless the caller
// names the rule in [HubOptions]. A table of vectors has no rule: [OpenVectors] splits texts at white space, leaves punctuation
// out and divides the sum of the words' vectors by the square root of their number (text.Sqrtn), unless [VectorOptions] says
// otherwise.
//
//	module, err := pretrained.OpenHub(ctx, "nnlm-en-dim50", pretrained.HubOptions{})
//	...
//	fmt.Println(module.Rows(), module.Dim(), module.Combiner())
//
// [OpenModule] opens a module that was downloaded before by its name or its URL, as the tutorials give it; package
// pretrained/fetch downloads it.
//
// Opening reads the words but not the vectors: [Embedding.ReadTable] writes these straight into the caller's slice, so
// that a table of hundreds of megabytes is in memory only once. What a file says about sizes is checked against the
// file before memory is taken for it, and a wrong checksum, a value that is not finite or a table that is too short for
// its vocabulary is an error that names the file and the place.
package pretrained
