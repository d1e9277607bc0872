// Package counts is the format of the word counts that package builtin embeds: for each row its label, and how often
// each token occurs in it.
//
// A file is a header, the rows to train on, the rows to test with, and the words:
//
//	8 bytes   "lnt-imdb"
//	uint32    version, 1
//	uint32    number of bytes that follow this header
//	uint32    CRC-32 (Castagnoli) of them
//
//	uint32    number of rows of the first split
//	uint32    vocabulary: ids run from 0 to vocabulary-1
//	uint32    steps: the counts of a row add up to this
//	uint32    pairs: how many (row, id) there are, padding left out
//	uint32    number of bytes of its bit stream
//	...       the bit stream
//	...       the second split in the same form
//	...       the words in the order of their rank, each followed by a line feed
//
// Integers are little-endian. The bit stream, low bits first, has a bit for each label and then, for id 1 to
// vocabulary-1 in turn, the set of rows with that id, then the set of those among them with at least two, then of those
// among these with at least three, and so on until a set is empty. Padding, id 0, takes what is missing to steps.
//
// A set of m out of n is written as the gaps between its members, or when m is more than n/2 as those between the
// others, in Golomb's code for gaps that are geometrically distributed: quotient by about ln(2)·n/m in unary, remainder
// in truncated binary. For the reviews this takes 2 % more than the entropy of words that occur independently of each other
// (general compressors: 10 % and more), and nothing but the numbers m need be stored to read it.
package counts
