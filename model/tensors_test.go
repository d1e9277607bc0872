package model_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/linnet-ml/linnet/model"
	"github.com/linnet-ml/linnet/tensor"
)

const interchange = "../internal/safetensors/testdata/interchange/" // what other tools wrote

func arrays(t *testing.T) map[string]tensor.Rows {
	t.Helper()
	f, err := tensor.Of([]float32{1, -2, 3.5, 0, 5, 6}, 3, 2)
	if err != nil {
		t.Fatal(err)
	}
	i, err := tensor.Of([]int32{7, -8})
	if err != nil {
		t.Fatal(err)
	}
	none, err := tensor.New[float32](0, 4)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]tensor.Rows{"f": f, "i": i, "none": none}
}

func TestTensorsRoundTrip(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.safetensors")
	metadata := map[string]string{"made": "hier, ü"}
	if err := model.SaveTensors(ctx, path, arrays(t), metadata); err != nil {
		t.Fatal(err)
	}
	first, _ := os.ReadFile(path)
	if err := model.SaveTensors(ctx, path, arrays(t), metadata); err != nil {
		t.Fatal(err)
	}
	if second, _ := os.ReadFile(path); !bytes.Equal(first, second) {
		t.Error("the same arrays make another file")
	}
	f, err := model.OpenTensors(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"f", "i", "none"}, f.Names()); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(metadata, f.Metadata()); d != "" {
		t.Error(d)
	}
	x, err := f.Float32(ctx, "f")
	if err != nil || !cmp.Equal(x.Data(), []float32{1, -2, 3.5, 0, 5, 6}) || !x.Shape().Equal(tensor.Shape{3, 2}) {
		t.Errorf("%v, %v", x, err)
	}
	if i, err := f.Int32(ctx, "i"); err != nil || !cmp.Equal(i.Data(), []int32{7, -8}) {
		t.Errorf("%v, %v", i, err)
	}
	if s, err := f.Shape("none"); err != nil || !s.Equal(tensor.Shape{0, 4}) {
		t.Errorf("%v, %v", s, err)
	}
	stopped, stop := context.WithCancel(ctx)
	stop()
	if _, err := f.Float32(stopped, "f"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	for _, c := range []struct {
		read func() error
		want string
	}{
		{func() error { _, err := f.Float32(ctx, "i"); return err },
			`safetensors: tensor "i" holds I32, which is not read as float32: F32, F16, BF16, I8 and F64 are`},
		{func() error { _, err := f.Int32(ctx, "f"); return err },
			`safetensors: tensor "f" holds F32, which is not read as int32: whole numbers are`},
		{func() error { _, err := f.Shape("g"); return err }, `safetensors: the file has no tensor "g"`},
		{func() error { _, err := f.DType(strings.Repeat("\n", 1000)); return err },
			`safetensors: the file has no tensor "` + strings.Repeat(`\n`, 80) + `"…`},
	} {
		if err := c.read(); err == nil || err.Error() != "model: "+path+": "+c.want {
			t.Errorf("got %v\nwant %s", err, c.want)
		}
	}
	if err := errors.Join(f.Close(), f.Close()); err != nil {
		t.Error(err)
	}
	if _, err := f.Float32(ctx, "f"); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if x.Data()[1] != -2 {
		t.Error("an array is gone with its file")
	}
}

func TestSaveTensorsRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.safetensors")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	texts, err := tensor.Of([]string{"a"})
	if err != nil {
		t.Fatal(err)
	}
	stopped, stop := context.WithCancel(context.Background())
	stop()
	for _, c := range []struct {
		ctx      context.Context
		array    tensor.Rows
		metadata map[string]string
		want     string
	}{
		{context.Background(), nil, nil, `model: tensor "x" is nil`},
		{context.Background(), (*tensor.Float32)(nil), nil, `model: tensor "x" is nil`},
		{context.Background(), (*tensor.Int32)(nil), nil, `model: tensor "x" is nil`},
		{context.Background(), &tensor.Float32{}, nil, `model: safetensors: tensor "x": 0 bytes of F32 do not fill shape []`},
		{context.Background(), texts, nil, `model: tensor "x" is a *tensor.Array[string]: only arrays of float32 and int32 are saved`},
		{context.Background(), arrays(t)["f"], map[string]string{"\xff": ""}, `model: safetensors: metadata "\xff" is not UTF-8`},
		{stopped, arrays(t)["f"], nil, "model: context canceled"},
		{nil, arrays(t)["f"], nil, "model: the context is nil"},
	} {
		err := model.SaveTensors(c.ctx, path, map[string]tensor.Rows{"x": c.array}, c.metadata)
		if err == nil || err.Error() != c.want {
			t.Errorf("got %v\nwant %s", err, c.want)
		}
		if b, _ := os.ReadFile(path); string(b) != "old" {
			t.Fatalf("%s: the old file is gone", c.want)
		}
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("files left behind: %v", left)
	}
}

// What PyTorch and NumPy wrote; internal/safetensors compares every value.
func TestOpenTensorsOfOthers(t *testing.T) {
	ctx := context.Background()
	f, err := model.OpenTensors(ctx, interchange+"torch.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want := []float32{-2, -1, 0, 1, 2, -2, -1, 0, 1, 2, -2, -1}
	for _, name := range []string{"F32", "F16", "BF16", "I8"} {
		if x, err := f.Float32(ctx, name); err != nil || !cmp.Equal(x.Data(), want) {
			t.Errorf("%s: %v, %v", name, x, err)
		}
	}
	if _, err := f.Float32(ctx, "F64"); err == nil || !strings.HasSuffix(err.Error(), `"F64" holds F64, which float32 cannot hold without rounding`) {
		t.Error(err)
	}
	if x, err := f.RoundedFloat32(ctx, "F64"); err != nil || !cmp.Equal(x.Data(), want) {
		t.Errorf("%v, %v", x, err)
	}
	if x, err := f.Int32(ctx, "I64"); err != nil || x.Data()[0] != -2 {
		t.Errorf("%v, %v", x, err)
	}
	if d, err := f.DType("F8_E4M3"); err != nil || d != "F8_E4M3" {
		t.Error(d, err)
	}
	if _, err := f.Float32(ctx, "F8_E4M3"); err == nil || !strings.Contains(err.Error(), "holds F8_E4M3") {
		t.Error(err)
	}
}

// shards copies the sharded model of huggingface_hub into a folder.
func shards(t *testing.T) (folder, index string) {
	t.Helper()
	folder = t.TempDir()
	if err := os.CopyFS(folder, os.DirFS(interchange+"sharded")); err != nil {
		t.Fatal(err)
	}
	return folder, filepath.Join(folder, "model.safetensors.index.json")
}

func TestShardedTensors(t *testing.T) {
	ctx := context.Background()
	_, index := shards(t)
	f, err := model.OpenTensors(ctx, index)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if n := len(f.Names()); n != 7 {
		t.Errorf("%d tensors", n)
	}
	for _, name := range f.Names() {
		if _, err := f.Float32(ctx, name); err != nil {
			t.Error(err)
		}
	}
	if f.Metadata()["format"] != "pt" {
		t.Errorf("metadata %v", f.Metadata())
	}
	stopped, stop := context.WithCancel(ctx)
	stop()
	if _, err := model.OpenTensors(stopped, index); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// An index opens files of its folder and nothing else, and each must hold what the index says.
func TestShardedTensorsRefused(t *testing.T) {
	const shard = "model-00002-of-00003.safetensors"
	for name, c := range map[string]struct {
		change func(folder string) error
		want   string
		link   bool
	}{
		"missing file": {func(folder string) error { return os.Remove(filepath.Join(folder, shard)) }, shard, false},
		"other file": {func(folder string) error {
			return os.Rename(filepath.Join(folder, "model-00001-of-00003.safetensors"), filepath.Join(folder, shard))
		}, "model-00001-of-00003.safetensors", false},
		"wrong tensors": {func(folder string) error {
			b, err := os.ReadFile(filepath.Join(folder, "model-00001-of-00003.safetensors"))
			return errors.Join(err, os.WriteFile(filepath.Join(folder, shard), b, 0o666))
		}, `file "` + shard + `" has the tensor "layers.0.bias", which the index places in "model-00001-of-00003.safetensors"`, false},
		"cut": {func(folder string) error { return os.Truncate(filepath.Join(folder, shard), 100) },
			shard + ": safetensors: header of", false},
		"folder": {func(folder string) error {
			return errors.Join(os.Remove(filepath.Join(folder, shard)), os.Mkdir(filepath.Join(folder, shard), 0o777))
		}, "is a folder, not a plain file", false},
		"link that leaves": {func(folder string) error {
			out := filepath.Join(filepath.Dir(folder), "out.safetensors")
			return errors.Join(os.Rename(filepath.Join(folder, shard), out), os.Symlink(out, filepath.Join(folder, shard)))
		}, "path escapes from parent", true},
		"path": {func(folder string) error {
			return os.WriteFile(filepath.Join(folder, "model.safetensors.index.json"), []byte(`{"weight_map":{"a":"../a"}}`), 0o666)
		}, `safetensors: byte 25: tensor "a": file "../a" is not the plain name of a file in the index's folder`, false},
	} {
		t.Run(name, func(t *testing.T) {
			if c.link && runtime.GOOS == "windows" {
				t.Skip("links need a privilege there")
			}
			folder, index := shards(t)
			inner := filepath.Join(folder, "inner") // so that what leaves it stays in this test's folder
			if err := os.Mkdir(inner, 0o777); err != nil {
				t.Fatal(err)
			}
			files, err := filepath.Glob(filepath.Join(folder, "model*"))
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range files {
				if err := os.Rename(f, filepath.Join(inner, filepath.Base(f))); err != nil {
					t.Fatal(err)
				}
			}
			if err := c.change(inner); err != nil {
				t.Fatal(err)
			}
			f, err := model.OpenTensors(context.Background(), filepath.Join(inner, filepath.Base(index)))
			if err == nil || !strings.HasPrefix(err.Error(), "model: ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, %v\nwant %s", f, err, c.want)
			}
		})
	}
	t.Run("link that stays", func(t *testing.T) {
		folder, index := shards(t)
		if err := os.Rename(filepath.Join(folder, shard), filepath.Join(folder, "blob")); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("blob", filepath.Join(folder, shard)); err != nil {
			t.Skip(err)
		}
		f, err := model.OpenTensors(context.Background(), index)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
	})
}
