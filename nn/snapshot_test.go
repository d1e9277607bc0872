package nn_test

import (
	"fmt"
	"runtime"
	"slices"
	"testing"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/tensor"
)

const (
	largeRows, largeDim = 1 << 17, 16 // just large enough to be trained by the rows that are touched
	largeTable          = 4 * largeRows * largeDim
)

// frozenTable scales by a number at the begin of a large table that is not trained.
type frozenTable struct{}

func (frozenTable) Kind() string { return "FrozenTable" }

func (frozenTable) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	table := make(plan.Float32Storage, largeRows*largeDim)
	table[0] = 0.5
	p, err := b.Parameter(plan.ParameterOptions{Name: "table", Shape: tensor.Shape{largeRows, largeDim}, Storage: table, NotTrainable: true})
	if err != nil {
		return nil, err
	}
	return b.Add(timesFirst, in, p)
}

// largeText is a model with a large table that is trained and another that is not.
func largeText(t *testing.T) *nn.Model {
	t.Helper()
	return sequential(t, nn.Tokens(nn.AnyLength), layers.Embedding{Vocabulary: largeRows, Dim: largeDim}, layers.GlobalAveragePooling1D{},
		frozenTable{}, layers.Dense{Units: 1, Activation: layers.Sigmoid})
}

// newRows are rows of ids for 24 steps of 4, each of which brings ids that no step before it had, and some that one had.
func newRows(t *testing.T, first int32) nn.Data {
	t.Helper()
	const rows, steps = 96, 6
	x, y := make([]int32, rows*steps), make([]float32, rows)
	for i := range x {
		x[i] = first + int32(i%steps*20_000) + int32(i/steps/(1+i%3))
	}
	for i := range y {
		y[i] = float32(i % 2)
	}
	return nn.Data{X: array(t, x, rows, steps), Y: array(t, y)}
}

func newRowsOptions(o nn.Optimizer, threads int, list ...nn.Callback) nn.FitOptions {
	return nn.FitOptions{Optimizer: o, Loss: loss.BinaryCrossentropy{}, BatchSize: 4, NoShuffle: true, Threads: threads, Callbacks: list}
}

// A snapshot gives back the same bits as a copy of all weights: rows that moved before and after it, and those that moved
// for the first time after it, whichever snapshots there are, also when a Fit goes on where another ended.
func TestSnapshotsAreExact(t *testing.T) {
	adam := optim.Adam{LearningRate: 0.01}
	each := adam
	each.SquareOccurrences = true
	for _, c := range []struct {
		o       nn.Optimizer
		threads int
		resumed bool
	}{
		{adam, 1, false}, {adam, 3, true}, {each, 2, true}, {optim.SGD{LearningRate: 0.1}, 3, true}, {optim.RMSprop{Momentum: 0.9}, 2, false},
	} {
		t.Run(fmt.Sprintf("%+v/threads=%d/resumed=%t", c.o, c.threads, c.resumed), func(t *testing.T) {
			m := largeText(t)
			var state nn.TrainingState
			if c.resumed {
				options := newRowsOptions(c.o, c.threads)
				options.State = &state
				_, err := m.Fit(t.Context(), newRows(t, 7), options)
				must(t, err)
			}
			var shots [3]plan.Snapshot
			var copies [3][][]float32
			// Snapshot 0 is taken twice, before any step and later, snapshot 2 in the memory of nothing.
			take := map[int]int{0: 0, 5: 1, 9: 0, 20: 2}
			options := newRowsOptions(c.o, c.threads, plan.CallbackFunc(func(e plan.Event, tr plan.Training) error {
				switch e {
				case plan.BatchBegin:
					if k, ok := take[tr.Step()]; ok {
						shots[k], copies[k] = tr.Snapshot(shots[k]), m.Weights(nil)
					}
				case plan.TrainEnd:
					last := m.Weights(nil)
					final := tr.Snapshot(nil)
					for _, k := range []int{1, 0, 2} {
						must(t, tr.Restore(shots[k]))
						sameBits(t, fmt.Sprintf("snapshot %d", k), m.Weights(nil), copies[k])
					}
					must(t, tr.Restore(final))
					sameBits(t, "the last snapshot", m.Weights(nil), last)
					if slices.Equal(last[0], copies[2][0]) || slices.Equal(copies[1][0], copies[0][0]) {
						t.Error("nothing moved between the snapshots")
					}
				}
				return nil
			}))
			options.State = &state
			_, err := m.Fit(t.Context(), newRows(t, 3), options)
			must(t, err)
		})
	}
}

// Training goes on from a restored snapshot as from weights that were set.
func TestTrainingGoesOnFromASnapshot(t *testing.T) {
	run := func(full bool) [][]float32 {
		m := largeText(t)
		var shot plan.Snapshot
		var all [][]float32
		_, err := m.Fit(t.Context(), newRows(t, 3), newRowsOptions(optim.Adam{LearningRate: 0.01}, 2, plan.CallbackFunc(func(e plan.Event, tr plan.Training) error {
			switch {
			case e == plan.BatchEnd && tr.Step() == 4:
				shot, all = tr.Snapshot(nil), m.Weights(nil)
			case e == plan.BatchEnd && tr.Step() == 12 && full:
				return m.SetWeights(all)
			case e == plan.BatchEnd && tr.Step() == 12:
				return tr.Restore(shot)
			}
			return nil
		})))
		must(t, err)
		return m.Weights(nil)
	}
	sameBits(t, "weights", run(false), run(true))
}

// Weights that a callback sets, of any row and of what is not trained, do not reach earlier snapshots, and later ones
// have them.
func TestSnapshotsOutliveSetWeights(t *testing.T) {
	m := largeText(t)
	var shots [3]plan.Snapshot
	var copies [3][][]float32
	_, err := m.Fit(t.Context(), newRows(t, 3), newRowsOptions(optim.Adam{LearningRate: 0.01}, 2, plan.CallbackFunc(func(e plan.Event, tr plan.Training) error {
		take := func(k int) { shots[k], copies[k] = tr.Snapshot(shots[k]), m.Weights(nil) }
		switch {
		case e == plan.BatchEnd && tr.Step() == 3:
			take(0)
		case e == plan.BatchEnd && tr.Step() == 6:
			take(1)
		case e == plan.BatchEnd && tr.Step() == 9:
			w := m.Weights(nil)
			for _, p := range w {
				for i := range p {
					p[i] += float32(i%7) + 1
				}
			}
			return m.SetWeights(w)
		case e == plan.BatchEnd && tr.Step() == 12:
			take(1)
			take(2)
		case e == plan.TrainEnd:
			for _, k := range []int{2, 0, 1, 2} {
				must(t, tr.Restore(shots[k]))
				sameBits(t, fmt.Sprintf("snapshot %d", k), m.Weights(nil), copies[k])
			}
		}
		return nil
	})))
	must(t, err)
}

// What a snapshot costs depends on the rows that moved, not on the table, and taking it again costs next to nothing.
func TestSnapshotsAreSmall(t *testing.T) {
	m := largeText(t)
	var first, again, later uint64
	var shot plan.Snapshot
	measure := func(into *uint64, f func()) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		*into = after.TotalAlloc - before.TotalAlloc
	}
	_, err := m.Fit(t.Context(), newRows(t, 3), newRowsOptions(optim.Adam{}, 2, plan.CallbackFunc(func(e plan.Event, tr plan.Training) error {
		if e != plan.BatchEnd {
			return nil
		}
		switch tr.Step() {
		case 11:
			measure(&first, func() { shot = tr.Snapshot(nil) })
			measure(&again, func() { shot = tr.Snapshot(shot) })
		case 23:
			measure(&later, func() { shot = tr.Snapshot(shot) })
			return tr.Restore(shot)
		}
		return nil
	})))
	must(t, err)
	// 96 rows of 6 ids.
	const most = 4 * 96 * 6 * largeDim
	if first > most || later > most || most > largeTable/50 {
		t.Errorf("%d and %d bytes for snapshots of rows of at most %d; the table has %d", first, later, most, largeTable)
	}
	if again > 1000 { // what ReadMemStats and the runtime itself may need
		t.Errorf("%d bytes to take it again", again)
	}
}

func TestSnapshotsOfAnotherFit(t *testing.T) {
	m := smallText(t)
	var shot plan.Snapshot
	var training plan.Training
	o := longRun()
	o.Callbacks = []nn.Callback{plan.CallbackFunc(func(e plan.Event, tr plan.Training) error {
		if e != plan.EpochEnd {
			return nil
		}
		if training != tr {
			if training != nil {
				wantError(t, tr.Restore(shot), "nn: the snapshot is not of this Fit")
			}
			wantError(t, tr.Restore(nil), "nn: the snapshot is not of this Fit")
		}
		training, shot = tr, tr.Snapshot(shot) // memory of another Fit's
		return nil
	})}
	for range 2 {
		_, err := m.Fit(t.Context(), someReviews(t), o)
		must(t, err)
		before := m.Weights(nil)
		wantError(t, training.Restore(shot), "nn: the Fit of the snapshot has ended")
		sameBits(t, "weights", m.Weights(nil), before)
	}
}

// starts is a callback that acts when it starts.
type starts func(plan.Training)

func (s starts) Kind() string { return "Starts" }

func (s starts) Start(tr plan.Training) (plan.Handler, error) {
	s(tr)
	return plan.Handler{Handle: func(plan.Event, plan.Training) error { return nil }}, nil
}

// A snapshot of a Fit that did not begin is over with it.
func TestSnapshotOfAFailedFit(t *testing.T) {
	m := smallText(t)
	var shot plan.Snapshot
	var training plan.Training
	o := longRun()
	o.Callbacks = []nn.Callback{starts(func(tr plan.Training) { training, shot = tr, tr.Snapshot(nil) }), nil}
	_, err := m.Fit(t.Context(), someReviews(t), o)
	wantError(t, err, "nn: callback 1 is nil")
	_, err = m.Fit(t.Context(), someReviews(t), longRun())
	must(t, err)
	before := m.Weights(nil)
	wantError(t, training.Restore(shot), "nn: the Fit of the snapshot has ended")
	sameBits(t, "weights", m.Weights(nil), before)
}
