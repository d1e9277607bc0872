package callbacks

import (
	"math"
	"slices"
	"testing"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/optional"
)

// A NaN is never the best number: what watches one goes by the numbers that follow.
func TestNaNIsNeverBest(t *testing.T) {
	nan := math.NaN()
	values := []float64{nan, 0.5, 0.4, nan, 0.3, 0.2, 0.1}
	script := func(values []float64) func(epoch int) map[string]float64 {
		return func(epoch int) map[string]float64 { return map[string]float64{"val_loss": values[epoch]} }
	}
	r := &training{script: script(values)}
	if err := r.run(EarlyStopping{Patience: 2, RestoreBest: true}, nil, 0, len(values), nil); err != nil || r.stopped != "" || r.weight != 6 {
		t.Errorf("EarlyStopping: stopped %q, weights of epoch %v, %v", r.stopped, r.weight, err)
	}
	r = &training{script: script(values), rate: 1}
	if err := r.run(ReduceLROnPlateau{Patience: optional.Of(2)}, nil, 0, len(values), nil); err != nil || r.rate != 1 {
		t.Errorf("ReduceLROnPlateau: rate %v, %v", r.rate, err)
	}
	var saved []int
	r = &training{script: script(values)}
	spec := ModelCheckpoint{Path: t.TempDir() + "/m", Format: recorder{told: func(string) { saved = append(saved, r.epoch) }}, SaveBestOnly: true}
	if err := r.run(spec, nil, 0, len(values), nil); err != nil || !slices.Equal(saved, []int{0, 1, 2, 4, 5, 6}) {
		t.Errorf("ModelCheckpoint saves in the epochs %v, %v", saved, err)
	}

	// Higher ones are better.
	r = &training{script: script([]float64{nan, 0.1, 0.2, 0.15})}
	if err := r.run(EarlyStopping{Patience: 9, RestoreBest: true, Mode: history.HigherIsBetter}, nil, 0, 4, nil); err != nil || r.weight != 2 {
		t.Errorf("EarlyStopping: weights of epoch %v, %v", r.weight, err)
	}

	// Where there are no numbers there is nothing to wait for, and nothing to restore.
	r = &training{script: script([]float64{nan, nan, nan, nan})}
	if err := r.run(EarlyStopping{Patience: 2, RestoreBest: true}, nil, 0, 4, nil); err != nil ||
		r.stopped != "early stopping: val_loss was NaN in all epochs from 1 on" || r.weight != 2 {
		t.Errorf("EarlyStopping: stopped %q, weights of epoch %v, %v", r.stopped, r.weight, err)
	}
	r = &training{script: script([]float64{nan, nan, nan, nan}), rate: 1}
	var lowered []int
	plateau := ReduceLROnPlateau{Patience: optional.Of(2), Log: func(string, ...any) { lowered = append(lowered, r.epoch) }}
	if err := r.run(plateau, nil, 0, 4, nil); err != nil || !slices.Equal(lowered, []int{2}) {
		t.Errorf("ReduceLROnPlateau: lowered in the epochs %v, %v", lowered, err)
	}

	// The reason goes into the history, and from there to people.
	r = &training{script: func(int) map[string]float64 { return map[string]float64{"a\x1b[2J": nan} }}
	if err := r.run(EarlyStopping{Monitor: "a\x1b[2J", Mode: history.LowerIsBetter}, nil, 0, 4, nil); err != nil ||
		r.stopped != `early stopping: a\x1b[2J was NaN in all epochs from 1 on` {
		t.Errorf("EarlyStopping: stopped %q, %v", r.stopped, err)
	}
}

// A cooldown of n leaves out n-1 epochs, as the documentation says and Keras does: 0 and 1 are the same.
func TestCooldown(t *testing.T) {
	for cooldown, want := range [][]int{{1, 2, 3, 4, 5, 6, 7, 8}, {1, 2, 3, 4, 5, 6, 7, 8}, {1, 3, 5, 7}, {1, 4, 7}} {
		var lowered []int
		r := &training{script: func(int) map[string]float64 { return map[string]float64{"val_loss": 1} }, rate: 1}
		spec := ReduceLROnPlateau{Factor: 0.5, Patience: optional.Of(1), Cooldown: cooldown, Log: func(string, ...any) { lowered = append(lowered, r.epoch) }}
		if err := r.run(spec, nil, 0, 9, nil); err != nil || !slices.Equal(lowered, want) {
			t.Errorf("a cooldown of %d lowers the rate in the epochs %v, want %v, %v", cooldown, lowered, want, err)
		}
	}
}
