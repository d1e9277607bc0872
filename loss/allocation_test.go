package loss_test

import (
	"testing"

	"github.com/linnet-ml/linnet/tensor"
)

func TestRowsAllocateNothing(t *testing.T) {
	const rows = 64
	for name, l := range every {
		for _, width := range []int{1, 4} {
			shape := tensor.Shape{width}
			if width == 1 && classes(l) {
				continue // there are 2 classes or more
			}
			rule := start(t, l, shape, labelShape(l, shape), "")
			losses, gradient := make([]float32, rows), make([]float32, rows*width)
			output, labels := make([]float32, rows*width), make([]float32, rows*labelShape(l, shape).Size())
			if got := testing.AllocsPerRun(20, func() {
				rule.Rows(losses, gradient, output, labels)
				rule.Rows(losses, nil, output, labels)
			}); got != 0 {
				t.Errorf("%s, width %d: %v allocations", name, width, got)
			}
		}
	}
}
