package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/linnet-ml/linnet/bench"
	"github.com/linnet-ml/linnet/model"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/tensor"
)

// exportModels writes the models that loading is measured with: tutorial.linnet, trained; table.linnet, the same network
// with the large table; texts.linnet, which reads texts; and open.linnet, a table of 200 MB alone. Beside them lie
// ids.txt, review.txt and words.txt: the ids and the text of the first prediction, and the words of texts.linnet.
func (s *settings) exportModels(ctx context.Context) (figures, error) {
	tutorial, err := s.trained(ctx)
	if err != nil {
		return nil, err
	}
	module, err := bench.TextModule(ctx, s.vectors)
	if err != nil {
		return nil, err
	}
	texts, err := bench.HubNetwork(ctx, module)
	if err != nil {
		return nil, err
	}
	table, err := bench.TableNetwork(ctx)
	if err != nil {
		return nil, err
	}
	open, err := bench.OpenNetwork(ctx)
	if err != nil {
		return nil, err
	}
	for name, m := range map[string]*nn.Model{"tutorial": tutorial.Model, "texts": texts, "table": table, "open": open} {
		if err := model.Save(ctx, filepath.Join(s.models, name+".linnet"), m, model.SaveOptions{}); err != nil {
			return nil, err
		}
	}
	review, err := bench.ReviewIDs()
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, id := range review.Data() {
		ids = append(ids, strconv.Itoa(int(id)))
	}
	var words []string
	for i := range module.Vocabulary().Len() {
		word, _ := module.Vocabulary().Word(int32(i))
		words = append(words, word)
	}
	return figures{}, errors.Join(s.writeText("ids.txt", ids), s.writeText("review.txt", []string{bench.Review}), s.writeText("words.txt", words))
}

func (s *settings) writeText(name string, lines []string) error {
	return os.WriteFile(filepath.Join(s.models, name), []byte(strings.Join(lines, "\n")), 0o666)
}

// load opens a model and predicts once.
func (s *settings) load(ctx context.Context) (figures, error) {
	var x tensor.Rows
	x, err := bench.ReviewIDs()
	if s.model == "texts" {
		x, err = tensor.Of([]string{bench.Review})
	}
	if err != nil {
		return nil, err
	}
	o, err := bench.Open(ctx, filepath.Join(s.models, s.model+".linnet"), model.LoadOptions{InMemory: s.memory}, x)
	if err != nil {
		return nil, err
	}
	return figures{"open_ms": milliseconds(o.Load), "first_ms": milliseconds(o.First), "heap_mb": float64(o.Heap) / 1e6, "prediction": o.Prediction}, nil
}

// save saves the model with the large table, over a file that is there, and then writes as many bytes without a model.
func (s *settings) save(ctx context.Context) (figures, error) {
	m, err := bench.TableNetwork(ctx)
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp(s.models, "save-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	if _, err := bench.Save(ctx, folder, m); err != nil {
		return nil, err
	}
	saved, err := bench.Save(ctx, folder, m)
	if err != nil {
		return nil, err
	}
	mb := float64(saved.Bytes) / 1e6
	return figures{
		"save_ms": milliseconds(saved.Save), "save_mbs": mb / saved.Save.Seconds(),
		"plain_ms": milliseconds(saved.Plain), "plain_mbs": mb / saved.Plain.Seconds(), "by_plain": saved.Save.Seconds() / saved.Plain.Seconds(),
	}, nil
}
