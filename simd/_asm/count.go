package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// count writes the kernel that counts the ids of a row: it sorts up to 256 of
// them, as 16-bit numbers in eight registers, and finds the runs of equal ones.
//
// Number 8*l + r of the order is lane l of register r. A network sorts the
// eight numbers of each lane; five merges follow, of two lanes, then of four, up
// to all 32. A merge compares each number with its mirror image in the other
// half, so that both halves are bitonic with nothing of the upper half below
// anything of the lower, then sorts the halves by comparing at distances of half
// the lanes, and so on down to the registers.
func count() {
	const name = "countIDsAVX512"
	function(name, "(out []uint32, row []int32, vocabulary int) int",
		"is the kernel of CountIDs: row has at most 256 ids and out room for 288. It returns -1 for an id outside the vocabulary.",
		"slices.Sort(row)",
		"for each run of n equal ids: append uint32(id) | n<<16 to out")
	out, row, n := base("out"), base("row"), size("row")
	bound, length, numbers := ZMM(), ZMM(), ZMM()
	VPBROADCASTD(argument("vocabulary"), bound)
	VPBROADCASTD(n.As32(), length)
	VMOVDQU32(sequence("numbers", 16, 4, func(i int) int { return i }), numbers)

	// Numbers beyond the row are 0xffff, which no vocabulary has: they come last.
	at, step, narrow, none, bad := ZMM(), ZMM(), ZMM(), ZMM(), K()
	VMOVDQA32(numbers, at)
	broadcastNumber(16, step)
	VMOVDQU16(sequence("narrow", 32, 2, func(i int) int { return 2 * i }), narrow)
	VPTERNLOGD(U8(0xff), none, none, none)
	KXORW(bad, bad, bad)
	v := make([]reg.VecVirtual, 8)
	for r := range v {
		half := [2]reg.VecVirtual{ZMM(), ZMM()}
		for j := range half {
			exists, outside := K(), K()
			VPCMPUD(U8(1), length, at, exists)
			VMOVDQA32(none, half[j])
			VMOVDQU32(Mem{Base: row}.Offset(64*(2*r+j)), exists, half[j])
			VPCMPUD(U8(5), bound, half[j], exists, outside)
			KORW(outside, bad, bad)
			VPADDD(step, at, at)
		}
		VPERMT2W(half[1], narrow, half[0])
		v[r] = half[0]
	}
	KTESTW(bad, bad)
	JNZ(LabelRef(name + "_outside"))

	order := func(a, b int) {
		low := ZMM()
		VPMINUW(v[a], v[b], low)
		VPMAXUW(v[a], v[b], v[b])
		v[a] = low
	}
	for _, pair := range [][2]int{
		{0, 2}, {1, 3}, {4, 6}, {5, 7}, {0, 4}, {1, 5}, {2, 6}, {3, 7}, {0, 1}, {2, 3}, {4, 5}, {6, 7},
		{2, 4}, {3, 5}, {1, 4}, {3, 6}, {1, 2}, {3, 4}, {5, 6},
	} {
		order(pair[0], pair[1])
	}

	upper := make([]reg.OpmaskVirtual, 5) // the lanes with bit i set: they keep the larger number
	for i, bits := range []uint32{0xaaaaaaaa, 0xcccccccc, 0xf0f0f0f0, 0xff00ff00, 0xffff0000} {
		r := GP32()
		MOVL(U32(bits), r)
		upper[i] = K()
		KMOVD(r, upper[i])
	}
	mirrors := map[int]reg.VecVirtual{}
	for lanes := 4; lanes <= 32; lanes *= 2 {
		mirror := ZMM()
		if lanes <= 8 { // bytes within 128 bits
			VMOVDQU8(sequence(fmt.Sprintf("mirror%d", lanes), 64, 1, func(i int) int { return (i/2^(lanes-1))*2%16 + i%2 }), mirror)
		} else {
			VMOVDQU16(sequence(fmt.Sprintf("mirror%d", lanes), 32, 2, func(i int) int { return i ^ (lanes - 1) }), mirror)
		}
		mirrors[lanes] = mirror
	}
	// exchange returns x with lane i at i^distance.
	exchange := func(x reg.VecVirtual, distance int) reg.VecVirtual {
		y := ZMM()
		switch distance {
		case 1:
			VPROLD(U8(16), x, y)
		case 2:
			VPSHUFD(U8(0xb1), x, y)
		case 4:
			VPSHUFD(U8(0x4e), x, y)
		case 8:
			VSHUFI64X2(U8(0xb1), x, x, y)
		case 16:
			VSHUFI64X2(U8(0x4e), x, x, y)
		}
		return y
	}
	// reverse returns x with each group of so many lanes in reverse.
	reverse := func(x reg.VecVirtual, lanes int) reg.VecVirtual {
		if lanes == 2 {
			return exchange(x, 1)
		}
		y := ZMM()
		if lanes <= 8 {
			VPSHUFB(mirrors[lanes], x, y)
		} else {
			VPERMW(x, mirrors[lanes], y)
		}
		return y
	}
	// keep leaves in x the smaller of x and y, in the upper lanes the larger.
	keep := func(x, y reg.VecVirtual, upper reg.OpmaskVirtual) reg.VecVirtual {
		z := ZMM()
		VPMINUW(y, x, z)
		VPMAXUW(y, x, upper, z)
		return z
	}
	for level := range 5 {
		for r := range 4 {
			a, b := reverse(v[7-r], 2<<level), reverse(v[r], 2<<level)
			v[r], v[7-r] = keep(v[r], a, upper[level]), keep(v[7-r], b, upper[level])
		}
		for bit := level - 1; bit >= 0; bit-- {
			for r := range v {
				v[r] = keep(v[r], exchange(v[r], 1<<bit), upper[bit])
			}
		}
		for distance := 4; distance > 0; distance /= 2 {
			for r := range v {
				if r&distance == 0 {
					order(r, r+distance)
				}
			}
		}
	}

	// In place of lanes of registers, one after another: transposed within each
	// 128 bits, and then the 128 bits.
	var w, t [8]reg.VecVirtual
	for i := 0; i < 8; i += 2 {
		w[i], w[i+1] = pairOf(VPUNPCKLWD, VPUNPCKHWD, v[i], v[i+1]) // lanes 0 to 3, 4 to 7
	}
	copy(v, w[:])
	for i := 0; i < 8; i += 4 {
		w[i], w[i+1] = pairOf(VPUNPCKLDQ, VPUNPCKHDQ, v[i], v[i+2])     // lanes 0 and 1, 2 and 3
		w[i+2], w[i+3] = pairOf(VPUNPCKLDQ, VPUNPCKHDQ, v[i+1], v[i+3]) // lanes 4 and 5, 6 and 7
	}
	for i := range 4 {
		t[2*i], t[2*i+1] = pairOf(VPUNPCKLQDQ, VPUNPCKHQDQ, w[i], w[i+4])
	}
	sorted := make([]reg.VecVirtual, 8)
	for half := range 2 {
		t := t[4*half : 4*half+4]
		a, b, c, d := ZMM(), ZMM(), ZMM(), ZMM()
		VSHUFI32X4(U8(0x44), t[1], t[0], a) // t0.0 t0.1 t1.0 t1.1
		VSHUFI32X4(U8(0xee), t[1], t[0], b) // t0.2 t0.3 t1.2 t1.3
		VSHUFI32X4(U8(0x44), t[3], t[2], c)
		VSHUFI32X4(U8(0xee), t[3], t[2], d)
		for k, from := range [][2]reg.VecVirtual{{a, c}, {b, d}} {
			for odd := range 2 {
				y := ZMM()
				VSHUFI32X4(U8([]int{0x88, 0xdd}[odd]), from[1], from[0], y)
				sorted[2*(2*k+odd)+half] = y
			}
		}
	}

	// The first of each run goes to out with its place in the high half.
	last, place, k := ZMM(), ZMM(), GP64()
	VMOVDQA32(none, last)
	VPSLLD(U8(16), numbers, place)
	VPSLLD(U8(16), step, step)
	XORQ(k, k)
	for _, s := range sorted {
		for j := range 2 {
			x, before, first, packed, here := ZMM(), ZMM(), K(), ZMM(), GP32()
			if j == 0 {
				VPMOVZXWD(s.AsY(), x)
			} else {
				y := YMM()
				VEXTRACTI64X4(U8(1), s, y)
				VPMOVZXWD(y, x)
			}
			VALIGND(U8(15), last, x, before)
			VPCMPUD(U8(4), before, x, first)
			VPORD(place, x, packed)
			VPADDD(step, place, place)
			VPCOMPRESSD_Z(packed, first, packed)
			VMOVDQU32(packed, Mem{Base: out, Index: k, Scale: 4})
			KMOVW(first, here)
			POPCNTL(here, here)
			ADDQ(here.As64(), k)
			last = x
		}
	}
	// What follows the last run: the numbers beyond the row, or its end.
	CMPQ(n, U32(256))
	JE(LabelRef(name + "_full"))
	DECQ(k)
	JMP(LabelRef(name + "_counts"))
	Label(name + "_full")
	MOVL(U32(256<<16), Mem{Base: out, Index: k, Scale: 4})

	// Places become counts: the next run's place less its own.
	Label(name + "_counts")
	low := ZMM()
	broadcastNumber(0xffff, low)
	i := GP64()
	XORQ(i, i)
	Label(name + "_loop")
	CMPQ(i, k)
	JGE(LabelRef(name + "_done"))
	id, next, own := ZMM(), ZMM(), ZMM()
	VMOVDQU32(Mem{Base: out, Index: i, Scale: 4}, id)
	VMOVDQU32(Mem{Base: out, Index: i, Scale: 4, Disp: 4}, next)
	VPANDND(id, low, own)
	VPSUBD(own, next, next)
	VPTERNLOGD(U8(0xd8), low, id, next) // id in the low half, next in the high
	VMOVDQU32(next, Mem{Base: out, Index: i, Scale: 4})
	ADDQ(U32(16), i)
	JMP(LabelRef(name + "_loop"))
	Label(name + "_done")
	Store(k, ReturnIndex(0))
	end()

	Label(name + "_outside")
	MOVQ(I32(-1), k)
	Store(k, ReturnIndex(0))
	end()
}

// pairOf interleaves a and b, within each 128 bits: the lower halves and the
// upper ones.
func pairOf(lower, upper func(...Op), a, b reg.VecVirtual) (l, u reg.VecVirtual) {
	l, u = ZMM(), ZMM()
	lower(b, a, l)
	upper(b, a, u)
	return l, u
}

// broadcastNumber sets all 32-bit lanes of x.
func broadcastNumber(n uint32, x reg.VecVirtual) {
	r := GP32()
	MOVL(U32(n), r)
	VPBROADCASTD(r, x)
}

// sequence is read-only memory of n numbers of so many bytes.
func sequence(name string, n, bytes int, number func(i int) int) Mem {
	m := GLOBL(name, RODATA|NOPTR)
	for i := range n {
		switch bytes {
		case 1:
			DATA(i, U8(number(i)))
		case 2:
			DATA(2*i, U16(number(i)))
		default:
			DATA(4*i, U32(number(i)))
		}
	}
	return m
}
