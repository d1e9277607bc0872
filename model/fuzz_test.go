package model_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"math"
	"math/rand/v2"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"testing"
	"time"

	"github.com/linnet-ml/linnet/model"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
)

// allocated is the bytes that this process has allocated; the counting lags by what one size class of a processor holds.
func allocated() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// noPanic fails if an error is a panic that was caught.
func noPanic(t testing.TB, err error) {
	t.Helper()
	if p := (*plan.PanicError)(nil); errors.As(err, &p) {
		t.Fatalf("%v\n%s", p, p.Stack)
	}
}

// predictOne predicts from one row that fits the model's inputs. Where that takes more memory than a test has, it does not.
func predictOne(t testing.TB, m *nn.Model) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	elements := 0
	for _, name := range m.OutputNames() {
		elements += width(m.OutputShape(name))
	}
	inputs := map[string]tensor.Rows{}
	for _, name := range m.InputNames() {
		shape := m.InputShape(name).Clone()
		elements += width(shape)
		if elements > 1<<20 || len(inputs) > 100 || m.ParameterCount() > 1<<20 {
			return nil
		}
		for i, d := range shape {
			if d < 1 {
				shape[i] = 1 + 2*min(i, 1)
			}
		}
		x, err := row(m, name, shape)
		if err != nil {
			return err
		}
		inputs[name] = x
	}
	for _, err := range m.PredictAll(ctx, nn.Data{Inputs: inputs}, nn.PredictOptions{}) {
		if err != nil {
			return err
		}
	}
	return nil
}

// width is the number of a row's elements, of open dimensions one.
func width(s tensor.Shape) int {
	n := 1
	for _, d := range s[min(1, len(s)):] {
		if d > 1 && n > math.MaxInt32/d {
			return math.MaxInt32
		}
		n *= max(d, 1)
	}
	return n
}

// row is one row for an input.
func row(m *nn.Model, name string, shape tensor.Shape) (tensor.Rows, error) {
	switch m.InputType(name) {
	case tensor.TypeInt32:
		return tensor.New[int32](shape...)
	case tensor.TypeFloat32:
		return tensor.New[float32](shape...)
	case tensor.TypeString:
		return tensor.Of([]string{"good film, word1"})
	}
	return tensor.NewSparse(shape[1], []int{0, 1}, []int32{0}, []float32{1})
}

// kindFiles are files of a model for each kind that linnet has.
func kindFiles(t testing.TB) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for name, build := range withKinds {
		var b bytes.Buffer
		must(t, model.Write(t.Context(), &b, build(t).m, model.SaveOptions{}))
		files[name] = b.Bytes()
	}
	return files
}

// boundMemory makes what a model may allocate small: a file may have a layer with any number of steps.
func boundMemory(t testing.TB) {
	t.Helper()
	before := debug.SetMemoryLimit(1 << 30)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
}

// Nothing that a file says makes Load, State or a prediction panic, hang or take more memory than the file is worth.
func FuzzLoad(f *testing.F) {
	boundMemory(f)
	small := smallFile(f)
	seeds := [][]byte{small, readFile(f, "testdata/v1.linnet"), readFile(f, "testdata/v1-graph.linnet")}
	kinds := kindFiles(f)
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		seeds = append(seeds, kinds[name])
	}
	random := rand.New(rand.NewPCG(1, 2))
	for _, b := range seeds {
		f.Add(b)
		withNumbers(b, func(file []byte) {
			if random.IntN(200) == 0 { // each input is run before fuzzing begins
				f.Add(file)
			}
		})
	}
	f.Fuzz(func(t *testing.T, b []byte) { use(t, b) })
}
