package text

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"math/rand/v2"
	"strings"

	"github.com/linnet-ml/linnet/internal/textline"
)

// Vocabulary is a list of distinct words; the id of a word is its place, from 0. A word is any string of bytes, the empty
// one among them. It never changes: any number of goroutines may use it at once. The zero value has no words.
//
// It takes the bytes of the words and 12 to 20 bytes for each of them.
type Vocabulary struct {
	// words holds all words, one after the other, and after the last one 16 bytes, so that 16 can be read from where any
	// word begins.
	words   string
	offsets []uint32 // word i is words[offsets[i]:offsets[i+1]]
	longest int

	// slots is a hash table with linear probing, of which at most half is in use. A slot holds id+1 in its low bits, as
	// many as idMask has, and the high bits of the word's hash in the others; an empty one is 0. A word that is not there
	// is then seen not to be from the slot alone, nearly always: that is one cache miss, not three.
	slots  []uint32
	idMask uint32
	seed   [2]uint64
}

const (
	// longestLine bounds the words that ReadVocabulary takes: a file without line feeds is no vocabulary.
	longestLine = 1 << 16
	// linesPerLook is how many lines are read between two looks at the context.
	linesPerLook = 256
	// padding stands after the last word.
	padding = "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
)

// DuplicateError reports a word that a list has twice, at two places that count from 0.
type DuplicateError struct {
	Word          string
	First, Second int
}

// Error names the word and its places.
func (e *DuplicateError) Error() string {
	return fmt.Sprintf("text: words %d and %d of the vocabulary are both %q", e.First, e.Second, e.Word)
}

// NewVocabulary makes a vocabulary of words; it keeps nothing of the slice. A word that stands there twice is a
// [*DuplicateError]. When ctx is done before it has finished, its error is the context's.
func NewVocabulary(ctx context.Context, words []string) (*Vocabulary, error) {
	if ctx == nil {
		return nil, errNilContext
	}
	var b VocabularyBuilder
	look := watch{ctx: ctx}
	size := uint64(len(padding))
	for _, w := range words {
		size += uint64(len(w))
	}
	if size <= math.MaxUint32 && size <= math.MaxInt && len(words) <= math.MaxInt32 {
		b.words.Grow(int(size)) // so that nothing is copied as it grows
		b.offsets = make([]uint32, 1, len(words)+1)
	}
	for i, w := range words {
		if look.at(i) {
			return nil, fmt.Errorf("text: making a vocabulary of %d words: %w", len(words), look.err)
		}
		if !b.tooMany {
			b.words.WriteString(w)
			b.end()
		}
	}
	return b.Vocabulary(ctx)
}

// ReadVocabulary reads a word from each line. A line ends at a line feed (the last one may lack it) or at a carriage return
// and a line feed, as in files of Windows. A byte order mark, U+FEFF, before the first line is left out; that of UTF-16 is
// an error. All else is part of the word, spaces too, and an empty line is the empty word. A word that stands there twice, or
// a line of more than 65,535 bytes, is an error that names the line. It looks at ctx between lines; a Read that does not
// return it cannot end.
//
// [ReadHubVocabulary] reads the files of TensorFlow Hub's modules, by TensorFlow's rule.
func ReadVocabulary(ctx context.Context, r io.Reader) (*Vocabulary, error) {
	return readVocabulary(ctx, r, func(n int, line []byte) ([]byte, error) {
		if n == 1 && textline.IsUTF16(line) {
			return nil, errors.New("begins with the byte order mark of UTF-16: the file must be in UTF-8")
		}
		return textline.Trim(n, line), nil
	})
}

// readVocabulary reads a word from each line, which word makes of the line and its number, from 1.
func readVocabulary(ctx context.Context, r io.Reader, word func(n int, line []byte) ([]byte, error)) (*Vocabulary, error) {
	if ctx == nil {
		return nil, errNilContext
	}
	if isNil(r) {
		return nil, errors.New("text: the reader of the vocabulary is nil")
	}
	var b VocabularyBuilder
	lines := bufio.NewReaderSize(r, longestLine)
	for n := 1; ; n++ {
		if n%linesPerLook == 1 && ctx.Err() != nil {
			return nil, fmt.Errorf("text: line %d of the vocabulary: %w", n, ctx.Err())
		}
		line, err := lines.ReadSlice('\n')
		switch {
		case err == nil:
			line = line[:len(line)-1]
		case errors.Is(err, bufio.ErrBufferFull):
			return nil, fmt.Errorf("text: line %d of the vocabulary is longer than %d bytes", n, longestLine-1)
		case err != io.EOF:
			return nil, fmt.Errorf("text: line %d of the vocabulary: %w", n, err)
		case len(line) == 0:
			v, err := b.Vocabulary(ctx)
			if twice := (*DuplicateError)(nil); errors.As(err, &twice) {
				return nil, fmt.Errorf("text: lines %d and %d of the vocabulary are both %q", twice.First+1, twice.Second+1, twice.Word)
			}
			return v, err
		}
		w, bad := word(n, line)
		if bad != nil {
			return nil, fmt.Errorf("text: line %d of the vocabulary %w", n, bad)
		}
		b.Add(w)
	}
}

// VocabularyBuilder gathers the words of a vocabulary one by one, as a reader of a file finds them. The zero value is
// ready for use.
type VocabularyBuilder struct {
	words   strings.Builder
	offsets []uint32
	longest int
	tooMany bool
}

// Add appends a word, whose id is the number of words before it. It keeps nothing of the slice.
func (b *VocabularyBuilder) Add(word []byte) {
	if !b.tooMany {
		b.words.Write(word)
		b.end()
	}
}

// end ends a word that has been written.
func (b *VocabularyBuilder) end() {
	if b.offsets == nil {
		b.offsets = make([]uint32, 1, 16)
	}
	end := b.words.Len()
	b.tooMany = b.tooMany || uint64(end) > math.MaxUint32 || len(b.offsets) > math.MaxInt32
	if b.tooMany {
		return
	}
	b.longest = max(b.longest, end-int(b.offsets[len(b.offsets)-1]))
	b.offsets = append(b.offsets, uint32(end))
}

// Len is the number of words so far.
func (b *VocabularyBuilder) Len() int { return max(len(b.offsets)-1, 0) }

// Vocabulary makes the vocabulary, and leaves the builder without words. A word that was added twice is a
// [*DuplicateError]; so many that their bytes exceed 4 GiB are an error too, and so is a context that is done before the
// words are indexed.
func (b *VocabularyBuilder) Vocabulary(ctx context.Context) (*Vocabulary, error) {
	if b == nil {
		return nil, errors.New("text: the VocabularyBuilder is nil")
	}
	defer func() { *b = VocabularyBuilder{} }()
	if ctx == nil {
		return nil, errNilContext
	}
	if b.tooMany {
		return nil, fmt.Errorf("text: the words of the vocabulary are more than %d bytes, or more than %d", uint32(math.MaxUint32), math.MaxInt32)
	}
	if b.Len() == 0 {
		return &Vocabulary{}, nil
	}
	b.words.WriteString(padding)
	v := &Vocabulary{words: b.words.String(), offsets: b.offsets, longest: b.longest}
	// Whoever writes a file of words must not be able to choose them so that all fall into one slot.
	v.seed = [2]uint64{rand.Uint64(), rand.Uint64() | 1}
	if err := v.index(ctx); err != nil {
		return nil, err
	}
	return v, nil
}

// index fills the slots.
func (v *Vocabulary) index(ctx context.Context) error {
	n := v.Len()
	v.idMask = 1<<bits.Len(uint(n)) - 1
	v.slots = make([]uint32, 1<<bits.Len(uint(2*n-1)))
	// Some at a time: the processor then waits for the slots of several words at once.
	var hashes [64]uint64
	for first := 0; first < n; first += len(hashes) {
		last := min(first+len(hashes), n)
		if first%watchBytes == 0 && ctx.Err() != nil {
			return fmt.Errorf("text: making a vocabulary of %d words: %w", n, ctx.Err())
		}
		for id := first; id < last; id++ {
			lo, hi := v.offsets[id], v.offsets[id+1]
			if n := int(hi - lo); n <= short {
				first8, next8 := load16(v.words, int(lo), n)
				hashes[id-first] = v.hashShort(first8, next8, n)
			} else {
				hashes[id-first] = hashLong(v, v.words[lo:hi])
			}
		}
		for id := first; id < last; id++ {
			h := hashes[id-first]
			tag := uint32(h>>32) &^ v.idMask
			for k := int(h) & (len(v.slots) - 1); ; k = (k + 1) & (len(v.slots) - 1) {
				slot := v.slots[k]
				if slot == 0 {
					v.slots[k] = tag | uint32(id+1)
					break
				}
				if slot&^v.idMask == tag {
					other := int(slot&v.idMask) - 1
					if v.word(other) == v.word(id) {
						return &DuplicateError{Word: strings.Clone(v.word(id)), First: other, Second: id}
					}
				}
			}
		}
	}
	return nil
}

// word is word id, which must be in the vocabulary.
func (v *Vocabulary) word(id int) string { return v.words[v.offsets[id]:v.offsets[id+1]] }

// Len is the number of words: 0 for a nil vocabulary too.
func (v *Vocabulary) Len() int {
	if v == nil {
		return 0
	}
	return max(len(v.offsets)-1, 0)
}

// Word returns the word of an id, and whether it has one.
func (v *Vocabulary) Word(id int32) (word string, ok bool) {
	if id < 0 || int(id) >= v.Len() {
		return "", false
	}
	return v.word(int(id)), true
}

// ID returns the id of a word, and whether the vocabulary has it. It allocates nothing.
func (v *Vocabulary) ID(word string) (id int32, ok bool) {
	if v == nil || len(word) > v.longest || len(v.slots) == 0 {
		return 0, false
	}
	return find(v, v.hash(word), word)
}

// find looks up a word of which the hash is known.
func find[S string | []byte](v *Vocabulary, h uint64, word S) (id int32, ok bool) {
	tag := uint32(h>>32) &^ v.idMask
	for k := int(h) & (len(v.slots) - 1); ; k = (k + 1) & (len(v.slots) - 1) {
		slot := v.slots[k]
		if slot == 0 {
			return 0, false
		}
		if slot&^v.idMask == tag {
			if id := int(slot&v.idMask) - 1; v.word(id) == string(word) {
				return int32(id), true
			}
		}
	}
}

// short is the length up to which a word fits two registers.
const short = 16

// hash is the hash of a word. It reads eight bytes at a time: words are short, and a step for each byte is what most of
// the time of a look-up would go to.
func (v *Vocabulary) hash(s string) uint64 {
	n := len(s)
	switch {
	case n == 0:
		return v.hashShort(0, 0, 0)
	case n < 4: // its first, middle and last byte are all there are
		return v.hashShort(uint64(s[0])|uint64(s[n/2])<<(8*uint(n/2))|uint64(s[n-1])<<(8*uint(n-1)), 0, n)
	case n < 8: // its first and its last four bytes
		a, b := s[:4], s[n-4:]
		first := uint64(a[0]) | uint64(a[1])<<8 | uint64(a[2])<<16 | uint64(a[3])<<24
		last := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24
		return v.hashShort(first|last<<(8*uint(n-4)), 0, n)
	case n <= short:
		return v.hashShort(load(s, 0), load(s, n-8)>>(8*uint(short-n)), n)
	}
	return hashLong(v, s)
}

// hashShort is the hash of a word of n bytes, at most 16: the first eight in a, the others in b, each the first lowest,
// and zeros after them.
func (v *Vocabulary) hashShort(a, b uint64, n int) uint64 { return v.fold(a, b^uint64(n)<<56) }

// hashLong is the hash of a word of more than 16 bytes.
func hashLong[S string | []byte](v *Vocabulary, s S) uint64 {
	h := uint64(len(s))
	i := 0
	for ; i+16 < len(s); i += 16 {
		h = v.fold(load(s, i)^h, load(s, i+8))
	}
	return v.fold(load(s, len(s)-16)^h, load(s, len(s)-8))
}

// fold mixes two numbers into one.
func (v *Vocabulary) fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^v.seed[0], b^v.seed[1])
	return hi ^ lo
}

// load reads eight bytes from i on, the first the lowest. The compiler makes one load of it.
func load[S string | []byte](s S, i int) uint64 {
	b := s[i : i+8]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

// load16 reads the n bytes, at most 16, from i on, and zeros after them. Whatever n is, s has 16 bytes there.
func load16[S string | []byte](s S, i, n int) (a, b uint64) {
	return lowBytes(load(s, i), n), lowBytes(load(s, i+8), max(n-8, 0))
}

// lowBytes keeps the n lowest bytes of x, which has eight: all of them when n is more.
func lowBytes(x uint64, n int) uint64 {
	return x &^ (math.MaxUint64 << (8 * uint(n))) // a shift by 64 or more gives 0
}
