package main

import (
	"encoding/json"
	"runtime"

	"github.com/linnet-ml/linnet/examples/internal/example"
	"github.com/linnet-ml/linnet/simd"
)

// report is what -report writes. Times are in seconds.
type report struct {
	CPU      string `json:"cpu"`
	Path     string `json:"path"` // of the kernels
	Platform string `json:"platform"`
	Go       string `json:"go"`
	Threads  int    `json:"threads"` // 0: as many as pay
	Seed     uint64 `json:"seed"`
	Data     string `json:"data"`

	Module     string  `json:"module"`
	ModuleRows int     `json:"module_rows"`
	ModuleDim  int     `json:"module_dim"`
	Trainable  bool    `json:"trainable"`
	Scale      float64 `json:"scale"` // of the module's vectors

	LoadS     float64 `json:"load_s"`
	ModuleS   float64 `json:"module_s"` // opening it; its table is read in build_s
	BuildS    float64 `json:"build_s"`
	TokeniseS float64 `json:"tokenise_s"` // of all texts, once
	// TokeniseTestS is the test texts' part of TokeniseS.
	TokeniseTestS float64 `json:"tokenise_test_s"`

	// Of all epochs. Not filled in by a run that goes on with the training that stops early.
	Full              timing          `json:"full"`
	FullHistory       json.RawMessage `json:"full_history"`
	FullTestLoss      *float64        `json:"full_test_loss"` // null when it is no number
	FullTestAccuracy  *float64        `json:"full_test_accuracy"`
	FullWeightsSHA256 string          `json:"full_weights_sha256"`

	// Of the run that stops early; not there without one.
	*Stopped

	Interrupted bool `json:"interrupted"`
}

// timing is how long a run took.
type timing struct {
	FitS      float64   `json:"fit_s"`
	EpochS    []float64 `json:"epoch_s"` // each with its validation
	EvaluateS float64   `json:"evaluate_s"`
}

// Stopped is what a report says of the training that stops early.
type Stopped struct {
	timing
	History      json.RawMessage `json:"history"`
	TestLoss     *float64        `json:"test_loss"`
	TestAccuracy *float64        `json:"test_accuracy"`
	// WeightsSHA256 is that of all parameters, in order, as little-endian float32.
	WeightsSHA256 string `json:"weights_sha256"`
}

func newReport(o *options) report {
	return report{
		CPU: example.CPUName(), Path: simd.Path(), Platform: example.Platform(), Go: runtime.Version(),
		Threads: o.Threads, Seed: o.seed, Trainable: o.trainable, Full: timing{EpochS: []float64{}}, FullHistory: json.RawMessage("{}"),
	}
}
