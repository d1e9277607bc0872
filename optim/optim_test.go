package optim_test

import (
	"math"
	"testing"

	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/optional"
)

var nan, inf = math.NaN(), math.Inf(1)

func TestCheckRefusesSettingsOutOfRange(t *testing.T) {
	for _, test := range []struct {
		o    nn.Optimizer
		want string
	}{
		{optim.SGD{LearningRate: -1}, "optim: sgd: LearningRate -1 is not a positive number"},
		{optim.SGD{LearningRate: float32(nan)}, "optim: sgd: LearningRate NaN is not a positive number"},
		{optim.SGD{Momentum: 1.5}, "optim: sgd: Momentum 1.5 is not from 0 to 1"},
		{optim.SGD{Momentum: float32(nan)}, "optim: sgd: Momentum NaN is not from 0 to 1"},
		{optim.Adam{LearningRate: float32(inf)}, "optim: adam: LearningRate +Inf is not a positive number"},
		{optim.Adam{Beta1: optional.Of(1.0)}, "optim: adam: Beta1 1 is not at least 0 and below 1"},
		{optim.Adam{Beta2: optional.Of(-0.1)}, "optim: adam: Beta2 -0.1 is not at least 0 and below 1"},
		{optim.Adam{Beta2: optional.Of(nan)}, "optim: adam: Beta2 NaN is not at least 0 and below 1"},
		// It is 1 in float32, and 1-Beta2^t would be 0.
		{optim.Adam{Beta2: optional.Of(0.999999999)}, "optim: adam: Beta2 0.999999999 is not at least 0 and below 1"},
		{optim.Adam{Epsilon: -1e-7}, "optim: adam: Epsilon -1e-07 is not a positive number"},
		{optim.RMSprop{LearningRate: -1}, "optim: rmsprop: LearningRate -1 is not a positive number"},
		{optim.RMSprop{Rho: optional.Of(1.0)}, "optim: rmsprop: Rho 1 is not at least 0 and below 1"},
		{optim.RMSprop{Momentum: -1}, "optim: rmsprop: Momentum -1 is not from 0 to 1"},
		{optim.RMSprop{Epsilon: float32(nan)}, "optim: rmsprop: Epsilon NaN is not a positive number"},
		{optim.SGD{}, ""},
		{optim.SGD{Momentum: 1}, ""},
		{optim.Adam{}, ""},
		{optim.RMSprop{}, ""},
	} {
		got := ""
		if err := test.o.Check(); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%+v: error %q, want %q", test.o, got, test.want)
		}
	}
}

// step makes steps of an optimizer on one weight of 0 and returns the weight.
func step(t *testing.T, o nn.Optimizer, gradients ...float32) float32 {
	t.Helper()
	if err := o.Check(); err != nil {
		t.Fatal(err)
	}
	p := start(o, []float32{0})
	for i, g := range gradients {
		c := o.Coefficients(i+1, o.Rate())
		o.Update(&c, p.w, []float32{g}, p.slots)
	}
	return p.w[0]
}

// Zero is a value of its own for these fields, not the default: what is kept of earlier steps is then nothing.
func TestZeroIsNotTheDefault(t *testing.T) {
	for _, test := range []struct {
		name string
		o    nn.Optimizer
		want float32 // after the gradients 1 and -2 at a rate of 1
	}{
		// Both steps go by the sign of the gradient alone: the last one undoes the first.
		{"both betas", optim.Adam{LearningRate: 1, Beta1: optional.Of(0.0), Beta2: optional.Of(0.0), Epsilon: 1e-20}, 0},
		// v is the mean 0.001·(0.999·1 + 4) of the squares, over 1-0.999².
		{"Beta1", optim.Adam{LearningRate: 1, Beta1: optional.Of(0.0), Epsilon: 1e-20}, float32(-1 + 2/math.Sqrt(0.001*4.999/(1-0.999*0.999)))},
		// m is 0.09·1 - 0.1·2, over 1-0.9².
		{"Beta2", optim.Adam{LearningRate: 1, Beta2: optional.Of(0.0), Epsilon: 1e-20}, float32(-1 + 0.11/0.19/2)},
		{"Rho", optim.RMSprop{LearningRate: 1, Rho: optional.Of(0.0), Epsilon: 1e-20}, 0},
	} {
		if got := step(t, test.o, 1, -2); math.Abs(float64(got-test.want)) > 2e-5 {
			t.Errorf("%s 0: weight %v, want %v", test.name, got, test.want)
		}
	}
}

func TestZeroRateMeansTheDefault(t *testing.T) {
	for _, test := range []struct {
		o    nn.Optimizer
		want float32
	}{{optim.SGD{}, 0.01}, {optim.Adam{}, 0.001}, {optim.RMSprop{}, 0.001}, {optim.Adam{LearningRate: 0.5}, 0.5}} {
		if got := test.o.Rate(); got != test.want {
			t.Errorf("%+v: rate %v, want %v", test.o, got, test.want)
		}
	}
}

// every are the optimizers with each of their options.
var every = []nn.Optimizer{
	optim.SGD{}, optim.SGD{Momentum: 0.9}, optim.SGD{Momentum: 0.9, Nesterov: true}, optim.Adam{}, optim.RMSprop{},
	optim.RMSprop{Momentum: 0.9}, optim.RMSprop{Centered: true}, optim.RMSprop{Momentum: 0.9, Centered: true},
}

// An update of a part is the same part of the update of the whole: training shares parameters out among workers.
func TestUpdateWorksElementByElement(t *testing.T) {
	const n = 71
	for _, o := range every {
		var w, g [n]float32
		for i := range w {
			w[i], g[i] = float32(i)/n, float32(i*i%13-6)/7
		}
		whole, parts := start(o, w[:]), start(o, w[:])
		for i := range 3 {
			c := o.Coefficients(i+1, o.Rate())
			o.Update(&c, whole.w, g[:], whole.slots)
			for lo := 0; lo < n; lo += 10 {
				hi := min(lo+10, n)
				var slots [][]float32
				for _, s := range parts.slots {
					slots = append(slots, s[lo:hi])
				}
				o.Update(&c, parts.w[lo:hi], g[lo:hi], slots)
			}
		}
		for i := range whole.w {
			if math.Float32bits(whole.w[i]) != math.Float32bits(parts.w[i]) {
				t.Fatalf("%+v: element %d is %v, in parts %v", o, i, whole.w[i], parts.w[i])
			}
		}
	}
}

// What is kept decays to 0 exactly and not to denormal numbers, which are slow.
func TestMomentsEndAtZero(t *testing.T) {
	for _, o := range every {
		p := start(o, []float32{1})
		for i := range 150_000 {
			g := float32(0)
			if i == 0 {
				g = 1e-3
			}
			c := o.Coefficients(i+1, o.Rate())
			o.Update(&c, p.w, []float32{g}, p.slots)
		}
		for k, name := range o.Slots() {
			if p.slots[k][0] != 0 {
				t.Errorf("%+v: %s is %v after 150,000 steps without a gradient", o, name, p.slots[k][0])
			}
		}
		if w := p.w[0]; !(w > 0 && w < 2) {
			t.Errorf("%+v: the weight is %v", o, w)
		}
	}
}
