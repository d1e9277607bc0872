package callbacks

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/internal/golden"
	"github.com/linnet-ml/linnet/nn"
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
			exact := nn.HandlerFunc(func(e nn.Event, t *nn.Training) error {
				if e == nn.EpochEnd {
					*t.Logs() = history.Logs{}
					for _, name := range epochs[t.Epoch()].Keys() {
						if name != "_stop" { // the recorded model stops; columns are filled as ever
							t.Logs().Set(name, epochs[t.Epoch()].Float(name))
						}
					}
				}
				return nil
			})
			initial := 0
			if len(epochs) == 0 {
				initial = 1 // of 1: no epoch to run
			}
			if _, err := fit(tiny(t), 1, initial, len(epochs), exact, spec); err != nil {
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

// A name that holds the separator or a quote is quoted.
func TestCSVLoggerQuotes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.csv")
	if _, err := fit(tiny(t), 1, 0, 1, values(`val_a,"b"`, 1), CSVLogger{Path: path}); err != nil {
		t.Fatal(err)
	}
	got, _ := os.ReadFile(path)
	if want := "epoch,accuracy,loss,\"val_a,\"\"b\"\"\"\r\n0,1.0,0.0,1.0\r\n"; string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A line is in the file as soon as its epoch has ended, and the file is closed, however the Fit ends.
func TestCSVLoggerAfterCancel(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.csv")
	logger := &started{Callback: CSVLogger{Path: path}}
	ctx, cancel := context.WithCancel(t.Context())
	_, err := fitContext(ctx, tiny(t), 1, 0, 5, logger, nn.HandlerFunc(func(e nn.Event, training *nn.Training) error {
		if e == nn.EpochEnd && training.Epoch() == 1 {
			got, err := os.ReadFile(path)
			if want := "epoch,accuracy,loss,val_accuracy,val_loss\r\n0,1.0,0.0,NA,NA\r\n1,1.0,0.0,NA,NA\r\n"; err != nil || string(got) != want {
				t.Errorf("after epoch 1: %q, %v", got, err)
			}
			cancel()
		}
		return nil
	}))
	if err != context.Canceled {
		t.Errorf("error %v", err)
	}
	if logger.handler.(*csvLogger).file != nil {
		t.Error("the file is still open")
	}
}

func TestCSVLoggerErrors(t *testing.T) {
	folder := t.TempDir()
	kept := filepath.Join(folder, "kept.csv")
	if err := os.WriteFile(kept, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(folder, "missing", "log.csv")
	for begin, spec := range map[string]CSVLogger{
		"callbacks: CSVLogger needs a Path":                   {},
		`callbacks: CSVLogger cannot separate values by '\n'`: {Path: kept, Separator: '\n'},
		"callbacks: CSVLogger: open " + folder + ": ":         {Path: folder},
		"callbacks: CSVLogger: open " + missing + ": ":        {Path: missing},
	} {
		history, err := fit(tiny(t), 1, 0, 1, spec)
		if err == nil || !strings.HasPrefix(err.Error(), begin) {
			t.Errorf("got  %v\nwant %s…", err, begin)
		}
		if len(history.Epochs) != 0 {
			t.Error("trained before the file was open")
		}
	}
	// A Fit that cannot begin leaves the file as it was.
	if _, err := fit(tiny(t), 1, 0, 1, CSVLogger{Path: kept}, EarlyStopping{Patience: -1}); err == nil {
		t.Error("no error")
	}
	if got, _ := os.ReadFile(kept); string(got) != "kept" {
		t.Errorf("the file has become %q", got)
	}
}
