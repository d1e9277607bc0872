package nn_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/metrics"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

// sentences are rows of three word ids with labels: words 1 to 4 are bad, 5 to 8 good, 0 fills up.
func sentences() nn.Data {
	x, err := tensor.Of([]int32{
		1, 2, 0,
		3, 1, 4,
		2, 4, 6,
		5, 6, 0,
		8, 7, 5,
		6, 7, 2,
	}, 6, 3)
	if err != nil {
		panic(err)
	}
	y, err := tensor.Of([]int32{0, 0, 0, 1, 1, 1})
	if err != nil {
		panic(err)
	}
	return nn.Data{X: x, Y: y}
}

// trained is a model that tells good sentences from bad ones.
func trained() *nn.Model {
	model, err := nn.NewSequential(
		layers.Embedding{Vocabulary: 9, Dim: 4, MaskZero: true},
		layers.GlobalAveragePooling1D{},
		layers.Dense{Units: 1, Activation: layers.Sigmoid},
	).Build(context.Background(), nn.Tokens(nn.AnyLength), nn.BuildOptions{Seed: 1})
	if err != nil {
		panic(err)
	}
	if _, err := model.Fit(context.Background(), sentences(), nn.FitOptions{
		Optimizer: optim.Adam{LearningRate: 0.05}, Loss: loss.BinaryCrossentropy{}, Epochs: 60,
	}); err != nil {
		panic(err)
	}
	return model
}

// A network that learns to tell rows of good words from rows of bad ones.
func Example() {
	model, err := nn.NewSequential(
		layers.Embedding{Vocabulary: 9, Dim: 4, MaskZero: true},
		layers.GlobalAveragePooling1D{},
		layers.Dense{Units: 1, Activation: layers.Sigmoid},
	).Build(context.Background(), nn.Tokens(nn.AnyLength), nn.BuildOptions{Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	history, err := model.Fit(context.Background(), sentences(), nn.FitOptions{
		Optimizer: optim.Adam{LearningRate: 0.05},
		Loss:      loss.BinaryCrossentropy{},
		Metrics:   []nn.Metric{metrics.Accuracy{}},
		Epochs:    20,
		BatchSize: 2,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, epoch := range []int{0, 5, 19} {
		fmt.Printf("epoch %2d: loss %.3f, accuracy %.2f\n", history.Epochs[epoch], history.Values("loss")[epoch], history.Values("accuracy")[epoch])
	}
	// Output:
	// epoch  0: loss 0.716, accuracy 0.33
	// epoch  5: loss 0.178, accuracy 1.00
	// epoch 19: loss 0.005, accuracy 1.00
}

// Predict appends to a slice, and reads rows of any length.
func ExampleModel_Predict() {
	x, err := tensor.Of([]int32{5, 8, 6, 7, 1, 3, 2, 4}, 2, 4)
	if err != nil {
		fmt.Println(err)
		return
	}
	model := trained()
	p, err := model.PredictInto(context.Background(), nil, x, nn.PredictOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("good words are good:", p[0] > 0.9)
	fmt.Println("bad words are good:", p[1] > 0.1)

	x.Row(1)[2] = 9
	_, err = model.PredictInto(context.Background(), nil, x, nn.PredictOptions{})
	var id *text.IDError
	fmt.Println(errors.As(err, &id), err)
	// Output:
	// good words are good: true
	// bad words are good: false
	// true nn: layer "embedding": row 1, column 2: id 9 is outside the vocabulary 0 to 8
}

// Evaluate gives the loss, then the metrics.
func ExampleModel_Evaluate() {
	result, err := trained().Evaluate(context.Background(), sentences(), nn.EvaluateOptions{
		Loss: loss.BinaryCrossentropy{}, Metrics: []nn.Metric{metrics.Accuracy{}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for name := range result.All() {
		fmt.Println(name)
	}
	accuracy, _ := result.Get("accuracy")
	fmt.Println(accuracy)
	// Output:
	// loss
	// accuracy
	// 1
}

// Metrics need no loss. A metric may have several values.
func ExampleModel_Evaluate_withoutLoss() {
	result, err := trained().Evaluate(context.Background(), sentences(), nn.EvaluateOptions{
		Metrics: []nn.Metric{metrics.Recall{Thresholds: []float32{0.5, 1}}, metrics.AUC{}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result)
	// Output:
	// recall_0.5: 1.0000 - recall_1: 0.0000e+00 - auc: 1.0000
}

// A function may watch and steer training: here it lowers the learning rate and ends the run.
func ExampleCallback() {
	schedule := plan.CallbackFunc(func(e plan.Event, t plan.Training) error {
		switch {
		case e == plan.EpochBegin && t.Epoch() == 2:
			return t.SetLearningRate(t.LearningRate() / 2)
		case e == plan.EpochEnd:
			fmt.Printf("epoch %d of %d: %d steps at %v\n", t.Epoch(), t.Epochs(), t.Steps(), t.LearningRate())
			if t.Epoch() == 3 {
				t.Stop("seen enough")
			}
		}
		return nil
	})
	history, err := trained().Fit(context.Background(), sentences(), nn.FitOptions{
		Optimizer: optim.SGD{LearningRate: 0.5}, Loss: loss.BinaryCrossentropy{}, Epochs: 10, BatchSize: 4, Callbacks: []nn.Callback{schedule},
	})
	fmt.Println(len(history.Epochs), history.Stopped, err)
	// Output:
	// epoch 0 of 10: 2 steps at 0.5
	// epoch 1 of 10: 2 steps at 0.5
	// epoch 2 of 10: 2 steps at 0.25
	// epoch 3 of 10: 2 steps at 0.25
	// 4 seen enough <nil>
}

// Scale multiplies each feature by a factor of its own, which it learns.
type Scale struct{ Name string }

func (Scale) Kind() string        { return "Scale" }
func (s Scale) LayerName() string { return s.Name }

func (Scale) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	shape := in[0].Shape
	if in[0].Type != tensor.TypeFloat32 || len(shape) != 2 {
		return nil, fmt.Errorf("%w: Scale reads float32 values (batch, features), not %v of shape %v", tensor.ErrShape, in[0].Type, shape)
	}
	factor, err := b.Parameter(plan.ParameterOptions{Name: "factor", Shape: tensor.Shape{shape[1]}, Init: layers.GlorotUniform{}})
	if err != nil {
		return nil, err
	}
	return b.Add(plan.Op{
		Outputs:  func(in []plan.Signature) ([]plan.Signature, error) { return in, nil },
		Forward:  scaleForward,
		Backward: scaleBackward,
		Gradient: scaleGradient,
	}, in, factor)
}

// scaleForward computes y = x·factor, element by element.
func scaleForward(f *plan.Frame, s plan.Span) {
	x, y, factor := f.In(0, s), f.Out(0, s), f.Param(0)
	for i := range y {
		y[i] = x[i] * factor[i%len(factor)]
	}
}

func scaleBackward(f *plan.Frame, s plan.Span) {
	dx, dy, factor := f.InGrad(0, s), f.OutGrad(0, s), f.Param(0)
	for i := range dx {
		dx[i] = dy[i] * factor[i%len(factor)]
	}
}

func scaleGradient(f *plan.Frame, _ int, g plan.Gradient) {
	x, dy, width := f.In(0, f.All()), f.OutGrad(0, f.All()), f.InWidth(0)
	for r := range f.Rows() {
		for j := g.Lo; j < g.Hi; j++ {
			g.Values[j] += float32(x[r*width+j] * dy[r*width+j])
		}
	}
}

// A layer of one's own, put between others, and the check that its gradients are right.
func ExampleLayer() {
	model, err := nn.NewSequential(layers.Dense{Units: 3, Activation: layers.Tanh}, Scale{}, layers.Dense{Units: 1}).Build(context.Background(), nn.Features(2), nn.BuildOptions{Seed: 5})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range model.Parameters() {
		fmt.Println(p.Name(), p.Shape())
	}
	x, err := tensor.Of([]float32{1, -0.5, 0.25, 2, -1, 0.75}, 3, 2)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("gradients:", model.CheckGradients(context.Background(), x, nn.GradientOptions{}))

	_, err = nn.NewSequential(layers.Embedding{Vocabulary: 9, Dim: 2}, Scale{}).Build(context.Background(), nn.Tokens(4), nn.BuildOptions{})
	fmt.Println(err)
	// Output:
	// dense/kernel (2, 3)
	// dense/bias (3,)
	// scale/factor (3,)
	// dense_1/kernel (3, 1)
	// dense_1/bias (1,)
	// gradients: <nil>
	// nn: layer 1 (scale) cannot follow layer 0 (embedding) of shape (None, 4, 2): shape does not fit: Scale reads float32 values (batch, features), not float32 of shape (None, 4, 2)
}
