package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"os"
	"time"

	"github.com/linnet-ml/linnet/classifier"
	"github.com/linnet-ml/linnet/datasets/texts"
)

// classifyPasses is how often all texts are labelled; the fastest pass counts.
const classifyPasses = 3

// classify labels texts one by one on this thread, and writes the answers: a line with the classes, then one for each text.
func (s *settings) classify(ctx context.Context) (f figures, err error) {
	c, err := classifier.Load(ctx, s.model)
	if err != nil {
		return nil, err
	}
	source, err := texts.Open(ctx, s.texts, texts.Options{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	var list []string
	for row, err := range source.Rows(ctx) {
		if err != nil {
			return nil, err
		}
		list = append(list, row.Text)
	}
	if len(list) == 0 {
		return nil, texts.ErrEmpty
	}
	var r classifier.Result
	fastest := time.Duration(0)
	for pass := range classifyPasses {
		begin := time.Now()
		for _, text := range list {
			c.ClassifyInto(&r, text)
		}
		if took := time.Since(begin); pass == 0 || took < fastest {
			fastest = took
		}
	}
	file, err := os.Create(s.answers)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	w := bufio.NewWriter(file)
	e := json.NewEncoder(w)
	if err := e.Encode(map[string]any{"classes": c.Classes(), "several": c.Parts().Spec.MultiLabel}); err != nil {
		return nil, err
	}
	for _, text := range list {
		c.ClassifyInto(&r, text)
		if err := e.Encode(map[string]any{"given": r.Labels, "probabilities": r.Scores}); err != nil {
			return nil, err
		}
	}
	each := fastest.Seconds() * 1e6 / float64(len(list))
	return figures{"predict_us": each, "predict_one_us": each}, w.Flush()
}
