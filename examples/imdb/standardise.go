package main

import "strings"

// separators are what stands between words: Keras's filter for the texts of imdb.npz. The apostrophe is not among them.
const separators = "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n"

// words cuts a text into words as it was done for imdb.npz: by bytes, with only ASCII letters made lower case.
func words(text string) []string {
	b := []byte(text)
	for i, c := range b {
		switch {
		case 'A' <= c && c <= 'Z':
			b[i] = c - 'A' + 'a'
		case strings.IndexByte(separators, c) >= 0:
			b[i] = ' '
		}
	}
	list := strings.Split(string(b), " ")
	kept := list[:0]
	for _, w := range list {
		if w != "" {
			kept = append(kept, w)
		}
	}
	return kept
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
func encode(text string, rank map[string]int, vocabulary int) (ids []int32, known int) {
	ids = append(ids, idStart)
	for _, w := range words(text) {
		id := int32(idOOV)
		if r, ok := rank[w]; ok && r+idShift < vocabulary {
			id = int32(r + idShift)
			known++
		}
		ids = append(ids, id)
	}
	return ids, known
}
