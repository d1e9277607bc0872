package bench

import (
	"fmt"
	"testing"

	"github.com/linnet-ml/linnet/internal/shared"
	"github.com/linnet-ml/linnet/simd"
)

// BenchmarkTable is two epochs with the large table; its figures are the median step of the second, and the memory
// that these epochs took beside the data, the table among it.
func BenchmarkTable(b *testing.B) {
	reviews, err := LoadReviews(b.Context(), shared.Path(b, "data/imdb"))
	check(b, err)
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprintf("threads=%d/isa=%s", threads, simd.Path()), func(b *testing.B) {
			for b.Loop() {
				peak, before, err := PeakMemory(func() error {
					t, err := NewTable(b.Context(), reviews)
					if err != nil {
						return err
					}
					epochs, err := StepTimes(b.Context(), t.Model, t.Train, t.FitOptions(2, threads))
					if err == nil {
						b.ReportMetric(float64(Median(epochs[1]).Nanoseconds()), "ns/step")
					}
					return err
				})
				check(b, err)
				b.ReportMetric(float64(peak-before)/(1<<20), "MiB")
			}
		})
	}
}
