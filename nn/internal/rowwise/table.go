// Package rowwise keeps what training needs of the rows of a large table that move: their slots and gradients. A table of
// a million rows thus costs its own memory and that of the rows that have had a gradient, with the same bits as if all
// rows were updated.
package rowwise

import (
	"slices"

	"github.com/linnet-ml/linnet/internal/hugepage"
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
	at    []entry // of each place
	slots slots

	// With readers rows may be behind, and what the batch reads is known before its gradients come.
	readers []Reader
	fresh   int32         // the steps that a new row has made
	late    []lateRow     // rows that are behind
	strays  bool          // a row has a gradient that was behind when it came
	zeros   []float32     // a row
	visit   func([]int32) // read, made once
	// reads are the rows that the batch reads, in the order in which the readers name them, and where their gradients are.
	// An operation asks for gradients in the order in which it reads.
	reads, readAt []int32

	current []current // the rows that have a gradient in this step
	grad    []float32
	asked   int // how many of reads have been asked for in this batch
	// squares are kept where the optimizer squares occurrences.
	squares      []float32
	occurrences  bool
	askedSquares int

	// Since there are snapshots, originals are the values in the table of the rows at places from since on, before they
	// moved.
	keep      bool
	since     int
	originals []float32
	table     []float32 // the whole table

	found  []int32 // what find returned
	loaded int32   // keeps loads whose values do not matter
	chunk  chunk
}

// entry is what must be known of a touched row in each batch that reads it.
type entry struct {
	now  int32 // where in grad its gradient of this step is, plus 1; or 0
	done int32 // how many of Steps.Done it has made
}

// current is a row with its place.
type current struct{ place, row int32 }

// lateRow is a row that has made so many of Steps.Done.
type lateRow struct {
	current
	done int32
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

// New returns a Table for rows lo to hi-1, whose slots lie in a memory that Tables may share.
func New(lo, hi, width int, first []plan.Slot, occurrences bool, readers []Reader, memory *Memory) *Table {
	t := &Table{occurrences: occurrences, lo: lo, width: width, place: hugepage.Make[[]int32](hi - lo), readers: readers,
		slots: newSlots(width, first, readers == nil, memory)}
	t.visit, t.zeros = t.read, make([]float32, width)
	t.chunk.slots = make([][]float32, len(first))
	if readers == nil {
		n := t.slots.rows * width
		t.chunk.values, t.chunk.grad = make([]float32, n), make([]float32, n)
		if occurrences {
			t.chunk.squares = make([]float32, n)
		}
	}
	return t
}

// FallsBehind reports whether rows that no batch reads wait.
func (t *Table) FallsBehind() bool { return t.readers != nil }

// Begin notes the table, before gradients of a batch come. With steps there are rows that may be behind.
func (t *Table) Begin(table []float32, steps *Steps) {
	t.table, t.fresh = table, int32(len(steps.Done))
	t.asked, t.askedSquares = 0, 0
}

// Find returns where the gradients of rows are added up.
func (t *Table) Find(rows []int32) (values []float32, places []int32) {
	places = t.find(rows, &t.asked)
	return t.grad, places
}

// Squares is the set of the squares of what occurrences of rows contribute.
func (t *Table) Squares() plan.RowSet { return squares{t} }

type squares struct{ t *Table }

func (s squares) Find(rows []int32) (values []float32, places []int32) {
	places = s.t.find(rows, &s.t.askedSquares)
	return s.t.squares, places
}

// find returns where in grad and squares the gradients of rows are added up, new places for those that had none. asked
// counts the rows that were asked for before.
func (t *Table) find(rows []int32, asked *int) []int32 {
	if from, to := *asked, *asked+len(rows); to <= len(t.reads) && slices.Equal(t.reads[from:to], rows) {
		*asked = to
		return t.readAt[from:to]
	}
	t.found = t.locate(workspace.Grow(t.found, len(rows))[:0], rows)
	t.extend()
	return t.found
}

// locate appends where in grad the gradients of rows are, of which the new ones must be made room for: see extend. Rows
// that are behind are noted in late.
func (t *Table) locate(found, rows []int32) []int32 {
	from := len(found)
	found = slices.Grow(found, len(rows))[:from+len(rows)]
	places := found[from:]
	// A row's place and its entry are anywhere in memory. Processors wait for many loads at once as long as no branch hangs on
	// one: so all places are read first, then all entries, and only then is it asked what they say.
	for i, row := range rows {
		places[i] = t.place[int(row)-t.lo]
	}
	loaded := t.loaded
	for _, p := range places {
		if p > 0 {
			loaded += t.at[p-1].now
		}
	}
	t.loaded = loaded
	for i, row := range rows {
		p := places[i]
		if p == 0 {
			if p = t.place[int(row)-t.lo]; p == 0 { // it may be there twice
				p = t.add(row)
			}
		}
		e := &t.at[p-1]
		if e.now == 0 || t.strays {
			if e.done < t.fresh {
				t.late = append(t.late, lateRow{current{p - 1, row}, e.done})
			}
			if e.now == 0 {
				t.current = append(t.current, current{p - 1, row})
				e.now = int32(len(t.current))
			}
		}
		places[i] = e.now - 1
	}
	return found
}

// extend makes room for the gradients of all rows that have one, those of new rows being zeros.
func (t *Table) extend() {
	n := len(t.current) * t.width
	t.grad = extend(t.grad, n-len(t.grad))
	if t.occurrences {
		t.squares = extend(t.squares, n-len(t.squares))
	}
	if len(t.late) > 0 { // outside of CatchUp nobody brings them up to date until Update does
		t.late, t.strays = t.late[:0], true
	}
}

// add gives a row the next place, whose slots have their first values, and returns that plus 1.
func (t *Table) add(row int32) int32 {
	if t.keep {
		at := int(row) * t.width
		t.originals = append(t.originals, t.table[at:at+t.width]...)
	}
	t.slots.add(len(t.rows))
	t.rows = append(t.rows, row)
	t.at = append(t.at, entry{done: t.fresh})
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

// Update lets the optimizer change the rows, and forgets their gradients. Where it is known which rows a batch reads,
// only those with a gradient change now; the others when they are read.
func (t *Table) Update(u *Steps, table []float32) {
	if t.readers == nil {
		t.updateAll(u, table)
		t.Forget()
	} else {
		t.updateCurrent(u, table)
		t.forgotten()
	}
}

// Forget drops the gradients of the step.
func (t *Table) Forget() {
	for _, c := range t.current {
		t.at[c.place].now = 0
	}
	t.forgotten()
}

// forgotten leaves no gradients, of which the entries know no more.
func (t *Table) forgotten() {
	t.current, t.grad, t.squares, t.strays = t.current[:0], t.grad[:0], t.squares[:0], false
	t.reads, t.readAt = t.reads[:0], t.readAt[:0]
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
	for i, c := range t.current {
		do(c.row, t.grad[i*t.width:(i+1)*t.width])
	}
}

// updateAll changes all touched rows, a page at a time.
func (t *Table) updateAll(u *Steps, table []float32) {
	k := &t.chunk
	for at := 0; at < len(t.rows); at += t.slots.rows {
		rows := t.rows[at:min(at+t.slots.rows, len(t.rows))]
		n := len(rows) * t.width
		simd.Gather(k.values[:n], table, t.width, rows)
		for i := range k.slots {
			k.slots[i] = t.slots.page(i, at)[:n]
		}
		now := t.at[at : at+len(rows)]
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

// updateCurrent changes the rows that have a gradient, which are up to date but for this step, and forgets whose they are.
func (t *Table) updateCurrent(u *Steps, table []float32) {
	made := entry{done: int32(len(u.Done)) + 1}
	for i, c := range t.current {
		if i+ahead < len(t.current) {
			t.fetch(t.current[i+ahead], table)
		}
		lo, hi := i*t.width, (i+1)*t.width
		w, slots := t.row(c, table)
		if t.strays { // a row whose gradient somebody gave without reading it
			t.repeat(u, t.at[c.place].done, w, slots)
		}
		if t.occurrences {
			u.Rule.UpdateSquares(&u.Now, w, t.grad[lo:hi], t.squares[lo:hi], slots)
		} else {
			u.Rule.Update(&u.Now, w, t.grad[lo:hi], slots)
		}
		t.at[c.place] = made
	}
}

// row returns the elements of a row, and its slots.
func (t *Table) row(c current, table []float32) (w []float32, slots [][]float32) {
	at := int(c.row) * t.width
	return table[at : at+t.width], t.slots.of(t.chunk.slots, int(c.place))
}

// repeat makes the steps of a row that it is behind, of which it has made so many.
func (t *Table) repeat(u *Steps, done int32, w []float32, slots [][]float32) {
	missed := u.Done[min(int(done), len(u.Done)):] // a row may have made a step that has not ended
	if len(missed) == 0 || len(slots) == 0 {
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

// CatchUp notes the rows that the batch reads, and brings them up to date.
func (t *Table) CatchUp(u *Steps, table []float32, worker int) {
	t.Begin(table, u)
	t.reads, t.readAt, t.late = t.reads[:0], t.readAt[:0], t.late[:0]
	for _, by := range t.readers {
		by.Reads(by.Frame, by.Param, plan.Span{Lo: t.lo, Hi: t.lo + len(t.place), Worker: worker}, t.visit)
	}
	for i, l := range t.late {
		if i+ahead < len(t.late) {
			t.fetch(t.late[i+ahead].current, table)
		}
		if t.strays { // it may be there twice
			l.done = t.at[l.place].done
		}
		w, slots := t.row(l.current, table)
		t.repeat(u, l.done, w, slots)
		t.at[l.place].done = t.fresh
	}
	t.late = t.late[:0]
	t.extend()
}

// read notes rows that are about to be read. They have a gradient from then on, if only of zeros, which is no more than the
// step that they would have to make up later.
func (t *Table) read(rows []int32) {
	t.reads = append(t.reads, rows...)
	t.readAt = t.locate(t.readAt, rows)
}

// ahead is how many rows are fetched before they are needed.
const ahead = 12

// fetch asks for the memory of a row that is needed soon.
func (t *Table) fetch(c current, table []float32) {
	at := int(c.row) * t.width
	simd.Prefetch(table[at : at+t.width])
	simd.Prefetch(t.slots.record(int(c.place)))
}

// Settle brings all rows up to date, as of a time when there are no steps to come. Should the rule panic, the rows that
// are left stay as they are.
func (t *Table) Settle(u *Steps, table []float32) {
	defer func() {
		for p := range t.at {
			t.at[p].done = 0
		}
	}()
	for p, row := range t.rows {
		w, slots := t.row(current{int32(p), row}, table)
		t.repeat(u, t.at[p].done, w, slots)
	}
}

// gather brings the gradients of rows together; those that have none in this step get zeros.
func (t *Table) gather(dst, grad []float32, entries []entry) {
	for i, e := range entries {
		at := e.now
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
			first := t.slots.first[k].First
			moved = moved || slices.ContainsFunc(v[i*t.width:(i+1)*t.width], func(x float32) bool { return x != first })
		}
		if !moved {
			continue
		}
		p := int(t.add(s.Rows[i])) - 1
		for k, v := range s.Slots {
			copy(t.slots.slot(k, p), v[i*t.width:])
		}
	}
}

// Save appends the rows of this part, ascending. It leaves out those that Load would take for never touched: a batch may
// have read a row of which no gradient came.
func (t *Table) Save(s *plan.RowSlots) {
	order := make([]int32, 0, len(t.rows))
	for p := range t.rows {
		if t.slots.moved(p) {
			order = append(order, int32(p))
		}
	}
	slices.SortFunc(order, func(a, b int32) int { return int(t.rows[a]) - int(t.rows[b]) })
	for _, p := range order {
		s.Rows = append(s.Rows, t.rows[p])
		for k := range s.Slots {
			s.Slots[k] = append(s.Slots[k], t.slots.slot(k, int(p))...)
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
