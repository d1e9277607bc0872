// Package numpy gives the random numbers of NumPy's legacy generator, with which Keras orders data.
package numpy

import (
	"math/bits"

	"gonum.org/v1/gonum/mathext/prng"
)

// RandomState gives the numbers of numpy.random.RandomState.
type RandomState struct{ mt *prng.MT19937 }

// NewRandomState returns RandomState(seed).
func NewRandomState(seed uint32) RandomState {
	mt := prng.NewMT19937()
	mt.Seed(uint64(seed))
	return RandomState{mt}
}

// interval returns a number from 0 to limit. Like NumPy it draws as many low bits as limit has until they make a
// number that is not above it.
func (r RandomState) interval(limit uint32) uint32 {
	mask := uint32(1)<<bits.Len32(limit) - 1
	for {
		if v := r.mt.Uint32() & mask; v <= limit {
			return v
		}
	}
}

// Permutation returns 0 to n-1 in the order in which RandomState.shuffle leaves them.
func (r RandomState) Permutation(n int) []int32 {
	p := make([]int32, n)
	for i := range p {
		p[i] = int32(i)
	}
	for i := n - 1; i > 0; i-- {
		j := r.interval(uint32(i))
		p[i], p[j] = p[j], p[i]
	}
	return p
}
