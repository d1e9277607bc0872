package random

import "math/bits"

const (
	multiplier0 = 0xD2511F53
	multiplier1 = 0xCD9E8D57
	weyl0       = 0x9E3779B9
	weyl1       = 0xBB67AE85
	rounds      = 10
)

// Philox turns a 64-bit key and a 128-bit counter into four random words.
func Philox(key [2]uint32, counter [4]uint32) [4]uint32 {
	k0, k1 := key[0], key[1]
	c0, c1, c2, c3 := counter[0], counter[1], counter[2], counter[3]
	for range rounds {
		p0 := uint64(c0) * multiplier0
		p1 := uint64(c2) * multiplier1
		c0, c1, c2, c3 = uint32(p1>>32)^c1^k0, uint32(p1), uint32(p0>>32)^c3^k1, uint32(p0)
		k0 += weyl0
		k1 += weyl1
	}
	return [4]uint32{c0, c1, c2, c3}
}

// Purpose keeps the streams of one seed apart.
type Purpose uint32

// What random numbers are drawn for.
const (
	Initial Purpose = iota + 1 // initial values of parameters
	Shuffle                    // the order of rows in an epoch
	Noise                      // Dropout and its like
	Check                      // upstream gradients and sampled elements of gradient checks
	Split                      // the rows that validate
)

// Stream is one sequence of random numbers. Copy it freely: it has no state.
type Stream struct {
	key  [2]uint32
	high [2]uint32
}

// New returns the stream for a seed, a purpose and a number within it, such as an epoch.
func New(seed uint64, purpose Purpose, number uint64) Stream {
	// The purpose goes through the generator with the seed, so that it shares no counter bits with the number.
	return Name{}.Stream(seed, purpose, number)
}

// Name identifies what draws random numbers by a name and a part of it: a parameter, or one of a layer's operations.
type Name struct {
	hash uint64
	part uint32
}

// Named returns the identity of a part of a name. It reads the name once, so that [Name.Stream] need not: the hash is
// 64-bit FNV-1a of the name's bytes, which starts from 0xCBF29CE484222325 and for each byte XORs it in and multiplies by
// 0x100000001B3, modulo 2^64.
func Named(name string, part uint32) Name {
	const offset, prime = 0xCBF29CE484222325, 0x100000001B3
	hash := uint64(offset)
	for i := range len(name) {
		hash = (hash ^ uint64(name[i])) * prime
	}
	return Name{hash, part}
}

// Stream returns the named stream for a seed, a purpose and a number within it, such as a training step. Numbers
// keep the streams of one key apart: number is the upper half of the counter. Names, parts, purposes and seeds choose the
// key: it is the first two words of Philox with the seed as the key and with hash (low word first), part and purpose as
// the counter.
func (n Name) Stream(seed uint64, purpose Purpose, number uint64) Stream {
	k := Philox([2]uint32{uint32(seed), uint32(seed >> 32)}, [4]uint32{uint32(n.hash), uint32(n.hash >> 32), n.part, uint32(purpose)})
	return Stream{key: [2]uint32{k[0], k[1]}, high: [2]uint32{uint32(number), uint32(number >> 32)}}
}

// Uint32 is number i of the stream.
func (s Stream) Uint32(i uint64) uint32 {
	return s.Block(i >> 2)[i&3]
}

// Block returns numbers 4i to 4i+3 of the stream.
func (s Stream) Block(i uint64) [4]uint32 {
	return Philox(s.key, [4]uint32{uint32(i), uint32(i >> 32), s.high[0], s.high[1]})
}

// Float32 is number i of the stream as a float32 in [0, 1): its upper 24 bits over 2^24, which is exact.
func (s Stream) Float32(i uint64) float32 { return unit(s.Uint32(i)) }

func unit(u uint32) float32 { return float32(u>>8) * (1.0 / (1 << 24)) }

// Uniform fills dst with numbers 0 to len(dst)-1 of the stream, spread evenly over [low, high).
func (s Stream) Uniform(dst []float32, low, high float32) {
	span := high - low
	for i := 0; i < len(dst); i += 4 {
		b := s.Block(uint64(i) >> 2)
		for j := range min(4, len(dst)-i) {
			dst[i+j] = float32(unit(b[j])*span) + low
		}
	}
}

// Shuffle puts order into a random order: Fisher and Yates's method from the end, each draw by multiplication with
// rejection (Lemire, 2019), so that every order is equally likely.
func (s Stream) Shuffle(order []int32) {
	next := uint64(0) // the number of the next draw; block holds the four around it
	var block [4]uint32
	draw := func() uint32 {
		if next&3 == 0 {
			block = s.Block(next >> 2)
		}
		next++
		return block[(next-1)&3]
	}
	for i := len(order) - 1; i > 0; i-- {
		n := uint32(i + 1)
		high, low := bits.Mul32(draw(), n)
		if low < n {
			for reject := -n % n; low < reject; {
				high, low = bits.Mul32(draw(), n)
			}
		}
		order[i], order[high] = order[high], order[i]
	}
}
