package nn

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/linnet-ml/linnet/nn/plan"
)

// Graph is a spec of a model with any number of inputs and outputs, whose layers may be used several times and read what
// several others make (Keras's functional API):
//
//	g := &nn.Graph{}
//	title, body := g.Input("title", nn.Tokens(20)), g.Input("body", nn.Tokens(nn.AnyLength))
//	embed := g.Node(layers.Embedding{Vocabulary: 10000, Dim: 16, MaskZero: true}) // one table for both
//	both := g.Apply(layers.Concatenate{},
//		g.Apply(layers.GlobalAveragePooling1D{}, embed.Apply(title)),
//		g.Apply(layers.GlobalAveragePooling1D{}, embed.Apply(body)))
//	g.Output("spam", g.Apply(layers.Dense{Units: 1, Activation: layers.Sigmoid}, both))
//	model, err := g.Build(ctx, nn.BuildOptions{})
//
// The methods note what is wrong, and Build reports it. The fields are plain data, for JSON.
type Graph struct {
	// Name is the model's name in its summary. The default is "functional", as in Keras.
	Name    string
	Inputs  []GraphInput
	Nodes   []GraphNode
	Outputs []GraphOutput

	err error
}

// GraphInput is a named input.
type GraphInput struct {
	Name  string
	Input Input
}

// GraphNode is a layer in a graph, with what each of its uses reads.
type GraphNode struct {
	Layer Layer
	Calls [][]GraphRef
}

// GraphRef points to a value of a graph.
type GraphRef struct {
	// Node is the number of the node that makes the value, or -1 - i for input i.
	Node int
	// Call is which of the node's uses makes it, and Output which of the layer's outputs it is.
	Call, Output int
}

// GraphOutput is a named output.
type GraphOutput struct {
	Name string
	Ref  GraphRef
}

// Value is a value of a graph: an input, or an output of a layer.
type Value struct {
	graph *Graph
	ref   GraphRef
}

// Node is a layer in a graph. Each time it is applied it uses the same parameters.
type Node struct {
	graph *Graph
	index int
}

// Kind is "Functional".
func (g *Graph) Kind() string { return "Functional" }

// fail keeps the first thing that is wrong.
func (g *Graph) fail(format string, args ...any) {
	if g.err == nil {
		g.err = fmt.Errorf("nn: "+format, args...)
	}
}

// Input adds an input. Names must differ.
func (g *Graph) Input(name string, in Input) Value {
	g.Inputs = append(g.Inputs, GraphInput{name, in})
	return Value{g, GraphRef{Node: -len(g.Inputs)}}
}

// Node adds a layer, to be applied once or several times.
func (g *Graph) Node(l Layer) *Node {
	if isNil(l) {
		g.fail("layer %d of the graph is nil", len(g.Nodes))
	}
	g.Nodes = append(g.Nodes, GraphNode{Layer: l})
	return &Node{g, len(g.Nodes) - 1}
}

// Apply returns the layer's first output for these inputs; Value.Output gives the others.
func (n *Node) Apply(in ...Value) Value {
	if n == nil || n.graph == nil { // no graph takes the value
		return Value{}
	}
	refs := make([]GraphRef, len(in))
	for i, v := range in {
		if v.graph != n.graph {
			n.graph.fail("input %d of layer %d is a value of another graph", i, n.index)
		}
		refs[i] = v.ref
	}
	node := &n.graph.Nodes[n.index]
	node.Calls = append(node.Calls, refs)
	return Value{n.graph, GraphRef{Node: n.index, Call: len(node.Calls) - 1}}
}

// Apply adds a layer and returns its first output for these inputs.
func (g *Graph) Apply(l Layer, in ...Value) Value { return g.Node(l).Apply(in...) }

// Output is output i of the layer that made the value, counted from 0: a layer's states beside its sequence.
func (v Value) Output(i int) Value {
	v.ref.Output = i
	return v
}

// Output makes a value an output of the model. Names must differ.
func (g *Graph) Output(name string, v Value) {
	if v.graph != g {
		g.fail("output %q is a value of another graph", name)
	}
	g.Outputs = append(g.Outputs, GraphOutput{name, v.ref})
}

// clone is a copy that shares no slice with g.
func (g *Graph) clone() *Graph {
	c := &Graph{Name: g.Name, Inputs: slices.Clone(g.Inputs), Outputs: slices.Clone(g.Outputs), Nodes: slices.Clone(g.Nodes)}
	for i := range c.Nodes {
		c.Nodes[i].Calls = slices.Clone(c.Nodes[i].Calls)
		for k := range c.Nodes[i].Calls {
			c.Nodes[i].Calls[k] = slices.Clone(c.Nodes[i].Calls[k])
		}
	}
	return c
}

// Build works out the shapes, makes the parameters with their initial values and lays out the operations. A Graph may be
// built many times; each time gives a model of its own.
func (g *Graph) Build(ctx context.Context, o BuildOptions) (_ *Model, err error) {
	defer recovering(&err)
	if ctx == nil {
		return nil, errNilContext
	}
	switch {
	case g == nil:
		return nil, errors.New("nn: the Graph is nil")
	case g.err != nil:
		return nil, g.err
	case len(g.Inputs) == 0 || len(g.Outputs) == 0:
		return nil, fmt.Errorf("nn: a graph needs inputs and outputs; this one has %d and %d", len(g.Inputs), len(g.Outputs))
	}
	m := &Model{name: g.Name, seed: o.Seed, spec: g.clone()}
	if m.name == "" {
		m.name = "functional"
	}
	c := &graphBuild{graph: g, model: m, b: plan.NewBuilder(ctx, plan.BuilderOptions{Seed: o.Seed, Storage: o.Storage}), values: map[GraphRef]plan.Symbol{}, names: map[string]bool{},
		nodes: make([]*plan.Node, len(g.Nodes)), places: make([]int, len(g.Nodes))}
	if err := c.inputs(); err != nil {
		return nil, err
	}
	if err := c.calls(ctx); err != nil {
		return nil, err
	}
	var outputs []namedSymbol
	named := map[string]bool{}
	for _, out := range g.Outputs {
		if out.Name == "" || named[out.Name] {
			return nil, fmt.Errorf("nn: two outputs are named %q, or one has no name", out.Name)
		}
		if err := plan.CheckName(out.Name); err != nil {
			return nil, nnError("output", err)
		}
		named[out.Name] = true
		v, ok := c.values[out.Ref]
		if !ok {
			return nil, fmt.Errorf("nn: output %q is %s, which does not exist", out.Name, c.describe(out.Ref))
		}
		outputs = append(outputs, namedSymbol{out.Name, v, c.connection(out.Ref)})
	}
	if err := m.finish(ctx, c.b, outputs); err != nil {
		return nil, err
	}
	return m, nil
}

// graphBuild is one Build.
type graphBuild struct {
	graph  *Graph
	model  *Model
	b      *plan.Builder
	values map[GraphRef]plan.Symbol
	nodes  []*plan.Node
	places []int           // of each node among the model's layers, plus 1
	names  map[string]bool // of inputs
}

func (c *graphBuild) inputs() error {
	for i, in := range c.graph.Inputs {
		if in.Name == "" || c.names[in.Name] {
			return fmt.Errorf("nn: two inputs are named %q, or one has no name", in.Name)
		}
		if err := plan.CheckName(in.Name); err != nil {
			return nnError("input", err)
		}
		c.names[in.Name] = true
		s, err := in.Input.signature()
		if err != nil {
			return nnError(fmt.Sprintf("input %q", in.Name), err)
		}
		v := c.b.Input(s)
		c.model.inputs = append(c.model.inputs, modelInput{in.Name, s})
		c.model.layers = append(c.model.layers, builtLayer{name: in.Name, kind: "InputLayer", outputs: []plan.Symbol{v},
			calls: []builtCall{{outputs: []plan.Symbol{v}, mask: none}}})
		c.values[GraphRef{Node: -1 - i}] = v
	}
	return nil
}

// calls applies the nodes, each as soon as what it reads is there: those of a graph that was put together by hand may
// come in any order. It goes over them from the first to the last, again and again, and meets only those that can be
// applied.
func (c *graphBuild) calls(ctx context.Context) error {
	nodes := c.graph.Nodes
	done := make([]int, len(nodes))    // calls of each node
	missing := make([]int, len(nodes)) // values that its next call waits for
	waiting := map[GraphRef][]int{}    // nodes whose next call waits for a value
	var now, later intHeap             // nodes that can be applied: in this round, in the next
	wait := func(i int) (ready bool) {
		if done[i] == len(nodes[i].Calls) {
			return false
		}
		for _, r := range nodes[i].Calls[done[i]] {
			if _, ok := c.values[r]; !ok {
				waiting[r] = append(waiting[r], i)
				missing[i]++
			}
		}
		return missing[i] == 0
	}
	for i := range nodes {
		if wait(i) {
			now = append(now, i) // in order, which makes a heap
		}
	}
	for len(now) > 0 {
		i := heap.Pop(&now).(int)
		for ready := true; ready; ready = wait(i) {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("nn: layer %d%s: %w", i, kindOf(nodes[i].Layer), err)
			}
			k := done[i]
			outputs, err := c.call(i, k)
			if err != nil {
				return err
			}
			done[i]++
			for j := range outputs {
				r := GraphRef{i, k, j}
				for _, w := range waiting[r] {
					if missing[w]--; missing[w] > 0 {
						continue
					}
					if w > i {
						heap.Push(&now, w)
					} else {
						heap.Push(&later, w)
					}
				}
				delete(waiting, r)
			}
		}
		if len(now) == 0 {
			now, later = later, now
		}
	}
	for i := range nodes {
		if done[i] < len(nodes[i].Calls) {
			refs := nodes[i].Calls[done[i]]
			k := slices.IndexFunc(refs, func(r GraphRef) bool { _, ok := c.values[r]; return !ok })
			return fmt.Errorf("nn: layer %d%s reads %s, which does not exist or depends on the layer itself", i,
				kindOf(nodes[i].Layer), c.describe(refs[k]))
		}
	}
	return nil
}

// intHeap is a heap of numbers, the least first.
type intHeap []int

func (h intHeap) Len() int           { return len(h) }
func (h intHeap) Less(i, j int) bool { return h[i] < h[j] }
func (h intHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *intHeap) Push(x any)        { *h = append(*h, x.(int)) }
func (h *intHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

// call applies a node for the call of that number, and returns how many outputs that has.
func (c *graphBuild) call(i, k int) (outputs int, err error) {
	node := &c.graph.Nodes[i]
	if c.nodes[i] == nil {
		n, err := c.b.Node(node.Layer)
		if err != nil {
			return 0, fmt.Errorf("nn: layer %d%s: %w", i, kindOf(node.Layer), err)
		}
		if c.names[n.Name()] {
			return 0, fmt.Errorf("nn: layer %d%s: an input and a layer are named %q", i, kindOf(node.Layer), n.Name())
		}
		c.nodes[i] = n
		c.model.layers = append(c.model.layers, builtLayer{name: n.Name(), kind: node.Layer.Kind()})
		c.places[i] = len(c.model.layers)
	}
	name := c.nodes[i].Name()
	in := make([]plan.Symbol, len(node.Calls[k]))
	for j, r := range node.Calls[k] {
		in[j] = c.values[r]
	}
	out, err := c.nodes[i].Apply(in...)
	if load := (*plan.LoadError)(nil); errors.As(err, &load) {
		return 0, fmt.Errorf("nn: layer %d (%s): %w", i, name, err)
	}
	if err != nil && len(in) == 0 {
		return 0, fmt.Errorf("nn: layer %d (%s), which reads nothing: %w", i, name, err)
	}
	if err != nil {
		return 0, fmt.Errorf("nn: layer %d (%s) cannot follow %s: %w", i, name, c.describeAll(node.Calls[k]), err)
	}
	layer := &c.model.layers[c.places[i]-1]
	if k == 0 {
		layer.outputs = out
	}
	call := builtCall{outputs: out, mask: c.mask(out[0])}
	for _, r := range node.Calls[k] {
		from := c.connection(r)
		if from.mask != none {
			call.mask = none
		}
		call.in = append(call.in, from)
	}
	layer.calls = append(layer.calls, call)
	for j, v := range out {
		c.values[GraphRef{i, k, j}] = v
	}
	return len(out), nil
}

// connection is the value, which exists, among the model's layers.
func (c *graphBuild) connection(r GraphRef) connection {
	from := connection{layer: -1 - r.Node, call: r.Call, output: r.Output, mask: c.mask(c.values[r])}
	if r.Node >= 0 {
		from.layer = c.places[r.Node] - 1
	}
	return from
}

// mask is the value with v's mask, or none.
func (c *graphBuild) mask(v plan.Symbol) int {
	if m, ok := c.b.Mask(v); ok {
		return m.Value()
	}
	return none
}

func (c *graphBuild) layerName(r GraphRef) string {
	if i := -1 - r.Node; i >= 0 && i < len(c.graph.Inputs) {
		return c.graph.Inputs[i].Name
	}
	if r.Node >= 0 && r.Node < len(c.nodes) && c.nodes[r.Node] != nil {
		return c.nodes[r.Node].Name()
	}
	return fmt.Sprintf("layer %d", r.Node)
}

// describeAll names the values that a layer reads, with their shapes, for error messages.
func (c *graphBuild) describeAll(refs []GraphRef) string {
	const most = 8
	var from []string
	for _, r := range refs[:min(len(refs), most)] {
		from = append(from, fmt.Sprintf("%s of shape %v", c.describe(r), c.values[r].Shape))
	}
	if len(refs) > most {
		from = append(from, fmt.Sprintf("%d others", len(refs)-most))
	}
	return strings.Join(from, " and ")
}

// describe names a value for error messages.
func (c *graphBuild) describe(r GraphRef) string {
	if i := -1 - r.Node; i >= 0 {
		if i >= len(c.graph.Inputs) {
			return fmt.Sprintf("input %d", i)
		}
		return fmt.Sprintf("input %q", c.layerName(r))
	}
	s := c.layerName(r)
	if r.Call > 0 {
		s += fmt.Sprintf(", use %d", r.Call)
	}
	if r.Output > 0 {
		s += fmt.Sprintf(", output %d", r.Output)
	}
	return s
}
