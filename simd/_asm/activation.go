package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// The constants of ../scalar.go. A difference would show in the tests, which
// compare bits.
const (
	expHigh    = 89
	expLow     = -104
	log2e      = 1.44269504088896341
	ln2High    = 0.693359375
	ln2Low     = -2.12194440e-4
	roundMagic = 1<<23 + 1<<22
	roundBits  = 0x4b400000

	smallestNormal = 0x1p-126
	sqrtHalfBits   = 0x3f3504f3

	tanhPolynomial = 0.625
)

var (
	expCoefficients   = []float32{1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1}
	logCoefficients   = []float32{7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1}
	log1pCoefficients = []float32{0.00011340004857629538, 0.0004239565460011363, 0.002233777893707156, 0.012499907985329628, 0.0833333358168602}
	tanhCoefficients  = []float32{-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1}
)

// horner returns the polynomial of x, highest power first, without fusing.
func horner(x vec, coefficients []float32) vec {
	p := vectorRegister()
	VMULPS(constant(coefficients[0]), x, p)
	for i, c := range coefficients[1:] {
		if i > 0 {
			VMULPS(x, p, p)
		}
		VADDPS(constant(c), p, p)
	}
	return p
}

// load returns a constant in a register, not to be written.
func load(v float32) vec { return constantRegister(math.Float32bits(v)) }

// What the functions below use of constants.
var (
	expConstants     = append(bitsOf(expHigh, expLow, log2e, ln2High, ln2Low, 1), bitsOf(expCoefficients...)...)
	sigmoidConstants = append([]uint32{1 << 31}, expConstants...)
	logConstants     = append(append([]uint32{sqrtHalfBits, 1<<23 - 1}, bitsOf(smallestNormal, 1<<23, 1, 0.5, ln2High, ln2Low, math.MaxFloat32)...), bitsOf(logCoefficients...)...)
	log1pConstants   = append(bitsOf(2), bitsOf(log1pCoefficients...)...)
	tanhConstants    = append(append([]uint32{1<<31 - 1, 1 << 31}, bitsOf(tanhPolynomial, 2)...), append(bitsOf(tanhCoefficients...), expConstants...)...)
)

// exp is Exp32 of ../scalar.go.
func exp(x vec) vec {
	c := vectorRegister()
	VMINPS(x, load(expHigh), c) // NaN is the last source of VMINPS, which it returns
	VMAXPS(c, load(expLow), c)
	t, n := vectorRegister(), vectorRegister()
	VMULPS(constant(log2e), c, t)
	if wide {
		VRNDSCALEPS(U8(8), t, n) // to the nearest, ties to even, without exception
	} else {
		VADDPS(constant(roundMagic), t, t)
		VSUBPS(constant(roundMagic), t, n)
	}
	r, u := vectorRegister(), vectorRegister()
	VMULPS(constant(ln2High), n, u)
	VSUBPS(u, c, r)
	VMULPS(constant(ln2Low), n, u)
	VSUBPS(u, r, r)
	p := horner(r, expCoefficients)
	VMULPS(r, r, u)
	VMULPS(u, p, p)
	VADDPS(r, p, p)
	VADDPS(constant(1), p, p)
	if wide {
		VSCALEFPS(n, p, p) // p·2^n with one rounding, as below
		return p
	}
	// 2^n in two factors, of which the first product is exact.
	i, h := YMM(), YMM()
	VPSUBD(constantBits(roundBits), t, i)
	VPSRAD(U8(1), i, h)
	VPSUBD(h, i, i)
	VPADDD(constantBits(127), h, h)
	VPADDD(constantBits(127), i, i)
	VPSLLD(U8(23), h, h)
	VPSLLD(U8(23), i, i)
	VMULPS(h, p, p)
	VMULPS(i, p, p)
	return p
}

// logarithm is Log32.
func logarithm(x vec) vec {
	small := compare(lessThan, constant(smallestNormal), x)
	scaled := vectorRegister()
	VMULPS(constant(1<<23), x, scaled)
	y, u := choose(small, scaled, x), vectorRegister()
	VPSUBD(constantBits(sqrtHalfBits), y, u)
	n, e, f := vectorRegister(), vectorRegister(), vectorRegister()
	VPSRAD(U8(23), u, n)
	VCVTDQ2PS(n, e)
	less := vectorRegister()
	VMOVUPS(constant(23), less)
	keep(small, less)
	VSUBPS(less, e, e) // exact: both are small whole numbers
	if wide {
		VPANDD(constantBits(1<<23-1), u, f)
	} else {
		VPAND(constantBits(1<<23-1), u, f)
	}
	VPADDD(constantBits(sqrtHalfBits), f, f)
	VSUBPS(constant(1), f, f)
	z := vectorRegister()
	VMULPS(f, f, z)
	p := horner(f, logCoefficients)
	VMULPS(f, p, p)
	VMULPS(z, p, p)
	t := vectorRegister()
	VMULPS(constant(ln2Low), e, t)
	VADDPS(t, p, p)
	VMULPS(constant(0.5), z, t)
	VSUBPS(t, p, p)
	VADDPS(f, p, p)
	VMULPS(constant(ln2High), e, t)
	VADDPS(t, p, p)
	// NaN and +Inf stay, below 0 is NaN, 0 is -Inf.
	p = choose(compare(notLessEqual, constant(math.MaxFloat32), x), x, p)
	o := zero()
	p = choose(compare(lessThan, o, x), constantBits(0x7fc00000), p)
	return choose(compare(equal, o, x), constantBits(0xff800000), p)
}

// log1p is Log1p32.
func log1p(x vec) vec {
	t, u, w := vectorRegister(), vectorRegister(), vectorRegister()
	VADDPS(x, x, t)
	VADDPS(constant(2), x, u)
	VDIVPS(u, t, t)
	VMULPS(t, t, w)
	q := horner(w, log1pCoefficients)
	VMULPS(w, q, q)
	VMULPS(t, q, q)
	VADDPS(t, q, q)
	return q
}

// sigmoid returns Sigmoid32(x) and e^-|x|.
func sigmoid(x vec) (y, e vec) {
	a := vectorRegister()
	VORPS(constantBits(1<<31), x, a)
	e = exp(a)
	one, d := load(1), vectorRegister()
	VADDPS(one, e, d)
	y = choose(negative(x), e, one) // e^-0 is 1 too
	VDIVPS(d, y, y)
	return y, e
}

func activation() {
	unary := func(name, doc, expression string, unroll int, hoist []uint32, body func(x vec) vec) {
		elementwise{
			name: name, signature: "(dst, x []float32)", doc: doc,
			reference: []string{"for i, v := range x {", "\tdst[i] = " + expression, "}"},
			in:        []string{"x"}, out: []string{"dst"}, unroll: unroll, hoist: hoist,
			body: func(in []vec) []vec { return []vec{body(in[0])} },
		}.generate()
	}
	gradient := func(name, doc, expression string, unroll int, setup func(), body func(dy, y vec) vec) {
		elementwise{
			name: name, signature: "(dst, dy, y []float32)", doc: doc,
			reference: []string{"for i, v := range y {", "\tdst[i] = " + expression, "}"},
			in:        []string{"dy", "y"}, out: []string{"dst"}, unroll: unroll, setup: setup,
			body: func(in []vec) []vec { return []vec{body(in[0], in[1])} },
		}.generate()
	}

	var o, one, s, maximum vec
	elementwise{
		name: "relu", signature: "(dst, x []float32)", doc: "is the rectified linear unit:",
		reference: []string{"for i, v := range x {", "\tif v < 0 {", "\t\tv = 0", "\t}", "\tdst[i] = v", "}"},
		in:        []string{"x"}, out: []string{"dst"}, unroll: 4,
		setup: func() { o = zero() },
		body: func(in []vec) []vec {
			VMAXPS(in[0], o, in[0]) // x is the last source: NaN and -0 stay
			return in
		},
	}.generate()
	elementwise{
		name: "reluGrad", signature: "(dst, dy, y []float32)", doc: "is the gradient of relu from its output:",
		reference: []string{"for i, v := range y {", "\td := dy[i]", "\tif !(v > 0) {", "\t\td = 0", "\t}", "\tdst[i] = d", "}"},
		in:        []string{"dy", "y"}, out: []string{"dst"}, unroll: 4,
		setup: func() { o = zero() },
		body: func(in []vec) []vec {
			keep(compare(greaterThan, o, in[1]), in[0])
			return in[:1]
		},
	}.generate()
	unary("exp", "is the exponential function:", "Exp32(v)", 2, expConstants, exp)
	unary("log", "is the natural logarithm:", "Log32(v)", 1, logConstants, logarithm)
	unary("sigmoid", "is the logistic function:", "Sigmoid32(v)", 1, sigmoidConstants, func(x vec) vec {
		y, _ := sigmoid(x)
		return y
	})
	gradient("sigmoidGrad", "is the gradient of the logistic function from its output:", "float32(dy[i]*v) * (1 - v)", 4,
		func() { one = load(1) },
		func(dy, y vec) vec {
			VMULPS(y, dy, dy)
			VSUBPS(y, one, y)
			VMULPS(y, dy, dy)
			return dy
		})
	unary("tanh", "is the hyperbolic tangent:", "Tanh32(v)", 1, tanhConstants, func(x vec) vec {
		a, z := vectorRegister(), vectorRegister()
		VANDPS(constantBits(1<<31-1), x, a)
		VMULPS(a, a, z)
		p := horner(z, tanhCoefficients)
		VMULPS(z, p, p)
		VMULPS(a, p, p)
		VADDPS(a, p, p)
		t := vectorRegister()
		VADDPS(a, a, t)
		e := exp(t)
		VADDPS(constant(1), e, e)
		VDIVPS(e, load(2), t)
		VSUBPS(t, load(1), t)
		t = choose(compare(lessThan, constant(tanhPolynomial), a), p, t)
		VANDPS(constantBits(1<<31), x, x)
		VORPS(x, t, t)
		return t
	})
	gradient("tanhGrad", "is the gradient of the hyperbolic tangent from its output:", "dy[i] * (1 - float32(v*v))", 4,
		func() { one = load(1) },
		func(dy, y vec) vec {
			VMULPS(y, y, y)
			VSUBPS(y, one, y)
			VMULPS(y, dy, dy)
			return dy
		})
	elementwise{
		name: "softmaxGrad", signature: "(dst, dy, y []float32, s float32)", doc: "is the gradient of softmax, given the inner product s of dy and y:",
		reference: []string{"for i, v := range y {", "\tdst[i] = v * (dy[i] - s)", "}"},
		in:        []string{"dy", "y"}, out: []string{"dst"}, unroll: 4,
		setup: func() { s = broadcast("s") },
		body: func(in []vec) []vec {
			VSUBPS(s, in[0], in[0])
			VMULPS(in[0], in[1], in[1])
			return in[1:]
		},
	}.generate()
	elementwise{
		name: "logisticLoss", signature: "(loss, grad, z, y []float32)", doc: "is binary cross-entropy from logits, and its gradient unless grad is empty:",
		reference: []string{
			"for i, v := range z {",
			"\te := Exp32(-abs(v))",
			"\tpositive, numerator := v, float32(1)",
			"\tif v < 0 {",
			"\t\tpositive, numerator = 0, e",
			"\t}",
			"\tloss[i] = (positive - float32(v*y[i])) + Log1p32(e)",
			"\tgrad[i] = numerator/(1+e) - y[i]",
			"}",
		},
		in: []string{"z", "y"}, out: []string{"loss", "grad"}, optional: "grad", unroll: 1,
		hoist: append(log1pConstants, sigmoidConstants...),
		body: func(in []vec) []vec {
			z, y := in[0], in[1]
			p, e := sigmoid(z)
			VSUBPS(y, p, p)
			l := log1p(e)
			t := vectorRegister()
			VMAXPS(z, zero(), t)
			VMULPS(y, z, z)
			VSUBPS(z, t, t)
			VADDPS(l, t, t)
			return []vec{t, p}
		},
	}.generate()

	function("max"+isa(), "(x []float32) float32", "returns the largest element, -Inf for none:",
		"m := float32(math.Inf(-1))", "for _, v := range x {", "\tif v > m {", "\t\tm = v", "\t}", "}", "return m")
	label := func(s string) string { return "max" + isa() + "_" + s }
	hoist()
	x, n, step := base("x"), size("x"), lanes()
	var m [4]vec
	for j := range m {
		m[j] = vectorRegister()
		VMOVUPS(constantRegister(0xff800000), m[j])
	}
	Label(label("loop"))
	CMPQ(n, U32(4*step))
	JL(LabelRef(label("single")))
	for j := range m {
		v := loadVector(Mem{Base: x, Disp: 4 * step * j}, nil)
		VMAXPS(m[j], v, m[j])
	}
	ADDQ(U32(16*step), x)
	SUBQ(U32(4*step), n)
	JMP(LabelRef(label("loop")))
	Label(label("single"))
	CMPQ(n, U32(step))
	JL(LabelRef(label("tail")))
	v := loadVector(Mem{Base: x}, nil)
	VMAXPS(m[0], v, m[0])
	ADDQ(U32(4*step), x)
	SUBQ(U32(step), n)
	JMP(LabelRef(label("single")))
	Label(label("tail"))
	TESTQ(n, n)
	JZ(LabelRef(label("done")))
	mask := tailMask(n)
	v = choose(mask, loadVector(Mem{Base: x}, mask), m[1])
	VMAXPS(m[0], v, m[0])
	Label(label("done"))
	VMAXPS(m[1], m[0], m[0])
	VMAXPS(m[3], m[2], m[2])
	VMAXPS(m[2], m[0], m[0])
	top := m[0]
	if wide {
		top = YMM()
		VEXTRACTF64X4(U8(1), m[0], top)
		VMAXPS(top, m[0].AsY(), top)
	}
	h, k := XMM(), XMM()
	VEXTRACTF128(U8(1), top, h)
	VMAXPS(h, top.AsX(), h)
	VMOVHLPS(h, h, k)
	VMAXPS(k, h, h)
	VMOVSHDUP(h, k)
	VMAXSS(k, h, h)
	result(h)
	end()

	name := "expSum" + isa()
	function(name, "(dst, x []float32, maximum float32) float32", "returns the sum, in 32 lanes, of the exponentials that it writes:",
		"for i, v := range x {", "\te := Exp32(v - maximum)", "\tdst[i] = e", "\ts[i%32] += e", "}",
		"for h := 16; h > 0; h /= 2 {", "\tfor j := range h {", "\t\ts[j] += s[j+h]", "\t}", "}", "return s[0]")
	hoist(expConstants...)
	maximum = broadcast("maximum")
	result(inLanes(name, []string{"x"}, func(in []vec) vec {
		VSUBPS(maximum, in[0], in[0])
		return exp(in[0])
	}, "dst"))
	end()
}
