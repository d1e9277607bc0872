package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// pairs is a format of (id, count) pairs.
type pairs struct {
	name  string // what a kernel's name ends in, before the instruction set
	bits  int    // of an id, and of a count
	word  string
	shift int // log2 of the bytes of a pair
}

var (
	narrowPairs = pairs{"", 16, "uint32", 2}
	widePairs   = pairs{"Wide", 32, "uint64", 3}
)

func (p pairs) bytes() int { return 1 << p.shift }

func bags() {
	for _, p := range []pairs{narrowPairs, widePairs} {
		if wide {
			bagsMeanWide(p)
			bagsScatterWide(p)
			continue
		}
		bagsMean(p)
		bagsScatter(p)
	}
}

// bagsKernel is what both kernels on bags of pairs share: the bag in hand and
// the constants.
type bagsKernel struct {
	pairs
	label       func(format string, a ...any) string
	outside     string // where a group of pairs with an id outside the table leads
	i           gp     // the bag
	first, size gp     // its pairs
	ahead       gp     // bytes from a pair of this bag to its like in the next
	last, mask  vec    // the last row, and the bits of an id, in each lane
	counts      Mem    // the counts of eight pairs as float32
	ids         Mem    // the ids of eight pairs
	number      [8]vec // vector j holds j in all lanes
	cur, left   gp     // pairs to do
}

func newBagsKernel(p pairs, name string) *bagsKernel {
	k := &bagsKernel{pairs: p, i: GP64(), first: GP64(), size: GP64(), ahead: GP64(), last: YMM(), mask: YMM(), cur: GP64(), left: GP64()}
	k.label = func(format string, a ...any) string { return name + "_" + fmt.Sprintf(format, a...) }
	k.counts = AllocLocal(32)
	VBROADCASTSS(argument("last"), k.last) // the bits of an integer: vet knows the size of no VPBROADCASTD
	if p.bits == 16 {
		if wide {
			VPBROADCASTD(constantMemory(1<<16-1), k.mask)
		} else {
			VMOVDQU(constantMemory(1<<16-1), k.mask)
		}
	}
	XORQ(k.i, k.i)
	return k
}

// bag loads bag i.
func (k *bagsKernel) bag() {
	starts, at, next := base("from"), GP64(), GP64()
	MOVQ(Mem{Base: starts, Index: k.i, Scale: 8}, at)
	LEAQ(Mem{Base: k.i, Disp: 1}, next)
	CMPQ(next, address(Param("from").Len()))
	CMOVQGE(k.i, next) // nothing comes after the last bag
	MOVQ(Mem{Base: starts, Index: next, Scale: 8}, k.ahead)
	SUBQ(at, k.ahead)
	SHLQ(U8(k.shift), k.ahead)
	ends := base("to")
	MOVQ(Mem{Base: ends, Index: k.i, Scale: 8}, k.size)
	SUBQ(at, k.size)
	SHLQ(U8(k.shift), at)
	Load(Param("pairs").Base(), k.first)
	ADDQ(at, k.first)
}

// eight converts the counts of the next eight pairs, checks their ids, and asks
// for pairs of the next bag.
func (k *bagsKernel) eight() {
	ids, counts := YMM(), YMM()
	if k.bits == 16 {
		VMOVDQU(Mem{Base: k.cur}, ids)
		VPSRLD(U8(16), ids, counts)
		VPAND(k.mask, ids, ids)
	} else {
		t, u := YMM(), YMM()
		VMOVUPS(Mem{Base: k.cur}, t)
		VMOVUPS(Mem{Base: k.cur, Disp: 32}, u)
		VSHUFPS(U8(0x88), u, t, ids)
		VSHUFPS(U8(0xdd), u, t, counts)
	}
	PREFETCHT0(Mem{Base: k.cur, Index: k.ahead, Scale: 1})
	VCVTDQ2PS(counts, counts)
	VMOVUPS(counts, k.counts)
	m := GP32()
	VPMAXUD(k.last, ids, ids)
	VPCMPEQD(k.last, ids, ids)
	VPMOVMSKB(ids, m)
	CMPL(m, I32(-1))
	JNE(LabelRef(k.outside))
}

// pair loads the id of pair j of eight, and its count into all lanes.
func (k *bagsKernel) pair(j int) (id gp, count vec) {
	id32, count := GP32(), YMM()
	at := j
	if k.bits == 16 {
		MOVWLZX(Mem{Base: k.cur, Disp: 4 * j}, id32)
	} else {
		MOVL(Mem{Base: k.cur, Disp: 8 * j}, id32)
		at = []int{0, 1, 4, 5, 2, 3, 6, 7}[j] // where VSHUFPS left it
	}
	VBROADCASTSS(k.counts.Offset(4*at), count)
	return id32.As64().(gp), count
}

// single loads and checks one pair; the count goes to all lanes of a register.
func (k *bagsKernel) single(outside string, count vec) (gp, vec) {
	id32, c := GP32(), GP32()
	if k.bits == 16 {
		MOVL(Mem{Base: k.cur}, c)
		MOVWLZX(c.As16(), id32)
		SHRL(U8(16), c)
	} else {
		MOVL(Mem{Base: k.cur}, id32)
		MOVL(Mem{Base: k.cur, Disp: 4}, c)
	}
	CMPL(id32, argument("last"))
	JHI(LabelRef(outside))
	VXORPS(count.AsX(), count.AsX(), count.AsX())
	VCVTSI2SSL(c, count.AsX(), count.AsX())
	VBROADCASTSS(count.AsX(), count)
	return id32.As64().(gp), count
}

const (
	bagsMeanDoc    = "averages the rows of each bag; it returns the first bag with an id outside the table, of which dst keeps its value:"
	bagsScatterDoc = "adds the gradient of each bag, times a count, to the bag's rows; it returns the first bag with an id outside the table, having added the pairs before it:"
)

func (p pairs) split() string {
	return fmt.Sprintf("id, count := uint%d(p), float32(int32(p>>%d))", p.bits, p.bits)
}

func (p pairs) meanReference() []string {
	return []string{
		"for i := range from {", "\tvar s [4][dim]float32", "\tfor k, p := range pairs[from[i]:to[i]] {", "\t\t" + p.split(), "\t\tif id > last {", "\t\t\treturn i", "\t\t}",
		"\t\tfor j := range dim {", "\t\t\ts[k%4][j] += float32(count * table[id*dim+j])", "\t\t}", "\t}",
		"\tfor j := range dim {", "\t\tdst[i*dim+j] = ((s[0][j] + s[1][j]) + (s[2][j] + s[3][j])) / n[i] // 0 if n[i] is", "\t}", "}", "return len(from)",
	}
}

func (p pairs) scatterReference() []string {
	return []string{
		"for i := range from {", "\tfor _, p := range pairs[from[i]:to[i]] {", "\t\t" + p.split(), "\t\tif id > last {", "\t\t\treturn i", "\t\t}",
		"\t\tfor j := range dim {", "\t\t\ttable[id*dim+j] += float32(count * grad[i*dim+j])", "\t\t}", "\t}", "}", "return len(from)",
	}
}

func bagsMean(p pairs) {
	name := "bagsMean" + p.name + isa()
	function(name, "(dst, table []float32, dim int, last uint32, pairs []"+p.word+", from, to []int, n []float32) int", bagsMeanDoc, p.meanReference()...)
	k := newBagsKernel(p, name)
	k.outside = k.label("done")
	dst, stride := base("dst"), bytes(word("dim"))
	table, columns := GP64(), GP64()

	panel := func(at string, vectors int, mask vec) {
		s := make([][]vec, 4)
		for a := range s {
			s[a] = make([]vec, vectors)
			for v := range s[a] {
				s[a][v] = zero()
			}
		}
		add := func(a int, id gp, count vec) {
			IMULQ(stride, id)
			for v := range vectors {
				t, from := YMM(), Mem{Base: table, Index: id, Scale: 1, Disp: 32 * v}
				if m := lastMask(v, vectors, mask); m != nil {
					VMASKMOVPS(from, m, t)
					VMULPS(count, t, t)
				} else {
					VMULPS(from, count, t)
				}
				VADDPS(t, s[a][v], s[a][v])
			}
		}
		MOVQ(k.first, k.cur)
		MOVQ(k.size, k.left)
		SUBQ(U8(8), k.left)
		JL(LabelRef(at + "_last"))
		Label(at + "_loop")
		k.eight()
		for j := range 8 {
			id, count := k.pair(j)
			add(j%4, id, count)
		}
		ADDQ(U8(8*p.bytes()), k.cur)
		SUBQ(U8(8), k.left)
		JGE(LabelRef(at + "_loop"))
		Label(at + "_last")
		ADDQ(U8(8), k.left)
		for a := range 7 {
			JZ(LabelRef(at + "_mean"))
			id, count := k.single(k.outside, YMM())
			add(a%4, id, count)
			ADDQ(U8(p.bytes()), k.cur)
			DECQ(k.left)
		}
		Label(at + "_mean")
		divisors, n, keep := base("n"), YMM(), YMM()
		VBROADCASTSS(Mem{Base: divisors, Index: k.i, Scale: 4}, n)
		VCMPPS(U8(notEqual), zero(), n, keep)
		for v := range vectors {
			mean4(s, v, n)
			VANDPS(keep, s[0][v], s[0][v])
			storeVector(s[0][v], Mem{Base: dst, Disp: 32 * v}, lastMask(v, vectors, mask))
		}
	}

	Label(k.label("bag"))
	CMPQ(k.i, address(Param("from").Len()))
	JGE(LabelRef(k.label("done")))
	k.bag()
	Load(Param("table").Base(), table)
	Load(Param("dim"), columns)
	panelsOf(k.label, columns, panel, func(vectors int) {
		ADDQ(U32(32*vectors), dst)
		ADDQ(U32(32*vectors), table)
	})
	LEAQ(Mem{Base: dst, Index: columns, Scale: 4}, dst)
	INCQ(k.i)
	JMP(LabelRef(k.label("bag")))
	Label(k.label("done"))
	Store(k.i, ReturnIndex(0))
	end()
}

// panelsOf walks over columns: first in panels of three vectors, then two, then
// what is left, where the last vector is masked. It leaves in columns what the
// masked panel has done.
func panelsOf(label func(string, ...any) string, columns gp, panel func(at string, vectors int, mask vec), advance func(vectors int)) {
	step := func(at string, vectors int) {
		panel(at, vectors, nil)
		advance(vectors)
		SUBQ(U8(8*vectors), columns)
	}
	Label(label("columns"))
	CMPQ(columns, U8(16))
	JE(LabelRef(label("columns16")))
	CMPQ(columns, U8(32))
	JE(LabelRef(label("columns16")))
	CMPQ(columns, U8(24))
	JL(LabelRef(label("columns15")))
	step(label("columns24"), 3)
	JMP(LabelRef(label("columns")))
	Label(label("columns16"))
	step(label("columns16"), 2)
	JMP(LabelRef(label("columns")))
	Label(label("columns15"))
	CMPQ(columns, U8(16))
	JG(LabelRef(label("columns16")))
	CMPQ(columns, U8(8))
	JL(LabelRef(label("columns7")))
	JE(LabelRef(label("columns8")))
	tail := GP64()
	LEAQ(Mem{Base: columns, Disp: -8}, tail)
	mask := loadMask(tail)
	panel(label("columns9"), 2, mask)
	JMP(LabelRef(label("next")))
	Label(label("columns8"))
	step(label("columns8"), 1)
	JMP(LabelRef(label("next")))
	Label(label("columns7"))
	TESTQ(columns, columns)
	JZ(LabelRef(label("next")))
	mask = loadMask(columns)
	panel(label("columns1"), 1, mask)
	Label(label("next"))
}

func bagsScatter(p pairs) {
	name := "bagsScatter" + p.name + isa()
	function(name, "(table, grad []float32, dim int, last uint32, pairs []"+p.word+", from, to []int) int", bagsScatterDoc, p.scatterReference()...)
	k := newBagsKernel(p, name)
	table, grad, stride := base("table"), base("grad"), bytes(word("dim"))
	done := k.label("done")

	// whole adds rows of so many whole vectors, whose gradient stays in
	// registers.
	whole := func(vectors int) {
		at := k.label("width%d", 8*vectors)
		k.outside = at + "_last"
		Label(at)
		CMPQ(k.i, address(Param("from").Len()))
		JGE(LabelRef(done))
		k.bag()
		g := make([]vec, vectors)
		for v := range g {
			g[v] = loadVector(Mem{Base: grad, Disp: 32 * v}, nil)
		}
		add := func(id gp, count vec) {
			SHLQ(U8(log2(32*vectors)), id)
			for v := range g {
				t, at := YMM(), Mem{Base: table, Index: id, Scale: 1, Disp: 32 * v}
				VMULPS(g[v], count, t)
				VADDPS(at, t, t)
				VMOVUPS(t, at)
			}
		}
		MOVQ(k.first, k.cur)
		MOVQ(k.size, k.left)
		SUBQ(U8(8), k.left)
		JL(LabelRef(at + "_last"))
		Label(at + "_loop")
		k.eight()
		for j := range 8 {
			add(k.pair(j))
		}
		ADDQ(U8(8*p.bytes()), k.cur)
		SUBQ(U8(8), k.left)
		JGE(LabelRef(at + "_loop"))
		Label(at + "_last")
		ADDQ(U8(8), k.left)
		Label(at + "_single")
		JZ(LabelRef(at + "_next"))
		add(k.single(done, YMM()))
		ADDQ(U8(p.bytes()), k.cur)
		DECQ(k.left)
		JMP(LabelRef(at + "_single"))
		Label(at + "_next")
		ADDQ(stride, grad)
		INCQ(k.i)
		JMP(LabelRef(at))
	}
	for _, vectors := range []int{1, 2, 4, 8} {
		CMPQ(stride, I32(32*vectors))
		JE(LabelRef(k.label("width%d", 8*vectors)))
	}

	// Rows of any other width.
	at := k.label("any")
	tail, columns := GP64(), GP64()
	Load(Param("dim"), tail)
	ANDQ(U8(7), tail)
	mask := loadMask(tail)
	Label(at)
	CMPQ(k.i, address(Param("from").Len()))
	JGE(LabelRef(done))
	k.bag()
	add := func(id gp, count vec) {
		row := at + "_row"
		IMULQ(stride, id)
		ADDQ(table, id)
		from := GP64()
		MOVQ(grad, from)
		Load(Param("dim"), columns)
		one := func(disp int, mask vec) {
			g, w := loadVector(Mem{Base: from, Disp: disp}, mask), loadVector(Mem{Base: id, Disp: disp}, mask)
			VMULPS(count, g, g)
			VADDPS(g, w, w)
			storeVector(w, Mem{Base: id, Disp: disp}, mask)
		}
		for _, vectors := range []int{4, 1} {
			loop := fmt.Sprintf("%s_by%d", row, vectors)
			SUBQ(U8(8*vectors), columns)
			JL(LabelRef(loop + "_end"))
			Label(loop)
			for v := range vectors {
				one(32*v, nil)
			}
			SUBQ(I32(-32*vectors), id)
			SUBQ(I32(-32*vectors), from)
			SUBQ(U8(8*vectors), columns)
			JGE(LabelRef(loop))
			Label(loop + "_end")
			ADDQ(U8(8*vectors), columns)
		}
		JZ(LabelRef(row + "_done"))
		one(0, mask)
		Label(row + "_done")
	}
	MOVQ(k.first, k.cur)
	MOVQ(k.size, k.left)
	TESTQ(k.left, k.left)
	Label(at + "_single")
	JZ(LabelRef(at + "_next"))
	PREFETCHT0(Mem{Base: k.cur, Index: k.ahead, Scale: 1})
	add(k.single(done, YMM()))
	ADDQ(U8(p.bytes()), k.cur)
	DECQ(k.left)
	JMP(LabelRef(at + "_single"))
	Label(at + "_next")
	ADDQ(stride, grad)
	INCQ(k.i)
	JMP(LabelRef(at))

	for _, vectors := range []int{1, 2, 4, 8} {
		whole(vectors)
	}
	Label(done)
	Store(k.i, ReturnIndex(0))
	end()
}

func log2(n int) int {
	i := 0
	for 1<<i < n {
		i++
	}
	return i
}
