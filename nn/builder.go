package nn

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/linnet-ml/linnet/internal/random"
	"github.com/linnet-ml/linnet/tensor"
)

// Symbol stands for a value of a plan: what one step writes and others read, or the model's input.
type Symbol struct {
	Signature
	id   int
	mask int // the value that holds the mask, or none
}

const none = -1

// Builder is a plan under construction. A layer's Build adds to it.
type Builder struct {
	plan   plan
	params []*Parameter
	values []Symbol
	seed   uint64
	layer  string // the name of the layer that is being built
	steps  uint32 // that this layer has added so far
	names  map[string]int
	dry    bool // parameters get no memory
}

// ParameterOptions describes a parameter that a layer wants.
type ParameterOptions struct {
	// Name within the layer: "kernel".
	Name  string
	Shape tensor.Shape
	// Initial values; nil means zeros.
	Init Initializer
	// Load, when given, writes the initial values in place of Init: a table that lies in a file is read straight into
	// the parameter's memory. Its error is Build's.
	Load func(dst []float32) error
	// Storage holds values that exist already; Init and Load are then not used. Where several models share it and one of
	// them trains, the others may see some rows of a large table as they were some steps ago until that Fit returns.
	Storage Storage
	// NotTrainable keeps Fit from changing the parameter.
	NotTrainable bool
}

// ParameterRef names a parameter of a plan under construction.
type ParameterRef struct{ index int }

// Parameter adds a parameter. Its full name is the layer's and its own: "dense/kernel". The random numbers that Init gets
// depend on the model's seed and this name, not on the other layers and parameters.
func (b *Builder) Parameter(o ParameterOptions) (ParameterRef, error) {
	n := 1
	for _, d := range o.Shape {
		if d < 0 || (d > 0 && n > maxElements/d) {
			return ParameterRef{}, fmt.Errorf("parameter %s of shape %v has more than %d elements", o.Name, o.Shape, maxElements)
		}
		n *= d
	}
	name := b.layer + "/" + o.Name
	if slices.ContainsFunc(b.params, func(p *Parameter) bool { return p.name == name }) {
		return ParameterRef{}, fmt.Errorf("two parameters are named %q", name)
	}
	p := &Parameter{name: name, shape: o.Shape.Clone(), trainable: !o.NotTrainable, storage: o.Storage}
	switch {
	case p.storage != nil:
		if p.storage.Len() != n {
			return ParameterRef{}, fmt.Errorf("parameter %s of shape %v has %d elements, its storage %d", o.Name, o.Shape, n, p.storage.Len())
		}
	case !b.dry:
		values := make(Float32Storage, n)
		if o.Load != nil {
			if err := o.Load(values); err != nil {
				return ParameterRef{}, &loadError{parameter: o.Name, err: err}
			}
		} else if o.Init != nil {
			o.Init.Init(values, o.Shape, Random{random.Named(name, 0).Stream(b.seed, random.Initial, 0)})
		}
		p.storage = values
	}
	b.params = append(b.params, p)
	return ParameterRef{len(b.params) - 1}, nil
}

// loadError reports that a parameter's first values could not be read. The layers fit all the same.
type loadError struct {
	parameter string
	err       error
}

func (e *loadError) Error() string { return "parameter " + e.parameter + ": " + e.err.Error() }

func (e *loadError) Unwrap() error { return e.err }

// maxElements bounds the size of a parameter: beyond it, sizes in bytes overflow on the way.
const maxElements = math.MaxInt >> 4

// Step adds a step that reads the values in and has the given parameters, and returns the value it writes.
func (b *Builder) Step(s Step, in []Symbol, params ...ParameterRef) (Symbol, error) {
	signatures := make([]Signature, len(in))
	ids := make([]int, len(in))
	for i, v := range in {
		signatures[i], ids[i] = v.Signature, v.id
	}
	out, err := s.Output(signatures)
	if err != nil {
		return Symbol{}, err
	}
	v := Symbol{Signature: out, id: len(b.values), mask: none}
	b.values = append(b.values, v)
	ps := planStep{step: s, in: ids, out: v.id, layer: b.layer, noise: random.Named(b.layer, b.steps)}
	b.steps++
	for _, p := range params {
		ps.params = append(ps.params, p.index)
	}
	b.plan.steps = append(b.plan.steps, ps)
	return v, nil
}

// Masked returns v with a mask: a value of type int32 that has v's rows and steps, and is 0 at the steps that layers
// with masking leave out.
func (b *Builder) Masked(v, mask Symbol) Symbol {
	v.mask = mask.id
	b.values[v.id].mask = mask.id
	return v
}

// Mask returns the mask of v, if it has one.
func (b *Builder) Mask(v Symbol) (Symbol, bool) {
	if v.mask == none {
		return Symbol{}, false
	}
	return b.values[v.mask], true
}

// layerName returns the name for a layer: its own, or one made from its Kind that no earlier layer has.
func (b *Builder) layerName(l Layer) (string, error) {
	if n, ok := l.(NamedLayer); ok && n.LayerName() != "" {
		name := n.LayerName()
		if strings.Contains(name, "/") {
			return "", fmt.Errorf("the name %q contains a slash", name)
		}
		if _, taken := b.names[name]; taken {
			return "", fmt.Errorf("two layers are named %q", name)
		}
		b.names[name] = 1
		return name, nil
	}
	base := snakeCase(l.Kind())
	for {
		name := base
		if n := b.names[base]; n > 0 {
			name = fmt.Sprintf("%s_%d", base, n)
		}
		b.names[base]++
		if name == base || b.names[name] == 0 {
			if name != base {
				b.names[name]++
			}
			return name, nil
		}
	}
}

// snakeCase writes a class name as Keras does: GlobalAveragePooling1D becomes global_average_pooling1d.
func snakeCase(s string) string {
	var out strings.Builder
	r := []rune(s)
	for i, c := range r {
		if unicode.IsUpper(c) && i > 0 {
			previous, next := r[i-1], rune(0)
			if i+1 < len(r) {
				next = r[i+1]
			}
			if unicode.IsLower(previous) || (unicode.IsLetter(previous) && unicode.IsLower(next)) {
				out.WriteByte('_')
			}
		}
		out.WriteRune(unicode.ToLower(c))
	}
	return out.String()
}
