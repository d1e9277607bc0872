package callbacks

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/linnet-ml/linnet/nn/plan"
)

// BackupAndRestore lets a training that was killed go on where it was (Keras's BackupAndRestore). At the end of each
// epoch, or every some batches, it saves the model with its whole training state to a file. The same program, started
// again, finds the file and goes on from it: weights, History, files of other callbacks such as CSVLogger, and decisions
// such as EarlyStopping's end up the same to the bit as those of a training that was never killed. At the end of training
// the file is deleted.
//
//	model.Fit(ctx, data, nn.FitOptions{…, Callbacks: []nn.Callback{
//		callbacks.CSVLogger{Path: "log.csv"},
//		callbacks.BackupAndRestore{Path: "training.backup", Format: model.Format{}},
//	}})
//
// The file is replaced as a whole: a process that is killed while it saves leaves the backup before (Keras's
// double_checkpoint is not needed). A Fit that ends with an error or a cancelled context leaves the latest backup, too.
//
// Model, data, optimizer and callbacks must be those that the backup was made with. What does not fit is an error that
// names the file; a backup is never passed over. To train anew, delete the file.
//
// A backup comes before FitOptions.State, since the same program is given the same State again. FitOptions.Epochs and
// its default stay what they are without the backup.
type BackupAndRestore struct {
	// Path is the file; its folder is made when there is none. It is required, and belongs to one training at a time.
	Path string
	// Format writes and reads the file: model.Format{}. It is required.
	Format plan.ModelFormat
	// EveryBatches, when it is not 0, saves each time that number of batches has passed, counted through all epochs, in
	// place of the end of each epoch. Keras calls it save_freq.
	EveryBatches int
	// KeepFile leaves the file at the end of training. The same program, started again, then goes on from it, and has
	// nothing to train when it is of the end of the last epoch. Keras has the contrary, delete_checkpoint.
	KeepFile bool
}

var _ plan.Callback = BackupAndRestore{}

// Kind is "BackupAndRestore".
func (c BackupAndRestore) Kind() string { return "BackupAndRestore" }

// Start returns what saves one Fit. A Path that cannot be written is an error.
func (c BackupAndRestore) Start(t plan.Training) (plan.Handler, error) {
	switch {
	case c.Path == "":
		return plan.Handler{}, errors.New("callbacks: BackupAndRestore needs a Path")
	case c.Format == nil:
		return plan.Handler{}, errors.New("callbacks: BackupAndRestore needs a Format, such as model.Format{}")
	case c.EveryBatches < 0:
		return plan.Handler{}, fmt.Errorf("callbacks: BackupAndRestore: EveryBatches %d must not be negative", c.EveryBatches)
	}
	h := &backup{spec: c, training: t}
	if err := checkPath(c.Path); err != nil {
		return plan.Handler{}, h.failed(err)
	}
	return plan.Handler{Handle: h.handle, Resume: h.resume, Save: h.save, Load: h.load}, nil
}

// backup is the state of one Fit.
type backup struct {
	spec     BackupAndRestore
	training plan.Training
	batches  int // since the latest backup
}

// backupState is what the next Fit must know.
type backupState struct {
	Batches int `json:"batches"` // since the latest backup
	// Steps and TestSteps are the numbers of batches in an epoch and in the validation data; 0 when they are not known.
	Steps     int `json:"steps"`
	TestSteps int `json:"test_steps"`
}

func (h *backup) save() (plan.HandlerState, error) {
	return saveValues(h.spec.Kind(), backupState{h.batches, h.training.Steps(), h.training.TestSteps()})
}

// load refuses a state of other data.
func (h *backup) load(s plan.HandlerState) error {
	var read backupState
	if err := loadValues(h.spec.Kind(), s, &read); err != nil {
		return err
	}
	if read.Batches < 0 {
		return fmt.Errorf("callbacks: BackupAndRestore: the saved state has %d batches", read.Batches)
	}
	differ := func(was, is int) bool { return was > 0 && is > 0 && was != is }
	if t := h.training; differ(read.Steps, t.Steps()) || differ(read.TestSteps, t.TestSteps()) {
		return fmt.Errorf("callbacks: BackupAndRestore: the saved state is of a training with %d batches in an epoch and %d in validation, and this one has %d and %d",
			read.Steps, read.TestSteps, t.Steps(), t.TestSteps())
	}
	h.batches = read.Batches
	return nil
}

// resume reads the backup, if there is one.
func (h *backup) resume(ctx context.Context) (*plan.TrainingState, error) {
	s, err := h.spec.Format.LoadState(ctx, h.spec.Path, h.training.Model())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, h.failed(err)
	case s == nil:
		return nil, h.failed(errors.New("it has no training state"))
	}
	s.From = "the backup " + h.spec.Path
	return s, nil
}

// failed names the file in an error.
func (h *backup) failed(err error) error {
	return fmt.Errorf("callbacks: BackupAndRestore: the backup %s: %w", h.spec.Path, err)
}

func (h *backup) handle(e plan.Event, t plan.Training) error {
	switch e {
	case plan.BatchEnd:
		h.batches++
	case plan.BatchDone:
		if n := h.spec.EveryBatches; n > 0 && h.batches >= n {
			return h.write(t)
		}
	case plan.EpochDone:
		if h.spec.EveryBatches == 0 {
			return h.write(t)
		}
	case plan.TrainDone:
		if h.spec.KeepFile {
			return nil
		}
		if err := os.Remove(h.spec.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return h.failed(err)
		}
	}
	return nil
}

func (h *backup) write(t plan.Training) error {
	h.batches = 0
	s, err := t.State()
	if err != nil {
		return err
	}
	if err := saveModel(t.Context(), h.spec.Format, h.spec.Path, t.Model(), s); err != nil {
		return h.failed(err)
	}
	return nil
}
