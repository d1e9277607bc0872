package imdb

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/linnet-ml/linnet/internal/plainfile"
	"github.com/linnet-ml/linnet/internal/shown"
	"github.com/linnet-ml/linnet/text"
)

// maxWordIndex is the largest word index that is read. The official one has 1.6 MB.
const maxWordIndex = 256 << 20

// WordIndex reads imdb_word_index.json and returns the rank of each word, from 1 for the most frequent
// (keras.datasets.imdb.get_word_index). A word's id in a review is its rank + [Options].IndexFrom. Of the options only
// Path and AllowUnverified count.
func WordIndex(ctx context.Context, o Options) (map[string]int, error) {
	if ctx == nil {
		return nil, errNilContext
	}
	file, err := find(o.Path, wordIndexName)
	if err != nil {
		return nil, err
	}
	data, err := plainfile.Read(ctx, file, maxWordIndex)
	if ctx.Err() != nil {
		return nil, shown.Errorf("imdb: reading %s: %w", file, ctx.Err())
	}
	if err != nil {
		return nil, shown.Errorf("imdb: %w", err)
	}
	index, err := parseWordIndex(data)
	if err != nil {
		return nil, damaged(file, err)
	}
	if digest, ok := indexDigest(index); !o.AllowUnverified && (!ok || digest != wordIndexDigest) {
		return nil, shown.Errorf("imdb: %s does not hold the official word index (the digest of its words is %s); set Options.AllowUnverified to use it all the same", file, digest)
	}
	return index, nil
}

// parseWordIndex reads a JSON object of words and their ranks.
func parseWordIndex(data []byte) (map[string]int, error) {
	// encoding/json would put U+FFFD for such bytes, in silence.
	if !utf8.Valid(data) {
		at := 0
		for r, n := rune(0), 0; ; at += n {
			if r, n = utf8.DecodeRune(data[at:]); r == utf8.RuneError && n == 1 {
				break
			}
		}
		return nil, fmt.Errorf("byte %d: not UTF-8", at)
	}
	var index map[string]int
	if err := json.Unmarshal(data, &index); err != nil {
		if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
			return nil, fmt.Errorf("byte %d: %w", syntax.Offset, err)
		}
		if typ := (*json.UnmarshalTypeError)(nil); errors.As(err, &typ) {
			return nil, fmt.Errorf("byte %d: %s where the rank of a word, a whole number, should be", typ.Offset, typ.Value)
		}
		return nil, err
	}
	if len(index) == 0 {
		return nil, errors.New("it has no words")
	}
	words := make(map[int]string, len(index))
	for word, rank := range index {
		if rank < 1 || rank > math.MaxInt32 {
			return nil, fmt.Errorf("the rank of %q is %d; ranks count from 1", word, rank)
		}
		if other, twice := words[rank]; twice {
			return nil, fmt.Errorf("%q and %q share the rank %d", min(word, other), max(word, other), rank)
		}
		words[rank] = word
	}
	return index, nil
}

// indexDigest is the digest of the words of an index whose ranks have no gaps.
func indexDigest(index map[string]int) (digest string, ok bool) {
	words := make([]string, len(index))
	for word, rank := range index {
		if rank > len(words) {
			return "undefined, as ranks are missing", false
		}
		words[rank-1] = word
	}
	sum := sha256.Sum256([]byte(strings.Join(words, "\n")))
	return hex.EncodeToString(sum[:]), true
}

// NewDecoder turns an index of words by rank, as [WordIndex] returns it, into a decoder of reviews that were loaded
// with the default IndexFrom: ids 0 to 3 are <PAD>, <START>, <UNK> and <UNUSED>.
func NewDecoder(index map[string]int) *text.Decoder {
	return text.NewDecoder(index, 3, "<PAD>", "<START>", "<UNK>", "<UNUSED>")
}

// Decode writes the words of a review that was loaded with the default IndexFrom, with spaces between them and ? for
// an unknown id. To decode many reviews make one [NewDecoder].
func Decode(ids []int32, index map[string]int) string { return NewDecoder(index).Decode(ids) }
