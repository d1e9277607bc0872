package text

import "fmt"

// Combiner says how the vectors of a text's tokens make the one vector of the text (the combiner of TensorFlow's
// embedding_lookup_sparse).
type Combiner uint8

const (
	// CombinerDefault leaves the choice to whoever knows the vectors: a table that was trained with one of the others names
	// it.
	CombinerDefault Combiner = iota
	// Sqrtn is the sum divided by the square root of the number of tokens.
	Sqrtn
	// Mean is the sum divided by the number of tokens.
	Mean
	// Sum is the sum.
	Sum
)

// combiners are the names that TensorFlow has for them.
var combiners = [...]string{CombinerDefault: "default", Sqrtn: "sqrtn", Mean: "mean", Sum: "sum"}

// String is TensorFlow's name of the combiner: "sqrtn", "mean" or "sum"; that of CombinerDefault is "default".
func (c Combiner) String() string {
	if int(c) < len(combiners) {
		return combiners[c]
	}
	return fmt.Sprintf("Combiner(%d)", uint8(c))
}

// ParseCombiner returns the combiner of a name: see [Combiner.String].
func ParseCombiner(name string) (Combiner, error) {
	for c, n := range combiners {
		if n == name {
			return Combiner(c), nil
		}
	}
	return 0, fmt.Errorf("text: %q is no combiner: there are %q", name, combiners[:])
}

// MarshalText writes the name: see [Combiner.String].
func (c Combiner) MarshalText() ([]byte, error) {
	if int(c) >= len(combiners) {
		return nil, fmt.Errorf("text: there is no combiner %d", uint8(c))
	}
	return []byte(c.String()), nil
}

// UnmarshalText reads what MarshalText writes.
func (c *Combiner) UnmarshalText(name []byte) error {
	parsed, err := ParseCombiner(string(name))
	if err == nil {
		*c = parsed
	}
	return err
}
