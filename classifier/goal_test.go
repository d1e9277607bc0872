package classifier

import (
	"context"
	"errors"
	"fmt"
	"math"
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
		g       Goal
		want    float32
		reached bool
	}{
		{Goal{Precision: 1}, 0.85, true},
		{Goal{Precision: 0.75}, 0.5, true},
		{Goal{Precision: 0.5}, 0.2, true},
		{Goal{Recall: 1}, 0.5, true},
		{Goal{Recall: 0.5}, 0.7, true},
		{Goal{Recall: 0.3}, 0.85, true},
	} {
		if got, reached := v.g.threshold(p, yes); got < v.want-1e-6 || got > v.want+1e-6 || reached != v.reached {
			t.Errorf("%+v: %g, %v, want %g", v.g, got, reached, v.want)
		}
	}
	if got, reached := (Goal{Precision: 0.9}).threshold(p, make([]bool, len(p))); got != 1 || reached {
		t.Errorf("no positive row: %g, %v", got, reached)
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
	} {
		_, err := Train(context.Background(), v.examples, v.o)
		if e, ok := errors.AsType[*OptionError](err); !ok || e.Option != v.option {
			t.Errorf("%+v: %v, want an error of %s", v.o, err, v.option)
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
