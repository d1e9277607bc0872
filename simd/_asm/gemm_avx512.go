package main

import (
	"fmt"
	"math/bits"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func gemmAVX512() {
	for _, p := range []panelAVX512{
		{chains: 1, vectors: 2, rows: 14, ahead: true},
		{chains: 1, vectors: 1, rows: 14},
		{chains: 2, vectors: 2, rows: 7},
		{chains: 2, vectors: 1, rows: 14},
		{chains: 1, vectors: 4, rows: 1},
		{chains: 1, vectors: 8, rows: 1, whole: true},
	} {
		p.generate()
	}
	gemvDot16()
	copyMatrix()
	transpose16()
}

// prefetchDepth is from how many products on a tile takes long enough to wait
// for the next one's elements of C meanwhile.
const prefetchDepth = 128

// Where a panel kernel fetches ahead, it does so in portions, one before each
// part of a tile's products: many misses at once would make those of A and B
// wait. At most aheadParts of at least aheadDepth products.
const (
	aheadParts = 16
	aheadDepth = 8
	aheadRows  = 4 // of what the caller names, in a portion
)

// panelAVX512 multiplies all rows of A with a panel of columns of B. There are
// 32 registers: 28 hold sums.
type panelAVX512 struct {
	chains, vectors, rows int
	whole                 bool // no column is missing
	ahead                 bool // fetches C, and rows of 32 columns that the caller names
}

func (p panelAVX512) name() string {
	return fmt.Sprintf("gemm%dx%dAVX512", p.chains, 16*p.vectors)
}

// masked tells which vectors take a mask: all but the last are whole, except
// that a single row has so little to do that one kernel serves all widths.
func (p panelAVX512) masked(v int) bool {
	return !p.whole && (p.rows == 1 || v == p.vectors-1)
}

func (p panelAVX512) generate() {
	columns := fmt.Sprintf("%d to %d", 16*p.vectors-15, 16*p.vectors)
	switch {
	case p.whole:
		columns = fmt.Sprint(16 * p.vectors)
	case p.rows == 1:
		columns = fmt.Sprintf("1 to %d", 16*p.vectors)
	}
	signature, doc := "m, k int, a *float32, rowStride, colStride int, b *float32, ldb int, c *float32, ldc int, columns, mode int", ""
	if p.ahead {
		signature += ", next *float32, nextStride int"
		doc = fmt.Sprintf(" Meanwhile it fetches 32 columns of rows from next on, for whoever needs them afterwards: while it computes %d rows of C, k/%d rows and %d at most, and as many again for the next.",
			p.rows, aheadDepth/aheadRows, aheadParts*aheadRows)
	}
	function(p.name(), "("+signature+")",
		fmt.Sprintf("multiplies m rows with %s columns.%s Strides are in bytes; mode 0 stores, 1 starts the chain from c, 2 adds to c:", columns, doc),
		"for i := range m {", "\tfor j := range columns {",
		fmt.Sprintf("\t\tvar s [%d]float32 // mode 1: s[0] = c[i*ldc+j]", p.chains),
		"\t\tfor l := range k {", fmt.Sprintf("\t\t\ts[l%%%d] = fma(a[i*rowStride+l*colStride], b[l*ldb+j], s[l%%%d])", p.chains, p.chains), "\t\t}",
		"\t\tc[i*ldc+j] = "+map[int]string{1: "s[0]", 2: "s[0] + s[1]"}[p.chains]+" // mode 2: +=",
		"\t}", "}")
	t := tileAVX512{panelAVX512: p, m: word("m"), a: word("a"), b: word("b"), c: word("c")}
	t.rs, t.cs, t.ldb = word("rowStride"), word("colStride"), word("ldb")
	if p.ahead {
		t.next = word("next")
		t.left, t.part = AllocLocal(8), AllocLocal(8)
		part, least := word("k"), GP64()
		ADDQ(U32(aheadParts-1), part)
		SHRQ(U8(bits.Len(aheadParts-1)), part)
		MOVQ(U32(aheadDepth), least)
		CMPQ(part, least)
		CMOVQLT(least, part)
		MOVQ(part, t.part)
	}
	if p.rows > 3 {
		t.rs3, t.rs5 = GP64(), GP64()
		LEAQ(Mem{Base: t.rs, Index: t.rs, Scale: 2}, t.rs3)
		LEAQ(Mem{Base: t.rs, Index: t.rs, Scale: 4}, t.rs5)
	}
	t.masks = make([]reg.OpmaskVirtual, p.vectors)
	for v := range t.masks {
		if p.masked(v) {
			t.masks[v] = p.mask(v)
		}
	}

	label := func(s string) string { return p.name() + "_" + s }
	rows := func(r int) string { return label(fmt.Sprintf("rows%d", r)) }
	if p.rows == 1 {
		Label(rows(1))
		t.generate(1)
		ADDQ(t.rs, t.a)
		DECQ(t.m)
		JNZ(LabelRef(rows(1)))
		end()
		return
	}
	// As many rows at a time as there are registers for; what is left in the
	// end, fewer than two times that, is halved.
	r := GP64()
	if p.chains == 2 && p.vectors == 1 {
		// A square layer's gradient.
		CMPQ(t.m, U32(16))
		JEQ(LabelRef(rows(16)))
	}
	Label(label("next"))
	CMPQ(t.m, U32(2*p.rows))
	JGE(LabelRef(rows(p.rows)))
	MOVQ(t.m, r)
	CMPQ(t.m, U32(p.rows))
	JLE(LabelRef(label("choose")))
	INCQ(r)
	SHRQ(U8(1), r)
	Label(label("choose"))
	t.choose(r, 1, p.rows, rows)
	for r := p.rows; r > 0; r-- {
		Label(rows(r))
		t.generate(r)
		SUBQ(U32(r), t.m)
		JZ(LabelRef(label("done")))
		step := GP64()
		IMUL3Q(U32(r), t.rs, step)
		ADDQ(step, t.a)
		JMP(LabelRef(label("next")))
	}
	if p.chains == 2 && p.vectors == 1 {
		Label(rows(16))
		t.sixteen()
	}
	Label(label("done"))
	end()
}

// sixteen multiplies 16 rows, one chain after the other: there are registers
// for one of both chains' sums and B less than it takes, and two tiles of eight
// rows read B and, where A is transposed, A twice.
func (t tileAVX512) sixteen() {
	label := func(s string) string { return t.name() + "_sixteen_" + s }
	spilled := AllocLocal(64)
	chain := func(first int) [][]vec {
		label := func(s string) string { return label(fmt.Sprintf("%s%d", s, first)) }
		s := t.zeros(16)
		a, b, k := []gp{GP64(), GP64(), GP64()}, GP64(), GP64()
		MOVQ(t.a, a[0])
		MOVQ(t.b, b)
		MOVQ(argument("k"), k)
		if first == 0 {
			INCQ(k)
		} else {
			ADDQ(t.cs, a[0])
			ADDQ(t.ldb, b)
		}
		SHRQ(U8(1), k)
		JZ(LabelRef(label("end")))
		for i := 1; i < 3; i++ {
			LEAQ(Mem{Base: a[i-1], Index: t.rs, Scale: 1}, a[i])
			LEAQ(Mem{Base: a[i], Index: t.rs3, Scale: 2}, a[i])
		}
		Label(label("loop"))
		PREFETCHT0(Mem{Base: a[0], Index: t.cs, Scale: 8})
		PREFETCHT0(Mem{Base: b, Index: t.ldb, Scale: 8})
		t.step(a, b, s)
		for _, x := range a {
			ADDQ(t.cs, x)
		}
		ADDQ(t.ldb, b)
		DECQ(k)
		JNZ(LabelRef(label("loop")))
		Label(label("end"))
		return s
	}
	s := chain(0)
	VMOVUPS(s[15][0], spilled)
	u := chain(1)
	for r := range 15 {
		VADDPS(u[r][0], s[r][0], s[r][0])
	}
	last := ZMM()
	VMOVUPS(spilled, last)
	VADDPS(u[15][0], last, last)
	s[15][0] = last
	t.store(16, s, label("store"))
}

// choose jumps to the tile of r rows, low <= r <= high.
func (t tileAVX512) choose(r gp, low, high int, rows func(int) string) {
	if low == high {
		JMP(LabelRef(rows(low)))
		return
	}
	middle := (low + high + 1) / 2
	label := fmt.Sprintf("%s_from%d", t.name(), middle)
	CMPQ(r, U32(middle))
	JGE(LabelRef(label))
	t.choose(r, low, middle-1, rows)
	Label(label)
	t.choose(r, middle, high, rows)
}

// mask returns a mask of the columns of vector v.
func (p panelAVX512) mask(v int) reg.OpmaskVirtual {
	n, ones, k := word("columns"), GP32(), K()
	if v > 0 {
		SUBQ(U32(16*v), n)
	}
	if p.rows == 1 {
		// Beyond the last column: none. BZHI looks at eight bits of the count,
		// of which one too large takes all.
		zero := GP64()
		XORQ(zero, zero)
		TESTQ(n, n)
		CMOVQLT(zero, n)
	}
	MOVL(U32(0xffff), ones)
	BZHIL(n.As32(), ones, ones)
	KMOVW(ones, k)
	return k
}

// tileAVX512 is a block of a few rows of C, kept in registers.
type tileAVX512 struct {
	panelAVX512
	m, a, b, c            gp
	rs, rs3, rs5, cs, ldb gp
	next                  gp
	left, part            Mem // products that are left of a tile, and in a part
	masks                 []reg.OpmaskVirtual
}

func (t tileAVX512) load(at Mem, v int) vec {
	x := ZMM()
	if t.masked(v) {
		VMOVUPS_Z(at, t.masks[v], x)
	} else {
		VMOVUPS(at, x)
	}
	return x
}

func (t tileAVX512) generate(rows int) {
	label := func(s string) string { return fmt.Sprintf("%s_%s_rows%d", t.name(), s, rows) }
	s := t.zeros(rows)
	if t.chains == 1 {
		CMPQ(argument("mode"), U32(modeContinue))
		JNE(LabelRef(label("start")))
		t.eachC(rows, false, func(r, v int, at Mem) {
			if t.masked(v) {
				VMOVUPS_Z(at, t.masks[v], s[r][v])
			} else {
				VMOVUPS(at, s[r][v])
			}
		})
		Label(label("start"))
		if t.rows > 1 && !t.ahead {
			t.prefetch(rows, label("prefetched"))
		}
	}
	a, b := []gp{GP64()}, GP64()
	MOVQ(t.a, a[0])
	if rows > 7 {
		a = append(a, GP64())
		LEAQ(Mem{Base: t.a, Index: t.rs, Scale: 1}, a[1])
		LEAQ(Mem{Base: a[1], Index: t.rs3, Scale: 2}, a[1])
	}
	MOVQ(t.b, b)
	if t.ahead {
		t.parts(rows, a, b, s, label)
		t.store(rows, s, label("store"))
		return
	}
	k := GP64()
	MOVQ(argument("k"), k)
	if t.chains == 1 {
		Label(label("loop"))
		t.step(a, b, s)
		DECQ(k)
		JNZ(LabelRef(label("loop")))
		t.store(rows, s, label("store"))
		return
	}
	u := t.zeros(rows)
	SUBQ(U32(2), k)
	JL(LabelRef(label("last")))
	Label(label("loop"))
	t.step(a, b, s)
	t.step(a, b, u)
	SUBQ(U32(2), k)
	JGE(LabelRef(label("loop")))
	Label(label("last"))
	ADDQ(U32(2), k)
	JZ(LabelRef(label("add")))
	t.step(a, b, s)
	Label(label("add"))
	for r := range s {
		for v := range s[r] {
			VADDPS(u[r][v], s[r][v], s[r][v])
		}
	}
	t.store(rows, s, label("store"))
}

// parts takes all columns of A and rows of B, in parts of equal length. Before
// each it asks for a portion of what is needed next: a row of the next tile of C
// and some rows of what the caller names.
func (t tileAVX512) parts(rows int, a []gp, b gp, s [][]vec, label func(string) string) {
	c, k := GP64(), GP64()
	MOVQ(argument("ldc"), c)
	IMUL3Q(U32(rows), c, c)
	ADDQ(t.c, c)
	MOVQ(argument("k"), k)
	MOVQ(k, t.left)
	Label(label("part"))
	MOVQ(t.part, k)
	CMPQ(k, t.left)
	CMOVQGT(t.left, k)
	SUBQ(k, t.left)
	for v := range t.vectors {
		PREFETCHT0(Mem{Base: c, Disp: 64 * v})
	}
	ADDQ(argument("ldc"), c)
	for range aheadRows {
		PREFETCHT1(Mem{Base: t.next})
		PREFETCHT1(Mem{Base: t.next, Disp: 64})
		ADDQ(argument("nextStride"), t.next)
	}
	Label(label("loop"))
	t.step(a, b, s)
	DECQ(k)
	JNZ(LabelRef(label("loop")))
	CMPQ(t.left, U32(0))
	JNE(LabelRef(label("part")))
}

// prefetch asks for the next tile's elements of C where there is time for them to
// come.
func (t tileAVX512) prefetch(rows int, label string) {
	CMPQ(argument("k"), U32(prefetchDepth))
	JL(LabelRef(label))
	c, ldc := GP64(), GP64()
	MOVQ(argument("ldc"), ldc)
	IMUL3Q(U32(rows), ldc, c)
	ADDQ(t.c, c)
	for range rows {
		for v := range t.vectors {
			PREFETCHT0(Mem{Base: c, Disp: 64 * v})
		}
		ADDQ(ldc, c)
	}
	Label(label)
}

func (t tileAVX512) zeros(rows int) [][]vec {
	s := make([][]vec, rows)
	for r := range s {
		s[r] = make([]vec, t.vectors)
		for v := range s[r] {
			s[r][v] = ZMM()
			VXORPS(s[r][v], s[r][v], s[r][v])
		}
	}
	return s
}

// step takes one column of A and one row of B, and moves on to the next.
func (t tileAVX512) step(a []gp, b gp, s [][]vec) {
	row := func(r int) Mem {
		x := a[r/7]
		return []Mem{
			{Base: x},
			{Base: x, Index: t.rs, Scale: 1},
			{Base: x, Index: t.rs, Scale: 2},
			{Base: x, Index: t.rs3, Scale: 1},
			{Base: x, Index: t.rs, Scale: 4},
			{Base: x, Index: t.rs5, Scale: 1},
			{Base: x, Index: t.rs3, Scale: 2},
		}[r%7]
	}
	w := make([]vec, t.vectors)
	for v := range w {
		if t.rows > 1 || t.masked(v) {
			w[v] = t.load(Mem{Base: b, Disp: 64 * v}, v)
		}
	}
	for r := range s {
		if t.vectors == 1 {
			VFMADD231PS_BCST(row(r), w[0], s[r][0])
			continue
		}
		x := ZMM()
		VBROADCASTSS(row(r), x)
		for v := range s[r] {
			if w[v] != nil {
				VFMADD231PS(w[v], x, s[r][v])
			} else {
				VFMADD231PS(Mem{Base: b, Disp: 64 * v}, x, s[r][v])
			}
		}
	}
	for _, x := range a {
		ADDQ(t.cs, x)
	}
	ADDQ(t.ldb, b)
}

// eachC walks over the tile's rows of C, and stays behind the last if move is
// set.
func (t tileAVX512) eachC(rows int, move bool, body func(r, v int, at Mem)) {
	c := t.c
	if !move {
		c = GP64()
		MOVQ(t.c, c)
	}
	for r := range rows {
		for v := range t.vectors {
			body(r, v, Mem{Base: c, Disp: 64 * v})
		}
		ADDQ(argument("ldc"), c)
	}
}

func (t tileAVX512) store(rows int, s [][]vec, label string) {
	CMPQ(argument("mode"), U32(modeAdd))
	JNE(LabelRef(label))
	t.eachC(rows, false, func(r, v int, at Mem) {
		VADDPS(s[r][v], t.load(at, v), s[r][v])
	})
	Label(label)
	t.eachC(rows, true, func(r, v int, at Mem) {
		if t.masked(v) {
			VMOVUPS(s[r][v], t.masks[v], at)
		} else {
			VMOVUPS(s[r][v], at)
		}
	})
}

// transpose16 transposes squares of 16 × 16.
func transpose16() {
	const name = "transpose16AVX512"
	function(name, "(dst, src *float32, dstStride, srcStride, blocks int)",
		"transposes 16 rows of 16*blocks columns. Strides are in bytes:",
		"for i := range 16 {", "\tfor j := range 16 * blocks {", "\t\tdst[j*dstStride+i] = src[i*srcStride+j]", "\t}", "}")
	dst, src, ds, ss, blocks := word("dst"), word("src"), word("dstStride"), word("srcStride"), word("blocks")
	from, ss3, ds3 := GP64(), GP64(), GP64()
	LEAQ(Mem{Base: ss, Index: ss, Scale: 2}, ss3)
	LEAQ(Mem{Base: ds, Index: ds, Scale: 2}, ds3)
	// row returns where row i lies, four rows from p on, and moves p behind them.
	row := func(i int, p, stride, stride3 gp) Mem {
		if i > 0 && i%4 == 0 {
			LEAQ(Mem{Base: p, Index: stride, Scale: 4}, p)
		}
		return []Mem{
			{Base: p},
			{Base: p, Index: stride, Scale: 1},
			{Base: p, Index: stride, Scale: 2},
			{Base: p, Index: stride3, Scale: 1},
		}[i%4]
	}
	Label(name + "_loop")
	MOVQ(src, from)
	square(func(i int, x vec) { VMOVUPS(row(i, from, ss, ss3), x) },
		func(j int, x vec) { VMOVUPS(x, row(j, dst, ds, ds3)) })
	LEAQ(Mem{Base: dst, Index: ds, Scale: 4}, dst)
	ADDQ(U32(64), src)
	DECQ(blocks)
	JNZ(LabelRef(name + "_loop"))
	end()
}

// square transposes 16 × 16 numbers: four columns of four rows first, in
// quarters of a register, then the quarters. load fills a register with row i,
// store takes column j; both are called in order.
func square(load func(i int, x vec), store func(j int, x vec)) {
	var u [16]vec // u[4g+c]: numbers of columns c, c+4, … of rows 4g to 4g+3
	for g := 0; g < 16; g += 4 {
		var r, t [4]vec
		for i := range r {
			r[i], t[i], u[g+i] = ZMM(), ZMM(), ZMM()
			load(g+i, r[i])
		}
		VUNPCKLPS(r[1], r[0], t[0])
		VUNPCKHPS(r[1], r[0], t[1])
		VUNPCKLPS(r[3], r[2], t[2])
		VUNPCKHPS(r[3], r[2], t[3])
		VUNPCKLPD(t[2], t[0], u[g])
		VUNPCKHPD(t[2], t[0], u[g+1])
		VUNPCKLPD(t[3], t[1], u[g+2])
		VUNPCKHPD(t[3], t[1], u[g+3])
	}
	shuffle := func(order int, x, y vec) vec {
		z := ZMM()
		VSHUFF32X4(U8(order), y, x, z)
		return z
	}
	var out [16]vec
	for c := range 4 {
		even0, even1 := shuffle(0x88, u[c], u[4+c]), shuffle(0x88, u[8+c], u[12+c])
		odd0, odd1 := shuffle(0xdd, u[c], u[4+c]), shuffle(0xdd, u[8+c], u[12+c])
		out[c], out[8+c] = shuffle(0x88, even0, even1), shuffle(0xdd, even0, even1)
		out[4+c], out[12+c] = shuffle(0x88, odd0, odd1), shuffle(0xdd, odd0, odd1)
	}
	for j, x := range out {
		store(j, x)
	}
}

// copyMatrix copies a matrix, so that a product finds a piece of it together.
func copyMatrix() {
	const name = "copyMatrixAVX512"
	function(name, "(dst, src *float32, dstStride, srcStride, rows, columns int)",
		"copies rows. Strides are in bytes:",
		"for i := range rows {", "\tfor j := range columns {", "\t\tdst[i*dstStride+j] = src[i*srcStride+j]", "\t}", "}")
	dst, src, ds, ss, rows, whole := word("dst"), word("src"), word("dstStride"), word("srcStride"), word("rows"), word("columns")
	mask, n := K(), GP32()
	MOVL(whole.As32(), n)
	ANDL(U32(15), n)
	ones := GP32()
	MOVL(U32(0xffff), ones)
	BZHIL(n, ones, ones)
	KMOVW(ones, mask)
	ANDQ(I32(-16), whole)
	SHLQ(U8(2), whole)
	at := GP64()
	x := ZMM()
	Label(name + "_row")
	XORQ(at, at)
	CMPQ(at, whole)
	JEQ(LabelRef(name + "_tail"))
	Label(name + "_loop")
	VMOVUPS(Mem{Base: src, Index: at, Scale: 1}, x)
	VMOVUPS(x, Mem{Base: dst, Index: at, Scale: 1})
	ADDQ(U32(64), at)
	CMPQ(at, whole)
	JNE(LabelRef(name + "_loop"))
	Label(name + "_tail")
	TESTL(n, n)
	JZ(LabelRef(name + "_next"))
	VMOVUPS_Z(Mem{Base: src, Index: at, Scale: 1}, mask, x)
	VMOVUPS(x, mask, Mem{Base: dst, Index: at, Scale: 1})
	Label(name + "_next")
	ADDQ(ss, src)
	ADDQ(ds, dst)
	DECQ(rows)
	JNZ(LabelRef(name + "_row"))
	end()
}

// gemvDot16 multiplies 16 rows of A at a time with one column: 16 chains are the
// lanes of a register, which are added for 16 rows at once.
func gemvDot16() {
	const name = "gemvDotAVX512"
	function(name, "(blocks, k int, a *float32, rowStride int, b, c *float32, mode int)",
		"multiplies 16*blocks rows with one contiguous column. Strides are in bytes; mode 0 stores, 2 adds to c:",
		"for i := range 16 * blocks {", "\tvar s [16]float32", "\tfor l := range k {", "\t\ts[l%16] = fma(a[i*rowStride+l], b[l], s[l%16])", "\t}",
		"\tfor h := 8; h > 0; h /= 2 {", "\t\tfor j := range h {", "\t\t\ts[j] += s[j+h]", "\t\t}", "\t}",
		"\tc[i] = s[0] // mode 2: +=", "}")
	blocks, a, rs, c := word("blocks"), word("a"), word("rowStride"), word("c")
	rs3, rs5 := GP64(), GP64()
	LEAQ(Mem{Base: rs, Index: rs, Scale: 2}, rs3)
	LEAQ(Mem{Base: rs, Index: rs, Scale: 4}, rs5)
	mask, n, ones := K(), GP64(), GP32()
	MOVQ(argument("k"), n)
	ANDQ(U32(15), n)
	MOVL(U32(0xffff), ones)
	BZHIL(n.As32(), ones, ones)
	KMOVW(ones, mask)

	Label(name + "_block")
	x := []gp{GP64(), GP64(), GP64()}
	MOVQ(a, x[0])
	for i := 1; i < 3; i++ {
		LEAQ(Mem{Base: x[i-1], Index: rs, Scale: 1}, x[i])
		LEAQ(Mem{Base: x[i], Index: rs3, Scale: 2}, x[i])
	}
	row := func(r int) Mem {
		x := x[r/7]
		return []Mem{
			{Base: x},
			{Base: x, Index: rs, Scale: 1},
			{Base: x, Index: rs, Scale: 2},
			{Base: x, Index: rs3, Scale: 1},
			{Base: x, Index: rs, Scale: 4},
			{Base: x, Index: rs5, Scale: 1},
			{Base: x, Index: rs3, Scale: 2},
		}[r%7]
	}
	var s [16]vec
	for r := range s {
		s[r] = ZMM()
		VXORPS(s[r], s[r], s[r])
	}
	b, k, w := word("b"), word("k"), ZMM()
	SUBQ(U32(16), k)
	JL(LabelRef(name + "_last"))
	Label(name + "_loop")
	VMOVUPS(Mem{Base: b}, w)
	for r := range s {
		VFMADD231PS(row(r), w, s[r])
	}
	for _, x := range x {
		ADDQ(U32(64), x)
	}
	ADDQ(U32(64), b)
	SUBQ(U32(16), k)
	JGE(LabelRef(name + "_loop"))
	Label(name + "_last")
	ADDQ(U32(16), k)
	JZ(LabelRef(name + "_add"))
	VMOVUPS_Z(Mem{Base: b}, mask, w)
	for r := range s {
		VFMADD231PS(row(r), w, mask, s[r]) // chains without a product keep their value
	}
	Label(name + "_add")
	// add returns the sums of what two orders take from x and y.
	add := func(x, y vec, take func(order int, x, y, z vec)) vec {
		u, v := ZMM(), ZMM()
		take(0, x, y, u)
		take(1, x, y, v)
		VADDPS(v, u, u)
		return u
	}
	var quarters [4]vec // the chains 0 to 3 of rows g, g+4, g+8 and g+12
	for g := range quarters {
		eight := func(r int) vec {
			return add(s[r], s[r+4], func(order int, x, y, z vec) { VSHUFF32X4(U8([]int{0x44, 0xee}[order]), y, x, z) })
		}
		quarters[g] = add(eight(g), eight(g+8), func(order int, x, y, z vec) { VSHUFF32X4(U8([]int{0x88, 0xdd}[order]), y, x, z) })
	}
	two := func(x, y vec) vec {
		return add(x, y, func(order int, x, y, z vec) {
			if order == 0 {
				VUNPCKLPD(y, x, z)
			} else {
				VUNPCKHPD(y, x, z)
			}
		})
	}
	sum := add(two(quarters[0], quarters[1]), two(quarters[2], quarters[3]), func(order int, x, y, z vec) { VSHUFPS(U8([]int{0x88, 0xdd}[order]), y, x, z) })
	CMPQ(argument("mode"), U32(modeAdd))
	JNE(LabelRef(name + "_store"))
	VADDPS(Mem{Base: c}, sum, sum)
	Label(name + "_store")
	VMOVUPS(sum, Mem{Base: c})
	ADDQ(U32(64), c)
	step := GP64()
	MOVQ(rs, step)
	SHLQ(U8(4), step)
	ADDQ(step, a)
	DECQ(blocks)
	JNZ(LabelRef(name + "_block"))
	end()
}
