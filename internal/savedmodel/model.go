package savedmodel

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/linnet-ml/linnet/internal/plainfile"
	"github.com/linnet-ml/linnet/internal/wire"
)

// Model is one meta graph of a SavedModel: a graph for one purpose, which its tags name. It remembers where it has been
// in its graph: only one goroutine may use it at a time.
type Model struct {
	Tags       []string
	Graph      *Graph // the nodes outside functions
	Functions  map[string]*Function
	Signatures map[string]Signature
	Assets     []AssetFile

	// Objects are what TensorFlow 2 calls trackables; the first is the model itself. Models of TensorFlow 1 have none.
	Objects  []Object
	Captures map[string][]int64 // by function: the objects whose values are its last arguments

	scopes map[call]*scope
	steps  int
}

// Signature names the tensors that go into and come out of a graph for one way to use it.
type Signature struct {
	Inputs, Outputs map[string]string // from names to tensors of Graph, such as "StatefulPartitionedCall:0"
}

// AssetFile is a file in the folder assets.
type AssetFile struct {
	File   string
	Tensor string // of Graph, which holds the file's path when the model runs
}

// Kind says what an object is.
type Kind int

// The kinds are numbered by the field of SavedObject that holds them.
const (
	UserObject       Kind = 4
	Asset            Kind = 5
	FunctionObject   Kind = 6
	Variable         Kind = 7
	ConcreteFunction Kind = 8
	Constant         Kind = 9
	Resource         Kind = 10
	CapturedTensor   Kind = 12
)

// Object is one object of the model. Only the fields that belong to its kind are set.
type Object struct {
	Children []Child
	Kind     Kind

	Asset     int      // place in Assets
	Functions []string // of a FunctionObject or a ConcreteFunction
	Name      string   // of a Variable
	Operation string   // of a Constant: the node of Graph
}

// Child is a reference to an object, by the name of the attribute that holds it.
type Child struct {
	Name string
	ID   int
}

// maxBytes is the largest saved_model.pb that is read: as large as a protocol buffer can be is too large to be held
// in memory beside the model. Those of text modules have less than a megabyte.
const maxBytes = 1 << 28

// Read reads DIR/saved_model.pb and returns the meta graph with the tag "serve", or the only one. A context that is done
// ends the reading.
func Read(ctx context.Context, dir string) (*Model, error) {
	path := filepath.Join(dir, "saved_model.pb")
	m, err := read(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("savedmodel: %s: %w", path, plainfile.Reason(err))
	}
	return m, nil
}

func read(ctx context.Context, path string) (*Model, error) {
	b, err := plainfile.Read(ctx, path, maxBytes)
	if err != nil {
		return nil, err
	}
	return Parse(b)
}

// Parse reads the bytes of a saved_model.pb, which the model goes on to use.
func Parse(b []byte) (*Model, error) {
	var models []*Model
	err := wire.Walk(b, func(f wire.Field) error {
		if f.Number != 2 {
			return nil
		}
		m, err := parseMetaGraph(f)
		models = append(models, m)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, m := range models {
		for _, tag := range m.Tags {
			if tag == "serve" {
				return m, nil
			}
		}
	}
	switch len(models) {
	case 0:
		return nil, errors.New("no meta graph")
	case 1:
		return models[0], nil
	}
	var tags [][]string
	for _, m := range models {
		tags = append(tags, m.Tags)
	}
	return nil, fmt.Errorf("none of the %d meta graphs has the tag \"serve\": they have %.200q", len(models), tags)
}

func parseMetaGraph(f wire.Field) (*Model, error) {
	m := &Model{
		Graph:      &Graph{},
		Functions:  map[string]*Function{},
		Signatures: map[string]Signature{},
		Captures:   map[string][]int64{},
		scopes:     map[call]*scope{},
	}
	err := f.Walk(func(f wire.Field) error {
		switch f.Number {
		case 1: // MetaInfoDef
			return f.Walk(func(f wire.Field) error {
				if f.Number != 4 {
					return nil
				}
				tag, err := f.Bytes()
				m.Tags = append(m.Tags, string(tag))
				return err
			})
		case 2: // GraphDef
			return f.Walk(func(f wire.Field) error {
				switch f.Number {
				case 1:
					return m.Graph.parseNode(f)
				case 2: // FunctionDefLibrary
					return f.Walk(func(f wire.Field) error {
						if f.Number != 1 {
							return nil
						}
						fn, err := parseFunction(f)
						if err != nil {
							return err
						}
						if _, twice := m.Functions[fn.Name]; twice || fn.Name == "" {
							return fmt.Errorf("a function without a name, or two with the name %.80q", fn.Name)
						}
						m.Functions[fn.Name] = fn
						return nil
					})
				}
				return nil
			})
		case 4: // map of CollectionDef: there TensorFlow 1 keeps its assets
			return entry(f, func(name string, f wire.Field) error {
				if name != "saved_model_assets" {
					return nil
				}
				return inside(f, []int{5, 1, 2}, m.parseAsset) // the any_list, its values, their bytes
			})
		case 5: // map of SignatureDef
			return entry(f, func(name string, f wire.Field) error {
				s, err := parseSignature(f)
				m.Signatures[name] = s
				return err
			})
		case 6: // AssetFileDef
			return m.parseAsset(f)
		case 7: // SavedObjectGraph
			return m.parseObjects(f)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return m, m.check()
}

// check holds all numbers that refer to something against what there is.
func (m *Model) check() error {
	for i := range m.Objects {
		o := &m.Objects[i]
		for _, c := range o.Children {
			if c.ID >= len(m.Objects) {
				return fmt.Errorf("object %d: child %.80q is object %d of %d", i, c.Name, c.ID, len(m.Objects))
			}
		}
		if o.Kind == Asset && o.Asset >= len(m.Assets) {
			return fmt.Errorf("object %d is asset %d of %d", i, o.Asset, len(m.Assets))
		}
	}
	for name, captures := range m.Captures {
		for _, id := range captures {
			if id < 0 || id >= int64(len(m.Objects)) {
				return fmt.Errorf("function %.80q captures object %d of %d", name, id, len(m.Objects))
			}
		}
		if fn, ok := m.Functions[name]; ok && len(captures) > len(fn.Args) {
			return fmt.Errorf("function %.80q has %d captures and only %d arguments", name, len(captures), len(fn.Args))
		}
	}
	return nil
}

// entry reads an entry of a map with strings as keys and messages as values. visit gets the field of the value.
func entry(f wire.Field, visit func(key string, value wire.Field) error) error {
	var key []byte
	var value wire.Field
	err := f.Walk(func(f wire.Field) (err error) {
		switch f.Number {
		case 1:
			key, err = f.Bytes()
		case 2:
			value = f
		}
		return err
	})
	if err != nil || value.Number == 0 { // a missing value is an empty one, which nobody needs
		return err
	}
	return visit(string(key), value)
}

func parseSignature(f wire.Field) (Signature, error) {
	s := Signature{Inputs: map[string]string{}, Outputs: map[string]string{}}
	err := f.Walk(func(f wire.Field) error {
		var to map[string]string
		switch f.Number {
		case 1:
			to = s.Inputs
		case 2:
			to = s.Outputs
		default:
			return nil
		}
		return entry(f, func(key string, f wire.Field) error {
			name, err := tensorName(f)
			to[key] = name
			return err
		})
	})
	return s, err
}

// inside calls visit for the fields that the numbers lead to, one number a level.
func inside(f wire.Field, numbers []int, visit func(f wire.Field) error) error {
	if len(numbers) == 0 {
		return visit(f)
	}
	return f.Walk(func(f wire.Field) error {
		if f.Number != numbers[0] {
			return nil
		}
		return inside(f, numbers[1:], visit)
	})
}

// parseAsset reads an AssetFileDef.
func (m *Model) parseAsset(f wire.Field) error {
	var a AssetFile
	err := f.Walk(func(f wire.Field) (err error) {
		switch f.Number {
		case 1:
			a.Tensor, err = tensorName(f)
		case 2:
			var name []byte
			name, err = f.Bytes()
			a.File = string(name)
		}
		return err
	})
	m.Assets = append(m.Assets, a)
	return err
}

// tensorName reads the name in a TensorInfo.
func tensorName(f wire.Field) (string, error) {
	var name []byte
	err := f.Walk(func(f wire.Field) (err error) {
		if f.Number == 1 {
			name, err = f.Bytes()
		}
		return err
	})
	return string(name), err
}

func (m *Model) parseObjects(f wire.Field) error {
	return f.Walk(func(f wire.Field) error {
		switch f.Number {
		case 1:
			o, err := parseObject(f)
			m.Objects = append(m.Objects, o)
			return err
		case 2: // map of SavedConcreteFunction
			return entry(f, func(name string, f wire.Field) error {
				var captures []int64
				err := f.Walk(func(f wire.Field) (err error) {
					if f.Number == 2 {
						captures, err = f.Int64s(captures)
					}
					return err
				})
				m.Captures[name] = captures
				return err
			})
		}
		return nil
	})
}

func parseObject(f wire.Field) (Object, error) {
	var o Object
	err := f.Walk(func(f wire.Field) error {
		switch kind := Kind(f.Number); kind {
		case 1: // children
			c, err := parseChild(f)
			o.Children = append(o.Children, c)
			return err
		case UserObject, Resource, CapturedTensor:
			o.Kind = kind
		case Asset:
			o.Kind = kind
			return f.Walk(func(f wire.Field) (err error) {
				if f.Number == 1 {
					o.Asset, err = f.Int()
				}
				return err
			})
		case FunctionObject, ConcreteFunction:
			o.Kind = kind
			return f.Walk(func(f wire.Field) error {
				if f.Number != 1 {
					return nil
				}
				name, err := f.Bytes()
				o.Functions = append(o.Functions, string(name))
				return err
			})
		case Variable, Constant:
			o.Kind = kind
			number, to := 6, &o.Name
			if kind == Constant {
				number, to = 1, &o.Operation
			}
			return f.Walk(func(f wire.Field) error {
				if f.Number != number {
					return nil
				}
				b, err := f.Bytes()
				*to = string(b)
				return err
			})
		}
		return nil
	})
	return o, err
}

func parseChild(f wire.Field) (Child, error) {
	var c Child
	err := f.Walk(func(f wire.Field) (err error) {
		switch f.Number {
		case 1:
			c.ID, err = f.Int()
		case 2:
			var name []byte
			name, err = f.Bytes()
			c.Name = string(name)
		}
		return err
	})
	return c, err
}
