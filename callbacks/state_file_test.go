package callbacks_test

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"os"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
)

// stateFile is a format of files for these tests: gob of the weights and the encoded state.
type stateFile struct{}

var _ plan.ModelFormat = stateFile{}

// saved is what such a file has.
type saved struct {
	Weights map[string][]float32
	State   []byte
	Floats  map[string][]float32
	Ints    map[string][]int32
}

func (stateFile) Kind() string { return "stateFile" }

func (stateFile) Save(ctx context.Context, path string, m plan.Model, state *plan.TrainingState) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	out := saved{Weights: map[string][]float32{}, Floats: map[string][]float32{}, Ints: map[string][]int32{}}
	for i, values := range m.Weights(nil) {
		out.Weights[m.Parameters()[i].Name()] = values
	}
	if state != nil {
		e, err := state.Encode()
		if err != nil {
			return err
		}
		out.State = e.JSON
		for name, x := range e.Assets {
			switch x := x.(type) {
			case *tensor.Float32:
				out.Floats[name] = x.Data()
			case *tensor.Int32:
				out.Ints[name] = x.Data()
			}
		}
	}
	return writeSaved(path, out)
}

// writeSaved replaces a file as a whole.
func writeSaved(path string, out saved) error {
	f, err := os.Create(path + ".tmp")
	if err != nil {
		return err
	}
	if err := errors.Join(gob.NewEncoder(f).Encode(out), f.Close()); err != nil {
		return err
	}
	return os.Rename(path+".tmp", path)
}

// read reads a file.
func (stateFile) read(path string) (saved, error) {
	var in saved
	f, err := os.Open(path)
	if err != nil {
		return in, err
	}
	defer f.Close()
	return in, gob.NewDecoder(f).Decode(&in)
}

func (s stateFile) LoadState(ctx context.Context, path string, _ plan.Model) (*plan.TrainingState, error) {
	in, err := s.read(path)
	if err != nil {
		return nil, err
	}
	if in.State == nil {
		return nil, fmt.Errorf("%s has no training state", path)
	}
	e := plan.Encoded{JSON: in.State, Assets: map[string]tensor.Rows{}}
	for name, values := range in.Floats {
		if e.Assets[name], err = tensor.Of(values); err != nil {
			return nil, err
		}
	}
	for name, values := range in.Ints {
		if e.Assets[name], err = tensor.Of(values); err != nil {
			return nil, err
		}
	}
	return plan.DecodeState(ctx, e)
}
