package optim_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/internal/golden"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/optional"
)

// tolerance is the recording's own, of the largest value.
var tolerance = golden.Tolerance{OfLargest: 2e-6}

// notHere are the options of recorded cases that no optimizer of this package has. A case with any other option that
// newOptimizer does not know fails.
var notHere = map[string]bool{
	"weight_decay": true, "amsgrad": true, "use_ema": true, "gradient_accumulation_steps": true,
	"clipnorm": true, "clipvalue": true, "global_clipnorm": true,
}

// notHereOptimizers are the recorded optimizers that this package does not have.
var notHereOptimizers = map[string]bool{
	"AdamW": true, "Adamax": true, "Nadam": true, "Adagrad": true, "Adadelta": true, "Ftrl": true, "Lion": true,
}

// newOptimizer makes what a recorded case used; it skips the test where that is not in this package.
func newOptimizer(t *testing.T, c golden.Case) nn.Optimizer {
	t.Helper()
	name := c.Text("optimizer")
	if notHereOptimizers[name] {
		t.Skipf("no optimizer %s", name)
	}
	for _, option := range c.Keys("config") {
		if notHere[option] {
			t.Skipf("no option %s", option)
		}
	}
	rate := func() float32 { return float32(c.Float("config", "learning_rate")) }
	var adam optim.Adam
	var sgd optim.SGD
	var rms optim.RMSprop
	if c.Has("config", "schedule") { // the other options are the schedule's
		schedule := recordedSchedule(t, c)
		switch name {
		case "Adam":
			return optim.Adam{Schedule: schedule}
		case "SGD":
			return optim.SGD{Schedule: schedule}
		}
		t.Fatalf("the recorded optimizer %s has a schedule", name)
	}
	for _, option := range c.Keys("config") {
		switch name + " " + option {
		case "Adam learning_rate":
			adam.LearningRate = rate()
		case "Adam beta_1":
			adam.Beta1 = optional.Of(c.Float("config", option))
		case "Adam beta_2":
			adam.Beta2 = optional.Of(c.Float("config", option))
		case "Adam epsilon":
			adam.Epsilon = float32(c.Float("config", option))
		case "SGD learning_rate":
			sgd.LearningRate = rate()
		case "SGD momentum":
			sgd.Momentum = float32(c.Float("config", option))
		case "SGD nesterov":
			sgd.Nesterov = c.Bool("config", option)
		case "RMSprop learning_rate":
			rms.LearningRate = rate()
		case "RMSprop rho":
			rms.Rho = optional.Of(c.Float("config", option))
		case "RMSprop momentum":
			rms.Momentum = float32(c.Float("config", option))
		case "RMSprop epsilon":
			rms.Epsilon = float32(c.Float("config", option))
		case "RMSprop centered":
			rms.Centered = c.Bool("config", option)
		default:
			t.Fatalf("the recorded option %s of %s is neither used nor left out by name", option, name)
		}
	}
	switch name {
	case "Adam":
		return adam
	case "SGD":
		return sgd
	case "RMSprop":
		return rms
	}
	t.Fatalf("the recorded optimizer %s is neither here nor left out by name", name)
	return nil
}

// trained is a parameter with an optimizer's slots.
type trained struct {
	w     []float32
	slots [][]float32
}

func start(o nn.Optimizer, w []float32) *trained {
	p := &trained{w: append([]float32(nil), w...)}
	for range o.Slots() {
		p.slots = append(p.slots, make([]float32, len(w)))
	}
	return p
}

// row is row i of an array along its first dimension.
func row(a golden.Array, i int) golden.Array {
	n := a.Len() / a.Shape[0]
	return golden.Array{Shape: a.Shape[1:], Float32: a.Float32[i*n : (i+1)*n]}
}

func TestTrajectoriesMatchKeras(t *testing.T) {
	topic := golden.Open(t, "optimizers")
	ran := 0
	topic.Run(t, "", func(t *testing.T, c golden.Case) {
		if kind := c.Text("kind"); kind == "schedule" || kind == "sparse" {
			return
		} else if kind != "trajectory" {
			t.Fatalf("a kind of case that no test knows: %s", kind)
		}
		o := newOptimizer(t, c)
		if err := o.Check(); err != nil {
			t.Fatal(err)
		}
		rates := c.Floats("learning_rates")
		if s := o.(nn.ScheduledOptimizer).RateSchedule(); s != nil {
			own := make([]float64, len(rates))
			for i := range own {
				own[i] = float64(s.Rate(i))
			}
			golden.CloseList(t, "rates", own, rates, rateTolerance)
			rates = own
		}
		if o.Rate() != float32(rates[0]) {
			t.Errorf("rate %v, want %v", o.Rate(), rates[0])
		}
		for i, key := range c.Texts("params") {
			want := topic.Tensor(key)
			p := start(o, topic.Tensor(fmt.Sprintf("init/%d", i)).Float32)
			grads := topic.Tensor(fmt.Sprintf("grads/%d", i))
			for step := range grads.Shape[0] {
				coefficients := o.Coefficients(step+1, float32(rates[step]))
				o.Update(&coefficients, p.w, row(grads, step).Float32, p.slots)
				golden.Close(t, fmt.Sprintf("parameter %d after step %d", i, step+1), p.w, row(want, step), tolerance)
			}
			for k, slot := range o.Slots() {
				key := c.Text("slots_after_last_step", fmt.Sprintf("v%d_%s", i, slot))
				golden.Close(t, fmt.Sprintf("slot %s of parameter %d", slot, i), p.slots[k], topic.Tensor(key), tolerance)
			}
			if got, want := 3*len(o.Slots()), len(c.Keys("slots_after_last_step")); got != want {
				t.Errorf("%d slots, want %d", got, want)
			}
		}
		ran++
	})
	if ran != 24 {
		t.Errorf("%d trajectories compared, want 24", ran)
	}
}

// Gradients with equal rows added up first, as layers give them, lead where Keras leads from the same dense gradient,
// rows without a gradient included.
func TestRowSparseGradientsMatchKeras(t *testing.T) {
	topic := golden.Open(t, "optimizers")
	ran := 0
	topic.Run(t, "sparse_", func(t *testing.T, c golden.Case) {
		o := newOptimizer(t, c)
		// Keras squares each of equal rows by itself here; elsewhere both ways are the same.
		each := c.Text("gradient") == "IndexedSlices" && strings.HasPrefix(c.Name, "sparse_repeated") && o.Name() != "sgd"
		switch plain := o.(type) {
		case optim.Adam:
			plain.SquareOccurrences = each
			o = plain
		case optim.RMSprop:
			plain.SquareOccurrences = each
			o = plain
		}
		indices, values := topic.Tensor(c.Text("indices")), topic.Tensor(c.Text("values"))
		table := topic.Tensor(c.Text("start"))
		dim := table.Shape[1]
		p := start(o, table.Float32)
		for step := range indices.Shape[0] {
			gradient, squares := make([]float32, table.Len()), make([]float32, table.Len())
			n := indices.Shape[1]
			for k, id := range indices.Int32[step*n : (step+1)*n] {
				for j := range dim {
					g := values.Float32[(step*n+k)*dim+j]
					gradient[int(id)*dim+j] += g
					squares[int(id)*dim+j] += g * g
				}
			}
			coefficients := o.Coefficients(step+1, o.Rate())
			if by, ok := o.(nn.OccurrenceOptimizer); ok && by.SquaresOccurrences() {
				by.UpdateSquares(&coefficients, p.w, gradient, squares, p.slots)
			} else {
				o.Update(&coefficients, p.w, gradient, p.slots)
			}
			golden.Close(t, fmt.Sprintf("table after step %d", step+1), p.w, row(topic.Tensor(c.Text("per_step", "params")), step), tolerance)
			for k, slot := range o.Slots() {
				want := row(topic.Tensor(c.Text("per_step", "embeddings_"+slot)), step)
				golden.Close(t, fmt.Sprintf("slot %s after step %d", slot, step+1), p.slots[k], want, tolerance)
			}
		}
		ran++
	})
	if ran != 16 {
		t.Errorf("%d cases compared, want 16", ran)
	}
}
