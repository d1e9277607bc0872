package classifier

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/linnet-ml/linnet/classifier/internal/calibration"
	"github.com/linnet-ml/linnet/classifier/internal/selection"
	"github.com/linnet-ml/linnet/internal/budget"
	"github.com/linnet-ml/linnet/internal/random"
	"github.com/linnet-ml/linnet/internal/spill"
)

// ContinueOptions are settings of [Classifier.Continue].
type ContinueOptions struct {
	Seed uint64 // of the order in which rows are learned, and of which are held out
	// MaxFeatures is the largest number of n-grams in the model. 0 means 300,000, or as many as it has if these are more. Learning
	// takes as many new ones, the most frequent, on top of those that the model has; then the ones with the largest weights stay.
	// What that costs is not measured: Continuation.Dropped.
	MaxFeatures int
	// Progress is called with how far learning is, often and one call at a time. Nil for nothing.
	Progress func(Progress)
	// Stop ends the search for a learning rate when it is closed: the best one so far is learned from all examples, which
	// Continuation.Stopped says. If none has helped yet, the error wraps [ErrStopped]. Afterwards it changes nothing. Nil for never.
	Stop <-chan struct{}
}

// A Continuation says what a Classifier has learned from further rows.
type Continuation struct {
	Rows  int `json:"rows"`  // examples
	Added int `json:"added"` // n-grams of the model that are new
	// Dropped is how many n-grams are gone that it had before, for ContinueOptions.MaxFeatures. What the report says was reached,
	// and thresholds, are of the model before.
	Dropped int     `json:"dropped,omitempty"`
	Rate    float64 `json:"rate"`   // the learning rate
	Epochs  int     `json:"epochs"` // passes over the examples; 0 if learning did not help on those held out
	Held    int     `json:"held"`   // how many were held out to choose rate and epochs; 0 if there were too few
	Before  float64 `json:"before"` // log loss of those with the old weights
	After   float64 `json:"after"`  // log loss with the chosen rate and epochs, learned from the others
	// Stopped says that ContinueOptions.Stop ended the search for Rate and Epochs.
	Stopped bool `json:"stopped,omitempty"`
}

// Continue returns a Classifier that has also learned from further examples, which may have classes that are new. c stays as
// it is.
//
// It goes on from the weights of c, with its n-grams and those of the examples: stochastic gradient descent on the log loss
// (Adagrad; Duchi, Hazan and Singer, 2011). Learning rate and number of epochs are those that are best on a fifth of the examples,
// which then are learned from, too. Everything else, such as which n-grams there are and how they are weighted, remains,
// and so does a network: it learns nothing from the examples.
//
// It does not remember the rows that c learned from. The examples alone decide about the weights of the n-grams they have, so that
// a text of an old kind may be labelled differently. Put a sample of old rows among the examples, all the more with a new class:
// otherwise every row that is learned has it. To train again with all rows is better where that is possible.
//
// Memory holds the examples and, for each n-gram and class, 12 bytes: 16 if texts may have several labels, of which one is new. What
// n-grams each example has lies in temporary files if it is much, as of [TrainSource]. Of more than 64 MiB of text
// only frequent n-grams are looked at: the more text, the more frequent.
func (c *Classifier) Continue(ctx context.Context, examples []Example, o ContinueOptions) (next *Classifier, err error) {
	if !c.made() {
		return nil, fmt.Errorf("classifier: %w", errNotMade)
	}
	if ctx == nil {
		return nil, errors.New("classifier: the context is nil")
	}
	if o.MaxFeatures < 0 {
		return nil, &OptionError{"MaxFeatures", "is negative"}
	}
	t, err := c.newContinuation(examples)
	if err != nil {
		return nil, err
	}
	if t.limit = o.MaxFeatures; t.limit == 0 {
		t.limit = max(300_000, len(c.parts.Hashes))
	}
	t.meter = selection.NewMeter((&Options{Progress: o.Progress}).report())
	ctx, end := t.meter.Context(ctx)
	defer end()
	t.space = &spill.Space{Bound: 32 << 20}
	next, err = t.learn(ctx, o)
	if p := t.meter.Panicked(); p != nil {
		return nil, errors.Join(&PanicError{p.Value, p.Stack}, t.space.Close())
	}
	if err = errors.Join(err, t.space.Close()); err != nil {
		return nil, fmt.Errorf("classifier: %w", err)
	}
	return next, nil
}

// learn returns the Classifier that has learned further.
func (t *continuation) learn(ctx context.Context, o ContinueOptions) (*Classifier, error) {
	if err := t.read(ctx); err != nil {
		return nil, err
	}
	if err := t.checkSize(); err != nil {
		return nil, err
	}
	if err := t.take(ctx); err != nil {
		return nil, err
	}
	if err := t.takeNetwork(ctx); err != nil {
		return nil, err
	}
	report := Continuation{Rows: t.task.Rows(), Rate: 1, Epochs: 5}
	rows := t.task.All()
	random.New(o.Seed, random.Split, 0).Shuffle(rows)
	d := newDescent(t, o.Seed)
	if len(rows) >= 25 {
		held := rows[:len(rows)/5]
		best, err := d.choose(ctx, rows[len(held):], held, o.Stop, &report)
		if err != nil {
			return nil, err
		}
		if err := t.chooseThresholds(ctx, best, held); err != nil {
			return nil, err
		}
	}
	slices.Sort(rows)
	d.begin(report.Rate)
	for e := range report.Epochs {
		if err := d.epoch(ctx, rows, e, func(done int) {
			t.meter.Set(string(PhaseLearning), e*len(rows)+done, report.Epochs*len(rows))
		}); err != nil {
			return nil, err
		}
	}
	return t.finish(ctx, d.l, report)
}

// chooseThresholds sets the thresholds of new labels, by weights that have not learned from the rows that are held out.
func (t *continuation) chooseThresholds(ctx context.Context, best *selection.Linear, held []int32) error {
	if best == nil {
		return nil
	}
	for k, old := range t.old {
		if old >= 0 {
			continue
		}
		p, positive, err := t.scores(ctx, best, held, k)
		if err != nil {
			return err
		}
		t.threshold[k] = calibration.ThresholdF1(p, positive)
		t.labels = append(t.labels, (side{}).report(t.spec.Classes[k], t.threshold[k], p, positive, Goal{}))
	}
	return nil
}

// checkSize returns an error if the weights do not fit into the memory.
func (t *continuation) checkSize() error {
	k := uint64(t.spec.columns())
	copies := uint64(3) // what learning begins with, what it learns, and the sums of squares
	if t.newLabels() {
		copies++
	}
	size := 4 * k * (copies*uint64(len(t.hashes)) + uint64(t.task.Rows())) // rows: what a network adds
	return budget.CheckBytes(fmt.Sprintf("the weights of %d n-grams for %d classes", len(t.hashes), len(t.spec.Classes)), size)
}
