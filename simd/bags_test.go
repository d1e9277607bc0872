package simd

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
)

// bagsCase is a batch of bags in both formats of pairs.
type bagsCase struct {
	dim, rows          int
	table, flat        []float32
	narrow             []uint32
	wide               []uint64
	from, to           []int
	n                  []float32
	badBag, badPair    int // the first id outside the table; or the number of bags
	wantMean, wantRows []float32
}

// newBagsCase makes bags of the given sizes, which lie in pairs in another
// order and with gaps. If bad is not negative, that pair's id lies outside.
func newBagsCase(r *rand.Rand, dim, rows int, sizes []int, bad int, value func(*rand.Rand) float32) *bagsCase {
	c := &bagsCase{
		dim: dim, rows: rows, badBag: len(sizes), badPair: bad,
		table: fill(r, rows*dim, value), flat: fill(r, len(sizes)*dim, value),
		from: make([]int, len(sizes)), to: make([]int, len(sizes)),
	}
	for _, i := range r.Perm(len(sizes)) {
		c.from[i] = len(c.wide) + r.IntN(3)
		c.to[i] = c.from[i] + sizes[i]
		for len(c.wide) < c.to[i] {
			id, count := uint64(r.IntN(rows)), uint64(1+r.IntN(3))
			switch r.IntN(9) {
			case 0:
				count = uint64(r.IntN(1 << 16))
			case 1:
				count = 0
			}
			c.wide = append(c.wide, count<<32|id)
		}
	}
	for range sizes {
		c.n = append(c.n, []float32{0, 1, 17, -0.3, 256}[r.IntN(5)])
	}
	if bad >= 0 {
		for i, size := range sizes {
			if bad < size {
				c.badBag, c.badPair = i, bad
				ids := []uint64{uint64(rows), 1<<16 - 1}
				c.wide[c.from[i]+bad] = c.wide[c.from[i]+bad]>>32<<32 | ids[r.IntN(2)]
				break
			}
			bad -= size
		}
	}
	for _, p := range c.wide {
		c.narrow = append(c.narrow, uint32(p>>32<<16|p&(1<<16-1)))
	}
	c.wantMean = append([]float32(nil), c.flat...)
	c.wantRows = append([]float32(nil), c.table...)
	for i := range min(c.badBag+1, len(sizes)) {
		s := make([][4]float32, dim)
		bag := c.wide[c.from[i]:c.to[i]]
		if i == c.badBag {
			bag = bag[:c.badPair]
		}
		for k, p := range bag {
			id, count := int(uint32(p)), float32(p>>32)
			for j := range dim {
				s[j][k%4] += float32(count * c.table[id*dim+j])
				c.wantRows[id*dim+j] += float32(count * c.flat[i*dim+j])
			}
		}
		for j := range dim {
			if i == c.badBag {
				break
			}
			c.wantMean[i*dim+j] = ((s[j][0] + s[j][1]) + (s[j][2] + s[j][3])) / c.n[i]
			if c.n[i] == 0 {
				c.wantMean[i*dim+j] = 0
			}
		}
	}
	return c
}

func (c *bagsCase) check(t *testing.T) {
	t.Helper()
	for _, format := range []string{"", "Wide"} {
		what := fmt.Sprintf("%s: dim %d, %d bags, %d pairs, outside in bag %d at %d", format, c.dim, len(c.from), len(c.wide), c.badBag, c.badPair)
		table, checkTable := surround(t, c.table, 1)
		flat, checkFlat := surround(t, c.flat, 2)
		var done int
		if format == "" {
			done = BagsMean(flat, table, c.dim, c.narrow, c.from, c.to, c.n)
		} else {
			done = BagsMeanWide(flat, table, c.dim, c.wide, c.from, c.to, c.n)
		}
		if done != c.badBag {
			t.Fatalf("BagsMean%s: returned %d", what, done)
		}
		checkBits(t, "BagsMean"+what, flat, c.wantMean)
		checkBits(t, "BagsMean"+what, table, c.table)
		checkTable("BagsMean" + what)
		checkFlat("BagsMean" + what)

		copy(flat, c.flat)
		if format == "" {
			done = BagsScatter(table, flat, c.dim, c.narrow, c.from, c.to)
		} else {
			done = BagsScatterWide(table, flat, c.dim, c.wide, c.from, c.to)
		}
		if done != c.badBag {
			t.Fatalf("BagsScatter%s: returned %d", what, done)
		}
		checkBits(t, "BagsScatter"+what, table, c.wantRows)
		checkBits(t, "BagsScatter"+what, flat, c.flat)
		checkTable("BagsScatter" + what)
		checkFlat("BagsScatter" + what)
	}
}

// TestBags protects the bits of batches of bags on every path, for each width
// and each size of a bag, and that an id outside the table is reported and
// touches nothing.
func TestBags(t *testing.T) {
	eachPath(t, func(t *testing.T, k *kernels) {
		use(t, k)
		r := rand.New(rand.NewPCG(31, 32))
		for dim := 1; dim <= 140; dim++ {
			sizes := []int{r.IntN(40), 0, 1 + r.IntN(3), 4 + dim%37, r.IntN(20)}
			total := 0
			for _, n := range sizes {
				total += n
			}
			newBagsCase(r, dim, 7, sizes, -1, fills[dim%2].make).check(t)
			newBagsCase(r, dim, 7, sizes, r.IntN(total), fills[0].make).check(t)
		}
		for size := range 70 {
			for _, dim := range []int{8, 16, 32, 50, 64} {
				newBagsCase(r, dim, 9, []int{size, 3}, -1, fills[size%2].make).check(t)
			}
			for range 5 {
				newBagsCase(r, 16, 9, []int{5, size, 3}, r.IntN(size+8), fills[0].make).check(t)
			}
		}
		newBagsCase(r, 16, 7, nil, -1, fills[0].make).check(t)
		// More pairs than one call takes, in many bags and in one.
		newBagsCase(r, 16, 300, []int{block / 2, block/2 - 10, 3, 0, 2}, -1, fills[0].make).check(t)
		newBagsCase(r, 16, 300, []int{3, block + 77, 5}, -1, fills[0].make).check(t)
		newBagsCase(r, 16, 300, []int{3, block + 77, 5}, 3+block+5, fills[0].make).check(t)
	})
}

// TestBagsOfNoTable protects a table without rows, in which every id is outside.
func TestBagsOfNoTable(t *testing.T) {
	eachPath(t, func(t *testing.T, k *kernels) {
		use(t, k)
		dst := []float32{1, 2, 3}
		if done := BagsMean(dst, nil, 1, []uint32{1 << 16}, []int{0, 0, 0}, []int{0, 1, 0}, []float32{1, 1, 1}); done != 1 {
			t.Errorf("BagsMean returned %d, want 1", done)
		}
		if done := BagsScatterWide(nil, dst, 1, []uint64{1 << 32}, []int{0, 0, 0}, []int{0, 1, 0}); done != 1 {
			t.Errorf("BagsScatterWide returned %d, want 1", done)
		}
		checkBits(t, "dst", dst, []float32{0, 2, 3})
	})
}

// TestKernelsComplete protects a path from an entry that was forgotten.
func TestKernelsComplete(t *testing.T) {
	for _, k := range available() {
		v := reflect.ValueOf(k)
		for i := range v.NumField() {
			if name := v.Type().Field(i).Name; v.Field(i).IsZero() && name != "narrow" && name != "countIDs" { // which may be missing
				t.Errorf("path %s has no %s", k.name, v.Type().Field(i).Name)
			}
		}
	}
}
