package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/internal/filekind"
	"github.com/linnet-ml/linnet/model"
	"github.com/linnet-ml/linnet/plots"
	"github.com/spf13/cobra"
)

func newPlot() *cobra.Command {
	var picture string
	cmd := &cobra.Command{
		Use:   "plot HISTORY [NAME...]",
		Short: "Draw the history of a training",
		Long: `Plot draws what a training logged, epoch by epoch: blue dots for the training data, a line for the validation data, a
red ring around the best epoch. NAME... are the logs to draw, such as loss; without any, all are drawn.

HISTORY is a model file with a history, the JSON of a history, or the CSV of callbacks.CSVLogger; "-" is the standard
input. The picture is a PNG or an SVG, as its name ends, or with "-", the default, text.`,
		Example: "  linnet plot history.json loss accuracy -o curves.png\n  linnet plot network.linnet",
		Args:    arguments(1, 100),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := plots.Check(picture); err != nil {
				return usageError{err}
			}
			h, err := readHistory(cmd.Context(), args[0], cmd.InOrStdin())
			if err != nil {
				return err
			}
			panels, err := plots.Panels(h, args[1:]...)
			if err != nil {
				err = fmt.Errorf("%s: %w", args[0], err)
				if errors.Is(err, plots.ErrNotLogged) {
					return usageError{err}
				}
				return err
			}
			if err := plots.Draw(picture, unwatched(cmd.OutOrStdout()), panels...); err != nil && picture == plots.Terminal {
				return unwritable(err)
			} else if err != nil {
				return err
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&picture, "output", "o", plots.Terminal, `the picture's file, ending in .png or .svg, or "-" for text`)
	return cmd
}

// mostHistory is the largest history that plot reads: a million epochs of ten logs.
const mostHistory = 256 << 20

// readHistory reads a history of any form.
func readHistory(ctx context.Context, path string, stdin io.Reader) (*history.History, error) {
	b, err := readFile(ctx, path, stdin)
	if errors.Is(err, errModel) {
		if isClassifier(ctx, path) {
			return nil, fmt.Errorf("%s is a classifier, whose training has no epochs to draw", path)
		}
		return modelHistory(ctx, path)
	} else if err != nil {
		return nil, err
	}
	if what := filekind.Content(b[:min(len(b), 512)]); what != "" {
		return nil, fmt.Errorf("%s: it is %s, not a history", nameOf(path), what)
	}
	h := new(history.History)
	if bytes.HasPrefix(bytes.TrimLeft(b, " \t\r\n"), []byte("{")) {
		err = h.DecodeJSON(ctx, b)
	} else {
		h, err = history.ReadCSV(bytes.NewReader(b))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", nameOf(path), err)
	}
	return h, nil
}

// nameOf is what errors call a file.
func nameOf(path string) string {
	if path == "-" {
		return "standard input"
	}
	return path
}

// errModel says that a file is no text but a model.
var errModel = errors.New("a model")

// readFile reads a file of text, or the standard input for "-". A pipe that nobody writes to must not keep the program from
// ending with its context: the goroutine that waits for it is left behind.
func readFile(ctx context.Context, path string, stdin io.Reader) ([]byte, error) {
	type result struct {
		b   []byte
		err error
	}
	done := make(chan result, 1)
	go func() {
		from := stdin
		if path != "-" {
			f, err := os.Open(path)
			if err != nil {
				done <- result{nil, err}
				return
			}
			defer f.Close()
			if isModel(f) {
				done <- result{nil, errModel}
				return
			}
			from = f
		}
		b, err := io.ReadAll(io.LimitReader(bufio.NewReader(from), mostHistory+1))
		if err == nil && len(b) > mostHistory {
			err = fmt.Errorf("%s: it has more than %d MiB: that is no history", nameOf(path), mostHistory>>20)
		}
		done <- result{b, err}
	}()
	select {
	case r := <-done:
		return r.b, errors.Join(r.err, ctx.Err())
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// isModel tells a safetensors file, whose header begins with a brace after its length in 8 bytes, from text.
func isModel(r io.ReaderAt) bool {
	var start [9]byte
	n, _ := r.ReadAt(start[:], 0)
	return n == len(start) && start[7] == 0 && start[8] == '{'
}

func modelHistory(ctx context.Context, path string) (*history.History, error) {
	file, err := model.Load(ctx, path, model.LoadOptions{})
	if err != nil {
		return nil, err
	}
	h := file.Info.History
	if err := file.Close(); err != nil {
		return nil, err
	}
	if h == nil {
		return nil, fmt.Errorf("%s: %w", path, errors.New("the model has no history: it was saved without SaveOptions.Info.History"))
	}
	return h, nil
}
