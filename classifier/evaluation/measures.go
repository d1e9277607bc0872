package evaluation

import (
	"encoding/json"
	"math"
)

// The measures, in the order in which reports show them.
const (
	accuracy = iota
	macroF1
	microF1
	precision
	recall
	areaUnderCurve
	logLoss
	calibrationError
	numMeasures
)

// measureNames are the measures' names in JSON, in Report.Intervals and in Comparison.
var measureNames = [numMeasures]string{"accuracy", "macro_f1", "micro_f1", "precision", "recall", "auc", "log_loss", "calibration_error"}

// Measures are the figures that have intervals. Means over classes are over those that a row has or was given; a label that
// the classifier does not know counts as missed, all such labels as one class.
type Measures struct {
	// Accuracy is the share of rows whose labels are exactly the true ones.
	Accuracy float64 `json:"accuracy"`
	// MacroF1 is the mean of the classes' F1, MicroF1 the F1 of all decisions together. With one label a row and an answer
	// for each, MicroF1 is the accuracy.
	MacroF1 float64 `json:"macro_f1"`
	MicroF1 float64 `json:"micro_f1"`
	// Precision and Recall are means over the classes.
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	// AUC is the area under the ROC curve: of the second of two classes, else the mean of each class against the rest. It is
	// undefined if no class has rows both with it and without it.
	AUC Figure `json:"auc"`
	// LogLoss is the mean of -log p of the true label, in nats; with several labels a row, the mean over the classes too.
	// Rows of unknown labels do not count; it is undefined if there are no others.
	LogLoss Figure `json:"log_loss"`
	// CalibrationError is how far probabilities are from the share of right answers: the expected calibration error with 15
	// bins of the same number of answers; with several labels a row, of decisions about a label.
	CalibrationError float64 `json:"calibration_error"`
}

// Figure is a measure that some data leave undefined. It is NaN then, and null in JSON.
type Figure float64

// Defined returns whether there is a value.
func (f Figure) Defined() bool { return f == f }

// MarshalJSON writes a number, or null.
func (f Figure) MarshalJSON() ([]byte, error) {
	if !f.Defined() {
		return []byte("null"), nil
	}
	return json.Marshal(float64(f))
}

// UnmarshalJSON reads a number, or null.
func (f *Figure) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*f = Figure(math.NaN())
		return nil
	}
	return json.Unmarshal(text, (*float64)(f))
}

// Interval is a confidence interval: percentiles of a measure over bootstrap samples of the rows.
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

func measures(v [numMeasures]float64) Measures {
	return Measures{v[accuracy], v[macroF1], v[microF1], v[precision], v[recall], Figure(v[areaUnderCurve]), Figure(v[logLoss]), v[calibrationError]}
}

// All yields the measures by their names in JSON, in order. One that is undefined is NaN.
func (m *Measures) All(yield func(name string, value float64) bool) {
	for i, v := range [numMeasures]float64{m.Accuracy, m.MacroF1, m.MicroF1, m.Precision, m.Recall, float64(m.AUC), float64(m.LogLoss), m.CalibrationError} {
		if !yield(measureNames[i], v) {
			return
		}
	}
}
