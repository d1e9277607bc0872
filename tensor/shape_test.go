package tensor_test

import (
	"testing"

	"github.com/linnet-ml/linnet/tensor"
)

func TestShape(t *testing.T) {
	for _, c := range []struct {
		shape       tensor.Shape
		text        string
		size, width int
	}{
		{nil, "()", 1, 1},
		{tensor.Shape{7}, "(7,)", 7, 1},
		{tensor.Shape{tensor.Unknown}, "(None,)", tensor.Unknown, 1},
		{tensor.Shape{tensor.Unknown, 256, 16}, "(None, 256, 16)", tensor.Unknown, 4096},
		{tensor.Shape{3, tensor.Unknown, 2}, "(3, None, 2)", tensor.Unknown, tensor.Unknown},
		{tensor.Shape{3, 0, 2}, "(3, 0, 2)", 0, 0},
	} {
		if c.shape.String() != c.text || c.shape.Size() != c.size || c.shape.Width() != c.width {
			t.Errorf("%s: size %d, width %d; want %s, %d, %d", c.shape, c.shape.Size(), c.shape.Width(), c.text, c.size, c.width)
		}
	}
}

func TestShapeEqual(t *testing.T) {
	a := tensor.Shape{2, tensor.Unknown}
	for _, c := range []struct {
		b    tensor.Shape
		want bool
	}{{tensor.Shape{2, tensor.Unknown}, true}, {tensor.Shape{2, 3}, false}, {tensor.Shape{2}, false}, {nil, false}} {
		if a.Equal(c.b) != c.want || c.b.Equal(a) != c.want {
			t.Errorf("%v and %v: equal %t", a, c.b, !c.want)
		}
	}
	b := a.Clone()
	b[0] = 5
	if a[0] != 2 {
		t.Error("a clone shares memory")
	}
}

func TestTypeNames(t *testing.T) {
	for typ, want := range map[tensor.Type]string{
		tensor.TypeFloat32: "float32", tensor.TypeInt32: "int32", tensor.TypeString: "string", tensor.TypeSparse: "sparse float32", 0: "Type(0)", 9: "Type(9)",
	} {
		if typ.String() != want {
			t.Errorf("%s, want %s", typ, want)
		}
	}
}
