//go:build linux

package main

import (
	"fmt"
	"math"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/linnet-ml/linnet/simd"
)

// Shape is one product: C (m × n) = A (m × k) · B (k × n), where TN stores A
// and NT stores B transposed.
type Shape struct {
	Form string `json:"form"`
	M    int    `json:"m"`
	K    int    `json:"k"`
	N    int    `json:"n"`
}

func (s Shape) String() string { return fmt.Sprintf("%s %dx%dx%d", s.Form, s.M, s.K, s.N) }

func (s Shape) flops() float64 { return 2 * float64(s.M) * float64(s.K) * float64(s.N) }

var shapes = []Shape{
	{"NN", 16, 16, 16},
	{"NN", 64, 64, 64},
	{"NN", 256, 256, 256},
	{"NN", 512, 512, 512},
	{"NN", 1024, 1024, 1024},
	{"NN", 1536, 1536, 1536},
	{"NN", 2048, 2048, 2048},
	{"NN", 512, 16, 16},
	{"NN", 512, 50, 16},
	{"NN", 512, 16, 50},
	{"NN", 512, 256, 128},
	{"TN", 16, 512, 16},
	{"TN", 50, 512, 16},
	{"TN", 256, 512, 128},
	{"NT", 512, 16, 50},
	{"NT", 512, 128, 256},
	{"NN", 1, 16, 16},
	{"NN", 1, 1024, 1},
	{"NN", 1, 1024, 64},
	{"NN", 1, 50, 16},
	{"NN", 1, 256, 128},
}

// roundTime is about how long a round of one library lasts, in nanoseconds:
// short, so that what disturbs one disturbs all.
const roundTime = 2e6

// measure times linnet and its peers in turn. Each round begins with another.
func measure(p *peers, s Shape, rounds int) (Row, error) {
	product, sum := linnet(s)
	sums, err := p.shape(s)
	if err != nil {
		return Row{}, err
	}
	size := 4 * math.Sqrt(float64(s.M)*float64(s.N)*float64(s.K))
	for i, other := range sums {
		if !(math.Abs(sum-other) <= 1e-4*size) {
			return Row{}, fmt.Errorf("linnet's elements sum to %v, those of %s to %v", sum, p.names()[i], other)
		}
	}
	timers := []func(count int) (float64, error){
		func(count int) (float64, error) {
			start := threadTime()
			for range count {
				product()
			}
			return float64(threadTime()-start) / float64(count), nil
		},
		func(count int) (float64, error) { return p.time(0, count) },
		func(count int) (float64, error) { return p.time(1, count) },
	}
	counts := make([]int, len(timers))
	for i, timer := range timers {
		for counts[i] = 1; ; {
			ns, err := timer(counts[i])
			if err != nil {
				return Row{}, err
			}
			if ns*float64(counts[i]) > roundTime/2 {
				counts[i] = max(1, int(roundTime/ns))
				break
			}
			counts[i] *= 2
		}
	}
	times := make([][]float64, len(timers))
	for round := range rounds {
		for j := range timers {
			i := (round + j) % len(timers)
			ns, err := timers[i](counts[i])
			if err != nil {
				return Row{}, err
			}
			times[i] = append(times[i], ns)
		}
	}
	row := Row{Shape: s, Linnet: median(times[0]), OpenBLAS: median(times[1]), OneDNN: median(times[2]), Ratio: math.Inf(1)}
	for _, peer := range times[1:] {
		ratios := make([]float64, rounds)
		for i := range ratios {
			ratios[i] = peer[i] / times[0][i]
		}
		row.Ratio = min(row.Ratio, median(ratios))
	}
	return row, nil
}

// linnet returns a call of the product, and a weighted sum of C's elements.
func linnet(s Shape) (product func(), sum float64) {
	a, b, c := matrix(s.M*s.K, 1), matrix(s.K*s.N, 2), matrix(s.M*s.N, 3)
	switch s.Form {
	case "NN":
		product = func() { simd.GemmNN(s.M, s.N, s.K, a, s.K, b, s.N, c, s.N, false) }
	case "TN":
		product = func() { simd.GemmTN(s.M, s.N, s.K, a, s.M, b, s.N, c, s.N, false) }
	case "NT":
		work := matrix(simd.GemmWork(s.N, s.K), 4)
		product = func() { simd.GemmNT(s.M, s.N, s.K, a, s.K, b, s.K, c, s.N, false, work) }
	}
	product()
	for i, v := range c {
		sum += float64(v) * float64(i%13-6)
	}
	return product, sum
}

// matrix returns n numbers in [-1, 1) from a cache line's start on, the same as
// the C program's.
func matrix(n int, seed uint32) []float32 {
	x := make([]float32, n+16)
	for uintptr(unsafe.Pointer(&x[0]))%64 != 0 {
		x = x[1:]
	}
	x = x[:n:n]
	for i := range x {
		seed = seed*1664525 + 1013904223
		x[i] = float32(seed>>8)/(1<<23) - 1
	}
	return x
}

// threadTime is the processor time of this thread, in nanoseconds: others on
// the machine do not count.
func threadTime() int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		panic(err)
	}
	return t.Nano()
}
