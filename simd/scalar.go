package simd

import "math"

// Exp32 returns e^x: [Exp] of one number.
//
// Cody and Waite's reduction x = n ln2 + r, |r| <= ln2/2, and the polynomial of
// Cephes expf (S. L. Moshier), unfused. 2^n is applied as two factors, so that
// overflow, underflow and subnormal results round once.
func Exp32(x float32) float32 {
	if x > expHigh {
		x = expHigh
	}
	if x < expLow {
		x = expLow
	}
	t := float32(x*log2e) + roundMagic // n in the low bits of t
	n := t - roundMagic
	r := x - float32(n*ln2High)
	r -= float32(n * ln2Low)
	p := float32(exp0*r) + exp1
	p = float32(p*r) + exp2
	p = float32(p*r) + exp3
	p = float32(p*r) + exp4
	p = float32(p*r) + exp5
	p = float32(p*float32(r*r)) + r
	p++
	i := int32(math.Float32bits(t)) - roundBits
	h := i >> 1
	p *= math.Float32frombits(uint32(h+127) << 23)
	return p * math.Float32frombits(uint32(i-h+127)<<23)
}

const (
	expHigh    = 89   // e^89 overflows to +Inf
	expLow     = -104 // e^-104 underflows to 0
	log2e      = 1.44269504088896341
	ln2High    = 0.693359375 // 10 bits: n*ln2High is exact
	ln2Low     = -2.12194440e-4
	roundMagic = 1<<23 + 1<<22 // adding it rounds to the nearest integer, ties to even
	roundBits  = 0x4b400000    // the bits of roundMagic

	exp0 = 1.9875691500e-4
	exp1 = 1.3981999507e-3
	exp2 = 8.3334519073e-3
	exp3 = 4.1665795894e-2
	exp4 = 1.6666665459e-1
	exp5 = 5.0000001201e-1
)

// Log32 returns the natural logarithm of x: [Log] of one number.
//
// x = 2^n m with m in [sqrt(1/2), sqrt(2)), then the polynomial of Cephes logf
// (S. L. Moshier), unfused.
func Log32(x float32) float32 {
	if !(x > 0) || x > math.MaxFloat32 {
		switch {
		case x == 0:
			return float32(math.Inf(-1))
		case x < 0:
			return float32(math.NaN())
		}
		return x // NaN, +Inf
	}
	var n int32
	if x < smallestNormal {
		x *= 1 << 23
		n = -23
	}
	u := int32(math.Float32bits(x)) - sqrtHalfBits
	n += u >> 23
	f := math.Float32frombits(uint32(u&(1<<23-1)+sqrtHalfBits)) - 1
	e := float32(n)
	z := f * f
	p := float32(log0*f) + log1
	p = float32(p*f) + log2
	p = float32(p*f) + log3
	p = float32(p*f) + log4
	p = float32(p*f) + log5
	p = float32(p*f) + log6
	p = float32(p*f) + log7
	p = float32(p*f) + log8
	p = float32(float32(p*f) * z)
	p += float32(e * ln2Low)
	p -= float32(0.5 * z)
	p += f
	return p + float32(e*ln2High)
}

const (
	smallestNormal = 0x1p-126
	sqrtHalfBits   = 0x3f3504f3 // the bits of sqrt(1/2)

	log0 = 7.0376836292e-2
	log1 = -1.1514610310e-1
	log2 = 1.1676998740e-1
	log3 = -1.2420140846e-1
	log4 = 1.4249322787e-1
	log5 = -1.6668057665e-1
	log6 = 2.0000714765e-1
	log7 = -2.4999993993e-1
	log8 = 3.3333331174e-1
)

// Log1p32 returns ln(1+x) for x in [0, 1] within 2.1 units in the last place, and
// NaN for NaN. Outside it is not defined.
//
// ln(1+x) = 2 artanh(t/2) with t = 2x/(2+x); t + t^3 q(t^2) with q interpolated
// at Chebyshev nodes.
func Log1p32(x float32) float32 {
	t := float32(2*x) / (2 + x)
	w := t * t
	q := float32(log1p0*w) + log1p1
	q = float32(q*w) + log1p2
	q = float32(q*w) + log1p3
	q = float32(q*w) + log1p4
	return float32(float32(q*w)*t) + t
}

const (
	log1p0 = 0.00011340004857629538
	log1p1 = 0.0004239565460011363
	log1p2 = 0.002233777893707156
	log1p3 = 0.012499907985329628
	log1p4 = 0.0833333358168602
)

// Sigmoid32 returns the logistic function of x: [Sigmoid] of one number.
func Sigmoid32(x float32) float32 {
	e := Exp32(-abs(x))
	if x < 0 {
		return e / (1 + e)
	}
	return 1 / (1 + e)
}

// LogisticLoss32 returns the binary cross-entropy of the logit z and the label y:
// [LogisticLoss] of one number.
func LogisticLoss32(z, y float32) float32 {
	positive := z
	if z < 0 {
		positive = 0
	}
	return (positive - float32(z*y)) + Log1p32(Exp32(-abs(z)))
}

// Tanh32 returns the hyperbolic tangent of x: [Tanh] of one number.
//
// The polynomial of Cephes tanhf (S. L. Moshier), unfused, below 0.625, and
// 1 - 2/(e^2x + 1) above.
func Tanh32(x float32) float32 {
	a := abs(x)
	var r float32
	if a < tanhPolynomial {
		z := a * a
		p := float32(tanh0*z) + tanh1
		p = float32(p*z) + tanh2
		p = float32(p*z) + tanh3
		p = float32(p*z) + tanh4
		r = float32(float32(p*z)*a) + a
	} else {
		r = 1 - 2/(Exp32(a+a)+1)
	}
	return math.Float32frombits(math.Float32bits(r) | math.Float32bits(x)&(1<<31))
}

const (
	tanhPolynomial = 0.625

	tanh0 = -5.70498872745e-3
	tanh1 = 2.06390887954e-2
	tanh2 = -5.37397155531e-2
	tanh3 = 1.33314422036e-1
	tanh4 = -3.33332819422e-1
)

// abs clears the sign bit.
func abs(x float32) float32 {
	return math.Float32frombits(math.Float32bits(x) &^ (1 << 31))
}

// Exp64 returns e^x in double precision, within 1 unit in the last place of a
// normal result.
func Exp64(x float64) float64 {
	switch {
	case x != x:
		return x
	case x > 710:
		return math.Inf(1)
	case x < -746:
		return 0
	}
	n := math.Floor(float64(x*log2e) + 0.5)
	hi := x - float64(n*ln2High64)
	r := hi - float64(n*ln2Low64)
	// Taylor: r^14/14! is below 2^-57 for |r| <= ln2/2.
	p := 1.0
	for i := 13; i > 0; i-- {
		p = float64(p*r)/float64(i) + 1
	}
	i := int(n)
	h := i / 2
	p *= math.Float64frombits(uint64(h+1023) << 52)
	return p * math.Float64frombits(uint64(i-h+1023)<<52)
}

// Log64 returns the natural logarithm of x in double precision, within 1 unit
// in the last place.
func Log64(x float64) float64 {
	switch {
	case x != x || x > math.MaxFloat64:
		return x
	case x == 0:
		return math.Inf(-1)
	case x < 0:
		return math.NaN()
	}
	n := 0
	if x < 0x1p-1022 {
		x *= 1 << 52
		n = -52
	}
	const sqrtHalf = 0x3fe6a09e667f3bcd
	u := int64(math.Float64bits(x)) - sqrtHalf
	n += int(u >> 52)
	f := math.Float64frombits(uint64(u&(1<<52-1)+sqrtHalf)) - 1
	// ln(1+f) = 2 artanh(s), s = f/(2+f), written so that f itself carries the
	// leading part (as in FreeBSD's e_log.c).
	s := f / (2 + f)
	z := s * s
	q := 0.0
	for j := 12; j > 0; j-- {
		q = float64(q*z) + 2/float64(2*j+1)
	}
	q = float64(q * z)
	half := float64(float64(0.5*f) * f)
	e := float64(n)
	return float64(e*ln2High64) - ((half - (float64(s*(half+q)) + float64(e*ln2Low64))) - f)
}

const (
	ln2High64 = 6.93147180369123816490e-01 // 32 bits: n*ln2High64 is exact
	ln2Low64  = 1.90821492927058770002e-10
)

// Log1p64 returns ln(1+x) in double precision for x > -1.
func Log1p64(x float64) float64 {
	u := 1 + x
	if u == 1 || x != x || u > math.MaxFloat64 {
		return x
	}
	// (u-1) is the part of x that 1+x kept; the rest enters to first order.
	return Log64(u) + (x-(u-1))/u
}

// Pow64 returns base^n by repeated squaring, one rounding per product: at most
// 64 squarings, whatever n is. n < 0 gives 1/base^-n.
func Pow64(base float64, n int) float64 {
	r := 1.0
	m := uint(n)
	if n < 0 {
		m = -m // exact for the lowest int, which has no positive counterpart
	}
	for ; m > 0; m >>= 1 {
		if m&1 != 0 {
			r *= base
		}
		base *= base
	}
	if n < 0 {
		return 1 / r
	}
	return r
}
