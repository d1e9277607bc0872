package plan

import (
	"context"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/linnet-ml/linnet/internal/strictjson"
	"github.com/linnet-ml/linnet/tensor"
)

// Decode reads what Encode writes, in this process or another. It runs no code but that of the registered types. A kind
// that is not registered, an unknown or repeated member, a value of another type and an asset that is missing or not
// wanted are errors with their place. It takes memory in proportion to the input.
func (k *Kinds) Decode(ctx context.Context, from Encoded) (_ Spec, err error) {
	defer recovering(&err)
	if ctx == nil {
		return nil, &PlaceError{"", errors.New("the context is nil")}
	}
	for name, rows := range from.Assets {
		if isNil(rows) {
			return nil, &PlaceError{"", fmt.Errorf("asset %s is nil", strictjson.Quote(name))}
		}
	}
	d := decoder{ctx: ctx, kinds: k, assets: map[string]map[string]tensor.Rows{}}
	for whole, rows := range from.Assets {
		i := strings.LastIndexByte(whole, '/')
		if i < 0 {
			return nil, &PlaceError{"", fmt.Errorf("asset %s has no place", strictjson.Quote(whole))}
		}
		place := d.assets[whole[:i]]
		if place == nil {
			place = map[string]tensor.Rows{}
			d.assets[whole[:i]] = place
		}
		place[whole[i+1:]] = rows
	}
	s, err := d.spec(from.JSON, "", 0)
	if err != nil {
		return nil, err
	}
	if len(d.assets) > 0 {
		place := slices.Min(slices.Collect(maps.Keys(d.assets)))
		name := slices.Min(slices.Collect(maps.Keys(d.assets[place])))
		return nil, &PlaceError{"", fmt.Errorf("no spec has the asset %s", strictjson.Quote(place+"/"+name))}
	}
	return s, nil
}

type decoder struct {
	ctx   context.Context
	kinds *Kinds
	// assets are those not yet used, by the place of their spec and their name.
	assets map[string]map[string]tensor.Rows
}

// member is a name and a value of a JSON object.
type member struct {
	name  string
	value []byte
}

// members reads an object in order.
func members(ctx context.Context, raw []byte) (all []member, err error) {
	err = strictjson.Members(ctx, raw, func(name string, value []byte) error {
		all = append(all, member{name, value})
		return nil
	})
	return all, err
}

// spec reads an object with a kind.
func (d *decoder) spec(raw []byte, place string, depth int) (Spec, error) {
	if depth > maxDepth {
		return nil, &PlaceError{place, fmt.Errorf("specs lie more than %d deep in each other", maxDepth)}
	}
	all, err := members(d.ctx, raw)
	if err != nil {
		return nil, at(place, err)
	}
	i := slices.IndexFunc(all, func(m member) bool { return m.name == "kind" })
	var kind string
	if i < 0 || d.unmarshal(all[i].value, &kind) != nil {
		if err := d.ctx.Err(); err != nil {
			return nil, at(place, err)
		}
		return nil, &PlaceError{place, errors.New("there is no kind")}
	}
	t, ok := d.kinds.types[kind]
	if !ok {
		return nil, &PlaceError{place, fmt.Errorf("the kind %s is not known; there are %q", strictjson.Quote(kind), d.kinds.Names())}
	}
	v := reflect.New(t).Elem()
	target := v
	if t.Kind() == reflect.Pointer {
		v.Set(reflect.New(t.Elem()))
		target = v.Elem()
	}
	rest := slices.Delete(slices.Clone(all), i, i+1)
	own, marshals := target.Addr().Interface().(json.Unmarshaler)
	switch {
	case target.Kind() == reflect.Struct && !marshals:
		err = d.fields(target, rest, place, depth)
	case len(rest) != 1 || rest[0].name != "value":
		err = &PlaceError{place, fmt.Errorf("a %s has a value and nothing else", kind)}
	case marshals:
		err = at(place, d.unmarshal(rest[0].value, own))
	default:
		err = d.value(target, rest[0].value, join(place, "value"), depth+1)
	}
	if err != nil {
		return nil, err
	}
	return d.withAssets(v.Interface().(Spec), place)
}

// withAssets gives a spec its assets.
func (d *decoder) withAssets(s Spec, place string) (Spec, error) {
	a, ok := s.(AssetSpec)
	if !ok {
		return s, nil
	}
	own := d.assets[place]
	if own == nil {
		own = map[string]tensor.Rows{}
	}
	delete(d.assets, place)
	s, err := a.WithAssets(d.ctx, own)
	if err != nil {
		return nil, at(place, err)
	}
	if isNil(s) {
		return nil, &PlaceError{place, errors.New("the spec with its assets is nil")}
	}
	return s, nil
}

// unmarshal reads a value that has no specs.
func (d *decoder) unmarshal(raw []byte, to any) error { return strictjson.Unmarshal(d.ctx, raw, to) }

func (d *decoder) fields(v reflect.Value, all []member, place string, depth int) error {
	known := fieldsOf(v.Type())
	for _, m := range all {
		i := slices.IndexFunc(known, func(f field) bool { return f.name == m.name })
		if i < 0 {
			return &PlaceError{place, fmt.Errorf("%v has no %s", v.Type(), strictjson.Quote(m.name))}
		}
		if err := d.value(v.Field(known[i].index), m.value, join(place, m.name), depth+1); err != nil {
			return err
		}
	}
	return nil
}

var (
	unmarshalerType     = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshalerType = reflect.TypeFor[encoding.TextUnmarshaler]()
)

func (d *decoder) value(v reflect.Value, raw []byte, place string, depth int) error {
	if depth > maxDepth {
		return &PlaceError{place, fmt.Errorf("values lie more than %d deep in each other", maxDepth)}
	}
	t := v.Type()
	null := string(raw) == "null"
	switch p := reflect.PointerTo(t); {
	case v.Kind() == reflect.Interface:
		if null {
			return nil
		}
		s, err := d.spec(raw, place, depth)
		if err != nil {
			return err
		}
		if !reflect.TypeOf(s).AssignableTo(t) {
			return &PlaceError{place, fmt.Errorf("a %s is no %v", s.Kind(), t)}
		}
		v.Set(reflect.ValueOf(s))
		return nil
	case (p.Implements(unmarshalerType) || p.Implements(textUnmarshalerType)) && !t.Implements(specType):
		return at(place, d.unmarshal(raw, v.Addr().Interface()))
	case t.Implements(specType) && d.kinds.has(t):
		if null {
			return nil
		}
		s, err := d.spec(raw, place, depth)
		if err != nil {
			return err
		}
		if reflect.TypeOf(s) != t {
			return &PlaceError{place, fmt.Errorf("a %s is no %v", s.Kind(), t)}
		}
		v.Set(reflect.ValueOf(s))
		return nil
	}
	return d.plain(v, raw, place, depth)
}

// plain reads a value that is no spec.
func (d *decoder) plain(v reflect.Value, raw []byte, place string, depth int) error {
	t := v.Type()
	wrong := func() error {
		if err := d.ctx.Err(); err != nil {
			return at(place, err)
		}
		return &PlaceError{place, fmt.Errorf("%s is no %v", strictjson.Quote(string(raw)), t)}
	}
	switch v.Kind() {
	case reflect.Bool, reflect.String:
		if d.unmarshal(raw, v.Addr().Interface()) != nil {
			return wrong()
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n, err := strconv.ParseInt(string(raw), 10, t.Bits())
		if err != nil {
			return wrong()
		}
		v.SetInt(n)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		n, err := strconv.ParseUint(string(raw), 10, t.Bits())
		if err != nil {
			return wrong()
		}
		v.SetUint(n)
	case reflect.Float32, reflect.Float64:
		f, err := strconv.ParseFloat(string(raw), t.Bits())
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return wrong()
		}
		v.SetFloat(f)
	case reflect.Struct:
		all, err := members(d.ctx, raw)
		if err != nil {
			return at(place, err)
		}
		return d.fields(v, all, place, depth)
	case reflect.Slice, reflect.Array:
		return d.list(v, raw, place, depth)
	case reflect.Map:
		return d.mapping(v, raw, place, depth)
	case reflect.Pointer:
		if string(raw) == "null" {
			return nil
		}
		v.Set(reflect.New(t.Elem()))
		return d.value(v.Elem(), raw, place, depth+1)
	default:
		return &PlaceError{place, fmt.Errorf("%v cannot be read", t)}
	}
	return nil
}

func (d *decoder) list(v reflect.Value, raw []byte, place string, depth int) error {
	if string(raw) == "null" && v.Kind() == reflect.Slice {
		return nil
	}
	var elements [][]byte
	s := strictjson.New(d.ctx, raw, strictjson.Options{})
	err := s.Array(func() error {
		e, err := s.Value()
		elements = append(elements, e)
		return err
	})
	if err != nil {
		return at(place, err)
	}
	if v.Kind() == reflect.Slice {
		v.Set(reflect.MakeSlice(v.Type(), len(elements), len(elements)))
	} else if len(elements) != v.Len() {
		return &PlaceError{place, fmt.Errorf("there are %d elements in place of %d", len(elements), v.Len())}
	}
	for i, e := range elements {
		if err := d.value(v.Index(i), e, fmt.Sprintf("%s[%d]", place, i), depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (d *decoder) mapping(v reflect.Value, raw []byte, place string, depth int) error {
	t := v.Type()
	all, err := members(d.ctx, raw)
	if err != nil {
		return at(place, err)
	}
	v.Set(reflect.MakeMap(t))
	for _, m := range all {
		key := reflect.New(t.Key()).Elem()
		switch key.Kind() {
		case reflect.String:
			key.SetString(m.name)
		case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
			n, err := strconv.ParseInt(m.name, 10, t.Key().Bits())
			if err != nil || strconv.FormatInt(n, 10) != m.name {
				return &PlaceError{place, fmt.Errorf("%s is no %v", strictjson.Quote(m.name), t.Key())}
			}
			key.SetInt(n)
		default:
			return &PlaceError{place, fmt.Errorf("%v cannot be read", t)}
		}
		value := reflect.New(t.Elem()).Elem()
		if err := d.value(value, m.value, join(place, m.name), depth+1); err != nil {
			return err
		}
		v.SetMapIndex(key, value)
	}
	return nil
}
