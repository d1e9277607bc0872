package evaluation

import (
	"fmt"
	"math"
)

// Answers are a classifier's answers to n texts, and the truth.
type Answers struct {
	// Classes are the names of the k classes that the classifier knows.
	Classes []string
	// Several says that a text may have no label or several. Otherwise it has one.
	Several bool
	// True has the labels of each text, by their number in Classes. A label that the classifier does not know is Unknown.
	True [][]int32
	// Given has the labels that the classifier gave each text. It is empty where the classifier gave none.
	Given [][]int32
	// Probabilities has k values for each text, row by row.
	Probabilities []float32
}

// Unknown stands for a label that the classifier has never seen.
const Unknown int32 = -1

// check returns an error that names the place where the answers contradict themselves.
func (a *Answers) check() error {
	n, k := len(a.True), len(a.Classes)
	switch {
	case n == 0:
		return fmt.Errorf("evaluation: there are no rows")
	case k == 0:
		return fmt.Errorf("evaluation: there are no classes")
	case len(a.Given) != n:
		return fmt.Errorf("evaluation: %d rows with answers and %d with labels", len(a.Given), n)
	case len(a.Probabilities)/k != n || len(a.Probabilities)%k != 0:
		return fmt.Errorf("evaluation: %d probabilities for %d rows of %d classes", len(a.Probabilities), n, k)
	}
	seen := make([]int, k) // the last row that had the class, counted from 1
	for _, side := range [...]struct {
		what  string
		rows  [][]int32
		truth bool
	}{{"labels", a.True, true}, {"answers", a.Given, false}} {
		clear(seen)
		what := side.what
		for i, set := range side.rows {
			if !a.Several && (len(set) > 1 || len(set) == 0 && side.truth) {
				return fmt.Errorf("evaluation: row %d has %d %s in place of one", i, len(set), what)
			}
			for _, c := range set {
				if c == Unknown && side.truth {
					continue
				}
				if c < 0 || int(c) >= k {
					return fmt.Errorf("evaluation: row %d: there is no class %d among %d", i, c, k)
				}
				if seen[c] == i+1 {
					return fmt.Errorf("evaluation: row %d has class %d twice among its %s", i, c, what)
				}
				seen[c] = i + 1
			}
		}
	}
	for i, p := range a.Probabilities {
		if !(p >= 0 && p <= 1) {
			return fmt.Errorf("evaluation: row %d: the probability of class %d is %v", i/k, i%k, p)
		}
	}
	return nil
}

// probability is that of a class for a row.
func (a *Answers) probability(row int, class int32) float32 {
	return a.Probabilities[row*len(a.Classes)+int(class)]
}

// top is a row's most probable class.
func (a *Answers) top(row int) int32 {
	k := len(a.Classes)
	best := 0
	for c, p := range a.Probabilities[row*k : (row+1)*k] {
		if p > a.Probabilities[row*k+best] {
			best = c
		}
	}
	return int32(best)
}

// has reports whether a set of labels has a class.
func has(set []int32, class int32) bool {
	for _, c := range set {
		if c == class {
			return true
		}
	}
	return false
}

// same reports whether the labels given are the true ones.
func (a *Answers) same(row int) bool {
	if len(a.True[row]) != len(a.Given[row]) {
		return false
	}
	for _, c := range a.True[row] {
		if !has(a.Given[row], c) {
			return false
		}
	}
	return true
}

// leastProbability keeps the logarithm of a probability of 0 finite, as in scikit-learn with float32 probabilities.
const leastProbability = 0x1p-23

// clip moves a probability away from 0 and 1.
func clip(p float64) float64 { return math.Min(math.Max(p, leastProbability), 1-leastProbability) }
