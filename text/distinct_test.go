package text_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/linnet-ml/linnet/text"
)

// Ids of large vocabularies are sorted by as many digits as the largest of a row has.
func TestSortedIDs(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, vocabulary := range []int{70_000, 1 << 20, 1<<24 + 1, math.MaxInt32} {
		for _, below := range []int{1, 2, 200, 60_000, vocabulary} {
			t.Run(fmt.Sprintf("%d of %d", below, vocabulary), func(t *testing.T) {
				var rows [][]int32
				for n := range 40 {
					row := make([]int32, n*n/4)
					for k := range row {
						if row[k] = int32(r.IntN(below)); k > 0 && r.IntN(3) == 0 {
							row[k] = row[r.IntN(k)]
						}
					}
					rows = append(rows, row)
				}
				rows[30][7] = int32(below - 1)
				bags, err := text.CountSequences(rows, text.BagOptions{Vocabulary: vocabulary})
				if err != nil {
					t.Fatal(err)
				}
				checkRows(t, bags, rows)
				if vocabulary == math.MaxInt32 {
					return // there is no int32 too large
				}
				for _, bad := range []int32{-1, math.MinInt32, int32(vocabulary)} {
					rows[39][5] = bad
					_, err := text.CountSequences(rows, text.BagOptions{Vocabulary: vocabulary})
					if want := fmt.Sprintf("row 39, column 5: id %d is outside the vocabulary 0 to %d", bad, vocabulary-1); err == nil || err.Error() != want {
						t.Errorf("got  %v\nwant %s", err, want)
					}
				}
			})
		}
	}
}

// Ids of a vocabulary that is large beside what fits one word of bits, but not beside the ids, are counted.
func TestCountedIDs(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	const vocabulary = 1<<18 + 70
	var rows [][]int32
	for size, n := 0, 0; size < vocabulary; n = (n + 1) % 2000 {
		row := make([]int32, n)
		for k := range row {
			row[k] = int32(r.IntN(vocabulary) >> r.IntN(18))
		}
		rows = append(rows, row)
		size += n
	}
	copy(rows[40], []int32{0, vocabulary - 1, 1 << 18, 1<<18 - 1, 4095, 4096, 63, 64, vocabulary - 1})
	bags, err := text.CountSequences(rows, text.BagOptions{Vocabulary: vocabulary})
	if err != nil {
		t.Fatal(err)
	}
	checkRows(t, bags, rows)
}

// checkRows compares bags with the rows that they were made of.
func checkRows(t *testing.T, bags *text.Bags, rows [][]int32) {
	t.Helper()
	for i, row := range rows {
		ids, counts := bags.Row(i)
		wantIDs, wantCounts, _ := count(row, false)
		if !slices.Equal(ids, wantIDs) || !slices.Equal(counts, wantCounts) {
			t.Fatalf("row %d, %v: %v, %v, want %v, %v", i, row, ids, counts, wantIDs, wantCounts)
		}
	}
}
