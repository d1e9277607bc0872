package features

import (
	"unicode"
	"unicode/utf8"
)

// characters reads the characters of the text: one space for a run of white space, and one before and after the text.
func (s *Scanner) characters(text string) {
	s.runes = append(s.runes[:0], ' ')
	if s.record {
		s.places = append(s.places[:0], Span{})
	}
	space := true
	add := func(r rune, start, end int) {
		s.runes = append(s.runes, r)
		if s.record {
			s.places = append(s.places, Span{start, end})
		}
	}
	keep := s.settings.KeepCase
	for i := 0; i < len(text); {
		c := text[i]
		if c < utf8.RuneSelf {
			if classes[c] == classSpace {
				if !space {
					add(' ', i, i+1)
				}
				space = true
			} else {
				if !keep && 'A' <= c && c <= 'Z' {
					c |= 0x20
				}
				if s.record {
					s.places = append(s.places, Span{i, i + 1})
				}
				s.runes = append(s.runes, rune(c))
				space = false
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		if class, _ := classOf(r); class == classSpace {
			if !space {
				add(' ', i, i+size)
			}
			space = true
		} else {
			if !keep {
				r = unicode.ToLower(r)
			}
			add(r, i, i+size)
			space = false
		}
		i += size
	}
	if !space {
		add(' ', len(text), len(text))
	}
}

// charGrams appends the hashes of the n-grams of n characters: a polynomial of the characters modulo 2^64. Two n-grams of
// at most eight characters have the same polynomial only if prime2 is a root of their difference, whose coefficients are
// below 2^21; the chance of that is about 2^-64 for a pair.
func (s *Scanner) charGrams(n int) {
	r := s.runes
	if len(r) < n || len(r) < 3 { // fewer than three are the spaces of a text without characters
		return
	}
	s.hashes = grow(s.hashes, len(r)-n+1)
	out := s.hashes[len(s.hashes)-(len(r)-n+1):]
	const salt = prime1
	switch n {
	case 1:
		for i := range out {
			out[i] = finish(uint64(r[i])*prime2 + salt)
		}
	default:
		// h is the polynomial of the last n characters: the oldest leaves with the power n.
		var h, power uint64 = 0, 1
		for _, c := range r[:n-1] {
			h = (h + uint64(c)) * prime2
		}
		for range n {
			power *= prime2
		}
		old := r[:len(out)]
		next := r[n-1:][:len(out)]
		for i := range out {
			h = (h + uint64(next[i])) * prime2
			out[i] = finish(h + salt*uint64(n))
			h -= uint64(old[i]) * power
		}
	}
}
