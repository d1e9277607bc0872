package rowwise

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optim"
)

const (
	testRows  = 97
	testWidth = 3
)

// A table has the bits of one of which every row is updated in each step: whether the batch's rows are read before their
// gradients come, in the same order or another, twice, or not at all, whatever else is asked for in between.
func TestTableHasTheBitsOfAllRows(t *testing.T) {
	for name, o := range map[string]plan.Optimizer{
		"adam": optim.Adam{}, "amsgrad": optim.Adam{AMSGrad: true}, "squares": optim.Adam{SquareOccurrences: true},
		"sgd": optim.SGD{}, "momentum": optim.SGD{Momentum: 0.9},
	} {
		for _, reads := range []bool{true, false} {
			rule, err := o.Rule()
			if err != nil {
				t.Fatal(err)
			}
			r := rand.New(rand.NewPCG(1, 2))
			run := newTableRun(&rule, r, reads)
			for range 60 {
				run.batch(t, r)
				if r.IntN(3) > 0 {
					run.step()
				}
				if r.IntN(9) == 0 {
					run.settle()
				}
			}
			run.step()
			run.settle()
			run.compare(t, name, reads)
		}
	}
}

// tableRun is a table in parts beside one whose rows are all updated.
type tableRun struct {
	rule   *plan.Rule
	steps  Steps
	memory Memory
	parts  []*Table
	batchRows

	table            []float32
	all, grad, sq    []float32
	slots            [][]float32
	scalars          []float32
	done             int
	readers, squares bool
}

// batchRows are what a batch reads, by calls of visit.
type batchRows struct{ reads [][]int32 }

func newTableRun(rule *plan.Rule, r *rand.Rand, reads bool) *tableRun {
	const n = testRows * testWidth
	run := &tableRun{rule: rule, readers: reads, squares: rule.UpdateSquares != nil, grad: make([]float32, n), sq: make([]float32, n)}
	run.steps.Rule = rule
	for range n {
		run.table = append(run.table, r.Float32())
	}
	run.all = slices.Clone(run.table)
	for _, s := range rule.Slots {
		run.slots = append(run.slots, slices.Repeat([]float32{s.First}, n))
	}
	for _, s := range rule.Scalars {
		run.scalars = append(run.scalars, s.First)
	}
	var readers []Reader
	if reads {
		readers = []Reader{{Reads: func(_ *plan.Frame, _ int, s plan.Span, visit func([]int32)) {
			for _, rows := range run.reads {
				visit(within(rows, s.Lo, s.Hi))
			}
		}}}
	}
	for _, at := range [][2]int{{0, 40}, {40, 41}, {41, testRows}} {
		run.parts = append(run.parts, New(at[0], at[1], testWidth, rule.Slots, run.squares, readers, &run.memory))
	}
	return run
}

func within(rows []int32, lo, hi int) []int32 {
	return slices.DeleteFunc(slices.Clone(rows), func(row int32) bool { return int(row) < lo || int(row) >= hi })
}

// batch reads some rows and adds gradients to some.
func (run *tableRun) batch(t *testing.T, r *rand.Rand) {
	t.Helper()
	run.reads = nil
	for range r.IntN(4) {
		var rows []int32
		for range r.IntN(12) {
			rows = append(rows, int32(r.IntN(1+r.IntN(testRows))))
		}
		run.reads = append(run.reads, rows)
	}
	if run.readers {
		for _, p := range run.parts {
			p.CatchUp(&run.steps, run.table, 0)
		}
		for _, row := range slices.Concat(run.reads...) {
			lo, hi := int(row)*testWidth, (int(row)+1)*testWidth
			if got, want := run.table[lo:hi], run.all[lo:hi]; !slices.Equal(got, want) {
				t.Fatalf("%s: the batch reads %v in row %d, want %v", run.rule.Name, got, row, want)
			}
		}
	}
	asked := run.reads
	switch r.IntN(4) {
	case 0: // in another order
		asked = slices.Clone(asked)
		slices.Reverse(asked)
	case 1: // rows that nobody has read
		asked = append([][]int32{{int32(r.IntN(testRows)), int32(r.IntN(testRows))}}, asked...)
	}
	values := make([]float32, testWidth)
	for i := range values {
		values[i] = r.Float32() - 0.5
	}
	for _, p := range run.parts {
		p.Begin(run.table, &run.steps)
		for _, rows := range asked {
			rows = within(rows, p.lo, p.lo+len(p.place))
			grad, places := p.Find(rows)
			addRows(grad, places, values, false)
			addRows(run.grad, rows, values, false)
			if run.squares {
				squares, places := p.Squares().Find(rows)
				addRows(squares, places, values, true)
				addRows(run.sq, rows, values, true)
			}
		}
	}
}

func addRows(table []float32, rows []int32, values []float32, square bool) {
	for _, row := range rows {
		for k, v := range values {
			if square {
				v = float32(v * v)
			}
			table[int(row)*testWidth+k] += v
		}
	}
}

// step updates the parts and all rows.
func (run *tableRun) step() {
	run.done++
	run.steps.Now = run.rule.Coefficients(run.done, 0.01, run.scalars)
	for _, p := range run.parts {
		p.Update(&run.steps, run.table)
	}
	run.steps.Done = append(run.steps.Done, run.steps.Now)
	if run.squares {
		run.rule.UpdateSquares(&run.steps.Now, run.all, run.grad, run.sq, run.slots)
	} else {
		run.rule.Update(&run.steps.Now, run.all, run.grad, run.slots)
	}
	clear(run.grad)
	clear(run.sq)
}

func (run *tableRun) settle() {
	for _, p := range run.parts {
		if p.FallsBehind() {
			p.Settle(&run.steps, run.table)
		}
	}
	run.steps.Done = run.steps.Done[:0]
}

func (run *tableRun) compare(t *testing.T, name string, reads bool) {
	t.Helper()
	if !slices.Equal(run.table, run.all) {
		t.Errorf("%s, read before: %t: the rows differ", name, reads)
	}
	saved := plan.RowSlots{Slots: make([][]float32, len(run.slots))}
	for _, p := range run.parts {
		p.Save(&saved)
	}
	if len(run.slots) == 0 {
		return
	}
	if !slices.IsSorted(saved.Rows) || len(saved.Rows) == 0 {
		t.Errorf("%s, read before: %t: rows %v are saved", name, reads, saved.Rows)
	}
	for row := range testRows {
		i, found := slices.BinarySearch(saved.Rows, int32(row))
		for k, want := range run.slots {
			want := want[row*testWidth : (row+1)*testWidth]
			if found && !slices.Equal(saved.Slots[k][i*testWidth:(i+1)*testWidth], want) {
				t.Fatalf("%s, read before: %t: row %d has slot %d %v, want %v", name, reads, row, k, saved.Slots[k][i*testWidth:(i+1)*testWidth], want)
			}
			if first := run.rule.Slots[k].First; !found && slices.ContainsFunc(want, func(v float32) bool { return v != first }) {
				t.Fatalf("%s, read before: %t: row %d is not saved", name, reads, row)
			}
		}
	}
	loaded := New(0, testRows, testWidth, run.rule.Slots, false, nil, new(Memory))
	loaded.Load(&saved)
	again := plan.RowSlots{Slots: make([][]float32, len(run.slots))}
	loaded.Save(&again)
	if !slices.Equal(again.Rows, saved.Rows) || !slices.EqualFunc(again.Slots, saved.Slots, slices.Equal) {
		t.Errorf("%s, read before: %t: what was loaded is not what was saved", name, reads)
	}
}
