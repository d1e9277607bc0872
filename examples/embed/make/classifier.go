package main

import (
	"context"
	"fmt"

	"github.com/linnet-ml/linnet/classifier"
	"github.com/linnet-ml/linnet/datasets/texts"
)

// buildClassifier trains the classifier in examples/embed/classifier on the messages of a file of data, and writes it.
func buildClassifier(ctx context.Context, data, out string) error {
	source, err := texts.Open(ctx, data, texts.Options{})
	if err != nil {
		return err
	}
	var examples []classifier.Example
	for row, err := range source.Rows(ctx) {
		if err != nil {
			return err
		}
		examples = append(examples, classifier.Example{Text: row.Text, Labels: row.Labels})
	}
	c, err := classifier.Train(ctx, examples, classifier.Options{})
	if err != nil {
		return err
	}
	if err := c.Save(ctx, out); err != nil {
		return err
	}
	_, err = fmt.Println("classifier:", c.Report().Best.Recipe)
	return err
}
