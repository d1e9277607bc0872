package simd

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestCountIDs protects bags of words: every path finds the same distinct ids
// and counts as a map does, for rows of every length.
func TestCountIDs(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	out := make([]uint32, CountIDsRoom)
	eachPath(t, func(t *testing.T, k *kernels) {
		use(t, k)
		for n := range CountedIDs + 1 {
			for _, vocabulary := range []int{1, 2, 40, 10000, 65535} {
				row := make([]int32, n)
				counts := map[int32]uint32{}
				for i := range row {
					row[i] = r.Int32N(int32(vocabulary))
					if i > n*3/4 {
						row[i] = row[0] // padding
					}
					counts[row[i]]++
				}
				var want []uint32
				for id, n := range counts {
					want = append(want, uint32(id)|n<<16)
				}
				slices.SortFunc(want, func(a, b uint32) int { return int(a&0xffff) - int(b&0xffff) })
				before := slices.Clone(row)
				got := CountIDs(out, row, vocabulary)
				if got < 0 || !slices.Equal(out[:got], want) {
					t.Fatalf("%d ids of %d: %v: got %d: %x, want %x", n, vocabulary, row, got, out[:max(got, 0)], want)
				}
				if !slices.Equal(row, before) {
					t.Fatal("the row was changed")
				}
			}
		}
	})
}

// TestCountIDsSorts protects the sorting network: by the 0-1 principle one that
// sorts all rows of zeros and ones sorts everything; these are many of them.
func TestCountIDsSorts(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	out := make([]uint32, CountIDsRoom)
	row := make([]int32, CountedIDs)
	eachPath(t, func(t *testing.T, k *kernels) {
		use(t, k)
		for range 20000 {
			ones := uint32(0)
			share := r.Uint32N(257)
			for i := range row {
				row[i] = 0
				if r.Uint32N(256) < share {
					row[i] = 1
					ones++
				}
			}
			var want []uint32
			if ones < CountedIDs {
				want = append(want, (CountedIDs-ones)<<16)
			}
			if ones > 0 {
				want = append(want, 1|ones<<16)
			}
			if n := CountIDs(out, row, 2); !slices.Equal(out[:n], want) {
				t.Fatalf("%v: got %x, want %x", row, out[:n], want)
			}
		}
	})
}

// TestCountIDsOutside protects tables from ids outside them.
func TestCountIDsOutside(t *testing.T) {
	out := make([]uint32, CountIDsRoom)
	eachPath(t, func(t *testing.T, k *kernels) {
		use(t, k)
		for n := 1; n <= CountedIDs; n++ {
			for _, id := range []int32{-1, 500, 65535, 65536, 1 << 30, -1 << 31} {
				row := make([]int32, n)
				row[n/2] = id
				if got := CountIDs(out, row, 500); got != -1 {
					t.Fatalf("%d ids, %d among them, of a vocabulary of 500: %d, want -1", n, id, got)
				}
			}
		}
	})
}

func BenchmarkCountIDs(b *testing.B) {
	r := rand.New(rand.NewPCG(7, 8))
	zipf := rand.NewZipf(r, 1.1, 2, 9999)
	rows := make([][]int32, 1000)
	for i := range rows {
		rows[i] = make([]int32, CountedIDs)
		for j := range rows[i] {
			if j < 218 {
				rows[i][j] = int32(zipf.Uint64())
			}
		}
	}
	out := make([]uint32, CountIDsRoom)
	for _, n := range []int{16, 64, 128, 256} {
		benchmark(b, fmt.Sprintf("ids=%d", n), func(b *testing.B) {
			i := 0
			for b.Loop() {
				CountIDs(out, rows[i%len(rows)][:n], 10000)
				i++
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/id")
		})
	}
}
