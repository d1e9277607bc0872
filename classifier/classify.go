package classifier

import (
	"github.com/linnet-ml/linnet/classifier/internal/features"
	"github.com/linnet-ml/linnet/classifier/internal/regions"
	"github.com/linnet-ml/linnet/simd"
)

// A Result is what a Classifier says about a text.
type Result struct {
	// Label is the class of the text: the most probable one, or the one that the threshold of [Options.Goal] decides for. With
	// several labels a text it is the most probable of Labels. It is empty if Labels is: the text has no label, or the
	// Classifier does not know, because the probability of the class that it would be is below [Options.MinConfidence].
	Label string
	// Probability is that of Label; where Label is empty, that of the most probable class.
	Probability float32
	// Labels has the labels whose probability reaches their threshold, in the order of Classes, where a text may have
	// several; else Label alone, if there is one.
	Labels []string
	// Scores has the probability of each class, in the order of [Classifier.Classes]. They add up to 1 where a text has one
	// label.
	Scores []float32
	// Unknown says that there is nothing in the text that the Classifier knows: Scores are about the classes' shares of the training
	// data, and the label says nothing about the text.
	Unknown bool
}

// Classify labels a text. A text without a known n-gram, an empty one among them, gets the probabilities of the classes in
// the training data, unless there is a network that knows one of its words.
func (c *Classifier) Classify(text string) Result {
	var r Result
	c.ClassifyInto(&r, text)
	return r
}

// ClassifyInto does what Classify does and uses the slices that dst has. After the first texts it allocates nothing.
func (c *Classifier) ClassifyInto(dst *Result, text string) {
	if !c.made() {
		*dst = Result{}
		return
	}
	s := c.scratch.Get().(*scratch)
	c.logits(s, text)
	c.decide(dst, s.scores)
	dst.Unknown = !s.known
	c.release(s, text)
}

// release lets other texts use s, which was used for text.
func (c *Classifier) release(s *scratch, text string) {
	if len(text) <= keptBytes {
		c.scratch.Put(s)
	}
}

// keptBytes is how long texts may be whose scratch is used again. It has some 40 bytes for each byte of its longest text, and a
// pool has a scratch for each goroutine.
const keptBytes = 1 << 20

// scratch is memory for one text at a time.
type scratch struct {
	scanner *features.Scanner
	counter *features.Counter
	scores  []float32
	sums    []float32
	factor  float32         // that the logits were made even with
	known   bool            // whether the text has anything that the logits come from
	reader  *regions.Reader // nil without a network
}

// find returns the numbers of the model's n-grams in the text, each as often as it is there.
func (c *Classifier) find(s *scratch, b block, text string) []uint32 {
	if b == words {
		return s.scanner.FindWords(text, c.index)
	}
	return s.scanner.FindCharacters(text, c.index)
}

// logits writes the logit of each score into s.scores.
func (c *Classifier) logits(s *scratch, text string) {
	s.factor, s.known = 1, false
	clear(s.scores)
	for b := range blocks {
		if !c.parts.Spec.has(b) {
			continue
		}
		ids := c.find(s, b, text)
		if len(ids) == 0 {
			continue
		}
		s.known = true
		squares := c.sum(s, ids)
		scale := features.Scale(squares)
		for k, v := range s.sums {
			s.scores[k] += float32(v * scale)
		}
	}
	for k := range s.scores {
		s.scores[k] = float32(s.scores[k]*c.parts.Scale[k]) + c.parts.Bias[k]
	}
	if s.reader != nil && s.reader.Add(s.scores, text) {
		s.known = true
	}
	if !s.known {
		copy(s.scores, c.parts.Prior)
		return
	}
	if c.evenness.Quarters > 0 {
		s.factor = c.evenness.Factor(s.scores)
		for k, v := range s.scores {
			s.scores[k] = v * s.factor
		}
	}
}

// sum writes the sums of the weights of n-grams into s.sums and returns the squared length of their values.
func (c *Classifier) sum(s *scratch, ids []uint32) (squares float32) {
	if c.single() {
		sum, n := s.counter.Sum(ids, c.index, &c.squares)
		s.sums[0] = float32(sum) / (127 * 127)
		return float32(n)
	}
	found := s.counter.Count(ids)
	if c.columns == 1 { // values are not binary
		// What is random access comes first, in a loop so short that the processor waits for many n-grams at once.
		inverse, index := c.parts.Inverse, c.index
		for i := range found {
			f := &found[i]
			f.N |= uint32(inverse[f.ID])<<8 | uint32(index.Entry(f.ID))<<16
		}
		sum, weigher, decode := float32(0), c.weigher, &c.decode
		for _, f := range found {
			v := weigher.Value(f.N&0xff, uint8(f.N>>8))
			squares += float32(v * v)
			sum += float32(v * decode[uint8(f.N>>16)])
		}
		s.sums[0] = sum
		return squares
	}
	clear(s.sums)
	for _, f := range found {
		v := c.weigher.Value(f.N, c.parts.inverse(f.ID))
		squares += float32(v * v)
		row := c.parts.Weights[int(f.ID)*c.columns:][:len(s.sums)]
		for k, q := range row {
			s.sums[k] += float32(v * c.decode[uint8(q)])
		}
	}
	return squares
}

// decide turns logits into a result.
func (c *Classifier) decide(dst *Result, logits []float32) {
	classes := c.parts.Spec.Classes
	if cap(dst.Scores) < len(classes) {
		dst.Scores = make([]float32, len(classes))
	}
	p := dst.Scores[:len(classes)]
	dst.Scores = p
	dst.Labels = dst.Labels[:0]
	best := 0
	switch {
	case c.parts.Spec.MultiLabel:
		best = -1
		for k, z := range logits {
			p[k] = simd.Sigmoid32(z)
			if p[k] >= c.parts.Threshold[k] {
				dst.Labels = append(dst.Labels, classes[k])
				if best < 0 || p[k] > p[best] {
					best = k
				}
			}
		}
		if best < 0 {
			dst.Label, dst.Probability = "", p[highest(p)]
			return
		}
		dst.Label, dst.Probability = classes[best], p[best]
		return
	case len(logits) == 1:
		p[0], p[1] = simd.Sigmoid32(-logits[0]), simd.Sigmoid32(logits[0])
		if p[1] >= c.parts.Threshold[0] {
			best = 1
		}
	default:
		simd.Softmax(p, logits)
		best = highest(p)
	}
	if p[best] < c.parts.Spec.MinConfidence {
		dst.Label, dst.Probability = "", p[highest(p)]
		return
	}
	dst.Label, dst.Probability = classes[best], p[best]
	dst.Labels = append(dst.Labels, classes[best])
}

// highest returns the index of the first of the largest elements.
func highest(x []float32) int {
	best := 0
	for i, v := range x {
		if v > x[best] {
			best = i
		}
	}
	return best
}
