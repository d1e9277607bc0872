package classifier

import "github.com/linnet-ml/linnet/classifier/internal/features"

// Known counts the words of a text and how many of them the Classifier has: the share tells whether texts still are what it
// learned from. "Words" are the shortest n-grams that it has, which are n-grams of characters if it has none of words. Known
// allocates nothing after the first texts and takes about as long as Classify.
func (c *Classifier) Known(text string) (known, all int) {
	if !c.made() {
		return 0, 0
	}
	s := c.scratch.Get().(*scratch)
	kind := features.Words(c.parts.Spec.WordMin)
	if !c.parts.Spec.has(words) {
		kind = features.Chars(c.parts.Spec.CharMin)
	}
	hashes := s.scanner.Scan(text)
	from, to := s.scanner.Range(kind)
	for _, h := range hashes[from:to] {
		if _, ok := c.index.Find(h); ok {
			known++
		}
	}
	c.release(s, text)
	return known, to - from
}
