package text

import (
	"context"
	"encoding/binary"
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
// It does not change once made: any number of goroutines may use it.
type HubTokenizer struct {
	vocabulary *Vocabulary
	options    HubTokenizerOptions
	buckets    int

	kinds   [256]byteKind
	written [256]byte // what a byte that is kept becomes
	// lower has the bit by which a small letter differs from a capital in each byte, or is 0.
	lower uint64

	// buffers are for tokens that fit no batch, and for those to be hashed.
	buffers chan []byte
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
	t := &HubTokenizer{vocabulary: v, options: o, buckets: max(o.OOVBuckets, 1), buffers: make(chan []byte, 16)}
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
// a thousand bytes. It looks at ctx about every 64 KiB of s, and its error is the context's.
func (t *HubTokenizer) AppendIDs(ctx context.Context, dst []int32, s string) ([]int32, error) {
	if err := t.ready(ctx); err != nil {
		return dst, err
	}
	var b hubBatch
	w := watch{ctx: ctx}
	for pos, look := 0, watchBytes; pos <= len(s); {
		if pos >= look {
			if w.stop() {
				return dst, w.err
			}
			look = pos + watchBytes
		}
		if pos = t.scan(&b, s, pos); b.n > 0 {
			dst = t.appendBatch(dst, &b)
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

// A hubBatch is some tokens of a text. They are looked up together: a step for all of them, then the next step, so that
// the processor waits for the vocabulary's memory for many at once.
type hubBatch struct {
	n      int
	ends   [batchTokens + 1]int32 // token k is text[ends[k]:ends[k+1]]
	text   [batchBytes + short]byte
	tokens [batchTokens]struct {
		a, b uint64 // as hashShort has them; of longer tokens nothing
		tag  uint32 // the part of the hash that is in the slots
		at   uint32 // where the search begins
		slot uint32 // what stands there
	}
}

const (
	batchTokens = 64
	batchBytes  = 1024
	// keptBuffer bounds the buffers that are kept for the next token.
	keptBuffer = 1 << 16

	ones = 0x0101010101010101
	high = ones * 0x80
)

// scan fills the batch with the tokens of s from pos on, where a token begins, and returns where the next one begins:
// beyond len(s) after the last. The batch stays empty when the first token does not fit it, or is longer than watchBytes,
// and when there are as many bytes of white space.
func (t *HubTokenizer) scan(b *hubBatch, s string, pos int) int {
	b.n = 0
	n := 0 // bytes of text
	whiteSpace := t.options.WhiteSpace
	for first := pos; b.n < batchTokens; {
		token := pos
		if whiteSpace && pos-first > watchBytes {
			return pos // the caller looks at the context
		}
	scanToken:
		for {
			if n > batchBytes-8 {
				return token
			}
			if pos+8 <= len(s) {
				// Letters are taken up to eight at a time. Of a byte that is no letter the high bit is set in other;
				// setting bit 0x20 makes a letter small, and of no other byte a letter.
				x := load(s, pos)
				y := (x | ones*0x20) &^ high
				letter := (y + ones*(0x80-'a')) &^ (y + ones*(0x7f-'z')) &^ x
				other := ^letter & high
				x |= t.lower
				store(b.text[n:], x)
				k := bits.TrailingZeros64(other) >> 3
				n += k
				pos += k
				if k == 8 {
					continue
				}
			} else if pos >= len(s) {
				pos++
				break
			}
			c := s[pos]
			pos++
			kind := t.kinds[c]
			if kind == spaceByte {
				break
			}
			switch kind {
			case keptByte:
				b.text[n] = t.written[c]
				n++
			case droppedByte:
				if pos-token > watchBytes {
					return token // appendToken looks at the context
				}
			case leadByte:
				r, size := utf8.DecodeRuneInString(s[pos-1:])
				if whiteSpace && isUnicodeSpace(r) {
					pos += size - 1
					break scanToken
				}
				if size > 1 && t.drops(r) {
					if pos-token > watchBytes {
						return token
					}
					pos += size - 1
					break
				}
				n += copy(b.text[n:], s[pos-1:pos-1+size])
				pos += size - 1
			case tagByte:
				if size := lineBreak(s[pos-1:]); size > 0 {
					pos += size - 1
					break scanToken
				}
				b.text[n] = c
				n++
			}
		}
		if !whiteSpace || int32(n) > b.ends[b.n] {
			b.n++
			b.ends[b.n] = int32(n)
		}
		if pos > len(s) {
			break
		}
	}
	return pos
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

// appendBatch appends the ids of the tokens of a batch.
func (t *HubTokenizer) appendBatch(dst []int32, b *hubBatch) []int32 {
	v := t.vocabulary
	if len(v.slots) == 0 {
		for k := range b.n {
			dst = append(dst, t.bucket(b.text[b.ends[k]:b.ends[k+1]]))
		}
		return dst
	}
	tokens := b.tokens[:b.n]
	from := 0
	for k := range tokens {
		w := &tokens[k]
		to := int(b.ends[k+1])
		n := to - from
		var h uint64
		if n <= short {
			w.a = lowBytes(binary.LittleEndian.Uint64(b.text[from:]), n)
			w.b = lowBytes(binary.LittleEndian.Uint64(b.text[from+8:]), max(n-8, 0))
			h = v.hashShort(w.a, w.b, n)
		} else {
			h = hashLong(v, b.text[from:to])
		}
		w.tag = uint32(h>>32) &^ v.idMask
		w.at = uint32(h) & uint32(len(v.slots)-1)
		from = to
	}
	for k := range tokens {
		tokens[k].slot = v.slots[tokens[k].at]
	}
	from = 0
	for k := range tokens {
		w := &tokens[k]
		to := int(b.ends[k+1])
		id := int32(-1)
		for slot := w.slot; slot != 0; slot = v.slots[w.at] {
			if slot&^v.idMask == w.tag {
				other := int32(slot&v.idMask) - 1
				lo, hi := int(v.offsets[other]), int(v.offsets[other+1])
				if n := to - from; hi-lo == n {
					same := false
					if n <= short {
						same = lowBytes(load(v.words, lo), n) == w.a && (n <= 8 || lowBytes(load(v.words, lo+8), n-8) == w.b)
					} else {
						same = v.words[lo:hi] == string(b.text[from:to])
					}
					if same {
						id = other
						break
					}
				}
			}
			w.at = (w.at + 1) & uint32(len(v.slots)-1)
		}
		if id < 0 {
			id = t.bucket(b.text[from:to])
		}
		dst = append(dst, id)
		from = to
	}
	return dst
}

// id is the id of a token.
func (t *HubTokenizer) id(token []byte) int32 {
	if v := t.vocabulary; len(v.slots) > 0 {
		if id, ok := lookUp(v, token); ok {
			return id
		}
	}
	if t.buckets == 1 {
		return int32(t.vocabulary.Len())
	}
	return t.bucketOf(farm.Fingerprint64(token)) // of a buffer, which is on the heap already
}

// bucketOf is the id for the fingerprint of a token that is not in the vocabulary.
func (t *HubTokenizer) bucketOf(h uint64) int32 {
	return int32(uint64(t.vocabulary.Len()) + h%uint64(t.buckets))
}

// bucket is the id of a token of a batch that is not in the vocabulary.
func (t *HubTokenizer) bucket(token []byte) int32 {
	if t.buckets == 1 {
		return int32(t.vocabulary.Len())
	}
	// Fingerprint64 is assembly that does not say that it lets go of its argument: that of a batch would make the batch
	// move to the heap.
	buffer := append(t.buffer(), token...)
	h := farm.Fingerprint64(buffer)
	t.release(buffer)
	return t.bucketOf(h)
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
