package optim

import (
	"fmt"
	"math"

	"github.com/linnet-ml/linnet/simd"
)

// or returns a setting, or its default where it is 0.
func or(setting, def float32) float32 {
	if setting == 0 {
		return def
	}
	return setting
}

// checkPositive refuses a setting that is negative or not finite; 0 means the default.
func checkPositive(optimizer, name string, v float32) error {
	if !(v >= 0) || math.IsInf(float64(v), 0) {
		return fmt.Errorf("optim: %s: %s %v is not a positive number", optimizer, name, v)
	}
	return nil
}

// checkNotNegative refuses a setting that is negative or not finite, where 0 means 0.
func checkNotNegative(optimizer, name string, v float32) error {
	if !(v >= 0) || math.IsInf(float64(v), 0) {
		return fmt.Errorf("optim: %s: %s %v is not a finite number of at least 0", optimizer, name, v)
	}
	return nil
}

// checkDecay refuses a factor outside [0, 1), also where it only becomes 1 by rounding to float32.
func checkDecay(optimizer, name string, v float64) error {
	if !(v >= 0 && float32(v) < 1) {
		return fmt.Errorf("optim: %s: %s %v is not at least 0 and below 1", optimizer, name, v)
	}
	return nil
}

// checkMoments refuses the betas and the epsilon of an optimizer of Adam's family.
func checkMoments(optimizer string, beta1, beta2 float64, epsilon float32) error {
	if err := checkPositive(optimizer, "Epsilon", epsilon); err != nil {
		return err
	}
	if err := checkDecay(optimizer, "Beta1", beta1); err != nil {
		return err
	}
	return checkDecay(optimizer, "Beta2", beta2)
}

// checkMomentum refuses a momentum outside [0, 1].
func checkMomentum(optimizer string, v float32) error {
	if !(v >= 0 && v <= 1) {
		return fmt.Errorf("optim: %s: Momentum %v is not from 0 to 1", optimizer, v)
	}
	return nil
}

func sqrt32(x float32) float32 { return float32(math.Sqrt(float64(x))) }

func abs32(x float32) float32 { return float32(math.Abs(float64(x))) }

// power32 is factor^t, rounded to float32. Like Keras it rounds the factor to float32 first.
func power32(factor float64, t int) float32 { return float32(simd.Pow64(float64(float32(factor)), t)) }

// flush returns x, or 0 where it is so small that it would decay to a denormal, as the kernels of package simd do.
func flush(x float32) float32 {
	if -1e-30 < x && x < 1e-30 {
		return 0
	}
	return x
}
