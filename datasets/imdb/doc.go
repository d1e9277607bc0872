// Package imdb reads the IMDB film reviews as Keras prepares them: 25,000 reviews to train on and 25,000 to test with,
// each a row of word ids (1 begins a review, 2 stands for an unknown word, words follow from 4 on, the most frequent
// first), and a label, 1 for a good review and 0 for a bad one.
//
//	train, test, err := imdb.Load(ctx, imdb.Options{NumWords: 10000})
//
// [Load] and [WordIndex] correspond to load_data and get_word_index of keras.datasets.imdb, with the same options and,
// for a given seed, the same order. They read the two files imdb.npz and imdb_word_index.json that Keras downloads.
// [LoadTexts] reads the reviews as they were written, in the same order, from the archive of the data set's authors:
//
//	train, test, err := imdb.LoadTexts(ctx, imdb.TextOptions{})
//
// This package downloads nothing; package fetch, below it, does. Package builtin carries a reduced copy in the program
// itself.
//
// The reviews are the Large Movie Review Dataset: Andrew L. Maas, Raymond E. Daly, Peter T. Pham, Dan Huang, Andrew Y.
// Ng and Christopher Potts, Learning Word Vectors for Sentiment Analysis, ACL 2011.
package imdb
