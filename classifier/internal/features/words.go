package features

import (
	"math/bits"
	"unicode"
	"unicode/utf8"
)

// Classes of bytes.
const (
	classSpace = iota
	classWord
	classMark
	classMulti // part of a character of several bytes
)

var classes = func() (t [256]uint8) {
	for c := range t {
		switch {
		case c >= utf8.RuneSelf:
			t[c] = classMulti
		case c <= ' ' || c == 0x7f:
			t[c] = classSpace
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
			t[c] = classWord
		default:
			t[c] = classMark
		}
	}
	return t
}()

// classOf is the class of a character of several bytes, and whether it is a word of its own.
func classOf(r rune) (class int, alone bool) {
	switch {
	case r == utf8.RuneError, unicode.IsSpace(r), unicode.IsControl(r), unicode.Is(unicode.Cf, r):
		return classSpace, false
	case unicode.Is(unicode.Han, r), unicode.Is(unicode.Hiragana, r), unicode.Is(unicode.Katakana, r):
		return classWord, true
	case unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsMark(r), unicode.IsNumber(r):
		return classWord, false
	}
	return classMark, true
}

// A mask describes 64 bytes of a text, a bit each: whether the byte is part of a word or of a character of several bytes;
// whether it is a mark; whether any byte is part of a character of several bytes.
type mask struct {
	run, mark uint64
	multi     bool
}

const (
	every = 0x0101010101010101 // a byte of 1
	upper = 0x80 * every
)

// alphanumeric sets the upper bit of those of eight bytes that are letters or digits of ASCII, and of bytes from 0x80 on.
func alphanumeric(x uint64) uint64 {
	seven := x &^ upper
	letter := seven | 0x20*every
	// Bit 7 of c + (0x80 - low) is set from low on, that of c + (0x80 - high - 1) after high.
	word := (letter + (0x80-'a')*every) &^ (letter + (0x80-'z'-1)*every)
	word |= (seven + (0x80-'0')*every) &^ (seven + (0x80-'9'-1)*every)
	return (word | x) & upper
}

// blank sets the upper bit of those of eight bytes that are white space or control characters, and of bytes from 0x80 on.
func blank(x uint64) uint64 {
	seven := x &^ upper
	return (^(seven + (0x80-'!')*every) | (seven + every) | x) & upper // up to the space, and 0x7f
}

// gather brings the upper bits of eight bytes together.
func gather(x uint64) uint64 { return x >> 7 * 0x0102040810204080 >> 56 }

// load reads eight bytes from i on, the first one lowest. There must be eight.
func load[T string | []byte](text T, i int) uint64 {
	b := text[i : i+8]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 | uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

// lowest has a mask of the lowest n bytes for n from 0 to 8; the others are there so that n & 15 needs no check.
var lowest = func() (t [16]uint64) {
	for n := range t {
		t[n] = 1<<(8*min(n, 8)) - 1
	}
	return t
}()

// loadPart reads n bytes, 0 to 8, from i on, whatever follows in the text.
func loadPart(text string, i, n int) uint64 {
	if i+8 <= len(text) {
		return load(text, i) & lowest[n&15]
	}
	x := uint64(0)
	for j := range n {
		x |= uint64(text[i+j]) << (8 * uint(j))
	}
	return x
}

// mark fills s.masks, and has one more of white space after them.
func (s *Scanner) mark(text string) {
	n := (len(text) + 63) / 64
	if cap(s.masks) <= n {
		s.masks = make([]mask, 2*n+1)
	}
	s.masks = s.masks[:n+1]
	s.masks[n] = mask{}
	whole := len(text) / 64
	for i := 0; i < whole; i += markChunk {
		end := min(i+markChunk, whole)
		s.kernels.mark(s.masks[i:end], text[64*i:64*end], s.settings.Punctuation)
	}
	if whole < n {
		var last [64]byte // 0 is white space
		copy(last[:], text[64*whole:])
		s.masks[whole] = markBlock(last[:], s.settings.Punctuation)
	}
}

// markChunk is how many blocks are described at once: assembly cannot be preempted.
const markChunk = 1024

func markPortable(masks []mask, text string, marks bool) {
	for i := range masks {
		masks[i] = markBlock(text[64*i:64*i+64], marks)
	}
}

// markBlock describes 64 bytes.
func markBlock[T string | []byte](block T, marks bool) (m mask) {
	_ = block[63]
	var multi, spaces uint64
	for j := 0; j < 64; j += 8 {
		x := load(block, j)
		m.run |= gather(alphanumeric(x)) << j
		multi |= x
		if marks {
			spaces |= gather(blank(x)) << j
		}
	}
	m.multi = multi&upper != 0
	if marks {
		m.mark = ^(m.run | spaces)
	}
	return m
}

// ends returns the first bytes of runs and marks in a block, and the last ones. Open says that the byte before is part of a run, and next is
// the mask of the bytes after the block.
func (m mask) ends(open bool, next mask) (first, last uint64) {
	before := m.run << 1
	if open {
		before |= 1
	}
	return m.run&^before | m.mark, m.run&^(m.run>>1|next.run<<63) | m.mark
}

// splitWords finds the words of the text. Words of ASCII are found in the masks; a run of bytes with characters of several
// bytes is read character by character.
func (s *Scanner) splitWords(text string) {
	s.mark(text)
	s.words, s.spans = s.words[:0], s.spans[:0]
	fold := uint64(0x20 * every) // turns letters to lower case, and leaves digits
	if s.settings.KeepCase {
		fold = 0
	}
	open := -1     // where the run that has not ended yet begins
	multi := false // whether it may have characters of several bytes
	for j := 0; j < len(s.masks)-1; j++ {
		if n := s.plain(text, j, open, multi); n > 0 {
			open = s.plainWords(text, j, n, open, fold)
			j += n - 1
			multi = false
			continue
		}
		m, base := s.masks[j], 64*j
		first, last := m.ends(open >= 0, s.masks[j+1])
		multi = multi && open >= 0 || m.multi
		if !multi && !s.record && base+72 <= len(text) {
			n := len(s.words)
			s.words = grow(s.words, 64)
			var more int
			more, open = blockWords(s.words[n:], text, base, open, first, last, fold)
			s.words = s.words[:n+more]
			continue
		}
		for ; last != 0; last &= last - 1 {
			if open < 0 {
				open = base + bits.TrailingZeros64(first)
				first &= first - 1
			}
			if at := base + bits.TrailingZeros64(last); m.mark>>(at&63)&1 != 0 {
				s.word(group(prime0, uint64(text[at])), at, at+1)
			} else {
				s.run(text, open, at+1, fold, multi)
			}
			open = -1
		}
		if first != 0 {
			open = base + bits.TrailingZeros64(first)
		}
		multi = m.multi || multi && open >= 0 && open < base
	}
}

const (
	plainChunk = 64      // blocks that are read at once
	plainOpen  = 1 << 16 // bytes of a word before them
)

// plain returns how many blocks from number j on have ASCII alone, and no more to be noted of them than the hashes of words. open is where a word
// begins before them, if not negative, and multi whether it may have characters of several bytes.
func (s *Scanner) plain(text string, j, open int, multi bool) (n int) {
	if s.kernels.ends == nil || s.record || open >= 0 && (multi || 64*j-open > plainOpen) {
		return 0
	}
	last := min(len(s.masks)-1-j, plainChunk, (len(text)-8)/64-j)
	for n < last && !s.masks[j+n].multi {
		n++
	}
	return n
}

// plainWords adds the words that end in n blocks from number j on. It returns where one begins that does not end in them, or -1.
func (s *Scanner) plainWords(text string, j, n, open int, fold uint64) int {
	if s.ends == nil {
		s.ends = make([][2]int32, 64*plainChunk+1)
	}
	base, before := 64*j, 0
	if open >= 0 {
		s.ends[0][0] = int32(open - base)
		before = 1
	}
	began, words := s.kernels.ends(s.ends, s.masks[j:j+n+1], before)
	if words > 0 {
		w := len(s.words)
		s.words = grow(s.words, words)
		s.kernels.words(s.words[w:], text, base, s.ends, fold)
	}
	if began == words {
		return -1
	}
	return base + int(s.ends[words][0])
}

// blockWords hashes the words that end in the block of 64 bytes from base on, after which eight bytes follow: they begin at bytes of first and
// end with those of last. open is where a word begins before it, or -1, and the result where one begins that does not end in it.
//
//go:noinline
func blockWords(out []uint64, text string, base, open int, first, last, fold uint64) (n, still int) {
	out = out[:64]
	for ; last != 0; last &= last - 1 {
		start := open
		if open < 0 {
			start = base + bits.TrailingZeros64(first)
			first &= first - 1
		}
		open = -1
		end := base + bits.TrailingZeros64(last) + 1
		f, h := foldOf(text[start], fold), uint64(prime0)
		for end-start > 8 {
			h = group(h, load(text, start)|f)
			start += 8
		}
		out[n&63] = group(h, (load(text, start)|f)&lowest[(end-start)&15])
		n++
	}
	if first != 0 {
		open = base + bits.TrailingZeros64(first)
	}
	return n, open
}

// unfolded has a bit for each of the marks that 0x20 would change: @ [ \ ] ^ and _, by the lower six bits, which no other first byte of a word
// has.
const unfolded uint64 = 1<<('@'&63) | 0x1f<<('['&63)

// foldOf returns fold for a word of ASCII that begins with c, and 0 for a mark that it would change.
func foldOf(c byte, fold uint64) uint64 {
	if unfolded>>(c&63)&1 != 0 {
		return 0
	}
	return fold
}

// word adds a word.
func (s *Scanner) word(h uint64, start, end int) {
	s.words = append(s.words, h)
	if s.record {
		s.spans = append(s.spans, Span{start, end})
	}
}

// A word's hash reads the bytes of the lower-case word in groups of eight, the first one lowest.
func group(h, v uint64) uint64 { return mix(h^v, prime1) }

// run reads the bytes from start to end, which are parts of words or of characters of several bytes.
func (s *Scanner) run(text string, start, end int, fold uint64, multi bool) {
	if multi && !ascii(text[start:end]) {
		s.characterRun(text, start, end)
		return
	}
	h := uint64(prime0)
	for i := start; i < end; i += 8 {
		n := min(8, end-i)
		h = group(h, loadPart(text, i, n)|fold&lowest[n&15])
	}
	s.word(h, start, end)
}

func ascii(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// characterRun is run for characters of several bytes.
func (s *Scanner) characterRun(text string, start, end int) {
	word := s.lower[:0]
	from := start
	for i := start; i < end; {
		r, size := rune(text[i]), 1
		class, alone := classWord, false
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(text[i:end])
			class, alone = classOf(r)
		}
		if class == classWord && !alone {
			if len(word) == 0 {
				from = i
			}
			if !s.settings.KeepCase {
				r = unicode.ToLower(r)
			}
			word = utf8.AppendRune(word, r)
			i += size
			continue
		}
		if len(word) > 0 {
			s.word(hash(word), from, i)
			word = word[:0]
		}
		if class == classWord || class == classMark && s.settings.Punctuation {
			s.word(hash(utf8.AppendRune(word, r)), i, i+size)
		}
		i += size
	}
	if len(word) > 0 {
		s.word(hash(word), from, end)
	}
	s.lower = word[:0]
}

// hash is the hash of a word in lower case.
func hash(word []byte) uint64 {
	h := uint64(prime0)
	for len(word) > 0 {
		n := min(8, len(word))
		v := uint64(0)
		for j, c := range word[:n] {
			v |= uint64(c) << (8 * uint(j))
		}
		h = group(h, v)
		word = word[n:]
	}
	return h
}
