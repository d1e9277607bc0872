package calibration

import (
	"context"
	"math"
	"runtime"
	"testing"

	"github.com/linnet-ml/linnet/internal/random"
)

// Labels drawn with the probabilities of a known calibration give it back.
func TestLogistic(t *testing.T) {
	s := random.New(1, random.Check, 1)
	scores, positive := make([]float32, 20000), make([]bool, 20000)
	for i := range scores {
		scores[i] = s.Float32(uint64(2*i))*2 - 1
		positive[i] = float64(s.Float32(uint64(2*i+1))) < Sigmoid(3*float64(scores[i])-0.5)
	}
	if a, b := Logistic(scores, positive); math.Abs(a-3) > 0.15 || math.Abs(b+0.5) > 0.1 {
		t.Errorf("slope %g and offset %g, want about 3 and -0.5", a, b)
	}
	if a, b := Logistic([]float32{-1, 1}, []bool{true, false}); a <= 0 || a > 0.1 || b != 0 {
		t.Errorf("scores that say the opposite: slope %g, offset %g", a, b)
	}
	if a, _ := Logistic([]float32{-1, -1, 1, 1}, []bool{false, false, true, true}); !(a > 0.5 && a < 10) {
		t.Errorf("scores without errors: slope %g", a)
	}
}

func TestTemperature(t *testing.T) {
	s := random.New(2, random.Check, 1)
	const classes, n = 3, 20000
	scores, class := make([]float32, n*classes), make([]int32, n)
	for i := range class {
		p, sum := [classes]float64{}, 0.0
		for k := range p {
			v := s.Float32(uint64(4*i + k))
			scores[i*classes+k] = v
			p[k] = math.Exp(5 * float64(v))
			sum += p[k]
		}
		for u := float64(s.Float32(uint64(4*i+3))) * sum; class[i] < classes-1 && u > p[class[i]]; class[i]++ {
			u -= p[class[i]]
		}
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	var first float64
	for processors := 1; processors <= 3; processors++ {
		runtime.GOMAXPROCS(processors)
		a, err := Temperature(t.Context(), scores, classes, class)
		if err != nil || math.Abs(a-5) > 0.2 {
			t.Errorf("factor %g, want about 5, %v", a, err)
		}
		if processors == 1 {
			first = a
		} else if a != first {
			t.Errorf("%d processors: factor %v, one: %v", processors, a, first)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := Temperature(ctx, scores, classes, class); err != context.Canceled {
			t.Errorf("in a context that is done: %v", err)
		}
	}
}

func TestThresholdF1(t *testing.T) {
	// Cutting after the third gives F1 = 2*2/(2+3) = 0.8; after the second, which is as probable as the first, 2*1/(2+2).
	if got := ThresholdF1([]float32{0.9, 0.9, 0.6, 0.1}, []bool{true, false, true, false}); got != 0.4 {
		t.Errorf("threshold %g, want 0.4", got)
	}
	if got := ThresholdF1([]float32{0.9}, []bool{false}); got != 0.5 {
		t.Errorf("threshold %g, want 0.5", got)
	}
}

// The threshold is the best cut in expectation, which is tried for every cut.
func TestThresholdMacroF1(t *testing.T) {
	s := random.New(4, random.Check, 1)
	for _, power := range []float64{1, 3, 8} { // the larger, the rarer is the second class
		p := make([]float32, 3000)
		for i := range p {
			p[i] = float32(math.Pow(float64(s.Float32(uint64(i))), power))
		}
		got := ThresholdMacroF1(p)
		macro := func(cut float32) float64 {
			given, hits, rest, all := 0.0, 0.0, 0.0, 0.0
			for _, v := range p {
				all += float64(v)
				if v >= cut {
					given++
					hits += float64(v)
				} else {
					rest += 1 - float64(v)
				}
			}
			n := float64(len(p))
			return hits/(given+all) + rest/(2*n-given-all)
		}
		best := 0.0
		for cut := float32(0.01); cut < 1; cut += 0.01 {
			best = max(best, macro(cut))
		}
		if m := macro(got); m < best-1e-6 {
			t.Errorf("power %g: macro-F1 %g at %g, %g elsewhere", power, m, got, best)
		}
		if balanced := power == 1; balanced != (math.Abs(float64(got)-0.5) < 0.01) || got > 0.51 {
			t.Errorf("power %g: threshold %g", power, got)
		}
	}
	for _, v := range []struct {
		p    []float32
		want float32
	}{{[]float32{0.9, 0.9, 0.1, 0.1}, 0.5}, {[]float32{0.3, 0.3}, 0.5}, {nil, 0.5}, {[]float32{0.2, 0.1}, 0.15}} {
		if got := ThresholdMacroF1(v.p); math.Abs(float64(got-v.want)) > 1e-6 {
			t.Errorf("%v: threshold %g, want %g", v.p, got, v.want)
		}
	}
}
