package nn_test

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/metrics"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

// panics is a part of a model or a run that panics in the function of the given name.
type panics string

func (p panics) in(function string) {
	if string(p) == function {
		panic("broken " + function)
	}
}

func (panics) Kind() string { return "Panics" }

// panicLayer panics in one of the functions of its operation, in all workers but the first where there are several.
type panicLayer struct{ panics }

func (l panicLayer) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	l.in("Build")
	w, err := b.Parameter(plan.ParameterOptions{Name: "w", Shape: tensor.Shape{in[0].Shape[1]}, Init: panicInit(l)})
	if err != nil {
		return nil, err
	}
	op := product{}.op()
	forward, backward, gradient := op.Forward, op.Backward, op.Gradient
	op.Outputs = func(in []plan.Signature) ([]plan.Signature, error) { l.in("Outputs"); return in, nil }
	op.Forward = func(f *plan.Frame, s plan.Span) {
		if s.Lo > 0 || s.Hi == f.Rows() {
			l.in("Forward")
		}
		forward(f, s)
	}
	op.Backward = func(f *plan.Frame, s plan.Span) { l.in("Backward"); backward(f, s) }
	op.Gradient = func(f *plan.Frame, i int, g plan.Gradient) { l.in("Gradient"); gradient(f, i, g) }
	op.Commit = func(*plan.Frame) { l.in("Commit") }
	op.CheckInput = func(tensor.Rows) error { l.in("CheckInput"); return nil }
	op.Reduce = &plan.Reduction{
		Width:  func([]plan.Signature) int { return 1 },
		Add:    func(*plan.Frame, plan.Span, []float64) { l.in("Add") },
		Finish: func(*plan.Frame, []float64) { l.in("Finish") },
	}
	return b.Add(op, in, w)
}

type panicInit panicLayer

func (p panicInit) Init(dst []float32, _ tensor.Shape, _ plan.Random) error {
	p.in("Init")
	for i := range dst {
		dst[i] = 1
	}
	return nil
}

type panicLoss struct{ panics }

func (p panicLoss) Start(info plan.LossInfo) (plan.LossRule, error) {
	p.in("Start")
	rule, err := loss.MeanSquaredError{}.Start(info)
	rows := rule.Rows
	rule.Rows = func(losses, gradient, output, labels []float32) { p.in("Rows"); rows(losses, gradient, output, labels) }
	rule.CheckLabel = func(float32) error { p.in("CheckLabel"); return nil }
	return rule, err
}

type panicOptimizer struct{ panics }

func (p panicOptimizer) Rule() (plan.Rule, error) {
	p.in("Rule")
	rule, err := optim.SGD{}.Rule()
	update, coefficients := rule.Update, rule.Coefficients
	rule.Update = func(c *plan.Coefficients, w, g []float32, slots [][]float32) { p.in("Update"); update(c, w, g, slots) }
	rule.Coefficients = func(t int, rate float32, s []float32) plan.Coefficients {
		p.in("Coefficients")
		return coefficients(t, rate, s)
	}
	return rule, err
}

type panicMetric struct{ panics }

func (panicMetric) Name() string                 { return "panics" }
func (panicMetric) Direction() history.Direction { return history.NoDirection }
func (p panicMetric) Start(info plan.MetricInfo) (plan.Accumulator, error) {
	p.in("metric Start")
	a, err := metrics.Mean{}.Start(info)
	return panicSums{a, p.panics}, err
}

type panicSums struct {
	plan.Accumulator
	panics
}

func (p panicSums) Add(labels, output, weights []float32) {
	p.in("metric Add")
	p.Accumulator.Add(labels, output, weights)
}
func (p panicSums) Result() float64 { p.in("Result"); return p.Accumulator.Result() }
func (p panicSums) Reset()          { p.in("Reset"); p.Accumulator.Reset() }

type panicCallback struct{ panics }

func (p panicCallback) Start(plan.Training) (plan.Handler, error) {
	p.in("callback Start")
	return plan.Handler{
		Handle: func(plan.Event, plan.Training) error { p.in("Handle"); return nil },
		Save:   func() (plan.HandlerState, error) { p.in("Save"); return plan.HandlerState{}, nil },
		Load:   func(plan.HandlerState) error { return nil },
		Close:  func() error { p.in("Close"); return nil },
	}, nil
}

// A panic in any function of a user's layer, loss, optimizer, metric or callback, on whatever worker, is Fit's error, which
// names the function; no goroutine is left, and the model can be used again.
func TestPanicsAreErrors(t *testing.T) {
	for _, threads := range []int{1, 3} {
		for _, function := range []string{"Build", "Init", "Outputs", "Forward", "Backward", "Gradient", "Commit", "CheckInput", "Add", "Finish", "Start", "Rows",
			"CheckLabel", "Rule", "Update", "Coefficients", "metric Start", "metric Add", "Result", "Reset", "callback Start", "Handle", "Save", "Close", "Order", "Batches"} {
			p := panics(function)
			before := runtime.NumGoroutine()
			m, err := nn.NewSequential(layers.Dense{Units: 3}, panicLayer{p}, layers.Dense{Units: 1}).Build(t.Context(), nn.Features(2), nn.BuildOptions{})
			x := waves(t, 300, 2)
			o := nn.FitOptions{Optimizer: panicOptimizer{p}, Loss: panicLoss{p}, Metrics: []nn.Metric{panicMetric{p}}, BatchSize: 200,
				Callbacks: []nn.Callback{panicCallback{p}}, Threads: threads, State: &nn.TrainingState{}}
			o.Order = func(int) []int32 {
				p.in("Order")
				order := make([]int32, 300)
				for i := range order {
					order[i] = int32(i)
				}
				return order
			}
			var source nn.Source = nn.Data{X: x, Y: waves(t, 300)}
			if function == "Batches" {
				o.Order, o.BatchSize = nil, 0
				source = nn.ReadAhead(nn.SourceFunc(func(context.Context, int) iter.Seq2[nn.Batch, error] {
					return func(yield func(nn.Batch, error) bool) {
						if yield(nn.Batch{X: x, Y: waves(t, 300)}, nil) {
							p.in("Batches")
						}
					}
				}), 2)
			}
			if err == nil {
				_, err = m.Fit(t.Context(), source, o)
			}
			var got *nn.PanicError
			if !errors.As(err, &got) || got.Value != "broken "+function || len(got.Stack) == 0 || !strings.Contains(err.Error(), "panic in nn_test.panics.in (faults_test.go:") {
				// CheckInput and CheckLabel are asked for the first layer alone, which is another's.
				if function == "CheckInput" {
					continue
				}
				t.Errorf("%d threads, %s: error %v", threads, function, err)
			}
			noneLeft(t, before)
			if m != nil && function != "Outputs" && function != "Forward" && function != "CheckInput" {
				if _, err := m.Predict(t.Context(), x, nn.PredictOptions{Threads: threads}); err != nil {
					t.Errorf("%s: a prediction afterwards: %v", function, err)
				}
			}
		}
	}
}

// A tokenizer that panics makes Fit, Evaluate and Predict fail with an error.
func TestPanicInATokenizer(t *testing.T) {
	m, err := nn.NewSequential(layers.TextEmbedding{Table: layers.VectorTable{Words: panicTokenizer{}, By: text.Mean, Vectors: waves(t, 4, 2)}},
		layers.Dense{Units: 1}).Build(t.Context(), nn.Texts(), nn.BuildOptions{})
	must(t, err)
	x := array(t, []string{"a", "b", "c"})
	for _, threads := range []int{1, 2} {
		o := trains()
		o.Threads = threads
		for way, err := range map[string]error{
			"Fit":      second2(m.Fit(t.Context(), nn.Data{X: x, Y: array(t, []float32{0, 1, 0})}, o)),
			"Evaluate": second2(m.Evaluate(t.Context(), nn.Data{X: x, Y: array(t, []float32{0, 1, 0})}, nn.EvaluateOptions{Loss: o.Loss, Threads: threads})),
			"Predict":  second2(m.Predict(t.Context(), x, nn.PredictOptions{Threads: threads})),
		} {
			var p *nn.PanicError
			if !errors.As(err, &p) {
				t.Errorf("%s: error %v", way, err)
			}
		}
	}
}

func second2[T any](_ T, err error) error { return err }

type panicTokenizer struct{}

func (panicTokenizer) Size() int { return 4 }
func (panicTokenizer) AppendIDs(context.Context, []int32, string) ([]int32, error) {
	panic("broken tokenizer")
}

// A cancelled context ends each call within 100 ms, in the middle of one long text too.
func TestContextsEndCalls(t *testing.T) {
	v, err := text.NewVocabulary(t.Context(), []string{"good", "bad"})
	must(t, err)
	words, err := text.NewHubTokenizer(v, text.HubTokenizerOptions{})
	must(t, err)
	m, err := nn.NewSequential(layers.TextEmbedding{Table: layers.VectorTable{Words: words, By: text.Mean, Vectors: waves(t, 3, 2)}},
		layers.Dense{Units: 1}).Build(t.Context(), nn.Texts(), nn.BuildOptions{})
	must(t, err)
	x := array(t, []string{strings.Repeat("good bad ", 8<<20)})
	y := array(t, []float32{1})
	for way, call := range map[string]func(ctx context.Context) error{
		"Prepare": func(ctx context.Context) error { return second2(m.Prepare(ctx, x)) },
		"Predict": func(ctx context.Context) error { return second2(m.Predict(ctx, x, nn.PredictOptions{})) },
		"Evaluate": func(ctx context.Context) error {
			return second2(m.Evaluate(ctx, nn.Data{X: x, Y: y}, nn.EvaluateOptions{Loss: loss.MeanSquaredError{}}))
		},
		"Fit": func(ctx context.Context) error { return second2(m.Fit(ctx, nn.Data{X: x, Y: y}, trains())) },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		var cancelled time.Time
		timer := time.AfterFunc(10*time.Millisecond, func() { cancelled = time.Now(); cancel() })
		err := call(ctx)
		took := time.Since(cancelled)
		timer.Stop()
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error %v", way, err)
		} else if took > 2*time.Second { // 100 ms are promised; a busy machine may take longer
			t.Errorf("%s went on for %v", way, took)
		}
		var in *nn.InputError
		if errors.As(err, &in) {
			t.Errorf("%s: a cancelled context counts as a fault of the input", way)
		}
		cancel()
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := nn.NewSequential(layers.Dense{Units: 1}).Build(ended, nn.Features(1), nn.BuildOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Build: %v", err)
	}
}

// Sizes that no memory has are errors, wherever they come from.
func TestHugeSizes(t *testing.T) {
	const huge = 1 << (29 + 11*(strconv.IntSize/64)) // fits an int, and no memory
	for name, spec := range map[string][]nn.Layer{
		"Units":      {layers.Dense{Units: huge}},
		"Vocabulary": {layers.Embedding{Vocabulary: huge, Dim: 1 << 10}},
		"Dim":        {layers.Embedding{Vocabulary: 2, Dim: huge}},
		"Filters":    {layers.Embedding{Vocabulary: 2, Dim: 2}, layers.Conv1D{Filters: huge, KernelSize: 1}},
		"LSTM":       {layers.Embedding{Vocabulary: 2, Dim: 2}, layers.LSTM{Units: 1 << 30}},
	} {
		in := nn.Tokens(4)
		if name == "Units" {
			in = nn.Features(8)
		}
		if _, err := nn.NewSequential(spec...).Build(t.Context(), in, nn.BuildOptions{}); err == nil {
			t.Errorf("%s: no error", name)
		} else if p := (*nn.PanicError)(nil); errors.As(err, &p) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s := smallText(t).SummaryWith(nn.SummaryOptions{LineLength: huge}); len(s) > 1<<20 {
		t.Errorf("a summary of %d bytes", len(s))
	}
}

// A nil context, and a Model, Trainer or Sequential that nobody has made, are errors of every method that can return one, and
// never panics.
func TestZeroValues(t *testing.T) {
	var ctx context.Context
	bg := t.Context()
	m, d, o := smallText(t), someReviews(t), trains()
	x := ids(t, 2, 3)
	all := func(seq iter.Seq2[map[string]*tensor.Float32, error]) error {
		for _, err := range seq {
			return err
		}
		return nil
	}
	tr := trainer(t, m, trainerOptions(optim.SGD{}))
	must(t, second(tr.Gradients(bg, batches(t)[0])))
	waiting := trainer(t, smallText(t), trainerOptions(optim.SGD{}))
	defer waiting.Close()
	calls := map[string]func() error{
		"Sequential.Build, no context": func() error {
			return second2(nn.NewSequential(layers.Dense{Units: 1}).Build(ctx, nn.Features(1), nn.BuildOptions{}))
		},
		"Graph.Build, no context": func() error {
			g := &nn.Graph{}
			g.Output("y", g.Apply(layers.Dense{Units: 1}, g.Input("x", nn.Features(2))))
			return second2(g.Build(ctx, nn.BuildOptions{}))
		},
		"zero Sequential":               func() error { return second2(new(nn.Sequential).Build(bg, nn.Tokens(3), nn.BuildOptions{})) },
		"zero Graph":                    func() error { return second2(new(nn.Graph).Build(bg, nn.BuildOptions{})) },
		"Trainer.Step, no context":      func() error { return second(waiting.Step(ctx, batches(t)[0])) },
		"Trainer.Gradients, no context": func() error { return second(waiting.Gradients(ctx, batches(t)[0])) },
		"Trainer.Apply, no context":     func() error { return tr.Apply(ctx, nil) },
	}
	for what, z := range map[string]struct {
		ctx context.Context
		m   *nn.Model
	}{"no context": {nil, smallText(t)}, "zero Model": {bg, &nn.Model{}}, "nil Model": {bg, nil}} {
		ctx, m := z.ctx, z.m
		for name, call := range map[string]func() error{
			"Fit":            func() error { return second2(m.Fit(ctx, d, o)) },
			"Evaluate":       func() error { return second2(m.Evaluate(ctx, d, nn.EvaluateOptions{Loss: o.Loss})) },
			"Predict":        func() error { return second2(m.Predict(ctx, x, nn.PredictOptions{})) },
			"PredictInto":    func() error { return second2(m.PredictInto(ctx, nil, x, nn.PredictOptions{})) },
			"PredictAll":     func() error { return all(m.PredictAll(ctx, nn.Data{X: x}, nn.PredictOptions{})) },
			"Prepare":        func() error { return second2(m.Prepare(ctx, x)) },
			"Clone":          func() error { return second2(m.Clone(ctx)) },
			"CheckGradients": func() error { return m.CheckGradients(ctx, waves(t, 2, 3), nn.GradientOptions{}) },
		} {
			calls[name+", "+what] = call
		}
		if ctx == nil {
			continue
		}
		for name, call := range map[string]func() error{
			"Intermediate": func() error { return second2(m.Intermediate("dense")) },
			"NewTrainer":   func() error { return second2(m.NewTrainer(trainerOptions(optim.SGD{}))) },
			"SetWeights":   func() error { return m.SetWeights(nil) },
			"SetParameter": func() error { return m.SetParameter("dense/bias", nil) },
			"SetStorage":   func() error { return m.SetStorage("dense/bias", plan.Float32Storage{1}) },
			"SetTrainable": func() error { return second2(m.SetTrainable("*", true)) },
			"SetFrozen":    func() error { return m.SetFrozen(nil) },
		} {
			calls[name+", "+what] = call
		}
	}
	for what, tr := range map[string]*nn.Trainer{"zero": {}, "nil": nil} {
		for name, call := range map[string]func() error{
			"Step":         func() error { return second(tr.Step(bg, nn.Batch{})) },
			"Gradients":    func() error { return second(tr.Gradients(bg, nn.Batch{})) },
			"Gradient":     func() error { return second2(tr.Gradient("dense/bias")) },
			"Apply":        func() error { return tr.Apply(bg, nil) },
			"Results":      func() error { return second2(tr.Results()) },
			"Reset":        tr.Reset,
			"LearningRate": func() error { return second2(tr.LearningRate()) },
			"Close":        tr.Close,
		} {
			calls[what+" Trainer."+name] = call
		}
	}
	for name, call := range calls {
		func() {
			defer func() {
				if v := recover(); v != nil {
					t.Errorf("%s panics: %v", name, v)
				}
			}()
			err := call()
			if p := (*nn.PanicError)(nil); err == nil || errors.As(err, &p) {
				t.Errorf("%s: error %v", name, err)
			}
		}()
	}
	zero := &nn.Model{}
	if s := zero.Summary(); len(zero.Parameters())+len(zero.Weights(nil))+len(zero.LayerNames())+zero.ParameterCount() != 0 || s == "" {
		t.Errorf("an empty model has something, or no summary: %q", s)
	}
	must(t, tr.Close())
}

// nil and typed nil arguments are errors of every exported function and method, never panics.
func TestNilArguments(t *testing.T) {
	m := smallText(t)
	d := someReviews(t)
	o := trains()
	with := func(change func(o *nn.FitOptions)) func() error {
		return func() error {
			o := trains()
			change(&o)
			return second2(m.Fit(t.Context(), d, o))
		}
	}
	build := func(in nn.Input, l ...nn.Layer) func() error {
		return func() error { return second2(nn.NewSequential(l...).Build(t.Context(), in, nn.BuildOptions{})) }
	}
	graph := func(make func(g *nn.Graph)) func() error {
		return func() error {
			g := &nn.Graph{}
			make(g)
			return second2(g.Build(t.Context(), nn.BuildOptions{}))
		}
	}
	for name, call := range map[string]func() error{
		"Build of a nil Sequential": func() error {
			return second2((*nn.Sequential)(nil).Build(t.Context(), nn.Tokens(3), nn.BuildOptions{}))
		},
		"Build of a nil Graph":       func() error { return second2((*nn.Graph)(nil).Build(t.Context(), nn.BuildOptions{})) },
		"Build of an empty Graph":    graph(func(*nn.Graph) {}),
		"Build with no input":        build(nn.Input{}, layers.Dense{Units: 1}),
		"a nil layer":                build(nn.Features(2), nil),
		"a typed nil layer":          build(nn.Features(2), (*nilLayer)(nil)),
		"a typed nil initializer":    build(nn.Features(2), layers.Dense{Units: 1, KernelInit: (*nilInit)(nil)}),
		"a nil node":                 graph(func(g *nn.Graph) { g.Output("y", g.Apply(nil, g.Input("x", nn.Features(2)))) }),
		"a zero Value":               graph(func(g *nn.Graph) { g.Input("x", nn.Features(2)); g.Output("y", nn.Value{}) }),
		"a zero Value as input":      graph(func(g *nn.Graph) { g.Input("x", nn.Features(2)); g.Output("y", g.Apply(layers.Flatten{}, nn.Value{})) }),
		"Fit of nil":                 func() error { return second2(m.Fit(t.Context(), nil, o)) },
		"Fit of a nil *Data":         func() error { return second2(m.Fit(t.Context(), (*nn.Data)(nil), o)) },
		"Fit of a nil SourceFunc":    func() error { return second2(m.Fit(t.Context(), nn.SourceFunc(nil), o)) },
		"Fit of nil X":               func() error { return second2(m.Fit(t.Context(), nn.Data{X: (*tensor.Int32)(nil), Y: d.Y}, o)) },
		"Fit of nil Y":               func() error { return second2(m.Fit(t.Context(), nn.Data{X: d.X, Y: (*tensor.Float32)(nil)}, o)) },
		"Fit without an optimizer":   with(func(o *nn.FitOptions) { o.Optimizer = nil }),
		"a typed nil optimizer":      with(func(o *nn.FitOptions) { o.Optimizer = (*nilOptimizer)(nil) }),
		"Fit without a loss":         with(func(o *nn.FitOptions) { o.Loss = nil }),
		"a typed nil loss":           with(func(o *nn.FitOptions) { o.Loss = (*nilLoss)(nil) }),
		"a nil metric":               with(func(o *nn.FitOptions) { o.Metrics = []nn.Metric{nil} }),
		"a typed nil metric":         with(func(o *nn.FitOptions) { o.Metrics = []nn.Metric{(*nilMetric)(nil)} }),
		"a nil callback":             with(func(o *nn.FitOptions) { o.Callbacks = []nn.Callback{nil} }),
		"a typed nil callback":       with(func(o *nn.FitOptions) { o.Callbacks = []nn.Callback{plan.CallbackFunc(nil)} }),
		"Evaluate of nil":            func() error { return second2(m.Evaluate(t.Context(), nil, nn.EvaluateOptions{Loss: o.Loss})) },
		"Evaluate without a loss":    func() error { return second2(m.Evaluate(t.Context(), d, nn.EvaluateOptions{})) },
		"Predict of nil":             func() error { return second2(m.Predict(t.Context(), nil, nn.PredictOptions{})) },
		"Predict of a typed nil":     func() error { return second2(m.Predict(t.Context(), (*tensor.Int32)(nil), nn.PredictOptions{})) },
		"Predict of nil bags":        func() error { return second2(m.Predict(t.Context(), (*text.Bags)(nil), nn.PredictOptions{})) },
		"PredictInto of nil":         func() error { return second2(m.PredictInto(t.Context(), nil, nil, nn.PredictOptions{})) },
		"Prepare of nil":             func() error { return second2(m.Prepare(t.Context(), nil)) },
		"CheckGradients of nil":      func() error { return m.CheckGradients(t.Context(), nil, nn.GradientOptions{}) },
		"CheckGradients, typed nil":  func() error { return m.CheckGradients(t.Context(), (*tensor.Float32)(nil), nn.GradientOptions{}) },
		"SetWeights of nil":          func() error { return m.SetWeights(nil) },
		"SetParameter of nil":        func() error { return m.SetParameter("dense/bias", nil) },
		"SetStorage of nil":          func() error { return m.SetStorage("dense/bias", nil) },
		"NewTrainer without a loss":  func() error { return second2(m.NewTrainer(nn.TrainerOptions{Optimizer: optim.SGD{}})) },
		"NewTrainer without options": func() error { return second2(m.NewTrainer(nn.TrainerOptions{})) },
		"Intermediate of nothing":    func() error { return second2(m.Intermediate()) },
		"SetTrainable of nothing":    func() error { return second2(m.SetTrainable("", false)) },
		"a state of nil rows": with(func(o *nn.FitOptions) {
			o.State = &nn.TrainingState{Version: 1, Rows: map[string]*plan.RowSlots{"dense/bias": {}}}
		}),
		"PredictAll of nil": func() error {
			for _, err := range m.PredictAll(t.Context(), nil, nn.PredictOptions{}) {
				return err
			}
			return nil
		},
		"ReadAhead of nil": func() error {
			return second2(m.Evaluate(t.Context(), nn.ReadAhead(nil, 1), nn.EvaluateOptions{Loss: o.Loss}))
		},
	} {
		func() {
			defer func() {
				if v := recover(); v != nil {
					t.Errorf("%s panics: %v", name, v)
				}
			}()
			if err := call(); err == nil {
				t.Errorf("%s is no error", name)
			}
		}()
	}
}

type (
	nilInit      struct{ x int }
	nilOptimizer struct{ x int }
	nilLoss      struct{ x int }
	nilMetric    struct{ x int }
	nilLayer     struct{ x int }
)

func (n *nilInit) Kind() string                                               { return "Nil" }
func (n *nilInit) Init([]float32, tensor.Shape, plan.Random) error            { n.x++; return nil }
func (n *nilOptimizer) Kind() string                                          { return "Nil" }
func (n *nilOptimizer) Rule() (plan.Rule, error)                              { n.x++; return plan.Rule{}, nil }
func (n *nilLoss) Kind() string                                               { return "Nil" }
func (n *nilLoss) Start(plan.LossInfo) (plan.LossRule, error)                 { n.x++; return plan.LossRule{}, nil }
func (n *nilMetric) Kind() string                                             { return "Nil" }
func (n *nilMetric) Name() string                                             { n.x++; return "" }
func (n *nilMetric) Direction() history.Direction                             { n.x++; return 0 }
func (n *nilMetric) Start(plan.MetricInfo) (plan.Accumulator, error)          { n.x++; return nil, nil }
func (n *nilLayer) Kind() string                                              { n.x++; return "Nil" }
func (n *nilLayer) Build(*plan.Builder, []plan.Symbol) ([]plan.Symbol, error) { n.x++; return nil, nil }

// badlyStopped panics when it is stopped.
type badlyStopped struct{ d nn.Data }

func (s badlyStopped) Batches(context.Context, int) iter.Seq2[nn.Batch, error] {
	return func(yield func(nn.Batch, error) bool) {
		for yield(nn.Batch(s.d), nil) {
		}
		panic("broken stop")
	}
}

// A panic of a source that is stopped is an error of the call.
func TestSourcePanicsWhenStopped(t *testing.T) {
	o := longRun()
	o.Validation = badlyStopped{someReviews(t)}
	o.ValidationSplit = 0
	_, err := smallText(t).Fit(t.Context(), someReviews(t), o)
	if p := (*nn.PanicError)(nil); !errors.As(err, &p) {
		t.Errorf("error %v", err)
	}
}

// failThenPanic refuses rows that begin with a negative number, and then panics.
type failThenPanic struct{}

func (failThenPanic) Kind() string { return "FailThenPanic" }
func (failThenPanic) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	return b.Add(plan.Op{
		Outputs: func(in []plan.Signature) ([]plan.Signature, error) { return in[:1], nil },
		Forward: func(f *plan.Frame, s plan.Span) {
			if f.In(0, s)[0] < 0 {
				f.Fail(s.Worker, errors.New("negative"))
				panic("broken")
			}
			copy(f.Out(0, s), f.In(0, s))
		},
		Backward: func(f *plan.Frame, s plan.Span) {},
	}, in)
}

// What a batch that panicked found wrong with its rows is no error of the next one.
func TestFailureIsForgotten(t *testing.T) {
	m := sequential(t, nn.Features(1), failThenPanic{})
	if _, err := m.Predict(t.Context(), array(t, []float32{-1}, 1, 1), nn.PredictOptions{}); err == nil {
		t.Error("no error")
	}
	_, err := m.Predict(t.Context(), array(t, []float32{1}, 1, 1), nn.PredictOptions{})
	must(t, err)
}

// exits is a loss that ends its goroutine, as a test's FailNow does, in the caller's share of a batch or in others.
type exits struct{ caller bool }

func (exits) Kind() string { return "Exits" }
func (e exits) Start(info plan.LossInfo) (plan.LossRule, error) {
	rule, err := loss.MeanSquaredError{}.Start(info)
	rows := rule.Rows
	rule.Rows = func(losses, gradient, output, labels []float32) {
		if inWorker := bytes.Contains(debug.Stack(), []byte("team.(*Team).work(")); inWorker != e.caller {
			runtime.Goexit()
		}
		if e.caller {
			time.Sleep(time.Millisecond) // the worker is at its share when the caller leaves
		} else {
			time.Sleep(10 * time.Millisecond) // the caller leaves the others to the workers
		}
		rows(losses, gradient, output, labels)
	}
	return rule, err
}

// exitsAtStart is a callback that ends its goroutine when it starts.
type exitsAtStart struct{}

func (exitsAtStart) Kind() string { return "ExitsAtStart" }
func (exitsAtStart) Start(plan.Training) (plan.Handler, error) {
	runtime.Goexit()
	return plan.Handler{}, nil
}

// Code that ends its goroutine makes no call hang: in a worker it is an error, in the caller's goroutine deferred functions
// run. No goroutine is left, and the model can be used again.
func TestGoexitEndsCalls(t *testing.T) {
	x, y := waves(t, 300, 2), waves(t, 300)
	m := sequential(t, nn.Features(2), layers.Dense{Units: 1})
	fit := func(l nn.Loss, c ...nn.Callback) func() error {
		return func() error {
			return second2(m.Fit(t.Context(), nn.Data{X: x, Y: y}, nn.FitOptions{Optimizer: optim.SGD{}, Loss: l, Threads: 3, BatchSize: 300, Callbacks: c}))
		}
	}
	evaluate := func(l nn.Loss) func() error {
		return func() error {
			return second2(m.Evaluate(t.Context(), nn.Data{X: x, Y: y}, nn.EvaluateOptions{Loss: l, Threads: 3, BatchSize: 300}))
		}
	}
	step := func(l nn.Loss) func() error {
		return func() error {
			tr, err := m.NewTrainer(nn.TrainerOptions{Optimizer: optim.SGD{}, Loss: l, Threads: 3})
			if err != nil {
				return err
			}
			defer tr.Close()
			return second2(tr.Step(t.Context(), nn.Batch{X: x, Y: y}))
		}
	}
	ahead := func() error {
		src := nn.ReadAhead(nn.SourceFunc(func(context.Context, int) iter.Seq2[nn.Batch, error] {
			return func(yield func(nn.Batch, error) bool) {
				if yield(nn.Batch{X: x, Y: y}, nil) {
					runtime.Goexit()
				}
			}
		}), 2)
		return second2(m.Fit(t.Context(), src, nn.FitOptions{Optimizer: optim.SGD{}, Loss: loss.MeanSquaredError{}, Threads: 3}))
	}
	for name, c := range map[string]struct {
		call    func() error
		returns bool
	}{
		"Fit, worker":            {fit(exits{}), true},
		"Fit, caller":            {fit(exits{caller: true}), false},
		"Evaluate, worker":       {evaluate(exits{}), true},
		"Evaluate, caller":       {evaluate(exits{caller: true}), false},
		"Trainer, worker":        {step(exits{}), true},
		"Trainer, caller":        {step(exits{caller: true}), false},
		"a callback that starts": {fit(loss.MeanSquaredError{}, exitsAtStart{}), false},
		"ReadAhead":              {ahead, true},
	} {
		before := runtime.NumGoroutine()
		left := make(chan struct{})
		returned, err := false, error(nil)
		go func() {
			defer close(left)
			err = c.call()
			returned = true
		}()
		select {
		case <-left:
		case <-time.After(20 * time.Second):
			t.Fatalf("%s: the call hangs", name)
		}
		if returned != c.returns {
			t.Errorf("%s: the call returned: %t", name, returned)
		}
		var p *nn.PanicError
		if c.returns && (!errors.As(err, &p) || !strings.Contains(err.Error(), "ended its goroutine")) {
			t.Errorf("%s: error %v", name, err)
		}
		noneLeft(t, before)
		if err := fit(loss.MeanSquaredError{})(); err != nil {
			t.Errorf("%s: a Fit afterwards: %v", name, err)
		}
	}
}

// faultyRule is a momentum without a Repeat, whose Update panics in the call after which left is 0.
type faultyRule struct{ left *int }

func (faultyRule) Kind() string { return "FaultyRule" }
func (o faultyRule) Rule() (plan.Rule, error) {
	rule, err := optim.SGD{LearningRate: 0.5, Momentum: 0.5}.Rule()
	update := rule.Update
	rule.Repeat = nil
	rule.Update = func(c *plan.Coefficients, w, g []float32, slots [][]float32) {
		if *o.left--; *o.left == 0 {
			panic("broken rule")
		}
		update(c, w, g, slots)
	}
	return rule, err
}

// Where a rule panics in the middle of a step, rows of a large table that the step has not reached are as if they had had
// no gradient in it, and training can go on. Where it panics when rows are brought up to date, the training ends.
func TestRuleFailsAtALargeTable(t *testing.T) {
	const steps, rows = 4, 8
	x, y := array(t, make([]int32, steps*rows), steps*rows, 1), waves(t, steps*rows, 1)
	for i := range x.Data() {
		x.Data()[i] = int32(i) // each batch has rows of its own
	}
	d := nn.Data{X: x, Y: y}
	// fit fails in a call of Update, counted from the given step's.
	fit := func(step, call int, o nn.FitOptions) (*nn.Model, error) {
		m := sequential(t, nn.Tokens(1), layers.Embedding{Vocabulary: 1 << 20, Dim: 2}, layers.Flatten{}, layers.Dense{Units: 1})
		left := 0
		o.Optimizer, o.Loss, o.BatchSize, o.NoShuffle, o.Threads = faultyRule{&left}, loss.MeanSquaredError{}, rows, true, 1
		o.Callbacks = append(o.Callbacks, plan.CallbackFunc(func(e plan.Event, tr plan.Training) error {
			if e == plan.BatchBegin && tr.Step() == step {
				left = call
			}
			return nil
		}))
		_, err := m.Fit(t.Context(), d, o)
		return m, err
	}
	whole, err := fit(0, 0, nn.FitOptions{})
	must(t, err)
	m, err := fit(steps-1, 3, nn.FitOptions{})
	var p *nn.PanicError
	if !errors.As(err, &p) || p.Value != "broken rule" {
		t.Fatalf("error %v", err)
	}
	const reached = 2 * ((steps-1)*rows + 2) // elements, of two rows of the last batch too
	equalBits(t, "rows", m.Weights(nil)[0][:reached], whole.Weights(nil)[0][:reached])
	o := nn.FitOptions{Optimizer: optim.SGD{LearningRate: 0.5, Momentum: 0.5}, Loss: loss.MeanSquaredError{}}
	_, err = m.Fit(t.Context(), d, o)
	must(t, err)

	// A callback that reads weights in the middle of an epoch brings rows up to date.
	o = nn.FitOptions{Callbacks: []nn.Callback{plan.CallbackFunc(func(e plan.Event, tr plan.Training) error {
		if e == plan.BatchEnd && tr.Step() == 1 {
			tr.Model().(*nn.Model).Weights(nil)
		}
		return nil
	})}}
	if m, err = fit(1, rows+2+3, o); !errors.As(err, &p) || p.Value != "broken rule" {
		t.Errorf("rows brought up to date for a callback: error %v", err)
	}
	for _, w := range m.Weights(nil)[0][:reached] {
		if w != w {
			t.Fatal("weights are NaN")
		}
	}

	left := 0
	m = whole
	tr := trainer(t, m, nn.TrainerOptions{Optimizer: faultyRule{&left}, Loss: loss.MeanSquaredError{}, Threads: 1})
	b := nn.Batch{X: x.Rows(0, rows), Y: y.Rows(0, rows)}
	must(t, second(tr.Step(t.Context(), b)))
	left = 3
	if err := second(tr.Step(t.Context(), b)); !errors.As(err, &p) {
		t.Errorf("a Trainer's step: error %v", err)
	}
	must(t, second(tr.Step(t.Context(), b)))
	must(t, tr.Close())
}

// Gradients of a batch that a failed step has used are not added to those of the next one; a step that does not begin counts
// for nothing.
func TestFailedStepLeavesNoGradients(t *testing.T) {
	m := sequential(t, nn.Features(1), layers.Dense{Units: 1, NoBias: true})
	must(t, m.SetParameter("dense/kernel", []float32{0}))
	left, rate := 0, float32(0.5)
	o := nn.TrainerOptions{Optimizer: scheduled{faultyRule{&left}, &rate}, Loss: loss.MeanSquaredError{}, State: &nn.TrainingState{}}
	tr := trainer(t, m, o)
	b := nn.Batch{X: array(t, []float32{1}, 1, 1), Y: array(t, []float32{-1})}
	left = 1
	if err := second(tr.Step(t.Context(), b)); err == nil {
		t.Error("no error")
	}
	must(t, second(tr.Step(t.Context(), b))) // a gradient of 2 at a rate of 0.5
	if w := m.Weights(nil)[0][0]; w != -1 {
		t.Errorf("the weight is %v, not -1", w)
	}
	b.Y = array(t, []float32{-2})
	must(t, second(tr.Gradients(t.Context(), b)))
	rate = nan
	if err := tr.Apply(t.Context(), nil); err == nil || o.State.Groups[0].Step != 2 {
		t.Errorf("error %v after %d steps", err, o.State.Groups[0].Step)
	}
	rate = 0.5
	must(t, tr.Apply(t.Context(), nil)) // a gradient of 2 again, and half of the momentum, which was -1
	if w := m.Weights(nil)[0][0]; w != -2.5 {
		t.Errorf("the weight is %v, not -2.5", w)
	}
	must(t, tr.Close())
}

// scheduled is an optimizer whose rate somebody else decides.
type scheduled struct {
	nn.Optimizer
	rate *float32
}

func (s scheduled) Rule() (plan.Rule, error) {
	rule, err := s.Optimizer.Rule()
	rule.Schedule = s
	return rule, err
}
func (scheduled) Check() error       { return nil }
func (s scheduled) Rate(int) float32 { return *s.rate }
