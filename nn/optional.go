package nn

import "encoding/json"

// Optional is a setting of which zero is a legal value but not the default. Its own zero value means the default;
// [Value] sets it.
type Optional[T any] struct {
	value T
	set   bool
}

// Value returns an Optional that is set to v.
func Value[T any](v T) Optional[T] { return Optional[T]{value: v, set: true} }

// Or returns the value, or the given default when none is set.
func (o Optional[T]) Or(def T) T {
	if o.set {
		return o.value
	}
	return def
}

// IsSet reports whether a value is set.
func (o Optional[T]) IsSet() bool { return o.set }

// MarshalJSON writes the value, or null when none is set.
func (o Optional[T]) MarshalJSON() ([]byte, error) {
	if !o.set {
		return []byte("null"), nil
	}
	return json.Marshal(o.value)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (o *Optional[T]) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*o = Optional[T]{}
		return nil
	}
	var v T
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	*o = Value(v)
	return nil
}
