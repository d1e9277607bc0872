package callbacks

import (
	"math"
	"testing"

	"github.com/linnet-ml/linnet/optional"
)

// Settings out of range are refused at the start.
func TestEarlyStoppingSettings(t *testing.T) {
	for want, spec := range map[string]EarlyStopping{
		"callbacks: early stopping: Patience -1 must not be negative":       {Patience: -1},
		"callbacks: early stopping: StartFromEpoch -2 must not be negative": {StartFromEpoch: -2},
		"callbacks: early stopping: Baseline is NaN":                        {Baseline: optional.Of(math.NaN())},
		"callbacks: early stopping: MinDelta is NaN":                        {MinDelta: math.NaN()},
		"callbacks: early stopping: MinDelta is -Inf":                       {MinDelta: math.Inf(-1)},
		"callbacks: early stopping: Mode 7 is no direction":                 {Mode: 7},
	} {
		if _, err := spec.Start(&training{}); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}
