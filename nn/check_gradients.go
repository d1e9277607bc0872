package nn

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/linnet-ml/linnet/internal/random"
	"github.com/linnet-ml/linnet/nn/internal/team"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
)

// GradientOptions are the settings of CheckGradients.
type GradientOptions struct {
	// Loss is what the gradients are of. Without one they are of the sum of all outputs, each times a number drawn from
	// Seed, so that no output's gradient can hide behind another's.
	Loss Loss
	// Y are the labels that the loss wants.
	Y tensor.Rows
	// Step is the change of an element from which its gradient is estimated; 0.01 by default. Estimates from it and
	// from half of it are put together (Richardson's extrapolation), which leaves an error of the order of Step^4.
	Step float64
	// Tolerance is how far an estimate may lie from the gradient, as a part of the largest gradient of the same
	// parameter or input; 0.005 by default.
	Tolerance float64
	// Samples is how many elements of each parameter and of the input are checked, drawn from Seed; 0 means all of them.
	Samples int
	// Seed decides the samples and the numbers that replace a loss.
	Seed uint64
	// Threads is 1 by default; NoFusion is as in FitOptions.
	Threads  int
	NoFusion bool
	// Inference checks the model as it predicts; by default it is checked as it trains, with the noise of one step.
	Inference bool
}

// GradientError reports a gradient that the change of the loss does not bear out.
type GradientError struct {
	// Name is the parameter's, or "input".
	Name string
	// Index is the element's place in each dimension.
	Index []int
	// Gradient is what the backward steps computed, Estimate what the change of the loss says.
	Gradient, Estimate float64
	Tolerance          float64
}

// Error names the element, and both numbers.
func (e *GradientError) Error() string {
	return fmt.Sprintf("nn: the gradient of %s%v is %.6g, but by central differences %.6g (tolerance %.2g)",
		e.Name, e.Index, e.Gradient, e.Estimate, e.Tolerance)
}

// CheckGradients compares the gradients of all trainable parameters, and of the input when that is float32, with
// central differences of the loss on the rows x. It returns a [GradientError] for the element that lies furthest off,
// if it lies too far. It is meant for tests of layers, losses and whole models: the elements that it changes are set
// back, but while it runs nobody else may use the model.
//
// An element that does not agree is estimated again from smaller steps, since there may be a kink beside it, such as relu's
// at 0. A wrong gradient agrees with none of them. Nor does an element exactly on a kink, such as a zero bias before a relu
// when a row's input is all zero: give biases other values for a check.
//
// It takes a model of one input and one output.
func (m *Model) CheckGradients(ctx context.Context, x tensor.Rows, o GradientOptions) (err error) {
	if err := m.usable(ctx); err != nil {
		return err
	}
	defer recovering(&err)
	held, err := m.borrow()
	if err != nil {
		return err
	}
	defer held.release()
	defer m.explain(&err)
	c, err := m.newGradientCheck(ctx, x, &o)
	if err != nil {
		return err
	}
	err = c.computeGradients()
	c.exec.team.End()
	if err != nil {
		return err
	}
	// The losses are the same with one worker, which need not wait for others thousands of times.
	c.exec.team = team.New(1)
	var worst *GradientError
	for _, t := range c.tensors() {
		e, err := c.compare(t)
		if err != nil {
			return err
		}
		if e != nil && (worst == nil || e.excess() > worst.excess()) {
			worst = e
		}
	}
	if worst != nil {
		return worst
	}
	return nil
}

// excess is how far off the gradient is, in tolerances.
func (e *GradientError) excess() float64 {
	if x := math.Abs(e.Gradient-e.Estimate) / e.Tolerance; !math.IsNaN(x) {
		return x
	}
	return math.Inf(1)
}

// gradientCheck is one CheckGradients.
type gradientCheck struct {
	ctx  context.Context
	o    *GradientOptions
	exec *executor
	rows []int32
	// input is a copy of the input to change, where it is float32, and inputGrad its gradient.
	input     *tensor.Float32
	inputGrad []float32
	magnitude float64 // of the loss: the mean over rows, without signs
}

// checked is one array whose gradient is checked.
type checked struct {
	name     string
	shape    tensor.Shape
	values   []float32
	gradient []float32
	number   uint64 // of the random numbers that choose samples
}

// check refuses settings out of range, and fills in the defaults.
func (o *GradientOptions) check() error {
	if !(o.Step >= 0) || math.IsInf(o.Step, 0) {
		return fmt.Errorf("nn: Step %v must be finite and not negative", o.Step)
	}
	if !(o.Tolerance >= 0) || math.IsInf(o.Tolerance, 0) {
		return fmt.Errorf("nn: Tolerance %v must be finite and not negative", o.Tolerance)
	}
	if o.Samples < 0 {
		return fmt.Errorf("nn: Samples %d must not be negative", o.Samples)
	}
	if o.Threads < 0 {
		return fmt.Errorf("nn: Threads %d must not be negative", o.Threads)
	}
	if o.Step == 0 {
		o.Step = 0.01
	}
	if o.Tolerance == 0 {
		o.Tolerance = 0.005
	}
	return nil
}

func (m *Model) newGradientCheck(ctx context.Context, x tensor.Rows, o *GradientOptions) (*gradientCheck, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if isNil(x) || x.Len() == 0 {
		return nil, errors.New("nn: there are no rows to check gradients on")
	}
	if len(m.inputs) != 1 || len(m.outputs) != 1 {
		return nil, fmt.Errorf("nn: CheckGradients takes a model of one input and one output, not the inputs %q and the outputs %q", m.InputNames(), m.OutputNames())
	}
	m.settled()
	g := m.programFor(o.NoFusion)
	if err := m.checkInputs(g, []tensor.Rows{x}); err != nil {
		return nil, err
	}
	c := &gradientCheck{ctx: ctx, o: o}
	if f, ok := x.(*tensor.Float32); ok {
		var err error
		if c.input, err = tensor.Of(slices.Clone(f.Data()), f.Shape()...); err != nil {
			return nil, err
		}
		x = c.input
	}
	signatures, _, err := g.Signatures([]plan.Signature{{Type: x.Type(), Shape: x.Shape()}})
	if err != nil {
		return nil, fmt.Errorf("nn: %w", err)
	}
	if err := g.checkGradients(signatures, true); err != nil {
		return nil, err
	}
	loss, y := o.Loss, o.Y
	if isNil(loss) {
		shape := signatures[g.Outputs[0]].Shape.Clone()
		shape[0] = x.Len()
		if shape.Size() == tensor.Unknown {
			return nil, fmt.Errorf("nn: %w: the model's output %v has no size to check", tensor.ErrShape, shape)
		}
		loss = factorLoss{}
		factors := make([]float32, shape.Size())
		random.New(o.Seed, random.Check, 0).Uniform(factors, -1, 1)
		if y, err = tensor.Of(factors, shape...); err != nil {
			return nil, err
		}
	}
	objectives, err := m.objectives(loss, nil, nil, nil)
	if err != nil {
		return nil, err
	}
	data, err := m.dataset(ctx, g, &Batch{X: x, Y: y}, objectives, false, nil)
	if err != nil {
		return nil, err
	}
	w := newSpace(g)
	w.run.Training, w.run.Noiseless, w.inputGrad = true, o.Inference, x.Type() == tensor.TypeFloat32
	w.run.Seed = o.Seed
	if err := w.layout(data.signatures); err != nil {
		return nil, err
	}
	workers := m.threads(g, max(1, o.Threads), data.n, data.signatures)
	c.exec = newExecutor(w, team.New(workers), data, objectives)
	u, err := newUpdate(w, &updateOptions{optimizer: noOptimizer{}, state: &TrainingState{}, workers: workers, data: data, batch: data.n, whole: true})
	if err != nil {
		c.exec.team.End()
		return nil, err
	}
	u.useTeam(c.exec.team)
	c.exec.useUpdate(u)
	c.rows = consecutive(nil, 0, data.n)
	return c, nil
}

// loss is the batch's loss for the values as they are.
func (c *gradientCheck) loss() (float64, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	if err := c.exec.run(c.ctx, c.rows); err != nil {
		return 0, err
	}
	_, sum := c.exec.addLosses(0, 0)
	return sum / float64(len(c.rows)*c.exec.ws.ends[0].perRow), nil
}

// computeGradients computes the gradients that are checked.
func (c *gradientCheck) computeGradients() error {
	loss, err := c.loss()
	if err != nil {
		return err
	}
	if !finite(loss) {
		return fmt.Errorf("nn: the loss is %v, which has no gradient to check", loss)
	}
	end := &c.exec.ws.ends[0]
	for _, l := range end.losses[:len(c.rows)*end.perRow] {
		c.magnitude += math.Abs(float64(l)) / float64(len(c.rows)*end.perRow)
	}
	u := c.exec.update
	if err := c.exec.team.Run(func(worker int) {
		jobs := u.jobsOf(c.exec.team, worker)
		for i := range jobs {
			u.gradient(&jobs[i], worker)
		}
	}); err != nil {
		return err
	}
	if c.input != nil {
		in := c.exec.ws.program.Inputs[0]
		c.inputGrad = slices.Clone(c.exec.ws.values[in].Grad)
		if !c.exec.ws.wants[in] {
			c.input = nil // no gradient flows to it: ids are made of it, say
		}
	}
	return nil
}

func (c *gradientCheck) tensors() []checked {
	var all []checked
	for i, p := range c.exec.update.params {
		all = append(all, checked{p.p.Name(), p.p.Shape(), plan.Elements(key, p.p), p.grad, uint64(i) + 2})
	}
	if c.input != nil {
		all = append(all, checked{"input", c.input.Shape(), c.input.Data(), c.inputGrad, 1})
	}
	return all
}

// compare checks one array and returns the element that lies furthest off, if it lies too far.
func (c *gradientCheck) compare(t checked) (*GradientError, error) {
	largest := 0.0
	for _, g := range t.gradient {
		if a := math.Abs(float64(g)); a > largest && !math.IsInf(a, 0) {
			largest = a
		}
	}
	// Where the gradients themselves vanish, the float32 rounding of the losses is all that is left.
	tolerance := c.o.Tolerance*largest + 4*c.magnitude*(1.0/(1<<24))/c.o.Step + 1e-6
	order := consecutive(nil, 0, len(t.values))
	if c.o.Samples > 0 && c.o.Samples < len(order) {
		random.New(c.o.Seed, random.Check, t.number).Shuffle(order)
		order = order[:c.o.Samples]
	}
	var worst *GradientError
	for _, i := range order {
		estimate, off, err := c.estimate(&t.values[i], float64(t.gradient[i]), tolerance)
		if err != nil {
			return nil, err
		}
		if off <= tolerance {
			continue
		}
		e := &GradientError{Name: t.name, Index: place(int(i), t.shape), Gradient: float64(t.gradient[i]), Estimate: estimate, Tolerance: tolerance}
		if worst == nil || e.excess() > worst.excess() {
			worst = e
		}
	}
	return worst, nil
}

// estimate returns the central difference at one element that lies nearest to the gradient, and how far off it is.
func (c *gradientCheck) estimate(at *float32, gradient, tolerance float64) (best, off float64, err error) {
	off = math.Inf(1)
	for h, try := c.o.Step, 0; try < 4 && !(off <= tolerance); h, try = h/4, try+1 {
		wide, err := c.difference(at, h)
		if err != nil {
			return 0, 0, err
		}
		narrow, err := c.difference(at, h/2)
		if err != nil {
			return 0, 0, err
		}
		d := (4*narrow - wide) / 3
		o := math.Abs(d - gradient)
		if math.IsNaN(o) {
			o = math.Inf(1)
		}
		if try == 0 || o < off {
			best, off = d, o
		}
	}
	return best, off, nil
}

// difference is the central difference of the loss at one element.
func (c *gradientCheck) difference(at *float32, h float64) (float64, error) {
	old := *at
	defer func() { *at = old }()
	up, down := old+float32(h), old-float32(h)
	*at = up
	high, err := c.loss()
	if err != nil {
		return 0, err
	}
	*at = down
	low, err := c.loss()
	return (high - low) / (float64(up) - float64(down)), err
}

// place turns the number of an element into its place in each dimension.
func place(i int, shape tensor.Shape) []int {
	at := make([]int, len(shape))
	for d := len(shape) - 1; d >= 0; d-- {
		at[d] = i % shape[d]
		i /= shape[d]
	}
	return at
}

// noOptimizer lays out gradients for a run that updates nothing.
type noOptimizer struct{}

func (noOptimizer) Kind() string { return "None" }

func (noOptimizer) Rule() (plan.Rule, error) {
	return plan.Rule{Name: "none",
		Coefficients: func(int, float32, []float32) plan.Coefficients { return plan.Coefficients{} },
		Update:       func(*plan.Coefficients, []float32, []float32, [][]float32) {},
	}, nil
}

// factorLoss is the sum of a row's outputs, each times its label.
type factorLoss struct{}

func (factorLoss) Kind() string { return "WeightedSum" }

func (factorLoss) Start(plan.LossInfo) (plan.LossRule, error) {
	return plan.LossRule{Rows: func(l, gradient, out, y []float32) {
		width := len(out) / len(l)
		for i := range l {
			sum := 0.0
			for j := i * width; j < (i+1)*width; j++ {
				sum += float64(out[j]) * float64(y[j])
				if gradient != nil {
					gradient[j] = y[j]
				}
			}
			l[i] = float32(sum)
		}
	}}, nil
}
