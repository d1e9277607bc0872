package classifier

import (
	"fmt"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/linnet-ml/linnet/classifier/internal/calibration"
	"github.com/linnet-ml/linnet/classifier/internal/features"
	"github.com/linnet-ml/linnet/classifier/internal/regions"
)

// Spec is the settings of a Classifier, as plain data.
type Spec struct {
	Classes    []string `json:"classes"` // in ascending order, each once; none is empty
	MultiLabel bool     `json:"multi_label"`

	WordMin     int  `json:"word_min"` // words in an n-gram; 0 and 0 for none
	WordMax     int  `json:"word_max"`
	CharMin     int  `json:"char_min"` // characters in an n-gram; 0 and 0 for none
	CharMax     int  `json:"char_max"`
	KeepCase    bool `json:"keep_case"`
	Punctuation bool `json:"punctuation"`

	Weighting string `json:"weighting"` // "tf-idf" or "binary"

	// NetworkUnits is how many units the network has for each size of regions; 0 without a network.
	NetworkUnits int `json:"network_units,omitempty"`

	// MinConfidence is the probability below which a text has no label; 0 where a text may have several.
	MinConfidence float32 `json:"min_confidence,omitempty"`
	// HashBits is how many of the upper bits of hashes are known if these are fewer than a model of this size usually has, which
	// is so after [Classifier.Continue] has added n-grams. Else it is 0.
	HashBits int `json:"hash_bits,omitempty"`
	// Spread and SpreadPower make logits more even, of three classes or more of which a text has one: they are multiplied by
	// (Spread/s)^SpreadPower, where s is their standard deviation in the text. SpreadPower is 0 (and so is Spread), 0.25, 0.5 or 0.75.
	Spread      float32 `json:"spread,omitempty"`
	SpreadPower float32 `json:"spread_power,omitempty"`
	// Lengths are what stays of the length of a text's values, on average, if 1/16, 2/16, … of the n-grams do, those with the
	// largest weights; empty where that is not known.
	Lengths []float32 `json:"lengths,omitempty"`
}

// Kind names the spec's kind.
func (Spec) Kind() string { return "classifier.Linear" }

func (s Spec) features() features.Settings {
	return features.Settings{WordMin: s.WordMin, WordMax: s.WordMax, CharMin: s.CharMin, CharMax: s.CharMax, KeepCase: s.KeepCase, Punctuation: s.Punctuation}
}

// setEvenness sets Spread and SpreadPower.
func (p *Parts) setEvenness(e calibration.Evenness) {
	p.Spec.Spread, p.Spec.SpreadPower = 0, 0
	if e.Quarters > 0 && e.Spread > 0 && e.Spread <= math.MaxFloat32 {
		p.Spec.Spread, p.Spec.SpreadPower = float32(e.Spread), float32(e.Quarters)/4
	}
}

// quarters is how many quarters SpreadPower is.
func (s Spec) quarters() int { return int(4 * s.SpreadPower) }

// evenness makes logits even.
func (s Spec) evenness() calibration.Evenness {
	return calibration.Evenness{Spread: float64(s.Spread), Quarters: s.quarters()}
}

// has returns whether there are n-grams of a block.
func (s Spec) has(b block) bool {
	return b == words && s.WordMax > 0 || b == characters && s.CharMax > 0
}

// columns is the number of scores: one for two classes, else one for each.
func (s Spec) columns() int {
	if len(s.Classes) == 2 && !s.MultiLabel {
		return 1
	}
	return len(s.Classes)
}

// thresholds is the number of thresholds: none where the most probable class is the label.
func (s Spec) thresholds() int {
	if k := s.columns(); s.MultiLabel || k == 1 {
		return k
	}
	return 0
}

// maxFeatures is the largest number of n-grams in a model.
const maxFeatures = 1 << 30

// Parts is everything a Classifier consists of. With n n-grams and k scores (one for two classes of which a text has one,
// that of the second; else one for each class):
type Parts struct {
	Spec    Spec
	Hashes  []uint64  // (n): the n-grams' hashes, in ascending order; their upper bits, the others are 0
	Inverse []uint8   // (n): inverse document frequencies, in steps of 1/16, at least 1; empty where values are binary
	Weights []int8    // (n, k): q stands for (q/127)^2, with q's sign, times Scale of its column
	Scale   []float32 // (k)
	Bias    []float32 // (k): what is added to the sum of weights; the result is a logit
	Prior   []float32 // (k): the logits of a text without a known n-gram
	// (k): the probability from which a label is given, where a text may have several; (1) that from which a text is of
	// the second of two classes; else empty, and the most probable class is the label.
	Threshold []float32
	Network   *Network // nil without one
}

// inverse is the inverse document frequency of an n-gram.
func (p *Parts) inverse(id uint32) uint8 {
	if len(p.Inverse) == 0 {
		return 1
	}
	return p.Inverse[id]
}

// known is how many of the upper bits of hashes are known.
func (p *Parts) known() int {
	if p.Spec.HashBits > 0 {
		return p.Spec.HashBits
	}
	return hashBits(len(p.Hashes))
}

// setHashes sets the hashes of n-grams in order, of which so many bits are known.
func (p *Parts) setHashes(hashes []uint64, ordered []uint32, known int) {
	p.Hashes, p.Spec.HashBits = make([]uint64, len(ordered)), 0
	for i, f := range ordered {
		p.Hashes[i] = truncate(hashes[f], known)
	}
	if known < hashBits(len(ordered)) {
		p.Spec.HashBits = known
	}
}

// check returns an error if parts do not go together.
func (p *Parts) check() error {
	s := p.Spec
	if err := s.check(); err != nil {
		return err
	}
	n, k := len(p.Hashes), s.columns()
	inverse, thresholds := n, s.thresholds()
	if s.Weighting == string(features.Binary) {
		inverse = 0
	}
	for _, l := range [...]struct {
		name      string
		got, want int
	}{{"inverse", len(p.Inverse), inverse}, {"scale", len(p.Scale), k}, {"bias", len(p.Bias), k}, {"prior", len(p.Prior), k}, {"threshold", len(p.Threshold), thresholds}} {
		if l.got != l.want {
			return fmt.Errorf("%s has %d elements, want %d", l.name, l.got, l.want)
		}
	}
	if len(p.Weights)%k != 0 || len(p.Weights)/k != n {
		return fmt.Errorf("weights has %d elements, want %d times %d", len(p.Weights), n, k)
	}
	if err := p.checkNetwork(); err != nil {
		return err
	}
	if n > maxFeatures {
		return fmt.Errorf("%d n-grams are too many", n)
	}
	if i := slices.Index(p.Inverse, 0); i >= 0 {
		return fmt.Errorf("inverse[%d] is 0", i)
	}
	if b := s.HashBits; b != 0 && (b < placeBits(n) || b >= hashBits(n)) {
		return fmt.Errorf("hashes of %d bits for %d n-grams: want %d to %d, or 0", b, n, placeBits(n), hashBits(n)-1)
	}
	known := p.known()
	for i, h := range p.Hashes {
		if i > 0 && p.Hashes[i-1] >= h {
			return fmt.Errorf("the hash of n-gram %d is not above the one before", i)
		}
		if h != truncate(h, known) {
			return fmt.Errorf("the hash of n-gram %d has more than %d bits", i, known)
		}
	}
	for _, v := range [...]struct {
		name      string
		x         []float32
		low, high float32
	}{{"scale", p.Scale, 0, math.MaxFloat32}, {"bias", p.Bias, -math.MaxFloat32, math.MaxFloat32}, {"prior", p.Prior, -math.MaxFloat32, math.MaxFloat32}, {"threshold", p.Threshold, 0, 1}} {
		for i, x := range v.x {
			if !(x >= v.low && x <= v.high) {
				return fmt.Errorf("%s[%d] is %g", v.name, i, x)
			}
		}
	}
	return nil
}

// checkSpread returns an error if Spread and SpreadPower are impossible.
func (s Spec) checkSpread() error {
	if p := s.SpreadPower; p != 0 && p != 0.25 && p != 0.5 && p != 0.75 {
		return fmt.Errorf("spread_power %g: want 0, 0.25, 0.5 or 0.75", p)
	}
	if !(s.Spread >= 0 && s.Spread <= math.MaxFloat32) || (s.Spread == 0) != (s.SpreadPower == 0) {
		return fmt.Errorf("spread %g with spread_power %g: want both, above 0, or none", s.Spread, s.SpreadPower)
	}
	if s.Spread != 0 && (s.MultiLabel || s.columns() == 1) {
		return fmt.Errorf("spread %g: want none unless a text is of one of three classes or more", s.Spread)
	}
	return nil
}

// check returns an error if settings are impossible.
func (s Spec) check() error {
	if err := s.features().Check(); err != nil {
		return err
	}
	if s.WordMax == 0 && s.CharMax == 0 {
		return fmt.Errorf("no n-grams of words and none of characters")
	}
	if s.Weighting != string(features.TFIDF) && s.Weighting != string(features.Binary) {
		return fmt.Errorf("weighting %.40q: want %q or %q", s.Weighting, features.TFIDF, features.Binary)
	}
	if !(s.MinConfidence >= 0 && s.MinConfidence <= 1) || s.MultiLabel && s.MinConfidence != 0 {
		return fmt.Errorf("a confidence of %g: want 0 to 1, and 0 where a text may have several labels", s.MinConfidence)
	}
	if s.NetworkUnits < 0 || s.NetworkUnits > regions.MostUnits {
		return fmt.Errorf("a network of %d units: want 0 to %d", s.NetworkUnits, regions.MostUnits)
	}
	if err := s.checkSpread(); err != nil {
		return err
	}
	if len(s.Lengths) != 0 && len(s.Lengths) != lengthSteps {
		return fmt.Errorf("%d lengths: want %d or none", len(s.Lengths), lengthSteps)
	}
	for i, v := range s.Lengths {
		if !(v >= 0 && v <= 1) || i > 0 && v < s.Lengths[i-1] {
			return fmt.Errorf("lengths[%d] is %g: want ascending ones from 0 to 1", i, v)
		}
	}
	if len(s.Classes) == 0 || len(s.Classes) < 2 && !s.MultiLabel {
		return fmt.Errorf("%d classes", len(s.Classes))
	}
	for _, c := range s.Classes {
		if c == "" {
			return fmt.Errorf("a class has no name")
		}
		if !utf8.ValidString(c) {
			return fmt.Errorf("class %.40q is not UTF-8", c)
		}
	}
	for i := range s.Classes[1:] {
		if s.Classes[i] >= s.Classes[i+1] {
			return fmt.Errorf("class %.40q does not come before %.40q", s.Classes[i], s.Classes[i+1])
		}
	}
	return nil
}
