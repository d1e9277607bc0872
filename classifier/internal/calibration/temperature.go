package calibration

import (
	"context"

	"github.com/linnet-ml/linnet/classifier/internal/parallel"
	"github.com/linnet-ml/linnet/simd"
)

// Temperature returns the factor a > 0 for which softmax(a s) of held-out scores has the least log loss. Scores are rows of
// classes; class is the right one of each row.
func Temperature(ctx context.Context, scores []float32, classes int, class []int32) (float64, error) {
	if len(class) == 0 {
		return 1, nil
	}
	var err error
	losses := make([]float64, len(class))
	part := Part(classes)
	loss := func(a float64) float64 {
		if err != nil {
			return 0 // as all losses to come: the search ends
		}
		err = parallel.Each(ctx, (len(class)+part-1)/part, func(_ context.Context, p int) error {
			for i := p * part; i < min((p+1)*part, len(class)); i++ {
				losses[i] = SoftmaxLoss(scores[i*classes:(i+1)*classes], a, class[i])
			}
			return nil
		})
		sum := 0.0 // in the order of the rows, whoever computed them
		for _, l := range losses {
			sum += l
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
	return (low + high) / 2, err
}

// Part is how many rows of a number of scores one goroutine works on at a time: about 16 Ki scores.
func Part(scores int) int { return max(1, 1<<14/max(scores, 1)) }

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
