package nn

import (
	"fmt"
	"slices"

	"github.com/linnet-ml/linnet/simd"
)

// touched holds what training keeps of a part of a large table's rows: the slots of the rows that have had a gradient,
// in the order in which they first did, and the gradients of those that have one in this step. A table of a million rows
// thus costs its own memory and that of the rows that move.
type touched struct {
	lo    int // the first row of the part
	width int
	place []int32 // of row lo+i among the touched, plus 1; 0 for a row that is not
	rows  []int32 // the row at each place
	now   []int32 // for each place, where in grad its gradient of this step is, plus 1; or 0
	// slots are kept in pages of pageRows places, which stay where they are when there are more.
	slots    [][][]float32
	pageRows int

	// With readers rows may be behind: done is the number of update.steps that the row at each place has made.
	readers []reader
	done    []int32
	fresh   int32         // what a new row has made
	late    []int32       // places of rows that are behind
	zeros   []float32     // a row
	visit   func([]int32) // read, made once
	run     *update       // for read

	current []int32 // the places that have a gradient in this step
	grad    []float32
	// squares are kept where the optimizer squares occurrences.
	squares     []float32
	occurrences bool

	// Since there are snapshots, originals are the values in the table of the rows at places from since on, before they
	// moved.
	keep      bool
	since     int
	originals []float32
	table     []float32 // the whole table

	found []int32 // what find returned
	chunk touchedChunk
}

// touchedChunk is a page of the table, gathered for the optimizer.
type touchedChunk struct {
	values, grad, squares []float32
	slots                 [][]float32
}

func newTouched(lo, hi, width, slots int, occurrences bool) *touched {
	pageRows := max(1, chunkElements/width)
	n := pageRows * width
	t := &touched{occurrences: occurrences, lo: lo, width: width, place: make([]int32, hi-lo), slots: make([][][]float32, slots), pageRows: pageRows}
	t.visit, t.zeros = t.read, make([]float32, width)
	t.chunk = touchedChunk{values: make([]float32, n), grad: make([]float32, n), slots: make([][]float32, slots)}
	if occurrences {
		t.chunk.squares = make([]float32, n)
	}
	return t
}

// find returns where in grad and squares the gradients of rows are added up, new places for those that had none.
func (t *touched) find(rows []int32) []int32 {
	t.found = grow(t.found, len(rows))
	for i, row := range rows {
		p := t.place[int(row)-t.lo]
		if p == 0 {
			p = t.add(row)
		}
		at := t.now[p-1]
		if at == 0 {
			t.current = append(t.current, p-1)
			at = int32(len(t.current))
			t.now[p-1] = at
			t.grad = extend(t.grad, t.width)
			if t.occurrences {
				t.squares = extend(t.squares, t.width)
			}
		}
		t.found[i] = at - 1
	}
	return t.found
}

// add gives a row the next place, with zero slots, and returns that plus 1.
func (t *touched) add(row int32) int32 {
	if t.keep {
		at := int(row) * t.width
		t.originals = append(t.originals, t.table[at:at+t.width]...)
	}
	if len(t.rows)%t.pageRows == 0 {
		for i := range t.slots {
			t.slots[i] = append(t.slots[i], make([]float32, t.pageRows*t.width))
		}
	}
	t.rows = append(t.rows, row)
	t.now = append(t.now, 0)
	t.done = append(t.done, t.fresh)
	p := int32(len(t.rows))
	t.place[int(row)-t.lo] = p
	return p
}

// slot returns slot k of the row at a place.
func (t *touched) slot(k, place int) []float32 {
	at := place % t.pageRows * t.width
	return t.slots[k][place/t.pageRows][at : at+t.width]
}

// extend appends n zeros.
func extend(s []float32, n int) []float32 {
	s = slices.Grow(s, n)
	s = s[:len(s)+n]
	clear(s[len(s)-n:])
	return s
}

// update lets the optimizer change the rows, and forgets their gradients. Where it is known which rows a batch reads,
// only those with a gradient change now; the others when they are read.
func (t *touched) update(u *update, table []float32) {
	if t.readers == nil {
		t.updateAll(u, table)
	} else {
		t.updateCurrent(u, table)
	}
	for _, p := range t.current {
		t.now[p] = 0
	}
	t.current, t.grad, t.squares = t.current[:0], t.grad[:0], t.squares[:0]
}

// updateAll changes all touched rows, a page at a time.
func (t *touched) updateAll(u *update, table []float32) {
	k := &t.chunk
	for at := 0; at < len(t.rows); at += t.pageRows {
		rows := t.rows[at:min(at+t.pageRows, len(t.rows))]
		n := len(rows) * t.width
		simd.Gather(k.values[:n], table, t.width, rows)
		for i, s := range t.slots {
			k.slots[i] = s[at/t.pageRows][:n]
		}
		now := t.now[at : at+len(rows)]
		t.gather(k.grad, t.grad, now)
		if t.occurrences {
			t.gather(k.squares, t.squares, now)
			u.optimizer.(OccurrenceOptimizer).UpdateSquares(&u.c, k.values[:n], k.grad[:n], k.squares[:n], k.slots)
		} else {
			u.optimizer.Update(&u.c, k.values[:n], k.grad[:n], k.slots)
		}
		simd.Scatter(table, k.values[:n], t.width, rows)
	}
}

// updateCurrent changes the rows that have a gradient, which are up to date but for this step.
func (t *touched) updateCurrent(u *update, table []float32) {
	t.each(t.current, table, func(i int, p int32, w []float32, slots [][]float32) {
		lo, hi := i*t.width, (i+1)*t.width
		t.repeat(u, int(p), w, slots) // a row whose gradient somebody gave without reading it
		if t.occurrences {
			u.optimizer.(OccurrenceOptimizer).UpdateSquares(&u.c, w, t.grad[lo:hi], t.squares[lo:hi], slots)
		} else {
			u.optimizer.Update(&u.c, w, t.grad[lo:hi], slots)
		}
		t.done[p] = int32(len(u.steps)) + 1
	})
}

// row returns the elements of the row at a place, and its slots.
func (t *touched) row(place int, table []float32) (w []float32, slots [][]float32) {
	for k := range t.slots {
		t.chunk.slots[k] = t.slot(k, place)
	}
	at := int(t.rows[place]) * t.width
	return table[at : at+t.width], t.chunk.slots
}

// repeat makes the steps of the row at a place that it is behind.
func (t *touched) repeat(u *update, place int, w []float32, slots [][]float32) {
	missed := u.steps[t.done[place]:]
	if len(missed) == 0 {
		return
	}
	t.done[place] = int32(len(u.steps))
	if len(slots) == 0 {
		return // without slots there is nothing that moves a row without a gradient
	}
	if o, ok := u.optimizer.(RepeatingOptimizer); ok {
		o.Repeat(missed, w, slots)
		return
	}
	for i := range missed {
		u.optimizer.Update(&missed[i], w, t.zeros, slots)
	}
}

// catchUp brings the rows up to date that the batch reads.
func (t *touched) catchUp(ws *workspace, u *update, table []float32, worker int) {
	if len(u.steps) == 0 {
		return
	}
	t.run, t.table = u, table
	for _, by := range t.readers {
		by.step.Reads(&ws.frames[by.frame], by.param, RowSpan{Lo: t.lo, Hi: t.lo + len(t.place), Worker: worker}, t.visit)
	}
}

// read brings rows up to date that are about to be read.
func (t *touched) read(rows []int32) {
	steps := int32(len(t.run.steps))
	t.late = t.late[:0]
	for _, row := range rows {
		if p := t.place[int(row)-t.lo] - 1; p >= 0 && t.done[p] < steps {
			t.late = append(t.late, p)
		}
	}
	t.each(t.late, t.table, func(_ int, p int32, w []float32, slots [][]float32) {
		t.repeat(t.run, int(p), w, slots) // a row that is there twice is up to date the second time
	})
}

// ahead is how many rows are fetched before they are needed.
const ahead = 4

// each calls do for the rows at some places.
func (t *touched) each(places []int32, table []float32, do func(i int, place int32, w []float32, slots [][]float32)) {
	for i, p := range places {
		if i+ahead < len(places) {
			w, slots := t.row(int(places[i+ahead]), table)
			simd.Prefetch(w)
			for _, s := range slots {
				simd.Prefetch(s)
			}
		}
		w, slots := t.row(int(p), table)
		do(i, p, w, slots)
	}
}

// settle brings all rows up to date, as of a time when there are no steps to come.
func (t *touched) settle(u *update, table []float32) {
	for p := range t.rows {
		w, slots := t.row(p, table)
		t.repeat(u, p, w, slots)
	}
	clear(t.done)
}

// gather brings the gradients of rows together; those that have none in this step get zeros.
func (t *touched) gather(dst, grad []float32, now []int32) {
	for i, at := range now {
		row := dst[i*t.width : (i+1)*t.width]
		if at == 0 {
			clear(row)
		} else {
			copy(row, grad[int(at-1)*t.width:int(at)*t.width])
		}
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

// spread writes the slots to those of the whole table.
func (s *RowSlots) spread(slots [][]float32, p *Parameter) {
	_, width := p.rows()
	for k, v := range s.Slots {
		simd.Scatter(slots[k], v, width, s.Rows)
	}
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
			copy(t.slot(k, p), v[i*t.width:])
		}
	}
}

// save appends the rows of this part, ascending.
func (t *touched) save(s *RowSlots) {
	order := consecutive(nil, 0, len(t.rows))
	slices.SortFunc(order, func(a, b int32) int { return int(t.rows[a]) - int(t.rows[b]) })
	for _, p := range order {
		s.Rows = append(s.Rows, t.rows[p])
		for k := range t.slots {
			s.Slots[k] = append(s.Slots[k], t.slot(k, int(p))...)
		}
	}
}
