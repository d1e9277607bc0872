package savedmodel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/linnet-ml/linnet/internal/shared"
)

// A module that TensorFlow wrote: its objects, functions and captures.
func TestRead(t *testing.T) {
	m, err := Read(context.Background(), shared.Path(t, "golden-formats/hub/nnlm-oov50"))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(m.Tags, []string{"serve"}) || !slices.Equal(m.Assets, []AssetFile{{"tokens.txt", "asset_path_initializer:0"}}) {
		t.Errorf("tags %q, assets %q", m.Tags, m.Assets)
	}
	if got := slices.Sorted(maps.Keys(m.Signatures)); !slices.Equal(got, []string{"__saved_model_init_op", "serving_default"}) {
		t.Errorf("signatures %q", got)
	}
	s := m.Signatures["serving_default"]
	if s.Inputs["sentences"] != "serving_default_sentences:0" || s.Outputs["output_0"] != "StatefulPartitionedCall:0" {
		t.Errorf("signature %+v", s)
	}
	const call = "__inference___call___138"
	if !slices.Equal(m.Captures[call], []int64{2, 17, 3}) || len(m.Objects) != 18 || len(m.Functions) != 7 {
		t.Errorf("captures %v, %d objects, %d functions", m.Captures[call], len(m.Objects), len(m.Functions))
	}
	kinds := map[int]Kind{0: UserObject, 1: Asset, 2: Resource, 3: Variable, 6: FunctionObject, 12: ConcreteFunction, 17: Constant}
	for id, kind := range kinds {
		if m.Objects[id].Kind != kind {
			t.Errorf("object %d is of kind %d, not %d", id, m.Objects[id].Kind, kind)
		}
	}
	if m.Objects[3].Name != "embeddings" || m.Objects[17].Operation != "Const" || m.Objects[6].Functions[0] != call {
		t.Errorf("variable %q, constant %q, functions %q", m.Objects[3].Name, m.Objects[17].Operation, m.Objects[6].Functions)
	}

	// By the signature or by the function, the result is the same node, and its inputs can be followed.
	v, err := m.Result(call, 0)
	if err != nil {
		t.Fatal(err)
	}
	w, err := m.Tensor("StatefulPartitionedCall:0")
	if err != nil {
		t.Fatal(err)
	}
	if v.Op() != "Identity" || w.Op() != "Identity" {
		t.Errorf("results %v and %v", v, w)
	}
	seen, met := map[string]bool{}, map[Value]bool{}
	var captured, arguments []int
	for stack := []Value{v}; len(stack) > 0; {
		v, stack = stack[len(stack)-1], stack[:len(stack)-1]
		if met[v] {
			continue
		}
		met[v], seen[v.Op()] = true, true
		if id, ok := m.Captured(v); ok {
			captured = append(captured, id)
		}
		if place, ok := m.Argument(v); ok {
			arguments = append(arguments, place)
		}
		for i := range v.Inputs() {
			in, err := m.Input(v, i)
			if err != nil {
				t.Fatal(err)
			}
			stack = append(stack, in)
		}
	}
	for _, op := range []string{"SparseSegmentSqrtN", "ResourceGather", "Unique", "StringSplitV2", "Tile"} {
		if !seen[op] {
			t.Errorf("the walk has not met %s", op)
		}
	}
	slices.Sort(captured)
	if !slices.Equal(captured, []int{2, 3, 17}) || !slices.Equal(arguments, []int{0}) {
		t.Errorf("captured %v, arguments %v", captured, arguments)
	}
}

// Calls are followed into functions and out of them again, by whatever name they are called.
func TestCalls(t *testing.T) {
	inner := function("inner", []string{"x", "y"}, "y")
	middle := function("middle", []string{"a"}, "call:result:0", node("call", "inner", []string{"a", "double:z:0"}), node("double", "Add", []string{"a", "a"}))
	outer := function("outer", []string{"text", "hidden"}, "call:output:0",
		node("call", "PartitionedCall", []string{"two:output_values:0", "^two"}, "f", callOf("middle")),
		node("two", "SparseFillEmptyRows", []string{"text", "hidden"}))
	objects := message(1, message(6, message(1, "outer")), 1, message(7, message(6, "v")), 2, message(1, "outer", 2, message(2, 1)))
	m, err := Parse(graph(nil, [][]byte{inner, middle, outer}, 7, objects))
	if err != nil {
		t.Fatal(err)
	}
	v, err := m.Result("outer", 0)
	if err != nil {
		t.Fatal(err)
	}
	if v.Op() != "Add" || v.String() != `Add "double" in "middle"` {
		t.Fatalf("the result is %v", v)
	}
	a, err := m.Input(v, 0)
	if err != nil {
		t.Fatal(err)
	}
	b, err := m.Input(v, 1)
	if err != nil {
		t.Fatal(err)
	}
	if a != b || a.Op() != "SparseFillEmptyRows" || a.Output() != 1 || a.Other(0) == a {
		t.Errorf("inputs %v and %v", a, b)
	}
	text, err := m.Input(a, 0)
	if err != nil {
		t.Fatal(err)
	}
	hidden, err := m.Input(a, 1)
	if err != nil {
		t.Fatal(err)
	}
	if place, ok := m.Argument(text); !ok || place != 0 {
		t.Errorf("%v is not the argument 0", text)
	}
	if id, ok := m.Captured(hidden); !ok || id != 1 {
		t.Errorf("%v is not the object 1", hidden)
	}
	if _, ok := m.Argument(hidden); ok {
		t.Errorf("%v is an argument", hidden)
	}
}

// Graphs that lead nowhere, or in circles.
func TestWalkErrors(t *testing.T) {
	call := func(f string) []byte { return node("call", "PartitionedCall", []string{"x"}, "f", callOf(f)) }
	for _, c := range []struct {
		what, want string
		functions  [][]byte
	}{
		{"no such function", "no function \"g\"", [][]byte{function("f", []string{"x"}, "call:output:0", call("g"))}},
		{"a function that calls itself", "more than 64 deep", [][]byte{function("f", []string{"x"}, "call:output:0", call("f"))}},
		{"two that call each other", "more than 64 deep", [][]byte{
			function("f", []string{"x"}, "call:output:0", call("g")), function("g", []string{"x"}, "call:output:0", call("f"))}},
		{"no such node", "no node \"y:z:0\"", [][]byte{function("f", nil, "y:z:0")}},
		{"no such output", "no output \"z:0\"", [][]byte{function("f", nil, "y:z:0", node("y", "Unique", nil))}},
		{"a number that is none", "no output \"z:-1\"", [][]byte{function("f", nil, "y:z:-1", node("y", "Add", nil))}},
		{"no value", "no result 1", [][]byte{function("f", []string{"x"}, "call:output:1", call("g")), function("g", []string{"x"}, "x")}},
		{"too few arguments", "without the argument", [][]byte{function("f", nil, "c:output:0", node("c", "g", nil)), function("g", []string{"x"}, "x")}},
	} {
		m, err := Parse(graph(nil, c.functions))
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		if v, err := m.Result("f", 0); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, error %v does not say %q", c.what, v, err, c.want)
		}
	}
	m, err := Parse(graph([][]byte{node("a", "Identity", []string{"b"}), node("b", "Identity", []string{"a"})}, nil))
	if err != nil {
		t.Fatal(err)
	}
	v, err := m.Tensor("a")
	for range maxSteps + 1 {
		if err == nil {
			v, err = m.Input(v, 0)
		}
	}
	if err == nil || !strings.Contains(err.Error(), "circles") {
		t.Errorf("a circle: error %v", err)
	}
	if _, err := m.Result("f", 0); err == nil {
		t.Error("a function that is not there has a result")
	}
	if _, err := m.Input(Value{}, 0); err == nil {
		t.Error("no value has an input")
	}
}

func TestConstant(t *testing.T) {
	tensor := func(dtype int, dims []int64, fields ...any) []byte {
		var shape []byte
		for _, d := range dims {
			shape = append(shape, message(2, message(1, d))...)
		}
		return message(8, append(message(1, dtype, 2, shape), message(fields...)...))
	}
	for _, c := range []struct {
		what  string
		value []byte
		want  string
	}{
		{"a string", tensor(7, nil, 8, " "), `{[] [" "] []}`},
		{"strings that repeat", tensor(7, []int64{3}, 8, "a", 8, "b"), `{[3] ["a" "b" "b"] []}`},
		{"an empty string that is left out", tensor(7, nil), `{[] [""] []}`},
		{"int32", tensor(3, nil, 7, -1), `{[] [] [-1]}`},
		{"int32 in bytes", tensor(3, []int64{2}, 4, "\xff\xff\xff\xff\x02\x00\x00\x00"), `{[2] [] [-1 2]}`},
		{"int64, packed", tensor(9, []int64{2}, 10, "\x01\x80\x01"), `{[2] [] [1 128]}`},
		{"int64 in bytes", tensor(9, nil, 4, "\xfe\xff\xff\xff\xff\xff\xff\xff"), `{[] [] [-2]}`},
		{"float32, packed", tensor(1, nil, 5, "\x00\x00\x80\x3f"), `{[] [] [1]}`},
		{"zeros that are left out", tensor(1, []int64{2}), `{[2] [] [0 0]}`},
		{"nothing", tensor(3, []int64{0}), `{[0] [] []}`},
		{"too many", tensor(3, []int64{65}), "error: too large"},
		{"far too many", tensor(3, []int64{1 << 32, 1 << 32}), "error: too large"},
		{"a negative shape", tensor(3, []int64{-1}), "error: too large"},
		{"more values than elements", tensor(3, []int64{1}, 7, 1, 7, 2), "error: 2 values"},
		{"too few bytes", tensor(3, []int64{2}, 4, "abcd"), "error: has 4 bytes"},
		{"another type", tensor(2, nil), "error: type 2"},
		{"no tensor", message(3, 1), "error: no constant"},
	} {
		n, err := Parse(graph([][]byte{node("c", "Const", nil, "value", c.value)}, nil))
		if err != nil {
			t.Fatal(err)
		}
		v, err := n.Tensor("c:0")
		if err != nil {
			t.Fatal(err)
		}
		got, err := v.Node().Constant()
		if want, bad := strings.CutPrefix(c.want, "error: "); bad {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %v does not say %q", c.what, err, want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
		} else if s := fmt.Sprintf("{%v %q %v}", got.Shape, got.Strings, got.Numbers); s != c.want {
			t.Errorf("%s: %s, not %s", c.what, s, c.want)
		}
	}
}

func TestAttributes(t *testing.T) {
	m, err := Parse(graph([][]byte{node("n", "Op", nil, "s", message(2, "text"), "i", message(3, -2), "yes", message(5, 1), "no", message(5, 0), "bad", message(3, "x"))}, nil))
	if err != nil {
		t.Fatal(err)
	}
	n, _ := m.Graph.Node("n")
	s, err1 := n.String("s", "")
	none, err2 := n.String("none", "missing")
	i, err3 := n.Int("i", 0)
	j, err4 := n.Int("none", 7)
	yes, err5 := n.Bool("yes", false)
	no, err6 := n.Bool("no", true)
	missing, err7 := n.Bool("none", true)
	if err := errors.Join(err1, err2, err3, err4, err5, err6, err7); err != nil {
		t.Fatal(err)
	}
	if s != "text" || none != "missing" || i != -2 || j != 7 || !yes || no || !missing {
		t.Error(s, none, i, j, yes, no, missing)
	}
	if _, err := n.Int("bad", 0); err == nil || !strings.Contains(err.Error(), `attribute "bad"`) {
		t.Errorf("error %v", err)
	}
}

// What a file refers to must be there.
func TestParseErrors(t *testing.T) {
	f := function("f", []string{"x"}, "x")
	object := func(fields ...any) []byte { return message(1, message(fields...)) }
	for _, c := range []struct {
		what, want string
		file       []byte
	}{
		{"no meta graph", "no meta graph", message(1, 1)},
		{"two, neither to serve", "none of the 2", message(2, message(1, message(4, "train")), 2, message(1, message(4, "tpu")))},
		{"two nodes of one name", "two nodes", graph([][]byte{node("a", "Add", nil), node("a", "Add", nil)}, nil)},
		{"two functions of one name", "two with the name \"f\"", graph(nil, [][]byte{f, f})},
		{"a function without a name", "without a name", graph(nil, [][]byte{function("", nil, "x")})},
		{"a child that is not there", "object 5 of 1", graph(nil, nil, 7, object(1, message(1, 5, 2, "x")))},
		{"a negative child", "is not between", graph(nil, nil, 7, object(1, message(1, -1, 2, "x")))},
		{"an asset that is not there", "asset 0 of 0", graph(nil, nil, 7, object(5, message()))},
		{"a capture that is not there", "captures object 3 of 0", graph(nil, [][]byte{f}, 7, message(2, message(1, "f", 2, message(2, 3))))},
		{"a negative capture", "captures object -1", graph(nil, [][]byte{f}, 7, message(2, message(1, "f", 2, message(2, -1))))},
		{"more captures than arguments", "2 captures and only 1 arguments",
			graph(nil, [][]byte{f}, 7, append(object(4, message()), message(2, message(1, "f", 2, message(2, "\x00\x00")))...))},
	} {
		_, err := Parse(c.file)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v does not say %q", c.what, err, c.want)
		}
	}
	m, err := Parse(message(2, message(1, message(4, "train")), 2, message(1, message(4, "serve"))))
	if err != nil || m.Tags[0] != "serve" {
		t.Errorf("two meta graphs, one to serve: error %v", err)
	}
}

// Variables are found in the checkpoint by the names of attributes, whatever numbers objects have there.
func TestCheckpointKeys(t *testing.T) {
	child := func(id int, name string) []byte { return message(1, id, 2, name) }
	m, err := Parse(graph(nil, nil, 7, message(
		1, message(1, child(1, "list"), 1, child(2, "table"), 4, message()),
		1, message(1, child(3, "0"), 1, child(0, "parent"), 4, message()),
		1, message(7, message(6, "same name")),
		1, message(7, message(6, "same name")))))
	if err != nil {
		t.Fatal(err)
	}
	attribute := func(key string) []byte { return message(1, "VARIABLE_VALUE", 2, "same name", 3, key) }
	keys, err := m.CheckpointKeys(message(
		1, message(1, child(3, "table"), 1, child(2, "list"), 1, child(1, "more")),
		1, message(2, attribute("other")),
		1, message(1, child(4, "0"), 1, child(0, "parent")),
		1, message(2, attribute("table/.ATTRIBUTES/VARIABLE_VALUE")),
		1, message(2, attribute("list/0/.ATTRIBUTES/VARIABLE_VALUE"))))
	want := map[int]string{2: "table/.ATTRIBUTES/VARIABLE_VALUE", 3: "list/0/.ATTRIBUTES/VARIABLE_VALUE"}
	if err != nil || !maps.Equal(keys, want) {
		t.Errorf("keys %v, error %v", keys, err)
	}
	if _, err := m.CheckpointKeys(message(1, message(1, child(9, "x")))); err == nil || !strings.Contains(err.Error(), "object 9 of 1") {
		t.Errorf("error %v", err)
	}
	if keys, err := m.CheckpointKeys(nil); err != nil || len(keys) != 0 {
		t.Errorf("keys %v, error %v", keys, err)
	}
}

// Malformed files are refused in little time and memory, whatever they claim.
func TestMalformed(t *testing.T) {
	folder := shared.Path(t, "golden-formats/malformed")
	b, err := os.ReadFile(filepath.Join(folder, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	var index []struct{ File, Format, Wrong, Expected string }
	if err := json.Unmarshal(b, &index); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, c := range index {
		if c.Format != "saved_model" {
			continue
		}
		n++
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		_, err := read(context.Background(), filepath.Join(folder, filepath.FromSlash(c.File)))
		took := time.Since(start)
		runtime.ReadMemStats(&after)
		if bytes := after.TotalAlloc - before.TotalAlloc; took > time.Second || bytes > 64<<20 {
			t.Errorf("%s: took %v and %d bytes", c.File, took, bytes)
		}
		if c.Expected == "error" && err == nil {
			t.Errorf("%s (%s): no error", c.File, c.Wrong)
		}
	}
	if n < 7 {
		t.Errorf("only %d files", n)
	}
}

// The readers of real models.
func TestReal(t *testing.T) {
	folder := shared.Path(t, "data/formats/savedmodel")
	n := 0
	err := filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Name() == "saved_model.pb" {
			n++
			_, err = Read(context.Background(), filepath.Dir(path))
		}
		return err
	})
	if err != nil || n != 7 {
		t.Errorf("%d models, error %v", n, err)
	}
}
