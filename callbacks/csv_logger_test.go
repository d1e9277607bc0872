package callbacks

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/internal/golden"
	"github.com/linnet-ml/linnet/nn/plan"
)

// The files are Keras's, byte for byte.
func TestCSVLoggerLikeKeras(t *testing.T) {
	golden.Open(t, "callbacks").Run(t, "CSVLogger/", func(t *testing.T, c golden.Case) {
		if c.Name == "CSVLogger/arrays_and_text" {
			t.Skip("logs are numbers")
		}
		var config struct {
			Append bool
			Ctor   struct{ Separator string }
		}
		c.Decode(&config, "config")
		spec := CSVLogger{Path: filepath.Join(t.TempDir(), "log.csv"), Append: config.Append}
		for _, r := range config.Ctor.Separator {
			spec.Separator = r
		}
		for _, run := range c.List("runs") {
			epochs := run.List()
			r := &training{script: recorded(epochs)}
			if err := r.run(spec, nil, 0, len(epochs), nil); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(spec.Path)
		if err != nil {
			t.Fatal(err)
		}
		if want := c.Text("expected", "text"); string(got) != want {
			t.Errorf("got\n%q\nwant\n%q", got, want)
		}
	})
}

// Python's rule: the shortest digits that give the number back, a point always, exponents below 1e-4 and from 1e16.
func TestNumbersLikePython(t *testing.T) {
	for want, v := range map[string]float64{
		"0.0": 0, "1.0": 1, "0.1": 0.1, "0.10000000149011612": float64(float32(0.1)), "0.0001": 1e-4, "9.999e-05": 9.999e-5,
		"1000000000000000.0": 1e15, "1e+16": 1e16, "1.5e+300": 1.5e300, "5e-324": 5e-324, "-2.5": -2.5,
	} {
		if got := repr(v); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// A name that holds the separator or a quote is quoted, and read back where the file is continued.
func TestCSVLoggerQuotes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.csv")
	logs := func(int) map[string]float64 { return map[string]float64{"accuracy": 1, "loss": 0, `val_a,"b"`: 1} }
	for range 2 {
		if err := (&training{script: logs}).run(CSVLogger{Path: path, Append: true}, nil, 0, 1, nil); err != nil {
			t.Fatal(err)
		}
	}
	got, _ := os.ReadFile(path)
	if want := "epoch,accuracy,loss,\"val_a,\"\"b\"\"\"\r\n0,1.0,0.0,1.0\r\n0,1.0,0.0,1.0\r\n"; string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A file that cannot be continued is an error that names it and its columns, and stays as it is.
func TestCSVLoggerContinues(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.csv")
	// The state of a Fit that left a file of so many bytes, or of one before its first line.
	stateOf := func(size int) *plan.HandlerState {
		return &plan.HandlerState{Kind: "CSVLogger", Values: fmt.Appendf(nil, `{"columns":["loss","val_loss"],"size":%d}`, size)}
	}
	state := stateOf(len("epoch,loss,val_loss\r\n0,1,2\r\n"))
	begun := &plan.HandlerState{Kind: "CSVLogger", Values: []byte(`{"columns":null,"size":0}`)}
	loss := func(int) map[string]float64 { return map[string]float64{"loss": 0.5} }
	both := func(int) map[string]float64 { return map[string]float64{"loss": 0.5, "rate": 1} }
	const add = "1,0.5,NA\r\n"
	for _, test := range []struct {
		name, before string
		state        *plan.HandlerState
		logs         func(int) map[string]float64
		names        []string
		after, want  string
	}{
		{"whole", "epoch,loss,val_loss\r\n0,1,2\r\n", state, loss, nil, "epoch,loss,val_loss\r\n0,1,2\r\n" + add, ""},
		{"lines of another system", "epoch,loss,val_loss\n0,1,2\n", nil, loss, nil, "epoch,loss,val_loss\n0,1,2\n" + add, ""},
		{"a byte order mark", "\ufeffepoch,loss,val_loss\r\n", nil, loss, nil, "\ufeffepoch,loss,val_loss\r\n" + add, ""},
		{"its own order", "epoch,val_loss,loss\r\n", nil, loss, nil, "epoch,val_loss,loss\r\n1,NA,0.5\r\n", ""},
		{"empty", "", state, loss, nil, "epoch,loss,val_loss\r\n" + add, ""},
		{"later lines", "epoch,loss,val_loss\r\n0,1,2\r\n1,3,4\r\n2,3,4\r\n", state, loss, nil, "epoch,loss,val_loss\r\n0,1,2\r\n" + add, ""},
		{"a torn later line", "epoch,loss,val_loss\r\n0,1,2\r\n1,3", state, loss, nil, "epoch,loss,val_loss\r\n0,1,2\r\n" + add, ""},
		{"torn names, later", "epoch,lo", begun, loss, nil, "epoch,loss,val_loss\r\n" + add, ""},
		{"lost lines", "epoch,loss,val_loss\r\n0,1", state, loss, nil, "", "PATH has 24 bytes and had 28 in the Fit that this one goes on from: it has lost lines"},
		{"other lines", "epoch,loss,val_loss\n0,1,2\n1,1,2\n", state, loss, nil, "", "PATH has changed: no line ends after 28 bytes, as in the Fit that this one goes on from"},
		{"torn", "epoch,loss,val_loss\r\n0,1", nil, loss, nil, "", "the last line of PATH has no end: it was cut off; the columns are epoch, loss, val_loss"},
		{"torn, appended to", "epoch,loss,val_loss\r\n0,1,2\r", nil, loss, nil, "", "the last line of PATH has no end: it was cut off; the columns are epoch, loss, val_loss"},
		{"torn names", "epoch,lo", nil, loss, nil, "", "the last line of PATH has no end: it was cut off; the columns are epoch, lo"},
		{"torn quotes", "epoch,\"lo\n", nil, loss, nil, "", "the line of names of PATH: "},
		{"no log", "a,b\x1b\n", nil, loss, nil, "", `the columns of PATH are a, "b\x1b", not epoch and then the logs`},
		{"other columns than the state", "epoch,loss\r\n", stateOf(12), loss, nil, "", "the columns of PATH are epoch, loss, and those of the Fit that this one goes on from epoch, loss, val_loss"},
		{"another metric", "epoch,loss,val_loss\r\n", stateOf(21), loss, []string{"loss", "auc"}, "", `the columns of PATH are epoch, loss, val_loss, and "auc" is logged too`},
		{"another log", "epoch,loss,val_loss\r\n", stateOf(21), both, nil, "", `the columns of PATH are epoch, loss, val_loss, and "rate" is logged too`},
		{"more columns than logs", "epoch,loss,val_loss,x\r\n", nil, loss, nil, "", "the columns of PATH are epoch, loss, val_loss, x, and those of this Fit epoch, loss, val_loss"},
	} {
		if err := os.WriteFile(path, []byte(test.before), 0o600); err != nil {
			t.Fatal(err)
		}
		r := &training{script: test.logs, names: test.names}
		err := r.run(CSVLogger{Path: path, Append: test.state == nil}, test.state, 1, 2, nil)
		got, _ := os.ReadFile(path)
		if test.want == "" {
			if err != nil || string(got) != test.after {
				t.Errorf("%s: %q, %v", test.name, got, err)
			}
			continue
		}
		want := "callbacks: CSVLogger: " + strings.ReplaceAll(test.want, "PATH", path)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: got  %v\nwant %s", test.name, err, want)
		}
		if string(got) != test.before {
			t.Errorf("%s: the file has become %q", test.name, got)
		}
	}
}

// The column of the epochs is no other's.
func TestCSVLoggerRefusesEpoch(t *testing.T) {
	spec := CSVLogger{Path: filepath.Join(t.TempDir(), "log.csv")}
	const want = `callbacks: CSVLogger: a log named "epoch" would have the column of the epochs`
	if _, err := spec.Start(&training{names: []string{"loss", "epoch"}}); err == nil || err.Error() != want {
		t.Errorf("a metric: %v", err)
	}
	r := &training{script: func(int) map[string]float64 { return map[string]float64{"epoch": 1} }}
	if err := r.run(spec, nil, 0, 1, nil); err == nil || err.Error() != want {
		t.Errorf("a log of a callback: %v", err)
	}
}

func TestCSVLoggerSettings(t *testing.T) {
	for want, spec := range map[string]CSVLogger{
		"callbacks: CSVLogger needs a Path":                   {},
		`callbacks: CSVLogger cannot separate values by '\n'`: {Path: "x", Separator: '\n'},
		`callbacks: CSVLogger cannot separate values by '"'`:  {Path: "x", Separator: '"'},
		"callbacks: CSVLogger cannot have a Separator of -5":  {Path: "x", Separator: -5},
		"callbacks: CSVLogger cannot separate values by '�'":  {Path: "x", Separator: 0xd800},
	} {
		if _, err := spec.Start(&training{}); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}
