package history_test

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/internal/boundary"
)

// What WriteCSV writes is read back.
func TestReadCSV(t *testing.T) {
	var h history.History
	for epoch, loss := range []float64{0.1 + 0.2, math.Inf(1), 1e-300} {
		var l history.Logs
		l.Set("loss", loss)
		l.Set(`odd, "name"`, float64(epoch))
		if epoch == 2 {
			l.Set("val_loss", -1)
		}
		h.Append(3+epoch, &l)
	}
	var b bytes.Buffer
	if err := h.WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	got, err := history.ReadCSV(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	want, _ := json.Marshal(&h)
	if text, _ := json.Marshal(got); !bytes.Equal(text, want) || !math.IsInf(got.Values("loss")[1], 1) {
		t.Errorf("read   %s\nwanted %s", text, want)
	}
	var again bytes.Buffer
	if err := got.WriteCSV(&again); err != nil || again.String() != b.String() {
		t.Errorf("written again, %v: %s", err, again.String())
	}
}

// A file of callbacks.CSVLogger or of Keras ends its lines in CR LF and has NA where nothing was logged.
func TestReadCSVOfKeras(t *testing.T) {
	h, err := history.ReadCSV(strings.NewReader("\ufeffepoch,accuracy,loss\r\n0,0.5,1.5e-05\r\n1,NA,nan\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	if a, l := h.Values("accuracy"), h.Values("loss"); a[0] != 0.5 || !math.IsNaN(a[1]) || l[0] != 1.5e-05 || !math.IsNaN(l[1]) || h.Epochs[1] != 1 {
		t.Errorf("%v %v %v", h.Epochs, a, l)
	}
}

func TestReadCSVErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                          "history: the file is empty",
		"loss,epoch\n":              `history: line 1, column 1: the first column is "loss", not "epoch"`,
		"epoch,loss,loss\n":         `history: line 1, column 12: the column "loss" occurs twice`,
		"epoch,epoch\n":             `history: line 1, column 7: the column "epoch" occurs twice`,
		"epoch,loss\n0,1\n1.5,1\n":  `history: line 3, column 1: "1.5" is no number of an epoch`,
		"epoch,loss\n-1,1\n":        `history: line 2, column 1: "-1" is no number of an epoch`,
		"epoch,loss\n0,high\x1b\n":  `history: line 2, column 3: "high\x1b" is no number`,
		"epoch,loss\n0,1e999\n":     `history: line 2, column 3: "1e999" is no number`,
		"epoch,loss\n0,1,2\n":       "history: record on line 2: wrong number of fields",
		"epoch,loss\n0,\"1\n2,3\n4": "history: record on line 2; parse error on line 4, column 2: extraneous or missing \" in quoted-field",
	} {
		if _, err := history.ReadCSV(strings.NewReader(text)); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

// Whatever the bytes are, they are refused without a panic or read into a History that is written and read again.
func FuzzReadCSV(f *testing.F) {
	for _, seed := range []string{"epoch,loss\n0,1\n", "epoch\n9223372036854775807\n", "epoch,\"a\nb\"\n0,NA\n", "epoch,a,b\n0,1e308,-0\n", "\ufeffepoch\n"} {
		f.Add([]byte(seed))
	}
	for changed := range boundary.Decimals([]byte("epoch,loss\n0,1\n1,2.5\n")) {
		f.Add(changed)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		h, err := history.ReadCSV(bytes.NewReader(text))
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := h.WriteCSV(&b); err != nil {
			t.Fatal(err)
		}
		again, err := history.ReadCSV(bytes.NewReader(b.Bytes()))
		if err != nil {
			t.Fatalf("%v of\n%s", err, b.Bytes())
		}
		var c bytes.Buffer
		if err := again.WriteCSV(&c); err != nil || !bytes.Equal(b.Bytes(), c.Bytes()) {
			t.Fatalf("%v\n%s\n%s", err, b.Bytes(), c.Bytes())
		}
	})
}
