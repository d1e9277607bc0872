package text_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

// checkCuts asks for the cuts of some rows and looks for them one by one.
func checkCuts(t *testing.T, c *text.Cuts, bags *text.Bags, rows []int32, limit int) {
	t.Helper()
	at := make([]int, len(rows))
	c.Locate(at, bags, rows, limit)
	for k, row := range rows {
		ids, _ := bags.Row(int(row))
		from, _ := bags.Bounds(int(row))
		want := 0
		for want < len(ids) && int(ids[want]) < limit {
			want++
		}
		if at[k] != from+want {
			t.Fatalf("limit %d, ids %v: cut at %d, not %d", limit, ids, at[k]-from, want)
		}
	}
}

// Cuts finds where ids from a limit on begin, whatever it was asked for before.
func TestCuts(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, vocabulary := range []int{1, 2, 60, 1 << 16, 1<<16 + 1, 1 << 30} {
		var c text.Cuts
		for range 40 {
			sequences := make([][]int32, 1+r.IntN(12))
			for i := range sequences {
				for range r.IntN(9) * i {
					sequences[i] = append(sequences[i], int32(r.IntN(1+r.IntN(vocabulary))))
				}
			}
			bags, err := text.CountSequences(sequences, text.BagOptions{Vocabulary: vocabulary})
			if err != nil {
				t.Fatal(err)
			}
			for _, limit := range []int{0, 1, r.IntN(vocabulary), vocabulary - 1, vocabulary} {
				for range 2 {
					rows := []int32{}
					for range r.IntN(12) {
						rows = append(rows, int32(r.IntN(len(sequences))))
					}
					checkCuts(t, &c, bags, rows, limit)
					checkCuts(t, nil, bags, rows, limit)
				}
			}
		}
	}
}

// Bags that are made anew in place are other bags.
func TestCutsOfBagsMadeAnew(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	var c text.Cuts
	var bags text.Bags
	rows := []int32{0, 1, 2, 3, 4, 5, 6, 7}
	for round := range 20 {
		ids := make([]int32, 8*9)
		for i := range ids {
			ids[i] = int32(r.IntN(50))
		}
		x, err := tensor.Of(ids, 8, 9)
		if err != nil {
			t.Fatal(err)
		}
		if round%2 == 0 {
			err = bags.Make(context.Background(), x, text.BagOptions{Vocabulary: 50})
		} else {
			err = bags.MakeRows(x, rows, text.BagOptions{Vocabulary: 50})
		}
		if err != nil {
			t.Fatal(err)
		}
		checkCuts(t, &c, &bags, rows, 20)
		checkCuts(t, &c, &bags, rows[3:], 20)
	}
}

// Bags that come to lie where others lay are other bags, whatever made them.
func TestCutsOfBagsAtOnePlace(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	const rows, vocabulary = 8, 50
	sequences := func() [][]int32 {
		all := make([][]int32, rows)
		for i := range all {
			for range 9 {
				all[i] = append(all[i], int32(r.IntN(vocabulary)))
			}
		}
		return all
	}
	counted := func() (*text.Bags, error) {
		return text.CountSequences(sequences(), text.BagOptions{Vocabulary: vocabulary})
	}
	ways := map[string]func() (*text.Bags, error){
		"CountSequences": counted,
		"MakeBags": func() (*text.Bags, error) {
			x, err := tensor.Of(slices.Concat(sequences()...), rows, 9)
			if err != nil {
				return nil, err
			}
			return text.MakeBags(x, text.BagOptions{Vocabulary: vocabulary})
		},
		"NewBags": func() (*text.Bags, error) {
			offsets, ids, counts := []int{0}, []int32{}, []int32{}
			for range rows {
				for id := int32(r.IntN(9)); id < vocabulary; id += 1 + r.Int32N(9) {
					ids, counts = append(ids, id), append(counts, 1)
				}
				offsets = append(offsets, len(ids))
			}
			return text.NewBags(vocabulary, offsets, ids, counts, slices.Repeat([]int32{9}, rows))
		},
		"Take": func() (*text.Bags, error) {
			all, err := counted()
			if err != nil {
				return nil, err
			}
			return all.Take([]int{3, 1, 2, 0, 7, 7, 5, 4})
		},
		"Limit": func() (*text.Bags, error) {
			all, err := counted()
			if err != nil {
				return nil, err
			}
			return all.Limit(vocabulary-5, 2)
		},
		"WithoutZero": func() (*text.Bags, error) {
			all, err := counted()
			if err != nil {
				return nil, err
			}
			return all.WithoutZero()
		},
	}
	var c text.Cuts
	var place text.Bags
	for name, way := range ways {
		for range 5 {
			made, err := way()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			place = *made
			checkCuts(t, &c, &place, []int32{0, 1, 2, 3, 4, 5, 6, 7}, 20)
			place = *made.Rows(2, 6)
			checkCuts(t, &c, &place, []int32{0, 1, 2, 3}, 20)
		}
	}
}

// Two workers share a table of word vectors: ids below 5 are the first one's.
func ExampleCuts() {
	ids, err := tensor.Of([]int32{2, 7, 2, 9, 1, 4}, 2, 3)
	if err != nil {
		fmt.Println(err)
		return
	}
	bags, err := text.MakeBags(ids, text.BagOptions{Vocabulary: 10})
	if err != nil {
		fmt.Println(err)
		return
	}
	var cuts text.Cuts
	at := make([]int, 2)
	cuts.Locate(at, bags, []int32{0, 1}, 5)
	for row := range 2 {
		from, to := bags.Bounds(row)
		fmt.Println(bags.AppendIDs(nil, from, at[row]), bags.AppendIDs(nil, at[row], to))
	}
	// Output:
	// [2] [7]
	// [1 4] [9]
}
