package simd

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// tableCase is one call of each table kernel.
type tableCase struct {
	dim, rows  int
	table, row []float32
	ids        []int32
	counts     []float32
	n          float32
	flat       []float32
}

func newTableCase(r *rand.Rand, dim, rows, n int, value func(*rand.Rand) float32) tableCase {
	c := tableCase{
		dim: dim, rows: rows,
		table: fill(r, rows*dim, value), row: fill(r, dim, value),
		counts: fill(r, n, value), flat: fill(r, n*dim, value),
		n: []float32{0, 1, 17, -0.3}[r.IntN(4)],
	}
	for range n {
		c.ids = append(c.ids, int32(r.IntN(rows)))
	}
	return c
}

// check compares the exported functions with loops over elements. bad is the
// index of the first id outside the table, or the number of ids.
func (c tableCase) check(t *testing.T, bad int) {
	t.Helper()
	what := fmt.Sprintf("dim %d, %d ids, first bad %d", c.dim, len(c.ids), bad)
	dim := c.dim

	table, checkTable := surround(t, c.table, 1)
	flat, checkFlat := surround(t, c.flat, 2)
	want := append([]float32(nil), c.flat...)
	for i := range bad {
		copy(want[i*dim:], c.table[int(c.ids[i])*dim:][:dim])
	}
	if done := Gather(flat, table, dim, c.ids); done != bad {
		t.Fatalf("Gather: %s: returned %d", what, done)
	}
	checkBits(t, "Gather: "+what, flat, want)
	checkTable("Gather: " + what)
	checkFlat("Gather: " + what)

	want = append([]float32(nil), c.table...)
	for i := range bad {
		for j := range dim {
			want[int(c.ids[i])*dim+j] += c.flat[i*dim+j]
		}
	}
	copy(flat, c.flat)
	if done := ScatterAdd(table, flat, dim, c.ids); done != bad {
		t.Fatalf("ScatterAdd: %s: returned %d", what, done)
	}
	checkBits(t, "ScatterAdd: "+what, table, want)
	checkTable("ScatterAdd: " + what)

	copy(table, c.table)
	copy(flat, c.flat)
	want = append([]float32(nil), c.table...)
	for i := range bad {
		copy(want[int(c.ids[i])*dim:][:dim], c.flat[i*dim:])
	}
	if done := Scatter(table, flat, dim, c.ids); done != bad {
		t.Fatalf("Scatter: %s: returned %d", what, done)
	}
	checkBits(t, "Scatter: "+what, table, want)
	checkTable("Scatter: " + what)

	row, checkRow := surround(t, c.row, 3)
	copy(table, c.table)
	want = append([]float32(nil), c.row...)
	if bad == len(c.ids) {
		for j := range dim {
			var s [4]float32
			for i, id := range c.ids {
				s[i%4] += float32(c.counts[i] * c.table[int(id)*dim+j])
			}
			want[j] = ((s[0] + s[1]) + (s[2] + s[3])) / c.n
			if c.n == 0 {
				want[j] = 0
			}
		}
	}
	if done := BagMean(row, table, dim, c.ids, c.counts, c.n); done != bad {
		t.Fatalf("BagMean: %s: returned %d", what, done)
	}
	checkBits(t, "BagMean: "+what, row, want)
	checkRow("BagMean: " + what)

	copy(row, c.row)
	want = append([]float32(nil), c.table...)
	for i := range bad {
		for j := range dim {
			want[int(c.ids[i])*dim+j] += float32(c.counts[i] * c.row[j])
		}
	}
	if done := BagScatter(table, row, dim, c.ids, c.counts); done != bad {
		t.Fatalf("BagScatter: %s: returned %d", what, done)
	}
	checkBits(t, "BagScatter: "+what, table, want)
	checkTable("BagScatter: " + what)
	checkRow("BagScatter: " + what)
}

// TestTable protects the bits of gather, scatter-add and bags on every path, and
// that an id outside the table is reported and touches nothing.
func TestTable(t *testing.T) {
	eachPath(t, func(t *testing.T, k *kernels) {
		use(t, k)
		r := rand.New(rand.NewPCG(21, 22))
		for dim := 1; dim <= 140; dim++ {
			for _, n := range []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 15} {
				c := newTableCase(r, dim, 7, n, fills[(dim+n)%2].make)
				c.check(t, n)
				if n == 0 {
					continue
				}
				for _, id := range []int32{7, -1, 1<<31 - 1, -1 << 31} {
					at := r.IntN(n)
					before := c.ids[at]
					c.ids[at] = id
					c.check(t, at)
					c.ids[at] = before
				}
			}
		}
		// Tables that do not fit the caches.
		for _, dim := range []int{16, 50, 140} {
			rows := 5 << 20 / 4 / dim
			for _, n := range []int{1, 15, 16, 40} {
				c := newTableCase(r, dim, rows, n, fills[0].make)
				c.check(t, n)
				c.ids[n-1] = int32(rows)
				c.check(t, n-1)
			}
		}
		// Long enough to be cut into several calls.
		c := newTableCase(r, 16, 50, block/16+77, fills[0].make)
		c.check(t, len(c.ids))
		c.ids[block/16+3] = 50
		c.check(t, block/16+3)
		c = newTableCase(r, 1, 50, block+9, fills[0].make)
		c.check(t, len(c.ids))
	})
}
