package text

import "math"

// inverseDocumentFrequency is the weight of a word that occurs in some of the documents, log(1 + documents/(1+some)), as
// TextVectorization has it: worked out in float64 and rounded to float32.
func inverseDocumentFrequency(documents, some int64) float32 {
	return float32(logarithm(1 + float64(documents)/float64(1+some)))
}

// logarithm is the natural logarithm of a finite x > 0, to about 1e-16 of it. Unlike math.Log it gives the same bits on
// every machine: the weights of words reach the weights of models.
func logarithm(x float64) float64 {
	m, e := math.Frexp(x)
	if m < math.Sqrt2/2 {
		m *= 2
		e--
	}
	// log(m) = 2 atanh(s) = 2(s + s³/3 + s⁵/5 + …), and s² is at most 0.0295.
	s := (m - 1) / (m + 1)
	z := float64(s * s)
	sum := 0.0
	for k := 23; k >= 3; k -= 2 {
		sum = float64(z * (1/float64(k) + sum))
	}
	series := float64(2*s) + float64(2*s*sum)
	return float64(float64(e)*math.Ln2) + series
}

// averageWeight is what stands for the weight of unknown words.
func averageWeight(weights []float32) float32 {
	sum := 0.0
	for _, w := range weights {
		sum += float64(w)
	}
	return float32(sum / float64(len(weights)))
}
