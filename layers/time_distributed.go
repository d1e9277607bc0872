package layers

import (
	"errors"
	"fmt"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
)

// TimeDistributed applies a layer to each step by itself, with the same parameters: (batch, steps, …) to
// (batch, steps, …), where the layer turns (batch, …) into (batch, …) (Keras's TimeDistributed). The input is float32 and
// has at least 3 dimensions. A mask is handed on; the layer does not see it.
//
// The layer's parameters have its name in their path: time_distributed/dense/kernel.
//
// To the layer every step of every row is a row. BatchNormalization would therefore take its statistics over rows and
// steps together, where Keras's TimeDistributed takes them of each step and moves the running ones once for each. Build
// refuses it unless it is Frozen: apply it without TimeDistributed, which gives statistics over rows and steps.
type TimeDistributed struct {
	Name string
	// Layer is what is applied to each step.
	Layer plan.Layer
}

var _ plan.NamedLayer = TimeDistributed{}

// Kind is "TimeDistributed".
func (TimeDistributed) Kind() string { return "TimeDistributed" }

// LayerName is Name.
func (d TimeDistributed) LayerName() string { return d.Name }

// Build makes rows of the steps, applies the layer, and makes steps of the rows again.
func (d TimeDistributed) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	x, err := single(in)
	if err != nil {
		return nil, err
	}
	if err := floats("TimeDistributed", x.Signature, 3); err != nil {
		return nil, err
	}
	if n, ok := d.Layer.(BatchNormalization); ok && !n.Frozen {
		return nil, errors.New("TimeDistributed does not train BatchNormalization, whose statistics Keras then takes of each step by itself: " +
			"apply BatchNormalization directly, for statistics over rows and steps, or set Frozen")
	}
	rows, err := b.Fold(x)
	if err != nil {
		return nil, err
	}
	out, err := b.Apply(d.Layer, rows)
	if err != nil {
		return nil, err
	}
	for i, v := range out {
		if v.Type != tensor.TypeFloat32 {
			return nil, fmt.Errorf("%w: TimeDistributed cannot put steps together that are %v", tensor.ErrShape, v.Type)
		}
		if out[i], err = b.Unfold(v, x); err != nil {
			return nil, err
		}
	}
	return out, b.PassMask(x, out)
}
