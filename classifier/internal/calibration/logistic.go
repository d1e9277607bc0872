package calibration

import (
	"math"

	"github.com/linnet-ml/linnet/simd"
)

// Logistic returns the slope a > 0 and the offset b for which the probabilities sigmoid(a s + b) of held-out scores have the
// least log loss (Platt, 1999), with his targets, which keep a sample without errors from making a infinite: (p+1)/(p+2) for the p
// positive rows, 1/(q+2) for the q others.
func Logistic(scores []float32, positive []bool) (a, b float64) {
	p, q, scale := 0, 0, 0.0
	for i, s := range scores {
		if positive[i] {
			p++
		} else {
			q++
		}
		scale += math.Abs(float64(s))
	}
	if len(scores) == 0 || scale == 0 {
		return 1, 0
	}
	high, low := (float64(p)+1)/(float64(p)+2), 1/(float64(q)+2)
	loss := func(a, b float64) float64 {
		sum := 0.0
		for i, s := range scores {
			t := low
			if positive[i] {
				t = high
			}
			z := float64(a*float64(s)) + b
			sum += softplus(z) - float64(t*z)
		}
		return sum
	}
	// Newton's method with step halving, from the rate of positive rows.
	a, b = 0, simd.Log64((float64(p)+1)/(float64(q)+1))
	value := loss(a, b)
	for range 100 {
		var ga, gb, haa, hab, hbb float64
		for i, s32 := range scores {
			t := low
			if positive[i] {
				t = high
			}
			s := float64(s32)
			y := Sigmoid(float64(a*s) + b)
			d, h := y-t, float64(y*(1-y))
			ga += float64(d * s)
			gb += d
			haa += float64(float64(h*s) * s)
			hab += float64(h * s)
			hbb += h
		}
		haa += 1e-12 * scale
		hbb += 1e-12
		det := float64(haa*hbb) - float64(hab*hab)
		if det <= 0 {
			break
		}
		da, db := (float64(hbb*ga)-float64(hab*gb))/det, (float64(haa*gb)-float64(hab*ga))/det
		step, moved := 1.0, false
		for range 30 {
			na, nb := a-float64(step*da), b-float64(step*db)
			if v := loss(na, nb); v < value {
				moved = value-v > 1e-9*value
				a, b, value = na, nb, v
				break
			}
			step /= 2
		}
		if !moved {
			break
		}
	}
	if a <= 0 { // scores that say the opposite of what they should: the rate alone
		return 1e-6, simd.Log64((float64(p) + 1) / (float64(q) + 1))
	}
	return a, b
}

// Sigmoid is the logistic function.
func Sigmoid(x float64) float64 {
	e := simd.Exp64(-math.Abs(x))
	if x < 0 {
		return e / (1 + e)
	}
	return 1 / (1 + e)
}

// LogLoss is the loss of probability sigmoid(z) for a row that is positive or not.
func LogLoss(z float64, positive bool) float64 {
	if positive {
		z = -z
	}
	return softplus(z)
}

// softplus is log(1 + e^x).
func softplus(x float64) float64 { return max(x, 0) + simd.Log1p64(simd.Exp64(-math.Abs(x))) }
