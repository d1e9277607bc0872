package savedmodel

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/linnet-ml/linnet/internal/shown"
)

// Value is one tensor in the flow of data: an output of a node, an argument of the function that the walk began with,
// or an object that this function captured. Two Values are the same tensor if they are equal. The zero Value is none.
type Value struct {
	scope *scope
	node  *Node
	out   int // the output of the node, or else the place of the argument
}

// scope is a graph as it runs in one place: the body of a function for one call of it.
type scope struct {
	graph    *Graph
	function *Function // nil for the model's own graph
	parent   *scope    // of the call; nil for the function that the walk began with
	call     *Node
	depth    int
}

// call identifies a scope.
type call struct {
	parent *scope
	node   *Node
	name   string
}

const (
	maxDepth = 64      // of functions that call functions
	maxSteps = 1 << 18 // of all walks over a model: a graph that leads in circles must not do so for ever
)

// outputs are the names of the outputs of nodes with more than one, in their order. In a function, inputs refer to
// outputs by name.
func outputs(op string) []string {
	switch op {
	case "StringSplit", "StringSplitV2":
		return []string{"indices", "values", "shape"}
	case "RaggedTensorToSparse":
		return []string{"sparse_indices", "sparse_values", "sparse_dense_shape"}
	case "SparseFillEmptyRows":
		return []string{"output_indices", "output_values", "empty_row_indicator", "reverse_index_map"}
	case "SparseReshape":
		return []string{"output_indices", "output_shape"}
	case "Unique":
		return []string{"y", "idx"}
	case "UniqueWithCounts":
		return []string{"y", "idx", "count"}
	}
	return nil
}

// Result is the value that the result of a function has, by its place.
func (m *Model) Result(function string, result int) (Value, error) {
	s, err := m.enter(call{name: function})
	if err != nil {
		return Value{}, err
	}
	return m.result(s, result)
}

// Tensor is the value of a tensor of the model's own graph, by a name such as "add:0".
func (m *Model) Tensor(name string) (Value, error) {
	s, err := m.enter(call{})
	if err != nil {
		return Value{}, err
	}
	return m.resolve(s, name)
}

// Nodes returns the first outputs of the nodes of a function that have one of the operations, or of the nodes outside
// functions if function is "".
func (m *Model) Nodes(function string, ops ...string) ([]Value, error) {
	s, err := m.enter(call{name: function})
	if err != nil {
		return nil, err
	}
	var found []Value
	for i := range s.graph.Nodes {
		if n := &s.graph.Nodes[i]; index(ops, n.Op) >= 0 {
			found = append(found, Value{scope: s, node: n})
		}
	}
	return found, nil
}

func (m *Model) enter(c call) (*scope, error) {
	if s, ok := m.scopes[c]; ok {
		return s, nil
	}
	s := &scope{graph: m.Graph, parent: c.parent, call: c.node}
	if c.parent != nil {
		s.depth = c.parent.depth + 1
	}
	if s.depth > maxDepth {
		return nil, fmt.Errorf("function %.80q: functions call each other more than %d deep", c.name, maxDepth)
	}
	if c.name != "" {
		fn, ok := m.Functions[c.name]
		if !ok {
			return nil, fmt.Errorf("there is no function %.80q", c.name)
		}
		s.function, s.graph = fn, fn.Graph
	}
	m.scopes[c] = s
	return s, nil
}

func (m *Model) result(s *scope, i int) (Value, error) {
	if i < 0 || i >= len(s.function.Results) {
		return Value{}, fmt.Errorf("function %.80q has no result %d", s.function.Name, i)
	}
	tensor, ok := s.function.returns[s.function.Results[i]]
	if !ok {
		return Value{}, fmt.Errorf("function %.80q: result %.80q has no value", s.function.Name, s.function.Results[i])
	}
	return m.resolve(s, tensor)
}

// resolve finds the value that an input of a node names: through calls, and through arguments to what was passed.
func (m *Model) resolve(s *scope, tensor string) (Value, error) {
	for {
		if m.steps++; m.steps > maxSteps {
			return Value{}, fmt.Errorf("the graph leads in circles or is too large: gave up after %d steps", maxSteps)
		}
		if s.function != nil {
			if i := index(s.function.Args, tensor); i >= 0 {
				if s.parent == nil {
					return Value{scope: s, out: i}, nil
				}
				if i >= len(s.call.Inputs) || strings.HasPrefix(s.call.Inputs[i], "^") {
					return Value{}, fmt.Errorf("node %.80q calls %.80q without the argument %.80q", s.call.Name, s.function.Name, tensor)
				}
				tensor, s = s.call.Inputs[i], s.parent
				continue
			}
		}
		name, rest, _ := strings.Cut(tensor, ":")
		node, ok := s.graph.Node(name)
		if !ok {
			return Value{}, fmt.Errorf("there is no node %.80q", tensor)
		}
		out, err := outputIndex(node, rest)
		if err != nil {
			return Value{}, err
		}
		function, err := m.called(node)
		if err != nil {
			return Value{}, err
		}
		if function == "" {
			return Value{scope: s, node: node, out: out}, nil
		}
		if s, err = m.enter(call{s, node, function}); err != nil {
			return Value{}, err
		}
		if out >= len(s.function.Results) {
			return Value{}, fmt.Errorf("function %.80q has no result %d", s.function.Name, out)
		}
		if tensor, ok = s.function.returns[s.function.Results[out]]; !ok {
			return Value{}, fmt.Errorf("function %.80q: result %.80q has no value", s.function.Name, s.function.Results[out])
		}
	}
}

// called is the function that a node calls, empty if it is an operation.
func (m *Model) called(n *Node) (string, error) {
	switch n.Op {
	case "PartitionedCall", "StatefulPartitionedCall":
		return n.function("f")
	}
	if _, ok := m.Functions[n.Op]; ok {
		return n.Op, nil
	}
	return "", nil
}

// outputIndex reads what stands behind a node's name: "", "1" or, in a function, "values:0". In the latter case the
// number counts within an output that is a list of tensors.
func outputIndex(n *Node, rest string) (int, error) {
	if rest == "" {
		return 0, nil
	}
	name, number, named := strings.Cut(rest, ":")
	if !named {
		name, number = "", rest
	}
	i, err := strconv.ParseUint(number, 10, 16)
	if err != nil {
		return 0, fmt.Errorf("node %.80q has no output %.80q", n.Name, rest)
	}
	if names := outputs(n.Op); named && names != nil {
		j := index(names, name)
		if j < 0 || i != 0 {
			return 0, fmt.Errorf("node %.80q: %s has no output %.80q", n.Name, shown.Name(n.Op), rest)
		}
		return j, nil
	}
	return int(i), nil
}

func index(names []string, name string) int {
	for i, n := range names {
		if n == name {
			return i
		}
	}
	return -1
}

// Node is the node whose output the value is, nil for an argument or a captured object.
func (v Value) Node() *Node { return v.node }

// Op is the operation of the node, empty for an argument or a captured object.
func (v Value) Op() string {
	if v.node == nil {
		return ""
	}
	return v.node.Op
}

// Output says which output of the node the value is.
func (v Value) Output() int { return v.out }

// Other is another output of the node.
func (v Value) Other(output int) Value {
	v.out = output
	return v
}

// String names the value for an error.
func (v Value) String() string {
	switch {
	case v.scope == nil:
		return "nothing"
	case v.node == nil:
		return fmt.Sprintf("argument %.80q of %.80q", v.scope.function.Args[v.out], v.scope.function.Name)
	case v.scope.function == nil:
		return fmt.Sprintf("%s %.80q", shown.Name(v.node.Op), v.node.Name)
	}
	return fmt.Sprintf("%s %.80q in %.80q", shown.Name(v.node.Op), v.node.Name, v.scope.function.Name)
}

var errNoInput = errors.New("has no such input")

// Input is the value that goes into the node at a place.
func (m *Model) Input(v Value, i int) (Value, error) {
	if v.node == nil || i < 0 || i >= len(v.node.Inputs) || strings.HasPrefix(v.node.Inputs[i], "^") {
		return Value{}, fmt.Errorf("%v: input %d: %w", v, i, errNoInput)
	}
	w, err := m.resolve(v.scope, v.node.Inputs[i])
	if err != nil {
		return Value{}, fmt.Errorf("%v: input %d: %w", v, i, err)
	}
	return w, nil
}

// Inputs is the number of values that go into the node.
func (v Value) Inputs() int {
	n := 0
	if v.node != nil {
		for _, in := range v.node.Inputs {
			if !strings.HasPrefix(in, "^") {
				n++
			}
		}
	}
	return n
}

// Captured is the place in m.Objects of the object that the value is, if it is one.
func (m *Model) Captured(v Value) (int, bool) {
	if v.node != nil || v.scope == nil {
		return 0, false
	}
	captures := m.Captures[v.scope.function.Name]
	first := len(v.scope.function.Args) - len(captures)
	if v.out < first {
		return 0, false
	}
	return int(captures[v.out-first]), true
}

// Argument is the place of the argument that the value is, if it is one that the function's caller passes.
func (m *Model) Argument(v Value) (int, bool) {
	if _, captured := m.Captured(v); captured || v.node != nil || v.scope == nil {
		return 0, false
	}
	return v.out, true
}
