package regions

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/linnet-ml/linnet/classifier/internal/calibration"
	"github.com/linnet-ml/linnet/classifier/internal/features"
	"github.com/linnet-ml/linnet/internal/random"
)

// classes are labels of which each row has one; with two classes there is one score.
type classes []int32

func (c classes) Is(row int32, k int) bool { return c[row] == int32(k) }

// binary is one score.
type binary []bool

func (b binary) Is(row int32, _ int) bool { return b[row] }

func read(t testing.TB, texts []string) *Texts {
	t.Helper()
	x, err := Read(context.Background(), features.Memory(texts), all(len(texts)), features.Settings{}, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func all(n int) []int32 {
	rows := make([]int32, n)
	for i := range rows {
		rows[i] = int32(i)
	}
	return rows
}

// pseudo is texts of made-up words.
func pseudo(n, words, vocabulary int) []string {
	s := random.New(1, random.Check, 0)
	texts := make([]string, n)
	for i := range texts {
		var b strings.Builder
		for j := range words {
			fmt.Fprintf(&b, "w%d ", int(s.Uint32(uint64(i*words+j))%uint32(vocabulary)))
		}
		texts[i] = b.String()
	}
	return texts
}

// ordered is texts whose label is the order of two words, among others.
func ordered(n int) ([]string, binary) {
	texts, labels := pseudo(n, 30, 40), make(binary, n)
	for i := range texts {
		words := strings.Fields(texts[i])
		at := i * 7 % 28
		words[at], words[at+1] = "not", "good"
		if labels[i] = i%2 == 0; labels[i] {
			words[at], words[at+1] = words[at+1], words[at]
		}
		texts[i] = strings.Join(words, " ")
	}
	return texts, labels
}

// The most frequent words are numbered first, a word that is once in all texts is none of the vocabulary, and no more than so many
// words of a text are read.
func TestRead(t *testing.T) {
	x := read(t, []string{"b a", "A c b, b", "", strings.Repeat("a ", MostWords+5)})
	if len(x.Hash) != 2 || !slices.Equal(x.ID[:6], []int32{1, 0, 0, 2, 1, 1}) || x.Rows() != 4 || x.Start[2] != 6 || x.Start[3] != 6 || x.Start[4] != 6+MostWords {
		t.Errorf("%d words, %v, %v", len(x.Hash), x.ID[:6], x.Start)
	}
	two, err := Read(context.Background(), features.Memory{"a a b b b c c"}, all(1), features.Settings{}, 2)
	if err != nil || len(two.Hash) != 2 || two.ID[2] != 0 {
		t.Errorf("%v, %v", two, err)
	}
}

// Sums that move along the text are those of each region, whatever the length.
func TestForward(t *testing.T) {
	for _, length := range []int{0, 1, 2, 3, 4, 19, 20, 21, 300, 700} {
		texts := []string{strings.Join(strings.Fields(pseudo(1, length+1, 30)[0])[:length], " "), pseudo(1, 200, 30)[0]}
		x := read(t, texts)
		tr := New(x, binary{true, false}, Settings{Units: 5, Scores: 1})
		ids := x.row(0)
		for _, g := range tr.groups {
			best, at, s := make([]float32, g.n), make([]float32, g.n), make([]float32, g.n)
			g.forward(best, at, s, ids)
			for i := range g.n {
				want := math.Inf(-1)
				value := func(p int) (sum float64) {
					for j, id := range ids[p:min(p+g.size, len(ids))] {
						sum += float64(g.row(j%g.tables(), id)[i])
					}
					return sum
				}
				for p := range g.regions(length) {
					want = max(want, value(p))
				}
				if math.Abs(float64(best[i])-want) > 1e-6 || math.Abs(value(int(at[i]))-want) > 1e-6 {
					t.Errorf("%d words, regions of %d, unit %d: %g at %g, want %g", length, g.size, i, best[i], at[i], want)
				}
			}
		}
	}
}

// The gradients of a step are the differences of the loss, and exactly the weights that have one move.
func TestGradient(t *testing.T) {
	for _, softmax := range []bool{false, true} {
		texts := pseudo(1, 25, 1000) // no word twice
		words := strings.Fields(texts[0])
		slices.Sort(words)
		texts = []string{strings.Join(slices.Compact(words), " ")}
		texts = append(texts, texts[0]) // so that all are in the vocabulary
		const k = 3
		s := Settings{Units: 6, Scores: k, Softmax: softmax}
		x := read(t, texts)
		made := func() *Trainer {
			tr := New(x, classes{1, 1}, s)
			for i, g := range tr.groups { // larger than in training, so that differences are
				random.New(3, random.Check, uint64(3*i)).Uniform(g.weight, -1, 1)
				random.New(3, random.Check, uint64(3*i+1)).Uniform(g.out, -0.3, 0.3)
				random.New(3, random.Check, uint64(3*i+2)).Uniform(g.bias, -0.3, 0.3)
			}
			return tr
		}
		tr := made()
		twice := made() // the mean of a batch
		if err := twice.Epoch(context.Background(), []int32{0, 1}, 0, nil); err != nil {
			t.Fatal(err)
		}
		loss := func() float64 {
			z := make([]float32, k)
			if err := tr.Scores(context.Background(), z, []int32{0}); err != nil {
				t.Fatal(err)
			}
			if softmax {
				return calibration.SoftmaxLoss(z, 1, 1)
			}
			sum := 0.0
			for c, v := range z {
				sum += calibration.LogLoss(float64(v), c == 1)
			}
			return sum
		}
		after := made()
		if err := after.Epoch(context.Background(), []int32{0}, 0, nil); err != nil {
			t.Fatal(err)
		}
		checked, kinks := 0, 0
		compare := func(what string, w, changed, squares []float32) {
			for i := range w {
				got := math.Sqrt(float64(squares[i]))
				move := 0.0
				if got > 1e-6 {
					move = math.Copysign(rate, float64(changed[i]-w[i]))
				}
				if moved := float64(changed[i] - w[i]); got > 1e-6 && math.Abs(moved-move) > 1e-4 || got == 0 && moved != 0 {
					t.Errorf("softmax %v: %s %d: moved by %g, want %g", softmax, what, i, moved, move)
				}
				if move > 0 {
					got = -got
				}
				const step = 1.0 / 128
				old, here := w[i], loss()
				w[i] = old + step
				up := (loss() - here) / step
				w[i] = old - step
				down := (here - loss()) / step
				w[i] = old
				if math.Abs(up-down) > 0.01 { // another region, or 0, is the largest
					kinks++
					continue
				}
				checked++
				if want := (up + down) / 2; math.Abs(got-want) > 2e-3 {
					t.Errorf("softmax %v: %s %d: %g, want %g", softmax, what, i, got, want)
				}
			}
		}
		for i, g := range tr.groups {
			a := after.groups[i]
			if !slices.Equal(a.weight, twice.groups[i].weight) || !slices.Equal(a.out, twice.groups[i].out) || !slices.Equal(a.bias, twice.groups[i].bias) {
				t.Errorf("softmax %v: other bits for a batch of the same row twice", softmax)
			}
			compare("weight", g.weight[:len(g.weight)-g.n], a.weight, a.weightSquares)
			compare("bias", g.bias, a.bias, a.biasSquares)
			compare("output", g.out, a.out, a.outSquares)
		}
		compare("bias of the scores", tr.bias, after.bias, after.squares)
		if checked < 20*kinks || checked < 100 {
			t.Errorf("softmax %v: %d gradients, %d kinks", softmax, checked, kinks)
		}
	}
}

func trained(t testing.TB, x *Texts, l Labels, s Settings, rows []int32, epochs int) *Trainer {
	t.Helper()
	tr := New(x, l, s)
	for e := range epochs {
		if err := tr.Epoch(context.Background(), rows, e, nil); err != nil {
			t.Fatal(err)
		}
	}
	return tr
}

// The order of two words is learned, and a network of 8 bits says the same of texts as the one that was trained.
func TestOrder(t *testing.T) {
	texts, labels := ordered(1200)
	x := read(t, texts)
	tr := trained(t, x, labels, Settings{Units: 16, Scores: 1}, all(1000), 6)
	rows := all(1200)[1000:]
	z := make([]float32, len(rows))
	if err := tr.Scores(context.Background(), z, rows); err != nil {
		t.Fatal(err)
	}
	p, bias := tr.Parts([]float32{1})
	if err := p.Check(16, 1); err != nil {
		t.Fatal(err)
	}
	r := NewNetwork(p, 16, 1, features.Settings{}).NewReader()
	right := 0
	for j, row := range rows {
		if (z[j] > 0) == labels[row] {
			right++
		}
		v := []float32{bias[0]}
		r.Add(v, texts[row])
		if math.Abs(float64(v[0]-z[j])) > 0.1 {
			t.Errorf("row %d: %g with 8 bits, %g before", row, v[0], z[j])
		}
		words, contributions, rest := r.Explain(texts[row], 0)
		sum := rest
		for _, c := range contributions {
			sum += c
		}
		if len(words) != 30 || math.Abs(float64(sum+bias[0]-v[0])) > 1e-3 {
			t.Errorf("row %d: %d words, contributions of %g, score %g", row, len(words), sum, v[0]-bias[0])
		}
	}
	if right < 190 {
		t.Errorf("%d of %d are right", right, len(rows))
	}
}

// The region with the largest value is found exactly at the end of the longest text that is read, and further words count for
// nothing.
func TestManyWords(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 16 Mi words")
	}
	u := &units{size: small, n: 1, words: 2, weight: make([]float32, 3*3)}
	u.weight[2*3+1] = 1 // of word 1 at the last place
	ids := make([]int32, countedWords)
	ids[len(ids)-1] = 1
	var best, at, sum [1]float32
	u.forward(best[:], at[:], sum[:], ids)
	if best[0] != 1 || int(at[0]) != countedWords-small {
		t.Errorf("%g at region %d, want 1 at %d", best[0], int(at[0]), countedWords-small)
	}
	texts := pseudo(20, 60, 50)
	tr := trained(t, read(t, texts), make(binary, 20), Settings{Units: 8, Scores: 1}, all(20), 1)
	p, _ := tr.Parts([]float32{1})
	r := NewNetwork(p, 8, 1, features.Settings{}).NewReader()
	r.most = 30
	half := strings.Join(strings.Fields(texts[3])[:30], " ")
	var z, want [1]float32
	r.Add(z[:], texts[3])
	r.Add(want[:], half)
	words, contributions, _ := r.Explain(texts[3], 0)
	if z != want || len(words) != 30 || len(contributions) != 30 {
		t.Errorf("score %g of a text with words that are left out, %g without them; %d words, %d contributions", z, want, len(words), len(contributions))
	}
}

// Any number of processors gives the same bits.
func TestProcessors(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	texts := pseudo(100, 50, 60)
	labels := make(classes, len(texts))
	for i := range labels {
		labels[i] = int32(i % 3)
	}
	x := read(t, texts)
	var first []float32
	for n := 1; n <= 3; n++ {
		runtime.GOMAXPROCS(n)
		tr := trained(t, x, labels, Settings{Seed: 5, Units: unitShare + 3, Scores: 3, Softmax: true}, all(len(texts)), 2)
		z := make([]float32, 3*len(texts))
		if err := tr.Scores(context.Background(), z, all(len(texts))); err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = z
		}
		if !slices.Equal(z, first) {
			t.Errorf("other bits with %d processors", n)
		}
	}
}

// A training can be interrupted.
func TestInterrupted(t *testing.T) {
	texts := pseudo(600, 4000, 300)
	x := read(t, texts)
	tr := New(x, make(binary, len(texts)), Settings{Units: 64, Scores: 1})
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := tr.Epoch(ctx, all(len(texts)), 0, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	if _, err := Read(ctx, features.Memory(texts), all(len(texts)), features.Settings{}, 10); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if err := tr.Scores(ctx, make([]float32, len(texts)), all(len(texts))); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

// Reading a text allocates nothing after the first.
func TestAllocations(t *testing.T) {
	texts := pseudo(20, 60, 50)
	tr := trained(t, read(t, texts), make(binary, 20), Settings{Units: 8, Scores: 1}, all(20), 1)
	p, _ := tr.Parts([]float32{1})
	r := NewNetwork(p, 8, 1, features.Settings{}).NewReader()
	z := make([]float32, 1)
	if n := testing.AllocsPerRun(10, func() { r.Add(z, texts[3]) }); n > 0 {
		t.Errorf("%g allocations", n)
	}
}

func BenchmarkAdd(b *testing.B) {
	texts := pseudo(50, 230, 8000)
	tr := trained(b, read(b, texts), make(binary, 50), Settings{Units: 64, Scores: 1}, all(50), 1)
	p, _ := tr.Parts([]float32{1})
	r := NewNetwork(p, 64, 1, features.Settings{}).NewReader()
	z := make([]float32, 1)
	for i := 0; b.Loop(); i++ {
		r.Add(z, texts[i%50])
	}
}
