package optim_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/internal/golden"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/tensor"
)

// products is a layer whose output is the sum of its parameters' elements, each times an element of the input. The
// gradient of the output by the parameters is thus the input: a test says what the gradients are.
type products struct {
	shapes []tensor.Shape
}

func (l products) Kind() string { return "products" }

func (l products) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	params := make([]plan.ParameterRef, len(l.shapes))
	for i, shape := range l.shapes {
		var err error
		if params[i], err = b.Parameter(plan.ParameterOptions{Name: fmt.Sprintf("v%d", i), Shape: shape}); err != nil {
			return nil, err
		}
	}
	return b.Add(plan.Op{Outputs: l.outputs, Forward: l.forward, Gradient: l.gradient}, in, params...)
}

func (l products) outputs(in []plan.Signature) ([]plan.Signature, error) {
	return []plan.Signature{{Type: tensor.TypeFloat32, Shape: tensor.Shape{tensor.Unknown, 1}}}, nil
}

func (l products) forward(f *plan.Frame, s plan.Span) {
	out, x, width := f.Out(0, s), f.In(0, s), f.InWidth(0)
	for row := range out {
		sum, at := float32(0), row*width
		for i := range l.shapes {
			for _, w := range f.Param(i) {
				sum += float32(w * x[at])
				at++
			}
		}
		out[row] = sum
	}
}

func (l products) gradient(f *plan.Frame, i int, g plan.Gradient) {
	at := 0
	for _, shape := range l.shapes[:i] {
		at += size(shape)
	}
	width, inputs := size(l.shapes[i][1:]), f.InWidth(0)
	x, slope := f.In(0, f.All()), f.OutGrad(0, f.All())
	for row, s := range slope {
		for k := g.Lo * width; k < g.Hi*width; k++ {
			g.Values[k] += float32(s * x[row*inputs+at+k])
		}
	}
}

func size(shape tensor.Shape) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// sum is a loss that is the model's output.
type sum struct{}

func (sum) Kind() string { return "sum" }

func (sum) Start(plan.LossInfo) (plan.LossRule, error) {
	return plan.LossRule{Rows: func(losses, gradient, output, labels []float32) {
		copy(losses, output)
		for i := range gradient {
			gradient[i] = 1
		}
	}}, nil
}

// training is a run of an optimizer over parameters whose gradients a test gives.
type training struct {
	t       *testing.T
	ctx     context.Context
	model   *nn.Model
	trainer *nn.Trainer
	state   *nn.TrainingState
}

func train(t *testing.T, o plan.Optimizer, params ...golden.Array) *training {
	t.Helper()
	r := &training{t: t, ctx: context.Background(), state: &nn.TrainingState{}}
	var l products
	var values [][]float32
	n := 0
	for _, p := range params {
		l.shapes = append(l.shapes, tensor.Shape(p.Shape))
		values = append(values, p.Float32)
		n += p.Len()
	}
	var err error
	if r.model, err = nn.NewSequential(l).Build(r.ctx, nn.Features(n), nn.BuildOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := r.model.SetWeights(values); err != nil {
		t.Fatal(err)
	}
	if r.trainer, err = r.model.NewTrainer(nn.TrainerOptions{Optimizer: o, Loss: sum{}, State: r.state}); err != nil {
		t.Fatal(err)
	}
	return r
}

// step trains on a batch that gives the parameters these gradients, and returns their values.
func (r *training) step(gradients ...[]float32) [][]float32 {
	r.t.Helper()
	x, err := tensor.New[float32](1, len(slices.Concat(gradients...)))
	if err != nil {
		r.t.Fatal(err)
	}
	copy(x.Data(), slices.Concat(gradients...))
	y, err := tensor.New[float32](1)
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := r.trainer.Step(r.ctx, nn.Batch{X: x, Y: y}); err != nil {
		r.t.Fatal(err)
	}
	return r.model.Weights(nil)
}

// Training with each recorded optimizer goes where Keras goes, with all that happens around the rules: clipping, decay,
// averages, accumulation, schedules.
func TestTrainingMatchesKeras(t *testing.T) {
	topic := golden.Open(t, "optimizers")
	ran := 0
	topic.Run(t, "", func(t *testing.T, c golden.Case) {
		if c.Text("kind") != "trajectory" {
			return
		}
		o := newOptimizer(t, c)
		var init, grads []golden.Array
		for i := range 3 {
			init = append(init, topic.Tensor(fmt.Sprintf("init/%d", i)))
			grads = append(grads, topic.Tensor(fmt.Sprintf("grads/%d", i)))
		}
		r := train(t, o, init...)
		for step, rate := range c.Floats("learning_rates") {
			got, err := r.trainer.LearningRate()
			if err != nil {
				t.Fatal(err)
			}
			golden.CloseNumber(t, fmt.Sprintf("rate of step %d", step+1), float64(got), rate, rateTolerance)
			weights := r.step(row(grads[0], step).Float32, row(grads[1], step).Float32, row(grads[2], step).Float32)
			for i, key := range c.Texts("params") {
				golden.Close(t, fmt.Sprintf("parameter %d after step %d", i, step+1), weights[i], row(topic.Tensor(key), step), tolerance)
			}
		}
		if err := r.trainer.Close(); err != nil {
			t.Fatal(err)
		}
		r.checkSlots(topic, c, rule(t, o))
		ran++
	})
	if ran != 50 {
		t.Errorf("%d trajectories compared, want 50", ran)
	}
}

// checkSlots compares what a run has left with the slots of a recorded case.
func (r *training) checkSlots(topic *golden.Topic, c golden.Case, rule plan.Rule) {
	r.t.Helper()
	keys := c.Keys("slots_after_last_step")
	compared := 0
	check := func(key string, got []float32) {
		r.t.Helper()
		golden.Close(r.t, key, got, topic.Tensor(c.Text("slots_after_last_step", key)), tolerance)
		compared++
	}
	for i := range 3 {
		name := r.model.Parameters()[i].Name()
		for k, slot := range rule.Slots {
			check(fmt.Sprintf("v%d_%s", i, slot.Name), r.state.Slots[name][k])
		}
		if rule.Shared.Average {
			check(fmt.Sprintf("v%d_average", i), r.state.Averages[name])
		}
		if rule.Shared.AccumulateSteps > 1 { // all batches have led to steps
			got := r.state.Gradients[name]
			if got == nil {
				got = make([]float32, r.model.Parameters()[i].Size())
			}
			check(fmt.Sprintf("v%d_gradient_accumulator", i), got)
		}
	}
	for k := range rule.Scalars { // Keras gives Nadam's no name
		at := slices.IndexFunc(keys, func(key string) bool { return strings.HasPrefix(key, "variable") })
		check(keys[at], r.state.Groups[0].Scalars[k:k+1])
	}
	if compared != len(keys) {
		r.t.Errorf("%d slots and scalars compared of %d", compared, len(keys))
	}
}

// The norm of a table's gradient is that of the sums over equal ids, as Keras has it of a dense gradient.
func TestClippedTablesMatchKeras(t *testing.T) {
	topic := golden.Open(t, "optimizers")
	ran := 0
	topic.Run(t, "sparse_", func(t *testing.T, c golden.Case) {
		if !c.Has("config", "clipnorm") && !c.Has("config", "global_clipnorm") {
			return
		}
		if c.Text("gradient") == "IndexedSlices" && strings.HasPrefix(c.Name, "sparse_repeated") {
			return // Keras takes the norm of the parts of sums there
		}
		indices, values, table := topic.Tensor(c.Text("indices")), topic.Tensor(c.Text("values")), topic.Tensor(c.Text("start"))
		r := train(t, newOptimizer(t, c), table)
		for step := range indices.Shape[0] {
			gradient, _ := summed(indices, values, step, table)
			weights := r.step(gradient)
			golden.Close(t, fmt.Sprintf("table after step %d", step+1), weights[0], row(topic.Tensor(c.Text("per_step", "params")), step), tolerance)
		}
		if err := r.trainer.Close(); err != nil {
			t.Fatal(err)
		}
		ran++
	})
	if ran != 6 {
		t.Errorf("%d cases compared, want 6", ran)
	}
}

// A run that stops and goes on from its state goes where one run goes, in the middle of accumulated batches too.
func TestTrainingGoesOnFromItsState(t *testing.T) {
	topic := golden.Open(t, "optimizers")
	init, grads := topic.Tensor("init/1"), topic.Tensor("grads/1")
	for _, o := range append(slices.Clone(every),
		optim.Nadam{Shared: optim.Shared{AccumulateSteps: 3, GlobalClipNorm: 1, WeightDecay: 0.1}},
		optim.Adam{Shared: optim.Shared{Average: true, AverageEvery: 2, ClipNorm: 1}}) {
		whole, half := train(t, o, init), train(t, o, init)
		var want, got [][]float32
		for step := range 10 {
			if step == 5 {
				weights := half.model.Weights(nil)
				if err := half.trainer.Close(); err != nil {
					t.Fatal(err)
				}
				if err := half.model.SetWeights(weights); err != nil { // Close gives the model the averages
					t.Fatal(err)
				}
				var err error
				if half.trainer, err = half.model.NewTrainer(nn.TrainerOptions{Optimizer: o, Loss: sum{}, State: half.state}); err != nil {
					t.Fatal(err)
				}
			}
			want, got = whole.step(row(grads, step).Float32), half.step(row(grads, step).Float32)
		}
		if !slices.Equal(want[0], got[0]) {
			t.Errorf("%+v: weights\n%v in one run\n%v in two", o, want[0], got[0])
		}
		for _, r := range []*training{whole, half} {
			if err := r.trainer.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}
