package evaluation_test

import (
	"context"
	"fmt"

	"github.com/linnet-ml/linnet/classifier/evaluation"
)

// answers are those of two classifiers to five texts.
func answers() (first, second *evaluation.Answers) {
	classes, truth := []string{"ham", "spam"}, [][]int32{{0}, {0}, {1}, {1}, {0}}
	first = &evaluation.Answers{Classes: classes, True: truth, Given: [][]int32{{0}, {1}, {1}, {1}, {0}},
		Probabilities: []float32{0.9, 0.1, 0.3, 0.7, 0.2, 0.8, 0.4, 0.6, 0.8, 0.2}}
	second = &evaluation.Answers{Classes: classes, True: truth, Given: [][]int32{{0}, {0}, {1}, {1}, {0}},
		Probabilities: []float32{0.9, 0.1, 0.6, 0.4, 0.1, 0.9, 0.2, 0.8, 0.8, 0.2}}
	return first, second
}

func ExampleMeasure() {
	first, _ := answers()
	r, err := evaluation.Measure(context.Background(), first, evaluation.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("accuracy %.2f (%.2f to %.2f)\n", r.Accuracy, r.Intervals["accuracy"].Low, r.Intervals["accuracy"].High)
	for _, m := range r.Mistakes {
		fmt.Printf("row %d is not %s, whose probability is %.1f\n", m.Row, first.Classes[m.Class], m.Probability)
	}
	// Output:
	// accuracy 0.80 (0.40 to 1.00)
	// row 1 is not spam, whose probability is 0.7
}

func ExampleCompare() {
	first, second := answers()
	c, err := evaluation.Compare(context.Background(), first, second, evaluation.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	d := c.Differences[0]
	fmt.Printf("%s %+.2f (%+.2f to %+.2f), more than chance: %v; p = %.2f\n", d.Name, d.Value, d.Low, d.High, d.Beyond, c.P)
	// Output: accuracy +0.20 (+0.00 to +0.60), more than chance: false; p = 1.00
}
