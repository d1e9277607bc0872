package savedmodel

import (
	"fmt"

	"github.com/linnet-ml/linnet/internal/wire"
)

// CheckpointGraphKey is the tensor of a bundle that holds the objects of a TensorFlow 2 checkpoint: one string, a
// TrackableObjectGraph.
const CheckpointGraphKey = "_CHECKPOINTABLE_OBJECT_GRAPH"

// variableValue is the name that a variable's one attribute has in a checkpoint.
const variableValue = "VARIABLE_VALUE"

// checkpointObject is an object of a checkpoint. Its number need not be that of the same object in the model.
type checkpointObject struct {
	children []Child
	keys     map[string]string // by attribute: the key of the tensor in the bundle
}

// CheckpointKeys says under which key the bundle beside the model holds each variable, by the variable's place in
// m.Objects. graph is the string under CheckpointGraphKey. As TensorFlow does, it follows the names of attributes
// from the root in both graphs at once: numbers and names of variables do not identify them.
func (m *Model) CheckpointKeys(graph []byte) (map[int]string, error) {
	objects, err := parseCheckpoint(graph)
	if err != nil {
		return nil, fmt.Errorf("savedmodel: objects of the checkpoint: %w", err)
	}
	keys := map[int]string{}
	if len(objects) == 0 || len(m.Objects) == 0 {
		return keys, nil
	}
	type pair struct{ model, checkpoint int }
	seen := map[int]bool{0: true}
	for queue := []pair{{0, 0}}; len(queue) > 0; queue = queue[1:] {
		model, checkpoint := &m.Objects[queue[0].model], &objects[queue[0].checkpoint]
		if key, ok := checkpoint.keys[variableValue]; ok && model.Kind == Variable {
			keys[queue[0].model] = key
		}
		ids := make(map[string]int, len(checkpoint.children))
		for _, c := range checkpoint.children {
			ids[c.Name] = c.ID
		}
		for _, c := range model.Children {
			if id, ok := ids[c.Name]; ok && !seen[c.ID] {
				seen[c.ID] = true
				queue = append(queue, pair{c.ID, id})
			}
		}
	}
	return keys, nil
}

// parseCheckpoint reads a TrackableObjectGraph.
func parseCheckpoint(b []byte) ([]checkpointObject, error) {
	var objects []checkpointObject
	err := wire.Walk(b, func(f wire.Field) error {
		if f.Number != 1 {
			return nil
		}
		o := checkpointObject{}
		err := f.Walk(func(f wire.Field) error {
			switch f.Number {
			case 1:
				c, err := parseChild(f)
				o.children = append(o.children, c)
				return err
			case 2: // SerializedTensor
				var name, key []byte
				err := f.Walk(func(f wire.Field) (err error) {
					switch f.Number {
					case 1:
						name, err = f.Bytes()
					case 3:
						key, err = f.Bytes()
					}
					return err
				})
				if o.keys == nil {
					o.keys = map[string]string{}
				}
				o.keys[string(name)] = string(key)
				return err
			}
			return nil
		})
		objects = append(objects, o)
		return err
	})
	if err != nil {
		return nil, err
	}
	for i, o := range objects {
		for _, c := range o.children {
			if c.ID >= len(objects) {
				return nil, fmt.Errorf("object %d: child %.80q is object %d of %d", i, c.Name, c.ID, len(objects))
			}
		}
	}
	return objects, nil
}
