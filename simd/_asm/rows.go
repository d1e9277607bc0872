package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// bytes multiplies a number of elements by their size.
func bytes(n gp) gp {
	SHLQ(U8(2), n)
	return n
}

func rows() {
	addBias()
	sumRows()
	meanRows()
}

func addBias() {
	name := "addBias" + isa()
	function(name, "(dst, bias []float32)", "adds bias to each row of dst:",
		"for len(dst) > 0 {", "\tfor j, b := range bias {", "\t\tdst[j] += b", "\t}", "\tdst = dst[len(bias):]", "}")
	dst, bias, n, last := base("dst"), base("bias"), size("bias"), size("dst")
	LEAQ(Mem{Base: dst, Index: last, Scale: 4}, last)
	stride := GP64()
	MOVQ(n, stride)
	bytes(stride)
	panels(name, n, []int{4, 2, 1}, func(label string, vectors int, mask mask) {
		b := make([]vec, vectors)
		for i := range b {
			b[i] = loadVector(Mem{Base: bias, Disp: 4 * lanes() * i}, lastMask(i, vectors, mask))
		}
		row := GP64()
		MOVQ(dst, row)
		Label(label + "_rows")
		CMPQ(row, last)
		JAE(LabelRef(label + "_next"))
		for i := range b {
			at := Mem{Base: row, Disp: 4 * lanes() * i}
			m := lastMask(i, vectors, mask)
			v := loadVector(at, m)
			VADDPS(b[i], v, v)
			storeVector(v, at, m)
		}
		ADDQ(stride, row)
		JMP(LabelRef(label + "_rows"))
		Label(label + "_next")
	}, func(n int) {
		ADDQ(U32(n), dst)
		ADDQ(U32(n), bias)
	})
	end()
}

func sumRows() {
	name := "sumRows" + isa()
	function(name, "(dst, x []float32, rows, stride int, accumulate bool)",
		"adds up len(dst) columns of rows that lie stride elements apart, starting from dst, or with accumulate from +0 and then adding the sum to dst:",
		"for j := range dst {", "\ts := dst[j] // with accumulate 0", "\tfor i := range rows {", "\t\ts += x[i*stride+j]", "\t}", "\tdst[j] = s // with accumulate +=", "}")
	dst, n, x, rows, stride := base("dst"), size("dst"), base("x"), word("rows"), bytes(word("stride"))
	accumulate := GP64()
	MOVBQZX(argument("accumulate"), accumulate)
	panels(name, n, []int{4, 2, 1}, func(label string, vectors int, mask mask) {
		s := make([]vec, vectors)
		for i := range s {
			s[i] = zero()
		}
		TESTQ(accumulate, accumulate)
		JNZ(LabelRef(label + "_sum"))
		for i := range s {
			at, m := Mem{Base: dst, Disp: 4 * lanes() * i}, lastMask(i, vectors, mask)
			switch {
			case m == nil:
				VMOVUPS(at, s[i])
			case wide:
				VMOVUPS_Z(at, m, s[i])
			default:
				VMASKMOVPS(at, m, s[i])
			}
		}
		Label(label + "_sum")
		row, left := GP64(), GP64()
		MOVQ(x, row)
		MOVQ(rows, left)
		Label(label + "_rows")
		for i := range s {
			at, m := Mem{Base: row, Disp: 4 * lanes() * i}, lastMask(i, vectors, mask)
			if m != nil {
				v := loadVector(at, m)
				VADDPS(v, s[i], s[i])
			} else {
				VADDPS(at, s[i], s[i])
			}
		}
		ADDQ(stride, row)
		DECQ(left)
		JNZ(LabelRef(label + "_rows"))
		TESTQ(accumulate, accumulate)
		JZ(LabelRef(label + "_store"))
		for i := range s {
			v := loadVector(Mem{Base: dst, Disp: 4 * lanes() * i}, lastMask(i, vectors, mask))
			VADDPS(s[i], v, s[i])
		}
		Label(label + "_store")
		for i := range s {
			storeVector(s[i], Mem{Base: dst, Disp: 4 * lanes() * i}, lastMask(i, vectors, mask))
		}
	}, func(n int) {
		ADDQ(U32(n), dst)
		ADDQ(U32(n), x)
	})
	end()
}

func meanRows() {
	name := "meanRows" + isa()
	function(name, "(dst, x []float32, rows, stride int, n float32)",
		"averages len(dst) columns of rows that lie stride elements apart:",
		"for j := range dst {", "\tvar s [4]float32", "\tfor i := range rows {", "\t\ts[i%4] += x[i*stride+j]", "\t}",
		"\tdst[j] = ((s[0] + s[1]) + (s[2] + s[3])) / n", "}")
	dst, n, x, rows, stride := base("dst"), size("dst"), base("x"), word("rows"), bytes(word("stride"))
	divisor := broadcast("n")
	panels(name, n, []int{2, 1}, func(label string, vectors int, mask mask) {
		s := make([][]vec, 4)
		for a := range s {
			s[a] = make([]vec, vectors)
			for i := range s[a] {
				s[a][i] = zero()
			}
		}
		row, left := GP64(), GP64()
		MOVQ(x, row)
		MOVQ(rows, left)
		add := func(a int) {
			for i := range vectors {
				at, m := Mem{Base: row, Disp: 4 * lanes() * i}, lastMask(i, vectors, mask)
				if m != nil {
					v := loadVector(at, m)
					VADDPS(v, s[a][i], s[a][i])
				} else {
					VADDPS(at, s[a][i], s[a][i])
				}
			}
			ADDQ(stride, row)
		}
		Label(label + "_rows")
		CMPQ(left, U32(4))
		JL(LabelRef(label + "_last"))
		for a := range s {
			add(a)
		}
		SUBQ(U32(4), left)
		JMP(LabelRef(label + "_rows"))
		Label(label + "_last")
		for a := range 3 {
			CMPQ(left, U32(a))
			JE(LabelRef(label + "_mean"))
			add(a)
		}
		Label(label + "_mean")
		for i := range vectors {
			mean4(s, i, divisor)
			storeVector(s[0][i], Mem{Base: dst, Disp: 4 * lanes() * i}, lastMask(i, vectors, mask))
		}
	}, func(n int) {
		ADDQ(U32(n), dst)
		ADDQ(U32(n), x)
	})
	end()
}

// mean4 leaves ((s0+s1) + (s2+s3)) / n of vector i in s0.
func mean4(s [][]vec, i int, n vec) {
	VADDPS(s[1][i], s[0][i], s[0][i])
	VADDPS(s[3][i], s[2][i], s[2][i])
	VADDPS(s[2][i], s[0][i], s[0][i])
	VDIVPS(n, s[0][i], s[0][i])
}
