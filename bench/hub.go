package bench

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"

	"github.com/linnet-ml/linnet/datasets/imdb"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/metrics"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/optim"
	"github.com/linnet-ml/linnet/optional"
	"github.com/linnet-ml/linnet/pretrained"
	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

// HubModuleVariable names, in the environment, the folder of the second tutorial's module, or of one of its size.
const HubModuleVariable = "LINNET_HUB_MODULE"

// HubModule is the folder that the environment names, or that of nnlm-en-dim50 in the cache.
func HubModule() (folder string, err error) {
	if folder := os.Getenv(HubModuleVariable); folder != "" {
		return folder, nil
	}
	folder, err = pretrained.FindModule("nnlm-en-dim50")
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%s names no module of TensorFlow Hub (bench/peers makes one): %w", HubModuleVariable, err)
	}
	return folder, err
}

// MadeUpModule has the size of the second tutorial's module: the words of a file of vectors, then made-up ones, and
// small random vectors.
func MadeUpModule(vectors string) (*pretrained.Embedding, error) {
	e, err := pretrained.OpenVectors(context.Background(), vectors, pretrained.VectorOptions{})
	if err != nil {
		return nil, err
	}
	known := e.Vocabulary()
	words := make([]string, 0, TableRows-1)
	for i := range min(known.Len(), cap(words)) {
		w, _ := known.Word(int32(i))
		words = append(words, w)
	}
	for len(words) < cap(words) {
		words = append(words, fmt.Sprintf("¤%d", len(words)))
	}
	v, err := text.NewVocabulary(context.Background(), words)
	if err != nil {
		return nil, err
	}
	t, err := text.NewHubTokenizer(v, text.HubTokenizerOptions{OOVBuckets: 1})
	if err != nil {
		return nil, err
	}
	return pretrained.NewEmbedding(pretrained.Table{
		Name: "made-up", Tokenizer: t, Vocabulary: v, Rows: TableRows, Dim: TableDim, Combiner: text.Sqrtn,
		Read: func(_ context.Context, dst []float32) error {
			r := rand.New(rand.NewPCG(1, 1))
			for i := range dst {
				dst[i] = r.Float32()/5 - 0.1
			}
			return nil
		},
	})
}

// Hub is the second tutorial's data and network.
type Hub struct {
	Module                  *pretrained.Embedding
	Model                   *nn.Model
	Train, Validation, Test nn.Data // their texts as bags of ids
	Texts                   nn.Data // those of Test as they are
}

// LoadHub reads the reviews from a folder, makes bags of them and builds the network.
func LoadHub(ctx context.Context, folder string, module *pretrained.Embedding) (*Hub, error) {
	train, test, err := imdb.LoadTexts(ctx, imdb.TextOptions{Path: folder})
	if err != nil {
		return nil, err
	}
	h := &Hub{Module: module}
	bags := [2]*text.Bags{}
	labels := [2]*tensor.Int32{}
	for i, s := range []*imdb.TextSplit{train, test} {
		if bags[i], err = text.CountTexts(ctx, s.Texts, module.Tokenizer()); err != nil {
			return nil, err
		}
		if labels[i], err = tensor.Of(s.Labels); err != nil {
			return nil, err
		}
	}
	n := bags[0].Len()
	h.Validation = nn.Data{X: bags[0].Rows(0, Validating), Y: labels[0].Rows(0, Validating)}
	h.Train = nn.Data{X: bags[0].Rows(Validating, n), Y: labels[0].Rows(Validating, n)}
	h.Test = nn.Data{X: bags[1], Y: labels[1]}
	texts, err := tensor.Of(test.Texts)
	if err != nil {
		return nil, err
	}
	h.Texts = nn.Data{X: texts, Y: labels[1]}
	h.Model, err = HubNetwork(ctx, module)
	return h, err
}

// HubNetwork is the second tutorial's network, which predicts from raw texts.
func HubNetwork(ctx context.Context, module *pretrained.Embedding) (*nn.Model, error) {
	return nn.NewSequential(
		layers.TextEmbedding{Table: module, Trainable: true},
		layers.Dense{Units: 16, Activation: layers.ReLU},
		layers.Dense{Units: 1},
	).Build(ctx, nn.Texts(), nn.BuildOptions{Seed: 1})
}

// FitOptions are the tutorial's.
func (h *Hub) FitOptions(epochs, threads int) nn.FitOptions {
	return nn.FitOptions{Optimizer: optim.Adam{}, Loss: loss.BinaryCrossentropy{FromLogits: true}, Metrics: hubMetrics(),
		Epochs: epochs, BatchSize: Batch, Threads: threads, Validation: h.Validation}
}

// EvaluateOptions are the tutorial's.
func (h *Hub) EvaluateOptions(threads int) nn.EvaluateOptions {
	return nn.EvaluateOptions{Loss: loss.BinaryCrossentropy{FromLogits: true}, Metrics: hubMetrics(), BatchSize: Batch, Threads: threads}
}

func hubMetrics() []nn.Metric {
	return []nn.Metric{metrics.BinaryAccuracy{Threshold: optional.Of[float32](0), As: "accuracy"}}
}
