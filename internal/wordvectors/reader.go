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

	"github.com/linnet-ml/linnet/internal/textline"
)

const (
	bufferBytes = 256 << 10
	headBytes   = 64 << 10 // what recognising a file looks at
	// firstLinesBytes is how far the dimension of a file with malformed lines is looked for: 16 lines of 6,000 values.
	firstLinesBytes = 1 << 20
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
	Dim  int  // the dimension; another one is an error. 0: the header's, or that of the first line (see SkipMalformed)

	// SkipMalformed passes over what has no word, another number of values, or values that are no finite numbers.
	// [Reader.Skipped] counts it. Next then reads the numbers of all words. The first line may be malformed as well: without
	// Dim and a header the dimension is the one that most of the first 16 lines have.
	SkipMalformed bool
}

// Reader goes through a table of word vectors, word by word.
type Reader struct {
	in    buffered
	kind  Kind
	dim   int
	known bool // the dimension, from the caller or a header, and not only guessed from the first line
	count int  // words that the header promises, -1 without a header
	read  int  // words so far, with those that were skipped
	line  int  // lines so far

	skip    bool
	bad     int       // words that were skipped
	skipped int       // they, and empty lines between others
	blank   int       // empty lines since the last one that was not
	scratch []float32 // for Next to read numbers into when it may skip

	values []byte // of the present word: text or binary
	place  int64  // of the present word: its line, or the byte at which it begins
	err    error  // what Next goes on to return
}

// NewReader recognises the layout and reads the header.
func NewReader(r io.Reader, o Options) (*Reader, error) {
	if o.Dim < 0 || o.Dim > MaxDim {
		return nil, fmt.Errorf("wordvectors: dimension %d is not between 1 and %d", o.Dim, MaxDim)
	}
	d := &Reader{in: buffered{r: r}, kind: o.Kind, dim: o.Dim, known: o.Dim != 0, count: -1, skip: o.SkipMalformed}
	head, err := d.in.peek(headBytes)
	if err != nil {
		return nil, fmt.Errorf("wordvectors: %w", err)
	}
	if rest := textline.TrimMark(head); len(rest) < len(head) {
		d.in.skip(len(head) - len(rest))
		head = rest
	}
	if err := foreign(head); err != nil {
		if line, _, _ := bytes.Cut(head, []byte{'\n'}); !looksLikeText(line) { // a word may look like anything
			return nil, err
		}
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
	agreed := o.Dim != 0 && d.count >= 0 // caller and header say the same
	if err == nil && d.known && !agreed && d.kind != Word2VecBinary {
		err = d.checkWidth()
	}
	if err != nil {
		return nil, err
	}
	if d.skip {
		d.scratch = make([]float32, d.dim)
	}
	return d, nil
}

// checkWidth finds that each of the next lines has more values than the dimension says: a word may end with numbers, as
// "route 66" does, but not all of them do.
func (d *Reader) checkWidth() error {
	widths, err := d.widths(headBytes)
	if err != nil {
		return err
	}
	if len(widths) < 2 || slices.Min(widths) <= d.dim {
		return nil
	}
	least := slices.Min(widths)
	return fmt.Errorf("wordvectors: line %d: the vectors have %d values, not %d", d.line+1, least, d.dim)
}

// widths returns how many numbers stand at the end of each of the next lines that are not empty: of those that end within
// so many bytes the first 16.
func (d *Reader) widths(within int) (widths []int, err error) {
	head, err := d.in.peek(within)
	if err != nil {
		return nil, fmt.Errorf("wordvectors: %w", err)
	}
	for len(widths) < 16 {
		line, rest, found := bytes.Cut(head, []byte{'\n'})
		if !found { // it may be only a part of a line
			break
		}
		head = rest
		if line = trimEnd(line); len(line) > 0 {
			widths = append(widths, trailingNumbers(line, MaxDim+1))
		}
	}
	return widths, nil
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
	d.known = true
	return d.setDim(n)
}

// firstLine finds the dimension of a GloVe file: the numbers at the end of its first line, of which it leaves the word
// at least one field.
func (d *Reader) firstLine() error {
	line, err := d.in.peekLine(MaxWord + (MaxDim+1)*8)
	if err != nil {
		return fmt.Errorf("wordvectors: line 1: %w", unexpected(err))
	}
	n := trailingNumbers(trimEnd(line), MaxDim+1)
	if d.skip && !d.known { // the line may be malformed
		widths, err := d.widths(firstLinesBytes)
		if err != nil {
			return err
		}
		if most := mostFrequent(widths); most > 0 {
			n = most
		}
	}
	switch {
	case d.known && (n > d.dim || d.skip): // the word ends with numbers, or the line is to be skipped: see checkWidth
		return nil
	case n == 0 || n > MaxDim:
		return fmt.Errorf("wordvectors: line 1 has a word and %d values behind it, not 1 to %d", n, MaxDim)
	}
	return d.setDim(n)
}

// mostFrequent returns the number above 0 that a list has most often, the first of several, and 0 if it has none.
func mostFrequent(list []int) (most int) {
	counts := map[int]int{}
	for _, n := range list {
		if n > 0 {
			counts[n]++
		}
	}
	for _, n := range list {
		if counts[n] > counts[most] {
			most = n
		}
	}
	return most
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

// Skipped is how many lines, or words of a binary file, [Options.SkipMalformed] has passed over so far.
func (d *Reader) Skipped() int { return d.skipped }

// malformed is an error that lies in one line, or in one word of a binary file: the next one may be good.
type malformed struct{ error }

func (m malformed) Unwrap() error { return m.error }

func malformedf(format string, args ...any) error { return malformed{fmt.Errorf(format, args...)} }

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
	for {
		word, err := d.next()
		if err == nil {
			d.read++
			return word, nil
		}
		d.values = nil
		if _, bad := err.(malformed); bad && d.skip {
			d.read++
			d.bad++
			d.skipped++
			continue
		}
		if d.err = err; err != io.EOF {
			d.err = fmt.Errorf("wordvectors: %w", err)
		}
		return nil, d.err
	}
}

func (d *Reader) next() ([]byte, error) {
	if d.kind == Word2VecBinary {
		return d.nextBinary()
	}
	return d.nextLine()
}

func (d *Reader) nextLine() ([]byte, error) {
	var line []byte
	for {
		d.line++
		d.place = int64(d.line)
		var err error
		line, err = d.in.line(MaxWord + (d.dim+1)*(maxNumber+1))
		switch {
		case err == io.EOF:
			return nil, d.end()
		case errors.Is(err, errLong):
			if d.skip {
				if err := d.in.skipLine(); err != nil {
					return nil, fmt.Errorf("line %d: %w", d.line, err)
				}
			}
			return nil, malformedf("line %d: %w", d.line, err)
		case err != nil:
			return nil, fmt.Errorf("line %d: %w", d.line, err)
		}
		if line = trimEnd(line); len(line) > 0 {
			break
		}
		if !d.skip {
			return nil, d.onlyBlank()
		}
		d.blank++
	}
	d.skipped += d.blank // they do not stand at the end
	d.blank = 0
	// The header of a file with malformed lines may have counted them or not.
	more := d.read-d.bad == d.count
	word, values, err := d.split(line)
	if err == nil {
		d.values = values
		err = d.checkEntry(word)
	}
	if more && (err == nil || !d.skip) {
		return nil, fmt.Errorf("line %d: line 1 promises %d words, but there are more", d.line, d.count)
	}
	return word, err
}

// end is what the end of a text file means.
func (d *Reader) end() error {
	if d.count > d.read {
		return fmt.Errorf("line 1 promises %d words, but the file ends behind %d", d.count, d.read)
	}
	return io.EOF
}

// split splits a line into the word and the values behind it. A run of spaces separates as one does; the word may have
// spaces, and only a word of nothing else keeps those at its end.
func (d *Reader) split(line []byte) (word, values []byte, err error) {
	if bytes.Count(line, []byte{' '}) == d.dim { // if two of them stand together parse misses a value
		at := bytes.IndexByte(line, ' ')
		return line[:at], line[at+1:], nil
	}
	end := len(line)
	for n := range d.dim {
		i := bytes.LastIndexByte(line[:end], ' ')
		if i < 0 {
			return nil, nil, malformedf("line %d has %d values behind the word %q, not %d", d.line, n, shorten(firstField(line)), d.dim)
		}
		values = line[i+1:]
		word = line[:i]
		for end = i; end > 0 && line[end-1] == ' '; {
			end--
		}
	}
	if end > 0 {
		word = line[:end]
	}
	if d.known { // then a word may end with numbers, as "route 66" does
		return word, values, nil
	}
	if n := trailingNumbers(word, MaxDim); n > 0 {
		name := word
		for range n {
			name = bytes.TrimRight(name[:bytes.LastIndexByte(name, ' ')], " ")
		}
		return nil, nil, malformedf("line %d has %d values behind the word %q, not %d; if the word ends with numbers VectorOptions.Dim must name the dimension",
			d.line, d.dim+n, shorten(name), d.dim)
	}
	return word, values, nil
}

// onlyBlank is io.EOF if nothing but empty lines follows, as at the end of files that were written by hand.
func (d *Reader) onlyBlank() error {
	first := d.line
	for {
		line, err := d.in.line(bufferBytes)
		switch {
		case err == io.EOF:
			return d.end()
		case err != nil && !errors.Is(err, errLong):
			return fmt.Errorf("line %d: %w", d.line+1, err)
		case err != nil || len(trimEnd(line)) > 0:
			return fmt.Errorf("line %d is empty", first)
		}
		d.line++
	}
}

// spaceHint says what else the error of a binary file may come from: a space ends a word, and nothing says that it does not.
const spaceHint = " (or a word before has a space, which this layout cannot hold: all behind it is then read at the wrong place)"

func (d *Reader) nextBinary() ([]byte, error) {
	if d.read == d.count {
		rest, err := d.in.peek(2)
		switch {
		case err != nil:
			return nil, err
		case len(rest) == 0, len(rest) == 1 && rest[0] == '\n':
			return nil, io.EOF
		}
		return nil, fmt.Errorf("byte %d: line 1 promises %d words, but there is more behind them%s", d.in.offset, d.count, spaceHint)
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
			return nil, fmt.Errorf("byte %d: line 1 promises %d words, but the file ends behind %d%s", d.place, d.count, d.read, spaceHint)
		}
		return nil, fmt.Errorf("word %d at byte %d: %w%s", d.read+1, d.place, unexpected(err), spaceHint)
	}
	size := n + 1 + 4*d.dim
	entry, err := d.in.peek(size)
	if err != nil {
		return nil, err
	}
	if len(entry) < size {
		return nil, fmt.Errorf("word %d at byte %d: the file ends within its vector%s", d.read+1, d.place, spaceHint)
	}
	d.in.skip(size)
	word := entry[:n]
	if bytes.IndexByte(word, 0) >= 0 { // of a vector: no program writes such a word
		return nil, fmt.Errorf("word %d at byte %d has a zero byte%s", d.read+1, d.place, spaceHint)
	}
	d.values = entry[n+1 : size]
	return word, d.checkEntry(word)
}

// checkEntry demands a word that can be told from no word and, where malformed ones are skipped, values that are numbers.
func (d *Reader) checkEntry(word []byte) error {
	switch {
	case len(word) > MaxWord:
		return malformedf("%s: a word of %d bytes is longer than %d", placeOf(d.kind, d.read+1, d.place), len(word), MaxWord)
	case len(word) == 0:
		return malformedf("%s has a vector but no word", placeOf(d.kind, d.read+1, d.place))
	}
	if d.skip {
		if i, err := parse(d.kind, d.values, d.scratch); err != nil {
			return malformedf("%s: value %d%w", placeOf(d.kind, d.read+1, d.place), i+1, err)
		}
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
		for len(values) > 0 && values[0] == ' ' { // a run of them separates as one does
			values = values[1:]
		}
		if len(values) == 0 {
			return i, errMissing
		}
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

var errMissing = errors.New(" is missing")

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

// skipLine takes all up to the next LF, or to the end of the file.
func (b *buffered) skipLine() error {
	for {
		if i := bytes.IndexByte(b.buf[b.lo:b.hi], '\n'); i >= 0 {
			b.skip(i + 1)
			return nil
		}
		b.skip(b.len())
		if err := b.more(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// line takes the next line.
func (b *buffered) line(limit int) ([]byte, error) {
	line, err := b.peekLine(limit)
	if err == nil {
		b.skip(min(len(line)+1, b.len()))
	}
	return line, err
}
