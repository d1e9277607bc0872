package example

import "math"

// CheckBound refuses the whole number of a flag with a UsageError when it is out of its range. Upper bounds keep a slip
// of the finger from asking for more memory than there is.
func CheckBound(flag string, value, low, high int) error {
	if value < low || value > high {
		return Usagef("-%s %d is not from %d to %d", flag, value, low, high)
	}
	return nil
}

// CheckPositive refuses a number that is no positive float32.
func CheckPositive(flag string, value float64) error {
	if v := float32(value); !(v > 0) || math.IsInf(float64(v), 0) {
		return Usagef("-%s %v is not a positive float32", flag, value)
	}
	return nil
}

// CheckText refuses a flag that was given without a value.
func CheckText(given map[string]bool, flag, value string) error {
	if given[flag] && value == "" {
		return Usagef("-%s is empty", flag)
	}
	return nil
}
