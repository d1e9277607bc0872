package wordvectors_test

import (
	"fmt"
	"io"
	"strings"

	"github.com/linnet-ml/linnet/internal/wordvectors"
)

// A table is read word by word; only the vectors that are asked for are taken apart.
func Example() {
	file := "good 0.25 0.5\nof 1e-05 -.5\nbad -0.25 0.75\n"
	r, err := wordvectors.NewReader(strings.NewReader(file), wordvectors.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Kind(), r.Dim())
	vector := make([]float32, r.Dim())
	for {
		word, err := r.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		if string(word) == "of" {
			continue
		}
		if err := r.Vector(vector); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(string(word), vector)
	}
	// Output:
	// GloVe text 2
	// good [0.25 0.5]
	// bad [-0.25 0.75]
}
