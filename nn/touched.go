package nn

import (
	"fmt"
	"slices"
)

// touched holds what training keeps of a part of a large table's rows: gradient and slots of the rows that have had a
// gradient, in the order in which they first did. A table of a million rows thus costs its own memory and that of the
// rows that move.
type touched struct {
	lo    int // the first row of the part
	width int
	place []int32 // of row lo+i among the touched, plus 1; 0 for a row that is not
	rows  []int32 // the row at each place
	grad  []float32
	slots [][]float32
	// squares are kept where the optimizer squares occurrences.
	squares     []float32
	occurrences bool

	places []int32   // what find returned
	values []float32 // a chunk of the table
	chunk  [][]float32
}

func newTouched(lo, hi, width, slots int, occurrences bool) *touched {
	return &touched{occurrences: occurrences, lo: lo, width: width, place: make([]int32, hi-lo), slots: make([][]float32, slots), chunk: make([][]float32, slots),
		values: make([]float32, max(width, chunkElements/width*width))}
}

// find returns the places of rows, new ones for those that had none.
func (t *touched) find(rows []int32) []int32 {
	t.places = grow(t.places, len(rows))
	for i, row := range rows {
		p := t.place[int(row)-t.lo]
		if p == 0 {
			p = t.add(row)
		}
		t.places[i] = p - 1
	}
	return t.places
}

// add gives a row the next place, with zero gradient and slots, and returns that plus 1.
func (t *touched) add(row int32) int32 {
	t.rows = append(t.rows, row)
	t.grad = extend(t.grad, t.width)
	if t.occurrences {
		t.squares = extend(t.squares, t.width)
	}
	for i := range t.slots {
		t.slots[i] = extend(t.slots[i], t.width)
	}
	p := int32(len(t.rows))
	t.place[int(row)-t.lo] = p
	return p
}

// extend appends n zeros.
func extend(s []float32, n int) []float32 {
	s = slices.Grow(s, n)
	s = s[:len(s)+n]
	clear(s[len(s)-n:])
	return s
}

// update lets the optimizer change all touched rows of the table, a chunk at a time, and clears their gradient.
func (t *touched) update(o Optimizer, c *Coefficients, table []float32) {
	step := len(t.values) / t.width
	for at := 0; at < len(t.rows); at += step {
		rows := t.rows[at:min(at+step, len(t.rows))]
		values := t.values[:len(rows)*t.width]
		for i, row := range rows {
			copy(values[i*t.width:(i+1)*t.width], table[int(row)*t.width:])
		}
		lo, hi := at*t.width, at*t.width+len(values)
		for k, s := range t.slots {
			t.chunk[k] = s[lo:hi]
		}
		if t.occurrences {
			o.(OccurrenceOptimizer).UpdateSquares(c, values, t.grad[lo:hi], t.squares[lo:hi], t.chunk)
			clear(t.squares[lo:hi])
		} else {
			o.Update(c, values, t.grad[lo:hi], t.chunk)
		}
		for i, row := range rows {
			copy(table[int(row)*t.width:(int(row)+1)*t.width], values[i*t.width:])
		}
		clear(t.grad[lo:hi])
	}
}

// RowSlots are the optimizer's slots of a large table: of the rows that ever had a gradient.
type RowSlots struct {
	// Rows are the numbers of the rows, ascending.
	Rows []int32
	// Slots are in the order of Optimizer.Slots, each row-major over Rows.
	Slots [][]float32
}

// check refuses slots that are not those of the table.
func (s *RowSlots) check(p *Parameter, o Optimizer) error {
	rows, width := p.rows()
	fits := len(s.Slots) == len(o.Slots()) && slices.IsSorted(s.Rows)
	for _, v := range s.Slots {
		fits = fits && len(v) == len(s.Rows)*width
	}
	for i, row := range s.Rows {
		fits = fits && row >= 0 && int(row) < rows && (i == 0 || row != s.Rows[i-1])
	}
	if !fits {
		return fmt.Errorf("nn: the training state's slots of %q are not those of %s for %d rows of %d", p.name, o.Name(), rows, width)
	}
	return nil
}

// load takes over the rows of a saved state that belong to this part. A row whose slots are all zero counts as never
// touched.
func (t *touched) load(s *RowSlots) {
	lo, _ := slices.BinarySearch(s.Rows, int32(t.lo))
	hi, _ := slices.BinarySearch(s.Rows, int32(t.lo+len(t.place)))
	for i := lo; i < hi; i++ {
		moved := false
		for _, v := range s.Slots {
			moved = moved || slices.ContainsFunc(v[i*t.width:(i+1)*t.width], func(x float32) bool { return x != 0 })
		}
		if !moved {
			continue
		}
		p := int(t.add(s.Rows[i])) - 1
		for k, v := range s.Slots {
			copy(t.slots[k][p*t.width:(p+1)*t.width], v[i*t.width:])
		}
	}
}

// save appends the rows of this part, ascending.
func (t *touched) save(s *RowSlots) {
	order := consecutive(nil, 0, len(t.rows))
	slices.SortFunc(order, func(a, b int32) int { return int(t.rows[a]) - int(t.rows[b]) })
	for _, p := range order {
		s.Rows = append(s.Rows, t.rows[p])
		for k, v := range t.slots {
			s.Slots[k] = append(s.Slots[k], v[int(p)*t.width:(int(p)+1)*t.width]...)
		}
	}
}
