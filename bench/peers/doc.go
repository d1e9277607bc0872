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
// Four more sections are measured only when -only names them, each program once: classify, text classifiers on five data
// sets beside scikit-learn and fastText, and thresholds for a precision or recall; classify-rows, classify-size and
// classify-time, linnet's accuracy against the number of training rows, the size of the file and the time budget. They
// learn from and are asked about training data. With -part test, classify asks about the test data instead: that is for
// the recorded figures, not for choices. -only classify-imdb measures one data set, -linnet-args adds a run of linnet
// train with other arguments. Where linnet train has no --budget, classify fails, unless -only leaves linnet-budget out,
// and classify-time says so in its table.
//
// -only serve measures linnet serve under load, beside fastText behind FastAPI; it needs wrk. -soak 10m keeps linnet serve at
// full load for that long too.
//
// It needs the data and the peers' scripts (-shared, $LINNET_SHARED or ../shared beside the repository) and python3.11,
// with which it makes virtual environments outside the repository on its first run: hub needs an older TensorFlow than
// the others, and has its own. A peer that cannot run is reported as missing. The tables go to standard output, and
// those of a whole run into bench/RESULTS.md; a run of other epochs or of some parts only (-quick, -only) is written
// only where -out says. Those of -only hub, load, serve (with -soak 10m), classify (for each -part), classify-rows, classify-size and classify-time
// alone have their own places there.
package main
