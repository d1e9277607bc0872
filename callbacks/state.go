package callbacks

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/linnet-ml/linnet/internal/strictjson"
	"github.com/linnet-ml/linnet/nn/plan"
)

// saveValues makes the state of a callback from what it remembers.
func saveValues(kind string, values any) (plan.HandlerState, error) {
	b, err := json.Marshal(values)
	if err != nil {
		return plan.HandlerState{}, fmt.Errorf("callbacks: %s: %w", kind, err)
	}
	return plan.HandlerState{Kind: kind, Values: b}, nil
}

// loadValues reads what saveValues made, and refuses the state of another callback and anything else.
func loadValues(kind string, s plan.HandlerState, values any) error {
	if s.Kind != kind {
		return fmt.Errorf("callbacks: %s: the saved state is of %q", kind, s.Kind)
	}
	if err := strictjson.Unmarshal(context.Background(), s.Values, values); err != nil {
		return fmt.Errorf("callbacks: %s: the saved state: %w", kind, err)
	}
	return nil
}

// number is a float64 that JSON keeps to the bit, NaN and infinities included, as a string.
type number float64

// MarshalText writes the shortest digits that give the number back.
func (n number) MarshalText() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(n), 'g', -1, 64), nil
}

// UnmarshalText reads what MarshalText writes.
func (n *number) UnmarshalText(text []byte) error {
	v, err := strconv.ParseFloat(string(text), 64)
	*n = number(v)
	return err
}
