package imdb

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/linnet-ml/linnet/internal/npz"
	"github.com/linnet-ml/linnet/internal/numpy"
	"github.com/linnet-ml/linnet/internal/plainfile"
	"github.com/linnet-ml/linnet/internal/ratio"
	"github.com/linnet-ml/linnet/internal/shown"
)

// errNilContext reports a call without a context.
var errNilContext = errors.New("imdb: the context is nil")

// Split is one half of the data set: the reviews to train on, or those to test with.
type Split struct {
	// Reviews are the rows of word ids. They share one array, in which they follow each other.
	Reviews [][]int32
	// Labels has 1 for a good review and 0 for a bad one.
	Labels []int32
}

// Load reads imdb.npz and returns the reviews in Keras's order (keras.datasets.imdb.load_data). It fails when the file
// is missing ([fs.ErrNotExist] is wrapped), damaged, or holds other reviews than the official file and
// [Options].AllowUnverified is not set; and when MaxLen leaves no review.
func Load(ctx context.Context, o Options) (train, test *Split, err error) {
	if ctx == nil {
		return nil, nil, errNilContext
	}
	s, err := o.settings()
	if err != nil {
		return nil, nil, err
	}
	file, err := find(o.Path, reviewsName)
	if err != nil {
		return nil, nil, err
	}
	raw, err := readReviews(ctx, file, !o.AllowUnverified, o.limit())
	if err != nil {
		return nil, nil, err
	}

	train, test, err = s.prepare(raw)
	if err != nil {
		return nil, nil, shown.Errorf("imdb: %s: %w", file, err)
	}
	return train, test, ctx.Err()
}

// prepare does what load_data does once it has read the file, in its order.
func (s *settings) prepare(raw [2]rawSplit) (train, test *Split, err error) {
	random := numpy.NewRandomState(s.seed)
	var orders [2][]int32
	for i := range raw {
		orders[i] = s.drop(raw[i], random.Permutation(raw[i].lists.Len()))
		if len(orders[i]) == 0 && s.maxLen > 0 {
			return nil, nil, fmt.Errorf("after filtering for sequences shorter than MaxLen=%d, no sequence was kept; increase MaxLen", s.maxLen)
		}
	}
	limit := int64(s.numWords)
	if limit == 0 {
		limit = math.MinInt32
	}
	for i := range raw {
		lo, hi := extremes(raw[i].lists.Values)
		if lo+int64(s.indexFrom) < math.MinInt32 || hi+int64(s.indexFrom) > math.MaxInt32 {
			return nil, nil, fmt.Errorf("ids from %d to %d do not fit into 32 bits when IndexFrom=%d is added", lo, hi, s.indexFrom)
		}
		if s.numWords == 0 {
			limit = max(limit, s.largest(raw[i], orders[i]))
		}
	}
	var splits [2]*Split
	both(func(i int) { splits[i] = s.arrange(raw[i], orders[i], limit) })
	return splits[0], splits[1], nil
}

// rawSplit is a split as imdb.npz has it.
type rawSplit struct {
	lists  npz.Lists
	labels []int32
}

// maxReviews is the largest archive of reviews that is read. The official one has 17 MB.
const maxReviews = 4 << 30

// readReviews reads the four arrays of imdb.npz: the reviews and labels to train on, then those to test with.
func readReviews(ctx context.Context, file string, verify bool, limit ratio.Limit) ([2]rawSplit, error) {
	var raw [2]rawSplit
	f, err := plainfile.Open(ctx, file, maxReviews)
	if ctx.Err() != nil {
		return raw, damaged(file, ctx.Err())
	}
	if err != nil {
		return raw, shown.Errorf("imdb: %w", err)
	}
	defer f.Close()
	archive, err := npz.NewArchive(f, f.Size(), limit)
	if err != nil {
		return raw, damaged(file, err)
	}
	var errs [2]error
	var digests [2]string
	both(func(i int) {
		if raw[i], errs[i] = readSplit(archive, [2]string{"train", "test"}[i]); errs[i] == nil && verify {
			digests[i] = raw[i].digest()
		}
	})
	for _, err := range errs {
		if err != nil {
			return raw, damaged(file, err)
		}
	}
	if verify && (digests[0] != trainDigest || digests[1] != testDigest) {
		sum, err := fileDigest(f, f.Size())
		if err != nil {
			return raw, shown.Errorf("imdb: reading %s: %w", file, err)
		}
		if sum != officialDigest {
			return raw, shown.Errorf("imdb: %s does not hold the official reviews (its sha256 is %s, and the digests of its content are %s and %s); set Options.AllowUnverified to use it all the same",
				file, sum, digests[0], digests[1])
		}
	}
	return raw, nil
}

func readSplit(a *npz.Archive, name string) (r rawSplit, err error) {
	if r.lists, err = a.Lists("x_" + name); err != nil {
		return r, err
	}
	if r.labels, err = a.Ints("y_" + name); err != nil {
		return r, err
	}
	if len(r.labels) != r.lists.Len() {
		return r, fmt.Errorf("%d labels for the %d reviews of x_%s", len(r.labels), r.lists.Len(), name)
	}
	return r, nil
}

// both calls f(0) and f(1) at once, and returns when both have.
func both(f func(int)) {
	var wait sync.WaitGroup
	wait.Go(func() { f(0) })
	wait.Go(func() { f(1) })
	wait.Wait()
}

// length is the number of ids of a review with n words.
func (s *settings) length(n int) int {
	if s.hasStart {
		n++
	}
	return n
}

// drop leaves out of the order the reviews that maxLen shuts out.
func (s *settings) drop(r rawSplit, order []int32) []int32 {
	if s.maxLen == 0 {
		return order
	}
	kept := order[:0]
	for _, i := range order {
		if s.length(r.lists.Offsets[i+1]-r.lists.Offsets[i]) < s.maxLen {
			kept = append(kept, i)
		}
	}
	return kept
}

// largest is the largest id of the reviews in the order, their start characters included.
func (s *settings) largest(r rawSplit, order []int32) int64 {
	largest := int64(math.MinInt32)
	if s.hasStart && len(order) > 0 {
		largest = int64(s.start)
	}
	for _, i := range order {
		for _, w := range r.lists.Row(int(i)) {
			largest = max(largest, int64(w)+int64(s.indexFrom))
		}
	}
	return largest
}

// extremes returns the smallest and the largest of the ids, or zeros when there are none.
func extremes(ids []int32) (lo, hi int64) {
	if len(ids) == 0 {
		return 0, 0
	}
	l, h := ids[0], ids[0]
	for _, id := range ids {
		l, h = min(l, id), max(h, id)
	}
	return int64(l), int64(h)
}

// arrange builds the reviews in the given order. Ids from skipTop to limit-1 stay; the others become oov or are
// dropped.
func (s *settings) arrange(r rawSplit, order []int32, limit int64) *Split {
	total := 0
	for _, i := range order {
		total += s.length(r.lists.Offsets[i+1] - r.lists.Offsets[i])
	}
	ids := make([]int32, 0, total)
	split := &Split{Reviews: make([][]int32, len(order)), Labels: make([]int32, len(order))}
	low, high := int32(min(s.skipTop, math.MaxInt32)), int32(min(limit, math.MaxInt32))
	shift := int32(s.indexFrom)
	for row, i := range order {
		from := len(ids)
		if s.hasStart {
			ids = s.keep(ids, s.start, low, high)
		}
		for _, w := range r.lists.Row(int(i)) {
			ids = s.keep(ids, w+shift, low, high)
		}
		split.Reviews[row] = ids[from:len(ids):len(ids)]
		split.Labels[row] = r.labels[i]
	}
	return split
}

func (s *settings) keep(ids []int32, id, low, high int32) []int32 {
	if low <= id && id < high {
		return append(ids, id)
	}
	if s.hasOOV {
		return append(ids, s.oov)
	}
	return ids
}
