package optim

import (
	"fmt"
	"math"
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

// checkDecay refuses a factor outside [0, 1), also where it only becomes 1 by rounding to float32.
func checkDecay(optimizer, name string, v float64) error {
	if !(v >= 0 && float32(v) < 1) {
		return fmt.Errorf("optim: %s: %s %v is not at least 0 and below 1", optimizer, name, v)
	}
	return nil
}

// checkMomentum refuses a momentum outside [0, 1].
func checkMomentum(optimizer string, v float32) error {
	if !(v >= 0 && v <= 1) {
		return fmt.Errorf("optim: %s: Momentum %v is not from 0 to 1", optimizer, v)
	}
	return nil
}

func sqrt32(x float32) float32 { return float32(math.Sqrt(float64(x))) }
