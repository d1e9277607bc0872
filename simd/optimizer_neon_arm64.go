//go:build !purego

package simd

// adamNEON is one step of Adam:
//
//	for i, g := range grad {
//		mi, vi := m[i], v[i]
//		mi = flush(mi + float32((g-mi)*c1))
//		vi = flush(vi + float32((float32(g*g)-vi)*c2))
//		m[i], v[i] = mi, vi
//		w[i] -= float32(mi*alpha) / (sqrt(vi) + eps)
//	}
//
//go:noescape
func adamNEON(w, m, v, grad []float32, alpha, c1, c2, eps float32)

// sgdNEON is one step of gradient descent:
//
//	for i, g := range grad {
//		w[i] -= float32(lr * g)
//	}
//
//go:noescape
func sgdNEON(w, grad []float32, lr float32)

// momentumNEON is one step of gradient descent with momentum:
//
//	for i, g := range grad {
//		u := flush(float32(momentum*vel[i]) - float32(lr*g))
//		vel[i] = u
//		w[i] += u
//	}
//
//go:noescape
func momentumNEON(w, vel, grad []float32, lr, momentum float32)

// nesterovNEON is one step of gradient descent with Nesterov's momentum:
//
//	for i, g := range grad {
//		u := flush(float32(momentum*vel[i]) - float32(lr*g))
//		vel[i] = u
//		w[i] += float32(momentum*u) - float32(lr*g)
//	}
//
//go:noescape
func nesterovNEON(w, vel, grad []float32, lr, momentum float32)

// rmspropNEON is one step of RMSprop:
//
//	for i, g := range grad {
//		vi := flush(float32(rho*v[i]) + float32(c*float32(g*g)))
//		v[i] = vi
//		w[i] -= float32(lr*g) / sqrt(vi+eps)
//	}
//
//go:noescape
func rmspropNEON(w, v, grad []float32, lr, rho, c, eps float32)
