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
	Threads  int    `json:"threads"`
	Seed     uint64 `json:"seed"`
	Data     string `json:"data"`

	LoadS     float64   `json:"load_s"`
	PadS      float64   `json:"pad_s"`
	FitS      float64   `json:"fit_s"`
	EpochS    []float64 `json:"epoch_s"` // each with its validation
	EvaluateS float64   `json:"evaluate_s"`

	// History has the values of each name, one an epoch, names in order.
	History      json.RawMessage `json:"history"`
	Interrupted  bool            `json:"interrupted"`
	TestLoss     *float64        `json:"test_loss"` // null when it is no number
	TestAccuracy *float64        `json:"test_accuracy"`
	// WeightsSHA256 is that of all parameters after training, in order, as little-endian float32.
	WeightsSHA256 string `json:"weights_sha256"`
}

func newReport(o *options) report {
	return report{
		CPU: example.CPUName(), Path: simd.Path(), Platform: example.Platform(), Go: runtime.Version(),
		Threads: o.Threads, Seed: o.seed, EpochS: []float64{}, History: json.RawMessage("{}"),
	}
}
