package loss_test

import "testing"

func TestRowsAllocateNothing(t *testing.T) {
	const rows = 64
	for name, l := range every {
		for _, width := range []int{1, 4} {
			losses, gradient := make([]float32, rows), make([]float32, rows*width)
			output, labels := make([]float32, rows*width), make([]float32, rows*width)
			if got := testing.AllocsPerRun(20, func() {
				l.Rows(losses, gradient, output, labels)
				l.Rows(losses, nil, output, labels)
			}); got != 0 {
				t.Errorf("%s, width %d: %v allocations", name, width, got)
			}
		}
	}
}
