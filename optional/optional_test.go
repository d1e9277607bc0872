package optional_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/linnet-ml/linnet/optional"
)

// The zero Value means the default; a zero that was set does not.
func TestValue(t *testing.T) {
	for _, c := range []struct {
		name string
		v    optional.Value[int]
		want int
		set  bool
	}{
		{"default", optional.Value[int]{}, 7, false},
		{"zero", optional.Of(0), 0, true},
		{"three", optional.Of(3), 3, true},
	} {
		if got := c.v.Or(7); got != c.want {
			t.Errorf("%s: Or gives %d, want %d", c.name, got, c.want)
		}
		if c.v.IsSet() != c.set {
			t.Errorf("%s: IsSet is %t", c.name, c.v.IsSet())
		}
		want := c.want
		if !c.set {
			want = 0
		}
		if got, ok := c.v.Get(); got != want || ok != c.set {
			t.Errorf("%s: Get gives %d, %t", c.name, got, ok)
		}
	}
}

// Specs hold Values and are compared with ==, so a Value must have no slice, map or function of its own.
func TestComparable(t *testing.T) {
	type spec struct{ Rate optional.Value[float64] }
	specs := map[spec]string{{}: "default", {optional.Of(0.0)}: "zero", {optional.Of(0.5)}: "half"}
	if len(specs) != 3 || specs[spec{optional.Of(0.0)}] != "zero" || specs[spec{}] != "default" {
		t.Errorf("specs as keys: %v", specs)
	}
}

func TestJSON(t *testing.T) {
	for text, want := range map[string]optional.Value[int]{
		`null`: {}, `0`: optional.Of(0), `-12`: optional.Of(-12),
	} {
		got := optional.Of(99)
		if err := json.Unmarshal([]byte(text), &got); err != nil || got != want {
			t.Errorf("%s: read %v, %v", text, got, err)
		}
		if again, err := json.Marshal(got); err != nil || string(again) != text {
			t.Errorf("%s: written again %s, %v", text, again, err)
		}
	}
}

func TestJSONErrors(t *testing.T) {
	for _, text := range []string{`"1"`, `1.5`, `[]`, `{}`, `true`} {
		v := optional.Of(7)
		if err := json.Unmarshal([]byte(text), &v); err == nil {
			t.Errorf("%s was read as %v", text, v)
		}
		if v != optional.Of(7) {
			t.Errorf("%s: what was there has changed to %v", text, v)
		}
	}
	if text, err := json.Marshal(optional.Of(math.NaN())); err == nil {
		t.Errorf("NaN was written as %s", text)
	}
}
