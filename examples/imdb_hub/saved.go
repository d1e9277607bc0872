package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/linnet-ml/linnet/examples/internal/example"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/text"
)

// The two trainings of the tutorial. A file says under trainingKey which of them it is of; the second begins anew, so that
// it needs nothing of the first.
const (
	trainingKey  = "training"
	allEpochs    = "all epochs"
	stoppedEarly = "stopped early"
)

// moduleSettings are what a training that goes on must share besides flags, named as the flags that decide them: which
// module and which texts were found, and the scale that was taken.
var moduleSettings = []string{"module", "scale", "data"}

// settings are what a file of -save says of its training.
func (t *tutorial) settings(training string) example.Settings {
	s := example.SettingsOf(t.set, append(slices.Clone(settingFlags), "patience"))
	texts := "texts"
	if t.builtin {
		texts = builtinName
	}
	maps.Copy(s, example.Settings{trainingKey: training, "module": t.module.Name(), "scale": strconv.FormatFloat(t.scale, 'g', -1, 64), "data": texts})
	return s
}

// checkResume finds out first of all whether the training in the file of -resume can go on.
func (t *tutorial) checkResume(ctx context.Context) (err error) {
	if t.saved.Resume == "" {
		return nil
	}
	names := append(slices.Clone(settingFlags), "patience")
	now := example.SettingsOf(t.set, names)
	t.resumed, err = t.saved.CheckResume(ctx, programName, t.epochs, settingFlags, now)
	if err == nil && t.goesOnStopping() {
		if err = t.resumed.Need(names, now); err != nil {
			err = fmt.Errorf("-resume: %s: %w", t.saved.Resume, err)
		}
	}
	return err
}

// checkModule finds out before the first step whether the training in the file of -resume was one with the module, its scale
// and the reviews of this run.
func (t *tutorial) checkModule(ctx context.Context) error {
	if t.saved.Resume == "" {
		return nil
	}
	if err := t.loadModule(ctx); err != nil {
		return err
	}
	if err := t.resumed.Need(moduleSettings, t.settings("")); err != nil {
		return fmt.Errorf("-resume: %s: %w", t.saved.Resume, err)
	}
	return nil
}

// goesOnStopping reports whether this run goes on with the training that stops early.
func (t *tutorial) goesOnStopping() bool { return t.resumed[trainingKey] == stoppedEarly }

// goOnStopping goes on with the training that stops early.
func (t *tutorial) goOnStopping(ctx context.Context) error {
	t.heading("Train the model")
	state, err := t.saved.State(ctx, t.model)
	if err != nil {
		return err
	}
	fmt.Fprintf(t.out, "%sIt stops in time: callbacks.EarlyStopping{Patience: %d, RestoreBest: true}.\n", t.saved.GoingOn(state), t.patience)
	return t.fitStopping(ctx, state)
}

func (t *tutorial) scoreStopped(ctx context.Context) error {
	t.heading("Evaluate the model")
	return t.testStopped(ctx)
}

// runLoaded tests the model of -load and trains nothing.
func (t *tutorial) runLoaded(ctx context.Context) (err error) {
	defer func() { err = example.OfTest(err) }()
	file, settings, err := t.saved.OpenLoad(ctx, programName)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := t.setLoaded(settings); err != nil {
		return fmt.Errorf("-load: the settings in %s: %v", t.saved.Load, err)
	}
	if t.tokenizer, t.words, err = tokenizerOf(file.Model); err != nil {
		return fmt.Errorf("-load: %s: %w", t.saved.Load, err)
	}
	t.model = file.Model
	if err := find(t.options); err != nil {
		return err
	}
	t.showVersions()
	if err := t.getData(ctx); err != nil {
		return err
	}
	t.heading("Load the model")
	fmt.Fprint(t.out, t.out.Summary(t.model))
	epochs := 0
	if h := file.Info.History; h != nil {
		epochs = len(h.Epochs)
	}
	fmt.Fprintf(t.out, "From: %s, trained for %s.\n", t.saved.Load, example.Plural(epochs, "epoch"))
	t.heading("Evaluate the model")
	start := time.Now()
	if t.testing, err = t.count(ctx, t.test); err != nil {
		return err
	}
	t.report.TokeniseTestS = time.Since(start).Seconds()
	t.report.TokeniseS = t.report.TokeniseTestS
	t.report.FullWeightsSHA256 = example.WeightsSHA256(t.model)
	loss, accuracy, err := t.score(ctx, t.saved.Load, &t.report.Full.EvaluateS)
	if err != nil {
		return err
	}
	t.report.FullTestLoss, t.report.FullTestAccuracy = example.Number(loss), example.Number(accuracy)
	fmt.Fprintf(t.out, "Weights sha256 %s\n", t.report.FullWeightsSHA256)
	return errors.Join(t.scoreText(ctx), example.WriteReport(t.Report, &t.report))
}

// setLoaded makes the report say how a loaded model was trained.
func (t *tutorial) setLoaded(s example.Settings) (err error) {
	if err := cmp.Or(s.Set(t.set, []string{"trainable", "seed"}), t.check()); err != nil {
		return err
	}
	t.report.Trainable, t.report.Seed, t.report.Module = t.trainable, t.seed, s["module"]
	t.report.Scale, err = strconv.ParseFloat(s["scale"], 64)
	return err
}

// tokenizerOf returns what turns texts into ids in a model of this program, and how many of these are words.
func tokenizerOf(m *nn.Model) (*text.HubTokenizer, int, error) {
	if s, ok := m.Spec().(*nn.Sequential); ok && len(s.Layers) > 0 {
		if embedding, ok := s.Layers[0].(layers.TextEmbedding); ok {
			if hub, ok := embedding.Table.Tokenizer().(*text.HubTokenizer); ok {
				assets, err := hub.Assets()
				if err != nil {
					return nil, 0, err
				}
				return hub, assets["words"].Len(), nil
			}
		}
	}
	return nil, 0, errors.New("its first layer is not a TextEmbedding with the tokenizer of a text module")
}
