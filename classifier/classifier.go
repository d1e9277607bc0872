package classifier

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/linnet-ml/linnet/classifier/internal/calibration"
	"github.com/linnet-ml/linnet/classifier/internal/features"
	"github.com/linnet-ml/linnet/classifier/internal/regions"
	"github.com/linnet-ml/linnet/internal/budget"
)

// A Classifier labels texts. It never changes, and any number of goroutines may use it. [Train], [Load] and [New] make one; of one
// that is nil or empty all methods return nothing, and an error if they can.
type Classifier struct {
	parts   Parts
	columns int
	index   *features.Table
	weigher *features.Weigher
	decode  [256]float32 // the value of a weight, by uint8(q)
	squares [256]int32   // the same in units of 1/127^2
	scratch sync.Pool    // *scratch
	report  *Report
	network *regions.Network // nil without one

	evenness calibration.Evenness
}

// New returns the Classifier that consists of parts, which must not change any more.
func New(p Parts) (*Classifier, error) {
	c, err := newClassifier(context.Background(), p)
	if err != nil {
		return nil, fmt.Errorf("classifier: %w", err)
	}
	return c, nil
}

func newClassifier(ctx context.Context, p Parts) (*Classifier, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c := &Classifier{parts: p, columns: p.Spec.columns(), weigher: features.NewWeigher(features.Weighting(p.Spec.Weighting)), evenness: p.Spec.evenness()}
	for q := -128; q < 128; q++ {
		c.squares[uint8(q)] = square(int8(q))
		c.decode[uint8(q)] = float32(square(int8(q))) / (127 * 127)
	}
	entry := func(int) uint8 { return 0 }
	if c.columns == 1 {
		entry = func(i int) uint8 { return uint8(p.Weights[i]) }
	}
	var err error
	if c.index, err = features.NewTable(p.Hashes, hashBits(len(p.Hashes)), p.known(), entry); err != nil {
		return nil, err
	}
	if n := p.Network; n != nil {
		if err := budget.CheckBytes(fmt.Sprintf("the weights of a network of %d words", len(n.Words)), 4*(uint64(len(n.Small))+uint64(len(n.Large)))); err != nil {
			return nil, err
		}
		c.network = regions.NewNetwork(n.parts(), p.Spec.NetworkUnits, c.columns, p.Spec.features())
	}
	c.scratch.New = func() any {
		s := &scratch{scanner: newScanner(p.Spec), counter: features.NewCounter(len(p.Hashes)), sums: make([]float32, c.columns), scores: make([]float32, c.columns)}
		if c.network != nil {
			s.reader = c.network.NewReader()
		}
		return s
	}
	return c, nil
}

// made reports whether New, or what calls it, has made the Classifier.
func (c *Classifier) made() bool { return c != nil && c.index != nil }

// errNotMade reports a Classifier that is not made.
var errNotMade = errors.New("the Classifier is nil or empty: Train, Load and New make one")

func newScanner(s Spec) *features.Scanner { return features.NewScanner(s.features()) }

// single returns whether there is one score, to which every n-gram of a text adds its weight once.
func (c *Classifier) single() bool {
	return c.columns == 1 && c.parts.Spec.Weighting == string(features.Binary)
}

// square is the value of a weight of 8 bits in units of 1/127^2: squares keep small weights apart, which most are.
func square(q int8) int32 {
	v := int32(q)
	return v * max(v, -v)
}

// Parts returns what the Classifier consists of. The caller must not change it.
func (c *Classifier) Parts() Parts {
	if c == nil {
		return Parts{}
	}
	return c.parts
}

// Classes returns the classes in the order of a Result's Scores.
func (c *Classifier) Classes() []string { return slices.Clone(c.Parts().Spec.Classes) }

// Report says how the Classifier was found. The caller must not change it. It is nil if New made the Classifier.
func (c *Classifier) Report() *Report {
	if c == nil {
		return nil
	}
	return c.report
}
