package plan_test

import (
	"math"

	"github.com/linnet-ml/linnet/tensor"
)

var inf = math.Inf(1)

// tensorOf is an array of two columns.
func tensorOf(values ...float32) (*tensor.Float32, error) { return tensor.Of(values, len(values)/2, 2) }

func textsOf(texts ...string) (*tensor.String, error) { return tensor.Of(texts) }

func assets(name string, x tensor.Rows) map[string]tensor.Rows {
	return map[string]tensor.Rows{name: x}
}
