package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// Values of the argument mode: what a product does with what c holds.
const (
	modeStore    = 0 // overwrites it
	modeContinue = 1 // starts its one chain from it
	modeAdd      = 2 // adds the finished product to it
)

func gemm() {
	// Rows at a time: as many as the registers hold, with two chains for each
	// element if it has several.
	for _, p := range []panelKernel{
		{chains: 1, vectors: 2, rows: 6},
		{chains: 1, vectors: 2, rows: 6, masked: true},
		{chains: 1, vectors: 1, rows: 6, masked: true},
		{chains: 1, vectors: 8, rows: 1},
		{chains: 2, vectors: 2, rows: 3},
		{chains: 2, vectors: 2, rows: 3, masked: true},
		{chains: 2, vectors: 1, rows: 6, masked: true},
	} {
		p.generate()
	}
	gemvDot()
	gemvColumns()
	gemmTiles()
}

// panelKernel multiplies all rows of A with a panel of columns of B.
type panelKernel struct {
	chains, vectors, rows int
	masked                bool // columns says how many there are; else 8*vectors
}

func (p panelKernel) name() string {
	s := fmt.Sprintf("gemm%dx%d", p.chains, 8*p.vectors)
	if p.masked {
		s += "Tail"
	}
	return s + "AVX2"
}

func (p panelKernel) generate() {
	columns := fmt.Sprintf("%d", 8*p.vectors)
	if p.masked {
		columns = fmt.Sprintf("%d to %d", 8*p.vectors-7, 8*p.vectors)
	}
	function(p.name(), "(m, k int, a *float32, rowStride, colStride int, b *float32, ldb int, c *float32, ldc int, columns, mode int)",
		fmt.Sprintf("multiplies m rows with %s columns. Strides are in bytes; mode 0 stores, 1 starts the chain from c, 2 adds to c:", columns),
		"for i := range m {", "\tfor j := range columns {",
		fmt.Sprintf("\t\tvar s [%d]float32 // mode 1: s[0] = c[i*ldc+j]", p.chains),
		"\t\tfor l := range k {", fmt.Sprintf("\t\t\ts[l%%%d] = fma(a[i*rowStride+l*colStride], b[l*ldb+j], s[l%%%d])", p.chains, p.chains), "\t\t}",
		"\t\tc[i*ldc+j] = "+map[int]string{1: "s[0]", 2: "s[0] + s[1]"}[p.chains]+" // mode 2: +=",
		"\t}", "}")
	t := tile{panelKernel: p, m: word("m"), a: word("a"), b: word("b"), c: word("c")}
	t.rs, t.cs, t.ldb = word("rowStride"), word("colStride"), word("ldb")
	if p.rows > 3 {
		t.rs3 = GP64()
		LEAQ(Mem{Base: t.rs, Index: t.rs, Scale: 2}, t.rs3)
	}
	if p.rows > 5 {
		t.rs5 = GP64()
		LEAQ(Mem{Base: t.rs, Index: t.rs, Scale: 4}, t.rs5)
	}
	if p.masked {
		n := word("columns")
		SUBQ(U32(8*(p.vectors-1)), n)
		t.mask = loadMask(n)
	}

	label := func(s string) string { return p.name() + "_" + s }
	rows := func(r int) string { return label(fmt.Sprintf("rows%d", r)) }
	Label(rows(p.rows))
	CMPQ(t.m, U32(p.rows))
	JL(LabelRef(rows(p.rows - 1)))
	t.generate(p.rows)
	for range p.rows {
		ADDQ(t.rs, t.a)
		ADDQ(argument("ldc"), t.c)
	}
	SUBQ(U32(p.rows), t.m)
	JMP(LabelRef(rows(p.rows)))
	for r := p.rows - 1; r > 0; r-- {
		Label(rows(r))
		CMPQ(t.m, U32(r))
		JNE(LabelRef(rows(r - 1)))
		t.generate(r)
		JMP(LabelRef(rows(0)))
	}
	Label(rows(0))
	end()
}

// tile is a block of a few rows of C, kept in registers.
type tile struct {
	panelKernel
	m, a, b, c            gp
	rs, rs3, rs5, cs, ldb gp
	mask                  vec
}

func (t tile) generate(rows int) {
	label := func(s string) string { return fmt.Sprintf("%s_%s_rows%d", t.name(), s, rows) }
	if t.chains == 1 {
		s := t.zeros(rows)
		CMPQ(argument("mode"), U32(modeContinue))
		JNE(LabelRef(label("start")))
		t.eachC(rows, func(r, v int, at Mem) {
			if m := lastMask(v, t.vectors, t.mask); m != nil {
				VMASKMOVPS(at, m, s[r][v])
			} else {
				VMOVUPS(at, s[r][v])
			}
		})
		Label(label("start"))
		a, b, k := GP64(), GP64(), GP64()
		MOVQ(t.a, a)
		MOVQ(t.b, b)
		MOVQ(argument("k"), k)
		Label(label("loop"))
		t.step(a, b, s)
		DECQ(k)
		JNZ(LabelRef(label("loop")))
		t.store(rows, s, label("store"))
		return
	}
	// The products of the two chains alternate.
	s, u := t.zeros(rows), t.zeros(rows)
	a, b, k := GP64(), GP64(), GP64()
	MOVQ(t.a, a)
	MOVQ(t.b, b)
	MOVQ(argument("k"), k)
	Label(label("loop"))
	SUBQ(U32(2), k)
	JL(LabelRef(label("last")))
	t.step(a, b, s)
	t.step(a, b, u)
	JMP(LabelRef(label("loop")))
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

func (t tile) zeros(rows int) [][]vec {
	s := make([][]vec, rows)
	for r := range s {
		s[r] = make([]vec, t.vectors)
		for v := range s[r] {
			s[r][v] = zero()
		}
	}
	return s
}

// step takes one column of A and one row of B, and moves on to the next.
func (t tile) step(a, b gp, s [][]vec) {
	row := []Mem{
		{Base: a},
		{Base: a, Index: t.rs, Scale: 1},
		{Base: a, Index: t.rs, Scale: 2},
		{Base: a, Index: t.rs3, Scale: 1},
		{Base: a, Index: t.rs, Scale: 4},
		{Base: a, Index: t.rs5, Scale: 1},
	}
	var w []vec
	if len(s) > 1 || t.masked {
		for v := range t.vectors {
			w = append(w, loadVector(Mem{Base: b, Disp: 32 * v}, lastMask(v, t.vectors, t.mask)))
		}
	}
	for r := range s {
		x := YMM()
		VBROADCASTSS(row[r], x)
		for v := range s[r] {
			if w != nil {
				VFMADD231PS(w[v], x, s[r][v])
			} else {
				VFMADD231PS(Mem{Base: b, Disp: 32 * v}, x, s[r][v])
			}
		}
	}
	ADDQ(t.cs, a)
	ADDQ(t.ldb, b)
}

func (t tile) eachC(rows int, body func(r, v int, at Mem)) {
	c := GP64()
	MOVQ(t.c, c)
	for r := range rows {
		for v := range t.vectors {
			body(r, v, Mem{Base: c, Disp: 32 * v})
		}
		if r < rows-1 {
			ADDQ(argument("ldc"), c)
		}
	}
}

func (t tile) store(rows int, s [][]vec, label string) {
	CMPQ(argument("mode"), U32(modeAdd))
	JNE(LabelRef(label))
	t.eachC(rows, func(r, v int, at Mem) {
		x := loadVector(at, lastMask(v, t.vectors, t.mask))
		VADDPS(s[r][v], x, s[r][v])
	})
	Label(label)
	t.eachC(rows, func(r, v int, at Mem) {
		storeVector(s[r][v], at, lastMask(v, t.vectors, t.mask))
	})
}

// gemvDot multiplies rows of A with one column: 16 chains are the lanes of two
// vectors.
func gemvDot() {
	const name = "gemvDotAVX2"
	function(name, "(m, k int, a *float32, rowStride int, b *float32, c *float32, ldc int, mode int)",
		"multiplies m rows with one contiguous column. Strides are in bytes; mode 0 stores, 2 adds to c:",
		"for i := range m {", "\tvar s [16]float32", "\tfor l := range k {", "\t\ts[l%16] = fma(a[i*rowStride+l], b[l], s[l%16])", "\t}",
		"\tfor h := 8; h > 0; h /= 2 {", "\t\tfor j := range h {", "\t\t\ts[j] += s[j+h]", "\t\t}", "\t}",
		"\tc[i*ldc] = s[0] // mode 2: +=", "}")
	m, a, rs, c := word("m"), word("a"), word("rowStride"), word("c")
	rs3 := GP64()
	LEAQ(Mem{Base: rs, Index: rs, Scale: 2}, rs3)
	rest, count, eight := GP64(), GP64(), GP64()
	MOVQ(argument("k"), rest)
	ANDQ(U32(15), rest)
	MOVQ(U32(8), eight)
	MOVQ(rest, count)
	CMPQ(rest, eight)
	CMOVQGT(eight, count)
	mask0 := loadMask(count)
	SUBQ(count, rest)
	mask1 := loadMask(rest)

	tile := func(rows int) {
		label := func(s string) string { return fmt.Sprintf("%s_%s%d", name, s, rows) }
		s := make([][2]vec, rows)
		for r := range s {
			s[r] = [2]vec{zero(), zero()}
		}
		x, b, k := GP64(), word("b"), word("k")
		MOVQ(a, x)
		row := func(r, disp int) Mem {
			return []Mem{
				{Base: x, Disp: disp},
				{Base: x, Index: rs, Scale: 1, Disp: disp},
				{Base: x, Index: rs, Scale: 2, Disp: disp},
				{Base: x, Index: rs3, Scale: 1, Disp: disp},
			}[r]
		}
		Label(label("loop"))
		SUBQ(U32(16), k)
		JL(LabelRef(label("last")))
		w0, w1 := loadVector(Mem{Base: b}, nil), loadVector(Mem{Base: b, Disp: 32}, nil)
		for r := range s {
			VFMADD231PS(row(r, 0), w0, s[r][0])
			VFMADD231PS(row(r, 32), w1, s[r][1])
		}
		ADDQ(U32(64), x)
		ADDQ(U32(64), b)
		JMP(LabelRef(label("loop")))
		Label(label("last"))
		ADDQ(U32(16), k)
		JZ(LabelRef(label("add")))
		// Chains without a product keep their value: +0 added to -0 would
		// change it.
		for h, mask := range []vec{mask0, mask1} {
			w := loadVector(Mem{Base: b, Disp: 32 * h}, mask)
			for r := range s {
				v := loadVector(row(r, 32*h), mask)
				VFMADD213PS(s[r][h], w, v)
				VBLENDVPS(mask, v, s[r][h], s[r][h])
			}
		}
		Label(label("add"))
		sums := make([]vec, rows)
		for r := range s {
			VADDPS(s[r][1], s[r][0], s[r][0])
			sums[r] = addHalves(s[r][0])
		}
		for r := range sums {
			CMPQ(argument("mode"), U32(modeAdd))
			JNE(LabelRef(label(fmt.Sprintf("store%d_", r))))
			VADDSS(Mem{Base: c}, sums[r].AsX(), sums[r].AsX())
			Label(label(fmt.Sprintf("store%d_", r)))
			VMOVSS(sums[r].AsX(), Mem{Base: c})
			ADDQ(argument("ldc"), c)
		}
		for range rows {
			ADDQ(rs, a)
		}
	}
	Label(name + "_four")
	CMPQ(m, U32(4))
	JL(LabelRef(name + "_one"))
	tile(4)
	SUBQ(U32(4), m)
	JMP(LabelRef(name + "_four"))
	Label(name + "_one")
	TESTQ(m, m)
	JZ(LabelRef(name + "_done"))
	tile(1)
	DECQ(m)
	JMP(LabelRef(name + "_one"))
	Label(name + "_done")
	end()
}

// gemvColumns multiplies A transposed with one column: lanes are elements of c,
// and the 16 chains are summed four at a time.
func gemvColumns() {
	const name = "gemvColumnsAVX2"
	function(name, "(m, k int, a *float32, colStride int, b *float32, ldb int, c *float32, mode int)",
		"multiplies m rows, which lie one element apart, with one column. Strides are in bytes; mode 0 stores, 2 adds to c:",
		"for i := range m {", "\tvar s [16]float32", "\tfor l := range k {", "\t\ts[l%16] = fma(a[i+l*colStride], b[l*ldb], s[l%16])", "\t}",
		"\tfor h := 8; h > 0; h /= 2 {", "\t\tfor j := range h {", "\t\t\ts[j] += s[j+h]", "\t\t}", "\t}",
		"\tc[i] = s[0] // mode 2: +=", "}")
	m, a, cs, ldb, c := word("m"), word("a"), word("colStride"), word("ldb"), word("c")
	SHLQ(U8(2), cs)
	SHLQ(U8(2), ldb)
	panels(name, m, []int{2, 1}, func(label string, vectors int, mask vec) {
		// quarter sums chains j, j+4, j+8 and j+12.
		quarter := func(j int) []vec {
			label := fmt.Sprintf("%s_quarter%d", label, j)
			s := make([][]vec, 4)
			for q := range s {
				s[q] = make([]vec, vectors)
				for v := range s[q] {
					s[q][v] = zero()
				}
			}
			x, b, k := GP64(), word("b"), word("k")
			MOVQ(a, x)
			for range j {
				ADDQ(argument("colStride"), x)
				ADDQ(argument("ldb"), b)
			}
			// (k - j + 3) / 4 products
			ADDQ(U32(3-j), k)
			SHRQ(U8(2), k)
			step := func(q int) {
				w := YMM()
				VBROADCASTSS(Mem{Base: b}, w)
				for v := range vectors {
					at, m := Mem{Base: x, Disp: 32 * v}, lastMask(v, vectors, mask)
					if m != nil {
						VFMADD231PS(loadVector(at, m), w, s[q][v])
					} else {
						VFMADD231PS(at, w, s[q][v])
					}
				}
				ADDQ(cs, x)
				ADDQ(ldb, b)
			}
			Label(label + "_loop")
			CMPQ(k, U32(4))
			JL(LabelRef(label + "_last"))
			for q := range s {
				step(q)
			}
			SUBQ(U32(4), k)
			JMP(LabelRef(label + "_loop"))
			Label(label + "_last")
			for q := range 3 {
				CMPQ(k, U32(q))
				JE(LabelRef(label + "_add"))
				step(q)
			}
			Label(label + "_add")
			for v := range vectors {
				VADDPS(s[2][v], s[0][v], s[0][v])
				VADDPS(s[3][v], s[1][v], s[1][v])
				VADDPS(s[1][v], s[0][v], s[0][v])
			}
			return s[0]
		}
		half := func(j int) []vec {
			s := quarter(j)
			u := quarter(j + 2)
			for v := range s {
				VADDPS(u[v], s[v], s[v])
			}
			return s
		}
		s := half(0)
		u := half(1)
		for v := range s {
			VADDPS(u[v], s[v], s[v])
		}
		CMPQ(argument("mode"), U32(modeAdd))
		JNE(LabelRef(label + "_store"))
		for v := range s {
			x := loadVector(Mem{Base: c, Disp: 32 * v}, lastMask(v, vectors, mask))
			VADDPS(s[v], x, s[v])
		}
		Label(label + "_store")
		for v := range s {
			storeVector(s[v], Mem{Base: c, Disp: 32 * v}, lastMask(v, vectors, mask))
		}
	}, func(n int) {
		ADDQ(U32(n), a)
		ADDQ(U32(n), c)
	})
	end()
}
