package text

import "github.com/linnet-ml/linnet/tensor"

// MultiHot makes a row of width columns out of each sequence: 1 in the column of each id that occurs, 0 elsewhere
// (Keras's multi_hot; the tutorial's one-hot alternative). Only the ones are kept. An id outside the columns is an
// [IDError].
func MultiHot(sequences [][]int32, width int) (*tensor.Sparse, error) {
	if err := checkVocabulary(width); err != nil {
		return nil, err
	}
	total := 0
	for _, s := range sequences {
		total += len(s)
	}
	var d distinct
	d.expect(width, total, true)
	offsets := make([]int, 1, len(sequences)+1)
	var columns []int32
	var pairs []uint64
	for i, s := range sequences {
		var ok bool
		if pairs, ok = distinctPairs(&d, s, pairs[:0]); !ok {
			return nil, badID(s, i, width)
		}
		for k := range pairs {
			id, _ := unpack(pairs, k)
			columns = append(columns, id)
		}
		offsets = append(offsets, len(columns))
	}
	return tensor.NewSparse(width, offsets, columns, nil)
}

// MultiHot makes a row of as many columns as the vocabulary has ids out of each bag, as the function [MultiHot] does of
// a sequence. Column 0 stays empty: id 0 is the padding, which is no word of the text. Ids that padding cut off are not
// in the bag and so not in the row.
func (b *Bags) MultiHot() (*tensor.Sparse, error) {
	if b == nil {
		return nil, errNilBags
	}
	offsets := make([]int, 1, b.Len()+1)
	var columns []int32
	for i := range b.Len() {
		ids, _ := b.Row(i)
		if len(ids) > 0 && ids[0] == 0 {
			ids = ids[1:]
		}
		columns = append(columns, ids...)
		offsets = append(offsets, len(columns))
	}
	return tensor.NewSparse(b.vocabulary, offsets, columns, nil)
}
