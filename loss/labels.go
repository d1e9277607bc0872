package loss

import "fmt"

// checkProbability returns what refuses labels outside [0, 1], and NaN, for the loss of the given name.
func checkProbability(name string) func(label float32) error {
	return func(label float32) error {
		if !(label >= 0 && label <= 1) {
			return fmt.Errorf("loss: %s is defined for labels from 0 to 1, not %v", name, label)
		}
		return nil
	}
}
