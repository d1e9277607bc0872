package layers

import (
	"fmt"

	"github.com/linnet-ml/linnet/nn/plan"
)

// Dropout sets elements to 0 in training, each with probability Rate, and scales the others by 1/(1-Rate); otherwise
// it changes nothing (Keras's Dropout; Srivastava et al., 2014). Which elements, depends on the seed of the Fit, the
// step, the layer's name and the element's place in the batch, not on other layers or threads.
type Dropout struct {
	Name string
	// Rate is from 0 to below 1.
	Rate float32
}

var _ plan.NamedLayer = Dropout{}

// Kind is "Dropout".
func (Dropout) Kind() string { return "Dropout" }

// LayerName is Name.
func (d Dropout) LayerName() string { return d.Name }

// Build adds the operation. A mask passes through.
func (d Dropout) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	x, err := single(in)
	if err != nil {
		return nil, err
	}
	if !(d.Rate >= 0 && d.Rate < 1) {
		return nil, fmt.Errorf("a dropout rate of %v is not from 0 to below 1", d.Rate)
	}
	out, err := b.Add(dropout{d.Rate}.op(), in)
	if err != nil {
		return nil, err
	}
	return out, b.PassMask(x, out)
}

type dropout struct{ rate float32 }

func (s dropout) op() plan.Op {
	return plan.Op{Form: s, Outputs: s.outputs, Forward: s.forward, Backward: s.backward}
}

func (s dropout) outputs(in []plan.Signature) ([]plan.Signature, error) {
	return []plan.Signature{in[0]}, floats("Dropout", in[0], 1)
}

func (s dropout) forward(f *plan.Frame, at plan.Span) {
	s.apply(f, f.Out(0, at), f.In(0, at), at)
}

func (s dropout) backward(f *plan.Frame, at plan.Span) {
	if dx := f.InGrad(0, at); dx != nil {
		s.apply(f, dx, f.OutGrad(0, at), at)
	}
}

// apply scales the elements that are kept and sets the others to 0. Forward and backward draw the same numbers.
func (s dropout) apply(f *plan.Frame, dst, src []float32, at plan.Span) {
	if !f.Training() || s.rate == 0 {
		copy(dst, src)
		return
	}
	random := f.Random()
	scale := 1 / (1 - s.rate)
	first := uint64(at.Lo) * uint64(f.InWidth(0)) // the number of src[0] in the batch
	var block [4]uint32
	for i, v := range src {
		number := first + uint64(i)
		if i == 0 || number%4 == 0 {
			block = random.Block(number / 4)
		}
		// The upper 24 bits are a float32 in [0, 1) exactly.
		if u := float32(block[number%4]>>8) * (1.0 / (1 << 24)); u < s.rate {
			dst[i] = 0
		} else {
			dst[i] = v * scale
		}
	}
}
