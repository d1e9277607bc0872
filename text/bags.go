package text

import (
	"fmt"
	"slices"

	"github.com/linnet-ml/linnet/tensor"
)

// Bags holds rows of token ids of which the order does not matter: for each row its distinct ids, ascending, and
// how often each occurs. An average of word vectors needs no more, and a padded review of 256 ids has about 109
// distinct ones. A model whose first layers are an embedding and its average reads Bags in place of the ids.
type Bags struct {
	offsets    []int
	ids        []int32
	counts     []float32
	lengths    []int32
	vocabulary int
	shape      [2]int
	distinct   distinct
}

var _ tensor.Rows = (*Bags)(nil)

// NewBags makes bags over the given slices, which it keeps: row i has ids[k] counts[k] times for k from offsets[i] to
// offsets[i+1]-1, and its average divides by lengths[i]. Ids ascend within a row and are below vocabulary; counts are
// whole numbers from 1. Anything else is an error that names the row.
func NewBags(vocabulary int, offsets []int, ids []int32, counts []float32, lengths []int32) (*Bags, error) {
	if len(offsets) != len(lengths)+1 || offsets[0] != 0 || offsets[len(lengths)] != len(ids) || len(counts) != len(ids) {
		return nil, fmt.Errorf("text: bags of %d rows with %d offsets, %d ids and %d counts do not fit together",
			len(lengths), len(offsets), len(ids), len(counts))
	}
	for i := range lengths {
		lo, hi := offsets[i], offsets[i+1]
		if lo > hi || hi > len(ids) {
			return nil, fmt.Errorf("text: row %d of the bags ends at %d, before it starts at %d", i, hi, lo)
		}
		last := int32(-1)
		for k := lo; k < hi; k++ {
			if id := ids[k]; id <= last || int(id) >= vocabulary {
				return nil, fmt.Errorf("text: row %d of the bags has id %d after id %d; ids must ascend and be below %d", i, id, last, vocabulary)
			}
			if c := counts[k]; !(c >= 1) || c != float32(int32(c)) {
				return nil, fmt.Errorf("text: row %d of the bags has id %d %v times", i, ids[k], c)
			}
			last = ids[k]
		}
	}
	b := &Bags{offsets: offsets, ids: ids, counts: counts, lengths: lengths, vocabulary: vocabulary}
	b.measure()
	return b, nil
}

// BagOptions says what goes into a bag.
type BagOptions struct {
	// Vocabulary is the number of ids: they run from 0 to Vocabulary-1.
	Vocabulary int
	// SkipZero leaves out id 0, the padding, and does not count it in a row's length (Keras's mask_zero).
	SkipZero bool
}

// MakeBags counts the ids of each row of x, (rows, steps). An id outside the vocabulary is an error that names its
// row, column and value.
func MakeBags(x *tensor.Int32, o BagOptions) (*Bags, error) {
	b := &Bags{}
	if err := b.Make(x, o); err != nil {
		return nil, err
	}
	b.distinct = distinct{} // its memory is for further calls of Make
	return b, nil
}

// Make is [MakeBags] into b, whose memory it uses again: after a few calls it allocates nothing. After an error b has no
// rows.
func (b *Bags) Make(x *tensor.Int32, o BagOptions) error {
	b.vocabulary = o.Vocabulary
	b.empty()
	if len(x.Shape()) != 2 {
		return fmt.Errorf("text: %w: bags are made from ids (rows, steps), not from %v", tensor.ErrShape, x.Shape())
	}
	rows, steps := x.Len(), x.Shape()[1]
	b.offsets, b.lengths = slices.Grow(b.offsets, rows), slices.Grow(b.lengths, rows)
	b.distinct.prepare(o.Vocabulary, rows*steps)
	for i := range rows {
		start := len(b.ids)
		var ok bool
		if b.ids, b.counts, ok = b.distinct.row(x.Row(i), o.Vocabulary, b.ids, b.counts); !ok {
			b.empty()
			return badID(x.Row(i), i, o.Vocabulary)
		}
		length := int32(steps)
		if o.SkipZero && len(b.ids) > start && b.ids[start] == 0 {
			length -= int32(b.counts[start])
			b.ids = slices.Delete(b.ids, start, start+1)
			b.counts = slices.Delete(b.counts, start, start+1)
		}
		b.offsets = append(b.offsets, len(b.ids))
		b.lengths = append(b.lengths, length)
	}
	b.measure()
	return nil
}

// empty leaves no rows, but the memory.
func (b *Bags) empty() {
	b.offsets = append(b.offsets[:0], 0)
	b.ids, b.counts, b.lengths = b.ids[:0], b.counts[:0], b.lengths[:0]
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

func (e *IDError) Error() string {
	return fmt.Sprintf("row %d, column %d: id %d is outside the vocabulary 0 to %d", e.Row, e.Column, e.ID, e.Vocabulary-1)
}

// CheckIDs returns an [IDError] for the first id of x, (rows, steps), that is not in 0 to vocabulary-1.
func CheckIDs(x *tensor.Int32, vocabulary int) error {
	if len(x.Shape()) == 0 {
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

// measure works out the shape.
func (b *Bags) measure() {
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

// Row returns the distinct ids of row i, how often each occurs, and the length that its average divides by.
func (b *Bags) Row(i int) (ids []int32, counts []float32, length int32) {
	lo, hi := b.offsets[i], b.offsets[i+1]
	return b.ids[lo:hi:hi], b.counts[lo:hi:hi], b.lengths[i]
}

// Rows returns rows lo to hi-1 over the same memory. Like slicing a slice, it panics when lo and hi are not in order
// or out of range.
func (b *Bags) Rows(lo, hi int) *Bags {
	if lo < 0 || hi < lo || hi > b.Len() {
		panic(fmt.Sprintf("text: rows [%d:%d] of %d bags", lo, hi, b.Len()))
	}
	part := &Bags{offsets: b.offsets[lo : hi+1 : hi+1], ids: b.ids, counts: b.counts, lengths: b.lengths[lo:hi:hi], vocabulary: b.vocabulary}
	part.measure()
	return part
}

// WithoutZero returns the bags without id 0, the padding, which no longer counts in a row's length either.
func (b *Bags) WithoutZero() (*Bags, error) {
	offsets, lengths := make([]int, 1, b.Len()+1), make([]int32, 0, b.Len())
	var kept []int32
	var counts []float32
	for i := range b.Len() {
		ids, n, length := b.Row(i)
		if len(ids) > 0 && ids[0] == 0 {
			length -= int32(n[0])
			ids, n = ids[1:], n[1:]
		}
		kept, counts = append(kept, ids...), append(counts, n...)
		offsets, lengths = append(offsets, len(kept)), append(lengths, length)
	}
	return NewBags(b.vocabulary, offsets, kept, counts, lengths)
}
