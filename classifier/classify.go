package classifier

import (
	"github.com/linnet-ml/linnet/classifier/internal/features"
	"github.com/linnet-ml/linnet/simd"
)

// A Result is what a Classifier says about a text.
type Result struct {
	// Label is the class of the text: the most probable one, or the one that the threshold of [Options.Goal] decides for. With
	// several labels a text it is the most probable of Labels. It is empty if Labels is: the text has no label, or the
	// Classifier does not know, because the probability is below [Options.MinConfidence].
	Label string
	// Probability is that of Label; where Label is empty, that of the most probable class.
	Probability float32
	// Labels has the labels whose probability reaches their threshold, in the order of Classes, where a text may have
	// several; else Label alone, if there is one.
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
	scanner *features.Scanner
	ids     []uint32 // the model's n-grams in the text, a few of them several times
	repeats []uint8  // how often each of ids counts
	memory  memory
	seen    []uint64 // a bit for each n-gram of the model; all are 0 between texts
	counts  []uint8  // a number for each n-gram of the model instead; all are 0 between texts
	found   []found
	scores  []float32
	sums    []float32
}

// found is an n-gram of the model in the text.
type found struct{ id, count uint32 }

// A block is a kind of n-grams that have length 1 together: words, or characters.
type block int

const (
	words block = iota
	characters
	blocks
)

// kinds returns the first and the last kind of n-grams.
func (b block) kinds() (first, last features.Kind) {
	if b == words {
		return features.Words(1), features.Words(features.MaxGram)
	}
	return features.Chars(1), features.Chars(features.MaxGram)
}

// find finds the model's n-grams in the text: s.ids and s.repeats.
func (c *Classifier) find(s *scratch, b block, text string) {
	var hashes []uint64
	if b == words {
		hashes = s.scanner.WordGrams(text, c.index.filter)
	} else {
		hashes = s.scanner.CharacterGrams(text, c.index.filter)
	}
	if cap(s.ids) < len(hashes) {
		s.ids, s.repeats = make([]uint32, 2*len(hashes)), make([]uint8, 2*len(hashes))
	}
	n := s.memory.distinct(hashes, s.repeats[:len(hashes)])
	n = c.index.find(s.ids[:n], s.repeats[:n], hashes[:n])
	s.ids, s.repeats = s.ids[:n], s.repeats[:n]
}

// A memory knows where distinct has seen hashes last: the number of the call in the upper half, the index in the lower half.
type memory struct {
	seen [1 << 11]uint64
	call uint32
}

// distinct moves distinct hashes to the front, writes how often each is there to repeats, 255 at most, and returns their
// number. It remembers the last hash with given upper bits alone, so that a few stay several times. No branch, and no address
// of the next hash, depends on whether one has been seen.
//
//go:noinline
func (m *memory) distinct(hashes []uint64, repeats []uint8) int {
	if m.call++; m.call == 0 {
		clear(m.seen[:])
		m.call = 1
	}
	call := uint64(m.call)
	repeats = repeats[:len(hashes)]
	n := uint(0)
	for _, h := range hashes {
		seen := &m.seen[h>>53]
		now, equal := uint(0), uint(0)
		if *seen>>32 == call {
			now = 1
		}
		p := uint(uint32(*seen)) & -now
		if hashes[p] == h {
			equal = 1
		}
		again := -(now & equal) // all bits, or none
		to := n ^ (n^p)&again
		hashes[to] = h
		repeats[to] = uint8(min(uint(repeats[p])&again+1, features.MaxCount))
		*seen = call<<32 | uint64(to)
		n += 1 + again
	}
	return int(n)
}

// count counts s.ids in s.found, in the order in which they are found first.
func (c *Classifier) count(s *scratch) {
	if cap(s.found) < len(s.ids) {
		s.found = make([]found, 2*len(s.ids))
	}
	s.found = s.found[:len(s.ids)]
	s.found = s.found[:countDistinct(s.found, s.counts, s.ids, s.repeats)]
}

// countDistinct writes the distinct ids and how often each is there, and returns how many these are. It writes every id and
// moves on only after a new one: no branch depends on that.
//
//go:noinline
func countDistinct(to []found, counts []uint8, ids []uint32, repeats []uint8) int {
	to, repeats = to[:len(ids)], repeats[:len(ids)]
	n := uint(0)
	for i, id := range ids {
		to[n].id = id
		k := counts[id]
		fresh := uint(0)
		if k == 0 {
			fresh = 1
		}
		n += fresh
		counts[id] = uint8(min(uint(k)+uint(repeats[i]), features.MaxCount))
	}
	for i := range to[:n] {
		f := &to[i]
		f.count = uint32(counts[f.id])
		counts[f.id] = 0
	}
	return int(n)
}

// logits writes the logit of each score into s.scores.
func (c *Classifier) logits(s *scratch, text string) {
	known := false
	clear(s.scores)
	for b := range blocks {
		if !c.parts.Spec.has(b) {
			continue
		}
		c.find(s, b, text)
		if len(s.ids) == 0 {
			continue
		}
		known = true
		squares := c.sum(s)
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

// sum writes the sums of the weights of s.ids into s.sums and returns the squared length of the n-grams' values.
func (c *Classifier) sum(s *scratch) (squares float32) {
	if s.seen != nil {
		return c.sumDistinct(s)
	}
	c.count(s)
	if c.columns == 1 {
		sum := float32(0)
		for _, f := range s.found {
			v := c.weigher.Value(f.count, c.parts.inverse(f.id))
			squares += float32(v * v)
			sum += float32(v * c.decode[uint8(c.index.entries[f.id])])
		}
		s.sums[0] = sum
		return squares
	}
	clear(s.sums)
	for _, f := range s.found {
		v := c.weigher.Value(f.count, c.parts.inverse(f.id))
		squares += float32(v * v)
		row := c.parts.Weights[int(f.id)*c.columns:][:len(s.sums)]
		for k, q := range row {
			s.sums[k] += float32(v * c.decode[uint8(q)])
		}
	}
	return squares
}

// sumDistinct is sum for one score and values of 1: whole numbers, and no branch depends on whether an n-gram was there
// before.
func (c *Classifier) sumDistinct(s *scratch) (squares float32) {
	entries, seen := c.index.entries, s.seen
	sum, n := int64(0), int64(0)
	for _, id := range s.ids {
		w := &seen[id>>6]
		fresh := int64(^*w >> (id & 63) & 1)
		*w |= 1 << (id & 63)
		n += fresh
		sum += int64(square(int8(entries[id]))) & -fresh
	}
	for _, id := range s.ids {
		seen[id>>6] = 0
	}
	s.sums[0] = float32(sum) / (127 * 127)
	return float32(n)
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
			dst.Label, dst.Probability = "", p[largest(p)]
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
		best = largest(p)
	}
	if p[best] < c.parts.Spec.MinConfidence {
		dst.Label, dst.Probability = "", p[largest(p)]
		return
	}
	dst.Label, dst.Probability = classes[best], p[best]
	dst.Labels = append(dst.Labels, classes[best])
}

// largest returns the index of the first of the largest elements.
func largest(x []float32) int {
	best := 0
	for i, v := range x {
		if v > x[best] {
			best = i
		}
	}
	return best
}
