// Peers measures linnet beside Keras, PyTorch, onnxruntime, OpenBLAS, oneDNN and plain Go loops: on one machine, in one
// run, in turn.
//
//	go run ./bench/peers
//
// It measures in sections (-only names some of them): fit, the first tutorial's 40 epochs; inference, the evaluation
// and prediction of its reviews; table, training with a large table; products, the matrix products of bench/gemm; and
// curves, linnet's cost against size. What is asked of linnet stands beside what it reached.
//
// It needs the data and the peers' scripts (-shared, $LINNET_SHARED or ../shared beside the repository) and python3.11,
// with which it makes a virtual environment outside the repository on its first run. A peer that cannot run is reported
// as missing. The tables go to standard output, and those of a whole run into bench/RESULTS.md; a run of other epochs
// or of some parts only (-quick, -only) is written only where -out says.
package main
