package features

import "math/bits"

// Odd numbers from the fractional part of the golden ratio and from those of square roots of primes, which spread the
// bits of a product.
const (
	prime0 = 0x9E3779B97F4A7C15
	prime1 = 0xBB67AE8584CAA73B
	prime2 = 0x3C6EF372FE94F82B
	prime3 = 0xA54FF53A5F1D36F1
)

// mix makes every bit of x matter to every bit of the result: the two halves of a product of 128 bits.
func mix(x, prime uint64) uint64 {
	high, low := bits.Mul64(x, prime)
	return high ^ low
}

// longer makes the hashes of n-grams of n units out of those of n-1, which s.grams has. An n-gram's hash is a polynomial of
// its units' hashes, so that their order matters. Those are random in every bit, and so is the polynomial.
func (s *Scanner) longer(units []uint64, n int) {
	if n == 1 {
		s.grams = append(s.grams[:0], units...)
		return
	}
	if len(units) < n {
		s.grams = s.grams[:0]
		return
	}
	last := units[n-1:]
	s.grams = s.grams[:len(last)]
	for i, h := range s.grams {
		s.grams[i] = h*prime2 + last[i]
	}
}

// filtered appends the hashes of n-grams of low to high units that pass the filter.
func (s *Scanner) filtered(units []uint64, f *Filter, low, high int) {
	for n := 1; n <= high && n <= len(units); n++ {
		if n < low {
			s.longer(units, n)
			continue
		}
		k := len(s.hashes)
		s.hashes = grow(s.hashes, len(units)-n+1)
		if n == 1 {
			s.longer(units, n)
			k += f.sift(s.hashes[k:], units)
		} else {
			s.grams = s.grams[:len(units)-n+1]
			k += f.siftLonger(s.hashes[k:], s.grams, units[n-1:])
		}
		s.hashes = s.hashes[:k]
	}
}

// sift writes those hashes that pass the filter to out, which is as long as they are, and returns how many pass. It writes
// every hash and moves on only after one that passes: no branch waits for the memory.
//
//go:noinline
func (f *Filter) sift(out, hashes []uint64) int {
	words, shift := f.words, f.shift&63
	out = out[:len(hashes)]
	kept := uint(0)
	for _, h := range hashes {
		at := h >> shift
		out[kept] = h
		passes := uint(0)
		if words[at>>6]&(1<<(at&63)) != 0 {
			passes = 1
		}
		kept += passes
	}
	return int(kept)
}

// siftLonger is longer and sift in one.
//
//go:noinline
func (f *Filter) siftLonger(out, grams, last []uint64) int {
	words, shift := f.words, f.shift&63
	out, grams = out[:len(last)], grams[:len(last)]
	kept := uint(0)
	for i, x := range last {
		h := grams[i]*prime2 + x
		grams[i] = h
		at := h >> shift
		out[kept] = h
		passes := uint(0)
		if words[at>>6]&(1<<(at&63)) != 0 {
			passes = 1
		}
		kept += passes
	}
	return int(kept)
}

// grow makes a slice n elements longer. Their values are open.
func grow(x []uint64, n int) []uint64 {
	if len(x)+n <= cap(x) {
		return x[:len(x)+n]
	}
	return append(x, make([]uint64, n)...)
}

// A Filter notes hashes: it has a bit for the upper bits of each. Most n-grams of a text are in no model, so the filter,
// which fits into a cache, is asked first.
type Filter struct {
	words []uint64
	shift uint
}

// NewFilter returns an empty filter of 2^log bits, log from 6 to 40.
func NewFilter(log int) *Filter { return &Filter{make([]uint64, 1<<(log-6)), uint(64 - log)} }

// Add notes a hash.
func (f *Filter) Add(h uint64) {
	at := h >> f.shift
	f.words[at>>6] |= 1 << (at & 63)
}

// Has returns whether a hash may have been noted.
func (f *Filter) Has(h uint64) bool {
	at := h >> f.shift
	return f.words[at>>6]>>(at&63)&1 != 0
}

// Words returns the number of 64-bit words that the filter has.
func (f *Filter) Words() int { return len(f.words) }

// Bits returns the bit map, and the shift that makes a hash a place in it. The caller must not change it.
func (f *Filter) Bits() (words []uint64, shift uint) { return f.words, f.shift }
