package tensor_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/linnet-ml/linnet/tensor"
)

// converted is what Convert makes of one number, or its error.
func converted[E float32 | int32, S tensor.Number](v S) string {
	a, err := tensor.Convert[E]([]S{0: v})
	if err != nil {
		if a != nil {
			return "an array beside an error"
		}
		return err.Error()
	}
	return fmt.Sprint(a.Data()[0])
}

func TestConvertNumbers(t *testing.T) {
	const bad = "tensor: row 0: "
	for _, c := range []struct{ got, want string }{
		{converted[int32](int(-5)), "-5"},
		{converted[int32](int8(-128)), "-128"},
		{converted[int32](int16(math.MinInt16)), "-32768"},
		{converted[int32](int32(math.MinInt32)), "-2147483648"},
		{converted[int32](int64(math.MaxInt32)), "2147483647"},
		{converted[int32](int64(math.MaxInt32 + 1)), bad + "2147483648 does not fit int32"},
		{converted[int32](int64(math.MinInt32 - 1)), bad + "-2147483649 does not fit int32"},
		{converted[int32](int64(1) << 32), bad + "4294967296 does not fit int32"},
		{converted[int32](uint(7)), "7"},
		{converted[int32](uint8(255)), "255"},
		{converted[int32](uint16(65535)), "65535"},
		{converted[int32](uint32(math.MaxUint32)), bad + "4294967295 does not fit int32"},
		{converted[int32](uint64(math.MaxUint64)), bad + "18446744073709551615 does not fit int32"},
		{converted[int32](float32(-3)), "-3"},
		{converted[int32](float64(2147483647)), "2147483647"},
		{converted[int32](float64(2147483648)), bad + "2.147483648e+09 does not fit int32"},
		{converted[int32](0.5), bad + "0.5 does not fit int32"},
		{converted[int32](math.NaN()), bad + "NaN does not fit int32"},
		{converted[int32](math.Inf(-1)), bad + "-Inf does not fit int32"},
		{converted[int32](true), "1"},
		{converted[int32](false), "0"},

		{converted[float32](int(-5)), "-5"},
		{converted[float32](int8(-128)), "-128"},
		{converted[float32](int16(300)), "300"},
		{converted[float32](int32(1 << 24)), "1.6777216e+07"},
		{converted[float32](int32(1<<24 + 1)), bad + "16777217 does not fit float32"},
		{converted[float32](int32(1<<24 + 2)), "1.6777218e+07"},
		{converted[float32](int64(math.MinInt64)), "-9.223372e+18"},
		{converted[float32](int64(math.MaxInt64)), bad + "9223372036854775807 does not fit float32"},
		{converted[float32](uint(9)), "9"},
		{converted[float32](uint8(9)), "9"},
		{converted[float32](uint16(9)), "9"},
		{converted[float32](uint32(1 << 31)), "2.1474836e+09"},
		{converted[float32](uint64(1 << 63)), "9.223372e+18"},
		{converted[float32](uint64(math.MaxUint64)), bad + "18446744073709551615 does not fit float32"},
		{converted[float32](float32(0.1)), "0.1"},
		{converted[float32](0.1), "0.1"}, // rounded
		{converted[float32](math.MaxFloat32), "3.4028235e+38"},
		{converted[float32](1e39), bad + "1e+39 does not fit float32"},
		{converted[float32](-1e300), bad + "-1e+300 does not fit float32"},
		{converted[float32](math.Inf(1)), "+Inf"},
		{converted[float32](math.NaN()), "NaN"},
		{converted[float32](1e-60), "0"},
		{converted[float32](true), "1"},
		{converted[float32](false), "0"},
	} {
		if c.got != c.want {
			t.Errorf("got %s, want %s", c.got, c.want)
		}
	}
}

// An error names row and column.
func TestConvertErrors(t *testing.T) {
	_, err := tensor.Convert[int32]([]int64{0, 1, 2, 3, 1 << 40, 5}, 3, 2)
	if want := "tensor: row 2, column 0: 1099511627776 does not fit int32"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	var e *tensor.ValueError
	if !errors.As(err, &e) || e.Row != 2 || e.Column != 0 || e.Value != "1099511627776" || e.Type != tensor.TypeInt32 {
		t.Errorf("%#v", e)
	}
	_, err = tensor.ConvertRows[float32]([][]float64{{1, 2}, {3, 1e40}})
	if want := "tensor: row 1, column 1: 1e+40 does not fit float32"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	_, err = tensor.Convert[float32]([]int{1, 2, 3}, 2, 2)
	wantShapeError(t, err, "tensor: shape does not fit: 3 elements do not make an array of shape (2, 2) (4 elements)")
	_, err = tensor.Convert[float32]([]int{1}, -1)
	wantShapeError(t, err, "tensor: shape does not fit: dimension 0 of [-1] is negative")
	_, err = tensor.ConvertRows[int32]([][]int{{1, 2}, {3, 4}, {5}})
	wantShapeError(t, err, "tensor: shape does not fit: row 2 has 1 columns and row 0 has 2")
	_, err = tensor.ConvertRows[int32]([][]int{nil, {3}})
	wantShapeError(t, err, "tensor: shape does not fit: row 1 has 1 columns and row 0 has 0")
	_, err = tensor.StringRows([][]string{{"a"}, {"b", "c"}})
	wantShapeError(t, err, "tensor: shape does not fit: row 1 has 2 columns and row 0 has 1")
}

func TestConvertRows(t *testing.T) {
	in := [][]float32{{1, 2, 3}, {4, 5, 6}}
	a, err := tensor.ConvertRows[float32](in)
	if err != nil || a.Shape().String() != "(2, 3)" || !slices.Equal(a.Data(), []float32{1, 2, 3, 4, 5, 6}) {
		t.Fatal(a, err)
	}
	in[0][0] = 9
	if a.Data()[0] != 1 {
		t.Error("the array shares the rows' memory")
	}
	data := []int32{1}
	if b, err := tensor.Convert[int32](data); err != nil || &b.Data()[0] == &data[0] {
		t.Error("Convert keeps the slice", err)
	}
	for _, rows := range [][][]int{nil, {}} {
		if a, err := tensor.ConvertRows[int32](rows); err != nil || a.Shape().String() != "(0, 0)" {
			t.Error(a, err)
		}
	}
	if a, err := tensor.ConvertRows[int32]([][]int{{}, nil}); err != nil || a.Shape().String() != "(2, 0)" {
		t.Error(a, err)
	}
	if a, err := tensor.Convert[int32]([]int(nil)); err != nil || a.Shape().String() != "(0,)" {
		t.Error(a, err)
	}
	if a, err := tensor.StringRows([][]string{{"a", "b"}}); err != nil || a.Shape().String() != "(1, 2)" || a.Data()[1] != "b" {
		t.Error(a, err)
	}
}

func ExampleConvert() {
	ids, err := tensor.Convert[int32]([]int{3, 1, 4, 1}, 2, 2)
	fmt.Println(ids.Shape(), ids.Data(), err)
	labels, err := tensor.Convert[float32]([]bool{true, false}, 2, 1)
	fmt.Println(labels.Shape(), labels.Data(), err)
	_, err = tensor.Convert[int32]([]int64{7, 5_000_000_000})
	fmt.Println(err)
	// Output:
	// (2, 2) [3 1 4 1] <nil>
	// (2, 1) [1 0] <nil>
	// tensor: row 1: 5000000000 does not fit int32
}

func ExampleConvertRows() {
	x, err := tensor.ConvertRows[float32]([][]float64{{0.5, 1}, {1.5, 2}, {2.5, 3}})
	fmt.Println(x.Shape(), x.Row(2), err)
	_, err = tensor.ConvertRows[float32]([][]float64{{0.5, 1}, {1.5}})
	fmt.Println(err)
	// Output:
	// (3, 2) [2.5 3] <nil>
	// tensor: shape does not fit: row 1 has 1 columns and row 0 has 2
}
