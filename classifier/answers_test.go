package classifier

import (
	"errors"
	"fmt"
	"runtime/debug"
	"testing"

	"github.com/linnet-ml/linnet/internal/budget"
)

// Probabilities of many rows and classes ask for their memory before they take it.
func TestAnswersMemory(t *testing.T) {
	p := made(t, 3, false, "tf-idf").Parts()
	const k = 1000
	n := len(p.Hashes)
	p.Spec.Classes, p.Weights, p.Scale, p.Bias, p.Prior = nil, make([]int8, n*k), make([]float32, k), make([]float32, k), make([]float32, k)
	for i := range k {
		p.Spec.Classes = append(p.Spec.Classes, fmt.Sprintf("class%04d", i))
	}
	c, err := New(p)
	if err != nil {
		t.Fatal(err)
	}
	examples := make([]Example, 20_000)
	for i := range examples {
		examples[i] = Example{"x", p.Spec.Classes[i%k : i%k+1]}
	}
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(70 << 20))
	if _, err := c.Answers(t.Context(), examples); !errors.Is(err, budget.ErrTooLarge) {
		t.Errorf("20,000 rows of 1,000 classes in 70 MiB: %v", err)
	}
	if _, err := CrossAnswers(t.Context(), append(examples, examples...), 5, Options{}); !errors.Is(err, budget.ErrTooLarge) {
		t.Errorf("CrossAnswers in 70 MiB: %v", err)
	}
}
