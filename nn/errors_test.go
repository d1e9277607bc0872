package nn_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/metrics"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/optional"
	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
	"pgregory.net/rapid"
)

var (
	nan = float32(math.NaN())
	inf = float32(math.Inf(1))
)

func wantError(t testing.TB, err error, want string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error; want %q", want)
	} else if err.Error() != want {
		t.Errorf("error\n %s\nwant\n %s", err, want)
	}
}

// trains is a Fit that lacks nothing, for a test to spoil.
func trains() nn.FitOptions {
	return nn.FitOptions{Optimizer: optim.Adam{}, Loss: loss.BinaryCrossentropy{}, BatchSize: 4}
}

// ways are the ways in which data gets into a model.
func ways(ctx context.Context, m *nn.Model, d nn.Data, noFusion bool) map[string]error {
	o := trains()
	o.NoFusion = noFusion
	_, fit := m.Fit(ctx, d, o)
	_, evaluate := m.Evaluate(ctx, d, nn.EvaluateOptions{Loss: o.Loss, NoFusion: noFusion})
	_, predict := m.PredictInto(ctx, nil, d.X, nn.PredictOptions{NoFusion: noFusion})
	return map[string]error{"Fit": fit, "Evaluate": evaluate, "Predict": predict}
}

func TestIDOutOfRange(t *testing.T) {
	m := smallText(t)
	before := m.Weights(nil)
	for _, id := range []int32{-1, smallVocabulary, math.MaxInt32, math.MinInt32} {
		x := ids(t, 9, 5)
		x.Row(6)[2] = id
		for _, noFusion := range []bool{false, true} {
			for way, err := range ways(t.Context(), m, nn.Data{X: x, Y: sides(t, x)}, noFusion) {
				wantError(t, err, fmt.Sprintf(`nn: layer "embedding": row 6, column 2: id %d is outside the vocabulary 0 to 49`, id))
				var bad *text.IDError
				if !errors.As(err, &bad) || *bad != (text.IDError{Row: 6, Column: 2, ID: id, Vocabulary: smallVocabulary}) {
					t.Errorf("%s: %#v", way, bad)
				}
			}
		}
	}
	sameBits(t, "weights", m.Weights(nil), before)
	// The memory that the refused rows took does not show in later predictions.
	x := ids(t, 9, 5)
	got, err := m.PredictInto(t.Context(), nil, x, nn.PredictOptions{})
	must(t, err)
	want, err := smallText(t).PredictInto(t.Context(), nil, x, nn.PredictOptions{})
	must(t, err)
	equalBits(t, "predictions after errors", got, want)
}

func TestDataErrors(t *testing.T) {
	x := ids(t, 4, 3)
	y := sides(t, x)
	features := func(values ...float32) *tensor.Float32 { return array(t, values, len(values)/2, 2) }
	pair := func(spec ...nn.Layer) *nn.Model { return sequential(t, nn.Features(2), spec...) }
	dense := pair(layers.Dense{Units: 1, Activation: layers.Sigmoid})
	two := pair(layers.Dense{Units: 2, Activation: layers.Sigmoid})
	scalar, err := tensor.New[float32]()
	must(t, err)
	none, err := tensor.New[int32](0, 3)
	must(t, err)
	sparse, err := tensor.NewSparse(2, []int{0, 1, 3}, []int32{1, 0, 1}, []float32{1, 2, nan})
	must(t, err)
	infinite, err := tensor.NewSparse(2, []int{0, 1, 3}, []int32{1, 0, 1}, []float32{1, -inf, nan})
	must(t, err)
	for name, c := range map[string]struct {
		model *nn.Model
		data  nn.Data
		want  string
	}{
		"no X":              {smallText(t), nn.Data{Y: y}, "nn: data needs both X and Y"},
		"no Y":              {smallText(t), nn.Data{X: x}, "nn: data needs both X and Y"},
		"empty":             {smallText(t), nn.Data{X: none, Y: none}, "nn: the data is empty"},
		"lengths":           {smallText(t), nn.Data{X: x, Y: y.Rows(0, 3)}, "nn: X has 4 rows and Y has 3"},
		"weights' length":   {smallText(t), nn.Data{X: x, Y: y, Weights: []float32{1, 1}}, "nn: X has 4 rows and Weights has 2"},
		"no weights":        {smallText(t), nn.Data{X: x, Y: y, Weights: []float32{}}, "nn: X has 4 rows and Weights has 0"},
		"NaN weight":        {smallText(t), nn.Data{X: x, Y: y, Weights: []float32{1, 1, nan, 1}}, "nn: the weight of row 2 is NaN"},
		"infinite weight":   {smallText(t), nn.Data{X: x, Y: y, Weights: []float32{1, -inf, 1, 1}}, "nn: the weight of row 1 is -Inf"},
		"label above 1":     {smallText(t), nn.Data{X: x, Y: array(t, []int32{0, 1, 2, 0})}, "nn: the label of row 2, column 0: loss: binary cross-entropy is defined for labels from 0 to 1, not 2"},
		"label below 0":     {two, nn.Data{X: features(0, 0, 1, 1), Y: features(0, 1, 0, -0.5)}, "nn: the label of row 1, column 1: loss: binary cross-entropy is defined for labels from 0 to 1, not -0.5"},
		"label NaN":         {dense, nn.Data{X: features(0, 0, 1, 1), Y: array(t, []float32{0, nan})}, "nn: the label of row 1, column 0: loss: binary cross-entropy is defined for labels from 0 to 1, not NaN"},
		"labels' width":     {dense, nn.Data{X: features(0, 0, 1, 1), Y: features(0, 0, 1, 1)}, "nn: loss: binary cross-entropy: a row of the output has shape (1,) and a row of the labels (2,)"},
		"labels of strings": {dense, nn.Data{X: features(0, 0), Y: array(t, []string{"good"})}, "nn: labels are float32 or int32, not string"},
		"big label":         {dense, nn.Data{X: features(0, 0, 1, 1), Y: array(t, []int32{0, 1<<24 + 1})}, "nn: the label 16777217 of row 1 is not exact in float32"},
		"labels are no row": {dense, nn.Data{X: features(0, 0), Y: scalar}, "nn: shape does not fit: X has shape (1, 2) and Y (); both need rows"},
		"X is no row":       {dense, nn.Data{X: scalar, Y: array(t, []float32{0})}, "nn: shape does not fit: X has shape () and Y (1,); both need rows"},
		"NaN":               {dense, nn.Data{X: features(0, 1, 2, 3, 4, nan), Y: array(t, []float32{0, 0, 0})}, "nn: the input is NaN at row 2, column 1"},
		"NaN, sparse": {sequential(t, nn.SparseFeatures(2), layers.Dense{Units: 1}), nn.Data{X: sparse, Y: array(t, []float32{0, 0})},
			"nn: the input is NaN at row 1, column 1"},
		"infinity": {dense, nn.Data{X: features(0, inf, 2, 3, -inf, 5), Y: array(t, []float32{0, 0, 0})}, "nn: the input is +Inf at row 0, column 1"},
		"infinity, sparse": {sequential(t, nn.SparseFeatures(2), layers.Dense{Units: 1}), nn.Data{X: infinite, Y: array(t, []float32{0, 0})},
			"nn: the input is -Inf at row 1, column 0"},
	} {
		t.Run(name, func(t *testing.T) {
			before := c.model.Weights(nil)
			h, err := c.model.Fit(t.Context(), c.data, trains())
			wantError(t, err, c.want)
			if h == nil || len(h.Epochs) != 0 {
				t.Errorf("history %v", h)
			}
			_, err = c.model.Evaluate(t.Context(), c.data, nn.EvaluateOptions{Loss: loss.BinaryCrossentropy{}})
			wantError(t, err, c.want)
			good := nn.Data{X: x, Y: y}
			if c.model.InputShape("input").String() == "(None, None)" {
				o := trains()
				o.Validation = &c.data
				_, err = c.model.Fit(t.Context(), good, o)
				wantError(t, err, "nn: validation data: "+strings.TrimPrefix(c.want, "nn: "))
			}
			sameBits(t, "weights", c.model.Weights(nil), before)
		})
	}
}

func TestPredictErrors(t *testing.T) {
	none, err := tensor.New[int32](0, 3)
	must(t, err)
	scalar, err := tensor.New[float32]()
	must(t, err)
	dense := sequential(t, nn.Features(2), layers.Dense{Units: 1})
	sigmoid := sequential(t, nn.Features(2), layers.Dense{Units: 1, Activation: layers.Sigmoid}) // 0 or 1 of an infinity
	for name, c := range map[string]struct {
		model *nn.Model
		x     tensor.Rows
		want  string
	}{
		"nil":      {dense, nil, "nn: there are no rows to predict"},
		"empty":    {smallText(t), none, "nn: there are no rows to predict"},
		"NaN":      {dense, array(t, []float32{0, 0, 0, nan}, 2, 2), "nn: the input is NaN at row 1, column 1"},
		"infinity": {sigmoid, array(t, []float32{0, 0, -inf, 0}, 2, 2), "nn: the input is -Inf at row 1, column 0"},
		"scalar":   {dense, scalar, "nn: shape does not fit: the model reads rows (None, 2), not ()"},
	} {
		dst := []float32{5}
		got, err := c.model.PredictInto(t.Context(), dst, c.x, nn.PredictOptions{})
		wantError(t, err, c.want)
		if len(got) != 1 || got[0] != 5 {
			t.Errorf("%s: dst became %v", name, got)
		}
	}
}

// foreign is a kind of rows that no layer knows.
type foreign struct{ signature plan.Signature }

func (f foreign) Len() int            { return f.signature.Shape[0] }
func (f foreign) Shape() tensor.Shape { return f.signature.Shape }
func (f foreign) Type() tensor.Type   { return f.signature.Type }

// An input of the wrong type, rank, width or kind is refused by all ways into the model, fused or not.
func TestWrongInput(t *testing.T) {
	fixed, err := tutorialLayers().Build(t.Context(), nn.Tokens(6), nn.BuildOptions{})
	must(t, err)
	features := sequential(t, nn.Features(4), layers.Dense{Units: 1, Activation: layers.Sigmoid})
	steps := sequential(t, nn.Features(nn.AnyLength, 4), layers.GlobalAveragePooling1D{}, layers.Dense{Units: 1, Activation: layers.Sigmoid})
	hot := sequential(t, nn.SparseFeatures(4), layers.Dense{Units: 1, Activation: layers.Sigmoid})
	bags, err := text.MakeBags(ids(t, 2, 4), text.BagOptions{Vocabulary: smallVocabulary})
	must(t, err)
	large, err := text.MakeBags(ids(t, 2, 4), text.BagOptions{Vocabulary: smallVocabulary + 1})
	must(t, err)
	uneven, err := text.MakeBags(array(t, []int32{0, 1, 2, 3}, 2, 2), text.BagOptions{Vocabulary: smallVocabulary, SkipZero: true})
	must(t, err)
	floats := func(shape ...int) *tensor.Float32 {
		return array(t, make([]float32, tensor.Shape(shape).Size()), shape...)
	}
	wide, err := tensor.NewSparse(5, []int{0, 0, 0}, nil, nil)
	must(t, err)
	const fused, unfused = 1, 2
	for name, c := range map[string]struct {
		model *nn.Model
		x     tensor.Rows
		ways  int
		want  string
	}{
		"floats for ids":      {smallText(t), floats(2, 4), fused | unfused, "nn: shape does not fit: the model reads int32 rows (None, None), not float32 rows (2, 4)"},
		"ids for floats":      {features, ids(t, 2, 4), fused | unfused, "nn: shape does not fit: the model reads float32 rows (None, 4), not int32 rows (2, 4)"},
		"strings for floats":  {features, array(t, []string{"a", "b"}), fused | unfused, "nn: shape does not fit: the model reads float32 rows (None, 4), not string rows (2,)"},
		"dense for sparse":    {hot, floats(2, 4), fused | unfused, "nn: shape does not fit: the model reads sparse float32 rows (None, 4), not float32 rows (2, 4)"},
		"sparse for dense":    {features, wide, fused | unfused, "nn: shape does not fit: the model reads float32 rows (None, 4), not sparse float32 rows (2, 5)"},
		"rank":                {smallText(t), array(t, make([]int32, 8), 2, 2, 2), fused | unfused, "nn: shape does not fit: the model reads rows (None, None), not (2, 2, 2)"},
		"steps":               {fixed, ids(t, 2, 7), fused | unfused, "nn: shape does not fit: the model reads rows (None, 6), not (2, 7)"},
		"width":               {features, floats(2, 3), fused | unfused, "nn: shape does not fit: the model reads rows (None, 4), not (2, 3)"},
		"width of steps":      {steps, floats(2, 9, 3), fused | unfused, "nn: shape does not fit: the model reads rows (None, None, 4), not (2, 9, 3)"},
		"width, sparse":       {hot, wide, fused | unfused, "nn: shape does not fit: the model reads rows (None, 4), not (2, 5)"},
		"bags of more ids":    {smallText(t), large, fused, `nn: layer "embedding": bags with ids from 0 to 50 do not fit the vocabulary 0 to 49`},
		"bags, not fused":     {smallText(t), bags, unfused, `nn: layer "embedding": shape does not fit: bags of ids, which have lost their order, serve only an Embedding that is fused with the average behind it`},
		"uneven bags":         {smallText(t), uneven, unfused, `nn: layer "embedding": shape does not fit: bags of ids, which have lost their order, serve only an Embedding that is fused with the average behind it`},
		"bags for floats":     {features, bags, fused | unfused, "nn: shape does not fit: the model reads float32 rows (None, 4), not int32 rows (2, 4)"},
		"foreign floats":      {features, foreign{plan.Signature{Type: tensor.TypeFloat32, Shape: tensor.Shape{2, 4}}}, fused | unfused, "nn: the model's layers read arrays of float32, not nn_test.foreign"},
		"foreign sparse rows": {hot, foreign{plan.Signature{Type: tensor.TypeSparse, Shape: tensor.Shape{2, 4}}}, fused | unfused, `nn: layer "dense": shape does not fit: Dense reads sparse rows, not sparse float32 of shape (2, 4)`},
		"foreign ids":         {smallText(t), foreign{plan.Signature{Type: tensor.TypeInt32, Shape: tensor.Shape{2, 4}}}, fused, `nn: layer "embedding": shape does not fit: Embedding reads int32 ids or bags of them, not int32 of shape (2, 4)`},
	} {
		t.Run(name, func(t *testing.T) {
			for _, noFusion := range []bool{false, true} {
				if c.ways&fused == 0 && !noFusion || c.ways&unfused == 0 && noFusion {
					continue
				}
				for way, err := range ways(t.Context(), c.model, nn.Data{X: c.x, Y: array(t, make([]float32, 2))}, noFusion) {
					if err == nil || err.Error() != c.want {
						t.Errorf("%s, fused %t:\n %v\nwant\n %s", way, !noFusion, err, c.want)
					}
				}
			}
		})
	}
}

func TestBuildErrors(t *testing.T) {
	embedding, average := layers.Embedding{Vocabulary: 9, Dim: 2}, layers.GlobalAveragePooling1D{}
	dense := layers.Dense{Units: 3}
	for name, c := range map[string]struct {
		in    nn.Input
		spec  []nn.Layer
		want  string
		shape bool // wraps tensor.ErrShape
	}{
		"no input":  {nn.Input{}, []nn.Layer{dense}, "nn: Build needs an input: nn.Tokens, nn.Texts, nn.Features or nn.SparseFeatures", false},
		"no layer":  {nn.Features(4), nil, "nn: the Sequential has no layers", false},
		"nil layer": {nn.Features(4), []nn.Layer{dense, nil}, "nn: layer 1 is nil", false},
		"0 steps":   {nn.Tokens(0), []nn.Layer{embedding}, "nn: Tokens(0,): dimension 0 is 0", false},
		"no width":  {nn.Features(3, nn.AnyLength), []nn.Layer{dense}, "nn: Features(3, None): dimension 1 is -1", false},
		"ids into Dense": {nn.Tokens(4), []nn.Layer{dense},
			"nn: layer 0 (dense) cannot follow the input (int32) of shape (None, 4): shape does not fit: Dense reads float32 values, not int32 of shape (None, 4)", true},
		"rank": {nn.Tokens(4), []nn.Layer{embedding, average, average},
			"nn: layer 2 (global_average_pooling1d_1) cannot follow layer 1 (global_average_pooling1d) of shape (None, 2): shape does not fit: " +
				"GlobalAveragePooling1D reads values (batch, steps, features), not (None, 2)", true},
		"vectors into an Embedding": {nn.Tokens(4), []nn.Layer{embedding, embedding},
			"nn: layer 1 (embedding_1) cannot follow layer 0 (embedding) of shape (None, 4, 2): shape does not fit: " +
				"Embedding reads int32 ids, not float32 of shape (None, 4, 2)", true},
		"unknown width": {nn.Tokens(nn.AnyLength), []nn.Layer{embedding, layers.Flatten{}, layers.Dense{Name: "top", Units: 1}},
			"nn: layer 2 (top) cannot follow layer 1 (flatten) of shape (None, None): shape does not fit: Dense needs to know the last dimension of (None, None)", true},
		"no units": {nn.Features(4), []nn.Layer{layers.Dense{}}, "nn: layer 0 (dense) cannot follow the input (float32) of shape (None, 4): Dense needs at least 1 unit, not 0", false},
		"one name": {nn.Features(4), []nn.Layer{layers.Dense{Name: "a", Units: 1}, layers.Dense{Name: "a", Units: 1}},
			`nn: layer 1 (Dense): two layers are named "a"`, false},
		"control characters": {nn.Features(4), []nn.Layer{layers.Dense{Name: "a\x1b[2Jb", Units: 1}}, `nn: layer 0 (Dense): the name "a\x1b[2Jb" cannot be printed`, false},
		"no UTF-8":           {nn.Features(4), []nn.Layer{layers.Dense{Name: "a\xff", Units: 1}}, `nn: layer 0 (Dense): the name "a\xff" cannot be printed`, false},
		"slash":              {nn.Features(4), []nn.Layer{layers.Dense{Name: "a/b", Units: 1}}, `nn: layer 0 (Dense): the name "a/b" contains a slash`, false},
		"huge": {nn.Features(1 << 30), []nn.Layer{layers.Dense{Units: math.MaxInt}}, fmt.Sprintf(
			"nn: layer 0 (dense) cannot follow the input (float32) of shape (None, 1073741824): parameter kernel of shape (1073741824, %d) has more than %d elements",
			math.MaxInt, math.MaxInt>>4), false},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := nn.NewSequential(c.spec...).Build(t.Context(), c.in, nn.BuildOptions{})
			wantError(t, err, c.want)
			if m != nil {
				t.Error("a model beside an error")
			}
			if errors.Is(err, tensor.ErrShape) != c.shape {
				t.Errorf("tensor.ErrShape: %t", !c.shape)
			}
		})
	}
}

// twins is a layer that wants two parameters of one name.
type twins struct{}

func (twins) Kind() string { return "Twins" }

func (twins) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	for range 2 {
		if _, err := b.Parameter(plan.ParameterOptions{Name: "kernel", Shape: tensor.Shape{1}}); err != nil {
			return nil, err
		}
	}
	return in, nil
}

func TestTwoParametersOfOneName(t *testing.T) {
	_, err := nn.NewSequential(twins{}).Build(t.Context(), nn.Features(1), nn.BuildOptions{})
	wantError(t, err, `nn: layer 0 (twins) cannot follow the input (float32) of shape (None, 1): two parameters are named "twins/kernel"`)
}

func TestFitSettingErrors(t *testing.T) {
	x := ids(t, 6, 3)
	d := nn.Data{X: x, Y: sides(t, x)}
	weighted := d
	weighted.Weights = []float32{1, 1, 1, 1, 1, 1}
	order := func(rows ...int32) func(int) []int32 { return func(int) []int32 { return rows } }
	for name, c := range map[string]struct {
		change func(o *nn.FitOptions, d *nn.Data)
		want   string
	}{
		"no optimizer":     {func(o *nn.FitOptions, _ *nn.Data) { o.Optimizer = nil }, "nn: Fit needs an optimizer"},
		"no loss":          {func(o *nn.FitOptions, _ *nn.Data) { o.Loss = nil }, "nn: Fit needs a loss"},
		"epochs":           {func(o *nn.FitOptions, _ *nn.Data) { o.Epochs = -1 }, "nn: Epochs -1 must not be negative"},
		"initial epoch":    {func(o *nn.FitOptions, _ *nn.Data) { o.InitialEpoch = -2 }, "nn: InitialEpoch -2 must not be negative"},
		"batch size":       {func(o *nn.FitOptions, _ *nn.Data) { o.BatchSize = -3 }, "nn: BatchSize -3 must not be negative"},
		"validation batch": {func(o *nn.FitOptions, _ *nn.Data) { o.ValidationBatchSize = -4 }, "nn: ValidationBatchSize -4 must not be negative"},
		"negative split":   {func(o *nn.FitOptions, _ *nn.Data) { o.ValidationSplit = -0.1 }, "nn: a validation split of -0.1 is not in [0, 1)"},
		"split of all":     {func(o *nn.FitOptions, _ *nn.Data) { o.ValidationSplit = 1 }, "nn: a validation split of 1 is not in [0, 1)"},
		"NaN split":        {func(o *nn.FitOptions, _ *nn.Data) { o.ValidationSplit = math.NaN() }, "nn: a validation split of NaN is not in [0, 1)"},
		"too large split":  {func(o *nn.FitOptions, _ *nn.Data) { o.ValidationSplit = 0.99 }, "nn: a validation split of 0.99 leaves 0 of 6 rows to train on"},
		"two validations": {func(o *nn.FitOptions, d *nn.Data) { o.ValidationSplit, o.Validation = 0.5, d },
			"nn: Validation and ValidationSplit cannot go together"},
		"order and none": {func(o *nn.FitOptions, _ *nn.Data) { o.NoShuffle, o.Order = true, order(0) }, "nn: Order and NoShuffle cannot go together"},
		"short order":    {func(o *nn.FitOptions, _ *nn.Data) { o.Order = order(0, 1) }, "nn: the order of epoch 1 has 2 rows in place of 6"},
		"order beyond":   {func(o *nn.FitOptions, _ *nn.Data) { o.Order = order(0, 1, 2, 6, 4, 5) }, "nn: the order of epoch 1 has row 6 at place 3; there are 6 rows to train on"},
		"order below":    {func(o *nn.FitOptions, _ *nn.Data) { o.Order = order(-1, 1, 2, 3, 4, 5) }, "nn: the order of epoch 1 has row -1 at place 0; there are 6 rows to train on"},
		"order of split": {func(o *nn.FitOptions, _ *nn.Data) { o.ValidationSplit, o.Order = 0.5, order(0, 1, 3) }, "nn: the order of epoch 1 has row 3 at place 2; there are 3 rows to train on"},
		"both weights":   {func(o *nn.FitOptions, d *nn.Data) { *d, o.ClassWeight = weighted, map[int]float32{1: 2} }, "nn: class weights and sample weights cannot go together"},
		"NaN class":      {func(o *nn.FitOptions, _ *nn.Data) { o.ClassWeight = map[int]float32{1: nan} }, "nn: the weight of class 1 is NaN"},
		"learning rate":  {func(o *nn.FitOptions, _ *nn.Data) { o.Optimizer = optim.SGD{LearningRate: -1} }, "optim: sgd: LearningRate -1 is not a positive number"},
		"nil metric":     {func(o *nn.FitOptions, _ *nn.Data) { o.Metrics = []nn.Metric{nil} }, "nn: a metric is nil"},
		"nil callback":   {func(o *nn.FitOptions, _ *nn.Data) { o.Callbacks = []nn.Callback{nil} }, "nn: callback 0 is nil"},
		"metrics' names": {func(o *nn.FitOptions, _ *nn.Data) {
			o.Metrics = []nn.Metric{metrics.Accuracy{}, metrics.BinaryAccuracy{As: "accuracy"}}
		}, `nn: two logs are named "accuracy"`},
		"weighted's name": {func(o *nn.FitOptions, _ *nn.Data) {
			o.Metrics, o.WeightedMetrics = []nn.Metric{metrics.Mean{}}, []nn.Metric{metrics.Mean{}}
		}, `nn: two logs are named "mean"`},
		"named loss": {func(o *nn.FitOptions, _ *nn.Data) { o.Metrics = []nn.Metric{metrics.Mean{As: "loss"}} }, `nn: two logs are named "loss"`},
		"named val_loss": {func(o *nn.FitOptions, _ *nn.Data) {
			o.Metrics, o.ValidationSplit = []nn.Metric{metrics.Mean{As: "val_loss"}}, 0.5
		},
			`nn: two logs are named "val_loss"`},
		"state of another": {func(o *nn.FitOptions, _ *nn.Data) {
			o.State = &nn.TrainingState{Slots: map[string][][]float32{"dense/bias": {{1}, {2}}}}
		}, `nn: the training state's slots of "dense/bias" are not those of adam for 6 elements`},
		"state of another name": {func(o *nn.FitOptions, d *nn.Data) {
			o.Optimizer, o.State = optim.SGD{Momentum: 0.5}, &nn.TrainingState{}
			_, err := smallText(t).Fit(t.Context(), *d, *o)
			must(t, err)
			o.Optimizer = optim.RMSprop{}
		}, `nn: the training state's slots are ["momentum"], and those of rmsprop ["velocity"]`},
		"squares accumulated": {func(o *nn.FitOptions, _ *nn.Data) {
			o.Optimizer = optim.Adam{SquareOccurrences: true, Shared: optim.Shared{AccumulateSteps: 2}}
		}, "nn: adam: squares of occurrences and accumulated gradients cannot go together"},
		"squares clipped": {func(o *nn.FitOptions, _ *nn.Data) {
			o.Optimizer = optim.Adam{SquareOccurrences: true, Shared: optim.Shared{ClipNorm: 1}}
		}, "nn: adam: squares of occurrences and clipping cannot go together"},
		"state before the start": {func(o *nn.FitOptions, _ *nn.Data) { o.State = &nn.TrainingState{Groups: []plan.GroupState{{Step: -1}}} }, "nn: the training state of optimizer 0: step -1"},
	} {
		t.Run(name, func(t *testing.T) {
			m, d, o := smallText(t), d, trains()
			before := m.Weights(nil)
			c.change(&o, &d)
			_, err := m.Fit(t.Context(), d, o)
			wantError(t, err, c.want)
			sameBits(t, "weights", m.Weights(nil), before)
		})
	}
	m := smallText(t)
	_, err := m.Evaluate(t.Context(), d, nn.EvaluateOptions{})
	wantError(t, err, "nn: Evaluate needs a loss or a metric")
	_, err = m.Evaluate(t.Context(), d, nn.EvaluateOptions{Loss: loss.MeanSquaredError{}, BatchSize: -1})
	wantError(t, err, "nn: BatchSize -1 must not be negative")
	_, err = m.PredictInto(t.Context(), nil, x, nn.PredictOptions{BatchSize: -1})
	wantError(t, err, "nn: BatchSize -1 must not be negative")
}

// Of a model that gives logits, the string "accuracy" means something else in Keras than most take it for.
func TestAccuracyOfLogits(t *testing.T) {
	m := sequential(t, nn.Features(2), layers.Dense{Units: 1})
	d := nn.Data{X: array(t, []float32{0, 1, 2, 3}, 2, 2), Y: array(t, []float32{0, 1})}
	o := trains()
	o.Loss, o.Metrics = loss.BinaryCrossentropy{FromLogits: true}, []nn.Metric{metrics.Accuracy{}}
	const want = "metrics: accuracy of logits needs a threshold: 0 (a probability above one half), or 0.5 as Keras does"
	_, err := m.Fit(t.Context(), d, o)
	wantError(t, err, want)
	_, err = m.Evaluate(t.Context(), d, nn.EvaluateOptions{Loss: o.Loss, Metrics: o.Metrics})
	wantError(t, err, want)
	o.Metrics = []nn.Metric{metrics.Accuracy{Threshold: optional.Of(float32(0))}}
	_, err = m.Fit(t.Context(), d, o)
	must(t, err)
}

// The step whose loss is NaN is not taken.
func TestLossError(t *testing.T) {
	m := sequential(t, nn.Features(1), layers.Dense{Units: 1})
	d := nn.Data{X: array(t, []float32{1, 1, 1, 1, 1e38, 1}), Y: array(t, make([]float32, 6))}
	d.X = array(t, d.X.(*tensor.Float32).Data(), 6, 1)
	o := nn.FitOptions{Optimizer: optim.SGD{LearningRate: 1e-3, Momentum: 0.9}, Loss: loss.MeanSquaredError{}, BatchSize: 2, Epochs: 3, State: &nn.TrainingState{}}
	// In the second epoch, the row with the overflow is in step 1; in the first it is not reached.
	o.Order = func(epoch int) []int32 {
		return [][]int32{{0, 1, 2, 3, 5, 0}, {0, 1, 4, 2, 3, 5}}[epoch]
	}
	var before [][]float32
	o.Callbacks = []nn.Callback{plan.CallbackFunc(func(e plan.Event, t plan.Training) error {
		if e == plan.BatchBegin {
			before = t.Model().Weights(before)
		}
		return nil
	})}
	h, err := m.Fit(t.Context(), d, o)
	wantError(t, err, "nn: the loss is +Inf in epoch 2, step 2; the weights are those before this step")
	var where *nn.LossError
	if !errors.As(err, &where) || where.Epoch != 1 || where.Step != 1 || !math.IsInf(where.Loss, 1) {
		t.Errorf("%#v", where)
	}
	sameBits(t, "weights", m.Weights(nil), before)
	if len(h.Values("loss")) != 1 || o.State.Groups[0].Step != 4 {
		t.Errorf("history %v, %d steps; want those of one epoch, and 4 steps", h.Values("loss"), o.State.Groups[0].Step)
	}
	must(t, m.SetStorage(m.Parameters()[0].Name(), plan.Float32Storage{nan}))
	o.State = nil
	_, err = m.Fit(t.Context(), d, o)
	wantError(t, err, "nn: the loss is NaN in epoch 1, step 1; the weights are those before this step")
}

// Evaluate tells the batch whose loss is no number; validation in a Fit logs it, for callbacks to see.
func TestEvaluateLossError(t *testing.T) {
	m := sequential(t, nn.Features(1), layers.Dense{Units: 1})
	y := array(t, make([]float32, 4))
	good, bad := nn.Data{X: array(t, []float32{1, 1, 1, 1}, 4, 1), Y: y}, nn.Data{X: array(t, []float32{1, 1, 1e38, 1}, 4, 1), Y: y}
	o := nn.EvaluateOptions{Loss: loss.MeanSquaredError{}, BatchSize: 2, Metrics: []nn.Metric{metrics.Mean{}}}
	logs, err := m.Evaluate(t.Context(), bad, o)
	wantError(t, err, "nn: the loss is +Inf in batch 2")
	var where *nn.LossError
	if !errors.As(err, &where) || where.Epoch != -1 || where.Step != 1 || !math.IsInf(where.Loss, 1) || logs != nil {
		t.Errorf("%#v, logs %v", where, logs)
	}
	h, err := m.Fit(t.Context(), good, nn.FitOptions{Optimizer: optim.SGD{}, Loss: o.Loss, Validation: bad})
	must(t, err)
	if v := h.Values("val_loss"); len(v) != 1 || !math.IsInf(v[0], 1) {
		t.Errorf("val_loss %v", v)
	}
	must(t, m.SetStorage("dense/kernel", plan.Float32Storage{nan}))
	_, err = m.Evaluate(t.Context(), good, o)
	wantError(t, err, "nn: the loss is NaN in batch 1")
	o.Loss = nil
	_, err = m.Evaluate(t.Context(), good, o)
	must(t, err)
}

// No combination of model, input and labels panics, whatever their types and shapes.
func TestWrongShapesNeverPanic(t *testing.T) {
	dims := rapid.SliceOfN(rapid.IntRange(0, 4), 1, 4)
	rapid.Check(t, func(t *rapid.T) {
		in := []nn.Input{nn.Tokens(nn.AnyLength), nn.Tokens(2), nn.Features(3), nn.Features(nn.AnyLength, 2), nn.Features(2, 2, 2), nn.Features(),
			nn.SparseFeatures(3)}
		spec := rapid.SliceOfN(rapid.SampledFrom([]nn.Layer{
			layers.Embedding{Vocabulary: 3, Dim: 2}, layers.Embedding{Vocabulary: 3, Dim: 2, MaskZero: true}, layers.GlobalAveragePooling1D{},
			layers.GlobalAveragePooling1D{ChannelsFirst: true, KeepDims: true}, layers.Dense{Units: 2, Activation: layers.Softmax},
			layers.Dense{Units: 1, Activation: layers.Sigmoid}, layers.Dense{Units: 1}, layers.Dropout{Rate: 0.5}, layers.Flatten{},
			layers.Activation{Function: layers.Softmax}, layers.Activation{Function: layers.Tanh},
		}), 0, 4).Draw(t, "layers")
		at := rapid.IntRange(0, len(in)-1).Draw(t, "input")
		m, err := nn.NewSequential(spec...).Build(context.Background(), in[at], nn.BuildOptions{})
		if err != nil {
			t.Skip(err)
		}
		rows := rapid.IntRange(1, 4).Draw(t, "rows")
		// draw makes an array that often has the type and row shape that it should have, unknown dimensions drawn.
		draw := func(name string, kind int, want tensor.Shape) tensor.Rows {
			shape := dims.Draw(t, name)
			if rapid.IntRange(0, 3).Draw(t, name+" fits") > 0 {
				shape = append([]int{rows}, want[min(1, len(want)):]...)
				for i, d := range shape {
					if d == tensor.Unknown {
						shape[i] = rapid.IntRange(0, 4).Draw(t, "steps")
					}
				}
			} else {
				kind = rapid.IntRange(0, 4).Draw(t, name+"'s kind")
			}
			n := tensor.Shape(shape).Size()
			switch kind {
			case 0:
				of := rapid.SampledFrom([]float32{0, 1, 0.5})
				if rapid.IntRange(0, 3).Draw(t, "extreme") == 0 {
					of = rapid.SampledFrom([]float32{0, 1, -1, 0.5, nan, inf, 3e38})
				}
				x, _ := tensor.Of(rapid.SliceOfN(of, n, n).Draw(t, name+"'s values"), shape...)
				return x
			case 1, 2:
				lowest := rapid.SampledFrom([]int32{0, 0, 0, -1}).Draw(t, "lowest")
				x, _ := tensor.Of(rapid.SliceOfN(rapid.Int32Range(lowest, 2), n, n).Draw(t, name+"'s values"), shape...)
				if kind == 2 {
					if b, err := text.MakeBags(x, text.BagOptions{Vocabulary: 3, SkipZero: rapid.Bool().Draw(t, "skip zero")}); err == nil {
						return b
					}
				}
				return x
			case 3:
				x, _ := tensor.New[string](shape...)
				return x
			}
			x, _ := tensor.NewSparse(3, make([]int, 1+shape[0]), nil, nil)
			return x
		}
		kind := 0
		switch {
		case at == len(in)-1:
			kind = 4
		case at < 2:
			kind = rapid.IntRange(1, 2).Draw(t, "bags")
		}
		d := nn.Data{X: draw("X", kind, m.InputShape("input")), Y: draw("Y", 0, m.OutputShape("output"))}
		lossOf := rapid.SampledFrom([]nn.Loss{loss.BinaryCrossentropy{}, loss.BinaryCrossentropy{FromLogits: true}, loss.MeanSquaredError{}}).Draw(t, "loss")
		measure := rapid.SliceOfN(rapid.SampledFrom([]nn.Metric{metrics.Accuracy{}, metrics.BinaryAccuracy{}, metrics.Mean{}}), 0, 1).Draw(t, "metrics")
		o := nn.FitOptions{Optimizer: optim.Adam{}, Loss: lossOf, Metrics: measure, Epochs: 2, BatchSize: rapid.IntRange(0, 3).Draw(t, "batch"),
			Threads: rapid.IntRange(0, 3).Draw(t, "threads"), NoFusion: rapid.Bool().Draw(t, "no fusion"),
			ValidationSplit: rapid.SampledFrom([]float64{0, 0.3}).Draw(t, "split")}
		if rapid.Bool().Draw(t, "class weights") {
			o.ClassWeight = map[int]float32{1: 2}
		}
		ctx := context.Background()
		_, _ = m.PredictInto(ctx, nil, d.X, nn.PredictOptions{})
		_, _ = m.Fit(ctx, d, o)
		_, _ = m.Evaluate(ctx, d, nn.EvaluateOptions{Loss: lossOf, Metrics: measure, NoFusion: o.NoFusion})
		out, err := m.PredictInto(ctx, nil, d.X, nn.PredictOptions{Threads: o.Threads, NoFusion: o.NoFusion})
		if err == nil && len(out)%d.X.Len() != 0 {
			t.Fatalf("%d outputs for %d rows", len(out), d.X.Len())
		}
	})
}

// unfolds unfolds what was not folded.
type unfolds struct{}

func (unfolds) Kind() string { return "Unfolds" }
func (unfolds) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	out, err := b.Unfold(in[0], in[0])
	return []plan.Symbol{out}, err
}

// Steps that were never folded cannot be unfolded: their elements would be taken for others.
func TestUnfoldOfWhatIsNotFolded(t *testing.T) {
	_, err := nn.NewSequential(unfolds{}).Build(t.Context(), nn.Features(3, 2), nn.BuildOptions{})
	if !errors.Is(err, tensor.ErrShape) {
		t.Errorf("error %v", err)
	}
}

// wideValue makes a value of this many elements of each row.
type wideValue int

func (wideValue) Kind() string { return "WideValue" }
func (w wideValue) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	return b.Add(plan.Op{
		Outputs: func([]plan.Signature) ([]plan.Signature, error) {
			return []plan.Signature{{Type: tensor.TypeFloat32, Shape: tensor.Shape{tensor.Unknown, int(w)}}}, nil
		},
		Forward: func(*plan.Frame, plan.Span) {},
	}, in)
}

// A batch whose values do not fit into memory is an error before anything is allocated.
func TestValuesTooLarge(t *testing.T) {
	for _, width := range []int{math.MaxInt >> 4} {
		m := sequential(t, nn.Features(1), wideValue(width))
		if _, err := m.Predict(t.Context(), waves(t, 8, 1), nn.PredictOptions{}); !errors.Is(err, tensor.ErrTooLarge) {
			t.Errorf("width %d: error %v", width, err)
		}
	}
}

// Values that fit into the memory one by one and not together are an error.
func TestValuesTogetherTooLarge(t *testing.T) {
	before := debug.SetMemoryLimit(256 << 20)
	defer debug.SetMemoryLimit(before)
	const units = 1 << 20
	list := []nn.Layer{layers.Dense{Units: units}}
	for range 9 {
		list = append(list, layers.Activation{Function: layers.Tanh})
	}
	m, err := nn.NewSequential(append(list, layers.Dense{Units: 1})...).Build(t.Context(), nn.Features(1), nn.BuildOptions{})
	if err != nil {
		t.Fatal(err)
	}
	x, err := tensor.New[float32](10, 1)
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.Predict(t.Context(), x, nn.PredictOptions{BatchSize: 10, Threads: 1})
	if !errors.Is(err, tensor.ErrTooLarge) || !strings.Contains(err.Error(), "all values of a batch") {
		t.Errorf("the error is %v", err)
	}
	if _, err = m.Predict(t.Context(), x, nn.PredictOptions{BatchSize: 2, Threads: 1}); err != nil {
		t.Errorf("in small batches: %v", err)
	}
}
