package metrics

import "fmt"

// joinSums returns lists of sums as one.
func joinSums(lists ...[]float64) []float64 {
	var all []float64
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

// splitSums takes what joinSums returned, and refuses a list of another length.
func splitSums(sums []float64, into ...[]float64) error {
	want := 0
	for _, l := range into {
		want += len(l)
	}
	if len(sums) != want {
		return fmt.Errorf("metrics: %d sums in place of %d", len(sums), want)
	}
	for _, l := range into {
		sums = sums[copy(l, sums):]
	}
	return nil
}
