package imdb

import (
	"fmt"
	"math"

	"github.com/linnet-ml/linnet/internal/ratio"
)

// Options are those of Keras's load_data, and where the files are. The zero value means Keras's defaults. Fields of
// which zero is a legal value but not the default are pointers: nil is the default, and new(0), for instance, a zero.
type Options struct {
	// Path is a folder with imdb.npz and imdb_word_index.json, or either file itself, the other lying beside it.
	// Empty: the first of $LINNET_DATA, ~/.keras/datasets and the folder linnet in the user's cache folder
	// ([os.UserCacheDir]) that has the file.
	Path string

	// NumWords is the limit of the ids: those from NumWords on become OOVChar. 0 (Keras's None): the largest id that
	// occurs, so that, as in Keras, the word with this very id becomes OOVChar too.
	NumWords int
	// SkipTop is the lowest id that is kept: lower ones become OOVChar. It is compared after IndexFrom was added, so
	// that a SkipTop above 1 replaces the start character too.
	SkipTop int
	// MaxLen drops every review of MaxLen ids or more, the start character included. 0 (None): none is dropped.
	MaxLen int
	// Seed orders the reviews, from 0 to 4294967295 (2147483647 where an int has 32 bits). Default 113.
	Seed *int
	// StartChar begins each review. Default 1.
	StartChar *int
	// NoStartChar leaves it out (start_char=None).
	NoStartChar bool
	// OOVChar stands for the ids that NumWords and SkipTop shut out. Default 2.
	OOVChar *int
	// NoOOVChar drops them instead (oov_char=None).
	NoOOVChar bool
	// IndexFrom is added to the rank of each word. Default 3: the most frequent word has rank 1 and id 4.
	IndexFrom *int

	// AllowUnverified accepts files whose content is not that of the official ones.
	AllowUnverified bool
	// MaxRatio is how many times its size imdb.npz may unpack to, and 16 MiB beside. Default 100: an archive that is packed
	// more tightly is an error. The official one unpacks to less than twice its size.
	MaxRatio int
}

func (o Options) limit() ratio.Limit {
	return ratio.Limit{Ratio: o.MaxRatio, Option: "Options.MaxRatio"}
}

// settings are Options with the defaults filled in.
type settings struct {
	numWords, skipTop, maxLen int
	seed                      uint32
	start, oov                int32
	hasStart, hasOOV          bool
	indexFrom                 int
}

func (o Options) settings() (settings, error) {
	s := settings{numWords: o.NumWords, skipTop: o.SkipTop, maxLen: o.MaxLen, hasStart: !o.NoStartChar, hasOOV: !o.NoOOVChar}
	for _, f := range []struct {
		name  string
		value int
	}{{"NumWords", o.NumWords}, {"SkipTop", o.SkipTop}, {"MaxLen", o.MaxLen}, {"MaxRatio", o.MaxRatio}} {
		if f.value < 0 {
			return s, fmt.Errorf("imdb: %s is %d; it must not be negative", f.name, f.value)
		}
	}
	if o.NoStartChar && o.StartChar != nil {
		return s, fmt.Errorf("imdb: StartChar is %d, but NoStartChar is set", *o.StartChar)
	}
	if o.NoOOVChar && o.OOVChar != nil {
		return s, fmt.Errorf("imdb: OOVChar is %d, but NoOOVChar is set", *o.OOVChar)
	}
	seed := int64(or(o.Seed, 113))
	if seed < 0 || seed > math.MaxUint32 {
		return s, fmt.Errorf("imdb: Seed is %d; it must be from 0 to 4294967295", seed)
	}
	s.seed = uint32(seed)
	s.start, s.oov = int32(or(o.StartChar, 1)), int32(or(o.OOVChar, 2))
	s.indexFrom = or(o.IndexFrom, 3)
	for _, f := range []struct {
		name         string
		value, limit int
	}{{"StartChar", or(o.StartChar, 1), math.MaxInt32}, {"OOVChar", or(o.OOVChar, 2), math.MaxInt32}, {"IndexFrom", s.indexFrom, 1 << 30}} {
		if f.value < -f.limit || f.value > f.limit {
			return s, fmt.Errorf("imdb: %s is %d; it must be from %d to %d", f.name, f.value, -f.limit, f.limit)
		}
	}
	return s, nil
}

func or(p *int, def int) int {
	if p == nil {
		return def
	}
	return *p
}
