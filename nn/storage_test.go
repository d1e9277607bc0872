package nn_test

import (
	"testing"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
)

// storages returns the values in each kind of storage, by name.
func storages(t *testing.T, values []float32, width int) map[string]plan.Storage {
	t.Helper()
	half, err := plan.NewFloat16Storage(values)
	must(t, err)
	bytes, err := plan.NewInt8Storage(values, width)
	must(t, err)
	return map[string]plan.Storage{"read-only": plan.ReadOnlyStorage(values), "float16": half,
		"bfloat16": plan.NewBFloat16Storage(values), "int8": bytes}
}

// A prediction from any storage has the bits of one from the same values as float32, fused or not, and leaves the storage
// as it is.
func TestPredictFromStorages(t *testing.T) {
	m, like := smallText(t), smallText(t)
	x := ids(t, 9, 5)
	for _, p := range m.Parameters() {
		for name, s := range storages(t, append([]float32(nil), p.Values()...), max(1, p.Size()/p.Shape()[0])) {
			values := make([]float32, s.Len())
			s.Read(values, 0)
			must(t, like.SetWeights(m.Weights(nil)))
			must(t, like.SetParameter(p.Name(), values))
			of, err := m.Clone(t.Context())
			must(t, err)
			must(t, of.SetStorage(p.Name(), s))
			for _, noFusion := range []bool{false, true} {
				o := nn.PredictOptions{NoFusion: noFusion}
				got, err := of.PredictInto(t.Context(), nil, x, o)
				must(t, err)
				want, err := like.PredictInto(t.Context(), nil, x, o)
				must(t, err)
				equalBits(t, p.Name()+" in "+name, got, want)
			}
		}
	}
}

// Training a model whose parameters lie in storages that nobody writes to copies them first: it trains as if they had been
// float32, and what they were read from stays.
func TestTrainFromStorages(t *testing.T) {
	for _, kind := range []string{"read-only", "float16", "bfloat16", "int8"} {
		m, like := smallText(t), smallText(t)
		var kept []plan.Storage
		var before [][]float32
		for _, p := range m.Parameters() {
			s := storages(t, append([]float32(nil), p.Values()...), max(1, p.Size()/p.Shape()[0]))[kind]
			values := make([]float32, s.Len())
			s.Read(values, 0)
			must(t, like.SetParameter(p.Name(), values))
			must(t, m.SetStorage(p.Name(), s))
			kept, before = append(kept, s), append(before, values)
		}
		_, want := fitted(t, like, someReviews(t), longRun())
		_, got := fitted(t, m, someReviews(t), longRun())
		sameBits(t, kind, got, want)
		for i, s := range kept {
			values := make([]float32, s.Len())
			s.Read(values, 0)
			equalBits(t, kind+" after training", values, before[i])
		}
	}
}

// A storage of another size, none, or one for a parameter that does not exist is an error, and nothing changes.
func TestSetStorageErrors(t *testing.T) {
	m := sequential(t, nn.Features(2), layers.Dense{Units: 1})
	before := m.Weights(nil)
	wantError(t, m.SetStorage("dense/kernel", plan.Float32Storage{1}), `nn: parameter "dense/kernel" of shape (2, 1) has 2 elements, its storage 1`)
	wantError(t, m.SetStorage("dense/kernel", nil), `nn: the storage for "dense/kernel" is nil`)
	wantError(t, m.SetStorage("dense/kernel", plan.Float32Storage(nil)), `nn: the storage for "dense/kernel" is nil`)
	wantError(t, m.SetStorage("dense/gamma", plan.Float32Storage{1}), `nn: the model has no parameter "dense/gamma"`)
	sameBits(t, "weights", m.Weights(nil), before)
}
