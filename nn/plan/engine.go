package plan

import (
	"fmt"

	"github.com/linnet-ml/linnet/internal/budget"
	"github.com/linnet-ml/linnet/internal/hugepage"
	"github.com/linnet-ml/linnet/nn/internal/workspace"
)

// The functions of this file are for package nn, which runs plans: only it can make their Key.

// NewFrame returns the frame through which an operation with the given parameters sees its part of a workspace.
func NewFrame(_ workspace.Key, op *workspace.Op, params []*Parameter) Frame {
	return Frame{op: op, params: params}
}

// Elements returns the parameter's elements as they lie, some rows of a large table perhaps some steps behind.
func Elements(_ workspace.Key, p *Parameter) []float32 { return p.floats() }

// MakeWritable gives the parameter float32 memory of its own kind to write to. A storage that has none is copied.
func MakeWritable(_ workspace.Key, p *Parameter) error {
	if _, ok := p.storage.(Float32Storage); ok {
		return nil
	}
	if err := budget.Check("parameter "+p.name, 4, p.shape...); err != nil {
		return err
	}
	values := hugepage.Make[Float32Storage](p.Size())
	if p.lender == nil {
		p.readable.Read(values, 0)
	} else if err := whileLent(p.lender, func() { p.readable.Read(values, 0) }); err != nil {
		return fmt.Errorf("parameter %q: %w", p.name, err)
	}
	return p.setStorage(values)
}

// LenderOf returns the owner of the memory that the parameter's elements lie in, or nil when that is the parameter's own.
func LenderOf(_ workspace.Key, p *Parameter) Lender { return p.lender }

// SetStorage replaces the parameter's storage.
func SetStorage(_ workspace.Key, p *Parameter, s Storage) error { return p.setStorage(s) }

// SetTrainable says whether training changes the parameter.
func SetTrainable(_ workspace.Key, p *Parameter, trainable bool) { p.trainable = trainable }

// Born reports whether the parameter's layer lets it be trained.
func Born(_ workspace.Key, p *Parameter) bool { return p.born }

// OnRead sets what Values calls before it reads.
func OnRead(_ workspace.Key, p *Parameter, settle func()) { p.settle = settle }

// CloneParameter returns a parameter of the same name, shape and settings with a storage of its own.
func CloneParameter(_ workspace.Key, p *Parameter, s Storage) *Parameter {
	c := &Parameter{name: p.name, shape: p.shape, trainable: p.trainable, born: p.born, regularizer: p.regularizer, constraint: p.constraint}
	c.keep(s)
	return c
}
