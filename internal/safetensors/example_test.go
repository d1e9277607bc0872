package safetensors_test

import (
	"bytes"
	"context"
	"fmt"

	"github.com/linnet-ml/linnet/internal/safetensors"
)

func Example() {
	var file bytes.Buffer
	err := safetensors.Write(context.Background(), &file, nil, []safetensors.Entry{
		{Name: "dense/kernel", Shape: []int{2, 3}, Data: safetensors.Float32Data{1, 2, 3, 4, 5, 6}},
		{Name: "dense/bias", Shape: []int{3}, Data: safetensors.Float32Data{0, 0, 1}},
	}, safetensors.Reference)
	if err != nil {
		fmt.Println(err)
		return
	}
	f, err := safetensors.Open(context.Background(), bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, t := range f.Tensors() {
		values, err := t.Float32()
		fmt.Println(t.Name, t.Shape, values, err)
	}
	// Output:
	// dense/bias [3] [0 0 1] <nil>
	// dense/kernel [2 3] [1 2 3 4 5 6] <nil>
}
