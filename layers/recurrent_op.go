package layers

import (
	"fmt"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/simd"
	"github.com/linnet-ml/linnet/tensor"
)

// What recurrent layers share: the order in which they walk through the steps, masks, states, dropout that is the same at
// all steps, and the activation functions of their gates.

// recurrence is what the operations of recurrent layers have in common. Their inputs are the values (batch, steps,
// features), once or for each gate, then the initial states if given, then the mask if any. Their parameters are kernel,
// recurrent_kernel and perhaps bias; the columns of the kernels are those of the gates, units each.
//
// Rows are taken through the steps in blocks, one product with the recurrent kernel a step. A row's result does not depend
// on the other rows: see simd.GemmNN. Rows for which a step does not count have no part in it.
type recurrence struct {
	layer                           string // its class name, for error messages
	units, features, gates, carried int    // carried is how many states there are
	values                          int    // 1, or one for each gate
	bias                            bool
	activation, recurrentActivation gate
	recurrentRate                   float32 // of dropout
	recurrentParts                  int     // for how many gates apart: 1 or all
	// sequences gives out every step, and states the states after the last one.
	sequences, states bool
	// backwards begins with the last step.
	backwards bool
	// flip writes the outputs in the opposite order of the walk.
	flip bool
	// zero gives out 0 at masked steps, in place of the output before.
	zero bool
	// given says that initial states are inputs, and masked that the mask is the last input.
	given, masked bool
}

// columns is the number of columns of the kernels.
func (r *recurrence) columns() int { return r.gates * r.units }

// read is how many elements of the state the gates read: as many as it has, or as many for each gate.
func (r *recurrence) read() int { return r.recurrentParts * r.units }

// inputStep is the step of the input that step k of the walk reads.
func (r *recurrence) inputStep(k, steps int) int {
	if r.backwards {
		return steps - 1 - k
	}
	return k
}

// outputStep is the step of the output that step k of the walk writes.
func (r *recurrence) outputStep(k, steps int) int {
	if r.flip {
		return steps - 1 - k
	}
	return k
}

// check checks what is common to the settings of recurrent layers and the values that they read: (batch, steps, features)
// and perhaps the named initial states (batch, units). It sets what follows from them.
func (r *recurrence) check(in []plan.Symbol, dropout float32, states ...string) error {
	// maxUnits keeps sizes of parameters from overflowing on the way to the check of their size.
	const maxUnits = 1 << 28
	if r.units < 1 {
		return fmt.Errorf("%s needs at least 1 unit, not %d", r.layer, r.units)
	}
	if r.units > maxUnits {
		return fmt.Errorf("%s has at most %d units, not %d", r.layer, maxUnits, r.units)
	}
	if err := checkRate("Dropout", dropout); err != nil {
		return err
	}
	if err := checkRate("RecurrentDropout", r.recurrentRate); err != nil {
		return err
	}
	r.values, r.recurrentParts, r.carried, r.given = 1, 1, len(states), len(in) > 1
	if len(in) != 1 && len(in) != 1+len(states) {
		return fmt.Errorf("%s takes 1 input, or %d with the initial states %v, not %d", r.layer, 1+len(states), states, len(in))
	}
	if err := steps3D(r.layer, in[0].Signature); err != nil {
		return err
	}
	for i, state := range in[1:] {
		if s := state.Shape; state.Type != tensor.TypeFloat32 || len(s) != 2 || s[1] != r.units {
			return fmt.Errorf("%w: the initial state %s of %s is float32 of shape (batch, %d), not %v of shape %v", tensor.ErrShape, states[i], r.layer, r.units, state.Type, s)
		}
	}
	if r.features = in[0].Shape[2]; r.features == tensor.Unknown {
		return fmt.Errorf("%w: %s needs to know the last dimension of %v", tensor.ErrShape, r.layer, in[0].Shape)
	}
	return nil
}

// cell is the layer within a recurrent layer that has its parameters.
type cell struct {
	recurrence
	kind                    string
	kernel, recurrent, init plan.Initializer
	biasShape               tensor.Shape
	dropout                 float32
	// op returns the operation.
	op func(r recurrence) plan.Op
}

func (c cell) Kind() string { return c.kind }

// Build adds the parameters, dropout of the values and the operation for all steps.
func (c cell) Build(b *plan.Builder, in []plan.Symbol) ([]plan.Symbol, error) {
	kernel, err := b.Parameter(plan.ParameterOptions{Name: "kernel", Shape: tensor.Shape{c.features, c.columns()}, Init: or(c.kernel, GlorotUniform{})})
	if err != nil {
		return nil, err
	}
	recurrent, err := b.Parameter(plan.ParameterOptions{Name: "recurrent_kernel", Shape: tensor.Shape{c.units, c.columns()}, Init: or(c.recurrent, Orthogonal{})})
	if err != nil {
		return nil, err
	}
	params := []plan.ParameterRef{kernel, recurrent}
	if c.bias {
		bias, err := b.Parameter(plan.ParameterOptions{Name: "bias", Shape: c.biasShape, Init: c.init})
		if err != nil {
			return nil, err
		}
		params = append(params, bias)
	}
	x := in[0]
	values := []plan.Symbol{x}
	if c.dropout > 0 {
		c.values = c.recurrentParts
		values = values[:0]
		for range c.values {
			dropped, err := b.Add(dropSteps{c.dropout}.op(), []plan.Symbol{x})
			if err != nil {
				return nil, err
			}
			values = append(values, dropped...)
		}
	}
	values = append(values, in[1:]...)
	if mask, ok := b.Mask(x); ok {
		c.masked = true
		values = append(values, mask)
	}
	out, err := b.Add(c.op(c.recurrence), values, params...)
	if err != nil {
		return nil, err
	}
	if c.sequences {
		err = b.PassMask(x, out[:1])
	}
	return out, err
}

// signatures returns the signatures of the operation's outputs, given those of its inputs.
func (r *recurrence) signatures(in []plan.Signature) ([]plan.Signature, error) {
	if err := steps3D(r.layer, in[0]); err != nil {
		return nil, err
	}
	x := in[0].Shape
	if x[1] == 0 {
		return nil, fmt.Errorf("%w: %s needs at least 1 step", tensor.ErrShape, r.layer)
	}
	if x[2] != r.features {
		return nil, fmt.Errorf("%w: %s was built for %d features, not %v", tensor.ErrShape, r.layer, r.features, x)
	}
	if r.masked {
		mask := in[len(in)-1].Shape
		if len(mask) != 2 || (mask[1] != x[1] && mask[1] != tensor.Unknown && x[1] != tensor.Unknown) {
			return nil, fmt.Errorf("%w: %s over %d steps of %v with a mask %v", tensor.ErrShape, r.layer, x[1], x, mask)
		}
	}
	last := plan.Signature{Type: tensor.TypeFloat32, Shape: tensor.Shape{x[0], r.units}}
	out := []plan.Signature{last}
	if r.sequences {
		out[0].Shape = tensor.Shape{x[0], x[1], r.units}
	}
	if r.states {
		for range r.carried {
			out = append(out, last)
		}
	}
	return out, nil
}

// The save areas that all recurrent operations have. Each has something for each step of the input, but areaKept.
const (
	areaGates = iota // the gates, and after Backward the gradients of what they are functions of
	areaState        // the state before the step, as the gates read it
	areaKept         // what the elements of the state are multiplied by for each gate, at all steps alike
	areaOwn          // the first of those that an operation has beside these
)

// saves are the sizes of those save areas.
func (r *recurrence) saves(in []plan.Signature) []int {
	steps, kept := in[0].Shape[1], 0
	if r.recurrentRate > 0 {
		kept = r.read()
	}
	return []int{r.columns() * steps, r.read() * steps, kept}
}

// project computes what the gates get from the values of all steps.
func (r *recurrence) project(f *plan.Frame, at plan.Span) {
	gates, z := f.Saved(areaGates, at), r.columns()
	rows, columns := len(gates)/z, z/r.values
	for i := range r.values {
		g := i * columns
		simd.GemmNN(rows, columns, r.features, f.In(i, at), r.features, f.Param(0)[g:], z, gates[g:], z, false)
	}
	if r.bias {
		simd.AddBias(gates, f.Param(2)[:z])
	}
}

// inputGradients computes the gradients of the values of all steps.
func (r *recurrence) inputGradients(f *plan.Frame, at plan.Span) {
	dz, z := f.Saved(areaGates, at), r.columns()
	columns := z / r.values
	for i := range r.values {
		if dx := f.InGrad(i, at); dx != nil {
			g := i * columns
			work := f.Scratch(at.Worker, simd.GemmWork(r.features, columns))
			simd.GemmNT(len(dz)/z, r.features, columns, dz[g:], z, f.Param(0)[g:], z, dx, r.features, false, work)
		}
	}
}

// inputKernelGradient adds the gradient of the kernel, of a shard.
func (r *recurrence) inputKernelGradient(f *plan.Frame, at plan.Span, g plan.Gradient) {
	columns := r.columns() / r.values
	for i := range r.values {
		kernelGradient(g, f.In(i, at), r.features, 0, f.Saved(areaGates, at)[i*columns:], r.columns(), columns, r.columns(), i*columns)
	}
}

// start sets a state to its initial value, of which i is the number.
func (r *recurrence) start(f *plan.Frame, at plan.Span, state []float32, i int) {
	if r.given {
		copy(state, f.In(r.values+i, at))
	} else {
		clear(state)
	}
}

// end writes the gradient of an initial state.
func (r *recurrence) end(f *plan.Frame, at plan.Span, gradient []float32, i int) {
	if !r.given {
		return
	}
	if to := f.InGrad(r.values+i, at); to != nil {
		copy(to, gradient)
	}
}

// startGradient sets the gradient of a state to that of the output that it is.
func (r *recurrence) startGradient(f *plan.Frame, at plan.Span, gradient []float32, i int) {
	if r.states {
		copy(gradient, f.OutGrad(1+i, at))
	} else {
		clear(gradient)
	}
}

// draw decides which elements of the state the gates read.
func (r *recurrence) draw(f *plan.Frame, at plan.Span) {
	kept := f.Saved(areaKept, at)
	switch {
	case r.recurrentRate == 0:
	case f.Training():
		drawKept(kept, f.Random(), uint64(at.Lo)*uint64(r.read()), r.recurrentRate)
	default:
		for i := range kept {
			kept[i] = 1
		}
	}
}

// readState saves the state h before step t of row i, as the gates read it, and returns it.
func (r *recurrence) readState(saved, kept, h []float32, i, t, steps int) []float32 {
	u, read := r.units, r.read()
	state, h := saved[(i*steps+t)*read:][:read], h[i*u:][:u]
	if r.recurrentRate == 0 {
		copy(state, h)
		return state
	}
	for g := 0; g < read; g += u {
		simd.Mul(state[g:g+u], h, kept[i*read+g:][:u])
	}
	return state
}

// recur computes what so many rows of gates get from the state as they read it: columns from to to-1 of its product with the
// recurrent kernel.
func (r *recurrence) recur(f *plan.Frame, rows int, state, sums []float32, from, to int) {
	u, z, read, recurrent := r.units, r.columns(), r.read(), f.Param(1)
	if r.recurrentParts == 1 {
		simd.GemmNN(rows, to-from, u, state, u, recurrent[from:], z, sums[from:], z, false)
		return
	}
	for g := from; g < to; g += u {
		simd.GemmNN(rows, u, u, state[g:], read, recurrent[g:], z, sums[g:], z, false)
	}
}

// unrecur adds to dh the gradients of the state before a step, given dz, those of what recur made of it in the given rows,
// and the transposed recurrent kernel. work takes units elements for each row, and as many more.
func (r *recurrence) unrecur(rows []int32, dh, dz, kept, transposed, work []float32, from, to int) {
	u, z, read := r.units, r.columns(), r.read()
	memory := parts(work)
	before, part := memory.next(len(rows)*u), memory.next(u)
	if r.recurrentRate == 0 {
		simd.GemmNN(len(rows), u, to-from, dz[from:], z, transposed[from*u:], u, before, u, false)
		for j, i := range rows {
			hi := dh[int(i)*u:][:u]
			simd.Add(hi, hi, before[j*u:][:u])
		}
		return
	}
	columns := u
	if r.recurrentParts == 1 {
		columns = to - from
	}
	for c := from; c < to; c += columns {
		simd.GemmNN(len(rows), u, columns, dz[c:], z, transposed[c*u:], u, before, u, false)
		for j, i := range rows {
			hi, keeps := dh[int(i)*u:][:u], kept[int(i)*read:][:read]
			if r.recurrentParts > 1 {
				keeps = keeps[c:]
			}
			simd.Mul(part, before[j*u:][:u], keeps[:u])
			simd.Add(hi, hi, part)
		}
	}
}

// recurrentKernelGradient adds the gradient of columns from to to-1 of the recurrent kernel, of a shard.
func (r *recurrence) recurrentKernelGradient(f *plan.Frame, at plan.Span, g plan.Gradient, from, to int) {
	states, dz, z := f.Saved(areaState, at), f.Saved(areaGates, at), r.columns()
	if r.recurrentParts == 1 {
		kernelGradient(g, states, r.units, 0, dz[from:], z, to-from, z, from)
		return
	}
	for c := from; c < to; c += r.units {
		kernelGradient(g, states, r.read(), c, dz[c:], z, r.units, z, c)
	}
}

// blockRows is how many rows a recurrent operation takes through the steps together, so that their states stay in cache.
const blockRows = 64

// blocks calls do for each block of rows.
func blocks(at plan.Span, do func(at plan.Span)) {
	for lo := at.Lo; lo < at.Hi; lo += blockRows {
		do(plan.Span{Lo: lo, Hi: min(lo+blockRows, at.Hi), Worker: at.Worker})
	}
}

// walk is where a worker notes, for the rows of a block, which steps count.
type walk struct {
	mask  []int32 // of the block's rows; nil when every step counts
	steps int
	order recurrence
	// first is, for each row, the first step of the walk that counts; the number of steps where none does.
	first []int32
	rows  []int32 // what counting returns
}

// walk prepares a walk through the rows of a block.
func (r *recurrence) walk(f *plan.Frame, at plan.Span) *walk {
	local := f.Local(at.Worker)
	w, _ := (*local).(*walk)
	if w == nil {
		w = &walk{first: make([]int32, blockRows), rows: make([]int32, blockRows)}
		*local = w
	}
	n := at.Len()
	w.order, w.steps, w.mask = *r, f.InShape(0)[0], nil
	w.first, w.rows = w.first[:n], w.rows[:n]
	if r.masked {
		mask := r.values
		if r.given {
			mask += r.carried
		}
		w.mask = f.InIDs(mask, at)
	}
	for i := range w.first {
		w.first[i], w.rows[i] = 0, int32(i)
		for int(w.first[i]) < w.steps && !w.counts(i, int(w.first[i])) {
			w.first[i]++
		}
	}
	return w
}

// counts reports whether step k of the walk counts in row i of the block.
func (w *walk) counts(i, k int) bool {
	return w.mask == nil || w.mask[i*w.steps+w.order.inputStep(k, w.steps)] != 0
}

// counting lists the rows of the block in which step k of the walk counts.
func (w *walk) counting(k int) []int32 {
	if w.mask == nil {
		return w.rows
	}
	rows := w.rows[:0]
	for i := range w.first {
		if w.counts(i, k) {
			rows = append(rows, int32(i))
		}
	}
	return rows
}

// skip clears what an area of the given width keeps of step k of the walk for the rows in which it does not count: sums over
// all steps are made of it.
func (w *walk) skip(area []float32, width, k int) {
	if w.mask == nil {
		return
	}
	t := w.order.inputStep(k, w.steps)
	for i := range w.first {
		if !w.counts(i, k) {
			clear(area[(i*w.steps+t)*width:][:width])
		}
	}
}

// shows reports whether the output at step k of the walk in row i is the state, and not 0.
func (w *walk) shows(i, k int) bool {
	return w.counts(i, k) || (!w.order.zero && k > int(w.first[i]))
}

// give writes the output of step k of the walk, given the states h of the block's rows.
func (w *walk) give(f *plan.Frame, at plan.Span, h []float32, k int) {
	y, to, stride := f.Out(0, at), 0, 1
	if w.order.sequences {
		to, stride = w.order.outputStep(k, w.steps), w.steps
	} else if k < w.steps-1 {
		return
	}
	u := w.order.units
	for i := range w.first {
		if row := y[(i*stride+to)*u:][:u]; w.shows(i, k) {
			copy(row, h[i*u:])
		} else {
			clear(row)
		}
	}
}

// take adds the gradient of the output of step k of the walk to dh, the gradients of the states.
func (w *walk) take(f *plan.Frame, at plan.Span, dh []float32, k int) {
	dy, from, stride := f.OutGrad(0, at), 0, 1
	if w.order.sequences {
		from, stride = w.order.outputStep(k, w.steps), w.steps
	} else if k < w.steps-1 {
		return
	}
	u := w.order.units
	for i := range w.first {
		if w.shows(i, k) {
			row := dh[i*u:][:u]
			simd.Add(row, row, dy[(i*stride+from)*u:][:u])
		}
	}
}

// parts cuts scratch memory into parts of the given sizes.
type parts []float32

func (p *parts) next(n int) []float32 {
	part := (*p)[:n:n]
	*p = (*p)[n:]
	return part
}

// transpose writes the transposed matrix of rows × columns to dst.
func transpose(dst, src []float32, rows, columns int) {
	for i := range rows {
		for j, v := range src[i*columns:][:columns] {
			dst[j*rows+i] = v
		}
	}
}

// chunkRows is how many rows of x and dz kernelGradient multiplies at once, so that they are in cache when they are read
// again.
const chunkRows = 256

// kernelGradient adds rows g.Lo to g.Hi-1 of xᵀ·dz to some columns, from column to on, of the gradient of a kernel that has z
// columns. x has rows of width elements, those of the kernel's rows from element from on; dz has rows of stride elements, the
// first of which count, as many as there are columns.
func kernelGradient(g plan.Gradient, x []float32, width, from int, dz []float32, stride, columns, z, to int) {
	n := (len(dz) + stride - columns) / stride
	for lo := 0; lo < n; lo += chunkRows {
		simd.GemmTN(g.Hi-g.Lo, columns, min(chunkRows, n-lo), x[lo*width+from+g.Lo:], width, dz[lo*stride:], stride, g.Values[g.Lo*z+to:], z, true)
	}
}

// accumulateRows adds to dst the sum of rows of stride elements, in their order. Of each row the elements from number from
// on count, as many as dst has.
func accumulateRows(f *plan.Frame, worker int, dst, rows []float32, stride, from int) {
	sum := f.Scratch(worker, len(dst))
	clear(sum)
	for i := from; i < len(rows); i += stride {
		simd.Add(sum, sum, rows[i:i+len(dst)])
	}
	simd.Add(dst, dst, sum)
}

// gate is an activation function of a recurrent layer.
type gate ActivationFunc

// newGate returns the activation function of a setting of the given name, def where it is empty.
func newGate(setting string, f, def ActivationFunc) (gate, error) {
	switch f {
	case "":
		return gate(def), nil
	case Linear, ReLU, Sigmoid, Tanh, Softmax:
		return gate(f), nil
	}
	return "", fmt.Errorf("%s is %q; a recurrent layer takes %q, %q, %q, %q or %q", setting, f, Linear, ReLU, Sigmoid, Tanh, Softmax)
}

// apply computes the function for rows of the given width, in place.
func (f gate) apply(x []float32, width int) {
	switch ActivationFunc(f) {
	case ReLU:
		simd.Relu(x, x)
	case Sigmoid:
		simd.Sigmoid(x, x)
	case Tanh:
		simd.Tanh(x, x)
	case Softmax:
		for i := 0; i < len(x); i += width {
			simd.Softmax(x[i:i+width], x[i:i+width])
		}
	}
}

// gradient turns dy, the gradient of the outputs y, into that of what the function was applied to, in place.
func (f gate) gradient(dy, y []float32, width int) {
	switch ActivationFunc(f) {
	case ReLU:
		simd.ReluGrad(dy, dy, y)
	case Sigmoid:
		simd.SigmoidGrad(dy, dy, y)
	case Tanh:
		simd.TanhGrad(dy, dy, y)
	case Softmax:
		for i := 0; i < len(y); i += width {
			simd.SoftmaxGrad(dy[i:i+width], dy[i:i+width], y[i:i+width])
		}
	}
}

// checkRate refuses a rate of dropout that is out of range.
func checkRate(setting string, rate float32) error {
	if !(rate >= 0 && rate < 1) {
		return fmt.Errorf("%s is %v, which is not from 0 to below 1", setting, rate)
	}
	return nil
}

// drawKept fills kept, the first element of which has number at, with 0 at probability rate and 1/(1-rate) otherwise.
func drawKept(kept []float32, random plan.Random, at uint64, rate float32) {
	scale := 1 / (1 - rate)
	var block [4]uint32
	for j := range kept {
		i := at + uint64(j)
		if j == 0 || i%4 == 0 {
			block = random.Block(i / 4)
		}
		// The upper 24 bits are a float32 in [0, 1) exactly.
		kept[j] = scale
		if float32(block[i%4]>>8)*(1.0/(1<<24)) < rate {
			kept[j] = 0
		}
	}
}

// dropSteps is dropout of (batch, steps, features) that is the same at all steps of a row. It saves what an element of each
// step is multiplied by.
type dropSteps struct{ rate float32 }

func (s dropSteps) op() plan.Op {
	return plan.Op{Form: s, Outputs: s.outputs, Saves: s.saves, Forward: s.forward, Backward: s.backward}
}

func (s dropSteps) outputs(in []plan.Signature) ([]plan.Signature, error) {
	return in[:1:1], steps3D("Dropout", in[0])
}

func (s dropSteps) saves(in []plan.Signature) []int { return []int{in[0].Shape[2]} }

func (s dropSteps) forward(f *plan.Frame, at plan.Span) {
	if f.Training() {
		w := f.InShape(0)[1]
		drawKept(f.Saved(0, at), f.Random(), uint64(at.Lo)*uint64(w), s.rate)
	}
	s.apply(f, f.Out(0, at), f.In(0, at), at)
}

func (s dropSteps) backward(f *plan.Frame, at plan.Span) {
	if dx := f.InGrad(0, at); dx != nil {
		s.apply(f, dx, f.OutGrad(0, at), at)
	}
}

func (s dropSteps) apply(f *plan.Frame, dst, src []float32, at plan.Span) {
	if !f.Training() {
		copy(dst, src)
		return
	}
	steps, w := f.InShape(0)[0], f.InShape(0)[1]
	kept := f.Saved(0, at)
	for i := range at.Len() {
		for t := range steps {
			at := (i*steps + t) * w
			simd.Mul(dst[at:at+w], src[at:at+w], kept[i*w:][:w])
		}
	}
}
