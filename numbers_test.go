package linnet_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/linnet-ml/linnet/callbacks"
	"github.com/linnet-ml/linnet/classifier"
	"github.com/linnet-ml/linnet/classifier/evaluation"
	"github.com/linnet-ml/linnet/datasets/imdb"
	"github.com/linnet-ml/linnet/datasets/labels"
	"github.com/linnet-ml/linnet/datasets/split"
	"github.com/linnet-ml/linnet/datasets/textdir"
	"github.com/linnet-ml/linnet/datasets/texts"
	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/metrics"
	"github.com/linnet-ml/linnet/model"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/optional"
	"github.com/linnet-ml/linnet/plots"
	"github.com/linnet-ml/linnet/pretrained"
	"github.com/linnet-ml/linnet/pretrained/fetch"
	"github.com/linnet-ml/linnet/serve"
	"github.com/linnet-ml/linnet/simd"
	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

// numberRooms are the packages whose exported fields and functions of numbers the tests below look for.
var numberRooms = []string{"nn", "nn/plan", "layers", "loss", "optim", "metrics", "callbacks", "text", "history", "tensor", "datasets/split"}

// optionRooms are further packages, whose functions of numbers and structs named Options and the like are looked for.
var optionRooms = []string{
	"classifier", "classifier/evaluation", "datasets/imdb", "datasets/imdb/builtin", "datasets/imdb/fetch", "datasets/labels", "datasets/textdir",
	"datasets/texts", "model", "optional", "plots", "pretrained", "pretrained/builtin", "pretrained/fetch", "serve",
}

// A numbered is a struct with settings. Each of its numbers is set to hostile values, and used.
type numbered struct {
	value any // a pointer to a struct that is fine as it is
	use   func(v any) error
	// negative lists fields that may be below 0, and clamped those for which anything has a meaning.
	negative, clamped []string
}

// numbersOf are the structs with settings, each fresh.
func numbersOf(t *testing.T) []numbered {
	bg := t.Context()
	quiet := func(string, ...any) {}
	must := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	x, err := tensor.New[float32](8, 2)
	must(err)
	y, err := tensor.Of([]float32{0, 1, 0, 1, 0, 1, 0, 1}, 8, 1)
	must(err)
	network := func() *nn.Model {
		m, err := nn.NewSequential(layers.Dense{Units: 1, Activation: layers.Sigmoid}).Build(bg, nn.Features(2), nn.BuildOptions{})
		must(err)
		return m
	}
	once := plan.CallbackFunc(func(e plan.Event, run plan.Training) error {
		if e == plan.EpochEnd {
			run.Stop("once is enough")
		}
		return nil
	})
	fitOptions := func(cb ...nn.Callback) nn.FitOptions {
		return nn.FitOptions{Optimizer: optim.Adam{}, Loss: loss.BinaryCrossentropy{}, Metrics: []nn.Metric{metrics.Accuracy{}}, Warn: quiet,
			Epochs: 1, Callbacks: append(cb, once)}
	}
	fit := func(o nn.FitOptions) error {
		_, err := network().Fit(bg, nn.Data{X: x, Y: y}, o)
		return err
	}
	build := func(in nn.Input, l ...nn.Layer) error {
		m, err := nn.NewSequential(l...).Build(bg, in, nn.BuildOptions{})
		if err == nil && in.Type == tensor.TypeFloat32 && len(in.Dims) == 1 {
			_, err = m.Predict(bg, x, nn.PredictOptions{})
		}
		return err
	}
	flat, steps, ids := nn.Features(2), nn.Features(3, 2), nn.Tokens(3)
	layer := func(in nn.Input, l any) numbered {
		return numbered{value: l, use: func(v any) error { return build(in, reflect.ValueOf(v).Elem().Interface().(nn.Layer)) }}
	}
	initializer := func(v any, negative ...string) numbered {
		return numbered{value: v, negative: negative, use: func(v any) error {
			return build(flat, layers.Dense{Units: 2, KernelInit: reflect.ValueOf(v).Elem().Interface().(plan.Initializer)})
		}}
	}
	constraint := func(v any) numbered {
		return numbered{value: v, negative: []string{"Axes.First"}, use: func(v any) error {
			return build(flat, layers.Dense{Units: 2, KernelConstraint: reflect.ValueOf(v).Elem().Interface().(plan.Constraint)})
		}}
	}
	regularizer := func(v any) numbered {
		return numbered{value: v, use: func(v any) error {
			return build(flat, layers.Dense{Units: 2, KernelRegularizer: reflect.ValueOf(v).Elem().Interface().(plan.Regularizer)})
		}}
	}
	metric := func(v any, negative ...string) numbered {
		return numbered{value: v, negative: negative, use: func(v any) error {
			_, err := reflect.ValueOf(v).Elem().Interface().(nn.Metric).Start(plan.MetricInfo{Output: tensor.Shape{7}, Labels: tensor.Shape{7}})
			return err
		}}
	}
	ofLoss := func(v any, labels tensor.Shape, negative ...string) numbered {
		return numbered{value: v, negative: negative, use: func(v any) error {
			_, err := reflect.ValueOf(v).Elem().Interface().(nn.Loss).Start(plan.LossInfo{Output: tensor.Shape{7}, Labels: labels})
			return err
		}}
	}
	train := func(o nn.Optimizer) error {
		f := fitOptions()
		f.Optimizer = o
		err := fit(f)
		if lost := (*nn.LossError)(nil); errors.As(err, &lost) {
			return nil // the numbers are in range, and too large
		}
		return err
	}
	optimizer := func(v any, negative ...string) numbered {
		return numbered{value: v, negative: negative, use: func(v any) error { return train(reflect.ValueOf(v).Elem().Interface().(nn.Optimizer)) }}
	}
	schedule := func(v any) numbered {
		return numbered{value: v, use: func(v any) error {
			s := reflect.ValueOf(v).Elem().Interface().(plan.Schedule)
			if err := s.Check(); err != nil {
				return err
			}
			for _, step := range []int{math.MinInt, -1, 0, 1, 1 << 30, math.MaxInt} {
				if rate := s.Rate(step); rate < 0 {
					t.Errorf("%#v: the rate of step %d is %v", s, step, rate)
				}
			}
			return train(optim.SGD{Schedule: s})
		}}
	}
	callback := func(v any, negative ...string) numbered {
		return numbered{value: v, negative: negative, use: func(v any) error {
			return fit(fitOptions(reflect.ValueOf(v).Elem().Interface().(nn.Callback)))
		}}
	}
	state := func() *nn.TrainingState {
		s := &nn.TrainingState{}
		o := fitOptions()
		o.State = s
		must(fit(o))
		s.Weights = map[string][]float32{"dense/kernel": {1, 2}, "dense/bias": {3}}
		return s
	}
	sequences := [][]int32{{1, 2}, {3}}
	padded, err := text.PadSequences(sequences, text.PadOptions{})
	must(err)
	words, err := text.NewVocabulary(bg, []string{"a", "b"})
	must(err)
	tokenizer, err := text.NewHubTokenizer(words, text.HubTokenizerOptions{})
	must(err)
	someTexts := []string{"a b c", "b"}
	folder := t.TempDir()
	path := filepath.Join(folder, "file")
	write := func(name, content string) string {
		path := filepath.Join(folder, name)
		must(os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	var examples []classifier.Example
	for range 10 {
		examples = append(examples, classifier.Example{Text: "good film", Labels: []string{"a"}}, classifier.Example{Text: "bad film", Labels: []string{"b"}})
	}
	trained, err := classifier.Train(bg, examples, classifier.Options{})
	must(err)
	// Options are looked at before what they are for, which is not there.
	unless := func(expected, err error) error {
		if errors.Is(err, expected) {
			return nil
		}
		return err
	}
	padding := layer(steps, &layers.Concatenate{})
	padding.negative = []string{"Axis"}
	norm := layer(steps, &layers.LayerNormalization{})
	norm.negative = []string{"FirstAxis"}

	return []numbered{
		{value: &nn.FitOptions{Epochs: 1, ClassWeight: map[int]float32{0: 1}}, negative: []string{"ClassWeight"}, use: func(v any) error {
			o, base := *v.(*nn.FitOptions), fitOptions()
			o.Optimizer, o.Loss, o.Callbacks, o.Warn = base.Optimizer, base.Loss, base.Callbacks, base.Warn
			return fit(o)
		}},
		{value: &nn.OutputOptions{}, use: func(v any) error {
			o, base := *v.(*nn.OutputOptions), fitOptions()
			o.Loss, base.Loss, base.Metrics = base.Loss, nil, nil
			base.Outputs = map[string]nn.OutputOptions{network().OutputNames()[0]: o}
			return fit(base)
		}},
		{value: &nn.EvaluateOptions{}, use: func(v any) error {
			o := *v.(*nn.EvaluateOptions)
			o.Loss, o.Warn = loss.BinaryCrossentropy{}, quiet
			_, err := network().Evaluate(bg, nn.Data{X: x, Y: y}, o)
			return err
		}},
		{value: &nn.PredictOptions{}, use: func(v any) error {
			m, o := network(), *v.(*nn.PredictOptions)
			_, err := m.Predict(bg, x, o)
			for _, e := range m.PredictAll(bg, nn.Data{X: x}, o) {
				err = errors.Join(err, e)
			}
			return err
		}},
		{value: &nn.TrainerOptions{}, use: func(v any) error {
			o := *v.(*nn.TrainerOptions)
			o.Optimizer, o.Loss, o.Warn = optim.Adam{}, loss.BinaryCrossentropy{}, quiet
			r, err := network().NewTrainer(o)
			if err != nil {
				return err
			}
			_, err = r.Step(bg, nn.Batch{X: x, Y: y})
			return errors.Join(err, r.Close())
		}},
		{value: &nn.GradientOptions{}, use: func(v any) error {
			err := network().CheckGradients(bg, x, *v.(*nn.GradientOptions))
			if wrong := (*nn.GradientError)(nil); errors.As(err, &wrong) {
				return nil // a step beyond all reason
			}
			return err
		}},
		{value: &nn.BuildOptions{}, use: func(v any) error {
			_, err := nn.NewSequential(layers.Dense{Units: 1}).Build(bg, flat, *v.(*nn.BuildOptions))
			return err
		}},
		{value: &nn.SummaryOptions{}, clamped: []string{"LineLength"}, use: func(v any) error {
			network().SummaryWith(*v.(*nn.SummaryOptions))
			return nil
		}},
		{value: &nn.Input{Type: tensor.TypeFloat32, Dims: []int{2}}, use: func(v any) error { return build(*v.(*nn.Input), layers.Dense{Units: 1}) }},
		{value: &nn.Batch{Weights: []float32{1, 1, 1, 1, 1, 1, 1, 1}}, negative: []string{"Weights"}, use: func(v any) error {
			b := *v.(*nn.Batch)
			b.X, b.Y = x, y
			_, err := network().Fit(bg, nn.Data(b), fitOptions())
			return err
		}},
		{value: &nn.Batch{OutputWeights: map[string][]float32{"dense": {1, 1, 1, 1, 1, 1, 1, 1}}}, negative: []string{"OutputWeights"}, use: func(v any) error {
			b, m := *v.(*nn.Batch), network()
			name := m.OutputNames()[0]
			b.X, b.Labels, b.OutputWeights = x, map[string]tensor.Rows{name: y}, map[string][]float32{name: b.OutputWeights["dense"]}
			_, err := m.Fit(bg, nn.Data(b), fitOptions())
			return err
		}},
		{value: &nn.GraphRef{}, use: func(v any) error {
			g := &nn.Graph{Inputs: []nn.GraphInput{{Name: "x", Input: flat}}}
			g.Nodes = []nn.GraphNode{{Layer: layers.Dense{Units: 1}, Calls: [][]nn.GraphRef{{{Node: -1}}}}}
			g.Outputs = []nn.GraphOutput{{Name: "y", Ref: *v.(*nn.GraphRef)}}
			_, err := g.Build(bg, nn.BuildOptions{})
			return err
		}, negative: []string{"Node"}},
		{value: state(), negative: []string{"Weights", "Slots"}, clamped: []string{"Measured"}, use: func(v any) error {
			o := fitOptions()
			o.State, o.Epochs, o.InitialEpoch = v.(*nn.TrainingState), 0, 0
			return fit(o)
		}},

		layer(flat, &layers.Dense{Units: 1}), layer(flat, &layers.Dropout{}),
		layer(ids, &layers.Embedding{Vocabulary: 5, Dim: 2}), layer(steps, &layers.Conv1D{Filters: 1, KernelSize: 1}),
		layer(flat, &layers.BatchNormalization{}), norm, padding,
		layer(steps, &layers.GRU{Units: 1}), layer(steps, &layers.LSTM{Units: 1}), layer(steps, &layers.SimpleRNN{Units: 1}),
		layer(steps, &layers.MultiHeadAttention{NumHeads: 1, KeyDim: 1}),
		layer(nn.Texts(), &layers.TextEmbedding{Words: tokenizer, Dim: 2}),
		{value: &layers.TextTokens{Words: tokenizer, Length: 2}, use: func(v any) error {
			m, err := nn.NewSequential(*v.(*layers.TextTokens), layers.Embedding{Vocabulary: 3, Dim: 2}, layers.GlobalAveragePooling1D{}).Build(bg, nn.Texts(), nn.BuildOptions{})
			if err != nil {
				return err
			}
			x, err := tensor.Of(someTexts)
			must(err)
			_, err = m.Predict(bg, x, nn.PredictOptions{})
			return err
		}},
		{value: &layers.TokenTable{Words: tokenizer, By: text.Mean, Vectors: 3, Width: 2}, use: func(v any) error {
			spec := nn.NewSequential(layers.TextEmbedding{Table: *v.(*layers.TokenTable)})
			_, err := spec.Build(bg, nn.Texts(), nn.BuildOptions{Storage: func(_ string, shape tensor.Shape) (plan.Storage, error) {
				v, err := tensor.New[float32](shape...)
				if err != nil {
					return nil, err
				}
				return plan.Float32Storage(v.Data()), nil
			}})
			return err
		}},
		initializer(&layers.Constant{}, "Value"), initializer(&layers.RandomUniform{Min: -1, Max: 1}, "Min", "Max"), initializer(&layers.RandomNormal{}, "Mean"),
		initializer(&layers.TruncatedNormal{}, "Mean"), initializer(&layers.Orthogonal{}, "Gain"),
		constraint(&layers.MaxNorm{}), constraint(&layers.UnitNorm{}), constraint(&layers.MinMaxNorm{}),
		regularizer(&layers.L1{}), regularizer(&layers.L2{}), regularizer(&layers.L1L2{}),

		ofLoss(&loss.BinaryCrossentropy{}, tensor.Shape{7}), ofLoss(&loss.CategoricalCrossentropy{}, tensor.Shape{7}),
		ofLoss(&loss.SparseCategoricalCrossentropy{}, tensor.Shape{}, "IgnoreClass"),

		metric(&metrics.BinaryAccuracy{}, "Threshold"), metric(&metrics.BinaryCrossentropy{}), metric(&metrics.CategoricalCrossentropy{}),
		{value: &metrics.Accuracy{}, negative: []string{"Threshold"}, use: func(v any) error {
			_, err := v.(*metrics.Accuracy).Start(plan.MetricInfo{Output: tensor.Shape{1}, Labels: tensor.Shape{1}})
			return err
		}},
		metric(&metrics.AUC{}), metric(&metrics.AUC{Thresholds: []float32{0.5}}), metric(&metrics.AUC{LabelWeights: []float32{1, 1, 1, 1, 1, 1, 1}}),
		metric(&metrics.F1Score{}), metric(&metrics.FBetaScore{}), metric(&metrics.Precision{}), metric(&metrics.Recall{}),
		metric(&metrics.TruePositives{}), metric(&metrics.TrueNegatives{}), metric(&metrics.FalsePositives{}), metric(&metrics.FalseNegatives{}),
		metric(&metrics.TopKCategoricalAccuracy{}),
		{value: &metrics.SparseTopKCategoricalAccuracy{}, use: func(v any) error {
			_, err := v.(*metrics.SparseTopKCategoricalAccuracy).Start(plan.MetricInfo{Output: tensor.Shape{7}, Labels: tensor.Shape{}})
			return err
		}},

		optimizer(&optim.SGD{Shared: optim.Shared{Average: true}}), optimizer(&optim.Adam{}), optimizer(&optim.AdamW{}), optimizer(&optim.Adamax{}),
		optimizer(&optim.Nadam{}), optimizer(&optim.Lion{}), optimizer(&optim.RMSprop{}), optimizer(&optim.Adagrad{}), optimizer(&optim.Adadelta{}),
		optimizer(&optim.Ftrl{}, "LearningRatePower"),
		schedule(&optim.CosineDecay{InitialLearningRate: 1, DecaySteps: 1, WarmupTarget: 2, WarmupSteps: 1}),
		schedule(&optim.CosineDecayRestarts{InitialLearningRate: 1, FirstDecaySteps: 1}),
		schedule(&optim.ExponentialDecay{InitialLearningRate: 1, DecaySteps: 1, DecayRate: 0.5}),
		schedule(&optim.InverseTimeDecay{InitialLearningRate: 1, DecaySteps: 1, DecayRate: 0.5}),
		schedule(&optim.PolynomialDecay{InitialLearningRate: 1, DecaySteps: 1}),
		schedule(&optim.PiecewiseConstantDecay{Boundaries: []int{5}, Values: []float32{1, 0.5}}),

		callback(&callbacks.EarlyStopping{Monitor: "loss"}, "MinDelta", "Baseline"),
		callback(&callbacks.ReduceLROnPlateau{Monitor: "loss"}, "MinDelta"),
		callback(&callbacks.ModelCheckpoint{Monitor: "loss", Path: path, Format: model.Format{}}, "InitialValue"),
		callback(&callbacks.BackupAndRestore{Path: path + "2", Format: model.Format{}}),
		callback(&callbacks.CSVLogger{Path: path + ".csv"}),
		callback(&callbacks.ProgressLine{To: io.Discard, Style: callbacks.Plain}),

		{value: &text.BagOptions{Vocabulary: 5}, use: func(v any) error {
			_, err := text.MakeBags(padded, *v.(*text.BagOptions))
			_, other := text.CountSequences(sequences, *v.(*text.BagOptions))
			if (err == nil) != (other == nil) {
				t.Errorf("bags of %+v: %v, of sequences: %v", v, err, other)
			}
			return err
		}},
		{value: &text.PadOptions{Length: 2}, negative: []string{"Value"}, use: func(v any) error {
			_, err := text.PadSequences(sequences, *v.(*text.PadOptions))
			return err
		}},
		{value: &text.HubTokenizerOptions{}, use: func(v any) error {
			_, err := text.NewHubTokenizer(words, *v.(*text.HubTokenizerOptions))
			return err
		}},
		{value: &text.HashedFeaturesOptions{Buckets: 5, MinCharacters: 1, MaxCharacters: 2}, use: func(v any) error {
			h, err := text.NewHashedFeatures(*v.(*text.HashedFeaturesOptions))
			if err == nil {
				_, err = text.CountTexts(bg, someTexts, h)
			}
			return err
		}},
		{value: &text.Vectorizer{}, use: func(v any) error {
			a, err := v.(*text.Vectorizer).Adapt(bg, someTexts)
			if err == nil {
				_, err = a.Sequences(bg, someTexts)
			}
			return err
		}},
		{value: &text.Vectorizer{NGramSizes: []int{1}}, use: func(v any) error {
			a, err := v.(*text.Vectorizer).Adapt(bg, someTexts)
			if err == nil {
				_, err = a.Sequences(bg, someTexts)
			}
			return err
		}},
		{value: &classifier.Options{}, use: func(v any) error {
			_, err := classifier.Train(bg, examples, *v.(*classifier.Options))
			return err
		}},
		{value: &classifier.ContinueOptions{}, use: func(v any) error {
			_, err := trained.Continue(bg, examples, *v.(*classifier.ContinueOptions))
			return err
		}},
		{value: &evaluation.Options{Resamples: 10, Confidence: 0.9}, clamped: []string{"Mistakes"}, use: func(v any) error {
			_, err := evaluation.Measure(bg, &evaluation.Answers{Classes: []string{"a", "b"}, True: [][]int32{{0}, {1}}, Given: [][]int32{{0}, {0}},
				Probabilities: []float32{1, 0, 1, 0}}, *v.(*evaluation.Options))
			return err
		}},
		{value: &textdir.Options{}, use: func(v any) error {
			o := *v.(*textdir.Options)
			if o.ValidationSplit != 0 {
				o.Subset = textdir.Training
			}
			_, err := textdir.Load(bg, fstest.MapFS{"a/1.txt": {Data: []byte("good")}, "b/1.txt": {Data: []byte("bad")}}, o)
			return err
		}},
		{value: &textdir.Options{Labels: []int32{0, 1}}, negative: []string{"Labels"}, use: func(v any) error {
			_, err := textdir.Load(bg, fstest.MapFS{"a/1.txt": {Data: []byte("good")}, "b/1.txt": {Data: []byte("bad")}}, *v.(*textdir.Options))
			return err
		}},
		{value: &texts.Options{}, use: func(v any) error {
			s, err := texts.Open(bg, write("rows.csv", "text,label\ngood film,1\nbad film,0\n"), *v.(*texts.Options))
			if err != nil {
				return err
			}
			for _, e := range s.Rows(bg) {
				err = errors.Join(err, e)
			}
			return errors.Join(err, s.Close())
		}},
		{value: &pretrained.VectorOptions{}, use: func(v any) error {
			e, err := pretrained.OpenVectors(bg, write("vectors.txt", "good 1 2\nbad 3 4\n"), *v.(*pretrained.VectorOptions))
			if err != nil {
				return err
			}
			if e.Rows() < 1000 {
				err = e.ReadTable(bg, make([]float32, e.Rows()*e.Dim()))
			}
			return err
		}},
		{value: &split.Options{Validation: 0.5}, use: func(v any) error {
			_, _, err := split.Shuffled(8, *v.(*split.Options))
			return err
		}},
		{value: &imdb.Options{Path: folder}, use: func(v any) error {
			_, _, err := imdb.Load(bg, *v.(*imdb.Options))
			return unless(fs.ErrNotExist, err)
		}},
		{value: &imdb.TextOptions{Path: folder}, use: func(v any) error {
			_, _, err := imdb.LoadTexts(bg, *v.(*imdb.TextOptions))
			return unless(fs.ErrNotExist, err)
		}},
		{value: &fetch.Options{Folder: folder}, use: func(v any) error {
			ended, cancel := context.WithCancel(bg)
			cancel()
			_, err := fetch.Module(ended, "google/nnlm-en-dim50/2", *v.(*fetch.Options))
			return unless(context.Canceled, err)
		}},
		{value: &model.ConvertOptions{}, use: func(v any) error {
			_, _, err := model.Convert(bg, network(), *v.(*model.ConvertOptions))
			return err
		}},
		{value: &serve.Options{}, use: func(v any) error {
			_, err := serve.New([]serve.Model{{Name: "a", Classifier: trained}}, *v.(*serve.Options))
			return err
		}},
	}
}

// resultsAndParts are structs with numbers that no caller sets: what calls return, and what package nn fills in for the
// authors of layers.
var resultsAndParts = []string{
	"nn.GradientError", "nn/plan.LossError", "nn/plan.InputError", "nn/plan.PanicError", "text.IDError", "text.DuplicateError", "tensor.ValueError",
	"history.History", "nn/plan.Encoded", "nn/plan.BuilderOptions", "nn/plan.Span", "nn/plan.Gradient", "nn/plan.Rule", "nn/plan.Slot", "nn/plan.RowSparse",
	"nn/plan.Plan", "nn/plan.Operation", "nn/plan.Uses", "nn/plan.HandlerState", "nn/plan.RowSlots", "nn/plan.Int8Storage",
	"nn/plan.Signature", "layers.VectorTable", "pretrained.HubOptions",
}

// hostileWholes and hostileFractions are numbers that reach settings by mistake.
var (
	hostileWholes    = []int64{math.MinInt64, math.MinInt32, -1, 1 << 31, 1 << 40, math.MaxInt64}
	hostileFractions = []float64{math.NaN(), math.Inf(1), math.Inf(-1), -math.MaxFloat64, -1, math.MaxFloat64}
)

// Every number in the settings of every package is checked where it enters: what is not finite or below 0 is an error,
// unless it has a meaning, and nothing panics, hangs or takes the memory. A new struct with numbers needs a row in
// numbersOf.
func TestHostileSettings(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(1 << 28))
	seen := map[string]bool{}
	rows := numbersOf(t)
	for i := range rows {
		c := &rows[i]
		if err := guarded(func() error { return c.use(clone(c.value)) }); err != nil {
			t.Errorf("%T as it should be: %v", c.value, err)
			continue
		}
		numbersIn(reflect.ValueOf(c.value).Elem(), "", func(field, name string, _ reflect.Value) {
			seen[name] = true
			for k := 0; ; k++ {
				fresh := clone(c.value)
				var at reflect.Value
				numbersIn(reflect.ValueOf(fresh).Elem(), "", func(other, _ string, v reflect.Value) {
					if other == field {
						at = v
					}
				})
				refused, ok := setHostile(at, k)
				if !ok {
					break
				}
				setting := fmt.Sprint(at)
				err := guarded(func() error { return c.use(fresh) })
				base, _, _ := strings.Cut(field, "[")
				switch p := (*plan.PanicError)(nil); {
				case errors.As(err, &p):
					t.Errorf("%T with %s %s: %v", c.value, field, setting, err)
				case slices.Contains(c.clamped, base):
				case err == nil && (refused == notFinite || refused == below && !slices.Contains(c.negative, base)):
					t.Errorf("%T with %s %s is no error", c.value, field, setting)
				}
			}
		})
	}
	for _, name := range exportedNumbers(t).fields {
		owner := name[:strings.LastIndexByte(name, '.')]
		if exempt := slices.Contains(resultsAndParts, owner); exempt == seen[name] {
			t.Errorf("%s: a number that no row of numbersOf sets, or that resultsAndParts leaves out in spite of one", name)
		}
	}
}

// guarded makes a panic an error.
func guarded(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = plan.Recovered(v)
		}
	}()
	return f()
}

// clone copies a struct, and the slices and maps in it.
func clone(v any) any {
	to := reflect.New(reflect.TypeOf(v).Elem())
	to.Elem().Set(copied(reflect.ValueOf(v).Elem()))
	return to.Interface()
}

func copied(v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.Struct:
		to := reflect.New(v.Type()).Elem()
		to.Set(v)
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				to.Field(i).Set(copied(v.Field(i)))
			}
		}
		return to
	case reflect.Slice:
		if v.IsNil() {
			return v
		}
		to := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			to.Index(i).Set(copied(v.Index(i)))
		}
		return to
	case reflect.Map:
		if v.IsNil() {
			return v
		}
		to := reflect.MakeMap(v.Type())
		for _, k := range v.MapKeys() {
			to.SetMapIndex(k, copied(v.MapIndex(k)))
		}
		return to
	}
	return v
}

// numbersIn calls each with the exported fields of a struct, and of the structs in it, that hold numbers: with its path,
// its name as exportedNumbers has it, and the field.
func numbersIn(v reflect.Value, path string, each func(field, name string, v reflect.Value)) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() || f.Type.Kind() == reflect.Pointer || f.Type.Kind() == reflect.Interface {
			continue
		}
		at, field := v.Field(i), path+f.Name
		if holdsNumbers(f.Type) {
			each(field, strings.TrimPrefix(v.Type().PkgPath(), module+"/")+"."+v.Type().Name()+"."+f.Name, at)
			continue
		}
		switch {
		case f.Type.Kind() == reflect.Struct:
			numbersIn(at, field+".", each)
		case f.Type.Kind() == reflect.Slice && f.Type.Elem().Kind() == reflect.Struct && at.Len() > 0:
			numbersIn(at.Index(0), field+"[0].", each)
		}
	}
}

// holdsNumbers reports whether a type is a number, or an optional value, a list or a map of some.
func holdsNumbers(t reflect.Type) bool {
	switch k := t.Kind(); {
	case reflect.Int <= k && k <= reflect.Float64 && k != reflect.Uintptr:
		return true
	case k == reflect.Slice || k == reflect.Map:
		return holdsNumbers(t.Elem())
	}
	switch reflect.Zero(t).Interface().(type) {
	case optional.Value[int], optional.Value[uint64], optional.Value[float32], optional.Value[float64]:
		return true
	}
	return false
}

// A refusal says why a number should be refused.
type refusal int

const (
	inRange refusal = iota
	below           // 0
	notFinite
)

// setHostile sets a field to hostile number k, where there are that many for its type.
func setHostile(v reflect.Value, k int) (refusal, bool) {
	switch p := v.Addr().Interface().(type) {
	case *optional.Value[int]:
		var n int
		r, ok := setHostile(reflect.ValueOf(&n).Elem(), k)
		*p = optional.Of(n)
		return r, ok
	case *optional.Value[uint64]:
		var n uint64
		r, ok := setHostile(reflect.ValueOf(&n).Elem(), k)
		*p = optional.Of(n)
		return r, ok
	case *optional.Value[float32]:
		var n float32
		r, ok := setHostile(reflect.ValueOf(&n).Elem(), k)
		*p = optional.Of(n)
		return r, ok
	case *optional.Value[float64]:
		var n float64
		r, ok := setHostile(reflect.ValueOf(&n).Elem(), k)
		*p = optional.Of(n)
		return r, ok
	}
	switch {
	case v.CanInt():
		if k >= len(hostileWholes) {
			return 0, false
		}
		n := hostileWholes[k]
		bits := v.Type().Bits()
		v.SetInt(min(max(n, -1<<(bits-1)), 1<<(bits-1)-1))
		if n < 0 {
			return below, true
		}
	case v.CanUint():
		if k > 0 {
			return 0, false
		}
		v.SetUint(1<<v.Type().Bits() - 1)
	case v.CanFloat():
		if k >= len(hostileFractions) {
			return 0, false
		}
		n := hostileFractions[k]
		if v.Kind() == reflect.Float32 && math.Abs(n) == math.MaxFloat64 {
			n = math.Copysign(math.MaxFloat32, n)
		}
		v.SetFloat(n)
		switch {
		case n-n != 0:
			return notFinite, true
		case n < 0:
			return below, true
		}
	case v.Kind() == reflect.Slice:
		if v.Len() == 0 {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		}
		return setHostile(v.Index(0), k)
	case v.Kind() == reflect.Map:
		if v.Len() == 0 {
			return 0, false
		}
		key := slices.MinFunc(v.MapKeys(), func(a, b reflect.Value) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		n := reflect.New(v.Type().Elem()).Elem()
		n.Set(v.MapIndex(key))
		r, ok := setHostile(n, k)
		v.SetMapIndex(key, n)
		return r, ok
	}
	return inRange, true
}

// numbersDeclared are the exported fields and parameters of packages that are numbers.
type numbersDeclared struct{ fields, functions []string }

// exportedNumbers reads the sources of numberRooms.
func exportedNumbers(t *testing.T) *numbersDeclared {
	t.Helper()
	files := map[string][]*ast.File{}
	named := map[string]bool{"time.Duration": true} // types of numbers, with their package's name
	set := token.NewFileSet()
	for _, room := range slices.Concat(numberRooms, optionRooms) {
		names, err := filepath.Glob(filepath.Join(room, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			files[room] = append(files[room], f)
			for _, s := range typesOf(f) {
				if id, ok := s.Type.(*ast.Ident); ok && basicNumbers[id.Name] {
					named[f.Name.Name+"."+s.Name.Name] = true
				}
			}
		}
	}
	all := &numbersDeclared{}
	for room, list := range files {
		for _, f := range list {
			pkg := f.Name.Name
			for _, s := range typesOf(f) {
				fields, ok := s.Type.(*ast.StructType)
				if !ok || !s.Name.IsExported() || slices.Contains(optionRooms, room) && !strings.HasSuffix(s.Name.Name, "Options") {
					continue
				}
				for _, field := range fields.Fields.List {
					for _, name := range field.Names {
						if name.IsExported() && isNumber(field.Type, pkg, named, true) {
							all.fields = append(all.fields, room+"."+s.Name.Name+"."+name.Name)
						}
					}
				}
			}
			for _, d := range f.Decls {
				fn, ok := d.(*ast.FuncDecl)
				if !ok || !fn.Name.IsExported() {
					continue
				}
				name := fn.Name.Name
				if fn.Recv != nil {
					owner := receiver(fn.Recv.List[0].Type)
					if !ast.IsExported(owner) {
						continue
					}
					name = owner + "." + name
				}
				for _, p := range fn.Type.Params.List {
					if of, ok := p.Type.(*ast.Ellipsis); ok && isNumber(of.Elt, pkg, named, false) || isNumber(p.Type, pkg, named, false) {
						all.functions = append(all.functions, room+"."+name)
						break
					}
				}
			}
		}
	}
	slices.Sort(all.fields)
	slices.Sort(all.functions)
	return all
}

var basicNumbers = map[string]bool{"int": true, "int8": true, "int16": true, "int32": true, "int64": true, "uint": true, "uint8": true, "uint16": true,
	"uint32": true, "uint64": true, "float32": true, "float64": true, "byte": true, "rune": true}

// typesOf are the types that a file declares.
func typesOf(f *ast.File) (all []*ast.TypeSpec) {
	for _, d := range f.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.TYPE {
			for _, s := range g.Specs {
				all = append(all, s.(*ast.TypeSpec))
			}
		}
	}
	return all
}

// receiver is the name of a receiver's type.
func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}

// isNumber reports whether a type is a number, or where lists count also an optional value, a list or a map of some.
func isNumber(e ast.Expr, pkg string, named map[string]bool, lists bool) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return basicNumbers[e.Name] || named[pkg+"."+e.Name]
	case *ast.SelectorExpr:
		id, ok := e.X.(*ast.Ident)
		return ok && named[id.Name+"."+e.Sel.Name]
	case *ast.ArrayType:
		return lists && isNumber(e.Elt, pkg, named, true)
	case *ast.MapType:
		return lists && isNumber(e.Value, pkg, named, true)
	case *ast.IndexExpr:
		s, ok := e.X.(*ast.SelectorExpr)
		return lists && ok && s.Sel.Name == "Value" && isNumber(e.Index, pkg, named, true)
	}
	return false
}

// A counted is an exported function of a number.
type counted struct {
	name     string // as exportedNumbers has it
	call     func(n int64) error
	negative bool // numbers below 0 are as good as others
}

// functionsOf are the functions of numbers.
func functionsOf(t *testing.T) []counted {
	bg := t.Context()
	must := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	whole := func(n int64) int { return int(min(max(n, math.MinInt), math.MaxInt)) }
	id := func(n int64) int32 { return int32(min(max(n, math.MinInt32), math.MaxInt32)) }
	fails := func(_ any, err error) error { return err }
	sequences := [][]int32{{1, 2}, {3, 4}}
	ids, err := text.PadSequences(sequences, text.PadOptions{})
	must(err)
	nothing, err := tensor.New[int32](0, 3)
	must(err)
	bags, err := text.CountSequences(sequences, text.BagOptions{Vocabulary: 5})
	must(err)
	words, err := text.NewVocabulary(bg, []string{"a"})
	must(err)
	tokenizer, err := text.NewHubTokenizer(words, text.HubTokenizerOptions{})
	must(err)
	adapted, err := text.Vectorizer{}.Adapt(bg, []string{"a"})
	must(err)
	decoder := text.NewDecoder(map[string]int{"a": 1}, 0)
	classes, err := labels.New("a", "b")
	must(err)
	var examples []classifier.Example
	for range 10 {
		examples = append(examples, classifier.Example{Text: "good film", Labels: []string{"a"}}, classifier.Example{Text: "bad film", Labels: []string{"b"}})
	}
	trained, err := classifier.Train(bg, examples, classifier.Options{})
	must(err)
	server, err := serve.New([]serve.Model{{Name: "a", Classifier: trained}}, serve.Options{})
	must(err)
	build := func(in nn.Input) error {
		return fails(nn.NewSequential(layers.Dense{Units: 1}).Build(bg, in, nn.BuildOptions{}))
	}
	none := func(f func(n int64)) func(n int64) error {
		return func(n int64) error {
			f(n)
			return nil
		}
	}
	rows := func(shape ...int) *tensor.Int32 {
		x, err := tensor.New[int32](shape...)
		if err != nil {
			return nothing // these many are refused
		}
		return x
	}
	return []counted{
		{"nn.Tokens", func(n int64) error {
			return fails(nn.NewSequential(layers.Embedding{Vocabulary: 2, Dim: 1}).Build(bg, nn.Tokens(whole(n)), nn.BuildOptions{}))
		}, true}, // AnyLength is -1
		{"nn.Features", func(n int64) error { return build(nn.Features(whole(n))) }, false},
		{"nn.Features", func(n int64) error { return build(nn.Features(whole(n), whole(n))) }, false},
		{"nn.SparseFeatures", func(n int64) error { return build(nn.SparseFeatures(whole(n))) }, false},
		{"nn.Value.Output", func(n int64) error {
			g := &nn.Graph{}
			g.Output("y", g.Apply(layers.Dense{Units: 1}, g.Input("x", nn.Features(2))).Output(whole(n)))
			return fails(g.Build(bg, nn.BuildOptions{}))
		}, false},
		{"nn.ReadAhead", func(n int64) error {
			for _, err := range nn.ReadAhead(nn.Data{}, whole(n)).Batches(bg, 0) {
				if err != nil {
					return err
				}
			}
			return nil
		}, true},
		{"nn.Data.Batches", none(func(n int64) {
			for range (nn.Data{}).Batches(bg, whole(n)) {
			}
		}), true},
		{"nn/plan.NewInt8Storage", func(n int64) error { return fails(plan.NewInt8Storage([]float32{1, 2}, whole(n))) }, false},
		{"text.NewBags", func(n int64) error {
			return fails(text.NewBags(whole(n), []int{0, 1}, []int32{0}, []int32{1}, []int32{1}))
		}, false},
		{"text.CheckIDs", func(n int64) error { return text.CheckIDs(ids, whole(n)) }, false},
		{"text.CheckIDs", func(n int64) error { return text.CheckIDs(rows(max(0, whole(n)), 0), whole(n)) }, true},
		{"text.MultiHot", func(n int64) error { return fails(text.MultiHot(sequences, whole(n))) }, false},
		{"text.Sequences", func(n int64) error { return fails(text.Sequences(bg, []string{"a"}, tokenizer, whole(n))) }, false},
		{"text.NewDecoder", none(func(n int64) {
			if d := text.NewDecoder(map[string]int{"a": whole(n)}, whole(n)); n == math.MaxInt64 && d.Decode([]int32{-2}) != "?" {
				t.Error("the sum of a rank and a shift has overflowed")
			}
		}), true},
		{"text.Decoder.Word", none(func(n int64) { decoder.Word(id(n)) }), true},
		{"text.Vocabulary.Word", none(func(n int64) { words.Word(id(n)) }), true},
		{"text.Vectorization.Word", none(func(n int64) { adapted.Word(id(n)) }), true},
		{"text.Bags.Limit", func(n int64) error { return fails(bags.Limit(whole(n), 0)) }, false},
		{"text.Bags.Limit", func(n int64) error { return fails(bags.Limit(2, id(n))) }, false},
		{"text.Cuts.Locate", none(func(n int64) { new(text.Cuts).Locate([]int{0}, bags, []int32{0}, whole(n)) }), true},
		{"history.History.Append", none(func(n int64) { new(history.History).Append(whole(n), &history.Logs{}) }), true},
		{"history.History.SetDirection", none(func(n int64) { new(history.History).SetDirection("a", history.Direction(n)) }), true},
		{"history.History.Best", none(func(n int64) { new(history.History).Best("a", history.Direction(n)) }), true},
		{"history.Logs.Set", none(func(n int64) { new(history.Logs).Set("a", math.Float64frombits(uint64(n))) }), true},
		{"history.FormatLog", none(func(n int64) { history.FormatLog(math.Float64frombits(uint64(n))) }), true},
		{"tensor.Of", func(n int64) error { return fails(tensor.Of([]float32{1, 2}, whole(n))) }, false},
		{"tensor.Of", func(n int64) error { return fails(tensor.Of([]float32{1, 2}, whole(n), whole(n))) }, false},
		{"tensor.New", func(n int64) error { return fails(tensor.New[float32](whole(n))) }, false},
		{"tensor.New", func(n int64) error { return fails(tensor.New[float32](whole(n), whole(n))) }, false},
		{"tensor.Convert", func(n int64) error { return fails(tensor.Convert[float32]([]int{1, 2}, whole(n))) }, false},
		{"tensor.NewSparse", func(n int64) error { return fails(tensor.NewSparse(whole(n), []int{0, 1}, []int32{0}, nil)) }, false},
		{"datasets/split.Shuffled", func(n int64) error {
			_, _, err := split.Shuffled(whole(n), split.Options{Validation: 0.5})
			return err
		}, false},
		{"text.Bags.Make", func(n int64) error {
			return new(text.Bags).Make(bg, rows(max(0, whole(n)), 0), text.BagOptions{Vocabulary: 3})
		}, true},
		{"model.Read", func(n int64) error {
			// No reader has as many bytes as the numbers above 0 say.
			if fails(model.Read(bg, bytes.NewReader(nil), n, model.LoadOptions{})) == nil {
				t.Errorf("a model of %d bytes is read of none", n)
			}
			return fails(model.Read(bg, strings.NewReader(strings.Repeat("{", 1000)), n, model.LoadOptions{}))
		}, false},
		{"classifier.CrossAnswers", func(n int64) error {
			examples := []classifier.Example{{Text: "good", Labels: []string{"a"}}, {Text: "bad", Labels: []string{"b"}}}
			return fails(classifier.CrossAnswers(bg, examples, whole(n), classifier.Options{}))
		}, false},
		{"classifier.Classifier.Shrink", func(n int64) error { return fails(trained.Shrink(bg, n)) }, false},
		{"datasets/labels.Classes.Name", none(func(n int64) { classes.Name(id(n)) }), true},
		{"datasets/labels.Classes.Sets", none(func(n int64) {
			x, err := tensor.New[float32](1, 2)
			must(err)
			classes.Sets(x, float32(n))
		}), true},
		{"plots.Write", none(func(n int64) { plots.Write(io.Discard, plots.Format(n)) }), true},
		{"serve.Handler.Watch", func(n int64) error {
			ended, cancel := context.WithCancel(bg)
			cancel()
			return server.Watch(ended, "a", "nowhere", time.Duration(n))
		}, false},
		{"simd.Pow64", none(func(n int64) {
			if v := simd.Pow64(1, whole(n)); v != 1 {
				t.Errorf("1 to the power of %d is %v", n, v)
			}
		}), true},
	}
}

// placesAndParts are functions whose numbers are places in what they belong to, like an index of a slice, and those that
// package nn calls for the authors of layers. Rates of schedules are in TestHostileSettings.
var placesAndParts = []string{
	"text.Bags.Bounds", "text.Bags.Row", "text.Bags.Rows", "text.Bags.Length", "text.Bags.Count", "text.Bags.AppendIDs",
	"tensor.Array.Row", "tensor.Array.Rows", "tensor.Sparse.Row", "tensor.Sparse.Rows",
	"optim.CosineDecay.Rate", "optim.CosineDecayRestarts.Rate", "optim.ExponentialDecay.Rate", "optim.InverseTimeDecay.Rate",
	"optim.PolynomialDecay.Rate", "optim.PiecewiseConstantDecay.Rate", "nn.SourceFunc.Batches", "nn/plan.RowSparse.Has",
}

// Functions check their numbers as settings are checked. A new function of a number needs a row in functionsOf.
func TestHostileNumbers(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(1 << 28))
	seen := map[string]bool{}
	for _, f := range functionsOf(t) {
		seen[f.name] = true
		for _, n := range hostileWholes {
			err := guarded(func() error { return f.call(n) })
			if p := (*plan.PanicError)(nil); errors.As(err, &p) || err == nil && n < 0 && !f.negative {
				t.Errorf("%s of %d: %v", f.name, n, err)
			}
		}
	}
	for _, name := range exportedNumbers(t).functions {
		if strings.HasPrefix(name, "nn/plan.Frame.") || strings.HasPrefix(name, "nn/plan.Random.") || strings.HasSuffix(name, "Storage.Read") ||
			strings.HasSuffix(name, ".MarshalText") || strings.HasSuffix(name, ".String") {
			continue // for operations, initializers and nn
		}
		if exempt := slices.Contains(placesAndParts, name); exempt == seen[name] {
			t.Errorf("%s: a function of a number that has no row in functionsOf, or that placesAndParts leaves out in spite of one", name)
		}
	}
}
