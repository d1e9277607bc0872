package layers_test

import (
	"math"
	"sync/atomic"
	"testing"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

// halves is a storage of float16 for numbers that are 0 or of magnitude from 2^-14 to 65504. It counts what is read.
type halves struct {
	bits []uint16
	read *atomic.Int64
}

func newHalves(values []float32) halves {
	h := halves{make([]uint16, len(values)), &atomic.Int64{}}
	for i, v := range values {
		b := math.Float32bits(v)
		h.bits[i] = uint16(b>>16&0x8000 | (b&0x7fffffff>>13 - 112<<10))
		if v == 0 {
			h.bits[i] = 0
		}
	}
	return h
}

func (h halves) Len() int { return len(h.bits) }

func (h halves) Read(dst []float32, at int) {
	h.read.Add(int64(len(dst)))
	for i := range dst {
		b := uint32(h.bits[at+i])
		dst[i] = math.Float32frombits(b & 0x8000 << 16)
		if b&0x7fff != 0 {
			dst[i] = math.Float32frombits(b&0x8000<<16 | (b&0x7fff+112<<10)<<13)
		}
	}
}

// A table in a storage that converts predicts with the bits of the table converted first. It is not converted as a whole:
// a batch reads the vectors of its ids.
func TestTablesOfAnyStorage(t *testing.T) {
	const vocabulary, dim = 4000, 5
	words := ids(t, 70, 30, 300)
	texts := unevenTexts(t).Rows(0, 30)
	bags, err := text.MakeBags(words, text.BagOptions{Vocabulary: vocabulary})
	must(t, err)
	for name, c := range map[string]struct {
		in   nn.Input
		x    tensor.Rows
		o    nn.PredictOptions
		spec []nn.Layer
	}{
		"embedding":        {nn.Tokens(30), words, nn.PredictOptions{}, []nn.Layer{layers.Embedding{Vocabulary: vocabulary, Dim: dim}}},
		"average":          {nn.Tokens(nn.AnyLength), words, nn.PredictOptions{}, []nn.Layer{layers.Embedding{Vocabulary: vocabulary, Dim: dim}, layers.GlobalAveragePooling1D{}}},
		"average, unfused": {nn.Tokens(nn.AnyLength), words, nn.PredictOptions{NoFusion: true}, []nn.Layer{layers.Embedding{Vocabulary: vocabulary, Dim: dim}, layers.GlobalAveragePooling1D{}}},
		"average of bags":  {nn.Tokens(nn.AnyLength), bags, nn.PredictOptions{}, []nn.Layer{layers.Embedding{Vocabulary: vocabulary, Dim: dim}, layers.GlobalAveragePooling1D{}}},
		"masked average":   {nn.Tokens(nn.AnyLength), words, nn.PredictOptions{}, []nn.Layer{layers.Embedding{Vocabulary: vocabulary, Dim: dim, MaskZero: true}, layers.GlobalAveragePooling1D{}}},
		"sum":              {nn.Tokens(nn.AnyLength), words, nn.PredictOptions{}, []nn.Layer{layers.Embedding{Vocabulary: vocabulary, Dim: dim}, layers.GlobalSumPooling1D{SqrtN: true}}},
		"largest":          {nn.Tokens(nn.AnyLength), words, nn.PredictOptions{}, []nn.Layer{layers.Embedding{Vocabulary: vocabulary, Dim: dim}, layers.GlobalMaxPooling1D{}}},
		"texts":            {nn.Texts(), texts, nn.PredictOptions{}, []nn.Layer{layers.TextEmbedding{Table: newTable(vocabulary, dim, text.Sqrtn)}}},
	} {
		t.Run(name, func(t *testing.T) {
			m := build(t, c.in, c.spec...)
			table := m.Parameters()[0]
			stored := newHalves(table.Values())
			converted := make(plan.Float32Storage, stored.Len())
			stored.Read(converted, 0)
			must(t, m.SetStorage(table.Name(), plan.ReadOnlyStorage(converted)))
			want := predict(t, m, c.x, c.o)
			must(t, m.SetStorage(table.Name(), stored))
			for _, threads := range []int{1, 3} {
				c.o.Threads, c.o.BatchSize = threads, 8
				stored.read.Store(0)
				got := predict(t, m, c.x, c.o)
				if !equalBits(got, want) {
					t.Errorf("%d threads: float16 gives other bits than float32 of the same values", threads)
				}
			}
			if c.in.Type == tensor.TypeString {
				return // one of the texts has most of the words
			}
			if n := stored.read.Load(); n == 0 || n > int64(words.Len()*30*dim) {
				t.Errorf("%d elements were read, for %d ids", n, words.Len()*30)
			}
			stored.read.Store(0)
			switch x := c.x.(type) {
			case *tensor.Int32:
				predict(t, m, x.Rows(0, 1), c.o)
			case *text.Bags:
				predict(t, m, x.Rows(0, 1), c.o)
			}
			if n := stored.read.Load(); n == 0 || n > 30*dim {
				t.Errorf("%d elements were read for a row of 30 ids", n)
			}
		})
	}
}
