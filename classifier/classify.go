package classifier

import (
	"github.com/linnet-ml/linnet/classifier/internal/features"
	"github.com/linnet-ml/linnet/simd"
)

// A Result is what a Classifier says about a text.
type Result struct {
	// Label is the most probable class. With several labels a text it is the most probable of Labels, and empty if there is
	// none.
	Label string
	// Probability is that of Label; where Label is empty, that of the most probable class.
	Probability float32
	// Labels has the labels whose probability reaches their threshold, in the order of Classes, where a text may have
	// several; else Label alone.
	Labels []string
	// Scores has the probability of each class, in the order of [Classifier.Classes]. They add up to 1 where a text has one
	// label.
	Scores []float32
}

// Classify labels a text. A text without a known n-gram, an empty one among them, gets the probabilities of the classes in
// the training data.
func (c *Classifier) Classify(text string) Result {
	var r Result
	c.ClassifyInto(&r, text)
	return r
}

// ClassifyInto does what Classify does and uses the slices that dst has. After the first texts it allocates nothing.
func (c *Classifier) ClassifyInto(dst *Result, text string) {
	s := c.scratch.Get().(*scratch)
	c.logits(s, text)
	c.decide(dst, s.scores)
	c.scratch.Put(s)
}

// scratch is memory for one text at a time.
type scratch struct {
	scanner  *features.Scanner
	distinct features.Distinct
	ids      []uint32
	found    []found
	scores   []float32
	sums     []float32
}

// found is an n-gram of the model in the text.
type found struct{ id, count uint32 }

// count finds the model's n-grams in the text among hashes, each once. It uses the slice of hashes as memory.
func (c *Classifier) count(s *scratch, hashes []uint64) {
	s.ids = c.table.find(s.ids[:0], hashes)
	s.found = s.found[:0]
	s.distinct.Begin(len(s.ids))
	for _, id := range s.ids {
		at, seen := s.distinct.Add(uint64(id), len(s.found))
		if seen {
			s.found[at].count++
		} else {
			s.found = append(s.found, found{id, 1})
		}
	}
}

// blocks are the kinds of n-grams that have length 1 together: words, and characters.
var blocks = [2][2]features.Kind{{features.Words(1), features.Words(features.MaxGram)}, {features.Chars(1), features.Chars(features.MaxGram)}}

// logits writes the logit of each score into s.scores.
func (c *Classifier) logits(s *scratch, text string) {
	hashes := s.scanner.Scan(text)
	known := false
	clear(s.scores)
	for _, b := range blocks {
		from, _ := s.scanner.Range(b[0])
		_, to := s.scanner.Range(b[1])
		if from == to {
			continue
		}
		c.count(s, hashes[from:to])
		if len(s.found) == 0 {
			continue
		}
		known = true
		squares := float32(0)
		clear(s.sums)
		switch {
		case c.columns == 1 && c.parts.Spec.Weighting == string(features.Binary):
			sum := float32(0)
			for _, f := range s.found {
				sum += c.decode[uint8(c.parts.Weights[f.id])]
			}
			s.sums[0], squares = sum, float32(len(s.found))
		case c.columns == 1:
			sum := float32(0)
			for _, f := range s.found {
				v := c.weigher.Value(f.count, c.parts.Inverse[f.id])
				squares += float32(v * v)
				sum += float32(v * c.decode[uint8(c.parts.Weights[f.id])])
			}
			s.sums[0] = sum
		default:
			for _, f := range s.found {
				v := c.weigher.Value(f.count, c.parts.Inverse[f.id])
				squares += float32(v * v)
				row := c.parts.Weights[int(f.id)*c.columns:][:len(s.sums)]
				for k, q := range row {
					s.sums[k] += float32(v * c.decode[uint8(q)])
				}
			}
		}
		scale := features.Scale(squares)
		for k, v := range s.sums {
			s.scores[k] += float32(v * scale)
		}
	}
	if !known {
		copy(s.scores, c.parts.Prior)
		return
	}
	for k := range s.scores {
		s.scores[k] = float32(s.scores[k]*c.parts.Scale[k]) + c.parts.Bias[k]
	}
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
			dst.Label, dst.Probability = "", p[0]
			for _, v := range p {
				dst.Probability = max(dst.Probability, v)
			}
			return
		}
		dst.Label, dst.Probability = classes[best], p[best]
		return
	case len(logits) == 1:
		p[0], p[1] = simd.Sigmoid32(-logits[0]), simd.Sigmoid32(logits[0])
	default:
		simd.Softmax(p, logits)
	}
	for k, v := range p {
		if v > p[best] {
			best = k
		}
	}
	dst.Label, dst.Probability = classes[best], p[best]
	dst.Labels = append(dst.Labels, classes[best])
}
