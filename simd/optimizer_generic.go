package simd

import "math"

func adamGeneric(w, m, v, grad []float32, alpha, c1, c2, eps float32) {
	m, v, grad = m[:len(w)], v[:len(w)], grad[:len(w)]
	for i := range w {
		g, mi, vi := grad[i], m[i], v[i]
		mi = flush(mi + float32((g-mi)*c1))
		vi = flush(vi + float32((float32(g*g)-vi)*c2))
		m[i], v[i] = mi, vi
		w[i] -= float32(mi*alpha) / (sqrt(vi) + eps)
	}
}

func adamRepeatGeneric(w, m, v []float32, steps [][8]float32) {
	m, v = m[:len(w)], v[:len(w)]
	for _, s := range steps {
		for i := range w {
			mi := flush(m[i] + float32((0-m[i])*s[1]))
			vi := flush(v[i] + float32((0-v[i])*s[2]))
			m[i], v[i] = mi, vi
			w[i] -= float32(mi*s[0]) / (sqrt(vi) + s[3])
		}
	}
}

func sgdGeneric(w, grad []float32, lr float32) {
	grad = grad[:len(w)]
	for i, g := range grad {
		w[i] -= float32(lr * g)
	}
}

func momentumGeneric(w, vel, grad []float32, lr, momentum float32) {
	vel, grad = vel[:len(w)], grad[:len(w)]
	for i := range w {
		u := flush(float32(momentum*vel[i]) - float32(lr*grad[i]))
		vel[i] = u
		w[i] += u
	}
}

func nesterovGeneric(w, vel, grad []float32, lr, momentum float32) {
	vel, grad = vel[:len(w)], grad[:len(w)]
	for i := range w {
		step := float32(lr * grad[i])
		u := flush(float32(momentum*vel[i]) - step)
		vel[i] = u
		w[i] += float32(momentum*u) - step
	}
}

func rmspropGeneric(w, v, grad []float32, lr, rho, c, eps float32) {
	v, grad = v[:len(w)], grad[:len(w)]
	for i := range w {
		g := grad[i]
		vi := flush(float32(rho*v[i]) + float32(c*float32(g*g)))
		v[i] = vi
		w[i] -= float32(lr*g) / sqrt(vi+eps)
	}
}

// Moments smaller than tiny count as 0.
const tiny = 1e-30

// flush returns x, or +0 if |x| < tiny.
func flush(x float32) float32 {
	if abs(x) < tiny {
		return 0
	}
	return x
}

// sqrt is correctly rounded: the square root of a float32 computed in float64
// rounds to float32 without error from the double rounding.
func sqrt(x float32) float32 { return float32(math.Sqrt(float64(x))) }
