package nn_test

import (
	"context"
	"errors"
	"iter"
	"testing"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/metrics"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/tensor"
)

// What is wrong with data as a whole is an InputError, too; what is wrong with settings is none.
func TestFaultsOfDataAreInputErrors(t *testing.T) {
	m := smallText(t)
	x := ids(t, 5, 4)
	y := sides(t, x)
	g := &nn.Graph{}
	g.Output("sum", g.Apply(layers.Dense{Units: 1}, g.Apply(layers.Add{}, g.Input("a", nn.Features(nn.AnyLength, 2)), g.Input("b", nn.Features(nn.AnyLength, 2)))))
	graph, err := g.Build(t.Context(), nn.BuildOptions{})
	must(t, err)
	classes := sequential(t, nn.Features(2), layers.Dense{Units: 3, Activation: layers.Softmax})
	convolved := sequential(t, nn.Features(nn.AnyLength, 2), layers.Conv1D{Filters: 1, KernelSize: 3}, layers.GlobalAveragePooling1D{})
	mse := loss.MeanSquaredError{}
	fit := func(m *nn.Model, d nn.Source, change func(o *nn.FitOptions)) error {
		o := trains()
		o.Loss = mse
		if _, ok := d.(nn.Data); !ok {
			o.BatchSize = 0
		}
		if change != nil {
			change(&o)
		}
		return second2(m.Fit(t.Context(), d, o))
	}
	with := func(l nn.Loss) func(o *nn.FitOptions) { return func(o *nn.FitOptions) { o.Loss = l } }
	stream := func(batches ...nn.Batch) nn.Source {
		return nn.SourceFunc(func(context.Context, int) iter.Seq2[nn.Batch, error] {
			return func(yield func(nn.Batch, error) bool) {
				for _, b := range batches {
					if !yield(b, nil) {
						return
					}
				}
			}
		})
	}
	predictAll := func(m *nn.Model, d nn.Data) error {
		for _, err := range m.PredictAll(t.Context(), d, nn.PredictOptions{}) {
			return err
		}
		return nil
	}
	two := waves(t, 5, 2)
	steps := map[string]tensor.Rows{"a": waves(t, 5, 3, 2), "b": waves(t, 5, 4, 2)}
	for name, err := range map[string]error{
		"labels' shape":                      fit(m, nn.Data{X: x, Y: waves(t, 5, 3)}, nil),
		"labels' shape, binary":              fit(m, nn.Data{X: x, Y: array(t, make([]float32, 15), 5, 3)}, with(loss.BinaryCrossentropy{})),
		"labels' shape, categorical":         fit(classes, nn.Data{X: two, Y: array(t, make([]float32, 5))}, with(loss.CategoricalCrossentropy{})),
		"labels' shape, sparse":              fit(classes, nn.Data{X: two, Y: array(t, make([]float32, 15), 5, 3)}, with(loss.SparseCategoricalCrossentropy{})),
		"labels' shape, metric":              second2(m.Evaluate(t.Context(), nn.Data{X: x, Y: waves(t, 5, 3)}, nn.EvaluateOptions{Metrics: []nn.Metric{metrics.BinaryAccuracy{}}})),
		"class out of range":                 fit(classes, nn.Data{X: two, Y: array(t, []int32{0, 1, 2, 3, 0})}, with(loss.SparseCategoricalCrossentropy{})),
		"classes that do not sum to 1":       fit(classes, nn.Data{X: two, Y: array(t, make([]float32, 15), 5, 3)}, with(loss.CategoricalCrossentropy{})),
		"labels of strings":                  fit(m, nn.Data{X: x, Y: array(t, make([]string, 5))}, nil),
		"no labels":                          fit(m, nn.Data{X: x}, nil),
		"labels of an unknown output":        fit(m, nn.Data{X: x, Labels: map[string]tensor.Rows{"output": y, "other": y}}, nil),
		"weights of an unknown output":       fit(m, nn.Data{X: x, Labels: map[string]tensor.Rows{"output": y}, OutputWeights: map[string][]float32{"other": {1, 1, 1, 1, 1}}}, nil),
		"too few weights":                    fit(m, nn.Data{X: x, Y: y, Weights: []float32{1}}, nil),
		"validation labels of another width": fit(m, nn.Data{X: x, Y: y}, func(o *nn.FitOptions) { o.Validation = nn.Data{X: x, Y: waves(t, 5, 2)} }),
		"no rows, Fit":                       fit(m, nn.Data{X: x.Rows(0, 0), Y: y.Rows(0, 0)}, nil),
		"no rows, Predict":                   second2(m.Predict(t.Context(), x.Rows(0, 0), nn.PredictOptions{})),
		"no rows, Prepare":                   second2(m.Prepare(t.Context(), x.Rows(0, 0))),
		"no rows, PredictAll":                predictAll(m, nn.Data{X: x.Rows(0, 0)}),
		"no batch":                           fit(m, stream(), nil),
		"labels change their shape":          fit(m, stream(nn.Batch{X: x, Y: y}, nn.Batch{X: x, Y: waves(t, 5, 1)}), nil),
		"missing input":                      predictAll(graph, nn.Data{Inputs: map[string]tensor.Rows{"a": waves(t, 5, 3, 2)}}),
		"unknown input":                      predictAll(graph, nn.Data{Inputs: map[string]tensor.Rows{"a": waves(t, 5, 3, 2), "b": waves(t, 5, 3, 2), "c": two}}),
		"X for several inputs":               predictAll(graph, nn.Data{X: two}),
		"other numbers of rows":              predictAll(graph, nn.Data{Inputs: map[string]tensor.Rows{"a": waves(t, 5, 3, 2), "b": waves(t, 4, 3, 2)}}),
		"other numbers of steps":             predictAll(graph, nn.Data{Inputs: steps}),
		"other numbers of steps, Fit":        fit(graph, nn.Data{Inputs: steps, Y: waves(t, 5, 3, 1)}, nil),
		"too few steps":                      second2(convolved.Predict(t.Context(), waves(t, 5, 2, 2), nn.PredictOptions{})),
	} {
		var in *nn.InputError
		if !errors.As(err, &in) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	for name, err := range map[string]error{
		"label smoothing": fit(classes, nn.Data{X: two, Y: array(t, make([]float32, 15), 5, 3)}, with(loss.CategoricalCrossentropy{LabelSmoothing: 2})),
		"threads":         fit(m, nn.Data{X: x, Y: y}, func(o *nn.FitOptions) { o.Threads = -1 }),
		"no optimizer":    fit(m, nn.Data{X: x, Y: y}, func(o *nn.FitOptions) { o.Optimizer = nil }),
	} {
		var in *nn.InputError
		if err == nil || errors.As(err, &in) {
			t.Errorf("%s: error %v counts as a fault of the data", name, err)
		}
	}
}
