package calibration

import "github.com/linnet-ml/linnet/simd"

// Temperature returns the factor a > 0 for which softmax(a s) of held-out scores has the least log loss. Scores are rows of
// classes; class is the right one of each row.
func Temperature(scores []float32, classes int, class []int32) float64 {
	if len(class) == 0 {
		return 1
	}
	loss := func(a float64) float64 {
		sum := 0.0
		for i, k := range class {
			sum += SoftmaxLoss(scores[i*classes:(i+1)*classes], a, k)
		}
		return sum
	}
	// The loss is convex in a. The search steps through powers of 2, then cuts the bracket by the golden section.
	const smallest, largest = 1.0 / 4096, 4096
	best := smallest
	value := loss(best)
	for a := 2 * smallest; a <= largest; a *= 2 {
		v := loss(a)
		if v >= value {
			break
		}
		best, value = a, v
	}
	low, high := best/2, best*2
	const golden = 0.6180339887498949
	x, y := high-float64(golden*(high-low)), low+float64(golden*(high-low))
	fx, fy := loss(x), loss(y)
	for range 24 {
		if fx < fy {
			high, y, fy = y, x, fx
			x = high - float64(golden*(high-low))
			fx = loss(x)
		} else {
			low, x, fx = x, y, fy
			y = low + float64(golden*(high-low))
			fy = loss(y)
		}
	}
	return (low + high) / 2
}

// SoftmaxLoss is the log loss of softmax(a s) for class k.
func SoftmaxLoss(s []float32, a float64, k int32) float64 {
	m := s[0]
	for _, v := range s[1:] {
		m = max(m, v)
	}
	sum := 0.0
	for _, v := range s {
		sum += simd.Exp64(float64(a * float64(v-m)))
	}
	return simd.Log64(sum) - float64(a*float64(s[k]-m))
}
