package nn

import (
	"fmt"
	"slices"

	"github.com/linnet-ml/linnet/internal/random"
	"github.com/linnet-ml/linnet/tensor"
)

// plan is what a model runs: steps in order, each reading and writing numbered values. Value 0 is the input. Several
// steps may read one value and use one parameter; their gradients add in plan order.
type plan struct {
	steps  []planStep
	output int // the value that is the model's output
	logits int // the value that the output activation reads, or none
	// activation is the output activation's name where logits is set.
	activation string

	inputs []inputUse // in plan order
	copied bool       // a step reads the model's input from a copy of each batch, and not by row number
}

// inputUse is a step's use of the model's input, with what the step can do, found out once: a prediction of one row has
// no time for it.
type inputUse struct {
	step, in   int
	source     SourceStep
	unprepared UnpreparedStep
	ready      ReadyStep
	check      InputStep
}

type planStep struct {
	step   Step
	in     []int
	out    int
	params []int
	layer  string // for error messages
	// noise names the step's random numbers: the layer and the number of the step among those the layer added.
	noise random.Name
}

// finish notes where the plan ends, and drops the steps that nothing reads.
func (p *plan) finish(output int) {
	for i := len(p.steps) - 1; i >= 0; i-- {
		if p.steps[i].out != output && len(p.readers(p.steps[i].out)) == 0 {
			p.steps = slices.Delete(p.steps, i, i+1)
		}
	}
	p.output, p.logits, p.copied = output, none, len(p.steps) == 0
	p.inputs = nil
	for i, s := range p.steps {
		for k, v := range s.in {
			if v != 0 {
				continue
			}
			use := inputUse{step: i, in: k}
			use.source, _ = s.step.(SourceStep)
			use.unprepared, _ = s.step.(UnpreparedStep)
			use.ready, _ = s.step.(ReadyStep)
			use.check, _ = s.step.(InputStep)
			p.inputs = append(p.inputs, use)
			p.copied = p.copied || use.source == nil
		}
	}
	for _, s := range p.steps {
		if s.out != output {
			continue
		}
		if a, ok := s.step.(ActivationStep); ok && len(p.readers(s.in[0])) == 1 {
			p.logits, p.activation = s.in[0], a.Activation()
		}
	}
}

// readers lists the steps that read value v, a step once for each of its inputs that is v.
func (p *plan) readers(v int) []int {
	var steps []int
	for i, s := range p.steps {
		for _, in := range s.in {
			if in == v {
				steps = append(steps, i)
			}
		}
	}
	return steps
}

// fused returns the plan with every step taken over by the one before it that offers to.
func (p *plan) fused() plan {
	q := plan{steps: slices.Clone(p.steps)}
	for i := 0; i < len(q.steps); i++ {
		s := q.steps[i]
		f, ok := s.step.(FusingStep)
		if !ok || s.out == p.output {
			continue
		}
		readers := q.readers(s.out)
		if len(readers) != 1 {
			continue
		}
		next := q.steps[readers[0]]
		others, ok := q.others(s, next)
		if !ok {
			continue
		}
		step, ok := f.Fuse(next.step, others)
		if !ok {
			continue
		}
		if _, ok := step.(SourceStep); ok && !slices.Contains(s.in, 0) {
			continue // it would read the model's input, which this is not
		}
		q.steps[i] = planStep{step: step, in: s.in, out: next.out, params: slices.Concat(s.params, next.params), layer: s.layer, noise: s.noise}
		q.steps = slices.Delete(q.steps, readers[0], readers[0]+1)
		i-- // the fused step may take over the one behind it
	}
	q.finish(p.output)
	return q
}

// others are the steps that make what next reads beside the output of s, or false when one does not read just what s
// reads.
func (p *plan) others(s, next planStep) ([]Step, bool) {
	var others []Step
	for _, v := range next.in {
		if v == s.out {
			continue
		}
		i := slices.IndexFunc(p.steps, func(s planStep) bool { return s.out == v })
		if i < 0 || !slices.Equal(p.steps[i].in, s.in) {
			return nil, false
		}
		others = append(others, p.steps[i].step)
	}
	return others, true
}

// signatures works out the signature of every value for an input of the given one.
func (p *plan) signatures(values int, input Signature) ([]Signature, error) {
	all := make([]Signature, values)
	all[0] = input
	for _, s := range p.steps {
		in := make([]Signature, len(s.in))
		for i, v := range s.in {
			in[i] = all[v]
		}
		out, err := s.step.Output(in)
		if err != nil {
			return nil, fmt.Errorf("layer %q: %w", s.layer, err)
		}
		all[s.out] = out
	}
	return all, nil
}

// flows reports for each value whether a gradient of it is wanted: whether a trainable parameter, or the input where
// that is asked for, lies behind it. Integers, such as a mask that is made from floats, have no gradient.
func (p *plan) flows(signatures []Signature, params []*Parameter, input bool) []bool {
	wants := make([]bool, len(signatures))
	wants[0] = input && signatures[0].Type == tensor.TypeFloat32
	for _, s := range p.steps {
		if signatures[s.out].Type != tensor.TypeFloat32 {
			continue
		}
		for _, v := range s.in {
			wants[s.out] = wants[s.out] || wants[v]
		}
		for _, i := range s.params {
			wants[s.out] = wants[s.out] || params[i].trainable
		}
	}
	return wants
}

// checkGradients refuses a plan with a step that a gradient would have to flow through and cannot. With input, the
// gradient of the model's input is wanted too.
func (p *plan) checkGradients(signatures []Signature, params []*Parameter, input bool) error {
	wants := p.flows(signatures, params, input)
	for _, s := range p.steps {
		if !wants[s.out] {
			continue
		}
		for _, i := range s.params {
			if _, ok := s.step.(ParameterStep); !ok && params[i].trainable {
				return fmt.Errorf("nn: layer %q has the trainable parameter %q but no gradient for it", s.layer, params[i].name)
			}
		}
		for _, v := range s.in {
			_, ok := s.step.(BackwardStep)
			switch {
			case ok || !wants[v]:
			case v == 0:
				return fmt.Errorf("nn: layer %q lets no gradient through to the input", s.layer)
			default:
				return fmt.Errorf("nn: layer %q lets no gradient through to the layers before it", s.layer)
			}
		}
	}
	return nil
}

// ready reports whether all steps that read the model's input take x in its place.
func (p *plan) ready(x tensor.Rows) bool {
	for i := range p.inputs {
		if r := p.inputs[i].ready; r == nil || !r.Ready(x) {
			return false
		}
	}
	return len(p.inputs) > 0
}

// checkInput refuses an input that is not what the model was built for, or that a step of p refuses. It looks at all of
// it, once.
func (m *Model) checkInput(p *plan, x tensor.Rows) error {
	if p.ready(x) {
		return nil
	}
	want, got := m.input, Signature{Type: x.Type(), Shape: x.Shape()}
	if want.Type != got.Type {
		return fmt.Errorf("nn: %w: the model reads %v rows %v, not %v rows %v", tensor.ErrShape, want.Type, want.Shape, got.Type, got.Shape)
	}
	fits := len(want.Shape) == len(got.Shape)
	for i := 1; fits && i < len(want.Shape); i++ {
		fits = want.Shape[i] == tensor.Unknown || got.Shape[i] == tensor.Unknown || want.Shape[i] == got.Shape[i]
	}
	if !fits {
		return fmt.Errorf("nn: %w: the model reads rows %v, not %v", tensor.ErrShape, want.Shape, got.Shape)
	}
	if err := checkNaN(x); err != nil {
		return err
	}
	for i := range p.inputs {
		use := &p.inputs[i]
		if use.check == nil {
			continue
		}
		if err := use.check.CheckInput(x); err != nil {
			return fmt.Errorf("nn: layer %q: %w", p.steps[use.step].layer, err)
		}
	}
	switch x.(type) {
	case *tensor.Float32, *tensor.Int32, *tensor.String, *tensor.Sparse:
		return nil
	}
	// Other kinds of rows are for a SourceStep to know, or to refuse in Prepare.
	if p.copied {
		return fmt.Errorf("nn: the model's layers read arrays of %v, not %T", want.Type, x)
	}
	return nil
}

// checkNaN names the first NaN of x.
func checkNaN(x tensor.Rows) error {
	switch x := x.(type) {
	case *tensor.Float32:
		width := x.Shape().Width()
		for i, v := range x.Data() {
			if v != v {
				return fmt.Errorf("nn: the input is NaN at row %d, column %d", i/width, i%width)
			}
		}
	case *tensor.Sparse:
		for i := range x.Len() {
			columns, values := x.Row(i)
			for k, v := range values {
				if v != v {
					return fmt.Errorf("nn: the input is NaN at row %d, column %d", i, columns[k])
				}
			}
		}
	}
	return nil
}
