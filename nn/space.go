package nn

import (
	"fmt"
	"slices"

	"github.com/linnet-ml/linnet/internal/budget"
	"github.com/linnet-ml/linnet/nn/internal/workspace"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
)

// key opens the functions of package plan that are for this package.
var key workspace.Key

// space holds all that one execution of a program writes but the parameters: activations, gradients, what operations
// save, labels, losses. Executions take one from the model's free list and give it back; its memory grows to the largest
// batch seen.
type space struct {
	program *program
	inputs  []plan.Signature // what the buffers are laid out for; the number of rows aside
	run     workspace.Run
	values  []workspace.Value
	ops     []workspace.Op
	frames  []plan.Frame // of the operations; they do not move

	signatures []plan.Signature // of all values for the inputs
	inputGrad  bool             // the inputs' gradients are wanted
	wants      []bool           // which values' gradients are wanted
	unread     [][]int          // for each operation that has a Backward to run, the outputs whose gradient nobody writes
	graded     []bool           // which values have memory for a gradient
	lossParts  []int            // for each value that a loss reads, the part of its gradient that is the loss's, or none

	ends []endSpace // for each output

	predict *predictor // what predictions keep in the workspace
}

// endSpace is what a loss needs at one output.
type endSpace struct {
	labels     []float32
	labelWidth int       // of one of the loss's rows
	weights    []float32 // one for each of the loss's rows, or empty
	losses     []float32 // likewise
	perRow     int       // the loss's rows for each row of the batch
}

func newSpace(g *program) *space {
	s := &space{program: g, values: make([]workspace.Value, len(g.Values)), ops: make([]workspace.Op, len(g.Ops)),
		frames: make([]plan.Frame, len(g.Ops)), ends: make([]endSpace, len(g.Outputs))}
	for i := range g.Ops {
		o := &g.Ops[i]
		op := &s.ops[i]
		op.Run, op.Noise, op.Layer = &s.run, o.Noise, o.Layer
		for _, v := range o.In {
			op.In = append(op.In, &s.values[v])
		}
		for _, v := range o.Out {
			op.Out = append(op.Out, &s.values[v])
		}
		op.InStride, op.OutStride = make([]int, len(o.In)), make([]int, len(o.Out))
		op.Wants, op.Part, op.Sources = make([]bool, len(o.In)), make([]int, len(o.In)), make([]tensor.Rows, len(o.In))
		params := make([]*plan.Parameter, len(o.Params))
		for k, p := range o.Params {
			params[k] = g.Params[p]
		}
		s.frames[i] = plan.NewFrame(key, op, params)
	}
	for i := range s.ends {
		s.ends[i].perRow = 1
	}
	return s
}

// layout prepares the workspace for inputs of the given signatures.
func (s *space) layout(inputs []plan.Signature) error {
	own := make([]plan.Signature, len(inputs))
	for i, in := range inputs {
		own[i] = plan.Signature{Type: in.Type, Shape: in.Shape.Clone()} // it may be part of the caller's rows
	}
	signatures, folds, err := s.program.Signatures(own)
	if err != nil {
		return dataError("", fmt.Errorf("nn: %w", err))
	}
	for i, g := range signatures {
		v := &s.values[i]
		v.Type = g.Type
		if g.Type == 0 {
			continue // a value that the fused plan no longer has
		}
		width := g.Shape.Width()
		if (width == tensor.Unknown || folds[i] == tensor.Unknown) && !s.isInput(i) {
			return fmt.Errorf("nn: the size of value %d, %v, is not known when the model runs", i, g.Shape)
		}
		v.Shape, v.Width, v.Fold = g.Shape[1:], width, folds[i]
	}
	for i := range s.ops {
		op, o := &s.ops[i], &s.program.Ops[i]
		op.Fold = 1
		if len(op.In) > 0 {
			op.Fold = op.In[0].Fold
		}
		for k, v := range op.In {
			op.InStride[k] = stride(v, op.Fold)
		}
		for k, v := range op.Out {
			op.OutStride[k] = stride(v, op.Fold)
		}
		if o.Saves == nil && o.Reduce == nil && o.BackwardReduce == nil {
			continue
		}
		known := make([]plan.Signature, len(o.In))
		for k, v := range o.In {
			known[k] = signatures[v]
		}
		if o.Saves != nil {
			widths := o.Saves(known)
			for len(op.Saved) < len(widths) {
				op.Saved = append(op.Saved, workspace.Area{})
			}
			for k, w := range widths {
				if w < 0 {
					return fmt.Errorf("nn: layer %q saves %d elements for each row", o.Layer, w)
				}
				op.Saved[k].Width = w
			}
		}
		if o.Reduce != nil {
			op.Sums = workspace.Grow(op.Sums, o.Reduce.Width(known))
		}
		if o.BackwardReduce != nil {
			op.BackwardSums = workspace.Grow(op.BackwardSums, o.BackwardReduce.Width(known))
		}
	}
	s.inputs, s.signatures = own, signatures
	s.run.Rows = 0
	return nil
}

// stride is how many elements a value has for one row of an operation that has so many rows for each row of the batch. Of
// rows that are folded from no steps there are none.
func stride(v *workspace.Value, fold int) int {
	if fold == 0 {
		return v.Width
	}
	return v.Width * v.Fold / fold
}

func (s *space) isInput(value int) bool {
	for _, v := range s.program.Inputs {
		if v == value {
			return true
		}
	}
	return false
}

// wire decides where gradients go, for losses that read the given values.
func (s *space) wire(losses []int) {
	g := s.program
	s.wants = make([]bool, len(s.values))
	if s.run.Training {
		s.wants = g.flows(s.signatures, s.inputGrad, losses)
	}
	sources := make([]int, len(s.values)) // how many gradients each value gets
	for _, v := range losses {
		sources[v]++
	}
	backs := make([]bool, len(s.ops))
	for i := range s.ops {
		o := &g.Ops[i]
		for _, v := range o.Out {
			backs[i] = backs[i] || s.wants[v]
		}
		for _, v := range o.In {
			if backs[i] && s.wants[v] {
				sources[v]++
			}
		}
	}
	for v := range s.values {
		s.values[v].Parts = s.values[v].Parts[:0]
	}
	part := func(v int) int {
		if sources[v] < 2 {
			return none
		}
		parts := &s.values[v].Parts
		if n := len(*parts); n < cap(*parts) {
			*parts = (*parts)[:n+1] // its memory is used again
		} else {
			*parts = append(*parts, nil)
		}
		return len(*parts) - 1
	}
	s.lossParts = make([]int, len(losses))
	for k, v := range losses {
		s.lossParts[k] = part(v)
	}
	s.unread = make([][]int, len(s.ops))
	s.graded = slices.Clone(s.wants)
	for i := range s.ops {
		o, op := &g.Ops[i], &s.ops[i]
		for k, v := range o.In {
			op.Wants[k], op.Part[k] = backs[i] && s.wants[v], none
			if op.Wants[k] {
				op.Part[k] = part(v)
			}
		}
		for _, v := range o.Out {
			if backs[i] && sources[v] == 0 && s.values[v].Type == tensor.TypeFloat32 {
				s.unread[i], s.graded[v] = append(s.unread[i], v), true
			}
		}
	}
	s.run.Rows = 0
}

// fits reports whether the layout serves inputs of these types and row shapes.
func (s *space) fits(inputs []plan.Signature) bool {
	if s.inputs == nil {
		return false
	}
	for i, in := range inputs {
		if s.inputs[i].Type != in.Type || !s.inputs[i].Shape[1:].Equal(in.Shape[1:]) {
			return false
		}
	}
	return true
}

// resize makes room for a batch of the given number of rows.
func (s *space) resize(rows int) error {
	if rows == s.run.Rows {
		return nil
	}
	s.run.Rows = 0 // until there is room for everything
	if err := s.checkTotal(rows); err != nil {
		return err
	}
	for i := range s.values {
		v := &s.values[i]
		if !s.owns(i) {
			continue
		}
		n := rows * v.Width * v.Fold
		switch v.Type {
		case tensor.TypeFloat32:
			v.Floats = workspace.Grow(v.Floats, n)
			if s.graded != nil && s.graded[i] {
				v.Grad = workspace.Grow(v.Grad, n)
				for k := range v.Parts {
					v.Parts[k] = workspace.Grow(v.Parts[k], n)
				}
			}
		case tensor.TypeInt32:
			v.Ints = workspace.Grow(v.Ints, n)
		case tensor.TypeString:
			v.Strings = workspace.Grow(v.Strings, n)
		}
	}
	for i := range s.ops {
		op := &s.ops[i]
		for k := range op.Saved {
			a := &op.Saved[k]
			a.Floats = workspace.Grow(a.Floats, rows*op.Fold*a.Width)
		}
	}
	s.run.Index = workspace.Grow(s.run.Index, rows)
	s.run.Rows = rows
	return nil
}

// checkTotal returns an error if the values of a batch of so many rows, or all of them together, are too large for the
// memory: a model that came from a file may ask for any number of steps.
func (s *space) checkTotal(rows int) error {
	var total uint64 // each part is at most math.MaxInt, and so are the parts so far: the sum of both fits
	add := func(what string, size int, copies, fold, width int) error {
		if err := budget.Check(what, size, copies, rows, fold, width); err != nil {
			return err
		}
		total += uint64(size) * uint64(copies) * uint64(rows) * uint64(fold) * uint64(width)
		return budget.CheckBytes("nn: all values of a batch", total)
	}
	for i := range s.values {
		v := &s.values[i]
		if !s.owns(i) {
			continue
		}
		size, copies := 4, 1
		if v.Type == tensor.TypeString {
			size = stringSize
		}
		if v.Type == tensor.TypeFloat32 && s.graded != nil && s.graded[i] {
			copies += 1 + len(v.Parts)
		}
		if err := add("nn: the values of a batch", size, copies, v.Fold, v.Width); err != nil {
			return err
		}
	}
	for i := range s.ops {
		op := &s.ops[i]
		for k := range op.Saved {
			if err := add("nn: what a layer saves of a batch", 4, 1, op.Fold, op.Saved[k].Width); err != nil {
				return err
			}
		}
	}
	return nil
}

// stringSize is the size in bytes of a string's header.
const stringSize = 16

// owns reports whether a value has memory here: it is none that fusion took away, nor an input that is read where it lies.
func (s *space) owns(value int) bool {
	return s.values[value].Type != 0 && (!s.isInput(value) || s.copiedInput(value))
}

// copiedInput reports whether an input of the model is copied for each batch.
func (s *space) copiedInput(value int) bool {
	for i, v := range s.program.Inputs {
		if v == value {
			return s.program.copied[i]
		}
	}
	return false
}
