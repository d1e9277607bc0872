package plan_test

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/internal/boundary"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
)

// fullState has something in each of its fields, and what JSON lacks where it may be.
func fullState() *plan.TrainingState {
	h := &history.History{Stopped: "patience"}
	h.SetDirection("loss", history.LowerIsBetter)
	for i, v := range []float64{0.1, math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), math.Float64frombits(0x7ff8dead00000001)} {
		l := &history.Logs{}
		l.Set("loss", v)
		l.Set("a \"name\"/with\u2028signs", float64(i)/3)
		h.Append(i, l)
	}
	return &plan.TrainingState{
		Version: plan.StateVersion, Epoch: 6, Batch: 3, Seed: math.MaxUint64, Accumulated: 2, Stopped: "<why>",
		Groups: []plan.GroupState{
			{Optimizer: "Adam", Slots: []string{"m", "v"}, Step: math.MaxInt32 / 2, Rate: 0.1, Scalars: []float32{1e-45, math.MaxFloat32}},
			{Optimizer: "SGD", Slots: []string{}, Rate: float32(1) / 3},
		},
		Measured:  [][]float64{{0.1, math.NaN(), math.Inf(1)}, {}, {math.Copysign(0, -1)}},
		History:   h,
		Callbacks: []plan.HandlerState{{Kind: "EarlyStopping", Values: json.RawMessage(`{"best":0.1,"wait":2}`), Weights: map[string][]float32{"dense/kernel": {1, float32(math.Copysign(0, -1))}}}, {Kind: "CSVLogger"}},
		Weights:   map[string][]float32{"dense/kernel": {0.1, 1e-45, float32(math.Copysign(0, -1))}, "dense/bias": {}},
		Slots:     map[string][][]float32{"dense/kernel": {{1, 2, 3}, {4, 5, 6}}, "plain": {}},
		Rows:      map[string]*plan.RowSlots{"embedding/embeddings": {Rows: []int32{2, 1 << 30}, Slots: [][]float32{{1, 2, 3, 4}, {5, 6, 7, 8}}}, "none": {Rows: []int32{}}},
		Averages:  map[string][]float32{"dense/kernel": {7, 8, 9}},
		Gradients: map[string][]float32{"dense/kernel": {-1, -2, -3}},
	}
}

// fullState has every field: one that is added later must be written, too. From is not: it is where a state was read.
func TestFullStateHasEveryField(t *testing.T) {
	v := reflect.ValueOf(*fullState())
	for i := range v.NumField() {
		if name := v.Type().Field(i).Name; v.Field(i).IsZero() && name != "From" {
			t.Errorf("%s is zero in the state of the tests", name)
		}
	}
}

// bitwise makes a state comparable: NaN is equal to NaN of the same bits.
func bitwise(s *plan.TrainingState) (small plan.TrainingState, numbers map[string][]uint64) {
	small, numbers = *s, map[string][]uint64{}
	add := func(name string, list []float64) {
		for _, v := range list {
			numbers[name] = append(numbers[name], math.Float64bits(v))
		}
	}
	for _, list := range s.Measured {
		add("sums", append([]float64{float64(len(list))}, list...))
	}
	for _, name := range s.History.Names() {
		add("history "+name, s.History.Values(name))
	}
	for _, e := range s.History.Epochs {
		add("epochs", []float64{float64(e)})
	}
	for _, w := range []map[string][]float32{s.Weights, s.Callbacks[0].Weights} {
		for name, list := range w {
			for _, v := range list {
				numbers[name] = append(numbers[name], uint64(math.Float32bits(v)))
			}
		}
	}
	small.Measured, small.History = nil, nil
	return small, numbers
}

func TestStateGoesToJSONAndBack(t *testing.T) {
	s := fullState()
	e, err := s.Encode()
	must(t, err)
	again, err := fullState().Encode()
	must(t, err)
	if string(e.JSON) != string(again.JSON) {
		t.Errorf("the same state is written as\n%s\nand\n%s", e.JSON, again.JSON)
	}
	back, err := plan.DecodeState(t.Context(), e)
	must(t, err)
	small, numbers := bitwise(s)
	backSmall, backNumbers := bitwise(back)
	if !reflect.DeepEqual(numbers, backNumbers) {
		t.Errorf("numbers come back as\n%v, not\n%v", backNumbers, numbers)
	}
	if !reflect.DeepEqual(small, backSmall) {
		t.Errorf("the state comes back as\n%+v, not\n%+v", backSmall, small)
	}
	if back.History.Stopped != s.History.Stopped || back.History.Direction("loss") != history.LowerIsBetter {
		t.Error("the history comes back without its reason or directions")
	}
	start, err := (&plan.TrainingState{}).Encode()
	must(t, err)
	zero, err := plan.DecodeState(t.Context(), start)
	must(t, err)
	if !reflect.DeepEqual(zero, &plan.TrainingState{}) {
		t.Errorf("the zero state comes back as %+v", zero)
	}
}

// What no run has left is an error, whatever it is; nothing panics.
func TestDecodeStateErrors(t *testing.T) {
	floats := func(v ...float32) tensor.Rows { x, _ := tensor.Of(v); return x }
	ints := func(v ...int32) tensor.Rows { x, _ := tensor.Of(v); return x }
	nan := float32(math.NaN())
	for _, c := range []struct {
		json   string
		assets map[string]tensor.Rows
		want   string
	}{
		{``, nil, "it is not JSON: unexpected EOF"},
		{`null`, nil, "there is no object"},
		{`[]`, nil, "there is no object"},
		{`{}{}`, nil, "more follows the value"},
		{`{"epoch":1,"epoch":2}`, nil, `the member "epoch" is there twice`},
		{`{"epochs":1}`, nil, `the member "epochs" is not known`},
		{`{"version":2}`, nil, "has version 2"},
		{`{"epoch":-1}`, nil, "has the epoch -1"},
		{`{"epoch":1e3}`, nil, `epoch: "1e3" is no int`},
		{`{"groups":[{"Rate":1}]}`, nil, `groups: 0: the member "Rate" is not known`},
		{`{"groups":[{"rate":1,"rate":1}]}`, nil, `groups: 0: the member "rate" is there twice`},
		{`{"groups":[{"rate":-1}]}`, nil, "a learning rate of -1"},
		{`{"groups":[{"step":-1}]}`, nil, "step -1"},
		{`{"history":{"epoch":[0],"history":{"loss":[]}}}`, nil, "0 values for 1 epochs"},
		{`{"odd":{"loss":{"0":"7ff0000000000000"}}}`, nil, `the history of "loss" has no value "0"`},
		{`{"history":{"epoch":[0],"history":{"loss":[null]}},"odd":{"loss":{"1":"0"}}}`, nil, `has no value "1"`},
		{`{"history":{"epoch":[0],"history":{"loss":[null]}},"odd":{"loss":{"+0":"0"}}}`, nil, `has no value "+0"`},
		{`{"measured":[["x"]]}`, nil, `"x" is no number`},
		{`{"slots":{"k":2147483647}}`, nil, `0 slots of "k" in place of 2147483647`},
		{`{"slots":{"k":-1}}`, nil, `0 slots of "k" in place of -1`},
		{`{"slots":{"k":2}}`, map[string]tensor.Rows{"slot1/k": floats(1)}, `lacks a slot of "k"`},
		{`{}`, map[string]tensor.Rows{"slot64/k": floats(1)}, `asset "slot64/k": the name is unknown`},
		{`{}`, map[string]tensor.Rows{"slot01/k": floats(1)}, "the name is unknown"},
		{`{}`, map[string]tensor.Rows{"slot-1/k": floats(1)}, "the name is unknown"},
		{`{}`, map[string]tensor.Rows{"k": floats(1)}, "the name is unknown"},
		{`{}`, map[string]tensor.Rows{"callback0/k": floats(1)}, "the name is unknown"},
		{`{}`, map[string]tensor.Rows{"weights/k": ints(1)}, "the values are float32"},
		{`{}`, map[string]tensor.Rows{"weights/k": (*tensor.Float32)(nil)}, "the values are float32"},
		{`{}`, map[string]tensor.Rows{"weights/k": nil}, "the values are float32"},
		{`{}`, map[string]tensor.Rows{"weights/k": floats(1, nan)}, `weights of "k" have NaN at element 1`},
		{`{}`, map[string]tensor.Rows{"averages/k": floats(nan)}, `averages of "k" have NaN`},
		{`{}`, map[string]tensor.Rows{"rows/k": floats(1)}, "rows are int32"},
		{`{}`, map[string]tensor.Rows{"rowslot0/k": floats(1)}, `lacks the rows or a slot of "k"`},
		{`{}`, map[string]tensor.Rows{"rows/k": ints(1), "rowslot1/k": floats(1)}, `lacks the rows or a slot of "k"`},
	} {
		s, err := plan.DecodeState(t.Context(), plan.Encoded{JSON: []byte(c.json), Assets: c.assets})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %v: state %+v, error %v; want %s", c.json, c.assets, s, err, c.want)
		}
	}
	if _, err := (*plan.TrainingState)(nil).Encode(); err == nil {
		t.Error("nil is written")
	}
	if _, err := (&plan.TrainingState{Rows: map[string]*plan.RowSlots{"k": nil}}).Encode(); err == nil {
		t.Error("nil rows are written")
	}
}

func FuzzDecodeState(f *testing.F) {
	e, err := fullState().Encode()
	must(f, err)
	f.Add(e.JSON)
	f.Add([]byte(`{"slots":{"k":9223372036854775807},"odd":{"loss":{"0":"7ff0000000000000"}}}`))
	for changed := range boundary.Every(7, boundary.Decimals(e.JSON)) {
		f.Add(changed)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		s, err := plan.DecodeState(t.Context(), plan.Encoded{JSON: in, Assets: e.Assets})
		if err != nil {
			return
		}
		if _, err := s.Encode(); err != nil {
			t.Errorf("%s cannot be written again: %v", in, err)
		}
	})
}
