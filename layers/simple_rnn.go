package layers

import (
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/simd"
	"github.com/linnet-ml/linnet/tensor"
)

// SimpleRNN reads a sequence step by step and carries a vector h of Units elements, its output, from one step to the next
// (Keras's SimpleRNN; Elman, 1990). It turns values (batch, steps, features) into the last output (batch, Units), or with
// ReturnSequences into the outputs of all steps (batch, steps, Units). The number of steps may differ from batch to batch.
//
// Each step computes, from its values x, h = tanh(x·kernel + h·recurrent_kernel + bias).
//
// Inputs: the values, and optionally the initial h (batch, Units); it starts at 0 without. Outputs: one, or with ReturnState
// two: the output, and h after the last step.
//
// A mask of the values says which steps to leave out, as it does for an [LSTM].
//
// Parameters, in a layer "simple_rnn_cell" within this one, as in Keras: kernel (features, Units), recurrent_kernel (Units,
// Units), and bias (Units,) unless NoBias.
type SimpleRNN struct {
	Name string
	// Units is the number of elements of the output.
	Units int
	// Activation is Tanh by default.
	Activation ActivationFunc
	// NoBias leaves the bias out.
	NoBias bool
	// KernelInit, RecurrentInit and BiasInit give the parameters their first values. The defaults are GlorotUniform,
	// Orthogonal and Zeros.
	KernelInit, RecurrentInit, BiasInit plan.Initializer
	// Dropout is the probability, from 0 to below 1, with which training sets a feature of a row to 0, at all steps alike.
	// The others are multiplied by 1/(1-Dropout).
	Dropout float32
	// RecurrentDropout is the same for the elements of h that the next step reads.
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

var _ plan.NamedLayer = SimpleRNN{}

// Kind is "SimpleRNN".
func (SimpleRNN) Kind() string { return "SimpleRNN" }

// LayerName is Name.
func (l SimpleRNN) LayerName() string { return l.Name }

// Build adds the parameters and one operation for all steps.
func (l SimpleRNN) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	return l.build(b, in, false)
}

func (l SimpleRNN) walks() recurrence {
	return recurrence{
		layer: "SimpleRNN", units: l.Units, gates: 1, bias: !l.NoBias, recurrentRate: l.RecurrentDropout,
		sequences: l.ReturnSequences, states: l.ReturnState, backwards: l.GoBackwards, zero: l.ZeroOutputForMask,
	}
}

func (l SimpleRNN) named(name string, backwards, zero bool) recurrentLayer {
	l.Name, l.GoBackwards, l.ZeroOutputForMask = name, backwards, zero
	return l
}

func (l SimpleRNN) build(b *plan.Builder, in []plan.Symbol, flip bool) ([]plan.Symbol, error) {
	r := l.walks()
	r.flip = flip
	err := r.check(in, l.Dropout, "h")
	if err != nil {
		return nil, err
	}
	if r.activation, err = newGate("Activation", l.Activation, Tanh); err != nil {
		return nil, err
	}
	return b.Apply(cell{
		recurrence: r, kind: "SimpleRNNCell", kernel: l.KernelInit, recurrent: l.RecurrentInit, init: l.BiasInit, biasShape: tensor.Shape{l.Units},
		dropout: l.Dropout, op: func(r recurrence) plan.Op { return simpleRNN{r}.op() },
	}, in...)
}

// simpleRNN is the operation of a SimpleRNN. Its one gate is h.
type simpleRNN struct{ recurrence }

func (s simpleRNN) op() plan.Op {
	return plan.Op{
		Form: s, Outputs: s.signatures, Saves: s.saves, Forward: s.forward,
		Backward: s.backward, BackwardForGradient: true, Gradient: s.gradient,
	}
}

func (s simpleRNN) forward(f *plan.Frame, at plan.Span) {
	blocks(at, func(at plan.Span) { s.forwardBlock(f, at) })
}

func (s simpleRNN) forwardBlock(f *plan.Frame, at plan.Span) {
	u, n, steps := s.units, at.Len(), f.InShape(0)[0]
	gates, states, kept := f.Saved(areaGates, at), f.Saved(areaState, at), f.Saved(areaKept, at)
	memory := parts(f.Scratch(at.Worker, 3*n*u))
	h, packed, sums := memory.next(n*u), memory.next(n*u), memory.next(n*u)
	s.project(f, at)
	s.draw(f, at)
	s.start(f, at, h, 0)
	w := s.walk(f, at)
	for k := range steps {
		t := s.inputStep(k, steps)
		rows := w.counting(k)
		w.skip(states, u, k)
		for j, i := range rows {
			copy(packed[j*u:], s.readState(states, kept, h, int(i), t, steps))
		}
		s.recur(f, len(rows), packed, sums, 0, u)
		for j, i := range rows {
			a := gates[(int(i)*steps+t)*u:][:u]
			simd.Add(a, a, sums[j*u:][:u])
			s.activation.apply(a, u)
			copy(h[int(i)*u:], a)
		}
		w.give(f, at, h, k)
	}
	if s.states {
		copy(f.Out(1, at), h)
	}
}

func (s simpleRNN) backward(f *plan.Frame, at plan.Span) {
	blocks(at, func(at plan.Span) { s.backwardBlock(f, at) })
	s.inputGradients(f, at)
}

func (s simpleRNN) backwardBlock(f *plan.Frame, at plan.Span) {
	u, n, steps := s.units, at.Len(), f.InShape(0)[0]
	gates, kept := f.Saved(areaGates, at), f.Saved(areaKept, at)
	memory := parts(f.Scratch(at.Worker, u*u+3*n*u+u))
	transposed := memory.next(u * u)
	transpose(transposed, f.Param(1), u, u)
	dh, dz, work := memory.next(n*u), memory.next(n*u), memory
	s.startGradient(f, at, dh, 0)
	w := s.walk(f, at)
	for k := steps - 1; k >= 0; k-- {
		t := s.inputStep(k, steps)
		w.take(f, at, dh, k)
		rows := w.counting(k)
		w.skip(gates, u, k)
		for j, i := range rows {
			a, da, hi := gates[(int(i)*steps+t)*u:][:u], dz[j*u:][:u], dh[int(i)*u:][:u]
			copy(da, hi)
			clear(hi)
			s.activation.gradient(da, a, u)
			copy(a, da)
		}
		s.unrecur(rows, dh, dz, kept, transposed, work, 0, u)
	}
	s.end(f, at, dh, 0)
}

func (s simpleRNN) gradient(f *plan.Frame, i int, g plan.Gradient) {
	f.Shards(func(at plan.Span) {
		switch i {
		case 0:
			s.inputKernelGradient(f, at, g)
		case 1:
			s.recurrentKernelGradient(f, at, g, 0, s.units)
		case 2:
			accumulateRows(f, g.Worker, g.Values[g.Lo:g.Hi], f.Saved(areaGates, at), s.units, g.Lo)
		}
	})
}
