//go:build linux && (amd64 || 386)

package model_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/model"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/tensor"
)

// A file that another program cuts short while it is open is an error of each call that reads it, in any worker, and no
// crash.
func TestFileCutShort(t *testing.T) {
	m, err := nn.NewSequential(layers.Embedding{Vocabulary: 20000, Dim: 16}, layers.GlobalAveragePooling1D{}, layers.Dense{Units: 1}).
		Build(t.Context(), nn.Tokens(4), nn.BuildOptions{Seed: 1})
	must(t, err)
	path := filepath.Join(t.TempDir(), "cut.linnet")
	must(t, model.Save(t.Context(), path, m, model.SaveOptions{}))
	f, err := model.Load(t.Context(), path, model.LoadOptions{})
	must(t, err)
	defer f.Close()
	must(t, os.Truncate(path, 4096))
	ids := make([]int32, 4*512)
	for i := range ids {
		ids[i] = int32(i * 9 % 20000)
	}
	x, err := tensor.Of(ids, 512, 4)
	must(t, err)
	for _, threads := range []int{1, 2} {
		for _, noFusion := range []bool{false, true} {
			_, err = f.Model.Predict(t.Context(), x, nn.PredictOptions{Threads: threads, NoFusion: noFusion})
			if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "was cut short while it was open") {
				t.Errorf("%d threads: %v", threads, err)
			}
		}
	}
	for _, p := range f.Model.Parameters() {
		if p.Name() == "embedding/embeddings" && p.Values() != nil {
			t.Error("the table has values")
		}
	}
	wantCut := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "was cut short while it was open") {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, s := range []model.Storage{model.Float32, model.Float16, model.BFloat16, model.Int8} {
		_, _, err := model.Convert(t.Context(), f.Model, model.ConvertOptions{Storage: s})
		wantCut("Convert to "+s.String(), err)
	}
	wantCut("Save", model.Save(t.Context(), filepath.Join(t.TempDir(), "copy.linnet"), f.Model, model.SaveOptions{}))
	if err := f.Model.SetParameter("embedding/embeddings", make([]float32, 20000*16)); err == nil {
		t.Error("a table that is gone was copied to be trained")
	}
}
