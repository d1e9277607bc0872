package optim

import (
	"errors"
	"fmt"
	"math"

	"github.com/linnet-ml/linnet/simd"
)

// setting is a field of a schedule with a value that must be above 0.
type setting struct {
	name  string
	value float64
}

// checkSchedule refuses settings that are not positive.
func checkSchedule(schedule string, settings ...setting) error {
	for _, s := range settings {
		if !(s.value > 0) || math.IsInf(s.value, 0) {
			return fmt.Errorf("optim: %s: %s %v is not a positive number", schedule, s.name, s.value)
		}
	}
	return nil
}

// checkAlpha refuses a fraction of the initial rate that is none.
func checkAlpha(schedule string, alpha float64) error {
	if !(alpha >= 0 && alpha <= 1) {
		return fmt.Errorf("optim: %s: Alpha %v is not from 0 to 1", schedule, alpha)
	}
	return nil
}

// checkFinite refuses a rate that is negative, infinite or NaN.
func checkFinite(schedule, name string, rate float32) error {
	if !(rate >= 0) || math.IsInf(float64(rate), 0) {
		return fmt.Errorf("optim: %s: %s %v is not a rate", schedule, name, rate)
	}
	return nil
}

// stepNumber is the number of a step to compute with. Those below 0, which no run has, count as 0.
func stepNumber(step int) float32 { return float32(max(step, 0)) }

var errNoPieces = errors.New("optim: PiecewiseConstantDecay: no Boundaries")

// The functions below are those of float64 that give the same bits on every machine, rounded to float32. Their own error
// is so small that all but one result in millions are the float32 nearest to the true one.

func floor32(x float32) float32 { return float32(math.Floor(float64(x))) }

func ceil32(x float32) float32 { return float32(math.Ceil(float64(x))) }

func log32(x float32) float32 { return float32(simd.Log64(float64(x))) }

// pow32 is x^y for x at least 0.
func pow32(x, y float32) float32 {
	switch {
	case y == 0 || x == 1:
		return 1
	case x == 0 && y > 0:
		return 0
	}
	return float32(simd.Exp64(float64(float64(y) * simd.Log64(float64(x)))))
}

// cos32 is the cosine of x, between -1e6 and 1e6.
func cos32(x float32) float32 {
	// Cody and Waite's reduction to |r| <= π/4, then the Taylor series: its next term is below 2^-64.
	const (
		halfPiHigh = 1.57079632673412561417e+00 // 33 bits: n*halfPiHigh is exact
		halfPiLow  = 6.07710050650619224932e-11
	)
	n := math.Floor(float64(float64(x)*(2/math.Pi)) + 0.5)
	r := float64(x) - float64(n*halfPiHigh)
	r -= float64(n * halfPiLow)
	z := float64(r * r)
	cosine, sine := 1.0, 1.0
	for k := 20; k > 0; k -= 2 {
		cosine = 1 - float64(z*cosine)/float64(k*(k-1))
		sine = 1 - float64(z*sine)/float64(k*(k+1))
	}
	sine = float64(sine * r)
	switch int(n) & 3 {
	case 0:
		return float32(cosine)
	case 1:
		return float32(-sine)
	case 2:
		return float32(-cosine)
	}
	return float32(sine)
}
