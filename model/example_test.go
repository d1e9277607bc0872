package model_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/linnet-ml/linnet/callbacks"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/model"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/optional"
	"github.com/linnet-ml/linnet/tensor"
)

// sums is a model that adds the two numbers of a row, and something to try it with.
func sums(ctx context.Context) (*nn.Model, tensor.Rows, error) {
	m, err := nn.NewSequential(layers.Dense{Units: 1, KernelInit: layers.Ones{}}).Build(ctx, nn.Features(2), nn.BuildOptions{})
	if err != nil {
		return nil, nil, err
	}
	x, err := tensor.Of([]float32{1, 2, 30, 40}, 2, 2)
	return m, x, err
}

func ExampleSave() {
	ctx := context.Background()
	m, _, err := sums(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "sums.linnet")
	err = model.Save(ctx, path, m, model.SaveOptions{Info: model.Info{
		Labels:   map[string][]string{"output": {"sum"}},
		Metadata: map[string]string{"license": "CC0"},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	file, err := model.Load(ctx, path, model.LoadOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer file.Close()
	fmt.Println(file.Info.Labels["output"], file.Info.Metadata["license"])
	// Output: [sum] CC0
}

// A model is used where it lies in the file, until Close.
func ExampleLoad() {
	ctx := context.Background()
	m, x, err := sums(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "sums.linnet")
	if err := model.Save(ctx, path, m, model.SaveOptions{}); err != nil {
		fmt.Println(err)
		return
	}

	file, err := model.Load(ctx, path, model.LoadOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	out, err := file.Model.PredictInto(ctx, nil, x, nn.PredictOptions{})
	fmt.Println(out, err)
	if err := file.Close(); err != nil {
		fmt.Println(err)
		return
	}
	_, err = file.Model.PredictInto(ctx, nil, x, nn.PredictOptions{})
	fmt.Println("closed:", errors.Is(err, fs.ErrClosed))
	// Output:
	// [3 70] <nil>
	// closed: true
}

// A program that has its model inside embeds the file: with
//
//	//go:embed sums.linnet
//	var sums []byte
//
// the bytes are there at once. Here Write makes them.
func ExampleFromBytes() {
	ctx := context.Background()
	m, x, err := sums(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	var embedded bytes.Buffer
	if err := model.Write(ctx, &embedded, m, model.SaveOptions{}); err != nil {
		fmt.Println(err)
		return
	}
	file, err := model.FromBytes(ctx, embedded.Bytes(), model.LoadOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer file.Close()
	fmt.Println(file.Model.PredictInto(ctx, nil, x, nn.PredictOptions{}))
	// Output: [3 70] <nil>
}

// A model goes to any Writer, such as a connection.
func ExampleWrite() {
	ctx := context.Background()
	m, _, err := sums(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	var one, two bytes.Buffer
	for _, to := range []*bytes.Buffer{&one, &two} {
		if err := model.Write(ctx, to, m, model.SaveOptions{}); err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Println("the same model, the same bytes:", bytes.Equal(one.Bytes(), two.Bytes()))
	// Output: the same model, the same bytes: true
}

// What an io.ReaderAt reads, such as a part of a larger file, is copied into memory.
func ExampleRead() {
	ctx := context.Background()
	m, x, err := sums(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	var b bytes.Buffer
	if err := model.Write(ctx, &b, m, model.SaveOptions{}); err != nil {
		fmt.Println(err)
		return
	}
	file, err := model.Read(ctx, bytes.NewReader(b.Bytes()), int64(b.Len()), model.LoadOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(file.Model.PredictInto(ctx, nil, x, nn.PredictOptions{}))
	// Output: [3 70] <nil>
}

// Weights of 16 bits take half of the file. What they lose is small, and reported. Biases stay as they are.
func ExampleConvert() {
	ctx := context.Background()
	m, err := nn.NewSequential(layers.Dense{Units: 2, KernelInit: layers.Constant{Value: 0.1}}).Build(ctx, nn.Features(3), nn.BuildOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, changes, err := model.Convert(ctx, m, model.ConvertOptions{Storage: model.Float16})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range changes {
		fmt.Printf("%s as %v: %d bytes, then %d; the largest difference is %.2g\n", c.Parameter, c.Storage, c.Before, c.After, c.Largest)
	}
	// Output: dense/kernel as float16: 24 bytes, then 12; the largest difference is 2.4e-05
}

// Callbacks save models in this package's format, and a run that was ended goes on from the backup.
func ExampleFormat() {
	ctx := context.Background()
	m, x, err := sums(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	y, err := tensor.Of([]float32{4, 71})
	if err != nil {
		fmt.Println(err)
		return
	}
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "epoch.linnet")
	_, err = m.Fit(ctx, nn.Data{X: x, Y: y}, nn.FitOptions{
		Optimizer: optim.SGD{LearningRate: 1e-4}, Loss: loss.MeanSquaredError{}, Epochs: 2,
		Callbacks: []nn.Callback{callbacks.ModelCheckpoint{Path: path, Format: model.Format{}, State: true}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	state, err := model.Format{}.LoadState(ctx, path, m)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("epochs done:", state.Epoch)
	// Output: epochs done: 2
}

// The state of a training lies in the file, for another process to go on.
func ExampleFile_State() {
	ctx := context.Background()
	m, x, err := sums(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	y, err := tensor.Of([]float32{4, 71})
	if err != nil {
		fmt.Println(err)
		return
	}
	o := nn.FitOptions{Optimizer: optim.Adam{Beta1: optional.Of(0.8)}, Loss: loss.MeanSquaredError{}, Epochs: 2, State: &nn.TrainingState{}}
	if _, err := m.Fit(ctx, nn.Data{X: x, Y: y}, o); err != nil {
		fmt.Println(err)
		return
	}
	var b bytes.Buffer
	if err := model.Write(ctx, &b, m, model.SaveOptions{State: o.State}); err != nil {
		fmt.Println(err)
		return
	}

	file, err := model.FromBytes(ctx, b.Bytes(), model.LoadOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer file.Close()
	if o.State, err = file.State(ctx); err != nil {
		fmt.Println(err)
		return
	}
	o.Epochs = 3
	history, err := file.Model.Fit(ctx, nn.Data{X: x, Y: y}, o)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("epochs:", history.Epochs)
	// Output: epochs: [0 1 2]
}
