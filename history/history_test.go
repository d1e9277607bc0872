package history_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/linnet-ml/linnet/history"
)

// gaps is a history of epochs 2 to 4 with a NaN, an infinity, and b from epoch 3 on. The loss is better lower.
func gaps() *history.History {
	h := new(history.History)
	var l history.Logs
	for i, a := range []float64{0.1, math.NaN(), math.Inf(1)} {
		l.Reset()
		l.Set("loss", 0)
		l.Set("a", a)
		if i > 0 {
			l.Set(`b,"2"`, 1e-7)
		}
		h.Append(2+i, &l)
	}
	h.SetDirection("loss", history.LowerIsBetter)
	return h
}

func read(t *testing.T, text string) *history.History {
	t.Helper()
	h := new(history.History)
	if err := json.Unmarshal([]byte(text), h); err != nil {
		t.Fatal(err)
	}
	return h
}

// Every name has a value for each epoch: NaN before it was first logged and where it was left out.
func TestAppend(t *testing.T) {
	h := gaps()
	var last history.Logs
	last.Set("a", 5)
	h.Append(5, &last)
	last.Set("a", 6) // the History has a copy
	if d := cmp.Diff([]string{"loss", "a", `b,"2"`}, h.Names()); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]int{2, 3, 4, 5}, h.Epochs); d != "" {
		t.Error(d)
	}
	nan := math.NaN()
	for name, want := range map[string][]float64{
		"loss": {0, 0, 0, nan}, "a": {0.1, nan, math.Inf(1), 5}, `b,"2"`: {nan, 1e-7, 1e-7, nan}, "none": nil,
	} {
		if d := cmp.Diff(want, h.Values(name), cmpopts.EquateNaNs()); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// A run goes on where the JSON of its History ends.
func TestAppendAfterJSON(t *testing.T) {
	h := read(t, `{"epoch":[0],"history":{"loss":[3]}}`)
	var l history.Logs
	l.Set("loss", 2)
	l.Set("val_loss", 4)
	h.Append(1, &l)
	got, err := json.Marshal(h)
	if want := `{"epoch":[0,1],"history":{"loss":[3,2],"val_loss":[null,4]}}`; err != nil || string(got) != want {
		t.Errorf("%s, %v", got, err)
	}
}

func TestWriteCSV(t *testing.T) {
	var b strings.Builder
	if err := gaps().WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	want := "epoch,loss,a,\"b,\"\"2\"\"\"\n2,0,0.1,NaN\n3,0,NaN,1e-07\n4,0,+Inf,1e-07\n"
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Error(d)
	}
}

// The best epoch is found by the direction given, or else by the History's own; NaN never is it.
func TestBest(t *testing.T) {
	h := read(t, `{"epoch":[3,4,5,6,7],"history":{"x":[null,2,1,1,2],"n":[null,null,null,null,null],"y":[0,3,1,3,2]}}`)
	h.SetDirection("y", history.HigherIsBetter)
	for _, c := range []struct {
		name   string
		better history.Direction
		want   int
	}{
		{"x", history.LowerIsBetter, 2}, {"x", history.HigherIsBetter, 1}, {"x", history.NoDirection, -1},
		{"y", history.NoDirection, 1}, {"y", history.LowerIsBetter, 0},
		{"n", history.LowerIsBetter, -1}, {"none", history.HigherIsBetter, -1},
	} {
		if got := h.Best(c.name, c.better); got != c.want {
			t.Errorf("%s, %s: epoch at %d, want %d", c.name, c.better, got, c.want)
		}
	}
}

// What is no direction removes one, so that nothing that cannot be written gets in.
func TestSetDirection(t *testing.T) {
	for _, none := range []history.Direction{history.NoDirection, 3, -1} {
		h := gaps()
		h.SetDirection("loss", none)
		if got := h.Direction("loss"); got != history.NoDirection {
			t.Errorf("set to %s: %s", none, got)
		}
	}
	var empty history.History
	empty.SetDirection("loss", history.NoDirection)
	empty.SetDirection("val_loss", history.LowerIsBetter)
	if empty.Direction("loss") != history.NoDirection || empty.Direction("val_loss") != history.LowerIsBetter {
		t.Error("directions of an empty History")
	}
}

// Columns stay below each other, in whatever form their numbers are, and names cannot write to a terminal.
func TestHistoryString(t *testing.T) {
	var h history.History
	if got := h.String(); got != "no epochs" {
		t.Errorf("%q", got)
	}
	var l history.Logs
	l.Set("loss", 12.5)
	h.Append(8, &l)
	l.Set("loss", 0.0001)
	l.Set("a\x1b[2Jb\n", math.Inf(1))
	h.Append(9, &l)
	h.Stopped = "no\x07 better"
	want := "epoch  9: loss    12.5000 - a\\x1b[2Jb\\n nan\n" +
		"epoch 10: loss 1.0000e-04 - a\\x1b[2Jb\\n inf\n" +
		"stopped: no\\a better"
	if got := fmt.Sprint(&h); got != want {
		t.Errorf("\n%s\nwant\n%s", got, want)
	}
	h.Epochs, h.Stopped = append(h.Epochs, 10), ""
	if got := h.String(); !strings.HasSuffix(got, "\nepoch 11: loss        nan - a\\x1b[2Jb\\n nan") {
		t.Errorf("with an epoch that was not appended:\n%s", got)
	}
	h = history.History{Epochs: []int{-1, math.MaxInt}}
	last := fmt.Sprint(uint64(math.MaxInt) + 1)
	if got, want := h.String(), fmt.Sprintf("epoch %*d:\nepoch %s:", len(last), 0, last); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
