package layers

import (
	"fmt"
	"math"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optional"
	"github.com/linnet-ml/linnet/tensor"
)

// Orthogonal makes a matrix whose columns, or rows if these are fewer, have length Gain and stand at right angles to each
// other (Keras's Orthogonal; Saxe et al., 2014). A shape (a, b, …, n) is taken as a matrix (a·b·…, n). The matrix is
// the Q of the QR decomposition, with R's diagonal positive, of a matrix of numbers from the normal distribution.
type Orthogonal struct {
	// Gain is 1 by default.
	Gain optional.Value[float32]
}

var _ plan.Initializer = Orthogonal{}

// Kind is "Orthogonal".
func (Orthogonal) Kind() string { return "Orthogonal" }

// Init fills dst. Shapes of fewer than two dimensions are an error, and so is a Gain that is not finite.
func (o Orthogonal) Init(dst []float32, shape tensor.Shape, r plan.Random) error {
	gain := o.Gain.Or(1)
	if !finite(gain) {
		return fmt.Errorf("Orthogonal with a gain of %v", gain)
	}
	if len(shape) < 2 {
		return fmt.Errorf("%w: Orthogonal makes values of at least 2 dimensions, not %v", tensor.ErrShape, shape)
	}
	rows, columns := shape[:len(shape)-1].Size(), last(shape)
	if rows == 0 || columns == 0 {
		return nil
	}
	// The vectors that shall stand at right angles lie one after another.
	length, count := max(rows, columns), min(rows, columns)
	normal(dst, r, 0, 1)
	q := make([]float64, rows*columns)
	for i := range length {
		for k := range count {
			q[k*length+i] = float64(dst[i*count+k])
		}
	}
	orthonormalize(q, length)
	for k := range count {
		for i, v := range q[k*length : (k+1)*length] {
			at := i*columns + k
			if rows < columns {
				at = k*columns + i
			}
			dst[at] = float32(float64(gain) * v)
		}
	}
	return nil
}

// orthonormalize makes vectors of the given length orthonormal, each in the span of itself and those before it and at less
// than a right angle to what it was: Gram and Schmidt's method, one vector after another, twice where most of a vector
// goes.
func orthonormalize(q []float64, length int) {
	for at := 0; at < len(q); at += length {
		v := q[at : at+length]
		before := dot(v, v)
		for range 2 {
			for k := 0; k < at; k += length {
				u := q[k : k+length]
				c := dot(u, v)
				for i := range v {
					v[i] -= float64(c * u[i])
				}
			}
			if dot(v, v) > before/100 {
				break
			}
		}
		norm := math.Sqrt(dot(v, v))
		for i := range v {
			v[i] /= norm
		}
	}
}

// dot is the sum of products, in four chains.
func dot(x, y []float64) float64 {
	var s [4]float64
	y = y[:len(x)]
	i := 0
	for ; i+4 <= len(x); i += 4 {
		s[0] += float64(x[i] * y[i])
		s[1] += float64(x[i+1] * y[i+1])
		s[2] += float64(x[i+2] * y[i+2])
		s[3] += float64(x[i+3] * y[i+3])
	}
	for ; i < len(x); i++ {
		s[0] += float64(x[i] * y[i])
	}
	return (s[0] + s[1]) + (s[2] + s[3])
}
