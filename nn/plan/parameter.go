package plan

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"

	"github.com/linnet-ml/linnet/tensor"
)

// Parameter is a named array of a model: the kernel of a Dense layer, the table of an Embedding.
type Parameter struct {
	name        string
	shape       tensor.Shape
	trainable   bool // whether training changes it now; born, whether its layer lets it
	born        bool
	regularizer Regularizer
	constraint  Constraint

	mu        sync.Mutex
	storage   Storage
	readable  Storage   // the storage, or what a LentStorage lends
	lender    Lender    // of a LentStorage, or nil
	elements  []float32 // where they lie as float32; nil for a storage that converts
	converted []float32 // all elements, once somebody wanted them from a storage that converts
	settle    func()    // applies the steps that a training run has put off for some rows; or nil
}

// Name is the path of the layer and the parameter's own name: "dense/kernel", "residual/dense_1/kernel".
func (p *Parameter) Name() string { return p.name }

// Shape returns the dimensions. They are the parameter's own: do not change them.
func (p *Parameter) Shape() tensor.Shape { return p.shape }

// Trainable reports whether training may change the parameter.
func (p *Parameter) Trainable() bool { return p.trainable }

// Size is the number of elements.
func (p *Parameter) Size() int { return p.shape.Size() }

// Regularizer returns what the parameter's layer adds to the loss for it, or nil.
func (p *Parameter) Regularizer() Regularizer { return p.regularizer }

// Constraint returns what is applied to the parameter after each step, or nil.
func (p *Parameter) Constraint() Constraint { return p.constraint }

// Rows is the first dimension, the unit in which workers share a parameter out; width is the size of such a row.
func (p *Parameter) Rows() (rows, width int) {
	if len(p.shape) == 0 {
		return 1, 1
	}
	return p.shape[0], p.shape.Width()
}

// Storage returns where the elements lie.
func (p *Parameter) Storage() Storage {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.storage
}

// Values returns the elements, row-major, to read: the memory itself where the storage is float32, which training
// changes, and a copy elsewhere. Of a [LentStorage] it is always a copy, and nil once its memory is gone. A callback has to
// ask anew each time, since rows of large tables are brought up to date when Values is called and not when a step is
// taken. To change a parameter use the model's SetParameter.
func (p *Parameter) Values() []float32 {
	if p.settle != nil {
		p.settle()
	}
	p.mu.Lock()
	lender := p.lender
	p.mu.Unlock()
	if lender == nil {
		return p.floats()
	}
	var values []float32
	if whileLent(lender, func() { values = slices.Clone(p.floats()) }) != nil {
		return nil
	}
	return values
}

// floats returns all elements as float32. Those of a storage that converts are converted once and kept.
func (p *Parameter) floats() []float32 {
	if p.elements != nil {
		return p.elements
	}
	return p.convert()
}

func (p *Parameter) convert() []float32 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.converted == nil {
		p.converted = make([]float32, p.storage.Len())
		p.readable.Read(p.converted, 0)
	}
	return p.converted
}

// setStorage replaces the storage.
func (p *Parameter) setStorage(s Storage) error {
	if err := checkStorage(s); err != nil {
		return fmt.Errorf("parameter %q: %w", p.name, err)
	}
	if n := s.Len(); n != p.Size() {
		return fmt.Errorf("parameter %q of shape %v has %d elements, its storage %d", p.name, p.shape, p.Size(), n)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keep(s)
	return nil
}

// checkStorage refuses a storage whose parts do not go together.
func checkStorage(s Storage) error {
	if isNil(s) {
		return errors.New("the storage is nil")
	}
	if l, ok := s.(LentStorage); ok && (isNil(l.Storage) || isNil(l.Lender)) {
		return errors.New("a LentStorage needs a Storage and a Lender")
	} else if ok && !reflect.TypeOf(l.Lender).Comparable() {
		return fmt.Errorf("a Lender must be comparable, as a pointer is; %T is not", l.Lender)
	}
	if c, ok := s.(interface{ Check() error }); ok {
		return c.Check()
	}
	return nil
}

// keep makes s the storage.
func (p *Parameter) keep(s Storage) {
	p.storage, p.converted = s, nil
	p.readable, p.lender = lent(s)
	p.elements, _ = memory(p.readable)
}
