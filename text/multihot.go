package text

import "github.com/linnet-ml/linnet/tensor"

// MultiHot makes a row of width columns out of each sequence: 1 in the column of each id that occurs, 0 elsewhere
// (Keras's multi_hot; the tutorial's one-hot alternative). Only the ones are kept. An id outside the columns is an
// [IDError].
func MultiHot(sequences [][]int32, width int) (*tensor.Sparse, error) {
	total, longest := 0, 0
	for _, s := range sequences {
		total += len(s)
		longest = max(longest, len(s))
	}
	var d distinct
	d.prepare(width, total)
	offsets := make([]int, 1, len(sequences)+1)
	columns := make([]int32, 0, longest)
	var counts []float32
	for i, s := range sequences {
		var ok bool
		if columns, counts, ok = d.row(s, width, columns, counts[:0]); !ok {
			return nil, badID(s, i, width)
		}
		offsets = append(offsets, len(columns))
	}
	return tensor.NewSparse(width, offsets, columns, nil)
}

// MultiHot makes a row of as many columns as the vocabulary has ids out of each bag, as the function [MultiHot] does of
// a sequence. Column 0 stays empty: id 0 is the padding, which is no word of the text. Ids that padding cut off are not
// in the bag and so not in the row.
func (b *Bags) MultiHot() (*tensor.Sparse, error) {
	offsets := make([]int, 1, b.Len()+1)
	columns := make([]int32, 0, len(b.ids))
	for i := range b.Len() {
		ids, _, _ := b.Row(i)
		if len(ids) > 0 && ids[0] == 0 {
			ids = ids[1:]
		}
		columns = append(columns, ids...)
		offsets = append(offsets, len(columns))
	}
	return tensor.NewSparse(b.vocabulary, offsets, columns, nil)
}
