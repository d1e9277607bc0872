package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"runtime"

	"github.com/linnet-ml/linnet/nn"
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
		CPU: cpuName(), Path: simd.Path(), Platform: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(),
		Threads: o.threads, Seed: o.seed, EpochS: []float64{}, History: json.RawMessage("{}"),
	}
}

// setHistory takes the numbers of each epoch over.
func (r *report) setHistory(h *nn.History) error {
	text, err := h.MarshalJSON()
	if err != nil {
		return err
	}
	var outer struct{ History json.RawMessage }
	if err := json.Unmarshal(text, &outer); err != nil {
		return err
	}
	r.History = outer.History
	return nil
}

// number is v as JSON can say it: JSON has no NaN and no infinities.
func number(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// weightsDigest is the report's weights_sha256.
func weightsDigest(m *nn.Model) string {
	h := sha256.New()
	var buf []byte
	for _, p := range m.Parameters() {
		buf = buf[:0]
		for _, v := range p.Values() {
			buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(v))
		}
		h.Write(buf)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// writeFiles writes what -report and -history ask for.
func (o *options) writeFiles(r *report, h *nn.History) error {
	if o.report != "" {
		text, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			return fmt.Errorf("-report: %w", err)
		}
		if err := writeFile(o.report, append(text, '\n')); err != nil {
			return fmt.Errorf("-report: %w", err)
		}
	}
	if o.history != "" {
		var table bytes.Buffer
		if err := h.WriteCSV(&table); err != nil {
			return fmt.Errorf("-history: %w", err)
		}
		if err := writeFile(o.history, table.Bytes()); err != nil {
			return fmt.Errorf("-history: %w", err)
		}
	}
	return nil
}
