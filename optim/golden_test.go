package optim_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/internal/golden"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optim"
)

// tolerance is the recording's own, of the largest value.
var tolerance = golden.Tolerance{OfLargest: 2e-6}

// kinds are the optimizers by Keras's class name.
var kinds = map[string]plan.Optimizer{
	"SGD": &optim.SGD{}, "Adam": &optim.Adam{}, "AdamW": &optim.AdamW{}, "RMSprop": &optim.RMSprop{}, "Adagrad": &optim.Adagrad{},
	"Adadelta": &optim.Adadelta{}, "Adamax": &optim.Adamax{}, "Nadam": &optim.Nadam{}, "Lion": &optim.Lion{}, "Ftrl": &optim.Ftrl{},
}

// fields are those of Keras's arguments that have other names here.
var fields = map[string]string{"amsgrad": "AMSGrad"}

// sharedFields are the fields of Shared.
var sharedFields = map[string]string{
	"weight_decay": "WeightDecay", "clipnorm": "ClipNorm", "clipvalue": "ClipValue", "global_clipnorm": "GlobalClipNorm",
	"use_ema": "Average", "ema_momentum": "AverageMomentum", "ema_overwrite_frequency": "AverageEvery",
	"gradient_accumulation_steps": "AccumulateSteps",
}

// newOptimizer makes what a recorded case used. An option that the optimizer does not have fails.
func newOptimizer(t *testing.T, c golden.Case) plan.Optimizer {
	t.Helper()
	kind, ok := kinds[c.Text("optimizer")]
	if !ok {
		t.Fatalf("no optimizer %s", c.Text("optimizer"))
	}
	o := reflect.New(reflect.TypeOf(kind).Elem())
	if c.Has("config", "schedule") { // the other options are the schedule's
		o.Elem().FieldByName("Schedule").Set(reflect.ValueOf(recordedSchedule(t, c)))
		return o.Elem().Interface().(plan.Optimizer)
	}
	var config map[string]json.RawMessage
	c.Decode(&config, "config")
	settings, shared := map[string]any{}, map[string]any{}
	for option, value := range config {
		if field, ok := sharedFields[option]; ok {
			shared[field] = value
			continue
		}
		field, ok := fields[option]
		if !ok { // beta_1 is Beta1
			for _, part := range strings.Split(option, "_") {
				field += strings.ToUpper(part[:1]) + part[1:]
			}
		}
		settings[field] = value
	}
	settings["Shared"] = shared
	text, err := json.Marshal(settings)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(o.Interface()); err != nil {
		t.Fatal(err)
	}
	return o.Elem().Interface().(plan.Optimizer)
}

// rule is an optimizer's rule.
func rule(t testing.TB, o plan.Optimizer) plan.Rule {
	t.Helper()
	r, err := o.Rule()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// trained is a parameter with a rule, its slots and its scalars.
type trained struct {
	rule    *plan.Rule
	w       []float32
	slots   [][]float32
	scalars []float32
	step    int
}

func start(r *plan.Rule, w []float32) *trained {
	p := &trained{rule: r, w: slices.Clone(w)}
	for _, s := range r.Slots {
		p.slots = append(p.slots, slices.Repeat([]float32{s.First}, len(w)))
	}
	for _, s := range r.Scalars {
		p.scalars = append(p.scalars, s.First)
	}
	return p
}

// coefficients are those of the coming step.
func (p *trained) coefficients() *plan.Coefficients {
	rate := p.rule.Rate
	if p.rule.Schedule != nil {
		rate = p.rule.Schedule.Rate(p.step)
	}
	p.step++
	c := p.rule.Coefficients(p.step, rate, p.scalars)
	return &c
}

// move makes a step, after the decay of weights.
func (p *trained) move(gradient []float32) {
	if decay := p.rule.Shared.WeightDecay; decay != 0 {
		for i, w := range p.w {
			p.w[i] -= float32(float32(w*decay) * p.rule.Rate)
		}
	}
	p.rule.Update(p.coefficients(), p.w, gradient, p.slots)
}

// row is row i of an array along its first dimension.
func row(a golden.Array, i int) golden.Array {
	n := a.Len() / a.Shape[0]
	return golden.Array{Shape: a.Shape[1:], Float32: a.Float32[i*n : (i+1)*n]}
}

// summed adds up the recorded gradients of a table's rows in a step, and their squares.
func summed(indices, values golden.Array, step int, table golden.Array) (gradient, squares []float32) {
	gradient, squares = make([]float32, table.Len()), make([]float32, table.Len())
	n, dim := indices.Shape[1], table.Shape[1]
	for k, id := range indices.Int32[step*n : (step+1)*n] {
		for j := range dim {
			g := values.Float32[(step*n+k)*dim+j]
			gradient[int(id)*dim+j] += g
			squares[int(id)*dim+j] += float32(g * g)
		}
	}
	return gradient, squares
}

// Rules lead from step to step where Keras leads, where nothing but the decay of weights happens around them.
func TestTrajectoriesMatchKeras(t *testing.T) {
	topic := golden.Open(t, "optimizers")
	ran := 0
	topic.Run(t, "", func(t *testing.T, c golden.Case) {
		if kind := c.Text("kind"); kind == "schedule" || kind == "sparse" {
			return
		} else if kind != "trajectory" {
			t.Fatalf("a kind of case that no test knows: %s", kind)
		}
		r := rule(t, newOptimizer(t, c))
		around := r.Shared
		if around.WeightDecay = 0; !reflect.DeepEqual(around, optim.Shared{}) {
			return // for training
		}
		rates := c.Floats("learning_rates")
		if s := r.Schedule; s != nil {
			own := make([]float64, len(rates))
			for i := range own {
				own[i] = float64(s.Rate(i))
			}
			golden.CloseList(t, "rates", own, rates, rateTolerance)
			rates = own
		}
		if r.Rate != float32(rates[0]) {
			t.Errorf("rate %v, want %v", r.Rate, rates[0])
		}
		slots := c.Keys("slots_after_last_step")
		for i, key := range c.Texts("params") {
			want := topic.Tensor(key)
			p := start(&r, topic.Tensor(fmt.Sprintf("init/%d", i)).Float32)
			grads := topic.Tensor(fmt.Sprintf("grads/%d", i))
			for step := range grads.Shape[0] {
				p.move(row(grads, step).Float32)
				golden.Close(t, fmt.Sprintf("parameter %d after step %d", i, step+1), p.w, row(want, step), tolerance)
			}
			for k, slot := range r.Slots {
				key := c.Text("slots_after_last_step", fmt.Sprintf("v%d_%s", i, slot.Name))
				golden.Close(t, fmt.Sprintf("slot %s of parameter %d", slot.Name, i), p.slots[k], topic.Tensor(key), tolerance)
			}
			if len(r.Scalars) > 0 { // Keras gives Nadam's no name
				k := slices.IndexFunc(slots, func(key string) bool { return strings.HasPrefix(key, "variable") })
				golden.Close(t, r.Scalars[0].Name, p.scalars, topic.Tensor(c.Text("slots_after_last_step", slots[k])), tolerance)
			}
		}
		if got, want := 3*len(r.Slots)+len(r.Scalars), len(slots); got != want {
			t.Errorf("%d slots and scalars, want %d", got, want)
		}
		ran++
	})
	if ran != 42 {
		t.Errorf("%d trajectories compared, want 42", ran)
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
		each := c.Text("gradient") == "IndexedSlices" && strings.HasPrefix(c.Name, "sparse_repeated")
		switch plain := o.(type) {
		case optim.Adam:
			plain.SquareOccurrences = each
			o = plain
		case optim.RMSprop:
			plain.SquareOccurrences = each
			o = plain
		case optim.Adagrad:
			plain.SquareOccurrences = each
			o = plain
		}
		r := rule(t, o)
		if !reflect.DeepEqual(r.Shared, optim.Shared{}) {
			return // for training
		}
		indices, values := topic.Tensor(c.Text("indices")), topic.Tensor(c.Text("values"))
		table := topic.Tensor(c.Text("start"))
		p := start(&r, table.Float32)
		for step := range indices.Shape[0] {
			gradient, squares := summed(indices, values, step, table)
			if r.UpdateSquares != nil {
				r.UpdateSquares(p.coefficients(), p.w, gradient, squares, p.slots)
			} else {
				p.move(gradient)
			}
			golden.Close(t, fmt.Sprintf("table after step %d", step+1), p.w, row(topic.Tensor(c.Text("per_step", "params")), step), tolerance)
			for k, slot := range r.Slots {
				want := row(topic.Tensor(c.Text("per_step", "embeddings_"+slot.Name)), step)
				golden.Close(t, fmt.Sprintf("slot %s after step %d", slot.Name, step+1), p.slots[k], want, tolerance)
			}
		}
		ran++
	})
	if ran != 20 {
		t.Errorf("%d cases compared, want 20", ran)
	}
}
