package text_test

import (
	"slices"
	"testing"

	"github.com/linnet-ml/linnet/internal/golden"
	"github.com/linnet-ml/linnet/text"
)

var mixed = [][]int32{{1}, {2, 3}, {4, 5, 6, 7}, {}, {8, 9, 10, 11, 12, 13}}

func TestPadSequences(t *testing.T) {
	for _, c := range []struct {
		name    string
		options text.PadOptions
		want    []int32
	}{
		{"the longest", text.PadOptions{},
			[]int32{0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2, 3, 0, 0, 4, 5, 6, 7, 0, 0, 0, 0, 0, 0, 8, 9, 10, 11, 12, 13}},
		{"pre, pre", text.PadOptions{Length: 3}, []int32{0, 0, 1, 0, 2, 3, 5, 6, 7, 0, 0, 0, 11, 12, 13}},
		{"post, pre", text.PadOptions{Length: 3, Padding: text.Post}, []int32{1, 0, 0, 2, 3, 0, 5, 6, 7, 0, 0, 0, 11, 12, 13}},
		{"pre, post", text.PadOptions{Length: 3, Truncating: text.Post}, []int32{0, 0, 1, 0, 2, 3, 4, 5, 6, 0, 0, 0, 8, 9, 10}},
		{"post, post", text.PadOptions{Length: 3, Padding: text.Post, Truncating: text.Post},
			[]int32{1, 0, 0, 2, 3, 0, 4, 5, 6, 0, 0, 0, 8, 9, 10}},
		{"a value", text.PadOptions{Length: 2, Padding: text.Post, Value: -1}, []int32{1, -1, 2, 3, 6, 7, -1, -1, 12, 13}},
	} {
		x, err := text.PadSequences(mixed, c.options)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if !slices.Equal(x.Data(), c.want) || x.Len() != 5 {
			t.Errorf("%s: %v %v, want %v", c.name, x.Shape(), x.Data(), c.want)
		}
	}
	if x, err := text.PadSequences(nil, text.PadOptions{Length: 4}); err != nil || !slices.Equal(x.Shape(), []int{0, 4}) {
		t.Errorf("no sequences: %v, %v", x, err)
	}
}

func TestPadSequencesErrors(t *testing.T) {
	for want, c := range map[string]struct {
		sequences [][]int32
		options   text.PadOptions
	}{
		"text: without sequences PadSequences needs a Length":          {nil, text.PadOptions{}},
		"text: cannot pad to a length of -1":                           {mixed, text.PadOptions{Length: -1}},
		"text: padding Side(2) is neither text.Pre nor text.Post":      {mixed, text.PadOptions{Padding: 2}},
		"text: truncating Side(255) is neither text.Pre nor text.Post": {mixed, text.PadOptions{Truncating: 255}},
	} {
		if _, err := text.PadSequences(c.sequences, c.options); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// Every recorded case of Keras's pad_sequences that int32 rows can have.
func TestPadSequencesLikeKeras(t *testing.T) {
	sides := map[string]text.Side{"": text.Pre, "pre": text.Pre, "post": text.Post}
	compared := 0
	golden.OpenShared(t, "imdb_data").Run(t, "pad/", func(t *testing.T, c golden.Case) {
		var config struct {
			MaxLen              *int
			Padding, Truncating string
			Value               float64
			DType               string
		}
		c.Decode(&config, "config")
		if config.Value != float64(int32(config.Value)) {
			t.Skip("rows are int32")
		}
		for _, name := range []string{config.Padding, config.Truncating} {
			if _, ok := sides[name]; !ok {
				t.Skip("a side that has no name in Go")
			}
		}
		o := text.PadOptions{Padding: sides[config.Padding], Truncating: sides[config.Truncating], Value: int32(config.Value)}
		if config.MaxLen != nil {
			if o.Length = *config.MaxLen; o.Length == 0 {
				t.Skip("a length of 0 stands for the longest")
			}
		}
		var sequences [][]int32
		for _, s := range c.List("sequences") {
			var row []int32
			for _, id := range s.Ints() {
				row = append(row, int32(id))
			}
			sequences = append(sequences, row)
		}
		x, err := text.PadSequences(sequences, o)
		if c.Has("error") {
			if err == nil {
				t.Errorf("no error, Keras has %s", c.Text("message"))
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		compared++
		want := c.At("output")
		if config.DType == "int64" {
			for i, v := range want.Array().Int64 {
				if int64(x.Data()[i]) != v {
					t.Errorf("element %d is %d, want %d", i, x.Data()[i], v)
				}
			}
			return
		}
		golden.Equal(t, "rows", x.Data(), want.Array())
		if !slices.Equal(x.Shape(), want.Array().Shape) {
			t.Errorf("shape %v, want %v", x.Shape(), want.Array().Shape)
		}
	})
	if !t.Failed() && compared < 75 {
		t.Errorf("only %d cases were compared", compared)
	}
}
