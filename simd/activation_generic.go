package simd

import "math"

func reluGeneric(dst, x []float32) {
	dst = dst[:len(x)]
	for i, v := range x {
		if v < 0 {
			v = 0
		}
		dst[i] = v
	}
}

func reluGradGeneric(dst, dy, y []float32) {
	dst, dy = dst[:len(y)], dy[:len(y)]
	for i, v := range y {
		d := dy[i]
		if !(v > 0) {
			d = 0
		}
		dst[i] = d
	}
}

func expGeneric(dst, x []float32) {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] = Exp32(v)
	}
}

func logGeneric(dst, x []float32) {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] = Log32(v)
	}
}

func sigmoidGeneric(dst, x []float32) {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] = Sigmoid32(v)
	}
}

func sigmoidGradGeneric(dst, dy, y []float32) {
	dst, dy = dst[:len(y)], dy[:len(y)]
	for i, v := range y {
		dst[i] = float32(dy[i]*v) * (1 - v)
	}
}

func tanhGeneric(dst, x []float32) {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] = Tanh32(v)
	}
}

func tanhGradGeneric(dst, dy, y []float32) {
	dst, dy = dst[:len(y)], dy[:len(y)]
	for i, v := range y {
		dst[i] = dy[i] * (1 - float32(v*v))
	}
}

// maxGeneric returns the largest element, -Inf for none. What it returns for a
// row with a NaN is not defined: softmax is NaN then in any case.
func maxGeneric(x []float32) float32 {
	m := float32(math.Inf(-1))
	for _, v := range x {
		if v > m {
			m = v
		}
	}
	return m
}

// expSumGeneric writes e^(x-max) to dst and returns its sum, in lanes.
func expSumGeneric(dst, x []float32, max float32) float32 {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] = Exp32(v - max)
	}
	return sumGeneric(dst)
}

func softmaxGradGeneric(dst, dy, y []float32, s float32) {
	dst, dy = dst[:len(y)], dy[:len(y)]
	for i, v := range y {
		dst[i] = v * (dy[i] - s)
	}
}

func logisticLossGeneric(loss, grad, z, y []float32) {
	loss, y = loss[:len(z)], y[:len(z)]
	for i, v := range z {
		t := y[i]
		e := Exp32(-abs(v))
		positive, numerator := v, float32(1)
		if v < 0 {
			positive, numerator = 0, e
		}
		loss[i] = (positive - float32(v*t)) + Log1p32(e)
		if len(grad) != 0 {
			grad[i] = numerator/(1+e) - t
		}
	}
}
