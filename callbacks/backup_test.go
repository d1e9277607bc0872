package callbacks_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/linnet-ml/linnet/callbacks"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/metrics"
	"github.com/linnet-ml/linnet/model"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/optional"
	"github.com/linnet-ml/linnet/simd"
	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

// format is what the trainings of these tests save in. The same model and state have the same bytes in it.
var format plan.ModelFormat = model.Format{}

// task is a training with much to remember.
type task struct {
	optimizer nn.Optimizer
	format    plan.ModelFormat // nil for format
	every     int              // batches between backups; 0 for the end of each epoch
	epochs    int
	// steer are callbacks of the task's own.
	steer func() []nn.Callback
	// first is a callback before all others, last one after them.
	first, last nn.Callback
	second      nn.Callback // after the backup, where that is first
	backupFirst bool        // the backup stands before the other callbacks
	rows        int
}

// tasks are those whose state is in many places.
func tasks() map[string]task {
	return map[string]task{
		"ReduceLROnPlateau": {optimizer: optim.SGD{LearningRate: 0.25, Momentum: 0.9}, epochs: 5, steer: func() []nn.Callback {
			return []nn.Callback{callbacks.ReduceLROnPlateau{Factor: 0.5, Patience: optional.Of(1)}}
		}},
		"schedule, averages, accumulation": {optimizer: optim.Adam{Schedule: optim.CosineDecay{InitialLearningRate: 0.05, DecaySteps: 20}, Shared: optim.Shared{Average: true, AccumulateSteps: 3}}, epochs: 5},
		"LearningRateScheduler": {optimizer: optim.RMSprop{LearningRate: 0.02}, epochs: 3, steer: func() []nn.Callback {
			return []nn.Callback{callbacks.LearningRateScheduler{Schedule: func(_ int, rate float32) float32 { return rate * 0.75 }}}
		}},
	}
}

// outcome is all that a training leaves behind.
type outcome struct {
	Weights [][]float32
	History string
	Log     string
	Files   []string // names and sums of the contents
}

// train runs a task in a folder, or goes on with it there.
func train(ctx context.Context, folder string, k task) (outcome, error) {
	format := format
	if k.format != nil {
		format = k.format
	}
	rows := k.rows
	if rows == 0 {
		rows = 14
	}
	x, err := tensor.New[float32](rows, 3)
	if err != nil {
		return outcome{}, err
	}
	for i := range x.Data() {
		x.Data()[i] = float32(i*37%101) / 101
	}
	y, err := tensor.New[float32](rows)
	if err != nil {
		return outcome{}, err
	}
	for i := range y.Data() {
		y.Data()[i] = float32(i % 2)
	}
	m, err := nn.NewSequential(
		layers.Dense{Units: 4, Activation: layers.Tanh}, layers.BatchNormalization{}, layers.Dropout{Rate: 0.5}, layers.Dense{Units: 1, Activation: layers.Sigmoid},
	).Build(ctx, nn.Features(3), nn.BuildOptions{Seed: 3})
	if err != nil {
		return outcome{}, err
	}
	losses := []float64{0.9, 0.5, 0.6, 0.7, 0.6, 0.8, 0.6, 0.5, 0.6}
	log, best, states := filepath.Join(folder, "log.csv"), filepath.Join(folder, "best"), filepath.Join(folder, "epochs", "{epoch:02d}-{val_loss:.2f}")
	var list []nn.Callback
	add := func(c ...nn.Callback) {
		for _, c := range c {
			if c != nil {
				list = append(list, c)
			}
		}
	}
	backup := callbacks.BackupAndRestore{Path: filepath.Join(folder, "backup"), Format: format, EveryBatches: k.every}
	add(k.first)
	if k.backupFirst {
		add(backup, k.second)
	}
	add(plan.CallbackFunc(func(e plan.Event, t plan.Training) error {
		if e == plan.EpochEnd && t.Epoch() < len(losses) {
			t.Logs().Set("val_loss", losses[t.Epoch()])
		}
		return nil
	}))
	if k.steer != nil {
		add(k.steer()...)
	}
	add(callbacks.EarlyStopping{Patience: 2, RestoreBest: true},
		callbacks.ModelCheckpoint{Path: best, Format: format, SaveBestOnly: true},
		callbacks.ModelCheckpoint{Path: states, Format: format, State: true},
		callbacks.CSVLogger{Path: log})
	if !k.backupFirst {
		add(backup)
	}
	add(k.last)
	h, err := m.Fit(ctx, nn.Data{X: x, Y: y}, nn.FitOptions{
		Optimizer: k.optimizer, Loss: loss.BinaryCrossentropy{}, Metrics: []nn.Metric{metrics.Accuracy{}}, Epochs: k.epochs, BatchSize: 4,
		ValidationSplit: 0.3, Threads: 1, Callbacks: list,
	})
	if err != nil {
		return outcome{}, err
	}
	text, err := json.Marshal(h)
	if err != nil {
		return outcome{}, err
	}
	csv, err := os.ReadFile(log)
	if err != nil {
		return outcome{}, err
	}
	o := outcome{Weights: m.Weights(nil), History: string(text), Log: string(csv)}
	return o, filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(folder, path)
		o.Files = append(o.Files, fmt.Sprintf("%s %x", filepath.ToSlash(name), sha256.Sum256(content)))
		return err
	})
}

var errKilled = errors.New("killed")

// thorough reports whether tests take the time that they need, as in CI.
// It leaves out the portable kernels: what is saved does not depend on them.
func thorough() bool {
	return os.Getenv("LINNET_REQUIRE_DATA") == "1" && !testing.Short() && simd.Path() != "portable"
}

// inMemory makes a folder in memory, where there is one: that is fast, and files outlive an error and a kill there, too.
func inMemory(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("/dev/shm", "linnet")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(folder); err != nil {
			t.Error(err)
		}
	})
	return folder
}

// killer ends a run at an event.
func killer(at int) nn.Callback {
	return plan.CallbackFunc(func(plan.Event, plan.Training) error {
		if at--; at < 0 {
			return errKilled
		}
		return nil
	})
}

// events counts the events of a run.
func events(n *int) nn.Callback {
	return plan.CallbackFunc(func(plan.Event, plan.Training) error {
		*n++
		return nil
	})
}

// A training that ends anywhere and is started again ends as if it had never ended: weights, history and files, at each of its
// events, before and after the other callbacks, with backups of each batch, of some and of epochs.
func TestBackupGoesOnFromAnyEvent(t *testing.T) {
	for name, k := range tasks() {
		t.Run(name, func(t *testing.T) {
			n := 0
			whole := k
			whole.last = events(&n)
			want, err := train(t.Context(), t.TempDir(), whole)
			if err != nil {
				t.Fatal(err)
			}
			if len(want.Files) < 5 || strings.Contains(strings.Join(want.Files, " "), "backup") {
				t.Fatalf("the callbacks leave %q", want.Files)
			}
			if stopped := strings.Contains(want.History, "early stopping"); stopped != (k.epochs > 4) {
				t.Fatalf("stopped early: %t: %s", stopped, want.History)
			}
			for i, every := range []int{1, 4, 0} {
				for j, place := range []string{"last", "first", "last, with the backup first", "after the backup, which is first"} {
					// The files have the callbacks' states, those of the backup included.
					whole.every, whole.last, whole.backupFirst = every, nil, strings.Contains(place, "backup")
					want, err := train(t.Context(), t.TempDir(), whole)
					if err != nil {
						t.Fatal(err)
					}
					at, step := 0, 1
					switch {
					case thorough():
					case testing.Short() || i+j > 0:
						at, step = i+3*j, 11
					}
					for ; at < n; at += step {
						k := k
						k.every, k.backupFirst = every, strings.Contains(place, "backup")
						folder := inMemory(t)
						killed := k
						switch place {
						case "first":
							killed.first = killer(at)
						case "after the backup, which is first":
							killed.second = killer(at)
						default:
							killed.last = killer(at)
						}
						if _, err := train(t.Context(), folder, killed); err != errKilled {
							t.Fatalf("event %d: %v", at, err)
						}
						got, err := train(t.Context(), folder, k)
						if err != nil {
							t.Fatalf("a backup every %d batches, event %d, %s: %v", every, at, place, err)
						}
						if d := cmp.Diff(want, got); d != "" {
							t.Fatalf("a backup every %d batches, event %d, %s: %s", every, at, place, d)
						}
					}
				}
			}
		})
	}
}

// A training that ends again and again, soon after it goes on, ends all the same.
func TestBackupGoesOnAgainAndAgain(t *testing.T) {
	for name, k := range tasks() {
		k.every = 1
		want, err := train(t.Context(), t.TempDir(), k)
		if err != nil {
			t.Fatal(err)
		}
		folder, starts := t.TempDir(), 0
		var got outcome
		for err = errKilled; err == errKilled; starts++ {
			k.last = killer(20)
			got, err = train(t.Context(), folder, k)
		}
		if err != nil || starts < 4 {
			t.Fatalf("%s: %d starts, %v", name, starts, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// A backup of something else is an error that names the file, and stays.
func TestBackupOfSomethingElse(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "backup")
	k := tasks()["ReduceLROnPlateau"]
	k.every, k.format = 1, stateFile{} // whose files are changed here
	killed := k
	killed.last = killer(45)
	if _, err := train(t.Context(), folder, killed); err != errKilled {
		t.Fatal(err)
	}
	backup, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	state, err := stateFile{}.LoadState(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	other := func(change func(s *plan.TrainingState)) func(*task) {
		return func(*task) {
			s := *state
			change(&s)
			e, err := s.Encode()
			if err != nil {
				t.Fatal(err)
			}
			in, err := stateFile{}.read(path)
			if err != nil {
				t.Fatal(err)
			}
			in.State = e.JSON
			write(t, path, in)
		}
	}
	for name, c := range map[string]struct {
		change func(k *task)
		want   string
	}{
		"optimizer":    {func(k *task) { k.optimizer = optim.Adam{} }, "nn: the backup PATH: the training state"},
		"data":         {func(k *task) { k.rows = 40 }, "nn: the backup PATH: callbacks: BackupAndRestore: the saved state is of a training with 3 batches in an epoch and 2 in validation, and this one has 7 and 3"},
		"callbacks":    {func(k *task) { k.steer = nil }, "nn: the backup PATH: the training state is of the callbacks"},
		"fewer epochs": {func(k *task) { k.epochs = 1 }, "nn: the backup PATH: the training state goes on with epoch"},
		"version":      {other(func(s *plan.TrainingState) { s.Version = 9 }), "callbacks: BackupAndRestore: the backup PATH: the training state has version 9; this version of linnet reads 1"},
		"model":        {func(k *task) { write(t, path, renamed(t, path)) }, "nn: the backup PATH: the training state has no weights of"},
		"no state":     {func(k *task) { write(t, path, saved{}) }, "callbacks: BackupAndRestore: the backup PATH: PATH has no training state"},
		"torn":         {func(k *task) { cut(t, path) }, "callbacks: BackupAndRestore: the backup PATH: "},
		"lost log":     {func(k *task) { cut(t, filepath.Join(folder, "log.csv")) }, "callbacks: CSVLogger: "},
		"early by one": {other(func(s *plan.TrainingState) { s.Batch = 7 }), "nn: the backup PATH: the training state goes on after 7 batches of epoch"},
	} {
		log, err := os.ReadFile(filepath.Join(folder, "log.csv"))
		if err != nil {
			t.Fatal(err)
		}
		changed := k
		c.change(&changed)
		before, _ := os.ReadFile(path)
		_, err = train(t.Context(), folder, changed)
		if want := strings.ReplaceAll(c.want, "PATH", path); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: got  %v\nwant %s", name, err, want)
		}
		if after, _ := os.ReadFile(path); string(after) != string(before) {
			t.Errorf("%s: the backup has changed", name)
		}
		for name, data := range map[string][]byte{path: backup, filepath.Join(folder, "log.csv"): log} {
			if err := os.WriteFile(name, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := train(t.Context(), folder, k); err != nil {
		t.Errorf("the backup itself: %v", err)
	}
}

func write(t *testing.T, path string, s saved) {
	t.Helper()
	if err := writeSaved(path, s); err != nil {
		t.Fatal(err)
	}
}

func renamed(t *testing.T, path string) saved {
	t.Helper()
	in, err := stateFile{}.read(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range in.Floats {
		if rest, ok := strings.CutPrefix(name, "weights/"); ok {
			delete(in.Floats, name)
			in.Floats["weights/other_"+rest] = values
		}
	}
	return in
}

func cut(t *testing.T, path string) {
	t.Helper()
	info, err := os.Stat(path)
	if err == nil {
		err = os.Truncate(path, info.Size()-3)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// KeepFile leaves a backup from which nothing is left to train.
func TestBackupKeepsFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "backup")
	for _, want := range []int{4, 0} { // batches
		batches := 0
		model, data := line()
		h, err := model.Fit(t.Context(), data, nn.FitOptions{
			Optimizer: optim.SGD{LearningRate: 0.1}, Loss: loss.MeanSquaredError{}, Epochs: 4,
			Callbacks: []nn.Callback{callbacks.BackupAndRestore{Path: path, Format: format, KeepFile: true}, plan.CallbackFunc(func(e plan.Event, _ plan.Training) error {
				if e == plan.BatchEnd {
					batches++
				}
				return nil
			})},
		})
		if err != nil || batches != want || len(h.Epochs) != 4 {
			t.Errorf("%d batches, %d epochs, %v; want %d batches", batches, len(h.Epochs), err, want)
		}
	}
}

// A backup of a model with other words is no backup of this one: its rows belong to the old words.
func TestBackupOfAnotherVocabulary(t *testing.T) {
	x, err := tensor.Of([]string{"good film", "bad film", "good", "bad"})
	if err != nil {
		t.Fatal(err)
	}
	y, err := tensor.Of([]float32{1, 0, 1, 0})
	if err != nil {
		t.Fatal(err)
	}
	vectors, err := tensor.Of([]float32{1, 2, 3, 4, 5, 6, 7, 8}, 4, 2)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "backup")
	fit := func(words ...string) error {
		list, err := text.NewVocabulary(t.Context(), words)
		if err != nil {
			t.Fatal(err)
		}
		tokenizer, err := text.NewHubTokenizer(list, text.HubTokenizerOptions{})
		if err != nil {
			t.Fatal(err)
		}
		m, err := nn.NewSequential(layers.TextEmbedding{Table: layers.VectorTable{Words: tokenizer, By: text.Mean, Vectors: vectors}, Trainable: true},
			layers.Dense{Units: 1, Activation: layers.Sigmoid}).Build(t.Context(), nn.Texts(), nn.BuildOptions{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = m.Fit(t.Context(), nn.Data{X: x, Y: y}, nn.FitOptions{Optimizer: optim.SGD{LearningRate: 0.1}, Loss: loss.BinaryCrossentropy{}, Epochs: 2,
			Callbacks: []nn.Callback{callbacks.BackupAndRestore{Path: path, Format: format, KeepFile: true}}})
		return err
	}
	if err := fit("good", "bad", "film"); err != nil {
		t.Fatal(err)
	}
	if err := fit("good", "bad", "film"); err != nil {
		t.Errorf("the same words: %v", err)
	}
	err = fit("bad", "good", "film")
	if err == nil || !strings.Contains(err.Error(), "the backup "+path) || !strings.Contains(err.Error(), `the file is of another model: asset "`) ||
		!strings.HasSuffix(err.Error(), `element 0 is "good" in the file, and "bad" in the model`) {
		t.Errorf("other words: %v", err)
	}
}

func TestBackupErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "backup")
	for want, list := range map[string][]nn.Callback{
		"callbacks: BackupAndRestore needs a Path":                                       {callbacks.BackupAndRestore{Format: format}},
		"callbacks: BackupAndRestore needs a Format, such as model.Format{}":             {callbacks.BackupAndRestore{Path: path}},
		"callbacks: BackupAndRestore: EveryBatches -2 must not be negative":              {callbacks.BackupAndRestore{Path: path, Format: format, EveryBatches: -2}},
		"callbacks: BackupAndRestore: the backup " + filepath.Dir(path) + ": ":           {callbacks.BackupAndRestore{Path: filepath.Dir(path), Format: format}},
		"callbacks: BackupAndRestore: the backup " + path + ": it has no training state": {callbacks.BackupAndRestore{Path: path, Format: noState{}}},
	} {
		model, data := line()
		_, err := model.Fit(t.Context(), data, nn.FitOptions{Optimizer: optim.SGD{}, Loss: loss.MeanSquaredError{}, Callbacks: list})
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

// noState returns neither a state nor an error.
type noState struct{ stateFile }

func (noState) LoadState(context.Context, string, plan.Model) (*plan.TrainingState, error) {
	return nil, nil
}
