package main

import "github.com/linnet-ml/linnet/text"

// words cuts a text into words as it was done for imdb.npz.
func words(s string) []string {
	return text.SplitSpaces.Append(nil, text.LowerAndSpacePunctuation.Apply(s))
}

// The ids that are not words, as imdb.Load has them.
const (
	idPad   = 0
	idStart = 1
	idOOV   = 2
	idShift = 3 // the id of a word is its rank plus this
)

// encode turns a text into the ids of a review. A word outside the index or the vocabulary becomes idOOV; known counts
// the others.
func encode(s string, rank map[string]int, vocabulary int) (ids []int32, known int) {
	ids = append(ids, idStart)
	for _, w := range words(s) {
		id := int32(idOOV)
		if r, ok := rank[w]; ok && r+idShift < vocabulary {
			id = int32(r + idShift)
			known++
		}
		ids = append(ids, id)
	}
	return ids, known
}
