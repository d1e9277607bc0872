package callbacks

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/internal/shown"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optional"
)

// ModelCheckpoint saves the model to a file at the end of each epoch, of each that is better than all before, or every some
// batches (Keras's ModelCheckpoint, with the same decisions). A file is replaced as a whole: a process that is killed
// while it saves leaves the file before. What a file has are the weights as they are during training, not moving
// averages, which the model gets at the end of the Fit.
//
// To go on after a process was killed there is BackupAndRestore.
type ModelCheckpoint struct {
	// Path is where the file goes; its folder is made when there is none. It is required, and may have fields in braces, as
	// in Python's str.format, to give each file a name of its own:
	//
	//	checkpoints/{epoch:02d}-{val_loss:.2f}.linnet      checkpoints/05-0.31.linnet
	//
	// Fields are epoch and, with EveryBatches, batch, both counted from 1, and the names in the logs. After the colon may
	// stand a width, with a zero before it to fill with zeros, a precision, and one of the letters d (whole numbers), e, f
	// and g (with 6 digits, unless a precision says otherwise). Doubled braces stand for braces.
	Path string
	// Format writes the file: model.Format{}. It is required.
	Format plan.ModelFormat
	// SaveBestOnly saves a model only if the number that Monitor names is better than in all saved before. The first is
	// always saved, unless there is an InitialValue. Any number is better than a NaN that came first, where in Keras nothing
	// is; no NaN is better than a number.
	SaveBestOnly bool
	// Monitor is the name of the number in the logs. The default is "val_loss".
	Monitor string
	// Mode says which numbers are better. By default the metric does: lower losses, higher accuracies.
	Mode history.Direction
	// InitialValue is what the number must be better than for the first model to be saved: that of a checkpoint from
	// before, such as one that training goes on from. The default is none. Keras calls it initial_value_threshold.
	InitialValue optional.Value[float64]
	// EveryBatches, when it is not 0, saves each time that number of batches has passed, counted through all epochs, in
	// place of the end of an epoch. The logs are then those of the epoch so far, without validation.
	EveryBatches int
	// State saves the training state, too, from which another Fit can go on (FitOptions.State). It takes about three
	// times the space with Adam.
	State bool
	// Log, when given, is told of each decision, as Keras prints it with verbose=1. log.Printf fits.
	Log func(format string, args ...any) `json:"-"`
}

var _ plan.Callback = ModelCheckpoint{}

// Kind is "ModelCheckpoint".
func (c ModelCheckpoint) Kind() string { return "ModelCheckpoint" }

// Start returns what saves the models of one Fit. From one Fit to the next it remembers the best number and the batches
// since the last file. A Path that cannot be read or written is an error, and so are fields and a Monitor that are known never to be
// logged. Other names are looked up at the end of the first epoch, since callbacks may add to the logs.
func (c ModelCheckpoint) Start(t plan.Training) (plan.Handler, error) {
	h := &modelCheckpoint{spec: c}
	if err := h.begin(t); err != nil {
		return plan.Handler{}, fmt.Errorf("callbacks: ModelCheckpoint: %w", err)
	}
	var err error
	if h.monitor, err = newMonitor("ModelCheckpoint", c.Monitor, c.Mode, 0); err != nil {
		return plan.Handler{}, err
	}
	if c.SaveBestOnly && c.EveryBatches > 0 && !slices.Contains(t.LogNames(), h.monitor.name) {
		return plan.Handler{}, fmt.Errorf("callbacks: ModelCheckpoint: %q is not logged after a batch; the logs are %s",
			h.monitor.name, shown.Names(t.LogNames()))
	}
	if err := checkThreshold("ModelCheckpoint", "InitialValue", c.InitialValue); err != nil {
		return plan.Handler{}, err
	}
	if v, ok := c.InitialValue.Get(); ok {
		h.Seen, h.Best = true, number(v)
	}
	if err := h.path.check(); err != nil {
		return plan.Handler{}, fmt.Errorf("callbacks: ModelCheckpoint: %w", err)
	}
	return plan.Handler{Handle: h.handle, Save: h.save, Load: h.load}, nil
}

// modelCheckpoint is the state of one Fit.
type modelCheckpoint struct {
	spec    ModelCheckpoint
	path    pathTemplate
	monitor monitor
	modelCheckpointState
}

// modelCheckpointState is what the next Fit must know.
type modelCheckpointState struct {
	Batches int    `json:"batches"` // since the last file, where batches count
	Seen    bool   `json:"seen"`
	Best    number `json:"best"` // once seen
	// Due is a file that was decided on and is not written yet. It has a training state, which is complete only after all
	// callbacks had their turn; one of them may ask for a state before that.
	Due *checkpoint `json:"due,omitempty"`
}

// checkpoint is what the name of a file is made from.
type checkpoint struct {
	Epoch int               `json:"epoch"` // from 1
	Batch int               `json:"batch,omitempty"`
	Logs  map[string]number `json:"logs"`
}

// begin checks the settings.
func (h *modelCheckpoint) begin(t plan.Training) error {
	c := &h.spec
	switch {
	case c.Path == "":
		return errors.New("it needs a Path")
	case c.Format == nil:
		return errors.New("it needs a Format, such as model.Format{}")
	case c.EveryBatches < 0:
		return fmt.Errorf("EveryBatches %d must not be negative", c.EveryBatches)
	}
	var err error
	if h.path, err = parsePath(c.Path); err != nil {
		return err
	}
	for _, f := range h.path.fields {
		switch {
		case f.name == "epoch":
		case f.name == "batch" && c.EveryBatches == 0:
			return fmt.Errorf("the Path %q has a field for the batch, and EveryBatches is 0", c.Path)
		case f.name == "batch" || c.EveryBatches == 0:
		case !slices.Contains(t.LogNames(), f.name):
			return fmt.Errorf("the Path %q has a field %q, which is not logged after a batch; the logs are %s", c.Path, f.name, shown.Names(t.LogNames()))
		}
	}
	return nil
}

func (h *modelCheckpoint) save() (plan.HandlerState, error) {
	return saveValues(h.spec.Kind(), h.modelCheckpointState)
}

func (h *modelCheckpoint) load(s plan.HandlerState) error {
	var read modelCheckpointState
	if err := loadValues(h.spec.Kind(), s, &read); err != nil {
		return err
	}
	if read.Batches < 0 || read.Due != nil && (read.Due.Epoch < 1 || read.Due.Batch < 0) {
		return fmt.Errorf("callbacks: ModelCheckpoint: the saved state has %d batches since the last file, and %+v to write", read.Batches, read.Due)
	}
	h.modelCheckpointState = read
	return nil
}

func (h *modelCheckpoint) handle(e plan.Event, t plan.Training) error {
	var err error
	switch e {
	case plan.BatchEnd:
		if h.spec.EveryBatches == 0 {
			return nil
		}
		if h.Batches++; h.Batches >= h.spec.EveryBatches {
			h.Batches = 0
			err = h.decide(t, t.Step()+1)
		}
	case plan.EpochEnd:
		if h.spec.EveryBatches == 0 {
			err = h.decide(t, 0)
		}
	case plan.TrainBegin, plan.BatchDone, plan.EpochDone:
		err = h.writeDue(t)
	}
	return err
}

// decide saves the model, or lets it be. The file is there before any callback can ask for a state that knows of it,
// except for one with a state of its own.
func (h *modelCheckpoint) decide(t plan.Training, batch int) error {
	due := &checkpoint{Epoch: t.Epoch() + 1, Batch: batch, Logs: map[string]number{}}
	for name, v := range t.Logs().All() {
		due.Logs[name] = number(v)
	}
	path, err := h.path.of(due)
	if err != nil {
		return fmt.Errorf("callbacks: ModelCheckpoint: %w; there are %s%s", err, names(t.Logs()), h.hint(t))
	}
	if h.spec.SaveBestOnly {
		v, err := h.monitor.current(t)
		if err != nil {
			return err
		}
		if h.Seen && !h.monitor.better(v, float64(h.Best)) {
			h.log("Epoch %d: %s did not improve from %.5f", due.Epoch, h.monitor.name, float64(h.Best))
			return nil
		}
		if h.Seen {
			h.log("Epoch %d: %s improved from %.5f to %.5f, saving model to %s", due.Epoch, h.monitor.name, float64(h.Best), v, path)
		} else {
			h.log("Epoch %d: %s is %.5f, saving model to %s", due.Epoch, h.monitor.name, v, path)
		}
		h.Seen, h.Best = true, number(v)
	} else {
		h.log("Epoch %d: saving model to %s", due.Epoch, path)
	}
	if h.spec.State {
		h.Due = due
		return nil
	}
	return h.write(t, path, nil)
}

// hint explains a field of Path that is not logged.
func (h *modelCheckpoint) hint(t plan.Training) string {
	for _, f := range h.path.fields {
		if s := hint(f.name, t); s != "" {
			return s
		}
	}
	return ""
}

// writeDue writes a file with a training state, now that it is complete. At the beginning of a Fit that goes on this is
// the file that the Fit before was about to write.
func (h *modelCheckpoint) writeDue(t plan.Training) error {
	due := h.Due
	if due == nil || !h.spec.State {
		return nil
	}
	path, err := h.path.of(due)
	if err != nil {
		return fmt.Errorf("callbacks: ModelCheckpoint: %w", err)
	}
	h.Due = nil // for the state that the file gets
	state, err := t.State()
	if err == nil {
		err = h.write(t, path, state)
	}
	if err != nil {
		h.Due = due
	}
	return err
}

func (h *modelCheckpoint) write(t plan.Training, path string, state *plan.TrainingState) error {
	if err := saveModel(t.Context(), h.spec.Format, path, t.Model(), state); err != nil {
		return fmt.Errorf("callbacks: ModelCheckpoint: %w", err)
	}
	return nil
}

// saveModel writes a model to a file, in a folder that is made when there is none.
func saveModel(ctx context.Context, f plan.ModelFormat, path string, m plan.Model, state *plan.TrainingState) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return f.Save(ctx, path, m, state)
}

// log tells what is done. Names of logs are foreign text, and they may be in the path.
func (h *modelCheckpoint) log(format string, args ...any) {
	if h.spec.Log != nil {
		for i, a := range args {
			if s, ok := a.(string); ok {
				args[i] = shown.Text(s)
			}
		}
		h.spec.Log(format, args...)
	}
}
