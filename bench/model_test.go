package bench

import (
	"math"
	"path/filepath"
	"testing"
	"time"

	"github.com/linnet-ml/linnet/internal/shared"
	"github.com/linnet-ml/linnet/model"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/simd"
	"github.com/linnet-ml/linnet/tensor"
)

// saved writes a model to a file.
func saved(b *testing.B, m *nn.Model, err error) string {
	b.Helper()
	check(b, err)
	path := filepath.Join(b.TempDir(), "model.linnet")
	check(b, model.Save(b.Context(), path, m, model.SaveOptions{}))
	return path
}

// What is asked of opening a file of 200 MB.
const (
	openTime = 5 * time.Millisecond
	openHeap = 2e6
)

// BenchmarkModelLoad opens a saved model, and predicts a first review from it. The file is in the system's cache.
func BenchmarkModelLoad(b *testing.B) {
	review, err := tensor.Of([]string{Review})
	check(b, err)
	ids, err := ReviewIDs()
	check(b, err)
	for _, c := range []struct {
		name string
		x    tensor.Rows
		file func(b *testing.B) string
	}{
		{"tutorial", ids, func(b *testing.B) string {
			m, err := network(b.Context(), Words, 16)
			return saved(b, m, err)
		}},
		{"texts", review, func(b *testing.B) string {
			module, err := TextModule(b.Context(), shared.Path(b, "data/embeddings/glove.6B.100d.imdb-vocab.txt.gz"))
			check(b, err)
			m, err := HubNetwork(b.Context(), module)
			return saved(b, m, err)
		}},
		{"embedding-200MB", ids, func(b *testing.B) string {
			m, err := OpenNetwork(b.Context())
			return saved(b, m, err)
		}},
	} {
		b.Run("model="+c.name, func(b *testing.B) {
			path := c.file(b)
			for _, o := range []struct {
				name string
				model.LoadOptions
			}{{"mapped", model.LoadOptions{}}, {"memory", model.LoadOptions{InMemory: true}}} {
				b.Run("from="+o.name, func(b *testing.B) {
					b.ReportAllocs()
					for b.Loop() {
						f, err := model.Load(b.Context(), path, o.LoadOptions)
						check(b, err)
						check(b, f.Close())
					}
				})
				b.Run("from="+o.name+"/predict=1/isa="+simd.Path(), func(b *testing.B) {
					b.ReportAllocs()
					for b.Loop() {
						_, err := Open(b.Context(), path, o.LoadOptions, c.x)
						check(b, err)
					}
				})
			}
		})
	}
}

// BenchmarkModelOpen opens a file of 200 MB, and fails where that takes more than is asked of it. The time is the best of
// all, because other programs share the machine.
func BenchmarkModelOpen(b *testing.B) {
	m, err := OpenNetwork(b.Context())
	path := saved(b, m, err)
	ids, err := ReviewIDs()
	check(b, err)
	least, heap := time.Duration(math.MaxInt64), uint64(0)
	for b.Loop() {
		o, err := Open(b.Context(), path, model.LoadOptions{}, ids)
		check(b, err)
		least, heap = min(least, o.Load), max(heap, o.Heap)
	}
	b.ReportMetric(float64(least.Nanoseconds()), "ns-least")
	b.ReportMetric(float64(heap), "heap-B")
	if least > openTime || heap > openHeap {
		b.Errorf("opening takes %v and %d bytes of heap, want at most %v and %.0f", least, heap, openTime, openHeap)
	}
}

// BenchmarkModelSave saves a model of 193 MB over an earlier file, and in turn writes as many bytes as durably without a
// model.
func BenchmarkModelSave(b *testing.B) {
	m, err := TableNetwork(b.Context())
	check(b, err)
	folder := b.TempDir()
	_, err = Save(b.Context(), folder, m)
	check(b, err)
	var save, plain time.Duration
	bytes, n := 0, 0
	for b.Loop() {
		s, err := Save(b.Context(), folder, m)
		check(b, err)
		save, plain, bytes, n = save+s.Save, plain+s.Plain, s.Bytes, n+1
	}
	mb := float64(bytes) * float64(n) / 1e6
	b.ReportMetric(mb/save.Seconds(), "MB/s-save")
	b.ReportMetric(mb/plain.Seconds(), "MB/s-disk")
	b.ReportMetric(save.Seconds()/plain.Seconds(), "save/disk")
	b.ReportMetric(0, "ns/op") // it would be of both
}
