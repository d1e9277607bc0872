package model

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/tensor"
)

func array[E tensor.Element](t *testing.T, v []E, dims ...int) tensor.Rows {
	t.Helper()
	x, err := tensor.Of(v, dims...)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// A file and a model have the same assets only if names, types, shapes and every bit agree; the error names the asset.
func TestSameAssets(t *testing.T) {
	type assets = map[string]tensor.Rows
	made := func(words []string, ids []int32, values []float32) assets {
		return assets{"words": array(t, words), "ids": array(t, ids), "values": array(t, values, 1, len(values))}
	}
	nan := float32(math.NaN())
	text, ids, values := []string{"good", "", "film"}, []int32{1, 2, 3}, []float32{0, nan}
	model := made(text, ids, values)
	if err := sameAssets(t.Context(), made([]string{"good", "", "film"}, []int32{1, 2, 3}, []float32{0, nan}), model); err != nil {
		t.Error(err)
	}
	if err := errors.Join(sameAssets(t.Context(), nil, nil), sameAssets(t.Context(), nil, assets{})); err != nil {
		t.Error(err)
	}
	with := func(name string, x tensor.Rows) assets {
		a := made(text, ids, values)
		if delete(a, name); x != nil {
			a[name] = x
		}
		return a
	}
	for want, file := range map[string]assets{
		`asset "words": element 1 is "bad" in the file, and "" in the model`:            made([]string{"good", "bad", "film"}, ids, values),
		`asset "ids": element 2 is "-3" in the file, and "3" in the model`:              made(text, []int32{1, 2, -3}, values),
		`asset "values": element 0 is "-0" in the file, and "0" in the model`:           made(text, ids, []float32{float32(math.Copysign(0, -1)), nan}),
		`asset "words": the file has it with shape (2,), and the model with (3,)`:       made(text[:2], ids, values),
		`asset "values": the file has it with shape (2, 1), and the model with (1, 2)`:  with("values", array(t, values, 2, 1)),
		`asset "ids": the file has it as *tensor.Array[float32], and the model as *ten`: with("ids", array(t, []float32{1, 2, 3})),
		`it has no asset "ids"`:            with("ids", nil),
		`the model has no asset "other"`:   with("other", array(t, ids)),
		`asset "words": element 0 is "xxx`: made([]string{strings.Repeat("x", 10000), "", "film"}, ids, values),
	} {
		err := sameAssets(t.Context(), file, model)
		if err == nil || !strings.HasPrefix(err.Error(), "the file is of another model: "+want) || len(err.Error()) > 300 {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := sameAssets(ctx, model, model); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that is done: %v", err)
	}
}
