package nn

import (
	"slices"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/tensor"
)

// Parts of a table's rows cover it in order, and have about the same work even where few rows have most of it.
func TestShareRows(t *testing.T) {
	const rows = 1000
	skewed := make([]float32, rows)
	for i := range skewed {
		skewed[i] = 20000 / float32(i+1)
	}
	for _, contributions := range [][]float32{skewed, make([]float32, rows)} {
		for parts := 1; parts <= 8; parts++ {
			ends := endsOf(parts, rowCosts(contributions, false))
			if large := endsOf(parts, rowCosts(contributions, true)); large[parts-1] != rows || !slices.IsSorted(large) {
				t.Fatalf("%d parts of a large table end at %v", parts, large)
			}
			total, most := 0.0, 0.0
			for k, lo := 0, 0; k < parts; k++ {
				if ends[k] < lo {
					t.Fatalf("%d parts end at %v", parts, ends)
				}
				work := 0.0
				for row := lo; row < ends[k]; row++ {
					work += 6 + float64(contributions[row])
				}
				total, most = total+work, max(most, work)
				lo = ends[k]
			}
			if ends[parts-1] != rows {
				t.Fatalf("%d parts end at %v", parts, ends)
			}
			// A part may exceed its share by no more than its last row.
			if limit := total/float64(parts) + 20006; most > limit {
				t.Errorf("%d parts: one has work %v of %v", parts, most, total)
			}
		}
	}
}

func endsOf(parts int, costs []float32) []int {
	ends := make([]int, parts)
	shareRows(ends, costs)
	return ends
}

// A row of a large table counts for as many visits as there are steps that read it: rows that hardly any batch reads are no
// work, however many there are.
func TestShareRowsOfALargeTable(t *testing.T) {
	contributions := make([]float32, 1000)
	for i := range contributions {
		contributions[i] = 1e-6
	}
	for _, i := range []int{100, 200, 300, 400} {
		contributions[i] = 50
	}
	contributions[100] = 60
	if ends := endsOf(2, rowCosts(contributions, true)); ends[0] <= 200 || ends[0] > 300 {
		t.Errorf("parts end at %v, want the first to have two of the four rows with work", ends)
	}
}

// An operation that says how often some rows are needed, and not all, would leave the others untrained.
func TestContributionsOfAllRows(t *testing.T) {
	s, data := laidOut(t, 2, 64, 32, 20, 2000, layers.Embedding{Vocabulary: 2000, Dim: 16}, layers.GlobalAveragePooling1D{},
		layers.Dense{Units: 1, Activation: layers.Sigmoid})
	defer s.end()
	for i := range s.program.Ops {
		if rows := s.program.Ops[i].Rows; rows != nil {
			rows.Contributions = func(int, tensor.Rows, int) []float32 { return make([]float32, 1999) }
		}
	}
	const want = `nn: parameter "embedding/embeddings" has 2000 rows, and its operation told the contributions to 1999`
	if err := s.beginUpdate(data, 32, 2); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// Every worker has as many parts as the others, of which each has some among the first and some among the last ones.
func TestWorkerOf(t *testing.T) {
	for workers := 1; workers <= 9; workers++ {
		parts, sum := make([]int, workers), make([]int, workers)
		for k := range largeParts * workers {
			parts[workerOf(k, workers)]++
			sum[workerOf(k, workers)] += k
		}
		for w := range workers {
			if parts[w] != largeParts || sum[w] != sum[0] {
				t.Errorf("%d workers have %v parts, whose numbers sum up to %v", workers, parts, sum)
				break
			}
		}
	}
}

// Kernels that many steps use are shared out, small as they are, and biases are not: workers have about the same to do,
// and not one all kernels and the other all biases.
func TestKernelsAreShared(t *testing.T) {
	s, _ := laidOut(t, 2, 32, 32, 200, 500, layers.Embedding{Vocabulary: 500, Dim: 32}, layers.MultiHeadAttention{NumHeads: 2, KeyDim: 16},
		layers.TimeDistributed{Layer: layers.Dense{Units: 32}}, layers.GRU{Units: 24}, layers.Dense{Units: 8}, layers.Dense{Units: 1, Activation: layers.Sigmoid})
	defer s.end()
	workers := map[string]int{}
	for _, jobs := range s.update.jobs {
		for _, j := range jobs {
			workers[s.update.params[j.param].p.Name()]++
		}
	}
	for name, n := range workers {
		want := 1
		if strings.Contains(name, "kernel") && !strings.HasPrefix(name, "dense") {
			want = 2
		}
		if n != want {
			t.Errorf("%s has %d workers, not %d", name, n, want)
		}
	}
	if len(workers) != 18 {
		t.Errorf("%d parameters: %v", len(workers), workers)
	}
}
