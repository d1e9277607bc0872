package text

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/bits"

	"github.com/linnet-ml/linnet/internal/strictjson"
)

// HashedFeatures is a [Tokenizer] without a vocabulary: words, runs of words and parts of words are hashed into a fixed
// number of ids, as fastText does with word n-grams and subwords, and the hashing trick in general. There is nothing to
// adapt or to ship, an unknown word is known by its parts, and several features may share an id. With a
// layers.TextEmbedding, whose vectors train, it makes fastText's classifier.
//
// A feature's hash is that of its bytes, 64-bit FNV-1a: those of a word, of words with a space between them, and of a
// space and a part of a word. Mixed by the last step of MurmurHash3 (fmix64), divided by 2^64 and multiplied by the number
// of buckets, rounded down, it is the id.
//
// It never changes; any number of goroutines may use it at once. It is a spec, and so is saved with its model.
type HashedFeatures struct {
	options HashedFeaturesOptions
	rule    *tokenRule
	memory  pool[hashMemory]
}

// HashedFeaturesOptions says which features a text has. Each gives an id, a feature that occurs twice twice.
type HashedFeaturesOptions struct {
	// Buckets is the number of ids. It is required: 1<<20 is plenty for most texts; a model has a vector for each.
	Buckets int

	// Unicode, Standardize and Split make words of a text, as those of a [Vectorizer]. Split must be SplitWhitespace, the
	// default, or SplitSpaces.
	Unicode     Unicode
	Standardize Standardization
	Split       Splitting

	// NGrams adds the runs of 2 to NGrams words (fastText's wordNgrams). 0, the default, is the same as 1: words alone. At
	// most 16.
	NGrams int
	// MinCharacters and MaxCharacters add the parts of each word of so many characters, "<" before the word and ">" after it
	// counted (fastText's minn and maxn): of "film" with 3 and 4 "<fi", "<fil", "fil", "film", "ilm", "ilm>" and "lm>". 0,
	// the default, adds none. At most 16.
	MinCharacters, MaxCharacters int
	// NoWords leaves out the words themselves, so that the parts of words are all features. Not with NGrams.
	NoWords bool
}

// mostRuns bounds NGrams and MaxCharacters.
const mostRuns = 16

// Check returns an error if a field is out of range or does not go with another.
func (o HashedFeaturesOptions) Check() error {
	switch {
	case o.Buckets < 1 || o.Buckets > math.MaxInt32:
		return fmt.Errorf("text: HashedFeatures: %d Buckets: there must be 1 to %d", o.Buckets, math.MaxInt32)
	case o.Standardize > LowerAndSpacePunctuation:
		return fmt.Errorf("text: HashedFeatures: %v is unknown", o.Standardize)
	case o.Split != SplitWhitespace && o.Split != SplitSpaces:
		return fmt.Errorf("text: HashedFeatures: Split must make words, by %v or %v, not %v", SplitWhitespace, SplitSpaces, o.Split)
	case o.NGrams < 0 || o.NGrams > mostRuns:
		return fmt.Errorf("text: HashedFeatures: NGrams %d: there may be 0 to %d", o.NGrams, mostRuns)
	case o.MaxCharacters < 0 || o.MaxCharacters > mostRuns:
		return fmt.Errorf("text: HashedFeatures: MaxCharacters %d: there may be 0 to %d", o.MaxCharacters, mostRuns)
	case (o.MinCharacters == 0) != (o.MaxCharacters == 0):
		return fmt.Errorf("text: HashedFeatures: MinCharacters %d and MaxCharacters %d: both or none of them must be 0", o.MinCharacters, o.MaxCharacters)
	case o.MinCharacters < 0 || o.MinCharacters > o.MaxCharacters:
		return fmt.Errorf("text: HashedFeatures: MinCharacters %d must be from 1 to MaxCharacters, %d", o.MinCharacters, o.MaxCharacters)
	case o.NoWords && o.NGrams > 1:
		return fmt.Errorf("text: HashedFeatures: NoWords and NGrams %d: one of them must go", o.NGrams)
	case o.NoWords && o.MaxCharacters == 0:
		return errors.New("text: HashedFeatures: NoWords without MaxCharacters leaves no features")
	}
	return nil
}

// NewHashedFeatures makes a tokenizer of the options.
func NewHashedFeatures(o HashedFeaturesOptions) (*HashedFeatures, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	rule := newTokenRule(&Vectorizer{Unicode: o.Unicode, Standardize: o.Standardize, Split: o.Split})
	return &HashedFeatures{options: o, rule: rule}, nil
}

var _ Tokenizer = (*HashedFeatures)(nil)

// Options are what it was made of.
func (t *HashedFeatures) Options() HashedFeaturesOptions { return t.options }

// Size is the number of ids, Buckets.
func (t *HashedFeatures) Size() int {
	if t == nil {
		return 0
	}
	return t.options.Buckets
}

// FNV-1a's constants for 64 bits.
const (
	fnvBasis = 0xcbf29ce484222325
	fnvPrime = 0x100000001b3
)

func fnv(h uint64, c byte) uint64 { return (h ^ uint64(c)) * fnvPrime }

// bucket is the id of a hash.
func bucket(h, buckets uint64) int32 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	h ^= h >> 33
	id, _ := bits.Mul64(h, buckets)
	return int32(id)
}

// AppendIDs appends the ids of the features of s, word by word: its parts, in the order of their beginnings and the
// shortest first, then the word, then the runs of words that end with it, the shortest first. It allocates nothing but what
// dst lacks. It looks at ctx about every 64 KiB of s, and its error is the context's.
func (t *HashedFeatures) AppendIDs(ctx context.Context, dst []int32, s string) ([]int32, error) {
	if ctx == nil {
		return dst, errNilContext
	}
	if t == nil || t.rule == nil {
		return dst, errors.New("text: HashedFeatures without options: NewHashedFeatures makes them")
	}
	w := watch{ctx: ctx}
	m := t.memory.take()
	if t.options.Unicode != (Unicode{}) && t.options.Unicode.fold(&w, &m.folded, s) {
		s = m.folded.text()
	}
	dst = t.append(&w, m, dst, s)
	t.memory.give(m, cap(m.folded.bytes)+cap(m.folded.lower)+cap(m.word))
	return dst, w.err
}

// hashMemory is what a call of AppendIDs needs.
type hashMemory struct {
	folded folded
	word   []byte // a word between "<" and ">"
}

// append is AppendIDs for a text whose characters are as they shall be.
func (t *HashedFeatures) append(w *watch, m *hashMemory, dst []int32, s string) []int32 {
	o := &t.options
	classes := &t.rule.classes
	buckets := uint64(o.Buckets)
	grams := max(o.NGrams, 1)
	var runs [mostRuns]uint64 // runs[n] is the hash of the n+1 last words
	for i, words, look := 0, 0, watchBytes; i < len(s); {
		word := append(m.word[:0], '<')
		for ; i < len(s); i++ {
			if i >= look {
				if look += watchBytes; w.stop() {
					return dst
				}
			}
			c := classes[s[i]]
			if c&(dropped|between) == 0 {
				word = append(word, byte(c))
			} else if c&between != 0 && len(word) > 1 {
				break
			}
		}
		m.word = append(word, '>')
		word = m.word[1:len(word)]
		if len(word) == 0 {
			break
		}
		if o.MaxCharacters > 0 {
			dst = t.appendParts(w, dst, m.word)
		}
		if !o.NoWords {
			for n := min(words, grams-1); n > 0; n-- {
				runs[n] = hashed(w, fnv(runs[n-1], ' '), word)
				if w.err != nil {
					return dst
				}
			}
			runs[0] = hashed(w, fnvBasis, word)
			words++
			for _, h := range runs[:min(words, grams)] {
				dst = append(dst, bucket(h, buckets))
			}
		}
		if w.err != nil {
			break
		}
	}
	return dst
}

// hashed goes on with a hash.
func hashed(w *watch, h uint64, word []byte) uint64 {
	for i := 0; i < len(word); {
		end := min(i+watchBytes, len(word))
		for _, c := range word[i:end] {
			h = fnv(h, c)
		}
		if i = end; i < len(word) && w.stop() {
			break
		}
	}
	return h
}

// appendParts appends the ids of the parts of a word, which stands between "<" and ">".
func (t *HashedFeatures) appendParts(w *watch, dst []int32, word []byte) []int32 {
	least, most, buckets := t.options.MinCharacters, t.options.MaxCharacters, uint64(t.options.Buckets)
	for i, look := 0, watchBytes; i < len(word); i++ {
		if i >= look {
			if look += watchBytes; w.stop() {
				break
			}
		}
		if inCharacter(word[i]) {
			continue
		}
		h := fnv(fnvBasis, ' ') // so that a part is not the word of the same letters
		for j, n := i, 1; j < len(word) && n <= most; n++ {
			h = fnv(h, word[j])
			for j++; j < len(word) && inCharacter(word[j]); j++ {
				h = fnv(h, word[j])
			}
			// "<" and ">" alone say nothing.
			if n >= least && (n > 1 || i > 0 && j < len(word)) {
				dst = append(dst, bucket(h, buckets))
			}
		}
	}
	return dst
}

// inCharacter reports whether c goes on with a character in UTF-8.
func inCharacter(c byte) bool { return c&0xC0 == 0x80 }

// hashedFeaturesJSON are the options as they are written: what is chosen by a constant has its name.
type hashedFeaturesJSON struct {
	Buckets       int
	Unicode       Unicode `json:",omitzero"`
	Standardize   string  `json:",omitempty"`
	Split         string  `json:",omitempty"`
	NGrams        int     `json:",omitempty"`
	MinCharacters int     `json:",omitempty"`
	MaxCharacters int     `json:",omitempty"`
	NoWords       bool    `json:",omitempty"`
}

// Kind is "HashedFeatures".
func (t *HashedFeatures) Kind() string { return "HashedFeatures" }

// MarshalJSON writes the options.
func (t *HashedFeatures) MarshalJSON() ([]byte, error) {
	if t == nil {
		return []byte("null"), nil
	}
	o := t.options
	return json.Marshal(hashedFeaturesJSON{o.Buckets, o.Unicode, nameUnlessDefault(o.Standardize), nameUnlessDefault(o.Split), o.NGrams,
		o.MinCharacters, o.MaxCharacters, o.NoWords})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (t *HashedFeatures) UnmarshalJSON(data []byte) error {
	var in hashedFeaturesJSON
	if err := strictjson.Unmarshal(context.Background(), data, &in); err != nil {
		return fmt.Errorf("text: HashedFeatures: %w", err)
	}
	o := HashedFeaturesOptions{Buckets: in.Buckets, Unicode: in.Unicode, NGrams: in.NGrams, MinCharacters: in.MinCharacters,
		MaxCharacters: in.MaxCharacters, NoWords: in.NoWords}
	var err error
	if o.Standardize, err = constantNamed(in.Standardize, LowerAndSpacePunctuation); err != nil {
		return err
	}
	if o.Split, err = constantNamed(in.Split, SplitSpaces); err != nil {
		return err
	}
	made, err := NewHashedFeatures(o)
	if err != nil {
		return err
	}
	t.options, t.rule = made.options, made.rule
	return nil
}
