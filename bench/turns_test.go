package bench

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/linnet-ml/linnet/internal/shared"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/simd"
)

// BenchmarkThreads is how many times as fast a step, or the tutorial's epoch with validation, is with two threads as with
// one, the two in turn, in turns in which the cores were near each other and in others: the median of the ratios, the
// ratio of the shortest times, and the median times.
func BenchmarkThreads(b *testing.B) {
	compareThreads(b, "epoch", 3, func(b *testing.B) Training {
		t := load(b)
		return Training{Model: t.Model, Data: t.Train, Options: t.FitOptions(0, 0), Epochs: true}
	})
	compareThreads(b, "step", 100, func(b *testing.B) Training {
		t := load(b)
		bags, err := t.Model.Prepare(b.Context(), t.Train.X)
		check(b, err)
		return Training{Model: t.Model, Data: wholeBatches(nn.Data{X: bags, Y: t.Train.Y}), Options: fitOptions(0, Batch, 0)}
	})
	compareThreads(b, "batch4096", 20, func(b *testing.B) Training {
		s := tutorialSize
		s.Batch = 4096
		t, err := NewSized(b.Context(), s)
		check(b, err)
		return Training{Model: t.model, Data: t.data, Options: fitOptions(0, s.Batch, 0)}
	})
	compareThreads(b, "table", 10, func(b *testing.B) Training {
		reviews, err := LoadReviews(b.Context(), shared.Path(b, "data/imdb"))
		check(b, err)
		t, err := NewTable(b.Context(), reviews)
		check(b, err)
		return Training{Model: t.Model, Data: wholeBatches(t.Train), Options: t.FitOptions(0, 0)}
	})
	for _, n := range networks() {
		compareThreads(b, n.name, 5, func(b *testing.B) Training {
			m, err := n.build(b.Context())
			check(b, err)
			return Training{Model: m, Data: networkData(b), Options: fitOptions(0, networkBatch, 0)}
		})
	}
}

// compareThreads measures two trainings with one and with two threads, in turns of so many steps or epochs.
func compareThreads(b *testing.B, name string, many int, training func(b *testing.B) Training) {
	b.Run(name+"/isa="+simd.Path(), func(b *testing.B) {
		all := []Training{training(b), training(b)}
		for i := range all {
			all[i].Options.Threads = i + 1
		}
		var turns []Turn
		for b.Loop() {
			more, err := InTurn(b.Context(), all, many, 5*time.Second)
			check(b, err)
			turns = append(turns, more...)
		}
		reportThreads(b, "near", slices.DeleteFunc(slices.Clone(turns), func(t Turn) bool { return !t.Near() }))
		reportThreads(b, "far", slices.DeleteFunc(turns, Turn.Near))
	})
}

func reportThreads(b *testing.B, cores string, turns []Turn) {
	b.ReportMetric(float64(len(turns)), cores+"-turns")
	if len(turns) == 0 {
		return
	}
	var ratios []float64
	var one, two []time.Duration
	for _, t := range turns {
		ratios = append(ratios, float64(t.Took[0])/float64(t.Took[1]))
		one, two = append(one, t.Took[0]), append(two, t.Took[1])
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], cores+"-x")
	b.ReportMetric(float64(slices.Min(one))/float64(slices.Min(two)), cores+"-min-x")
	b.ReportMetric(float64(Median(one))/1e3, cores+"-1-µs")
	b.ReportMetric(float64(Median(two))/1e3, cores+"-2-µs")
}

// Trainings in turn end when the time is over or one of them fails.
func TestInTurn(t *testing.T) {
	sized := func() Training {
		s, err := NewSized(t.Context(), Size{Batch: 512, Vocabulary: 50, Dim: 2, Length: 4, Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		return Training{Model: s.model, Data: s.data, Options: fitOptions(0, s.Batch, 1)}
	}
	turns, err := InTurn(t.Context(), []Training{sized(), sized()}, 2, 20*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	for _, turn := range turns {
		if len(turn.Took) != 2 || slices.Min(turn.Took) <= 0 || turn.RoundTrip <= 0 && min(runtime.GOMAXPROCS(0), runtime.NumCPU()) > 1 {
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
