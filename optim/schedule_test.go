package optim_test

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"reflect"
	"testing"

	"github.com/linnet-ml/linnet/internal/golden"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/optional"
)

// rateTolerance of the recorded rates is the last bit: nearly all are equal.
var rateTolerance = golden.Tolerance{Rel: 1.2e-7}

// scheduleConfig are the arguments of Keras's schedules.
type scheduleConfig struct {
	Schedule  string
	Initial   float32  `json:"initial_learning_rate"`
	Steps     int      `json:"decay_steps"`
	First     int      `json:"first_decay_steps"`
	Rate      float32  `json:"decay_rate"`
	Staircase bool     `json:"staircase"`
	End       *float32 `json:"end_learning_rate"`
	Power     float32  `json:"power"`
	Cycle     bool     `json:"cycle"`
	Alpha     float64  `json:"alpha"`
	Target    float32  `json:"warmup_target"`
	Warmup    int      `json:"warmup_steps"`
	TMul      float32  `json:"t_mul"`
	MMul      float32  `json:"m_mul"`
	Bounds    []int    `json:"boundaries"`
	Values    []float32
}

func (c scheduleConfig) schedule(t *testing.T) plan.Schedule {
	t.Helper()
	var s plan.Schedule
	switch c.Schedule {
	case "ExponentialDecay":
		s = optim.ExponentialDecay{InitialLearningRate: c.Initial, DecaySteps: c.Steps, DecayRate: c.Rate, Staircase: c.Staircase}
	case "PiecewiseConstantDecay":
		s = optim.PiecewiseConstantDecay{Boundaries: c.Bounds, Values: c.Values}
	case "PolynomialDecay":
		p := optim.PolynomialDecay{InitialLearningRate: c.Initial, DecaySteps: c.Steps, Power: c.Power, Cycle: c.Cycle}
		if c.End != nil {
			p.EndLearningRate = optional.Of(*c.End)
		}
		s = p
	case "InverseTimeDecay":
		s = optim.InverseTimeDecay{InitialLearningRate: c.Initial, DecaySteps: c.Steps, DecayRate: c.Rate, Staircase: c.Staircase}
	case "CosineDecay":
		s = optim.CosineDecay{InitialLearningRate: c.Initial, DecaySteps: c.Steps, Alpha: c.Alpha, WarmupTarget: c.Target, WarmupSteps: c.Warmup}
	case "CosineDecayRestarts":
		s = optim.CosineDecayRestarts{InitialLearningRate: c.Initial, FirstDecaySteps: c.First, TMul: c.TMul, MMul: c.MMul, Alpha: c.Alpha}
	default:
		t.Fatalf("no schedule %q", c.Schedule)
	}
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	return s
}

// recordedSchedule is the schedule of a recorded case's config.
func recordedSchedule(t *testing.T, c golden.Case) plan.Schedule {
	t.Helper()
	var config scheduleConfig
	c.Decode(&config, "config")
	if config.Schedule == "" {
		config.Schedule = c.Text("schedule")
	}
	return config.schedule(t)
}

func checkRates(t *testing.T, name string, s plan.Schedule, steps []int, want []float64) {
	t.Helper()
	got := make([]float64, len(steps))
	for i, step := range steps {
		got[i] = float64(s.Rate(step))
	}
	if !golden.CloseList(t, name, got, want, rateTolerance) {
		t.Logf("%+v: steps %v", s, steps)
	}
}

func TestSchedulesMatchKeras(t *testing.T) {
	ran := 0
	golden.Open(t, "optimizers").Run(t, "schedule/", func(t *testing.T, c golden.Case) {
		checkRates(t, "rates", recordedSchedule(t, c), c.Ints("steps"), c.Floats("values"))
		ran++
	})
	if ran != 12 {
		t.Errorf("%d schedules compared, want 12", ran)
	}
}

// The same for more settings and later steps: testdata/make_schedules.py.
func TestMoreSchedulesMatchKeras(t *testing.T) {
	text, err := os.ReadFile("testdata/schedules.json")
	if err != nil {
		t.Fatal(err)
	}
	var recorded struct {
		Keras string
		Cases []struct {
			Schedule string
			Config   scheduleConfig
			Steps    []int
			Rates    []float64
		}
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&recorded); err != nil {
		t.Fatal(err)
	}
	if len(recorded.Cases) != 22 {
		t.Errorf("%d cases, want 22", len(recorded.Cases))
	}
	for _, c := range recorded.Cases {
		t.Run(c.Schedule, func(t *testing.T) {
			c.Config.Schedule = c.Schedule
			checkRates(t, "rates", c.Config.schedule(t), c.Steps, c.Rates)
		})
	}
}

func TestSchedulesRefuseSettingsOutOfRange(t *testing.T) {
	inf := float32(math.Inf(1))
	for want, s := range map[string]plan.Schedule{
		"optim: ExponentialDecay: InitialLearningRate 0 is not a positive number":                   optim.ExponentialDecay{DecaySteps: 1, DecayRate: 1},
		"optim: ExponentialDecay: DecaySteps 0 is not a positive number":                            optim.ExponentialDecay{InitialLearningRate: 1, DecayRate: 1},
		"optim: ExponentialDecay: DecayRate +Inf is not a positive number":                          optim.ExponentialDecay{InitialLearningRate: 1, DecaySteps: 1, DecayRate: inf},
		"optim: InverseTimeDecay: DecayRate -1 is not a positive number":                            optim.InverseTimeDecay{InitialLearningRate: 1, DecaySteps: 1, DecayRate: -1},
		"optim: InverseTimeDecay: DecaySteps -1 is not a positive number":                           optim.InverseTimeDecay{InitialLearningRate: 1, DecaySteps: -1, DecayRate: 1},
		"optim: PiecewiseConstantDecay: no Boundaries":                                              optim.PiecewiseConstantDecay{Values: []float32{1}},
		"optim: PiecewiseConstantDecay: 1 Values for 1 Boundaries, which want one more":             optim.PiecewiseConstantDecay{Boundaries: []int{1}, Values: []float32{1}},
		"optim: PiecewiseConstantDecay: Boundaries[1] is 3: boundaries are not negative and ascend": optim.PiecewiseConstantDecay{Boundaries: []int{3, 3}, Values: []float32{1, 2, 3}},
		"optim: PiecewiseConstantDecay: Values[1] NaN is not a rate":                                optim.PiecewiseConstantDecay{Boundaries: []int{3}, Values: []float32{1, float32(nan)}},
		"optim: PolynomialDecay: EndLearningRate -1 is not a rate":                                  optim.PolynomialDecay{InitialLearningRate: 1, DecaySteps: 1, EndLearningRate: optional.Of[float32](-1)},
		"optim: PolynomialDecay: Power -1 is not a positive number":                                 optim.PolynomialDecay{InitialLearningRate: 1, DecaySteps: 1, Power: -1},
		"optim: CosineDecay: InitialLearningRate 0 is not a positive number":                        optim.CosineDecay{DecaySteps: 1},
		"optim: CosineDecay: InitialLearningRate -1 is not a rate":                                  optim.CosineDecay{InitialLearningRate: -1, DecaySteps: 1, WarmupTarget: 1},
		"optim: CosineDecay: WarmupTarget -1 is not a positive number":                              optim.CosineDecay{InitialLearningRate: 1, DecaySteps: 1, WarmupTarget: -1},
		"optim: CosineDecay: WarmupSteps 5 for a WarmupTarget of 0":                                 optim.CosineDecay{InitialLearningRate: 1, DecaySteps: 1, WarmupSteps: 5},
		"optim: CosineDecay: Alpha 1.5 is not from 0 to 1":                                          optim.CosineDecay{InitialLearningRate: 1, DecaySteps: 1, Alpha: 1.5},
		"optim: CosineDecayRestarts: TMul 0.5 is not a number from 1 on":                            optim.CosineDecayRestarts{InitialLearningRate: 1, FirstDecaySteps: 1, TMul: 0.5},
		"optim: CosineDecayRestarts: MMul -1 is not a positive number":                              optim.CosineDecayRestarts{InitialLearningRate: 1, FirstDecaySteps: 1, MMul: -1},
		"optim: CosineDecayRestarts: Alpha NaN is not from 0 to 1":                                  optim.CosineDecayRestarts{InitialLearningRate: 1, FirstDecaySteps: 1, Alpha: nan},
		"optim: CosineDecayRestarts: FirstDecaySteps 0 is not a positive number":                    optim.CosineDecayRestarts{InitialLearningRate: 1},
	} {
		errs := []error{s.Check()}
		for _, o := range []plan.Optimizer{optim.Adam{Schedule: s}, optim.SGD{Schedule: s}, optim.RMSprop{Schedule: s}, optim.Ftrl{Schedule: s}} {
			_, err := o.Rule()
			errs = append(errs, err)
		}
		for _, err := range errs {
			if err == nil || err.Error() != want {
				t.Errorf("%+v:\ngot  %v\nwant %s", s, err, want)
			}
		}
	}
	want := "optim: adam: LearningRate 1 and a Schedule cannot go together"
	if _, err := (optim.Adam{LearningRate: 1, Schedule: optim.CosineDecay{InitialLearningRate: 1, DecaySteps: 1}}).Rule(); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// The end of a polynomial decay may be 0, which is not the default.
func TestZeroEndIsNotTheDefault(t *testing.T) {
	s := optim.PolynomialDecay{InitialLearningRate: 1, DecaySteps: 4}
	if got := s.Rate(9); got != 1e-4 {
		t.Errorf("ends at %v, want 1e-4", got)
	}
	s.EndLearningRate = optional.Of[float32](0)
	if got := s.Rate(9); got != 0 {
		t.Errorf("ends at %v, want 0", got)
	}
}

func TestScheduleAllocatesNothing(t *testing.T) {
	for _, o := range []plan.Optimizer{
		optim.Adam{Schedule: optim.CosineDecayRestarts{InitialLearningRate: 1, FirstDecaySteps: 3}},
		optim.SGD{Schedule: optim.PiecewiseConstantDecay{Boundaries: []int{3}, Values: []float32{1, 2}}},
	} {
		s, n := rule(t, o).Schedule, 0
		if got := testing.AllocsPerRun(20, func() { n++; s.Rate(n) }); got != 0 {
			t.Errorf("%T: %v allocations a step", s, got)
		}
	}
}

// A kind is the name of the type, which is Keras's of the class: specs go to files under it.
func TestKindsAreTheNamesOfTypes(t *testing.T) {
	specs := []plan.Spec{
		optim.CosineDecay{}, optim.CosineDecayRestarts{}, optim.ExponentialDecay{}, optim.InverseTimeDecay{},
		optim.PiecewiseConstantDecay{}, optim.PolynomialDecay{},
	}
	for _, o := range kinds {
		specs = append(specs, o)
	}
	for _, s := range specs {
		if want := reflect.Indirect(reflect.ValueOf(s)).Type().Name(); s.Kind() != want {
			t.Errorf("kind %q, want %q", s.Kind(), want)
		}
	}
}
