//go:build linux

// Gemm measures linnet's matrix products beside those of OpenBLAS and oneDNN,
// on one thread, called from C in turn in one run:
//
//	go run ./bench/gemm
//
// It needs a C compiler, the OpenBLAS of NumPy's wheel (in the virtual
// environment that -venv names) and oneDNN (Debian's libdnnl-dev). The table
// goes to standard output.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"github.com/linnet-ml/linnet/simd"
)

// Report is what -json writes.
type Report struct {
	CPU      string  `json:"cpu"`
	Go       string  `json:"go"`
	Path     string  `json:"path"` // linnet's kernels
	OpenBLAS string  `json:"openblas"`
	OneDNN   string  `json:"onednn"`
	Rounds   int     `json:"rounds"`
	Rows     []Row   `json:"rows"`
	Mean     float64 `json:"geometric_mean"` // of the rows' ratios
}

// Row is one shape: medians of the rounds, in nanoseconds a product.
type Row struct {
	Shape
	Linnet   float64 `json:"linnet_ns"`
	OpenBLAS float64 `json:"openblas_ns"`
	OneDNN   float64 `json:"onednn_ns"`
	// Ratio is linnet's speed over the faster peer's: for each peer the median
	// over the rounds, and the smaller of the two.
	Ratio float64 `json:"ratio"`
}

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "gemm: %v\n", err)
		os.Exit(1)
	}
}

func run(args []string, stdout io.Writer) error {
	set := flag.NewFlagSet("gemm", flag.ContinueOnError)
	venv := set.String("venv", "", "virtual environment `folder` with NumPy (default linnet/peers-venv in the user's cache folder)")
	openblas := set.String("openblas", "", "OpenBLAS `file` with 64-bit integers, as in NumPy's wheel (default the one in -venv)")
	onednn := set.String("onednn", "libdnnl.so.2", "oneDNN `file`")
	rounds := set.Int("rounds", 15, "how often each product is timed, at least 9")
	only := set.String("only", "", "measure the shapes that match this `expression`")
	jsonFile := set.String("json", "", "write the figures to this `file` too")
	if err := set.Parse(args); err != nil {
		return err
	}
	if *rounds < 9 || set.NArg() > 0 {
		return fmt.Errorf("no arguments but flags, and -rounds of at least 9")
	}
	match, err := regexp.Compile(*only)
	if err != nil {
		return err
	}
	if *openblas == "" {
		if *openblas, err = findOpenBLAS(*venv); err != nil {
			return err
		}
	}
	runtime.LockOSThread() // times are this thread's
	p, err := startPeers(*openblas, *onednn)
	if err != nil {
		return err
	}
	defer p.stop()

	r := Report{CPU: cpuModel(), Go: runtime.Version(), Path: simd.Path(), OpenBLAS: p.openblas, OneDNN: p.onednn, Rounds: *rounds}
	var logs float64
	for _, s := range shapes {
		if !match.MatchString(s.String()) {
			continue
		}
		row, err := measure(p, s, *rounds)
		if err != nil {
			return fmt.Errorf("%v: %w", s, err)
		}
		r.Rows = append(r.Rows, row)
		logs += math.Log(row.Ratio)
	}
	if len(r.Rows) == 0 {
		return fmt.Errorf("no shape matches %q", *only)
	}
	r.Mean = math.Exp(logs / float64(len(r.Rows)))
	printed := r.print(stdout)
	if *jsonFile == "" {
		return printed
	}
	text, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	return errors.Join(printed, os.WriteFile(*jsonFile, append(text, '\n'), 0o666))
}

func (r Report) print(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, one thread, %s, linnet's %s kernels; %s; %s. Medians of %d rounds in turn, GFLOP/s of processor time.\n\n",
		r.CPU, r.Go, r.Path, r.OpenBLAS, r.OneDNN, r.Rounds)
	fmt.Fprintln(&b, "| product, m × k × n | linnet, ns | linnet | OpenBLAS | oneDNN | linnet / faster |")
	fmt.Fprintln(&b, "| --- | ---: | ---: | ---: | ---: | ---: |")
	for _, row := range r.Rows {
		speed := func(ns float64) string { return fmt.Sprintf("%.1f", row.flops()/ns) }
		fmt.Fprintf(&b, "| %v | %.4g | %s | %s | %s | %.2f |\n", row.Shape, row.Linnet, speed(row.Linnet), speed(row.OpenBLAS), speed(row.OneDNN), row.Ratio)
	}
	fmt.Fprintf(&b, "| geometric mean | | | | | %.3f |\n", r.Mean)
	_, err := io.WriteString(w, b.String())
	return err
}

// cpuModel is the processor's name as Linux gives it.
func cpuModel() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown processor"
	}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}

func median(list []float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
