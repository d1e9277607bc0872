package golden

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Value is a place in a recorded file. Each method takes the path from there: keys of objects (string) and places in
// lists (int). JSON has no NaN and no infinities; the files have the texts "NaN", "Infinity" and "-Infinity" for them.
type Value struct {
	topic *Topic
	where string
	raw   json.RawMessage
}

// Array is a row-major array of one type: the list of that type is filled, the others are nil.
type Array struct {
	Shape   []int // empty for a scalar
	Float32 []float32
	Int32   []int32
	Int64   []int64
}

// Len is the number of elements.
func (a Array) Len() int { return max(len(a.Float32), len(a.Int32), len(a.Int64)) }

// At is the value at the end of a path.
func (v Value) At(path ...any) Value {
	for _, step := range path {
		next, ok := v.step(step)
		if !ok {
			panic(fmt.Sprintf("golden: %s has no %v", v.where, step))
		}
		v = next
	}
	return v
}

// Has reports whether the path exists and does not lead to null.
func (v Value) Has(path ...any) bool {
	for _, step := range path {
		next, ok := v.step(step)
		if !ok {
			return false
		}
		v = next
	}
	return string(v.raw) != "null"
}

func (v Value) step(step any) (Value, bool) {
	next := Value{topic: v.topic, where: fmt.Sprintf("%s, %v", v.where, step)}
	switch step := step.(type) {
	case string:
		keys, values := v.object()
		i := slices.Index(keys, step)
		if i < 0 {
			return Value{}, false
		}
		next.raw = values[i]
	case int:
		var list []json.RawMessage
		v.decode(&list)
		if step < 0 || step >= len(list) {
			return Value{}, false
		}
		next.raw = list[step]
	default:
		panic(fmt.Sprintf("golden: path has a %T, want string or int", step))
	}
	return next, true
}

// object splits an object into its keys, in the file's order, and their values.
func (v Value) object() (keys []string, values []json.RawMessage) {
	dec := json.NewDecoder(bytes.NewReader(v.raw))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		panic(fmt.Sprintf("golden: %s is not an object", v.where))
	}
	for dec.More() {
		key, err := dec.Token()
		var raw json.RawMessage
		if err == nil {
			err = dec.Decode(&raw)
		}
		if err != nil {
			panic(fmt.Sprintf("golden: %s: %v", v.where, err))
		}
		keys, values = append(keys, key.(string)), append(values, raw)
	}
	return keys, values
}

func (v Value) decode(into any) {
	if err := json.Unmarshal(v.raw, into); err != nil {
		panic(fmt.Sprintf("golden: %s: %v", v.where, err))
	}
}

// Keys lists an object's keys in the file's order, which for weights is the order in which Keras makes them.
func (v Value) Keys(path ...any) []string {
	keys, _ := v.At(path...).object()
	return keys
}

// List is the values of a list.
func (v Value) List(path ...any) []Value {
	v = v.At(path...)
	var raw []json.RawMessage
	v.decode(&raw)
	list := make([]Value, len(raw))
	for i := range raw {
		list[i] = Value{topic: v.topic, where: fmt.Sprintf("%s, %d", v.where, i), raw: raw[i]}
	}
	return list
}

// Decode stores an object into a struct as encoding/json does. A key that the struct has no field for panics, so that
// no recorded option is overlooked.
func (v Value) Decode(into any, path ...any) {
	v = v.At(path...)
	dec := json.NewDecoder(bytes.NewReader(v.raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		panic(fmt.Sprintf("golden: %s: %v", v.where, err))
	}
}

// Any is whatever encoding/json makes of the value: a config as map[string]any.
func (v Value) Any(path ...any) any {
	var x any
	v.At(path...).decode(&x)
	return x
}

// Text is a string.
func (v Value) Text(path ...any) string { return scalar[string](v.At(path...)) }

// Bool is true or false.
func (v Value) Bool(path ...any) bool { return scalar[bool](v.At(path...)) }

// Int is an integer.
func (v Value) Int(path ...any) int { return scalar[int](v.At(path...)) }

// Ints is a list of integers.
func (v Value) Ints(path ...any) []int { return scalar[[]int](v.At(path...)) }

// Texts is a list of strings.
func (v Value) Texts(path ...any) []string { return scalar[[]string](v.At(path...)) }

// Float is a number.
func (v Value) Float(path ...any) float64 { return float64(scalar[number](v.At(path...))) }

// Floats is a list of numbers.
func (v Value) Floats(path ...any) []float64 {
	list := scalar[[]number](v.At(path...))
	out := make([]float64, len(list))
	for i, x := range list {
		out[i] = float64(x)
	}
	return out
}

func scalar[T any](v Value) T {
	var x T
	if string(v.raw) == "null" {
		panic(fmt.Sprintf("golden: %s is null", v.where))
	}
	v.decode(&x)
	return x
}

// Array is an array, whether its elements stand in the .json file or in the .safetensors file.
func (v Value) Array(path ...any) Array {
	v = v.At(path...)
	var a struct {
		DType string
		Shape []int
		Data  json.RawMessage
		Ref   *string
	}
	v.decode(&a)
	out := Array{Shape: a.Shape}
	if a.Ref != nil {
		out = v.topic.Tensor(*a.Ref)
		if !slices.Equal(out.Shape, a.Shape) {
			panic(fmt.Sprintf("golden: %s: shape %v, but tensor %q has %v", v.where, a.Shape, *a.Ref, out.Shape))
		}
		return out
	}
	data := Value{topic: v.topic, where: v.where + ", data", raw: a.Data}
	switch a.DType {
	case "float32":
		for _, x := range data.Floats() {
			out.Float32 = append(out.Float32, float32(x))
		}
	case "int32":
		out.Int32 = scalar[[]int32](data)
	case "int64":
		out.Int64 = scalar[[]int64](data)
	default:
		panic(fmt.Sprintf("golden: %s is not an array (dtype %q)", v.where, a.DType))
	}
	n := 1
	for _, s := range a.Shape {
		n *= s
	}
	if out.Len() != n {
		panic(fmt.Sprintf("golden: %s: %d elements for shape %v", v.where, out.Len(), a.Shape))
	}
	return out
}

// String is the value's place and the begin of its JSON.
func (v Value) String() string {
	return fmt.Sprintf("%s: %.200s", v.where, strings.TrimSpace(string(v.raw)))
}

// number is a float64 that JSON may hold as a text.
type number float64

func (n *number) UnmarshalJSON(b []byte) error {
	switch string(b) {
	case `"NaN"`:
		*n = number(math.NaN())
	case `"Infinity"`:
		*n = number(math.Inf(1))
	case `"-Infinity"`:
		*n = number(math.Inf(-1))
	case "null":
		return fmt.Errorf("null is not a number")
	default:
		return json.Unmarshal(b, (*float64)(n))
	}
	return nil
}
