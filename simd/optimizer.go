package simd

// Adam updates weights w by one step of Adam (Kingma and Ba, 2015) in Keras's
// order and places of rounding. With one rounding per operation:
//
//	m += float32((grad-m) * c1)
//	v += float32((float32(grad*grad)-v) * c2)
//	|m| or |v| below 1e-30 becomes +0
//	w -= float32(m*alpha) / (sqrt(v) + eps)
//
// c1 is 1-beta1, c2 is 1-beta2, alpha = lr·sqrt(1-beta2^t)/(1-beta1^t). Moments
// are flushed because they would otherwise decay to denormals, which are slow,
// and stay there. No slice may be another.
func Adam(w, m, v, grad []float32, alpha, c1, c2, eps float32) {
	checkLengths4("Adam", len(w), len(m), len(v), len(grad))
	for len(w) > block {
		active.adam(w[:block], m[:block], v[:block], grad[:block], alpha, c1, c2, eps)
		w, m, v, grad = w[block:], m[block:], v[block:], grad[block:]
	}
	active.adam(w, m, v, grad, alpha, c1, c2, eps)
}

// AdamRepeat is a call of [Adam] with a gradient of zeros for each of the steps,
// in order. The first elements of a step are alpha, c1, c2 and eps.
func AdamRepeat(w, m, v []float32, steps [][8]float32) {
	checkLengths3("AdamRepeat", len(w), len(m), len(v))
	for len(steps) > 0 && len(w) > 0 {
		// So many steps that one call takes no longer than others.
		some := min(len(steps), max(1, block/len(w)))
		for at := 0; at < len(w); at += block {
			end := min(at+block, len(w))
			active.adamRepeat(w[at:end], m[at:end], v[at:end], steps[:some])
		}
		steps = steps[some:]
	}
}

// SGD updates weights by one step of gradient descent: w -= float32(lr*grad).
func SGD(w, grad []float32, lr float32) {
	checkLengths2("SGD", len(w), len(grad))
	for len(w) > block {
		active.sgd(w[:block], grad[:block], lr)
		w, grad = w[block:], grad[block:]
	}
	active.sgd(w, grad, lr)
}

// Momentum updates weights by one step of gradient descent with momentum, as
// Keras's SGD does:
//
//	vel = float32(momentum*vel) - float32(lr*grad)
//	|vel| below 1e-30 becomes +0
//	w += vel, or with nesterov
//	w += float32(momentum*vel) - float32(lr*grad)
//
// No slice may be another.
func Momentum(w, vel, grad []float32, lr, momentum float32, nesterov bool) {
	checkLengths3("Momentum", len(w), len(vel), len(grad))
	kernel := active.momentum
	if nesterov {
		kernel = active.nesterov
	}
	for len(w) > block {
		kernel(w[:block], vel[:block], grad[:block], lr, momentum)
		w, vel, grad = w[block:], vel[block:], grad[block:]
	}
	kernel(w, vel, grad, lr, momentum)
}

// RMSProp updates weights by one step of RMSprop (Hinton, 2012) as Keras does:
//
//	v = float32(rho*v) + float32(c * float32(grad*grad))
//	|v| below 1e-30 becomes +0
//	w -= float32(lr*grad) / sqrt(v + eps)
//
// c is 1-rho. No slice may be another.
func RMSProp(w, v, grad []float32, lr, rho, c, eps float32) {
	checkLengths3("RMSProp", len(w), len(v), len(grad))
	for len(w) > block {
		active.rmsprop(w[:block], v[:block], grad[:block], lr, rho, c, eps)
		w, v, grad = w[block:], v[block:], grad[block:]
	}
	active.rmsprop(w, v, grad, lr, rho, c, eps)
}
