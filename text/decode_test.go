package text_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/linnet-ml/linnet/text"
)

func TestDecoder(t *testing.T) {
	index := map[string]int{"the": 1, "film": 2, "movie": 2, "far": math.MaxInt32}
	d := text.NewDecoder(index, 3, "<PAD>", "<START>", "<UNK>", "<UNUSED>")
	for _, c := range []struct {
		ids  []int32
		want string
	}{
		{nil, ""},
		{[]int32{4}, "the"},
		{[]int32{1, 4, 5, 2, 3, 0}, "<START> the film <UNK> <UNUSED> <PAD>"}, // film before movie, which shares its rank
		{[]int32{6, -1, math.MinInt32 + 2, math.MaxInt32}, "? ? ? ?"},        // far + 3 is no id and wraps round to none
	} {
		if got := d.Decode(c.ids); got != c.want {
			t.Errorf("%v decodes to %q, want %q", c.ids, got, c.want)
		}
	}
	// A special id hides the word of the same id, as in the Keras tutorial.
	if w, ok := text.NewDecoder(index, 0, "<PAD>", "<START>").Word(1); !ok || w != "<START>" {
		t.Errorf("id 1 is %q", w)
	}
}

func ExampleDecoder() {
	ranks := map[string]int{"the": 1, "film": 2, "was": 3, "good": 4}
	decoder := text.NewDecoder(ranks, 3, "<PAD>", "<START>", "<UNK>")
	fmt.Println(decoder.Decode([]int32{1, 4, 5, 6, 2, 7, 999}))
	// Output: <START> the film was <UNK> good ?
}
