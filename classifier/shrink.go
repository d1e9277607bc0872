package classifier

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/linnet-ml/linnet/classifier/internal/linear"
	"github.com/linnet-ml/linnet/classifier/internal/parallel"
	"github.com/linnet-ml/linnet/internal/safetensors"
)

// lengthSteps is how many elements Spec.Lengths has.
const lengthSteps = 16

// ErrTooSmall is wrapped by the error for a size that no file of a Classifier fits into.
var ErrTooSmall = errors.New("too small for a classifier's file")

// byImportance returns the numbers of n-grams, those with the largest weight of any score first.
func (p *Parts) byImportance(ctx context.Context) ([]uint32, error) {
	k := p.Spec.columns()
	size := make([]float32, len(p.Hashes))
	order := make([]uint32, len(p.Hashes))
	watch := parallel.NewWatch(ctx)
	for i := range size {
		if err := watch.Spend(k); err != nil {
			return nil, err
		}
		order[i] = uint32(i)
		for j, q := range p.Weights[i*k : (i+1)*k] {
			size[i] = max(size[i], float32(max(square(q), -square(q)))*p.Scale[j])
		}
	}
	slices.SortFunc(order, func(a, b uint32) int {
		if c := cmp.Compare(size[b], size[a]); c != 0 {
			return c
		}
		return cmp.Compare(a, b)
	})
	return order, ctx.Err()
}

// measureLengths sets p.Spec.Lengths from the texts that were learned from: of is the kind of an n-gram in x, which has as many as
// all says, and columns are the numbers in x of those that p has.
func (p *Parts) measureLengths(ctx context.Context, x *linear.Matrix, of func(f uint32) block, all int, columns []uint32) error {
	n := len(columns)
	if n < lengthSteps {
		return nil
	}
	step := make([]uint8, all) // the first step that has the column, plus 1
	order, err := p.byImportance(ctx)
	if err != nil {
		return err
	}
	for rank, i := range order {
		step[columns[i]] = uint8(rank*lengthSteps/n) + 1
	}
	var sums [lengthSteps]float64
	total := 0
	watch := parallel.NewWatch(ctx)
	for i := range x.Rows() {
		var squares [blocks][lengthSteps]float64
		id, value := x.Row(int32(i))
		if err := watch.Spend(len(id)); err != nil {
			return err
		}
		for j, v := range value {
			if s := step[id[j]]; s > 0 {
				squares[of(id[j])][s-1] += float64(v) * float64(v)
			}
		}
		for _, x := range squares {
			all := 0.0
			for _, v := range x {
				all += v
			}
			if all == 0 {
				continue
			}
			total++
			part := 0.0
			for s, v := range x {
				part += v
				sums[s] += math.Sqrt(part / all)
			}
		}
	}
	if total == 0 {
		return nil
	}
	for _, s := range sums {
		p.Spec.Lengths = append(p.Spec.Lengths, float32(min(s/float64(total), 1)))
	}
	p.Spec.Lengths[lengthSteps-1] = 1
	return nil
}

// length is what stays of the length of a text's values, on average, if the share x of n-grams with the largest weights does.
func (s *Spec) length(x float64) float64 {
	if len(s.Lengths) == 0 {
		return 1
	}
	at := float64(x * lengthSteps)
	i := min(int(at), lengthSteps-1)
	low := 0.0
	if i > 0 {
		low = float64(s.Lengths[i-1])
	}
	return low + float64((at-float64(i))*(float64(s.Lengths[i])-low))
}

// Shrink returns a Classifier whose file has at most the given number of bytes: it leaves out the network, if there is one, and keeps
// the n-grams with the largest weights, one at least. A Classifier that is small enough already is returned as it is.
//
// What the lost n-grams would have added is gone. The others get smaller weights to make up for the rest: values of a
// text's n-grams have length 1 together, and are larger when they are fewer. How much, training has measured. Nothing else is measured:
// thresholds stay, and with them goals may be missed, and the [Report] says what the larger Classifier reached.
func (c *Classifier) Shrink(ctx context.Context, size int64) (*Classifier, error) {
	now, err := c.size(ctx)
	if err != nil {
		return nil, fmt.Errorf("classifier: %w", err)
	}
	if now <= size {
		return c, nil
	}
	if c.network != nil {
		without, err := c.withoutNetwork()
		if err != nil {
			return nil, fmt.Errorf("classifier: %w", err)
		}
		return without.Shrink(ctx, size)
	}
	order, err := c.parts.byImportance(ctx)
	if err != nil {
		return nil, fmt.Errorf("classifier: %w", err)
	}
	low, high := 0, len(order) // the largest number that fits is in [low, high)
	for low+1 < high {
		n := low + (high-low)/2
		if c.estimate(n, now) <= size {
			low = n
		} else {
			high = n
		}
	}
	least := min(1, len(order))                                   // without an n-gram all texts get the same answer
	for n := max(low, least); ; n = max(n-max(1, n/256), least) { // the estimate knows neither the digits in the header nor n-grams that become equal
		s, err := c.keep(order[:n])
		if err != nil {
			return nil, fmt.Errorf("classifier: %w", err)
		}
		got, err := s.size(ctx)
		if err != nil {
			return nil, fmt.Errorf("classifier: %w", err)
		}
		if got <= size {
			return s, nil
		}
		if n == least {
			return nil, fmt.Errorf("classifier: %w: %d bytes, the smallest has %d", ErrTooSmall, size, got)
		}
	}
}

// estimate is about the size of the file with n of the n-grams, if the file now has the given size.
func (c *Classifier) estimate(n int, now int64) int64 {
	data := func(n int) int64 {
		each := 3 + c.columns
		if len(c.parts.Inverse) > 0 {
			each++
		}
		return int64(n)*int64(each) + 1<<bucketBits(n)
	}
	return now - data(len(c.parts.Hashes)) + data(n)
}

// keep returns a Classifier with some of the n-grams, the first ones of byImportance.
func (c *Classifier) keep(numbers []uint32) (*Classifier, error) {
	p := c.parts
	total := len(p.Hashes)
	numbers, known := order(p.Hashes, numbers, p.known())
	p.setHashes(c.parts.Hashes, numbers, known)
	p.Weights, p.Inverse = nil, nil
	for _, i := range numbers {
		p.Weights = append(p.Weights, c.parts.Weights[int(i)*c.columns:(int(i)+1)*c.columns]...)
		if len(c.parts.Inverse) > 0 {
			p.Inverse = append(p.Inverse, c.parts.Inverse[i])
		}
	}
	share := ratio(len(numbers), total)
	length := p.Spec.length(share)
	p.Scale = slices.Clone(p.Scale)
	for k := range p.Scale {
		p.Scale[k] = float32(p.Scale[k] * float32(length))
	}
	if len(p.Spec.Lengths) > 0 {
		old := p.Spec
		p.Spec.Lengths = nil
		for i := range lengthSteps {
			if length > 0 {
				p.Spec.Lengths = append(p.Spec.Lengths, float32(min(1, old.length(share*float64(i+1)/lengthSteps)/length)))
			}
		}
	}
	s, err := newClassifier(context.Background(), p)
	if err != nil {
		return nil, err
	}
	if c.report != nil {
		r := *c.report
		r.Features = len(numbers)
		if r.Shrunk == 0 {
			r.Shrunk = total
		}
		s.report = &r
	}
	return s, nil
}

// size is the number of bytes of the Classifier's file.
func (c *Classifier) size(ctx context.Context) (int64, error) {
	metadata, entries, err := c.encode(ctx)
	if err != nil {
		return 0, err
	}
	var w counter
	err = safetensors.Write(ctx, &w, metadata, entries, safetensors.Aligned)
	return int64(w), err
}

// A counter counts what is written to it.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// withoutNetwork returns the linear model alone, as it was calibrated before it became part of an average.
func (c *Classifier) withoutNetwork() (*Classifier, error) {
	p := c.parts
	k := c.columns
	p.Network, p.Spec.NetworkUnits = nil, 0
	p.Scale, p.Bias = make([]float32, k), c.parts.Network.Without[k:]
	for j, s := range c.parts.Scale {
		p.Scale[j] = float32(s * c.parts.Network.Without[j])
	}
	x, err := newClassifier(context.Background(), p)
	if err != nil {
		return nil, err
	}
	if c.report != nil {
		r := *c.report
		if r.Network != nil {
			n := *r.Network
			n.Kept = false
			r.Network = &n
		}
		if r.Shrunk == 0 {
			r.Shrunk = len(p.Hashes)
		}
		x.report = &r
	}
	return x, nil
}
