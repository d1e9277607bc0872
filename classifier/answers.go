package classifier

import (
	"context"
	"errors"
	"fmt"

	"github.com/linnet-ml/linnet/classifier/evaluation"
	"github.com/linnet-ml/linnet/classifier/internal/parallel"
	"github.com/linnet-ml/linnet/classifier/internal/selection"
	"github.com/linnet-ml/linnet/internal/budget"
)

// Answers classifies the texts of examples and returns what package evaluation measures. A label that the Classifier does
// not know is evaluation.Unknown. A Classifier that gives each text one label needs examples with one.
func (c *Classifier) Answers(ctx context.Context, examples []Example) (*evaluation.Answers, error) {
	if !c.made() {
		return nil, fmt.Errorf("classifier: %w", errNotMade)
	}
	if ctx == nil {
		return nil, errors.New("classifier: the context is nil")
	}
	k := len(c.parts.Spec.Classes)
	if err := checkAnswers(len(examples), k); err != nil {
		return nil, err
	}
	a := &evaluation.Answers{
		Classes: c.Classes(), Several: c.Parts().Spec.MultiLabel, True: make([][]int32, len(examples)), Given: make([][]int32, len(examples)),
		Probabilities: make([]float32, len(examples)*k),
	}
	number := make(map[string]int32, k)
	for i, name := range a.Classes {
		number[name] = int32(i)
	}
	for i, e := range examples {
		if !a.Several && len(e.Labels) != 1 {
			return nil, &ExampleError{i, fmt.Sprintf("has %d labels: this classifier gives one", len(e.Labels))}
		}
		unknown := false
		for _, label := range e.Labels {
			if label == "" {
				return nil, &ExampleError{i, emptyLabel}
			}
			n, ok := number[label]
			if !ok {
				unknown = true
				continue
			}
			a.True[i] = append(a.True[i], n)
		}
		if unknown {
			a.True[i] = append(a.True[i], evaluation.Unknown)
		}
	}
	err := parallel.Team(ctx, len(examples), func(_ context.Context, next func() (int, bool)) error {
		var r Result
		for i, ok := next(); ok; i, ok = next() {
			c.ClassifyInto(&r, examples[i].Text)
			copy(a.Probabilities[i*k:], r.Scores)
			for _, label := range r.Labels {
				a.Given[i] = append(a.Given[i], number[label])
			}
		}
		return nil
	})
	return a, err
}

// checkAnswers returns an error if the probabilities of so many rows and classes do not fit into the memory.
func checkAnswers(rows, classes int) error {
	return budget.Check("classifier: the probabilities of rows and classes", 4, rows, classes)
}

// CrossAnswers returns the answers to each example of a Classifier that learned from the others: examples are dealt into
// so many folds, class by class, in runs of neighbours, which are often alike. Each fold is classified by what Train learns from the
// rest. Its mistakes are the rows whose labels to doubt first (evaluation.Measure, Mistakes). Train is called once for each fold.
//
// As answers to some of the examples are of no use, closing Options.Stop ends all of it: the error wraps [ErrStopped].
func CrossAnswers(ctx context.Context, examples []Example, folds int, o Options) (*evaluation.Answers, error) {
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
	if err := o.checkClasses(spec); err != nil {
		return nil, err
	}
	if folds < 2 || folds > len(examples) {
		return nil, fmt.Errorf("classifier: %d folds of %d examples", folds, len(examples))
	}
	k := len(spec.Classes)
	if err := checkAnswers(len(examples), k); err != nil {
		return nil, err
	}
	c := &crossing{a: &evaluation.Answers{
		Classes: spec.Classes, Several: spec.MultiLabel, True: make([][]int32, len(examples)), Given: make([][]int32, len(examples)),
		Probabilities: make([]float32, len(examples)*k),
	}, examples: examples, number: make(map[string]int, k), o: o}
	for i := range examples {
		if spec.MultiLabel {
			c.a.True[i] = task.Sets[i]
		} else {
			c.a.True[i] = []int32{task.Class[i]}
		}
	}
	for i, name := range spec.Classes {
		c.number[name] = i
	}
	c.fold = dealt(c.a.True, k, folds)
	c.o.MultiLabel, c.o.Progress, c.o.Stop = spec.MultiLabel, nil, nil
	stopping, end := stoppingAt(ctx, o.Stop)
	defer end()
	meter := selection.NewMeter(o.report())
	for f := range folds {
		meter.Set(selection.Folds, f, folds)
		if p := meter.Panicked(); p != nil {
			return nil, &PanicError{p.Value, p.Stack}
		}
		err := c.answer(stopping, f)
		if context.Cause(stopping) == ErrStopped {
			return nil, fmt.Errorf("classifier: %w", ErrStopped)
		}
		if err != nil {
			return nil, fmt.Errorf("without fold %d of %d: %w", f+1, folds, err)
		}
	}
	return c.a, nil
}

// stoppingAt returns a context that ends with the cause ErrStopped when stop is closed.
func stoppingAt(ctx context.Context, stop <-chan struct{}) (stopping context.Context, end func()) {
	stopping, cancel := context.WithCancelCause(ctx)
	if stop != nil {
		go func() {
			select {
			case <-stop:
				cancel(ErrStopped)
			case <-stopping.Done():
			}
		}()
	}
	return stopping, func() { cancel(nil) }
}

// crossing is one CrossAnswers.
type crossing struct {
	a        *evaluation.Answers
	examples []Example
	fold     []int          // of each example
	number   map[string]int // of each class
	o        Options
}

// answer fills in the answers to the examples of a fold.
func (x *crossing) answer(ctx context.Context, fold int) error {
	var rest, held []Example
	var rows []int
	for i, e := range x.examples {
		if x.fold[i] == fold {
			held, rows = append(held, e), append(rows, i)
		} else {
			rest = append(rest, e)
		}
	}
	c, err := Train(ctx, rest, x.o)
	if err != nil {
		return err
	}
	got, err := c.Answers(ctx, held)
	if err != nil {
		return err
	}
	// A class whose examples are all in this fold is not among the Classifier's; its probability is 0.
	k, known := len(x.a.Classes), len(got.Classes)
	to := make([]int, known)
	for n, name := range got.Classes {
		to[n] = x.number[name]
	}
	for j, row := range rows {
		for n, p := range got.Probabilities[j*known:][:known] {
			x.a.Probabilities[row*k+to[n]] = p
		}
		for _, n := range got.Given[j] {
			x.a.Given[row] = append(x.a.Given[row], int32(to[n]))
		}
	}
	return nil
}

// dealt gives each row a fold, so that each class has about as many rows in each, and those of a class in a fold are neighbours: rows
// that are alike would not doubt each other's labels. Of a row with several labels the first one counts.
func dealt(labels [][]int32, classes, folds int) []int {
	class := func(set []int32) int {
		if len(set) == 0 {
			return classes
		}
		return int(set[0])
	}
	rows, next := make([]int, classes+1), make([]int, classes+1)
	for _, set := range labels {
		rows[class(set)]++
	}
	fold := make([]int, len(labels))
	for i, set := range labels {
		k := class(set)
		fold[i] = (k + int(int64(next[k])*int64(folds)/int64(rows[k]))) % folds // small classes begin with different folds
		next[k]++
	}
	return fold
}
