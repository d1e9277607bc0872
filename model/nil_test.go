package model_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/model"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
)

// What is nil or was never opened is an error of every exported function and method, and no panic.
func TestNil(t *testing.T) {
	m, _ := textModel(t)
	folder := t.TempDir()
	path, arraysPath := filepath.Join(folder, "model.linnet"), filepath.Join(folder, "arrays.safetensors")
	must(t, model.Save(t.Context(), path, m, model.SaveOptions{}))
	must(t, model.SaveTensors(t.Context(), arraysPath, arrays(t), nil))
	b, err := os.ReadFile(path)
	must(t, err)
	f, err := model.Load(t.Context(), path, model.LoadOptions{})
	must(t, err)
	defer f.Close()
	open, err := model.OpenTensors(t.Context(), arraysPath)
	must(t, err)
	defer open.Close()
	copied := filepath.Join(folder, "copy")

	load := func(_ *model.File, err error) error { return err }
	convert := func(_ *nn.Model, _ []model.Difference, err error) error { return err }
	state := func(_ *nn.TrainingState, err error) error { return err }
	floats := func(_ *tensor.Float32, err error) error { return err }
	ints := func(_ *tensor.Int32, err error) error { return err }
	size := int64(len(b))
	none := model.LoadOptions{}
	for _, c := range []struct {
		name, want string
		call       func(ctx context.Context) error // ctx is nil
	}{
		{"Load", "the context is nil", func(ctx context.Context) error { return load(model.Load(ctx, path, none)) }},
		{"FromBytes", "the context is nil", func(ctx context.Context) error { return load(model.FromBytes(ctx, b, none)) }},
		{"Read", "the context is nil", func(ctx context.Context) error { return load(model.Read(ctx, bytes.NewReader(b), size, none)) }},
		{"Save", "the context is nil", func(ctx context.Context) error { return model.Save(ctx, copied, m, model.SaveOptions{}) }},
		{"Write", "the context is nil", func(ctx context.Context) error { return model.Write(ctx, io.Discard, m, model.SaveOptions{}) }},
		{"Convert", "the context is nil", func(ctx context.Context) error { return convert(model.Convert(ctx, m, model.ConvertOptions{})) }},
		{"State", "the context is nil", func(ctx context.Context) error { return state(f.State(ctx)) }},
		{"Format.Save", "the context is nil", func(ctx context.Context) error { return model.Format{}.Save(ctx, copied, m, nil) }},
		{"Format.LoadState", "the context is nil", func(ctx context.Context) error { return state(model.Format{}.LoadState(ctx, path, m)) }},
		{"OpenTensors", "the context is nil", func(ctx context.Context) error { _, err := model.OpenTensors(ctx, arraysPath); return err }},
		{"SaveTensors", "the context is nil", func(ctx context.Context) error { return model.SaveTensors(ctx, copied, arrays(t), nil) }},
		{"Float32", "the context is nil", func(ctx context.Context) error { return floats(open.Float32(ctx, "f")) }},
		{"RoundedFloat32", "the context is nil", func(ctx context.Context) error { return floats(open.RoundedFloat32(ctx, "f")) }},
		{"Int32", "the context is nil", func(ctx context.Context) error { return ints(open.Int32(ctx, "i")) }},
		{"Read of nil", "the reader is nil", func(context.Context) error { return load(model.Read(t.Context(), nil, size, none)) }},
		{"Write to nil", "the writer is nil", func(context.Context) error { return model.Write(t.Context(), nil, m, model.SaveOptions{}) }},
		{"FromBytes of nil", "it is an empty file", func(context.Context) error { return load(model.FromBytes(t.Context(), nil, none)) }},
		{"a nil kind", "nil", func(context.Context) error {
			return load(model.FromBytes(t.Context(), b, model.LoadOptions{Kinds: []plan.Spec{nil}}))
		}},
	} {
		if err := c.call(nil); err == nil || !strings.HasPrefix(err.Error(), "model: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}

	for name, m := range map[string]*nn.Model{"nil": nil, "empty": {}} {
		for way, err := range map[string]error{
			"Save":             model.Save(t.Context(), copied, m, model.SaveOptions{}),
			"Write":            model.Write(t.Context(), io.Discard, m, model.SaveOptions{Info: model.Info{Labels: map[string][]string{"output": {"a"}}}}),
			"Convert":          convert(model.Convert(t.Context(), m, model.ConvertOptions{})),
			"Format.Save":      model.Format{}.Save(t.Context(), copied, m, nil),
			"Format.LoadState": state(model.Format{}.LoadState(t.Context(), path, m)),
		} {
			if err == nil || !strings.HasPrefix(err.Error(), "model: ") {
				t.Errorf("%s of a model that is %s: %v", way, name, err)
			}
		}
	}
	for way, err := range map[string]error{
		"Format.Save":      model.Format{}.Save(t.Context(), copied, nil, nil),
		"Format.LoadState": state(model.Format{}.LoadState(t.Context(), path, nil)),
	} {
		if err == nil {
			t.Errorf("%s of no model is no error", way)
		}
	}

	for name, f := range map[string]*model.File{"nil": nil, "empty": {}} {
		if err := state(f.State(t.Context())); err == nil || !strings.HasPrefix(err.Error(), "model: the file is nil or empty") {
			t.Errorf("the state of a file that is %s: %v", name, err)
		}
		if err := f.Close(); err != nil || f.HasState() {
			t.Errorf("a file that is %s has a state, or does not close: %v", name, err)
		}
	}
	for name, x := range map[string]*model.Tensors{"nil": nil, "empty": {}} {
		_, shape := x.Shape("f")
		_, dtype := x.DType("f")
		for way, err := range map[string]error{
			"Shape": shape, "DType": dtype, "Float32": floats(x.Float32(t.Context(), "f")),
			"RoundedFloat32": floats(x.RoundedFloat32(t.Context(), "f")), "Int32": ints(x.Int32(t.Context(), "f")),
		} {
			if err == nil || !strings.HasPrefix(err.Error(), "model: the Tensors are nil or empty") {
				t.Errorf("%s of Tensors that are %s: %v", way, name, err)
			}
		}
		if err := x.Close(); err != nil || x.Names() != nil || x.Metadata() != nil {
			t.Errorf("Tensors that are %s hold %q, %q, %v", name, x.Names(), x.Metadata(), err)
		}
	}
	if names, err := os.ReadDir(folder); err != nil || len(names) != 2 {
		t.Errorf("the folder has %v, %v", names, err)
	}
}
