package bench

import (
	"fmt"
	"testing"
	"time"

	"github.com/linnet-ml/linnet/simd"
)

// BenchmarkCurve is a step and a prediction of each size. What stays about the same along a curve, where cost grows as
// the work does, is ns/element, the time of a step by Work.Elements.
func BenchmarkCurve(b *testing.B) {
	for _, c := range Curves() {
		for _, s := range c.Sizes {
			b.Run(fmt.Sprintf("along=%s/%v/isa=%s", c.Name, s, simd.Path()), func(b *testing.B) {
				t, err := NewSized(b.Context(), s)
				check(b, err)
				for b.Loop() {
					step, err := t.Step(b.Context(), 200*time.Millisecond)
					check(b, err)
					row, err := t.Predict(b.Context(), 100*time.Millisecond)
					check(b, err)
					b.ReportMetric(float64(step.Nanoseconds()), "ns/step")
					b.ReportMetric(float64(step.Nanoseconds())/float64(t.Elements(s)), "ns/element")
					b.ReportMetric(float64(row.Nanoseconds()), "ns/row")
				}
			})
		}
	}
}

// The work that a curve's times are divided by is that of its data.
func TestSizedWork(t *testing.T) {
	s := Size{Batch: 4096, Vocabulary: 2, Dim: 8, Length: 64, Threads: 1}
	sized, err := NewSized(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	// Of two ids 64 draws have both, but for one review in thousands.
	if sized.Moved != 2 || sized.Pairs < 2*s.Batch-8 || sized.Pairs > 2*s.Batch {
		t.Errorf("%d rows and %d pairs, want 2 and about %d", sized.Moved, sized.Pairs, 2*s.Batch)
	}
	if got, want := (Work{Pairs: 10, Moved: 3}).Elements(Size{Batch: 2, Dim: 4}), 3*10*4+7*3*4+6*2*(4*16+16); got != want {
		t.Errorf("%d elements, want %d", got, want)
	}
}

// Every curve's reviews must fill whole batches.
func TestCurvesAreWholeBatches(t *testing.T) {
	for _, c := range Curves() {
		for i, s := range c.Sizes {
			if sizedRows%s.Batch != 0 {
				t.Errorf("%s: batch %d", c.Name, s.Batch)
			}
			if i > 0 && c.Value(s) <= c.Value(c.Sizes[i-1]) {
				t.Errorf("%s: %d does not grow", c.Name, c.Value(s))
			}
		}
	}
}

func TestParseStatus(t *testing.T) {
	if got := parseStatus("Name:\tx\nVmHWM:\t    12 kB\nVmRSS:\t 7 kB\n", "VmHWM"); got != 12<<10 {
		t.Errorf("%d bytes, want %d", got, 12<<10)
	}
}
