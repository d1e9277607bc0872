package simd

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestAdamRepeat protects rows that are some steps behind from other bits than
// those which a step each would have given them.
func TestAdamRepeat(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	steps := make([][8]float32, 700)
	for i := range steps {
		steps[i] = [8]float32{r.Float32() / 100, 0.1, 0.001, 1e-7}
	}
	eachPath(t, func(t *testing.T, k *kernels) {
		use(t, k)
		for _, n := range []int{0, 1, 3, 4, 16, 17, 31, 32, 33, 47, 48, 50, 64, 65, 100, 128, 300} {
			for _, count := range []int{0, 1, 2, 29, 700} {
				var got, want [3][]float32
				for i := range got {
					got[i] = make([]float32, n)
					for j := range got[i] {
						got[i][j] = r.Float32()
						if j%5 == 4 && i < 2 {
							got[i][j] *= 1e-28 // decays to 0
						}
					}
					want[i] = append([]float32(nil), got[i]...)
				}
				zeros := make([]float32, n)
				for _, s := range steps[:count] {
					Adam(want[0], want[1], want[2], zeros, s[0], s[1], s[2], s[3])
				}
				AdamRepeat(got[0], got[1], got[2], steps[:count])
				for i := range got {
					for j := range got[i] {
						if got[i][j] != want[i][j] {
							t.Fatalf("%d elements, %d steps: slice %d, element %d: %v, want %v", n, count, i, j, got[i][j], want[i][j])
						}
					}
				}
			}
		}
	})
}

func BenchmarkAdamRepeat(b *testing.B) {
	for _, n := range []int{50, 128} {
		for _, count := range []int{1, 5, 30} {
			w, m, v := normal(n), normal(n), normal(n)
			for i := range v {
				v[i] *= v[i]
			}
			steps := make([][8]float32, count)
			for i := range steps {
				steps[i] = [8]float32{1e-6, 1e-6, 1e-6, 1e-7}
			}
			benchmark(b, fmt.Sprintf("row=%d/steps=%d", n, count), func(b *testing.B) {
				for b.Loop() {
					AdamRepeat(w, m, v, steps)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(count), "ns/step")
			})
		}
	}
}
