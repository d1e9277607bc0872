package example

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/linnet-ml/linnet/callbacks"
	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/internal/atomicfile"
	"github.com/linnet-ml/linnet/internal/shown"
	"github.com/linnet-ml/linnet/model"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/plots"
)

// Saved are the flags for model files.
type Saved struct {
	Save, Load, Resume string
}

// Flags adds the flags to those of a program.
func (s *Saved) Flags(f *flag.FlagSet) {
	f.StringVar(&s.Save, "save", "", "write the model to this `file` after training, with all that -resume needs")
	f.StringVar(&s.Load, "load", "", "train nothing: test the model in this `file`, which -save wrote")
	f.StringVar(&s.Resume, "resume", "", "go on with the training in this `file`, which -save wrote, until -epochs; the result has the bits of one run of that many epochs. Other flags must be what they were")
}

// Check refuses what does not go together. training are the flags that say what is trained, and how; written are flags of
// files that are written, over one another, the model, or what the flags read name.
func (s *Saved) Check(f *flag.FlagSet, given map[string]bool, training, written, read []string) error {
	own := []struct{ name, path string }{{"save", s.Save}, {"load", s.Load}, {"resume", s.Resume}}
	for _, o := range own {
		if err := CheckText(given, o.name, o.path); err != nil {
			return err
		}
	}
	if s.Load != "" {
		for _, name := range slices.Concat([]string{"save", "resume"}, training) {
			if given[name] {
				return Usagef("-%s does not go with -load, which takes the network from its file and trains nothing", name)
			}
		}
	}
	for i, name := range written {
		for _, other := range slices.Concat([]string{"save", "load", "resume"}, written[:i], read) {
			if sameFile(f.Lookup(name).Value.String(), f.Lookup(other).Value.String()) {
				return Usagef("-%s and -%s name the same file", other, name)
			}
		}
	}
	for _, other := range read {
		if sameFile(s.Save, f.Lookup(other).Value.String()) {
			return Usagef("-save and -%s name the same file", other)
		}
	}
	return nil
}

// sameFile reports whether two flags name one plain file, or what would be one. A device may be written to twice.
func sameFile(a, b string) bool {
	if a == "" || b == "" || a == plots.Terminal || b == plots.Terminal || isSpecial(a) {
		return false
	}
	if filepath.Clean(a) == filepath.Clean(b) {
		return true
	}
	x, err := os.Stat(a)
	y, err2 := os.Stat(b)
	return err == nil && err2 == nil && !x.IsDir() && os.SameFile(x, y)
}

// CheckFile finds out before a training that the file of -save cannot be written.
func (s *Saved) CheckFile() error {
	if s.Save == "" {
		return nil
	}
	if err := atomicfile.Check(s.Save); err != nil {
		return fmt.Errorf("-save: %w", err)
	}
	return nil
}

// Settings are flags and their values, by the flag's name: those that a training must share with the one that it goes on
// from.
type Settings map[string]string

// SettingsOf returns the values of the flags of these names.
func SettingsOf(f *flag.FlagSet, names []string) Settings {
	s := Settings{}
	for _, name := range names {
		s[name] = f.Lookup(name).Value.String()
	}
	return s
}

// Set gives the flags of these names the values in the settings.
func (s Settings) Set(f *flag.FlagSet, names []string) error {
	for _, name := range names {
		if err := f.Set(name, s[name]); err != nil {
			return fmt.Errorf("-%s %q: %w", name, s[name], err)
		}
	}
	return nil
}

// Need refuses, for a training with the settings now, those of a file that differ.
func (s Settings) Need(names []string, now Settings) error {
	for _, name := range names {
		if s[name] != now[name] {
			return fmt.Errorf("its training has -%s %s, and this one -%s %s", name, shown.Name(s[name]), name, shown.Name(now[name]))
		}
	}
	return nil
}

// settingsKey is where a file's metadata have the settings of the program of that name.
func settingsKey(program string) string { return "linnet-examples." + program }

// labels are the classes of reviews: 0 and 1.
var labels = []string{"negative", "positive"}

// SaveModel writes the file of the flag -save, if that was given and the training began, and says so on out.
func (s *Saved) SaveModel(ctx context.Context, program string, m *nn.Model, k *Keeper, h *history.History, settings Settings, out io.Writer) error {
	if s.Save == "" || !k.begun {
		return nil
	}
	text, err := json.Marshal(settings)
	if err != nil {
		return err
	}
	err = model.Save(ctx, s.Save, m, model.SaveOptions{State: k.state, Info: model.Info{
		Labels:   map[string][]string{m.OutputNames()[0]: labels},
		History:  h,
		Metadata: map[string]string{settingsKey(program): string(text)},
	}})
	if err != nil {
		return fmt.Errorf("-save: %w", err)
	}
	info, err := os.Stat(s.Save)
	if err != nil {
		return fmt.Errorf("-save: %w", err)
	}
	fmt.Fprintf(out, "Saved as %s (%s).\n", s.Save, size(info.Size()))
	return nil
}

// Open opens a file that SaveModel wrote for the program, and reads its settings.
func Open(ctx context.Context, program, path string) (*model.File, Settings, error) {
	file, err := model.Load(ctx, path, model.LoadOptions{})
	if err != nil {
		return nil, nil, err
	}
	var s Settings
	text, ok := file.Info.Metadata[settingsKey(program)]
	switch {
	case !ok:
		err = fmt.Errorf("%s is not a model that %s saved", path, program)
	case json.Unmarshal([]byte(text), &s) != nil:
		err = fmt.Errorf("%s: the settings of %s in it are damaged", path, program)
	}
	if err != nil {
		return nil, nil, errors.Join(err, file.Close())
	}
	return file, s, nil
}

// OpenLoad opens the file of the flag -load.
func (s *Saved) OpenLoad(ctx context.Context, program string) (*model.File, Settings, error) {
	file, settings, err := Open(ctx, program, s.Load)
	if err != nil {
		return nil, nil, fmt.Errorf("-load: %w", err)
	}
	return file, settings, nil
}

// CheckResume finds out before anything else is read that the training in the file of -resume cannot be gone on with, up
// to this many epochs and with the settings now of these names. It returns the file's settings.
func (s *Saved) CheckResume(ctx context.Context, program string, epochs int, names []string, now Settings) (Settings, error) {
	file, settings, err := Open(ctx, program, s.Resume)
	if err != nil {
		return nil, fmt.Errorf("-resume: %w", err)
	}
	defer file.Close()
	if !file.HasState() {
		return nil, fmt.Errorf("-resume: %s: %w", s.Resume, model.ErrNoState)
	}
	if err := settings.Need(names, now); err != nil {
		return nil, fmt.Errorf("-resume: %s: %w", s.Resume, err)
	}
	if h := file.Info.History; h != nil && len(h.Epochs) > epochs {
		return nil, Usagef("-epochs %d is less than the %d of %s, which -resume goes on from", epochs, len(h.Epochs), s.Resume)
	}
	return settings, nil
}

// State reads the training state from the file of -resume, for the model. Without the flag it is that of a beginning.
func (s *Saved) State(ctx context.Context, m *nn.Model) (*nn.TrainingState, error) {
	if s.Resume == "" {
		return &nn.TrainingState{}, nil
	}
	state, err := model.Format{}.LoadState(ctx, s.Resume, m)
	if err != nil {
		return nil, fmt.Errorf("-resume: %w", err)
	}
	state.From = "-resume " + s.Resume
	return state, nil
}

// GoingOn says what is done of a training, or nothing of one that begins.
func (s *Saved) GoingOn(state *nn.TrainingState) string {
	if s.Resume == "" {
		return ""
	}
	done := Plural(state.Epoch, "epoch")
	if state.Batch > 0 {
		done += " and " + Plural(state.Batch, "step")
	}
	return fmt.Sprintf("Going on from %s, which has %s.\n", s.Resume, done)
}

// Keeper keeps the state of a training for SaveModel. EarlyStopping gives the model the weights of its best epoch when it
// ends; to go on takes those of the last one, and the reason to stop.
type Keeper struct {
	state *nn.TrainingState
	begun bool
}

// Begun reports whether the run that Fit began has a state.
func (k *Keeper) Begun() bool { return k.begun }

// Fit is m.Fit with these options, whose State is that of -resume.
func (k *Keeper) Fit(ctx context.Context, m *nn.Model, d nn.Source, o nn.FitOptions) (*history.History, error) {
	var last *nn.TrainingState
	restores := slices.ContainsFunc(o.Callbacks, func(c nn.Callback) bool {
		stop, ok := c.(callbacks.EarlyStopping)
		return ok && stop.RestoreBest
	})
	o.Callbacks = append(slices.Clone(o.Callbacks), plan.CallbackFunc(func(e plan.Event, t plan.Training) (err error) {
		k.begun = true
		if restores && (e == plan.TrainBegin || e == plan.EpochDone) {
			last = nil // room for the next
			last, err = t.State()
		}
		return err
	}))
	h, err := m.Fit(ctx, d, o)
	k.state = o.State
	if err == nil && restores {
		k.state = last
	}
	return h, err
}

// size is a number of bytes for a reader.
func size(n int64) string {
	if n < 1_000_000 {
		return fmt.Sprintf("%.0f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}
