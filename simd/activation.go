package simd

// Relu computes the rectified linear unit: dst[i] = x[i], or 0 where x[i] < 0.
// NaN stays NaN and -0 stays -0. dst may be x.
func Relu(dst, x []float32) {
	checkLengths2("Relu", len(dst), len(x))
	each2(active.relu, dst, x)
}

// ReluGrad passes the gradient dy where relu let its input through:
// dst[i] = dy[i] where y[i] > 0, else 0. y is the output of [Relu]. dst may be
// dy or y.
func ReluGrad(dst, dy, y []float32) {
	checkLengths3("ReluGrad", len(dst), len(dy), len(y))
	each3(active.reluGrad, dst, dy, y)
}

// Exp computes dst[i] = e^x[i], within 1.1 units in the last place, subnormal
// results included. dst may be x.
func Exp(dst, x []float32) {
	checkLengths2("Exp", len(dst), len(x))
	each2(active.exp, dst, x)
}

// Log computes the natural logarithm: dst[i] = ln x[i], within 1 unit in the
// last place. ln 0 is -Inf, the logarithm of a negative number NaN. dst may be
// x.
func Log(dst, x []float32) {
	checkLengths2("Log", len(dst), len(x))
	each2(active.log, dst, x)
}

// Sigmoid computes the logistic function dst[i] = 1 / (1 + e^-x[i]) as e/(1+e)
// with e = e^-|x| for negative x and 1/(1+e) for the others, within 2.5 units in
// the last place. dst may be x.
func Sigmoid(dst, x []float32) {
	checkLengths2("Sigmoid", len(dst), len(x))
	each2(active.sigmoid, dst, x)
}

// SigmoidGrad computes the gradient of [Sigmoid] from its output y:
// dst[i] = float32(dy[i]*y[i]) * (1-y[i]). dst may be dy or y.
func SigmoidGrad(dst, dy, y []float32) {
	checkLengths3("SigmoidGrad", len(dst), len(dy), len(y))
	each3(active.sigmoidGrad, dst, dy, y)
}

// Tanh computes the hyperbolic tangent, within 1.5 units in the last place.
// dst may be x.
func Tanh(dst, x []float32) {
	checkLengths2("Tanh", len(dst), len(x))
	each2(active.tanh, dst, x)
}

// TanhGrad computes the gradient of [Tanh] from its output y:
// dst[i] = dy[i] * (1 - float32(y[i]*y[i])). dst may be dy or y.
func TanhGrad(dst, dy, y []float32) {
	checkLengths3("TanhGrad", len(dst), len(dy), len(y))
	each3(active.tanhGrad, dst, dy, y)
}

// Softmax turns one row of logits into probabilities: with m the largest x,
// dst[i] = e^(x[i]-m) / s, where s is the sum of the numerators in the order of
// [Sum]. The result is NaN everywhere if the row holds a NaN or +Inf, or
// nothing but -Inf. dst may be x.
func Softmax(dst, x []float32) {
	checkLengths2("Softmax", len(dst), len(x))
	if len(x) <= block {
		s := active.expSum(dst, x, active.max(x))
		active.divide(dst, dst, s)
		return
	}
	m := active.max(x[:block])
	for i := block; i < len(x); i += block {
		if v := active.max(x[i:min(i+block, len(x))]); v > m {
			m = v
		}
	}
	var s float32
	for i := 0; i < len(x); i += block {
		end := min(i+block, len(x))
		s += active.expSum(dst[i:end], x[i:end], m)
	}
	for i := 0; i < len(dst); i += block {
		end := min(i+block, len(dst))
		active.divide(dst[i:end], dst[i:end], s)
	}
}

// SoftmaxGrad computes the gradient of one row of [Softmax] from its output y:
// dst[i] = y[i] * (dy[i] - Dot(dy, y)). dst may be dy or y.
func SoftmaxGrad(dst, dy, y []float32) {
	checkLengths3("SoftmaxGrad", len(dst), len(dy), len(y))
	s := Dot(dy, y)
	for len(y) > block {
		active.softmaxGrad(dst[:block], dy[:block], y[:block], s)
		dst, dy, y = dst[block:], dy[block:], y[block:]
	}
	active.softmaxGrad(dst, dy, y, s)
}

// LogisticLoss computes binary cross-entropy from logits z and labels y, as
// tf.nn.sigmoid_cross_entropy_with_logits does, and its gradient:
//
//	e := Exp32(-|z|)
//	loss = (max(z, 0) - float32(z*y)) + Log1p32(e)
//	grad = Sigmoid32(z) - y
//
// max(z, 0) is relu's. grad may be nil; loss and grad may be z or y, but not
// each other.
func LogisticLoss(loss, grad, z, y []float32) {
	if grad == nil {
		checkLengths3("LogisticLoss", len(loss), len(z), len(y))
	} else {
		checkLengths4("LogisticLoss", len(loss), len(grad), len(z), len(y))
	}
	for len(z) > block {
		if grad == nil {
			active.logisticLoss(loss[:block], nil, z[:block], y[:block])
		} else {
			active.logisticLoss(loss[:block], grad[:block], z[:block], y[:block])
			grad = grad[block:]
		}
		loss, z, y = loss[block:], z[block:], y[block:]
	}
	active.logisticLoss(loss, grad, z, y)
}
