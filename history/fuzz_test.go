package history_test

import (
	"bytes"
	"encoding/json"
	"io"
	"testing"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/internal/boundary"
)

// Whatever the bytes are, they are refused without a panic, or read into a History in which every name has a value for
// each epoch and which is written and read again without a change.
func FuzzUnmarshal(f *testing.F) {
	for _, seed := range []string{
		`{"epoch":[],"history":{}}`,
		`{"epoch":[0,1],"history":{"loss":[0.69,0.67],"accuracy":[0.5,null]},"directions":{"loss":"lower","accuracy":"higher"},"stopped":"enough"}`,
		`{"epoch":[2,3],"history":{"":[-0,1e-7]},"directions":{"":"none"}}`,
		`{"epoch":[-1],"history":{"loss":[1]}}`,
		`{"epoch":[0],"history":{"loss":[1],"loss":[1]}}`,
		`{"epoch":[0],"history":{"loss":[1,2]}}`,
		`{"epoch":null,"history":null,"directions":null,"stopped":null}`,
		`{"epoch":[0],"history":{"loss":[[[[1]]]]}}`,
		`{"epoch":[0],"history":{`,
		"{\"epoch\":[0],\"history\":{\"\xff\":[1]}}",
	} {
		f.Add([]byte(seed))
	}
	for changed := range boundary.Decimals([]byte(`{"epoch":[0,1],"history":{"loss":[1,2]}}`)) {
		f.Add(changed)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var h history.History
		if h.UnmarshalJSON(text) != nil {
			return
		}
		for _, e := range h.Epochs {
			if e < 0 {
				t.Fatalf("epoch %d", e)
			}
		}
		for _, name := range h.Names() {
			if got := len(h.Values(name)); got != len(h.Epochs) {
				t.Fatalf("%q: %d values for %d epochs", name, got, len(h.Epochs))
			}
			h.Best(name, history.NoDirection)
		}
		if err := h.WriteCSV(io.Discard); err != nil {
			t.Fatal(err)
		}
		once, err := json.Marshal(&h)
		if err != nil {
			t.Fatal(err)
		}
		var again history.History
		if err := json.Unmarshal(once, &again); err != nil {
			t.Fatalf("%s is not read again: %v", once, err)
		}
		if twice, err := json.Marshal(&again); err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("%s became %s, %v", once, twice, err)
		}
	})
}
