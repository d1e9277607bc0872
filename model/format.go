package model

import (
	"context"
	"errors"
	"fmt"

	"github.com/linnet-ml/linnet/internal/shown"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
)

// Format is the plan.ModelFormat of model files: with it callbacks.ModelCheckpoint and callbacks.BackupAndRestore write what
// [Save] writes.
type Format struct {
	Info Info
	// Kinds are as in SaveOptions.
	Kinds []plan.Spec
}

// Kind is "ModelFormat".
func (Format) Kind() string { return "ModelFormat" }

// Save writes the model to the file at path, as the function Save does. Callbacks call it, which the training waits for; at
// other times the model must not train meanwhile.
func (f Format) Save(ctx context.Context, path string, m plan.Model, state *plan.TrainingState) error {
	own, ok := m.(*nn.Model)
	if !ok {
		return fmt.Errorf("model: a %T cannot be saved", m)
	}
	return Save(ctx, path, own, SaveOptions{State: state, Info: f.Info, Kinds: f.Kinds})
}

// LoadState reads the training state in the file at path. The file must be of the same model as m: of the same layers and
// settings, and of the same arrays beside them, such as a vocabulary. Whether the state fits the training, Fit says.
func (f Format) LoadState(ctx context.Context, path string, m plan.Model) (_ *plan.TrainingState, err error) {
	own, ok := m.(*nn.Model)
	if !ok {
		return nil, fmt.Errorf("model: a %T cannot be loaded", m)
	}
	file, err := Load(ctx, path, LoadOptions{Kinds: f.Kinds})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := sameModel(ctx, file.Model, own, f.Kinds); err != nil {
		return nil, shown.Errorf("model: %s: %w", path, err)
	}
	return file.State(ctx)
}
