package regions

import (
	"fmt"
	"math"
	"slices"

	"github.com/linnet-ml/linnet/classifier/internal/features"
	"github.com/linnet-ml/linnet/simd"
)

// MostUnits is the largest number of units for each size of regions.
const MostUnits = 4096

// Parts is everything a Network consists of. With n words, u units for each size of regions and k scores:
type Parts struct {
	Words  []uint64  // (n): the words' hashes in ascending order, of which the upper HashBits bits are known; the others are 0
	Small  []int8    // (3, n, u): weights of a word at each place of a small region, times Scale of its unit
	Large  []int8    // (n, u): weights of a word in a large region
	Scale  []float32 // (2, u): of small, then of large regions
	Bias   []float32 // (2, u)
	Output []float32 // (2, u, k)
}

// Check returns an error if parts do not go together, for so many units and scores.
func (p *Parts) Check(units, scores int) error {
	n := len(p.Words)
	if units < 1 || units > MostUnits {
		return fmt.Errorf("a network of %d units: want 1 to %d", units, MostUnits)
	}
	for _, l := range [...]struct {
		name      string
		got, want int
	}{{"large", len(p.Large), n * units}, {"small", len(p.Small), small * n * units}, {"scale", len(p.Scale), 2 * units}, {"unit_bias", len(p.Bias), 2 * units}, {"output", len(p.Output), 2 * units * scores}} {
		if l.got != l.want {
			return fmt.Errorf("network.%s has %d elements, want %d", l.name, l.got, l.want)
		}
	}
	for i, h := range p.Words {
		if h<<HashBits != 0 {
			return fmt.Errorf("the hash of the network's word %d has more than %d bits", i, HashBits)
		}
		if i > 0 && p.Words[i-1] >= h {
			return fmt.Errorf("the hash of the network's word %d is not above the one before", i)
		}
	}
	for _, v := range [...]struct {
		name string
		x    []float32
		low  float32
	}{{"scale", p.Scale, 0}, {"unit_bias", p.Bias, -math.MaxFloat32}, {"output", p.Output, -math.MaxFloat32}} {
		for i, x := range v.x {
			if !(x >= v.low && x <= math.MaxFloat32) {
				return fmt.Errorf("network.%s[%d] is %g", v.name, i, x)
			}
		}
	}
	return nil
}

// Parts returns the network with weights of 8 bits, and with the given factor for each score; and the biases of the
// scores, which Parts lacks, with the same factors.
func (t *Trainer) Parts(factor []float32) (*Parts, []float32) {
	n, k := len(t.texts.Hash), t.settings.Scores
	order := make([]int32, n)
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		if t.texts.Hash[a] < t.texts.Hash[b] {
			return -1
		}
		return 1
	})
	p := &Parts{}
	for _, id := range order {
		p.Words = append(p.Words, t.texts.Hash[id]>>(64-HashBits)<<(64-HashBits))
	}
	u := t.settings.Units
	p.Small, p.Large = make([]int8, small*n*u), make([]int8, n*u)
	first := 0 // the group's first unit
	for _, g := range t.groups {
		to := p.Small
		if g.size == large {
			to = p.Large
		}
		for i := range g.n {
			most := float32(0)
			for at := i; at < len(g.weight); at += g.n {
				most = max(most, g.weight[at], -g.weight[at])
			}
			scale := most / 127
			p.Scale, p.Bias = append(p.Scale, scale), append(p.Bias, g.bias[i])
			for c, w := range g.out[i*k:][:k] {
				p.Output = append(p.Output, float32(w*factor[c]))
			}
			if scale == 0 {
				continue
			}
			for table := range g.tables() {
				for j, id := range order {
					to[(table*n+j)*u+first+i] = int8(math.Floor(float64(g.row(table, id)[i]/scale) + 0.5))
				}
			}
		}
		if first += g.n; first == u {
			first = 0
		}
	}
	bias := make([]float32, k)
	for c, b := range t.bias {
		bias[c] = float32(b * factor[c])
	}
	return p, bias
}

// A Network scores texts. It never changes, and any number of goroutines may use it.
type Network struct {
	groups   []*units
	scores   int
	settings features.Settings
	words    int
	slots    []slot
	shift    uint
}

// slot has a word's hash and its number, plus 1.
type slot struct {
	hash uint64
	id   int32
}

// NewNetwork returns the network of parts, which have passed [Parts.Check]. The words of texts are those of the settings.
func NewNetwork(p *Parts, unitsOfSize, scores int, s features.Settings) *Network {
	log := 4
	for 1<<log < 2*len(p.Words) {
		log++
	}
	x := &Network{scores: scores, words: len(p.Words), slots: make([]slot, 1<<log), shift: uint(64 - log)}
	x.settings = features.Settings{WordMin: 1, WordMax: 1, KeepCase: s.KeepCase, Punctuation: s.Punctuation}
	for id, h := range p.Words {
		at := h >> x.shift
		for x.slots[at].id != 0 {
			at = (at + 1) & uint64(len(x.slots)-1)
		}
		x.slots[at] = slot{h, int32(id + 1)}
	}
	for half, size := range [...]int{small, large} {
		from := p.Small
		if size == large {
			from = p.Large
		}
		for first := 0; first < unitsOfSize; first += unitShare {
			n := min(unitShare, unitsOfSize-first)
			u := &units{size: size, n: n, words: len(p.Words)}
			at := half*unitsOfSize + first
			u.bias, u.out = p.Bias[at:at+n], p.Output[at*scores:(at+n)*scores]
			u.weight = make([]float32, u.tables()*(u.words+1)*n)
			scale := p.Scale[at : at+n]
			for table := range u.tables() {
				for id := range u.words {
					row := u.row(table, int32(id))
					for i, q := range from[(table*u.words+id)*unitsOfSize+first:][:n] {
						row[i] = float32(q) * scale[i]
					}
				}
			}
			x.groups = append(x.groups, u)
		}
	}
	return x
}

// number returns the number of a word, or that of no word.
func (x *Network) number(hash uint64) int32 {
	hash = hash >> (64 - HashBits) << (64 - HashBits)
	for at := hash >> x.shift; ; at = (at + 1) & uint64(len(x.slots)-1) {
		switch s := &x.slots[at]; {
		case s.id == 0:
			return int32(x.words)
		case s.hash == hash:
			return s.id - 1
		}
	}
}

// A Reader reads texts for a Network. It owns memory for one text; one goroutine at a time may use it.
type Reader struct {
	network       *Network
	most          int // words of a text that are read
	scanner       *features.Scanner
	ids           []int32
	sum, best, at [unitShare]float32
}

// countedWords is how many words of a text are read: the numbers of regions are float32, which are exact up to it.
const countedWords = 1 << 24

// NewReader returns a Reader.
func (x *Network) NewReader() *Reader {
	return &Reader{network: x, most: countedWords, scanner: features.NewScanner(x.settings)}
}

// read numbers the words of a text, and reports whether the network knows one of them.
func (r *Reader) read(text string) (known bool) {
	words := r.scanner.Scan(text)
	words = words[:min(len(words), r.most)]
	if cap(r.ids) < len(words) {
		r.ids = make([]int32, 2*len(words))
	}
	r.ids = r.ids[:len(words)]
	for i, h := range words {
		r.ids[i] = r.network.number(h)
		known = known || int(r.ids[i]) < r.network.words
	}
	return known
}

// Add adds the scores of a text to z, one for each score of the network, and reports whether the network knows a word of the text.
func (r *Reader) Add(z []float32, text string) (known bool) {
	known = r.read(text)
	for _, u := range r.network.groups {
		best := r.best[:u.n]
		u.forward(best, r.at[:u.n], r.sum[:u.n], r.ids)
		simd.Add(best, best, u.bias)
		u.add(z, best)
	}
	return known
}

// Explain returns the words of a text and what each contributes to score k, and the rest, which no word does. A unit's part of
// the score goes to the words of the region that has the largest value. All of it adds up to the score, but for rounding. Words
// after the first 16 Mi count for nothing and are left out.
func (r *Reader) Explain(text string, k int) (words []features.Span, contributions []float32, rest float32) {
	r.scanner.RecordPlaces()
	r.read(text)
	words = r.scanner.Tokens()[:len(r.ids)]
	contributions = make([]float32, len(words))
	for _, u := range r.network.groups {
		u.forward(r.best[:u.n], r.at[:u.n], r.sum[:u.n], r.ids)
		for i, v := range r.best[:u.n] {
			if v+u.bias[i] <= 0 {
				continue
			}
			out := u.out[i*r.network.scores+k]
			rest += float32(out * u.bias[i])
			at := int(r.at[i])
			for j, id := range r.ids[at:min(at+u.size, len(r.ids))] {
				table := 0
				if u.size == small {
					table = j
				}
				contributions[at+j] += float32(out * u.row(table, id)[i])
			}
		}
	}
	return words, contributions, rest
}
