package evaluation_test

import (
	"context"
	"fmt"

	"github.com/linnet-ml/linnet/classifier"
	"github.com/linnet-ml/linnet/classifier/evaluation"
)

func reviews(things ...string) []classifier.Example {
	var examples []classifier.Example
	for _, thing := range things {
		examples = append(examples,
			classifier.Example{Text: "A wonderful " + thing + "!", Labels: []string{"positive"}},
			classifier.Example{Text: "I loved this " + thing + ", wonderful.", Labels: []string{"positive"}},
			classifier.Example{Text: "A terrible " + thing + ".", Labels: []string{"negative"}},
			classifier.Example{Text: "I hated this " + thing + ", terrible.", Labels: []string{"negative"}})
	}
	return examples
}

func ExampleEvaluate() {
	ctx := context.Background()
	c, err := classifier.Train(ctx, reviews("film", "book", "song", "play", "show"), classifier.Options{})
	if err != nil {
		panic(err)
	}
	test := append(reviews("opera", "concert"), classifier.Example{Text: "I loved the wonderful opera, but not this.", Labels: []string{"negative"}})
	r, err := evaluation.Evaluate(ctx, c, test, evaluation.Options{})
	if err != nil {
		panic(err)
	}
	fmt.Printf("%d of %d right\n", r.Confusion[0][0]+r.Confusion[1][1], r.Rows)
	for _, m := range r.Mistakes {
		fmt.Printf("%q is %s, not %s\n", test[m.Index].Text, m.Labels, m.Given)
	}
	// Output:
	// 8 of 9 right
	// "I loved the wonderful opera, but not this." is [negative], not [positive]
}

func ExampleCompare() {
	ctx := context.Background()
	c, err := classifier.Train(ctx, reviews("film", "book", "song", "play", "show"), classifier.Options{})
	if err != nil {
		panic(err)
	}
	small, err := c.Shrink(ctx, 3100)
	if err != nil {
		panic(err)
	}
	r, err := evaluation.Compare(ctx, c, small, reviews("opera", "concert"), evaluation.Options{})
	if err != nil {
		panic(err)
	}
	fmt.Println("more than chance:", r.Significant)
	// Output: more than chance: false
}
