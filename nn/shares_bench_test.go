package nn

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/metrics"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/tensor"
)

// BenchmarkShares is the phase of a step that changes parameters, for more workers than there may be cores: their shares
// are computed one after another on one core. ns/longest is the longest share, in the median step, which the phase would take if each worker
// had a core of its own that cost nothing to reach, and ns/all is all of them: what each worker does that the others do too
// makes it grow. The network is the first tutorial's, batches have 512 made-up reviews of 256 ids; of the larger table
// rows fall behind.
func BenchmarkShares(b *testing.B) {
	for _, vocabulary := range []int{10000, 1000000} {
		for _, workers := range []int{1, 2, 4, 8, 16} {
			b.Run(fmt.Sprintf("vocabulary=%d/workers=%d", vocabulary, workers), func(b *testing.B) {
				s, data, order := sharesOf(b, vocabulary, workers)
				defer s.end()
				const batch = 512
				var longest, all []time.Duration
				for at := 0; b.Loop(); at = (at + batch) % len(order) {
					one, sum, err := s.shares(b.Context(), data, order[at:at+batch])
					if err != nil {
						b.Fatal(err)
					}
					longest, all = append(longest, one), append(all, sum)
				}
				slices.Sort(longest)
				slices.Sort(all)
				b.ReportMetric(float64(longest[len(longest)/2].Nanoseconds()), "ns/longest")
				b.ReportMetric(float64(all[len(all)/2].Nanoseconds()), "ns/all")
			})
		}
	}
}

// sharesOf lays out the tutorial's network with a vocabulary of so many words, and 24 batches.
func sharesOf(b *testing.B, vocabulary, workers int) (*stepper, *dataset, []int32) {
	const rows = 512 * 24
	s, data := laidOut(b, workers, rows, 512, 256, vocabulary, layers.Embedding{Vocabulary: vocabulary, Dim: 16},
		layers.GlobalAveragePooling1D{}, layers.Dense{Units: 16, Activation: layers.ReLU}, layers.Dense{Units: 1, Activation: layers.Sigmoid})
	return s, data, consecutive(nil, 0, rows)
}

// laidOut is a stepper of so many workers, whatever cores there are, for made-up rows of ids.
func laidOut(t testing.TB, workers, rows, batch, length, vocabulary int, network ...Layer) (*stepper, *dataset) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	ids, labels := make([]int32, rows*length), make([]int32, rows)
	for i := range ids {
		ids[i] = int32(r.IntN(1 + r.IntN(1+r.IntN(vocabulary))))
	}
	for i := range labels {
		labels[i] = r.Int32N(2)
	}
	x, err := tensor.Of(ids, rows, length)
	if err != nil {
		t.Fatal(err)
	}
	y, err := tensor.Of(labels)
	if err != nil {
		t.Fatal(err)
	}
	m, err := NewSequential(network...).Build(t.Context(), Tokens(length), BuildOptions{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	trainer, err := m.NewTrainer(TrainerOptions{Optimizer: optim.Adam{}, Loss: loss.BinaryCrossentropy{}, Metrics: []Metric{metrics.Accuracy{}}})
	if err != nil {
		t.Fatal(err)
	}
	s := &trainer.stepper
	data, err := m.dataset(t.Context(), s.program, &Batch{X: x, Y: y}, s.objectives, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.begin(data, batch, workers); err != nil {
		t.Fatal(err)
	}
	return s, data
}

// shares takes a step and returns how long the longest share of the update took, and all of them.
func (s *stepper) shares(ctx context.Context, data *dataset, rows []int32) (longest, all time.Duration, err error) {
	if _, err := s.forward(ctx, data, rows); err != nil {
		return 0, 0, err
	}
	u := s.update
	if _, err := u.count(); err != nil {
		return 0, 0, err
	}
	for w, jobs := range u.jobs {
		begun := time.Now()
		u.do(jobs, w, true, true)
		took := time.Since(begun)
		longest, all = max(longest, took), all+took
	}
	if err := u.ended(nil); err != nil {
		return 0, 0, err
	}
	return longest, all, s.taken()
}
