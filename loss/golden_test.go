package loss_test

import (
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/internal/golden"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optional"
	"github.com/linnet-ml/linnet/tensor"
)

// notHere are the recorded losses that this package does not have.
var notHere = map[string]bool{
	"BinaryFocalCrossentropy": true, "MeanAbsoluteError": true, "Huber": true, "Hinge": true, "KLDivergence": true,
}

// newLoss makes what a recorded case used; it skips the test where that is not in this package.
func newLoss(t *testing.T, c golden.Case) plan.Loss {
	t.Helper()
	switch name := c.Text("loss"); {
	case notHere[name]:
		t.Skipf("no loss %s", name)
	case name == "BinaryCrossentropy":
		var config struct {
			FromLogits     bool    `json:"from_logits"`
			LabelSmoothing float32 `json:"label_smoothing"`
		}
		c.Decode(&config, "config")
		return loss.BinaryCrossentropy(config)
	case name == "CategoricalCrossentropy":
		var config struct {
			FromLogits     bool    `json:"from_logits"`
			LabelSmoothing float32 `json:"label_smoothing"`
		}
		c.Decode(&config, "config")
		return loss.CategoricalCrossentropy(config)
	case name == "SparseCategoricalCrossentropy":
		var config struct {
			FromLogits  bool                `json:"from_logits"`
			IgnoreClass optional.Value[int] `json:"ignore_class"`
		}
		c.Decode(&config, "config")
		return loss.SparseCategoricalCrossentropy(config)
	case name == "MeanSquaredError":
		c.Decode(&struct{}{}, "config")
		return loss.MeanSquaredError{}
	}
	t.Fatalf("the recorded loss %s is neither here nor left out by name", c.Text("loss"))
	return nil
}

func TestLossesMatchKeras(t *testing.T) {
	ran := 0
	golden.Open(t, "losses").Run(t, "", func(t *testing.T, c golden.Case) {
		if strings.HasPrefix(c.Name, "through_model/") {
			return // TestLossBeforeActivationMatchesKeras
		}
		if c.Name == "BinaryCrossentropy/rank_1_both/weighted" {
			t.Skip("six weights for one mean: outputs of models have rows")
		}
		l := newLoss(t, c)
		output, labels := c.Array("y_pred"), c.Array("y_true")
		for _, y := range labels.Int32 {
			labels.Float32 = append(labels.Float32, float32(y))
		}
		rule := start(t, l, tensor.Shape(output.Shape[1:]), tensor.Shape(labels.Shape[1:]), "")
		for _, y := range labels.Float32 {
			if err := rule.CheckLabel(y); err != nil {
				t.Fatal(err)
			}
		}
		if rule.CheckLabels != nil {
			if _, err := rule.CheckLabels(labels.Float32); err != nil {
				t.Fatal(err)
			}
		}
		// Recorded values and weights are one for each mean over the last dimension.
		width := output.Shape[len(output.Shape)-1]
		rows := output.Len() / width
		losses, gradient := make([]float32, rows), make([]float32, output.Len())
		rule.Rows(losses, gradient, output.Float32, labels.Float32)
		one := labels.Len() / rows // how many labels a mean is of

		counted := float64(rows)
		if rule.Counted != nil {
			counted = float64(rule.Counted(labels.Float32))
		}
		weights := make([]float32, rows)
		sumOfWeights := 0.0
		for i := range weights {
			weights[i] = 1
			if rule.Counted != nil {
				weights[i] = float32(rule.Counted(labels.Float32[i : i+1]))
			}
		}
		if c.Has("sample_weight") {
			copy(weights, c.Array("sample_weight").Float32)
		}
		for i, w := range weights {
			losses[i] *= w
			sumOfWeights += float64(w)
		}
		sum := 0.0
		for _, v := range losses {
			sum += float64(v)
		}
		tolerance := golden.Tolerance{Rel: 1e-6, Abs: 0x1p-126} // TensorFlow computes denormal numbers as 0
		for reduction, over := range map[string]float64{
			"none": 1, "sum": 1, "sum_over_batch_size": counted, "mean_with_sample_weight": sumOfWeights,
		} {
			want := c.Array("expected", reduction, "value")
			if reduction == "none" {
				golden.Close(t, "values", losses, want, tolerance)
			} else {
				golden.CloseNumber(t, reduction, sum/over, float64(want.Float32[0]), tolerance)
			}
			scaled := make([]float32, len(gradient))
			for i, g := range gradient {
				scaled[i] = float32(float64(g) * float64(weights[i/width]) / over)
			}
			golden.Close(t, reduction+": gradient", scaled, c.Array("expected", reduction, "grad"), golden.Tolerance{OfLargest: 1e-6})
		}

		// Rows that are computed alone, or without a gradient, have the same bits.
		for i := range losses {
			at := make([]float32, 1)
			rule.Rows(at, nil, output.Float32[i*width:(i+1)*width], labels.Float32[i*one:(i+1)*one])
			if at[0]*weights[i] != losses[i] {
				t.Errorf("row %d alone has loss %v, in the batch %v", i, at[0]*weights[i], losses[i])
			}
		}
		ran++
	})
	if ran != 185 {
		t.Errorf("%d cases compared, want 185", ran)
	}
}

// After a sigmoid or softmax the loss is computed from what goes into it, by nothing that is cut off.
func TestLossBeforeActivationMatchesKeras(t *testing.T) {
	golden.Open(t, "losses").Run(t, "through_model/", func(t *testing.T, c golden.Case) {
		l := map[string]plan.Loss{
			"binary_crossentropy": loss.BinaryCrossentropy{}, "sparse_categorical_crossentropy": loss.SparseCategoricalCrossentropy{},
		}[c.Text("config", "loss")]
		z, y := c.Array("logits").Float32, c.Array("y_true").Float32
		shape := tensor.Shape{len(z) / len(y)}
		rule := start(t, l, shape, shape[:0], c.Text("config", "activation"))
		if !rule.BeforeActivation {
			t.Fatal("the loss does not read the activation's input")
		}
		losses := make([]float32, len(y))
		rule.Rows(losses, nil, z, y)
		sum := 0.0
		for _, v := range losses {
			sum += float64(v)
		}
		golden.CloseNumber(t, "loss", sum/float64(len(y)), c.Float("evaluate_loss"), golden.Tolerance{Rel: 1e-6})
	})
}
