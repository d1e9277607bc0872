package nn

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/linnet-ml/linnet/nn/plan"
)

// Sequential is a spec of a model whose layers follow one another.
type Sequential struct {
	// Name is the model's name in its summary. The default is "sequential".
	Name   string
	Layers []Layer
}

// NewSequential returns the spec of a model with the given layers.
func NewSequential(layers ...Layer) *Sequential { return &Sequential{Layers: layers} }

// Kind is "Sequential".
func (s *Sequential) Kind() string { return "Sequential" }

// Build works out the shapes, makes the parameters with their initial values and lays out the operations. A layer that
// does not fit after the one before it is an error that names both and their shapes; so is a Sequential without layers, as in
// Keras. A Sequential may be built many times; each time gives a model of its own.
func (s *Sequential) Build(ctx context.Context, in Input, o BuildOptions) (_ *Model, err error) {
	defer recovering(&err)
	if ctx == nil {
		return nil, errNilContext
	}
	signature, err := in.signature()
	if err != nil {
		return nil, err
	}
	if s == nil {
		return nil, errors.New("nn: the Sequential is nil")
	}
	if len(s.Layers) == 0 {
		return nil, errors.New("nn: the Sequential has no layers")
	}
	m := &Model{name: s.name(), seed: o.Seed, inputs: []modelInput{{name: "input", signature: signature}},
		spec: &Sequential{Name: s.Name, Layers: slices.Clone(s.Layers)}, specInput: in}
	b := plan.NewBuilder(ctx, plan.BuilderOptions{Seed: o.Seed, Storage: o.Storage})
	at := b.Input(signature)
	for i, l := range s.Layers {
		if isNil(l) {
			return nil, fmt.Errorf("nn: layer %d is nil", i)
		}
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("nn: layer %d%s: %w", i, kindOf(l), err)
		}
		node, err := b.Node(l)
		if err != nil {
			return nil, fmt.Errorf("nn: layer %d%s: %w", i, kindOf(l), err)
		}
		out, err := node.Apply(at)
		if err == nil && len(out) != 1 {
			err = fmt.Errorf("it has %d outputs, and only a Graph can use them", len(out))
		}
		if load := (*plan.LoadError)(nil); errors.As(err, &load) {
			return nil, fmt.Errorf("nn: layer %d (%s): %w", i, node.Name(), err)
		}
		if err != nil {
			return nil, fmt.Errorf("nn: layer %d (%s) cannot follow %s of shape %v: %w", i, node.Name(), s.before(m, i), at.Shape, err)
		}
		m.layers = append(m.layers, builtLayer{name: node.Name(), kind: l.Kind(), outputs: out})
		at = out[0]
	}
	if err := m.finish(ctx, b, []namedSymbol{{name: "output", value: at}}); err != nil {
		return nil, err
	}
	return m, nil
}

// kindOf names a layer's kind in brackets, if there is a layer.
func kindOf(l Layer) string {
	if isNil(l) {
		return ""
	}
	return " (" + l.Kind() + ")"
}

// before names what layer i reads, for error messages.
func (s *Sequential) before(m *Model, i int) string {
	if i == 0 {
		return fmt.Sprintf("the input (%v)", m.inputs[0].signature.Type)
	}
	return fmt.Sprintf("layer %d (%s)", i-1, m.layers[i-1].name)
}

func (s *Sequential) name() string {
	if s.Name == "" {
		return "sequential"
	}
	return s.Name
}
