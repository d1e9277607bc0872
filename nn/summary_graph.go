package nn

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
)

// summaryOp is a row of a graph's summary: an input, a layer or, as in Keras, the comparison that makes a mask of ids.
type summaryOp struct {
	name, kind string
	shapes     []tensor.Shape // of the outputs of its last use
	nodes      []*summaryNode // its uses, of which the outputs need not depend on all
	index      int            // when the walk from the outputs met it, or none
	depth      int
}

// summaryNode is one use of a layer.
type summaryNode struct {
	op      *summaryOp
	number  int // among the uses of its op
	in      []summaryRef
	reached bool
	depth   int // the longest way to an output
}

// summaryRef is a value that a node reads.
type summaryRef struct {
	node   *summaryNode
	output int
}

// summaryOps are the layers that the outputs depend on, and all inputs, in Keras's order (keras/src/ops/function.py): those
// farthest from the outputs first, and of the same depth in the order in which a walk from the outputs meets them.
func (m *Model) summaryOps() []summaryOp {
	ops := make([]*summaryOp, len(m.layers))
	for i, l := range m.layers {
		ops[i] = &summaryOp{name: l.name, kind: l.kind, index: none, shapes: shapesOf(l.calls[len(l.calls)-1].outputs)}
		for k := range l.calls {
			ops[i].nodes = append(ops[i].nodes, &summaryNode{op: ops[i], number: k})
		}
	}
	at := func(c connection) summaryRef { return summaryRef{ops[c.layer].nodes[c.call], c.output} }
	masks := map[int]*summaryNode{}
	for _, l := range m.layers {
		for _, call := range l.calls {
			if call.mask == none {
				continue
			}
			op := &summaryOp{name: "not_equal", kind: "NotEqual", index: none, shapes: []tensor.Shape{m.plain.Values[call.mask].Shape}}
			if n := len(masks); n > 0 {
				op.name = fmt.Sprintf("%s_%d", op.name, n)
			}
			node := &summaryNode{op: op, in: []summaryRef{at(call.in[0])}}
			op.nodes = append(op.nodes, node)
			masks[call.mask] = node
		}
	}
	for i, l := range m.layers {
		for k, call := range l.calls {
			node := ops[i].nodes[k]
			for _, c := range call.in {
				node.in = append(node.in, at(c))
			}
			for _, c := range call.in {
				if mask := masks[c.mask]; mask != nil && m.layerReads(l.name, c.mask) {
					node.in = append(node.in, summaryRef{node: mask})
				}
			}
		}
	}
	walk := summaryWalk{}
	for _, out := range m.outputs {
		walk.visit(at(out.from).node)
	}
	walk.measure()
	for i := range m.inputs {
		if !ops[i].nodes[0].reached {
			ops[i].nodes[0].reached = true
			walk.ops = append(walk.ops, ops[i])
		}
	}
	slices.SortStableFunc(walk.ops, func(a, b *summaryOp) int {
		return cmp.Or(cmp.Compare(b.depth, a.depth), cmp.Compare(a.index, b.index))
	})
	sorted := make([]summaryOp, len(walk.ops))
	for i, op := range walk.ops {
		sorted[i] = *op
	}
	return sorted
}

// layerReads reports whether an operation of the layer reads the value.
func (m *Model) layerReads(layer string, value int) bool {
	return slices.ContainsFunc(m.plain.Ops, func(o plan.Operation) bool {
		return (o.Layer == layer || strings.HasPrefix(o.Layer, layer+"/")) && slices.Contains(o.In, value)
	})
}

// summaryWalk is the walk from the outputs.
type summaryWalk struct {
	ops   []*summaryOp
	nodes []*summaryNode // what a node reads comes before it
}

func (w *summaryWalk) visit(n *summaryNode) {
	if n.reached {
		return
	}
	n.reached = true
	if n.op.index == none {
		n.op.index = len(w.ops)
		w.ops = append(w.ops, n.op)
	}
	for _, in := range n.in {
		w.visit(in.node)
	}
	w.nodes = append(w.nodes, n)
}

// measure works out depths. A use of a layer is as deep as the uses before it in the walk, seen from the outputs.
func (w *summaryWalk) measure() {
	for _, n := range slices.Backward(w.nodes) {
		n.depth = max(n.depth, n.op.depth)
		n.op.depth = n.depth
		for _, in := range n.in {
			in.node.depth = max(in.node.depth, n.depth+1)
		}
	}
}

// chain reports whether the layers follow one another, each used once and reading one value.
func chain(ops []summaryOp) bool {
	taken := map[int]bool{}
	for _, op := range ops {
		for _, n := range op.nodes {
			if !n.reached {
				continue
			}
			if taken[n.depth] || len(n.in) > 1 {
				return false
			}
			taken[n.depth] = true
		}
	}
	return !slices.ContainsFunc(ops, func(op summaryOp) bool {
		uses := 0
		for _, n := range op.nodes {
			if n.reached {
				uses++
			}
		}
		return uses > 1
	})
}

// connections lists what a layer reads, over all its uses: name[use][output].
func connections(op *summaryOp) string {
	var all []string
	for _, n := range op.nodes {
		if !n.reached {
			continue
		}
		for _, in := range n.in {
			all = append(all, fmt.Sprintf("%s[%d][%d]", in.node.op.name, in.node.number, in.output))
		}
	}
	if len(all) == 0 {
		return "-"
	}
	return strings.Join(all, ", ")
}

// shapesOf are the shapes of symbols.
func shapesOf(symbols []plan.Symbol) []tensor.Shape {
	shapes := make([]tensor.Shape, len(symbols))
	for i, s := range symbols {
		shapes[i] = s.Shape
	}
	return shapes
}
