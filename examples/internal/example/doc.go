// Package example is what the programs of the tutorials have in common: how they read flags, what they print around
// their steps, how they end, and the files they write.
package example
