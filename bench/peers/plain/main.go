// Plain is the first tutorial in straightforward Go, as one writes it in an afternoon: loops over slices of float32,
// no library but the reader of the reviews. It prints its times as a line of JSON.
//
//	go run ./bench/peers/plain FOLDER-OF-IMDB.NPZ
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"github.com/linnet-ml/linnet/datasets/imdb"
)

const (
	words      = 10000
	length     = 256
	dim        = 16
	hidden     = 16
	batch      = 512
	validating = 10000
)

func main() {
	epochs := flag.Int("epochs", 40, "epochs")
	seed := flag.Uint64("seed", 1, "seed of initial weights and orders")
	flag.Parse()
	if flag.NArg() != 1 || *epochs < 2 {
		fmt.Fprintln(os.Stderr, "usage: plain [-epochs N] [-seed N] FOLDER, with 2 epochs at least")
		os.Exit(2)
	}
	if err := run(flag.Arg(0), *epochs, *seed); err != nil {
		fmt.Fprintf(os.Stderr, "plain: %v\n", err)
		os.Exit(1)
	}
}

func run(folder string, epochs int, seed uint64) error {
	start := time.Now()
	train, test, err := imdb.Load(context.Background(), imdb.Options{Path: folder, NumWords: words})
	if err != nil {
		return err
	}
	x, z := pad(train.Reviews), pad(test.Reviews)
	loaded := time.Since(start)

	r := rand.New(rand.NewPCG(seed, 0))
	n := newNetwork(r)
	order := make([]int, len(x)-validating)
	for i := range order {
		order[i] = validating + i
	}
	start = time.Now()
	var times []float64
	for range epochs {
		begun := time.Now()
		r.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for lo := 0; lo < len(order); lo += batch {
			n.step(x, train.Labels, order[lo:min(lo+batch, len(order))])
		}
		n.evaluate(x[:validating], train.Labels[:validating])
		times = append(times, time.Since(begun).Seconds())
	}
	fit := time.Since(start)
	start = time.Now()
	loss, accuracy := n.evaluate(z, test.Labels)
	evaluate := time.Since(start)
	slices.Sort(times)
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"peer": "plain", "load_s": loaded.Seconds(), "fit_s": fit.Seconds(),
		"epoch_median_s": times[len(times)/2], "evaluate_s": evaluate.Seconds(), "test_loss": loss, "test_acc": accuracy})
}

// pad makes rows of one length: zeros behind a short review, the end of a long one.
func pad(reviews [][]int32) [][]int32 {
	rows := make([][]int32, len(reviews))
	for i, ids := range reviews {
		rows[i] = make([]int32, length)
		copy(rows[i], ids[max(0, len(ids)-length):])
	}
	return rows
}

// parameter is an array of weights with its gradient and Adam's moments.
type parameter struct{ w, g, m, v []float32 }

func newParameter(size int, limit float32, r *rand.Rand) parameter {
	p := parameter{make([]float32, size), make([]float32, size), make([]float32, size), make([]float32, size)}
	for i := range p.w {
		p.w[i] = (2*r.Float32() - 1) * limit
	}
	return p
}

func (p parameter) adam(alpha float32) {
	for i, g := range p.g {
		p.m[i] += (g - p.m[i]) * 0.1
		p.v[i] += (g*g - p.v[i]) * 0.001
		p.w[i] -= alpha * p.m[i] / (float32(math.Sqrt(float64(p.v[i]))) + 1e-7)
		p.g[i] = 0
	}
}

type network struct {
	table, kernel1, bias1, kernel2, bias2 parameter
	steps                                 int
	mean, h                               [hidden]float32 // of the row at hand
}

func newNetwork(r *rand.Rand) *network {
	glorot := func(in, out int) float32 { return float32(math.Sqrt(6 / float64(in+out))) }
	return &network{
		table:   newParameter(words*dim, 0.05, r),
		kernel1: newParameter(dim*hidden, glorot(dim, hidden), r), bias1: newParameter(hidden, 0, r),
		kernel2: newParameter(hidden, glorot(hidden, 1), r), bias2: newParameter(1, 0, r),
	}
}

// forward is the probability that a review is a good one.
func (n *network) forward(ids []int32) float32 {
	n.mean = [dim]float32{}
	for _, id := range ids {
		row := n.table.w[id*dim : id*dim+dim]
		for j, v := range row {
			n.mean[j] += v
		}
	}
	for j := range n.mean {
		n.mean[j] /= length
	}
	z := n.bias2.w[0]
	for k := range hidden {
		s := n.bias1.w[k]
		for j := range dim {
			s += n.mean[j] * n.kernel1.w[j*hidden+k]
		}
		n.h[k] = max(s, 0)
		z += n.h[k] * n.kernel2.w[k]
	}
	return 1 / (1 + float32(math.Exp(-float64(z))))
}

// backward adds the gradients of a row up; dz is that of the loss by the logit.
func (n *network) backward(ids []int32, dz float32) {
	var dmean [dim]float32
	n.bias2.g[0] += dz
	for k := range hidden {
		n.kernel2.g[k] += dz * n.h[k]
		if n.h[k] <= 0 {
			continue
		}
		dh := dz * n.kernel2.w[k]
		n.bias1.g[k] += dh
		for j := range dim {
			n.kernel1.g[j*hidden+k] += dh * n.mean[j]
			dmean[j] += dh * n.kernel1.w[j*hidden+k]
		}
	}
	for j := range dmean {
		dmean[j] /= length
	}
	for _, id := range ids {
		row := n.table.g[id*dim : id*dim+dim]
		for j := range row {
			row[j] += dmean[j]
		}
	}
}

func (n *network) step(x [][]int32, y []int32, rows []int) {
	for _, i := range rows {
		p := n.forward(x[i])
		n.backward(x[i], (p-float32(y[i]))/float32(len(rows)))
	}
	n.steps++
	t := float64(n.steps)
	alpha := float32(0.001 * math.Sqrt(1-math.Pow(0.999, t)) / (1 - math.Pow(0.9, t)))
	for _, p := range []parameter{n.table, n.kernel1, n.bias1, n.kernel2, n.bias2} {
		p.adam(alpha)
	}
}

func (n *network) evaluate(x [][]int32, y []int32) (loss, accuracy float64) {
	for i, ids := range x {
		p := float64(n.forward(ids))
		p = min(max(p, 1e-7), 1-1e-7)
		if y[i] == 1 {
			loss -= math.Log(p)
		} else {
			loss -= math.Log(1 - p)
		}
		if (p > 0.5) == (y[i] == 1) {
			accuracy++
		}
	}
	return loss / float64(len(x)), accuracy / float64(len(x))
}
