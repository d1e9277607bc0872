package classifier

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"testing"
)

// mixed are sentences with some wrong labels.
func mixed(n int) []Example {
	examples := sentences([]string{"neg", "pos"}, n)
	for i := range examples {
		if i%20 == 0 { // a wrong label
			examples[i].Labels = []string{map[string]string{"neg": "pos", "pos": "neg"}[examples[i].Labels[0]]}
		}
	}
	return examples
}

// A stated goal is reached on the rows that it was chosen on, for either class.
func TestGoal(t *testing.T) {
	for _, positive := range []string{"", "neg", "pos"} {
		for _, g := range []Goal{{}, {Precision: 0.9}, {Recall: 0.97}} {
			c, err := Train(context.Background(), mixed(150), Options{Seed: 1, Goal: g, Positive: positive})
			if err != nil {
				t.Fatal(err)
			}
			r := c.Report().Labels[0]
			want := "pos"
			if positive != "" {
				want = positive
			}
			if r.Label != want || r.Precision < g.Precision && r.Reached || r.Recall < g.Recall || r.Recall > 0 && !r.Reached {
				t.Errorf("%q, %+v: %+v", positive, g, r)
			}
			if near := math.Abs(float64(r.Threshold)-0.5) < 0.05; (g == Goal{}) != near { // the classes are of the same size
				t.Errorf("%+v: threshold %g", g, r.Threshold)
			}
			given := 0
			for _, e := range mixed(150) {
				result := c.Classify(e.Text)
				p := result.Scores[1]
				if want == "neg" {
					p = result.Scores[0]
				}
				if is := result.Label == want; is != (p >= r.Threshold) && p != r.Threshold {
					t.Errorf("%q has the label %q at %g of %g", e.Text, result.Label, p, r.Threshold)
				} else if is {
					given++
				}
			}
			if given == 0 {
				t.Errorf("%+v: no text gets the label", g)
			}
		}
	}
}

// Without a goal, the threshold of a rare class that is hard to tell is low enough to find some of it, and the same whichever class is
// the positive one.
func TestDefaultGoal(t *testing.T) {
	var examples []Example
	for i := range 600 {
		word, label := fmt.Sprintf("w%d ", i%7), "often"
		if i%4 == 0 {
			word += "sign"
		}
		if i%12 == 0 { // a third of those with the sign
			label = "rare"
		}
		examples = append(examples, Example{word, []string{label}})
	}
	var thresholds []float32
	for _, positive := range []string{"often", "rare"} {
		c, err := Train(context.Background(), examples, Options{Seed: 1, Positive: positive})
		if err != nil {
			t.Fatal(err)
		}
		if r := c.Classify("w1 sign"); r.Label != "rare" || r.Probability > 0.5 {
			t.Errorf("the sign gets %+v", r)
		}
		if r := c.Classify("w1"); r.Label != "often" {
			t.Errorf("no sign gets %+v", r)
		}
		thresholds = append(thresholds, c.Parts().Threshold[0])
	}
	if thresholds[0] != thresholds[1] {
		t.Errorf("thresholds %v", thresholds)
	}
}

// threshold on rows whose answer can be read off.
func TestThreshold(t *testing.T) {
	p := []float32{0.9, 0.8, 0.8, 0.6, 0.4, 0.2}
	yes := []bool{true, true, false, true, false, false}
	for _, v := range []struct {
		g    Goal
		want float32
	}{
		{Goal{Precision: 1}, 0.85},
		{Goal{Precision: 0.75}, 0.5},
		{Goal{Precision: 0.5}, 0.1},
		{Goal{Recall: 1}, 0.5},
		{Goal{Recall: 0.5}, 0.7},
		{Goal{Recall: 0.3}, 0.85},
	} {
		got := v.g.threshold(p, yes, false)
		if r := (side{}).report("x", got, p, yes, v.g); got < v.want-1e-6 || got > v.want+1e-6 || !r.Reached {
			t.Errorf("%+v: %g, %+v, want %g", v.g, got, r, v.want)
		}
	}
	never := make([]bool, len(p))
	if got := (Goal{Precision: 0.9}).threshold(p, never, false); got != 1 || (side{}).report("x", got, p, never, Goal{Precision: 0.9}).Reached {
		t.Errorf("no positive row: %g", got)
	}
}

// What a threshold is said to reach is what texts of those probabilities get, for either class, up to the last row and between
// probabilities that are neighbours.
func TestThresholdIsKept(t *testing.T) {
	one := math.Nextafter32(1, 0)
	half := math.Nextafter32(0.5, 1)
	for _, p := range [][]float32{
		{0.9, 0.8, 0.8, 0.6, 0.4, 0.2}, {half, 0.5, half, 0.5, half, 0.5}, {1, one, 1, one, 1, one}, {0, 0, 0, 1e-45, 1e-45, 0},
		{0, 1, 0.25, 0.75, 0.5, 0.5}, {1, 1, 1, 1, 1, 1}, {0, 0, 0, 0, 0, 0}, {one, one, 0.5, 0.25, 1, 0},
	} {
		for set := range 64 {
			positive := make([]bool, len(p))
			for i := range positive {
				positive[i] = set>>i&1 == 1
			}
			for _, first := range []bool{false, true} {
				for _, g := range []Goal{{Precision: 1}, {Precision: 0.7}, {Recall: 1}, {Recall: 0.4}} {
					c := made(t, 1, false, "binary")
					c.parts.Spec.MinConfidence = 0
					cut := g.threshold(p, positive, first)
					c.parts.Threshold[0] = cut
					r := side{first: first}.report("x", cut, p, positive, g)
					given, hits, all := 0, 0, 0
					for i, v := range p {
						// As decide does with a probability.
						label := c.parts.Spec.Classes[0]
						if v >= c.parts.Threshold[0] {
							label = c.parts.Spec.Classes[1]
						}
						is := positive[i] != first
						if is {
							all++
						}
						if label == c.parts.Spec.Classes[1] != first {
							given++
							if is {
								hits++
							}
						}
					}
					if r.Precision != ratio(hits, given) || r.Recall != ratio(hits, all) {
						t.Fatalf("%v, %v, first %v, %+v: %+v, but %d of %d texts with the label get it, and %d others", p, positive, first, g, r, hits, all, given-hits)
					}
					certain := float32(1) // p of a text that certainly does not have the label
					if !first {
						certain = 0
					}
					if all > 0 && g.Recall > 0 && !r.Reached && !slices.Contains(p, certain) {
						t.Errorf("%v, %v, first %v: recall %g is not reached: %+v", p, positive, first, g.Recall, r)
					}
				}
			}
		}
	}
	// Where no threshold reaches the precision, a text of probability 1 still gets the label, of either class.
	no := []bool{false, false}
	if cut := (Goal{Precision: 1}).threshold([]float32{0.5, 0.25}, no, false); !(side{}).given(1, cut) || (side{}).given(0.9999, cut) {
		t.Errorf("second class: %g", cut)
	}
	yes := []bool{true, true}
	if cut := (Goal{Precision: 1}).threshold([]float32{0.5, 0.25}, yes, true); !(side{first: true}).given(0, cut) || (side{first: true}).given(0.0001, cut) {
		t.Errorf("first class: %g", cut)
	}
}

// A report counts the labels that texts get, not those that a confidence withholds.
func TestReportOfConfidence(t *testing.T) {
	p := []float32{0.9, 0.6, 0.45, 0.4, 0.1}
	positive := []bool{true, true, true, true, false}
	g := Goal{Recall: 1}
	cut := g.threshold(p, positive, false)
	if r := (side{}).report("x", cut, p, positive, g); r.Recall != 1 || !r.Reached {
		t.Errorf("%+v", r)
	}
	if r := (side{confidence: 0.5}).report("x", cut, p, positive, g); r.Recall != 0.5 || r.Reached {
		t.Errorf("with a confidence: %+v", r)
	}
}

// Below the confidence a text has no label; its probability and scores stay.
func TestMinConfidence(t *testing.T) {
	for _, labels := range [][]string{{"neg", "pos"}, {"a", "b", "c"}} {
		sure := train(t, sentences(labels, 60))
		c, err := Train(context.Background(), sentences(labels, 60), Options{Seed: 1, MinConfidence: 0.985})
		if err != nil {
			t.Fatal(err)
		}
		none := 0
		for _, e := range sentences(labels, 60) {
			r, s := c.Classify(e.Text), sure.Classify(e.Text)
			if r.Probability != s.Probability || (r.Label == "") != (s.Probability < 0.985) || (r.Label == "") != (len(r.Labels) == 0) || r.Label != "" && r.Label != s.Label {
				t.Errorf("%+v and %+v", r, s)
			}
			if r.Label == "" {
				none++
			}
		}
		if r := c.Classify(""); r.Label != "" {
			t.Errorf("an empty text has the label %q", r.Label)
		}
		if none == 0 {
			t.Error("every text has a label")
		}
	}
}

func TestOptionErrors(t *testing.T) {
	two, three := sentences([]string{"neg", "pos"}, 10), sentences([]string{"a", "b", "c"}, 10)
	for _, v := range []struct {
		examples []Example
		o        Options
		option   string
	}{
		{two, Options{Goal: Goal{Precision: 1.5}}, "Goal"},
		{two, Options{Goal: Goal{Recall: -1}}, "Goal"},
		{two, Options{Goal: Goal{Recall: 0.5, Precision: 0.5}}, "Goal"},
		{three, Options{Goal: Goal{Recall: 0.5}}, "Goal"},
		{two, Options{Positive: "x"}, "Positive"},
		{three, Options{Positive: "a"}, "Positive"},
		{two, Options{MinConfidence: 2}, "MinConfidence"},
		{two, Options{MinConfidence: 0.5, MultiLabel: true}, "MinConfidence"},
		{two, Options{MinConfidence: math.NaN()}, "MinConfidence"},
		{two, Options{Positive: "pos", MultiLabel: true}, "Positive"},
		{several([]string{"a", "b"}, 10), Options{Positive: "a"}, "Positive"},
		{several([]string{"a", "b"}, 10), Options{MinConfidence: 0.5}, "MinConfidence"},
		{two, Options{MaxFeatures: -5}, "MaxFeatures"},
		{two, Options{Work: -1}, "Work"},
		{two, Options{Budget: -1}, "Budget"},
	} {
		_, err := Train(context.Background(), v.examples, v.o)
		if e, ok := errors.AsType[*OptionError](err); !ok || e.Option != v.option {
			t.Errorf("%+v: %v, want an error of %s", v.o, err, v.option)
		}
		_, err = CrossAnswers(context.Background(), v.examples, 2, v.o)
		if e, ok := errors.AsType[*OptionError](err); !ok || e.Option != v.option {
			t.Errorf("CrossAnswers, %+v: %v, want an error of %s", v.o, err, v.option)
		}
	}
	// What the examples have no part in is said before they are read.
	unread := func(context.Context) iter.Seq2[Example, error] {
		t.Error("the source is read")
		return func(func(Example, error) bool) {}
	}
	for _, o := range []Options{{Goal: Goal{Precision: 2}}, {MaxFeatures: -1}, {MinConfidence: 0.5, MultiLabel: true}, {Budget: -1}} {
		if _, err := TrainSource(context.Background(), unread, o); !isOptionError(err) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if _, err := Train(context.Background(), []Example{{"a", []string{"x"}}, {"b", []string{"x"}}}, Options{}); !errors.Is(err, ErrTooFewClasses) {
		t.Errorf("one class: %v", err)
	}
	if _, err := Train(context.Background(), []Example{{"a", []string{"x"}}, {"b", []string{"y"}}}, Options{}); !errors.Is(err, ErrTooFewExamples) {
		t.Errorf("one example each: %v", err)
	}
	_, err := Train(context.Background(), []Example{{"a", []string{"x"}}, {"b", []string{"y", "y"}}}, Options{})
	if e, ok := errors.AsType[*ExampleError](err); !ok || e.Index != 1 {
		t.Errorf("a label twice: %v", err)
	}
}

func isOptionError(err error) bool { return errors.As(err, new(*OptionError)) }

// A message names the condition that is broken.
func TestTooFew(t *testing.T) {
	for want, examples := range map[string][]Example{
		"1 in 2 examples, want two":                          {{"a", []string{"x"}}, {"b", []string{"x"}}},
		"0 in 2 examples, want one":                          {{"a", nil}, {"b", nil}},
		"1 of 2 classes have two":                            {{"a", []string{"x"}}, {"b", []string{"x"}}, {"c", []string{"y"}}},
		"is on two of the 3 and missing on another":          {{"a", []string{"x"}}, {"b", []string{"x"}}, {"c", []string{"x", "y"}}},
		"is on two of the 2 and missing on another, to lear": {{"a", []string{"x"}}, {"b", nil}},
	} {
		if _, err := Train(context.Background(), examples, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// A label without a name would be a Result without a label.
func TestEmptyLabel(t *testing.T) {
	ctx := context.Background()
	examples := sentences([]string{"", "pos"}, 10)
	bad := func(what string, err error, index int) {
		if e, ok := errors.AsType[*ExampleError](err); !ok || e.Index != index {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err := Train(ctx, examples, Options{})
	bad("Train", err, 0)
	_, err = TrainSource(ctx, Examples(examples), Options{})
	bad("TrainSource", err, 0)
	c := train(t, sentences([]string{"neg", "pos"}, 10))
	more := []Example{{"a", []string{"pos"}}, {"b", []string{""}}}
	_, err = c.Continue(ctx, more, ContinueOptions{})
	bad("Continue", err, 1)
	_, err = c.Answers(ctx, more)
	bad("Answers", err, 1)
	p := c.Parts()
	p.Spec.Classes = []string{"", "pos"}
	if _, err := New(p); err == nil || !strings.Contains(err.Error(), "no name") {
		t.Errorf("New: %v", err)
	}
}

// A context that is nil is an error, as everywhere.
func TestNilContext(t *testing.T) {
	var ctx context.Context
	examples := sentences([]string{"neg", "pos"}, 10)
	c := train(t, examples)
	last := func(_ any, err error) error { return err }
	for name, err := range map[string]error{
		"Train":        last(Train(ctx, examples, Options{})),
		"TrainSource":  last(TrainSource(ctx, Examples(examples), Options{})),
		"CrossAnswers": last(CrossAnswers(ctx, examples, 2, Options{})),
		"Continue":     last(c.Continue(ctx, examples, ContinueOptions{})),
		"Shrink":       last(c.Shrink(ctx, 100)),
		"Answers":      last(c.Answers(ctx, examples)),
		"Load":         last(Load(ctx, "x")),
		"FromBytes":    last(FromBytes(ctx, nil)),
		"Save":         c.Save(ctx, "x"),
		"Write":        c.Write(ctx, nil),
	} {
		if err == nil || !strings.HasSuffix(err.Error(), "the context is nil") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
