package nn_test

import (
	"runtime"
	"testing"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/nn"
)

// Without a setting, small steps have one worker, which nobody has to wait for, and large ones as many as there are
// processors to run them.
func TestAutomaticThreads(t *testing.T) {
	small := sequential(t, nn.Tokens(nn.AnyLength),
		layers.Embedding{Vocabulary: 10000, Dim: 16}, layers.GlobalAveragePooling1D{}, layers.Dense{Units: 16}, layers.Dense{Units: 1})
	wide := sequential(t, nn.Features(1024), layers.Dense{Units: 1024}, layers.Dense{Units: 1024})
	table := sequential(t, nn.Tokens(nn.AnyLength), layers.Embedding{Vocabulary: 1 << 20, Dim: 50}, layers.GlobalAveragePooling1D{}, layers.Dense{Units: 1})
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, c := range []struct {
		name                  string
		m                     *nn.Model
		rows, processes, want int
	}{
		{"the tutorial's step", small, 512, 8, 1},
		{"one row of it", small, 1, 8, 1},
		{"a wide network", wide, 512, 1, 1},
		{"the same, two processors", wide, 512, 2, 2},
		{"the same, few rows, but as many weights to change", wide, 3, 8, 2},
		{"a large table", table, 4096, 2, 2},
	} {
		runtime.GOMAXPROCS(c.processes)
		if got := c.m.AutomaticThreads(c.rows); got != min(c.want, 4*runtime.NumCPU()) {
			t.Errorf("%s: %d workers, want %d", c.name, got, c.want)
		}
	}
}
