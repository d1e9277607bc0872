// Package extension shows what another module adds to linnet, against its exported API alone: a layer with statistics of
// its own and two layers inside, a loss, a metric, a callback with state, an optimizer, an initializer and a storage.
// Copy the file that is nearest to what you need.
package extension

import "github.com/linnet-ml/linnet/nn/plan"

// Kinds lists the specs of this package, so that models with them can be written down: see plan.NewKinds.
func Kinds() []plan.Spec {
	return []plan.Spec{Adapter{}, Hinge{}, Margin{}, KeepBest{}, SignSGD{}, Ramp{}}
}
