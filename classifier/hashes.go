package classifier

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/linnet-ml/linnet/classifier/internal/features"
)

const (
	tagBits  = features.TagBits
	wordBits = 6
)

// placeBits is how many bits of a hash are the place of one of n n-grams: one of four is in use at most.
func placeBits(n int) int { return max(10, bits.Len(uint(n))+2) }

// hashBits is how many of the upper bits of its n-grams' hashes a model of n n-grams knows. About one in a million n-grams that
// are not in the model has the bits of one that is, and is taken for it.
func hashBits(n int) int { return placeBits(n) + tagBits - wordBits }

// truncate keeps the upper bits of a hash.
func truncate(h uint64, bits int) uint64 { return h >> (64 - bits) << (64 - bits) }

// bucketSize is the largest number of n-grams in a bucket of a file, which counts them in a byte. With hashes of texts a bucket
// has 8 to 16.
const bucketSize = 255

// bucketBits is how many of the upper bits of the hashes of n n-grams number the bucket. The file has the other bits, 24,
// for each n-gram.
func bucketBits(n int) int { return hashBits(n) - tagBits }

// order sorts n-grams, given by their numbers, by the bits that a model knows of their hashes, and returns how many bits these are:
// hashBits of the number of n-grams, or most if that is less. N-grams with the same bits cannot be told apart: of these the one with
// the lowest number stays. Of a bucket that is too full the first ones stay.
func order(hashes []uint64, numbers []uint32, most int) (ordered []uint32, known int) {
	numbers = slices.Clone(numbers)
	for {
		n := len(numbers)
		known := min(most, hashBits(n))
		slices.SortFunc(numbers, func(a, b uint32) int {
			if c := cmp.Compare(truncate(hashes[a], known), truncate(hashes[b], known)); c != 0 {
				return c
			}
			return cmp.Compare(a, b)
		})
		kept, inBucket := 0, 0
		for _, f := range numbers {
			if kept > 0 {
				last := hashes[numbers[kept-1]]
				if truncate(last, known) == truncate(hashes[f], known) {
					continue
				}
				if truncate(last, bucketBits(n)) != truncate(hashes[f], bucketBits(n)) {
					inBucket = 0
				}
			}
			if inBucket++; inBucket > bucketSize {
				continue
			}
			numbers[kept] = f
			kept++
		}
		if numbers = numbers[:kept]; hashBits(kept) == hashBits(n) {
			return numbers, known
		}
	}
}
