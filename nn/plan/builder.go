package plan

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/linnet-ml/linnet/internal/budget"
	"github.com/linnet-ml/linnet/internal/hugepage"
	"github.com/linnet-ml/linnet/internal/random"
	"github.com/linnet-ml/linnet/tensor"
)

// Symbol stands for a value of a plan under construction: what one operation writes and others read, or an input of the
// model. It belongs to one Builder.
type Symbol struct {
	Signature
	builder *Builder
	id      int
}

// Builder is a plan under construction. A layer's Build adds to it.
type Builder struct {
	ctx     context.Context
	plan    *Plan
	symbols []value
	seed    uint64
	scope   *scope
	dry     bool // parameters get no memory
	given   func(name string, shape tensor.Shape) (Storage, error)
	folds   []foldedRows
}

// value is what the builder knows of a symbol.
type value struct {
	rows int // 0 for rows of the batch; else the number of foldedRows, plus 1
	mask int // the value that holds the mask, or none
	// input says that it is one of the model.
	input bool
}

// foldedRows are rows that Fold made of steps. Rows that were made alike go together.
type foldedRows struct{ of, steps int }

// Value is the number of the value in the plan.
func (s Symbol) Value() int { return s.id }

// BuilderOptions are the settings of a plan under construction.
type BuilderOptions struct {
	// Seed decides the initial values of parameters.
	Seed uint64
	// Dry builds to learn shapes alone: parameters get no memory, and nothing is loaded.
	Dry bool
	// Storage, when given, is asked for the elements of each parameter by its full name ("dense/kernel") and shape. Where
	// it returns a storage, that is the parameter's, and the layer's own first values are not made.
	Storage func(name string, shape tensor.Shape) (Storage, error)
}

// NewBuilder begins a plan. Models do so in their Build; a test of a layer may, too.
func NewBuilder(ctx context.Context, o BuilderOptions) *Builder {
	return &Builder{ctx: ctx, plan: &Plan{}, seed: o.Seed, dry: o.Dry, given: o.Storage, scope: newScope(nil, "")}
}

// Input adds an input of the model.
func (b *Builder) Input(s Signature) Symbol {
	v := b.symbol(s, value{mask: none, input: true})
	b.plan.Inputs = append(b.plan.Inputs, v.id)
	return v
}

// Finish returns the plan that computes the given outputs. Operations that no output depends on are left out.
func (b *Builder) Finish(outputs ...Symbol) (*Plan, error) {
	if err := b.own(outputs); err != nil {
		return nil, err
	}
	for _, v := range outputs {
		b.plan.Outputs = append(b.plan.Outputs, v.id)
		b.plan.Masks = append(b.plan.Masks, b.symbols[v.id].mask)
	}
	b.plan.prune()
	return b.plan, nil
}

const none = -1

// scope is a layer, or the model itself, in which names must differ.
type scope struct {
	path     string // with a slash at its end, unless it is empty
	name     string // the path without the slash
	taken    map[string]int
	children map[string]*scope
	params   map[string]int // in Plan.Params
	again    bool           // the layer is applied once more: its parameters exist
	noise    uint32         // how many operations the layer has
}

func newScope(parent *scope, name string) *scope {
	s := &scope{name: name, taken: map[string]int{}, children: map[string]*scope{}, params: map[string]int{}}
	if parent != nil {
		s.name = parent.path + name
		s.path = s.name + "/"
	}
	return s
}

// ParameterOptions describes a parameter that a layer wants.
type ParameterOptions struct {
	// Name within the layer: "kernel".
	Name  string
	Shape tensor.Shape
	// Init gives the first values; nil means zeros.
	Init Initializer
	// Load, when given, writes the first values in place of Init: a table that lies in a file is read straight into
	// the parameter's memory. Its error is Build's.
	Load func(ctx context.Context, dst []float32) error
	// Storage holds values that exist already; Init and Load are then not used. Where several models share it and one of
	// them trains, the others may see some rows of a large table as they were some steps ago until that Fit returns.
	Storage Storage
	// NotTrainable keeps training from changing the parameter; Op.Commit may.
	NotTrainable bool
	// Regularizer, when given, adds to the loss of a trainable parameter; Constraint changes it after each step.
	Regularizer Regularizer
	Constraint  Constraint
}

// ParameterRef names a parameter of a plan under construction. It belongs to one Builder.
type ParameterRef struct {
	builder *Builder
	index   int
}

// Context is Build's. A layer that reads a file honours it.
func (b *Builder) Context() context.Context { return b.ctx }

// Dry reports that the plan is built to learn its shapes alone: parameters get no memory, and Load and Init are not
// called.
func (b *Builder) Dry() bool { return b.dry }

// Parameter adds a parameter. Its full name is the path of the layer and its own: "dense/kernel". In a layer that is
// applied for the second time it returns the parameter that the first time made.
func (b *Builder) Parameter(o ParameterOptions) (ParameterRef, error) {
	if o.Name == "" || strings.Contains(o.Name, "/") {
		return ParameterRef{}, fmt.Errorf("a parameter cannot be named %q", o.Name)
	}
	if err := CheckName(o.Name); err != nil {
		return ParameterRef{}, err
	}
	n := 1
	for _, d := range o.Shape {
		if d < 0 || (d > 0 && n > maxElements/d) {
			return ParameterRef{}, fmt.Errorf("parameter %s of shape %v has more than %d elements", o.Name, o.Shape, maxElements)
		}
		n *= d
	}
	if i, ok := b.scope.params[o.Name]; ok {
		p := b.plan.Params[i]
		if !b.scope.again {
			return ParameterRef{}, fmt.Errorf("two parameters are named %q", p.name)
		}
		if !p.shape.Equal(o.Shape) {
			return ParameterRef{}, fmt.Errorf("%w: parameter %q has shape %v from an earlier use of the layer, and now needs %v", tensor.ErrShape, p.name, p.shape, o.Shape)
		}
		return ParameterRef{b, i}, nil
	}
	for what, spec := range map[string]Spec{"initializer": o.Init, "regularizer": o.Regularizer, "constraint": o.Constraint} {
		if spec != nil && isNil(spec) {
			return ParameterRef{}, fmt.Errorf("the %s of parameter %s is a nil %T", what, o.Name, spec)
		}
	}
	name := b.scope.path + o.Name
	p := &Parameter{name: name, shape: o.Shape.Clone(), trainable: !o.NotTrainable, born: !o.NotTrainable, storage: o.Storage}
	if err := p.govern(&o); err != nil {
		return ParameterRef{}, fmt.Errorf("parameter %s: %w", o.Name, err)
	}
	if b.given != nil && !b.dry {
		s, err := b.given(name, o.Shape.Clone())
		if err != nil {
			return ParameterRef{}, &LoadError{Parameter: o.Name, Err: err}
		}
		if s != nil {
			if err := p.setStorage(s); err != nil {
				return ParameterRef{}, &LoadError{Parameter: o.Name, Err: err}
			}
		}
	}
	switch {
	case p.storage != nil:
		if err := p.setStorage(p.storage); err != nil {
			return ParameterRef{}, err
		}
	case b.dry:
		p.keep(Float32Storage(nil))
	default:
		if err := b.ctx.Err(); err != nil {
			return ParameterRef{}, &LoadError{Parameter: o.Name, Err: err}
		}
		if err := budget.Check("parameter "+name, 4, o.Shape...); err != nil {
			return ParameterRef{}, err
		}
		values := hugepage.Make[Float32Storage](n)
		if o.Load != nil {
			if err := o.Load(b.ctx, values); err != nil {
				return ParameterRef{}, &LoadError{Parameter: o.Name, Err: err}
			}
		} else if o.Init != nil {
			if err := o.Init.Init(values, o.Shape, Random{random.Named(name, 0).Stream(b.seed, random.Initial, 0)}); err != nil {
				return ParameterRef{}, fmt.Errorf("parameter %s: %w", o.Name, err)
			}
		}
		p.keep(values)
	}
	i := len(b.plan.Params)
	b.plan.Params = append(b.plan.Params, p)
	b.scope.params[o.Name] = i
	return ParameterRef{b, i}, nil
}

// govern takes over a parameter's regularizer and constraint.
func (p *Parameter) govern(o *ParameterOptions) error {
	if !isNil(o.Regularizer) {
		p.regularizer = o.Regularizer
		if err := o.Regularizer.Check(); err != nil {
			return err
		}
	}
	if !isNil(o.Constraint) {
		p.constraint = o.Constraint
		if err := o.Constraint.Check(o.Shape); err != nil {
			return err
		}
	}
	return nil
}

// LoadError reports that a parameter's first values could not be read. The layers fit all the same.
type LoadError struct {
	Parameter string
	Err       error
}

// Error names the parameter and the cause.
func (e *LoadError) Error() string { return "parameter " + e.Parameter + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *LoadError) Unwrap() error { return e.Err }

// maxElements bounds the size of a parameter: beyond it, sizes in bytes overflow on the way.
const maxElements = math.MaxInt >> 4

var errOtherBuild = errors.New("a symbol or parameter is of another build: each Build makes its own")

// Add adds an operation that reads the values in and has the given parameters, and returns its outputs.
func (b *Builder) Add(op Op, in []Symbol, params ...ParameterRef) ([]Symbol, error) {
	if op.Outputs == nil || op.Forward == nil {
		return nil, errors.New("an operation needs Outputs and Forward")
	}
	if err := b.own(in); err != nil {
		return nil, err
	}
	o := Operation{Op: op, Layer: b.scope.name, Noise: random.Named(b.scope.name, b.scope.noise)}
	b.scope.noise++
	for _, p := range params {
		if p.builder != b {
			return nil, errOtherBuild
		}
		o.Params = append(o.Params, p.index)
	}
	signatures := make([]Signature, len(in))
	rows := 0
	for i, v := range in {
		signatures[i] = v.Signature
		o.In = append(o.In, v.id)
		if r := b.symbols[v.id].rows; i == 0 {
			rows = r
		} else if r != rows && op.fold == sameRows {
			return nil, fmt.Errorf("%w: input %d has other rows than input 0: time is folded into those of one of them", tensor.ErrShape, i)
		}
	}
	if err := countable(signatures); err != nil {
		return nil, err
	}
	outputs, err := op.Outputs(signatures)
	if err != nil {
		return nil, err
	}
	if err := countable(outputs); err != nil {
		return nil, err
	}
	switch op.fold {
	case foldRows:
		made := foldedRows{of: rows, steps: in[0].Shape[1]}
		if rows = slices.Index(b.folds, made) + 1; rows == 0 {
			b.folds = append(b.folds, made)
			rows = len(b.folds)
		}
	case unfoldRows:
		like := foldedRows{of: b.symbols[in[1].id].rows, steps: in[1].Shape[1]}
		if rows == 0 || b.folds[rows-1] != like {
			return nil, fmt.Errorf("%w: what is unfolded was not folded as %v", tensor.ErrShape, in[1].Shape)
		}
		rows = like.of
		o.In, o.Like = o.In[:1], o.In[1:]
	}
	out := make([]Symbol, len(outputs))
	for i, s := range outputs {
		out[i] = b.symbol(s, value{rows: rows, mask: none})
		o.Out = append(o.Out, out[i].id)
	}
	b.plan.Ops = append(b.plan.Ops, o)
	return out, nil
}

// countable refuses values of which a row has more elements than can be counted.
func countable(signatures []Signature) error {
	for _, s := range signatures {
		n := 1
		for _, d := range s.Shape[min(1, len(s.Shape)):] {
			switch {
			case d == tensor.Unknown || d == 0:
			case d < 0 || n > maxElements/d:
				return fmt.Errorf("%w: a row of %v has more than %d elements", tensor.ErrShape, s.Shape, maxElements)
			default:
				n *= d
			}
		}
	}
	return nil
}

// own refuses symbols of another build.
func (b *Builder) own(in []Symbol) error {
	for _, v := range in {
		if v.builder != b {
			return errOtherBuild
		}
	}
	return nil
}

func (b *Builder) symbol(s Signature, v value) Symbol {
	b.symbols = append(b.symbols, v)
	b.plan.Values = append(b.plan.Values, s)
	return Symbol{Signature: s, builder: b, id: len(b.symbols) - 1}
}

// IsInput reports whether v is an input of the model, which an operation may read where it lies: see Op.Source.
func (b *Builder) IsInput(v Symbol) bool {
	return v.builder == b && b.symbols[v.id].input
}

// WithMask gives v a mask: a value of type int32 that has v's rows and steps, and is 0 at the steps that layers with
// masking leave out.
func (b *Builder) WithMask(v, mask Symbol) error {
	if err := b.own([]Symbol{v, mask}); err != nil {
		return err
	}
	if mask.Type != tensor.TypeInt32 {
		return fmt.Errorf("a mask is int32, not %v", mask.Type)
	}
	b.symbols[v.id].mask = mask.id
	return nil
}

// Mask returns the mask of v, if it has one.
func (b *Builder) Mask(v Symbol) (Symbol, bool) {
	if v.builder != b || b.symbols[v.id].mask == none {
		return Symbol{}, false
	}
	id := b.symbols[v.id].mask
	return Symbol{Signature: b.plan.Values[id], builder: b, id: id}, true
}

// PassMask gives out the mask of in, where in has one: the layer leaves steps as they are.
func (b *Builder) PassMask(in Symbol, out []Symbol) error {
	mask, ok := b.Mask(in)
	if !ok {
		return nil
	}
	for _, v := range out {
		if err := b.WithMask(v, mask); err != nil {
			return err
		}
	}
	return nil
}

// Node is a layer with a name within the layer or model around it. Each time it is applied it uses the same parameters.
type Node struct {
	builder *Builder
	layer   Layer
	name    string
	scope   *scope
	applied bool
}

// Node gives a layer its name: its own, or one made from its Kind that no other has.
func (b *Builder) Node(l Layer) (*Node, error) {
	if isNil(l) {
		return nil, errors.New("the layer is nil")
	}
	name, err := b.scope.layerName(l)
	if err != nil {
		return nil, err
	}
	n := &Node{builder: b, layer: l, name: name, scope: b.scope.children[name]}
	if n.scope == nil {
		n.scope = newScope(b.scope, name)
		b.scope.children[name] = n.scope
	} else {
		n.applied = true // the layer around it is applied once more
	}
	return n, nil
}

// Name is the name within the layer or model around it: "dense_1".
func (n *Node) Name() string { return n.name }

// Layer returns the layer.
func (n *Node) Layer() Layer { return n.layer }

// Apply adds the layer's operations for these inputs, and the first time its parameters.
func (n *Node) Apply(in ...Symbol) ([]Symbol, error) {
	b := n.builder
	if err := b.own(in); err != nil {
		return nil, err
	}
	outer := b.scope
	n.scope.again = n.applied
	n.scope.taken = map[string]int{}
	b.scope, n.applied = n.scope, true
	defer func() { b.scope = outer }()
	out, err := n.layer.Build(b, in)
	if err != nil {
		return nil, err
	}
	if err := b.own(out); err != nil {
		return nil, err
	}
	if len(out) == 0 {
		return nil, errors.New("the layer has no output")
	}
	return out, nil
}

// Apply applies a layer within the layer that is being built. The names of its parameters begin with the path of both:
// "residual/dense/kernel". A layer that is to be applied twice with the same parameters needs a Node.
func (b *Builder) Apply(l Layer, in ...Symbol) ([]Symbol, error) {
	n, err := b.Node(l)
	if err != nil {
		return nil, err
	}
	out, err := n.Apply(in...)
	if load := (*LoadError)(nil); err != nil && !errors.As(err, &load) {
		err = fmt.Errorf("%s: %w", n.name, err)
	}
	return out, err
}

// Fold makes rows of steps: (batch, steps, …) becomes (batch·steps, …), so that what follows sees each step as a row. A
// mask ends there.
func (b *Builder) Fold(x Symbol) (Symbol, error) {
	out, err := b.Add(foldOp(foldRows), []Symbol{x})
	if err != nil {
		return Symbol{}, err
	}
	return out[0], nil
}

// Unfold is the opposite of Fold: rows (batch·steps, …) become (batch, steps, …) again, with the batch and steps of like,
// which was folded.
func (b *Builder) Unfold(x, like Symbol) (Symbol, error) {
	out, err := b.Add(foldOp(unfoldRows), []Symbol{x, like})
	if err != nil {
		return Symbol{}, err
	}
	return out[0], nil
}

// layerName returns the name for a layer: its own, or one made from its Kind that no earlier layer has.
func (s *scope) layerName(l Layer) (string, error) {
	if n, ok := l.(NamedLayer); ok && n.LayerName() != "" {
		name := n.LayerName()
		if strings.Contains(name, "/") {
			return "", fmt.Errorf("the name %q contains a slash", name)
		}
		if err := CheckName(name); err != nil {
			return "", err
		}
		if _, taken := s.taken[name]; taken {
			return "", fmt.Errorf("two layers are named %q", name)
		}
		s.taken[name] = 1
		return name, nil
	}
	base := snakeCase(l.Kind())
	for {
		name := base
		if n := s.taken[base]; n > 0 {
			name = fmt.Sprintf("%s_%d", base, n)
		}
		s.taken[base]++
		if name == base || s.taken[name] == 0 {
			if name != base {
				s.taken[name]++
			}
			return name, nil
		}
	}
}

// CheckName returns an error for the name of a layer, parameter, input or output that cannot be printed as it is: it is not
// UTF-8, or has line ends or other control characters. Names may come from files, and stand in summaries and errors.
func CheckName(name string) error {
	if !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return fmt.Errorf("the name %.100q cannot be printed", name)
	}
	return nil
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

// foldable refuses what is not float32 or has no steps.
func foldable(in Signature) error {
	if in.Type != tensor.TypeFloat32 || len(in.Shape) < 3 {
		return fmt.Errorf("%w: time is folded into rows of float32 values (batch, steps, …), not %v of shape %v", tensor.ErrShape, in.Type, in.Shape)
	}
	return nil
}

// foldOp copies rows: their elements lie in the same order on both sides.
func foldOp(kind fold) Op {
	return Op{
		fold: kind,
		Outputs: func(in []Signature) ([]Signature, error) {
			if kind == foldRows {
				if err := foldable(in[0]); err != nil {
					return nil, err
				}
				shape := append(tensor.Shape{tensor.Unknown}, in[0].Shape[2:]...)
				return []Signature{{Type: tensor.TypeFloat32, Shape: shape}}, nil
			}
			if err := foldable(in[1]); err != nil {
				return nil, err
			}
			if in[0].Type != tensor.TypeFloat32 {
				return nil, fmt.Errorf("%w: only float32 values are unfolded, not %v", tensor.ErrShape, in[0].Type)
			}
			shape := slices.Concat(in[1].Shape[:2], in[0].Shape[1:])
			return []Signature{{Type: tensor.TypeFloat32, Shape: shape}}, nil
		},
		Forward: func(f *Frame, s Span) { copy(f.Out(0, s), f.In(0, s)) },
		Backward: func(f *Frame, s Span) {
			if g := f.InGrad(0, s); g != nil {
				copy(g, f.OutGrad(0, s))
			}
		},
	}
}
