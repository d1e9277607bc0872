package text

import (
	"context"
	"fmt"

	"github.com/linnet-ml/linnet/tensor"
)

// MakeTexts counts the ids of some texts, by their numbers, into b, whose memory it uses again: row i of the bags is the
// text texts[rows[i]]. After a few calls it allocates nothing. It is meant for few texts at a time; [CountTexts] does
// many at once. A text with an id outside the tokenizer's size, or too long, is an error that names its number, and so is
// an error of the tokenizer, which looks at ctx in long texts. After an error b has no rows.
func (b *Bags) MakeTexts(ctx context.Context, texts []string, rows []int32, t Tokenizer) error {
	if b == nil {
		return errNilBags
	}
	if err := checkTokenizer(ctx, t); err != nil {
		b.start(BagOptions{}, 0, 0, 0)
		return err
	}
	o := BagOptions{Vocabulary: t.Size()}
	b.ids, b.ends = b.ids[:0], b.ends[:0]
	longest := 0
	for _, i := range rows {
		start := len(b.ids)
		if uint(i) >= uint(len(texts)) {
			b.start(o, 0, 0, 0)
			return fmt.Errorf("text: there is no text %d of %d", i, len(texts))
		}
		var err error
		if b.ids, err = t.AppendIDs(ctx, b.ids, texts[i]); err != nil {
			b.start(o, 0, 0, 0)
			return fmt.Errorf("text: text %d: %w", i, err)
		}
		n := len(b.ids) - start
		if n >= countLimit {
			b.start(o, 0, 0, 0)
			return fmt.Errorf("text: %w: text %d of %d tokens is longer than %d", tensor.ErrShape, i, n, countLimit-1)
		}
		longest = max(longest, n)
		b.ends = append(b.ends, len(b.ids))
	}
	b.start(o, len(rows), len(b.ids), longest)
	start := 0
	for k, end := range b.ends {
		if err := b.add(b.ids[start:end], int(rows[k]), o); err != nil {
			return err
		}
		start = end
	}
	b.measure()
	return nil
}
