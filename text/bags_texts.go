package text

import (
	"fmt"

	"github.com/linnet-ml/linnet/tensor"
)

// MakeTexts counts the ids of some texts, by their numbers, into b, whose memory it uses again: row i of the bags is the
// text texts[rows[i]]. After a few calls it allocates nothing. It is meant for few texts at a time; [CountTexts] does
// many at once. A text with an id outside the tokenizer's size, or too long, is an error that names its number. After an
// error b has no rows.
func (b *Bags) MakeTexts(texts []string, rows []int32, t Tokenizer) error {
	o := BagOptions{Vocabulary: t.Size()}
	b.ids, b.ends = b.ids[:0], b.ends[:0]
	longest := 0
	for _, i := range rows {
		start := len(b.ids)
		b.ids = t.AppendIDs(b.ids, texts[i])
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
