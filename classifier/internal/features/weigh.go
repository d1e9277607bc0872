package features

import (
	"math"

	"github.com/linnet-ml/linnet/simd"
)

// A Weighting turns counts into values.
type Weighting string

const (
	// TFIDF is (1 + log count) times the inverse document frequency.
	TFIDF Weighting = "tf-idf"
	// Binary is 1 for an n-gram that the text has.
	Binary Weighting = "binary"
)

// idfUnit is the step of inverse document frequencies: a byte holds 0 to 15.9.
const idfUnit = 1.0 / 16

// InverseFrequency is log((1+rows)/(1+frequency)) + 1 in steps of 1/16, at most 255 of them, so that a byte can keep it.
func InverseFrequency(rows int, frequency uint32) uint8 {
	x := simd.Log64((1+float64(rows))/(1+float64(frequency))) + 1
	return uint8(min(max(math.Floor(x/idfUnit+0.5), 1), 255))
}

// A Weigher gives n-grams their values in a text. All n-grams of words of a text together have length 1, and so have those
// of characters.
type Weigher struct {
	binary bool
	logs   [MaxCount + 1]float32 // 1 + log count
}

// MaxCount is the count of an n-gram that is more often in a text, too.
const MaxCount = 255

// NewWeigher returns a Weigher.
func NewWeigher(w Weighting) *Weigher {
	r := &Weigher{binary: w == Binary}
	for n := 1; n < len(r.logs); n++ {
		r.logs[n] = 1 + simd.Log32(float32(n))
	}
	return r
}

// Value is the value of an n-gram before [Scale]. The inverse frequency is the one of [InverseFrequency].
func (w *Weigher) Value(count uint32, inverse uint8) float32 {
	if w.binary {
		return 1
	}
	return float32(w.logs[min(count, MaxCount)]*float32(inverse)) * idfUnit
}

// Scale is what values with a sum of squares s are multiplied by for a length of 1.
func Scale(s float32) float32 {
	if s <= 0 {
		return 0
	}
	return 1 / float32(math.Sqrt(float64(s)))
}
