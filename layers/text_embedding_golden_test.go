package layers_test

import (
	"archive/tar"
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/linnet-ml/linnet/internal/golden"
	"github.com/linnet-ml/linnet/internal/shared"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/metrics"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/optional"
	"github.com/linnet-ml/linnet/pretrained"
	"github.com/linnet-ml/linnet/tensor"
)

// The tests here compare with what TensorFlow Hub's KerasLayer made of three text modules:
// ../shared/golden-formats/README.md, "hub".

// hubModule is a recorded module.
func hubModule(t *testing.T, name string) *pretrained.Embedding {
	t.Helper()
	e, err := pretrained.OpenHub(context.Background(), shared.Path(t, "golden-formats/hub/"+name), pretrained.HubOptions{})
	must(t, err)
	return e
}

func readJSON(t *testing.T, rel string, v any) {
	t.Helper()
	b, err := os.ReadFile(shared.Path(t, rel))
	must(t, err)
	must(t, json.Unmarshal(b, v))
}

// The vectors of all recorded texts, some of them not UTF-8, are those of the modules.
func TestTextEmbeddingVectors(t *testing.T) {
	for _, name := range []string{"nnlm", "nnlm-oov50", "nnlm-with-normalization"} {
		t.Run(name, func(t *testing.T) {
			var recorded struct{ Texts [][]byte }
			readJSON(t, "golden-formats/hub/texts.json", &recorded)
			texts := make([]string, len(recorded.Texts))
			for i, b := range recorded.Texts {
				texts[i] = string(b)
			}
			m := build(t, nn.Texts(), layers.TextEmbedding{Table: hubModule(t, name)})
			want := golden.OpenTensors(t, "golden-formats/hub/"+name+".expected.safetensors").Array("vectors")
			for _, noFusion := range []bool{false, true} {
				got := predict(t, m, array(t, texts, len(texts)), nn.PredictOptions{NoFusion: noFusion})
				golden.Close(t, "vectors", got, want, golden.Tolerance{Abs: 1e-5, Rel: 1e-5})
			}
		})
	}
}

// recordedReviews are the 2,000 reviews of the recorded runs with their labels: of the positive and the negative ones of
// the training set the first thousand in the order of their files' names, in turn, positive first.
func recordedReviews(t *testing.T, sum string) (*tensor.String, *tensor.Float32) {
	t.Helper()
	f, err := os.Open(shared.Path(t, "data/imdb/aclImdb_labeled.tar.gz"))
	must(t, err)
	defer f.Close()
	z, err := gzip.NewReader(bufio.NewReaderSize(f, 1<<16))
	must(t, err)
	reviews := map[string]map[string]string{"aclImdb/train/pos/": {}, "aclImdb/train/neg/": {}}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		must(t, err)
		folder, name := path.Split(h.Name)
		if reviews[folder] == nil || h.Typeflag != tar.TypeReg {
			continue
		}
		b, err := io.ReadAll(r)
		must(t, err)
		reviews[folder][name] = string(b)
	}
	const each = 1000
	texts, labels := make([]string, 2*each), make([]float32, 2*each)
	for i, folder := range []string{"aclImdb/train/pos/", "aclImdb/train/neg/"} {
		var names []string
		for name := range reviews[folder] {
			names = append(names, name)
		}
		slices.Sort(names)
		for k, name := range names[:each] {
			texts[2*k+i], labels[2*k+i] = reviews[folder][name], float32(1-i)
		}
	}
	hash := sha256.New()
	for _, s := range texts {
		io.WriteString(hash, s+"\x00")
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != sum {
		t.Fatalf("the reviews are not the recorded ones: sha256 %s, recorded %s", got, sum)
	}
	return array(t, texts, len(texts)), array(t, labels, len(labels))
}

// Two whole runs are TensorFlow's, step by step: with the table to train, and as it is.
func TestTextEmbeddingTraining(t *testing.T) {
	var recorded struct {
		Sum           string `json:"sha256_of_texts_each_followed_by_a_zero_byte"`
		Batch, Epochs int
		Runs          map[string]struct {
			Losses []float64 `json:"step_losses"`
			Epochs []struct {
				Correct float64
				Loss    float64 `json:"mean_loss"`
			}
			Matrices map[string]struct {
				Sum     float64
				Squares float64 `json:"sum_of_squares"`
			}
			Seen int `json:"rows_seen"`
		}
	}
	readJSON(t, "golden-formats/hub/training.json", &recorded)
	x, y := recordedReviews(t, recorded.Sum)
	tensors := golden.OpenTensors(t, "golden-formats/hub/training.safetensors")
	module := hubModule(t, "nnlm")
	for _, trainable := range []bool{true, false} {
		name := map[bool]string{true: "trainable=True", false: "trainable=False"}[trainable]
		run, ok := recorded.Runs[name]
		if !ok {
			t.Fatalf("no run %s is recorded", name)
		}
		var first [][]float32
		for _, o := range []nn.FitOptions{{Threads: 1}, {Threads: 2, NoFusion: true}} {
			t.Run(fmt.Sprintf("%s/threads=%d", name, o.Threads), func(t *testing.T) {
				m := build(t, nn.Texts(), layers.TextEmbedding{Table: module, Trainable: trainable}, layers.Dense{Units: 16, Activation: layers.ReLU}, layers.Dense{Units: 1})
				for _, p := range m.Parameters()[1:] {
					copy(p.Values(), tensors.Array("init/"+p.Name()).Float32)
				}
				before := m.Weights(nil)
				golden.Close(t, "logits before", predict(t, m, x, nn.PredictOptions{}), tensors.Array(name+"/logits_before"), golden.Tolerance{Abs: 1e-5, Rel: 1e-5})

				var losses []float64
				rows, total := 0, 0.0
				o.Callbacks = []nn.Callback{plan.CallbackFunc(func(e plan.Event, tr plan.Training) error {
					switch e {
					case plan.EpochBegin:
						rows, total = 0, 0
					case plan.BatchEnd:
						// The log is the mean over the epoch so far.
						mean, _ := tr.Logs().Get("loss")
						n := min(recorded.Batch, x.Len()-rows)
						losses = append(losses, (mean*float64(rows+n)-total)/float64(n))
						rows += n
						total = mean * float64(rows)
					}
					return nil
				})}
				o.Optimizer, o.Loss = optim.Adam{}, loss.BinaryCrossentropy{FromLogits: true}
				o.Metrics = []nn.Metric{metrics.BinaryAccuracy{Threshold: optional.Of[float32](0), As: "accuracy"}}
				o.Epochs, o.BatchSize, o.NoShuffle = recorded.Epochs, recorded.Batch, true
				history, err := m.Fit(t.Context(), nn.Data{X: x, Y: y}, o)
				must(t, err)

				golden.CloseNumber(t, "first loss", losses[0], run.Losses[0], golden.Tolerance{Abs: 2e-6})
				golden.CloseList(t, "losses", losses, run.Losses, golden.Tolerance{Abs: 1e-5})
				for i, want := range run.Epochs {
					golden.CloseNumber(t, "mean loss", history.Values("loss")[i], want.Loss, golden.Tolerance{Abs: 1e-5})
					golden.CloseNumber(t, "correct", history.Values("accuracy")[i]*float64(x.Len()), want.Correct, golden.Tolerance{Abs: 1.0001})
				}
				after := m.Weights(nil)
				for i, p := range m.Parameters() {
					key := strings.TrimPrefix(p.Name(), "text_embedding/")
					if trainable || i > 0 {
						golden.Close(t, p.Name(), p.Values(), tensors.Array(name+"/final/"+key), golden.Tolerance{Abs: 2e-5})
					}
					sum, squares := 0.0, 0.0
					for _, v := range p.Values() {
						sum += float64(v)
						squares += float64(v) * float64(v)
					}
					off := 2e-5 * math.Sqrt(float64(p.Size()))
					golden.CloseNumber(t, "sum of "+key, sum, run.Matrices[key].Sum, golden.Tolerance{Abs: 10 * off})
					golden.CloseNumber(t, "squares of "+key, squares, run.Matrices[key].Squares, golden.Tolerance{Abs: off * math.Sqrt(squares)})
				}
				golden.Close(t, "logits after", predict(t, m, x, nn.PredictOptions{}), tensors.Array(name+"/logits_after"), golden.Tolerance{Abs: 2e-5})
				changed := 0
				for row := range module.Rows() {
					lo, hi := row*module.Dim(), (row+1)*module.Dim()
					if !equalBits(before[0][lo:hi], after[0][lo:hi]) {
						changed++
					}
				}
				if want := map[bool]int{true: run.Seen}[trainable]; changed != want {
					t.Errorf("%d rows of the table have changed, recorded %d", changed, want)
				}
				if first == nil {
					first = after
				}
				for i := range after {
					if !equalBits(after[i], first[i]) {
						t.Errorf("%s has other bits than with one thread", m.Parameters()[i].Name())
					}
				}
			})
		}
	}
}
