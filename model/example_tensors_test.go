package model_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/linnet-ml/linnet/model"
	"github.com/linnet-ml/linnet/tensor"
)

func ExampleOpenTensors() {
	ctx := context.Background()
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "weights.safetensors")

	kernel, err := tensor.Of([]float32{1, 2, 3, 4, 5, 6}, 2, 3)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := model.SaveTensors(ctx, path, map[string]tensor.Rows{"dense/kernel": kernel}, nil); err != nil {
		fmt.Println(err)
		return
	}
	file, err := model.OpenTensors(ctx, path)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer file.Close()
	for _, name := range file.Names() {
		dtype, _ := file.DType(name)
		x, err := file.Float32(ctx, name)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(name, dtype, x.Shape(), x.Data())
	}
	// Output: dense/kernel F32 (2, 3) [1 2 3 4 5 6]
}
