package calibration

import (
	"math"
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
	if a := Temperature(scores, classes, class); math.Abs(a-5) > 0.2 {
		t.Errorf("factor %g, want about 5", a)
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
