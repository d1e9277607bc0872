package plan

import "context"

// ModelFormat writes models to files and reads training states from them. Callbacks save models through it, so that
// they need not know how: model.Format{} is the one for .linnet files. Errors name the file.
type ModelFormat interface {
	Spec
	// Save writes the model to the file at path, whole or not at all: a file that was there before stays as it is until
	// the new one is complete. With a state it writes that too, with the state's weights where it has them.
	Save(ctx context.Context, path string, m Model, state *TrainingState) error
	// LoadState reads the training state, TrainingState.Weights included, from a file that Save wrote with a state. m is the
	// model that goes on from it. An error that is fs.ErrNotExist says that there is no file.
	LoadState(ctx context.Context, path string, m Model) (*TrainingState, error)
}
