package evaluation

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/linnet-ml/linnet/classifier"
	"github.com/linnet-ml/linnet/internal/random"
)

// state is what one goroutine has for itself.
type state struct {
	result  classifier.Result
	weights []uint32
}

// parallel calls do for 0 to n-1, on as many goroutines as there are processors. No result may depend on which comes first.
func parallel(ctx context.Context, n int, do func(i int, s *state)) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			var s state
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				do(i, &s)
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("evaluation: %w", err)
	}
	return nil
}

// resample calls measure for each bootstrap sample with how often it has each row.
func resample(ctx context.Context, rows int, o Options, measure func(i int, weights []uint32)) error {
	name := random.Named("evaluation", 0)
	return parallel(ctx, o.Resamples, func(i int, s *state) {
		if s.weights == nil {
			s.weights = make([]uint32, rows)
		}
		clear(s.weights)
		stream := name.Stream(o.Seed, random.Check, uint64(i))
		for n := 0; n < rows; n += 4 {
			block := stream.Block(uint64(n / 4))
			for _, r := range block[:min(4, rows-n)] {
				s.weights[uint64(r)*uint64(rows)>>32]++
			}
		}
		measure(i, s.weights)
	})
}

// interval is the middle part of the values, which it sorts.
func interval(values []float64, confidence float64) Interval {
	slices.Sort(values)
	tail := (1 - confidence) / 2
	n := float64(len(values) - 1)
	return Interval{values[int(math.Floor(tail*n+0.5))], values[int(math.Floor((1-tail)*n+0.5))]}
}
