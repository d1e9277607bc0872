package classifier

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/linnet-ml/linnet/classifier/evaluation"
	"github.com/linnet-ml/linnet/internal/budget"
)

// Answers classifies the texts of examples and returns what package evaluation measures. A label that the Classifier does
// not know is evaluation.Unknown. A Classifier that gives each text one label needs examples with one.
func (c *Classifier) Answers(ctx context.Context, examples []Example) (*evaluation.Answers, error) {
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
	err := parallel(ctx, len(examples), func(next func() int) {
		var r Result
		for i := next(); i >= 0; i = next() {
			c.ClassifyInto(&r, examples[i].Text)
			copy(a.Probabilities[i*k:], r.Scores)
			for _, label := range r.Labels {
				a.Given[i] = append(a.Given[i], number[label])
			}
		}
	})
	return a, err
}

// checkAnswers returns an error if the probabilities of so many rows and classes do not fit into the memory.
func checkAnswers(rows, classes int) error {
	return budget.Check("classifier: the probabilities of rows and classes", 4, rows, classes)
}

// parallel runs work on as many goroutines as there are processors. Next gives each a row of n that no other has, and -1 at
// the end or when ctx is done.
func parallel(ctx context.Context, n int, work func(next func() int)) error {
	var given atomic.Int64
	next := func() int {
		i := int(given.Add(1)) - 1
		if i >= n || ctx.Err() != nil {
			return -1
		}
		return i
	}
	var wait sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), max(n, 1)) {
		wait.Go(func() { work(next) })
	}
	wait.Wait()
	return ctx.Err()
}

// CrossAnswers returns the answers to each example of a Classifier that learned from the others: examples are dealt into
// so many folds, class by class, and each fold is classified by what Train learns from the rest. Its mistakes are the rows
// whose labels to doubt first (evaluation.Measure, Mistakes). Train is called once for each fold.
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
	a := &evaluation.Answers{
		Classes: spec.Classes, Several: spec.MultiLabel, True: make([][]int32, len(examples)), Given: make([][]int32, len(examples)),
		Probabilities: make([]float32, len(examples)*k),
	}
	for i := range examples {
		if spec.MultiLabel {
			a.True[i] = task.Sets[i]
		} else {
			a.True[i] = []int32{task.Class[i]}
		}
	}
	number := make(map[string]int, k)
	for i, name := range spec.Classes {
		number[name] = i
	}
	fold := dealt(a.True, k, folds)
	o.MultiLabel = spec.MultiLabel
	report := o.Progress
	o.Progress = nil
	for f := range folds {
		if report != nil {
			report(Progress{PhaseFolds, f, folds})
		}
		var rest, held []Example
		var rows []int
		for i, e := range examples {
			if fold[i] == f {
				held, rows = append(held, e), append(rows, i)
			} else {
				rest = append(rest, e)
			}
		}
		c, err := Train(ctx, rest, o)
		if err != nil {
			return nil, fmt.Errorf("without fold %d of %d: %w", f+1, folds, err)
		}
		got, err := c.Answers(ctx, held)
		if err != nil {
			return nil, err
		}
		// A class whose examples are all in this fold is not among the Classifier's; its probability is 0.
		for j, row := range rows {
			for n, name := range got.Classes {
				a.Probabilities[row*k+number[name]] = got.Probabilities[j*len(got.Classes)+n]
			}
			for _, n := range got.Given[j] {
				a.Given[row] = append(a.Given[row], int32(number[got.Classes[n]]))
			}
		}
	}
	return a, nil
}

// dealt gives each row a fold, so that each class has about as many rows in each.
func dealt(labels [][]int32, classes, folds int) []int {
	next := make([]int, classes+1)
	fold := make([]int, len(labels))
	for i, set := range labels {
		class := classes // none
		if len(set) > 0 {
			class = int(set[0])
		}
		fold[i] = (class + next[class]) % folds
		next[class]++
	}
	return fold
}
