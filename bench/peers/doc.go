// Peers measures linnet beside Keras and PyTorch on the first tutorial: the same data, the same network, 40 epochs of
// 512 with validation, on one machine in one run, in turn.
//
//	go run ./bench/peers
//
// It needs the data and the peers' scripts (-shared, $LINNET_SHARED or ../shared beside the repository) and python3.11,
// with which it makes a virtual environment outside the repository on its first run. The table goes to standard output
// and into bench/RESULTS.md; a run of other epochs or of some peers only is printed, and written where -out says.
package main
