package classifier_test

import (
	"context"
	"fmt"

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
