package plan

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/linnet-ml/linnet/internal/strictjson"
	"github.com/linnet-ml/linnet/tensor"
)

// stateJSON is the small part of a TrainingState as it is written.
type stateJSON struct {
	*TrainingState
	// Sums are Measured, and Odd the values of the History that JSON lacks, to the bit.
	Sums [][]string                   `json:"measured,omitempty"`
	Odd  map[string]map[string]string `json:"odd,omitempty"`
	Slot map[string]int               `json:"slots,omitempty"` // how many each parameter has
}

// Encode writes a training state as JSON and arrays, to the bit, NaN and infinities in the History and the sums included.
// The arrays share memory with the state.
func (s *TrainingState) Encode() (Encoded, error) {
	if s == nil {
		return Encoded{}, errors.New("plan: the training state is nil")
	}
	small := *s
	out := stateJSON{TrainingState: &small, Slot: map[string]int{}}
	for _, list := range s.Measured {
		out.Sums = append(out.Sums, texts(list))
	}
	small.Measured = nil
	if s.History != nil {
		out.Odd = map[string]map[string]string{}
		for _, name := range s.History.Names() {
			for i, v := range s.History.Values(name) {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					if out.Odd[name] == nil {
						out.Odd[name] = map[string]string{}
					}
					out.Odd[name][strconv.Itoa(i)] = bits(v)
				}
			}
		}
	}
	e := Encoded{Assets: map[string]tensor.Rows{}}
	var err error
	add := func(name string, values []float32) {
		if x, bad := tensor.Of(values); bad == nil {
			e.Assets[name] = x
		} else {
			err = bad
		}
	}
	addAll := func(kind string, all map[string][]float32) {
		for name, values := range all {
			add(kind+"/"+name, values)
		}
	}
	addAll("weights", s.Weights)
	addAll("averages", s.Averages)
	addAll("gradients", s.Gradients)
	for name, slots := range s.Slots {
		out.Slot[name] = len(slots)
		for i, values := range slots {
			add(fmt.Sprintf("slot%d/%s", i, name), values)
		}
	}
	for name, rows := range s.Rows {
		if rows == nil {
			return Encoded{}, fmt.Errorf("plan: the training state has no rows of %q, but nil", name)
		}
		x, bad := tensor.Of(rows.Rows)
		if bad != nil {
			return Encoded{}, bad
		}
		e.Assets["rows/"+name] = x
		for i, values := range rows.Slots {
			add(fmt.Sprintf("rowslot%d/%s", i, name), values)
		}
	}
	for i, c := range s.Callbacks {
		addAll(fmt.Sprintf("callback%d", i), c.Weights)
	}
	if err != nil {
		return Encoded{}, err
	}
	e.JSON, err = json.Marshal(out)
	return e, err
}

// bits writes a number to the bit.
func bits(v float64) string { return strconv.FormatUint(math.Float64bits(v), 16) }

func texts(list []float64) []string {
	all := make([]string, len(list))
	for i, v := range list {
		all[i] = bits(v)
	}
	return all
}

// fromBits reads what bits writes.
func fromBits(s string) (float64, error) {
	b, err := strconv.ParseUint(s, 16, 64)
	if err != nil {
		return 0, fmt.Errorf("plan: the training state: %s is no number", strictjson.Quote(s))
	}
	return math.Float64frombits(b), nil
}

// DecodeState reads what TrainingState.Encode writes, and shares memory with its arrays. Members that are unknown, values of
// a wrong type, arrays that are missing or not wanted and what TrainingState.Check refuses are errors. Whether the state fits
// a model Fit says.
func DecodeState(ctx context.Context, from Encoded) (*TrainingState, error) {
	if ctx == nil {
		return nil, errors.New("plan: the context is nil")
	}
	s := &TrainingState{}
	in := stateJSON{TrainingState: s}
	if err := strictjson.Unmarshal(ctx, from.JSON, &in); err != nil {
		return nil, fmt.Errorf("plan: the training state: %w", err)
	}
	s.Measured = nil
	for _, list := range in.Sums {
		sums := make([]float64, len(list))
		for i, text := range list {
			var err error
			if sums[i], err = fromBits(text); err != nil {
				return nil, err
			}
		}
		s.Measured = append(s.Measured, sums)
	}
	if err := s.restoreOdd(in.Odd); err != nil {
		return nil, err
	}
	for name, x := range from.Assets {
		if err := s.take(name, x); err != nil {
			return nil, fmt.Errorf("plan: the training state: asset %s: %w", strictjson.Quote(name), err)
		}
	}
	for name, n := range in.Slot {
		if n == 0 { // an optimizer without slots
			if s.Slots == nil {
				s.Slots = map[string][][]float32{}
			}
			s.Slots[name] = [][]float32{}
		} else if len(s.Slots[name]) != n {
			return nil, fmt.Errorf("plan: the training state has %d slots of %s in place of %d", len(s.Slots[name]), strictjson.Quote(name), n)
		}
	}
	for name, slots := range s.Slots {
		if slices.ContainsFunc(slots, func(v []float32) bool { return v == nil }) {
			return nil, fmt.Errorf("plan: the training state lacks a slot of %s", strictjson.Quote(name))
		}
	}
	for name, rows := range s.Rows {
		if rows.Rows == nil || slices.ContainsFunc(rows.Slots, func(v []float32) bool { return v == nil }) {
			return nil, fmt.Errorf("plan: the training state lacks the rows or a slot of %s", strictjson.Quote(name))
		}
	}
	return s, s.Check()
}

// restoreOdd puts the values that JSON lacks back into the History.
func (s *TrainingState) restoreOdd(odd map[string]map[string]string) error {
	for name, places := range odd {
		var values []float64
		if s.History != nil {
			values = s.History.Values(name)
		}
		for place, text := range places {
			i, err := strconv.Atoi(place)
			if err != nil || i < 0 || i >= len(values) || strconv.Itoa(i) != place {
				return fmt.Errorf("plan: the training state: the history of %s has no value %s", strictjson.Quote(name), strictjson.Quote(place))
			}
			if values[i], err = fromBits(text); err != nil {
				return err
			}
		}
	}
	return nil
}

// maxSlots bounds the number of an optimizer's slots, which comes from a name.
const maxSlots = 64

// take puts an array in its place.
func (s *TrainingState) take(name string, x tensor.Rows) error {
	kind, name, ok := strings.Cut(name, "/")
	if !ok {
		return errors.New("the name is unknown")
	}
	if kind == "rows" {
		rows, ok := x.(*tensor.Int32)
		if !ok || rows == nil {
			return errors.New("rows are int32")
		}
		s.rowSlots(name).Rows = nonNil(rows.Data())
		return nil
	}
	array, ok := x.(*tensor.Float32)
	if !ok || array == nil {
		return errors.New("the values are float32")
	}
	values := nonNil(array.Data())
	set := func(m *map[string][]float32) {
		if *m == nil {
			*m = map[string][]float32{}
		}
		(*m)[name] = values
	}
	number := func(prefix string, below int) (int, bool) {
		text, ok := strings.CutPrefix(kind, prefix)
		i, err := strconv.Atoi(text)
		return i, ok && err == nil && i >= 0 && i < below && strconv.Itoa(i) == text
	}
	switch kind {
	case "weights":
		set(&s.Weights)
		return nil
	case "averages":
		set(&s.Averages)
		return nil
	case "gradients":
		set(&s.Gradients)
		return nil
	}
	values = slices.Clone(values) // training writes to what follows
	if i, ok := number("slot", maxSlots); ok {
		if s.Slots == nil {
			s.Slots = map[string][][]float32{}
		}
		s.Slots[name] = put(s.Slots[name], i, values)
	} else if i, ok := number("rowslot", maxSlots); ok {
		r := s.rowSlots(name)
		r.Slots = put(r.Slots, i, values)
	} else if i, ok := number("callback", len(s.Callbacks)); ok {
		set(&s.Callbacks[i].Weights)
	} else {
		return errors.New("the name is unknown")
	}
	return nil
}

func (s *TrainingState) rowSlots(name string) *RowSlots {
	if s.Rows == nil {
		s.Rows = map[string]*RowSlots{}
	}
	if s.Rows[name] == nil {
		s.Rows[name] = &RowSlots{}
	}
	return s.Rows[name]
}

// put sets element i of a list, which grows to have it.
func put(list [][]float32, i int, values []float32) [][]float32 {
	for len(list) <= i {
		list = append(list, nil)
	}
	list[i] = values
	return list
}

func nonNil[E any](s []E) []E {
	if s == nil {
		return []E{}
	}
	return s
}
