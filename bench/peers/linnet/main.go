// Linnet measures linnet where it stands beside its peers, and prints a line of JSON, for bench/peers:
//
//	go run ./bench/peers/linnet -what inference -data FOLDER-OF-IMDB.NPZ
//
// With -export it writes what the other peers read instead.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/linnet-ml/linnet/bench"
	"github.com/linnet-ml/linnet/simd"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var s settings
	flag.StringVar(&s.what, "what", "inference", "inference, table, curves, load, save, classify, models (which writes those that load reads) or http (a server without a model)")
	flag.StringVar(&s.data, "data", "", "`folder` with imdb.npz")
	flag.StringVar(&s.export, "export", "", "write the reviews and the trained weights to this `folder`, and measure nothing")
	flag.StringVar(&s.models, "models", "", "`folder` of the models that load and save measure")
	flag.StringVar(&s.vectors, "vectors", "", "`file` of word vectors, whose words models uses")
	flag.StringVar(&s.model, "model", "tutorial", "the model that load opens: tutorial, table, texts or open; a file for classify")
	flag.StringVar(&s.texts, "texts", "", "`file` of the texts that classify labels with the classifier in the file -model")
	flag.StringVar(&s.answers, "answers", "", "`file` for the answers of classify")
	flag.StringVar(&s.addr, "addr", "", "`address` of the server http")
	flag.BoolVar(&s.memory, "memory", false, "load copies the model into memory")
	flag.IntVar(&s.threads, "threads", 1, "threads")
	flag.IntVar(&s.repeats, "repeats", 9, "how often inference is timed")
	flag.DurationVar(&s.point, "point", 150*time.Millisecond, "how long each step of a curve is timed, at least")
	flag.Parse()
	if flag.NArg() > 0 || s.threads < 1 || s.repeats < 1 || s.measure() == nil {
		flag.Usage()
		os.Exit(2)
	}
	if err := s.run(ctx, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "linnet: %v\n", err)
		os.Exit(1)
	}
}

type settings struct {
	what, data, export     string
	models, vectors, model string
	texts, answers, addr   string
	memory                 bool
	threads, repeats       int
	point                  time.Duration
}

// figures are by the names that bench/peers knows.
type figures map[string]any

func (s *settings) measure() func(context.Context) (figures, error) {
	switch s.what {
	case "inference":
		return s.inference
	case "table":
		return s.table
	case "curves":
		return s.curves
	case "load":
		return s.load
	case "save":
		return s.save
	case "classify":
		return s.classify
	case "models":
		return s.exportModels
	case "http":
		return s.http
	}
	return nil
}

func (s *settings) run(ctx context.Context, stdout io.Writer) error {
	if s.export != "" {
		return s.exportAll(ctx)
	}
	f, err := s.measure()(ctx)
	if err != nil {
		return err
	}
	f["path"] = simd.Path()
	return json.NewEncoder(stdout).Encode(f)
}

func (s *settings) table(ctx context.Context) (figures, error) {
	reviews, err := bench.LoadReviews(ctx, s.data)
	if err != nil {
		return nil, err
	}
	var t *bench.Table
	var epochs [][]time.Duration
	peak, before, err := bench.PeakMemory(func() (err error) {
		if t, err = bench.NewTable(ctx, reviews); err == nil {
			epochs, err = bench.StepTimes(ctx, t.Model, t.Train, t.FitOptions(2, s.threads))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return figures{"step_ms": milliseconds(bench.Median(epochs[1])), "peak_mib": float64(peak-before) / (1 << 20), "moved": t.Moved}, nil
}

// point is one size on a curve.
type point struct {
	Curve     string  `json:"curve"`
	Value     int     `json:"value"`
	Pairs     int     `json:"pairs"`
	Moved     int     `json:"moved"`
	MovedMiB  float64 `json:"moved_mib"` // of the moved rows, with their moments
	Elements  int     `json:"elements"`
	StepUS    float64 `json:"step_us"`
	PredictNS float64 `json:"predict_ns"` // a row
}

func (s *settings) curves(ctx context.Context) (figures, error) {
	var points []point
	for _, c := range bench.Curves() {
		for _, size := range c.Sizes {
			t, err := bench.NewSized(ctx, size)
			if err != nil {
				return nil, err
			}
			step, err := t.Step(ctx, s.point)
			if err != nil {
				return nil, err
			}
			row, err := t.Predict(ctx, s.point/3)
			if err != nil {
				return nil, err
			}
			points = append(points, point{
				Curve: c.Name, Value: c.Value(size), Pairs: t.Pairs, Moved: t.Moved, MovedMiB: float64(3*4*t.Moved*size.Dim) / (1 << 20),
				Elements: t.Elements(size), StepUS: float64(step.Nanoseconds()) / 1e3, PredictNS: float64(row.Nanoseconds()),
			})
		}
	}
	return figures{"points": points}, nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }
