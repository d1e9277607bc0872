package optional_test

import (
	"encoding/json"
	"fmt"

	"github.com/linnet-ml/linnet/optional"
)

// Decay has a rate of which 0 is legal and 0.9 the default.
type Decay struct {
	Rate optional.Value[float64] `json:"rate"`
}

// A zero that was set differs from a field that was left alone, in JSON too.
func Example() {
	for _, d := range []Decay{{}, {Rate: optional.Of(0.0)}} {
		text, err := json.Marshal(d)
		if err != nil {
			panic(err)
		}
		fmt.Println(d.Rate.Or(0.9), d.Rate.IsSet(), string(text))
	}
	// Output:
	// 0.9 false {"rate":null}
	// 0 true {"rate":0}
}

func ExampleValue_Get() {
	threshold := optional.Of[float32](0)
	if t, ok := threshold.Get(); ok {
		fmt.Println("threshold", t)
	}
	// Output: threshold 0
}
