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
	keep := make([]bool, len(p.Ops))
	for i := len(p.Ops) - 1; i >= 0; i-- {
		o := &p.Ops[i]
		if !slices.ContainsFunc(o.Out, func(v int) bool { return needed[v] }) {
			continue
		}
		keep[i] = true
		for _, v := range o.In {
			needed[v] = true
		}
		for _, v := range o.Like {
			needed[v] = true
		}
	}
	p.keep(keep)
}

// keep drops the other operations.
func (p *Plan) keep(keep []bool) {
	n := 0
	for i := range p.Ops {
		if keep[i] {
			p.Ops[n] = p.Ops[i]
			n++
		}
	}
	clear(p.Ops[n:])
	p.Ops = p.Ops[:n]
}

// Uses says of each value who writes and reads it, so that a plan of many operations is walked once.
type Uses struct {
	// Writers has the operation that writes each value, or -1.
	Writers []int
	// Readers has how many operations read each value; one that has it as two of its inputs counts twice.
	Readers []int
	// sums are those of the readers' numbers: where there is one reader, its number.
	sums []int
	// needed counts who needs a value to be there beside its readers: outputs, masks and those that read its signature.
	needed []int
	inputs []bool // of the model
}

// Uses goes over the plan.
func (p *Plan) Uses() *Uses {
	n := len(p.Values)
	u := &Uses{Writers: make([]int, n), Readers: make([]int, n), sums: make([]int, n), needed: make([]int, n), inputs: make([]bool, n)}
	for v := range u.Writers {
		u.Writers[v] = none
	}
	for _, v := range p.Inputs {
		u.inputs[v] = true
	}
	for _, list := range [][]int{p.Outputs, p.Masks} {
		for _, v := range list {
			if v != none {
				u.needed[v]++
			}
		}
	}
	for i := range p.Ops {
		u.add(i, &p.Ops[i], 1)
	}
	return u
}

// add adds operation i, or with -1 takes it away.
func (u *Uses) add(i int, o *Operation, sign int) {
	for _, v := range o.In {
		u.Readers[v] += sign
		u.sums[v] += sign * i
	}
	for _, v := range o.Like {
		u.needed[v] += sign
	}
	for _, v := range o.Out {
		u.Writers[v] = none
		if sign > 0 {
			u.Writers[v] = i
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
	u := q.Uses()
	keep := make([]bool, len(q.Ops))
	for i := range keep {
		keep[i] = true
	}
	for i := range q.Ops {
		for keep[i] { // the fused operation may take over the next one, too
			o := &q.Ops[i]
			if o.Fuse == nil || len(o.Out) != 1 || u.needed[o.Out[0]] > 0 || u.Readers[o.Out[0]] != 1 {
				break
			}
			reader := u.sums[o.Out[0]]
			next := &q.Ops[reader]
			others, ok := q.others(u, o, next)
			if !ok {
				break
			}
			op, ok := o.Fuse(next.Op, others)
			if !ok || (op.Source != nil && !slices.ContainsFunc(o.In, func(v int) bool { return u.inputs[v] })) {
				break // it would read the model's input, which this is not
			}
			fused := Operation{Op: op, In: o.In, Out: next.Out, Params: slices.Concat(o.Params, next.Params), Layer: o.Layer, Noise: o.Noise}
			u.add(i, o, -1)
			u.add(reader, next, -1)
			q.Ops[i], keep[reader] = fused, false
			u.add(i, &q.Ops[i], 1)
		}
	}
	q.keep(keep)
	q.prune()
	return &q
}

// others are the operations that make what next reads beside the output of o, or false when one does not read just what o
// reads.
func (p *Plan) others(u *Uses, o, next *Operation) ([]Op, bool) {
	var others []Op
	for _, v := range next.In {
		if v == o.Out[0] {
			continue
		}
		i := u.Writers[v]
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
