package nn

import (
	"errors"

	"github.com/linnet-ml/linnet/tensor"
)

// Prepare does once what Fit, Evaluate and Predict do with x each time they are given it: it checks x and brings it into
// the form that the model's first layers compute with, which all of them take in its place. For an Embedding with an
// average behind it these are text.Bags. Where there is nothing to prepare it returns x. The results have the same bits.
//
// What it returns serves models of the same first layers; not with NoFusion.
func (m *Model) Prepare(x tensor.Rows) (tensor.Rows, error) {
	if x == nil || x.Len() == 0 {
		return nil, errors.New("nn: there are no rows to prepare")
	}
	if err := m.checkInput(&m.fused, x); err != nil {
		return nil, err
	}
	prepared, err := m.prepare(&m.fused, x, nil, false)
	if err != nil {
		return nil, err
	}
	if m.fused.copied || len(prepared) != 1 {
		return x, nil
	}
	return prepared[0].data, nil
}
