// Package regions is a small network that sees the order of words: embeddings of regions of 3 and of 20 words, the largest
// value of each unit over all regions of a text, and one linear layer (after Johnson and Zhang, "Effective use of word order
// for text categorization with convolutional neural networks", 2015). The same rows and seed give the same bits on every
// platform and with any number of processors.
package regions
