package bench

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/model"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/pretrained"
	"github.com/linnet-ml/linnet/tensor"
)

// Review is a text to predict: the first prediction after loading a model is of it.
const Review = "I did not expect much of this film, and for half an hour I was right: the dialogue is slow, and the camera never " +
	"leaves the kitchen. Then the sister arrives, and everything that seemed careless turns out to have been planned. Two scenes " +
	"in the second half are among the best of the year. Not a masterpiece, but I was moved, and I will see it again."

// The size of the model that opening is measured with: its table has 200 MB.
const (
	OpenRows = 1000000
	OpenDim  = 50
)

// TableNetwork is the first tutorial's network with the large table, untrained.
func TableNetwork(ctx context.Context) (*nn.Model, error) { return network(ctx, TableRows, TableDim) }

// OpenNetwork is an embedding alone, with a table of 200 MB.
func OpenNetwork(ctx context.Context) (*nn.Model, error) {
	return nn.NewSequential(layers.Embedding{Vocabulary: OpenRows, Dim: OpenDim}).
		Build(ctx, nn.Tokens(nn.AnyLength), nn.BuildOptions{Seed: 1})
}

// TextModule is the second tutorial's module, or one of its size: see HubModule and MadeUpModule.
func TextModule(ctx context.Context, vectors string) (*pretrained.Embedding, error) {
	folder, err := HubModule()
	if errors.Is(err, fs.ErrNotExist) {
		return MadeUpModule(vectors)
	} else if err != nil {
		return nil, err
	}
	return pretrained.OpenHub(ctx, folder, pretrained.HubOptions{})
}

// ReviewIDs are the ids of a made-up review, of shape (1, Length), all below Words.
func ReviewIDs() (*tensor.Int32, error) {
	ids := make([]int32, Length)
	for i := range ids {
		ids[i] = int32((1 + i*i*37) % Words)
	}
	return tensor.Of(ids, 1, Length)
}

// Opened is what opening a file and the first prediction took.
type Opened struct {
	Load  time.Duration // until the model is ready
	First time.Duration // until the first prediction is there, loading included
	// Heap is how many bytes Load took from the heap, whether or not they were given back.
	Heap       uint64
	Prediction float32 // the first element of the prediction
}

// Open loads a file and predicts x.
func Open(ctx context.Context, path string, o model.LoadOptions, x tensor.Rows) (opened Opened, err error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	f, err := model.Load(ctx, path, o)
	opened.Load = time.Since(start)
	if err != nil {
		return opened, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	runtime.ReadMemStats(&after)
	opened.Heap = after.TotalAlloc - before.TotalAlloc
	start = time.Now()
	y, err := f.Model.PredictInto(ctx, nil, x, nn.PredictOptions{})
	opened.First = opened.Load + time.Since(start)
	if err != nil {
		return opened, err
	}
	opened.Prediction = y[0]
	return opened, nil
}

// WritePlain writes bytes to a file as durably as a model is saved, and with nothing else: a temporary file in the same
// folder, fsync of file and folder, rename. It is the disk's own speed.
func WritePlain(path string, b []byte) (err error) {
	folder := filepath.Dir(path)
	f, err := os.CreateTemp(folder, "plain-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	d, err := os.Open(folder)
	if err != nil {
		return err
	}
	if runtime.GOOS == "windows" { // folders cannot be synced there
		return d.Close()
	}
	return errors.Join(d.Sync(), d.Close())
}

// Saved is how long it took to save a model, and to write as many bytes.
type Saved struct {
	Save, Plain time.Duration
	Bytes       int
}

// Save saves a model to a folder and then writes the same bytes there without a model. From the second call on each
// replaces a file.
func Save(ctx context.Context, folder string, m *nn.Model) (s Saved, err error) {
	path := filepath.Join(folder, "saved.linnet")
	start := time.Now()
	if err := model.Save(ctx, path, m, model.SaveOptions{}); err != nil {
		return s, err
	}
	s.Save = time.Since(start)
	b, err := os.ReadFile(path)
	if err != nil {
		return s, err
	}
	s.Bytes = len(b)
	start = time.Now()
	err = WritePlain(filepath.Join(folder, "plain.bin"), b)
	s.Plain = time.Since(start)
	return s, err
}
