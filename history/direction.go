package history

import "fmt"

// Direction says which values of a logged number are better.
type Direction int8

// The directions.
const (
	NoDirection Direction = iota // not known, or neither is better
	LowerIsBetter
	HigherIsBetter
)

// String returns "lower", "higher" or "none".
func (d Direction) String() string {
	switch d {
	case NoDirection:
		return "none"
	case LowerIsBetter:
		return "lower"
	case HigherIsBetter:
		return "higher"
	}
	return fmt.Sprintf("Direction(%d)", int8(d))
}

// MarshalText writes what String returns. A value that is none of the three directions is an error.
func (d Direction) MarshalText() ([]byte, error) {
	if d < NoDirection || d > HigherIsBetter {
		return nil, fmt.Errorf("history: %d is not a direction", int8(d))
	}
	return []byte(d.String()), nil
}

// UnmarshalText reads what MarshalText writes.
func (d *Direction) UnmarshalText(text []byte) error {
	known, err := parseDirection(string(text))
	if err != nil {
		return fmt.Errorf("history: %w", err)
	}
	*d = known
	return nil
}

// parseDirection reads what String writes of the three directions.
func parseDirection(text string) (Direction, error) {
	for _, d := range []Direction{NoDirection, LowerIsBetter, HigherIsBetter} {
		if text == d.String() {
			return d, nil
		}
	}
	return 0, fmt.Errorf(`%q is not a direction; there are "lower", "higher" and "none"`, text)
}
