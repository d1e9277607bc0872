package metrics_test

import (
	"math/rand/v2"
	"testing"

	"github.com/linnet-ml/linnet/metrics"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
)

// BenchmarkBinaryAccuracy adds batches of 512. They are so many that a processor cannot learn them by heart.
func BenchmarkBinaryAccuracy(b *testing.B) {
	const batch, batches = 512, 400
	r := rand.New(rand.NewPCG(1, 2))
	labels, output := make([]float32, batch*batches), make([]float32, batch*batches)
	for i := range output {
		if output[i] = r.Float32(); r.Float32() < output[i] {
			labels[i] = 1
		}
	}
	sum, err := metrics.BinaryAccuracy{}.Start(plan.MetricInfo{Output: tensor.Shape{1}, Labels: tensor.Shape{1}})
	if err != nil {
		b.Fatal(err)
	}
	for at := 0; b.Loop(); at = (at + batch) % len(output) {
		sum.Add(labels[at:at+batch], output[at:at+batch], nil)
	}
}
