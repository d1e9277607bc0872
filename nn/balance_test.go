package nn

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/nn/internal/team"
)

// Parts of a table change until workers take equally long, whatever a row costs each of them and whatever else they have to
// do, and cover the table all the time.
func TestBalance(t *testing.T) {
	const rows = 5000
	for _, workers := range []int{2, 3, 8} {
		s, _ := laidOut(t, workers, 64, 32, 20, rows, layers.Embedding{Vocabulary: rows, Dim: 16}, layers.GlobalAveragePooling1D{},
			layers.Dense{Units: 1, Activation: layers.Sigmoid})
		b := s.update.balance
		if b == nil || len(b.tables) != 1 {
			t.Fatalf("%d workers: no table is shared", workers)
		}
		jobs := b.tables[0].jobs
		// The costs of rows are nothing like those that are expected, and the last worker has other work.
		takes := func() []time.Duration {
			took := make([]time.Duration, workers)
			for w, j := range jobs {
				for row := j.lo; row < j.hi; row++ {
					took[w] += time.Duration(20 + row%7 + row/100)
				}
			}
			took[workers-1] += 5000
			return took
		}
		for range 30 {
			b.move(takes())
			for w, lo := 0, 0; w < workers; w++ {
				if jobs[w].lo != lo || jobs[w].hi < lo {
					t.Fatalf("part %d of %d is [%d:%d), and rows before %d are others'", w, workers, jobs[w].lo, jobs[w].hi, lo)
				}
				lo = jobs[w].hi
			}
			if jobs[workers-1].hi != rows {
				t.Fatalf("the parts end at row %d", jobs[workers-1].hi)
			}
		}
		took := takes()
		slices.Sort(took)
		if ratio := float64(took[workers-1]) / float64(took[0]); ratio > 1.1 || math.IsNaN(ratio) {
			t.Errorf("%d workers take %v", workers, took)
		}
		s.end()
	}
}

// A look is at medians, of updates that each worker had its part in, and bounds that are even stay.
func TestBalanceLooks(t *testing.T) {
	s, _ := laidOut(t, 2, 64, 32, 20, 2000, layers.Embedding{Vocabulary: 2000, Dim: 16}, layers.GlobalAveragePooling1D{},
		layers.Dense{Units: 1, Activation: layers.Sigmoid})
	defer s.end()
	b := s.update.balance
	first := b.tables[0].jobs[0]
	update := func(a, c time.Duration, whole bool) {
		b.step[0], b.step[1], b.whole = a, c, whole
		b.updated()
	}
	before := first.hi
	for i := range firstLook {
		a := time.Duration(1000)
		if i%3 == 0 {
			a = time.Second // the core was somebody else's
		}
		update(a, 1010, true)
	}
	for range 10 * lastLook {
		update(time.Second, 1, false)
	}
	if first.hi != before {
		t.Errorf("the first part ended at row %d, and at %d after updates that took as long", before, first.hi)
	}
	if b.window != 2*firstLook {
		t.Errorf("the next look is at %d updates, not %d", b.window, 2*firstLook)
	}
	for range 2 * firstLook {
		update(2000, 1000, true)
	}
	if first.hi >= before || b.tables[0].jobs[1].lo != first.hi {
		t.Errorf("the first part ended at row %d, and at %d after it took twice as long as the other", before, first.hi)
	}
}

// A model without tables, or whose tables have fewer rows than there are workers, has nothing to balance.
func TestNothingToBalance(t *testing.T) {
	s, _ := laidOut(t, 4, 64, 32, 20, 3, layers.Embedding{Vocabulary: 3, Dim: 8000}, layers.GlobalAveragePooling1D{},
		layers.Dense{Units: 1, Activation: layers.Sigmoid})
	defer s.end()
	if s.update.balance != nil {
		t.Errorf("three rows are shared by four workers: %v", s.update.balance.tables)
	}
}

// A worker that has so much other work that no bound makes up for it leaves costs in bounds, and once it has none the bounds are
// soon where they were, on either side.
func TestBalanceDoesNotWindUp(t *testing.T) {
	const rows = 2000
	for busy := range 2 {
		s, _ := laidOut(t, 2, 64, 32, 20, rows, layers.Embedding{Vocabulary: rows, Dim: 16}, layers.GlobalAveragePooling1D{},
			layers.Dense{Units: 1, Activation: layers.Sigmoid})
		b := s.update.balance
		table := &b.tables[0]
		takes := func(other time.Duration) []time.Duration {
			took := make([]time.Duration, 2)
			for w, j := range table.jobs {
				took[w] = time.Duration(1 + 100*(j.hi-j.lo))
			}
			took[busy] += other
			return took
		}
		for range 500 {
			b.move(takes(1000 * rows))
		}
		for _, c := range table.cost {
			if c != c || c <= 0 || math.IsInf(float64(c), 0) {
				t.Fatalf("a row costs %v", c)
			}
		}
		for range 20 {
			b.move(takes(0))
		}
		if at := table.jobs[0].hi; at < rows*48/100 || at > rows*52/100 {
			t.Errorf("worker %d was busy: the first part has %d of %d rows", busy, at, rows)
		}
		s.end()
	}
}

// Where workers often come too late, the updates in which they do not are those in which the first one took long: they say
// nothing of its rows. Nor does a clock that says 0.
func TestBalanceOfABusyMachine(t *testing.T) {
	s, _ := laidOut(t, 2, 64, 32, 20, 2000, layers.Embedding{Vocabulary: 2000, Dim: 16}, layers.GlobalAveragePooling1D{},
		layers.Dense{Units: 1, Activation: layers.Sigmoid})
	defer s.end()
	b := s.update.balance
	first := b.tables[0].jobs[0]
	before := first.hi
	for i := range 1000 {
		if i%4 == 0 {
			b.tardy, b.whole = true, false
		} else {
			b.step[0], b.step[1] = 3000, 1000
		}
		b.updated()
	}
	b.move([]time.Duration{0, 1000})
	if first.hi != before {
		t.Errorf("the first part ended at row %d, and now at %d", before, first.hi)
	}
}

// An update in which a worker came too late is one, however many phases it has.
func TestBalanceOfPhases(t *testing.T) {
	s, _ := laidOut(t, 2, 64, 32, 20, 2000, layers.Embedding{Vocabulary: 2000, Dim: 16}, layers.GlobalAveragePooling1D{},
		layers.Dense{Units: 1, Activation: layers.Sigmoid})
	defer s.end()
	b := s.update.balance
	one := team.New(1) // which never says how long its parts took
	defer one.End()
	for range 3 {
		b.phase(one)
	}
	if b.updated(); b.late != 1 || b.tardy {
		t.Errorf("%d updates were late, want 1", b.late)
	}
}

// A Trainer's Gradients and Apply are balanced by all that a step takes, and gradients that are dropped count for nothing.
func TestBalanceOfGradients(t *testing.T) {
	s, data := laidOut(t, 2, 64, 32, 20, 2000, layers.Embedding{Vocabulary: 2000, Dim: 16}, layers.GlobalAveragePooling1D{},
		layers.Dense{Units: 1, Activation: layers.Sigmoid})
	defer s.end()
	b := s.update.balance
	if _, err := s.forward(t.Context(), data, consecutive(nil, 0, 32)); err != nil {
		t.Fatal(err)
	}
	trainer := &Trainer{stepper: *s, data: data}
	for range 20 {
		if err := s.update.run(s.update.gradientFn); err != nil {
			t.Fatal(err)
		}
		if timed := b.whole && slices.Min(b.step) > 0; !timed && !b.tardy && !s.team.Solo() {
			t.Fatalf("gradients took %v, %t", b.step, b.whole)
		}
		trainer.dropGradients()
		if slices.Max(b.step) != 0 || !b.whole || b.tardy {
			t.Fatalf("dropped gradients count: %v, %t, %t", b.step, b.whole, b.tardy)
		}
	}
}
