package strictjson

import (
	"context"
	"encoding"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Decoder is a value that reads itself and looks at a context on the way. The text is valid JSON.
type Decoder interface {
	DecodeJSON(ctx context.Context, text []byte) error
}

// Unmarshal reads one JSON value into what v points to, as json.Unmarshal does, but refuses members that v's type does not
// have to the letter, members that are there twice, elements too many for an array, null in place of a number, text or
// struct, and text that is not UTF-8. An error names the place within the value.
//
// Structs may have tags with a name, "-" and ",string" (of numbers), and embedded structs or non-nil pointers to some. Maps
// have keys of type string. A [Decoder], json.Unmarshaler or encoding.TextUnmarshaler reads itself.
func Unmarshal(ctx context.Context, text []byte, v any) error {
	return unmarshal(ctx, text, v, false)
}

// UnmarshalKnown is [Unmarshal] that skips members v's type does not have: for what later versions may say more of.
func UnmarshalKnown(ctx context.Context, text []byte, v any) error {
	return unmarshal(ctx, text, v, true)
}

func unmarshal(ctx context.Context, text []byte, v any, skip bool) error {
	p := reflect.ValueOf(v)
	if p.Kind() != reflect.Pointer || p.IsNil() {
		return fmt.Errorf("strictjson: %T is no pointer to a value", v)
	}
	u := unmarshaler{ctx: ctx, skipUnknown: skip, Scanner: New(ctx, text, Options{})}
	if err := u.value(p.Elem(), false); err != nil {
		return err
	}
	return u.End()
}

type unmarshaler struct {
	ctx         context.Context
	skipUnknown bool // members
	*Scanner
}

// inMember puts the name of a member in front of an error.
func inMember(name string, err error) error {
	if err == nil {
		return nil
	}
	if name == "" || len(name) > 80 || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || !strconv.IsPrint(r) }) {
		name = Quote(name)
	}
	return fmt.Errorf("%s: %w", name, err)
}

// value reads a value; asText says that it is written as a text.
func (u *unmarshaler) value(v reflect.Value, asText bool) error {
	switch own := v.Addr().Interface().(type) {
	case *json.RawMessage:
		raw, err := u.Value()
		*own = slices.Clone(raw)
		return err
	case Decoder:
		raw, err := u.Value()
		if err != nil {
			return err
		}
		return own.DecodeJSON(u.ctx, raw)
	case json.Unmarshaler:
		raw, err := u.Value()
		if err != nil {
			return err
		}
		return own.UnmarshalJSON(raw)
	case encoding.TextUnmarshaler:
		s, err := u.String("the value")
		if err != nil {
			return err
		}
		return own.UnmarshalText([]byte(s))
	}
	kind := v.Kind()
	if kind == reflect.Pointer || kind == reflect.Slice || kind == reflect.Map {
		if null, err := u.Null(); null || err != nil {
			v.SetZero()
			return err
		}
	}
	switch kind {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return u.value(v.Elem(), asText)
	case reflect.Struct:
		return u.structure(v)
	case reflect.Map:
		return u.mapping(v)
	case reflect.Slice:
		return u.slice(v)
	case reflect.Array:
		i := 0
		err := u.Array(func() error {
			if i == v.Len() {
				return fmt.Errorf("there are more than %d elements", i)
			}
			i++
			return inMember(strconv.Itoa(i-1), u.value(v.Index(i-1), false))
		})
		if err == nil && i < v.Len() {
			err = fmt.Errorf("there are %d elements in place of %d", i, v.Len())
		}
		return err
	case reflect.String:
		s, err := u.String("the value")
		v.SetString(s)
		return err
	}
	return u.scalar(v, asText)
}

// scalar reads a number or a truth value.
func (u *unmarshaler) scalar(v reflect.Value, asText bool) error {
	if c := u.Peek(); c == '{' || c == '[' {
		return u.Errorf("%c where %v is expected", c, v.Type())
	}
	raw, err := u.Value()
	if err != nil {
		return err
	}
	text := string(raw[:min(len(raw), 2*maxNumber)])
	wrong := func() error { return u.Errorf("%s is no %v", Quote(text), v.Type()) }
	if asText {
		if raw[0] != '"' || strings.Contains(text, `\`) || len(text) < len(raw) {
			return wrong()
		}
		text = text[1 : len(text)-1]
	}
	if text == "" || v.Kind() != reflect.Bool && !strings.Contains("-0123456789", text[:1]) {
		return wrong()
	}
	switch v.Kind() {
	case reflect.Bool:
		if text != "true" && text != "false" {
			return wrong()
		}
		v.SetBool(text == "true")
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if err != nil {
			return wrong()
		}
		v.SetInt(n)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		n, err := strconv.ParseUint(text, 10, v.Type().Bits())
		if err != nil {
			return wrong()
		}
		v.SetUint(n)
	case reflect.Float32, reflect.Float64:
		f, err := strconv.ParseFloat(text, v.Type().Bits())
		if err != nil || math.IsInf(f, 0) {
			return wrong()
		}
		v.SetFloat(f)
	default:
		return fmt.Errorf("%v cannot be read", v.Type())
	}
	return nil
}

func (u *unmarshaler) slice(v reflect.Value) error {
	v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	zero := reflect.Zero(v.Type().Elem())
	i := 0
	return u.Array(func() error {
		v.Set(reflect.Append(v, zero))
		i++
		return inMember(strconv.Itoa(i-1), u.value(v.Index(i-1), false))
	})
}

func (u *unmarshaler) mapping(v reflect.Value) error {
	t := v.Type()
	if t.Key().Kind() != reflect.String {
		return fmt.Errorf("%v cannot be read", t)
	}
	v.Set(reflect.MakeMap(t))
	return u.Members(func(name string) error {
		x := reflect.New(t.Elem()).Elem()
		err := u.value(x, false)
		v.SetMapIndex(reflect.ValueOf(strings.Clone(name)).Convert(t.Key()), x)
		return inMember(name, err)
	})
}

func (u *unmarshaler) structure(v reflect.Value) error {
	known := map[string]field{}
	fields(v, known)
	return u.Members(func(name string) error {
		f, ok := known[name]
		if !ok && u.skipUnknown {
			_, err := u.Value()
			return err
		}
		if !ok {
			return fmt.Errorf("the member %s is not known", Quote(name))
		}
		return inMember(name, u.value(f.value, f.asText))
	})
}

type field struct {
	value  reflect.Value
	asText bool
}

// fields lists the members of a struct. What an embedded struct has is hidden by a member of the same name.
func fields(v reflect.Value, all map[string]field) {
	t := v.Type()
	for i := range t.NumField() {
		f := t.Field(i)
		tag := f.Tag.Get("json")
		name, options, _ := strings.Cut(tag, ",")
		if f.Anonymous && name == "" {
			inner := v.Field(i)
			if inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			below := map[string]field{}
			fields(inner, below)
			for name, f := range below {
				if _, ok := all[name]; !ok {
					all[name] = f
				}
			}
			continue
		}
		if !f.IsExported() || tag == "-" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		all[name] = field{v.Field(i), slices.Contains(strings.Split(options, ","), "string")}
	}
}
