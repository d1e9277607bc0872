// Package builtin carries a text embedding in the program that imports it, for a machine without a network: real GloVe
// vectors, reduced to 2 MB. Its name is glove-imdb-50.
//
// It has the 51,000 words that the training reviews of the IMDB data set have most often, as far as GloVe 6B has them,
// and a row of zeros for all others; words of one letter are among the others, as the copy of GloVe that it was made from
// lacks them. The vectors are the first 50 principal components of GloVe's 100 values, times 0.1,
// in 8 bits. Texts become words as with [pretrained.OpenVectors]: split at white space and at line breaks of HTML, without
// punctuation, with A to Z as small letters. The vectors of a text are added up and divided by the square root of the number of
// its words.
//
// What the reduction costs: see [Open]. The file NOTICE in this folder says where the vectors come from and under which
// terms, and what was changed.
package builtin
