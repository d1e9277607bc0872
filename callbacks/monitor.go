package callbacks

import (
	"fmt"
	"math"
	"strings"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/internal/shown"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optional"
)

// monitor is the logged number that a callback watches: Keras's MonitorCallback.
type monitor struct {
	callback string // for errors
	name     string // of the number
	mode     history.Direction
	minDelta float64 // not negative
}

// newMonitor checks a callback's settings and fills in the defaults.
func newMonitor(callback, name string, mode history.Direction, minDelta float64) (monitor, error) {
	m := monitor{callback: callback, name: name, mode: mode, minDelta: math.Abs(minDelta)}
	switch {
	case math.IsNaN(minDelta) || math.IsInf(minDelta, 0):
		return m, fmt.Errorf("callbacks: %s: MinDelta is %v", callback, minDelta)
	case mode < history.NoDirection || mode > history.HigherIsBetter:
		return m, fmt.Errorf("callbacks: %s: Mode %d is no direction", callback, mode)
	}
	if name == "" {
		m.name = "val_loss"
	}
	return m, nil
}

// current is the number at the end of an epoch. From then on it is known which values are better.
func (m *monitor) current(t plan.Training) (float64, error) {
	v, ok := t.Logs().Get(m.name)
	if !ok {
		return 0, fmt.Errorf("callbacks: %s: %q is not logged; there are %s%s", m.callback, m.name, names(t.Logs()), hint(m.name, t))
	}
	if m.mode == history.NoDirection {
		m.mode = t.Direction(m.name)
	}
	if m.mode == history.NoDirection {
		return 0, fmt.Errorf("callbacks: %s: it is not known which values of %q are better; set Mode to history.LowerIsBetter or history.HigherIsBetter", m.callback, m.name)
	}
	return v, nil
}

// better tells whether a number is better than another by minDelta, in float32 as Keras does. A NaN is better than nothing,
// and any number is better than a NaN. To Keras nothing is: a NaN of the first epoch then stays the best one for good.
func (m *monitor) better(v, than float64) bool {
	if math.IsNaN(than) {
		return !math.IsNaN(v)
	}
	if m.mode == history.LowerIsBetter {
		return float32(v+m.minDelta) < float32(than)
	}
	return float32(v-m.minDelta) > float32(than)
}

// checkThreshold refuses a number to compare with that is NaN or infinite.
func checkThreshold(callback, setting string, v optional.Value[float64]) error {
	if x := v.Or(0); math.IsNaN(x) || math.IsInf(x, 0) {
		return fmt.Errorf("callbacks: %s: %s is %v", callback, setting, x)
	}
	return nil
}

// names lists what is logged.
func names(l *history.Logs) string {
	var all []string
	for name := range l.All() {
		all = append(all, name)
	}
	return shown.Names(all)
}

func hint(monitor string, t plan.Training) string {
	if strings.HasPrefix(monitor, "val_") && t.TestSteps() == 0 {
		return " (the Fit has no validation data)"
	}
	return ""
}
