package classifier_test

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"sync"

	"github.com/linnet-ml/linnet/classifier"
)

func reviews() []classifier.Example {
	var examples []classifier.Example
	for _, thing := range []string{"film", "book", "song", "play", "show"} {
		examples = append(examples,
			classifier.Example{Text: "A wonderful " + thing + "!", Labels: []string{"positive"}},
			classifier.Example{Text: "I loved this " + thing + ", wonderful.", Labels: []string{"positive"}},
			classifier.Example{Text: "A terrible " + thing + ".", Labels: []string{"negative"}},
			classifier.Example{Text: "I hated this " + thing + ", terrible.", Labels: []string{"negative"}})
	}
	return examples
}

func ExampleTrain() {
	c, err := classifier.Train(context.Background(), reviews(), classifier.Options{})
	if err != nil {
		panic(err)
	}
	for _, text := range []string{"a wonderful opera", "a terrible opera"} {
		fmt.Println(c.Classify(text).Label)
	}
	// Output:
	// positive
	// negative
}

func ExampleClassifier_ClassifyInto() {
	c, err := classifier.Train(context.Background(), reviews(), classifier.Options{})
	if err != nil {
		panic(err)
	}
	var r classifier.Result // used again for each text
	for _, text := range []string{"wonderful", "terrible"} {
		c.ClassifyInto(&r, text)
		fmt.Println(r.Label, r.Probability > 0.5, len(r.Scores))
	}
	// Output:
	// positive true 2
	// negative true 2
}

func ExampleClassifier_Explain() {
	c, err := classifier.Train(context.Background(), reviews(), classifier.Options{})
	if err != nil {
		panic(err)
	}
	const text = "wonderful, not terrible"
	e, err := c.Explain(text, "positive")
	if err != nil {
		panic(err)
	}
	for _, t := range e.Tokens {
		switch {
		case t.Contribution > 0.1:
			fmt.Println(text[t.Start:t.End], "for", e.Class)
		case t.Contribution < -0.1:
			fmt.Println(text[t.Start:t.End], "against", e.Class)
		}
	}
	// Output:
	// wonderful for positive
	// terrible against positive
}

func ExampleNew() {
	c, err := classifier.Train(context.Background(), reviews(), classifier.Options{})
	if err != nil {
		panic(err)
	}
	parts := c.Parts() // arrays and settings, for a file
	again, err := classifier.New(parts)
	if err != nil {
		panic(err)
	}
	fmt.Println(again.Classify("wonderful").Label, parts.Spec.Classes)
	// Output: positive [negative positive]
}

func ExampleLoad() {
	ctx := context.Background()
	c, err := classifier.Train(ctx, reviews(), classifier.Options{})
	if err != nil {
		panic(err)
	}
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "reviews.linnet")
	if err := c.Save(ctx, path); err != nil {
		panic(err)
	}
	loaded, err := classifier.Load(ctx, path)
	if err != nil {
		panic(err)
	}
	fmt.Println(loaded.Classify("wonderful").Label)
	// Output: positive
}

func ExampleFromBytes() {
	ctx := context.Background()
	c, err := classifier.Train(ctx, reviews(), classifier.Options{})
	if err != nil {
		panic(err)
	}
	var file bytes.Buffer // a program has it from //go:embed
	if err := c.Write(ctx, &file); err != nil {
		panic(err)
	}
	embedded, err := classifier.FromBytes(ctx, file.Bytes())
	if err != nil {
		panic(err)
	}
	fmt.Println(embedded.Classify("terrible").Label)
	// Output: negative
}

func ExampleGoal() {
	c, err := classifier.Train(context.Background(), reviews(), classifier.Options{
		Positive: "negative", Goal: classifier.Goal{Recall: 0.99}, // no bad review may be missed
	})
	if err != nil {
		panic(err)
	}
	l := c.Report().Labels[0]
	fmt.Println(l.Label, l.Reached, c.Classify("terrible").Label)
	// Output: negative true negative
}

func ExampleOptions() {
	c, err := classifier.Train(context.Background(), reviews(), classifier.Options{MinConfidence: 0.6})
	if err != nil {
		panic(err)
	}
	for _, text := range []string{"wonderful", "no idea what to say"} {
		fmt.Printf("%q\n", c.Classify(text).Label)
	}
	// Output:
	// "positive"
	// ""
}

func ExampleClassifier_Continue() {
	ctx := context.Background()
	c, err := classifier.Train(ctx, reviews(), classifier.Options{})
	if err != nil {
		panic(err)
	}
	more := reviews() // a sample of the old rows, so that they are not forgotten
	for _, thing := range []string{"film", "book", "song", "play", "show"} {
		more = append(more, classifier.Example{Text: "When does the " + thing + " begin?", Labels: []string{"question"}})
	}
	c, err = c.Continue(ctx, more, classifier.ContinueOptions{})
	if err != nil {
		panic(err)
	}
	fmt.Println(c.Classes(), c.Classify("When does it begin?").Label)
	// Output: [negative positive question] question
}

func ExampleClassifier_Shrink() {
	ctx := context.Background()
	c, err := classifier.Train(ctx, reviews(), classifier.Options{})
	if err != nil {
		panic(err)
	}
	small, err := c.Shrink(ctx, 3200)
	if err != nil {
		panic(err)
	}
	var file bytes.Buffer
	if err := small.Write(ctx, &file); err != nil {
		panic(err)
	}
	fmt.Println(file.Len() <= 3200, small.Classify("wonderful").Label)
	// Output: true positive
}

func ExampleTrainSource() {
	// Rows would come from a file that is too large for memory, which each call opens again.
	source := func(context.Context) iter.Seq2[classifier.Example, error] {
		return func(yield func(classifier.Example, error) bool) {
			for i := range 100 {
				e := classifier.Example{Text: fmt.Sprintf("a fine day, number %d", i), Labels: []string{"good"}}
				if i%2 == 1 {
					e = classifier.Example{Text: fmt.Sprintf("a dull day, number %d", i), Labels: []string{"bad"}}
				}
				if !yield(e, nil) {
					return
				}
			}
		}
	}
	c, err := classifier.TrainSource(context.Background(), source, classifier.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.Classify("what a fine day").Label)
	// Output: good
}

func ExampleOptions_progress() {
	var phases []classifier.Phase
	_, err := classifier.TrainSource(context.Background(), classifier.Examples(reviews()), classifier.Options{Progress: func(p classifier.Progress) {
		if n := len(phases); n == 0 || phases[n-1] != p.Phase {
			phases = append(phases, p.Phase)
		}
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range phases {
		fmt.Println(p)
	}
	// Output:
	// comparing recipes
	// testing
	// learning
}

// A training that is stopped keeps the best recipe that it has found.
func ExampleOptions_stop() {
	stop := make(chan struct{})
	var once sync.Once
	c, err := classifier.Train(context.Background(), reviews(), classifier.Options{Stop: stop, Progress: func(p classifier.Progress) {
		if p.Done > 0 { // one recipe has been tried
			once.Do(func() { close(stop) })
		}
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.Report().Stopped, c.Classify("a wonderful day").Label)
	// Output: true positive
}

func ExampleClassifier_Known() {
	c, err := classifier.Train(context.Background(), reviews(), classifier.Options{})
	if err != nil {
		panic(err)
	}
	known, all := c.Known("wonderful, but overlong")
	fmt.Println(known, "of", all)
	// Output:
	// 1 of 3
}
