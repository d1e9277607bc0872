// Package rowwise keeps what training needs of the rows of a large table that move: their slots and gradients. A table of
// a million rows thus costs its own memory and that of the rows that have had a gradient, with the same bits as if all
// rows were updated.
package rowwise

import (
	"slices"

	"github.com/linnet-ml/linnet/nn/internal/workspace"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/simd"
)

// Steps are the steps of an optimizer that rows of large tables may be behind.
type Steps struct {
	Rule *plan.Rule
	// Now are the coefficients of the step under way.
	Now plan.Coefficients
	// Done are those of the steps since all rows were caught up.
	Done []plan.Coefficients
}

// Table holds what training keeps of a part of a large table's rows: the slots of the rows that have had a gradient, in
// the order in which they first did, and the gradients of those that have one in this step. One worker uses a Table at a
// time.
type Table struct {
	lo    int // the first row of the part
	width int
	place []int32 // of row lo+i among the touched, plus 1; 0 for a row that is not
	rows  []int32 // the row at each place
	now   []int32 // for each place, where in grad its gradient of this step is, plus 1; or 0
	// slots are kept in pages of pageRows places, which stay where they are when there are more.
	slots    [][][]float32
	first    []plan.Slot
	pageRows int

	// With readers rows may be behind: done is the number of Steps.Done that the row at each place has made.
	readers []Reader
	done    []int32
	fresh   int32         // what a new row has made
	late    []int32       // places of rows that are behind
	zeros   []float32     // a row
	visit   func([]int32) // read, made once
	steps   *Steps        // for read

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
	chunk chunk
}

// Reader tells which rows of a parameter an operation reads.
type Reader struct {
	Frame *plan.Frame
	Param int
	Reads func(f *plan.Frame, i int, s plan.Span, visit func(rows []int32))
}

// chunk is a page of the table, gathered for the optimizer.
type chunk struct {
	values, grad, squares []float32
	slots                 [][]float32
}

// pageElements is how many elements of a table are updated at a time: their gradient is cleared while still in the cache.
const pageElements = 1 << 12

// New returns a Table for rows lo to hi-1.
func New(lo, hi, width int, slots []plan.Slot, occurrences bool, readers []Reader) *Table {
	pageRows := max(1, pageElements/width)
	n := pageRows * width
	t := &Table{occurrences: occurrences, lo: lo, width: width, place: make([]int32, hi-lo), slots: make([][][]float32, len(slots)),
		first: slots, pageRows: pageRows, readers: readers}
	t.visit, t.zeros = t.read, make([]float32, width)
	t.chunk = chunk{values: make([]float32, n), grad: make([]float32, n), slots: make([][]float32, len(slots))}
	if occurrences {
		t.chunk.squares = make([]float32, n)
	}
	return t
}

// FallsBehind reports whether rows that no batch reads wait.
func (t *Table) FallsBehind() bool { return t.readers != nil }

// Begin notes the table, before gradients of a step come. With steps there are rows that may be behind.
func (t *Table) Begin(table []float32, steps *Steps) {
	t.table, t.fresh = table, int32(len(steps.Done))
}

// Find returns where the gradients of rows are added up.
func (t *Table) Find(rows []int32) (values []float32, places []int32) {
	places = t.find(rows)
	return t.grad, places
}

// Squares is the set of the squares of what occurrences of rows contribute.
func (t *Table) Squares() plan.RowSet { return squares{t} }

type squares struct{ t *Table }

func (s squares) Find(rows []int32) (values []float32, places []int32) {
	places = s.t.find(rows)
	return s.t.squares, places
}

// find returns where in grad and squares the gradients of rows are added up, new places for those that had none.
func (t *Table) find(rows []int32) []int32 {
	t.found = workspace.Grow(t.found, len(rows))
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

// add gives a row the next place, whose slots have their first values, and returns that plus 1.
func (t *Table) add(row int32) int32 {
	if t.keep {
		at := int(row) * t.width
		t.originals = append(t.originals, t.table[at:at+t.width]...)
	}
	if len(t.rows)%t.pageRows == 0 {
		for i := range t.slots {
			page := make([]float32, t.pageRows*t.width)
			if v := t.first[i].First; v != 0 {
				for k := range page {
					page[k] = v
				}
			}
			t.slots[i] = append(t.slots[i], page)
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
func (t *Table) slot(k, place int) []float32 {
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

// Update lets the optimizer change the rows, and forgets their gradients. Where it is known which rows a batch reads,
// only those with a gradient change now; the others when they are read.
func (t *Table) Update(u *Steps, table []float32) {
	if t.readers == nil {
		t.updateAll(u, table)
	} else {
		t.updateCurrent(u, table)
	}
	t.Forget()
}

// Forget drops the gradients of the step.
func (t *Table) Forget() {
	for _, p := range t.current {
		t.now[p] = 0
	}
	t.current, t.grad, t.squares = t.current[:0], t.grad[:0], t.squares[:0]
}

// Divide divides the gradients of the step.
func (t *Table) Divide(by float32) {
	for i := range t.grad {
		t.grad[i] /= by
	}
}

// Clip cuts each element of the gradients off at ±limit.
func (t *Table) Clip(limit float32) {
	for i, g := range t.grad {
		t.grad[i] = min(max(g, -limit), limit)
	}
}

// EachGradient calls do with each row that has a gradient, and the gradient, in no particular order.
func (t *Table) EachGradient(do func(row int32, gradient []float32)) {
	for i, p := range t.current {
		do(t.rows[p], t.grad[i*t.width:(i+1)*t.width])
	}
}

// updateAll changes all touched rows, a page at a time.
func (t *Table) updateAll(u *Steps, table []float32) {
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
			u.Rule.UpdateSquares(&u.Now, k.values[:n], k.grad[:n], k.squares[:n], k.slots)
		} else {
			u.Rule.Update(&u.Now, k.values[:n], k.grad[:n], k.slots)
		}
		simd.Scatter(table, k.values[:n], t.width, rows)
	}
}

// updateCurrent changes the rows that have a gradient, which are up to date but for this step.
func (t *Table) updateCurrent(u *Steps, table []float32) {
	t.each(t.current, table, func(i int, p int32, w []float32, slots [][]float32) {
		lo, hi := i*t.width, (i+1)*t.width
		t.repeat(u, int(p), w, slots) // a row whose gradient somebody gave without reading it
		if t.occurrences {
			u.Rule.UpdateSquares(&u.Now, w, t.grad[lo:hi], t.squares[lo:hi], slots)
		} else {
			u.Rule.Update(&u.Now, w, t.grad[lo:hi], slots)
		}
		t.done[p] = int32(len(u.Done)) + 1
	})
}

// row returns the elements of the row at a place, and its slots.
func (t *Table) row(place int, table []float32) (w []float32, slots [][]float32) {
	for k := range t.slots {
		t.chunk.slots[k] = t.slot(k, place)
	}
	at := int(t.rows[place]) * t.width
	return table[at : at+t.width], t.chunk.slots
}

// repeat makes the steps of the row at a place that it is behind.
func (t *Table) repeat(u *Steps, place int, w []float32, slots [][]float32) {
	missed := u.Done[min(int(t.done[place]), len(u.Done)):] // a row may have made a step that has not ended
	if len(missed) == 0 {
		return
	}
	t.done[place] = int32(len(u.Done))
	if len(slots) == 0 {
		return // without slots there is nothing that moves a row without a gradient
	}
	if u.Rule.Repeat != nil {
		u.Rule.Repeat(missed, w, slots)
		return
	}
	for i := range missed {
		u.Rule.Update(&missed[i], w, t.zeros, slots)
	}
}

// CatchUp brings the rows up to date that the batch reads.
func (t *Table) CatchUp(u *Steps, table []float32, worker int) {
	if len(u.Done) == 0 {
		return
	}
	t.steps, t.table = u, table
	for _, by := range t.readers {
		by.Reads(by.Frame, by.Param, plan.Span{Lo: t.lo, Hi: t.lo + len(t.place), Worker: worker}, t.visit)
	}
}

// read brings rows up to date that are about to be read.
func (t *Table) read(rows []int32) {
	steps := int32(len(t.steps.Done))
	t.late = t.late[:0]
	for _, row := range rows {
		if p := t.place[int(row)-t.lo] - 1; p >= 0 && t.done[p] < steps {
			t.late = append(t.late, p)
		}
	}
	t.each(t.late, t.table, func(_ int, p int32, w []float32, slots [][]float32) {
		t.repeat(t.steps, int(p), w, slots) // a row that is there twice is up to date the second time
	})
}

// ahead is how many rows are fetched before they are needed.
const ahead = 4

// each calls do for the rows at some places.
func (t *Table) each(places []int32, table []float32, do func(i int, place int32, w []float32, slots [][]float32)) {
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

// Settle brings all rows up to date, as of a time when there are no steps to come. Should the rule panic, the rows that
// are left stay as they are.
func (t *Table) Settle(u *Steps, table []float32) {
	defer clear(t.done)
	for p := range t.rows {
		w, slots := t.row(p, table)
		t.repeat(u, p, w, slots)
	}
}

// gather brings the gradients of rows together; those that have none in this step get zeros.
func (t *Table) gather(dst, grad []float32, now []int32) {
	for i, at := range now {
		row := dst[i*t.width : (i+1)*t.width]
		if at == 0 {
			clear(row)
		} else {
			copy(row, grad[int(at-1)*t.width:int(at)*t.width])
		}
	}
}

// Load takes over the rows of a saved state that belong to this part. A row whose slots all have their first values counts
// as never touched.
func (t *Table) Load(s *plan.RowSlots) {
	lo, _ := slices.BinarySearch(s.Rows, int32(t.lo))
	hi, _ := slices.BinarySearch(s.Rows, int32(t.lo+len(t.place)))
	for i := lo; i < hi; i++ {
		moved := false
		for k, v := range s.Slots {
			first := t.first[k].First
			moved = moved || slices.ContainsFunc(v[i*t.width:(i+1)*t.width], func(x float32) bool { return x != first })
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

// Save appends the rows of this part, ascending.
func (t *Table) Save(s *plan.RowSlots) {
	order := make([]int32, len(t.rows))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return int(t.rows[a]) - int(t.rows[b]) })
	for _, p := range order {
		s.Rows = append(s.Rows, t.rows[p])
		for k := range t.slots {
			s.Slots[k] = append(s.Slots[k], t.slot(k, int(p))...)
		}
	}
}

// Len is the number of rows that have had a gradient.
func (t *Table) Len() int { return len(t.rows) }

// KeepOriginals makes sure that from now on the values of rows are kept when they first get a gradient.
func (t *Table) KeepOriginals() {
	if !t.keep {
		t.keep, t.since = true, len(t.rows)
	}
}

// Remember writes the values that the rows of this part have in the table to dst, in the order in which they were first
// touched, and returns dst, grown.
func (t *Table) Remember(dst, table []float32) []float32 {
	dst = workspace.Grow(dst, len(t.rows)*t.width)
	simd.Gather(dst, table, t.width, t.rows)
	return dst
}

// Restore writes to a table what Remember returned: values of the rows that were touched by then, and of those that have
// been touched since what they were before.
func (t *Table) Restore(table, values []float32) {
	n := len(values) / t.width
	simd.Scatter(table, values, t.width, t.rows[:n])
	simd.Scatter(table, t.originals[(n-t.since)*t.width:], t.width, t.rows[n:])
}
