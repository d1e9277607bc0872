package history

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
)

// MarshalJSON writes
//
//	{"epoch":[0,1],"history":{"loss":[0.69,0.67],…},"directions":{"loss":"lower",…},"stopped":"reason"}
//
// with names in order. NaN and infinities, which JSON lacks, are null. The directions are those of the names that were
// logged; without any, and without a reason to stop, their members are left out.
func (h *History) MarshalJSON() ([]byte, error) {
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
func (h *History) UnmarshalJSON(data []byte) error {
	var whole json.RawMessage // the document is valid from here on and not nested too deeply
	if err := json.Unmarshal(data, &whole); err != nil {
		return fmt.Errorf("history: %w", err)
	}
	parts := map[string]json.RawMessage{}
	err := members(whole, func(name string, value json.RawMessage) error {
		parts[name] = value
		return nil
	})
	if err != nil {
		return fmt.Errorf("history: %w", err)
	}
	var read History
	if read.Epochs, err = readEpochs(parts["epoch"]); err != nil {
		return fmt.Errorf("history: epoch: %w", err)
	}
	if err := read.readValues(parts["history"]); err != nil {
		return fmt.Errorf("history: %w", err)
	}
	if part, given := parts["directions"]; given {
		if err := read.readDirections(part); err != nil {
			return fmt.Errorf("history: directions: %w", err)
		}
	}
	if part, given := parts["stopped"]; given {
		if err := json.Unmarshal(part, &read.Stopped); err != nil {
			return fmt.Errorf("history: stopped: %w", err)
		}
	}
	*h = read
	return nil
}

// members calls f for each member of a JSON object, in order. Names that occur twice are errors.
func members(object []byte, f func(name string, value json.RawMessage) error) error {
	d := json.NewDecoder(bytes.NewReader(object))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errors.New("not an object")
	}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return err
		}
		name, ok := t.(string)
		if !ok {
			return fmt.Errorf("%v where a name is expected", t)
		}
		if seen[name] {
			return fmt.Errorf("%q occurs twice", name)
		}
		seen[name] = true
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return fmt.Errorf("%q: %w", name, err)
		}
		if err := f(name, value); err != nil {
			return fmt.Errorf("%q: %w", name, err)
		}
	}
	return nil
}

// readEpochs reads the list of epochs, which must be there.
func readEpochs(part json.RawMessage) ([]int, error) {
	var list []*int // nil for null, which a list of int would take for 0
	if part == nil {
		return nil, errors.New("the list is missing")
	}
	if err := json.Unmarshal(part, &list); err != nil {
		return nil, err
	}
	if list == nil {
		return nil, errors.New("not a list")
	}
	epochs := make([]int, len(list))
	for i, e := range list {
		if e == nil {
			return nil, fmt.Errorf("number %d is null", i)
		}
		if *e < 0 {
			return nil, fmt.Errorf("%d is negative", *e)
		}
		epochs[i] = *e
	}
	return epochs, nil
}

// readValues reads the object with a list of values for each name. It needs Epochs.
func (h *History) readValues(part json.RawMessage) error {
	if part == nil {
		return errors.New("the object of values is missing")
	}
	h.values = map[string][]float64{}
	return members(part, func(name string, value json.RawMessage) error {
		var list []*float64
		if err := json.Unmarshal(value, &list); err != nil {
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
			column[i] = math.NaN()
			if v != nil {
				column[i] = *v
			}
		}
		h.names = append(h.names, name)
		h.values[name] = column
		return nil
	})
}

// readDirections reads the object with the direction of some names. It needs the values.
func (h *History) readDirections(part json.RawMessage) error {
	return members(part, func(name string, value json.RawMessage) error {
		if _, logged := h.values[name]; !logged {
			return errors.New("no values of that name")
		}
		var text *string
		if err := json.Unmarshal(value, &text); err != nil {
			return err
		}
		if text == nil {
			return errors.New("null is not a direction")
		}
		better, err := parseDirection(*text)
		if err != nil {
			return err
		}
		h.SetDirection(name, better)
		return nil
	})
}
