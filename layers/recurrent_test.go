package layers_test

import (
	"context"
	"fmt"
	"log"
	"slices"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
)

// stated is a layer that gives the layer under test initial states, made of the values, and joins all its outputs.
type stated struct {
	layer         plan.Layer
	states, units int
}

func (stated) Kind() string { return "Stated" }

func (l stated) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	in = slices.Clone(in)
	for range l.states {
		mean, err := b.Apply(layers.GlobalSumPooling1D{}, in[0])
		if err != nil {
			return nil, err
		}
		state, err := b.Apply(layers.Dense{Units: l.units, BiasInit: layers.Constant{Value: 0.5}}, mean...)
		if err != nil {
			return nil, err
		}
		in = append(in, state...)
	}
	out, err := b.Apply(l.layer, in...)
	if err != nil {
		return nil, err
	}
	for i, v := range out {
		flat, err := b.Apply(layers.Flatten{}, v)
		if err != nil {
			return nil, err
		}
		out[i] = flat[0]
	}
	return b.Add(plan.Op{
		Outputs: func(in []plan.Signature) ([]plan.Signature, error) {
			width := 0
			for _, s := range in {
				if s.Shape[1] == tensor.Unknown {
					width = tensor.Unknown
					break
				}
				width += s.Shape[1]
			}
			return []plan.Signature{{Type: tensor.TypeFloat32, Shape: tensor.Shape{in[0].Shape[0], width}}}, nil
		},
		Forward: func(f *plan.Frame, at plan.Span) {
			for r := at.Lo; r < at.Hi; r++ {
				row := plan.Span{Lo: r, Hi: r + 1}
				y := f.Out(0, row)
				for i := range out {
					y = y[copy(y, f.In(i, row)):]
				}
			}
		},
		Backward: func(f *plan.Frame, at plan.Span) {
			for r := at.Lo; r < at.Hi; r++ {
				row := plan.Span{Lo: r, Hi: r + 1}
				dy := f.OutGrad(0, row)
				for i := range out {
					copy(f.InGrad(i, row), dy[:f.InWidth(i)])
					dy = dy[f.InWidth(i):]
				}
			}
		},
	}, out)
}

// recurrentCase is a recurrent layer with one of its settings, and how many states it has.
type recurrentCase struct {
	layer  plan.Layer
	states int
}

// recurrentCases are recurrent layers of the given number of units in all their forms.
func recurrentCases(units int) (cases []recurrentCase) {
	lstm := func(l layers.LSTM) {
		l.Units = units
		cases = append(cases, recurrentCase{l, 2})
		if !l.GoBackwards && !l.ZeroOutputForMask {
			cases = append(cases, recurrentCase{layers.Bidirectional{Layer: l}, 4})
		}
	}
	lstm(layers.LSTM{})
	lstm(layers.LSTM{ReturnSequences: true, ReturnState: true})
	lstm(layers.LSTM{ReturnState: true, GoBackwards: true})
	lstm(layers.LSTM{ReturnSequences: true, GoBackwards: true, ZeroOutputForMask: true})
	lstm(layers.LSTM{ZeroOutputForMask: true})
	lstm(layers.LSTM{NoBias: true, Activation: layers.Linear, RecurrentActivation: layers.Softmax})
	lstm(layers.LSTM{Activation: layers.Softmax, NoUnitForgetBias: true})
	lstm(layers.LSTM{Dropout: 0.4})
	lstm(layers.LSTM{RecurrentDropout: 0.3, ReturnSequences: true})
	lstm(layers.LSTM{Dropout: 0.3, RecurrentDropout: 0.3})
	gru := func(l layers.GRU) {
		l.Units = units
		cases = append(cases, recurrentCase{l, 1})
	}
	gru(layers.GRU{ReturnSequences: true, ReturnState: true})
	gru(layers.GRU{ResetBefore: true, GoBackwards: true})
	gru(layers.GRU{NoBias: true})
	gru(layers.GRU{NoBias: true, ResetBefore: true})
	gru(layers.GRU{Dropout: 0.3, RecurrentDropout: 0.3})
	gru(layers.GRU{Dropout: 0.3, RecurrentDropout: 0.3, ResetBefore: true, ReturnSequences: true})
	for _, l := range []layers.SimpleRNN{{}, {ReturnSequences: true, ReturnState: true}, {Dropout: 0.3}, {RecurrentDropout: 0.3, GoBackwards: true}, {NoBias: true, Activation: layers.Sigmoid}} {
		l.Units = units
		cases = append(cases, recurrentCase{l, 1})
	}
	for _, mode := range []layers.MergeMode{layers.MergeSum, layers.MergeMul, layers.MergeAve, layers.MergeNone} {
		cases = append(cases,
			recurrentCase{layers.Bidirectional{Layer: layers.LSTM{Units: units, ReturnSequences: true, ReturnState: true}, MergeMode: mode}, 4},
			recurrentCase{layers.Bidirectional{Layer: layers.GRU{Units: units}, Backward: layers.SimpleRNN{Units: units, GoBackwards: true}, MergeMode: mode}, 2})
	}
	return cases
}

// Gradients against central differences, with initial states and with masks, one of which leaves out a whole row.
func TestRecurrentGradients(t *testing.T) {
	x := waves(t, 4, 5, 3)
	mask := [][]int32{{1, 0, 1, 1, 0}, {0, 0, 0, 0, 0}, {0, 1, 0, 0, 1}, {1, 1, 1, 1, 1}}
	for _, c := range recurrentCases(3) {
		for _, given := range []bool{false, true} {
			for _, withMask := range []bool{false, true} {
				t.Run(fmt.Sprintf("%T%+v, states %v, mask %v", c.layer, c.layer, given, withMask), func(t *testing.T) {
					l := stated{layer: c.layer, units: 3}
					if given {
						l.states = c.states
					}
					spec := []nn.Layer{l}
					if withMask {
						spec = []nn.Layer{masked{mask}, l}
					}
					m := build(t, nn.Features(5, 3), spec...)
					for _, threads := range []int{1, 3} {
						if err := m.CheckGradients(t.Context(), x, nn.GradientOptions{Threads: threads, Seed: 2}); err != nil {
							t.Errorf("%d threads: %v", threads, err)
						}
					}
				})
			}
		}
	}
}

// Neither the number of workers, nor fusion, nor which other rows a row is predicted with changes a bit.
func TestRecurrentBits(t *testing.T) {
	const rows, steps, vocabulary = 150, 7, 40
	x := ids(t, rows, steps, vocabulary)
	for _, c := range recurrentCases(5) {
		t.Run(fmt.Sprintf("%T%+v", c.layer, c.layer), func(t *testing.T) {
			var first map[string][]float32
			var out []float32
			for _, o := range []struct {
				threads, batch int
				noFusion       bool
			}{{1, rows, false}, {2, 64, false}, {3, 17, false}, {8, 150, false}, {1, 1, false}, {2, 33, true}} {
				m := build(t, nn.Tokens(nn.AnyLength), layers.Embedding{Vocabulary: vocabulary, Dim: 6, MaskZero: true}, stated{layer: c.layer})
				got := predict(t, m, x, nn.PredictOptions{Threads: o.threads, NoFusion: o.noFusion, BatchSize: o.batch})
				up := waves(t, rows, len(got)/rows)
				gradient := gradients(t, m, x, up.Data(), tensor.Shape{rows, len(got) / rows}, nn.FitOptions{Threads: o.threads, NoFusion: o.noFusion})
				if first == nil {
					first, out = gradient, got
				}
				if !equalBits(got, out) {
					t.Errorf("%+v: predictions differ", o)
				}
				for name, g := range gradient {
					if !equalBits(g, first[name]) {
						t.Errorf("%+v: the gradient of %s differs", o, name)
					}
				}
			}
		})
	}
}

// What comes of masked steps, by Keras's rules: the state stays, the output is the one before, and 0 before the first step
// that counts, whatever the initial state.
func TestRecurrentMaskedOutputs(t *testing.T) {
	mask := [][]int32{{0, 1, 0, 1, 0}, {0, 0, 0, 0, 0}}
	x := waves(t, 2, 5, 3)
	outputs := func(l plan.Layer) []float32 {
		return predict(t, build(t, nn.Features(5, 3), masked{mask}, stated{layer: l, states: 2, units: 2}), x, nn.PredictOptions{})
	}
	for _, zero := range []bool{false, true} {
		y := outputs(layers.LSTM{Units: 2, ReturnSequences: true, ReturnState: true, ZeroOutputForMask: zero})
		steps := slices.Collect(slices.Chunk(y[:10], 2))
		h, width := y[10:12], 5*2+2+2
		after := func(step int) []float32 { // what step 2 or 4 shows, which follows the given one
			if zero {
				return []float32{0, 0}
			}
			return steps[step]
		}
		if !slices.Equal(steps[0], []float32{0, 0}) || !slices.Equal(steps[2], after(1)) || !slices.Equal(steps[4], after(3)) || !slices.Equal(h, steps[3]) {
			t.Errorf("zero %v: the outputs are %v, h is %v", zero, steps, h)
		}
		if slices.Contains(steps[1], 0) || slices.Equal(steps[1], steps[3]) {
			t.Errorf("zero %v: the outputs are %v", zero, steps)
		}
		row := y[width:]
		if slices.ContainsFunc(row[:10], func(v float32) bool { return v != 0 }) || slices.Contains(row[10:], 0) {
			t.Errorf("zero %v: a row without steps gives %v, and states %v", zero, row[:10], row[10:])
		}
	}
}

// What does not fit is an error that says so.
func TestRecurrentErrors(t *testing.T) {
	steps := plan.Signature{Type: tensor.TypeFloat32, Shape: tensor.Shape{tensor.Unknown, 5, 3}}
	state := plan.Signature{Type: tensor.TypeFloat32, Shape: tensor.Shape{tensor.Unknown, 4}}
	var nilLayer *layers.LSTM
	for _, c := range []struct {
		layer plan.Layer
		in    []plan.Signature
		want  string
	}{
		{layers.LSTM{}, []plan.Signature{steps}, "LSTM needs at least 1 unit, not 0"},
		{layers.GRU{Units: 1 << 30}, []plan.Signature{steps}, "GRU has at most 268435456 units"},
		{layers.SimpleRNN{Units: -1}, []plan.Signature{steps}, "SimpleRNN needs at least 1 unit, not -1"},
		{layers.LSTM{Units: 4, Dropout: 1}, []plan.Signature{steps}, "Dropout is 1, which is not from 0 to below 1"},
		{layers.LSTM{Units: 4, RecurrentDropout: -0.5}, []plan.Signature{steps}, "RecurrentDropout is -0.5, which is not from 0 to below 1"},
		{layers.LSTM{Units: 4, Activation: "swoosh"}, []plan.Signature{steps}, `Activation is "swoosh"`},
		{layers.GRU{Units: 4, RecurrentActivation: "swoosh"}, []plan.Signature{steps}, `RecurrentActivation is "swoosh"`},
		{layers.LSTM{Units: 4}, []plan.Signature{state}, "LSTM reads values (batch, steps, features), not (None, 4)"},
		{layers.LSTM{Units: 4}, []plan.Signature{steps, state}, "LSTM takes 1 input, or 3 with the initial states [h c], not 2"},
		{layers.LSTM{Units: 4}, []plan.Signature{steps, state, steps}, "the initial state c of LSTM is float32 of shape (batch, 4)"},
		{layers.LSTM{Units: 4}, []plan.Signature{{Type: tensor.TypeFloat32, Shape: tensor.Shape{tensor.Unknown, 5, tensor.Unknown}}}, "LSTM needs to know the last dimension"},
		{layers.LSTM{Units: 4}, []plan.Signature{{Type: tensor.TypeFloat32, Shape: tensor.Shape{tensor.Unknown, 0, 3}}}, "LSTM needs at least 1 step"},
		{layers.Bidirectional{}, []plan.Signature{steps}, "Layer of Bidirectional is nil"},
		{layers.Bidirectional{Layer: nilLayer}, []plan.Signature{steps}, "Layer of Bidirectional is nil"},
		{layers.Bidirectional{Layer: layers.Dense{Units: 1}}, []plan.Signature{steps}, "Layer of Bidirectional is a recurrent layer such as LSTM, not Dense"},
		{layers.Bidirectional{Layer: layers.LSTM{Units: 4}, Backward: nilLayer}, []plan.Signature{steps}, "Backward of Bidirectional is nil"},
		{layers.Bidirectional{Layer: layers.LSTM{Units: 4}, MergeMode: "max"}, []plan.Signature{steps}, `MergeMode is "max"`},
		{layers.Bidirectional{Layer: layers.LSTM{Units: 4, GoBackwards: true}}, []plan.Signature{steps}, "must have GoBackwards, and the other not"},
		{layers.Bidirectional{Layer: layers.LSTM{Units: 4}, Backward: layers.LSTM{Units: 4, GoBackwards: true, ReturnSequences: true}}, []plan.Signature{steps}, "the same ReturnSequences"},
		{layers.Bidirectional{Layer: layers.LSTM{Units: 4}, Backward: layers.LSTM{Units: 4, GoBackwards: true, ReturnState: true}}, []plan.Signature{steps}, "the same ReturnState"},
		{layers.Bidirectional{Layer: layers.LSTM{Units: 4}, Backward: layers.LSTM{Units: 5, GoBackwards: true}, MergeMode: layers.MergeSum}, []plan.Signature{steps}, `cannot merge (None, 4) and (None, 5) by "sum"`},
		{layers.Bidirectional{Layer: layers.LSTM{Units: 4}}, []plan.Signature{steps, state}, "as many initial states for the forward layer as for the backward layer, not 2 inputs"},
	} {
		b := plan.NewBuilder(t.Context(), plan.BuilderOptions{})
		var in []plan.Symbol
		for _, s := range c.in {
			in = append(in, b.Input(s))
		}
		if _, err := b.Apply(c.layer, in...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%T%+v: %v; want %q", c.layer, c.layer, err, c.want)
		}
	}
}

// The names and first values of parameters are Keras's: files are mapped by these names.
func TestRecurrentParameters(t *testing.T) {
	for _, c := range []struct {
		layer plan.Layer
		want  []string
	}{
		{layers.LSTM{Units: 2}, []string{"lstm/lstm_cell/kernel(3, 8)", "lstm/lstm_cell/recurrent_kernel(2, 8)", "lstm/lstm_cell/bias(8,)"}},
		{layers.GRU{Units: 2}, []string{"gru/gru_cell/kernel(3, 6)", "gru/gru_cell/recurrent_kernel(2, 6)", "gru/gru_cell/bias(2, 6)"}},
		{layers.GRU{Units: 2, ResetBefore: true}, []string{"gru/gru_cell/kernel(3, 6)", "gru/gru_cell/recurrent_kernel(2, 6)", "gru/gru_cell/bias(6,)"}},
		{layers.SimpleRNN{Name: "own", Units: 2, NoBias: true}, []string{"own/simple_rnn_cell/kernel(3, 2)", "own/simple_rnn_cell/recurrent_kernel(2, 2)"}},
		{layers.Bidirectional{Layer: layers.LSTM{Units: 2, NoBias: true}}, []string{
			"bidirectional/forward_lstm/lstm_cell/kernel(3, 8)", "bidirectional/forward_lstm/lstm_cell/recurrent_kernel(2, 8)",
			"bidirectional/backward_lstm/lstm_cell/kernel(3, 8)", "bidirectional/backward_lstm/lstm_cell/recurrent_kernel(2, 8)"}},
		{layers.Bidirectional{Name: "both", Layer: layers.SimpleRNN{Units: 2, NoBias: true}, Backward: layers.GRU{Name: "back", Units: 2, NoBias: true, GoBackwards: true}}, []string{
			"both/forward_simple_rnn/simple_rnn_cell/kernel(3, 2)", "both/forward_simple_rnn/simple_rnn_cell/recurrent_kernel(2, 2)",
			"both/back/gru_cell/kernel(3, 6)", "both/back/gru_cell/recurrent_kernel(2, 6)"}},
	} {
		var got []string
		for _, p := range recurrentPlan(t, c.layer).Params {
			got = append(got, p.Name()+p.Shape().String())
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%T%+v has %q", c.layer, c.layer, got)
		}
	}
	for _, c := range []struct {
		layer layers.LSTM
		want  []float32
	}{
		{layers.LSTM{Units: 2}, []float32{0, 0, 1, 1, 0, 0, 0, 0}},
		{layers.LSTM{Units: 2, NoUnitForgetBias: true}, make([]float32, 8)},
		{layers.LSTM{Units: 2, BiasInit: layers.Constant{Value: 3}}, []float32{3, 3, 1, 1, 3, 3, 3, 3}},
	} {
		if got := recurrentPlan(t, c.layer).Params[2].Values(); !slices.Equal(got, c.want) {
			t.Errorf("%+v: the bias is %v", c.layer, got)
		}
	}
}

// recurrentPlan is the plan of a layer that reads steps of 3 features.
func recurrentPlan(t *testing.T, l plan.Layer) *plan.Plan {
	t.Helper()
	b := plan.NewBuilder(t.Context(), plan.BuilderOptions{})
	out, err := b.Apply(l, b.Input(plan.Signature{Type: tensor.TypeFloat32, Shape: tensor.Shape{tensor.Unknown, tensor.Unknown, 3}}))
	must(t, err)
	p, err := b.Finish(out...)
	must(t, err)
	return p
}

// An LSTM over token ids: what a masked embedding marks as padding is left out.
func ExampleLSTM() {
	model, err := nn.NewSequential(
		layers.Embedding{Vocabulary: 1000, Dim: 8, MaskZero: true},
		layers.LSTM{Units: 16},
		layers.Dense{Units: 1, Activation: layers.Sigmoid},
	).Build(context.Background(), nn.Tokens(nn.AnyLength), nn.BuildOptions{Seed: 7})
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range model.Parameters() {
		fmt.Println(p.Name(), p.Shape())
	}
	// Output:
	// embedding/embeddings (1000, 8)
	// lstm/lstm_cell/kernel (8, 64)
	// lstm/lstm_cell/recurrent_kernel (16, 64)
	// lstm/lstm_cell/bias (64,)
	// dense/kernel (16, 1)
	// dense/bias (1,)
}

// Two LSTMs read each review in both directions; their outputs for a word stand side by side.
func ExampleBidirectional() {
	model, err := nn.NewSequential(
		layers.Bidirectional{Layer: layers.LSTM{Units: 16, ReturnSequences: true}},
	).Build(context.Background(), nn.Features(20, 8), nn.BuildOptions{Seed: 7})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(model.OutputShape("output")[1:])
	for _, p := range model.Parameters() {
		fmt.Println(p.Name(), p.Shape())
	}
	// Output:
	// (20, 32)
	// bidirectional/forward_lstm/lstm_cell/kernel (8, 64)
	// bidirectional/forward_lstm/lstm_cell/recurrent_kernel (16, 64)
	// bidirectional/forward_lstm/lstm_cell/bias (64,)
	// bidirectional/backward_lstm/lstm_cell/kernel (8, 64)
	// bidirectional/backward_lstm/lstm_cell/recurrent_kernel (16, 64)
	// bidirectional/backward_lstm/lstm_cell/bias (64,)
}

// A training step of 64 rows of 128 steps.
func BenchmarkLSTM(b *testing.B) {
	for _, units := range []int{16, 64} {
		b.Run(fmt.Sprintf("units=%d", units), func(b *testing.B) {
			const rows, steps = 64, 128
			m := build(b, nn.Features(steps, units), layers.LSTM{Units: units})
			x, y := waves(b, rows, steps, units), waves(b, rows, units)
			b.ReportAllocs()
			b.ResetTimer()
			_, err := m.Fit(b.Context(), nn.Data{X: x, Y: y}, nn.FitOptions{
				Optimizer: keep{}, Loss: upstream{}, BatchSize: rows, Epochs: b.N, NoShuffle: true, Threads: 1, State: &plan.TrainingState{},
			})
			must(b, err)
		})
	}
}
