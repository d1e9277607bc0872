package model

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/linnet-ml/linnet/internal/strictjson"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
)

// The names in a file that are linnet's. Keys of metadata and names of tensors that do not begin with reserved are the
// user's metadata and the model's parameters.
const (
	reserved      = "linnet."
	formatKey     = "linnet.format"
	modelKey      = "linnet.model"
	historyKey    = "linnet.history"
	stateKey      = "linnet.state"
	classifierKey = "linnet.classifier"
	assetPrefix   = "linnet.asset:"
	endsPrefix    = "linnet.ends:"
	scalesPrefix  = "linnet.scales:"
	statePrefix   = "linnet.state:"
	formatVersion = 1
)

// document is what a file says of the model in JSON, under modelKey.
type document struct {
	// Spec is the *nn.Sequential or *nn.Graph.
	Spec json.RawMessage `json:"spec"`
	// Input is that of a Sequential.
	Input *inputJSON `json:"input,omitempty"`
	Seed  uint64     `json:"seed,string,omitempty"`
	// Frozen are the parameters that their layers would train and that do not train now.
	Frozen []string `json:"frozen,omitempty"`
	Info
}

// inputJSON is an nn.Input. A dimension of -1 is open.
type inputJSON struct {
	Type tensor.Type `json:"type"`
	Dims []int       `json:"dims,omitempty"`
}

// newDocument describes a model. The assets of its spec belong beside it.
func newDocument(m *nn.Model, k *plan.Kinds, info *Info) (*document, map[string]tensor.Rows, error) {
	if m == nil {
		return nil, nil, errors.New("the model is nil")
	}
	spec := m.Spec()
	if spec == nil {
		return nil, nil, errors.New("the model was not built from a Sequential or a Graph")
	}
	encoded, err := k.EncodeWithoutWeights(spec)
	if err != nil {
		return nil, nil, err
	}
	d := &document{Spec: encoded.JSON, Seed: m.Seed(), Frozen: m.Frozen(), Info: *info}
	if _, ok := spec.(*nn.Sequential); ok {
		in := m.SequentialInput()
		d.Input = &inputJSON{Type: in.Type, Dims: in.Dims}
	}
	return d, encoded.Assets, nil
}

// build makes the model that the document describes. The elements of its parameters come from storage.
func (d *document) build(ctx context.Context, k *plan.Kinds, assets map[string]tensor.Rows,
	storage func(string, tensor.Shape) (plan.Storage, error)) (*nn.Model, error) {
	spec, err := k.Decode(ctx, plan.Encoded{JSON: d.Spec, Assets: assets})
	if err != nil {
		return nil, err
	}
	o := nn.BuildOptions{Seed: d.Seed, Storage: storage}
	var m *nn.Model
	switch s := spec.(type) {
	case *nn.Sequential:
		if d.Input == nil {
			return nil, errors.New("a Sequential without an input")
		}
		m, err = s.Build(ctx, nn.Input{Type: d.Input.Type, Dims: slices.Clone(d.Input.Dims)}, o)
	case *nn.Graph:
		if d.Input != nil {
			return nil, errors.New("a Functional model has its inputs in its spec, and no other")
		}
		m, err = s.Build(ctx, o)
	default:
		return nil, fmt.Errorf("a %s is no model", strictjson.Quote(spec.Kind()))
	}
	if err != nil {
		return nil, err
	}
	if len(d.Frozen) > 0 {
		if err := m.SetFrozen(d.Frozen); err != nil {
			return nil, fmt.Errorf("frozen: %w", err)
		}
	}
	return m, d.Info.check(m)
}

// parseFormat checks the version that a file says it has.
func parseFormat(metadata map[string]string) error {
	version, ok := metadata[formatKey]
	if !ok {
		return fmt.Errorf("it is a safetensors file without %q: not one of linnet's models (OpenTensors reads its tensors)", formatKey)
	}
	n, err := strconv.Atoi(version)
	if err != nil || n < 1 || strconv.Itoa(n) != version {
		return fmt.Errorf("%q is %s, not a version", formatKey, strictjson.Quote(version))
	}
	if n > formatVersion {
		return fmt.Errorf("it has version %d of the format, and this linnet reads up to %d: it needs a newer linnet", n, formatVersion)
	}
	return nil
}

// parseDocument reads what is under modelKey.
func parseDocument(ctx context.Context, metadata map[string]string) (*document, error) {
	text, ok := metadata[modelKey]
	if _, classifier := metadata[classifierKey]; classifier {
		return nil, errors.New("it is a classifier, not a model: classifier.Load opens it")
	}
	if !ok {
		return nil, fmt.Errorf("%q is missing", modelKey)
	}
	d := &document{}
	if err := strictjson.Unmarshal(ctx, []byte(text), d); err != nil {
		return nil, fmt.Errorf("%q: %w", modelKey, err)
	}
	if d.Spec == nil || string(d.Spec) == "null" {
		return nil, fmt.Errorf("%q has no spec", modelKey)
	}
	return d, nil
}

// sameModel is an error unless two models have the same layers with the same settings, and the same arrays beside them:
// rows that were trained for one vocabulary mean nothing to another. m is the model of a file.
func sameModel(ctx context.Context, m, other *nn.Model, own []plan.Spec) error {
	k, err := kinds(own)
	if err != nil {
		return err
	}
	var texts [2][]byte
	var assets [2]map[string]tensor.Rows
	for i, m := range []*nn.Model{m, other} {
		d, a, err := newDocument(m, k, &Info{})
		if err != nil {
			return err
		}
		d.Seed, d.Frozen = 0, nil
		if texts[i], err = json.Marshal(d); err != nil {
			return err
		}
		assets[i] = a
	}
	if !bytes.Equal(texts[0], texts[1]) {
		return errors.New("the file is of another model: its layers, or their settings, differ")
	}
	return sameAssets(ctx, assets[0], assets[1])
}
