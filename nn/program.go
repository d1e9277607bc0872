package nn

import (
	"fmt"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
)

// program is a plan with what the executor asks of it found out once: a prediction of one row has no time for it.
type program struct {
	*plan.Plan
	inputs []inputUse // in plan order
	copied []bool     // for each input of the model: an operation reads it from a copy of each batch, and not by row number
	ends   []end      // for each output
	names  []string   // of the model's inputs, where it has several
	// unit is how many rows of a batch stay with one worker: a shard, where an operation reduces over the batch.
	unit    int
	commits []int // the operations with a Commit
}

// inputUse is an operation's use of an input of the model.
type inputUse struct {
	op, in int // the operation and which of its inputs
	input  int // of the model
}

// end is an output of the model as a loss sees it.
type end struct {
	value      int
	before     int    // the value that the output activation reads, or none
	activation string // its name where before is set
}

const none = -1

func (m *Model) newProgram(p *plan.Plan) *program {
	g := &program{Plan: p, copied: make([]bool, len(p.Inputs)), unit: 1}
	if len(m.inputs) > 1 {
		g.names = m.InputNames()
	}
	inputOf := make([]int, len(p.Values)) // the input of the model that a value is, or none
	for v := range inputOf {
		inputOf[v] = none
	}
	for input, v := range p.Inputs {
		inputOf[v] = input
	}
	for i := range p.Ops {
		o := &p.Ops[i]
		for k, v := range o.In {
			if input := inputOf[v]; input != none {
				g.inputs = append(g.inputs, inputUse{op: i, in: k, input: input})
				g.copied[input] = g.copied[input] || o.Source == nil
			}
		}
		if o.Reduce != nil || o.BackwardReduce != nil {
			g.unit = plan.ShardRows
		}
		if o.Commit != nil {
			g.commits = append(g.commits, i)
		}
	}
	uses := p.Uses()
	for _, v := range p.Outputs {
		e := end{value: v, before: none}
		if input := inputOf[v]; input != none {
			g.copied[input] = true
		}
		if w := uses.Writers[v]; w >= 0 && p.Ops[w].Activation != "" {
			if in := p.Ops[w].In[0]; uses.Readers[in] == 1 && uses.Readers[v] == 0 {
				e.before, e.activation = in, p.Ops[w].Activation
			}
		}
		g.ends = append(g.ends, e)
	}
	return g
}

// flows reports for each value whether a gradient of it is wanted: whether a trainable parameter, or an input where that
// is asked for, lies before it and one of the values that a loss reads lies after it. Integers, such as a mask that is
// made from floats, have no gradient.
func (g *program) flows(signatures []plan.Signature, inputs bool, losses []int) []bool {
	wants := make([]bool, len(signatures))
	for _, v := range g.Inputs {
		wants[v] = inputs && signatures[v].Type == tensor.TypeFloat32
	}
	for i := range g.Ops {
		o := &g.Ops[i]
		from := false
		for _, v := range o.In {
			from = from || wants[v]
		}
		for _, p := range o.Params {
			from = from || g.Params[p].Trainable()
		}
		for _, v := range o.Out {
			wants[v] = from && signatures[v].Type == tensor.TypeFloat32
		}
	}
	reached := make([]bool, len(signatures))
	for _, v := range losses {
		reached[v] = true
	}
	for i := len(g.Ops) - 1; i >= 0; i-- {
		o := &g.Ops[i]
		to := false
		for _, v := range o.Out {
			to = to || (reached[v] && wants[v])
		}
		if to {
			for _, v := range o.In {
				reached[v] = true
			}
		}
	}
	for v := range wants {
		wants[v] = wants[v] && reached[v]
	}
	return wants
}

// checkGradients refuses a program with an operation that a gradient would have to flow through and cannot. With inputs,
// the gradients of the model's inputs are wanted too.
func (g *program) checkGradients(signatures []plan.Signature, inputs bool) error {
	wants := g.flows(signatures, inputs, g.Outputs)
	for i := range g.Ops {
		o := &g.Ops[i]
		wanted := false
		for _, v := range o.Out {
			wanted = wanted || wants[v]
		}
		if !wanted {
			continue
		}
		for _, p := range o.Params {
			if o.Gradient == nil && g.Params[p].Trainable() {
				return fmt.Errorf("nn: layer %q has the trainable parameter %q but no gradient for it", o.Layer, g.Params[p].Name())
			}
		}
		for _, v := range o.In {
			if o.Backward != nil || !wants[v] {
				continue
			}
			for _, at := range g.Inputs {
				if v == at {
					return fmt.Errorf("nn: layer %q lets no gradient through to the input", o.Layer)
				}
			}
			return fmt.Errorf("nn: layer %q lets no gradient through to the layers before it", o.Layer)
		}
	}
	return nil
}

// ready reports whether all operations that read an input of the model take x in its place.
func (g *program) ready(input int, x tensor.Rows) bool {
	any := false
	for _, use := range g.inputs {
		if use.input != input {
			continue
		}
		s := g.Ops[use.op].Source
		if s == nil || s.Ready == nil || !s.Ready(x) {
			return false
		}
		any = true
	}
	return any
}
