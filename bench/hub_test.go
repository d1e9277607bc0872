package bench

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"testing"

	"github.com/linnet-ml/linnet/internal/shared"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/pretrained"
	"github.com/linnet-ml/linnet/simd"
	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

// hubFolder is a real module's; without one the benchmark is skipped.
func hubFolder(b *testing.B) string {
	b.Helper()
	folder, err := HubModule()
	if errors.Is(err, fs.ErrNotExist) {
		b.Skip(err)
	}
	check(b, err)
	return folder
}

// loadHub reads the reviews, with a real module or one of its size.
func loadHub(b *testing.B) *Hub {
	b.Helper()
	data, vectors := shared.Path(b, "data/imdb"), shared.Path(b, "data/embeddings/glove.6B.100d.imdb-vocab.txt.gz")
	module, err := TextModule(context.Background(), vectors)
	check(b, err)
	h, err := LoadHub(b.Context(), data, module)
	check(b, err)
	return h
}

// BenchmarkHubOpen opens a module: its graph, its words, and where its table is.
func BenchmarkHubOpen(b *testing.B) {
	folder := hubFolder(b)
	b.ReportAllocs()
	for b.Loop() {
		_, err := pretrained.OpenHub(context.Background(), folder, pretrained.HubOptions{})
		check(b, err)
	}
}

// BenchmarkHubReadTable reads a module's table into memory that is there.
func BenchmarkHubReadTable(b *testing.B) {
	e, err := pretrained.OpenHub(context.Background(), hubFolder(b), pretrained.HubOptions{})
	check(b, err)
	dst := make([]float32, e.Rows()*e.Dim())
	b.SetBytes(int64(4 * len(dst)))
	b.ReportAllocs()
	for b.Loop() {
		check(b, e.ReadTable(context.Background(), dst))
	}
}

// BenchmarkHubTokenize makes ids of the 25,000 test texts on one core, into memory that is there, and bags of them on
// so many cores.
func BenchmarkHubTokenize(b *testing.B) {
	h := loadHub(b)
	texts := h.Texts.X.(*tensor.String).Data()
	bytes := 0
	for _, s := range texts {
		bytes += len(s)
	}
	b.Run("ids", func(b *testing.B) {
		var ids []int32
		b.SetBytes(int64(bytes))
		b.ReportAllocs()
		for b.Loop() {
			for _, s := range texts {
				ids, _ = h.Module.Tokenizer().AppendIDs(context.Background(), ids[:0], s)
			}
		}
	})
	for _, cores := range []int{1, 2} {
		b.Run(fmt.Sprintf("bags/cores=%d", cores), func(b *testing.B) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
			b.SetBytes(int64(bytes))
			b.ReportAllocs()
			for b.Loop() {
				_, err := text.CountTexts(b.Context(), texts, h.Module.Tokenizer())
				check(b, err)
			}
		})
	}
}

// BenchmarkHubEpoch is 30 steps and the validation, after a first epoch in which every row that a text reads has moved.
func BenchmarkHubEpoch(b *testing.B) {
	h := loadHub(b)
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprintf("threads=%d/isa=%s", threads, simd.Path()), func(b *testing.B) {
			between(b, h.Model, h.Train, h.FitOptions(0, threads), plan.EpochBegin)
		})
	}
}

// BenchmarkHubEvaluate is the 25,000 test texts, whose ids are ready or are not.
func BenchmarkHubEvaluate(b *testing.B) {
	h := loadHub(b)
	for _, c := range []struct {
		name string
		data nn.Data
	}{{"bags", h.Test}, {"texts", h.Texts}} {
		for _, threads := range []int{1, 2} {
			b.Run(fmt.Sprintf("x=%s/threads=%d/isa=%s", c.name, threads, simd.Path()), func(b *testing.B) {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads)) // tokenising takes all cores
				b.ReportAllocs()
				for b.Loop() {
					_, err := h.Model.Evaluate(b.Context(), c.data, h.EvaluateOptions(threads))
					check(b, err)
				}
			})
		}
	}
}

// BenchmarkHubPredict predicts 1,000 texts one by one, in turn, into the caller's slice.
func BenchmarkHubPredict(b *testing.B) {
	h := loadHub(b)
	var x []tensor.Rows
	for i := range 1000 {
		x = append(x, h.Texts.X.(*tensor.String).Rows(i, i+1))
	}
	dst := make([]float32, 0, 1)
	b.Run("rows=1/x=texts/isa="+simd.Path(), func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			_, err := h.Model.PredictInto(b.Context(), dst, x[i%len(x)], nn.PredictOptions{})
			check(b, err)
		}
	})
}
