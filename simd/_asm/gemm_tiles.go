package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A tile is 6 rows and 16 columns of C. What is multiplied was copied so that
// the kernel reads it from one end to the other: of A 6 elements for each
// product, of B 16.
const (
	tileRows    = 6
	tileVectors = 2
	tileUnroll  = 8 // products in each turn of the loop
)

func gemmTiles() {
	tiles()
	packPanel()
	packRows()
	packColumns()
}

func tiles() {
	const name = "gemmTilesAVX2"
	function(name, "(tiles, k int, a, b, c *float32, ldc, mode int, next *float32, nextStride int)",
		"multiplies 6*tiles rows with 16 columns. Meanwhile it fetches k rows of 16 columns from next on, of which each tile fetches an eighth. Strides are in bytes; mode 0 stores, 1 starts the chain from c, 2 adds to c:",
		"for i := range 6 * tiles {", "\tfor j := range 16 {",
		"\t\tvar s float32 // mode 1: s = c[i*ldc+j]",
		"\t\tfor l := range k {", "\t\t\ts = fma(a[i/6*6*k+l*6+i%6], b[l*16+j], s)", "\t\t}",
		"\t\tc[i*ldc+j] = s // mode 2: +=",
		"\t}", "}")
	n, k, a, b, c, ldc := word("tiles"), word("k"), word("a"), GP64(), word("c"), word("ldc")
	ldc3, ldc5 := GP64(), GP64()
	LEAQ(Mem{Base: ldc, Index: ldc, Scale: 2}, ldc3)
	LEAQ(Mem{Base: ldc, Index: ldc, Scale: 4}, ldc5)
	below, left := GP64(), GP64() // below are the next tile's elements of C
	MOVQ(c, below)
	next, nextStride := word("next"), word("nextStride")
	row := func(c gp, r, disp int) Mem {
		return []Mem{
			{Base: c, Disp: disp},
			{Base: c, Index: ldc, Scale: 1, Disp: disp},
			{Base: c, Index: ldc, Scale: 2, Disp: disp},
			{Base: c, Index: ldc3, Scale: 1, Disp: disp},
			{Base: c, Index: ldc, Scale: 4, Disp: disp},
			{Base: c, Index: ldc5, Scale: 1, Disp: disp},
		}[r]
	}
	var s [tileRows][tileVectors]vec
	each := func(body func(s vec, at Mem)) {
		for r := range s {
			for v := range s[r] {
				body(s[r][v], row(c, r, 32*v))
			}
		}
	}
	for r := range s {
		for v := range s[r] {
			s[r][v] = YMM()
		}
	}
	step := func(at int) {
		w := [tileVectors]vec{}
		for v := range w {
			w[v] = loadVector(Mem{Base: b, Disp: 64*at + 32*v}, nil)
		}
		for r := range s {
			x := YMM()
			VBROADCASTSS(Mem{Base: a, Disp: 24*at + 4*r}, x)
			for v := range w {
				VFMADD231PS(w[v], x, s[r][v])
			}
		}
	}
	advance := func(products int) {
		ADDQ(U32(24*products), a)
		ADDQ(U32(64*products), b)
	}

	Label(name + "_tile")
	LEAQ(Mem{Base: below, Index: ldc3, Scale: 2}, below)
	for r := range s {
		PREFETCHT0(row(below, r, 0))
	}
	fetched := GP64()
	LEAQ(Mem{Base: n, Disp: tileUnroll}, fetched)
	CMPQ(fetched, argument("tiles"))
	JNE(LabelRef(name + "_fetch"))
	XORQ(nextStride, nextStride) // all is fetched
	Label(name + "_fetch")
	MOVQ(argument("b"), b)
	CMPQ(argument("mode"), U32(modeContinue))
	JE(LabelRef(name + "_continue"))
	each(func(s vec, _ Mem) { VXORPS(s, s, s) })
	JMP(LabelRef(name + "_start"))
	Label(name + "_continue")
	each(func(s vec, at Mem) { VMOVUPS(at, s) })
	Label(name + "_start")
	MOVQ(k, left)
	SUBQ(U32(tileUnroll), left)
	JL(LabelRef(name + "_rest"))
	Label(name + "_loop")
	PREFETCHT1(Mem{Base: next})
	ADDQ(nextStride, next)
	for at := range tileUnroll {
		step(at)
	}
	advance(tileUnroll)
	SUBQ(U32(tileUnroll), left)
	JGE(LabelRef(name + "_loop"))
	Label(name + "_rest")
	ADDQ(U32(tileUnroll), left)
	JZ(LabelRef(name + "_end"))
	Label(name + "_single")
	step(0)
	advance(1)
	DECQ(left)
	JNZ(LabelRef(name + "_single"))
	Label(name + "_end")
	CMPQ(argument("mode"), U32(modeAdd))
	JNE(LabelRef(name + "_store"))
	each(func(s vec, at Mem) { VADDPS(at, s, s) })
	Label(name + "_store")
	each(func(s vec, at Mem) { VMOVUPS(s, at) })
	LEAQ(Mem{Base: c, Index: ldc3, Scale: 2}, c)
	DECQ(n)
	JNZ(LabelRef(name + "_tile"))
	end()
}

// packPanel copies up to 16 columns of B.
func packPanel() {
	const name = "packPanelAVX2"
	function(name, "(k int, dst, src *float32, stride, columns int)",
		"copies k rows of 1 to 16 columns, stride bytes apart, and fills them up with zeros:",
		"for l := range k {", "\tfor j := range 16 {", "\t\tdst[l*16+j] = src[l*stride+j] // j >= columns: 0", "\t}", "}")
	k, dst, src, stride, columns := word("k"), word("dst"), word("src"), word("stride"), word("columns")
	count, most := GP64(), GP64()
	MOVQ(U32(8), most)
	MOVQ(columns, count)
	CMPQ(count, most)
	CMOVQGT(most, count)
	masks := []vec{loadMask(count)}
	SUBQ(count, columns)
	masks = append(masks, loadMask(columns))
	Label(name + "_row")
	for v, m := range masks {
		VMOVUPS(loadVector(Mem{Base: src, Disp: 32 * v}, m), Mem{Base: dst, Disp: 32 * v})
	}
	ADDQ(stride, src)
	ADDQ(U32(64), dst)
	DECQ(k)
	JNZ(LabelRef(name + "_row"))
	end()
}

// packRows copies rows of A, six at a time.
func packRows() {
	const name = "packRowsAVX2"
	function(name, "(tiles, k int, dst, src *float32, stride int)",
		"copies 6*tiles rows of k elements, stride bytes apart, such that six rows alternate:",
		"for i := range 6 * tiles {", "\tfor l := range k {", "\t\tdst[i/6*6*k+l*6+i%6] = src[i*stride+l]", "\t}", "}")
	n, k, dst, src, stride := word("tiles"), word("k"), word("dst"), word("src"), word("stride")
	stride3, stride5 := GP64(), GP64()
	LEAQ(Mem{Base: stride, Index: stride, Scale: 2}, stride3)
	LEAQ(Mem{Base: stride, Index: stride, Scale: 4}, stride5)
	at, left := GP64(), GP64()
	row := func(r int) Mem {
		return []Mem{
			{Base: at},
			{Base: at, Index: stride, Scale: 1},
			{Base: at, Index: stride, Scale: 2},
			{Base: at, Index: stride3, Scale: 1},
			{Base: at, Index: stride, Scale: 4},
			{Base: at, Index: stride5, Scale: 1},
		}[r]
	}
	Label(name + "_tile")
	MOVQ(src, at)
	MOVQ(k, left)
	SUBQ(U32(8), left)
	JL(LabelRef(name + "_rest"))
	Label(name + "_loop")
	var x [tileRows]vec
	for r := range x {
		x[r] = loadVector(row(r), nil)
	}
	two := func(unpack func(...Op), x, y vec) vec {
		z := YMM()
		unpack(y, x, z)
		return z
	}
	// Each vector of pairs has two columns in each half, each of fours one.
	var low, high [tileRows / 2]vec
	for r := range low {
		low[r], high[r] = two(VUNPCKLPS, x[2*r], x[2*r+1]), two(VUNPCKHPS, x[2*r], x[2*r+1])
	}
	fours := []vec{
		two(VUNPCKLPD, low[0], low[1]), two(VUNPCKHPD, low[0], low[1]),
		two(VUNPCKLPD, high[0], high[1]), two(VUNPCKHPD, high[0], high[1]),
	}
	upper := func(x vec) reg.VecVirtual {
		z := XMM()
		VEXTRACTF128(U8(1), x, z)
		return z
	}
	pairs := []reg.Register{low[2].AsX(), high[2].AsX(), upper(low[2]), upper(high[2])}
	for l := range 8 {
		if l < 4 {
			VMOVUPS(fours[l].AsX(), Mem{Base: dst, Disp: 24 * l})
		} else {
			VEXTRACTF128(U8(1), fours[l-4], Mem{Base: dst, Disp: 24 * l})
		}
		if to := (Mem{Base: dst, Disp: 24*l + 16}); l%2 == 0 {
			VMOVLPS(pairs[l/2], to)
		} else {
			VMOVHPS(pairs[l/2], to)
		}
	}
	ADDQ(U32(32), at)
	ADDQ(U32(24*8), dst)
	SUBQ(U32(8), left)
	JGE(LabelRef(name + "_loop"))
	Label(name + "_rest")
	ADDQ(U32(8), left)
	JZ(LabelRef(name + "_next"))
	Label(name + "_single")
	for r := range tileRows {
		z := XMM()
		VMOVSS(row(r), z)
		VMOVSS(z, Mem{Base: dst, Disp: 4 * r})
	}
	ADDQ(U32(4), at)
	ADDQ(U32(24), dst)
	DECQ(left)
	JNZ(LabelRef(name + "_single"))
	Label(name + "_next")
	LEAQ(Mem{Base: src, Index: stride3, Scale: 2}, src)
	DECQ(n)
	JNZ(LabelRef(name + "_tile"))
	end()
}

// packColumns copies columns of A transposed, six at a time.
func packColumns() {
	const name = "packColumnsAVX2"
	function(name, "(tiles, k int, dst, src *float32, stride int)",
		"copies k rows of 6*tiles elements, stride bytes apart, such that six columns come after one another:",
		"for l := range k {", "\tfor i := range 6 * tiles {", "\t\tdst[i/6*6*k+l*6+i%6] = src[l*stride+i]", "\t}", "}")
	k, dst, src, stride := word("k"), word("dst"), word("src"), word("stride")
	size := GP64() // of a tile
	IMUL3Q(U32(24), k, size)
	stride3, n, at, to := GP64(), GP64(), GP64(), GP64()
	LEAQ(Mem{Base: stride, Index: stride, Scale: 2}, stride3)
	// Several rows at a time fill whole lines of the caches.
	rows := func(label string, rows int) {
		MOVQ(argument("tiles"), n)
		MOVQ(src, at)
		MOVQ(dst, to)
		Label(label)
		half := at
		for r := range rows {
			if r == 4 {
				half = GP64()
				LEAQ(Mem{Base: at, Index: stride, Scale: 4}, half)
			}
			for _, part := range []struct{ disp, size int }{{0, 16}, {16, 8}} {
				from := []Mem{
					{Base: half, Disp: part.disp},
					{Base: half, Index: stride, Scale: 1, Disp: part.disp},
					{Base: half, Index: stride, Scale: 2, Disp: part.disp},
					{Base: half, Index: stride3, Scale: 1, Disp: part.disp},
				}[r%4]
				x := XMM()
				if part.size == 16 {
					VMOVUPS(from, x)
					VMOVUPS(x, Mem{Base: to, Disp: 24*r + part.disp})
				} else {
					VMOVSD(from, x)
					VMOVSD(x, Mem{Base: to, Disp: 24*r + part.disp})
				}
			}
		}
		ADDQ(U32(24), at)
		ADDQ(size, to)
		DECQ(n)
		JNZ(LabelRef(label))
	}
	Label(name + "_eight")
	CMPQ(k, U32(8))
	JL(LabelRef(name + "_rest"))
	rows(name+"_tiles8", 8)
	LEAQ(Mem{Base: src, Index: stride, Scale: 8}, src)
	ADDQ(U32(24*8), dst)
	SUBQ(U32(8), k)
	JMP(LabelRef(name + "_eight"))
	Label(name + "_rest")
	TESTQ(k, k)
	JZ(LabelRef(name + "_done"))
	Label(name + "_one")
	rows(name+"_tiles1", 1)
	ADDQ(stride, src)
	ADDQ(U32(24), dst)
	DECQ(k)
	JNZ(LabelRef(name + "_one"))
	Label(name + "_done")
	end()
}
