package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// numberLanes loads what the kernels for AVX-512 keep in registers: eight vectors,
// of which vector j holds j in all lanes.
func (k *bagsKernel) numberLanes() {
	for j := range k.number {
		r := GP32()
		MOVL(U32(j), r)
		k.number[j] = ZMM()
		VPBROADCASTD(r, k.number[j])
	}
}

// eightWide is eight with AVX-512: the counts stay in a register. With a mask of
// the pairs that exist it loads only those, as id and count 0 for the others,
// and stores the ids.
func (k *bagsKernel) eightWide(exist reg.OpmaskVirtual) (counts vec) {
	ids := YMM()
	counts = YMM()
	if k.bits == 16 {
		if exist == nil {
			VMOVDQU32(Mem{Base: k.cur}, ids)
		} else {
			VMOVDQU32_Z(Mem{Base: k.cur}, exist, ids)
		}
		VPSRLD(U8(16), ids, counts)
		VPANDD(k.mask, ids, ids)
	} else {
		z := ZMM()
		if exist == nil {
			VMOVDQU64(Mem{Base: k.cur}, z)
		} else {
			VMOVDQU64_Z(Mem{Base: k.cur}, exist, z)
		}
		VPMOVQD(z, ids)
		VPSRLQ(U8(32), z, z)
		VPMOVQD(z, counts)
	}
	if exist == nil {
		PREFETCHT0(Mem{Base: k.cur, Index: k.ahead, Scale: 1})
	} else {
		VMOVDQU32(ids, k.ids)
	}
	VCVTDQ2PS(counts, counts)
	out := K()
	VPCMPUD(U8(6), k.last, ids, out)
	KORTESTB(out, out)
	JNZ(LabelRef(k.outside))
	return counts
}

// count returns the count of pair j in all lanes. A permutation is faster here
// than to store the counts and load each again.
func (k *bagsKernel) count(counts vec, j int, r rowPart) vec {
	c := r.register()
	if r.lanes == 8 {
		VPERMPS(counts, k.number[j].AsY(), c)
	} else {
		VPERMPS(counts.AsZ(), k.number[j], c)
	}
	return c
}

// someID loads the id of pair j of eight of which some may not exist.
func (k *bagsKernel) someID(j int) gp {
	id := GP32()
	MOVL(k.ids.Offset(4*j), id)
	return id.As64().(gp)
}

// id loads the id of pair j of eight.
func (k *bagsKernel) id(j int) gp {
	id := GP32()
	if k.bits == 16 {
		MOVWLZX(Mem{Base: k.cur, Disp: 4 * j}, id)
	} else {
		MOVL(Mem{Base: k.cur, Disp: 8 * j}, id)
	}
	return id.As64().(gp)
}

// rowPart is a part of a row: so many vectors of so many lanes, the last of
// which may be masked.
type rowPart struct {
	vectors, lanes int
	mask           reg.OpmaskVirtual
}

func (r rowPart) register() vec {
	if r.lanes == 8 {
		return YMM()
	}
	return ZMM()
}

// masked returns the mask of vector v, nil for a whole one.
func (r rowPart) masked(v int) reg.OpmaskVirtual { return lastMask(v, r.vectors, r.mask) }

// load reads vector v of a row.
func (r rowPart) load(m Mem, v int) vec {
	x := r.register()
	m.Disp += 4 * r.lanes * v
	if k := r.masked(v); k != nil {
		VMOVUPS_Z(m, k, x)
	} else {
		VMOVUPS(m, x)
	}
	return x
}

// store writes vector v of a row.
func (r rowPart) store(x vec, m Mem, v int) {
	m.Disp += 4 * r.lanes * v
	if k := r.masked(v); k != nil {
		VMOVUPS(x, k, m)
	} else {
		VMOVUPS(x, m)
	}
}

func bagsMeanWide(p pairs) {
	name := "bagsMean" + p.name + isa()
	function(name, "(dst, table []float32, dim int, last uint32, pairs []"+p.word+", from, to []int, n []float32) int", bagsMeanDoc, p.meanReference()...)
	k := newBagsKernel(p, name)
	k.outside = k.label("done")
	k.ids = AllocLocal(32)
	k.numberLanes()
	dst, stride := base("dst"), bytes(word("dim"))
	table, columns := GP64(), GP64()

	// part averages a part of each row of the bag.
	part := func(at string, r rowPart) {
		s := make([][]vec, 4)
		for a := range s {
			s[a] = make([]vec, r.vectors)
			for v := range s[a] {
				s[a][v] = r.register()
				VXORPS(s[a][v], s[a][v], s[a][v])
			}
		}
		// add adds pair j. If it may not exist, left tells in all lanes how
		// many pairs do, and nothing is added and read for those that do not:
		// a branch would go astray in every bag.
		add := func(j int, id gp, counts, left vec) {
			count := k.count(counts, j, r)
			IMULQ(stride, id)
			var exists reg.OpmaskVirtual
			if left != nil {
				exists = K()
				VPCMPUD(U8(1), left, k.number[j], exists)
			}
			for v := range r.vectors {
				t, from := r.register(), Mem{Base: table, Index: id, Scale: 1, Disp: 4 * r.lanes * v}
				m := r.masked(v)
				switch {
				case m != nil && exists != nil:
					KANDW(m, exists, exists) // of the last vector
					VMULPS_Z(from, count, exists, t)
				case m != nil:
					VMULPS_Z(from, count, m, t)
				case exists != nil:
					VMULPS_Z(from, count, exists, t)
				default:
					VMULPS(from, count, t)
				}
				VADDPS(t, s[j%4][v], s[j%4][v])
			}
		}
		MOVQ(k.first, k.cur)
		MOVQ(k.size, k.left)
		SUBQ(U8(8), k.left)
		JL(LabelRef(at + "_last"))
		Label(at + "_loop")
		counts := k.eightWide(nil)
		for j := range 8 {
			add(j, k.id(j), counts, nil)
		}
		ADDQ(U8(8*p.bytes()), k.cur)
		SUBQ(U8(8), k.left)
		JGE(LabelRef(at + "_loop"))
		Label(at + "_last")
		ADDQ(U8(8), k.left)
		JZ(LabelRef(at + "_mean"))
		counts = k.eightWide(tailMask(k.left).(reg.OpmaskVirtual))
		left := ZMM()
		VPBROADCASTD(k.left.As32(), left)
		for j := range 7 {
			add(j, k.someID(j), counts, left)
		}
		Label(at + "_mean")
		divisors, n, keep := base("n"), r.register(), K()
		VBROADCASTSS(Mem{Base: divisors, Index: k.i, Scale: 4}, n)
		o := r.register()
		VXORPS(o, o, o)
		VCMPPS(U8(notEqual), o, n, keep)
		for v := range r.vectors {
			VADDPS(s[1][v], s[0][v], s[0][v])
			VADDPS(s[3][v], s[2][v], s[2][v])
			VADDPS(s[2][v], s[0][v], s[0][v])
			VDIVPS_Z(n, s[0][v], keep, s[0][v])
			r.store(s[0][v], Mem{Base: dst}, v)
		}
	}

	Label(k.label("bag"))
	CMPQ(k.i, address(Param("from").Len()))
	JGE(LabelRef(k.label("done")))
	k.bag()
	Load(Param("table").Base(), table)
	Load(Param("dim"), columns)
	next := k.label("next")

	Label(k.label("columns"))
	CMPQ(columns, U8(16))
	JE(LabelRef(k.label("columns16")))
	CMPQ(columns, U8(8))
	JE(LabelRef(k.label("columns8")))
	for vectors := 1; vectors < 4; vectors++ {
		CMPQ(columns, U8(16*vectors))
		JLE(LabelRef(k.label("part%d", vectors)))
	}
	for vectors := 4; vectors > 0; vectors-- {
		at := k.label("part%d", vectors)
		Label(at)
		rest := GP64()
		LEAQ(Mem{Base: columns, Disp: -16 * (vectors - 1)}, rest)
		if vectors == 4 {
			sixteen := GP64()
			MOVQ(U32(16), sixteen)
			CMPQ(rest, sixteen)
			CMOVQGT(sixteen, rest)
		}
		part(at, rowPart{vectors, 16, tailMask(rest).(reg.OpmaskVirtual)})
		if vectors < 4 {
			JMP(LabelRef(next))
			continue
		}
		CMPQ(columns, U8(64))
		JLE(LabelRef(next))
		ADDQ(I32(4*64), dst)
		ADDQ(I32(4*64), table)
		SUBQ(U8(64), columns)
		JMP(LabelRef(k.label("columns")))
	}
	Label(k.label("columns8"))
	part(k.label("columns8"), rowPart{1, 8, nil})
	JMP(LabelRef(next))
	Label(k.label("columns16"))
	part(k.label("columns16"), rowPart{1, 16, nil})
	Label(next)
	LEAQ(Mem{Base: dst, Index: columns, Scale: 4}, dst)
	INCQ(k.i)
	JMP(LabelRef(k.label("bag")))
	Label(k.label("done"))
	Store(k.i, ReturnIndex(0))
	end()
}

func bagsScatterWide(p pairs) {
	name := "bagsScatter" + p.name + isa()
	function(name, "(table, grad []float32, dim int, last uint32, pairs []"+p.word+", from, to []int) int", bagsScatterDoc, p.scatterReference()...)
	k := newBagsKernel(p, name)
	table, grad, stride := base("table"), base("grad"), bytes(word("dim"))
	done := k.label("done")

	// part adds to rows that are so many vectors wide, whose gradient stays in
	// registers.
	part := func(at string, r rowPart) {
		k.outside = at + "_last"
		Label(at)
		CMPQ(k.i, address(Param("from").Len()))
		JGE(LabelRef(done))
		k.bag()
		g := make([]vec, r.vectors)
		for v := range g {
			g[v] = r.load(Mem{Base: grad}, v)
		}
		// add adds to the row at an offset.
		add := func(id gp, count vec) {
			to := Mem{Base: table, Index: id, Scale: 1}
			for v := range g {
				t := r.register()
				VMULPS(g[v], count, t)
				if k := r.masked(v); k != nil {
					VADDPS(r.load(to, v), t, t)
				} else {
					at := to
					at.Disp += 4 * r.lanes * v
					VADDPS(at, t, t)
				}
				r.store(t, to, v)
			}
		}
		MOVQ(k.first, k.cur)
		MOVQ(k.size, k.left)
		SUBQ(U8(8), k.left)
		JL(LabelRef(at + "_last"))
		Label(at + "_loop")
		VMOVUPS(k.eightWide(nil), k.counts)
		for j := 0; j < 8; j += 4 {
			// A load waits for the address of every store before it: four
			// addresses come first.
			var ids [4]gp
			for l := range ids {
				ids[l] = k.id(j + l)
				IMULQ(stride, ids[l])
			}
			for l, id := range ids {
				count := r.register()
				VBROADCASTSS(k.counts.Offset(4*(j+l)), count)
				add(id, count)
			}
		}
		ADDQ(U8(8*p.bytes()), k.cur)
		SUBQ(U8(8), k.left)
		JGE(LabelRef(at + "_loop"))
		Label(at + "_last")
		ADDQ(U8(8), k.left)
		Label(at + "_single")
		JZ(LabelRef(at + "_next"))
		id, count := k.single(done, r.register())
		IMULQ(stride, id)
		add(id, count)
		ADDQ(U8(p.bytes()), k.cur)
		DECQ(k.left)
		JMP(LabelRef(at + "_single"))
		Label(at + "_next")
		ADDQ(stride, grad)
		INCQ(k.i)
		JMP(LabelRef(at))
	}
	CMPQ(stride, I32(4*16))
	JE(LabelRef(k.label("width16")))
	CMPQ(stride, I32(4*8))
	JE(LabelRef(k.label("width8")))
	tail := GP64()
	Load(Param("dim"), tail)
	SUBQ(U8(1), tail)
	ANDQ(U8(15), tail)
	ADDQ(U8(1), tail)
	mask := tailMask(tail).(reg.OpmaskVirtual) // 1 to 16 lanes
	for vectors := 1; vectors <= 4; vectors++ {
		CMPQ(stride, I32(4*16*vectors))
		JLE(LabelRef(k.label("width%dto%d", 16*vectors-15, 16*vectors)))
	}

	at := k.label("any")
	Label(at)
	CMPQ(k.i, address(Param("from").Len()))
	JGE(LabelRef(done))
	k.bag()
	MOVQ(k.first, k.cur)
	MOVQ(k.size, k.left)
	TESTQ(k.left, k.left)
	Label(at + "_single")
	JZ(LabelRef(at + "_next"))
	PREFETCHT0(Mem{Base: k.cur, Index: k.ahead, Scale: 1})
	id, count := k.single(done, ZMM())
	IMULQ(stride, id)
	ADDQ(table, id)
	from, columns := GP64(), GP64()
	MOVQ(grad, from)
	Load(Param("dim"), columns)
	SUBQ(U8(17), columns)
	Label(at + "_columns") // at least 17 are left
	g := loadVector(Mem{Base: from}, nil)
	VMULPS(count, g, g)
	VADDPS(Mem{Base: id}, g, g)
	VMOVUPS(g, Mem{Base: id})
	ADDQ(U8(64), id)
	ADDQ(U8(64), from)
	SUBQ(U8(16), columns)
	JGE(LabelRef(at + "_columns"))
	g, w := loadVector(Mem{Base: from}, mask), loadVector(Mem{Base: id}, mask)
	VMULPS(count, g, g)
	VADDPS(g, w, w)
	storeVector(w, Mem{Base: id}, mask)
	ADDQ(U8(p.bytes()), k.cur)
	DECQ(k.left)
	JMP(LabelRef(at + "_single"))
	Label(at + "_next")
	ADDQ(stride, grad)
	INCQ(k.i)
	JMP(LabelRef(at))

	for vectors := 1; vectors <= 4; vectors++ {
		part(k.label("width%dto%d", 16*vectors-15, 16*vectors), rowPart{vectors, 16, mask})
	}
	part(k.label("width8"), rowPart{1, 8, nil})
	part(k.label("width16"), rowPart{1, 16, nil})
	Label(done)
	Store(k.i, ReturnIndex(0))
	end()
}
