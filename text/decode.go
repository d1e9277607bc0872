package text

import (
	"math"
	"strings"
)

// Decoder turns token ids back into words. It does not change once made: any number of goroutines may use it.
type Decoder struct {
	words map[int32]string
}

// NewDecoder makes a decoder from an index of words and their ranks. The id of a word is its rank + shift, and
// special[i] is the name of id i, whatever word the index has there. Of two words with one id the decoder takes the
// one that sorts first.
func NewDecoder(index map[string]int, shift int, special ...string) *Decoder {
	d := &Decoder{words: make(map[int32]string, len(index)+len(special))}
	for word, rank := range index {
		id := int64(rank) + int64(shift)
		overflows := (id < int64(rank)) != (shift < 0)
		if overflows || id < math.MinInt32 || id > math.MaxInt32 {
			continue // no id of a review can be this
		}
		if other, twice := d.words[int32(id)]; !twice || word < other {
			d.words[int32(id)] = word
		}
	}
	for i, name := range special {
		d.words[int32(i)] = name
	}
	return d
}

// Word returns the word of an id, and whether it has one.
func (d *Decoder) Word(id int32) (string, bool) {
	w, ok := d.words[id]
	return w, ok
}

// Decode writes the words of the ids with a space between them, and "?" for an id without a word.
func (d *Decoder) Decode(ids []int32) string {
	var b strings.Builder
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(' ')
		}
		if w, ok := d.words[id]; ok {
			b.WriteString(w)
		} else {
			b.WriteByte('?')
		}
	}
	return b.String()
}
