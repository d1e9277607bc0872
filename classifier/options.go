package classifier

import (
	"math"
	"slices"
	"time"

	"github.com/linnet-ml/linnet/classifier/internal/selection"
)

// An Example is a text with its labels. A text has one label, or any number of them where texts may have several.
type Example struct {
	Text   string
	Labels []string
}

// Options are settings of [Train]. The zero value is what most users want.
type Options struct {
	// Seed chooses the order in which rows are learned and the rows of the sample that recipes are compared on.
	Seed uint64
	// MultiLabel makes a decision for every label of its own even though each example has exactly one. It is implied by an
	// example with none or with several.
	MultiLabel bool
	// MaxFeatures is the largest number of n-grams in the model. 0 means 300,000, and with three classes or more 16 Mi weights in
	// all: up to 1 Mi n-grams. Recipes are compared without a limit; what the best one reaches, probabilities and thresholds are
	// those of models of MaxFeatures n-grams.
	MaxFeatures int
	// Work is how many n-grams of characters learning may read: three for each byte of text, 1 + n/4 times with n classes (n = 1
	// for two). Where that is more, n-grams of characters are not tried; or, up to 16 times as many, only where those of the
	// sample that recipes are compared on are few (a quarter of Work), and kept only if they are better by far (five standard
	// errors). 0 means 64 Mi. It counts work instead of time, so that results do not depend on the machine.
	Work int64

	// Budget is about how much longer each of two parts of learning may take, on a machine with two cores, to be more
	// accurate: it raises Work, and it is the work of a network that sees the order of words, which is averaged with the
	// linear model if that is better on held-out rows. It is no time limit: each second counts as 4 Mi of Work, whatever the
	// machine does in it, so that the same rows, seed and budget give the same model everywhere. 0 means none, a linear model
	// alone.
	Budget time.Duration

	// Goal is what the thresholds of labels are chosen for; without one, the best F1.
	Goal Goal
	// Positive is the one of two classes that Goal is for. "" means the second in ascending order, of which the scores are.
	Positive string
	// MinConfidence is the probability below which a text of one label has none: the Classifier does not know. It is that of the
	// class that is chosen, which a threshold below 1/2 may choose with a lower probability than the other class has. 0 means that
	// it always answers.
	MinConfidence float64

	// Progress is called with how far the training is, often and one call at a time, from any goroutine; training waits for it. If
	// it panics, the training ends with a [PanicError]. Nil for nothing.
	Progress func(Progress)
	// Stop, when it is closed, ends the comparison of recipes: the best one so far is learned from all examples. If there is none
	// yet, the error wraps [ErrStopped]. It also ends the learning of a network for a Budget: as many epochs as were the best so
	// far are learned from all examples, or there is no network if none has been compared. Report.Stopped says that something
	// was cut short. What is learned from all examples is never cut short: ctx, in contrast, ends the training without a
	// Classifier. Nil for never.
	Stop <-chan struct{}
}

// Progress is how far a training is.
type Progress struct {
	Phase Phase
	// Done is how much of the phase is done, of Total: rows while texts are read and n-grams counted, recipes while they are compared,
	// thousandths of linear models afterwards; rows in Continue. Total is an estimate; 0 is an unknown one.
	Done, Total int
}

// A Phase is what a training is about, in words.
type Phase string

// The phases. Those from PhaseCounting to PhaseTesting may come several times, or not at all; with MaxFeatures, PhaseTesting comes once more
// after PhaseLearning.
const (
	PhaseReading   Phase = selection.Reading          // examples of a Source are read for the first time
	PhaseComparing Phase = selection.Comparing        // recipes are compared on a sample
	PhaseCounting  Phase = selection.Counting         // the n-grams of many rows are counted
	PhaseFinals    Phase = selection.Finals           // the best recipes are compared on more rows
	PhaseTesting   Phase = selection.Testing          // the best one is tested, and calibrated, on held-out rows
	PhaseLearning  Phase = selection.Learning         // it is learned from all rows
	PhaseNetwork   Phase = selection.Averaging        // with a Budget, a network is learned: Done and Total are rows
	PhaseRates     Phase = "comparing learning rates" // Continue does on rows held out: Done and Total are rows, as often as they are learned
	PhaseFolds     Phase = selection.Folds            // CrossAnswers learns without one fold after the other: Done and Total are folds
)

// check returns an error if the options are impossible whatever the examples are.
func (o *Options) check() error {
	g := o.Goal
	switch {
	case o.MaxFeatures < 0:
		return &OptionError{"MaxFeatures", "is negative"}
	case o.Work < 0:
		return &OptionError{"Work", "is negative"}
	case o.Budget < 0:
		return &OptionError{"Budget", "is negative"}
	case !(g.Precision >= 0 && g.Precision <= 1) || !(g.Recall >= 0 && g.Recall <= 1):
		return &OptionError{"Goal", "is not from 0 to 1"}
	case g.Precision > 0 && g.Recall > 0:
		return &OptionError{"Goal", "has both a precision and a recall: one threshold cannot aim at two"}
	case !(o.MinConfidence >= 0 && o.MinConfidence <= 1):
		return &OptionError{"MinConfidence", "is not from 0 to 1"}
	}
	return o.checkSeveral(o.MultiLabel)
}

// checkSeveral returns an error if the options do not suit texts of several labels.
func (o *Options) checkSeveral(several bool) error {
	switch {
	case !several:
	case o.MinConfidence > 0:
		return &OptionError{"MinConfidence", "is for texts with one label: of several, each has a threshold of its own"}
	case o.Positive != "":
		return &OptionError{"Positive", "is for two classes"}
	}
	return nil
}

// checkClasses returns an error if the options do not suit the classes of the examples.
func (o *Options) checkClasses(s *Spec) error {
	switch {
	case o.Goal != Goal{} && s.thresholds() == 0:
		return &OptionError{"Goal", "is for two classes, or for texts with several labels: of more classes the most probable one is the label"}
	case o.Positive != "" && s.columns() > 1:
		return &OptionError{"Positive", "is for two classes"}
	case o.Positive != "" && !slices.Contains(s.Classes, o.Positive):
		return &OptionError{"Positive", "is no class of the examples"}
	}
	return o.checkSeveral(s.MultiLabel)
}

// report is Progress as a Meter calls it.
func (o *Options) report() func(phase string, done, total int) {
	if o.Progress == nil {
		return nil
	}
	return func(phase string, done, total int) { o.Progress(Progress{Phase(phase), done, total}) }
}

// maxFeatures is MaxFeatures for so many scores. Complement naive Bayes adds up the small weights of many n-grams, so that more of
// them matter than to a linear model alone.
func (o Options) maxFeatures(scores int, multiLabel bool) int {
	switch {
	case o.MaxFeatures != 0:
		return o.MaxFeatures
	case scores < 3 || multiLabel:
		return 300_000
	}
	return min(1<<20, max(1<<24/scores, 300_000))
}

// workRate is how much work a second of Budget stands for.
const workRate = 4 << 20

// budget is the work of Budget.
func (o Options) budget() int64 { return int64(o.Budget.Seconds() * workRate) }

func (o Options) work() int64 {
	work := o.Work
	if work == 0 {
		work = selection.DefaultWork
	}
	return work + min(o.budget(), math.MaxInt64-work)
}
