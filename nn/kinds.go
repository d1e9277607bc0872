package nn

import "github.com/linnet-ml/linnet/nn/plan"

// Kinds lists the package's kinds of specs, for plan.NewKinds: Sequential and Graph.
func Kinds() []plan.Spec { return []plan.Spec{&Sequential{}, &Graph{}} }
