// Package bundle reads TensorFlow's tensor bundles: the checkpoints of TensorFlow 2 and the variables of a SavedModel
// (tensorflow/core/util/tensor_bundle).
//
// A bundle with the prefix P is a table of contents, P.index, and data files P.data-00000-of-0000N. The index is a
// sorted string table as LevelDB has it, in blocks with a checksum, some of them compressed with Snappy: under the
// empty key lies a header, under each other key an entry that says of a tensor its type, shape, data file, place
// there and CRC32C. [Open] reads the whole index and holds it against the sizes of the data files; tensors are read
// when asked for, in pieces, and their checksums are verified before anyone gets to see the values. Memory grows with
// the index's size and with what the caller asks for, never with what a header claims.
package bundle
