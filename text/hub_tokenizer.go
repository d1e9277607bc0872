package text

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"unicode/utf8"

	"github.com/dgryski/go-farm"

	"github.com/linnet-ml/linnet/internal/textline"
)

// HubTokenizer turns texts into tokens as the text modules of TensorFlow Hub do (nnlm-en-dim50 and its kin), byte for
// byte: ASCII letters become lower case where the module says so, characters of Unicode's punctuation (\pP) go without a
// trace, and what stands between single spaces (U+0020, no other) is a token. So two spaces have an empty token between
// them, a space at an end has one beside it, and an empty text is one empty token: all of them count in the text's
// length. A byte that is not part of valid UTF-8 stays as it is. Texts that other programs have split need
// [HubTokenizerOptions.WhiteSpace].
//
// The id of a token is its place in the vocabulary. Another token falls into one of the buckets after it: id
// Len + Fingerprint64(token) mod buckets, FarmHash's Fingerprint64 (TensorFlow's StaticVocabularyTable).
//
// Any number of goroutines may use it: what it gives never changes. It keeps about 200 KiB, words met lately among them, for
// each of up to 16 goroutines that use it at once.
type HubTokenizer struct {
	vocabulary *Vocabulary
	options    HubTokenizerOptions
	buckets    int

	kinds   [256]byteKind
	written [256]byte // what a byte that is kept becomes
	// lower has the bit by which a small letter differs from a capital in each byte, or is 0.
	lower uint64

	// buffers are for tokens that fit no batch.
	buffers chan []byte
	// batches are those that no call uses.
	batches chan *hubBatch
}

var _ Tokenizer = (*HubTokenizer)(nil)

// HubTokenizerOptions says how a module's tokens differ from those of nnlm-en-dim50.
type HubTokenizerOptions struct {
	// Lower turns A to Z into a to z, and no other letters (the modules with "-with-normalization").
	Lower bool
	// KeepPunctuation leaves \pP in the tokens.
	KeepPunctuation bool
	// OOVBuckets is the number of ids for words that are not in the vocabulary. 0 means 1.
	OOVBuckets int
	// WhiteSpace splits at Unicode's white space, and at HTML's line breaks (<br>, <br/>, <br />, in capitals too), in place
	// of U+0020 alone. Empty tokens are left out: a text without words has none. No module of TensorFlow Hub does so; tables
	// of word vectors need it, whose words stand in lines of text. See pretrained.OpenVectors.
	WhiteSpace bool `json:",omitzero"`
}

// byteKind is what a byte does to the token it stands in.
type byteKind uint8

const (
	keptByte    byteKind = iota
	droppedByte          // ASCII punctuation
	spaceByte
	leadByte // of a character of several bytes, maybe
	tagByte  // of a line break of HTML, maybe
)

// NewHubTokenizer makes a tokenizer for a vocabulary. A negative number of buckets is an error, and so are more ids than
// an int32 can tell apart.
func NewHubTokenizer(v *Vocabulary, o HubTokenizerOptions) (*HubTokenizer, error) {
	if v == nil {
		return nil, errors.New("text: a HubTokenizer needs a vocabulary")
	}
	if o.OOVBuckets < 0 {
		return nil, fmt.Errorf("text: a HubTokenizer cannot have %d buckets for words that are not in the vocabulary", o.OOVBuckets)
	}
	t := &HubTokenizer{vocabulary: v, options: o, buckets: max(o.OOVBuckets, 1), buffers: make(chan []byte, keptBuffers),
		batches: make(chan *hubBatch, keptBuffers)}
	if t.buckets > math.MaxInt32-v.Len() {
		return nil, fmt.Errorf("text: a vocabulary of %d words with %d buckets has more than %d ids", v.Len(), t.buckets, math.MaxInt32)
	}
	for c := range t.written {
		t.written[c] = byte(c)
		if c >= utf8.RuneSelf && (!o.KeepPunctuation || o.WhiteSpace) {
			t.kinds[c] = leadByte
		}
	}
	if o.Lower {
		t.lower = ones * 0x20
		for c := 'A'; c <= 'Z'; c++ {
			t.written[c] = byte(c) | 0x20
		}
	}
	if !o.KeepPunctuation {
		for _, c := range []byte(punctuationASCII) {
			t.kinds[c] = droppedByte
		}
	}
	t.kinds[' '] = spaceByte
	if o.WhiteSpace {
		for c := '\t'; c <= '\r'; c++ {
			t.kinds[c] = spaceByte
		}
		t.kinds['<'] = tagByte
	}
	return t, nil
}

// Size is the number of ids: the words of the vocabulary and the buckets.
func (t *HubTokenizer) Size() int {
	if t == nil {
		return 0
	}
	return t.vocabulary.Len() + t.buckets
}

// AppendIDs appends the ids of the tokens of s. It allocates nothing but what dst lacks, unless s has a token of more than
// a thousand bytes, or more goroutines than before are in it. It looks at ctx about every 64 KiB of s, and its error is the
// context's.
func (t *HubTokenizer) AppendIDs(ctx context.Context, dst []int32, s string) ([]int32, error) {
	if err := t.ready(ctx); err != nil {
		return dst, err
	}
	b := t.batch()
	defer t.releaseBatch(b)
	w := watch{ctx: ctx}
	for pos, look := 0, watchBytes; pos <= len(s); {
		if pos >= look {
			if w.stop() {
				return dst, w.err
			}
			look = pos + watchBytes
		}
		before := len(dst)
		if dst, pos = t.scan(b, dst, s, pos); len(dst) > before {
			continue
		}
		buffer := t.buffer()
		buffer, pos = t.appendToken(&w, buffer, s, pos)
		if w.err == nil && !t.leavesOut(len(buffer)) {
			dst = append(dst, t.id(buffer))
		}
		t.release(buffer)
	}
	return dst, w.err
}

// AppendTokens appends the tokens of s, which have no ids yet. It looks at ctx as AppendIDs does.
func (t *HubTokenizer) AppendTokens(ctx context.Context, dst []string, s string) ([]string, error) {
	if err := t.ready(ctx); err != nil {
		return dst, err
	}
	buffer := t.buffer()
	w := watch{ctx: ctx}
	for pos, look := 0, watchBytes; pos <= len(s) && w.err == nil; {
		if pos >= look {
			if w.stop() {
				break
			}
			look = pos + watchBytes
		}
		buffer, pos = t.appendToken(&w, buffer[:0], s, pos)
		if !t.leavesOut(len(buffer)) {
			dst = append(dst, string(buffer))
		}
	}
	t.release(buffer)
	return dst, w.err
}

// leavesOut reports whether a token of n bytes is none.
func (t *HubTokenizer) leavesOut(n int) bool { return n == 0 && t.options.WhiteSpace }

// ready returns an error for arguments that nothing can be done with.
func (t *HubTokenizer) ready(ctx context.Context) error {
	if ctx == nil {
		return errNilContext
	}
	if t == nil || t.vocabulary == nil {
		return errors.New("text: a HubTokenizer without a vocabulary: NewHubTokenizer makes one")
	}
	return nil
}

const (
	batchBytes = 1024
	// keptBuffer bounds the buffers that are kept for the next token, and keptBuffers how many are.
	keptBuffer, keptBuffers = 1 << 16, 16

	ones = 0x0101010101010101
	high = ones * 0x80
)

// scan appends the ids of the tokens of s from pos on, where a token begins, and returns where the next one begins: beyond
// len(s) after the last. It stops after watchBytes of s, or of white space, and before a token that does not fit the batch,
// or is longer than watchBytes. So it may append none.
func (t *HubTokenizer) scan(b *hubBatch, dst []int32, s string, pos int) (ids []int32, next int) {
	v := t.vocabulary
	whiteSpace := t.options.WhiteSpace
	for first := pos; pos <= len(s) && pos-first <= watchBytes; {
		// Most tokens are up to 16 ASCII letters, and maybe a character of punctuation, before a space.
		if pos+short+2 <= len(s) {
			x := load(s, pos)
			n, mask := letters(x)
			first8, next8 := (x|t.lower)&mask, uint64(0)
			if n == 8 {
				x = load(s, pos+8)
				n, mask = letters(x)
				next8 = (x | t.lower) & mask
				n += 8
			}
			end := pos + n
			kind := t.kinds[s[end]]
			if kind == droppedByte {
				end++
				kind = t.kinds[s[end]]
			}
			if kind == spaceByte {
				pos = end + 1
				if n > 0 || !whiteSpace {
					h := v.hashShort(first8, next8, n)
					if r := &b.recent[h%recentWords]; r.is(first8, next8, n) {
						dst = append(dst, r.id)
					} else {
						dst = t.wait(b, dst, hubWord{first8, next8, h, n})
					}
				}
				continue
			}
		}
		n, next := t.scanToken(b, s, pos)
		if n < 0 {
			break
		}
		pos = next
		if n == 0 && whiteSpace {
			continue
		}
		if n > short {
			h := hashLong(v, b.text[b.used:b.used+n])
			dst = t.wait(b, dst, hubWord{uint64(b.used), 0, h, n})
			b.used += n
			continue
		}
		first8, next8 := load16(b.text[b.used:], 0, n)
		h := v.hashShort(first8, next8, n)
		if r := &b.recent[h%recentWords]; r.is(first8, next8, n) {
			dst = append(dst, r.id)
		} else {
			dst = t.wait(b, dst, hubWord{first8, next8, h, n})
		}
	}
	return t.resolve(b, dst), pos
}

// letters returns how many ASCII letters the eight bytes of x begin with, and a mask for these bytes.
func letters(x uint64) (n int, mask uint64) {
	// Of a byte that is no letter the high bit is set in other; setting bit 0x20 makes a letter small, and of no other byte
	// a letter.
	y := (x | ones*0x20) &^ high
	letter := (y + ones*(0x80-'a')) &^ (y + ones*(0x7f-'z')) &^ x
	other := ^letter & high
	return bits.TrailingZeros64(other) >> 3, (other&-other)>>7 - 1
}

// scanToken puts the bytes of the token of s that begins at pos into the batch, and returns how many there are, and where
// the next token begins. It returns -1 where the token does not fit, and where more than watchBytes of s are dropped, so
// that appendToken looks at the context.
func (t *HubTokenizer) scanToken(b *hubBatch, s string, pos int) (size, next int) {
	whiteSpace := t.options.WhiteSpace
	n := b.used
	for token := pos; ; {
		if n > batchBytes-8 {
			return -1, token
		}
		if pos+8 <= len(s) {
			// Letters are taken up to eight at a time.
			x := load(s, pos)
			k, _ := letters(x)
			store(b.text[n:], x|t.lower)
			n += k
			pos += k
			if k == 8 {
				continue
			}
		} else if pos >= len(s) {
			return n - b.used, pos + 1
		}
		c := s[pos]
		pos++
		switch t.kinds[c] {
		case spaceByte:
			return n - b.used, pos
		case keptByte:
			b.text[n] = t.written[c]
			n++
		case droppedByte:
			if pos-token > watchBytes {
				return -1, token
			}
		case leadByte:
			r, size := utf8.DecodeRuneInString(s[pos-1:])
			if whiteSpace && isUnicodeSpace(r) {
				return n - b.used, pos + size - 1
			}
			if size > 1 && t.drops(r) {
				if pos-token > watchBytes {
					return -1, token
				}
				pos += size - 1
				break
			}
			n += copy(b.text[n:], s[pos-1:pos-1+size])
			pos += size - 1
		case tagByte:
			if size := lineBreak(s[pos-1:]); size > 0 {
				return n - b.used, pos + size - 1
			}
			b.text[n] = c
			n++
		}
	}
}

// store writes eight bytes, the lowest first. The compiler makes one store of it.
func store(b []byte, x uint64) {
	b = b[:8]
	b[0], b[1], b[2], b[3] = byte(x), byte(x>>8), byte(x>>16), byte(x>>24)
	b[4], b[5], b[6], b[7] = byte(x>>32), byte(x>>40), byte(x>>48), byte(x>>56)
}

// appendToken appends the bytes of the token of s that begins at pos, and returns where the next one begins: beyond
// len(s) after the last, and where the context is done.
func (t *HubTokenizer) appendToken(w *watch, dst []byte, s string, pos int) (token []byte, next int) {
	for pos < len(s) {
		if w.at(pos) {
			return dst, len(s) + 1
		}
		c := s[pos]
		switch t.kinds[c] {
		case keptByte:
			dst = append(dst, t.written[c])
		case spaceByte:
			return dst, pos + 1
		case leadByte:
			r, size := utf8.DecodeRuneInString(s[pos:])
			if t.options.WhiteSpace && isUnicodeSpace(r) {
				return dst, pos + size
			}
			if size == 1 || !t.drops(r) {
				dst = append(dst, s[pos:pos+size]...)
			}
			pos += size - 1
		case tagByte:
			if size := lineBreak(s[pos:]); size > 0 {
				return dst, pos + size
			}
			dst = append(dst, c)
		}
		pos++
	}
	return dst, pos + 1
}

// drops reports whether a character that is not ASCII goes without a trace.
func (t *HubTokenizer) drops(r rune) bool {
	return !t.options.KeepPunctuation && isUnicodePunctuation(r)
}

// isUnicodeSpace reports whether a character that is not ASCII is white space (the property White_Space, which has been
// the same since Unicode 6.3).
func isUnicodeSpace(r rune) bool {
	switch r {
	case 0x85, 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000:
		return true
	}
	return 0x2000 <= r && r <= 0x200a
}

// lineBreak returns the length of the tag of HTML for a line break that s begins with, or 0.
func lineBreak(s string) int {
	if len(s) < 4 || s[0] != '<' || s[1]|0x20 != 'b' || s[2]|0x20 != 'r' {
		return 0
	}
	i := 3
	if s[i] == ' ' {
		i++
	}
	if i < len(s) && s[i] == '/' {
		i++
	}
	if i < len(s) && s[i] == '>' {
		return i + 1
	}
	return 0
}

// id is the id of a token.
func (t *HubTokenizer) id(token []byte) int32 {
	if v := t.vocabulary; len(v.slots) > 0 {
		if id, ok := lookUp(v, token); ok {
			return id
		}
	}
	return t.bucket(token)
}

// bucket is the id of a token that is not in the vocabulary. Fingerprint64 is assembly that does not say that it lets go of
// its argument, so that the token must be on the heap already.
func (t *HubTokenizer) bucket(token []byte) int32 {
	if t.buckets == 1 {
		return int32(t.vocabulary.Len())
	}
	return int32(uint64(t.vocabulary.Len()) + farm.Fingerprint64(token)%uint64(t.buckets))
}

// buffer returns a buffer without bytes in it. Whoever asks for it gives it back: see release.
func (t *HubTokenizer) buffer() []byte {
	select {
	case b := <-t.buffers:
		return b[:0]
	default:
		return make([]byte, 0, batchBytes)
	}
}

// release gives a buffer back, unless it has grown so large that keeping it would be a waste, or there are enough.
func (t *HubTokenizer) release(buffer []byte) {
	if cap(buffer) > keptBuffer {
		return
	}
	select {
	case t.buffers <- buffer:
	default:
	}
}

// ReadHubVocabulary reads the words of a TF-Hub module, a word from each line, as TensorFlow reads them: one carriage
// return before the line feed is no part of the word, a byte order mark is, and an empty line is an error. Duplicates and
// long lines are errors too, and so is a context that is done: see [ReadVocabulary].
func ReadHubVocabulary(ctx context.Context, r io.Reader) (*Vocabulary, error) {
	return readVocabulary(ctx, r, func(_ int, line []byte) ([]byte, error) {
		if line = textline.TrimReturn(line); len(line) == 0 {
			return nil, errors.New("is empty")
		}
		return line, nil
	})
}
