// Package linnet is the entrance to a neural-network library for Go: what Keras's Sequential users know, in plain Go
// without cgo, trained on a CPU. It has no code of its own; the packages below it do.
//
// A model is built from specs and then trained, evaluated, asked and saved:
//
//   - [github.com/linnet-ml/linnet/nn]: Sequential, Model, Fit, Evaluate, Predict, and the contracts of all that follows;
//   - [github.com/linnet-ml/linnet/model]: a model in one file, saved, loaded, converted to 16 or 8 bits;
//   - [github.com/linnet-ml/linnet/history]: what a training logged: values, the best epoch, JSON and CSV;
//   - [github.com/linnet-ml/linnet/layers], [github.com/linnet-ml/linnet/loss], [github.com/linnet-ml/linnet/optim],
//     [github.com/linnet-ml/linnet/metrics], [github.com/linnet-ml/linnet/callbacks]: the specs;
//   - [github.com/linnet-ml/linnet/text]: from texts to ids of words, and to what a model reads;
//   - [github.com/linnet-ml/linnet/pretrained]: word vectors and text embeddings that others trained;
//   - [github.com/linnet-ml/linnet/datasets/imdb] and its copy in the program,
//     [github.com/linnet-ml/linnet/datasets/imdb/builtin]: film reviews, good and bad;
//     [github.com/linnet-ml/linnet/datasets/texts]: texts with labels from CSV, JSON, fastText's lines or folders, streamed;
//     [github.com/linnet-ml/linnet/datasets/textdir]: texts in a folder for each class, in Keras's order;
//   - [github.com/linnet-ml/linnet/plots]: what a training logged, as pictures;
//   - [github.com/linnet-ml/linnet/tensor]: the arrays that go in and out;
//   - [github.com/linnet-ml/linnet/simd]: the kernels that compute;
//   - [github.com/linnet-ml/linnet/optional]: settings whose zero is legal but not the default.
//
// The programs examples/imdb and examples/imdb_hub walk through two whole tutorials with them:
//
//	go run github.com/linnet-ml/linnet/examples/imdb
//	go run github.com/linnet-ml/linnet/examples/imdb_hub
//
// The program examples/embed carries a saved model inside itself:
//
//	go run github.com/linnet-ml/linnet/examples/embed 'What a lovely film!'
package linnet
