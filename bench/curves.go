package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

// Size is that of a training step with the tutorial's network.
type Size struct {
	Batch, Vocabulary, Dim, Length, Threads int
}

// tutorialSize is the middle of all curves.
var tutorialSize = Size{Batch: Batch, Vocabulary: Words, Dim: 16, Length: Length, Threads: 1}

// Curve is a way from small to large, along one of the sizes.
type Curve struct {
	Name  string // the size that grows
	Sizes []Size
}

// Curves are those that are measured.
func Curves() []Curve {
	along := func(name string, set func(s *Size, v int), values ...int) Curve {
		c := Curve{Name: name}
		for _, v := range values {
			s := tutorialSize
			set(&s, v)
			c.Sizes = append(c.Sizes, s)
		}
		return c
	}
	return []Curve{
		along("batch", func(s *Size, v int) { s.Batch = v }, 32, 64, 128, 256, 512, 1024, 2048, 4096),
		along("vocabulary", func(s *Size, v int) { s.Vocabulary = v }, 1e3, 1e4, 1e5, 1e6),
		along("dimension", func(s *Size, v int) { s.Dim = v }, 8, 16, 32, 64, 128, 256),
		along("length", func(s *Size, v int) { s.Length = v }, 64, 128, 256, 512, 1024, 2048, 4096),
		along("threads", func(s *Size, v int) { s.Threads = v }, 1, 2),
		along("threads of batch 4096", func(s *Size, v int) { s.Threads, s.Batch = v, 4096 }, 1, 2),
	}
}

// Value is the size that the curve goes along.
func (c Curve) Value(s Size) int {
	switch c.Name {
	case "batch":
		return s.Batch
	case "vocabulary":
		return s.Vocabulary
	case "dimension":
		return s.Dim
	case "length":
		return s.Length
	}
	return s.Threads
}

// Work is how much there is to do in a step, whatever the program: see its fields.
type Work struct {
	Pairs int // distinct ids of the rows, together
	Moved int // rows of the table that were ever in a batch, all of which Adam changes
}

// Elements is the work in float32 that a step must read or write at least: three a pair and column for the averages
// and their gradients, seven a moved row and column for Adam (w, m and v in and out, the gradient in), and six for
// each weight of the dense layers and row of the batch (three products of two).
func (w Work) Elements(s Size) int {
	return 3*w.Pairs*s.Dim + 7*w.Moved*s.Dim + 6*s.Batch*(s.Dim*16+16)
}

// sizedRows is how many reviews a curve's training has, a multiple of every batch.
const sizedRows = 8192

// Sized is a training of some size on made-up reviews.
type Sized struct {
	Size
	Work
	model *nn.Model
	data  nn.Data
}

// NewSized draws reviews and builds the tutorial's network for them.
func NewSized(ctx context.Context, s Size) (*Sized, error) {
	x, y, err := reviews(sizedRows, s.Length, s.Vocabulary)
	if err != nil {
		return nil, err
	}
	bags, err := text.MakeBags(x, text.BagOptions{Vocabulary: s.Vocabulary})
	if err != nil {
		return nil, err
	}
	t := &Sized{Size: s, data: nn.Data{X: bags, Y: y}}
	for row := range bags.Len() {
		from, to := bags.Bounds(row)
		t.Pairs += to - from
	}
	t.Pairs = t.Pairs * s.Batch / sizedRows // of a batch, on average
	t.Moved = distinct(bags)
	t.model, err = network(ctx, s.Vocabulary, s.Dim)
	return t, err
}

// reviews are ids (rows, length), which occur as words in a language do, the n-th most frequent one about 1/n times as often
// as the first, and labels by chance.
func reviews(rows, length, vocabulary int) (x, y *tensor.Int32, err error) {
	r := rand.New(rand.NewPCG(1, 2))
	words := rand.NewZipf(r, 1.1, 4, uint64(vocabulary-1))
	ids, labels := make([]int32, rows*length), make([]int32, rows)
	for i := range ids {
		ids[i] = int32(words.Uint64())
	}
	for i := range labels {
		labels[i] = r.Int32N(2)
	}
	if x, err = tensor.Of(ids, rows, length); err != nil {
		return nil, nil, err
	}
	y, err = tensor.Of(labels)
	return x, y, err
}

// Step is the median time of a step, after an epoch in which every row moved, over epochs until atLeast has passed.
func (t *Sized) Step(ctx context.Context, atLeast time.Duration) (time.Duration, error) {
	o := fitOptions(1<<20, t.Batch, t.Threads)
	start := time.Now()
	o.Callbacks = []nn.Callback{plan.CallbackFunc(func(e plan.Event, tr plan.Training) error {
		if e == plan.EpochEnd && tr.Epoch() > 0 && time.Since(start) >= atLeast {
			tr.Stop("measured")
		}
		return nil
	})}
	epochs, err := StepTimes(ctx, t.model, t.data, o)
	if err != nil {
		return 0, err
	}
	var times []time.Duration
	for _, e := range epochs[1:] {
		times = append(times, e...)
	}
	return Median(times), nil
}

// Predict is the time to predict a row by the median of batches, over all rows until atLeast has passed.
func (t *Sized) Predict(ctx context.Context, atLeast time.Duration) (time.Duration, error) {
	bags := t.data.X.(*text.Bags)
	dst := make([]float32, 0, t.Batch)
	var times []time.Duration
	for start := time.Now(); len(times) == 0 || time.Since(start) < atLeast; {
		for lo := 0; lo < bags.Len(); lo += t.Batch {
			x := bags.Rows(lo, lo+t.Batch)
			begun := time.Now()
			if _, err := t.model.PredictInto(ctx, dst, x, nn.PredictOptions{BatchSize: t.Batch, Threads: t.Threads}); err != nil {
				return 0, err
			}
			times = append(times, time.Since(begun))
		}
	}
	return Median(times) / time.Duration(t.Batch), nil
}

func (s Size) String() string {
	return fmt.Sprintf("batch=%d/vocabulary=%d/dim=%d/length=%d/threads=%d", s.Batch, s.Vocabulary, s.Dim, s.Length, s.Threads)
}
