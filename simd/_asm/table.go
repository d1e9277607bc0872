package main

import (
	"fmt"
	"strings"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

func table() {
	copyRows("gather"+isa(), "(dst, table []float32, dim, rows int, ids []int32) int", "dst",
		"copies rows of table to dst:", "copy(dst[i*dim:][:dim], table[int(id)*dim:])")
	copyRows("scatter"+isa(), "(table, src []float32, dim, rows int, ids []int32) int", "src",
		"copies rows of src to rows of table:", "copy(table[int(id)*dim:][:dim], src[i*dim:])")
	copyRows("scatterAdd"+isa(), "(table, src []float32, dim, rows int, ids []int32) int", "src",
		"adds rows of src to rows of table:", "for j, v := range src[i*dim:][:dim] {", "\ttable[int(id)*dim+j] += v", "}")
	bagMean()
	bagScatter()
	if !wide {
		prefetch()
	}
}

// prefetch asks for the cache lines of a row.
func prefetch() {
	const name = "prefetchAVX2"
	function(name, "(x []float32)", "asks for the cache lines of x. It computes nothing.")
	x, end, n := base("x"), GP64(), size("x")
	LEAQ(Mem{Base: x, Index: n, Scale: 4}, end)
	ANDQ(I32(-64), x)
	Label(name + "_loop")
	CMPQ(x, end)
	JAE(LabelRef(name + "_done"))
	PREFETCHT0(Mem{Base: x})
	ADDQ(U32(64), x)
	JMP(LabelRef(name + "_loop"))
	Label(name + "_done")
	RET()
}

// nextID loads id i+at and leaves if it lies outside the table.
func nextID(ids, i gp, at int, rows gp, outside string) gp {
	id := GP64()
	MOVLQSX(Mem{Base: ids, Index: i, Scale: 4, Disp: 4 * at}, id)
	CMPQ(id, rows) // unsigned: a negative id is large
	JAE(LabelRef(outside))
	return id
}

// perID is a reference loop over ids.
func perID(body ...string) []string {
	lines := []string{"for i, id := range ids {", "\tif uint(id) >= uint(rows) {", "\t\treturn i", "\t}"}
	for _, line := range body {
		lines = append(lines, "\t"+line)
	}
	return append(lines, "}", "return len(ids)")
}

// farTable is the size in bytes from which gather asks for rows beforehand: such
// a table does not fit the caches. It asks so many rows ahead.
const (
	farTable = 4 << 20
	farAhead = 16
)

// copyRows is gather, which copies rows of the table to other, scatter, which
// copies rows of other to the table, or scatter-add, which adds them.
func copyRows(name, signature, other, doc string, reference ...string) {
	function(name, signature, doc, perID(reference...)...)
	add, toTable := strings.HasPrefix(name, "scatterAdd"), other == "src"
	table, flat := base("table"), base(other)
	dim, rows, ids, n := word("dim"), word("rows"), base("ids"), size("ids")
	stride, i := GP64(), GP64()
	MOVQ(dim, stride)
	bytes(stride)
	XORQ(i, i)
	// one moves one vector of a row at j.
	one := func(row, j gp, disp int, mask mask) {
		to, from := Mem{Base: flat, Disp: disp}, Mem{Base: row, Disp: disp}
		if j != nil {
			to.Index, to.Scale, from.Index, from.Scale = j, 4, j, 4
		}
		if toTable {
			to, from = from, to
		}
		v := loadVector(from, mask)
		if add {
			w := loadVector(to, mask)
			VADDPS(v, w, v)
		}
		storeVector(v, to, mask)
	}
	done := name + "_done"

	if !toTable {
		size := GP64()
		MOVQ(rows, size)
		IMULQ(stride, size)
		CMPQ(size, U32(farTable))
		JA(LabelRef(name + "_any"))
	}
	CMPQ(dim, U32(16))
	JNE(LabelRef(name + "_any"))
	Label(name + "_loop16")
	CMPQ(i, n)
	JGE(LabelRef(done))
	id := nextID(ids, i, 0, rows, done)
	SHLQ(U8(6), id)
	ADDQ(table, id)
	for disp := 0; disp < 64; disp += 4 * lanes() {
		one(id, nil, disp, nil)
	}
	ADDQ(U32(64), flat)
	INCQ(i)
	JMP(LabelRef(name + "_loop16"))

	Label(name + "_any")
	tail := GP64()
	MOVQ(dim, tail)
	ANDQ(U32(lanes()-1), tail)
	mask := tailMask(tail)
	whole := GP64()
	MOVQ(dim, whole)
	ANDQ(I32(-lanes()), whole)
	loop := func(name string, far bool) {
		Label(name + "_loop")
		CMPQ(i, n)
		JGE(LabelRef(done))
		id := nextID(ids, i, 0, rows, done)
		IMULQ(stride, id)
		ADDQ(table, id)
		var ahead gp
		if far {
			ahead = GP64()
			at := GP64()
			LEAQ(Mem{Base: i, Disp: farAhead}, at)
			CMPQ(at, n)
			CMOVQGE(i, at)
			MOVLQSX(Mem{Base: ids, Index: at, Scale: 4}, ahead)
			IMULQ(stride, ahead)
			ADDQ(table, ahead)
		}
		j := GP64()
		XORQ(j, j)
		Label(name + "_columns")
		CMPQ(j, whole)
		JGE(LabelRef(name + "_tail"))
		if far {
			PREFETCHT0(Mem{Base: ahead, Index: j, Scale: 4})
		}
		one(id, j, 0, nil)
		ADDQ(U32(lanes()), j)
		JMP(LabelRef(name + "_columns"))
		Label(name + "_tail")
		if far {
			// The row's end may lie on one more line.
			PREFETCHT0(Mem{Base: ahead, Index: j, Scale: 4})
		}
		TESTQ(tail, tail)
		JZ(LabelRef(name + "_next"))
		one(id, j, 0, mask)
		Label(name + "_next")
		ADDQ(stride, flat)
		INCQ(i)
		JMP(LabelRef(name + "_loop"))
	}
	if !toTable {
		size := GP64()
		MOVQ(rows, size)
		IMULQ(stride, size)
		CMPQ(size, U32(farTable))
		JA(LabelRef(name + "_far_loop"))
	}
	loop(name, false)
	if !toTable {
		loop(name+"_far", true)
	}

	Label(done)
	Store(i, ReturnIndex(0))
	end()
}

func bagMean() {
	name := "bagMean" + isa()
	function(name, "(dst, table []float32, rows int, ids []int32, counts []float32, n float32) int",
		"averages the rows of a bag; dst keeps its value if an id lies outside the table, and is 0 if n is:",
		"for j := range dst {", "\tvar s [4]float32", "\tfor i, id := range ids {", "\t\tif uint(id) >= uint(rows) {", "\t\t\treturn i", "\t\t}",
		"\t\ts[i%4] += float32(counts[i] * table[int(id)*len(dst)+j])", "\t}",
		"\tdst[j] = ((s[0] + s[1]) + (s[2] + s[3])) / n", "}", "return len(ids)")
	dst, columns, table, rows := base("dst"), size("dst"), base("table"), word("rows")
	ids, counts, total := base("ids"), base("counts"), size("ids")
	stride := GP64()
	MOVQ(columns, stride)
	bytes(stride)
	i := GP64()

	label := func(format string, a ...any) string { return name + "_" + fmt.Sprintf(format, a...) }
	// panel averages 8*vectors columns, or fewer if the last vector is masked.
	panel := func(at string, vectors int, mask mask) {
		s := make([][]vec, 4)
		for a := range s {
			s[a] = make([]vec, vectors)
			for v := range s[a] {
				s[a][v] = zero()
			}
		}
		XORQ(i, i)
		add := func(a, disp int) {
			id := nextID(ids, i, disp, rows, label("outside%d", disp))
			IMULQ(stride, id)
			count := vectorRegister()
			VBROADCASTSS(Mem{Base: counts, Index: i, Scale: 4, Disp: 4 * disp}, count)
			for v := range vectors {
				t := vectorRegister()
				from := Mem{Base: table, Index: id, Scale: 1, Disp: 4 * lanes() * v}
				if m := lastMask(v, vectors, mask); m != nil {
					t = loadVector(from, m)
					VMULPS(count, t, t)
				} else {
					VMULPS(from, count, t)
				}
				VADDPS(t, s[a][v], s[a][v])
			}
		}
		four := GP64()
		Label(at + "_loop")
		LEAQ(Mem{Base: i, Disp: 4}, four)
		CMPQ(four, total)
		JG(LabelRef(at + "_last"))
		for a := range s {
			add(a, a)
		}
		MOVQ(four, i)
		JMP(LabelRef(at + "_loop"))
		Label(at + "_last")
		for a := range 3 {
			CMPQ(i, total)
			JGE(LabelRef(at + "_mean"))
			add(a, 0)
			INCQ(i)
		}
		Label(at + "_mean")
		n := broadcast("n")
		some := compare(notEqual, zero(), n)
		for v := range vectors {
			mean4(s, v, n)
			keep(some, s[0][v])
			storeVector(s[0][v], Mem{Base: dst, Disp: 4 * lanes() * v}, lastMask(v, vectors, mask))
		}
	}
	advance := func(vectors int) {
		ADDQ(U32(4*lanes()*vectors), dst)
		ADDQ(U32(4*lanes()*vectors), table)
		SUBQ(U32(lanes()*vectors), columns)
	}

	step := lanes()
	Label(label("columns3"))
	CMPQ(columns, U32(3*step))
	JL(LabelRef(label("columns2")))
	panel(label("columns3"), 3, nil)
	advance(3)
	JMP(LabelRef(label("columns3")))
	Label(label("columns2"))
	CMPQ(columns, U32(2*step))
	JL(LabelRef(label("columns1to2")))
	panel(label("columns2"), 2, nil)
	advance(2)
	Label(label("columns1to2"))
	CMPQ(columns, U32(step))
	JE(LabelRef(label("whole")))
	JL(LabelRef(label("columns1")))
	tail := GP64()
	LEAQ(Mem{Base: columns, Disp: -step}, tail)
	panel(label("columns1to2"), 2, tailMask(tail))
	JMP(LabelRef(label("done")))
	Label(label("whole"))
	panel(label("whole"), 1, nil)
	JMP(LabelRef(label("done")))
	Label(label("columns1"))
	TESTQ(columns, columns)
	JZ(LabelRef(label("done")))
	panel(label("columns1"), 1, tailMask(columns))
	Label(label("done"))
	MOVQ(total, i)
	JMP(LabelRef(label("outside0")))
	for a := 3; a > 0; a-- {
		Label(label("outside%d", a))
		INCQ(i)
	}
	Label(label("outside0"))
	Store(i, ReturnIndex(0))
	end()
}

func bagScatter() {
	name := "bagScatter" + isa()
	function(name, "(table, grad []float32, rows int, ids []int32, counts []float32) int",
		"adds a gradient, times a count, to the rows of a bag:",
		perID("for j, v := range grad {", "\ttable[int(id)*len(grad)+j] += float32(counts[i] * v)", "}")...)
	table, grad, dim, rows := base("table"), base("grad"), size("grad"), word("rows")
	ids, counts, n := base("ids"), base("counts"), size("ids")
	i, count := GP64(), vectorRegister()
	XORQ(i, i)
	done := name + "_done"
	start := func() gp {
		CMPQ(i, n)
		JGE(LabelRef(done))
		id := nextID(ids, i, 0, rows, done)
		VBROADCASTSS(Mem{Base: counts, Index: i, Scale: 4}, count)
		return id
	}

	CMPQ(dim, U32(16))
	JNE(LabelRef(name + "_any"))
	var g []vec
	for disp := 0; disp < 64; disp += 4 * lanes() {
		g = append(g, loadVector(Mem{Base: grad, Disp: disp}, nil))
	}
	Label(name + "_loop16")
	id := start()
	SHLQ(U8(6), id)
	for v := range g {
		t, at := vectorRegister(), Mem{Base: table, Index: id, Scale: 1, Disp: 4 * lanes() * v}
		VMULPS(g[v], count, t)
		VADDPS(at, t, t)
		VMOVUPS(t, at)
	}
	INCQ(i)
	JMP(LabelRef(name + "_loop16"))

	Label(name + "_any")
	stride, tail, whole := GP64(), GP64(), GP64()
	MOVQ(dim, stride)
	bytes(stride)
	MOVQ(dim, tail)
	ANDQ(U32(lanes()-1), tail)
	last := tailMask(tail)
	MOVQ(dim, whole)
	ANDQ(I32(-lanes()), whole)
	Label(name + "_loop")
	id = start()
	IMULQ(stride, id)
	ADDQ(table, id)
	j := GP64()
	XORQ(j, j)
	one := func(mask mask) {
		from, to := Mem{Base: grad, Index: j, Scale: 4}, Mem{Base: id, Index: j, Scale: 4}
		t := loadVector(from, mask)
		VMULPS(count, t, t)
		w := loadVector(to, mask)
		VADDPS(t, w, w)
		storeVector(w, to, mask)
	}
	Label(name + "_columns")
	CMPQ(j, whole)
	JGE(LabelRef(name + "_tail"))
	one(nil)
	ADDQ(U32(lanes()), j)
	JMP(LabelRef(name + "_columns"))
	Label(name + "_tail")
	TESTQ(tail, tail)
	JZ(LabelRef(name + "_next"))
	one(last)
	Label(name + "_next")
	INCQ(i)
	JMP(LabelRef(name + "_loop"))

	Label(done)
	Store(i, ReturnIndex(0))
	end()
}
