package optim_test

import "testing"

func TestUpdateAllocatesNothing(t *testing.T) {
	for _, o := range every {
		r := rule(t, o)
		p := start(&r, make([]float32, 1000))
		g := make([]float32, 1000)
		c := p.coefficients()
		if got := testing.AllocsPerRun(20, func() {
			p.step++
			*c = r.Coefficients(p.step, r.Rate, p.scalars)
			r.Update(c, p.w, g, p.slots)
			if r.UpdateSquares != nil {
				r.UpdateSquares(c, p.w, g, g, p.slots)
			}
		}); got != 0 {
			t.Errorf("%+v: %v allocations a step", o, got)
		}
	}
}
