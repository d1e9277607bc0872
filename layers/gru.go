package layers

import (
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/simd"
	"github.com/linnet-ml/linnet/tensor"
)

// GRU reads a sequence step by step and carries a vector h of Units elements, its output, from one step to the next
// (Keras's GRU; Cho et al., 2014). It turns values (batch, steps, features) into the last output (batch, Units), or with
// ReturnSequences into the outputs of all steps (batch, steps, Units). The number of steps may differ from batch to batch.
//
// Each step computes, from its values x,
//
//	a    = x·kernel + bias's row 0
//	b    = h·recurrent_kernel + bias's row 1
//	z, r = sigmoid(a + b), the columns of z and r
//	g    = tanh(a + r·b), the columns of g
//	h    = z·h + (1-z)·g
//
// The gate z says how much of h stays, and r how much of it g sees. With ResetBefore, as in the paper, r is applied to h
// before the product with the recurrent kernel: g = tanh(a + (r·h)·recurrent_kernel).
//
// Inputs: the values, and optionally the initial h (batch, Units); it starts at 0 without. Outputs: one, or with ReturnState
// two: the output, and h after the last step.
//
// A mask of the values says which steps to leave out, as it does for an [LSTM].
//
// Parameters, in a layer "gru_cell" within this one, as in Keras: kernel (features, 3·Units), recurrent_kernel (Units,
// 3·Units), and unless NoBias bias (2, 3·Units), or (3·Units,) with ResetBefore. Their columns are those of z, r and g, in
// this order.
type GRU struct {
	Name string
	// Units is the number of elements of the output.
	Units int
	// Activation is that of g. The default is Tanh.
	Activation ActivationFunc
	// RecurrentActivation is that of the gates z and r. The default is Sigmoid.
	RecurrentActivation ActivationFunc
	// NoBias leaves the bias out.
	NoBias bool
	// ResetBefore applies r before the product with the recurrent kernel (Keras's reset_after=False).
	ResetBefore bool
	// KernelInit, RecurrentInit and BiasInit give the parameters their first values. The defaults are GlorotUniform,
	// Orthogonal and Zeros.
	KernelInit, RecurrentInit, BiasInit plan.Initializer
	// Dropout is the probability, from 0 to below 1, with which training sets a feature of a row to 0, at all steps alike.
	// The others are multiplied by 1/(1-Dropout).
	Dropout float32
	// RecurrentDropout is the same for the elements of h that the recurrent kernel multiplies, for each gate apart. With it
	// Dropout chooses features for each gate apart, too.
	RecurrentDropout float32
	// ReturnSequences gives out all steps in place of the last one.
	ReturnSequences bool
	// ReturnState gives out h after the last step, too.
	ReturnState bool
	// GoBackwards reads the last step first. With ReturnSequences the output of that step comes first, while the mask that
	// passes on keeps its order.
	GoBackwards bool
	// ZeroOutputForMask gives out 0 at steps that are left out, in place of the output before.
	ZeroOutputForMask bool
}

var _ plan.NamedLayer = GRU{}

// Kind is "GRU".
func (GRU) Kind() string { return "GRU" }

// LayerName is Name.
func (l GRU) LayerName() string { return l.Name }

// Build adds the parameters and one operation for all steps.
func (l GRU) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	return l.build(b, in, false)
}

func (l GRU) walks() recurrence {
	return recurrence{
		layer: "GRU", units: l.Units, gates: 3, bias: !l.NoBias, recurrentRate: l.RecurrentDropout,
		sequences: l.ReturnSequences, states: l.ReturnState, backwards: l.GoBackwards, zero: l.ZeroOutputForMask,
	}
}

func (l GRU) named(name string, backwards, zero bool) recurrentLayer {
	l.Name, l.GoBackwards, l.ZeroOutputForMask = name, backwards, zero
	return l
}

func (l GRU) build(b *plan.Builder, in []plan.Symbol, flip bool) ([]plan.Symbol, error) {
	r := l.walks()
	r.flip = flip
	err := r.check(in, l.Dropout, "h")
	if err != nil {
		return nil, err
	}
	if r.activation, err = newGate("Activation", l.Activation, Tanh); err != nil {
		return nil, err
	}
	if r.recurrentActivation, err = newGate("RecurrentActivation", l.RecurrentActivation, Sigmoid); err != nil {
		return nil, err
	}
	if l.RecurrentDropout > 0 {
		r.recurrentParts = 3
	}
	bias := tensor.Shape{2, 3 * l.Units}
	if l.ResetBefore {
		bias = tensor.Shape{3 * l.Units}
	}
	return b.Apply(cell{
		recurrence: r, kind: "GRUCell", kernel: l.KernelInit, recurrent: l.RecurrentInit, init: l.BiasInit, biasShape: bias,
		dropout: l.Dropout, op: func(r recurrence) plan.Op { return gru{r, l.ResetBefore}.op() },
	}, in...)
}

// gru is the operation of a GRU. Its gates are z, r and g.
type gru struct {
	recurrence
	resetBefore bool
}

// The save areas of gru beside those of all recurrent operations.
const (
	// gruReset is what r is applied to, and after Backward the gradient of the same, or with resetBefore what comes out.
	gruReset  = areaOwn + iota
	gruBefore // h before the step, where that is not what the gates read
)

func (s gru) op() plan.Op {
	return plan.Op{
		Form: s, Outputs: s.signatures, Saves: s.saves, Forward: s.forward,
		Backward: s.backward, BackwardForGradient: true, Gradient: s.gradient,
	}
}

func (s gru) saves(in []plan.Signature) []int {
	width, before := in[0].Shape[1]*s.units, 0
	if s.recurrentRate > 0 {
		before = width
	}
	return append(s.recurrence.saves(in), width, before)
}

func (s gru) forward(f *plan.Frame, at plan.Span) {
	blocks(at, func(at plan.Span) { s.forwardBlock(f, at) })
}

func (s gru) forwardBlock(f *plan.Frame, at plan.Span) {
	u, n, steps := s.units, at.Len(), f.InShape(0)[0]
	read, z := s.read(), s.columns()
	gates, states, kept := f.Saved(areaGates, at), f.Saved(areaState, at), f.Saved(areaKept, at)
	resets, befores := f.Saved(gruReset, at), f.Saved(gruBefore, at)
	memory := parts(f.Scratch(at.Worker, n*(u+read+z)+u))
	h, packed, sums, part := memory.next(n*u), memory.next(n*read), memory.next(n*z), memory.next(u)
	s.project(f, at)
	s.draw(f, at)
	s.start(f, at, h, 0)
	w := s.walk(f, at)
	for k := range steps {
		t := s.inputStep(k, steps)
		rows := w.counting(k)
		w.skip(states, read, k)
		w.skip(resets, u, k)
		for j, i := range rows {
			copy(packed[j*read:], s.readState(states, kept, h, int(i), t, steps))
			if s.recurrentRate > 0 {
				copy(befores[(int(i)*steps+t)*u:][:u], h[int(i)*u:])
			}
		}
		if s.resetBefore {
			s.recur(f, len(rows), packed, sums, 0, 2*u)
		} else {
			s.recur(f, len(rows), packed, sums, 0, z)
			if s.bias {
				simd.AddBias(sums[:len(rows)*z], f.Param(2)[z:])
			}
		}
		for j, i := range rows {
			step := int(i)*steps + t
			a, b, reset := gates[step*z:][:z], sums[j*z:][:z], resets[step*u:][:u]
			simd.Add(a[:2*u], a[:2*u], b[:2*u])
			s.recurrentActivation.apply(a[:2*u], u)
			if s.resetBefore {
				seen := packed[j*read+read-u:][:u]
				simd.Mul(reset, a[u:2*u], seen)
				copy(seen, reset)
				continue
			}
			copy(reset, b[2*u:])
			simd.Mul(part, a[u:2*u], reset)
			simd.Add(a[2*u:], a[2*u:], part)
		}
		if s.resetBefore {
			s.recur(f, len(rows), packed, sums, 2*u, z)
		}
		for j, i := range rows {
			a, hi := gates[(int(i)*steps+t)*z:][:z], h[int(i)*u:][:u]
			if s.resetBefore {
				simd.Add(a[2*u:], a[2*u:], sums[j*z+2*u:][:u])
			}
			s.activation.apply(a[2*u:], u)
			// z·h + (1-z)·g as z·(h-g) + g.
			simd.Axpy(-1, a[2*u:], hi)
			simd.Mul(hi, hi, a[:u])
			simd.Add(hi, hi, a[2*u:])
		}
		w.give(f, at, h, k)
	}
	if s.states {
		copy(f.Out(1, at), h)
	}
}

func (s gru) backward(f *plan.Frame, at plan.Span) {
	blocks(at, func(at plan.Span) { s.backwardBlock(f, at) })
	s.inputGradients(f, at)
}

func (s gru) backwardBlock(f *plan.Frame, at plan.Span) {
	u, n, steps := s.units, at.Len(), f.InShape(0)[0]
	z := s.columns()
	gates, states, kept := f.Saved(areaGates, at), f.Saved(areaState, at), f.Saved(areaKept, at)
	resets, befores := f.Saved(gruReset, at), f.Saved(gruBefore, at)
	if s.recurrentRate == 0 {
		befores = states
	}
	memory := parts(f.Scratch(at.Worker, z*u+n*(2*u+z)+2*u))
	transposed := memory.next(z * u)
	transpose(transposed, f.Param(1), u, z)
	dh, dz, part, work := memory.next(n*u), memory.next(n*z), memory.next(u), memory
	s.startGradient(f, at, dh, 0)
	w := s.walk(f, at)
	for k := steps - 1; k >= 0; k-- {
		t := s.inputStep(k, steps)
		w.take(f, at, dh, k)
		rows := w.counting(k)
		w.skip(gates, z, k)
		for j, i := range rows {
			step := int(i)*steps + t
			a, da, hi := gates[step*z:][:z], dz[j*z:][:z], dh[int(i)*u:][:u]
			copy(part, befores[step*u:][:u])
			simd.Axpy(-1, a[2*u:], part)
			simd.Mul(da[:u], hi, part)
			simd.Mul(part, hi, a[:u])
			copy(da[2*u:], hi)
			simd.Axpy(-1, part, da[2*u:])
			copy(hi, part)
			s.activation.gradient(da[2*u:], a[2*u:], u)
		}
		if s.resetBefore {
			s.unreset(rows, t, steps, dh, dz, gates, states, kept, transposed, work)
		}
		for j, i := range rows {
			step := int(i)*steps + t
			a, da, reset := gates[step*z:][:z], dz[j*z:][:z], resets[step*u:][:u]
			if !s.resetBefore {
				simd.Mul(da[u:2*u], da[2*u:], reset)
				simd.Mul(reset, da[2*u:], a[u:2*u])
			}
			s.recurrentActivation.gradient(da[:2*u], a[:2*u], u)
			copy(a, da)
			if !s.resetBefore {
				copy(da[2*u:], reset)
			}
		}
		if s.resetBefore {
			s.unrecur(rows, dh, dz, kept, transposed, work, 0, 2*u)
		} else {
			s.unrecur(rows, dh, dz, kept, transposed, work, 0, z)
		}
	}
	s.end(f, at, dh, 0)
}

// unreset computes the gradients of r, and adds to dh those of the state, where r was applied to the state that g sees.
func (s gru) unreset(rows []int32, t, steps int, dh, dz, gates, states, kept, transposed, work []float32) {
	u, z, read := s.units, s.columns(), s.read()
	simd.GemmNN(len(rows), u, u, dz[2*u:], z, transposed[2*u*u:], u, work, u, false)
	for j, i := range rows {
		step := int(i)*steps + t
		d, hi := work[j*u:][:u], dh[int(i)*u:][:u]
		simd.Mul(dz[j*z+u:][:u], d, states[step*read+read-u:][:u])
		simd.Mul(d, d, gates[step*z+u:][:u])
		if s.recurrentRate > 0 {
			simd.Mul(d, d, kept[int(i)*read+read-u:][:u])
		}
		simd.Add(hi, hi, d)
	}
}

func (s gru) gradient(f *plan.Frame, i int, g plan.Gradient) {
	u, z, read := s.units, s.columns(), s.read()
	f.Shards(func(at plan.Span) {
		gates, resets := f.Saved(areaGates, at), f.Saved(gruReset, at)
		switch i {
		case 0:
			s.inputKernelGradient(f, at, g)
		case 1:
			s.recurrentKernelGradient(f, at, g, 0, 2*u)
			if s.resetBefore {
				kernelGradient(g, resets, u, 0, gates[2*u:], z, u, z, 2*u)
			} else {
				kernelGradient(g, f.Saved(areaState, at), read, read-u, resets, u, u, z, 2*u)
			}
		case 2:
			if s.resetBefore {
				accumulateRows(f, g.Worker, g.Values[g.Lo:g.Hi], gates, z, g.Lo)
				return
			}
			if g.Lo == 0 && g.Hi > 0 {
				accumulateRows(f, g.Worker, g.Values[:z], gates, z, 0)
			}
			if g.Hi == 2 && g.Lo < 2 {
				accumulateRows(f, g.Worker, g.Values[z:][:2*u], gates, z, 0)
				accumulateRows(f, g.Worker, g.Values[z+2*u:], resets, u, 0)
			}
		}
	})
}
