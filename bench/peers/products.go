package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// products are what bench/gemm reports.
type products struct {
	OpenBLAS string  `json:"openblas"`
	OneDNN   string  `json:"onednn"`
	Rounds   int     `json:"rounds"`
	Mean     float64 `json:"geometric_mean"`
	Rows     []struct {
		Form         string  `json:"form"`
		M, K, N      int     // of the product m × k × n
		Linnet       float64 `json:"linnet_ns"`
		OpenBLASTime float64 `json:"openblas_ns"`
		OneDNNTime   float64 `json:"onednn_ns"`
		Ratio        float64 `json:"ratio"`
	} `json:"rows"`

	missing string // why there are none
}

// worst is the product with the least ratio.
func (p *products) worst() (name string, ratio float64) {
	for i, r := range p.Rows {
		if i == 0 || r.Ratio < ratio {
			name, ratio = fmt.Sprintf("%s %d × %d × %d", r.Form, r.M, r.K, r.N), r.Ratio
		}
	}
	return name, ratio
}

// runProducts runs bench/gemm. Without its peers there are no products.
func (b *bench) runProducts(ctx context.Context) (*products, error) {
	file, program := filepath.Join(b.scratch, "gemm.json"), b.program("gemm")
	build := exec.CommandContext(ctx, "go", "build", "-o", program, "./bench/gemm")
	build.Dir = b.repository
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build ./bench/gemm: %w\n%s", err, out)
	}
	args := []string{"-json", file}
	if b.venv != "" {
		args = append(args, "-venv", b.venv)
	}
	if b.quick {
		args = append(args, "-rounds", "9", "-only", "16x16|NN 64")
	}
	if _, err := b.start(ctx, 1, program, args...); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		fmt.Fprintf(b.log, "products are left out: %v\n", err)
		// The results name no folder of this machine.
		why := lastLines(err.Error(), 1)
		if b.venv != "" {
			why = strings.ReplaceAll(why, b.venv, "the virtual environment")
		}
		return &products{missing: why}, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	p, err := parseProducts(text)
	if err == nil {
		name, ratio := p.worst()
		fmt.Fprintf(b.log, "products: geometric mean %.3f, least %.3f (%s)\n", p.Mean, ratio, name)
	}
	return p, err
}

func parseProducts(text []byte) (*products, error) {
	var p products
	if err := json.Unmarshal(text, &p); err != nil {
		return nil, fmt.Errorf("the report of bench/gemm: %w", err)
	}
	if len(p.Rows) == 0 || p.Mean == 0 || p.Rows[0].Linnet == 0 || p.Rows[0].M == 0 {
		return nil, fmt.Errorf("the report of bench/gemm lacks a field: %.200s", strings.Join(strings.Fields(string(text)), " "))
	}
	return &p, nil
}
