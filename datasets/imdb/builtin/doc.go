// Package builtin carries a reduced copy of the IMDB film reviews in the program that imports it, for a first network
// without any download: for each of the 50,000 reviews, in Keras's order, its label, and how often each of the 10,000
// most frequent words occurs in the last 256 tokens, which is the input of the tutorial without the order of the
// words. A network that averages its word vectors learns the same from it as from the rows of ids.
//
// It adds 4.4 MB to the program. The order inside the reviews is not kept, as their texts are not ours to ship: package
// imdb reads the whole reviews from Keras's files. The file NOTICE in this folder says where the counts come from and
// under which terms; linnet's licence does not cover them.
package builtin
