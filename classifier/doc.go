// Package classifier learns to label texts: one of two classes, one of many, or any number of labels a text.
//
// [Train] needs texts and labels and no option. It tries n-grams of words and of characters, two weightings, and several
// strengths of regularisation on held-out training rows, learns the best recipe from all rows, and keeps the largest
// weights, 8 bits each. The same examples and seed give the same bits on every platform and with any number of processors.
//
// A [Classifier] is immutable: any number of goroutines may use it at once.
package classifier
