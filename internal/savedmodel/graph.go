package savedmodel

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/linnet-ml/linnet/internal/wire"
)

// Graph is the nodes of a model or a function.
type Graph struct {
	Nodes  []Node
	byName map[string]int
}

// Node is an operation. Its attributes are read when asked for.
type Node struct {
	Name, Op string
	Inputs   []string // data first, then control inputs, which begin with ^

	message []byte
}

// Function is a graph with arguments and results.
type Function struct {
	Name    string
	Args    []string
	Results []string          // names
	returns map[string]string // from the name of a result to the tensor
	Graph   *Graph
}

// Node finds a node by its name.
func (g *Graph) Node(name string) (*Node, bool) {
	i, ok := g.byName[name]
	if !ok {
		return nil, false
	}
	return &g.Nodes[i], true
}

// parseNode adds a NodeDef.
func (g *Graph) parseNode(f wire.Field) error {
	var n Node
	var err error
	if n.message, err = f.Bytes(); err != nil {
		return err
	}
	err = f.Walk(func(f wire.Field) error {
		if f.Number > 3 {
			return nil
		}
		b, err := f.Bytes()
		switch f.Number {
		case 1:
			n.Name = string(b)
		case 2:
			n.Op = string(b)
		case 3:
			n.Inputs = append(n.Inputs, string(b))
		}
		return err
	})
	if err != nil {
		return err
	}
	if _, ok := g.byName[n.Name]; ok {
		return fmt.Errorf("two nodes have the name %.80q", n.Name)
	}
	if g.byName == nil {
		g.byName = map[string]int{}
	}
	g.byName[n.Name] = len(g.Nodes)
	g.Nodes = append(g.Nodes, n)
	return nil
}

// parseFunction reads a FunctionDef.
func parseFunction(f wire.Field) (*Function, error) {
	fn := &Function{Graph: &Graph{}, returns: map[string]string{}}
	err := f.Walk(func(f wire.Field) error {
		switch f.Number {
		case 1: // OpDef
			return f.Walk(func(f wire.Field) error {
				switch f.Number {
				case 1:
					b, err := f.Bytes()
					fn.Name = string(b)
					return err
				case 2, 3: // ArgDef
					var name []byte
					err := f.Walk(func(f wire.Field) (err error) {
						if f.Number == 1 {
							name, err = f.Bytes()
						}
						return err
					})
					if f.Number == 2 {
						fn.Args = append(fn.Args, string(name))
					} else {
						fn.Results = append(fn.Results, string(name))
					}
					return err
				}
				return nil
			})
		case 3:
			return fn.Graph.parseNode(f)
		case 4:
			return entry(f, func(name string, f wire.Field) error {
				b, err := f.Bytes()
				fn.returns[name] = string(b)
				return err
			})
		}
		return nil
	})
	return fn, err
}

// attr finds the AttrValue of a name and calls visit for its fields. It reports whether the node has it.
func (n *Node) attr(name string, visit func(f wire.Field) error) (bool, error) {
	found := false
	err := wire.Walk(n.message, func(f wire.Field) error {
		if f.Number != 5 {
			return nil
		}
		return entry(f, func(key string, f wire.Field) error {
			if key != name {
				return nil
			}
			found = true
			return f.Walk(visit)
		})
	})
	if err != nil {
		return found, fmt.Errorf("node %.80q: attribute %.80q: %w", n.Name, name, err)
	}
	return found, nil
}

// String is the value of a string attribute, missing if the node does not have it.
func (n *Node) String(name, missing string) (string, error) {
	value := ""
	found, err := n.attr(name, func(f wire.Field) error {
		if f.Number != 2 {
			return nil
		}
		b, err := f.Bytes()
		value = string(b)
		return err
	})
	if !found {
		value = missing
	}
	return value, err
}

// Int is the value of an integer attribute, missing if the node does not have it.
func (n *Node) Int(name string, missing int64) (int64, error) {
	return n.number(name, 3, missing)
}

// Bool is the value of an attribute that is true or false, missing if the node does not have it.
func (n *Node) Bool(name string, missing bool) (bool, error) {
	def := int64(0)
	if missing {
		def = 1
	}
	v, err := n.number(name, 5, def)
	return v != 0, err
}

func (n *Node) number(name string, field int, missing int64) (int64, error) {
	value := int64(0)
	found, err := n.attr(name, func(f wire.Field) (err error) {
		if f.Number == field {
			value, err = f.Int64()
		}
		return err
	})
	if !found {
		value = missing
	}
	return value, err
}

// function is the name of the function that the attribute holds.
func (n *Node) function(name string) (string, error) {
	value := ""
	_, err := n.attr(name, func(f wire.Field) error {
		if f.Number != 10 { // NameAttrList
			return nil
		}
		return f.Walk(func(f wire.Field) error {
			if f.Number != 1 {
				return nil
			}
			b, err := f.Bytes()
			value = string(b)
			return err
		})
	})
	return value, err
}

// Tensor is a small constant.
type Tensor struct {
	Shape   []int64
	Strings []string  // of a string tensor, else nil
	Numbers []float64 // of a tensor of int32, int64 or float32, else nil
}

// maxConstant is the largest number of elements of a constant that is decoded. What tells models apart are scalars and
// the like; larger constants are data.
const maxConstant = 64

// TensorFlow's numbers of the types of constants that are decoded.
const (
	typeFloat32 = 1
	typeInt32   = 3
	typeString  = 7
	typeInt64   = 9
)

// Constant is the value of a node with Op "Const".
func (n *Node) Constant() (*Tensor, error) {
	var t *Tensor
	found, err := n.attr("value", func(f wire.Field) (err error) {
		if f.Number == 8 {
			t, err = parseConstant(f)
		}
		return err
	})
	if err == nil && (!found || t == nil) {
		err = fmt.Errorf("node %.80q is no constant", n.Name)
	}
	return t, err
}

// parseConstant reads a TensorProto.
func parseConstant(f wire.Field) (*Tensor, error) {
	t := &Tensor{}
	var dtype int
	var content []byte
	var texts []string
	var numbers []int64
	var floats []float64
	err := f.Walk(func(f wire.Field) (err error) {
		switch f.Number {
		case 1:
			dtype, err = f.Int()
		case 2: // TensorShapeProto
			err = f.Walk(func(f wire.Field) error {
				if f.Number != 2 {
					return nil
				}
				var size int64
				err := f.Walk(func(f wire.Field) (err error) {
					if f.Number == 1 {
						size, err = f.Int64()
					}
					return err
				})
				t.Shape = append(t.Shape, size)
				return err
			})
		case 4:
			content, err = f.Bytes()
		case 5:
			if v, scalar := f.Fixed32(); scalar == nil {
				floats = append(floats, float64(math.Float32frombits(v)))
				break
			}
			var b []byte
			b, err = f.Bytes()
			for ; len(b) >= 4; b = b[4:] {
				floats = append(floats, float64(math.Float32frombits(binary.LittleEndian.Uint32(b))))
			}
		case 7, 10:
			numbers, err = f.Int64s(numbers)
		case 8:
			var b []byte
			b, err = f.Bytes()
			texts = append(texts, string(b))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	elements := 1
	for _, d := range t.Shape {
		if d < 0 || d > maxConstant || int64(elements)*d > maxConstant {
			return nil, fmt.Errorf("constant of shape %v is too large to be looked at", t.Shape)
		}
		elements *= int(d)
	}
	width := 0
	switch dtype {
	case typeString:
		t.Strings, err = fill(texts, elements)
		return t, err
	case typeFloat32, typeInt32:
		width = 4
	case typeInt64:
		width = 8
	default:
		return nil, fmt.Errorf("constant of type %d", dtype)
	}
	if len(content) > 0 {
		if len(content) != width*elements {
			return nil, fmt.Errorf("constant of shape %v has %d bytes", t.Shape, len(content))
		}
		t.Numbers = make([]float64, elements)
		for i := range t.Numbers {
			at := content[i*width:]
			switch dtype {
			case typeFloat32:
				t.Numbers[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(at)))
			case typeInt32:
				t.Numbers[i] = float64(int32(binary.LittleEndian.Uint32(at)))
			case typeInt64:
				t.Numbers[i] = float64(int64(binary.LittleEndian.Uint64(at)))
			}
		}
		return t, nil
	}
	if dtype != typeFloat32 {
		floats = floats[:0]
		for _, v := range numbers {
			floats = append(floats, float64(v))
		}
	}
	t.Numbers, err = fill(floats, elements)
	return t, err
}

// fill repeats the last value, or zero, up to the number of elements, as TensorFlow does.
func fill[T any](values []T, elements int) ([]T, error) {
	if len(values) > elements {
		return nil, fmt.Errorf("constant of %d elements has %d values", elements, len(values))
	}
	all := make([]T, elements)
	copy(all, values)
	if n := len(values); n > 0 {
		for i := n; i < elements; i++ {
			all[i] = values[n-1]
		}
	}
	return all, nil
}
