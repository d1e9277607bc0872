package layers_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"testing"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/tensor"
)

// A table so large that Fit keeps gradients and slots only of the rows that have had one trains to the same bits as a
// small one, with any number of threads, and when it goes on from a saved state; the other rows stay as they were.
func TestLargeTable(t *testing.T) {
	const small, large, dim = 300, 1 << 17, 16
	x, y := touchedRows(t, small)
	for _, o := range []nn.Optimizer{optim.Adam{LearningRate: 0.01}, optim.Adam{LearningRate: 0.01, SquareOccurrences: true}, optim.RMSprop{}, optim.SGD{LearningRate: 0.1, Momentum: 0.9}} {
		for _, unfused := range []bool{false, true} {
			want := embeddingModel(t, small, dim)
			fit(t, want, x, y, nn.FitOptions{Optimizer: o, Epochs: 4, NoFusion: unfused})
			for _, threads := range []int{1, 2, 3} {
				t.Run(fmt.Sprintf("%T/unfused=%t/threads=%d", o, unfused, threads), func(t *testing.T) {
					got := embeddingModel(t, large, dim)
					table := got.Parameter("embedding/embeddings").Values()
					weights := embeddingModel(t, small, dim).Weights(nil)
					copy(table, weights[0])
					before := slices.Clone(table[small*dim:])
					if err := got.SetWeights(append([][]float32{table}, weights[1:]...)); err != nil {
						t.Fatal(err)
					}
					var state plan.TrainingState
					options := nn.FitOptions{Optimizer: o, Epochs: 2, NoFusion: unfused, Threads: threads, State: &state}
					fit(t, got, x, y, options)
					if n := len(state.Rows["embedding/embeddings"].Rows); n == 0 || n >= small {
						t.Errorf("%d rows have slots, of which most of %d were to be touched", n, small)
					}
					options.InitialEpoch, options.Epochs = 2, 4
					fit(t, got, x, y, options)
					if !slices.Equal(table[:small*dim], want.Weights(nil)[0]) {
						t.Error("the rows that were trained differ from those of the small table")
					}
					if !slices.Equal(table[small*dim:], before) {
						t.Error("rows that no id names have changed")
					}
				})
			}
		}
	}
}

// touchedRows are ids below limit, not all of which occur, with labels.
func touchedRows(t *testing.T, limit int32) (*tensor.Int32, *tensor.Float32) {
	t.Helper()
	x, err := tensor.New[int32](96, 20)
	if err != nil {
		t.Fatal(err)
	}
	u := uint32(1)
	for i := range x.Data() {
		u = u*1664525 + 1013904223
		x.Data()[i] = int32(u>>8) % limit / 2 * 2
	}
	y, err := tensor.New[float32](96)
	if err != nil {
		t.Fatal(err)
	}
	for i := range y.Data() {
		y.Data()[i] = float32(x.Row(i)[0] / 2 % 2)
	}
	return x, y
}

func embeddingModel(t *testing.T, vocabulary, dim int) *nn.Model {
	t.Helper()
	m, err := nn.NewSequential(
		layers.Embedding{Vocabulary: vocabulary, Dim: dim},
		layers.GlobalAveragePooling1D{},
		layers.Dense{Units: 1, Activation: layers.Sigmoid},
	).Build(t.Context(), nn.Tokens(nn.AnyLength), nn.BuildOptions{Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func fit(t *testing.T, m *nn.Model, x tensor.Rows, y *tensor.Float32, o nn.FitOptions) {
	t.Helper()
	o.Loss, o.BatchSize = loss.BinaryCrossentropy{}, 32
	if _, err := m.Fit(t.Context(), nn.Data{X: x, Y: y}, o); err != nil {
		t.Fatal(err)
	}
}

// Gradients of a large table can be checked like any other.
func TestLargeTableGradients(t *testing.T) {
	x, y := touchedRows(t, 50)
	m := embeddingModel(t, 1<<17, 16)
	if err := m.CheckGradients(t.Context(), x, nn.GradientOptions{Loss: loss.BinaryCrossentropy{}, Y: y, Samples: 20}); err != nil {
		t.Error(err)
	}
}

// recordingLoss keeps the first outputs that it is of.
type recordingLoss struct {
	nn.Loss
	out *[]float32
}

func (l recordingLoss) Start(info plan.LossInfo) (plan.LossRule, error) {
	rule, err := l.Loss.Start(info)
	rows := rule.Rows
	rule.Rows = func(losses, gradient, output, labels []float32) {
		if *l.out == nil {
			*l.out = slices.Clone(output)
		}
		rows(losses, gradient, output, labels)
	}
	return rule, err
}

// Rows of a large table that wait for a batch to read them are up to date for whoever looks at the weights in the middle
// of a Fit, by whatever way, and after more steps than rows may ever be behind.
func TestLargeTableIsUpToDate(t *testing.T) {
	const small, large, dim = 300, 1 << 17, 16
	x, y := touchedRows(t, small)
	looks := []struct {
		name string
		at   func(t *testing.T, m *nn.Model, tr plan.Training) []float32
	}{
		{"Values", func(_ *testing.T, m *nn.Model, _ plan.Training) []float32 {
			return slices.Clone(m.Parameter("embedding/embeddings").Values()[:small*dim])
		}},
		{"Weights", func(_ *testing.T, m *nn.Model, _ plan.Training) []float32 { return m.Weights(nil)[0][:small*dim] }},
		{"Predict", func(t *testing.T, m *nn.Model, _ plan.Training) []float32 {
			out, err := m.PredictInto(t.Context(), nil, x, nn.PredictOptions{})
			if err != nil {
				t.Fatal(err)
			}
			return out
		}},
		{"Evaluate", func(t *testing.T, m *nn.Model, _ plan.Training) []float32 {
			logs, err := m.Evaluate(t.Context(), nn.Data{X: x, Y: y}, nn.EvaluateOptions{Loss: loss.BinaryCrossentropy{}})
			if err != nil {
				t.Fatal(err)
			}
			v, _ := logs.Get("loss")
			return []float32{float32(v)}
		}},
		{"CheckGradients", func(t *testing.T, m *nn.Model, _ plan.Training) []float32 {
			var out []float32
			first := x.Rows(0, 8)
			if err := m.CheckGradients(t.Context(), first, nn.GradientOptions{Loss: recordingLoss{loss.MeanSquaredError{}, &out}, Y: y.Rows(0, 8), Samples: 1}); err != nil {
				t.Fatal(err)
			}
			return out
		}},
		{"SetWeights", func(t *testing.T, m *nn.Model, _ plan.Training) []float32 {
			weights := m.Weights(nil)
			for i := range weights[0][:small*dim] {
				weights[0][i] /= 2
			}
			if err := m.SetWeights(weights); err != nil {
				t.Fatal(err)
			}
			return weights[0][:small*dim]
		}},
		{"Snapshot", func(t *testing.T, m *nn.Model, tr plan.Training) []float32 {
			if err := tr.Restore(tr.Snapshot(nil)); err != nil {
				t.Fatal(err)
			}
			return slices.Clone(m.Parameter("embedding/embeddings").Values()[:small*dim])
		}},
	}
	for _, threads := range []int{1, 3} {
		for _, look := range looks {
			t.Run(fmt.Sprintf("%s/threads=%d", look.name, threads), func(t *testing.T) {
				seen := func(vocabulary int) (all [][]float32) {
					m := embeddingModel(t, vocabulary, dim)
					weights, first := m.Weights(nil), embeddingModel(t, small, dim).Weights(nil)
					copy(weights[0], first[0])
					if err := m.SetWeights(append(weights[:1], first[1:]...)); err != nil {
						t.Fatal(err)
					}
					step := 0
					fit(t, m, x, y, nn.FitOptions{Optimizer: optim.Adam{LearningRate: 0.01}, Epochs: 3, Threads: threads, BatchSize: 8,
						Callbacks: []nn.Callback{plan.CallbackFunc(func(e plan.Event, tr plan.Training) error {
							if e == plan.BatchEnd {
								if step++; step%5 == 3 {
									all = append(all, look.at(t, m, tr))
								}
							}
							return nil
						})}})
					return append(all, m.Weights(nil)[0][:small*dim])
				}
				got, want := seen(large), seen(small)
				for i := range want {
					if !slices.Equal(got[i], want[i]) {
						t.Fatalf("look %d differs from that at the small table", i)
					}
				}
			})
		}
	}
	t.Run("many steps", func(t *testing.T) {
		steps := func(vocabulary int) []float32 {
			m := embeddingModel(t, vocabulary, dim)
			weights, first := m.Weights(nil), embeddingModel(t, small, dim).Weights(nil)
			copy(weights[0], first[0])
			if err := m.SetWeights(append(weights[:1], first[1:]...)); err != nil {
				t.Fatal(err)
			}
			// One batch of rows first, another for a thousand steps, all in one epoch.
			order := make([]nn.Batch, 1100)
			for i := range order {
				lo := 8
				if i == 0 {
					lo = 0
				}
				order[i] = nn.Batch{X: x.Rows(lo, lo+8), Y: y.Rows(lo, lo+8)}
			}
			stream := nn.SourceFunc(func(context.Context, int) iter.Seq2[nn.Batch, error] {
				return func(yield func(nn.Batch, error) bool) {
					for _, d := range order {
						if !yield(d, nil) {
							return
						}
					}
				}
			})
			if _, err := m.Fit(t.Context(), stream, nn.FitOptions{Optimizer: optim.Adam{}, Loss: loss.BinaryCrossentropy{}}); err != nil {
				t.Fatal(err)
			}
			return m.Weights(nil)[0][:small*dim]
		}
		if !slices.Equal(steps(large), steps(small)) {
			t.Error("the rows differ from those of the small table")
		}
	})
}

// A Fit goes on from slots of a table in either form: of all rows, or of those that were touched.
func TestStateOfATableInEitherForm(t *testing.T) {
	const dim, name = 16, "embedding/embeddings"
	x, y := touchedRows(t, 300)
	adam := optim.Adam{LearningRate: 0.01}
	for _, vocabulary := range []int{300, 1 << 17} {
		trained := func(change func(s *plan.TrainingState)) ([][]float32, plan.TrainingState) {
			m := embeddingModel(t, vocabulary, dim)
			var state plan.TrainingState
			fit(t, m, x, y, nn.FitOptions{Optimizer: adam, Epochs: 2, State: &state})
			change(&state)
			fit(t, m, x, y, nn.FitOptions{Optimizer: adam, InitialEpoch: 2, Epochs: 4, State: &state, Threads: 2})
			return m.Weights(nil), state
		}
		want, wantState := trained(func(*plan.TrainingState) {})
		got, state := trained(func(s *plan.TrainingState) {
			if rows := s.Rows[name]; rows != nil { // of a large table
				all := make([][]float32, len(rows.Slots))
				for k, v := range rows.Slots {
					all[k] = make([]float32, vocabulary*dim)
					for i, row := range rows.Rows {
						copy(all[k][int(row)*dim:], v[i*dim:(i+1)*dim])
					}
				}
				s.Slots[name], s.Rows = all, nil
				return
			}
			rows := &plan.RowSlots{Slots: s.Slots[name]}
			for i := range vocabulary {
				rows.Rows = append(rows.Rows, int32(i))
			}
			s.Rows = map[string]*plan.RowSlots{name: rows}
			delete(s.Slots, name)
		})
		for i := range want {
			if !slices.Equal(got[i], want[i]) {
				t.Errorf("vocabulary %d: parameter %d differs", vocabulary, i)
			}
		}
		if len(state.Slots) != len(wantState.Slots) || len(state.Rows) != len(wantState.Rows) {
			t.Errorf("vocabulary %d: slots of %d and %d parameters, want %d and %d", vocabulary, len(state.Slots), len(state.Rows), len(wantState.Slots), len(wantState.Rows))
		}
	}
}
