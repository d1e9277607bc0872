package linnet_test

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/linnet-ml/linnet/datasets/imdb"
	imdbfetch "github.com/linnet-ml/linnet/datasets/imdb/fetch"
	"github.com/linnet-ml/linnet/datasets/textdir"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/pretrained"
	"github.com/linnet-ml/linnet/pretrained/fetch"
	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

// A nil context is an error of each function that reads something, and says so, before anything is read. Packages nn and
// text have such tests of their own.
func TestNilContexts(t *testing.T) {
	var ctx context.Context
	vectors, err := tensor.Of([]float32{1, 2}, 2, 1)
	if err != nil {
		t.Fatal(err)
	}
	words, err := text.NewVocabulary(t.Context(), []string{"a"})
	if err != nil {
		t.Fatal(err)
	}
	hub, err := text.NewHubTokenizer(words, text.HubTokenizerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	table := layers.VectorTable{Words: hub, By: text.Mean, Vectors: vectors}
	embedding, err := pretrained.NewEmbedding(pretrained.Table{Name: "small", Tokenizer: hub, Vocabulary: words, Rows: hub.Size(), Dim: 1, Read: table.ReadTable})
	if err != nil {
		t.Fatal(err)
	}
	fsys := fstest.MapFS{"a/1.txt": {Data: []byte("x")}, "b/1.txt": {Data: []byte("y")}}
	dir := t.TempDir()
	last := func(_ any, err error) error { return err }
	for name, call := range map[string]func() error{
		"layers.NewVectorTable":      func() error { return last(layers.NewVectorTable(ctx, table)) },
		"VectorTable.ReadTable":      func() error { return table.ReadTable(ctx, make([]float32, 2)) },
		"imdb.Load":                  func() error { _, _, err := imdb.Load(ctx, imdb.Options{Path: dir}); return err },
		"imdb.WordIndex":             func() error { return last(imdb.WordIndex(ctx, imdb.Options{Path: dir})) },
		"imdb.LoadTexts":             func() error { _, _, err := imdb.LoadTexts(ctx, imdb.TextOptions{Path: dir}); return err },
		"imdb.LoadUnsupervisedTexts": func() error { return last(imdb.LoadUnsupervisedTexts(ctx, imdb.TextOptions{Path: dir})) },
		"imdb/fetch.Reviews":         func() error { return last(imdbfetch.Reviews(ctx, imdbfetch.Options{Folder: dir})) },
		"imdb/fetch.Texts":           func() error { return last(imdbfetch.Texts(ctx, imdbfetch.Options{Folder: dir})) },
		"textdir.Load":               func() error { return last(textdir.Load(ctx, fsys, textdir.Options{})) },
		"textdir.LoadBoth":           func() error { _, _, err := textdir.LoadBoth(ctx, fsys, textdir.Options{}); return err },
		"pretrained.OpenVectors":     func() error { return last(pretrained.OpenVectors(ctx, dir, pretrained.VectorOptions{})) },
		"pretrained.OpenHub":         func() error { return last(pretrained.OpenHub(ctx, dir, pretrained.HubOptions{})) },
		"pretrained.OpenModule": func() error {
			return last(pretrained.OpenModule(ctx, "google/nnlm-en-dim50/2", pretrained.HubOptions{}))
		},
		"Embedding.VectorsOf":     func() error { _, _, err := embedding.VectorsOf(ctx, nil); return err },
		"Embedding.ReadTable":     func() error { return embedding.ReadTable(ctx, make([]float32, hub.Size())) },
		"pretrained/fetch.Module": func() error { return last(fetch.Module(ctx, "google/nnlm-en-dim50/2", fetch.Options{Folder: dir})) },
	} {
		func() {
			defer func() {
				if v := recover(); v != nil {
					t.Errorf("%s panics: %v", name, v)
				}
			}()
			if err := call(); err == nil || !strings.HasSuffix(err.Error(), "the context is nil") {
				t.Errorf("%s: error %v", name, err)
			}
		}()
	}
}
