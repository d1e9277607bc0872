package calibration

import (
	"math"
	"testing"

	"github.com/linnet-ml/linnet/internal/random"
)

// Where the spread of scores says nothing an Evenness is found, and where it says how sure they are there is none.
func TestFindEvenness(t *testing.T) {
	s := random.New(7, random.Check, 1)
	const classes, n = 5, 1500
	for _, v := range []struct {
		power float64 // how much of the spread is to be taken away
		want  int
	}{{0, 0}, {0.5, 2}, {1, MostQuarters}} {
		scores, class := make([]float32, n*classes), make([]int32, n)
		for i := range class {
			row := scores[i*classes : (i+1)*classes]
			size := math.Exp2(4*float64(s.Float32(uint64(10*i))) - 2)
			for k := range row {
				row[k] = float32(size * (float64(s.Float32(uint64(10*i+1+k))) - 0.5))
			}
			p, sum := [classes]float64{}, 0.0
			for k, x := range row {
				p[k] = math.Exp(6 * float64(x) * math.Pow(size, -v.power))
				sum += p[k]
			}
			for u := float64(s.Float32(uint64(10*i+9))) * sum; class[i] < classes-1 && u > p[class[i]]; class[i]++ {
				u -= p[class[i]]
			}
		}
		e, err := FindEvenness(t.Context(), scores, classes, class, nil)
		if err != nil {
			t.Fatal(err)
		}
		if e.Quarters != v.want {
			t.Errorf("power %g: %+v, want %d quarters", v.power, e, v.want)
		}
		one := 1
		if e, _ := FindEvenness(t.Context(), scores, classes, class, &one); e.Quarters != 1 || e.Spread <= 0 {
			t.Errorf("one quarter: %+v", e)
		}
	}
	if e, _ := FindEvenness(t.Context(), nil, classes, nil, nil); e != (Evenness{}) {
		t.Errorf("of nothing: %+v", e)
	}
	if e, _ := FindEvenness(t.Context(), make([]float32, 2*classes), classes, []int32{1, 2}, nil); e != (Evenness{}) {
		t.Errorf("of equal scores: %+v", e)
	}
}

// The factor is the power of the quotient of spreads.
func TestFactor(t *testing.T) {
	s := []float32{1, 3, 5, 7} // a standard deviation of sqrt(5)
	for q := range MostQuarters + 1 {
		e := Evenness{8, q}
		want := math.Pow(8/math.Sqrt(5), float64(q)/4)
		if got := e.Factor(s); math.Abs(float64(got)-want) > 1e-6 {
			t.Errorf("%d quarters: %g, want %g", q, got, want)
		}
		if got := e.Factor([]float32{2, 2, 2}); got != 1 {
			t.Errorf("equal scores, %d quarters: %g, want 1", q, got)
		}
		if got := e.Factor([]float32{0, 0, 1e-30}); got > mostFactor {
			t.Errorf("scores all but equal, %d quarters: %g", q, got)
		}
	}
}

// Back is the derivative: differences of losses agree.
func TestBack(t *testing.T) {
	s := []float32{0.5, -1, 2, 0.25}
	for q := 1; q <= MostQuarters; q++ {
		e := Evenness{1.5, q}
		loss := func(s []float32) float64 { return SoftmaxLoss(e.Even(s, 4), 1, 1) }
		even, f := e.Even(s, 4), e.Factor(s)
		gradient, sum := make([]float32, 4), 0.0
		for _, v := range even {
			sum += math.Exp(float64(v))
		}
		for k, v := range even {
			gradient[k] = float32(math.Exp(float64(v)) / sum)
		}
		gradient[1]--
		e.Back(gradient, even, f)
		for k := range s {
			const step = 1.0 / 256
			up, down := append([]float32{}, s...), append([]float32{}, s...)
			up[k] += step
			down[k] -= step
			if want := (loss(up) - loss(down)) / (2 * step); math.Abs(float64(gradient[k])-want) > 1e-3 {
				t.Errorf("%d quarters, score %d: %g, want %g", q, k, gradient[k], want)
			}
		}
	}
}
