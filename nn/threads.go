package nn

import (
	"runtime"

	"github.com/linnet-ml/linnet/nn/plan"
)

// threads is the number of workers for a setting and a batch of so many rows. 0 stands for as many as the work is worth.
func (m *Model) threads(g *program, setting, rows int, inputs []plan.Signature) int {
	if setting <= 0 {
		setting = min(runtime.GOMAXPROCS(0), m.batchWork(g, rows, inputs)/workerWork)
	}
	return max(1, min(setting, ceilDiv(max(1, rows), g.unit), 4*runtime.NumCPU()))
}

// workerWork is what a worker must have to do in a step to be worth its while, in the units of batchWork. The tutorial's
// step has less, and two workers have not made it faster.
const workerWork = 1 << 22

// batchWork counts elements that a step computes, roughly: of all values, of the products and of the parameters.
func (m *Model) batchWork(g *program, rows int, inputs []plan.Signature) int {
	const steps = 128 // where their number is not known
	signatures, folds, err := m.plain.Signatures(inputs)
	if err != nil {
		return 0
	}
	perRow := 0
	for i, s := range signatures {
		n := 1
		for _, d := range s.Shape[min(1, len(s.Shape)):] {
			if d == -1 {
				d = steps
			}
			n *= d
		}
		if folds[i] > 1 {
			n *= folds[i]
		}
		perRow += n
	}
	params := 0
	for i := range m.plain.Ops {
		o := &m.plain.Ops[i]
		times := 1 // a kernel is used once for each step
		if len(o.In) > 0 && len(signatures[o.In[0]].Shape) > 2 {
			times = max(1, signatures[o.In[0]].Shape[1])
		}
		for k, p := range o.Params {
			if !o.Rows.Has(k) {
				perRow += m.params()[p].Size() * times
			}
			if m.params()[p].Trainable() {
				params += min(m.params()[p].Size(), largeTable)
			}
		}
	}
	return rows*perRow + params
}
