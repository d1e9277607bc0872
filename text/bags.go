package text

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync/atomic"

	"github.com/linnet-ml/linnet/internal/budget"
	"github.com/linnet-ml/linnet/tensor"
)

// Bags holds rows of token ids of which the order does not matter: for each row its distinct ids, ascending, and
// how often each occurs. An average of word vectors needs no more, and a padded review of 256 ids has about 109
// distinct ones. A model whose first layers are an embedding and its average reads Bags in place of the ids.
//
// Each id stands with its count in one number: 4 bytes for vocabularies up to 65,536, 8 bytes for others.
type Bags struct {
	offsets    []int
	narrow     []uint32 // the id in the low 16 bits, the count in the high ones; or none
	wide       []uint64 // the id in the low 32 bits, the count in the high ones; or none
	isWide     bool
	lengths    []int32
	vocabulary int
	shape      [2]int
	made       uint64 // a number that no other rows have
	distinct   distinct
	ids        []int32 // of all texts, for MakeTexts
	ends       []int   // of each text in ids
}

var _ tensor.Rows = (*Bags)(nil)

// pair is an id with its count: see Bags.
type pair interface{ uint32 | uint64 }

// half is how many bits of a pair the id has, and again the count.
func half[P pair]() uint {
	if _, narrow := any(P(0)).(uint32); narrow {
		return 16
	}
	return 32
}

const (
	// narrowLimit bounds the vocabularies and counts that make pairs of 4 bytes.
	narrowLimit = 1 << 16
	// countLimit bounds counts: float32 holds whole numbers below it exactly.
	countLimit = 1 << 24
)

// NewBags makes bags: row i has ids[k] counts[k] times for k from offsets[i] to offsets[i+1]-1, and its average divides
// by lengths[i]. Ids ascend within a row and are below vocabulary; counts are from 1 to 16,777,215. Anything else is an
// error that names the row. It keeps offsets and lengths.
func NewBags(vocabulary int, offsets []int, ids []int32, counts []int32, lengths []int32) (*Bags, error) {
	if len(offsets) != len(lengths)+1 || offsets[0] != 0 || offsets[len(lengths)] != len(ids) || len(counts) != len(ids) {
		return nil, fmt.Errorf("text: bags of %d rows with %d offsets, %d ids and %d counts do not fit together",
			len(lengths), len(offsets), len(ids), len(counts))
	}
	if err := checkVocabulary(vocabulary); err != nil {
		return nil, err
	}
	most := int32(0)
	for i := range lengths {
		lo, hi := offsets[i], offsets[i+1]
		if lo > hi || hi > len(ids) {
			return nil, fmt.Errorf("text: row %d of the bags ends at %d, before it starts at %d", i, hi, lo)
		}
		if lengths[i] < 0 {
			return nil, fmt.Errorf("text: row %d of the bags has length %d", i, lengths[i])
		}
		last := int32(-1)
		for k := lo; k < hi; k++ {
			if id := ids[k]; id <= last || int(id) >= vocabulary {
				return nil, fmt.Errorf("text: row %d of the bags has id %d after id %d; ids must ascend and be below %d", i, id, last, vocabulary)
			}
			if c := counts[k]; c < 1 || c >= countLimit {
				return nil, fmt.Errorf("text: row %d of the bags has id %d %d times", i, ids[k], c)
			}
			last = ids[k]
			most = max(most, counts[k])
		}
	}
	b := &Bags{offsets: offsets, lengths: lengths, vocabulary: vocabulary, isWide: vocabulary > narrowLimit || most >= narrowLimit}
	if b.isWide {
		b.wide = pack[uint64](ids, counts)
	} else {
		b.narrow = pack[uint32](ids, counts)
	}
	b.measure()
	return b, nil
}

func pack[P pair](ids, counts []int32) []P {
	pairs := make([]P, len(ids))
	for i, id := range ids {
		pairs[i] = P(id) | P(counts[i])<<half[P]()
	}
	return pairs
}

// BagOptions says what goes into a bag.
type BagOptions struct {
	// Vocabulary is the number of ids: they run from 0 to Vocabulary-1.
	Vocabulary int
	// SkipZero leaves out id 0, the padding, and does not count it in a row's length (Keras's mask_zero).
	SkipZero bool
}

// checkVocabulary returns an error for a number of ids that is negative, or more than an int32 can tell apart.
func checkVocabulary(n int) error {
	if n < 0 {
		return fmt.Errorf("text: a vocabulary of %d ids", n)
	}
	if int64(n) > 1<<31 {
		return fmt.Errorf("text: a vocabulary of %d ids: %w: an int32 can tell %d apart", n, tensor.ErrTooLarge, int64(1<<31))
	}
	return nil
}

var errNilBags = errors.New("text: the Bags are nil")

var errNilIDs = errors.New("text: the array of ids is nil")

// checkBags returns an error for what no bags are made from.
func checkBags(x *tensor.Int32, o BagOptions) error {
	if x == nil {
		return errNilIDs
	}
	return checkVocabulary(o.Vocabulary)
}

// MakeBags counts the ids of each row of x, (rows, steps). An id outside the vocabulary is an error that names its
// row, column and value.
func MakeBags(x *tensor.Int32, o BagOptions) (*Bags, error) {
	b := &Bags{}
	if err := b.Make(context.Background(), x, o); err != nil {
		return nil, err
	}
	b.distinct = distinct{} // its memory is for further calls of Make
	return b, nil
}

// Make is [MakeBags] into b, whose memory it uses again: after a few calls it allocates nothing. After an error b has no
// rows. When ctx is done before it has finished, its error is the context's.
func (b *Bags) Make(ctx context.Context, x *tensor.Int32, o BagOptions) error {
	if b == nil {
		return errNilBags
	}
	if ctx == nil {
		return errNilContext
	}
	if err := checkBags(x, o); err != nil {
		b.start(BagOptions{}, 0, 0, 0)
		return err
	}
	if len(x.Shape()) != 2 {
		b.start(o, 0, 0, 0)
		return fmt.Errorf("text: %w: bags are made from ids (rows, steps), not from %v", tensor.ErrShape, x.Shape())
	}
	rows, steps := x.Len(), x.Shape()[1]
	if steps >= countLimit {
		b.start(o, 0, 0, 0)
		return fmt.Errorf("text: %w: rows of %d ids are longer than %d", tensor.ErrShape, steps, countLimit-1)
	}
	if err := budget.Check("text: bags", 12, rows); err != nil { // rows without ids may be any number
		b.start(o, 0, 0, 0)
		return err
	}
	b.start(o, rows, rows*steps, steps)
	const between = 1 << 18 // ids from one look at the context to the next
	pause := max(1, between/max(1, steps))
	for i := range rows {
		if i%pause == 0 && ctx.Err() != nil {
			b.empty()
			return ctx.Err()
		}
		if err := b.add(x.Row(i), i, o); err != nil {
			return err
		}
	}
	b.measure()
	return nil
}

// MakeRows is Make of some rows of x, by their numbers: row i of the bags is row rows[i] of x. Both memory and errors are
// as with Make.
func (b *Bags) MakeRows(x *tensor.Int32, rows []int32, o BagOptions) error {
	if b == nil {
		return errNilBags
	}
	if err := checkBags(x, o); err != nil {
		b.start(BagOptions{}, 0, 0, 0)
		return err
	}
	if len(x.Shape()) != 2 || x.Shape()[1] >= countLimit {
		return b.Make(context.Background(), x, o) // which is an error
	}
	steps := x.Shape()[1]
	b.start(o, len(rows), len(rows)*steps, steps)
	for _, i := range rows {
		if uint(i) >= uint(x.Len()) {
			b.empty()
			return fmt.Errorf("text: there is no row %d of %d", i, x.Len())
		}
		if err := b.add(x.Row(int(i)), int(i), o); err != nil {
			return err
		}
	}
	b.measure()
	return nil
}

// CountSequences makes a bag out of each sequence, which may differ in length: no padding is needed. An id outside the
// vocabulary is an error that names the sequence, its place in it and its value.
func CountSequences(sequences [][]int32, o BagOptions) (*Bags, error) {
	if err := checkVocabulary(o.Vocabulary); err != nil {
		return nil, err
	}
	total, longest := 0, 0
	for i, s := range sequences {
		if len(s) >= countLimit {
			return nil, fmt.Errorf("text: %w: sequence %d of %d ids is longer than %d", tensor.ErrShape, i, len(s), countLimit-1)
		}
		total += len(s)
		longest = max(longest, len(s))
	}
	b := &Bags{}
	b.start(o, len(sequences), total, longest)
	for i, s := range sequences {
		if err := b.add(s, i, o); err != nil {
			return nil, err
		}
	}
	b.distinct = distinct{}
	b.measure()
	return b, nil
}

// start leaves no rows, but memory for so many, of so many ids altogether, longest of them in one.
func (b *Bags) start(o BagOptions, rows, total, longest int) {
	b.vocabulary = o.Vocabulary
	b.isWide = o.Vocabulary > narrowLimit || longest >= narrowLimit
	b.empty()
	b.offsets, b.lengths = slices.Grow(b.offsets, rows), slices.Grow(b.lengths, rows)
	b.distinct.expect(o.Vocabulary, total, b.isWide)
}

// add appends the bag of row i.
func (b *Bags) add(row []int32, i int, o BagOptions) error {
	length := int32(len(row))
	ok := false
	zeros := int32(0)
	n := 0
	if b.isWide {
		start := len(b.wide)
		b.wide, ok = distinctPairs(&b.distinct, row, b.wide)
		b.wide, zeros = leaveOutZero(b.wide, start, o)
		n = len(b.wide)
	} else {
		start := len(b.narrow)
		if b.narrow, ok = vectorPairs(row, o.Vocabulary, b.narrow); !ok {
			b.narrow, ok = distinctPairs(&b.distinct, row, b.narrow)
		}
		b.narrow, zeros = leaveOutZero(b.narrow, start, o)
		n = len(b.narrow)
	}
	if !ok {
		b.empty()
		return badID(row, i, o.Vocabulary)
	}
	b.offsets = append(b.offsets, n)
	b.lengths = append(b.lengths, length-zeros)
	return nil
}

// leaveOutZero takes id 0 out of the pairs from start on, where the options say so, and returns how often it was there.
func leaveOutZero[P pair](pairs []P, start int, o BagOptions) (rest []P, zeros int32) {
	if !o.SkipZero {
		return pairs, 0
	}
	if id, count := unpack(pairs, start); id == 0 && count > 0 {
		return slices.Delete(pairs, start, start+1), count
	}
	return pairs, 0
}

// unpack returns id and count of pair k; beyond the last, zeros.
func unpack[P pair](pairs []P, k int) (id, count int32) {
	if k >= len(pairs) {
		return 0, 0
	}
	p := pairs[k]
	return int32(idOf(p)), int32(p >> half[P]())
}

// empty leaves no rows, but the memory.
func (b *Bags) empty() {
	b.offsets = append(b.offsets[:0], 0)
	b.narrow, b.wide, b.lengths = b.narrow[:0], b.wide[:0], b.lengths[:0]
	b.measure()
}

// badID names the first id of a row that is outside the vocabulary.
func badID(row []int32, i, vocabulary int) error {
	for j, id := range row {
		if id < 0 || int(id) >= vocabulary {
			return &IDError{Row: i, Column: j, ID: id, Vocabulary: vocabulary}
		}
	}
	return nil
}

// IDError reports a token id outside the vocabulary.
type IDError struct {
	Row, Column int
	ID          int32
	Vocabulary  int
}

// Error names the place, the id and the vocabulary.
func (e *IDError) Error() string {
	return fmt.Sprintf("row %d, column %d: id %d is outside the vocabulary 0 to %d", e.Row, e.Column, e.ID, e.Vocabulary-1)
}

// Place returns Row and Column.
func (e *IDError) Place() (row, column int) { return e.Row, e.Column }

// CheckIDs returns an [IDError] for the first id of x, (rows, steps), that is not in 0 to vocabulary-1.
func CheckIDs(x *tensor.Int32, vocabulary int) error {
	if x == nil {
		return errNilIDs
	}
	if len(x.Shape()) == 0 || len(x.Data()) == 0 { // rows without ids may be any number
		return nil
	}
	for i := range x.Len() {
		if err := badID(x.Row(i), i, vocabulary); err != nil {
			return err
		}
	}
	return nil
}

// Len is the number of rows.
func (b *Bags) Len() int { return len(b.lengths) }

// Shape is (rows, steps); steps are Unknown when the rows differ in length. It is the bags' own: do not change it.
func (b *Bags) Shape() tensor.Shape { return b.shape[:] }

// made counts the rows of all bags that were ever made: what somebody has found out about some rows must not be taken for
// what is true of others at the same place in memory.
var made atomic.Uint64

// measure works out the shape of new rows, and numbers them.
func (b *Bags) measure() {
	b.made = made.Add(1)
	b.shape = [2]int{len(b.lengths), tensor.Unknown}
	for i, n := range b.lengths {
		if n != b.lengths[0] {
			b.shape[1] = tensor.Unknown
			return
		}
		if i == 0 {
			b.shape[1] = int(n)
		}
	}
}

// Type is TypeInt32: bags stand for rows of ids.
func (b *Bags) Type() tensor.Type { return tensor.TypeInt32 }

// Vocabulary is the number of ids: those in the bags are below it.
func (b *Bags) Vocabulary() int { return b.vocabulary }

// Length is the number of ids of row i, which its average divides by.
func (b *Bags) Length(i int) int { return int(b.lengths[i]) }

// Row returns the distinct ids of row i and how often each occurs, in slices made for the caller.
func (b *Bags) Row(i int) (ids, counts []int32) {
	lo, hi := b.Bounds(i)
	ids, counts = make([]int32, hi-lo), make([]int32, hi-lo)
	for k := range ids {
		if b.isWide {
			ids[k], counts[k] = unpack(b.wide, lo+k)
		} else {
			ids[k], counts[k] = unpack(b.narrow, lo+k)
		}
	}
	return ids, counts
}

// Pairs returns the pairs of all rows, without a copy and not to be changed: each in 4 bytes, the id in the low 16 bits and its count in the
// high ones, or, when wide is not nil, in 8 bytes, 32 bits each. [Bags.Bounds] says which of them are a row's.
func (b *Bags) Pairs() (narrow []uint32, wide []uint64) {
	if b.isWide {
		return nil, b.wide
	}
	return b.narrow, nil
}

// Bounds returns where the pairs of row i begin and end.
func (b *Bags) Bounds(i int) (from, to int) { return b.offsets[i], b.offsets[i+1] }

// Locate writes for each of some rows, by their numbers, where its pairs begin and end (see Bounds), and its length.
func (b *Bags) Locate(rows []int32, from, to []int, lengths []int32) {
	from, to, lengths = from[:len(rows)], to[:len(rows)], lengths[:len(rows)]
	for i, row := range rows {
		from[i], to[i] = b.offsets[row], b.offsets[row+1]
		lengths[i] = b.lengths[row]
	}
}

func idOf[P pair](p P) int { return int(p & (1<<half[P]() - 1)) }

func (b *Bags) id(k int) int {
	if b.isWide {
		return idOf(b.wide[k])
	}
	return idOf(b.narrow[k])
}

// Count returns the count of pair k: see Bounds.
func (b *Bags) Count(k int) int32 {
	if b.isWide {
		return int32(b.wide[k] >> 32)
	}
	return int32(b.narrow[k] >> 16)
}

// AppendIDs appends the ids of the pairs from and before to: see Bounds.
func (b *Bags) AppendIDs(ids []int32, from, to int) []int32 {
	if from >= to {
		return ids
	}
	n := len(ids)
	ids = slices.Grow(ids, to-from)[:n+to-from]
	more := ids[n:]
	if b.isWide {
		for i, p := range b.wide[from:to] {
			more[i] = int32(uint32(p))
		}
		return ids
	}
	for i, p := range b.narrow[from:to] {
		more[i] = int32(p & (narrowLimit - 1))
	}
	return ids
}

// HasZero reports whether id 0, the padding, is in any bag.
func (b *Bags) HasZero() bool {
	for i := range b.Len() {
		if from, to := b.Bounds(i); from < to && b.id(from) == 0 {
			return true
		}
	}
	return false
}

// Rows returns rows lo to hi-1 over the same memory, until b is made anew. Like slicing a slice, it panics when lo and hi
// are not in order or out of range.
func (b *Bags) Rows(lo, hi int) *Bags {
	if lo < 0 || hi < lo || hi > b.Len() {
		panic(fmt.Sprintf("text: rows [%d:%d] of %d bags", lo, hi, b.Len()))
	}
	if b.offsets == nil { // the zero value, which has no rows
		part := &Bags{}
		part.measure()
		return part
	}
	part := &Bags{offsets: b.offsets[lo : hi+1 : hi+1], narrow: b.narrow, wide: b.wide, isWide: b.isWide,
		lengths: b.lengths[lo:hi:hi], vocabulary: b.vocabulary}
	part.measure()
	return part
}

// Take returns the bags of the rows with these numbers, in their order, in memory of their own. A number may be there more
// than once; one that is no row is an error that names its place.
func (b *Bags) Take(rows []int) (*Bags, error) {
	if b == nil {
		return nil, errors.New("text: rows of nil bags")
	}
	kept := 0
	for k, i := range rows {
		if i < 0 || i >= b.Len() {
			return nil, fmt.Errorf("text: number %d of the rows is %d, but there are rows 0 to %d", k, i, b.Len()-1)
		}
		from, to := b.Bounds(i)
		kept += min(to-from, math.MaxInt-kept) // which the budget refuses
	}
	if err := budget.Check("text: ids of bags", 8, kept); err != nil {
		return nil, err
	}
	out := &Bags{offsets: make([]int, 1, len(rows)+1), lengths: make([]int32, 0, len(rows)), vocabulary: b.vocabulary, isWide: b.isWide}
	if b.isWide {
		out.wide = make([]uint64, 0, kept)
	} else {
		out.narrow = make([]uint32, 0, kept)
	}
	for _, i := range rows {
		from, to := b.Bounds(i)
		if b.isWide {
			out.wide = append(out.wide, b.wide[from:to]...)
		} else {
			out.narrow = append(out.narrow, b.narrow[from:to]...)
		}
		out.offsets = append(out.offsets, len(out.wide)+len(out.narrow))
		out.lengths = append(out.lengths, b.lengths[i])
	}
	out.measure()
	return out, nil
}

// Limit returns the bags of a smaller vocabulary: ids from limit on become the id other, which must be below it (Keras's
// num_words and oov_char).
func (b *Bags) Limit(limit int, other int32) (*Bags, error) {
	if b == nil {
		return nil, errNilBags
	}
	if limit < 1 || limit > b.vocabulary || other < 0 || int(other) >= limit {
		return nil, fmt.Errorf("text: bags of %d ids cannot be limited to %d with %d for the others", b.vocabulary, limit, other)
	}
	return b.rebuild(limit, func(ids, counts []int32) ([]int32, []int32, int32) {
		n, _ := slices.BinarySearch(ids, int32(limit))
		more := int32(0)
		for _, c := range counts[n:] {
			more += c
		}
		ids, counts = ids[:n], counts[:n]
		if more == 0 {
			return ids, counts, 0
		}
		k, found := slices.BinarySearch(ids, other)
		if found {
			counts[k] += more
			return ids, counts, 0
		}
		return slices.Insert(ids, k, other), slices.Insert(counts, k, more), 0
	})
}

// WithoutZero returns the bags without id 0, the padding, which no longer counts in a row's length either.
func (b *Bags) WithoutZero() (*Bags, error) {
	if b == nil {
		return nil, errNilBags
	}
	return b.rebuild(b.vocabulary, func(ids, counts []int32) ([]int32, []int32, int32) {
		if len(ids) > 0 && ids[0] == 0 {
			return ids[1:], counts[1:], counts[0]
		}
		return ids, counts, 0
	})
}

// rebuild makes bags of what change leaves of each row, which is shorter by what it returns last.
func (b *Bags) rebuild(vocabulary int, change func(ids, counts []int32) (i, c []int32, shorter int32)) (*Bags, error) {
	offsets, lengths := make([]int, 1, b.Len()+1), make([]int32, 0, b.Len())
	var ids, counts []int32
	for i := range b.Len() {
		rowIDs, rowCounts := b.Row(i)
		rowIDs, rowCounts, shorter := change(rowIDs, rowCounts)
		ids, counts = append(ids, rowIDs...), append(counts, rowCounts...)
		offsets, lengths = append(offsets, len(ids)), append(lengths, b.lengths[i]-shorter)
	}
	return NewBags(vocabulary, offsets, ids, counts, lengths)
}
