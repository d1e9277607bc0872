package classifier

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/linnet-ml/linnet/classifier/internal/selection"
	"github.com/linnet-ml/linnet/internal/spill"
)

// Train learns a Classifier from examples, in any order. There must be two classes with two examples each, or with several
// labels a text, one label that two examples have and one does not. Of a text the first 4 MiB are learned from.
// ctx interrupts it.
//
// N-grams are in memory, some 20 bytes for each of a text. [TrainSource] says what else is, and keeps them in files. Classes of
// which no model fits into memory are an error that wraps tensor.ErrTooLarge.
//
// Options that are impossible are an [OptionError], and an example whose labels are wrong is an [ExampleError]: a label that is
// empty, is there twice, or is not UTF-8.
func Train(ctx context.Context, examples []Example, o Options) (*Classifier, error) {
	if ctx == nil {
		return nil, errors.New("classifier: the context is nil")
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	spec, task, err := newTask(examples, o)
	if err != nil {
		return nil, err
	}
	return observed(ctx, o, func(ctx context.Context, meter *selection.Meter) (*Classifier, error) {
		return learn(ctx, spec, task, o, meter)
	})
}

// observed calls do with a Meter that tells o.Progress. A panic of that ends the context, and is the error.
func observed(ctx context.Context, o Options, do func(ctx context.Context, meter *selection.Meter) (*Classifier, error)) (*Classifier, error) {
	meter := selection.NewMeter(o.report())
	ctx, end := meter.Context(ctx)
	defer end()
	c, err := do(ctx, meter)
	if p := meter.Panicked(); p != nil {
		return nil, &PanicError{p.Value, p.Stack}
	}
	return c, err
}

// TrainSource learns the Classifier that [Train] learns from the same examples in the same order, bit for bit, from examples that
// need not fit into memory.
//
// The source is read some ten times: once to number the classes, once for the rows that recipes are compared on, twice for
// those that are compared last (64 MiB of text), twice to count the n-grams of all rows. Texts of up to 64 MiB together
// are read once and kept. On top of that memory holds:
//
//   - some 30 bytes for each row, and again some 20 for each row and 20 for each n-gram times the number of processors, or of
//     classes if these are fewer;
//   - 4 bytes for each n-gram and class. There are at most 2 Mi n-grams, or as many as give 32 Mi numbers, but 300,000 even if
//     that is more; from 900 classes on, as many as give 256 Mi numbers, or 16 Ki;
//   - 4 bytes for each class and each row that is held out, several times: 100,000 rows at most, or as many as give 32 Mi numbers.
//
// What n-grams each row has lies in temporary files in the folder os.TempDir names (on
// Unix, where $TMPDIR is, else /tmp), which needs several times as much room as the source has text: 2.9 GB for 400 MB of film
// reviews. Nothing of it remains, even if the program is killed. On systems other than Linux, macOS and the BSDs it is in memory.
func TrainSource(ctx context.Context, source Source, o Options) (*Classifier, error) {
	return trainSource(ctx, source, o, bounds{texts: 64 << 20, array: 32 << 20})
}

func trainSource(ctx context.Context, source Source, o Options, b bounds) (*Classifier, error) {
	if ctx == nil {
		return nil, errors.New("classifier: the context is nil")
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	return observed(ctx, o, func(ctx context.Context, meter *selection.Meter) (c *Classifier, err error) {
		spec, task, err := newSourceTask(ctx, source, o, b, meter)
		if err != nil {
			return nil, err
		}
		space := &spill.Space{Bound: b.array}
		defer func() {
			if closed := space.Close(); closed != nil && err == nil {
				c, err = nil, fmt.Errorf("classifier: %w", closed)
			}
		}()
		task.Space = space
		return learn(ctx, spec, task, o, meter)
	})
}

func learn(ctx context.Context, spec *Spec, task *selection.Task, o Options, meter *selection.Meter) (*Classifier, error) {
	if err := o.checkClasses(spec); err != nil {
		return nil, err
	}
	if err := task.Check(); err != nil {
		return nil, fmt.Errorf("classifier: %w", err)
	}
	task.Meter, task.Stop = meter, o.Stop
	found, err := selection.Search(ctx, task, o.Seed, o.work())
	if errors.Is(err, selection.ErrStopped) {
		return nil, fmt.Errorf("classifier: %w", ErrStopped)
	}
	if err != nil {
		return nil, err
	}
	linear, columns, err := found.Fit(ctx, task, o.Seed, o.maxFeatures(task.Columns(), spec.MultiLabel))
	if err != nil {
		return nil, err
	}
	prune := len(columns) == o.MaxFeatures // by default so many stay that what goes hardly matters
	columns, known := order(found.Corpus.Hash, columns, 64)
	linear.Keep(columns) // Prune has no room for all weights beside its own
	if prune {
		if err := found.Prune(ctx, task, o.Seed, o.MaxFeatures); err != nil {
			return nil, err
		}
	}
	r := found.Best.Recipe
	f := r.Features
	spec.WordMin, spec.WordMax, spec.CharMin, spec.CharMax = f.WordMin, f.WordMax, f.CharMin, f.CharMax
	spec.KeepCase, spec.Punctuation, spec.Weighting = f.KeepCase, f.Punctuation, string(r.Weighting())
	spec.MinConfidence = float32(o.MinConfidence)
	p := Parts{Spec: *spec}
	best, average := found.Best, (*selection.Average)(nil)
	if o.Budget > 0 {
		if average, err = found.AddNetwork(ctx, task, o.Seed, o.budget()); err != nil {
			return nil, err
		}
	}
	p.setHashes(found.Corpus.Hash, columns, known)
	for _, c := range columns {
		if !r.NaiveBayes {
			p.Inverse = append(p.Inverse, found.Weighted.Inverse[c])
		}
	}
	if err := p.quantize(ctx, linear, found.Best.Calibration); err != nil {
		return nil, err
	}
	p.setEvenness(found.Best.Calibration.Evenness)
	if average != nil && average.Network != nil {
		best = average.Together
		p.addNetwork(linear, average)
	}
	of := func(f uint32) block { return blockOf(found.Corpus.Kind[f]) }
	if err := p.measureLengths(ctx, &found.Weighted.Matrix, of, len(found.Corpus.Hash), columns); err != nil {
		return nil, err
	}
	p.Prior = task.Prior()
	labels, err := p.chooseThresholds(ctx, task, best, &o)
	if err != nil {
		return nil, err
	}
	c, err := newClassifier(ctx, p)
	if err != nil {
		return nil, err
	}
	c.report = newReport(found, task.Rows(), len(columns))
	c.report.Labels = labels
	c.report.addNetwork(average)
	return c, nil
}

// quantize fills Weights, Scale and Bias with the calibrated model, which has n-grams of p alone, in their order.
func (p *Parts) quantize(ctx context.Context, l *selection.Linear, c selection.Calibration) error {
	k := len(l.Weights)
	p.calibrate(l, c)
	p.Weights = make([]int8, len(p.Hashes)*k)
	for j, w := range l.Weights {
		if err := ctx.Err(); err != nil {
			return err
		}
		largest := largestWeight(w)
		if largest == 0 {
			continue
		}
		for i, v := range w {
			q := int8(math.Floor(127*math.Sqrt(math.Abs(float64(v))/float64(largest)) + 0.5))
			if v < 0 {
				q = -q
			}
			p.Weights[i*k+j] = q
		}
	}
	return nil
}

// calibrate fills Scale and Bias, on which alone a calibration depends.
func (p *Parts) calibrate(l *selection.Linear, c selection.Calibration) {
	p.Scale, p.Bias = nil, nil
	for j, w := range l.Weights {
		slope := float32(c.Slope[j])
		p.Scale = append(p.Scale, float32(largestWeight(w)*slope))
		p.Bias = append(p.Bias, float32(l.Bias[j]*slope)+float32(c.Offset[j]))
	}
}

// largestWeight is the largest magnitude.
func largestWeight(w []float32) float32 {
	largest := float32(0)
	for _, v := range w {
		largest = max(largest, v, -v)
	}
	return largest
}
