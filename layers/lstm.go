package layers

import (
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/simd"
	"github.com/linnet-ml/linnet/tensor"
)

// LSTM reads a sequence step by step and carries two vectors of Units elements from one step to the next: what it gives
// out, h, and its memory, c (Keras's LSTM; Hochreiter and Schmidhuber, 1997). It turns values (batch, steps, features)
// into the last output (batch, Units), or with ReturnSequences into the outputs of all steps (batch, steps, Units). The
// number of steps may differ from batch to batch.
//
// Each step computes, from its values x,
//
//	i, f, o = sigmoid(x·kernel + h·recurrent_kernel + bias), the columns of i, f and o
//	g       = tanh(the same, the columns of g)
//	c       = f·c + i·g
//	h       = o·tanh(c)
//
// The gate f says how much of the memory stays, i how much of g enters it, and o how much of it is given out.
//
// Inputs: the values, and optionally the initial h and c, both (batch, Units); they start at 0 without. Outputs: one, or
// with ReturnState three: the output, and h and c after the last step.
//
// A mask of the values says which steps to leave out. At a step that is left out h and c stay, and the output is the one
// before it: 0 if none was before it. With ReturnSequences the mask passes on; otherwise it ends here.
//
// Parameters, in a layer "lstm_cell" within this one, as in Keras: kernel (features, 4·Units), recurrent_kernel (Units,
// 4·Units), and bias (4·Units,) unless NoBias. Their columns are those of i, f, g and o, in this order.
type LSTM struct {
	Name string
	// Units is the number of elements of the output.
	Units int
	// Activation is applied to what enters the memory and to the memory where it is given out. The default is Tanh.
	Activation ActivationFunc
	// RecurrentActivation is that of the gates i, f and o. The default is Sigmoid.
	RecurrentActivation ActivationFunc
	// NoBias leaves the bias out.
	NoBias bool
	// NoUnitForgetBias leaves the bias of f as BiasInit makes it. Otherwise it starts at 1, so that the memory stays at
	// first (Jozefowicz et al., 2015).
	NoUnitForgetBias bool
	// KernelInit, RecurrentInit and BiasInit give the parameters their first values. The defaults are GlorotUniform,
	// Orthogonal and Zeros.
	KernelInit, RecurrentInit, BiasInit plan.Initializer
	// Dropout is the probability, from 0 to below 1, with which training sets a feature of a row to 0, at all steps alike.
	// The others are multiplied by 1/(1-Dropout).
	Dropout float32
	// RecurrentDropout is the same for the elements of h that the next step reads, for each gate apart. With it Dropout
	// chooses features for each gate apart, too.
	RecurrentDropout float32
	// ReturnSequences gives out all steps in place of the last one.
	ReturnSequences bool
	// ReturnState gives out h and c after the last step, too.
	ReturnState bool
	// GoBackwards reads the last step first. With ReturnSequences the output of that step comes first, while the mask that
	// passes on keeps its order.
	GoBackwards bool
	// ZeroOutputForMask gives out 0 at steps that are left out, in place of the output before.
	ZeroOutputForMask bool
}

var _ plan.NamedLayer = LSTM{}

// Kind is "LSTM".
func (LSTM) Kind() string { return "LSTM" }

// LayerName is Name.
func (l LSTM) LayerName() string { return l.Name }

// Build adds the parameters and one operation for all steps.
func (l LSTM) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	return l.build(b, in, false)
}

func (l LSTM) walks() recurrence {
	return recurrence{
		layer: "LSTM", units: l.Units, gates: 4, bias: !l.NoBias, recurrentRate: l.RecurrentDropout,
		sequences: l.ReturnSequences, states: l.ReturnState, backwards: l.GoBackwards, zero: l.ZeroOutputForMask,
	}
}

func (l LSTM) named(name string, backwards, zero bool) recurrentLayer {
	l.Name, l.GoBackwards, l.ZeroOutputForMask = name, backwards, zero
	return l
}

func (l LSTM) build(b *plan.Builder, in []plan.Symbol, flip bool) ([]plan.Symbol, error) {
	r := l.walks()
	r.flip = flip
	err := r.check(in, l.Dropout, "h", "c")
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
		r.recurrentParts = 4
	}
	init := l.BiasInit
	if !l.NoUnitForgetBias {
		init = unitForgetBias{or(init, Zeros{})}
	}
	return b.Apply(cell{
		recurrence: r, kind: "LSTMCell", kernel: l.KernelInit, recurrent: l.RecurrentInit, init: init, biasShape: tensor.Shape{4 * l.Units},
		dropout: l.Dropout, op: func(r recurrence) plan.Op { return lstm{r}.op() },
	}, in...)
}

// unitForgetBias sets the bias of gate f to 1 and the rest as init does.
type unitForgetBias struct{ init plan.Initializer }

func (unitForgetBias) Kind() string { return "UnitForgetBias" }

func (i unitForgetBias) Init(dst []float32, shape tensor.Shape, r plan.Random) error {
	if err := i.init.Init(dst, shape, r); err != nil {
		return err
	}
	return fill(dst[len(dst)/4:len(dst)/2], 1)
}

// lstm is the operation of an LSTM. Its gates are i, f, g and o.
type lstm struct{ recurrence }

// The save areas of lstm beside those of all recurrent operations.
const (
	lstmCarry = areaOwn + iota // c before the step
	lstmOut                    // the activation of c after the step
)

func (s lstm) op() plan.Op {
	return plan.Op{
		Form: s, Outputs: s.signatures, Saves: s.saves, Forward: s.forward,
		Backward: s.backward, BackwardForGradient: true, Gradient: s.gradient,
	}
}

func (s lstm) saves(in []plan.Signature) []int {
	width := in[0].Shape[1] * s.units
	return append(s.recurrence.saves(in), width, width)
}

func (s lstm) forward(f *plan.Frame, at plan.Span) {
	blocks(at, func(at plan.Span) { s.forwardBlock(f, at) })
}

func (s lstm) forwardBlock(f *plan.Frame, at plan.Span) {
	u, n, steps := s.units, at.Len(), f.InShape(0)[0]
	read, z := s.read(), s.columns()
	gates, states, kept := f.Saved(areaGates, at), f.Saved(areaState, at), f.Saved(areaKept, at)
	carries, outs := f.Saved(lstmCarry, at), f.Saved(lstmOut, at)
	memory := parts(f.Scratch(at.Worker, n*(2*u+read+z)+u))
	h, c, packed, sums, entering := memory.next(n*u), memory.next(n*u), memory.next(n*read), memory.next(n*z), memory.next(u)
	s.project(f, at)
	s.draw(f, at)
	s.start(f, at, h, 0)
	s.start(f, at, c, 1)
	w := s.walk(f, at)
	for k := range steps {
		t := s.inputStep(k, steps)
		rows := w.counting(k)
		w.skip(states, read, k)
		for j, i := range rows {
			copy(packed[j*read:], s.readState(states, kept, h, int(i), t, steps))
		}
		s.recur(f, len(rows), packed, sums, 0, z)
		for j, i := range rows {
			step := int(i)*steps + t
			a, out := gates[step*z:][:z], outs[step*u:][:u]
			hi, ci := h[int(i)*u:][:u], c[int(i)*u:][:u]
			copy(carries[step*u:][:u], ci)
			simd.Add(a, a, sums[j*z:][:z])
			s.recurrentActivation.apply(a[:2*u], u)
			s.activation.apply(a[2*u:3*u], u)
			s.recurrentActivation.apply(a[3*u:], u)
			simd.Mul(ci, ci, a[u:2*u])
			simd.Mul(entering, a[:u], a[2*u:3*u])
			simd.Add(ci, ci, entering)
			copy(out, ci)
			s.activation.apply(out, u)
			simd.Mul(hi, out, a[3*u:])
		}
		w.give(f, at, h, k)
	}
	if s.states {
		copy(f.Out(1, at), h)
		copy(f.Out(2, at), c)
	}
}

func (s lstm) backward(f *plan.Frame, at plan.Span) {
	blocks(at, func(at plan.Span) { s.backwardBlock(f, at) })
	s.inputGradients(f, at)
}

func (s lstm) backwardBlock(f *plan.Frame, at plan.Span) {
	u, n, steps, z := s.units, at.Len(), f.InShape(0)[0], s.columns()
	gates, kept, carries, outs := f.Saved(areaGates, at), f.Saved(areaKept, at), f.Saved(lstmCarry, at), f.Saved(lstmOut, at)
	memory := parts(f.Scratch(at.Worker, z*u+n*(3*u+z)+2*u))
	transposed := memory.next(z * u)
	transpose(transposed, f.Param(1), u, z)
	dh, dc, dz, part, work := memory.next(n*u), memory.next(n*u), memory.next(n*z), memory.next(u), memory
	s.startGradient(f, at, dh, 0)
	s.startGradient(f, at, dc, 1)
	w := s.walk(f, at)
	for k := steps - 1; k >= 0; k-- {
		t := s.inputStep(k, steps)
		w.take(f, at, dh, k)
		rows := w.counting(k)
		w.skip(gates, z, k)
		for j, i := range rows {
			step := int(i)*steps + t
			a, da, out := gates[step*z:][:z], dz[j*z:][:z], outs[step*u:][:u]
			hi, ci := dh[int(i)*u:][:u], dc[int(i)*u:][:u]
			simd.Mul(da[3*u:], hi, out)
			simd.Mul(part, hi, a[3*u:])
			clear(hi)
			s.activation.gradient(part, out, u)
			simd.Add(ci, ci, part)
			simd.Mul(da[:u], ci, a[2*u:3*u])
			simd.Mul(da[u:2*u], ci, carries[step*u:][:u])
			simd.Mul(da[2*u:3*u], ci, a[:u])
			simd.Mul(ci, ci, a[u:2*u])
			s.recurrentActivation.gradient(da[:2*u], a[:2*u], u)
			s.activation.gradient(da[2*u:3*u], a[2*u:3*u], u)
			s.recurrentActivation.gradient(da[3*u:], a[3*u:], u)
			copy(a, da)
		}
		s.unrecur(rows, dh, dz, kept, transposed, work, 0, z)
	}
	s.end(f, at, dh, 0)
	s.end(f, at, dc, 1)
}

func (s lstm) gradient(f *plan.Frame, i int, g plan.Gradient) {
	f.Shards(func(at plan.Span) {
		switch i {
		case 0:
			s.inputKernelGradient(f, at, g)
		case 1:
			s.recurrentKernelGradient(f, at, g, 0, s.columns())
		case 2:
			accumulateRows(f, g.Worker, g.Values[g.Lo:g.Hi], f.Saved(areaGates, at), s.columns(), g.Lo)
		}
	})
}
