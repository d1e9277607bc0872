package golden_test

import (
	"fmt"
	"testing"

	"github.com/linnet-ml/linnet/internal/golden"
)

// printer stands in for the *testing.T that a test has.
type printer struct{ testing.TB }

func (printer) Helper()               {}
func (printer) Error(message ...any)  { fmt.Println(message...) }
func (printer) Fatal(message ...any)  { fmt.Println(message...) }
func (printer) Fatalf(string, ...any) {}

func Example() {
	var t printer
	c := golden.Open(t, "layers").Case("Embedding/1x1_2x1_mask0")
	fmt.Println(c.Text("layer"), c.Any("config"))

	ids, table := c.Array("inputs", 0), c.Array("weights", "embeddings")
	y := []float32{table.Float32[ids.Int32[0]]}
	fmt.Println(golden.Close(t, "output", y, c.Array("expected", "output"), golden.Tolerance{OfLargest: 1e-5}))

	y[0]++
	golden.Close(t, "output", y, c.Array("expected", "output"), golden.Tolerance{OfLargest: 1e-5})
	// Output:
	// Embedding map[input_dim:2 mask_zero:false output_dim:1]
	// true
	// output[0 0 0]: got 0.298563659, want -0.701436341, off by 1, allowed 7.01e-06
}
