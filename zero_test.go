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

	"github.com/linnet-ml/linnet/classifier"
	"github.com/linnet-ml/linnet/classifier/evaluation"
	"github.com/linnet-ml/linnet/datasets/labels"
	"github.com/linnet-ml/linnet/datasets/textdir"
	"github.com/linnet-ml/linnet/datasets/texts"
	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/model"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/optional"
	"github.com/linnet-ml/linnet/pretrained"
	"github.com/linnet-ml/linnet/serve"
	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

// zeroes are the types with methods on their pointers, errors and those of package plan aside, which only the library makes.
var zeroes = []any{
	new(classifier.Classifier), new(evaluation.Figure), new(evaluation.Measures), new(history.Direction), new(history.History), new(history.Logs),
	new(labels.Classes), new(textdir.Dataset), new(texts.Checker), new(texts.Source), new(layers.TokenTable), new(layers.VectorTable),
	new(model.File), new(model.Tensors), new(nn.Graph), new(nn.Model), new(nn.Node), new(nn.Sequential), new(nn.Trainer), new(pretrained.Embedding),
	new(serve.Handler), new(tensor.Array[float32]), new(tensor.Sparse), new(text.Bags), new(text.Cuts), new(text.Decoder), new(text.HashedFeatures),
	new(text.HubTokenizer), new(text.Vectorization), new(text.Vocabulary), new(text.VocabularyBuilder), new(text.Combiner), new(text.Splitting),
	new(text.Standardization), new(text.Side), new(text.OutputMode), new(tensor.Type), new(optional.Value[int]),
}

// panicsAsSlices are methods that take the number of a row, or a range, and panic as slices do.
var panicsAsSlices = map[string]bool{
	"Array.Row": true, "Array.Rows": true, "Sparse.Row": true, "Bags.Row": true, "Bags.Bounds": true, "Bags.Count": true, "Bags.Length": true,
}

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
			if panicsAsSlices[place] {
				continue
			}
			empty := callOn(reflect.New(pointer.Elem()), i)
			if empty.panicked != nil {
				t.Errorf("zero %s panics: %v", place, empty.panicked)
			}
			if name == "Classifier" && empty.what != "" {
				t.Errorf("zero %s returns %s", place, empty.what)
			}
			if _, ofValue := pointer.Elem().MethodByName(method.Name); ofValue {
				continue
			}
			if returnsError := method.Type.NumOut() > 0 && method.Type.Out(method.Type.NumOut()-1) == reflect.TypeFor[error](); returnsError || name == "Classifier" {
				ofNil := callOn(reflect.Zero(pointer), i)
				if ofNil.panicked != nil {
					t.Errorf("nil %s panics: %v", place, ofNil.panicked)
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
	for _, m := range regexp.MustCompile(`(?m)^(\S+): method \(\*(\w+)`).FindAllStringSubmatch(string(api), -1) {
		if name := m[1] + "." + m[2]; m[1] != "nn/plan" && !strings.HasSuffix(name, "Error") && !known[name] {
			t.Errorf("zeroes lacks %s", name)
		}
	}
}

// called is what a call gave: its error, and which of its other results is not empty.
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
			for range out.Seq2() {
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
