package nn

import (
	"errors"
	"fmt"
)

// Sequential is a spec of a model whose layers follow one another.
type Sequential struct {
	// Name is the model's name in its summary. The default is "sequential".
	Name   string
	Layers []Layer
}

// NewSequential returns the spec of a model with the given layers.
func NewSequential(layers ...Layer) *Sequential { return &Sequential{Layers: layers} }

// Build works out the shapes, makes the parameters with their initial values and lays out the steps. A layer that does
// not fit behind the one before it is an error that names both and their shapes. A Sequential may be built many times;
// each time gives a model of its own.
func (s *Sequential) Build(in Input, options ...BuildOption) (*Model, error) {
	if in.err != nil {
		return nil, in.err
	}
	if in.signature.Type == 0 {
		return nil, errors.New("nn: Build needs an input: nn.Tokens, nn.Texts, nn.Features or nn.SparseFeatures")
	}
	var settings buildSettings
	for _, o := range options {
		o(&settings)
	}
	b := &Builder{seed: settings.seed, names: map[string]int{}}
	at := Symbol{Signature: in.signature, id: 0, mask: none}
	b.values = append(b.values, at)
	m := &Model{name: s.name(), input: in.signature, seed: settings.seed}
	for i, l := range s.Layers {
		if l == nil {
			return nil, fmt.Errorf("nn: layer %d is nil", i)
		}
		name, err := b.layerName(l)
		if err != nil {
			return nil, fmt.Errorf("nn: layer %d (%s): %w", i, l.Kind(), err)
		}
		b.layer, b.steps = name, 0
		first := len(b.params)
		out, err := l.Build(b, at)
		if load := (*loadError)(nil); errors.As(err, &load) {
			return nil, fmt.Errorf("nn: layer %d (%s): %w", i, name, err)
		}
		if err != nil {
			return nil, fmt.Errorf("nn: layer %d (%s) cannot follow %s of shape %v: %w", i, name, s.before(m, i), at.Shape, err)
		}
		m.layers = append(m.layers, builtLayer{name: name, kind: l.Kind(), output: out.Shape.Clone(), params: b.params[first:len(b.params):len(b.params)]})
		at = out
	}
	if err := m.finish(b, at); err != nil {
		return nil, err
	}
	return m, nil
}

// before names what layer i reads, for error messages.
func (s *Sequential) before(m *Model, i int) string {
	if i == 0 {
		return fmt.Sprintf("the input (%v)", m.input.Type)
	}
	return fmt.Sprintf("layer %d (%s)", i-1, m.layers[i-1].name)
}

func (s *Sequential) name() string {
	if s.Name == "" {
		return "sequential"
	}
	return s.Name
}
