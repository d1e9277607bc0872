package model

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/linnet-ml/linnet/internal/safetensors"
	"github.com/linnet-ml/linnet/internal/strictjson"
	"github.com/linnet-ml/linnet/tensor"
)

// assetEntries are the tensors that hold an array under a name with the given prefix. Texts are the bytes of all of them,
// one after the other, and where each ends.
func assetEntries(prefix, name string, x tensor.Rows) ([]safetensors.Entry, error) {
	shape := x.Shape()
	switch x := x.(type) {
	case *tensor.Float32:
		return []safetensors.Entry{{Name: prefix + name, Shape: shape, Data: safetensors.Float32Data(x.Data())}}, nil
	case *tensor.Int32:
		return []safetensors.Entry{{Name: prefix + name, Shape: shape, Data: safetensors.Int32Data(x.Data())}}, nil
	case *tensor.String:
		if len(shape) != 1 {
			return nil, fmt.Errorf("asset %s has texts of shape %v; only lists can be saved", strictjson.Quote(name), shape)
		}
		size := 0
		for _, s := range x.Data() {
			size += len(s)
		}
		if size > math.MaxInt32 {
			return nil, fmt.Errorf("the texts of asset %s have more than %d bytes", strictjson.Quote(name), math.MaxInt32)
		}
		all := make([]byte, 0, size)
		ends := make(safetensors.Int32Data, 0, len(x.Data()))
		for _, s := range x.Data() {
			all = append(all, s...)
			ends = append(ends, int32(len(all)))
		}
		return []safetensors.Entry{
			{Name: prefix + name, Shape: []int{len(all)}, Data: safetensors.Uint8Data(all)},
			{Name: endsPrefix + prefix + name, Shape: []int{len(ends)}, Data: ends},
		}, nil
	}
	return nil, fmt.Errorf("asset %s is a %T, which cannot be saved", strictjson.Quote(name), x)
}

// readAssets reads the arrays whose names begin with the prefix, each into memory of its own.
func readAssets(ctx context.Context, f *safetensors.File, prefix string) (map[string]tensor.Rows, error) {
	all := map[string]tensor.Rows{}
	for _, t := range f.Tensors() {
		name, ok := strings.CutPrefix(t.Name, prefix)
		if !ok {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var x tensor.Rows
		var err error
		switch t.DType {
		case safetensors.F32:
			x, err = arrayOf(ctx, t)
		case safetensors.I32:
			var v []int32
			if v, err = t.Int32(); err == nil {
				x, err = tensor.Of(v, t.Shape...)
			}
		case safetensors.U8:
			x, err = readTexts(f, t)
		default:
			err = fmt.Errorf("it holds %s; arrays beside a spec are F32, I32 or texts", t.DType)
		}
		if err != nil {
			return nil, fmt.Errorf("tensor %s: %w", strictjson.Quote(t.Name), err)
		}
		all[name] = x
	}
	for _, t := range f.Tensors() {
		if name, ok := strings.CutPrefix(t.Name, endsPrefix+prefix); ok {
			if _, texts := all[name].(*tensor.String); !texts {
				return nil, fmt.Errorf("tensor %s says where texts end that are not there", strictjson.Quote(t.Name))
			}
		}
	}
	return all, nil
}

func arrayOf(ctx context.Context, t safetensors.Tensor) (*tensor.Float32, error) {
	v := make([]float32, t.Len())
	if err := t.ReadFloat32(ctx, v, safetensors.Conversion{}); err != nil {
		return nil, err
	}
	return tensor.Of(v, t.Shape...)
}

// readTexts reads what assetEntries writes of texts. They share one string.
func readTexts(f *safetensors.File, t safetensors.Tensor) (*tensor.String, error) {
	ends, err := f.Tensor(endsPrefix + t.Name)
	if err != nil {
		return nil, fmt.Errorf("it has texts, and there is no tensor %s that says where they end", strictjson.Quote(endsPrefix+t.Name))
	}
	if ends.DType != safetensors.I32 || len(ends.Shape) != 1 {
		return nil, fmt.Errorf("tensor %s holds %s of shape %v, not a list of I32", strictjson.Quote(ends.Name), ends.DType, ends.Shape)
	}
	var all string
	if view := t.Raw(); view != nil {
		all = string(view)
	} else {
		raw, err := t.Bytes()
		if err != nil {
			return nil, err
		}
		all = string(raw)
	}
	at, err := ends.Int32()
	if err != nil {
		return nil, err
	}
	texts := make([]string, len(at))
	from := int32(0)
	for i, to := range at {
		if to < from || int(to) > len(all) {
			return nil, fmt.Errorf("text %d ends at byte %d, after %d of %d bytes", i, to, from, len(all))
		}
		texts[i] = all[from:to]
		from = to
	}
	if int(from) != len(all) {
		return nil, fmt.Errorf("the texts end at byte %d of %d", from, len(all))
	}
	return tensor.Of(texts, len(texts))
}

// sameAssets is an error that names the first array, by name, in which a file differs from a model. It compares arrays where
// they lie.
func sameAssets(ctx context.Context, file, model map[string]tensor.Rows) error {
	for _, name := range slices.Sorted(maps.Keys(model)) {
		x, ok := file[name]
		if !ok {
			return fmt.Errorf("the file is of another model: it has no asset %s", strictjson.Quote(name))
		}
		if err := sameArray(ctx, x, model[name]); err != nil {
			return fmt.Errorf("the file is of another model: asset %s: %w", strictjson.Quote(name), err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(file)) {
		if _, ok := model[name]; !ok {
			return fmt.Errorf("the file is of another model: the model has no asset %s", strictjson.Quote(name))
		}
	}
	return nil
}

func sameArray(ctx context.Context, file, model tensor.Rows) error {
	if !file.Shape().Equal(model.Shape()) {
		return fmt.Errorf("the file has it with shape %v, and the model with %v", file.Shape(), model.Shape())
	}
	switch f := file.(type) {
	case *tensor.Float32:
		if m, ok := model.(*tensor.Float32); ok {
			return sameElements(ctx, f.Data(), m.Data(), func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) })
		}
	case *tensor.Int32:
		if m, ok := model.(*tensor.Int32); ok {
			return sameElements(ctx, f.Data(), m.Data(), func(a, b int32) bool { return a == b })
		}
	case *tensor.String:
		if m, ok := model.(*tensor.String); ok {
			return sameElements(ctx, f.Data(), m.Data(), func(a, b string) bool { return a == b })
		}
	}
	return fmt.Errorf("the file has it as %T, and the model as %T", file, model)
}

func sameElements[E any](ctx context.Context, file, model []E, equal func(a, b E) bool) error {
	if len(file) != len(model) {
		return errors.New("the numbers of elements differ")
	}
	for i, v := range file {
		if i%(1<<16) == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		if !equal(v, model[i]) {
			return fmt.Errorf("element %d is %s in the file, and %s in the model", i, strictjson.Quote(fmt.Sprint(v)), strictjson.Quote(fmt.Sprint(model[i])))
		}
	}
	return nil
}
