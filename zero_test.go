package linnet_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/callbacks"
	"github.com/linnet-ml/linnet/classifier"
	"github.com/linnet-ml/linnet/classifier/evaluation"
	"github.com/linnet-ml/linnet/datasets/labels"
	"github.com/linnet-ml/linnet/datasets/textdir"
	"github.com/linnet-ml/linnet/datasets/texts"
	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/metrics"
	"github.com/linnet-ml/linnet/model"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/optional"
	"github.com/linnet-ml/linnet/pretrained"
	"github.com/linnet-ml/linnet/serve"
	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

// zeroes are the types with methods, errors and those of package plan aside, which only the library makes.
var zeroes = []any{
	new(classifier.Classifier), new(evaluation.Figure), new(evaluation.Measures), new(history.Direction), new(history.History), new(history.Logs),
	new(labels.Classes), new(textdir.Dataset), new(texts.Checker), new(texts.Source), new(layers.TokenTable), new(layers.VectorTable),
	new(model.File), new(model.Tensors), new(nn.Graph), new(nn.Model), new(nn.Node), new(nn.Sequential), new(nn.Trainer), new(pretrained.Embedding),
	new(serve.Handler), new(tensor.Array[float32]), new(tensor.Sparse), new(text.Bags), new(text.Cuts), new(text.Decoder), new(text.HashedFeatures),
	new(text.HubTokenizer), new(text.Vectorization), new(text.Vocabulary), new(text.VocabularyBuilder), new(text.Combiner), new(text.Splitting),
	new(text.Standardization), new(text.Side), new(text.OutputMode), new(tensor.Type), new(optional.Value[int]),
	new(callbacks.BackupAndRestore), new(callbacks.CSVLogger), new(callbacks.EarlyStopping), new(callbacks.LearningRateScheduler),
	new(callbacks.ModelCheckpoint), new(callbacks.ProgressLine), new(callbacks.ReduceLROnPlateau), new(callbacks.TerminateOnNaN),
	new(classifier.Spec),
	new(textdir.Subset),
	new(texts.FaultExample), new(texts.FaultKind), new(texts.Found), new(texts.Options),
	new(layers.Activation), new(layers.Add), new(layers.Average), new(layers.BatchNormalization), new(layers.Bidirectional), new(layers.Concatenate),
	new(layers.Constant), new(layers.Conv1D), new(layers.Dense), new(layers.Dropout), new(layers.Embedding), new(layers.Flatten), new(layers.GRU),
	new(layers.GlobalAveragePooling1D), new(layers.GlobalMaxPooling1D), new(layers.GlobalSumPooling1D), new(layers.GlorotNormal),
	new(layers.GlorotUniform), new(layers.HeNormal), new(layers.HeUniform), new(layers.L1), new(layers.L1L2), new(layers.L2), new(layers.LSTM),
	new(layers.LayerNormalization), new(layers.LecunNormal), new(layers.LecunUniform), new(layers.MaxNorm), new(layers.Maximum), new(layers.MinMaxNorm),
	new(layers.Minimum), new(layers.MultiHeadAttention), new(layers.Multiply), new(layers.NonNeg), new(layers.Ones), new(layers.Orthogonal),
	new(layers.RandomNormal), new(layers.RandomUniform), new(layers.SimpleRNN), new(layers.Subtract), new(layers.TextEmbedding), new(layers.TextTokens),
	new(layers.TimeDistributed), new(layers.TruncatedNormal), new(layers.UnitNorm), new(layers.Zeros),
	new(loss.BinaryCrossentropy), new(loss.CategoricalCrossentropy), new(loss.MeanSquaredError), new(loss.SparseCategoricalCrossentropy),
	new(metrics.AUC), new(metrics.Accuracy), new(metrics.BinaryAccuracy), new(metrics.BinaryCrossentropy), new(metrics.CategoricalAccuracy),
	new(metrics.CategoricalCrossentropy), new(metrics.ExactAccuracy), new(metrics.F1Score), new(metrics.FBetaScore), new(metrics.FalseNegatives),
	new(metrics.FalsePositives), new(metrics.Mean), new(metrics.MeanAbsoluteError), new(metrics.MeanSquaredError), new(metrics.Precision),
	new(metrics.Recall), new(metrics.RootMeanSquaredError), new(metrics.SparseCategoricalAccuracy), new(metrics.SparseCategoricalCrossentropy),
	new(metrics.SparseTopKCategoricalAccuracy), new(metrics.TopKCategoricalAccuracy), new(metrics.TrueNegatives), new(metrics.TruePositives),
	new(model.Format), new(model.Storage),
	new(nn.Data), new(nn.SourceFunc), new(nn.Value),
	new(optim.Adadelta), new(optim.Adagrad), new(optim.Adam), new(optim.AdamW), new(optim.Adamax), new(optim.CosineDecay), new(optim.CosineDecayRestarts),
	new(optim.ExponentialDecay), new(optim.Ftrl), new(optim.InverseTimeDecay), new(optim.Lion), new(optim.Nadam), new(optim.PiecewiseConstantDecay),
	new(optim.PolynomialDecay), new(optim.RMSprop), new(optim.SGD),
	new(pretrained.VectorKind),
	new(tensor.Shape),
	new(text.HashedFeaturesOptions), new(text.Unicode), new(text.Vectorizer),
}

// panicsAsSlices are methods that take the number of a row, a range, or the elements of a shape, and panic as slices do.
var panicsAsSlices = map[string]bool{
	"MaxNorm.Apply": true, "MinMaxNorm.Apply": true, "UnitNorm.Apply": true, "Array.Row": true, "Array.Rows": true, "Sparse.Row": true, "Bags.Row": true, "Bags.Bounds": true, "Bags.Count": true, "Bags.Length": true,
}

// needsTraining are methods of zero values that may be used, to which package nn gives what is going on.
var needsTraining = map[string]bool{"ReduceLROnPlateau.Start": true}

// yieldsNoError are methods that return errors row by row, and whose zero values have none.
var yieldsNoError = map[string]bool{"Data.Batches": true, "Checker.Watch": true}

// Methods of zero values do not panic, whatever type it is, and neither do those of nil pointers that return an error. The
// Classifier's methods do not panic on either.
func TestZeroValues(t *testing.T) {
	known := map[string]bool{}
	for _, v := range zeroes {
		pointer := reflect.TypeOf(v)
		name, _, _ := strings.Cut(pointer.Elem().Name(), "[")
		known[strings.TrimPrefix(pointer.Elem().PkgPath(), module+"/")+"."+name] = true
		for i := range pointer.NumMethod() {
			method := pointer.Method(i)
			place := name + "." + method.Name
			if panicsAsSlices[place] || needsTraining[place] {
				continue
			}
			empty := callOn(reflect.New(pointer.Elem()), i)
			if empty.panicked != nil {
				t.Errorf("zero %s panics: %v", place, empty.panicked)
			}
			if name == "Classifier" && empty.what != "" {
				t.Errorf("zero %s returns %s", place, empty.what)
			}
			yieldsError := false
			for out := range method.Type.Outs() {
				yieldsError = yieldsError || out.Kind() == reflect.Func && out.CanSeq2() && out.In(0).In(1) == reflect.TypeFor[error]()
			}
			if yieldsError && (empty.err == nil) != yieldsNoError[place] {
				t.Errorf("zero %s yields the error %v", place, empty.err)
			}
			if _, ofValue := pointer.Elem().MethodByName(method.Name); ofValue {
				continue
			}
			if returnsError := method.Type.NumOut() > 0 && method.Type.Out(method.Type.NumOut()-1) == reflect.TypeFor[error](); returnsError || yieldsError || name == "Classifier" {
				ofNil := callOn(reflect.Zero(pointer), i)
				if ofNil.panicked != nil {
					t.Errorf("nil %s panics: %v", place, ofNil.panicked)
				}
				if yieldsError && ofNil.err == nil {
					t.Errorf("nil %s yields the error %v", place, ofNil.err)
				}
				if name == "Classifier" && (ofNil.what != "" || returnsError && (empty.err == nil || ofNil.err == nil || ofNil.err.Error() != empty.err.Error())) {
					t.Errorf("nil %s returns %s and the error %v; that of an empty one is %v", place, ofNil.what, ofNil.err, empty.err)
				}
			}
		}
	}
	api, err := os.ReadFile("internal/api/api.txt")
	if err != nil {
		t.Fatal(err)
	}
	methods := regexp.MustCompile(`(?m)^(\S+): method \(\*?(\w+)[^)]*\) (\w+)`).FindAllStringSubmatch(string(api), -1)
	for _, m := range methods {
		if m[3] == "Error" {
			known[m[1]+"."+m[2]] = true
		}
	}
	for _, m := range methods {
		if name := m[1] + "." + m[2]; m[1] != "nn/plan" && !known[name] {
			t.Errorf("zeroes lacks %s", name)
			known[name] = true
		}
	}
}

// called is what a call gave: the error that it returned or yielded last, and which of its other results is not empty.
type called struct {
	what     string
	err      error
	panicked any
}

// callOn calls method i of a value with arguments that are empty.
func callOn(v reflect.Value, i int) (c called) {
	defer func() { c.panicked = recover() }()
	m := v.Method(i)
	var args []reflect.Value
	for k := range m.Type().NumIn() {
		if !m.Type().IsVariadic() || k < m.Type().NumIn()-1 {
			args = append(args, emptyArgument(m.Type().In(k)))
		}
	}
	for _, out := range m.Call(args) {
		switch {
		case out.Type() == reflect.TypeFor[error]():
			c.err, _ = out.Interface().(error)
		case out.Kind() == reflect.Func && out.Type().CanSeq2() && !out.IsNil():
			for _, v := range out.Seq2() {
				if err, ok := v.Interface().(error); ok {
					c.err = err
				}
			}
		case !out.IsZero():
			c.what = m.Type().String()
		}
	}
	return c
}

// emptyArgument is an argument with nothing in it, but one that may be used.
func emptyArgument(t reflect.Type) reflect.Value {
	switch t {
	case reflect.TypeFor[context.Context]():
		return reflect.ValueOf(context.Background())
	case reflect.TypeFor[io.Writer]():
		return reflect.ValueOf(io.Discard)
	case reflect.TypeFor[http.ResponseWriter]():
		return reflect.ValueOf(httptest.NewRecorder())
	}
	switch t.Kind() {
	case reflect.Pointer:
		return reflect.New(t.Elem())
	case reflect.Func: // a callback, or what yields nothing
		return reflect.MakeFunc(t, func([]reflect.Value) []reflect.Value {
			out := make([]reflect.Value, t.NumOut())
			for i := range out {
				out[i] = reflect.Zero(t.Out(i))
			}
			return out
		})
	}
	return reflect.Zero(t)
}
