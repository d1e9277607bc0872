package main

import (
	. "github.com/mmcloughlin/avo/build"
)

func optimizer() {
	var lr, momentum, rho, alpha, c, c1, c2, eps, small, magnitude vec
	flushing := func() {
		small, magnitude = load(1e-30), constantRegister(1<<31-1)
	}
	// flush turns x into +0 where |x| < 1e-30.
	flush := func(x vec) {
		t := vectorRegister()
		VANDPS(magnitude, x, t)
		keep(compare(notLess, small, t), x)
	}

	elementwise{
		name: "adam", signature: "(w, m, v, grad []float32, alpha, c1, c2, eps float32)",
		doc: "is one step of Adam:",
		reference: []string{
			"for i, g := range grad {",
			"\tmi, vi := m[i], v[i]",
			"\tmi = flush(mi + float32((g-mi)*c1))",
			"\tvi = flush(vi + float32((float32(g*g)-vi)*c2))",
			"\tm[i], v[i] = mi, vi",
			"\tw[i] -= float32(mi*alpha) / (sqrt(vi) + eps)",
			"}",
		},
		in: []string{"grad", "m", "v", "w"}, out: []string{"m", "v", "w"}, unroll: 2,
		setup: func() {
			alpha, c1, c2, eps = broadcast("alpha"), broadcast("c1"), broadcast("c2"), broadcast("eps")
			flushing()
		},
		body: func(in []vec) []vec {
			g, m, v, w := in[0], in[1], in[2], in[3]
			t := vectorRegister()
			VSUBPS(m, g, t)
			VMULPS(c1, t, t)
			VADDPS(t, m, m)
			flush(m)
			VMULPS(g, g, t)
			VSUBPS(v, t, t)
			VMULPS(c2, t, t)
			VADDPS(t, v, v)
			flush(v)
			VSQRTPS(v, t)
			VADDPS(eps, t, t)
			u := vectorRegister()
			VMULPS(alpha, m, u)
			VDIVPS(t, u, u)
			VSUBPS(u, w, w)
			return []vec{m, v, w}
		},
	}.generate()

	elementwise{
		name: "sgd", signature: "(w, grad []float32, lr float32)",
		doc:       "is one step of gradient descent:",
		reference: []string{"for i, g := range grad {", "\tw[i] -= float32(lr * g)", "}"},
		in:        []string{"grad", "w"}, out: []string{"w"}, unroll: 4,
		setup: func() { lr = broadcast("lr") },
		body: func(in []vec) []vec {
			VMULPS(lr, in[0], in[0])
			VSUBPS(in[0], in[1], in[1])
			return in[1:]
		},
	}.generate()

	for _, nesterov := range []bool{false, true} {
		name, doc := "momentum", "is one step of gradient descent with momentum:"
		last := "\tw[i] += u"
		if nesterov {
			name, doc = "nesterov", "is one step of gradient descent with Nesterov's momentum:"
			last = "\tw[i] += float32(momentum*u) - float32(lr*g)"
		}
		elementwise{
			name: name, signature: "(w, vel, grad []float32, lr, momentum float32)",
			doc: doc,
			reference: []string{
				"for i, g := range grad {",
				"\tu := flush(float32(momentum*vel[i]) - float32(lr*g))",
				"\tvel[i] = u",
				last,
				"}",
			},
			in: []string{"grad", "vel", "w"}, out: []string{"vel", "w"}, unroll: 2,
			setup: func() {
				lr, momentum = broadcast("lr"), broadcast("momentum")
				flushing()
			},
			body: func(in []vec) []vec {
				g, u, w := in[0], in[1], in[2]
				VMULPS(lr, g, g)
				VMULPS(momentum, u, u)
				VSUBPS(g, u, u)
				flush(u)
				if nesterov {
					t := vectorRegister()
					VMULPS(momentum, u, t)
					VSUBPS(g, t, t)
					VADDPS(t, w, w)
				} else {
					VADDPS(u, w, w)
				}
				return []vec{u, w}
			},
		}.generate()
	}

	elementwise{
		name: "rmsprop", signature: "(w, v, grad []float32, lr, rho, c, eps float32)",
		doc: "is one step of RMSprop:",
		reference: []string{
			"for i, g := range grad {",
			"\tvi := flush(float32(rho*v[i]) + float32(c*float32(g*g)))",
			"\tv[i] = vi",
			"\tw[i] -= float32(lr*g) / sqrt(vi+eps)",
			"}",
		},
		in: []string{"grad", "v", "w"}, out: []string{"v", "w"}, unroll: 2,
		setup: func() {
			lr, rho, c, eps = broadcast("lr"), broadcast("rho"), broadcast("c"), broadcast("eps")
			flushing()
		},
		body: func(in []vec) []vec {
			g, v, w := in[0], in[1], in[2]
			t := vectorRegister()
			VMULPS(g, g, t)
			VMULPS(c, t, t)
			VMULPS(rho, v, v)
			VADDPS(t, v, v)
			flush(v)
			VADDPS(eps, v, t)
			VSQRTPS(t, t)
			VMULPS(lr, g, g)
			VDIVPS(t, g, g)
			VSUBPS(g, w, w)
			return []vec{v, w}
		},
	}.generate()
}
