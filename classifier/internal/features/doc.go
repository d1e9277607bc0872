// Package features turns texts into numbered n-grams of words and of characters.
//
// A [Scanner] reads a text once and writes a 64-bit hash for each n-gram. [Build] numbers the n-grams of a collection of
// texts, exactly: the hash stands for the n-gram, and no string is kept. [Distinct] tells the n-grams of one text apart.
package features
