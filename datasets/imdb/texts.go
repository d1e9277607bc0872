package imdb

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/linnet-ml/linnet/datasets/internal/textfile"
	"github.com/linnet-ml/linnet/internal/numpy"
	"github.com/linnet-ml/linnet/internal/ratio"
	"github.com/linnet-ml/linnet/internal/shown"
)

// TextSplit is a part of the data set as texts: the reviews to train on, those to test with, or those without labels.
// Its slices have one element for each review; those that the source cannot fill are nil.
type TextSplit struct {
	// Texts are the reviews as they were written, in UTF-8, with <br /> for a line's end.
	Texts []string
	// Labels has 1 for a good review and 0 for a bad one. Nil for reviews without labels.
	Labels []int32
	// Ratings has the stars that the author gave to the film: 1 to 4 in a bad review, 7 to 10 in a good one. Nil for
	// reviews without labels.
	Ratings []int32
	// Names are those of the files in the archive, as in train/pos/0_9.txt.
	Names []string
}

// TextOptions say where the texts are and in which order they are wanted.
type TextOptions struct {
	// Path is the archive aclImdb_v1.tar.gz, or a folder with it, or with what it holds (the folders train and test, or
	// aclImdb above them). In place of the one archive there may be two, aclImdb_labeled.tar.gz and
	// aclImdb_unsup.tar.gz. Empty: the first of the folders named at [Options].Path that has it.
	Path string
	// Seed orders the reviews, from 0 to 4294967295 (2147483647 where an int has 32 bits). Default 113, as in
	// [Options]: then text i is that of review i of [Load].
	Seed *int
	// NoShuffle leaves the order of the archive's folders: the good reviews, then the bad ones, each by file name.
	NoShuffle bool
	// AllowUnverified accepts other reviews than the official ones, and any number of them.
	AllowUnverified bool
	// MaxRatio is how many times its size an archive may unpack to, and 16 MiB beside. Default 100: one that is packed more
	// tightly is an error. The official one unpacks to three times its size.
	MaxRatio int
}

func (o TextOptions) limit() ratio.Limit {
	return ratio.Limit{Ratio: o.MaxRatio, Option: "TextOptions.MaxRatio"}
}

// A class is a folder of the archive.
type class uint8

const (
	trainPos class = iota
	trainNeg
	testPos
	testNeg
	unsup
	numClasses
)

// classes are the folders and what the official archive has in them.
var classes = [numClasses]struct {
	folder         string
	reviews        int
	bytes          int64
	lowest, higest int // rating
}{
	trainPos: {"train/pos", 12500, 16842831, 7, 10},
	trainNeg: {"train/neg", 12500, 16289992, 1, 4},
	testPos:  {"test/pos", 12500, 16283357, 7, 10},
	testNeg:  {"test/neg", 12500, 16067328, 1, 4},
	unsup:    {"train/unsup", 50000, 66506794, 0, 0},
}

// The digests of the official texts, see textsDigest. They were computed from a copy of the archive's files whose
// labelled reviews, as words, give exactly the ids of imdb.npz.
const (
	trainTextsDigest = "72c3ce479c7531b0edff93c09ead9c2f2a3006dac8337ffcfc7ea234c90214af"
	testTextsDigest  = "860238af3878c50d10d435eca0ac66c3ba7ee55c41b793bbbe17ae62ecc93173"
	unsupTextsDigest = "b83b8c1dd9a0ae999f614c1f6ee8b4e91e2c026da30dd199131dfa25330d68e0"
)

// maxReview is far above the length of any review.
const maxReview = 1 << 20

// LoadTexts reads the reviews as texts: 25,000 to train on and 25,000 to test with. Text i belongs to review i of
// [Load] when the seeds are the same. Beside the texts it takes next to no memory, and it skips the reviews without
// labels. It fails when there is no archive (fs.ErrNotExist is wrapped), when it is damaged, and when it holds other
// texts than the official one and [TextOptions].AllowUnverified is not set.
func LoadTexts(ctx context.Context, o TextOptions) (train, test *TextSplit, err error) {
	if ctx == nil {
		return nil, nil, errNilContext
	}
	seed, err := o.seed()
	if err != nil {
		return nil, nil, err
	}
	found, err := findTexts(o.Path, true)
	if err != nil {
		return nil, nil, err
	}
	c := newCollector(!o.AllowUnverified, trainPos, trainNeg, testPos, testNeg)
	if err := found.read(ctx, c, o.limit()); err != nil {
		return nil, nil, err
	}
	random := numpy.NewRandomState(seed)
	parts := [2][]class{{trainPos, trainNeg}, {testPos, testNeg}}
	var orders [2][]int32
	for i, part := range parts {
		if n := c.len(part); !o.NoShuffle {
			orders[i] = random.Permutation(n)
		}
	}
	var splits [2]*TextSplit
	var errs [2]error
	both(func(i int) {
		want := [2]string{trainTextsDigest, testTextsDigest}[i]
		splits[i], errs[i] = c.arrange(parts[i], orders[i], want)
	})
	switch {
	case errs[0] != nil && errs[1] != nil:
		return nil, nil, found.notOfficial(fmt.Errorf("%w, %w", errs[0], errs[1]))
	case errs[0] != nil || errs[1] != nil:
		return nil, nil, found.notOfficial(cmp.Or(errs[0], errs[1]))
	}
	return splits[0], splits[1], ctx.Err()
}

// LoadUnsupervisedTexts reads the 50,000 reviews that have no labels, in the order of the same options as [LoadTexts].
func LoadUnsupervisedTexts(ctx context.Context, o TextOptions) (*TextSplit, error) {
	if ctx == nil {
		return nil, errNilContext
	}
	seed, err := o.seed()
	if err != nil {
		return nil, err
	}
	found, err := findTexts(o.Path, false)
	if err != nil {
		return nil, err
	}
	c := newCollector(!o.AllowUnverified, unsup)
	if err := found.read(ctx, c, o.limit()); err != nil {
		return nil, err
	}
	part := []class{unsup}
	var order []int32
	if n := c.len(part); !o.NoShuffle {
		order = numpy.NewRandomState(seed).Permutation(n)
	}
	split, err := c.arrange(part, order, unsupTextsDigest)
	if err != nil {
		return nil, found.notOfficial(err)
	}
	return split, ctx.Err()
}

func (o TextOptions) seed() (uint32, error) {
	if err := o.limit().Check(); err != nil {
		return 0, fmt.Errorf("imdb: %w", err)
	}
	seed := int64(or(o.Seed, 113))
	if seed < 0 || seed > math.MaxUint32 {
		return 0, fmt.Errorf("imdb: Seed is %d; it must be from 0 to 4294967295", seed)
	}
	if o.NoShuffle && o.Seed != nil {
		return 0, fmt.Errorf("imdb: Seed is %d, but NoShuffle is set", seed)
	}
	return uint32(seed), nil
}

// review is one text as it was found.
type review struct {
	name, text string
	rating     int32
}

// collector takes the reviews of some classes, in any order.
type collector struct {
	verify  bool
	wanted  [numClasses]bool
	reviews [numClasses][]review
	bytes   [numClasses]int64
	arenas  [numClasses]textfile.Arena
}

func newCollector(verify bool, wanted ...class) *collector {
	c := &collector{verify: verify}
	for _, k := range wanted {
		c.wanted[k] = true
	}
	return c
}

// classify says whether a path is that of a review that is wanted, and its name below the archive's top folder. A file
// of a review's folder that is no text is not for us; a text whose name is not that of a review is an error.
func (c *collector) classify(path string) (k class, name string, rating int32, wanted bool, err error) {
	file := path[strings.LastIndexByte(path, '/')+1:]
	folder := strings.TrimSuffix(path[:len(path)-len(file)], "/")
	for k = range numClasses {
		above, ok := strings.CutSuffix(folder, classes[k].folder)
		if !ok || above != "" && !strings.HasSuffix(above, "/") {
			continue
		}
		if !c.wanted[k] || strings.HasPrefix(file, ".") || !strings.HasSuffix(file, ".txt") {
			return 0, "", 0, false, nil
		}
		id, stars, ok := strings.Cut(strings.TrimSuffix(file, ".txt"), "_")
		n, bad := strconv.ParseUint(stars, 10, 8)
		if _, bad2 := strconv.ParseUint(id, 10, 32); !ok || bad != nil || bad2 != nil || n > 10 {
			return 0, "", 0, false, errors.New("its name is not that of a review, as in 123_8.txt: a number and a rating from 0 to 10")
		}
		return k, path[len(above):], int32(n), true, nil
	}
	return 0, "", 0, false, nil
}

// add takes a review.
func (c *collector) add(k class, name string, rating int32, text []byte) error {
	if official := &classes[k]; c.verify {
		c.bytes[k] += int64(len(text))
		if len(c.reviews[k]) == official.reviews || c.bytes[k] > official.bytes {
			return otherReviews(fmt.Sprintf("%s has more than %d reviews of together %d bytes", official.folder, official.reviews, official.bytes))
		}
	}
	a := &c.arenas[k]
	c.reviews[k] = append(c.reviews[k], review{name: a.Add([]byte(name)), text: a.Add(text), rating: rating})
	return nil
}

// otherReviews is the error of an archive that is in order but is not the official one.
type otherReviews string

func (o otherReviews) Error() string { return string(o) }

// complete reports whether all the official reviews are there, so that none is left to wait for.
func (c *collector) complete() bool {
	if !c.verify {
		return false
	}
	for k, wanted := range c.wanted {
		if wanted && (len(c.reviews[k]) < classes[k].reviews || c.bytes[k] < classes[k].bytes) {
			return false
		}
	}
	return true
}

// sort puts each class into the order of names, whatever order the archive had.
func (c *collector) sort() error {
	for k := range c.reviews {
		r := c.reviews[k]
		slices.SortFunc(r, func(a, b review) int { return strings.Compare(a.name, b.name) })
		for i := 1; i < len(r); i++ {
			if r[i].name == r[i-1].name {
				return fmt.Errorf("%s is there twice", shown.Name(r[i].name))
			}
		}
	}
	return nil
}

func (c *collector) len(part []class) (n int) {
	for _, k := range part {
		n += len(c.reviews[k])
	}
	return n
}

// arrange makes a split of some classes, in the given order, or in their own when it is nil.
func (c *collector) arrange(part []class, order []int32, digest string) (*TextSplit, error) {
	if c.verify {
		for _, k := range part {
			if n, want := len(c.reviews[k]), classes[k].reviews; n != want {
				return nil, fmt.Errorf("%s has %d reviews in place of %d", classes[k].folder, n, want)
			}
		}
		if got := c.digest(part); got != digest {
			return nil, fmt.Errorf("the digest of the texts in %s is %s", strings.Join(folders(part), " and "), got)
		}
	}
	n := c.len(part)
	s := &TextSplit{Texts: make([]string, n), Names: make([]string, n)}
	if part[0] != unsup {
		s.Labels, s.Ratings = make([]int32, n), make([]int32, n)
	}
	for row := range n {
		i := row
		if order != nil {
			i = int(order[row])
		}
		k := part[0]
		if first := len(c.reviews[k]); i >= first {
			k, i = part[1], i-first
		}
		r := c.reviews[k][i]
		s.Texts[row], s.Names[row] = r.text, r.name
		if part[0] != unsup {
			s.Ratings[row] = r.rating
			if k == trainPos || k == testPos {
				s.Labels[row] = 1
			}
		}
	}
	return s, nil
}

func folders(part []class) (names []string) {
	for _, k := range part {
		names = append(names, classes[k].folder)
	}
	return names
}

// digest is the sha256 of all reviews of some classes in the order of names: of each the length of its name and of its
// text as little-endian 32-bit integers, then name and text.
func (c *collector) digest(part []class) string {
	h := sha256.New()
	buf := make([]byte, 0, 64<<10)
	for _, k := range part {
		for _, r := range c.reviews[k] {
			if len(buf)+8+len(r.name)+len(r.text) > cap(buf) {
				h.Write(buf)
				buf = buf[:0]
			}
			buf = binary.LittleEndian.AppendUint32(buf, uint32(len(r.name)))
			buf = binary.LittleEndian.AppendUint32(buf, uint32(len(r.text)))
			buf = append(append(buf, r.name...), r.text...)
		}
	}
	h.Write(buf)
	return hex.EncodeToString(h.Sum(nil))
}
