package plan

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/linnet-ml/linnet/internal/strictjson"
	"github.com/linnet-ml/linnet/tensor"
)

// Kinds knows types of specs by their kinds, to write them as JSON and to read them: see [Kinds.Encode]. Packages list
// theirs (layers.Kinds, optim.Kinds, …), and programs add their own. Nothing is registered globally.
type Kinds struct {
	types map[string]reflect.Type
}

// NewKinds returns a registry of the types of the given specs, of which nothing but the type counts: layers.Dense{}.
func NewKinds(lists ...[]Spec) (*Kinds, error) {
	k := &Kinds{types: map[string]reflect.Type{}}
	for _, list := range lists {
		if err := k.Register(list...); err != nil {
			return nil, err
		}
	}
	return k, nil
}

// Register adds types of specs. Two types of one kind are an error; the same type may come again. So are fields that could
// not be told apart in JSON, or that it would lack.
func (k *Kinds) Register(specs ...Spec) (err error) {
	defer recovering(&err)
	for i, s := range specs {
		if isNil(s) && reflect.ValueOf(s).Kind() != reflect.Slice {
			return fmt.Errorf("plan: spec %d is nil", i)
		}
		kind, t := s.Kind(), reflect.TypeOf(s)
		if kind == "" || !utf8.ValidString(kind) {
			return fmt.Errorf("plan: %v has no kind, or %q, which is not UTF-8", t, kind)
		}
		if other, ok := k.types[kind]; ok && other != t {
			return fmt.Errorf("plan: %v and %v are both of the kind %q", other, t, kind)
		}
		if t.Kind() == reflect.Func {
			return fmt.Errorf("plan: %v is a function, which cannot be written down", t)
		}
		if err := checkFields(t); err != nil {
			return fmt.Errorf("plan: %v: %w", t, err)
		}
		k.types[kind] = t
	}
	return nil
}

// recovering makes an error of a panic in the methods of a spec.
func recovering(err *error) {
	if r := recover(); r != nil {
		*err = Recovered(r)
	}
}

// checkFields refuses a struct whose members in JSON would be ambiguous or incomplete.
func checkFields(t reflect.Type) error {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || marshals(t) {
		return nil
	}
	seen := map[string]bool{"kind": true}
	for _, f := range fieldsOf(t) {
		if seen[f.name] {
			return fmt.Errorf("two members would be named %q", f.name)
		}
		seen[f.name] = true
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous && !f.IsExported() && f.Tag.Get("json") != "-" && f.Type.Kind() == reflect.Struct && len(fieldsOf(f.Type)) > 0 {
			return fmt.Errorf("the embedded %v has fields that JSON would lack, since its name is not exported", f.Type)
		}
	}
	return nil
}

// has reports whether a type is one of a known kind.
func (k *Kinds) has(t reflect.Type) bool {
	for _, other := range k.types {
		if other == t {
			return true
		}
	}
	return false
}

// Names lists the kinds in order.
func (k *Kinds) Names() []string { return slices.Sorted(maps.Keys(k.types)) }

// AssetSpec is a spec with things that are too big for JSON, such as a vocabulary or a table. They are written beside it.
type AssetSpec interface {
	Spec
	// Assets returns the big things by name. They may share memory with the spec.
	Assets() (map[string]tensor.Rows, error)
	// WithAssets returns the spec with the assets that Assets returned, perhaps in another process.
	WithAssets(ctx context.Context, assets map[string]tensor.Rows) (Spec, error)
}

// WeightedSpec is a spec that brings first values of parameters, such as a table of word vectors. Where the weights are
// written beside the spec, WithoutWeights gives what is written in its place: a spec that builds the same model but for
// these values.
type WeightedSpec interface {
	Spec
	WithoutWeights() (Spec, error)
}

// Encoded is a spec or a state as bytes and arrays.
type Encoded struct {
	// JSON is the spec as an object with its kind.
	JSON []byte
	// Assets are big things beside it, by the place of their spec and their name: "Layers[0].Table/words".
	Assets map[string]tensor.Rows
}

// PlaceError reports what is wrong at a place of a spec in JSON: "Layers[2].KernelInit".
type PlaceError struct {
	Place string
	Err   error
}

// Error names the place and the cause.
func (e *PlaceError) Error() string {
	if e.Place == "" {
		return "plan: the spec: " + e.Err.Error()
	}
	place := e.Place
	if len(place) > 200 || strings.ContainsFunc(place, func(r rune) bool { return !strconv.IsPrint(r) }) {
		place = strictjson.Quote(place) // it has names of a file
	}
	return "plan: " + place + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *PlaceError) Unwrap() error { return e.Err }

// at puts a place in front of an error that has none.
func at(place string, err error) error {
	if p := (*PlaceError)(nil); err == nil || errors.As(err, &p) {
		return err
	}
	return &PlaceError{place, err}
}

// Equal reports whether two specs are the same, whatever they hold: unlike ==, it does not panic for specs with slices.
// Functions and channels are equal only if both are nil or, of channels, the same: a tokenizer with buffers of its own, such
// as a text.HubTokenizer, equals itself alone.
func Equal(a, b Spec) bool { return reflect.DeepEqual(a, b) }
