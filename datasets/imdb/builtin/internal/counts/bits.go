package counts

import (
	"encoding/binary"
	"math/bits"
)

// bitWriter writes low bits first.
type bitWriter struct {
	data []byte
	acc  uint64
	n    uint // bits in acc, fewer than 8 between calls
}

// put writes the low k bits of v, at most 56.
func (w *bitWriter) put(v uint64, k uint) {
	w.acc |= v << w.n
	for w.n += k; w.n >= 8; w.n -= 8 {
		w.data = append(w.data, byte(w.acc))
		w.acc >>= 8
	}
}

// unary writes q zeros and a one.
func (w *bitWriter) unary(q uint) {
	for ; q >= 32; q -= 32 {
		w.put(0, 32)
	}
	w.put(1<<q, q+1)
}

// bytes returns what was written, the last byte filled up with zeros.
func (w *bitWriter) bytes() []byte {
	if w.n > 0 {
		w.put(0, 8-w.n)
	}
	return w.data
}

// bitReader reads what bitWriter wrote. Past the end it reads ones, which end every unary number.
type bitReader struct {
	data []byte
	pos  int // next byte to go into acc
	acc  uint64
	n    uint // bits in acc
	past bool // a number that no writer writes was read
}

// fill makes at least 56 bits available.
func (r *bitReader) fill() {
	if r.pos+8 <= len(r.data) {
		r.acc |= binary.LittleEndian.Uint64(r.data[r.pos:]) << r.n
		r.pos += int(63-r.n) >> 3
		r.n |= 56
		return
	}
	for ; r.n <= 56; r.n += 8 {
		if r.pos < len(r.data) {
			r.acc |= uint64(r.data[r.pos]) << r.n
		} else {
			// Bytes past the end may be loaded as long as no bit of them is used: see overrun.
			r.acc |= 0xff << r.n
		}
		r.pos++
	}
}

// overrun reports whether bits past the end were used.
func (r *bitReader) overrun() bool { return r.past || 8*r.pos-int(r.n) > 8*len(r.data) }

// get reads k bits, at most 56.
func (r *bitReader) get(k uint) uint64 {
	if r.n < k {
		r.fill()
	}
	v := r.acc & (1<<k - 1)
	r.acc >>= k
	r.n -= k
	return v
}

// unary reads zeros up to a one and returns their number.
func (r *bitReader) unary() uint {
	q := uint(0)
	for {
		if r.n < 32 {
			r.fill()
		}
		if z := uint(bits.TrailingZeros64(r.acc)); z < r.n {
			r.acc >>= z + 1
			r.n -= z + 1
			return q + z
		}
		q += r.n
		r.acc, r.n = 0, 0
	}
}

// number and putNumber are exponential Golomb codes of order k: short for numbers below 2^k.
func (w *bitWriter) number(v uint32, k uint) {
	x := uint64(v) + 1<<k
	length := uint(bits.Len64(x))
	w.unary(length - k - 1)
	w.put(x&(1<<(length-1)-1), length-1)
}

func (r *bitReader) number(k uint) uint32 {
	length := r.unary() + k + 1
	if length > 33 { // no encoder writes this
		r.past = true
		return 0
	}
	return uint32(r.get(length-1) + 1<<(length-1) - 1<<k)
}

// golomb is the code of a gap in a set of m out of n.
type golomb struct {
	m      uint64 // divisor
	bits   uint   // a remainder below cutoff takes bits, another one bit more
	cutoff uint64
}

func newGolomb(m, n int) golomb {
	d := max(1, (uint64(n)*177+uint64(m)*128)/(uint64(m)*256)) // 177/256 is ln 2, near enough
	length := uint(bits.Len64(d - 1))                          // of the largest remainder
	if length == 0 {
		return golomb{m: 1, cutoff: 1}
	}
	return golomb{m: d, bits: length - 1, cutoff: 1<<length - d}
}

func (w *bitWriter) gap(g golomb, v uint64) {
	w.unary(uint(v / g.m))
	rest := v % g.m
	if rest < g.cutoff {
		w.put(rest, g.bits)
		return
	}
	// The high bits come first, so that the reader knows whether one more follows.
	rest += g.cutoff
	w.put(rest>>1, g.bits)
	w.put(rest&1, 1)
}

func (r *bitReader) gap(g golomb) uint64 {
	q := uint64(r.unary())
	if r.n < g.bits+1 {
		r.fill()
	}
	rest := r.acc & (1<<g.bits - 1)
	r.acc >>= g.bits
	r.n -= g.bits
	if rest >= g.cutoff {
		rest = rest<<1 | r.acc&1
		rest -= g.cutoff
		r.acc >>= 1
		r.n--
	}
	return q*g.m + rest
}
