package layers_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/metrics"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/optional"
	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

// numbers is a tokenizer of texts such as "w3 w0 w3": the ids are the numbers, what is no number is id 0.
type numbers struct {
	size  int
	calls *atomic.Int64 // how many texts it has tokenised, where that is counted
}

func (n numbers) Size() int { return n.size }

func (n numbers) AppendIDs(ctx context.Context, dst []int32, s string) ([]int32, error) {
	if n.calls != nil {
		n.calls.Add(1)
	}
	for s != "" {
		var word string
		word, s, _ = strings.Cut(s, " ")
		id := int32(0)
		for _, c := range word[min(1, len(word)):] {
			id = id*10 + c - '0'
		}
		dst = append(dst, id)
	}
	return dst, nil
}

// table is a TextTable in memory.
type table struct {
	rows, dim int
	combiner  text.Combiner
	tokenizer text.Tokenizer
	read      func(dst []float32) error
}

func (t *table) Tokenizer() text.Tokenizer { return t.tokenizer }
func (t *table) Rows() int                 { return t.rows }
func (t *table) Dim() int                  { return t.dim }
func (t *table) Combiner() text.Combiner   { return t.combiner }

func (t *table) ReadTable(ctx context.Context, dst []float32) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return t.read(dst)
}

// newTable is a table of values between -1 and 1 that depend on the place alone, for texts of numbers.
func newTable(rows, dim int, c text.Combiner) *table {
	return &table{rows: rows, dim: dim, combiner: c, tokenizer: numbers{size: rows}, read: func(dst []float32) error {
		for i := range dst {
			dst[i] = float32(uint32(i)*2654435761>>8)/(1<<23) - 1
		}
		return nil
	}}
}

// numberTexts are texts of the given numbers of tokens, of ids below limit.
func numberTexts(t testing.TB, limit int, lengths ...int) *tensor.String {
	t.Helper()
	all := make([]string, len(lengths))
	u := uint32(7)
	for i, n := range lengths {
		words := make([]string, n)
		for k := range words {
			u = u*1664525 + 1013904223
			words[k] = fmt.Sprint("w", int(u>>8)%limit)
		}
		all[i] = strings.Join(words, " ")
	}
	return array(t, all, len(all))
}

// The vectors are sums over the tokens, a token that occurs twice twice, divided as the combiner says.
func TestTextEmbeddingByHand(t *testing.T) {
	values := []float32{1, 10, 2, 20, 3, 30, 4, 40}
	own := &table{rows: 4, dim: 2, combiner: text.Sqrtn, tokenizer: numbers{size: 4}, read: func(dst []float32) error {
		copy(dst, values)
		return nil
	}}
	x := array(t, []string{"w3 w0 w3 w1", "", "w2"}, 3)
	sqrtn := []float32{5.5, 55, 0, 0, 3, 30}
	for _, c := range []struct {
		combiner text.Combiner
		want     []float32
	}{
		{text.CombinerDefault, sqrtn}, {text.Sqrtn, sqrtn},
		{text.Mean, []float32{2.75, 27.5, 0, 0, 3, 30}},
		{text.Sum, []float32{11, 110, 0, 0, 3, 30}},
	} {
		m := build(t, nn.Texts(), layers.TextEmbedding{Table: own, Combiner: c.combiner})
		for _, noFusion := range []bool{false, true} {
			if got := predict(t, m, x, nn.PredictOptions{NoFusion: noFusion}); !slices.Equal(got, c.want) {
				t.Errorf("combiner %v, NoFusion %t: %v, want %v", c.combiner, noFusion, got, c.want)
			}
		}
	}
}

// Texts of very different lengths, one of them of no token and one longer than 16 bits count.
func unevenTexts(t testing.TB) *tensor.String {
	lengths := []int{0, 1, 70_000, 3, 0, 17, 256}
	for i := range 90 {
		lengths = append(lengths, i)
	}
	return numberTexts(t, 300, lengths...)
}

// A row's result has the same bits alone and in any batch, with any number of threads, from texts, from bags that were
// made before and from what Prepare returns.
func TestTextEmbeddingIsOfTheRowAlone(t *testing.T) {
	x := unevenTexts(t)
	const dim = 5
	tab := newTable(300, dim, text.Mean)
	m := build(t, nn.Texts(), layers.TextEmbedding{Table: tab}, layers.Dense{Units: 3, Activation: layers.Tanh})
	want := predict(t, m, x, nn.PredictOptions{})
	bags, err := text.CountTexts(t.Context(), x.Data(), tab.tokenizer)
	must(t, err)
	prepared, err := m.Prepare(t.Context(), x)
	must(t, err)
	again, err := m.Prepare(t.Context(), bags)
	must(t, err)
	if again != tensor.Rows(bags) {
		t.Error("Prepare of bags does not return them")
	}
	for name, x := range map[string]tensor.Rows{"texts": x, "bags": bags, "prepared": prepared} {
		for _, o := range []nn.PredictOptions{{BatchSize: 1}, {BatchSize: 7, Threads: 2}, {Threads: 3}, {NoFusion: true}, {NoFusion: true, BatchSize: 5, Threads: 2}} {
			if got := predict(t, m, x, o); !equalBits(got, want) {
				t.Errorf("%s with %+v differ", name, o)
			}
		}
	}
	for i := range x.Len() {
		if got := predict(t, m, x.Rows(i, i+1), nn.PredictOptions{}); !equalBits(got, want[i*3:i*3+3]) {
			t.Errorf("text %d alone differs", i)
		}
		if got := predict(t, m, bags.Rows(i, i+1), nn.PredictOptions{}); !equalBits(got, want[i*3:i*3+3]) {
			t.Errorf("bag %d alone differs", i)
		}
	}
}

func TestTextEmbeddingGradients(t *testing.T) {
	for _, c := range []text.Combiner{text.Sqrtn, text.Mean, text.Sum} {
		m := build(t, nn.Texts(), layers.TextEmbedding{Table: newTable(12, 3, c), Trainable: true}, layers.Dense{Units: 2, Activation: layers.Tanh})
		x := numberTexts(t, 10, 0, 1, 2, 5, 9, 30, 0, 4)
		for _, o := range []nn.GradientOptions{{}, {Threads: 3}, {NoFusion: true}} {
			must(t, m.CheckGradients(t.Context(), x, o))
		}
		bags, err := m.Prepare(t.Context(), x)
		must(t, err)
		must(t, m.CheckGradients(t.Context(), bags, nn.GradientOptions{}))
	}
}

// sidesOf are labels that depend on the texts.
func sidesOf(t testing.TB, x *tensor.String) *tensor.Float32 {
	y := make([]float32, x.Len())
	for i, s := range x.Data() {
		y[i] = float32(len(s) / 3 % 2)
	}
	return array(t, y, len(y))
}

func fitTexts(t testing.TB, m *nn.Model, x tensor.Rows, y *tensor.Float32, o nn.FitOptions) *history.History {
	t.Helper()
	o.Loss, o.BatchSize = loss.BinaryCrossentropy{FromLogits: true}, 32
	h, err := m.Fit(t.Context(), nn.Data{X: x, Y: y}, o)
	must(t, err)
	return h
}

// Without Trainable the table stays as it was read and costs an optimizer nothing; the layers after it learn.
func TestTextEmbeddingFrozen(t *testing.T) {
	x := unevenTexts(t)
	m := build(t, nn.Texts(), layers.TextEmbedding{Table: newTable(300, 4, text.Mean)}, layers.Dense{Units: 1})
	before := m.Weights(nil)
	var state plan.TrainingState
	fitTexts(t, m, x, sidesOf(t, x), nn.FitOptions{Optimizer: optim.Adam{}, Epochs: 2, State: &state})
	after := m.Weights(nil)
	if !equalBits(after[0], before[0]) || equalBits(after[1], before[1]) {
		t.Error("the table has changed, or the layer behind it has not")
	}
	if len(state.Slots) != 2 || state.Slots["text_embedding/embeddings"] != nil || state.Rows != nil {
		t.Errorf("slots of %d parameters and of rows %v", len(state.Slots), state.Rows)
	}
}

// A table so large that only touched rows are visited trains to the same bits as a small one, with any number of
// threads, with and without fusion, and when it goes on from a saved state.
func TestTextEmbeddingLargeTable(t *testing.T) {
	const small, large, dim = 300, 1 << 17, 16
	x := unevenTexts(t)
	y := sidesOf(t, x)
	model := func(rows int) *nn.Model {
		return build(t, nn.Texts(), layers.TextEmbedding{Table: newTable(rows, dim, text.Sqrtn), Trainable: true}, layers.Dense{Units: 1})
	}
	for _, o := range []nn.Optimizer{optim.Adam{LearningRate: 0.01}, optim.Adam{SquareOccurrences: true}, optim.SGD{LearningRate: 0.1, Momentum: 0.9}} {
		want := model(small)
		fitTexts(t, want, x, y, nn.FitOptions{Optimizer: o, Epochs: 4})
		for _, threads := range []int{1, 2, 3} {
			t.Run(fmt.Sprintf("%T/threads=%d", o, threads), func(t *testing.T) {
				got := model(large)
				values := got.Parameter("text_embedding/embeddings").Values()
				before := slices.Clone(values)
				var state plan.TrainingState
				options := nn.FitOptions{Optimizer: o, Epochs: 2, Threads: threads, State: &state, NoFusion: threads == 2}
				fitTexts(t, got, x, y, options)
				options.InitialEpoch, options.Epochs = 2, 4
				fitTexts(t, got, x, y, options)
				for i, w := range want.Weights(nil) {
					if g := got.Parameters()[i].Values()[:len(w)]; !equalBits(g, w) {
						t.Errorf("%s differs from that of the small table", got.Parameters()[i].Name())
					}
				}
				if !equalBits(values[small*dim:], before[small*dim:]) {
					t.Error("rows that no text names have changed")
				}
				if n := len(state.Rows["text_embedding/embeddings"].Rows); n == 0 || n > small {
					t.Errorf("%d rows have slots", n)
				}
			})
		}
	}
}

// A training tokenises its texts once and not once an epoch, and with bags not at all. Both give the same bits.
func TestTextEmbeddingTokenisesOnce(t *testing.T) {
	x := unevenTexts(t)
	y := sidesOf(t, x)
	tab := newTable(300, 4, text.Mean)
	calls := &atomic.Int64{}
	tab.tokenizer = numbers{size: 300, calls: calls}
	spec := []nn.Layer{layers.TextEmbedding{Table: tab, Trainable: true}, layers.Dense{Units: 1}}
	options := nn.FitOptions{Optimizer: optim.Adam{}, Epochs: 3, ValidationSplit: 0.3, Metrics: []nn.Metric{metrics.BinaryAccuracy{Threshold: optional.Of[float32](0)}}}
	m := build(t, nn.Texts(), spec...)
	history := fitTexts(t, m, x, y, options)
	if n := calls.Load(); n != int64(x.Len()) {
		t.Errorf("Fit tokenises %d texts, of %d", n, x.Len())
	}
	calls.Store(0)
	apart := options
	apart.ValidationSplit, apart.Validation = 0, nn.Data{X: x, Y: y}
	fitTexts(t, build(t, nn.Texts(), spec...), x, y, apart)
	if n := calls.Load(); n != 2*int64(x.Len()) {
		t.Errorf("Fit tokenises %d texts, of %d to train on and as many to validate", n, x.Len())
	}
	bags, err := text.CountTexts(t.Context(), x.Data(), tab.tokenizer)
	must(t, err)
	calls.Store(0)
	other := build(t, nn.Texts(), spec...)
	same := fitTexts(t, other, bags, y, options)
	evaluate := nn.EvaluateOptions{Loss: loss.BinaryCrossentropy{FromLogits: true}}
	fromBags, err := other.Evaluate(t.Context(), nn.Data{X: bags, Y: y}, evaluate)
	must(t, err)
	if calls.Load() != 0 {
		t.Error("bags are tokenised again")
	}
	fromTexts, err := m.Evaluate(t.Context(), nn.Data{X: x, Y: y}, evaluate)
	must(t, err)
	a, _ := fromBags.Get("loss")
	b, _ := fromTexts.Get("loss")
	if a != b || fmt.Sprint(history) != fmt.Sprint(same) {
		t.Errorf("bags give loss %v and %v, texts %v and %v", a, same, b, history)
	}
}

// Texts that come as a stream train to the same bits as texts in memory, and so do bags.
func TestTextEmbeddingStream(t *testing.T) {
	x := unevenTexts(t)
	y := sidesOf(t, x)
	tab := newTable(300, 4, text.Mean)
	bags, err := text.CountTexts(t.Context(), x.Data(), tab.tokenizer)
	must(t, err)
	inBatches := func(rows func(lo, hi int) tensor.Rows) nn.Source {
		return nn.SourceFunc(func(context.Context, int) iter.Seq2[nn.Batch, error] {
			return func(yield func(nn.Batch, error) bool) {
				for at := 0; at < x.Len(); at += 32 {
					end := min(at+32, x.Len())
					if !yield(nn.Batch{X: rows(at, end), Y: y.Rows(at, end)}, nil) {
						return
					}
				}
			}
		})
	}
	var want [][]float32
	for name, stream := range map[string]nn.Source{
		"memory": nil,
		"texts":  inBatches(func(lo, hi int) tensor.Rows { return x.Rows(lo, hi) }),
		"bags":   inBatches(func(lo, hi int) tensor.Rows { return bags.Rows(lo, hi) }),
	} {
		m := build(t, nn.Texts(), layers.TextEmbedding{Table: tab, Trainable: true}, layers.Dense{Units: 1})
		d := nn.Source(nn.Data{X: x, Y: y})
		o := nn.FitOptions{Optimizer: optim.Adam{}, Loss: loss.BinaryCrossentropy{FromLogits: true}, Epochs: 3}
		if stream != nil {
			d = stream
		} else {
			o.BatchSize, o.NoShuffle = 32, true
		}
		_, err := m.Fit(t.Context(), d, o)
		must(t, err)
		got := m.Weights(nil)
		if want == nil {
			want = got
		}
		for i := range got {
			if !equalBits(got[i], want[i]) {
				t.Errorf("%s: %s differs", name, m.Parameters()[i].Name())
			}
		}
	}
}

// Once there were texts as long, a prediction of single texts allocates nothing; nor does one of a few.
func TestTextEmbeddingDoesNotAllocate(t *testing.T) {
	m := build(t, nn.Texts(), layers.TextEmbedding{Table: newTable(100_000, 4, text.Sqrtn)}, layers.Dense{Units: 1})
	x := numberTexts(t, 100_000, 230, 1, 0, 1000, 17)
	inputs := []tensor.Rows{x.Rows(0, 1), x.Rows(1, 2), x.Rows(2, 3), x.Rows(3, 4), x.Rows(1, 5)}
	ctx, dst := t.Context(), make([]float32, 0, 8)
	call := func() {
		for _, x := range inputs {
			if _, err := m.PredictInto(ctx, dst, x, nn.PredictOptions{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	call()
	if n := testing.AllocsPerRun(20, call); n != 0 {
		t.Errorf("%v allocations in %d predictions", n, len(inputs))
	}
}

// Any number of goroutines may predict texts on one model.
func TestTextEmbeddingConcurrently(t *testing.T) {
	m := build(t, nn.Texts(), layers.TextEmbedding{Table: newTable(300, 4, text.Sqrtn)}, layers.Dense{Units: 1})
	x := unevenTexts(t)
	want := predict(t, m, x, nn.PredictOptions{})
	var all sync.WaitGroup
	for g := range 4 {
		all.Go(func() {
			for i := range x.Len() {
				i := (i + g*13) % x.Len()
				got, err := m.PredictInto(t.Context(), nil, x.Rows(i, i+1), nn.PredictOptions{})
				if err != nil || !equalBits(got, want[i:i+1]) {
					t.Errorf("text %d: %v, error %v", i, got, err)
				}
			}
		})
	}
	all.Wait()
}

// The counts of parameters are those of the tutorial "Text classification with TensorFlow Hub": the table is trainable
// or not as the layer says. A summary of what is not built does not read the table.
func TestTextEmbeddingSummary(t *testing.T) {
	for trainable, want := range map[bool]string{
		true:  " Total params: 48,191,433 (183.84 MB)\n Trainable params: 48,191,433 (183.84 MB)\n Non-trainable params: 0 (0.00 B)\n",
		false: " Total params: 48,191,433 (183.84 MB)\n Trainable params: 833 (3.25 KB)\n Non-trainable params: 48,190,600 (183.83 MB)\n",
	} {
		reads := 0
		tab := &table{rows: 963_812, dim: 50, combiner: text.Sqrtn, tokenizer: numbers{size: 963_812}, read: func([]float32) error {
			reads++
			return nil
		}}
		spec := nn.NewSequential(layers.TextEmbedding{Table: tab, Trainable: trainable}, layers.Dense{Units: 16, Activation: layers.ReLU}, layers.Dense{Units: 1})
		if s := spec.Summary(); reads != 0 || !strings.Contains(s, "│ text_embedding (TextEmbedding)  │ ?                      │   0 (unbuilt) │") {
			t.Errorf("after %d readings\n%s", reads, s)
		}
		m, err := spec.Build(t.Context(), nn.Texts(), nn.BuildOptions{})
		must(t, err)
		s := m.Summary()
		if reads != 1 || !strings.HasSuffix(s, want) || !strings.Contains(s, "│ text_embedding (TextEmbedding)  │ (None, 50)             │    48,190,600 │") {
			t.Errorf("after %d readings\n%s", reads, s)
		}
	}
}

func TestTextEmbeddingBuildErrors(t *testing.T) {
	broken := errors.New("pretrained: vectors.txt:17: 49 numbers in place of 50")
	spoil := func(change func(t *table)) *table {
		t := newTable(4, 2, text.Sqrtn)
		change(t)
		return t
	}
	good := newTable(4, 2, text.Sqrtn)
	const place = "nn: layer 0 (text_embedding) cannot follow the input (string) of shape (None,): "
	for _, c := range []struct {
		in    nn.Input
		layer layers.TextEmbedding
		want  string
	}{
		{nn.Texts(), layers.TextEmbedding{}, place + "TextEmbedding needs Words and Dim, or a Table"},
		{nn.Texts(), layers.TextEmbedding{Table: good, Combiner: 9}, place + "TextEmbedding has no Combiner 9; there are text.Sqrtn, text.Mean and text.Sum"},
		{nn.Texts(), layers.TextEmbedding{Table: spoil(func(t *table) { t.combiner = text.CombinerDefault })},
			place + "TextEmbedding's Table names no Combiner; set it to text.Sqrtn, text.Mean or text.Sum"},
		{nn.Texts(), layers.TextEmbedding{Table: spoil(func(t *table) { t.tokenizer = nil })}, place + "TextEmbedding's Table has no tokenizer"},
		{nn.Texts(), layers.TextEmbedding{Table: spoil(func(t *table) { t.tokenizer = numbers{size: 5} })}, place + "TextEmbedding's tokenizer has 5 ids and its table 4 rows"},
		{nn.Texts(), layers.TextEmbedding{Table: spoil(func(t *table) { t.tokenizer = numbers{} })}, place + "TextEmbedding's tokenizer has 0 ids and its table 4 rows"},
		{nn.Texts(), layers.TextEmbedding{Table: spoil(func(t *table) { t.rows = 0 })}, place + "TextEmbedding needs a table of at least 1 row and 1 dimension, not (0, 2)"},
		{nn.Texts(), layers.TextEmbedding{Table: spoil(func(t *table) { t.dim = -1 })}, place + "TextEmbedding needs a table of at least 1 row and 1 dimension, not (4, -1)"},
		{nn.Texts(), layers.TextEmbedding{Table: spoil(func(t *table) { t.dim = math.MaxInt })},
			place + fmt.Sprintf("parameter embeddings of shape (4, %d) has more than %d elements", math.MaxInt, math.MaxInt>>4)},
		{nn.Texts(), layers.TextEmbedding{Name: "words", Table: spoil(func(t *table) { t.read = func([]float32) error { return broken } })},
			"nn: layer 0 (words): parameter embeddings: pretrained: vectors.txt:17: 49 numbers in place of 50"},
		{nn.Tokens(nn.AnyLength), layers.TextEmbedding{Table: good},
			"nn: layer 0 (text_embedding) cannot follow the input (int32) of shape (None, None): shape does not fit: TextEmbedding reads texts, one a row (nn.Texts), not int32 of shape (None, None)"},
	} {
		_, err := nn.NewSequential(c.layer).Build(t.Context(), c.in, nn.BuildOptions{})
		if err == nil || err.Error() != c.want {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
	_, err := nn.NewSequential(doubled{layers.TextEmbedding{Table: good}}).Build(t.Context(), nn.Texts(), nn.BuildOptions{})
	if err == nil || !strings.HasSuffix(err.Error(), "it takes one input, not 2") {
		t.Errorf("two inputs: %v", err)
	}
}

// outside is a tokenizer with an id that it should not have.
type outside struct{ numbers }

func (o outside) Size() int { return o.size - 1 }

func TestTextEmbeddingInputErrors(t *testing.T) {
	m := build(t, nn.Texts(), layers.TextEmbedding{Table: newTable(4, 2, text.Sqrtn)})
	other, err := text.CountTexts(t.Context(), []string{"w1"}, numbers{size: 5})
	must(t, err)
	bad := newTable(4, 2, text.Sqrtn)
	bad.tokenizer = outside{numbers{size: 4}}
	for _, c := range []struct {
		m    *nn.Model
		x    tensor.Rows
		want string
	}{
		{m, array(t, []string{"w1", "w2"}, 1, 2), "nn: shape does not fit: the model reads rows (None,), not (1, 2)"},
		{m, array(t, []int32{1, 2}, 1, 2), "nn: shape does not fit: the model reads string rows (None,), not int32 rows (1, 2)"},
		{m, other, `nn: layer "text_embedding": bags of a vocabulary of 5 ids do not fit the tokenizer, which has 4`},
	} {
		y := array(t, []float32{1, 0}, 1, 2)
		_, fit := c.m.Fit(t.Context(), nn.Data{X: c.x, Y: y}, nn.FitOptions{Optimizer: optim.SGD{}, Loss: loss.MeanSquaredError{}})
		_, evaluate := c.m.Evaluate(t.Context(), nn.Data{X: c.x, Y: y}, nn.EvaluateOptions{Loss: loss.MeanSquaredError{}})
		_, predict := c.m.PredictInto(t.Context(), nil, c.x, nn.PredictOptions{})
		_, prepare := c.m.Prepare(t.Context(), c.x)
		for way, err := range map[string]error{"Fit": fit, "Evaluate": evaluate, "Predict": predict, "Prepare": prepare} {
			if err == nil || err.Error() != c.want {
				t.Errorf("%s\ngot  %v\nwant %s", way, err, c.want)
			}
		}
	}
	_, err = build(t, nn.Texts(), layers.TextEmbedding{Table: bad}).PredictInto(t.Context(), nil, array(t, []string{"w1 w2", "w2 w3"}, 2), nn.PredictOptions{})
	var id *text.IDError
	if !errors.As(err, &id) || *id != (text.IDError{Row: 1, Column: 1, ID: 3, Vocabulary: 3}) {
		t.Errorf("an id outside the vocabulary: %v", err)
	}
}

// The table is in memory once, in the model; beside it training keeps what it needs of the rows that move.
func TestTextEmbeddingMemory(t *testing.T) {
	const rows, dim, moved = 200_000, 16, 40_000
	x := numberTexts(t, moved, slices.Repeat([]int{30}, 2000)...)
	y := sidesOf(t, x)
	live := func() uint64 {
		var s runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&s)
		return s.HeapAlloc
	}
	taken := func() uint64 {
		var s runtime.MemStats
		runtime.ReadMemStats(&s)
		return s.TotalAlloc
	}
	spec := []nn.Layer{layers.TextEmbedding{Table: newTable(rows, dim, text.Mean), Trainable: true}, layers.Dense{Units: 1}}
	const size, spare = rows * dim * 4, 2 << 20
	before, all := live(), taken()
	m := build(t, nn.Texts(), spec...)
	if n := taken() - all; n > size+spare {
		t.Errorf("Build takes %d bytes for a table of %d", n, size)
	}
	during := uint64(0)
	watch := plan.CallbackFunc(func(e plan.Event, _ plan.Training) error {
		if e == plan.EpochEnd {
			during = max(during, live())
		}
		return nil
	})
	all = taken()
	fitTexts(t, m, x, y, nn.FitOptions{Optimizer: optim.Adam{}, Epochs: 2, Callbacks: []nn.Callback{watch}})
	// A number for each row of the table says where its slots are.
	const places, slots = rows * 4, moved * dim * 4 * 2
	if n := during - before; n > size+places+slots+spare {
		t.Errorf("%d bytes are in use while a table of %d bytes trains, of which %d move", n, size, moved*dim*4)
	}
	// The numbers of ids and rows are in memory that grows, their slots are not.
	if n := taken() - all; n > places+slots+5*spare {
		t.Errorf("training a table of %d bytes, of which %d move, takes %d more", size, moved*dim*4, n)
	}
	runtime.KeepAlive(m)
}

func TestTextEmbeddingSpec(t *testing.T) {
	a, b := newTable(4, 2, text.Sqrtn), newTable(4, 2, text.Sqrtn)
	if nn.Layer(layers.TextEmbedding{Table: a}) != nn.Layer(layers.TextEmbedding{Table: a}) || nn.Layer(layers.TextEmbedding{Table: a}) == nn.Layer(layers.TextEmbedding{Table: b}) {
		t.Error("specs are not equal when they have the same table")
	}
	roundTrip(t, layers.TextEmbedding{Name: "words", Combiner: text.Sum, Trainable: true})
}
