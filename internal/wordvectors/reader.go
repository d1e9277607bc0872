package wordvectors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
)

const (
	bufferBytes = 256 << 10
	headBytes   = 64 << 10 // what recognising a file looks at
	// MaxDim is the largest dimension that a file may have.
	MaxDim = 1 << 20
	// MaxWord is the longest word, in bytes, that a file may have.
	MaxWord = 1<<16 - 1
	// maxNumber is the longest number. A float32 needs 9 digits; this leaves room for those that print more.
	maxNumber = 64
)

// Options say what the caller knows about a file.
type Options struct {
	Kind Kind // Auto: recognised by content
	Dim  int  // the dimension; another one is an error. 0: the header's, or that of the first line
}

// Reader goes through a table of word vectors, word by word.
type Reader struct {
	in    buffered
	kind  Kind
	dim   int
	count int // words that the header promises, -1 without a header
	read  int // words so far
	line  int // lines so far

	values []byte // of the present word: text or binary
	place  int64  // of the present word: its line, or the byte at which it begins
	err    error  // what Next goes on to return
}

// NewReader recognises the layout and reads the header.
func NewReader(r io.Reader, o Options) (*Reader, error) {
	if o.Dim < 0 || o.Dim > MaxDim {
		return nil, fmt.Errorf("wordvectors: dimension %d is not between 1 and %d", o.Dim, MaxDim)
	}
	d := &Reader{in: buffered{r: r}, kind: o.Kind, dim: o.Dim, count: -1}
	head, err := d.in.peek(headBytes)
	if err != nil {
		return nil, fmt.Errorf("wordvectors: %w", err)
	}
	switch o.Kind {
	case Auto:
		if d.kind, err = recognise(head); err != nil {
			return nil, err
		}
	case GloVe, Word2VecText, Word2VecBinary:
	default:
		return nil, fmt.Errorf("wordvectors: no such kind of file: %v", o.Kind)
	}
	if d.kind == GloVe {
		err = d.firstLine()
	} else {
		err = d.header()
	}
	if err != nil {
		return nil, err
	}
	return d, nil
}

// header reads "words dimension".
func (d *Reader) header() error {
	line, err := d.in.line(2 * maxNumber)
	if err != nil {
		return fmt.Errorf("wordvectors: line 1, the header of %v: %w", d.kind, unexpected(err))
	}
	d.line = 1
	count, dim, ok := headerFields(trimEnd(line))
	if !ok {
		return fmt.Errorf("wordvectors: line 1 is not the header of %v, \"words dimension\": %q", d.kind, shorten(line))
	}
	if d.count, err = strconv.Atoi(string(count)); err != nil || d.count > math.MaxInt32 {
		return fmt.Errorf("wordvectors: line 1 promises %s words, more than %d", shorten(count), math.MaxInt32)
	}
	n, err := strconv.Atoi(string(dim))
	if err != nil || n == 0 || n > MaxDim {
		return fmt.Errorf("wordvectors: line 1 names the dimension %s, not one between 1 and %d", shorten(dim), MaxDim)
	}
	return d.setDim(n)
}

// firstLine finds the dimension of a GloVe file: the numbers at the end of its first line, of which it leaves the word
// at least one field.
func (d *Reader) firstLine() error {
	line, err := d.in.peekLine(MaxWord + (MaxDim+1)*8)
	if err != nil {
		return fmt.Errorf("wordvectors: line 1: %w", unexpected(err))
	}
	line = trimEnd(line)
	n := 0
	for {
		i := bytes.LastIndexByte(line, ' ')
		if i < 0 || !numeric(line[i+1:]) {
			break
		}
		line = line[:i]
		n++
	}
	if n == 0 || n > MaxDim {
		return fmt.Errorf("wordvectors: line 1 has a word and %d values behind it, not 1 to %d", n, MaxDim)
	}
	return d.setDim(n)
}

func (d *Reader) setDim(n int) error {
	if d.dim != 0 && d.dim != n {
		return fmt.Errorf("wordvectors: line 1: the vectors have %d values, not %d", n, d.dim)
	}
	d.dim = n
	return nil
}

// Kind is the file's layout.
func (d *Reader) Kind() Kind { return d.kind }

// Dim is the number of values of each vector.
func (d *Reader) Dim() int { return d.dim }

// Count is the number of words that the header promises, -1 if there is no header. It is not to be trusted for a size.
func (d *Reader) Count() int { return d.count }

// Place says where the present word stands, for errors: "line 7", or "word 7 at byte 1234" in a binary file.
func (d *Reader) Place() string { return placeOf(d.kind, d.read, d.place) }

func placeOf(kind Kind, word int, place int64) string {
	if kind == Word2VecBinary {
		return fmt.Sprintf("word %d at byte %d", word, place)
	}
	return fmt.Sprintf("line %d", place)
}

// Next goes to the next word and returns it; the slice holds until the next call. At the end of the file it returns
// io.EOF. The word's values are there but not looked at before [Reader.Vector].
func (d *Reader) Next() ([]byte, error) {
	if d.err != nil {
		return nil, d.err
	}
	var word []byte
	if d.kind == Word2VecBinary {
		word, d.err = d.nextBinary()
	} else {
		word, d.err = d.nextLine()
	}
	if d.err != nil {
		d.values = nil
		if d.err != io.EOF {
			d.err = fmt.Errorf("wordvectors: %w", d.err)
		}
		return nil, d.err
	}
	d.read++
	return word, nil
}

func (d *Reader) nextLine() ([]byte, error) {
	d.line++
	d.place = int64(d.line)
	line, err := d.in.line(MaxWord + (d.dim+1)*(maxNumber+1))
	switch {
	case err == io.EOF:
		if d.count > d.read {
			return nil, fmt.Errorf("line 1 promises %d words, but the file ends behind %d", d.count, d.read)
		}
		return nil, io.EOF
	case err != nil:
		return nil, fmt.Errorf("line %d: %w", d.line, err)
	}
	line = trimEnd(line)
	if len(line) == 0 {
		return nil, d.onlyBlank()
	}
	if d.read == d.count {
		return nil, fmt.Errorf("line %d: line 1 promises %d words, but there are more", d.line, d.count)
	}
	spaces := bytes.Count(line, []byte{' '})
	if spaces < d.dim {
		return nil, fmt.Errorf("line %d has %d values behind the word %q, not %d", d.line, spaces, shorten(firstField(line)), d.dim)
	}
	at := bytes.IndexByte(line, ' ')
	for extra := spaces - d.dim; extra > 0; extra-- {
		at += 1 + bytes.IndexByte(line[at+1:], ' ')
	}
	word := line[:at]
	if i := bytes.LastIndexByte(word, ' '); i >= 0 && numeric(word[i+1:]) {
		n := 0
		for ; i >= 0 && numeric(word[i+1:]); i = bytes.LastIndexByte(word, ' ') {
			word = word[:i]
			n++
		}
		return nil, fmt.Errorf("line %d has %d values behind the word %q, not %d", d.line, d.dim+n, shorten(word), d.dim)
	}
	if name := trimEnd(word); len(name) > 0 && word[at-1] == ' ' {
		return nil, fmt.Errorf("line %d: more than one space behind the word %q", d.line, shorten(name))
	}
	d.values = line[at+1:]
	return word, d.checkWord(word)
}

// onlyBlank is io.EOF if nothing but empty lines follows, as at the end of files that were written by hand.
func (d *Reader) onlyBlank() error {
	first := d.line
	for {
		line, err := d.in.line(bufferBytes)
		switch {
		case err == io.EOF && d.count > d.read:
			return fmt.Errorf("line 1 promises %d words, but the file ends behind %d", d.count, d.read)
		case err == io.EOF:
			return io.EOF
		case err != nil && !errors.Is(err, errLong):
			return fmt.Errorf("line %d: %w", d.line+1, err)
		case err != nil || len(trimEnd(line)) > 0:
			return fmt.Errorf("line %d is empty", first)
		}
		d.line++
	}
}

func (d *Reader) nextBinary() ([]byte, error) {
	if d.read == d.count {
		rest, err := d.in.peek(2)
		switch {
		case err != nil:
			return nil, err
		case len(rest) == 0, len(rest) == 1 && rest[0] == '\n':
			return nil, io.EOF
		}
		return nil, fmt.Errorf("byte %d: line 1 promises %d words, but there is more behind them", d.in.offset, d.count)
	}
	// The C program ends each vector with a line feed; gensim does not, and takes all off that stand before a word. So no
	// word begins with one.
	for range MaxWord {
		next, err := d.in.peek(1)
		if err != nil || len(next) == 0 || next[0] != '\n' {
			break
		}
		d.in.skip(1)
	}
	d.place = d.in.offset
	n, err := d.in.find(' ', MaxWord+1)
	if err != nil {
		if err == io.EOF && d.in.len() == 0 {
			return nil, fmt.Errorf("byte %d: line 1 promises %d words, but the file ends behind %d", d.place, d.count, d.read)
		}
		return nil, fmt.Errorf("word %d at byte %d: %w", d.read+1, d.place, unexpected(err))
	}
	size := n + 1 + 4*d.dim
	entry, err := d.in.peek(size)
	if err != nil {
		return nil, err
	}
	if len(entry) < size {
		return nil, fmt.Errorf("word %d at byte %d: the file ends within its vector", d.read+1, d.place)
	}
	d.in.skip(size)
	word := entry[:n]
	d.values = entry[n+1 : size]
	return word, d.checkWord(word)
}

// checkWord demands a word that can be told from no word.
func (d *Reader) checkWord(word []byte) error {
	switch {
	case len(word) > MaxWord:
		return fmt.Errorf("%s: a word of %d bytes is longer than %d", placeOf(d.kind, d.read+1, d.place), len(word), MaxWord)
	case len(word) == 0:
		return fmt.Errorf("%s has a vector but no word", placeOf(d.kind, d.read+1, d.place))
	}
	return nil
}

// Vector writes the values of the present word's vector to dst, which must have Dim values. It names the line and the
// value that is no finite number. It may be called once for a word, more often, or not at all.
func (d *Reader) Vector(dst []float32) error {
	if len(dst) != d.dim {
		return fmt.Errorf("wordvectors: a vector of %d values does not fit %d", d.dim, len(dst))
	}
	if d.values == nil {
		return fmt.Errorf("wordvectors: no word has been read")
	}
	if i, err := parse(d.kind, d.values, dst); err != nil {
		return fmt.Errorf("wordvectors: %s: value %d%w", d.Place(), i+1, err)
	}
	return nil
}

// parse reads the values of a vector. An error has no place yet but the number of the value, from 0.
func parse(kind Kind, values []byte, dst []float32) (int, error) {
	if kind == Word2VecBinary {
		for i := range dst {
			bits := binary.LittleEndian.Uint32(values[4*i:])
			dst[i] = math.Float32frombits(bits)
			if bits&0x7f800000 == 0x7f800000 {
				return i, fmt.Errorf(" is %v", dst[i])
			}
		}
		return 0, nil
	}
	for i := range dst {
		v, n, ok := parseFast(values)
		if !ok {
			if n = bytes.IndexByte(values, ' '); n < 0 {
				n = len(values)
			}
			var err error
			if v, err = parseSlow(values[:n]); err != nil {
				return i, fmt.Errorf(": %w", err)
			}
		}
		dst[i] = v
		values = values[min(n+1, len(values)):]
	}
	return 0, nil
}

func firstField(line []byte) []byte {
	field, _, _ := bytes.Cut(line, []byte{' '})
	return field
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

var errLong = errors.New("too long")

// buffered gives slices of a file without copying them. A slice holds until the next call.
type buffered struct {
	r      io.Reader
	buf    []byte
	lo, hi int   // buf[lo:hi] is read and not taken
	offset int64 // of buf[lo] in the file
	end    error // what the reader returned at last, io.EOF among it
}

func (b *buffered) len() int { return b.hi - b.lo }

func (b *buffered) skip(n int) {
	b.lo += n
	b.offset += int64(n)
}

// more reads at least one byte more behind buf[lo:hi], or returns why there is none.
func (b *buffered) more() error {
	if b.end != nil {
		return b.end
	}
	if b.hi == len(b.buf) {
		if b.lo > len(b.buf)/2 {
			copy(b.buf, b.buf[b.lo:b.hi])
			b.hi -= b.lo
			b.lo = 0
		} else { // as much again as has been read: never more than twice what is there
			b.buf = slices.Concat(b.buf[b.lo:b.hi], make([]byte, max(bufferBytes, len(b.buf))))
			b.hi -= b.lo
			b.lo = 0
		}
	}
	for range 100 {
		n, err := b.r.Read(b.buf[b.hi:])
		b.hi += n
		b.end = err
		if n > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	b.end = io.ErrNoProgress
	return b.end
}

// peek returns the next n bytes, fewer only at the end of the file.
func (b *buffered) peek(n int) ([]byte, error) {
	for b.len() < n {
		if err := b.more(); err == io.EOF {
			break
		} else if err != nil {
			return nil, err
		}
	}
	return b.buf[b.lo:min(b.lo+n, b.hi)], nil
}

// find returns how many bytes come before the next c, of which there may be at most limit. io.EOF: there is no c.
func (b *buffered) find(c byte, limit int) (int, error) {
	for from := 0; ; {
		if i := bytes.IndexByte(b.buf[b.lo+from:b.hi], c); i >= 0 && from+i <= limit {
			return from + i, nil
		}
		if from = b.len(); from > limit {
			return 0, fmt.Errorf("more than %d bytes up to %q: %w", limit, c, errLong)
		}
		if err := b.more(); err != nil {
			return 0, err
		}
	}
}

// peekLine returns the next line without its LF, which the last line may lack. io.EOF: there is none.
func (b *buffered) peekLine(limit int) ([]byte, error) {
	n, err := b.find('\n', limit)
	if err == io.EOF && b.len() > 0 {
		n, err = b.len(), nil
	}
	if err != nil {
		return nil, err
	}
	return b.buf[b.lo : b.lo+n], nil
}

// line takes the next line.
func (b *buffered) line(limit int) ([]byte, error) {
	line, err := b.peekLine(limit)
	if err == nil {
		b.skip(min(len(line)+1, b.len()))
	}
	return line, err
}
