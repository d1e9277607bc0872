package plan

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/linnet-ml/linnet/tensor"
)

// maxDepth bounds how deep specs lie in each other.
const maxDepth = 100

var (
	specType          = reflect.TypeFor[Spec]()
	marshalerType     = reflect.TypeFor[json.Marshaler]()
	textMarshalerType = reflect.TypeFor[encoding.TextMarshaler]()
)

// Encode writes a spec as JSON: an object with its kind and the fields that are not zero, in their order, those that hold
// specs as objects of their own. The same spec gives the same bytes. A spec of a kind that is not registered, a number
// that is not finite, a function and a text that is not UTF-8 are errors with their place.
//
// A type with MarshalJSON and UnmarshalJSON is written by these, its NaN and infinities too if it has a form for them. What
// it cannot read itself is an error.
func (k *Kinds) Encode(s Spec) (Encoded, error) { return k.encode(s, false) }

// EncodeWithoutWeights is Encode for a spec whose weights are written beside it: each WeightedSpec in it is written without.
func (k *Kinds) EncodeWithoutWeights(s Spec) (Encoded, error) { return k.encode(s, true) }

func (k *Kinds) encode(s Spec, withoutWeights bool) (_ Encoded, err error) {
	defer recovering(&err)
	e := encoder{kinds: k, withoutWeights: withoutWeights, assets: map[string]tensor.Rows{}, around: map[visit]bool{}}
	if isNil(s) {
		return Encoded{}, &PlaceError{"", errors.New("it is nil")}
	}
	if err := e.spec(reflect.ValueOf(s), "", 0); err != nil {
		return Encoded{}, err
	}
	return Encoded{JSON: e.out.Bytes(), Assets: e.assets}, nil
}

type encoder struct {
	kinds *Kinds
	// withoutWeights says that each WeightedSpec is written without its weights.
	withoutWeights bool

	out    bytes.Buffer
	assets map[string]tensor.Rows
	around map[visit]bool // what the value that is being written lies in
}

// visit is a pointer, slice or map.
type visit struct {
	at     uintptr
	length int
	t      reflect.Type
}

// enter refuses a pointer, slice or map that lies within itself, which would be written without end. The caller calls
// leave when it is written.
func (e *encoder) enter(v reflect.Value, place string) (leave func(), err error) {
	x := visit{at: v.Pointer(), t: v.Type()}
	switch {
	case v.Kind() == reflect.Slice:
		x.length = v.Len()
	case v.Type().Kind() == reflect.Pointer && v.Type().Elem().Size() == 0:
		return func() {}, nil // all such pointers may be the same
	}
	if e.around[x] && (v.Kind() != reflect.Slice || x.length > 0 && v.Type().Elem().Size() > 0) {
		return nil, &PlaceError{place, fmt.Errorf("%v lies within itself", v.Type())}
	}
	e.around[x] = true
	return func() { delete(e.around, x) }, nil
}

// marshals reports whether values of a type, or pointers to them, are written by their own MarshalJSON or MarshalText.
func marshals(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(marshalerType) || p.Implements(textMarshalerType)
}

// own writes a value by its own method, and reads it again, so that nothing is written that cannot be read.
func (e *encoder) own(v reflect.Value, place string) error {
	var p reflect.Value
	if v.CanAddr() { // others may use the value meanwhile: it is not copied
		p = v.Addr()
	} else {
		p = reflect.New(v.Type())
		p.Elem().Set(v)
	}
	b, err := json.Marshal(p.Interface())
	if err != nil {
		return at(place, err)
	}
	if err := json.Unmarshal(b, reflect.New(v.Type()).Interface()); err != nil {
		return &PlaceError{place, fmt.Errorf("%v cannot read what it writes: %w", v.Type(), err)}
	}
	e.out.Write(b)
	return nil
}

// spec writes a spec as an object.
func (e *encoder) spec(v reflect.Value, place string, depth int) error {
	if depth > maxDepth {
		return &PlaceError{place, fmt.Errorf("specs lie more than %d deep in each other", maxDepth)}
	}
	if k := v.Kind(); (k == reflect.Pointer || k == reflect.Func) && v.IsNil() {
		return &PlaceError{place, fmt.Errorf("the %v is nil", v.Type())}
	}
	s := v.Interface().(Spec)
	if w, ok := s.(WeightedSpec); ok && e.withoutWeights {
		bare, err := w.WithoutWeights()
		if err != nil {
			return at(place, err)
		}
		if isNil(bare) {
			return &PlaceError{place, fmt.Errorf("%v is nil without weights", v.Type())}
		}
		s, v = bare, reflect.ValueOf(bare)
	}
	t, ok := e.kinds.types[s.Kind()]
	if !ok {
		return &PlaceError{place, fmt.Errorf("the kind %q is not registered", s.Kind())}
	}
	if t != v.Type() {
		return &PlaceError{place, fmt.Errorf("%v says it is of the kind %q, which is %v", v.Type(), s.Kind(), t)}
	}
	if a, ok := s.(AssetSpec); ok {
		assets, err := a.Assets()
		if err != nil {
			return at(place, err)
		}
		for name, rows := range assets {
			if strings.Contains(name, "/") || isNil(rows) {
				return &PlaceError{place, fmt.Errorf("asset %q is nil, or its name has a slash", name)}
			}
			whole := place + "/" + name
			if _, twice := e.assets[whole]; twice {
				return &PlaceError{place, fmt.Errorf("another spec's asset is named %q, too", whole)}
			}
			e.assets[whole] = rows
		}
	}
	e.out.WriteString(`{"kind":`)
	e.text(s.Kind())
	if v.Kind() == reflect.Pointer {
		leave, err := e.enter(v, place)
		if err != nil {
			return err
		}
		defer leave()
		v = v.Elem()
	}
	if reflect.PointerTo(v.Type()).Implements(marshalerType) {
		e.out.WriteString(`,"value":`)
		if err := e.own(v, place); err != nil {
			return err
		}
		e.out.WriteByte('}')
		return nil
	}
	if v.Kind() != reflect.Struct {
		e.out.WriteString(`,"value":`)
		if err := e.value(v, join(place, "value"), depth+1); err != nil {
			return err
		}
	} else if err := e.fields(v, place, depth, true); err != nil {
		return err
	}
	e.out.WriteByte('}')
	return nil
}

// fields writes the members of a struct that are not zero; more says that there are members before.
func (e *encoder) fields(v reflect.Value, place string, depth int, more bool) error {
	for _, f := range fieldsOf(v.Type()) {
		value := v.Field(f.index)
		if value.IsZero() {
			continue
		}
		if more {
			e.out.WriteByte(',')
		}
		more = true
		e.text(f.name)
		e.out.WriteByte(':')
		if err := e.value(value, join(place, f.name), depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (e *encoder) text(s string) {
	b, _ := json.Marshal(s) // a string is never an error
	e.out.Write(b)
}

func (e *encoder) value(v reflect.Value, place string, depth int) error {
	if depth > maxDepth {
		return &PlaceError{place, fmt.Errorf("specs lie more than %d deep in each other", maxDepth)}
	}
	t := v.Type()
	switch {
	case v.Kind() == reflect.Interface:
		if v.IsNil() {
			e.out.WriteString("null")
			return nil
		}
		if !v.Elem().Type().Implements(specType) {
			return &PlaceError{place, fmt.Errorf("%v is no spec", v.Elem().Type())}
		}
		return e.spec(v.Elem(), place, depth)
	case marshals(t) && !t.Implements(specType):
		return e.own(v, place)
	case t.Implements(specType) && v.Kind() == reflect.Pointer && v.IsNil():
		e.out.WriteString("null")
		return nil
	case t.Implements(specType) && e.kinds.has(t):
		return e.spec(v, place, depth)
	}
	switch v.Kind() {
	case reflect.Slice, reflect.Map, reflect.Pointer:
		if v.IsNil() {
			break
		}
		leave, err := e.enter(v, place)
		if err != nil {
			return err
		}
		defer leave()
	}
	switch v.Kind() {
	case reflect.Bool:
		e.out.WriteString(strconv.FormatBool(v.Bool()))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		e.out.WriteString(strconv.FormatInt(v.Int(), 10))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		e.out.WriteString(strconv.FormatUint(v.Uint(), 10))
	case reflect.Float32, reflect.Float64:
		f := v.Float()
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return &PlaceError{place, fmt.Errorf("%v is no number that JSON has", f)}
		}
		e.out.WriteString(strconv.FormatFloat(f, 'g', -1, t.Bits()))
	case reflect.String:
		if !utf8.ValidString(v.String()) {
			return &PlaceError{place, fmt.Errorf("%q is not UTF-8", v.String())}
		}
		e.text(v.String())
	case reflect.Struct:
		e.out.WriteByte('{')
		if err := e.fields(v, place, depth, false); err != nil {
			return err
		}
		e.out.WriteByte('}')
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice && v.IsNil() {
			e.out.WriteString("null")
			return nil
		}
		e.out.WriteByte('[')
		for i := range v.Len() {
			if i > 0 {
				e.out.WriteByte(',')
			}
			if err := e.value(v.Index(i), fmt.Sprintf("%s[%d]", place, i), depth+1); err != nil {
				return err
			}
		}
		e.out.WriteByte(']')
	case reflect.Map:
		return e.mapping(v, place, depth)
	case reflect.Pointer:
		if v.IsNil() {
			e.out.WriteString("null")
			return nil
		}
		return e.value(v.Elem(), place, depth+1)
	default:
		return &PlaceError{place, fmt.Errorf("%v cannot be written down", t)}
	}
	return nil
}

// mapping writes a map with its keys, texts or whole numbers, in order.
func (e *encoder) mapping(v reflect.Value, place string, depth int) error {
	type entry struct {
		key   string
		value reflect.Value
	}
	var entries []entry
	for it := v.MapRange(); it.Next(); {
		name, ok := keyText(it.Key())
		if !ok {
			return &PlaceError{place, fmt.Errorf("%v cannot be written down", v.Type())}
		}
		if !utf8.ValidString(name) {
			return &PlaceError{place, fmt.Errorf("the key %q is not UTF-8", name)}
		}
		entries = append(entries, entry{name, it.Value()})
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	e.out.WriteByte('{')
	for i, x := range entries {
		if i > 0 {
			e.out.WriteByte(',')
		}
		e.text(x.key)
		e.out.WriteByte(':')
		if err := e.value(x.value, join(place, x.key), depth+1); err != nil {
			return err
		}
	}
	e.out.WriteByte('}')
	return nil
}

func keyText(v reflect.Value) (string, bool) {
	switch v.Kind() {
	case reflect.String:
		return v.String(), true
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10), true
	}
	return "", false
}

// join makes the place of a member.
func join(place, name string) string {
	if place == "" {
		return name
	}
	return place + "." + name
}

// field is a member of a struct that is written.
type field struct {
	name  string
	index int
}

// fieldsOf lists the exported fields of a struct, but those with the tag json:"-", by the names that their tags give.
func fieldsOf(t reflect.Type) []field {
	var all []field
	for i := range t.NumField() {
		f := t.Field(i)
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || tag == "-" {
			continue
		}
		name := f.Name
		if tag != "" {
			name = tag
		}
		all = append(all, field{name, i})
	}
	return all
}
