package classifier

import "github.com/linnet-ml/linnet/classifier/internal/features"

// A block is a kind of n-grams that have length 1 together: words, or characters.
type block int

const (
	words block = iota
	characters
	blocks
)

// blockOf returns the block that a kind of n-grams belongs to.
func blockOf(k features.Kind) block {
	if _, chars := k.Length(); chars {
		return characters
	}
	return words
}

// kinds returns the first and the last kind of n-grams.
func (b block) kinds() (first, last features.Kind) {
	if b == words {
		return features.Words(1), features.Words(features.MaxGram)
	}
	return features.Chars(1), features.Chars(features.MaxGram)
}
