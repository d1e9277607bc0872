package plan_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/callbacks"
	"github.com/linnet-ml/linnet/internal/boundary"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/metrics"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/optional"
	"github.com/linnet-ml/linnet/text"
)

func all(t testing.TB) *plan.Kinds {
	t.Helper()
	k, err := plan.NewKinds(layers.Kinds(), optim.Kinds(), loss.Kinds(), metrics.Kinds(), callbacks.Kinds(), nn.Kinds(), text.Kinds())
	must(t, err)
	return k
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fill sets every field that is written to something that is not zero.
func fill(v reflect.Value, kinds []plan.Spec, depth int) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(1)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(2)
	case reflect.Float32, reflect.Float64:
		v.SetFloat(0.1)
	case reflect.String:
		v.SetString("a\"\u2028é")
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), kinds, depth)
	case reflect.Interface:
		for _, k := range kinds {
			if t := reflect.TypeOf(k); depth < 3 && t.AssignableTo(v.Type()) && t.Kind() == reflect.Struct && k.Kind() != "VectorTable" && k.Kind() != "TextEmbedding" {
				filled := reflect.New(t).Elem()
				fill(filled, kinds, depth+1)
				v.Set(filled)
				return
			}
		}
	case reflect.Struct:
		if u, ok := v.Addr().Interface().(interface{ UnmarshalJSON([]byte) error }); ok { // an optional.Value
			for _, text := range []string{"0", "true", `"x"`} {
				if u.UnmarshalJSON([]byte(text)) == nil {
					return
				}
			}
		}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Tag.Get("json") != "-" {
				fill(v.Field(i), kinds, depth)
			}
		}
	}
}

// Every kind that exists goes to JSON and back, empty and with each of its fields set, and always to the same bytes.
func TestEveryKindGoesToJSONAndBack(t *testing.T) {
	var list []plan.Spec
	for _, l := range [][]plan.Spec{layers.Kinds(), optim.Kinds(), loss.Kinds(), metrics.Kinds(), callbacks.Kinds(), nn.Kinds()} {
		list = append(list, l...)
	}
	k := all(t)
	for _, s := range list {
		if s.Kind() == "VectorTable" { // it needs its assets: see TestTextEmbeddingGoesToJSONAndBack
			continue
		}
		full := reflect.New(reflect.TypeOf(s)).Elem()
		if full.Kind() == reflect.Pointer {
			full.Set(reflect.New(full.Type().Elem()))
			fill(full.Elem(), list, 0)
		} else {
			fill(full, list, 0)
		}
		for _, spec := range []plan.Spec{s, full.Interface().(plan.Spec)} {
			e, err := k.Encode(spec)
			must(t, err)
			back, err := all(t).Decode(t.Context(), e)
			must(t, err)
			if !plan.Equal(spec, back) {
				t.Errorf("%s comes back as %+v, not %+v", e.JSON, back, spec)
			}
			again, err := k.Encode(back)
			must(t, err)
			if string(again.JSON) != string(e.JSON) {
				t.Errorf("%s is written again as %s", e.JSON, again.JSON)
			}
		}
	}
}

func TestTextEmbeddingGoesToJSONAndBack(t *testing.T) {
	ctx := t.Context()
	v, err := text.NewVocabulary(ctx, []string{"good", "bad", "\xff\x00"})
	must(t, err)
	hub, err := text.NewHubTokenizer(v, text.HubTokenizerOptions{Lower: true, OOVBuckets: 2})
	must(t, err)
	vectorization, err := text.Vectorizer{}.WithVocabulary(ctx, []string{"good", "bad", "\xff\x00"}, nil)
	must(t, err)
	t.Run("HubTokenizer", func(t *testing.T) { textEmbeddingGoesToJSONAndBack(t, hub, "words") })
	t.Run("TextVectorization", func(t *testing.T) { textEmbeddingGoesToJSONAndBack(t, vectorization, "tokens") })
}

func textEmbeddingGoesToJSONAndBack(t *testing.T, words text.Tokenizer, asset string) {
	ctx := t.Context()
	vectors, err := tensorOf(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
	must(t, err)
	spec := nn.NewSequential(layers.TextEmbedding{Table: layers.VectorTable{Words: words, By: text.Mean, Vectors: vectors}, Trainable: true}, layers.Dense{Units: 1})
	e, err := all(t).Encode(spec)
	must(t, err)
	if len(e.Assets) != 2 || e.Assets["Layers[0].Table/vectors"] == nil || e.Assets["Layers[0].Table.Words/"+asset] == nil {
		t.Errorf("assets %v", e.Assets)
	}
	back, err := all(t).Decode(t.Context(), e)
	must(t, err)
	x, err := textsOf("Good bad", "bad unknown", "")
	must(t, err)
	var scores [2][]float32
	for i, s := range []plan.Spec{spec, back} {
		m, err := s.(*nn.Sequential).Build(ctx, nn.Texts(), nn.BuildOptions{Seed: 4})
		must(t, err)
		scores[i], err = m.PredictInto(ctx, nil, x, nn.PredictOptions{})
		must(t, err)
	}
	if !reflect.DeepEqual(scores[0], scores[1]) {
		t.Errorf("predictions %v and %v", scores[0], scores[1])
	}
	delete(e.Assets, "Layers[0].Table/vectors")
	if _, err = all(t).Decode(t.Context(), e); err == nil || !strings.Contains(err.Error(), "Layers[0].Table: ") {
		t.Errorf("without vectors: %v", err)
	}
}

// What is wrong with JSON is an error that names the place; nothing panics.
func TestDecodeErrors(t *testing.T) {
	k := all(t)
	deep := strings.Repeat(`{"kind":"TimeDistributed","Layer":`, 200) + `{"kind":"Flatten"}` + strings.Repeat("}", 200)
	for in, want := range map[string]string{
		``:                                "plan: the spec: it is not JSON: unexpected EOF",
		`null`:                            "plan: the spec: there is no object",
		`[]`:                              "plan: the spec: there is no object",
		`{"Units":3}`:                     "plan: the spec: there is no kind",
		`{"kind":7}`:                      "plan: the spec: there is no kind",
		`{"kind":"Dense"`:                 "plan: the spec: it is not JSON: unexpected EOF",
		`{"kind":"Dense"}x`:               "plan: the spec: more follows the value",
		`{"kind":"Dense","kind":"Dense"}`: `plan: the spec: the member "kind" is there twice`,
		`{"kind":"Dense","Unit":3}`:       `plan: the spec: layers.Dense has no "Unit"`,
		`{"kind":"Dense","Units":"3"}`:    `plan: Units: "\"3\"" is no int`,
		`{"kind":"Dense","Units":1e30}`:   `plan: Units: "1e30" is no int`,
		`{"kind":"Dense","KernelInit":{"kind":"Dense"}}`:                              "plan: KernelInit: a Dense is no plan.Initializer",
		`{"kind":"Sequential","Layers":[{"kind":"Flatten"},{"kind":"Nothing"}]}`:      `plan: Layers[1]: the kind "Nothing" is not known; there are [`,
		`{"kind":"Sequential","Layers":[{"kind":"Dense","KernelInit":{"kind":"X"}}]}`: `plan: Layers[0].KernelInit: the kind "X" is not known; there are [`,
		`{"kind":"Sequential","Layers":{}}`:                                           "plan: Layers: there is no list",
		`{"kind":"Dropout","Rate":1e99}`:                                              `plan: Rate: "1e99" is no float32`,
		`{"kind":"Dropout","Rate":NaN}`:                                               `plan: the spec: it is not JSON: invalid character 'N'`,
		deep:                                                                          "lie more than 100 deep in each other",
	} {
		_, err := k.Decode(t.Context(), plan.Encoded{JSON: []byte(in)})
		var place *plan.PlaceError
		if err == nil || !strings.Contains(err.Error(), want) || !errors.As(err, &place) {
			t.Errorf("%.80s: error %v, want %s", in, err, want)
		}
	}
	wrong, err := tensorOf(1, 2)
	must(t, err)
	if _, err := k.Decode(t.Context(), plan.Encoded{JSON: []byte(`{"kind":"Flatten"}`), Assets: assets("Table/vectors", wrong)}); err == nil || err.Error() != `plan: the spec: no spec has the asset "Table/vectors"` {
		t.Errorf("an asset that nobody wants: %v", err)
	}
}

// function is a spec that cannot be written down.
type function struct{ F func() }

func (function) Kind() string { return "Function" }

type dense struct{ Units int }

func (dense) Kind() string { return "Dense" }

func TestEncodeErrors(t *testing.T) {
	k := all(t)
	must(t, k.Register(function{}, layers.Dense{}))
	for _, c := range []struct {
		spec plan.Spec
		want string
	}{
		{nil, "plan: the spec: it is nil"},
		{(*nn.Sequential)(nil), "plan: the spec: it is nil"},
		{nn.NewSequential(nil), ""},
		{function{func() {}}, "plan: F: func() cannot be written down"},
		{dense{}, `plan: the spec: plan_test.dense says it is of the kind "Dense", which is layers.Dense`},
		{layers.Dense{KernelInit: layers.Constant{Value: float32(inf)}}, "plan: KernelInit.Value: +Inf is no number that JSON has"},
		{layers.Dense{Name: "\xff"}, `plan: Name: "\xff" is not UTF-8`},
		{unknown{}, `plan: the spec: the kind "Unknown" is not registered`},
	} {
		_, err := k.Encode(c.spec)
		if c.want == "" {
			must(t, err)
		} else if err == nil || err.Error() != c.want {
			t.Errorf("error %v, want %s", err, c.want)
		}
	}
	if err := k.Register(dense{}); err == nil {
		t.Error("two types of one kind are no error")
	}
	if err := k.Register(nil); err == nil {
		t.Error("nil is no error")
	}
}

type (
	// around has a Layer, by whose Kind a value without one panics.
	around struct{ plan.Layer }
	// ring points to itself, twice in each round.
	ring struct{ A, B *ring }
	// bag holds anything at all by name.
	bag struct{ M map[string]any }
	// tagged has a member that would be named as its kind is, and double two of one name.
	tagged struct {
		K string `json:"kind"`
	}
	double struct {
		A int
		B int `json:"A"`
	}
	hidden struct{ inner }
	inner  struct{ Units int }
	// mute writes what it cannot read.
	mute struct {
		V optional.Value[plan.Initializer]
	}
)

func (*ring) Kind() string  { return "Ring" }
func (bag) Kind() string    { return "Bag" }
func (tagged) Kind() string { return "Tagged" }
func (double) Kind() string { return "Double" }
func (hidden) Kind() string { return "Hidden" }
func (mute) Kind() string   { return "Mute" }

// Specs of users that break every rule are errors: they do not panic, run without end or lose a field in silence.
func TestHostileSpecs(t *testing.T) {
	k := all(t)
	for _, s := range []plan.Spec{around{}, tagged{}, double{}, hidden{}} {
		if err := k.Register(s); err == nil {
			t.Errorf("%T is registered", s)
		}
	}
	must(t, k.Register(&ring{}, bag{}, mute{}))
	r := &ring{}
	r.A, r.B = r, r
	m := bag{map[string]any{}}
	m.M["m"] = m
	vectors, err := tensorOf(1, 2)
	must(t, err)
	table := layers.VectorTable{Vectors: vectors}
	for want, s := range map[string]plan.Spec{
		"plan: A: *plan_test.ring lies within itself":             r,
		"plan: M.m.M: map[string]interface {} lies within itself": m,
		"plan: Layers[1]: the *layers.Dense is nil":               nn.NewSequential(layers.Flatten{}, (*layers.Dense)(nil)),
		"nn: panic in ":                        around{},
		"plan: V: optional.Value[":             mute{optional.Of[plan.Initializer](layers.GlorotUniform{})},
		`plan: M: the key "\xff" is not UTF-8`: bag{map[string]any{"\xff": nil}},
		"plan: M.a.M.b: another spec's asset is named \"M.a.M.b/vectors\", too": bag{map[string]any{"a.M.b": table, "a": bag{map[string]any{"b": table}}}},
		"plan: M.m: int is no spec":                                              bag{map[string]any{"m": 3}},
		"plan: M.t.Words: plan_test.letters is no spec":                          bag{map[string]any{"t": layers.VectorTable{Vectors: vectors, Words: letters{}}}},
		"plan: Layers[0].Table: a VectorTable without Vectors":                   nn.NewSequential(layers.TextEmbedding{Table: layers.VectorTable{}}),
		`plan: Layers[0].Table.Words: text: a HubTokenizer without a vocabulary`: nn.NewSequential(layers.TextEmbedding{Table: layers.VectorTable{Vectors: vectors, Words: new(text.HubTokenizer)}}),
	} {
		if _, err := k.Encode(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	// What is shared, and not around itself, is written where it stands.
	shared := &ring{}
	e, err := k.Encode(&ring{A: shared, B: shared})
	must(t, err)
	if want := `{"kind":"Ring","A":{"kind":"Ring"},"B":{"kind":"Ring"}}`; string(e.JSON) != want {
		t.Errorf("%s, want %s", e.JSON, want)
	}
}

// letters is a tokenizer that is no spec.
type letters struct{}

func (letters) AppendIDs(_ context.Context, dst []int32, s string) ([]int32, error) { return dst, nil }
func (letters) Size() int                                                           { return 1 }

type unknown struct{}

func (unknown) Kind() string { return "Unknown" }

// Comparing specs never panics, whatever they hold.
func TestEqual(t *testing.T) {
	a := optim.PiecewiseConstantDecay{Boundaries: []int{1}, Values: []float32{1, 2}}
	b := optim.PiecewiseConstantDecay{Boundaries: []int{1}, Values: []float32{1, 2}}
	c := optim.PiecewiseConstantDecay{Boundaries: []int{2}, Values: []float32{1, 2}}
	if !plan.Equal(a, b) || plan.Equal(a, c) || plan.Equal(a, nil) || !plan.Equal(nil, nil) || !plan.Equal(optim.SGD{Schedule: a}, optim.SGD{Schedule: b}) {
		t.Error("equal specs are not, or others are")
	}
	if f := func() {}; plan.Equal(function{f}, function{f}) || !plan.Equal(function{}, function{}) {
		t.Error("functions")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"kind":"Sequential","Layers":[{"kind":"Embedding","Vocabulary":10,"Dim":2,"Init":{"kind":"RandomUniform","Min":-1}},{"kind":"Bidirectional","Layer":{"kind":"LSTM","Units":3}}]}`))
	f.Add([]byte(`{"kind":"Functional","Inputs":[{"Name":"a","Input":{"Type":"int32","Dims":[-1]}}],"Nodes":[{"Layer":{"kind":"Flatten"},"Calls":[[{"Node":-1}]]}],"Outputs":[{"Name":"y","Ref":{}}]}`))
	f.Add([]byte(`{"kind":"Adam","Schedule":{"kind":"PiecewiseConstantDecay","Boundaries":[9223372036854775807],"Values":[0.1,1e-45]},"Beta1":0,"Shared":{"ClipNorm":1}}`))
	f.Add([]byte(`{"kind":"HubTokenizer","value":{"OOVBuckets":9223372036854775807}}`))
	for changed := range boundary.Decimals([]byte(`{"kind":"Functional","Inputs":[{"Name":"a","Input":{"Type":"int32","Dims":[3]}}],"Nodes":[{"Layer":{"kind":"Embedding","Vocabulary":10,"Dim":2},"Calls":[[{"Node":0,"Output":0}]]}],"Outputs":[{"Name":"y","Ref":{"Node":0}}]}`)) {
		f.Add(changed)
	}
	k := all(f)
	f.Fuzz(func(t *testing.T, in []byte) {
		s, err := k.Decode(t.Context(), plan.Encoded{JSON: in})
		if err != nil {
			return
		}
		e, err := k.Encode(s)
		must(t, err)
		back, err := k.Decode(t.Context(), e)
		must(t, err)
		if !plan.Equal(s, back) {
			t.Errorf("%s comes back as another spec", e.JSON)
		}
	})
}
