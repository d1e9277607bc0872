package savedmodel

import (
	"testing"

	"github.com/linnet-ml/linnet/internal/boundary"
)

// Whatever the bytes of a file are, it is read or refused without a panic, and a walk over its graph ends.
func FuzzParse(f *testing.F) {
	inner := function("inner", []string{"x", "y"}, "y")
	outer := function("outer", []string{"text", "hidden"}, "call:output:0",
		node("call", "PartitionedCall", []string{"text", "c:output:0"}, "f", callOf("inner")),
		node("c", "Const", []string{"hidden"}, "value", message(8, message(1, 7, 2, message(2, message(1, 2)), 8, " "))))
	objects := message(1, message(6, message(1, "outer"), 1, message(1, 1, 2, "v")), 1, message(7, message(6, "v")), 2, message(1, "outer", 2, message(2, 1)))
	f.Add(graph([][]byte{node("a", "Identity", []string{"b:0"}), node("b", "Identity", []string{"a"})}, [][]byte{inner, outer},
		5, message(1, "default", 2, message(2, message(1, "output", 2, message(1, "a:0")))),
		6, message(1, message(1, "a:0"), 2, "tokens.txt"), 7, objects))
	f.Add(graph(nil, [][]byte{function("f", []string{"x"}, "call:output:0", node("call", "PartitionedCall", []string{"x"}, "f", callOf("f")))}))
	f.Add(message(1, message(1, message(1, 1, 2, "x"), 2, message(1, "VARIABLE_VALUE", 3, "key"))))
	for _, message := range [][]byte{
		graph([][]byte{node("a", "Identity", []string{"b:0"})}, [][]byte{inner, outer}, 7, objects),
		graph([][]byte{node("c", "Const", nil, "value", message(8, message(1, 7, 2, message(2, message(1, 2)), 8, " ")), "n", message(3, 5))}, nil),
		message(1, message(1, message(1, 1, 2, "x"), 2, message(1, "VARIABLE_VALUE", 3, "key"))),
	} {
		for changed := range boundary.Protobuf(message, 1) {
			f.Add(changed)
		}
	}
	for changed := range boundary.Decimals(graph([][]byte{node("a", "Identity", []string{"b:1"}), node("b", "Identity", []string{"a:2"})}, nil)) {
		f.Add(changed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Parse(b)
		if err != nil {
			return
		}
		if _, err := m.CheckpointKeys(b); err == nil {
			for id := range m.Objects {
				_ = m.Objects[id].Name
			}
		}
		var values []Value
		for name := range m.Functions {
			if v, err := m.Result(name, 0); err == nil {
				values = append(values, v)
			}
		}
		for _, s := range m.Signatures {
			for _, tensor := range s.Outputs {
				if v, err := m.Tensor(tensor); err == nil {
					values = append(values, v)
				}
			}
		}
		for range 1000 {
			if len(values) == 0 {
				break
			}
			v := values[len(values)-1]
			values = values[:len(values)-1]
			_ = v.String()
			m.Captured(v)
			m.Argument(v)
			if n := v.Node(); n != nil {
				_, _ = n.Constant()
				_, _ = n.Int("num_buckets", 0)
			}
			for i := range v.Inputs() {
				if w, err := m.Input(v, i); err == nil {
					values = append(values, w)
				}
			}
		}
	})
}
