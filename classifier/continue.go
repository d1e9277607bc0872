package classifier

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/linnet-ml/linnet/classifier/internal/calibration"
	"github.com/linnet-ml/linnet/classifier/internal/features"
	"github.com/linnet-ml/linnet/classifier/internal/selection"
	"github.com/linnet-ml/linnet/internal/random"
	"github.com/linnet-ml/linnet/simd"
)

// ContinueOptions are settings of [Classifier.Continue].
type ContinueOptions struct {
	Seed uint64 // of the order in which rows are learned, and of which are held out
	// MaxFeatures is the largest number of n-grams in the model. 0 means 300,000, or as many as it has if these are more.
	MaxFeatures int
}

// A Continuation says what a Classifier has learned from further rows.
type Continuation struct {
	Rows   int     `json:"rows"`   // examples
	Added  int     `json:"added"`  // n-grams that are new
	Rate   float64 `json:"rate"`   // the learning rate
	Epochs int     `json:"epochs"` // passes over the examples; 0 if learning did not help on those held out
	Held   int     `json:"held"`   // how many were held out to choose rate and epochs; 0 if there were too few
	Before float64 `json:"before"` // log loss of those with the old weights
	After  float64 `json:"after"`  // log loss with the chosen rate and epochs, learned from the others
}

// Continue returns a Classifier that has also learned from further examples, which may have classes that are new. c stays as
// it is.
//
// It goes on from the weights of c, with its n-grams and those of the examples: stochastic gradient descent on the log loss
// (Adagrad; Duchi, Hazan and Singer, 2011). Learning rate and number of epochs are those that are best on a fifth of the examples,
// which then are learned from, too. Everything else, such as which n-grams there are and how they are weighted, remains,
// and so does a network: it learns nothing from the examples.
//
// It does not remember the rows that c learned from. What the new ones say counts alone for the weights that they have, so
// that a text of an old kind may be labelled differently: put a sample of old rows among the examples, all the more if there is a new
// class, of which c knows nothing that is not of it. To train again with all rows is better where that is possible.
func (c *Classifier) Continue(ctx context.Context, examples []Example, o ContinueOptions) (*Classifier, error) {
	if ctx == nil {
		return nil, errors.New("classifier: the context is nil")
	}
	if o.MaxFeatures < 0 {
		return nil, &OptionError{"MaxFeatures", "is negative"}
	}
	t, err := c.newContinuation(examples)
	if err != nil {
		return nil, err
	}
	if err := t.features(ctx, c); err != nil {
		return nil, fmt.Errorf("classifier: %w", err)
	}
	t.take(c)
	if err := t.takeNetwork(ctx, c); err != nil {
		return nil, fmt.Errorf("classifier: %w", err)
	}
	report := Continuation{Rows: len(examples), Added: len(t.hashes) - len(c.parts.Hashes), Rate: 1, Epochs: 5}
	rows := make([]int32, len(examples))
	for i := range rows {
		rows[i] = int32(i)
	}
	random.New(o.Seed, random.Split, 0).Shuffle(rows)
	var held []int32
	if len(rows) >= 25 {
		held = rows[:len(rows)/5]
		if err := t.choose(ctx, rows[len(held):], held, o.Seed, &report); err != nil {
			return nil, fmt.Errorf("classifier: %w", err)
		}
		for k, old := range t.old {
			if t.spec.MultiLabel && old < 0 {
				p, positive := t.scores(t.bestLinear, held, k)
				t.threshold[k] = calibration.ThresholdF1(p, positive)
			}
		}
	}
	slices.Sort(rows)
	l := t.start()
	s := newDescent(t, l)
	for e := range report.Epochs {
		if err := s.epoch(ctx, rows, o.Seed, e, float32(report.Rate)); err != nil {
			return nil, fmt.Errorf("classifier: %w", err)
		}
	}
	limit := o.MaxFeatures
	if limit <= 0 {
		limit = max(300_000, len(c.parts.Hashes))
	}
	return t.finish(c, l, limit, report)
}

// continuation is what Continue learns from.
type continuation struct {
	spec Spec
	task *selection.Task
	old  []int // the class of the old Classifier, by class; -1 for a new one

	hashes  []uint64 // first those of the old Classifier
	inverse []uint8
	first   []int // the n-grams of row i are id and value [first[i], first[i+1])
	id      []uint32
	value   []float32

	network *Network  // with an output for each score; nil without one
	fixed   []float32 // (rows, scores): what the network adds; empty without one

	weights    [][]float32 // by score and n-gram: what learning begins with
	bias       []float32
	threshold  []float32
	bestLinear *selection.Linear
}

// newContinuation numbers the classes.
func (c *Classifier) newContinuation(examples []Example) (*continuation, error) {
	if len(examples) == 0 {
		return nil, fmt.Errorf("classifier: %w: there are none", ErrTooFewExamples)
	}
	t := &continuation{spec: c.parts.Spec, task: &selection.Task{}}
	counts := map[string]int{}
	for i, e := range examples {
		if !t.spec.MultiLabel && len(e.Labels) != 1 {
			return nil, &ExampleError{i, fmt.Sprintf("has %d labels: this classifier gives one", len(e.Labels))}
		}
		for j, l := range e.Labels {
			if l == "" {
				return nil, &ExampleError{i, emptyLabel}
			}
			if !utf8.ValidString(l) {
				return nil, &ExampleError{i, fmt.Sprintf("has the label %.40q, which is not UTF-8", l)}
			}
			if slices.Contains(e.Labels[:j], l) {
				return nil, &ExampleError{i, fmt.Sprintf("has the label %.40q twice", l)}
			}
			counts[l]++
		}
	}
	classes := slices.Clone(t.spec.Classes)
	for l, n := range counts {
		if slices.Contains(t.spec.Classes, l) {
			continue
		}
		if n < 2 {
			return nil, fmt.Errorf("classifier: %w: the new class %.40q has one", ErrTooFewExamples, l)
		}
		classes = append(classes, l)
	}
	slices.Sort(classes)
	t.spec.Classes = classes
	t.task.Classes = len(classes)
	for _, l := range classes {
		t.old = append(t.old, slices.Index(c.parts.Spec.Classes, l))
	}
	texts := make(features.Memory, 0, len(examples))
	for _, e := range examples {
		texts = append(texts, e.Text)
		set := []int32{}
		for _, l := range e.Labels {
			k, _ := slices.BinarySearch(classes, l)
			set = append(set, int32(k))
		}
		if t.spec.MultiLabel {
			t.task.Sets = append(t.task.Sets, set)
		} else {
			t.task.Class = append(t.task.Class, set[0])
		}
	}
	t.task.Texts = texts
	return t, nil
}

// rowsBefore is how many rows c has learned from, as far as that is known.
func (c *Classifier) rowsBefore() int {
	if c.report == nil {
		return 0
	}
	n := c.report.Rows
	for _, r := range c.report.Continued {
		n += r.Rows
	}
	return n
}

// features reads the texts. Of n-grams that are new it takes those of two texts at least, or all of few texts.
func (t *continuation) features(ctx context.Context, c *Classifier) error {
	rows := make([]int32, t.task.Rows())
	for i := range rows {
		rows[i] = int32(i)
	}
	corpus, err := features.Build(ctx, t.task.Texts, rows, t.spec.features(), features.Limits{Minimum: 1})
	if err != nil {
		return err
	}
	minimum := uint32(2)
	if len(rows) < 200 {
		minimum = 1
	}
	t.hashes, t.inverse = slices.Clone(c.parts.Hashes), slices.Clone(c.parts.Inverse)
	number := make([]int32, len(corpus.Hash))
	for f, h := range corpus.Hash {
		number[f] = -1
		if id, ok := c.index.Find(h); ok {
			number[f] = int32(id)
			continue
		}
		if corpus.Frequency[f] >= minimum && len(t.hashes) < maxFeatures {
			number[f] = int32(len(t.hashes))
			t.hashes = append(t.hashes, h)
			if c.parts.Spec.Weighting != string(features.Binary) {
				t.inverse = append(t.inverse, features.InverseFrequency(c.rowsBefore()+len(rows), corpus.Frequency[f]))
			}
		}
	}
	t.first = append(t.first, 0)
	for i := range rows {
		first := len(t.id)
		var squares [blocks]float32
		of := func(f uint32) block {
			if _, chars := corpus.Kind[f].Length(); chars {
				return characters
			}
			return words
		}
		for pass := range 2 {
			at := first
			for j := corpus.Start[i]; j < corpus.Start[i+1]; j++ {
				f := corpus.ID[j]
				if number[f] < 0 {
					continue
				}
				if pass == 1 {
					t.value[at] *= features.Scale(squares[of(f)])
					at++
					continue
				}
				inverse := uint8(1)
				if len(t.inverse) > 0 {
					inverse = t.inverse[number[f]]
				}
				v := c.weigher.Value(uint32(corpus.Count[j]), inverse)
				squares[of(f)] += float32(v * v)
				t.id, t.value = append(t.id, uint32(number[f])), append(t.value, v)
			}
		}
		t.first = append(t.first, len(t.id))
	}
	return nil
}

// take takes the weights of c over. With a third class the one score of two classes becomes that of each, half of it for the
// second and less half for the first: the softmax of both is the sigmoid of the score.
func (t *continuation) take(c *Classifier) {
	k := t.spec.columns()
	t.weights, t.bias = make([][]float32, k), make([]float32, k)
	t.threshold = make([]float32, t.spec.thresholds())
	for j := range t.weights {
		t.weights[j] = make([]float32, len(t.hashes))
		from, factor := t.source(c, j)
		if len(t.threshold) > 0 {
			t.threshold[j] = 0.5
		}
		if from < 0 {
			continue
		}
		if len(t.threshold) > 0 {
			t.threshold[j] = c.parts.Threshold[from]
		}
		t.bias[j] = c.parts.Bias[from] * factor
		for i := range c.parts.Hashes {
			t.weights[j][i] = float32(c.decode[uint8(c.parts.Weights[i*c.columns+from])]*c.parts.Scale[from]) * factor
		}
	}
}

// source returns which score of c score j was, and with which factor; -1 if it is that of a new class.
func (t *continuation) source(c *Classifier, j int) (from int, factor float32) {
	from, factor = t.old[min(j, len(t.old)-1)], 1
	switch {
	case t.spec.columns() == 1:
		from = 0
	case from >= 0 && c.columns == 1 && !t.spec.MultiLabel:
		factor = float32(from) - 0.5
		from = 0
	}
	return from, factor
}

// start returns the weights that learning begins with.
func (t *continuation) start() *selection.Linear {
	l := &selection.Linear{Bias: slices.Clone(t.bias)}
	for _, w := range t.weights {
		l.Weights = append(l.Weights, slices.Clone(w))
	}
	return l
}

// choose finds the learning rate and the number of epochs.
func (t *continuation) choose(ctx context.Context, rows, held []int32, seed uint64, r *Continuation) error {
	t.bestLinear = t.start()
	r.Held, r.Epochs = len(held), 0
	r.Before = t.loss(t.bestLinear, held)
	r.After = r.Before
	for _, rate := range []float64{0.1, 0.3, 1, 3} {
		l := t.start()
		d := newDescent(t, l)
		last := math.Inf(1)
		for e := range 20 {
			if err := d.epoch(ctx, rows, seed, e, float32(rate)); err != nil {
				return err
			}
			loss := t.loss(l, held)
			if loss < r.After {
				r.Rate, r.Epochs, r.After = rate, e+1, loss
				t.bestLinear = &selection.Linear{Bias: slices.Clone(l.Bias)}
				for _, w := range l.Weights {
					t.bestLinear.Weights = append(t.bestLinear.Weights, slices.Clone(w))
				}
			}
			if loss > last {
				break
			}
			last = loss
		}
	}
	return nil
}

// logits writes the scores of a row.
func (t *continuation) logits(dst []float32, l *selection.Linear, row int32) {
	from, to := t.first[row], t.first[row+1]
	for k := range dst {
		sum, w := l.Bias[k], l.Weights[k]
		if len(t.fixed) > 0 {
			sum += t.fixed[int(row)*len(dst)+k]
		}
		for j := from; j < to; j++ {
			sum += float32(w[t.id[j]] * t.value[j])
		}
		dst[k] = sum
	}
}

// loss is the log loss of rows.
func (t *continuation) loss(l *selection.Linear, rows []int32) float64 {
	sum := 0.0
	z := make([]float32, len(l.Bias))
	for _, i := range rows {
		t.logits(z, l, i)
		if t.softmax() {
			sum += calibration.SoftmaxLoss(z, 1, t.task.Class[i])
			continue
		}
		for k, v := range z {
			sum += calibration.LogLoss(float64(v), t.task.Is(i, k))
		}
	}
	return sum / float64(len(rows))
}

// softmax returns whether the scores are those of three classes or more of which a text has one.
func (t *continuation) softmax() bool { return !t.spec.MultiLabel && len(t.bias) > 1 }

// scores are the probabilities of a label and whether it is right.
func (t *continuation) scores(l *selection.Linear, rows []int32, k int) (p []float32, positive []bool) {
	z := make([]float32, len(l.Bias))
	for _, i := range rows {
		t.logits(z, l, i)
		p, positive = append(p, simd.Sigmoid32(z[k])), append(positive, t.task.Is(i, k))
	}
	return p, positive
}

// descent is a stochastic gradient descent.
type descent struct {
	t       *continuation
	l       *selection.Linear
	squares [][]float32 // sums of squared gradients, by score and n-gram
	bias    []float32   // the same of biases
	z       []float32
	order   []int32
}

func newDescent(t *continuation, l *selection.Linear) *descent {
	d := &descent{t: t, l: l, bias: make([]float32, len(l.Bias)), z: make([]float32, len(l.Bias))}
	for range l.Weights {
		d.squares = append(d.squares, make([]float32, len(t.hashes)))
	}
	return d
}

// epoch learns from each row once.
func (d *descent) epoch(ctx context.Context, rows []int32, seed uint64, epoch int, rate float32) error {
	d.order = append(d.order[:0], rows...)
	random.New(seed, random.Shuffle, uint64(epoch)).Shuffle(d.order)
	const tiny = 1e-6
	for n, i := range d.order {
		if n%256 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		d.t.logits(d.z, d.l, i)
		if d.t.softmax() {
			simd.Softmax(d.z, d.z)
		} else {
			for k, v := range d.z {
				d.z[k] = simd.Sigmoid32(v)
			}
		}
		for k, p := range d.z {
			g := p
			if d.t.task.Is(i, k) {
				g--
			}
			d.bias[k] += float32(g * g)
			d.l.Bias[k] -= float32(rate*g) / (float32(math.Sqrt(float64(d.bias[k]))) + tiny)
			w, squares := d.l.Weights[k], d.squares[k]
			for j := d.t.first[i]; j < d.t.first[i+1]; j++ {
				f := d.t.id[j]
				v := float32(g * d.t.value[j])
				squares[f] += float32(v * v)
				w[f] -= float32(rate*v) / (float32(math.Sqrt(float64(squares[f]))) + tiny)
			}
		}
	}
	return nil
}

// finish makes the Classifier.
func (t *continuation) finish(c *Classifier, l *selection.Linear, limit int, report Continuation) (*Classifier, error) {
	size := make([]float32, len(t.hashes))
	for _, w := range l.Weights {
		for f, v := range w {
			size[f] = max(size[f], v, -v)
		}
	}
	var used []uint32
	for f := range t.hashes {
		if size[f] > 0 || f < len(c.parts.Hashes) {
			used = append(used, uint32(f))
		}
	}
	for hashBits(limit)-(tagBits-wordBits) > c.parts.known() { // a file numbers places by bits that are known
		limit /= 2
	}
	if len(used) > limit {
		slices.SortStableFunc(used, func(a, b uint32) int { return cmp.Compare(size[b], size[a]) })
		used = used[:limit]
		slices.Sort(used)
	}
	columns, known := order(t.hashes, used, c.parts.known())
	p := Parts{Spec: t.spec, Threshold: t.threshold}
	p.setHashes(t.hashes, columns, known)
	for _, f := range columns {
		if len(t.inverse) > 0 {
			p.Inverse = append(p.Inverse, t.inverse[f])
		}
	}
	if len(p.Threshold) == 0 {
		p.Threshold = nil
	}
	slope := make([]float64, len(l.Bias))
	for k := range slope {
		slope[k] = 1
	}
	p.quantize(l, columns, selection.Calibration{Slope: slope, Offset: make([]float64, len(slope))})
	p.Prior = t.prior(c)
	if p.Network = t.network; p.Network != nil { // the linear model alone gets the same further bias, in its own units
		for j, b := range l.Bias {
			p.Network.Without[len(l.Bias)+j] += float32((b - t.bias[j]) * p.Network.Without[j])
		}
	}
	s, err := New(p)
	if err != nil {
		return nil, err
	}
	s.report = &Report{}
	if c.report != nil {
		*s.report = *c.report
	}
	s.report.Features = len(columns)
	s.report.Continued = append(slices.Clone(s.report.Continued), report)
	return s, nil
}

// prior is the logits of the classes' shares of old and new rows together.
func (t *continuation) prior(c *Classifier) []float32 {
	before := c.Classify("").Scores
	n := float64(c.rowsBefore())
	logits := make([]float32, len(t.bias))
	for k := range logits {
		yes := 0.5
		class := k
		if len(logits) == 1 && !t.spec.MultiLabel {
			class = 1
		}
		if t.old[class] >= 0 {
			yes += n * float64(before[t.old[class]])
		}
		for i := range t.task.Rows() {
			if t.task.Is(int32(i), k) {
				yes++
			}
		}
		rest := n + float64(t.task.Rows()) + 1 - yes
		if t.softmax() {
			rest = 1
		}
		logits[k] = float32(simd.Log64(yes) - simd.Log64(rest))
	}
	return logits
}
