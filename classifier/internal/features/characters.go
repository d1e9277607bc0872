package features

import (
	"unicode"
	"unicode/utf8"
)

// A single is what a byte of ASCII is as a character.
type single struct {
	hash  uint64
	space uint64 // 1 for white space
}

// singles are the characters of ASCII in lower case, and with their case kept.
var singles = func() (t [2][utf8.RuneSelf]single) {
	for c := range utf8.RuneSelf {
		for keep := range t {
			r := rune(c)
			if keep == 0 {
				r = unicode.ToLower(r)
			}
			t[keep][c].hash = character(r)
			if classes[c] == classSpace {
				t[keep][c] = single{character(' '), 1}
			}
		}
	}
	return t
}()

// character is the hash of a character.
func character(r rune) uint64 { return mix(uint64(r)^prime3, prime1) }

// splitCharacters reads the characters of the text: one space for a run of white space, and one before and after the text.
func (s *Scanner) splitCharacters(text string) {
	s.chars = grow(s.chars[:0], len(text)+2) // no character has less than a byte
	s.places = s.places[:0]
	chars := s.chars
	chars[0] = character(' ')
	if s.record {
		s.places = append(s.places, Span{})
	}
	n := 1
	space := uint64(1) // whether the last character is a space
	table := &singles[0]
	if s.settings.KeepCase {
		table = &singles[1]
	}
	for i := 0; i < len(text); {
		c := text[i]
		if c < utf8.RuneSelf && !s.record {
			// A space after a space is written, and the next character over it.
			t := &table[c]
			chars[n] = t.hash
			n += int(1 - t.space&space)
			space = t.space
			i++
			continue
		}
		size := 1
		var t single
		if c < utf8.RuneSelf {
			t = table[c]
		} else {
			var r rune
			r, size = utf8.DecodeRuneInString(text[i:])
			if class, _ := classOf(r); class == classSpace {
				t = single{character(' '), 1}
			} else {
				if !s.settings.KeepCase {
					r = unicode.ToLower(r)
				}
				t = single{character(r), 0}
			}
		}
		if t.space&space == 0 {
			chars[n] = t.hash
			n++
			if s.record {
				s.places = append(s.places, Span{i, i + size})
			}
		}
		space = t.space
		i += size
	}
	if space == 0 {
		chars[n] = character(' ')
		n++
		if s.record {
			s.places = append(s.places, Span{len(text), len(text)})
		}
	}
	if n < 3 { // the spaces of a text without characters
		n = 0
		s.places = s.places[:0]
	}
	s.chars = chars[:n]
}
