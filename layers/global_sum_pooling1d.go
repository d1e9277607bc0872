package layers

import "github.com/linnet-ml/linnet/nn/plan"

// GlobalSumPooling1D adds up over the steps: (batch, steps, features) to (batch, features). Keras has no such layer; it
// is what TensorFlow's embedding look-ups call the combiners "sum" and "sqrtn".
//
// Without a mask all steps count, padding too. With a mask only unmasked steps count, and the mask ends here. A row of
// which every step is masked gives 0.
//
// An Embedding directly before it is fused with it: see nn.FitOptions.NoFusion.
type GlobalSumPooling1D struct {
	Name string
	// SqrtN divides the sum by the square root of the number of steps that count.
	SqrtN bool
	// KeepDims keeps the dimension of the steps, with length 1.
	KeepDims bool
}

var _ plan.NamedLayer = GlobalSumPooling1D{}

// Kind is "GlobalSumPooling1D".
func (GlobalSumPooling1D) Kind() string { return "GlobalSumPooling1D" }

// LayerName is Name.
func (p GlobalSumPooling1D) LayerName() string { return p.Name }

// Build adds the sum, over unmasked steps if the input has a mask.
func (p GlobalSumPooling1D) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	s := average{by: byOne, keepDims: p.KeepDims}
	if p.SqrtN {
		s.by = byRoot
	}
	return s.build(b, in)
}
