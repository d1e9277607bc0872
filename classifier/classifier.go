package classifier

import (
	"slices"
	"sync"

	"github.com/linnet-ml/linnet/classifier/internal/features"
)

// A Classifier labels texts. It never changes, and any number of goroutines may use it. [Train] and [New] make one.
type Classifier struct {
	parts   Parts
	columns int
	table   *table
	weigher *features.Weigher
	decode  [256]float32 // the value of a weight, by uint8(q)
	scratch sync.Pool    // *scratch
	report  *Report
}

// New returns the Classifier that consists of parts, which must not change any more.
func New(p Parts) (*Classifier, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	t, err := newTable(p.Hashes)
	if err != nil {
		return nil, err
	}
	c := &Classifier{parts: p, columns: p.Spec.columns(), table: t, weigher: features.NewWeigher(features.Weighting(p.Spec.Weighting))}
	for q := -128; q < 128; q++ {
		c.decode[uint8(q)] = decode(q)
	}
	c.scratch.New = func() any {
		return &scratch{scanner: features.NewScanner(p.Spec.features()), sums: make([]float32, c.columns), scores: make([]float32, c.columns)}
	}
	return c, nil
}

// decode is the value of a weight of 8 bits: squares keep small weights apart, which most are.
func decode(q int) float32 {
	v := float32(q*q) / (127 * 127)
	if q < 0 {
		return -v
	}
	return v
}

// Parts returns what the Classifier consists of. The caller must not change it.
func (c *Classifier) Parts() Parts { return c.parts }

// Classes returns the classes in the order of a Result's Scores.
func (c *Classifier) Classes() []string { return slices.Clone(c.parts.Spec.Classes) }

// Report says how the Classifier was found. It is nil if New made it.
func (c *Classifier) Report() *Report { return c.report }
