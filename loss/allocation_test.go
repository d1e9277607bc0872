package loss_test

import (
	"testing"

	"github.com/linnet-ml/linnet/loss"
)

func TestRowsAllocateNothing(t *testing.T) {
	const rows = 64
	for name, l := range every {
		for _, width := range []int{1, 4} {
			losses, gradient := make([]float32, rows), make([]float32, rows*width)
			output, labels := make([]float32, rows*width), make([]float32, rows*width)
			if _, ok := l.(loss.SparseCategoricalCrossentropy); ok {
				labels = labels[:rows]
			}
			if got := testing.AllocsPerRun(20, func() {
				l.Rows(losses, gradient, output, labels)
				l.Rows(losses, nil, output, labels)
			}); got != 0 {
				t.Errorf("%s, width %d: %v allocations", name, width, got)
			}
		}
	}
}
