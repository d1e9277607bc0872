package regions

import (
	"cmp"
	"context"
	"slices"

	"github.com/linnet-ml/linnet/classifier/internal/features"
)

// MostWords is the largest number of words of a text that are learned from; further ones are not read. What a Network says
// about a text it says of all words, or the first 16 Mi.
const MostWords = 4096

// Texts is texts as numbers of words.
type Texts struct {
	Hash []uint64 // of each word of the vocabulary, the most frequent first
	// The words of text i are ID[Start[i]:Start[i+1]]. A word that is not in the vocabulary has the number len(Hash).
	Start []int
	ID    []int32
}

// Rows returns the number of texts.
func (t *Texts) Rows() int { return len(t.Start) - 1 }

// Knows returns whether a word of text i is in the vocabulary.
func (t *Texts) Knows(i int32) bool {
	return slices.ContainsFunc(t.row(i), func(id int32) bool { return int(id) < len(t.Hash) })
}

func (t *Texts) row(i int32) []int32 { return t.ID[t.Start[i]:t.Start[i+1]] }

// Read reads all texts and numbers their words. The vocabulary is the words that are at least twice in them, no more than
// the given number: the most frequent ones. Of words whose hashes begin with the same [HashBits] bits one stays.
func Read(ctx context.Context, texts features.Texts, rows []int32, s features.Settings, vocabulary int) (*Texts, error) {
	scanner := features.NewScanner(features.Settings{WordMin: 1, WordMax: 1, KeepCase: s.KeepCase, Punctuation: s.Punctuation})
	t := &Texts{Start: make([]int, 1, len(rows)+1)}
	var dictionary features.Dictionary
	var hash []uint64
	var count []int32
	for text, err := range texts.Read(ctx, rows) {
		if err != nil {
			return nil, err
		}
		words := scanner.Scan(features.Learned(text))
		for _, h := range words[:min(len(words), MostWords)] {
			id, added := dictionary.Add(h)
			if added {
				hash, count = append(hash, h), append(count, 0)
			}
			count[id]++
			t.ID = append(t.ID, int32(id))
		}
		t.Start = append(t.Start, len(t.ID))
	}
	var order []int32
	for id, k := range count {
		if k >= 2 {
			order = append(order, int32(id))
		}
	}
	slices.SortFunc(order, func(a, b int32) int {
		if c := cmp.Compare(count[b], count[a]); c != 0 {
			return c
		}
		return cmp.Compare(hash[a], hash[b])
	})
	to := make([]int32, len(hash))
	for i := range to {
		to[i] = -1
	}
	seen := make(map[uint64]bool)
	for _, id := range order {
		if len(t.Hash) == vocabulary {
			break
		}
		if h := hash[id] >> (64 - HashBits); !seen[h] {
			seen[h] = true
			to[id] = int32(len(t.Hash))
			t.Hash = append(t.Hash, hash[id])
		}
	}
	for j, id := range t.ID {
		if t.ID[j] = to[id]; t.ID[j] < 0 {
			t.ID[j] = int32(len(t.Hash))
		}
	}
	return t, nil
}

// HashBits is how many of the upper bits of a word's hash a Network knows.
const HashBits = 40
