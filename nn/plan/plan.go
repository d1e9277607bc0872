package plan

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/linnet-ml/linnet/internal/random"
	"github.com/linnet-ml/linnet/tensor"
)

// Plan is what a model computes: operations in order, each reading and writing numbered values. It does not change, does
// not know the number of rows in a batch, and may leave the number of steps in a sequence open. Several operations may
// read one value and use one parameter; their gradients add in plan order.
type Plan struct {
	Ops    []Operation
	Params []*Parameter
	// Values are the signatures of all values as the builder knows them.
	Values []Signature
	// Inputs and Outputs are the values that the model reads and returns; Masks are the masks of the outputs, or -1.
	Inputs, Outputs, Masks []int
}

// Operation is an Op in its place in the plan.
type Operation struct {
	Op
	In, Out []int // values
	// Like are values whose signatures alone the operation reads. Op.Outputs gets these after the signatures of In.
	Like   []int
	Params []int // in Plan.Params
	// Layer is the path of the layer that added the operation.
	Layer string
	// Noise names the operation's random numbers.
	Noise random.Name
}

// Readers lists the operations that read value v, one once for each of its inputs that is v.
func (p *Plan) Readers(v int) []int {
	var ops []int
	for i := range p.Ops {
		for _, in := range p.Ops[i].In {
			if in == v {
				ops = append(ops, i)
			}
		}
	}
	return ops
}

// Writer is the operation that writes value v, or -1.
func (p *Plan) Writer(v int) int {
	return slices.IndexFunc(p.Ops, func(o Operation) bool { return slices.Contains(o.Out, v) })
}

// Pruned returns the plan without the operations that no output depends on.
func (p *Plan) Pruned() *Plan {
	q := *p
	q.Ops = slices.Clone(p.Ops)
	q.prune()
	return &q
}

// prune drops the operations that no output or mask depends on.
func (p *Plan) prune() {
	needed := make([]bool, len(p.Values))
	for _, v := range slices.Concat(p.Outputs, p.Masks) {
		if v != none {
			needed[v] = true
		}
	}
	for i := len(p.Ops) - 1; i >= 0; i-- {
		o := &p.Ops[i]
		if !slices.ContainsFunc(o.Out, func(v int) bool { return needed[v] }) {
			p.Ops = slices.Delete(p.Ops, i, i+1)
			continue
		}
		for _, v := range slices.Concat(o.In, o.Like) {
			needed[v] = true
		}
	}
}

// Signatures works out the signature of every value for inputs of the given ones, and how many rows each has for each
// row of the batch (tensor.Unknown where that depends on steps that are unknown). Values that the plan no longer computes
// have Type 0.
func (p *Plan) Signatures(inputs []Signature) (all []Signature, folds []int, err error) {
	all, folds = make([]Signature, len(p.Values)), make([]int, len(p.Values))
	for i, v := range p.Inputs {
		all[v], folds[v] = inputs[i], 1
	}
	for i := range p.Ops {
		o := &p.Ops[i]
		in := make([]Signature, 0, len(o.In)+len(o.Like))
		for _, v := range slices.Concat(o.In, o.Like) {
			in = append(in, all[v])
		}
		out, err := o.Outputs(in)
		if err != nil {
			return nil, nil, fmt.Errorf("layer %q: %w", o.Layer, err)
		}
		if len(out) != len(o.Out) {
			return nil, nil, fmt.Errorf("layer %q: an operation has %d outputs in place of %d", o.Layer, len(out), len(o.Out))
		}
		fold := 1
		for k, v := range o.In {
			if k > 0 && folds[v] != fold {
				return nil, nil, fmt.Errorf("layer %q: %w: inputs of %d and %d rows for each row of the batch", o.Layer, tensor.ErrShape, fold, folds[v])
			}
			fold = folds[v]
		}
		switch o.fold {
		case foldRows:
			if steps := in[0].Shape[1]; steps == tensor.Unknown || fold == tensor.Unknown {
				fold = tensor.Unknown
			} else {
				fold *= steps
			}
		case unfoldRows:
			fold = folds[o.Like[0]]
		}
		for k, v := range o.Out {
			all[v], folds[v] = out[k], fold
		}
	}
	return all, folds, nil
}

// Fused returns the plan after fusion: each operation that offers to (Op.Fuse) has taken over the one after it.
func (p *Plan) Fused() *Plan {
	q := *p
	q.Ops = slices.Clone(p.Ops)
	for i := 0; i < len(q.Ops); i++ {
		o := q.Ops[i]
		if o.Fuse == nil || len(o.Out) != 1 || q.keeps(o.Out[0]) {
			continue
		}
		readers := q.Readers(o.Out[0])
		if len(readers) != 1 {
			continue
		}
		next := q.Ops[readers[0]]
		others, ok := q.others(&o, &next)
		if !ok {
			continue
		}
		op, ok := o.Fuse(next.Op, others)
		if !ok || (op.Source != nil && !slices.ContainsFunc(o.In, func(v int) bool { return slices.Contains(p.Inputs, v) })) {
			continue // it would read the model's input, which this is not
		}
		q.Ops[i] = Operation{Op: op, In: o.In, Out: next.Out, Params: slices.Concat(o.Params, next.Params), Layer: o.Layer, Noise: o.Noise}
		q.Ops = slices.Delete(q.Ops, readers[0], readers[0]+1)
		i-- // the fused operation may take over the next one, too
	}
	q.prune()
	return &q
}

// keeps reports whether value v must exist whoever reads it: as an output or a mask, or for its signature.
func (p *Plan) keeps(v int) bool {
	return slices.Contains(p.Outputs, v) || slices.Contains(p.Masks, v) ||
		slices.ContainsFunc(p.Ops, func(o Operation) bool { return slices.Contains(o.Like, v) })
}

// others are the operations that make what next reads beside the output of o, or false when one does not read just what o
// reads.
func (p *Plan) others(o, next *Operation) ([]Op, bool) {
	var others []Op
	for _, v := range next.In {
		if v == o.Out[0] {
			continue
		}
		i := p.Writer(v)
		if i < 0 || !slices.Equal(p.Ops[i].In, o.In) {
			return nil, false
		}
		others = append(others, p.Ops[i].Op)
	}
	return others, true
}

// isNil reports whether v is nil or an interface that holds a nil pointer, map, function or the like.
func isNil(v any) bool {
	if v == nil {
		return true
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Func, reflect.Slice, reflect.Chan, reflect.Interface:
		return r.IsNil()
	}
	return false
}
