package layers

import (
	"fmt"
	"math"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optional"
	"github.com/linnet-ml/linnet/tensor"
)

// Zeros sets values to 0 (Keras's Zeros).
type Zeros struct{}

// Ones sets values to 1 (Keras's Ones).
type Ones struct{}

// Constant sets values to Value (Keras's Constant).
type Constant struct{ Value float32 }

// RandomUniform draws values evenly from [Min, Max) (Keras's RandomUniform). With both 0 they are -0.05 and 0.05.
type RandomUniform struct{ Min, Max float32 }

// RandomNormal draws values from the normal distribution (Keras's RandomNormal).
type RandomNormal struct {
	Mean float32
	// StdDev is the standard deviation; 0.05 by default.
	StdDev optional.Value[float32]
}

// TruncatedNormal draws values from the part of the normal distribution that is within two of its standard deviations
// of Mean (Keras's TruncatedNormal). Theirs is 0.88·StdDev.
type TruncatedNormal struct {
	Mean float32
	// StdDev is the standard deviation of the whole distribution; 0.05 by default.
	StdDev optional.Value[float32]
}

// GlorotUniform draws values evenly from ±sqrt(6/(fan in + fan out)) (Keras's GlorotUniform; Glorot and Bengio,
// 2010). Fan in and fan out are the last two dimensions, each times the product of those before.
type GlorotUniform struct{}

// GlorotNormal draws values of variance 2/(fan in + fan out) from a normal distribution that is cut off at two
// standard deviations (Keras's GlorotNormal; Glorot and Bengio, 2010).
type GlorotNormal struct{}

// HeUniform draws values evenly from ±sqrt(6/fan in) (Keras's HeUniform; He et al., 2015).
type HeUniform struct{}

// HeNormal draws values of variance 2/(fan in) from a normal distribution that is cut off at two standard deviations
// (Keras's HeNormal; He et al., 2015).
type HeNormal struct{}

// LecunUniform draws values evenly from ±sqrt(3/fan in) (Keras's LecunUniform; LeCun et al., 1998).
type LecunUniform struct{}

// LecunNormal draws values of variance 1/(fan in) from a normal distribution that is cut off at two standard
// deviations (Keras's LecunNormal; LeCun et al., 1998).
type LecunNormal struct{}

var (
	_ plan.Initializer = Zeros{}
	_ plan.Initializer = Ones{}
	_ plan.Initializer = Constant{}
	_ plan.Initializer = RandomUniform{}
	_ plan.Initializer = RandomNormal{}
	_ plan.Initializer = TruncatedNormal{}
	_ plan.Initializer = GlorotUniform{}
	_ plan.Initializer = GlorotNormal{}
	_ plan.Initializer = HeUniform{}
	_ plan.Initializer = HeNormal{}
	_ plan.Initializer = LecunUniform{}
	_ plan.Initializer = LecunNormal{}
)

// Kind is "Zeros".
func (Zeros) Kind() string { return "Zeros" }

// Kind is "Ones".
func (Ones) Kind() string { return "Ones" }

// Kind is "Constant".
func (Constant) Kind() string { return "Constant" }

// Kind is "RandomUniform".
func (RandomUniform) Kind() string { return "RandomUniform" }

// Kind is "RandomNormal".
func (RandomNormal) Kind() string { return "RandomNormal" }

// Kind is "TruncatedNormal".
func (TruncatedNormal) Kind() string { return "TruncatedNormal" }

// Kind is "GlorotUniform".
func (GlorotUniform) Kind() string { return "GlorotUniform" }

// Kind is "GlorotNormal".
func (GlorotNormal) Kind() string { return "GlorotNormal" }

// Kind is "HeUniform".
func (HeUniform) Kind() string { return "HeUniform" }

// Kind is "HeNormal".
func (HeNormal) Kind() string { return "HeNormal" }

// Kind is "LecunUniform".
func (LecunUniform) Kind() string { return "LecunUniform" }

// Kind is "LecunNormal".
func (LecunNormal) Kind() string { return "LecunNormal" }

// Init fills dst.
func (Zeros) Init(dst []float32, _ tensor.Shape, _ plan.Random) error {
	clear(dst)
	return nil
}

// Init fills dst.
func (Ones) Init(dst []float32, _ tensor.Shape, _ plan.Random) error { return fill(dst, 1) }

// Init fills dst. A Value that is not finite is an error.
func (c Constant) Init(dst []float32, _ tensor.Shape, _ plan.Random) error {
	if !finite(c.Value) {
		return fmt.Errorf("a Constant of %v", c.Value)
	}
	return fill(dst, c.Value)
}

func fill(dst []float32, v float32) error {
	for i := range dst {
		dst[i] = v
	}
	return nil
}

// Init fills dst. Bounds that are not finite or further apart than a float32 can say are errors, and so is Min > Max.
func (u RandomUniform) Init(dst []float32, _ tensor.Shape, r plan.Random) error {
	if !finite(u.Min) || !finite(u.Max) || u.Min > u.Max || !finite(u.Max-u.Min) {
		return fmt.Errorf("RandomUniform cannot draw from %v to %v", u.Min, u.Max)
	}
	if u.Min == 0 && u.Max == 0 {
		u.Min, u.Max = -0.05, 0.05
	}
	r.Uniform(dst, u.Min, u.Max)
	return nil
}

// Init fills dst. A Mean or StdDev that is not finite is an error, and so is a StdDev below 0.
func (n RandomNormal) Init(dst []float32, _ tensor.Shape, r plan.Random) error {
	deviation, err := spread(n.Kind(), n.Mean, n.StdDev)
	if err == nil {
		normal(dst, r, float64(n.Mean), deviation)
	}
	return err
}

// Init fills dst. A Mean or StdDev that is not finite is an error, and so is a StdDev below 0.
func (n TruncatedNormal) Init(dst []float32, _ tensor.Shape, r plan.Random) error {
	deviation, err := spread(n.Kind(), n.Mean, n.StdDev)
	if err == nil {
		truncatedNormal(dst, r, float64(n.Mean), deviation)
	}
	return err
}

// spread checks the settings of a normal distribution and returns its standard deviation.
func spread(kind string, mean float32, stdDev optional.Value[float32]) (float64, error) {
	deviation := stdDev.Or(0.05)
	if !finite(mean) || !finite(deviation) || deviation < 0 {
		return 0, fmt.Errorf("%s cannot draw values of mean %v and standard deviation %v", kind, mean, deviation)
	}
	return float64(deviation), nil
}

// Init fills dst.
func (GlorotUniform) Init(dst []float32, shape tensor.Shape, r plan.Random) error {
	in, out := fans(shape)
	return uniformOfVariance(dst, r, 2, in+out)
}

// Init fills dst.
func (GlorotNormal) Init(dst []float32, shape tensor.Shape, r plan.Random) error {
	in, out := fans(shape)
	return normalOfVariance(dst, r, 2, in+out)
}

// Init fills dst.
func (HeUniform) Init(dst []float32, shape tensor.Shape, r plan.Random) error {
	in, _ := fans(shape)
	return uniformOfVariance(dst, r, 2, in)
}

// Init fills dst.
func (HeNormal) Init(dst []float32, shape tensor.Shape, r plan.Random) error {
	in, _ := fans(shape)
	return normalOfVariance(dst, r, 2, in)
}

// Init fills dst.
func (LecunUniform) Init(dst []float32, shape tensor.Shape, r plan.Random) error {
	in, _ := fans(shape)
	return uniformOfVariance(dst, r, 1, in)
}

// Init fills dst.
func (LecunNormal) Init(dst []float32, shape tensor.Shape, r plan.Random) error {
	in, _ := fans(shape)
	return normalOfVariance(dst, r, 1, in)
}

// uniformOfVariance draws values of variance scale/fan evenly from ±sqrt(3·scale/fan).
func uniformOfVariance(dst []float32, r plan.Random, scale float64, fan int) error {
	limit := float32(math.Sqrt(3 * scale / float64(fan)))
	r.Uniform(dst, -limit, limit)
	return nil
}

// normalOfVariance draws values of variance scale/fan from a normal distribution that is cut off at two standard
// deviations.
func normalOfVariance(dst []float32, r plan.Random, scale float64, fan int) error {
	// The standard deviation of what is left of the standard normal distribution, as in Keras.
	const left = 0.87962566103423978
	truncatedNormal(dst, r, 0, math.Sqrt(scale/float64(fan))/left)
	return nil
}

// fans are the number of inputs and outputs of a unit, as Keras counts them.
func fans(shape tensor.Shape) (in, out int) {
	switch len(shape) {
	case 0:
		return 1, 1
	case 1:
		return shape[0], shape[0]
	}
	field := shape[:len(shape)-2].Size()
	return shape[len(shape)-2] * field, shape[len(shape)-1] * field
}

// or returns the initializer, or the default when none is given.
func or(i, def plan.Initializer) plan.Initializer {
	if i == nil {
		return def
	}
	return i
}

func finite(x float32) bool { return x-x == 0 }
