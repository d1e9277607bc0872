package evaluation

// The figures, in the order in which reports show them.
const (
	accuracy = iota
	macroF1
	microF1
	precision
	recall
	areaUnderCurve
	logLoss
	calibrationError
	numFigures
)

// figureNames are the figures' names in JSON and in Compare's answer.
var figureNames = [numFigures]string{"accuracy", "macro_f1", "micro_f1", "precision", "recall", "auc", "log_loss", "calibration_error"}

// Figure is a number with its confidence interval.
type Figure struct {
	Value float64 `json:"value"`
	// Low and High are the ends of the interval: percentiles of the figure over bootstrap samples of the rows.
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}
