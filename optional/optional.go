package optional

import "encoding/json"

// Value is a setting that may be left at its default. Its zero value is not set; [Of] sets it. Two Values are equal
// when neither is set, or both are set to equal values: a Value can be compared with == when T can.
type Value[T any] struct {
	value T
	set   bool
}

// Of returns a Value that is set to v.
func Of[T any](v T) Value[T] { return Value[T]{value: v, set: true} }

// Get returns the value and true, or the zero value of T and false when none is set.
func (o Value[T]) Get() (T, bool) { return o.value, o.set }

// Or returns the value, or the given default when none is set.
func (o Value[T]) Or(def T) T {
	if o.set {
		return o.value
	}
	return def
}

// IsSet reports whether a value is set.
func (o Value[T]) IsSet() bool { return o.set }

// MarshalJSON writes the value, or null when none is set.
func (o Value[T]) MarshalJSON() ([]byte, error) {
	if !o.set {
		return []byte("null"), nil
	}
	return json.Marshal(o.value)
}

// UnmarshalJSON reads what MarshalJSON writes: null leaves the Value unset, anything else must be a T. After an error
// the Value is as before.
func (o *Value[T]) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*o = Value[T]{}
		return nil
	}
	var v T
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	*o = Of(v)
	return nil
}
