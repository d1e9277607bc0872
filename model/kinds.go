package model

import (
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/text"
)

// kinds knows linnet's own kinds of which models are made, and those of the caller.
func kinds(own []plan.Spec) (*plan.Kinds, error) {
	return plan.NewKinds(nn.Kinds(), layers.Kinds(), text.Kinds(), own)
}

// Kinds lists the package's kinds of specs, for plan.NewKinds: Format.
func Kinds() []plan.Spec { return []plan.Spec{Format{}} }
