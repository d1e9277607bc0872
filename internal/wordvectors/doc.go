// Package wordvectors reads tables of word vectors: GloVe's text files, word2vec's text and binary files, and fastText's
// .vec files, which are word2vec's text. [UnpackFile] takes gzip, zstd, bzip2 or a zip archive off a file first.
//
// A [Reader] goes through a file once and gives one word after the other. The numbers of a word's vector are only looked
// at when they are asked for: whoever wants a few of a million words, or the words alone, does not pay for the rest.
// Memory does not depend on what a header claims; it grows with the longest line that is really there.
//
//	GloVe           word SPACE number ... SPACE number LF, a line for each word
//	word2vec text   the same behind a line "words SPACE dimension"; fastText ends its lines with a space
//	word2vec binary the same header, then word SPACE float32 ... float32, little-endian, with or without an LF behind
//
// Words are bytes, in any encoding. In the text files a word may hold spaces, as some of GloVe's do (". . ."): the last
// values of a line are its vector and all before them is the word. Where the dimension is known, from the caller or from a
// header, the word may end with numbers too ("route 66"). A run of spaces separates as one space does. A byte order mark at
// the start and carriage returns at the ends of lines are left out.
package wordvectors
