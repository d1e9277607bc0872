package loss

import "github.com/linnet-ml/linnet/simd"

// expSum returns the largest of the logits z of one vector, and the sum of the numerators of its softmax,
// e^(z - largest), which it writes to exps, of the length of z or none. NaN, +Inf and nothing but -Inf give NaN.
func expSum(exps, z []float32) (largest, sum float32) {
	largest = z[0]
	for _, v := range z {
		if v > largest {
			largest = v
		}
	}
	if len(z) < 8 { // what follows would take longer to begin than to do
		for i, v := range z {
			e := simd.Exp32(v - largest)
			if len(exps) > 0 {
				exps[i] = e
			}
			sum += e
		}
		return largest, sum
	}
	if len(exps) > 0 {
		for i, v := range z {
			exps[i] = v - largest
		}
		simd.Exp(exps, exps)
		var s lanes
		for i, e := range exps {
			s.add(i, len(z), e)
		}
		return largest, s.sum()
	}
	var s lanes
	for i, v := range z {
		s.add(i, len(z), simd.Exp32(v-largest))
	}
	return largest, s.sum()
}

// lanes is a sum in float32 in the order of TensorFlow: numbers in whole groups of 8 go to 16 lanes in turn, the rest are
// added up one after another. The rounding of this sum decides the last digits of the loss of a prediction that is sure
// and right; up to 16 classes they are Keras's.
type lanes struct {
	lane [16]float32
	rest float32
}

// add adds number i of n.
func (s *lanes) add(i, n int, v float32) {
	if i < n&^7 {
		s.lane[i&15] += v
	} else {
		s.rest += v
	}
}

func (s *lanes) sum() float32 {
	for n := 8; n > 0; n /= 2 {
		for i := range n {
			s.lane[i] += s.lane[i+n]
		}
	}
	return s.rest + s.lane[0]
}

// clip brings a probability to where Keras cuts it off.
func clip(p float32) float32 {
	switch {
	case p < lowestProbability:
		return lowestProbability
	case p > highestProbability:
		return highestProbability
	}
	return p
}

// part returns the elements lo to hi of a gradient that is wanted, or nil.
func part(gradient []float32, lo, hi int) []float32 {
	if gradient == nil {
		return nil
	}
	return gradient[lo:hi]
}

// average divides a gradient by the number of vectors whose losses are averaged.
func average(gradient []float32, vectors int) {
	if vectors > 1 {
		for i := range gradient {
			gradient[i] /= float32(vectors)
		}
	}
}
