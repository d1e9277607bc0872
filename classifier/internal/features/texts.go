package features

import (
	"context"
	"iter"
)

// Texts are texts by row, which can be read again and again. They need not be in memory.
type Texts interface {
	// Read yields the texts of some rows, in their order, which must be ascending. An error is the last thing that it yields.
	Read(ctx context.Context, rows []int32) iter.Seq2[string, error]
	// Bytes returns the length of the texts of some rows together.
	Bytes(rows []int32) int64
}

// MostBytes is how many bytes of a text are learned from: the n-grams of a text need some 100 times as much memory.
const MostBytes = 4 << 20

// Learned returns the part of a text that is learned from, its first [MostBytes] bytes.
func Learned(text string) string { return text[:min(len(text), MostBytes)] }

// Memory is texts in memory. Rows may be read in any order.
type Memory []string

// Read yields the texts of some rows.
func (m Memory) Read(ctx context.Context, rows []int32) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, row := range rows {
			if err := ctx.Err(); err != nil {
				yield("", err)
				return
			}
			if !yield(m[row], nil) {
				return
			}
		}
	}
}

// Bytes returns the length of the texts of some rows together.
func (m Memory) Bytes(rows []int32) int64 {
	n := int64(0)
	for _, row := range rows {
		n += int64(len(m[row]))
	}
	return n
}
