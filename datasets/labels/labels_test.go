package labels_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/linnet-ml/linnet/datasets/labels"
	"github.com/linnet-ml/linnet/tensor"
)

func TestClasses(t *testing.T) {
	in := []string{"pos", "neg", "pos", "Neutral"}
	c, err := labels.Learn(in)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Names(); !slices.Equal(got, []string{"Neutral", "neg", "pos"}) || c.Len() != 3 {
		t.Errorf("classes %q", got)
	}
	c.Names()[0] = "changed" // is the caller's own
	ids, err := c.IDs(in)
	if err != nil || ids.Shape().String() != "(4,)" || !slices.Equal(ids.Data(), []int32{2, 1, 2, 0}) {
		t.Error(ids, err)
	}
	back, err := c.Labels(ids.Data())
	if err != nil || !slices.Equal(back, in) {
		t.Error(back, err)
	}
	if id, ok := c.ID("neg"); id != 1 || !ok {
		t.Error(id, ok)
	}
	if _, ok := c.ID("new"); ok {
		t.Error("a class that is none")
	}
	for _, id := range []int32{-1, 3} {
		if _, ok := c.Name(id); ok {
			t.Errorf("class %d", id)
		}
		want := fmt.Sprintf("labels: row 1: id %d is none of the 3 classes", id)
		if _, err := c.Labels([]int32{0, id}); err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

func TestSets(t *testing.T) {
	in := [][]string{{"dog", "cat"}, {}, {"cat", "cat"}, nil, {"bird"}}
	c, err := labels.LearnSets(in)
	if err != nil {
		t.Fatal(err)
	}
	x, err := c.MultiHot(in)
	if err != nil || x.Shape().String() != "(5, 3)" || !slices.Equal(x.Data(), []float32{0, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0}) {
		t.Error(x, err)
	}
	back, err := c.Sets(x, 0.5)
	if want := "[[cat dog] [] [cat] [] [bird]]"; err != nil || fmt.Sprint(back) != want {
		t.Errorf("%v, %v, want %s", back, err, want)
	}
	_, err = c.MultiHot([][]string{{"cat"}, {"dog", "fish"}})
	if want := `labels: row 1, label 1: "fish" is none of the 3 classes`; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	for _, x := range []*tensor.Float32{nil, mustOf(t, []float32{1, 2, 3}), mustOf(t, []float32{1, 2}, 1, 2)} {
		if _, err := c.Sets(x, 0.5); !errors.Is(err, tensor.ErrShape) {
			t.Errorf("error %v", err)
		}
	}
	if _, err := c.Sets(x, float32(math.NaN())); err == nil {
		t.Error("a threshold that is NaN")
	}
}

func mustOf(t *testing.T, data []float32, shape ...int) *tensor.Float32 {
	t.Helper()
	x, err := tensor.Of(data, shape...)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestErrors(t *testing.T) {
	given, err := labels.New("b", "a") // keeps its order
	if err != nil {
		t.Fatal(err)
	}
	_, unknown := given.IDs([]string{"a", "b", "c\n"})
	var e *labels.Error
	if !errors.As(unknown, &e) || e.Row != 2 || e.Column != labels.Whole || e.Label != "c\n" || e.Classes != 2 {
		t.Errorf("%#v", e)
	}
	for _, c := range []struct {
		err  error
		want string
	}{
		{unknown, `labels: row 2: "c\n" is none of the 2 classes`},
		{second(given.IDs([]string{""})), "labels: row 0 is empty"},
		{second(labels.New()), "labels: there are no classes"},
		{second(labels.New("a", "")), "labels: class 1 has an empty name"},
		{second(labels.New("a", "b", "a")), `labels: classes 0 and 2 are both "a"`},
		{second(labels.Learn(nil)), "labels: there are no classes"},
		{second(labels.Learn([]string{"a", ""})), "labels: row 1 is empty"},
		{second(labels.LearnSets([][]string{nil, {}})), "labels: there are no classes"},
		{second(labels.LearnSets([][]string{{"a"}, {"b", ""}})), "labels: row 1, label 1 is empty"},
	} {
		if c.err == nil || c.err.Error() != c.want {
			t.Errorf("error %v, want %s", c.err, c.want)
		}
	}
}

func second[T any](_ T, err error) error { return err }
