package classifier

import (
	"fmt"
	"maps"
	"slices"
	"sort"

	"github.com/linnet-ml/linnet/classifier/internal/features"
)

// A Token is a word, or a character that is part of none, and what it contributes to a logit.
type Token struct {
	Start, End   int // its bytes in the text
	Contribution float32
}

// An Explanation says which tokens speak for a class and which against it.
type Explanation struct {
	Class string
	// Logit is the class's score before it becomes a probability: of the sigmoid for two classes and where a text may have
	// several labels, else of the softmax.
	Logit float32
	// Base is the logit without any token. Base and all contributions add up to Logit, but for rounding.
	Base   float32
	Tokens []Token // in the order of the text
	// Unknown says that there is nothing in the text that the Classifier knows: Logit is that of the classes' shares of the training
	// data.
	Unknown bool
	// Approximate says that the score is not a sum over tokens, and that without one of them it may change by another amount
	// than the token's contribution: the Classifier has a network. A unit's part of the score is that of the words in the one
	// region that the unit looks at, in the shares that they have in its value.
	Approximate bool
}

// Explain returns what each token of a text contributes to the score of a class; "" means the text's
// label, or the most probable class of a text without one. An n-gram's
// contribution is shared evenly by its tokens.
func (c *Classifier) Explain(text, class string) (Explanation, error) {
	if !c.made() {
		return Explanation{}, fmt.Errorf("classifier: %w", errNotMade)
	}
	classes := c.parts.Spec.Classes
	s := c.scratch.New().(*scratch) // it records places, which others need not
	s.scanner.RecordPlaces()
	c.logits(s, text)
	k := slices.Index(classes, class)
	if class == "" {
		var r Result
		c.decide(&r, s.scores)
		if k = slices.Index(classes, r.Label); k < 0 {
			k = highest(r.Scores)
		}
	}
	if k < 0 {
		return Explanation{}, fmt.Errorf("classifier: %w: %.40q", ErrUnknownClass, class)
	}
	e := Explanation{Class: classes[k]}
	sign := float32(1)
	if c.columns < len(classes) { // the score is that of the second class
		if k == 0 {
			sign = -1
		}
		k = 0
	}
	e.Logit, e.Base = sign*s.scores[k], sign*s.factor*c.parts.Bias[k]
	sign *= s.factor
	tokens := features.NewScanner(features.Settings{WordMin: 1, WordMax: 1, KeepCase: true, Punctuation: true})
	tokens.RecordPlaces()
	tokens.Scan(text)
	e.Tokens = make([]Token, len(tokens.Tokens()))
	for i, p := range tokens.Tokens() {
		e.Tokens[i] = Token{Start: p.Start, End: p.End}
	}
	hashes := s.scanner.Scan(text)
	for b := range blocks {
		if !c.parts.Spec.has(b) {
			continue
		}
		first, last := b.kinds()
		from, _ := s.scanner.Range(first)
		_, to := s.scanner.Range(last)
		counts := map[uint32]uint32{}
		for _, h := range hashes[from:to] {
			if id, ok := c.index.Find(h); ok {
				counts[id]++
			}
		}
		contributions := make(map[uint32]float32, len(counts)) // of one occurrence
		squares := float32(0)
		for _, id := range slices.Sorted(maps.Keys(counts)) {
			v := c.weigher.Value(counts[id], c.parts.inverse(id))
			squares += float32(v * v)
			contributions[id] = v / float32(counts[id]) * c.decode[uint8(c.parts.Weights[int(id)*c.columns+k])]
		}
		scale := sign * features.Scale(squares) * c.parts.Scale[k]
		places := s.scanner.Tokens()
		if b == characters {
			places = s.scanner.Characters()
		}
		for kind := first; kind <= last; kind++ {
			n, _ := kind.Length()
			from, to := s.scanner.Range(kind)
			for i, h := range hashes[from:to] {
				if id, ok := c.index.Find(h); ok {
					share(e.Tokens, places[i:i+n], scale*contributions[id])
				}
			}
		}
	}
	if !s.known {
		e.Base, e.Unknown = e.Logit, true
	} else if s.reader != nil {
		e.Approximate = true
		words, contributions, rest := s.reader.Explain(text, k)
		e.Base += sign * rest
		for i, v := range contributions {
			share(e.Tokens, words[i:i+1], sign*v)
		}
	}
	return e, nil
}

// share gives each place of an n-gram the same part of v; spaces get none unless there is nothing else.
func share(tokens []Token, places []features.Span, v float32) {
	n := 0
	for _, p := range places {
		if at(tokens, p) >= 0 {
			n++
		}
	}
	if n == 0 { // a space alone: its neighbour's
		i := sort.Search(len(tokens), func(i int) bool { return tokens[i].Start >= places[0].Start })
		tokens[min(i, len(tokens)-1)].Contribution += v
		return
	}
	for _, p := range places {
		if i := at(tokens, p); i >= 0 {
			tokens[i].Contribution += v / float32(n)
		}
	}
}

// at returns the token that holds a place, or -1.
func at(tokens []Token, p features.Span) int {
	i := sort.Search(len(tokens), func(i int) bool { return tokens[i].End > p.Start })
	if i < len(tokens) && p.End > p.Start && tokens[i].Start <= p.Start {
		return i
	}
	return -1
}
