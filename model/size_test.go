package model_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/model"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/tensor"
)

// largeFile makes a file of a model with a table of rows × dim zeros, of which the disk keeps little.
func largeFile(t *testing.T, rows, dim int) (path string) {
	t.Helper()
	size := 4 * rows * dim
	header := fmt.Sprintf(`{"__metadata__":{"linnet.format":"1","linnet.model":"{\"spec\":{\"kind\":\"Sequential\",\"Layers\":[`+
		`{\"kind\":\"Embedding\",\"Vocabulary\":%d,\"Dim\":%d},{\"kind\":\"GlobalAveragePooling1D\"},{\"kind\":\"Dense\",\"Units\":1}]},`+
		`\"input\":{\"type\":\"int32\",\"dims\":[4]}}"},"embedding/embeddings":{"dtype":"F32","shape":[%d,%d],"data_offsets":[0,%d]},`+
		`"dense/kernel":{"dtype":"F32","shape":[%d,1],"data_offsets":[%d,%d]},"dense/bias":{"dtype":"F32","shape":[1],"data_offsets":[%d,%d]}}`,
		rows, dim, rows, dim, size, dim, size, size+4*dim, size+4*dim, size+4*dim+4)
	for (8+len(header))%64 != 0 {
		header += " "
	}
	path = filepath.Join(t.TempDir(), "large.linnet")
	f, err := os.Create(path)
	must(t, err)
	_, err = f.Write(append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...))
	must(t, err)
	must(t, f.Truncate(int64(8+len(header)+size+4*dim+4)))
	must(t, f.Close())
	return path
}

func sumOf(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path)
	must(t, err)
	defer f.Close()
	h := sha256.New()
	_, err = io.Copy(h, f)
	must(t, err)
	return fmt.Sprintf("%x", h.Sum(nil))
}

// Opening a file of 200 MB takes less than 2 MB of memory, and so does a prediction from some rows of it. Training copies what
// it trains, and the file stays as it is.
func TestOpensInPlace(t *testing.T) {
	switch runtime.GOOS {
	case "linux", "darwin", "windows", "freebsd", "netbsd", "openbsd":
	default:
		t.Skip("files are read into memory here")
	}
	const rows, dim = 1_000_000, 50
	path := largeFile(t, rows, dim)
	if info, err := os.Stat(path); err != nil || info.Size() < 200_000_000 {
		t.Fatal(info, err)
	}
	allocated := func(what string, most uint64, call func()) {
		t.Helper()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		call()
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > most {
			t.Errorf("%s allocates %d bytes, more than %d", what, n, most)
		}
	}
	x, err := tensor.Of([]int32{0, 5, rows / 2, rows - 1, 7, 7, 7, 7}, 2, 4)
	must(t, err)
	var f *model.File
	allocated("Load", 2<<20, func() {
		f, err = model.Load(t.Context(), path, model.LoadOptions{})
		must(t, err)
	})
	defer f.Close()
	allocated("a prediction", 2<<20, func() {
		out, err := f.Model.PredictInto(t.Context(), nil, x, nn.PredictOptions{})
		must(t, err)
		equalBits(t, "predictions", out, []float32{0, 0})
	})
	must(t, f.Close())
	if _, err := f.Model.PredictInto(t.Context(), nil, x, nn.PredictOptions{}); err == nil {
		t.Error("a closed file predicts")
	}

	path = largeFile(t, 20_000, dim)
	before := sumOf(t, path)
	f, err = model.Load(t.Context(), path, model.LoadOptions{})
	must(t, err)
	defer f.Close()
	other, err := model.Load(t.Context(), path, model.LoadOptions{})
	must(t, err)
	defer other.Close()
	ids, err := tensor.Of([]int32{0, 5, 3, 19_999, 7, 7, 7, 7}, 2, 4)
	must(t, err)
	y, err := tensor.Of([]float32{1, 0})
	must(t, err)
	_, err = f.Model.Fit(context.Background(), nn.Data{X: ids, Y: y}, nn.FitOptions{Optimizer: optim.Adam{}, Loss: loss.MeanSquaredError{}, Epochs: 3})
	must(t, err)
	if got := f.Model.Parameter("dense/bias").Values()[0]; got == 0 {
		t.Error("training changed nothing")
	}
	if got := other.Model.Parameter("dense/bias").Values()[0]; got != 0 {
		t.Errorf("another model of the file changed, too: %v", got)
	}
	if sumOf(t, path) != before {
		t.Error("training changed the file")
	}
	must(t, f.Close()) // all of it was trained, so that it stays usable
	_, err = f.Model.PredictInto(t.Context(), nil, ids, nn.PredictOptions{})
	must(t, err)
}
