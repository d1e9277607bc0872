// Embed is a program with a model inside: it says whether film reviews are good or bad, and needs no file beside it.
//
//	go run ./examples/embed 'What a lovely film!' 'I want my money back.'
//	go run ./examples/embed < reviews.txt
//
// Each argument is a review, or without arguments each line of the standard input, of up to 1 MiB. The model is put into
// the program by a go:embed directive, and its weights are read where they lie. examples/embed/make has trained it.
//
// The program is static and has 4.4 MB with Go 1.26.8 on linux/amd64, of which the model takes 0.2 MB:
//
//	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" ./examples/embed
package main

import (
	"bufio"
	"context"
	_ "embed"
	"fmt"
	"io"
	"os"

	"github.com/linnet-ml/linnet/model"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/tensor"
)

//go:embed reviews.linnet
var reviews []byte

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "embed:", err)
		os.Exit(1)
	}
}

// run writes a line for each text: how probable it is that the review is positive, the label, and the text.
func run(ctx context.Context, texts []string, in io.Reader, out io.Writer) error {
	file, err := model.FromBytes(ctx, reviews, model.LoadOptions{})
	if err != nil {
		return err
	}
	defer file.Close()
	if len(texts) > 0 {
		return predict(ctx, file, texts, out)
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if err := predict(ctx, file, []string{lines.Text()}, out); err != nil {
			return err
		}
	}
	return lines.Err()
}

func predict(ctx context.Context, file *model.File, texts []string, out io.Writer) error {
	x, err := tensor.Of(texts)
	if err != nil {
		return err
	}
	scores, err := file.Model.Predict(ctx, x, nn.PredictOptions{})
	if err != nil {
		return err
	}
	for i, score := range scores.Data() {
		label := file.Info.Labels["output"][0]
		if float64(score) >= file.Info.Thresholds["output"][0] {
			label = file.Info.Labels["output"][1]
		}
		if _, err := fmt.Fprintf(out, "%.4f %s: %s\n", score, label, texts[i]); err != nil {
			return err
		}
	}
	return nil
}
