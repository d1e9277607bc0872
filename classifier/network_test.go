package classifier

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/linnet-ml/linnet/classifier/internal/calibration"
	"github.com/linnet-ml/linnet/classifier/internal/features"
	"github.com/linnet-ml/linnet/classifier/internal/selection"
	"github.com/linnet-ml/linnet/internal/budget"
	"github.com/linnet-ml/linnet/internal/safetensors"
)

// withNetwork is a classifier with a network, without training.
func withNetwork(t testing.TB, columns int) *Classifier {
	t.Helper()
	c := made(t, columns, false, "tf-idf")
	p := c.parts
	p.Spec.NetworkUnits = 3
	n := &Network{}
	for _, h := range features.NewScanner(features.Settings{WordMin: 1, WordMax: 1}).Scan("a good bad film and 日本") {
		n.Words = append(n.Words, h>>24<<24)
	}
	slices.Sort(n.Words)
	for i := range len(n.Words) * 3 {
		n.Large = append(n.Large, int8(i*53%255-127))
		for j := range 3 {
			n.Small = append(n.Small, int8((i*29+j*17)%255-127))
		}
	}
	for i := range 6 {
		n.Scale, n.UnitBias = append(n.Scale, 0.0078125*float32(i+1)), append(n.UnitBias, 0.25-float32(i)/8)
		for k := range columns {
			n.Output = append(n.Output, float32(i-k)/4-0.375)
		}
	}
	for range columns {
		n.Without = append(n.Without, 1.25)
	}
	for k := range columns {
		n.Without = append(n.Without, 0.5-float32(k))
	}
	p.Network = n
	x, err := New(p)
	if err != nil {
		t.Fatal(err)
	}
	x.report = c.report
	return x
}

// phrases is examples whose label is which of two words comes first, one of 30 and one of 30 others: a pair of them is seldom in two
// texts. marked says that one word alone has the label, too.
func phrases(n int, marked bool) []Example {
	r := rand.New(rand.NewPCG(9, 9))
	var firsts, seconds []string
	for range 30 {
		word := func() string {
			b := make([]byte, 5)
			for i := range b {
				b[i] = byte('a' + r.IntN(26))
			}
			return string(b)
		}
		firsts, seconds = append(firsts, word()), append(seconds, word())
	}
	examples := make([]Example, n)
	for i := range examples {
		words := make([]string, 14)
		for j := range words {
			words[j] = "w" + string(rune('a'+r.IntN(20)))
		}
		label := []string{"bad", "good"}[i%2]
		a, b := firsts[r.IntN(30)], seconds[r.IntN(30)]
		if label == "bad" {
			a, b = b, a
		}
		at := r.IntN(13)
		words[at], words[at+1] = a, b
		if marked {
			words = append(words, label)
		}
		examples[i] = Example{strings.Join(words, " "), []string{label}}
	}
	return examples
}

// With a budget a network is learned and kept where word order counts, the same one each time; without one there is none.
func TestBudget(t *testing.T) {
	examples := phrases(900, false)
	ctx := context.Background()
	learn := func(o Options) *Classifier {
		c, err := Train(ctx, examples[:700], o)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	plain, c := learn(Options{}), learn(Options{Budget: 10 * time.Second})
	if plain.parts.Network != nil || plain.Report().Network != nil {
		t.Error("a network without a budget")
	}
	n := c.Report().Network
	if n == nil || !n.Kept || n.Gain <= n.GainError || n.Epochs < 2 || c.Report().Best.Recipe != n.Average.Recipe || c.parts.Network == nil {
		t.Fatalf("report %+v", n)
	}
	if !slices.Equal(written(t, c), written(t, learn(Options{Budget: 10 * time.Second}))) {
		t.Error("the same budget gives another file")
	}
	loss := func(c *Classifier) (sum float64) {
		for _, e := range examples[700:] {
			r := c.Classify(e.Text)
			p := float64(r.Scores[slices.Index(c.Classes(), e.Labels[0])])
			sum -= math.Log(p)
		}
		return sum / 200
	}
	if a, b := loss(plain), loss(c); b > 0.9*a {
		t.Errorf("log loss of %g with the network, %g without", b, a)
	}
	if tiny := learn(Options{Budget: time.Nanosecond}); tiny.Report().Network != nil {
		t.Error("a network with a budget of a nanosecond")
	}
	if _, err := Train(ctx, examples, Options{Budget: -1}); err == nil {
		t.Error("no error for a negative budget")
	}
	// Where a network brings nothing it is left out, and that is reported.
	easy, err := Train(ctx, phrases(300, true), Options{Budget: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if n := easy.Report().Network; n == nil || n.Kept != (n.Gain > n.GainError) || (easy.parts.Network != nil) != n.Kept {
		t.Errorf("report %+v", n)
	}
}

// The network's scores of words in other orders differ, and nothing is allocated for a text.
func TestNetworkClassify(t *testing.T) {
	for _, columns := range []int{1, 3} {
		c := withNetwork(t, columns)
		linear, err := c.withoutNetwork()
		if err != nil {
			t.Fatal(err)
		}
		var r Result
		c.ClassifyInto(&r, "a good film and bad")
		if n := testing.AllocsPerRun(20, func() { c.ClassifyInto(&r, "a good film and bad") }); n >= 1 && !raceDetector {
			t.Errorf("%g allocations", n)
		}
		if reflect.DeepEqual(c.Classify("bad film a good").Scores, linear.Classify("bad film a good").Scores) {
			t.Error("the network changes nothing")
		}
		if !reflect.DeepEqual(c.Classify("").Scores, linear.Classify("").Scores) {
			t.Error("the network changes what is said about a text without a known n-gram")
		}
	}
}

// Contributions and the base add up to the logit, and are said to be approximate.
func TestNetworkExplain(t *testing.T) {
	for _, columns := range []int{1, 3} {
		c := withNetwork(t, columns)
		linear := made(t, columns, false, "tf-idf")
		for _, text := range []string{"a good film, and a bad 日本 film", "good", strings.Repeat("a bad good film and ", 30)} {
			for _, class := range c.Classes() {
				e, err := c.Explain(text, class)
				if err != nil {
					t.Fatal(err)
				}
				sum := float64(e.Base)
				for _, token := range e.Tokens {
					sum += float64(token.Contribution)
				}
				if math.Abs(sum-float64(e.Logit)) > 1e-3 || !e.Approximate {
					t.Errorf("%q, %s: %g of %g, approximate: %v", text, class, sum, e.Logit, e.Approximate)
				}
				l, err := linear.Explain(text, class)
				if err != nil || l.Approximate || l.Logit == e.Logit {
					t.Errorf("%q: without a network %+v, %v", text, l, err)
				}
			}
		}
	}
}

// Shrink leaves the network out first, and the rest then is the linear model that was compared with the average.
func TestNetworkShrink(t *testing.T) {
	ctx := context.Background()
	examples := phrases(700, false)
	c, err := Train(ctx, examples, Options{Budget: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	plain, err := Train(ctx, examples, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if c.parts.Network == nil || plain.Report().Best.Recipe != c.Report().Network.Linear.Recipe {
		t.Fatalf("%+v", c.Report().Network)
	}
	size, err := c.size(ctx)
	if err != nil {
		t.Fatal(err)
	}
	same, err := c.Shrink(ctx, size)
	if err != nil || same != c {
		t.Errorf("another classifier though it fits: %v", err)
	}
	small, err := c.Shrink(ctx, size-1)
	if err != nil || small.parts.Network != nil || len(small.parts.Hashes) != len(c.parts.Hashes) || small.Report().Network.Kept {
		t.Fatalf("%v", err)
	}
	// What was reached, and the thresholds, are the average's.
	if r := small.Report(); r.Shrunk != len(c.parts.Hashes) || r.Best != c.Report().Best {
		t.Errorf("report %+v", r)
	}
	for _, e := range examples[:50] {
		if a, b := small.Classify(e.Text).Scores[0], plain.Classify(e.Text).Scores[0]; math.Abs(float64(a-b)) > 1e-4 {
			t.Fatalf("%q: %g without the network, %g of the linear model", e.Text, a, b)
		}
	}
	tiny, err := c.Shrink(ctx, 5000)
	if err != nil || len(tiny.parts.Hashes) >= len(c.parts.Hashes) {
		t.Errorf("%v", err)
	}
}

// Without the network, the linear model's logits are even as they were before, though the average has another spread.
func TestNetworkSpread(t *testing.T) {
	whole := withNetwork(t, 3).parts
	n := whole.Network
	p := whole
	p.Network, p.Spec.NetworkUnits, p.Weights, p.Scale, p.Bias = nil, 0, nil, nil, nil
	l := &selection.Linear{Bias: []float32{0.1, -0.2, 0.3}}
	for k := range 3 {
		w := make([]float32, len(p.Hashes))
		for i := range w {
			w[i] = float32((7*i+5*k)%11) - 5
		}
		l.Weights = append(l.Weights, w)
	}
	calibrated := func(slope, spread float64) selection.Calibration {
		return selection.Calibration{
			Slope: []float64{slope, slope, slope}, Offset: make([]float64, 3), Evenness: calibration.Evenness{Spread: spread, Quarters: 3},
		}
	}
	alone := calibrated(2, 3)
	if err := p.quantize(t.Context(), l, alone); err != nil {
		t.Fatal(err)
	}
	p.setEvenness(alone.Evenness)
	c, err := New(p)
	if err != nil {
		t.Fatal(err)
	}
	p.addNetwork(l, &selection.Average{Calibration: calibrated(0.5, 2), Network: n.parts(), Units: 3})
	d, err := New(p)
	if err != nil {
		t.Fatal(err)
	}
	e, err := d.withoutNetwork()
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"a good film", "bad and bad", "日本 film"} {
		want, got := c.Classify(text).Scores, e.Classify(text).Scores
		for k := range want {
			if math.Abs(float64(want[k]-got[k])) > 1e-5 {
				t.Errorf("%q: %v, want %v", text, got, want)
				break
			}
		}
		if got := d.Classify(text).Scores; slices.Equal(got, want) {
			t.Errorf("%q: the network changes nothing", text)
		}
	}
}

// Continue keeps the network, whose outputs go with the classes they were of.
func TestNetworkContinue(t *testing.T) {
	ctx := context.Background()
	c, err := Train(ctx, phrases(700, false), Options{Budget: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	more := phrases(60, false)
	for i := range 30 {
		more = append(more, Example{"third kind of text " + string(rune('a'+i%20)), []string{"third"}})
	}
	x, err := c.Continue(ctx, more, ContinueOptions{})
	if err != nil {
		t.Fatal(err)
	}
	n := x.parts.Network
	if n == nil || len(n.Output) != 3*len(n.UnitBias) || x.Classify("third kind of text a").Label != "third" {
		t.Fatalf("%+v", x.parts.Spec)
	}
	for i := range n.UnitBias { // bad, good, third
		if out := n.Output[3*i : 3*i+3]; out[0] != -out[1] || out[2] != 0 || out[1] != c.parts.Network.Output[i]/2 {
			t.Fatalf("outputs %v of unit %d, before %g", out, i, c.parts.Network.Output[i])
		}
	}
	if _, err := FromBytes(ctx, written(t, x)); err != nil {
		t.Error(err)
	}
	right := 0
	for _, e := range phrases(900, false)[700:] {
		if x.Classify(e.Text).Label == e.Labels[0] {
			right++
		}
	}
	if right < 130 {
		t.Errorf("%d of 200 right", right)
	}
}

// Whatever is wrong with a network's tensors is an error that says what.
func TestHostileNetwork(t *testing.T) {
	type data = map[string]*safetensors.Entry
	nan := float32(math.NaN())
	floats := func(name string, v float32) func(data) {
		return func(d data) { d[name].Data.(safetensors.Float32Data)[0] = v }
	}
	for _, v := range []struct {
		name, want, units string
		edit              func(data)
	}{
		{"no units", "does not belong", "0", func(data) {}},
		{"other units", "shape", "2", func(data) {}},
		{"negative units", "units", "-1", func(data) {}},
		{"too many units", "units", "2147483647", func(data) {}},
		{"no words", networkWordsName, "3", func(d data) { delete(d, networkWordsName) }},
		{"no output", networkOutputName, "3", func(d data) { delete(d, networkOutputName) }},
		{"fewer words", networkWordsName, "3", func(d data) {
			d[networkWordsName].Shape, d[networkWordsName].Data = []int{1, 5}, safetensors.Uint8Data(make([]uint8, 5))
		}},
		{"words not in order", "not above", "3", func(d data) { copy(d[networkWordsName].Data.(safetensors.Uint8Data)[5:10], make([]uint8, 5)) }},
		{"scale", "network.scale[0]", "3", floats(networkScaleName, -1)},
		{"bias", "network.unit_bias[0]", "3", floats(networkBiasName, nan)},
		{"output", "network.output[0]", "3", floats(networkOutputName, float32(math.Inf(1)))},
		{"factor", "network.without[0]", "3", floats(networkWithoutName, -1)},
		{"bias without", "network.without[0]", "3", floats(networkWithoutName, nan)},
	} {
		b := change(t, withNetwork(t, 1), func(m map[string]string, d map[string]*safetensors.Entry) {
			for _, e := range d { // the tensors are copies
				if f, ok := e.Data.(safetensors.Float32Data); ok {
					e.Data = slices.Clone(f)
				}
			}
			var all map[string]json.RawMessage
			if err := json.Unmarshal([]byte(m[classifierKey]), &all); err != nil {
				t.Fatal(err)
			}
			all["network_units"] = json.RawMessage(v.units)
			text, err := json.Marshal(all)
			if err != nil {
				t.Fatal(err)
			}
			m[classifierKey] = string(text)
			v.edit(d)
		})
		if _, err := FromBytes(context.Background(), b); err == nil {
			t.Errorf("%s: no error", v.name)
		} else if !strings.HasPrefix(err.Error(), "classifier: bytes: ") || !strings.Contains(err.Error(), v.want) {
			t.Errorf("%s: %v", v.name, err)
		}
	}
}

// The weights of a network take four times the bytes of the file: that is asked for first.
func TestNetworkMemory(t *testing.T) {
	p := withNetwork(t, 3).parts
	const words, units = 80_000, 64
	n := &Network{Small: make([]int8, 3*words*units), Large: make([]int8, words*units)}
	for i := range words {
		n.Words = append(n.Words, uint64(i+1)<<24)
	}
	n.Scale, n.UnitBias, n.Output, n.Without = make([]float32, 2*units), make([]float32, 2*units), make([]float32, 2*units*3), p.Network.Without
	p.Network, p.Spec.NetworkUnits = n, units
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(70 << 20))
	if _, err := New(p); !errors.Is(err, budget.ErrTooLarge) {
		t.Errorf("a network of 82 MB in 70 MiB: %v", err)
	}
}
