package linear

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/linnet-ml/linnet/internal/random"
	"github.com/linnet-ml/linnet/simd"
)

// example is a small problem in which no line parts the classes.
func example(rows, columns int) *Problem {
	s := random.New(3, random.Check, 1)
	p := &Problem{X: &Matrix{Columns: columns, Start: []int{0}}, Bias: 1, Cost: 0.7, PositiveCost: 1.3, Seed: 5, Tolerance: 1e-5, Epochs: 5000}
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
		cost, slack := float64(p.cost(i)), max(0, 1-y*s)
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
	w := make([][]float32, 2)
	err = Complement(context.Background(), x, []int32{0, 1, 2}, []int32{0, 0, 1}, 2, func(_ context.Context, k int, weights []float32) error {
		w[k] = slices.Clone(weights)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// Values are 1 on average. Class 0's complement is row 2: column 0 has 0 + 1 of 1 + 2, class 1's has 2 + 1 of 2 + 2.
	d := math.Log(3.0/4) - math.Log(1.0/3)
	if got := float64(w[0][0] - w[1][0]); math.Abs(got-d) > 1e-6 || w[0][2] != 0 {
		t.Errorf("complement weights %v: column 0 differs by %g, want %g", w, got, d)
	}
	if !slices.Equal(x.Scaled([]float32{2, 3, 4}, 3).Value, []float32{2, 2, 3}) {
		t.Error("Scaled is wrong")
	}
}

// The weights of complement naive Bayes are those of its definition, to the bit, however many classes are summed up at a time.
func TestComplement(t *testing.T) {
	p := example(200, 60)
	const classes = 7
	class := make([]int32, len(p.Rows))
	for i := range class {
		class[i] = int32(i * i % classes)
	}
	for j := range p.X.Value {
		p.X.Value[j] = max(p.X.Value[j], 0)
	}
	want := complementSlowly(p.X, p.Rows[:150], class, classes)
	for _, atOnce := range []int{1, 3, classes} {
		b := &complement{x: p.X, rows: p.Rows[:150], class: class, mean: make([]float64, p.X.Columns), logs: make([]float64, classes)}
		got := make([][]float32, classes)
		err := b.weigh(context.Background(), atOnce, func(_ context.Context, k int, weights []float32) error {
			got[k] = slices.Clone(weights)
			return nil
		})
		if err != nil || len(b.sums) > atOnce {
			t.Fatalf("%d classes at a time have sums, %v", len(b.sums), err)
		}
		for k := range want {
			if !slices.Equal(got[k], want[k]) {
				t.Errorf("%d classes at a time: class %d has weights %v, want %v", atOnce, k, got[k], want[k])
			}
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Complement(ctx, p.X, p.Rows, class, classes, nil); err != context.Canceled {
		t.Error(err)
	}
	wrong := errors.New("wrong")
	if err := Complement(context.Background(), p.X, p.Rows, class, classes, func(context.Context, int, []float32) error { return wrong }); err != wrong {
		t.Error(err)
	}
}

// complementSlowly has all sums and all weights at once.
func complementSlowly(x *Matrix, rows, class []int32, classes int) [][]float32 {
	total := make([]float64, x.Columns)
	sums, weights, logs := make([][]float64, classes), make([][]float32, classes), make([]float64, classes)
	for k := range sums {
		sums[k], weights[k] = make([]float64, x.Columns), make([]float32, x.Columns)
	}
	all, entries := 0.0, 0
	for _, i := range rows {
		id, value := x.Row(i)
		for j, c := range id {
			total[c] += float64(value[j])
			sums[class[i]][c] += float64(value[j])
			all += float64(value[j])
			entries++
		}
	}
	for k := range sums {
		sum := 0.0
		for c, t := range total {
			if t > 0 {
				sums[k][c] = max(t-sums[k][c], 0) + all/float64(entries)
				sum += sums[k][c]
			}
		}
		logs[k] = simd.Log64(sum)
	}
	for c, t := range total {
		if t <= 0 {
			continue
		}
		mean := 0.0
		for k := range sums {
			mean += logs[k] - simd.Log64(sums[k][c])
		}
		for k := range sums {
			weights[k][c] = float32(logs[k] - simd.Log64(sums[k][c]) - mean/float64(classes))
		}
	}
	return weights
}

// A matrix whose values lie in a file, or are too many to be copied, gives the bits of one that has scaled values of its own.
func TestFactors(t *testing.T) {
	p := example(120, 40)
	factors := make([]float32, p.X.Columns)
	for c := range factors {
		factors[c] = float32(c%7) - 2.7
	}
	mapped := *p.X
	mapped.Mapped = true
	q := *p
	n := len(p.X.Value)
	if large := p.X.Scaled(factors, n-1); large.Factors == nil || &large.Value[0] != &p.X.Value[0] {
		t.Error("too many values were copied")
	}
	p.X, q.X = p.X.Scaled(factors, n), mapped.Scaled(factors, n)
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
