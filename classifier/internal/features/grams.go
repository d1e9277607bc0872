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

// find appends the numbers of those n-grams of low to high units that the table has to s.ids.
func (s *Scanner) find(units []uint64, t *Table, low, high int) {
	find := s.kernels.find
	if t.reach > vectorReach {
		find = findPortable
	}
	for n := 1; n <= high && n <= len(units); n++ {
		if n < low {
			s.longer(units, n)
			continue
		}
		last := units[n-1:]
		s.grams = grow(s.grams[:0], len(last))
		if n == 1 {
			clear(s.grams)
		}
		for i := 0; i < len(last); i += siftChunk {
			end := min(i+siftChunk, len(last))
			kept := s.kernels.sift(&s.candidates, t, s.grams[i:end], last[i:end])
			k := len(s.ids)
			if cap(s.ids) < k+kept {
				s.ids = append(make([]uint32, 0, 2*(k+kept)), s.ids...)
			}
			s.ids = s.ids[:k+find(s.ids[k:k+kept], &s.candidates, t, kept)]
		}
	}
}

// grow makes a slice n elements longer. Their values are open.
func grow(x []uint64, n int) []uint64 {
	if len(x)+n <= cap(x) {
		return x[:len(x)+n]
	}
	return append(x, make([]uint64, n)...)
}
