package plan

import "github.com/linnet-ml/linnet/tensor"

// Signature is what is known of a value before the model runs.
type Signature struct {
	Type tensor.Type
	// Shape starts with the number of rows. That and the number of steps may be tensor.Unknown.
	Shape tensor.Shape
}
