package classifier

import (
	"fmt"
	"math"

	"github.com/linnet-ml/linnet/classifier/internal/selection"
)

// A Report says how a Classifier was found. What [Classifier.Continue] and [Classifier.Shrink] change is in Features, Shrunk,
// Network.Kept, Labels and Continued; all else is as Train found it.
type Report struct {
	Rows       int     `json:"rows"`        // examples of Train
	SampleRows int     `json:"sample_rows"` // examples that recipes were compared on first
	Tried      []Trial `json:"tried"`       // what was tried on the sample, in order
	// Best is the recipe that was chosen, on held-out rows of all examples. RunnerUp is the next best of the last
	// comparison; its Recipe is empty if there was only one.
	Best     Trial `json:"best"`
	RunnerUp Trial `json:"runner_up"`
	// Unlimited is what the recipe reached with all n-grams, as Tried and RunnerUp were measured, where Options.MaxFeatures
	// left some of them out: Best is measured with models of so many. Nil if it left none out.
	Unlimited *Trial `json:"unlimited,omitempty"`
	// Behind is how much more log loss the runner-up has, both with all n-grams, and BehindError the standard error of that.
	Behind      float64 `json:"behind"`
	BehindError float64 `json:"behind_error"`
	Features    int     `json:"features"` // n-grams in the model
	// Shrunk is how many n-grams there were before [Classifier.Shrink] left some of them out, or the network, or before
	// [Classifier.Continue] left out some that it had; 0 if they did not. What the report says was reached is of the classifier
	// as it was then, and so are the thresholds: evaluation measures what is left.
	Shrunk int `json:"shrunk,omitempty"`
	// Stopped says that Options.Stop ended the comparison of recipes, so that Best is the best of those tried, or the learning of
	// a network, of which there may be none then.
	Stopped bool `json:"stopped,omitempty"`
	// Network is what a network brought that was averaged with the best linear model; nil if none was tried. If it was kept, Best is
	// the average, also when Shrink has left the network out since.
	Network *NetworkReport `json:"network,omitempty"`
	// Labels are the thresholds of labels, or that of the positive one of two classes, and what they reached when they were chosen:
	// Continue chooses those of new labels, from 25 examples on, and [Classifier.Shrink] none.
	Labels []LabelReport `json:"labels,omitempty"`
	// Continued is what [Classifier.Continue] has learned since, call by call.
	Continued []Continuation `json:"continued,omitempty"`
}

// check returns an error if a count that others rely on is impossible.
func (r *Report) check() error {
	if r == nil {
		return nil
	}
	if r.Rows < 0 {
		return fmt.Errorf("report: rows is %d", r.Rows)
	}
	for i, c := range r.Continued {
		if c.Rows < 0 {
			return fmt.Errorf("report: rows of continued[%d] is %d", i, c.Rows)
		}
	}
	return nil
}

// A Trial is a recipe and what it reached on held-out rows.
type Trial struct {
	Recipe        string  `json:"recipe"`
	Rows          int     `json:"rows"`           // held out
	Accuracy      float64 `json:"accuracy"`       // the share of right decisions at even odds, or of right labels where a text may have several
	AccuracyError float64 `json:"accuracy_error"` // its standard error
	Loss          float64 `json:"loss"`           // log loss of a row after calibration: what decides
}

func trial(o *selection.Outcome) Trial {
	n := float64(max(len(o.Rows), 1))
	return Trial{o.Recipe.String(), len(o.Rows), o.Accuracy, math.Sqrt(float64(o.Accuracy*(1-o.Accuracy)) / n), o.Loss}
}

func newReport(r *selection.Result, rows, features int) *Report {
	report := &Report{Rows: rows, SampleRows: r.Rows, Best: trial(r.Best), Features: features, Stopped: r.Stopped}
	if r.Unlimited != nil {
		unlimited := trial(r.Unlimited)
		report.Unlimited = &unlimited
	}
	for _, o := range r.Sample {
		report.Tried = append(report.Tried, trial(o))
	}
	if r.RunnerUp != nil {
		report.RunnerUp = trial(r.RunnerUp)
		report.Behind, report.BehindError = r.Behind, r.BehindError
	}
	return report
}

// A NetworkReport is what a network brought on held-out rows.
type NetworkReport struct {
	Words  int     `json:"words"`  // in its vocabulary
	Units  int     `json:"units"`  // for each size of regions
	Epochs int     `json:"epochs"` // passes over the rows
	Weight float64 `json:"weight"` // how much its logits count; those of the linear model have the rest to 1
	// Gain is how much less log loss the average has than the linear model alone, and GainError the standard error of that. It is
	// kept if the gain is larger than the error, until [Classifier.Shrink] leaves it out.
	Gain      float64 `json:"gain"`
	GainError float64 `json:"gain_error"`
	Kept      bool    `json:"kept"`
	Linear    Trial   `json:"linear"`  // the linear model alone
	Average   Trial   `json:"average"` // together
}

// addNetwork says what the network brought.
func (r *Report) addNetwork(a *selection.Average) {
	if a == nil {
		return
	}
	linear, average := r.Best, trial(a.Together)
	average.Recipe += fmt.Sprintf(", averaged with a network over regions of words (%.2f)", a.Weight)
	r.Network = &NetworkReport{
		Words: a.Words, Units: a.Units, Epochs: a.Epochs, Weight: a.Weight, Gain: a.Gain, GainError: a.GainError, Kept: a.Network != nil,
		Linear: linear, Average: average,
	}
	if a.Network != nil {
		r.Best = average
	}
}
