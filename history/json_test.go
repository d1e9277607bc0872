package history_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/linnet-ml/linnet/history"
)

func TestJSON(t *testing.T) {
	h := gaps()
	got, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	// JSON has neither NaN nor infinities; an epoch that did not log a name has null too. Names keep their order.
	want := `{"epoch":[2,3,4],"history":{"loss":[0,0,0],"a":[0.1,null,null],"b,\"2\"":[null,1e-07,1e-07]},"directions":{"loss":"lower"}}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	r := read(t, want)
	if d := cmp.Diff(h.Names(), r.Names()); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(h.Epochs, r.Epochs); d != "" {
		t.Error(d)
	}
	for i, name := range h.Names() {
		want := h.Values(name)
		if i == 1 {
			want[2] = math.NaN() // was infinite
		}
		if d := cmp.Diff(want, r.Values(name), cmpopts.EquateNaNs()); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	again, err := json.Marshal(r)
	if err != nil || string(again) != want {
		t.Errorf("written again: %s, %v", again, err)
	}
}

func TestEmptyJSON(t *testing.T) {
	got, err := json.Marshal(new(history.History))
	want := `{"epoch":[],"history":{}}`
	if err != nil || string(got) != want {
		t.Fatalf("%s, %v", got, err)
	}
	if h := read(t, want); len(h.Epochs) != 0 || len(h.Names()) != 0 {
		t.Errorf("%v", h)
	}
}

// A reason to stop is kept in JSON.
func TestStoppedJSON(t *testing.T) {
	h := history.History{Epochs: []int{0}, Stopped: `early "stop"`}
	got, err := json.Marshal(&h)
	want := `{"epoch":[0],"history":{},"stopped":"early \"stop\""}`
	if err != nil || string(got) != want {
		t.Fatalf("%s, %v", got, err)
	}
	if got := read(t, want).Stopped; got != h.Stopped {
		t.Errorf("read: %q", got)
	}
}

// A History that was read knows the directions of what it has logged, and Best needs no other.
func TestDirectionsJSON(t *testing.T) {
	h := read(t, `{"epoch":[0,1],"history":{"loss":[2,1],"hits":[4,3],"mean":[0,1]}}`)
	h.SetDirection("hits", history.HigherIsBetter)
	h.SetDirection("loss", history.LowerIsBetter)
	h.SetDirection("val_loss", history.LowerIsBetter) // never logged, never written
	got, err := json.Marshal(h)
	want := `{"epoch":[0,1],"history":{"loss":[2,1],"hits":[4,3],"mean":[0,1]},"directions":{"loss":"lower","hits":"higher"}}`
	if err != nil || string(got) != want {
		t.Fatalf("%s, %v", got, err)
	}
	r := read(t, want)
	for name, want := range map[string]history.Direction{
		"loss": history.LowerIsBetter, "hits": history.HigherIsBetter, "mean": history.NoDirection,
	} {
		if got := r.Direction(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if r.Best("loss", history.NoDirection) != 1 || r.Best("hits", history.NoDirection) != 0 || r.Best("mean", history.NoDirection) != -1 {
		t.Error("the best epochs differ")
	}
}

// JSON that contradicts itself, or holds something else, is an error, and what was there stays.
func TestBadJSON(t *testing.T) {
	for text, want := range map[string]string{
		`null`:                                            "history: there is no object",
		`[]`:                                              "history: there is no object",
		`{"history":{"loss":[]}}`:                         "history: epoch: the list is missing",
		`{"epoch":null,"history":{}}`:                     "history: epoch: not a list",
		`{"epoch":[0,null],"history":{}}`:                 `history: epoch: 1: "null" is no int`,
		`{"epoch":[0,-1],"history":{}}`:                   "history: epoch: -1 is negative",
		`{"epoch":["0"],"history":{"loss":[1]}}`:          "history: epoch: ",
		`{"epoch":[0.5],"history":{"loss":[1]}}`:          "history: epoch: ",
		`{"epoch":[1e300],"history":{"loss":[1]}}`:        "history: epoch: ",
		`{"epoch":{},"history":{}}`:                       "history: epoch: ",
		`{"epoch":[0]}`:                                   "history: the object of values is missing",
		`{"epoch":[0],"history":null}`:                    "history: there is no object",
		`{"epoch":[0],"history":[1]}`:                     "history: there is no object",
		`{"epoch":[0],"history":{"loss":[1,2]}}`:          `history: "loss": 2 values for 1 epochs`,
		`{"epoch":[0],"history":{"loss":[1],"x":[]}}`:     `history: "x": 0 values for 1 epochs`,
		`{"epoch":[0],"history":{"loss":[1],"loss":[1]}}`: `history: the member "loss" is there twice`,
		`{"epoch":[0],"epoch":[1],"history":{}}`:          `history: the member "epoch" is there twice`,
		`{"epoch":[0],"history":{},"history":{}}`:         `history: the member "history" is there twice`,
		`{"epoch":[0],"history":{"loss":["NaN"]}}`:        `history: "loss": `,
		`{"epoch":[0],"history":{"loss":[1e999]}}`:        `history: "loss": `,
		`{"epoch":[0],"history":{"loss":[[1]]}}`:          `history: "loss": `,
		`{"epoch":[0],"history":{"loss":1}}`:              `history: "loss": `,
		`{"epoch":[],"history":{"loss":null}}`:            `history: "loss": not a list`,
		`{"epoch":[0],"history":{"loss":[1]}`:             "unexpected end",
		`{"epoch":[0],"history":{},"stopped":1}`:          "history: stopped: ",

		`{"epoch":[0],"history":{"loss":[1]},"directions":[]}`:                               "history: directions: there is no object",
		`{"epoch":[0],"history":{"loss":[1]},"directions":null}`:                             "history: directions: there is no object",
		`{"epoch":[0],"history":{"loss":[1]},"directions":{"loss":"up"}}`:                    `history: directions: "loss": "up" is not a direction; there are "lower", "higher" and "none"`,
		`{"epoch":[0],"history":{"loss":[1]},"directions":{"loss":1}}`:                       `history: directions: "loss": `,
		`{"epoch":[0],"history":{"loss":[1]},"directions":{"loss":null}}`:                    `history: directions: "loss": the value is null, want a string`,
		`{"epoch":[0],"history":{"loss":[1]},"directions":{"acc":"lower"}}`:                  `history: directions: "acc": no values of that name`,
		`{"epoch":[0],"history":{"loss":[1]},"directions":{"loss":"lower","loss":"higher"}}`: `history: directions: the member "loss" is there twice`,

		strings.Repeat("[", 1e6): "exceeded max depth",
		`{"epoch":[0],"history":{"loss":` + strings.Repeat(`[`, 9000) + strings.Repeat(`]`, 9000) + `}}`: `history: it nests more than 1000 deep`,
	} {
		h := history.History{Epochs: []int{7}}
		err := json.Unmarshal([]byte(text), &h)
		if err == nil || !strings.HasPrefix(err.Error(), want) && !strings.Contains(err.Error(), "exceeded max depth") {
			t.Errorf("%.100s: got %v, want %s…", text, err, want)
		}
		if len(h.Epochs) != 1 || h.Epochs[0] != 7 {
			t.Errorf("%.100s: what was there has changed", text)
		}
	}
}

// Called by itself UnmarshalJSON gets bytes that nobody has checked.
func TestUnmarshalUnchecked(t *testing.T) {
	for _, text := range []string{``, `{`, `{"epoch"`, `{"epoch":[0],"history":{1:2}}`, `{"epoch":[],"history":{}} x`, strings.Repeat("[", 1e6)} {
		var h history.History
		if err := h.UnmarshalJSON([]byte(text)); err == nil || !strings.HasPrefix(err.Error(), "history: ") {
			t.Errorf("%.40s: %v", text, err)
		}
	}
}

// Members that a later version may add do no harm.
func TestUnknownMembers(t *testing.T) {
	h := read(t, `{"note":{"x":[1]},"history":{"loss":[1]},"epoch":[4]}`)
	if len(h.Epochs) != 1 || h.Epochs[0] != 4 || h.Values("loss")[0] != 1 {
		t.Errorf("read: %v", h)
	}
}

func TestDirectionText(t *testing.T) {
	for want, d := range map[string]history.Direction{
		`"none"`: history.NoDirection, `"lower"`: history.LowerIsBetter, `"higher"`: history.HigherIsBetter,
	} {
		got, err := json.Marshal(d)
		if err != nil || string(got) != want {
			t.Errorf("%s: %s, %v", d, got, err)
		}
		back := history.Direction(9)
		if err := json.Unmarshal(got, &back); err != nil || back != d {
			t.Errorf("%s: read as %s, %v", got, back, err)
		}
	}
	if text, err := json.Marshal(history.Direction(3)); err == nil || history.Direction(3).String() != "Direction(3)" {
		t.Errorf("3 was written as %s", text)
	}
	d := history.LowerIsBetter
	if err := json.Unmarshal([]byte(`"Lower"`), &d); err == nil || d != history.LowerIsBetter {
		t.Errorf("Lower was read as %s", d)
	}
}
