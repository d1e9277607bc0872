package classifier

import (
	"fmt"
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
	Tokens []Token // in the order of the text; the sum is exact because the model is linear
}

// Explain returns what each token of a text contributes to the score of a class; "" means the most probable one. An n-gram's
// contribution is shared evenly by its tokens.
func (c *Classifier) Explain(text, class string) (Explanation, error) {
	classes := c.parts.Spec.Classes
	s := c.scratch.New().(*scratch) // it records places, which others need not
	s.scanner.RecordPlaces()
	c.logits(s, text)
	k := slices.Index(classes, class)
	if class == "" {
		var r Result
		c.decide(&r, s.scores)
		k = 0
		for i, v := range r.Scores {
			if v > r.Scores[k] {
				k = i
			}
		}
	}
	if k < 0 {
		return Explanation{}, fmt.Errorf("classifier: no class %.40q", class)
	}
	e := Explanation{Class: classes[k]}
	sign := float32(1)
	if c.columns < len(classes) { // the score is that of the second class
		if k == 0 {
			sign = -1
		}
		k = 0
	}
	e.Logit, e.Base = sign*s.scores[k], sign*c.parts.Bias[k]
	words := features.NewScanner(features.Settings{WordMin: 1, WordMax: 1, KeepCase: true, Punctuation: true})
	words.Scan(text)
	e.Tokens = make([]Token, len(words.Tokens()))
	for i, p := range words.Tokens() {
		e.Tokens[i] = Token{Start: p.Start, End: p.End}
	}
	hashes := s.scanner.Scan(text)
	known := false
	for b, kinds := range blocks {
		places := s.scanner.Tokens()
		if b == 1 {
			places = s.scanner.Characters()
		}
		from, _ := s.scanner.Range(kinds[0])
		_, to := s.scanner.Range(kinds[1])
		if from == to {
			continue
		}
		c.count(s, slices.Clone(hashes[from:to]))
		values := make(map[uint32]float32, len(s.found)) // the contribution of one occurrence
		squares := float32(0)
		for _, f := range s.found {
			v := c.weigher.Value(f.count, c.parts.Inverse[f.id])
			squares += float32(v * v)
			values[f.id] = v / float32(f.count)
		}
		known = known || len(s.found) > 0
		scale := features.Scale(squares) * c.parts.Scale[k]
		for kind := kinds[0]; kind <= kinds[1]; kind++ {
			n, _ := kind.Length()
			from, to := s.scanner.Range(kind)
			for i, h := range hashes[from:to] {
				ids := c.table.find(s.ids[:0], []uint64{h})
				if len(ids) == 0 {
					continue
				}
				id := ids[0]
				v := sign * scale * values[id] * c.decode[uint8(c.parts.Weights[int(id)*c.columns+k])]
				share(e.Tokens, places[i:i+n], v)
			}
		}
	}
	if !known {
		e.Base = e.Logit
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
