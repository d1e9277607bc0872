// Peers measures linnet beside Keras, PyTorch, onnxruntime, OpenBLAS, oneDNN and plain Go loops: on one machine, in one
// run, in turn.
//
//	go run ./bench/peers
//
// It measures in sections (-only names some of them): fit, the first tutorial's 40 epochs; inference, the evaluation
// and prediction of its reviews; table, training with a large table; products, the matrix products of bench/gemm;
// curves, linnet's cost against size; hub, the second tutorial with a module of the size of nnlm-en-dim50, which it
// makes on its first run; and load, saved models. What is asked of linnet stands beside what it reached.
//
// It needs the data and the peers' scripts (-shared, $LINNET_SHARED or ../shared beside the repository) and python3.11,
// with which it makes virtual environments outside the repository on its first run: hub needs an older TensorFlow than
// the others, and has its own. A peer that cannot run is reported as missing. The tables go to standard output, and
// those of a whole run into bench/RESULTS.md; a run of other epochs or of some parts only (-quick, -only) is written
// only where -out says, but that of hub alone (-only hub), which has its own place there.
package main
