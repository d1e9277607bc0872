package nn

import (
	"fmt"
	"maps"
	"path"
	"slices"

	"github.com/linnet-ml/linnet/nn/plan"
)

// Weights returns a copy of all parameters' elements, in the order of Parameters. It uses the memory of old, an
// earlier result or nil, again. Parameters in a file that was closed are nil.
func (m *Model) Weights(old [][]float32) [][]float32 {
	m.settled()
	params := m.params()
	w := slices.Grow(old[:0], len(params))[:len(params)]
	held, err := m.borrow()
	if err != nil {
		for i, p := range params {
			w[i] = p.Values()
		}
		return w
	}
	defer held.release()
	for i, p := range params {
		w[i] = append(w[i][:0], plan.Elements(key, p)...)
	}
	return w
}

// SetWeights copies values, one slice a parameter in the order of Parameters, into the model. When one does not have
// the parameter's size, or has a NaN or an infinity, nothing changes. It cannot tell two parameters of one size apart:
// SetParameter goes by the name.
func (m *Model) SetWeights(values [][]float32) error {
	if err := m.built(); err != nil {
		return err
	}
	params := m.params()
	if len(values) != len(params) {
		return fmt.Errorf("nn: the model has %d parameters, not %d", len(params), len(values))
	}
	for i, p := range params {
		if err := checkValues(p, values[i]); err != nil {
			return err
		}
	}
	return m.write(params, values)
}

// SetParameter copies values into the parameter of the given name ("dense/kernel"). A NaN or an infinity among them is an
// error, and nothing changes.
func (m *Model) SetParameter(name string, values []float32) error {
	if err := m.built(); err != nil {
		return err
	}
	p := m.Parameter(name)
	if p == nil {
		return fmt.Errorf("nn: the model has no parameter %q", name)
	}
	if err := checkValues(p, values); err != nil {
		return err
	}
	return m.write([]*plan.Parameter{p}, [][]float32{values})
}

// SetStorage makes the parameter of the given name read its elements from s, which is not copied: a table that lies in a
// file or in 16 bits. Training the parameter copies it first.
func (m *Model) SetStorage(name string, s plan.Storage) error {
	if err := m.built(); err != nil {
		return err
	}
	p := m.Parameter(name)
	switch {
	case p == nil:
		return fmt.Errorf("nn: the model has no parameter %q", name)
	case isNil(s):
		return fmt.Errorf("nn: the storage for %q is nil", name)
	}
	if now := m.trainsIn(); now != "" {
		return fmt.Errorf("nn: the storage of %q cannot change while %s", name, now)
	}
	if err := plan.SetStorage(key, p, s); err != nil {
		return fmt.Errorf("nn: %w", err)
	}
	m.findLenders()
	return nil
}

// write copies checked values into parameters.
func (m *Model) write(params []*plan.Parameter, values [][]float32) error {
	m.settled()
	if m.written != nil {
		m.written()
	}
	defer m.findLenders()
	for _, p := range params {
		if err := plan.MakeWritable(key, p); err != nil {
			return fmt.Errorf("nn: %w", err)
		}
	}
	for i, p := range params {
		copy(plan.Elements(key, p), values[i])
	}
	return nil
}

// checkWeights says what is wrong with values for a parameter.
func checkWeights(p *plan.Parameter, values []float32) error {
	if len(values) != p.Size() {
		return fmt.Errorf("nn: parameter %q has shape %v (%d elements), not %d", p.Name(), p.Shape(), p.Size(), len(values))
	}
	return nil
}

// checkValues is checkWeights for values that a user has made, which must be finite, too.
func checkValues(p *plan.Parameter, values []float32) error {
	if err := checkWeights(p, values); err != nil {
		return err
	}
	for i, v := range values {
		if v-v != 0 { // NaN or infinite
			return fmt.Errorf("nn: parameter %q: element %d is %v", p.Name(), i, v)
		}
	}
	return nil
}

// Frozen are the names of the parameters that SetTrainable keeps from training, although their layers would train them.
func (m *Model) Frozen() []string {
	var names []string
	for _, p := range m.params() {
		if plan.Born(key, p) && !p.Trainable() {
			names = append(names, p.Name())
		}
	}
	return names
}

// SetFrozen makes the parameters of the given names those that [Model.Frozen] lists, and lets training change the others
// that their layers train. A name that no parameter has, that stands there twice, or of a parameter that its layer does not
// train is an error, and nothing changes.
func (m *Model) SetFrozen(names []string) error {
	if err := m.built(); err != nil {
		return err
	}
	if err := m.trainsNow(); err != nil {
		return err
	}
	frozen := make(map[string]bool, len(names))
	for _, name := range names {
		if frozen[name] {
			return fmt.Errorf("nn: parameter %.80q is there twice", name)
		}
		frozen[name] = true
	}
	missing := maps.Clone(frozen)
	for _, p := range m.params() {
		if !frozen[p.Name()] {
			continue
		}
		if !plan.Born(key, p) {
			return fmt.Errorf("nn: the layer of parameter %.80q never trains it", p.Name())
		}
		delete(missing, p.Name())
	}
	for _, name := range names {
		if missing[name] {
			return fmt.Errorf("nn: the model has no parameter %.80q", name)
		}
	}
	for _, p := range m.params() {
		if plan.Born(key, p) {
			plan.SetTrainable(key, p, !frozen[p.Name()])
		}
	}
	return nil
}

// trainsNow refuses a change of what trains during a training.
func (m *Model) trainsNow() error {
	if now := m.trainsIn(); now != "" {
		return fmt.Errorf("nn: what trains cannot change while %s", now)
	}
	return nil
}

// SetTrainable says whether training changes the parameters whose names match a pattern as path.Match has it: "dense/*",
// "*/bias". It returns how many match. A parameter that its layer does not train, such as a running mean, cannot be
// made to.
func (m *Model) SetTrainable(pattern string, trainable bool) (int, error) {
	if err := m.built(); err != nil {
		return 0, err
	}
	if err := m.trainsNow(); err != nil {
		return 0, err
	}
	n := 0
	for _, p := range m.params() {
		ok, err := path.Match(pattern, p.Name())
		if err != nil {
			return 0, fmt.Errorf("nn: pattern %q: %w", pattern, err)
		}
		if !ok {
			continue
		}
		n++
		if plan.Born(key, p) {
			plan.SetTrainable(key, p, trainable)
		}
	}
	if n == 0 {
		return 0, fmt.Errorf("nn: no parameter matches %q", pattern)
	}
	return n, nil
}
