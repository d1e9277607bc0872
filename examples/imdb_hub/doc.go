// Command imdb_hub walks through the tutorial "Text Classification with TensorFlow Hub: Movie Reviews" in Go: film
// reviews as texts, a text embedding that somebody else trained and that goes on training with the rest of the network,
// 40 epochs, what overfitting looks like, and how to stop in time.
//
//	go run ./examples/imdb_hub
//	go run ./examples/imdb_hub -plot curves.png
//	go run ./examples/imdb_hub -module nnlm-en-dim50 -data ~/Downloads
//
// Without the reviews' texts and without a module it uses what is built in: the reviews' words in no order, and GloVe's
// vectors for the most frequent of them. -h lists the flags.
//
// The network that was trained last goes into a file with -save, with the words and vectors that it reads texts with. It
// is tested and asked again without training (-load), and trains on to -epochs (-resume), with the bits of one run:
//
//	go run ./examples/imdb_hub -save reviews.linnet
//	go run ./examples/imdb_hub -load reviews.linnet -try 'What a lovely film!'
package main
