package nn

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
)

// What users name most, of the page for authors.
type (
	// Layer is a spec of a part of a model: see [plan.Layer]. The layers are in package layers.
	Layer = plan.Layer
	// Loss is a spec of what training minimises: see [plan.Loss]. They are in package loss.
	Loss = plan.Loss
	// Optimizer is a spec of how parameters follow their gradients: see [plan.Optimizer]. They are in package optim.
	Optimizer = plan.Optimizer
	// Metric is a spec of a number to watch: see [plan.Metric]. They are in package metrics.
	Metric = plan.Metric
	// Callback is a spec of something that watches or steers training: see [plan.Callback]. They are in package callbacks.
	Callback = plan.Callback
)

// Model is a built model: parameters, and the plan that computes with them. Nothing in it changes after Build but the
// parameters, and those only in Fit, a Trainer, SetWeights and SetParameter. Any number of goroutines may Predict and
// Evaluate on one model at once, while none trains it.
type Model struct {
	name    string
	inputs  []modelInput
	outputs []modelOutput
	// inputAt and outputAt are the places of names.
	inputAt, outputAt map[string]int
	layers            []builtLayer
	seed              uint64

	spec      plan.Spec // *Sequential or *Graph
	specInput Input     // of a Sequential

	plain *program // as the layers were written
	fused *program // what runs, unless fusion is switched off

	mu   sync.Mutex
	free []*space // of the fused plan

	lenders atomic.Pointer[[]plan.Lender] // of the parameters that lie in others' memory; nil when there are none

	// training is what trains the model now. settle, when given, brings weights up to date that
	// training under way has left behind.
	training atomic.Int32
	settle   func()
	// written, when given, is told before weights are written from outside: a run that keeps snapshots is under way.
	written func()
}

type modelInput struct {
	name      string
	signature plan.Signature
}

type modelOutput struct {
	name      string
	signature plan.Signature
	from      connection // of a graph
}

// builtLayer is a layer, or an input of a graph, and its uses: what the summary shows.
type builtLayer struct {
	name, kind string
	outputs    []plan.Symbol // of its first use
	calls      []builtCall   // of a graph
}

// builtCall is one use of a layer in a graph.
type builtCall struct {
	in      []connection
	outputs []plan.Symbol
	mask    int // the value with the mask that the layer makes of inputs that have none, or none
}

// connection is a value that a layer of a graph reads: the numbers of the layer that makes it, of the layer's use and of
// its output. mask is the value with its mask, or none.
type connection struct {
	layer, call, output int
	mask                int
}

type namedSymbol struct {
	name  string
	value plan.Symbol
	from  connection
}

func (m *Model) finish(ctx context.Context, b *plan.Builder, outputs []namedSymbol) error {
	symbols := make([]plan.Symbol, len(outputs))
	for i, out := range outputs {
		if out.value.Type != tensor.TypeFloat32 {
			return fmt.Errorf("nn: the model's output is %v, not float32", out.value.Type)
		}
		symbols[i] = out.value
		m.outputs = append(m.outputs, modelOutput{out.name, out.value.Signature, out.from})
	}
	p, err := b.Finish(symbols...)
	if err != nil {
		return fmt.Errorf("nn: %w", err)
	}
	return m.use(ctx, p)
}

// use makes a plan the model's.
func (m *Model) use(ctx context.Context, p *plan.Plan) error {
	m.findNames()
	for _, stage := range []func() error{
		func() error { m.plain = m.newProgram(p); return nil },
		func() error { return m.plain.checkGradients(p.Values, false) },
		func() error { p = p.Fused(); return nil },
		func() error { m.fused = m.newProgram(p); return nil },
	} {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("nn: laying out the operations: %w", err)
		}
		if err := stage(); err != nil {
			return err
		}
	}
	for _, p := range p.Params {
		plan.OnRead(key, p, m.settled)
	}
	m.findLenders()
	return nil
}

// findNames notes where the names of inputs and outputs are.
func (m *Model) findNames() {
	m.inputAt, m.outputAt = make(map[string]int, len(m.inputs)), make(map[string]int, len(m.outputs))
	for i, in := range m.inputs {
		m.inputAt[in.name] = i
	}
	for i, out := range m.outputs {
		m.outputAt[out.name] = i
	}
}

// params are the parameters in the order of the layers.
func (m *Model) params() []*plan.Parameter {
	if m == nil || m.plain == nil {
		return nil
	}
	return m.plain.Params
}

// built refuses a Model that no Build has made.
func (m *Model) built() error {
	if m == nil || m.plain == nil {
		return errors.New("nn: the model is nil or empty: the Build of a Sequential or a Graph makes one")
	}
	return nil
}

// usable refuses a Model that no Build has made, and a context that is nil.
func (m *Model) usable(ctx context.Context) error {
	if ctx == nil {
		return errNilContext
	}
	return m.built()
}

// errNilContext reports a call without a context.
var errNilContext = errors.New("nn: the context is nil")

// Name is the model's name: "sequential".
func (m *Model) Name() string { return m.name }

// Spec returns what the model was built from: a *[Sequential] or a *[Graph]. It is the model's own: do not change it.
func (m *Model) Spec() plan.Spec { return m.spec }

// SequentialInput returns the input that a model of a Sequential was built with.
func (m *Model) SequentialInput() Input { return m.specInput }

// Seed is the seed that the model was built with.
func (m *Model) Seed() uint64 { return m.seed }

// Parameters returns the model's parameters in the order of its layers.
func (m *Model) Parameters() []*plan.Parameter { return m.params() }

// Parameter returns the parameter of the given name ("dense/kernel"), or nil.
func (m *Model) Parameter(name string) *plan.Parameter {
	for _, p := range m.params() {
		if p.Name() == name {
			return p
		}
	}
	return nil
}

// ParameterCount is the number of elements of all parameters, trainable or not.
func (m *Model) ParameterCount() int {
	n := 0
	for _, p := range m.params() {
		n += p.Size()
	}
	return n
}

// InputNames are the names of the model's inputs; a Sequential has one, "input".
func (m *Model) InputNames() []string {
	names := make([]string, len(m.inputs))
	for i, in := range m.inputs {
		names[i] = in.name
	}
	return names
}

// OutputNames are the names of the model's outputs; a Sequential has one, "output".
func (m *Model) OutputNames() []string {
	names := make([]string, len(m.outputs))
	for i, out := range m.outputs {
		names[i] = out.name
	}
	return names
}

// InputShape is the shape of a batch of the model's input of the given name, or nil; the number of rows, and perhaps of
// steps, is tensor.Unknown.
func (m *Model) InputShape(name string) tensor.Shape {
	if i, ok := m.inputAt[name]; ok {
		return m.inputs[i].signature.Shape.Clone()
	}
	return nil
}

// InputType is the type of the elements of the model's input of the given name, or 0 if it has no such input.
func (m *Model) InputType(name string) tensor.Type {
	if i, ok := m.inputAt[name]; ok {
		return m.inputs[i].signature.Type
	}
	return 0
}

// OutputShape is the shape of the output of the given name for a batch, or nil.
func (m *Model) OutputShape(name string) tensor.Shape {
	if i, ok := m.outputAt[name]; ok {
		return m.outputs[i].signature.Shape.Clone()
	}
	return nil
}

// LayerNames are the names of the model's layers in order, inputs of a graph included.
func (m *Model) LayerNames() []string {
	names := make([]string, len(m.layers))
	for i, l := range m.layers {
		names[i] = l.name
	}
	return names
}

// settled brings all weights up to date: callbacks may look at them in the middle of a Fit.
func (m *Model) settled() {
	if m.settle != nil {
		m.settle()
	}
}

// Clone returns a model with the same plan and a copy of the parameters: one to predict with while the other goes on
// training, or to put in its place. Clone must not run at the same time as a Fit, except in a callback, which the Fit waits for.
func (m *Model) Clone(ctx context.Context) (*Model, error) {
	if err := m.usable(ctx); err != nil {
		return nil, err
	}
	m.settled()
	p := *m.plain.Plan
	p.Params = make([]*plan.Parameter, len(p.Params))
	for i, old := range m.params() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		storage := old.Storage()
		if own, ok := storage.(plan.Float32Storage); ok {
			storage = slices.Clone(own)
		}
		p.Params[i] = plan.CloneParameter(key, old, storage)
	}
	c := &Model{name: m.name, inputs: m.inputs, outputs: m.outputs, layers: m.layers, seed: m.seed, spec: m.spec, specInput: m.specInput}
	return c, c.use(ctx, &p)
}

// Intermediate returns a model that shares the parameters and has the outputs of the given layers as its outputs, under the
// layers' names. Training one model trains the other. While one trains, the other must not train or predict.
func (m *Model) Intermediate(layers ...string) (*Model, error) {
	if err := m.built(); err != nil {
		return nil, err
	}
	c := &Model{name: m.name, inputs: m.inputs, seed: m.seed, layers: m.layers, spec: m.spec, specInput: m.specInput}
	p := *m.plain.Plan
	uses := p.Uses()
	p.Outputs, p.Masks = nil, nil
	for _, name := range layers {
		i := slices.IndexFunc(m.layers, func(l builtLayer) bool { return l.name == name })
		if i < 0 {
			return nil, fmt.Errorf("nn: the model has no layer %q; there are %q", name, m.LayerNames())
		}
		out := m.layers[i].outputs[0]
		if out.Type != tensor.TypeFloat32 {
			return nil, fmt.Errorf("nn: layer %q puts out %v, not float32", name, out.Type)
		}
		value := out.Value()
		if uses.Writers[value] < 0 && !slices.Contains(p.Inputs, value) {
			return nil, fmt.Errorf("nn: no output of the model depends on layer %q", name)
		}
		p.Outputs, p.Masks = append(p.Outputs, value), append(p.Masks, none)
		c.outputs = append(c.outputs, modelOutput{name, out.Signature, connection{layer: i, mask: none}})
	}
	if len(layers) == 0 {
		return nil, fmt.Errorf("nn: name the layers whose outputs are wanted; there are %q", m.LayerNames())
	}
	c.findNames()
	c.plain = c.newProgram(p.Pruned())
	c.fused = c.newProgram(c.plain.Fused())
	c.findLenders()
	return c, nil
}

// take returns a workspace of the fused plan for rows of the given signatures, from the free list where it has one.
func (m *Model) take(inputs []plan.Signature) (*space, error) {
	m.mu.Lock()
	for i := len(m.free) - 1; i >= 0; i-- {
		if w := m.free[i]; w.fits(inputs) {
			m.free = slices.Delete(m.free, i, i+1)
			m.mu.Unlock()
			return w, nil
		}
	}
	m.mu.Unlock()
	w := newSpace(m.fused)
	return w, w.layout(inputs)
}

// give puts a workspace back. The list keeps what the busiest moment needed, of the latest row lengths.
func (m *Model) give(w *space) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.free) >= maxFree {
		m.free = slices.Delete(m.free, 0, 1)
	}
	m.free = append(m.free, w)
}

// maxFree bounds the free list: rows of many different lengths would otherwise leave one workspace each.
const maxFree = 256
