package optim_test

import (
	"testing"

	"github.com/linnet-ml/linnet/nn"
)

func TestUpdateAllocatesNothing(t *testing.T) {
	for _, o := range every {
		p := start(o, make([]float32, 1000))
		g := make([]float32, 1000)
		n := 0
		var c nn.Coefficients
		if got := testing.AllocsPerRun(20, func() {
			n++
			c = o.Coefficients(n, o.Rate())
			o.Update(&c, p.w, g, p.slots)
		}); got != 0 {
			t.Errorf("%+v: %v allocations a step", o, got)
		}
	}
}
