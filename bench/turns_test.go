package bench

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/linnet-ml/linnet/internal/shared"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/simd"
)

// BenchmarkThreads is how many times as fast a step is with two threads as with one, the two in turn, in rounds in which the
// cores were near each other and in others: the median of all ratios, the ratio of the shortest medians, and the
// median step of each.
func BenchmarkThreads(b *testing.B) {
	for _, c := range []struct {
		name string
		of   func(b *testing.B) (nn.Data, func() (*nn.Model, error), nn.FitOptions)
	}{
		{"tutorial", tutorialSteps},
		{"batch4096", func(b *testing.B) (nn.Data, func() (*nn.Model, error), nn.FitOptions) {
			s := tutorialSize
			s.Batch = 4096
			t, err := NewSized(b.Context(), s)
			check(b, err)
			return t.data, func() (*nn.Model, error) { return network(b.Context(), s.Vocabulary, s.Dim) }, fitOptions(0, s.Batch, 0)
		}},
		{"table", func(b *testing.B) (nn.Data, func() (*nn.Model, error), nn.FitOptions) {
			reviews, err := LoadReviews(b.Context(), shared.Path(b, "data/imdb"))
			check(b, err)
			t, err := NewTable(b.Context(), reviews)
			check(b, err)
			return wholeBatches(t.Train), func() (*nn.Model, error) { return network(b.Context(), TableRows, TableDim) }, t.FitOptions(0, 0)
		}},
	} {
		b.Run(c.name+"/isa="+simd.Path(), func(b *testing.B) {
			d, model, o := c.of(b)
			compareThreads(b, d, model, o)
		})
	}
	for _, n := range networks() {
		b.Run(n.name+"/isa="+simd.Path(), func(b *testing.B) {
			compareThreads(b, networkData(b), func() (*nn.Model, error) { return n.build(b.Context()) }, fitOptions(0, networkBatch, 0))
		})
	}
}

func compareThreads(b *testing.B, d nn.Data, model func() (*nn.Model, error), o nn.FitOptions) {
	b.Helper()
	var trainings []Training
	for threads := 1; threads <= 2; threads++ {
		m, err := model()
		check(b, err)
		o.Threads = threads
		trainings = append(trainings, Training{m, d, o})
	}
	for b.Loop() {
		turns, err := InTurn(b.Context(), trainings, 12, 5*time.Second)
		check(b, err)
		for _, near := range []bool{true, false} {
			name := "far"
			if near {
				name = "near"
			}
			var ratios []float64
			var one, two []time.Duration
			for _, t := range turns {
				if t.Near() == near {
					ratios = append(ratios, float64(t.Steps[0])/float64(t.Steps[1]))
					one, two = append(one, t.Steps[0]), append(two, t.Steps[1])
				}
			}
			b.ReportMetric(float64(len(ratios)), name+"-turns")
			if len(ratios) == 0 {
				continue
			}
			slices.Sort(ratios)
			b.ReportMetric(ratios[len(ratios)/2], name+"-x")
			b.ReportMetric(float64(slices.Min(one))/float64(slices.Min(two)), name+"-min-x")
			b.ReportMetric(float64(Median(one))/1e3, name+"-1-µs")
			b.ReportMetric(float64(Median(two))/1e3, name+"-2-µs")
		}
	}
}

func tutorialSteps(b *testing.B) (nn.Data, func() (*nn.Model, error), nn.FitOptions) {
	t := load(b)
	bags, err := t.Model.Prepare(b.Context(), t.Train.X)
	check(b, err)
	o := t.FitOptions(0, 0)
	o.Validation = nil
	return wholeBatches(nn.Data{X: bags, Y: t.Train.Y}), func() (*nn.Model, error) { return network(b.Context(), Words, 16) }, o
}

// Trainings in turn end when the time is over or one of them fails.
func TestInTurn(t *testing.T) {
	sized := func() Training {
		s, err := NewSized(t.Context(), Size{Batch: 512, Vocabulary: 50, Dim: 2, Length: 4, Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		return Training{s.model, s.data, fitOptions(0, s.Batch, 1)}
	}
	turns, err := InTurn(t.Context(), []Training{sized(), sized()}, 2, 20*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	for _, turn := range turns {
		if len(turn.Steps) != 2 || slices.Min(turn.Steps) <= 0 || turn.RoundTrip <= 0 {
			t.Fatalf("a turn of %v", turn)
		}
	}
	if len(turns) == 0 {
		t.Error("no turn")
	}
	broken := sized()
	broken.Options.Loss = nil
	if _, err := InTurn(t.Context(), []Training{sized(), broken}, 2, time.Minute); err == nil {
		t.Error("a training without a loss is no error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if turns, err := InTurn(ctx, []Training{sized(), sized()}, 2, time.Minute); len(turns) > 0 || err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("%d turns after a cancelled context, %v", len(turns), err)
	}
}
