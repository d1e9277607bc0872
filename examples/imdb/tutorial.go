package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/linnet-ml/linnet/callbacks"
	"github.com/linnet-ml/linnet/examples/internal/example"
	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/metrics"
	"github.com/linnet-ml/linnet/model"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/tensor"
)

// tutorial is one walk through the steps.
type tutorial struct {
	*options
	report   report
	out      *example.Page // the steps; nowhere with -quiet
	result   *example.Page
	progress io.Writer // nil with -quiet
	steps    int       // that have begun

	data        dataset
	train, test nn.Data
	partial     nn.Data // of train, without the reviews that validate
	validation  nn.Data
	file        *model.File // of -load
	model       *nn.Model
	fit         nn.FitOptions
	keeper      example.Keeper
	past        *history.History
	interrupted bool
}

func newTutorial(o *options, stdout, stderr io.Writer) *tutorial {
	page := example.NewPage(stdout)
	t := &tutorial{options: o, report: newReport(o), out: page, result: page, progress: stderr}
	if o.Quiet {
		t.out, t.progress = example.NoPage(), nil
	}
	return t
}

// run goes through the steps. When ctx ends during the training it goes on with what was reached, and returns ctx's
// error at the end. What cannot be written is an error at the end, too, and keeps nothing else from being written.
func (t *tutorial) run(ctx context.Context) error { return t.result.End(t.runSteps(ctx)) }

func (t *tutorial) runSteps(ctx context.Context) error {
	if err := t.CheckFiles(&t.saved, t.result); err != nil {
		return err
	}
	if t.saved.Load != "" {
		return t.runLoaded(ctx)
	}
	if t.saved.Resume != "" {
		if _, err := t.saved.CheckResume(ctx, programName, t.epochs, settingFlags, example.SettingsOf(t.set, settingFlags)); err != nil {
			return err
		}
	}
	if err := find(t.options); err != nil {
		return err
	}
	t.showVersions()
	for _, step := range []func(context.Context) error{t.getData, t.exploreData, t.prepareData, t.buildModel, t.setApart, t.trainModel} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	after := context.WithoutCancel(ctx)
	failed := []error{t.save(after)}
	for _, step := range []func(context.Context) error{t.evaluate, t.showHistory, t.scoreText} {
		failed = append(failed, step(after))
	}
	failed = append(failed, example.WriteReport(t.Report, &t.report), example.WriteHistory(t.History, t.past))
	if t.interrupted {
		failed = append(failed, example.Interrupted{Epochs: len(t.past.Epochs), Of: t.epochs})
	}
	return errors.Join(failed...)
}

// runLoaded tests the model of -load and trains nothing.
func (t *tutorial) runLoaded(ctx context.Context) (err error) {
	defer func() { err = example.OfTest(err) }()
	if err := t.openModel(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.file.Close()) }()
	if err := find(t.options); err != nil {
		return err
	}
	t.showVersions()
	for _, step := range []func(context.Context) error{t.getData, t.prepareData, t.showModel, t.evaluate} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return errors.Join(t.scoreText(ctx), example.WriteReport(t.Report, &t.report))
}

// openModel opens the file of -load. What the network reads is what it was trained on.
func (t *tutorial) openModel(ctx context.Context) error {
	file, settings, err := t.saved.OpenLoad(ctx, programName)
	if err != nil {
		return err
	}
	names := slices.DeleteFunc(slices.Clone(settingFlags), func(name string) bool { return t.given[name] }) // -batch
	if err := cmp.Or(settings.Set(t.set, names), t.check()); err != nil {
		return errors.Join(fmt.Errorf("-load: the settings in %s: %v", t.saved.Load, err), file.Close())
	}
	t.file, t.model = file, file.Model
	return nil
}

// heading begins a step.
func (t *tutorial) heading(title string) {
	t.steps++
	text := example.Heading(t.steps, title)
	if t.steps == 1 {
		text = strings.TrimPrefix(text, "\n")
	}
	fmt.Fprint(t.out, text)
}

func (t *tutorial) showVersions() {
	t.heading("Versions")
	fmt.Fprint(t.out, example.Versions(t.Threads))
}

func (t *tutorial) getData(ctx context.Context) (err error) {
	t.heading("Get the reviews")
	start := time.Now()
	t.data, t.report.Data, err = load(ctx, t.options, t.progress)
	t.report.LoadS = time.Since(start).Seconds()
	if err != nil {
		return err
	}
	fmt.Fprintf(t.out, "From: %s (%.2f s)\n", t.report.Data, t.report.LoadS)
	if t.report.Data == dataBuiltin {
		t.out.Print(getReviews)
	}
	return nil
}

func (t *tutorial) exploreData(context.Context) error {
	t.heading("Explore the data")
	train, _ := t.data.labels()
	fmt.Fprintf(t.out, "Training entries: %d, labels: %d\n", len(train), len(train))
	fmt.Fprintf(t.out, "A label is 1 for a good review and 0 for a bad one; the first is %d.\n", train[0])
	t.data.explore(t.out)
	return nil
}

func (t *tutorial) prepareData(context.Context) error {
	t.heading("Prepare the data")
	start := time.Now()
	train, test, err := t.data.prepare(t.options)
	t.report.PadS = time.Since(start).Seconds()
	if err != nil {
		return err
	}
	t.data.showPrepared(t.out)
	trainLabels, testLabels := t.data.labels()
	if t.train, err = labelled(train, trainLabels); err != nil {
		return err
	}
	t.test, err = labelled(test, testLabels)
	return err
}

func labelled(x tensor.Rows, labels []int32) (nn.Data, error) {
	y, err := tensor.Of(labels)
	return nn.Data{X: x, Y: y}, err
}

func (t *tutorial) buildModel(ctx context.Context) (err error) {
	t.heading("Build the model")
	in := nn.Tokens(nn.AnyLength)
	stack := []nn.Layer{
		layers.Embedding{Vocabulary: t.words, Dim: t.dim},
		layers.GlobalAveragePooling1D{},
		layers.Dense{Units: t.units, Activation: layers.ReLU},
		layers.Dense{Units: 1, Activation: layers.Sigmoid},
	}
	if t.input == inputMultiHot {
		in = nn.SparseFeatures(t.words)
		stack = []nn.Layer{
			layers.Dense{Units: t.units, Activation: layers.ReLU},
			layers.Dense{Units: t.units, Activation: layers.ReLU},
			layers.Dense{Units: 1, Activation: layers.Sigmoid},
		}
	}
	if t.model, err = nn.NewSequential(stack...).Build(ctx, in, nn.BuildOptions{Seed: t.seed}); err != nil {
		return err
	}
	fmt.Fprint(t.out, t.out.Summary(t.model))
	t.compile()
	fmt.Fprintf(t.out, "Optimizer: adam (rate %v). Loss: %s. Metric: accuracy.\n", t.lr, t.fit.Loss.Kind())
	return nil
}

func (t *tutorial) showModel(context.Context) error {
	t.heading("Load the model")
	fmt.Fprint(t.out, t.out.Summary(t.model))
	t.compile()
	epochs := "0 epochs"
	if h := t.file.Info.History; h != nil {
		epochs = example.Plural(len(h.Epochs), "epoch")
	}
	fmt.Fprintf(t.out, "From: %s, trained for %s. Loss: %s.\n", t.saved.Load, epochs, t.fit.Loss.Kind())
	t.report.WeightsSHA256 = example.WeightsSHA256(t.model)
	return nil
}

// compile says how the network is trained and tested.
func (t *tutorial) compile() {
	t.fit = nn.FitOptions{
		Optimizer: optim.Adam{LearningRate: float32(t.lr), SquareOccurrences: t.adam == adamKeras3}, Loss: loss.BinaryCrossentropy{}, Metrics: []nn.Metric{metrics.Accuracy{}},
		Epochs: t.epochs, BatchSize: t.batch, Threads: t.Threads,
	}
	if t.options.loss == lossMSE {
		t.fit.Loss = loss.MeanSquaredError{}
	}
}

func (t *tutorial) setApart(context.Context) error {
	t.heading("Set reviews apart for validation")
	y := t.train.Y.(*tensor.Int32)
	n := y.Len()
	t.validation = nn.Data{X: part(t.train.X, 0, validationRows), Y: y.Rows(0, validationRows)}
	t.partial = nn.Data{X: part(t.train.X, validationRows, n), Y: y.Rows(validationRows, n)}
	fmt.Fprintf(t.out, "The first %d validate, %d remain to train on.\n", validationRows, n-validationRows)
	return nil
}

func (t *tutorial) trainModel(ctx context.Context) (err error) {
	t.heading("Train the model")
	fmt.Fprintf(t.out, "%s of %d steps of %d reviews.\n", example.Plural(t.epochs, "epoch"), (t.partial.X.Len()+t.batch-1)/t.batch, t.batch)
	if t.fit.State, err = t.saved.State(ctx, t.model); err != nil {
		return err
	}
	fmt.Fprint(t.out, t.saved.GoingOn(t.fit.State))
	before := t.fit.State.Epoch
	t.fit.Validation = t.validation
	if t.progress != nil {
		t.fit.Callbacks = append(t.fit.Callbacks, callbacks.Progress(t.progress))
	}
	if t.patience != example.NoPatience {
		t.fit.Callbacks = append(t.fit.Callbacks, callbacks.EarlyStopping{Patience: t.patience, RestoreBest: true})
	}
	start := time.Now()
	begun := start
	t.fit.Callbacks = append(t.fit.Callbacks, plan.CallbackFunc(func(e plan.Event, _ plan.Training) error {
		if e == plan.EpochEnd {
			now := time.Now()
			t.report.EpochS = append(t.report.EpochS, now.Sub(begun).Seconds())
			begun = now
		}
		return nil
	}))
	t.past, err = t.keeper.Fit(ctx, t.model, t.partial, t.fit)
	t.report.FitS = time.Since(start).Seconds()
	if err != nil && (!errors.Is(err, context.Canceled) || t.saved.Resume != "" && !t.keeper.Begun()) {
		return example.SmallerRate(err, t.lr)
	}
	t.interrupted = err != nil
	t.report.Interrupted = t.interrupted
	if t.past.Stopped != "" {
		fmt.Fprintf(t.out, "%s\n", t.past.Stopped)
	}
	fmt.Fprintf(t.out, "%s in %.2f s.\n", example.Plural(len(t.past.Epochs)-before, "epoch"), t.report.FitS)
	t.report.WeightsSHA256 = example.WeightsSHA256(t.model)
	t.report.History, err = example.History(t.past)
	return err
}

func (t *tutorial) save(ctx context.Context) error {
	return t.saved.SaveModel(ctx, programName, t.model, &t.keeper, t.past, example.SettingsOf(t.set, settingFlags), t.out)
}

func (t *tutorial) evaluate(ctx context.Context) error {
	t.heading("Evaluate the model")
	start := time.Now()
	logs, err := t.model.Evaluate(ctx, t.test, nn.EvaluateOptions{Loss: t.fit.Loss, Metrics: t.fit.Metrics, BatchSize: t.batch, Threads: t.Threads})
	t.report.EvaluateS = time.Since(start).Seconds()
	if err != nil {
		return err
	}
	testLoss, _ := logs.Get("loss")
	accuracy, _ := logs.Get("accuracy")
	t.report.TestLoss, t.report.TestAccuracy = example.Number(testLoss), example.Number(accuracy)
	fmt.Fprintf(t.result, "Test loss: %.4f, test accuracy: %.4f\n", testLoss, accuracy)
	fmt.Fprintf(t.out, "Weights sha256 %s\n", t.report.WeightsSHA256)
	return nil
}

func (t *tutorial) showHistory(context.Context) error {
	t.heading("Accuracy and loss over the epochs")
	fmt.Fprintf(t.out, "The history has: %s\n", strings.Join(t.past.Names(), ", "))
	err := example.Draw(t.Plot, t.past, t.out, t.result)
	fmt.Fprint(t.out, example.Overfitting(t.out, t.past, t.patience != example.NoPatience && !t.interrupted,
		"-patience 2, which stops by itself and keeps the best weights", "-units, -dim"))
	return err
}

func (t *tutorial) scoreText(ctx context.Context) error {
	if !t.Try {
		return nil
	}
	x, words, known, err := t.data.encode(t.options, t.Text)
	if err != nil {
		return err
	}
	score, err := t.model.PredictInto(ctx, nil, x, nn.PredictOptions{})
	if err != nil {
		return err
	}
	fmt.Fprintf(t.result, "Your text: %.4f, %s (%d of its %s known)\n", score[0], example.Verdict(score[0] > 0.5, known), known, example.Plural(words, "word"))
	return nil
}
