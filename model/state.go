package model

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/linnet-ml/linnet/internal/safetensors"
	"github.com/linnet-ml/linnet/internal/strictjson"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
)

// state adds a training state. Its weights are left out where they are the model's.
func (w *writing) state(m *nn.Model, s *nn.TrainingState) error {
	if err := s.Check(); err != nil {
		return err
	}
	small := *s
	if isOf(m, s.Weights) {
		small.Weights = nil
	}
	encoded, err := small.Encode()
	if err != nil {
		return err
	}
	w.metadata[stateKey] = string(encoded.JSON)
	for _, name := range slices.Sorted(maps.Keys(encoded.Assets)) {
		entries, err := assetEntries(statePrefix, name, encoded.Assets[name])
		if err != nil {
			return err
		}
		w.entries = append(w.entries, entries...)
	}
	return nil
}

// isOf reports whether weights are, to the bit, those of a model that stores them as float32.
func isOf(m *nn.Model, weights map[string][]float32) bool {
	if len(weights) != len(m.Parameters()) {
		return false
	}
	for _, p := range m.Parameters() {
		w, ok := weights[p.Name()]
		if _, own := p.Storage().(plan.Float32Storage); !own || !ok || !slices.EqualFunc(w, p.Values(), func(a, b float32) bool {
			return math.Float32bits(a) == math.Float32bits(b)
		}) {
			return false
		}
	}
	return true
}

// readState reads the training state of a file. Where that has no weights of its own they are the model's.
func readState(ctx context.Context, f *safetensors.File, m *nn.Model) (*nn.TrainingState, error) {
	text, ok := f.Metadata()[stateKey]
	if !ok {
		return nil, ErrNoState
	}
	assets, err := readAssets(ctx, f, statePrefix)
	if err != nil {
		return nil, err
	}
	s, err := plan.DecodeState(ctx, plan.Encoded{JSON: []byte(text), Assets: assets})
	if err != nil {
		return nil, err
	}
	if s.Weights != nil {
		return s, nil
	}
	s.Weights = map[string][]float32{}
	for _, p := range m.Parameters() {
		storage, err := storageOf(ctx, f, p.Name(), p.Shape(), nil)
		if err != nil {
			return nil, fmt.Errorf("parameter %s: %w", strictjson.Quote(p.Name()), err)
		}
		values, own := storage.(plan.Float32Storage)
		if !own {
			values = make([]float32, storage.Len())
			storage.Read(values, 0)
		}
		s.Weights[p.Name()] = values
	}
	return s, nil
}

// ErrNoState says that a file has a model without the state of its training.
var ErrNoState = errors.New("the file has no training state")

// isTensorOfState reports whether a tensor belongs to the training state.
func isTensorOfState(name string) bool {
	return strings.HasPrefix(name, statePrefix) || strings.HasPrefix(name, endsPrefix+statePrefix)
}
