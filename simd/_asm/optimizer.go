package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
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
		in: []string{"grad", "m", "v", "w"}, out: []string{"m", "v", "w"}, own: "w", unroll: 2,
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
		in:        []string{"grad", "w"}, out: []string{"w"}, own: "w", unroll: 4,
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
			in: []string{"grad", "vel", "w"}, out: []string{"vel", "w"}, own: "w", unroll: 2,
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
		in: []string{"grad", "v", "w"}, out: []string{"v", "w"}, own: "w", unroll: 2,
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
	adamRepeat()
}

// adamRepeat is several steps of Adam for a gradient of 0, two vectors at a time
// that stay in registers.
func adamRepeat() {
	name := "adamRepeat" + isa()
	function(name, "(w, m, v []float32, steps [][8]float32)",
		"is a step of Adam with a gradient of 0 for each of the steps, whose first elements are alpha, c1, c2 and eps:",
		"for _, s := range steps {",
		"\tfor i := range w {",
		"\t\tm[i] = flush(m[i] + float32((0-m[i])*s[1]))",
		"\t\tv[i] = flush(v[i] + float32((0-v[i])*s[2]))",
		"\t\tw[i] -= float32(m[i]*s[0]) / (sqrt(v[i]) + s[3])",
		"\t}", "}")
	w, m, v, n := base("w"), base("m"), base("v"), size("w")
	steps, count := base("steps"), size("steps")
	small, magnitude, none := load(1e-30), constantRegister(1<<31-1), zero()
	flush := func(x vec) {
		t := vectorRegister()
		VANDPS(magnitude, x, t)
		keep(compare(notLess, small, t), x)
	}
	label := func(s string) string { return name + "_" + s }
	// block works on so many vectors, of which the last may be masked.
	block := func(which string, vectors int, last mask) {
		at := func(p gp, i int) Mem { return Mem{Base: p, Disp: 4 * lanes() * i} }
		masked := func(i int) mask {
			if i == vectors-1 {
				return last
			}
			return nil
		}
		var ws, ms, vs []vec
		for i := range vectors {
			ws, ms, vs = append(ws, loadVector(at(w, i), masked(i))), append(ms, loadVector(at(m, i), masked(i))), append(vs, loadVector(at(v, i), masked(i)))
		}
		step, left := GP64(), GP64()
		MOVQ(steps, step)
		MOVQ(count, left)
		Label(label(which))
		coefficient := func(i int) vec {
			c := vectorRegister()
			VBROADCASTSS(Mem{Base: step, Disp: 4 * i}, c)
			return c
		}
		c := coefficient(1)
		for i := range vectors {
			t := vectorRegister()
			VSUBPS(ms[i], none, t)
			VMULPS(c, t, t)
			VADDPS(t, ms[i], ms[i])
			flush(ms[i])
		}
		c = coefficient(2)
		for i := range vectors {
			t := vectorRegister()
			VSUBPS(vs[i], none, t)
			VMULPS(c, t, t)
			VADDPS(t, vs[i], vs[i])
			flush(vs[i])
		}
		alpha, eps := coefficient(0), coefficient(3)
		for i := range vectors {
			t, u := vectorRegister(), vectorRegister()
			VSQRTPS(vs[i], t)
			VADDPS(eps, t, t)
			VMULPS(alpha, ms[i], u)
			VDIVPS(t, u, u)
			VSUBPS(u, ws[i], ws[i])
		}
		ADDQ(U32(32), step)
		DECQ(left)
		JNZ(LabelRef(label(which)))
		for i := range vectors {
			storeVector(ws[i], at(w, i), masked(i))
			storeVector(ms[i], at(m, i), masked(i))
			storeVector(vs[i], at(v, i), masked(i))
		}
	}
	TESTQ(count, count)
	JZ(LabelRef(label("done")))
	Label(label("next"))
	CMPQ(n, U32(2*lanes()))
	JL(LabelRef(label("rest")))
	block("two", 2, nil)
	for _, p := range []gp{w, m, v} {
		ADDQ(U32(8*lanes()), p)
	}
	SUBQ(U32(2*lanes()), n)
	JMP(LabelRef(label("next")))
	Label(label("rest"))
	CMPQ(n, U32(lanes()))
	JLE(LabelRef(label("last")))
	SUBQ(U32(lanes()), n)
	block("more", 2, tailMask(n))
	JMP(LabelRef(label("done")))
	Label(label("last"))
	TESTQ(n, n)
	JZ(LabelRef(label("done")))
	block("one", 1, tailMask(n))
	Label(label("done"))
	end()
}
