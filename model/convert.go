package model

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path"
	"slices"

	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
)

// Storage is how the elements of a parameter are stored.
type Storage uint8

// The storages.
const (
	// Float32 takes 4 bytes an element and changes nothing.
	Float32 Storage = iota
	// Float16 takes 2 bytes, with 11 significant bits and a range up to 65504 (IEEE 754 half precision).
	Float16
	// BFloat16 takes 2 bytes, with 8 significant bits and the range of float32.
	BFloat16
	// Int8 takes 1 byte, and 4 for each row (an element along the first dimension): whole numbers from -127 to 127 times a
	// scale of the row.
	Int8
)

// String names the storage: "float16".
func (s Storage) String() string {
	switch s {
	case Float32:
		return "float32"
	case Float16:
		return "float16"
	case BFloat16:
		return "bfloat16"
	case Int8:
		return "int8"
	}
	return fmt.Sprintf("Storage(%d)", uint8(s))
}

// ConvertOptions say how Convert stores parameters.
type ConvertOptions struct {
	// Storage is that of parameters with two dimensions or more. Others, such as biases and statistics, stay as they are:
	// they are small, and a model depends on them most. So do those that would take more bytes in int8 with its scales than
	// they take now.
	Storage Storage
	// Parameters are exceptions by name; the first that matches counts. There int8 is for parameters with two dimensions or
	// more.
	Parameters []ParameterStorage
}

// ErrNoParameter is wrapped by the error for a name or pattern of ConvertOptions.Parameters that no parameter of the model has.
var ErrNoParameter = errors.New("no parameter matches")

// ParameterStorage says how parameters of some names are stored.
type ParameterStorage struct {
	// Name is a pattern as path.Match has it: "embedding/*", "*/bias".
	Name    string
	Storage Storage
}

// Difference says what Convert did to a parameter.
type Difference struct {
	Parameter string
	Storage   Storage
	// Largest is the largest difference between an element before and after, and Magnitude the largest magnitude of an
	// element before. A NaN stays one, and counts in neither.
	Largest, Magnitude float64
	// Before and After are the sizes in bytes.
	Before, After int64
}

// Convert returns a copy of the model with its parameters in other storages, and what that changed, parameter by parameter.
// Predictions are computed in float32 from the stored elements: those of an embedding are read as they are needed, others
// converted once. They have the same bits on every machine. Training the copy turns what it trains into float32.
//
// A value that the storage has no form for is an error: beyond 65504 in float16, not finite in int8.
//
// The model must not train meanwhile, except where a callback, which the training waits for, calls Convert.
func Convert(ctx context.Context, m *nn.Model, o ConvertOptions) (*nn.Model, []Difference, error) {
	if ctx == nil {
		return nil, nil, errNilContext
	}
	if m == nil {
		return nil, nil, errors.New("model: the model is nil")
	}
	if o.Storage > Int8 {
		return nil, nil, fmt.Errorf("model: there is no %v", o.Storage)
	}
	c, err := m.Clone(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("model: %w", err)
	}
	used := make([]bool, len(o.Parameters))
	var all []Difference
	for _, p := range c.Parameters() {
		if err := ctx.Err(); err != nil {
			return nil, nil, fmt.Errorf("model: %w", err)
		}
		wanted, ok, err := o.storage(p, used)
		if err != nil {
			return nil, nil, fmt.Errorf("model: %w", err)
		}
		if !ok {
			continue
		}
		d, err := convert(c, p, wanted)
		if err != nil {
			return nil, nil, fmt.Errorf("model: parameter %q as %v: %w", p.Name(), wanted, err)
		}
		all = append(all, d)
	}
	for i, u := range used {
		if !u {
			return nil, nil, fmt.Errorf("model: %w %q", ErrNoParameter, o.Parameters[i].Name)
		}
	}
	return c, all, nil
}

// storage is that of a parameter, false where it stays as it is.
func (o *ConvertOptions) storage(p *plan.Parameter, used []bool) (s Storage, ok bool, err error) {
	matched := false
	for i, e := range o.Parameters {
		match, err := path.Match(e.Name, p.Name())
		switch {
		case err != nil:
			return 0, false, fmt.Errorf("pattern %q: %w", e.Name, err)
		case e.Storage > Int8:
			return 0, false, fmt.Errorf("there is no %v", e.Storage)
		case !match:
			continue
		}
		used[i] = true
		if !matched {
			matched, s = true, e.Storage
		}
	}
	if p.Size() == 0 {
		return 0, false, nil
	}
	if matched {
		if s == Int8 && len(p.Shape()) < 2 {
			return 0, false, fmt.Errorf("parameter %q has shape %v: int8 is for two dimensions or more", p.Name(), p.Shape())
		}
		return s, true, nil
	}
	if len(p.Shape()) < 2 {
		return 0, false, nil
	}
	rows, _ := p.Rows()
	larger := o.Storage == Int8 && int64(p.Size())+4*int64(rows) > sizeOf(p.Storage())
	return o.Storage, !larger, nil
}

// convert changes the storage of a parameter. Where its elements lie in a file it holds that as it reads.
func convert(m *nn.Model, p *plan.Parameter, to Storage) (d Difference, err error) {
	var held []plan.Lender
	if lent, ok := p.Storage().(plan.LentStorage); ok {
		if err := lent.Lender.Acquire(); err != nil {
			return d, err
		}
		defer lent.Lender.Release()
		held = append(held, lent.Lender)
	}
	var s plan.Storage
	err = guard(held, func() error {
		s, d, err = converted(p, to)
		return err
	})
	if err != nil {
		return d, err
	}
	return d, m.SetStorage(p.Name(), s)
}

// converted returns the elements of a parameter in another storage, and what that changed.
func converted(p *plan.Parameter, to Storage) (s plan.Storage, d Difference, err error) {
	d = Difference{Parameter: p.Name(), Storage: to, Before: sizeOf(p.Storage())}
	values := elements(p)
	switch to {
	case Float32:
		s = plan.Float32Storage(slices.Clone(values))
	case Float16:
		s, err = plan.NewFloat16Storage(values)
	case BFloat16:
		s = plan.NewBFloat16Storage(values)
	case Int8:
		_, width := p.Rows()
		s, err = plan.NewInt8Storage(values, width)
	}
	if err != nil {
		return nil, d, err
	}
	d.After = sizeOf(s)
	const chunk = 4096
	var now [chunk]float32
	for at := 0; at < len(values); at += chunk {
		part := values[at:min(at+chunk, len(values))]
		s.Read(now[:len(part)], at)
		for i, v := range part {
			if v != v && now[i] != now[i] {
				continue
			}
			d.Magnitude = max(d.Magnitude, math.Abs(float64(v)))
			if v != now[i] { // the difference of two infinities is no number
				d.Largest = max(d.Largest, math.Abs(float64(v)-float64(now[i])))
			}
		}
	}
	return s, d, nil
}

// elements returns the elements of a parameter to read. The caller holds the file that they lie in, and guards the reading.
func elements(p *plan.Parameter) []float32 {
	lent, ok := p.Storage().(plan.LentStorage)
	if !ok {
		return p.Values()
	}
	if floats, ok := lent.Storage.(plan.ReadOnlyStorage); ok {
		return floats
	}
	values := make([]float32, lent.Len())
	lent.Storage.Read(values, 0)
	return values
}

// sizeOf is how many bytes a storage takes.
func sizeOf(s plan.Storage) int64 {
	if lent, ok := s.(plan.LentStorage); ok {
		s = lent.Storage
	}
	switch s := s.(type) {
	case plan.Float16Storage, plan.BFloat16Storage:
		return 2 * int64(s.Len())
	case *plan.Int8Storage:
		return int64(len(s.Values)) + 4*int64(len(s.Scales))
	}
	return 4 * int64(s.Len())
}
