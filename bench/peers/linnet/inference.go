package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"time"

	"github.com/linnet-ml/linnet/bench"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/tensor"
)

// inferenceEpochs are enough for predictions that differ from row to row.
const inferenceEpochs = 3

// trained is the tutorial after a few epochs: the same weights in every process.
func (s *settings) trained(ctx context.Context) (*bench.Tutorial, error) {
	t, err := bench.LoadTutorial(ctx, s.data)
	if err != nil {
		return nil, err
	}
	_, err = t.Model.Fit(ctx, t.Train, t.FitOptions(inferenceEpochs, s.threads))
	return t, err
}

// inference evaluates the 25,000 test reviews, and predicts 1,000 of them in turn. Times are medians of the repeats.
func (s *settings) inference(ctx context.Context) (figures, error) {
	t, err := s.trained(ctx)
	if err != nil {
		return nil, err
	}
	x := t.Test.X.(*tensor.Int32)
	bags, err := t.Model.Prepare(ctx, x)
	if err != nil {
		return nil, err
	}
	f := figures{}
	for _, c := range []struct {
		name string
		x    tensor.Rows
	}{{"evaluate_ms", x}, {"evaluate_bags_ms", bags}} {
		if f[c.name], err = s.median(func() error {
			_, err := t.Model.Evaluate(ctx, nn.Data{X: c.x, Y: t.Test.Y}, bench.EvaluateOptions(s.threads))
			return err
		}, 1e6); err != nil {
			return nil, err
		}
	}

	const rows = 1000
	var each []tensor.Rows
	for i := range rows {
		each = append(each, x.Rows(i, i+1))
	}
	dst := make([]float32, 0, rows)
	one := func() error {
		dst = dst[:0]
		for _, row := range each {
			if dst, err = t.Model.PredictInto(ctx, dst, row, nn.PredictOptions{}); err != nil {
				return err
			}
		}
		return nil
	}
	if f["predict_us"], err = s.median(one, 1e3*rows); err != nil {
		return nil, err
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := one(); err != nil {
		return nil, err
	}
	runtime.ReadMemStats(&after)
	f["predict_allocations"] = float64(after.Mallocs-before.Mallocs) / rows

	all, err := t.Model.PredictInto(ctx, nil, x, nn.PredictOptions{})
	if err != nil {
		return nil, err
	}
	for i, v := range dst {
		if math.Float32bits(v) != math.Float32bits(all[i]) {
			return nil, fmt.Errorf("row %d: %v alone and %v in its batch", i, v, all[i])
		}
	}
	f["mean_prediction"] = mean(all)
	return f, nil
}

func mean(list []float32) float64 {
	var sum float64
	for _, v := range list {
		sum += float64(v)
	}
	return sum / float64(len(list))
}

// median is the median time of f in units of so many nanoseconds, after a first call that does not count.
func (s *settings) median(f func() error, unit float64) (float64, error) {
	if err := f(); err != nil {
		return 0, err
	}
	times := make([]time.Duration, s.repeats)
	var errs error
	for i := range times {
		start := time.Now()
		errs = errors.Join(errs, f())
		times[i] = time.Since(start)
	}
	return float64(bench.Median(times).Nanoseconds()) / unit, errs
}
