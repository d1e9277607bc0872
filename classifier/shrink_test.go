package classifier

import (
	"context"
	"errors"
	"math"
	"testing"
)

// A smaller classifier fits into the size, nearly fills it, keeps the largest weights, and says nearly the same.
func TestShrink(t *testing.T) {
	ctx := context.Background()
	for _, examples := range [][]Example{sentences([]string{"neg", "pos"}, 200), sentences([]string{"a", "b", "c"}, 150), several([]string{"a", "b"}, 150)} {
		c := train(t, examples)
		size := int64(len(written(t, c)))
		if same, err := c.Shrink(ctx, size); err != nil || same != c {
			t.Errorf("a classifier of %d bytes is made smaller for as many: %v", size, err)
		}
		empty, err := c.keep(nil)
		if err != nil {
			t.Fatal(err)
		}
		least := int64(len(written(t, empty)))
		for _, share := range []float64{0.9, 0.5, 0.1} {
			want := least + int64(share*float64(size-least))
			s, err := c.Shrink(ctx, want)
			if err != nil {
				t.Fatal(err)
			}
			if r := s.Report(); r.Features != len(s.parts.Hashes) || r.Shrunk != len(c.parts.Hashes) || r.Best != c.Report().Best {
				t.Errorf("of %d n-grams %d stay, and the report says %+v", len(c.parts.Hashes), len(s.parts.Hashes), r)
			}
			got := int64(len(written(t, s)))
			if got > want || got < want-want/20-256 {
				t.Errorf("%d bytes, want %d", got, want)
			}
			again, err := FromBytes(ctx, written(t, s))
			if err != nil {
				t.Fatal(err)
			}
			same, difference := 0, 0.0
			for _, e := range examples {
				a, b := c.Classify(e.Text), again.Classify(e.Text)
				if a.Label == b.Label {
					same++
				}
				for k := range a.Scores {
					difference += float64(b.Scores[k] - a.Scores[k])
				}
			}
			if min := 0.7 + 0.3*share; float64(same) < min*float64(len(examples)) {
				t.Errorf("%g of the size: %d of %d labels are the same", share, same, len(examples))
			}
			if share >= 0.5 && math.Abs(difference)/float64(len(examples)) > 0.1 {
				t.Errorf("%g of the size: probabilities differ by %g on average", share, difference/float64(len(examples)))
			}
		}
		// Without an n-gram all texts would get the same answer.
		for _, size := range []int64{100, least} {
			if _, err := c.Shrink(ctx, size); !errors.Is(err, ErrTooSmall) {
				t.Errorf("%d bytes: %v", size, err)
			}
		}
	}
}
