package evaluation

import (
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// MostResamples is the largest number of bootstrap samples.
const MostResamples = 1_000_000

// Options are settings of Measure and Compare. The zero value suits.
type Options struct {
	// Seed chooses the bootstrap samples.
	Seed uint64
	// Resamples is the number of bootstrap samples, at most MostResamples. The default is 1000.
	Resamples int
	// Confidence is the share of samples within an interval. The default is 0.95.
	Confidence float64
	// Mistakes is how many of the worst mistakes are listed. The default is 10; -1 lists none.
	Mistakes int
}

func (o Options) withDefaults() Options {
	if o.Resamples == 0 {
		o.Resamples = 1000
	}
	if o.Confidence == 0 {
		o.Confidence = 0.95
	}
	if o.Mistakes == 0 {
		o.Mistakes = 10
	}
	return o
}

// bootstrap calls measure for each resample with how often each of n rows was drawn. Each resample has random numbers of
// its own, so that results do not depend on which goroutine computes it.
func bootstrap(ctx context.Context, n int, o Options, measure func(worker, resample int, weight []int32)) error {
	var next atomic.Int64
	var wait sync.WaitGroup
	for worker := range workers() {
		wait.Go(func() {
			weight := make([]int32, n)
			for ctx.Err() == nil {
				r := int(next.Add(1)) - 1
				if r >= o.Resamples {
					return
				}
				clear(weight)
				random := rand.New(rand.NewPCG(o.Seed, uint64(r)))
				for range n {
					weight[random.IntN(n)]++
				}
				measure(worker, r, weight)
			}
		})
	}
	wait.Wait()
	return ctx.Err()
}

// workers is how many goroutines resample.
func workers() int { return runtime.GOMAXPROCS(0) }

// interval returns the ends of the middle part of the values, which it sorts, and whether there are any. NaN is no value.
func interval(values []float64, confidence float64) (i Interval, ok bool) {
	values = slices.DeleteFunc(values, math.IsNaN)
	if len(values) == 0 {
		return i, false
	}
	slices.Sort(values)
	cut := (1 - confidence) / 2
	at := func(share float64) float64 {
		i := int(math.Floor(float64(share*float64(len(values)-1)) + 0.5))
		return values[min(max(i, 0), len(values)-1)]
	}
	return Interval{at(cut), at(1 - cut)}, true
}
