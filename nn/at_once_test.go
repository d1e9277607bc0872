package nn_test

import (
	"context"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/metrics"
	"github.com/linnet-ml/linnet/nn"
)

// Models that share nothing but their data train at once, each with a large table and several threads, while others evaluate and
// predict with one model. Each gets what it gets alone. The race detector sees here what models would share in secret.
func TestModelsAtOnce(t *testing.T) {
	model := func(t testing.TB) *nn.Model {
		return sequential(t, nn.Tokens(nn.AnyLength), layers.Embedding{Vocabulary: 1 << 18, Dim: 8}, layers.GlobalAveragePooling1D{},
			layers.Dense{Units: 16, Activation: layers.ReLU}, layers.Dropout{Rate: 0.2}, layers.Dense{Units: 1, Activation: layers.Sigmoid})
	}
	data := someReviews(t)
	o := longRun()
	o.BatchSize, o.Threads = 30, 1
	read := model(t)
	history, weights := fitted(t, read, data, o)
	evaluation := func(threads int) nn.EvaluateOptions {
		return nn.EvaluateOptions{Loss: loss.BinaryCrossentropy{}, Metrics: []nn.Metric{metrics.Accuracy{}}, BatchSize: 15, Threads: threads}
	}
	want := mustEvaluate(t, read, data, evaluation(1))
	predicted, err := read.PredictInto(t.Context(), nil, data.X, nn.PredictOptions{})
	must(t, err)

	var all sync.WaitGroup
	for _, threads := range []int{2, 3, 8} {
		m, o := model(t), o
		o.Threads = threads
		all.Go(func() {
			h, err := m.Fit(context.Background(), data, o)
			if err != nil {
				t.Error(err)
				return
			}
			if text, err := h.MarshalJSON(); err != nil || string(text) != history {
				t.Errorf("%d threads beside others: %s, %v, want %s", threads, text, err, history)
			}
			for i, w := range m.Weights(nil) {
				if !slices.Equal(w, weights[i]) {
					t.Errorf("%d threads beside others: weights %d are others", threads, i)
				}
			}
		})
		all.Go(func() {
			for range 5 {
				if logs, err := read.Evaluate(context.Background(), data, evaluation(threads)); err != nil || !reflect.DeepEqual(logs, want) {
					t.Errorf("Evaluate beside others: %v, %v, want %v", logs, err, want)
				}
			}
		})
		all.Go(func() {
			for range 5 {
				if y, err := read.PredictInto(context.Background(), nil, data.X, nn.PredictOptions{BatchSize: 15, Threads: threads}); err != nil || !slices.Equal(y, predicted) {
					t.Errorf("Predict beside others: %v, %v", y, err)
				}
			}
		})
	}
	all.Wait()
}
