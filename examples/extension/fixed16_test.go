package extension

import (
	"slices"
	"testing"

	"github.com/linnet-ml/linnet/nn"
)

// A model predicts from the storage as from its values, and training copies it.
func TestStorage(t *testing.T) {
	m, like := build(t), build(t)
	s, err := NewFixed16(m.Parameter("dense/kernel").Values())
	must(t, err)
	must(t, m.SetStorage("dense/kernel", s))
	must(t, like.SetParameter("dense/kernel", m.Parameter("dense/kernel").Values()))
	for range 2 {
		got, err := m.Predict(t.Context(), data(t).X, nn.PredictOptions{})
		must(t, err)
		want, err := like.Predict(t.Context(), data(t).X, nn.PredictOptions{})
		must(t, err)
		if !slices.Equal(got.Data(), want.Data()) {
			t.Fatal("other predictions")
		}
		for _, model := range []*nn.Model{m, like} {
			_, err = model.Fit(t.Context(), data(t), options(1, 1, nil))
			must(t, err)
		}
	}
}
