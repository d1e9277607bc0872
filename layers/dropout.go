package layers

import (
	"fmt"

	"github.com/linnet-ml/linnet/nn"
)

// Dropout sets elements to 0 in training, each with probability Rate, and scales the others by 1/(1-Rate); otherwise
// it changes nothing (Keras's Dropout; Srivastava et al., 2014). Which elements, depends on the seed of the Fit, the
// step, the layer's name and the element's place in the batch, not on other layers or threads.
type Dropout struct {
	Name string
	// Rate is from 0 to below 1.
	Rate float32
}

var _ nn.NamedLayer = Dropout{}

// Kind is "Dropout".
func (Dropout) Kind() string { return "Dropout" }

// LayerName is Name.
func (d Dropout) LayerName() string { return d.Name }

// Build adds the step.
func (d Dropout) Build(b *nn.Builder, in ...nn.Symbol) (nn.Symbol, error) {
	x, err := single(in)
	if err != nil {
		return x, err
	}
	if !(d.Rate >= 0 && d.Rate < 1) {
		return x, fmt.Errorf("a dropout rate of %v is not from 0 to below 1", d.Rate)
	}
	out, err := b.Step(dropout{d.Rate}, in)
	if err != nil {
		return out, err
	}
	if mask, ok := b.Mask(x); ok {
		out = b.Masked(out, mask)
	}
	return out, nil
}

type dropout struct{ rate float32 }

var _ nn.BackwardStep = dropout{}

func (s dropout) Output(in []nn.Signature) (nn.Signature, error) {
	return in[0], floats("Dropout", in[0], 1)
}

func (s dropout) Forward(f *nn.Frame, at nn.Span) { s.apply(f, f.Out(), f.In(0), at) }

func (s dropout) Backward(f *nn.Frame, at nn.Span) { s.apply(f, f.InGrad(0), f.OutGrad(), at) }

// apply scales the elements that are kept and sets the others to 0. Forward and backward draw the same numbers.
func (s dropout) apply(f *nn.Frame, dst, src []float32, at nn.Span) {
	w := f.Width(0)
	lo, hi := at.Lo*w, at.Hi*w
	if !f.Training() || s.rate == 0 {
		copy(dst[lo:hi], src[lo:hi])
		return
	}
	random := f.Random()
	scale := 1 / (1 - s.rate)
	var block [4]uint32
	for i := lo; i < hi; i++ {
		if i == lo || i%4 == 0 {
			block = random.Block(uint64(i) / 4)
		}
		// The upper 24 bits are a float32 in [0, 1) exactly.
		if u := float32(block[i%4]>>8) * (1.0 / (1 << 24)); u < s.rate {
			dst[i] = 0
		} else {
			dst[i] = src[i] * scale
		}
	}
}
