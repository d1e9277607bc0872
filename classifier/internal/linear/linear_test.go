package linear

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/linnet-ml/linnet/internal/random"
)

// example is a small problem in which no line parts the classes.
func example(rows, columns int) *Problem {
	s := random.New(3, random.Check, 1)
	p := &Problem{X: &Matrix{Columns: columns, Start: []int{0}}, Bias: 1, Seed: 5, Tolerance: 1e-5, Epochs: 5000}
	n := uint64(0)
	draw := func() float32 { n++; return s.Float32(n) }
	for i := range rows {
		positive := draw() < 0.4
		for c := range columns {
			if draw() < 0.3 {
				v := draw() - 0.4
				if positive && c%3 == 0 {
					v += 0.3
				}
				p.X.ID = append(p.X.ID, uint32(c))
				p.X.Value = append(p.X.Value, v)
			}
		}
		p.X.Start = append(p.X.Start, len(p.X.ID))
		p.Rows = append(p.Rows, int32(i))
		p.Positive = append(p.Positive, positive)
		p.Cost = append(p.Cost, 0.5+draw())
	}
	return p
}

// The objective that the fit must make least has no slope where the fit ends, and the dual variables prove it: the primal
// objective is the dual's.
func TestOptimal(t *testing.T) {
	p := example(120, 40)
	m, err := SquaredHinge(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	if m.Epochs == p.Epochs {
		t.Fatalf("no end after %d epochs: violation %g", m.Epochs, m.Violation)
	}
	gradient := make([]float64, p.X.Columns+1)
	norm := float64(m.Bias) * float64(m.Bias)
	for c, w := range m.Weights {
		gradient[c] = float64(w)
		norm += float64(w) * float64(w)
	}
	gradient[p.X.Columns] = float64(m.Bias)
	primal, dual := norm/2, -norm/2
	for _, i := range p.Rows {
		y := -1.0
		if p.Positive[i] {
			y = 1
		}
		id, value := p.X.Row(i)
		s := float64(m.Bias)
		for j, c := range id {
			s += float64(m.Weights[c]) * float64(value[j])
		}
		cost, slack := float64(p.Cost[i]), max(0, 1-y*s)
		primal += cost * slack * slack
		dual += m.Dual[i] - m.Dual[i]*m.Dual[i]/(4*cost)
		d := -2 * cost * y * slack
		for j, c := range id {
			gradient[c] += d * float64(value[j])
		}
		gradient[p.X.Columns] += d
	}
	if gap := (primal - dual) / primal; gap < -1e-5 || gap > 1e-5 {
		t.Errorf("primal %g, dual %g", primal, dual)
	}
	for c, g := range gradient {
		if math.Abs(g) > 1e-3 {
			t.Errorf("the objective has slope %g in column %d", g, c)
		}
	}
}

// A fit that begins with the dual variables of its own end stays there, and one that begins with others ends there, too.
func TestStart(t *testing.T) {
	p := example(120, 40)
	want, err := SquaredHinge(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	p.Start = make([]float32, len(p.Rows))
	for k, a := range want.Dual {
		p.Start[k] = float32(a)
	}
	again, err := SquaredHinge(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	if again.Epochs > want.Epochs/10 {
		t.Errorf("%d passes from the end, %d from nothing", again.Epochs, want.Epochs)
	}
	for k := range p.Start {
		p.Start[k] = float32(k % 3)
	}
	far, err := SquaredHinge(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	for c, w := range want.Weights {
		if math.Abs(float64(again.Weights[c]-w)) > 1e-4 || math.Abs(float64(far.Weights[c]-w)) > 1e-4 {
			t.Errorf("column %d: weight %g, from the end %g, from elsewhere %g", c, w, again.Weights[c], far.Weights[c])
		}
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := SquaredHinge(ctx, example(20, 5)); err != context.Canceled {
		t.Errorf("got error %v", err)
	}
}

// Rows 0 and 1 are positive; column 0 is in both, column 1 in a negative row, column 2 in none.
func TestNaiveBayes(t *testing.T) {
	x := &Matrix{Columns: 3, Start: []int{0, 1, 2, 3}, ID: []uint32{0, 0, 1}, Value: []float32{1, 1, 1}}
	got, err := LogRatios(context.Background(), x, []int32{0, 1, 2}, []bool{true, true, false})
	if err != nil {
		t.Fatal(err)
	}
	want := []float32{float32(math.Log(3.0/4) - math.Log(1.0/3)), float32(math.Log(1.0/4) - math.Log(2.0/3)), 0}
	for c := range want {
		if math.Abs(float64(got[c]-want[c])) > 1e-6 {
			t.Errorf("log ratios %v, want %v", got, want)
		}
	}
	w, err := Complement(context.Background(), x, []int32{0, 1, 2}, []int32{0, 0, 1}, 2)
	if err != nil {
		t.Fatal(err)
	}
	// Values are 1 on average. Class 0's complement is row 2: column 0 has 0 + 1 of 1 + 2, class 1's has 2 + 1 of 2 + 2.
	d := math.Log(3.0/4) - math.Log(1.0/3)
	if got := float64(w[0][0] - w[1][0]); math.Abs(got-d) > 1e-6 || w[0][2] != 0 {
		t.Errorf("complement weights %v: column 0 differs by %g, want %g", w, got, d)
	}
	if !slices.Equal(x.Scaled([]float32{2, 3, 4}).Value, []float32{2, 2, 3}) {
		t.Error("Scaled is wrong")
	}
}

// A matrix whose values lie in a file gives the bits of one that has scaled values of its own.
func TestFactors(t *testing.T) {
	p := example(120, 40)
	factors := make([]float32, p.X.Columns)
	for c := range factors {
		factors[c] = float32(c%7) - 2.7
	}
	mapped := *p.X
	mapped.Mapped = true
	q := *p
	p.X, q.X = p.X.Scaled(factors), mapped.Scaled(factors)
	if q.X.Factors == nil || p.X.Factors != nil {
		t.Fatal("the matrix in memory has factors, or the one in a file has none")
	}
	want, err := SquaredHinge(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	got, err := SquaredHinge(context.Background(), &q)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Weights, want.Weights) || got.Bias != want.Bias || got.Score(q.X, 3) != want.Score(p.X, 3) {
		t.Error("other bits with factors")
	}
}

// Blocks of rows lead to the same optimum, and with room for all rows there is one block.
func TestBlocks(t *testing.T) {
	p := example(120, 40)
	if b := p.blocks(); len(b) != 1 || b[0] != (block{0, 120, 120}) {
		t.Fatalf("blocks %v", b)
	}
	want, err := SquaredHinge(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	p.Block = 150
	blocks := p.blocks()
	at := 0
	for _, b := range blocks {
		entries := 0
		for k := b.from; k < b.to; k++ {
			entries += p.X.Start[p.Rows[k]+1] - p.X.Start[p.Rows[k]]
		}
		if b.from != at || b.active != b.to || entries > p.Block {
			t.Errorf("block %v of %d entries follows row %d", b, entries, at)
		}
		at = b.to
	}
	if len(blocks) < 5 || at != len(p.Rows) {
		t.Fatalf("blocks %v", blocks)
	}
	last := 0.0
	p.Passed = func(share float64) {
		if !(share > 0 && share <= 1) {
			t.Errorf("share %g after %g", share, last)
		}
		last = share
	}
	got, err := SquaredHinge(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	for c, w := range want.Weights {
		if math.Abs(float64(got.Weights[c]-w)) > 1e-4 {
			t.Errorf("column %d: weight %g, in blocks %g", c, w, got.Weights[c])
		}
	}
	if slices.Equal(got.Weights, want.Weights) || last == 0 {
		t.Error("the rows were visited in the same order")
	}
}
