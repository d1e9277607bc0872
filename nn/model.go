package nn

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/linnet-ml/linnet/tensor"
)

// Model is a built model: parameters, and the plan that computes with them. Nothing in it changes after Build but the
// parameters, and those only in Fit and SetWeights. Any number of goroutines may Predict and Evaluate on one model at
// once, while none trains it.
type Model struct {
	name   string
	input  Signature
	output Signature
	layers []builtLayer
	params []*Parameter
	seed   uint64

	values int  // how many values the plans number
	plain  plan // as the layers were written
	fused  plan // what runs, unless fusion is switched off

	mu   sync.Mutex
	free []*workspace // of the fused plan

	// training is set during a Fit. settle, when given, brings weights up to date that a Fit under way has left behind.
	training atomic.Bool
	settle   func()
	// written, when given, is told before SetWeights writes: a Fit that keeps snapshots is under way.
	written func()
}

// builtLayer is what the summary shows of a layer.
type builtLayer struct {
	name, kind string
	output     tensor.Shape
	params     []*Parameter
}

func (m *Model) finish(b *Builder, out Symbol) error {
	m.params, m.values, m.output = b.params, len(b.values), out.Signature
	for _, p := range m.params {
		p.model = m
	}
	m.plain = b.plan
	m.plain.finish(out.id)
	if out.Type != tensor.TypeFloat32 {
		return fmt.Errorf("nn: the model's output is %v, not float32", out.Type)
	}
	signatures := make([]Signature, len(b.values))
	for i, v := range b.values {
		signatures[i] = v.Signature
	}
	if err := m.plain.checkGradients(signatures, m.params, false); err != nil {
		return err
	}
	m.fused = m.plain.fused()
	return nil
}

// Name is the model's name: "sequential".
func (m *Model) Name() string { return m.name }

// Parameters returns the model's parameters in the order of its layers.
func (m *Model) Parameters() []*Parameter { return m.params }

// Parameter returns the parameter of the given name ("dense/kernel"), or nil.
func (m *Model) Parameter(name string) *Parameter {
	for _, p := range m.params {
		if p.name == name {
			return p
		}
	}
	return nil
}

// ParameterCount is the number of elements of all parameters, trainable or not.
func (m *Model) ParameterCount() int {
	n := 0
	for _, p := range m.params {
		n += p.Size()
	}
	return n
}

// InputShape is the shape of a batch that the model reads; the number of rows, and perhaps of steps, is Unknown.
func (m *Model) InputShape() tensor.Shape { return m.input.Shape.Clone() }

// OutputShape is the shape of what the model makes of a batch.
func (m *Model) OutputShape() tensor.Shape { return m.output.Shape.Clone() }

// Weights returns a copy of all parameters' elements, in the order of Parameters. It uses the memory of old, an
// earlier result or nil, again.
func (m *Model) Weights(old [][]float32) [][]float32 {
	m.settled()
	w := slices.Grow(old[:0], len(m.params))[:len(m.params)]
	for i, p := range m.params {
		w[i] = append(w[i][:0], p.storage.Float32()...)
	}
	return w
}

// settled brings all weights up to date: callbacks may look at them in the middle of a Fit.
func (m *Model) settled() {
	if m.settle != nil {
		m.settle()
	}
}

// SetWeights copies values, one slice a parameter in the order of Parameters, into the model. When one does not have
// the parameter's size, nothing changes.
func (m *Model) SetWeights(values [][]float32) error {
	if len(values) != len(m.params) {
		return fmt.Errorf("nn: the model has %d parameters, not %d", len(m.params), len(values))
	}
	for i, p := range m.params {
		if err := p.checkWeights(values[i]); err != nil {
			return err
		}
	}
	m.settled()
	if m.written != nil {
		m.written()
	}
	for i, p := range m.params {
		copy(p.storage.Float32(), values[i])
	}
	return nil
}

// take returns a workspace of the fused plan for rows of the given signature, from the free list where it has one.
func (m *Model) take(input Signature) (*workspace, error) {
	m.mu.Lock()
	for i := len(m.free) - 1; i >= 0; i-- {
		if w := m.free[i]; w.fits(input, false, false) {
			m.free = slices.Delete(m.free, i, i+1)
			m.mu.Unlock()
			return w, nil
		}
	}
	m.mu.Unlock()
	w := m.workspace(&m.fused)
	return w, w.layout(m.values, input)
}

// give puts a workspace back. The list keeps what the busiest moment needed, of the latest row lengths.
func (m *Model) give(w *workspace) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.free) >= maxFree {
		m.free = slices.Delete(m.free, 0, 1)
	}
	m.free = append(m.free, w)
}

// maxFree bounds the free list: rows of many different lengths would otherwise leave one workspace each.
const maxFree = 256

func (m *Model) workspace(p *plan) *workspace {
	return &workspace{plan: p, params: m.params}
}
