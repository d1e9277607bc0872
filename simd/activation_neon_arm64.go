//go:build !purego

package simd

// reluNEON is the rectified linear unit:
//
//	for i, v := range x {
//		if v < 0 {
//			v = 0
//		}
//		dst[i] = v
//	}
//
//go:noescape
func reluNEON(dst, x []float32)

// reluGradNEON is the gradient of relu from its output:
//
//	for i, v := range y {
//		d := dy[i]
//		if !(v > 0) {
//			d = 0
//		}
//		dst[i] = d
//	}
//
//go:noescape
func reluGradNEON(dst, dy, y []float32)

// expNEON is the exponential function:
//
//	for i, v := range x {
//		dst[i] = Exp32(v)
//	}
//
//go:noescape
func expNEON(dst, x []float32)

// expShiftNEON is the exponential function of a difference:
//
//	for i, v := range x {
//		dst[i] = Exp32(v - shift)
//	}
//
//go:noescape
func expShiftNEON(dst, x []float32, shift float32)

// expSumNEON writes e^(x-max) to dst and returns its sum, in lanes.
func expSumNEON(dst, x []float32, max float32) float32 {
	expShiftNEON(dst, x, max)
	return sumNEON(dst)
}

// logNEON is the natural logarithm:
//
//	for i, v := range x {
//		dst[i] = Log32(v)
//	}
//
//go:noescape
func logNEON(dst, x []float32)

// sigmoidNEON is the logistic function:
//
//	for i, v := range x {
//		dst[i] = Sigmoid32(v)
//	}
//
//go:noescape
func sigmoidNEON(dst, x []float32)

// sigmoidGradNEON is the gradient of the logistic function from its output:
//
//	for i, v := range y {
//		dst[i] = float32(dy[i]*v) * (1 - v)
//	}
//
//go:noescape
func sigmoidGradNEON(dst, dy, y []float32)

// tanhNEON is the hyperbolic tangent:
//
//	for i, v := range x {
//		dst[i] = Tanh32(v)
//	}
//
//go:noescape
func tanhNEON(dst, x []float32)

// tanhGradNEON is the gradient of the hyperbolic tangent from its output:
//
//	for i, v := range y {
//		dst[i] = dy[i] * (1 - float32(v*v))
//	}
//
//go:noescape
func tanhGradNEON(dst, dy, y []float32)

// maxNEON returns the largest element, -Inf for none:
//
//	m := float32(math.Inf(-1))
//	for _, v := range x {
//		if v > m {
//			m = v
//		}
//	}
//	return m
//
//go:noescape
func maxNEON(x []float32) float32

// softmaxGradNEON is the gradient of softmax, given the inner product s of dy
// and y:
//
//	for i, v := range y {
//		dst[i] = v * (dy[i] - s)
//	}
//
//go:noescape
func softmaxGradNEON(dst, dy, y []float32, s float32)

// logisticLossNEON is binary cross-entropy from logits, and its gradient unless
// grad is empty:
//
//	for i, v := range z {
//		e := Exp32(-abs(v))
//		positive, numerator := v, float32(1)
//		if v < 0 {
//			positive, numerator = 0, e
//		}
//		loss[i] = (positive - float32(v*y[i])) + Log1p32(e)
//		grad[i] = numerator/(1+e) - y[i]
//	}
//
//go:noescape
func logisticLossNEON(loss, grad, z, y []float32)
