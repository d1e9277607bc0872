package loss

import (
	"fmt"

	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
)

// checkShapes refuses outputs and labels, of the given shapes of one row, that do not agree element by element. A last
// dimension of 1 may be missing in one of them: labels (rows,) go with an output (rows, 1).
func checkShapes(name string, output, labels tensor.Shape) error {
	if !output.Equal(labels) && !output.Equal(withOne(labels)) && !withOne(output).Equal(labels) {
		return plan.NewInputError("", fmt.Errorf("loss: %s: a row of the output has shape %v and a row of the labels %v", name, output, labels))
	}
	if output.Size() <= 0 {
		return fmt.Errorf("loss: %s: a row of the output has shape %v: no elements, or a number of them that is not known", name, output)
	}
	return nil
}

func withOne(s tensor.Shape) tensor.Shape { return append(s.Clone(), 1) }
