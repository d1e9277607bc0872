package metrics

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/linnet-ml/linnet/nn/plan"
)

// thresholds finds how many of some thresholds an output is above.
type thresholds struct {
	n      int       // their number
	sorted []float32 // in rising order; of even ones it may be missing
	rank   []int     // the place in sorted of each threshold, in the order in which they were given
	even   bool      // they divide [0, 1] evenly, and Keras computes the place of an output in place of comparing it
	open   bool      // of even ones, the first is a little below 0, so that an output of 0 is above it
}

// newThresholds takes thresholds in any order.
func newThresholds(list []float32) thresholds {
	order := make([]int, len(list))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case list[a] < list[b]:
			return -1
		case list[a] > list[b]:
			return 1
		}
		return 0
	})
	t := thresholds{n: len(list), sorted: make([]float32, len(list)), rank: make([]int, len(list)), even: areEven(list)}
	for place, i := range order {
		t.sorted[place] = list[i]
		t.rank[i] = place
	}
	return t
}

// areEven is Keras's test for thresholds 0, 1/(n-1), …, 1, in this order.
func areEven(list []float32) bool {
	if len(list) < 3 {
		return false
	}
	for i, v := range list {
		even := float64(float32(i) / float32(len(list)-1))
		if !(math.Abs(float64(v)-even) <= 1e-7+float64(1e-5*even)) {
			return false
		}
	}
	return true
}

// below returns how many thresholds are below an output. Comparisons are strict and in float32; NaN is above none.
func (t *thresholds) below(output float32) int {
	if !t.even {
		if len(t.sorted) == 1 {
			if output > t.sorted[0] {
				return 1
			}
			return 0
		}
		lo, hi := 0, len(t.sorted)
		for lo < hi {
			if mid := int(uint(lo+hi) >> 1); output > t.sorted[mid] {
				lo = mid + 1
			} else {
				hi = mid
			}
		}
		return lo
	}
	switch {
	case output != output:
		return 0
	case output < 0:
		output = 0
	case output > 1:
		output = 1
	}
	n := int(math.Ceil(float64(output * float32(t.n-1))))
	if n == 0 && t.open {
		n = 1
	}
	return n
}

// checkThresholds refuses thresholds outside [0, 1], but of logits only those that are not finite, and their absence where
// the output is logits.
func checkThresholds(metric string, list []float32, info plan.MetricInfo) error {
	if info.Logits && len(list) == 0 {
		return errLogits(metric)
	}
	for _, v := range list {
		if !finite(v) {
			return fmt.Errorf("metrics: %s: a threshold is %v", metric, v)
		}
		if !info.Logits && !(v >= 0 && v <= 1) {
			return fmt.Errorf("metrics: %s: the threshold %v is not from 0 to 1", metric, v)
		}
	}
	return nil
}

// finite reports whether a threshold is a number.
func finite(v float32) bool { return v-v == 0 }

// errLogits says that there is no default threshold for logits.
func errLogits(metric string) error {
	return fmt.Errorf("metrics: %s of logits needs a threshold: 0 (a probability above one half), or 0.5 as Keras does", metric)
}

// namesOf are the names of values, one for each threshold: "0.5".
func namesOf(list []float32) []string {
	names := make([]string, len(list))
	for i, v := range list {
		names[i] = strconv.FormatFloat(float64(v), 'g', -1, 32)
	}
	return names
}
