package classifier

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/linnet-ml/linnet/classifier/internal/features"
	"github.com/linnet-ml/linnet/classifier/internal/linear"
	"github.com/linnet-ml/linnet/classifier/internal/parallel"
	"github.com/linnet-ml/linnet/classifier/internal/regions"
	"github.com/linnet-ml/linnet/classifier/internal/selection"
	"github.com/linnet-ml/linnet/internal/spill"
	"github.com/linnet-ml/linnet/simd"
)

// A continuation is what Continue learns from, and the new Classifier as far as it is known.
type continuation struct {
	c     *Classifier // the old one
	spec  Spec
	task  *selection.Task
	old   []int // the class of c, by class; -1 for a new one
	limit int   // n-grams of the new Classifier at most, and new n-grams to learn from
	meter *selection.Meter
	space *spill.Space

	hashes  []uint64 // first those of c
	inverse []uint8
	chars   []bool        // whether an n-gram is one of characters, as far as the rows have it
	x       linear.Matrix // n-grams and values of the rows

	network       *Network  // with an output for each score; nil without one
	networkScores []float32 // (rows, scores): what the network adds; empty without one

	first     *selection.Linear // what learning begins with
	threshold []float32
	labels    []LabelReport // of new labels
}

// newContinuation numbers the classes.
func (c *Classifier) newContinuation(examples []Example) (*continuation, error) {
	if len(examples) == 0 {
		return nil, fmt.Errorf("classifier: %w: there are none", ErrTooFewExamples)
	}
	t := &continuation{c: c, spec: c.parts.Spec, task: &selection.Task{}}
	counts := map[string]int{}
	for i, e := range examples {
		if !t.spec.MultiLabel && len(e.Labels) != 1 {
			return nil, &ExampleError{i, fmt.Sprintf("has %d labels: this classifier gives one", len(e.Labels))}
		}
		for j, l := range e.Labels {
			if err := checkLabel(i, l); err != nil {
				return nil, err
			}
			if slices.Contains(e.Labels[:j], l) {
				return nil, labelTwice(i, l)
			}
			counts[l]++
		}
	}
	classes := slices.Clone(t.spec.Classes)
	for _, l := range slices.Sorted(maps.Keys(counts)) {
		if _, old := slices.BinarySearch(t.spec.Classes, l); old {
			continue
		}
		if counts[l] < 2 {
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

// newLabels returns whether there are new labels, which need thresholds.
func (t *continuation) newLabels() bool { return t.spec.MultiLabel && slices.Contains(t.old, -1) }

// rowsBefore is how many rows c has learned from, as far as that is known.
func (c *Classifier) rowsBefore() int {
	if c.report == nil {
		return 0
	}
	n := int64(c.report.Rows)
	for _, r := range c.report.Continued {
		n += int64(r.Rows)
	}
	return int(min(n, math.MaxInt32))
}

// manyBytes is how long texts may be together of which all n-grams are looked at.
const manyBytes = 64 << 20

// read reads the texts. Of n-grams that are new it takes those of two texts at least, or all of few texts, and of these the most
// frequent.
func (t *continuation) read(ctx context.Context) error {
	c, rows := t.c, t.task.All()
	limits := features.Limits{Minimum: 1, Space: t.space, Progress: func(done, total int) { t.meter.Set(string(PhaseCounting), done, total) }}
	if t.task.Texts.Bytes(rows) > manyBytes {
		limits.Columns = len(c.parts.Hashes) + max(2<<20, t.limit)
	}
	corpus, err := features.Build(ctx, t.task.Texts, rows, t.spec.features(), limits)
	if err != nil {
		return err
	}
	defer corpus.Free()
	minimum := uint32(2)
	if len(rows) < 200 {
		minimum = 1
	}
	old := len(c.parts.Hashes)
	t.hashes, t.inverse, t.chars = slices.Clone(c.parts.Hashes), slices.Clone(c.parts.Inverse), make([]bool, old)
	number := make([]int32, len(corpus.Hash))
	for f, h := range corpus.Hash {
		number[f] = -1
		_, chars := corpus.Kind[f].Length()
		if id, ok := c.index.Find(h); ok {
			number[f], t.chars[id] = int32(id), chars
			continue
		}
		if corpus.Frequency[f] >= minimum && len(t.hashes)-old < t.limit && len(t.hashes) < maxFeatures {
			number[f] = int32(len(t.hashes))
			t.hashes, t.chars = append(t.hashes, h), append(t.chars, chars)
			if c.parts.Spec.Weighting != string(features.Binary) {
				t.inverse = append(t.inverse, features.InverseFrequency(c.rowsBefore()+len(rows), corpus.Frequency[f]))
			}
		}
	}
	return t.weigh(ctx, corpus, number)
}

// weigh computes the values of the n-grams of each row, which corpus has under other numbers; -1 stands for none.
func (t *continuation) weigh(ctx context.Context, corpus *features.Corpus, number []int32) error {
	ids, values := spill.NewWriter[uint32](t.space, 0), spill.NewWriter[float32](t.space, 0)
	defer ids.Discard()
	defer values.Discard()
	t.x.Start = make([]int, 1, corpus.Rows()+1)
	var id []uint32 // of the row
	var value []float32
	look := parallel.NewWatch(ctx)
	for i := range corpus.Rows() {
		if err := look.Spend(8 * (corpus.Start[i+1] - corpus.Start[i] + 1)); err != nil {
			return err
		}
		id, value = id[:0], value[:0]
		var squares [blocks]float32
		for j := corpus.Start[i]; j < corpus.Start[i+1]; j++ {
			f := number[corpus.ID[j]]
			if f < 0 {
				continue
			}
			inverse := uint8(1)
			if len(t.inverse) > 0 {
				inverse = t.inverse[f]
			}
			v := t.c.weigher.Value(uint32(corpus.Count[j]), inverse)
			squares[t.block(uint32(f))] += float32(v * v)
			id, value = append(id, uint32(f)), append(value, v)
		}
		for j, f := range id {
			value[j] *= features.Scale(squares[t.block(f)])
		}
		t.x.Start = append(t.x.Start, t.x.Start[i]+len(id))
		if err := ids.Append(id); err != nil {
			return err
		}
		if err := values.Append(value); err != nil {
			return err
		}
	}
	i, err := ids.Array()
	if err != nil {
		return err
	}
	v, err := values.Array()
	t.x.ID, t.x.Value, t.x.Mapped = i.Data, v.Data, v.Mapped()
	return err
}

// block is the kind of an n-gram that the rows have.
func (t *continuation) block(f uint32) block {
	if t.chars[f] {
		return characters
	}
	return words
}

// take takes the weights of c over. With a third class the one score of two classes becomes that of each, half of it for the
// second and less half for the first: the softmax of both is the sigmoid of the score.
func (t *continuation) take(ctx context.Context) error {
	c, k := t.c, t.spec.columns()
	t.first = &selection.Linear{Weights: make([][]float32, k), Bias: make([]float32, k)}
	t.threshold = make([]float32, t.spec.thresholds())
	for j := range k {
		if err := ctx.Err(); err != nil {
			return err
		}
		t.first.Weights[j] = make([]float32, len(t.hashes))
		from, factor := t.source(j)
		if len(t.threshold) > 0 {
			t.threshold[j] = 0.5
		}
		if from < 0 {
			continue
		}
		if len(t.threshold) > 0 {
			t.threshold[j] = c.parts.Threshold[from]
		}
		t.first.Bias[j] = c.parts.Bias[from] * factor
		for i := range c.parts.Hashes {
			t.first.Weights[j][i] = float32(c.decode[uint8(c.parts.Weights[i*c.columns+from])]*c.parts.Scale[from]) * factor
		}
	}
	return nil
}

// source returns which score of c score j was, and with which factor; -1 if it is that of a new class.
func (t *continuation) source(j int) (from int, factor float32) {
	from, factor = t.old[min(j, len(t.old)-1)], 1
	switch {
	case t.spec.columns() == 1:
		from = 0
	case from >= 0 && t.c.columns == 1 && !t.spec.MultiLabel:
		factor = float32(from) - 0.5
		from = 0
	}
	return from, factor
}

// takeNetwork takes the network over, with outputs for the new classes, and computes what it adds to the scores of each row.
// A class that is new has 0.
func (t *continuation) takeNetwork(ctx context.Context) error {
	c := t.c
	old := c.parts.Network
	if old == nil {
		return nil
	}
	n := *old
	k, was := t.spec.columns(), c.columns
	n.Output, n.Without = make([]float32, len(n.UnitBias)*k), make([]float32, 2*k)
	for j := range k {
		from, factor := t.source(j)
		n.Without[j] = 1
		if from < 0 {
			continue
		}
		for i := range n.UnitBias {
			n.Output[i*k+j] = old.Output[i*was+from] * factor
		}
		n.Without[j], n.Without[k+j] = old.Without[from], old.Without[was+from]*factor
	}
	t.network = &n
	network := regions.NewNetwork(n.parts(), t.spec.NetworkUnits, k, t.spec.features())
	rows := t.task.All()
	t.networkScores = make([]float32, k*len(rows))
	r, z := network.NewReader(), t.networkScores
	for text, err := range t.task.Texts.Read(ctx, rows) {
		if err != nil {
			return err
		}
		r.Add(z[:k], text)
		z = z[k:]
	}
	return nil
}

// softmax returns whether the scores are those of three classes or more of which a text has one.
func (t *continuation) softmax() bool { return !t.spec.MultiLabel && t.spec.columns() > 1 }

// finish makes the Classifier.
func (t *continuation) finish(ctx context.Context, l *selection.Linear, report Continuation) (*Classifier, error) {
	c := t.c
	used, length, err := t.largest(ctx, l)
	if err != nil {
		return nil, err
	}
	columns, known := order(t.hashes, used, c.parts.known())
	for _, f := range columns {
		if int(f) >= len(c.parts.Hashes) {
			report.Added++
		}
	}
	report.Dropped = len(c.parts.Hashes) - (len(columns) - report.Added)
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
	l.Keep(columns)
	if err := p.quantize(ctx, l, selection.Calibration{Slope: slope, Offset: make([]float64, len(slope))}); err != nil {
		return nil, err
	}
	for k := range p.Scale {
		p.Scale[k] *= length
	}
	if report.Added > 0 || len(columns) < len(c.parts.Hashes) {
		if err := t.measureLengths(ctx, &p, columns); err != nil {
			return nil, err
		}
	}
	p.Prior = t.prior()
	if p.Network = t.network; p.Network != nil { // the linear model alone gets the same further bias, in its own units
		for j, b := range l.Bias {
			p.Network.Without[len(l.Bias)+j] += float32((b - t.first.Bias[j]) * p.Network.Without[j])
		}
	}
	s, err := newClassifier(ctx, p)
	if err != nil {
		return nil, err
	}
	s.report = t.report(len(columns), report)
	return s, nil
}

// largest returns the n-grams that stay: the old ones, and new ones with a weight, or of too many those with the largest weights. The
// length is what stays of the values of a text on average. Values of the new Classifier have length 1 again, and weights have to be
// as much smaller.
func (t *continuation) largest(ctx context.Context, l *selection.Linear) (used []uint32, length float32, err error) {
	size := make([]float32, len(t.hashes))
	for _, w := range l.Weights {
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		for f, v := range w {
			size[f] = max(size[f], v, -v)
		}
	}
	for f := range t.hashes {
		if size[f] > 0 || f < len(t.c.parts.Hashes) {
			used = append(used, uint32(f))
		}
	}
	limit := t.limit
	for hashBits(limit)-(tagBits-wordBits) > t.c.parts.known() { // a file numbers places by bits that are known
		limit /= 2
	}
	if len(used) <= limit {
		return used, 1, nil
	}
	all := used
	used = slices.Clone(all)
	slices.SortStableFunc(used, func(a, b uint32) int { return cmp.Compare(size[b], size[a]) })
	used = used[:limit]
	slices.Sort(used)
	length, err = t.length(ctx, all, used)
	return used, length, err
}

// length is what stays of the length of a text's values, on average, if of some n-grams others stay.
func (t *continuation) length(ctx context.Context, from, to []uint32) (float32, error) {
	const was, stays = 1, 2
	mark := make([]uint8, len(t.hashes))
	for _, f := range from {
		mark[f] = was
	}
	for _, f := range to {
		mark[f] |= stays
	}
	sum, n := 0.0, 0
	look := parallel.NewWatch(ctx)
	for i := range t.x.Rows() {
		id, value := t.x.Row(int32(i))
		if err := look.Spend(8 * (len(id) + 1)); err != nil {
			return 0, err
		}
		var before, after [blocks]float64
		for j, f := range id {
			square := float64(value[j]) * float64(value[j])
			if mark[f]&was != 0 {
				before[t.block(f)] += square
			}
			if mark[f]&stays != 0 {
				after[t.block(f)] += square
			}
		}
		for b := range blocks {
			if after[b] > 0 { // else there is nothing to compare
				sum += math.Sqrt(after[b] / before[b])
				n++
			}
		}
	}
	if n == 0 {
		return 1, nil
	}
	return float32(sum / float64(n)), nil
}

// measureLengths sets the lengths of the new Classifier: the mean of those that the rows show and those that the old one has, by the
// number of rows.
func (t *continuation) measureLengths(ctx context.Context, p *Parts, columns []uint32) error {
	old := p.Spec.Lengths
	p.Spec.Lengths = nil
	if err := p.measureLengths(ctx, &t.x, func(f uint32) block { return t.block(f) }, len(t.hashes), columns); err != nil {
		return err
	}
	if len(p.Spec.Lengths) == 0 || len(old) == 0 {
		return nil
	}
	before, rows := float64(t.c.rowsBefore()), float64(t.task.Rows())
	for i, v := range p.Spec.Lengths {
		p.Spec.Lengths[i] = float32((float64(before*float64(old[i])) + float64(rows*float64(v))) / (before + rows))
	}
	return nil
}

// report says how the new Classifier was found.
func (t *continuation) report(n int, last Continuation) *Report {
	r := &Report{}
	if t.c.report != nil {
		*r = *t.c.report
		if r.Shrunk == 0 && last.Dropped > 0 {
			r.Shrunk = len(t.c.parts.Hashes)
		}
	}
	r.Features = n
	r.Continued = append(slices.Clone(r.Continued), last)
	switch {
	case t.spec.thresholds() == 0:
		r.Labels = nil
	case t.spec.MultiLabel:
		r.Labels = append(slices.Clone(r.Labels), t.labels...)
		slices.SortStableFunc(r.Labels, func(a, b LabelReport) int { return cmp.Compare(a.Label, b.Label) })
	}
	return r
}

// prior is the logits of the classes' shares of old and new rows together.
func (t *continuation) prior() []float32 {
	before := t.c.Classify("").Scores
	n := float64(t.c.rowsBefore())
	logits := make([]float32, len(t.first.Bias))
	count := t.task.Positive()
	for k := range logits {
		yes := 0.5
		class := k
		if len(logits) == 1 && !t.spec.MultiLabel {
			class = 1
		}
		if t.old[class] >= 0 {
			yes += n * float64(before[t.old[class]])
		}
		yes += float64(count[k])
		rest := n + float64(t.task.Rows()) + 1 - yes
		if t.softmax() {
			rest = 1
		}
		logits[k] = float32(simd.Log64(yes) - simd.Log64(rest))
	}
	return logits
}
