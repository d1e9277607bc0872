// Imdb is Keras's tutorial "Basic text classification: movie reviews" from its first step to its last: a small network
// learns to tell good film reviews from bad ones.
//
//	go run ./examples/imdb
//
// It reads the ordered reviews where it finds them (-data, or the cache that package imdb describes), and else the copy
// that package builtin carries. With -data download it fetches the ordered ones first. Flags change the network, the
// training and what is written; -h lists them.
//
// A trained model goes into a file, is tested and asked again without training, and trains on:
//
//	go run ./examples/imdb -epochs 20 -save reviews.linnet
//	go run ./examples/imdb -load reviews.linnet -try 'What a lovely film!'
//	go run ./examples/imdb -epochs 26 -resume reviews.linnet -save reviews.linnet
//
// The last has the bits of one run of 26 epochs.
//
// The exit code is 0, 1 for an error, 2 for a flag that cannot be, and 130 when Ctrl-C ended the training; what was
// reached by then is still reported.
package main
