package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

func vector() {
	var a vec
	scalar := func() { a = broadcast("a") }

	elementwise{
		name: "axpy", signature: "(a float32, x, y []float32)",
		doc:       "adds a multiple of x to y:",
		reference: []string{"for i, v := range x {", "\ty[i] += float32(a * v)", "}"},
		in:        []string{"x", "y"}, out: []string{"y"}, unroll: 4, setup: scalar,
		body: func(in []vec) []vec {
			VMULPS(a, in[0], in[0])
			VADDPS(in[0], in[1], in[1])
			return in[1:]
		},
	}.generate()
	elementwise{
		name: "add", signature: "(dst, x, y []float32)",
		doc:       "adds elementwise:",
		reference: []string{"for i, v := range x {", "\tdst[i] = v + y[i]", "}"},
		in:        []string{"x", "y"}, out: []string{"dst"}, unroll: 4,
		body: func(in []vec) []vec {
			VADDPS(in[1], in[0], in[0])
			return in[:1]
		},
	}.generate()
	elementwise{
		name: "mul", signature: "(dst, x, y []float32)",
		doc:       "multiplies elementwise:",
		reference: []string{"for i, v := range x {", "\tdst[i] = v * y[i]", "}"},
		in:        []string{"x", "y"}, out: []string{"dst"}, unroll: 4,
		body: func(in []vec) []vec {
			VMULPS(in[1], in[0], in[0])
			return in[:1]
		},
	}.generate()
	elementwise{
		name: "scale", signature: "(dst, x []float32, a float32)",
		doc:       "multiplies by a number:",
		reference: []string{"for i, v := range x {", "\tdst[i] = a * v", "}"},
		in:        []string{"x"}, out: []string{"dst"}, unroll: 4, setup: scalar,
		body: func(in []vec) []vec {
			VMULPS(a, in[0], in[0])
			return in
		},
	}.generate()
	elementwise{
		name: "shift", signature: "(dst, x []float32, a float32)",
		doc:       "adds a number:",
		reference: []string{"for i, v := range x {", "\tdst[i] = v + a", "}"},
		in:        []string{"x"}, out: []string{"dst"}, unroll: 4, setup: scalar,
		body: func(in []vec) []vec {
			VADDPS(a, in[0], in[0])
			return in
		},
	}.generate()
	elementwise{
		name: "divide", signature: "(dst, x []float32, a float32)",
		doc:       "divides by a number:",
		reference: []string{"for i, v := range x {", "\tdst[i] = v / a", "}"},
		in:        []string{"x"}, out: []string{"dst"}, unroll: 2, setup: scalar,
		body: func(in []vec) []vec {
			VDIVPS(a, in[0], in[0])
			return in
		},
	}.generate()

	elementwise{
		name: "maxAt", signature: "(best, at, x []float32, i float32)",
		doc:       "keeps the larger of two numbers, and where it was found:",
		reference: []string{"for j, v := range x {", "\tif v > best[j] {", "\t\tbest[j], at[j] = v, i", "\t}", "}"},
		in:        []string{"x", "best", "at"}, out: []string{"best", "at"}, unroll: 4, setup: func() { a = broadcast("i") },
		body: func(in []vec) []vec {
			m := compare(greaterThan, in[1], in[0])
			return []vec{choose(m, in[0], in[1]), choose(m, a, in[2])}
		},
	}.generate()

	function("dot"+isa(), "(x, y []float32) float32", "returns the inner product in 32 lanes:",
		"for i, v := range x {", "\ts[i%32] += float32(v * y[i])", "}",
		"for h := 16; h > 0; h /= 2 {", "\tfor j := range h {", "\t\ts[j] += s[j+h]", "\t}", "}", "return s[0]")
	result(inLanes("dot"+isa(), []string{"x", "y"}, func(in []vec) vec {
		VMULPS(in[1], in[0], in[0])
		return in[0]
	}, ""))
	end()

	function("sum"+isa(), "(x []float32) float32", "returns the sum in 32 lanes:",
		"for i, v := range x {", "\ts[i%32] += v", "}",
		"for h := 16; h > 0; h /= 2 {", "\tfor j := range h {", "\t\ts[j] += s[j+h]", "\t}", "}", "return s[0]")
	result(inLanes("sum"+isa(), []string{"x"}, func(in []vec) vec { return in[0] }, ""))
	end()

	if wide {
		return
	}
	function("transpose8AVX2", "(dst, src *float32, dstStride, srcStride, squares int)",
		"transposes squares of 8 × 8, side by side in src, one below the other in dst:",
		"for i := range 8 {", "\tfor j := range 8 * squares {", "\t\tdst[j*dstStride+i] = src[i*srcStride+j]", "\t}", "}")
	transpose()
}

func transpose() {
	dst, src := word("dst"), word("src")
	ds, ss, n := word("dstStride"), word("srcStride"), word("squares")
	SHLQ(U8(2), ds)
	SHLQ(U8(2), ss)
	ss3, ds3 := GP64(), GP64()
	LEAQ(Mem{Base: ss, Index: ss, Scale: 2}, ss3)
	LEAQ(Mem{Base: ds, Index: ds, Scale: 2}, ds3)
	// line returns the addresses of lines 0 to 7, given the address of line 4.
	line := func(p, p4, s, s3 gp, i int) Mem {
		b := p
		if i >= 4 {
			b, i = p4, i-4
		}
		switch i {
		case 0:
			return Mem{Base: b}
		case 1:
			return Mem{Base: b, Index: s, Scale: 1}
		case 2:
			return Mem{Base: b, Index: s, Scale: 2}
		}
		return Mem{Base: b, Index: s3, Scale: 1}
	}
	Label("transpose8AVX2_loop")
	TESTQ(n, n)
	JLE(LabelRef("transpose8AVX2_done"))
	src4, dst4 := GP64(), GP64()
	LEAQ(Mem{Base: src, Index: ss, Scale: 4}, src4)
	LEAQ(Mem{Base: dst, Index: ds, Scale: 4}, dst4)
	var r, t, u [8]vec
	for i := range r {
		r[i] = YMM()
		VMOVUPS(line(src, src4, ss, ss3, i), r[i])
	}
	for i := 0; i < 8; i += 2 {
		t[i], t[i+1] = YMM(), YMM()
		VUNPCKLPS(r[i+1], r[i], t[i])
		VUNPCKHPS(r[i+1], r[i], t[i+1])
	}
	for i := 0; i < 8; i += 4 {
		for j := range 4 {
			u[i+j] = YMM()
		}
		VSHUFPS(U8(0x44), t[i+2], t[i], u[i])
		VSHUFPS(U8(0xee), t[i+2], t[i], u[i+1])
		VSHUFPS(U8(0x44), t[i+3], t[i+1], u[i+2])
		VSHUFPS(U8(0xee), t[i+3], t[i+1], u[i+3])
	}
	for i := range 4 {
		v := YMM()
		VPERM2F128(U8(0x20), u[i+4], u[i], v)
		VMOVUPS(v, line(dst, dst4, ds, ds3, i))
	}
	for i := range 4 {
		v := YMM()
		VPERM2F128(U8(0x31), u[i+4], u[i], v)
		VMOVUPS(v, line(dst, dst4, ds, ds3, i+4))
	}
	ADDQ(U32(32), src)
	LEAQ(Mem{Base: dst, Index: ds, Scale: 8}, dst)
	DECQ(n)
	JMP(LabelRef("transpose8AVX2_loop"))
	Label("transpose8AVX2_done")
	end()
}
