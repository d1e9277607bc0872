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
				for i, row := range rows {
					ids, counts := bags.Row(i)
					wantIDs, wantCounts, _ := count(row, false)
					if !slices.Equal(ids, wantIDs) || !slices.Equal(counts, wantCounts) {
						t.Fatalf("%v: %v, %v, want %v, %v", row, ids, counts, wantIDs, wantCounts)
					}
				}
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
