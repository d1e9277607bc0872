package metrics

import "fmt"

// topK finds the k largest elements of vectors. Of elements that are equal the first count as larger, as in TensorFlow;
// NaN is the smallest number.
type topK struct {
	has    []bool // of the vector's elements, whether they are among the largest
	places []int  // of the largest, in falling order
}

func newTopK(metric string, k, classes int) (*topK, error) {
	if k < 1 || k > classes {
		return nil, fmt.Errorf("metrics: %s: TopK is %d, for an output of %d classes", metric, k, classes)
	}
	return &topK{has: make([]bool, classes), places: make([]int, k)}, nil
}

// choose finds the largest elements of x.
func (t *topK) choose(x []float32) {
	n := 0
	for i, v := range x {
		at := n
		for at > 0 && larger(v, x[t.places[at-1]]) {
			at--
		}
		if at == len(t.places) {
			continue
		}
		if n < len(t.places) {
			n++
		}
		copy(t.places[at+1:n], t.places[at:])
		t.places[at] = i
	}
	clear(t.has)
	for _, i := range t.places {
		t.has[i] = true
	}
}

// larger is a > b, with NaN below all numbers.
func larger(a, b float32) bool { return a > b || b != b && a == a }
