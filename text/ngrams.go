package text

import "slices"

// tokenRule is how texts become tokens: standardised, split, and recombined to n-grams. It never changes.
type tokenRule struct {
	classes     [256]class // what standardisation and splitting make of each byte
	split       Splitting
	unicode     Unicode               // what is done to characters before
	standardize func(string) string   // or nil
	splitText   func(string) []string // or nil
	upTo        int                   // n-grams of 1 to upTo tokens
	sizes       []int                 // or, unless nil, of exactly so many
}

func newTokenRule(v *Vectorizer) *tokenRule {
	r := &tokenRule{split: v.Split, unicode: v.Unicode, standardize: v.StandardizeFunc, splitText: v.SplitFunc, upTo: max(v.NGrams, 1), sizes: v.NGramSizes}
	standardization := v.Standardize
	if r.standardize != nil {
		standardization = NoStandardization
	}
	for b := range r.classes {
		c := standardization.byte(byte(b))
		if v.Unicode.Lower && 'A' <= b && b <= 'Z' {
			c = class(b-'A'+'a') | changed
		}
		if c&dropped == 0 && r.splitText == nil && r.split.separates(rune(c&0xFF)) {
			c |= between
		}
		r.classes[b] = c
	}
	return r
}

// simple reports whether the tokens are the words of a text: then [tokenRule.word] finds them one by one.
func (r *tokenRule) simple() bool {
	return r.single() && (r.split == SplitWhitespace || r.split == SplitSpaces)
}

// characters reports whether the tokens are the characters of a text.
func (r *tokenRule) characters() bool { return r.single() && r.split == SplitCharacters }

// leastTokens is the number of tokens without which a text has no n-gram.
func (r *tokenRule) leastTokens() int {
	if len(r.sizes) == 0 {
		return 1
	}
	return slices.Min(r.sizes)
}

// single reports whether no SplitFunc and no n-grams have a say in the tokens.
func (r *tokenRule) single() bool { return r.splitText == nil && r.sizes == nil && r.upTo == 1 }

// word finds the first word of s at i or later. It is s[from:to], or, where standardisation changes it, what buf then
// holds: its bytes, or limit+1 of them where it has more. There is none when from == to. The next search begins at to.
func (r *tokenRule) word(s string, i int, buf []byte, limit int) (from, to int, changedTo []byte) {
	classes := &r.classes
	for i < len(s) && classes[s[i]]&(between|dropped) != 0 {
		i++
	}
	from = i
	flags := class(0)
	for i < len(s) {
		c := classes[s[i]]
		if c&(between|dropped) != 0 {
			break
		}
		flags |= c
		i++
	}
	to = i
	for i < len(s) && classes[s[i]]&dropped != 0 {
		i++
	}
	// What is dropped after a word leaves it as it is, what is dropped inside does not.
	if flags&changed == 0 && (i == to || i == len(s) || classes[s[i]]&between != 0) {
		return from, to, buf[:0]
	}
	buf = buf[:0]
	for i = from; i < len(s); i++ {
		c := classes[s[i]]
		if c&between != 0 {
			break
		}
		if c&dropped == 0 && len(buf) <= limit {
			buf = append(buf, byte(c))
		}
	}
	return from, i, buf
}

// piece returns where a piece of s ends that begins at i, is about watchBytes long, and ends where a word does not go on:
// word finds in s[:end] what it finds in s. Where the first word is longer than that end is i, and longWord finds it.
func (r *tokenRule) piece(s string, i int) (end int) {
	if len(s)-i <= watchBytes {
		return len(s)
	}
	middle := i + watchBytes
	for k := middle; k < min(len(s), middle+watchBytes); k++ {
		if r.classes[s[k]]&between != 0 {
			return k + 1
		}
	}
	for k := middle - 1; k >= i; k-- {
		if r.classes[s[k]]&between != 0 {
			return k + 1
		}
	}
	return i
}

// longWord is word for one of any length. Where the context is done it finds none, at the end of s.
func (r *tokenRule) longWord(w *watch, s string, i int, buf []byte, limit int) (from, to int, changedTo []byte) {
	classes := &r.classes
	for ; i < len(s) && classes[s[i]]&(between|dropped) != 0; i++ {
		if w.at(i) {
			return len(s), len(s), buf[:0]
		}
	}
	from = i
	buf = buf[:0]
	for ; i < len(s); i++ {
		if w.at(i) {
			return len(s), len(s), buf[:0]
		}
		c := classes[s[i]]
		if c&between != 0 {
			break
		}
		if c&dropped == 0 && len(buf) <= limit {
			buf = append(buf, byte(c))
		}
	}
	return from, i, buf
}

// joined holds the tokens of a text in such a way that each n-gram, tokens joined by a space, is a part of it. It is
// used again for the next text.
type joined struct {
	bytes  []byte // the tokens, a space after each
	starts []int  // where each begins, and where the last one's space ends
	text   []byte // the standardised text
	folded folded // the text before
}

// size is how many bytes it has.
func (g *joined) size() int {
	return cap(g.bytes) + cap(g.text) + 8*cap(g.starts) + cap(g.folded.bytes) + cap(g.folded.lower)
}

// first returns the text as it is before its bytes are looked at, perhaps in the memory of g: until that is used again.
func (r *tokenRule) first(w *watch, g *joined, s string) string {
	if r.standardize != nil {
		return r.standardize(s)
	}
	if r.unicode != (Unicode{}) && r.unicode.fold(w, &g.folded, s) {
		return g.folded.text()
	}
	return s
}

// join puts the tokens of s into g, or some of them where the context is done.
func (r *tokenRule) join(w *watch, g *joined, s string) {
	g.bytes, g.starts = g.bytes[:0], append(g.starts[:0], 0)
	switch {
	case r.splitText != nil:
		if g.standardize(w, r, s); w.stop() {
			return
		}
		for i, token := range r.splitText(string(g.text)) {
			if w.at(i) {
				return
			}
			g.bytes = append(g.bytes, token...)
			g.end()
		}
	case r.split == SplitCharacters:
		g.standardize(w, r, s)
		for rest := g.text; len(rest) > 0; {
			if len(g.starts)%watchBytes == 0 && w.stop() {
				return
			}
			n, valid := character(rest)
			if valid {
				g.bytes = append(g.bytes, rest[:n]...)
			} else {
				g.bytes = append(g.bytes, replacement...)
			}
			g.end()
			rest = rest[n:]
		}
	case r.split == NoSplit:
		g.standardize(w, r, s)
		g.bytes = append(g.bytes, g.text...)
		g.end()
	default:
		for i := 0; i < len(s); {
			end := r.piece(s, i)
			if end == i {
				_, i, g.text = r.longWord(w, s, i, g.text, len(s))
				if len(g.text) > 0 {
					g.bytes = append(g.bytes, g.text...)
					g.end()
				}
			} else {
				r.joinWords(g, s[:end], i)
				i = end
			}
			if i < len(s) && w.stop() {
				return
			}
		}
	}
}

// joinWords puts the words of s from i on into g.
func (r *tokenRule) joinWords(g *joined, s string, i int) {
	for {
		// No limit: len(s) is more than a word can have.
		from, to, changedTo := r.word(s, i, g.text, len(s))
		if from == to {
			return
		}
		if len(changedTo) > 0 {
			g.bytes = append(g.bytes, changedTo...)
		} else {
			g.bytes = append(g.bytes, s[from:to]...)
		}
		g.end()
		i, g.text = to, changedTo
	}
}

// standardize leaves the standardised text in g.text, or the front of it where the context is done.
func (g *joined) standardize(w *watch, r *tokenRule, s string) {
	g.text = g.text[:0]
	for i := range len(s) {
		if i > 0 && w.at(i) {
			return
		}
		if c := r.classes[s[i]]; c&dropped == 0 {
			g.text = append(g.text, byte(c))
		}
	}
}

// end ends a token.
func (g *joined) end() {
	g.bytes = append(g.bytes, ' ')
	g.starts = append(g.starts, len(g.bytes))
}

// gram is a place in the n-grams of a text: those of one size after the other, and of one size from the front to the
// back (tf.strings.ngrams).
type gram struct {
	which int // the place of its size among the sizes
	from  int // its first token
}

// next returns the n-gram at p, and moves p to the next one.
func (g *joined) next(r *tokenRule, p *gram) (bytes []byte, ok bool) {
	tokens := len(g.starts) - 1
	for {
		size := p.which + 1
		if r.sizes != nil {
			if p.which == len(r.sizes) {
				return nil, false
			}
			size = r.sizes[p.which]
		} else if size > min(r.upTo, tokens) {
			return nil, false
		}
		if p.from <= tokens-size {
			p.from++
			return g.bytes[g.starts[p.from-1] : g.starts[p.from-1+size]-1], true
		}
		p.which, p.from = p.which+1, 0
	}
}
