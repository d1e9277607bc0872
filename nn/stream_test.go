package nn_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/linnet-ml/linnet/callbacks"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/metrics"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/tensor"
)

// slices of d, so many rows each, as a stream that counts how often it was opened and given back.
type sliced struct {
	d              nn.Data
	rows           int
	opened, closed int
	epochs         []int
}

func (s *sliced) Batches(_ context.Context, epoch int) iter.Seq2[nn.Batch, error] {
	return func(yield func(nn.Batch, error) bool) {
		s.opened++
		defer func() { s.closed++ }()
		s.epochs = append(s.epochs, epoch)
		x, y := s.d.X.(*tensor.Int32), s.d.Y.(*tensor.Int32)
		for lo := 0; lo < x.Len(); lo += s.rows {
			hi := min(lo+s.rows, x.Len())
			if !yield(nn.Batch{X: x.Rows(lo, hi), Y: y.Rows(lo, hi)}, nil) {
				return
			}
		}
	}
}

func streamRun() nn.FitOptions {
	return nn.FitOptions{Optimizer: optim.Adam{LearningRate: 0.02}, Loss: loss.BinaryCrossentropy{}, Metrics: []nn.Metric{metrics.Accuracy{}}, Epochs: 3}
}

// A stream of the rows in their order trains to the bits of the same rows in memory, and is evaluated as they are.
func TestStreamIsData(t *testing.T) {
	d := someReviews(t)
	for _, noFusion := range []bool{false, true} {
		for _, threads := range []int{1, 3} {
			o := streamRun()
			o.Threads, o.NoFusion, o.ClassWeight = threads, noFusion, map[int]float32{1: 2}
			o.BatchSize, o.NoShuffle, o.Validation = 8, true, d
			m := noisyText(t)
			history, weights := fitted(t, m, d, o)
			want, err := m.Evaluate(t.Context(), d, nn.EvaluateOptions{Loss: o.Loss, Metrics: o.Metrics})
			must(t, err)

			train, test := &sliced{d: d, rows: 8}, &sliced{d: d, rows: 13}
			o.BatchSize, o.NoShuffle, o.Validation = 0, false, test
			m = noisyText(t)
			got, streamed := fitted(t, m, train, o)
			if got != history {
				t.Errorf("the stream gives the history\n%s\nthe rows in memory\n%s", got, history)
			}
			sameBits(t, "weights", streamed, weights)
			if diff := cmp.Diff([]int{0, 1, 2}, train.epochs); diff != "" {
				t.Errorf("epochs asked for: %s", diff)
			}
			// The validation is read once before the first epoch, to know its labels.
			if diff := cmp.Diff([]int{0, 0, 0, 0}, test.epochs); diff != "" {
				t.Errorf("epochs of validation asked for: %s", diff)
			}
			logs, err := m.Evaluate(t.Context(), test, nn.EvaluateOptions{Loss: o.Loss, Metrics: o.Metrics})
			must(t, err)
			for name, v := range want.All() {
				if got, _ := logs.Get(name); got != v {
					t.Errorf("evaluate: %s is %v from the stream and %v from memory", name, got, v)
				}
			}
			if train.opened != train.closed || test.opened != test.closed {
				t.Errorf("opened %d and %d times, given back %d and %d times", train.opened, test.opened, train.closed, test.closed)
			}
		}
	}
}

// Batches may differ in the length of their rows: each is padded to its own longest.
func TestStreamOfAnyLength(t *testing.T) {
	short, long := ids(t, 6, 3), ids(t, 4, 11)
	stream := nn.SourceFunc(func(context.Context, int) iter.Seq2[nn.Batch, error] {
		return func(yield func(nn.Batch, error) bool) {
			_ = yield(nn.Batch{X: short, Y: sides(t, short)}, nil) && yield(nn.Batch{X: long, Y: sides(t, long)}, nil) &&
				yield(nn.Batch{X: short, Y: sides(t, short)}, nil)
		}
	})
	var want [][]float32
	for _, noFusion := range []bool{false, true} {
		m := noisyText(t)
		o := streamRun()
		o.NoFusion = noFusion
		var steps []int
		o.Callbacks = []nn.Callback{plan.CallbackFunc(func(e plan.Event, tr plan.Training) error {
			if e == plan.BatchEnd || e == plan.EpochEnd {
				steps = append(steps, tr.Steps())
			}
			return nil
		})}
		_, weights := fitted(t, m, stream, o)
		if diff := cmp.Diff([]int{0, 0, 0, 3, 3, 3, 3, 3, 3, 3, 3, 3}, steps); diff != "" {
			t.Errorf("the number of steps: %s", diff)
		}
		if !noFusion {
			want = weights
			continue
		}
		for i := range want {
			for k, v := range weights[i] {
				if d := v - want[i][k]; d > 1e-5 || d < -1e-5 {
					t.Fatalf("parameter %d differs by %v without fusion", i, d)
				}
			}
		}
	}
}

// What is wrong with a stream ends the call with an error that names the batch; what was held is given back.
func TestStreamErrors(t *testing.T) {
	broken := errors.New("the disk is gone")
	good := nn.Batch(someReviews(t))
	wide, err := tensor.Of(make([]int32, 90), 45, 2)
	must(t, err)
	outside := ids(t, 2, 7)
	outside.Data()[9] = smallVocabulary
	for _, c := range []struct {
		name    string
		batches []nn.Batch
		err     error
		change  func(o *nn.FitOptions)
		want    string
	}{
		{name: "no batch", want: "nn: the stream has no batch in epoch 1"},
		{name: "an error first", err: broken, want: "nn: batch 1 of epoch 1: the disk is gone"},
		{name: "an error later", batches: []nn.Batch{good, good}, err: broken, want: "nn: batch 3 of epoch 1: the disk is gone"},
		{name: "an id", batches: []nn.Batch{good, {X: outside, Y: sides(t, ids(t, 2, 7))}},
			want: "nn: batch 2 of epoch 1: layer \"embedding\": row 1, column 2: id 50 is outside the vocabulary 0 to 49"},
		{name: "labels", batches: []nn.Batch{good, {X: good.X, Y: wide}}, want: "nn: batch 2 of epoch 1: loss: binary cross-entropy: a row of the output has shape (1,) and a row of the labels (2,)"},
		{name: "BatchSize", batches: []nn.Batch{good}, change: func(o *nn.FitOptions) { o.BatchSize = 4 },
			want: "nn: BatchSize has no say over a stream, which makes its own batches"},
		{name: "weights twice", batches: []nn.Batch{good, {X: good.X, Y: good.Y, Weights: make([]float32, 45)}},
			change: func(o *nn.FitOptions) { o.ClassWeight = map[int]float32{0: 1} },
			want:   "nn: batch 2 of epoch 1: class weights and sample weights cannot go together"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := runtime.NumGoroutine()
			open := 0
			d := nn.SourceFunc(func(context.Context, int) iter.Seq2[nn.Batch, error] {
				return func(yield func(nn.Batch, error) bool) {
					open++
					defer func() { open-- }()
					for _, b := range c.batches {
						if !yield(b, nil) {
							return
						}
					}
					if c.err != nil {
						yield(nn.Batch{}, c.err)
					}
				}
			})
			o := streamRun()
			if c.change != nil {
				c.change(&o)
			}
			_, err := noisyText(t).Fit(t.Context(), d, o)
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got the error %v, want %s", err, c.want)
			}
			if c.err != nil && !errors.Is(err, c.err) {
				t.Errorf("%v does not wrap the stream's error", err)
			}
			if open != 0 {
				t.Error("the stream was not given back")
			}
			noneLeft(t, before)
		})
	}
}

// What is wrong with a stream of validation data says so, in later epochs too.
func TestStreamOfValidationErrors(t *testing.T) {
	broken, good := errors.New("the disk is gone"), nn.Batch(someReviews(t))
	for want, batches := range map[string]func(opened int, yield func(nn.Batch, error) bool){
		"nn: validation data: batch 2: the disk is gone": func(opened int, yield func(nn.Batch, error) bool) {
			if yield(good, nil) && opened == 3 {
				yield(nn.Batch{}, broken)
			}
		},
		"nn: validation data: batch 1: X has 45 rows and Y has 4": func(opened int, yield func(nn.Batch, error) bool) {
			d := good
			if opened == 2 {
				d.Y = array(t, make([]int32, 4))
			}
			yield(d, nil)
		},
		"nn: validation data: the stream has no batch in epoch 1": func(opened int, yield func(nn.Batch, error) bool) {
			if opened < 3 {
				yield(good, nil)
			}
		},
	} {
		opened := 0
		stream := nn.SourceFunc(func(context.Context, int) iter.Seq2[nn.Batch, error] {
			opened++
			return func(yield func(nn.Batch, error) bool) { batches(opened, yield) }
		})
		o := streamRun()
		o.Validation = stream
		_, err := noisyText(t).Fit(t.Context(), nn.Data(good), o)
		wantError(t, err, want)
	}
}

// A Fit that is cancelled, or stopped, gives the stream back.
func TestStreamIsGivenBack(t *testing.T) {
	for _, cancelled := range []bool{false, true} {
		s := &sliced{d: someReviews(t), rows: 8}
		ctx, cancel := context.WithCancel(t.Context())
		o := streamRun()
		o.Callbacks = []nn.Callback{at(plan.BatchEnd, 0, 1, func(tr plan.Training) error {
			if cancelled {
				cancel()
			} else {
				return errors.New("enough")
			}
			return nil
		})}
		_, err := noisyText(t).Fit(ctx, s, o)
		cancel()
		if err == nil || s.opened != 1 || s.closed != 1 {
			t.Errorf("cancelled %v: error %v, opened %d times, given back %d times", cancelled, err, s.opened, s.closed)
		}
	}
}

// A small first batch does not keep workers from the larger ones after it.
func TestStreamWithASmallFirstBatch(t *testing.T) {
	d := someReviews(t)
	x, y := d.X.(*tensor.Int32), d.Y.(*tensor.Int32)
	stream := nn.SourceFunc(func(context.Context, int) iter.Seq2[nn.Batch, error] {
		return func(yield func(nn.Batch, error) bool) {
			_ = yield(nn.Batch{X: x.Rows(0, 1), Y: y.Rows(0, 1)}, nil) && yield(nn.Batch{X: x.Rows(1, 45), Y: y.Rows(1, 45)}, nil) &&
				yield(nn.Batch{X: x.Rows(3, 5), Y: y.Rows(3, 5)}, nil)
		}
	})
	run := func(threads int) (workers int, weights [][]float32) {
		o := streamRun()
		o.Threads = threads
		o.Callbacks = []nn.Callback{at(plan.BatchEnd, 0, 1, func(plan.Training) error {
			stacks := make([]byte, 1<<20)
			workers = 1 + strings.Count(string(stacks[:runtime.Stack(stacks, true)]), "team.New in goroutine")
			return nil
		})}
		_, weights = fitted(t, noisyText(t), stream, o)
		return workers, weights
	}
	_, want := run(1)
	workers, got := run(3)
	if workers != 3 {
		t.Errorf("%d workers, want 3", workers)
	}
	sameBits(t, "weights", got, want)
}

// Progress does not know the number of a stream's batches at first.
func TestStreamProgress(t *testing.T) {
	var out bytes.Buffer
	o := streamRun()
	o.Epochs = 2
	o.Callbacks = []nn.Callback{callbacks.ProgressLine{To: &out, Style: callbacks.Terminal}}
	_, _ = fitted(t, noisyText(t), &sliced{d: someReviews(t), rows: 9}, o)
	if s := out.String(); !strings.Contains(s, "1/Unknown - 0s ") || !strings.Contains(s, "5/5 [==============================] - 0s ") {
		t.Errorf("the progress is %q", s)
	}
}

// ExampleSourceFunc trains on batches that are made as they are needed.
func ExampleSourceFunc() {
	stream := nn.SourceFunc(func(_ context.Context, epoch int) iter.Seq2[nn.Batch, error] {
		return func(yield func(nn.Batch, error) bool) {
			for batch := range 50 {
				x, err := tensor.Of([]float32{float32(batch % 5), 1, float32(epoch % 2), 2}, 4, 1)
				if err != nil {
					yield(nn.Batch{}, err)
					return
				}
				y := x // the model learns to give back what it gets
				if !yield(nn.Batch{X: x, Y: y}, nil) {
					return
				}
			}
		}
	})
	model, err := nn.NewSequential(layers.Dense{Units: 1}).Build(context.Background(), nn.Features(1), nn.BuildOptions{Seed: 1})
	if err != nil {
		panic(err)
	}
	history, err := model.Fit(context.Background(), stream,
		nn.FitOptions{Optimizer: optim.SGD{LearningRate: 0.05}, Loss: loss.MeanSquaredError{}, Epochs: 3})
	if err != nil {
		panic(err)
	}
	losses := history.Values("loss")
	fmt.Println(losses[2] < losses[0])
	// Output: true
}
