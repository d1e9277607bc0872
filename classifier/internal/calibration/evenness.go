package calibration

import (
	"context"
	"math"
)

// MostQuarters is the largest number of quarters of an [Evenness].
const MostQuarters = 3

// Evenness makes the scores of a row of several classes more alike in their spread from row to row: they are multiplied by
// (Spread/s)^(Quarters/4), where s is their standard deviation. The zero value changes nothing.
//
// How far a linear model's scores lie apart depends on the words that a text happens to have, and says less about how sure the
// answer is than their shape does. One temperature takes it at its word, so that most texts seem less sure than they are, and a few,
// which quote words of another class for example, seem certain of what is wrong.
type Evenness struct {
	Spread   float64
	Quarters int // 0 to MostQuarters
}

// Factor is what the scores of a row are multiplied by.
func (e Evenness) Factor(s []float32) float32 {
	if e.Quarters == 0 {
		return 1
	}
	d := Deviation(s)
	if d == 0 {
		return 1
	}
	r := math.Sqrt(e.Spread / d)
	switch e.Quarters {
	case 1:
		r = math.Sqrt(r)
	case 3:
		r *= math.Sqrt(r)
	}
	return float32(min(r, mostFactor))
}

// mostFactor is the largest factor: scores that are all but the same say nothing.
const mostFactor = 1024

// Back turns the gradient with respect to even scores into that with respect to the scores before they were multiplied by factor.
func (e Evenness) Back(gradient, even []float32, factor float32) {
	n := float64(len(even))
	mean := 0.0
	for _, v := range even {
		mean += float64(v)
	}
	mean /= n
	squares, product := 0.0, 0.0
	for k, v := range even {
		d := float64(v) - mean
		squares += float64(d * d)
		product += float64(d * float64(gradient[k]))
	}
	share := 0.0
	if squares > 0 && factor < mostFactor {
		share = float64(float64(e.Quarters)/4*product) / squares
	}
	for k, v := range even {
		gradient[k] = float32(float64(factor) * (float64(gradient[k]) - float64(share*(float64(v)-mean))))
	}
}

// Deviation is the standard deviation of the scores of a row.
func Deviation(s []float32) float64 {
	mean := 0.0
	for _, v := range s {
		mean += float64(v)
	}
	mean /= float64(len(s))
	squares := 0.0
	for _, v := range s {
		d := float64(v) - mean
		squares += float64(d * d)
	}
	return math.Sqrt(squares / float64(len(s)))
}

// Even returns scores with the rows multiplied by e's factors.
func (e Evenness) Even(scores []float32, classes int) []float32 {
	if e.Quarters == 0 {
		return scores
	}
	even := make([]float32, len(scores))
	for i := 0; i < len(scores); i += classes {
		s := scores[i : i+classes]
		f := e.Factor(s)
		for k, v := range s {
			even[i+k] = v * f
		}
	}
	return even
}

// evenRows is how many rows an Evenness is chosen on, about.
const evenRows = 4000

// FindEvenness returns the Evenness for which probabilities of held-out scores have the least log loss, each with its own [Temperature]. It is
// zero unless the loss is smaller by more than a standard error than without one. With quarters, it has so many.
func FindEvenness(ctx context.Context, scores []float32, classes int, class []int32, quarters *int) (Evenness, error) {
	if step := len(class) / evenRows; step > 1 {
		var few []float32
		var of []int32
		for i := 0; i < len(class); i += step {
			few, of = append(few, scores[i*classes:(i+1)*classes]...), append(of, class[i])
		}
		scores, class = few, of
	}
	spread := 0.0
	for i := range class {
		spread += Deviation(scores[i*classes : (i+1)*classes])
	}
	if spread == 0 {
		return Evenness{}, nil
	}
	spread /= float64(len(class))
	if quarters != nil {
		return Evenness{spread, *quarters}, nil
	}
	n := float64(len(class))
	plain, best := make([]float64, len(class)), Evenness{}
	var gain float64
	for quarters := range MostQuarters + 1 {
		e := Evenness{spread, quarters}
		even := e.Even(scores, classes)
		a, err := Temperature(ctx, even, classes, class)
		if err != nil {
			return Evenness{}, err
		}
		sum, squares := 0.0, 0.0
		for i, k := range class {
			l := SoftmaxLoss(even[i*classes:(i+1)*classes], a, k)
			if quarters == 0 {
				plain[i] = l
			}
			d := plain[i] - l
			sum += d
			squares += float64(d * d)
		}
		variance := max(squares-float64(sum*sum)/n, 0)
		if sum > gain && float64(sum*sum) > variance {
			best, gain = e, sum
		}
	}
	return best, nil
}
