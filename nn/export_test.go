package nn

import "github.com/linnet-ml/linnet/nn/plan"

// AutomaticThreads is the number of workers that a setting of 0 gives for a batch of so many rows.
func (m *Model) AutomaticThreads(rows int) int {
	return m.threads(m.fused, 0, rows, []plan.Signature{m.inputs[0].signature})
}
