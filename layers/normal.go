package layers

import (
	"math"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/simd"
)

// normal fills dst from the normal distribution: element i is the quantile of number i of the stream, in the middle of
// its 2^-32.
func normal(dst []float32, r plan.Random, mean, deviation float64) {
	quantiles(dst, r, mean, deviation, 0, 1)
}

// truncatedNormal fills dst from the part of the normal distribution that is within two standard deviations of the mean.
func truncatedNormal(dst []float32, r plan.Random, mean, deviation float64) {
	const below = 0.022750131948179207 // the part of the distribution that is below -2
	quantiles(dst, r, mean, deviation, below, 1-2*below)
}

// quantiles fills dst with mean + deviation·q, q being quantiles of low + span·u for u spread evenly over (0, 1).
func quantiles(dst []float32, r plan.Random, mean, deviation, low, span float64) {
	for i := 0; i < len(dst); i += 4 {
		for j, u := range r.Block(uint64(i) / 4) {
			if i+j < len(dst) {
				p := float64(span*((float64(u)+0.5)*0x1p-32)) + low
				dst[i+j] = float32(float64(deviation*normalQuantile(p)) + mean)
			}
		}
	}
}

// normalQuantile returns the x that a number from the standard normal distribution is below with probability p, for p from
// 2^-33 to 1-2^-33, within a part in 10^16 (Wichura, "Algorithm AS 241: the percentage points of the normal
// distribution", 1988). Its third formula, for p further out, is left out.
func normalQuantile(p float64) float64 {
	q := p - 0.5
	if math.Abs(q) <= 0.425 {
		r := 0.180625 - float64(q*q)
		return q * polynomial(r, &centreAbove) / polynomial(r, &centreBelow)
	}
	r := p
	if q > 0 {
		r = 1 - p
	}
	r = math.Sqrt(-simd.Log64(r)) - 1.6
	return math.Copysign(polynomial(r, &tailAbove)/polynomial(r, &tailBelow), q)
}

// polynomial is c[0] + c[1]·x + … + c[7]·x^7.
func polynomial(x float64, c *[8]float64) float64 {
	sum := c[7]
	for i := 6; i >= 0; i-- {
		sum = float64(sum*x) + c[i]
	}
	return sum
}

// The coefficients of AS 241 (PPND16): of numerator and denominator, near the middle and far from it.
var (
	centreAbove = [8]float64{3.3871328727963666080, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
		4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3}
	centreBelow = [8]float64{1, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247510077e3,
		2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3}
	tailAbove = [8]float64{1.42343711074968357734, 4.63033784615654529590, 5.76949722146069140550, 3.64784832476320460504,
		1.27045825245236838258, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4}
	tailBelow = [8]float64{1, 2.05319162663775882187, 1.67638483018380384940, 6.89767334985100004550e-1,
		1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9}
)
