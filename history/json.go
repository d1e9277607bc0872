package history

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/linnet-ml/linnet/internal/strictjson"
)

// MarshalJSON writes
//
//	{"epoch":[0,1],"history":{"loss":[0.69,0.67],…},"directions":{"loss":"lower",…},"stopped":"reason"}
//
// with names in order. NaN and infinities, which JSON lacks, are null. The directions are those of the names that were
// logged; without any, and without a reason to stop, their members are left out.
func (h *History) MarshalJSON() ([]byte, error) {
	if h == nil {
		return nil, errNilHistory
	}
	var b bytes.Buffer
	put := func(v any) error {
		text, err := json.Marshal(v)
		b.Write(text)
		return err
	}
	b.WriteString(`{"epoch":`)
	if err := put(append([]int{}, h.Epochs...)); err != nil {
		return nil, err
	}
	b.WriteString(`,"history":{`)
	for i, name := range h.names {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := put(name); err != nil {
			return nil, err
		}
		b.WriteString(":[")
		for k, v := range h.values[name] {
			if k > 0 {
				b.WriteByte(',')
			}
			if math.IsNaN(v) || math.IsInf(v, 0) {
				b.WriteString("null")
			} else {
				b.WriteString(strconv.FormatFloat(v, 'g', -1, 64))
			}
		}
		b.WriteByte(']')
	}
	b.WriteByte('}')
	opening := `,"directions":{`
	for _, name := range h.names {
		better := h.Direction(name)
		if better == NoDirection {
			continue
		}
		b.WriteString(opening)
		opening = ","
		if err := put(name); err != nil {
			return nil, err
		}
		b.WriteByte(':')
		if err := put(better); err != nil {
			return nil, err
		}
	}
	if opening == "," {
		b.WriteByte('}')
	}
	if h.Stopped != "" {
		b.WriteString(`,"stopped":`)
		if err := put(h.Stopped); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// UnmarshalJSON reads what MarshalJSON writes. Members of other names are ignored. It is an error when a name occurs
// twice, an epoch is negative, a name has more or fewer values than there are epochs, or a direction is that of a name
// without values. After an error the History is as before.
func (h *History) UnmarshalJSON(data []byte) error { return h.DecodeJSON(context.Background(), data) }

// DecodeJSON is UnmarshalJSON for a text from a file of any size: it ends with an error when ctx is done.
func (h *History) DecodeJSON(ctx context.Context, data []byte) error {
	if ctx == nil {
		return errors.New("history: the context is nil")
	}
	if h == nil {
		return errNilHistory
	}
	var read History
	if err := read.decode(ctx, data); err != nil {
		return fmt.Errorf("history: %w", err)
	}
	*h = read
	return nil
}

func (h *History) decode(ctx context.Context, data []byte) error {
	parts := map[string][]byte{}
	err := strictjson.Members(ctx, data, func(name string, value []byte) error {
		parts[name] = value
		return nil
	})
	if err != nil {
		return err
	}
	if h.Epochs, err = readEpochs(ctx, parts["epoch"]); err != nil {
		return fmt.Errorf("epoch: %w", err)
	}
	if err := h.readValues(ctx, parts["history"]); err != nil {
		return err
	}
	if part, given := parts["directions"]; given {
		if err := h.readDirections(ctx, part); err != nil {
			return fmt.Errorf("directions: %w", err)
		}
	}
	if part, given := parts["stopped"]; given && string(part) != "null" {
		if err := strictjson.Unmarshal(ctx, part, &h.Stopped); err != nil {
			return fmt.Errorf("stopped: %w", err)
		}
	}
	return nil
}

// members calls f for each member of a JSON object, in order, and puts the name in front of an error.
func members(ctx context.Context, object []byte, f func(name string, value []byte) error) error {
	return strictjson.Members(ctx, object, func(name string, value []byte) error {
		if err := f(name, value); err != nil {
			return fmt.Errorf("%s: %w", strictjson.Quote(name), err)
		}
		return nil
	})
}

// readEpochs reads the list of epochs, which must be there.
func readEpochs(ctx context.Context, part []byte) (epochs []int, err error) {
	if part == nil {
		return nil, errors.New("the list is missing")
	}
	if err := strictjson.Unmarshal(ctx, part, &epochs); err != nil {
		return nil, err
	}
	if epochs == nil {
		return nil, errors.New("not a list")
	}
	for _, e := range epochs {
		if e < 0 {
			return nil, fmt.Errorf("%d is negative", e)
		}
	}
	return epochs, nil
}

// number is a value as it is written: null is NaN.
type number float64

func (n *number) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*n = number(math.NaN())
		return nil
	}
	v, err := strconv.ParseFloat(string(text), 64)
	if err != nil || text[0] != '-' && (text[0] < '0' || text[0] > '9') {
		return fmt.Errorf("%s is no number", strictjson.Quote(string(text)))
	}
	*n = number(v)
	return nil
}

// readValues reads the object with a list of values for each name. It needs Epochs.
func (h *History) readValues(ctx context.Context, part []byte) error {
	if part == nil {
		return errors.New("the object of values is missing")
	}
	h.values = map[string][]float64{}
	return members(ctx, part, func(name string, value []byte) error {
		var list []number
		if err := strictjson.Unmarshal(ctx, value, &list); err != nil {
			return err
		}
		if list == nil {
			return errors.New("not a list")
		}
		if len(list) != len(h.Epochs) {
			return fmt.Errorf("%d values for %d epochs", len(list), len(h.Epochs))
		}
		column := make([]float64, len(list))
		for i, v := range list {
			column[i] = float64(v)
		}
		h.names = append(h.names, name)
		h.values[name] = column
		return nil
	})
}

// readDirections reads the object with the direction of some names. It needs the values.
func (h *History) readDirections(ctx context.Context, part []byte) error {
	return members(ctx, part, func(name string, value []byte) error {
		if _, logged := h.values[name]; !logged {
			return errors.New("no values of that name")
		}
		var text string
		if err := strictjson.Unmarshal(ctx, value, &text); err != nil {
			return err
		}
		better, err := parseDirection(text)
		if err != nil {
			return err
		}
		h.SetDirection(name, better)
		return nil
	})
}
