package nn

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/linnet-ml/linnet/layers"
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
