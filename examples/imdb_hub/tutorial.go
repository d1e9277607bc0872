package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/linnet-ml/linnet/callbacks"
	"github.com/linnet-ml/linnet/datasets/imdb"
	"github.com/linnet-ml/linnet/examples/internal/example"
	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/metrics"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/optional"
	"github.com/linnet-ml/linnet/pretrained"
	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

// tutorial is one walk through the steps.
type tutorial struct {
	*options
	report   report
	out      *example.Page // the steps; nowhere with -quiet
	result   *example.Page
	progress io.Writer // nil with -quiet
	steps    int       // that have begun

	train, test *imdb.TextSplit
	module      *pretrained.Embedding
	tokenizer   *text.HubTokenizer
	words       int // the tokenizer's ids that are words, the first ones
	model       *nn.Model
	// The texts as ids of the module's rows, which they are turned into once.
	validation, partial, testing nn.Data

	full, stopped *history.History // of all epochs; of the run that stops early, or nil
	interrupted   bool
	stopping      *Stopped         // what the report will say of the run that stops early
	resumed       example.Settings // of the file of -resume
	failed        []error          // outputs that could not be written
}

func newTutorial(o *options, stdout, stderr io.Writer) *tutorial {
	page := example.NewPage(stdout)
	t := &tutorial{options: o, report: newReport(o), out: page, result: page, progress: stderr}
	if o.Quiet {
		t.out, t.progress = example.NoPage(), nil
	}
	return t
}

// run goes through the steps. When ctx ends during a training it goes on with what was reached, and returns ctx's error
// at the end. What cannot be written is an error at the end, too, and keeps nothing else from being written.
func (t *tutorial) run(ctx context.Context) error { return t.result.End(t.runSteps(ctx)) }

func (t *tutorial) runSteps(ctx context.Context) error {
	if err := t.CheckFiles(&t.saved, t.result); err != nil {
		return err
	}
	if t.saved.Load != "" {
		return t.runLoaded(ctx)
	}
	if err := t.checkResume(ctx); err != nil {
		return err
	}
	if err := find(t.options); err != nil {
		return err
	}
	if err := t.checkModule(ctx); err != nil {
		return err
	}
	train, rest := t.trainAll, []func(context.Context) error{t.evaluateAll, t.showHistory, t.stopEarly, t.scoreText}
	if t.goesOnStopping() {
		train, rest = t.goOnStopping, []func(context.Context) error{t.scoreStopped, t.showHistory, t.scoreText}
	}
	t.showVersions()
	for _, step := range []func(context.Context) error{t.getData, t.explore, t.openModule, t.buildModel, t.tokenise, train} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	// After an interruption the rest shows what was reached, if anything was.
	failed := t.failed
	for _, step := range rest {
		if len(t.last().Epochs) == 0 {
			break
		}
		t.failed = nil
		failed = append(append(failed, step(ctx)), t.failed...)
	}
	t.report.Interrupted = t.interrupted
	failed = append(failed, example.WriteReport(t.Report, &t.report), example.WriteHistory(t.History, t.shown()))
	if t.interrupted {
		end := example.Interrupted{Epochs: len(t.last().Epochs), Of: t.epochs}
		if t.stopped != nil {
			end.Training = "second"
		}
		failed = append(failed, end)
	}
	return errors.Join(failed...)
}

// last is the history of the training that came last.
func (t *tutorial) last() *history.History {
	if t.stopped != nil {
		return t.stopped
	}
	return t.full
}

// shown is the history that is drawn and written: that of all epochs, unless only the other training ran.
func (t *tutorial) shown() *history.History {
	if t.full != nil {
		return t.full
	}
	return t.stopped
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
	t.train, t.test, t.report.Data, err = loadTexts(ctx, t.options, t.progress)
	t.report.LoadS = time.Since(start).Seconds()
	if err != nil {
		return err
	}
	fmt.Fprintf(t.out, "From: %s (%.2f s)\n", t.report.Data, t.report.LoadS)
	if t.report.Data == builtinName {
		t.out.Print(getTexts)
	}
	return nil
}

// shownTexts is how many reviews are shown, as in the tutorial.
const shownTexts = 10

// counted is a text whose words have no order, written shorter: each word and how often it is there.
func counted(s string) string {
	words := strings.Fields(s)
	times := map[string]int{}
	for _, w := range words {
		times[w]++
	}
	var b strings.Builder
	for _, w := range words {
		switch n := times[w]; n {
		case 0: // written before
			continue
		case 1:
			fmt.Fprintf(&b, " %s", w)
		default:
			fmt.Fprintf(&b, " %s×%d", w, n)
		}
		times[w] = 0
	}
	return strings.TrimSpace(b.String())
}

func (t *tutorial) explore(context.Context) error {
	t.heading("Explore the data")
	fmt.Fprintf(t.out, "Training entries: %d, test entries: %d\n", len(t.train.Texts), len(t.test.Texts))
	fmt.Fprintf(t.out, "The first %d texts, and their labels (1 for a good review, 0 for a bad one):\n", shownTexts)
	for i, s := range t.train.Texts[:shownTexts] {
		if t.report.Data == builtinName {
			s = counted(s)
		}
		fmt.Fprintf(t.out, "\n%s\n", t.out.Wrap(fmt.Sprintf("%d. %s", i+1, oneLine(s))))
	}
	fmt.Fprintf(t.out, "\n%v\n", t.train.Labels[:shownTexts])
	return nil
}

// loadModule opens the module of -module.
func (t *tutorial) loadModule(ctx context.Context) (err error) {
	start := time.Now()
	t.module, err = openModule(ctx, t.options, t.progress)
	t.report.ModuleS = time.Since(start).Seconds()
	return err
}

func (t *tutorial) openModule(ctx context.Context) error {
	t.heading("Get the text embedding")
	if t.module == nil {
		if err := t.loadModule(ctx); err != nil {
			return err
		}
	}
	m := t.module
	var ok bool
	if t.tokenizer, ok = m.Tokenizer().(*text.HubTokenizer); !ok { // whoever names no other gets one
		return fmt.Errorf("the tokenizer of %s is a %T", m.Name(), m.Tokenizer())
	}
	t.words = m.Vocabulary().Len()
	t.report.Module, t.report.ModuleRows, t.report.ModuleDim, t.report.Scale = m.Name(), m.Rows(), m.Dim(), t.scale
	fmt.Fprintf(t.out, "From: %s (%.2f s)\n", m.Name(), t.report.ModuleS)
	fmt.Fprintf(t.out, "%d words, and %s for all others, of %s each.\n",
		t.words, example.Plural(m.Rows()-t.words, "row"), example.Plural(m.Dim(), "number"))
	if t.scale != 1 {
		fmt.Fprintf(t.out, "All numbers are multiplied by %v (-scale).\n", t.scale)
	}
	if !t.given["module"] && m.Name() == builtinModule {
		t.out.Print(getModule)
	}
	if t.Quiet { // nobody would see them, and a large table would be read for them
		return nil
	}
	return t.showVectors(ctx)
}

// showVectors shows what the embedding makes of the first texts.
func (t *tutorial) showVectors(ctx context.Context) error {
	const texts, width = 3, 11 // of a number
	numbers := t.out.Fit(6, width)
	alone, err := nn.NewSequential(t.embedding(false)).Build(ctx, nn.Texts(), nn.BuildOptions{})
	if err != nil {
		return err
	}
	x, err := tensor.Of(t.train.Texts[:texts])
	if err != nil {
		return err
	}
	vectors, err := alone.PredictInto(ctx, nil, x, nn.PredictOptions{})
	if err != nil {
		return err
	}
	dim := t.module.Dim()
	fmt.Fprintf(t.out, "The vectors of the first %d texts, shape (%d, %d):\n", texts, texts, dim)
	for i := range texts {
		shown := vectors[i*dim : i*dim+min(numbers, dim)]
		line := make([]string, len(shown))
		for k, v := range shown {
			line[k] = fmt.Sprintf("%10.7f", v)
		}
		more := ""
		if dim > numbers {
			more = " …"
		}
		fmt.Fprintf(t.out, "[%s%s]\n", strings.Join(line, " "), more)
	}
	return nil
}

// embedding is the first layer.
func (t *tutorial) embedding(trainable bool) layers.TextEmbedding {
	combiner, _ := combinerOf(t.combiner)
	return layers.TextEmbedding{Name: "text_embedding", Table: t.module, Combiner: combiner, Trainable: trainable}
}

// build makes the network anew: the same seed gives the same first weights.
func (t *tutorial) build(ctx context.Context) (err error) {
	t.model = nil // two tables of 200 MB need not be there at once
	t.model, err = nn.NewSequential(
		t.embedding(t.trainable),
		layers.Dense{Units: t.units, Activation: layers.ReLU},
		layers.Dense{Units: 1},
	).Build(ctx, nn.Texts(), nn.BuildOptions{Seed: t.seed})
	return err
}

func (t *tutorial) buildModel(ctx context.Context) error {
	t.heading("Build the model")
	start := time.Now()
	if err := t.build(ctx); err != nil {
		return err
	}
	t.report.BuildS = time.Since(start).Seconds()
	fmt.Fprint(t.out, t.out.Summary(t.model))
	fmt.Fprintf(t.out, "Optimizer: adam (rate %v). Loss: %s, from logits.\nMetric: accuracy (a logit above 0 is a good review).\n", t.lr, theLoss.Kind())
	return nil
}

// The loss and the metric: the network's last number is a logit, which is above 0 for a good review.
var theLoss = loss.BinaryCrossentropy{FromLogits: true}

func theMetrics() []nn.Metric {
	return []nn.Metric{metrics.BinaryAccuracy{Threshold: optional.Of[float32](0), As: "accuracy"}}
}

// The size of the training set and of the part of it that validates.
const (
	trainRows      = 25000
	validationRows = 10000
)

// tokenise turns all texts into ids, once, and sets those apart that validate.
func (t *tutorial) tokenise(ctx context.Context) error {
	t.heading("Set reviews apart for validation")
	start := time.Now()
	data := make([]nn.Data, 2)
	for i, s := range []*imdb.TextSplit{t.train, t.test} {
		begun := time.Now()
		var err error
		if data[i], err = t.count(ctx, s); err != nil {
			return err
		}
		t.report.TokeniseTestS = time.Since(begun).Seconds() // of the last, which is the test's
	}
	t.report.TokeniseS = time.Since(start).Seconds()
	x, y := data[0].X.(*text.Bags), data[0].Y.(*tensor.Int32)
	n := x.Len()
	t.validation = nn.Data{X: x.Rows(0, validationRows), Y: y.Rows(0, validationRows)}
	t.partial = nn.Data{X: x.Rows(validationRows, n), Y: y.Rows(validationRows, n)}
	t.testing = data[1]
	fmt.Fprintf(t.out, "The first %d validate, %d remain to train on.\nAll texts were turned into rows of the table, once: %.2f s.\n",
		validationRows, n-validationRows, t.report.TokeniseS)
	t.train.Texts, t.test.Texts = nil, nil // the ids are all that is still needed
	return nil
}

// count turns texts into ids.
func (t *tutorial) count(ctx context.Context, s *imdb.TextSplit) (nn.Data, error) {
	x, err := text.CountTexts(ctx, s.Texts, t.tokenizer)
	if err != nil {
		return nn.Data{}, err
	}
	y, err := tensor.Of(s.Labels)
	return nn.Data{X: x, Y: y}, err
}

// fit trains the network, of which state has what was done of it before, saves it if it is the last training, and tells how long it took.
func (t *tutorial) fit(ctx context.Context, timing *timing, state *nn.TrainingState, training string, also ...nn.Callback) (*history.History, error) {
	before := state.Epoch
	o := nn.FitOptions{
		Optimizer: optim.Adam{LearningRate: float32(t.lr)}, Loss: theLoss, Metrics: theMetrics(),
		Epochs: t.epochs, BatchSize: t.batch, Threads: t.Threads, Validation: t.validation, State: state,
	}
	if t.progress != nil {
		o.Callbacks = append(o.Callbacks, callbacks.Progress(t.progress))
	}
	o.Callbacks = append(o.Callbacks, also...)
	start := time.Now()
	begun := start
	o.Callbacks = append(o.Callbacks, plan.CallbackFunc(func(e plan.Event, _ plan.Training) error {
		if e == plan.EpochEnd {
			now := time.Now()
			timing.EpochS = append(timing.EpochS, now.Sub(begun).Seconds())
			begun = now
		}
		return nil
	}))
	var keeper example.Keeper
	history, err := keeper.Fit(ctx, t.model, t.partial, o)
	timing.FitS = time.Since(start).Seconds()
	if err != nil && (!errors.Is(err, context.Canceled) || state.Epoch+state.Batch > 0 && !keeper.Begun()) {
		return nil, example.SmallerRate(err, t.lr)
	}
	t.interrupted = err != nil
	if history.Stopped != "" {
		fmt.Fprintf(t.out, "%s\n", history.Stopped)
	}
	fmt.Fprintf(t.out, "%s in %.2f s.\n", example.Plural(len(history.Epochs)-before, "epoch"), timing.FitS)
	if training == allEpochs && t.patience != example.NoPatience && !t.interrupted {
		return history, nil // the training that stops early comes after it
	}
	if err := t.saved.SaveModel(context.WithoutCancel(ctx), programName, t.model, &keeper, history, t.settings(training), t.out); err != nil {
		t.failed = append(t.failed, err)
	}
	return history, nil
}

func (t *tutorial) trainAll(ctx context.Context) (err error) {
	t.heading("Train the model")
	fmt.Fprintf(t.out, "%s of %s of %d reviews.\n", example.Plural(t.epochs, "epoch"),
		example.Plural((t.partial.X.Len()+t.batch-1)/t.batch, "step"), t.batch)
	state, err := t.saved.State(ctx, t.model)
	if err != nil {
		return err
	}
	fmt.Fprint(t.out, t.saved.GoingOn(state))
	t.full, err = t.fit(ctx, &t.report.Full, state, allEpochs)
	if err != nil {
		return err
	}
	t.report.FullHistory, err = example.History(t.full)
	return err
}

// score tests the network, which each run does once: what was chosen was chosen by the validation.
func (t *tutorial) score(ctx context.Context, what string, seconds *float64) (testLoss, accuracy float64, err error) {
	start := time.Now()
	// Ctrl-C ends a training; what was reached is tested all the same.
	logs, err := t.model.Evaluate(context.WithoutCancel(ctx), t.testing, nn.EvaluateOptions{Loss: theLoss, Metrics: theMetrics(), BatchSize: t.batch, Threads: t.Threads})
	*seconds = time.Since(start).Seconds()
	if err != nil {
		return 0, 0, err
	}
	testLoss, _ = logs.Get("loss")
	accuracy, _ = logs.Get("accuracy")
	fmt.Fprintf(t.result, "Test loss: %.4f, test accuracy: %.4f (%s)\n", testLoss, accuracy, what)
	return testLoss, accuracy, nil
}

// trained says how far a network was trained.
func (t *tutorial) trained(h *history.History) string {
	epochs := example.Plural(len(h.Epochs), "epoch")
	if t.interrupted {
		epochs += ", interrupted"
	}
	return epochs
}

func (t *tutorial) evaluateAll(ctx context.Context) error {
	t.heading("Evaluate the model")
	loss, accuracy, err := t.score(ctx, t.trained(t.full), &t.report.Full.EvaluateS)
	if err != nil {
		return err
	}
	t.report.FullTestLoss, t.report.FullTestAccuracy = example.Number(loss), example.Number(accuracy)
	t.report.FullWeightsSHA256 = example.WeightsSHA256(t.model)
	fmt.Fprintf(t.out, "Weights sha256 %s\n", t.report.FullWeightsSHA256)
	return nil
}

func (t *tutorial) showHistory(context.Context) error {
	t.heading("Accuracy and loss over the epochs")
	h := t.shown()
	fmt.Fprintf(t.out, "The history has: %s\n", strings.Join(h.Names(), ", "))
	err := example.Draw(t.Plot, h, t.out, t.result)
	t.showOverfitting(h, t.full == nil)
	return err
}

// showOverfitting says what a history tells about overfitting, unless it was cut short by hand.
func (t *tutorial) showOverfitting(h *history.History, restored bool) {
	if t.interrupted {
		return
	}
	stop, smaller := "stopping in time, which is the next step", "-units"
	if t.patience == example.NoPatience {
		stop = "-patience 3, which trains once more and stops in time"
	}
	if t.trainable {
		smaller = "-units, or -trainable=false"
	}
	fmt.Fprint(t.out, example.Overfitting(t.out, h, restored, stop, smaller))
}

// monitor is what validation is judged by.
const monitor = "val_loss"

// stopEarly trains once more, from the same first weights, and stops where validation gets no better.
func (t *tutorial) stopEarly(ctx context.Context) (err error) {
	if t.patience == example.NoPatience || t.interrupted {
		return nil
	}
	t.heading("Stop in time")
	fmt.Fprintf(t.out, "The same again with callbacks.EarlyStopping{Patience: %d, RestoreBest: true}.\n", t.patience)
	if err := t.build(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	if err := t.fitStopping(ctx, &nn.TrainingState{}); err != nil || len(t.stopped.Epochs) == 0 {
		return err
	}
	if err := t.testStopped(ctx); err != nil {
		return err
	}
	t.showOverfitting(t.stopped, !t.interrupted)
	return nil
}

// fitStopping trains until validation gets no better.
func (t *tutorial) fitStopping(ctx context.Context, state *nn.TrainingState) (err error) {
	stop := callbacks.EarlyStopping{Monitor: monitor, Patience: t.patience, RestoreBest: true}
	t.stopping = &Stopped{}
	t.stopped, err = t.fit(ctx, &t.stopping.timing, state, stoppedEarly, stop)
	return err
}

// testStopped tests the network that fitStopping has trained.
func (t *tutorial) testStopped(ctx context.Context) (err error) {
	run := t.stopping
	if run.History, err = example.History(t.stopped); err != nil {
		return err
	}
	what := t.trained(t.stopped)
	if !t.interrupted {
		if t.stopped.Stopped != "" {
			what = "stopped early"
		}
		what += fmt.Sprintf(", weights of epoch %d", t.stopped.Best(monitor, history.LowerIsBetter)+1)
	}
	loss, accuracy, err := t.score(ctx, what, &run.EvaluateS)
	if err != nil {
		return err
	}
	run.TestLoss, run.TestAccuracy = example.Number(loss), example.Number(accuracy)
	run.WeightsSHA256 = example.WeightsSHA256(t.model)
	t.report.Stopped = run
	fmt.Fprintf(t.out, "Weights sha256 %s\n", run.WeightsSHA256)
	return nil
}

func (t *tutorial) scoreText(ctx context.Context) error {
	if !t.Try {
		return nil
	}
	x, err := tensor.Of([]string{t.Text})
	if err != nil {
		return err
	}
	logit, err := t.model.PredictInto(context.WithoutCancel(ctx), nil, x, nn.PredictOptions{})
	if err != nil {
		return err
	}
	known, words, err := t.known(context.WithoutCancel(ctx), t.Text)
	if err != nil {
		return err
	}
	fmt.Fprintf(t.result, "Your text: logit %.4f, %s (%d of its %s known)\n", logit[0], example.Verdict(logit[0] > 0, known), known, example.Plural(words, "word"))
	return nil
}

// known counts the words of a text, and those of them that the module knows. The tokenizer may have an empty token, too, where
// a text has two spaces or punctuation alone; to a reader that is no word.
func (t *tutorial) known(ctx context.Context, s string) (known, words int, err error) {
	ids, err := t.tokenizer.AppendIDs(ctx, nil, s)
	if err != nil {
		return 0, 0, err
	}
	tokens, err := t.tokenizer.AppendTokens(ctx, nil, s)
	if err != nil {
		return 0, 0, err
	}
	letter := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }
	for i, token := range tokens {
		if !strings.ContainsFunc(token, letter) {
			continue
		}
		words++
		if int(ids[i]) < t.words {
			known++
		}
	}
	return known, words, nil
}
