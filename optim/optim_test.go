package optim_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/optional"
)

var nan, inf = math.NaN(), math.Inf(1)

func TestRuleRefusesSettingsOutOfRange(t *testing.T) {
	for _, test := range []struct {
		o    plan.Optimizer
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
		{optim.AdamW{LearningRate: -1}, "optim: adamw: LearningRate -1 is not a positive number"},
		{optim.AdamW{Beta1: optional.Of(nan)}, "optim: adamw: Beta1 NaN is not at least 0 and below 1"},
		{optim.AdamW{Shared: optim.Shared{WeightDecay: -0.1}}, "optim: adamw: WeightDecay -0.1 is not a finite number of at least 0"},
		{optim.Adagrad{LearningRate: float32(nan)}, "optim: adagrad: LearningRate NaN is not a positive number"},
		{optim.Adagrad{InitialAccumulatorValue: optional.Of[float32](-1)}, "optim: adagrad: InitialAccumulatorValue -1 is not a finite number of at least 0"},
		{optim.Adagrad{InitialAccumulatorValue: optional.Of(float32(inf))}, "optim: adagrad: InitialAccumulatorValue +Inf is not a finite number of at least 0"},
		{optim.Adagrad{Epsilon: -1}, "optim: adagrad: Epsilon -1 is not a positive number"},
		{optim.Adadelta{LearningRate: -1}, "optim: adadelta: LearningRate -1 is not a positive number"},
		{optim.Adadelta{Rho: optional.Of(1.0)}, "optim: adadelta: Rho 1 is not at least 0 and below 1"},
		{optim.Adadelta{Epsilon: float32(inf)}, "optim: adadelta: Epsilon +Inf is not a positive number"},
		{optim.Adamax{LearningRate: -1}, "optim: adamax: LearningRate -1 is not a positive number"},
		{optim.Adamax{Beta1: optional.Of(1.0)}, "optim: adamax: Beta1 1 is not at least 0 and below 1"},
		{optim.Adamax{Beta2: optional.Of(-1.0)}, "optim: adamax: Beta2 -1 is not at least 0 and below 1"},
		{optim.Adamax{Epsilon: 1e-40}, "optim: adamax: Epsilon 1e-40 is below 1e-30"},
		{optim.Nadam{LearningRate: -1}, "optim: nadam: LearningRate -1 is not a positive number"},
		{optim.Nadam{Beta1: optional.Of(1.0)}, "optim: nadam: Beta1 1 is not at least 0 and below 1"},
		{optim.Nadam{Beta2: optional.Of(nan)}, "optim: nadam: Beta2 NaN is not at least 0 and below 1"},
		{optim.Nadam{Epsilon: -1}, "optim: nadam: Epsilon -1 is not a positive number"},
		{optim.Lion{LearningRate: -1}, "optim: lion: LearningRate -1 is not a positive number"},
		{optim.Lion{Beta1: optional.Of(0.0)}, "optim: lion: Beta1 0 is not above 0 and at most 1"},
		{optim.Lion{Beta1: optional.Of(1e-60)}, "optim: lion: Beta1 1e-60 is not above 0 and at most 1"},
		{optim.Lion{Beta2: optional.Of(1.0)}, "optim: lion: Beta2 1 is not at least 0 and below 1"},
		{optim.Ftrl{LearningRate: -1}, "optim: ftrl: LearningRate -1 is not a positive number"},
		{optim.Ftrl{LearningRatePower: optional.Of[float32](0.5)}, "optim: ftrl: LearningRatePower 0.5 is not a finite number of at most 0"},
		{optim.Ftrl{LearningRatePower: optional.Of(float32(nan))}, "optim: ftrl: LearningRatePower NaN is not a finite number of at most 0"},
		{optim.Ftrl{InitialAccumulatorValue: optional.Of[float32](-1)}, "optim: ftrl: InitialAccumulatorValue -1 is not a finite number of at least 0"},
		{optim.Ftrl{L1RegularizationStrength: -1}, "optim: ftrl: L1RegularizationStrength -1 is not a finite number of at least 0"},
		{optim.Ftrl{L2RegularizationStrength: -1}, "optim: ftrl: L2RegularizationStrength -1 is not a finite number of at least 0"},
		{optim.Ftrl{L2ShrinkageRegularizationStrength: -1}, "optim: ftrl: L2ShrinkageRegularizationStrength -1 is not a finite number of at least 0"},
		{optim.Ftrl{Beta: float32(nan)}, "optim: ftrl: Beta NaN is not a finite number of at least 0"},
		{optim.SGD{Shared: optim.Shared{ClipNorm: -1}}, "optim: sgd: ClipNorm -1 is not a finite number of at least 0"},
		{optim.RMSprop{Shared: optim.Shared{ClipNorm: 1, ClipValue: 1}}, "optim: rmsprop: at most one of ClipValue, ClipNorm and GlobalClipNorm can be set"},
		{optim.Ftrl{LearningRatePower: optional.Of[float32](0)}, ""},
		{optim.Lion{Beta1: optional.Of(1.0)}, ""},
		{optim.SGD{}, ""},
		{optim.SGD{Momentum: 1}, ""},
		{optim.Adam{}, ""},
		{optim.RMSprop{}, ""},
	} {
		got := ""
		if _, err := test.o.Rule(); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%+v: error %q, want %q", test.o, got, test.want)
		}
	}
}

// step makes steps of an optimizer on one weight of 0 and returns the weight.
func step(t *testing.T, o plan.Optimizer, gradients ...float32) float32 {
	t.Helper()
	r := rule(t, o)
	p := start(&r, []float32{0})
	for _, g := range gradients {
		p.move([]float32{g})
	}
	return p.w[0]
}

// Zero is a value of its own for these fields, not the default: what is kept of earlier steps is then nothing.
func TestZeroIsNotTheDefault(t *testing.T) {
	for _, test := range []struct {
		name string
		o    plan.Optimizer
		want float32 // after the gradients 1 and -2 at a rate of 1
	}{
		// Both steps go by the sign of the gradient alone: the last one undoes the first.
		{"both betas", optim.Adam{LearningRate: 1, Beta1: optional.Of(0.0), Beta2: optional.Of(0.0), Epsilon: 1e-20}, 0},
		// v is the mean 0.001·(0.999·1 + 4) of the squares, over 1-0.999².
		{"Beta1", optim.Adam{LearningRate: 1, Beta1: optional.Of(0.0), Epsilon: 1e-20}, float32(-1 + 2/math.Sqrt(0.001*4.999/(1-0.999*0.999)))},
		// m is 0.09·1 - 0.1·2, over 1-0.9².
		{"Beta2", optim.Adam{LearningRate: 1, Beta2: optional.Of(0.0), Epsilon: 1e-20}, float32(-1 + 0.11/0.19/2)},
		{"Rho", optim.RMSprop{LearningRate: 1, Rho: optional.Of(0.0), Epsilon: 1e-20}, 0},
		{"InitialAccumulatorValue", optim.Adagrad{LearningRate: 1, InitialAccumulatorValue: optional.Of[float32](0), Epsilon: 1e-20}, float32(-1 + 2/math.Sqrt(5))},
		// √Epsilon·g/|g| and then √(1e-4+Epsilon): the last step's square alone.
		{"Rho of Adadelta", optim.Adadelta{LearningRate: 1, Rho: optional.Of(0.0), Epsilon: 1e-4}, float32(-1e-2/math.Sqrt(1.0001) + 2*math.Sqrt(1e-4/1.0001+1e-4)/math.Sqrt(4.0001))},
		{"both betas of Adamax", optim.Adamax{LearningRate: 1, Beta1: optional.Of(0.0), Beta2: optional.Of(0.0), Epsilon: 1e-20}, 0},
		{"both betas of Nadam", optim.Nadam{LearningRate: 1, Beta1: optional.Of(0.0), Beta2: optional.Of(0.0), Epsilon: 1e-20}, 0},
		// The direction is that of 0.9·1 - 0.1·2.
		{"Beta2 of Lion", optim.Lion{LearningRate: 1, Beta2: optional.Of(0.0)}, -2},
	} {
		if got := step(t, test.o, 1, -2); math.Abs(float64(got-test.want)) > 2e-5 {
			t.Errorf("%s 0: weight %v, want %v", test.name, got, test.want)
		}
	}
}

func TestZeroRateMeansTheDefault(t *testing.T) {
	for _, test := range []struct {
		o    plan.Optimizer
		want float32
	}{{optim.SGD{}, 0.01}, {optim.Adam{}, 0.001}, {optim.RMSprop{}, 0.001}, {optim.AdamW{}, 0.001}, {optim.Adagrad{}, 0.001},
		{optim.Adadelta{}, 0.001}, {optim.Adamax{}, 0.001}, {optim.Nadam{}, 0.001}, {optim.Lion{}, 0.001}, {optim.Ftrl{}, 0.001}, {optim.Adam{LearningRate: 0.5}, 0.5}} {
		if got := rule(t, test.o).Rate; got != test.want {
			t.Errorf("%+v: rate %v, want %v", test.o, got, test.want)
		}
	}
}

// every are the optimizers with each of their options.
var every = []plan.Optimizer{
	optim.SGD{}, optim.SGD{Momentum: 0.9}, optim.SGD{Momentum: 0.9, Nesterov: true}, optim.Adam{}, optim.Adam{AMSGrad: true},
	optim.Adam{SquareOccurrences: true}, optim.Adam{AMSGrad: true, SquareOccurrences: true}, optim.AdamW{}, optim.RMSprop{},
	optim.RMSprop{Momentum: 0.9}, optim.RMSprop{Centered: true}, optim.RMSprop{Momentum: 0.9, Centered: true, SquareOccurrences: true},
	optim.Adagrad{}, optim.Adagrad{InitialAccumulatorValue: optional.Of[float32](0), SquareOccurrences: true}, optim.Adadelta{},
	optim.Adamax{}, optim.Adamax{Beta1: optional.Of(0.9999999), Epsilon: 1e-30}, optim.Nadam{}, optim.Lion{LearningRate: 1e-5}, optim.Ftrl{},
	optim.Ftrl{InitialAccumulatorValue: optional.Of[float32](0)},
	optim.Ftrl{LearningRatePower: optional.Of[float32](-0.6), L1RegularizationStrength: 0.1, L2RegularizationStrength: 0.1, L2ShrinkageRegularizationStrength: 0.1, Beta: 1},
}

// An update of a part is the same part of the update of the whole: training shares parameters out among workers.
func TestUpdateWorksElementByElement(t *testing.T) {
	const n = 71
	for _, o := range every {
		var w, g [n]float32
		for i := range w {
			w[i], g[i] = float32(i)/n, float32(i*i%13-6)/7
		}
		r := rule(t, o)
		whole, parts := start(&r, w[:]), start(&r, w[:])
		for range 3 {
			c := whole.coefficients()
			r.Update(c, whole.w, g[:], whole.slots)
			for lo := 0; lo < n; lo += 10 {
				hi := min(lo+10, n)
				var slots [][]float32
				for _, s := range parts.slots {
					slots = append(slots, s[lo:hi])
				}
				r.Update(c, parts.w[lo:hi], g[lo:hi], slots)
			}
		}
		sameBits(t, fmt.Sprintf("%+v: in parts", o), whole, parts)
	}
}

// sameBits compares weights and slots.
func sameBits(t *testing.T, name string, want, got *trained) {
	t.Helper()
	for k, values := range append([][]float32{want.w}, want.slots...) {
		other := append([][]float32{got.w}, got.slots...)[k]
		for i, v := range values {
			if math.Float32bits(v) != math.Float32bits(other[i]) {
				t.Errorf("%s: element %d of array %d (the weights, then slots) is %v, want %v", name, i, k, other[i], v)
				return
			}
		}
	}
}

// Steps without a gradient made at once, and steps with squares that are those of the gradient, are the plain ones.
func TestRepeatAndSquaresHaveTheBitsOfUpdate(t *testing.T) {
	const n = 37
	repeating, squaring := 0, 0
	for _, o := range every {
		r := rule(t, o)
		var w, g, squares, none [n]float32
		for i := range w {
			w[i], g[i] = float32(i)/n, float32(i*i%13-6)/7
			squares[i] = float32(g[i] * g[i])
		}
		plain, other := start(&r, w[:]), start(&r, w[:])
		r.Update(plain.coefficients(), plain.w, g[:], plain.slots)
		if r.UpdateSquares != nil {
			squaring++
			r.UpdateSquares(other.coefficients(), other.w, g[:], squares[:], other.slots)
		} else {
			r.Update(other.coefficients(), other.w, g[:], other.slots)
		}
		if r.Repeat != nil {
			repeating++
			var steps []plan.Coefficients
			for range 40 {
				c := plain.coefficients()
				r.Update(c, plain.w, none[:], plain.slots)
				steps = append(steps, *c)
			}
			r.Repeat(steps, other.w, other.slots)
		}
		sameBits(t, fmt.Sprintf("%+v", o), plain, other)
	}
	if repeating != 3 || squaring != 4 {
		t.Errorf("%d optimizers repeat and %d square, want 3 and 4", repeating, squaring)
	}
}

// Training leaves out the rows of a table that never had a gradient where a rule says that it would not move them.
func TestRulesSayWhetherTheyMoveWithoutGradient(t *testing.T) {
	for _, o := range every {
		r := rule(t, o)
		w := []float32{1, -0.5, 1e-20, 0, float32(math.Copysign(0, -1))}
		p := start(&r, w)
		before := start(&r, w)
		moves := false
		for range 3 {
			r.Update(p.coefficients(), p.w, make([]float32, len(w)), p.slots)
			for k, values := range append([][]float32{p.w}, p.slots...) {
				for i, v := range values {
					moves = moves || v != append([][]float32{before.w}, before.slots...)[k][i]
					if v != v {
						t.Fatalf("%+v: NaN without a gradient", o)
					}
				}
			}
		}
		// Without an initial accumulator Ftrl has no reason to move, but that is no promise.
		if moves && !r.MovesWithoutGradient || !moves && r.MovesWithoutGradient && r.Slots[0].First != 0 {
			t.Errorf("%+v: moves without a gradient: %v, and says %v", o, moves, r.MovesWithoutGradient)
		}
	}
}

// A warm-up begins at a rate of 0: such a step leaves weights as they are.
func TestRateZeroMovesNoWeight(t *testing.T) {
	for _, o := range every {
		r := rule(t, o)
		r.Rate = 0
		p := start(&r, []float32{1, -2})
		r.Update(p.coefficients(), p.w, []float32{3, 0}, p.slots)
		if p.w[0] != 1 || p.w[1] != -2 {
			t.Errorf("%+v: weights %v after a step at a rate of 0", o, p.w)
		}
	}
}

// An L1 penalty makes weights exactly 0 whose gradients do not speak for them.
func TestFtrlMakesZeros(t *testing.T) {
	o := optim.Ftrl{LearningRate: 0.1, L1RegularizationStrength: 1}
	if w := step(t, o, 0.1, -0.2, 0.1); w != 0 {
		t.Errorf("a weight with small gradients is %v, want 0", w)
	}
	if w := step(t, o, 1, 1, 1); !(w < 0) {
		t.Errorf("a weight with gradients of 1 is %v, want it below 0", w)
	}
}

// What is kept as a mean decays to 0 exactly and not to denormal numbers, which are slow.
func TestMomentsEndAtZero(t *testing.T) {
	sums := []string{"accumulator", "linear", "velocity_hat"} // they do not decay
	for _, o := range every {
		r := rule(t, o)
		if slices.ContainsFunc(r.Slots, func(s plan.Slot) bool { return s.Name == "accumulator" }) {
			continue
		}
		if adamax, ok := o.(optim.Adamax); ok && adamax.Beta1.IsSet() {
			continue // it would take a billion steps
		}
		p := start(&r, []float32{1})
		for i := range 150_000 {
			g := float32(0)
			if i == 0 {
				g = 1e-3
			}
			r.Update(p.coefficients(), p.w, []float32{g}, p.slots)
		}
		for k, s := range r.Slots {
			if p.slots[k][0] != 0 && !slices.Contains(sums, s.Name) {
				t.Errorf("%+v: %s is %v after 150,000 steps without a gradient", o, s.Name, p.slots[k][0])
			}
		}
		if w := p.w[0]; !(w > 0 && w < 2) {
			t.Errorf("%+v: the weight is %v", o, w)
		}
	}
}

// The scalar of Nadam is state like slots: a rule that goes on with it goes where it would have gone.
func TestScalarsAreTheOnlyStateOfARule(t *testing.T) {
	r := rule(t, optim.Nadam{})
	whole := start(&r, []float32{1})
	for range 6 {
		whole.move([]float32{0.5})
	}
	half := start(&r, []float32{1})
	for range 3 {
		half.move([]float32{0.5})
	}
	again := rule(t, optim.Nadam{})
	half.rule = &again
	for range 3 {
		half.move([]float32{0.5})
	}
	sameBits(t, "gone on", whole, half)
	if whole.scalars[0] != half.scalars[0] || whole.scalars[0] == 1 {
		t.Errorf("u_product %v, in one go %v", half.scalars[0], whole.scalars[0])
	}
}
