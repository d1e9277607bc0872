package nn

import (
	"fmt"
	"math"

	"github.com/linnet-ml/linnet/internal/random"
	"github.com/linnet-ml/linnet/tensor"
)

// workspace holds all that one execution of a plan writes but the parameters: activations, gradients, labels, losses.
// Executions take one from the model's free list and give it back; its memory grows to the largest batch seen.
type workspace struct {
	plan   *plan
	params []*Parameter
	input  Signature // what the buffers are laid out for; the number of rows aside

	copied bool // a step reads the input from a copy of each batch

	rows   int // of the batch that is in it
	values []buffer
	frames []Frame

	training  bool // with gradients
	inputGrad bool // with the input's gradient too
	noiseless bool // with gradients, but as the model predicts
	random    uint64
	step      uint64 // of the training run, for random numbers

	index []int32 // the numbers of the batch's rows in the data
	fails []error // one a worker: what is wrong with the data of its rows

	predict *predictor // what predictions keep in the workspace

	labels     []float32
	labelWidth int
	weights    []float32 // one a row, or empty
	losses     []float32 // one a row
}

// buffer is the memory of one value and of its gradient.
type buffer struct {
	typ     tensor.Type
	shape   tensor.Shape // of one row
	width   int
	floats  []float32
	ints    []int32
	strings []string
	grad    []float32
	// parts are the gradients that several readers give, in plan order; grad is their sum.
	parts [][]float32
}

// layout prepares the workspace for inputs of the given signature.
func (w *workspace) layout(values int, input Signature) error {
	input.Shape = input.Shape.Clone() // it may be part of the caller's rows
	signatures, err := w.plan.signatures(values, input)
	if err != nil {
		return fmt.Errorf("nn: %w", err)
	}
	oldValues, oldFrames := w.values, w.frames // for their memory
	w.values = make([]buffer, values)
	for i, s := range signatures {
		if s.Type == 0 {
			continue // a value that the fused plan no longer has
		}
		width := s.Shape.Width()
		if width == tensor.Unknown && i > 0 {
			return fmt.Errorf("nn: the size of value %d, %v, is not known when the model runs", i, s.Shape)
		}
		w.values[i] = buffer{typ: s.Type, shape: s.Shape[1:], width: width}
		if i < len(oldValues) {
			old := &oldValues[i]
			w.values[i].floats, w.values[i].ints, w.values[i].strings, w.values[i].grad = old.floats, old.ints, old.strings, old.grad
		}
	}
	wants := w.plan.flows(signatures, w.params, w.inputGrad)
	sources := make([]int, values) // how many gradients each value gets
	for _, s := range w.plan.steps {
		for _, v := range s.in {
			if wants[s.out] {
				sources[v]++
			}
		}
	}
	w.copied = w.plan.copied
	w.frames = make([]Frame, len(w.plan.steps))
	for i := range w.plan.steps {
		s := &w.plan.steps[i]
		f := Frame{ws: w, step: s, part: make([]int, len(s.in)), wants: make([]bool, len(s.in)), sources: make([]tensor.Rows, len(s.in))}
		for j, v := range s.in {
			f.part[j] = none
			f.wants[j] = w.training && wants[v] && wants[s.out]
			if f.wants[j] && sources[v] > 1 {
				f.part[j] = len(w.values[v].parts)
				w.values[v].parts = append(w.values[v].parts, nil)
			}
		}
		if i < len(oldFrames) {
			f.scratch, f.local = oldFrames[i].scratch, oldFrames[i].local
		}
		w.frames[i] = f
	}
	w.input = input
	w.rows = 0
	return nil
}

// fits reports whether the layout serves an input of this type and row shape.
func (w *workspace) fits(input Signature, training, inputGrad bool) bool {
	return w.frames != nil && w.input.Type == input.Type && w.input.Shape[1:].Equal(input.Shape[1:]) &&
		w.training == training && w.inputGrad == inputGrad
}

// resize makes room for a batch of the given number of rows.
func (w *workspace) resize(rows int) error {
	if rows == w.rows {
		return nil
	}
	for i := range w.values {
		v := &w.values[i]
		if v.typ == 0 || (i == 0 && !w.copied) {
			continue
		}
		if v.width > 0 && rows > math.MaxInt/8/v.width {
			return fmt.Errorf("nn: a batch of %d rows of %d elements does not fit into memory", rows, v.width)
		}
		n := rows * v.width
		switch v.typ {
		case tensor.TypeFloat32:
			v.floats = grow(v.floats, n)
			if w.training {
				v.grad = grow(v.grad, n)
				for k := range v.parts {
					v.parts[k] = grow(v.parts[k], n)
				}
			}
		case tensor.TypeInt32:
			v.ints = grow(v.ints, n)
		case tensor.TypeString:
			v.strings = grow(v.strings, n)
		}
	}
	w.losses = grow(w.losses, rows)
	w.index = grow(w.index, rows)
	w.rows = rows
	return nil
}

// grow returns s with length n, in new memory only where the old does not reach.
func grow[E any](s []E, n int) []E {
	if cap(s) >= n {
		return s[:n]
	}
	return make([]E, n)
}

// sumParts adds up rows of a value's gradient where several steps read the value.
func (v *buffer) sumParts(s Span) {
	if len(v.parts) == 0 {
		return
	}
	lo, hi := s.Lo*v.width, s.Hi*v.width
	sum := v.grad[lo:hi]
	copy(sum, v.parts[0][lo:hi])
	for _, part := range v.parts[1:] {
		for i, g := range part[lo:hi] {
			sum[i] += g
		}
	}
}

// Frame is what a step sees of one execution: its inputs and output, their gradients and its parameters, for the
// whole batch. Frames belong to a workspace, so a step that runs in several goroutines at once has several.
type Frame struct {
	ws      *workspace
	step    *planStep
	wants   []bool // which inputs' gradients are wanted
	part    []int  // which of the parts of an input's gradient is this step's, where several steps read it
	sources []tensor.Rows
	scratch [][]float32 // one a worker
	local   []any       // one a worker
}

// Rows is the number of rows in the batch.
func (f *Frame) Rows() int { return f.ws.rows }

// Training reports whether the batch is one to train on, for layers that then behave otherwise (Dropout).
func (f *Frame) Training() bool { return f.ws.training && !f.ws.noiseless }

// In returns input i, a float32 value, row-major.
func (f *Frame) In(i int) []float32 { return f.ws.values[f.step.in[i]].floats }

// IDs returns input i, an int32 value, row-major.
func (f *Frame) IDs(i int) []int32 { return f.ws.values[f.step.in[i]].ints }

// RowShape returns the dimensions of one row of input i, all of them known.
func (f *Frame) RowShape(i int) tensor.Shape { return f.ws.values[f.step.in[i]].shape }

// Width is the number of elements of one row of input i.
func (f *Frame) Width(i int) int { return f.ws.values[f.step.in[i]].width }

// Source returns what Prepare made of input i, or the input itself (see UnpreparedStep), and for each row of the batch the number of the row in it.
func (f *Frame) Source(i int) (data tensor.Rows, rows []int32) { return f.sources[i], f.ws.index }

// Fail ends the execution with an error about the data, which Forward met in the rows of a worker's span: see
// UnpreparedStep. Of several errors that of the first worker counts.
func (f *Frame) Fail(worker int, err error) {
	if f.ws.fails[worker] == nil {
		f.ws.fails[worker] = fmt.Errorf("nn: layer %q: %w", f.step.layer, err)
	}
}

// Out returns the output, a float32 value, row-major.
func (f *Frame) Out() []float32 { return f.ws.values[f.step.out].floats }

// OutIDs returns the output, an int32 value, row-major.
func (f *Frame) OutIDs() []int32 { return f.ws.values[f.step.out].ints }

// OutWidth is the number of elements of one row of the output.
func (f *Frame) OutWidth() int { return f.ws.values[f.step.out].width }

// OutShape returns the dimensions of one row of the output, all of them known.
func (f *Frame) OutShape() tensor.Shape { return f.ws.values[f.step.out].shape }

// OutGrad returns the gradient of the output.
func (f *Frame) OutGrad() []float32 { return f.ws.values[f.step.out].grad }

// InGrad returns where the gradient of input i goes, or nil when nobody asks for it.
func (f *Frame) InGrad(i int) []float32 {
	if !f.wants[i] {
		return nil
	}
	v := &f.ws.values[f.step.in[i]]
	if f.part[i] != none {
		return v.parts[f.part[i]]
	}
	return v.grad
}

// Param returns the elements of the step's parameter i.
func (f *Frame) Param(i int) []float32 { return f.ws.params[f.step.params[i]].storage.Float32() }

// Random returns the step's random numbers for this batch. They depend on the run's seed, the number of the batch in the
// run, the layer's name and the number of this step among those that the layer added to the plan, and on no other layer.
// A step that took over others has the numbers of the first.
func (f *Frame) Random() Random {
	return Random{f.step.noise.Stream(f.ws.random, random.Noise, f.ws.step)}
}

// Scratch returns n float32 for the worker to use as it likes. What they hold is not kept from call to call.
func (f *Frame) Scratch(worker, n int) []float32 {
	f.scratch[worker] = grow(f.scratch[worker], n)
	return f.scratch[worker]
}

// Local returns where the step keeps what it likes between its calls in one worker: memory to use again. It is nil at
// first.
func (f *Frame) Local(worker int) *any { return &f.local[worker] }
