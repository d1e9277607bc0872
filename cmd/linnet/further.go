package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/linnet-ml/linnet/classifier"
	"github.com/spf13/cobra"
)

// keptByContinue are the flags of train for what a classifier keeps when it goes on learning.
var keptByContinue = [...]string{"budget", "multi-label", "positive", "precision", "recall", "min-confidence"}

// loadToContinue reads the classifier to go on from, and refuses flags that would not be heeded.
func loadToContinue(cmd *cobra.Command, path string) (*classifier.Classifier, error) {
	if err := refuseKept(cmd); err != nil {
		return nil, err
	}
	return classifier.Load(cmd.Context(), path)
}

// refuseKept returns an error if flags of train were given that --continue does not heed.
func refuseKept(cmd *cobra.Command) error {
	if !cmd.Flags().Changed("continue") {
		return nil
	}
	for _, name := range keptByContinue {
		if cmd.Flags().Changed(name) {
			return usagef("--%s is for a new training: with --continue that stays as it is", name)
		}
	}
	return nil
}

// learnFurther returns a classifier that has learned from d as well.
func learnFurther(ctx context.Context, c *classifier.Classifier, d *trainingData, o classifier.ContinueOptions) (*classifier.Classifier, error) {
	var examples []classifier.Example
	for e, err := range d.examples(ctx) {
		if err != nil {
			return nil, err
		}
		examples = append(examples, e)
		d.places = append(d.places, d.last)
	}
	d.p.clear()
	return c.Continue(ctx, examples, o)
}

// writeFurther writes what the last further training brought.
func (t *trained) writeFurther(w io.Writer) error {
	if t.Report == nil || len(t.Report.Continued) == 0 {
		return errors.New("the training has no report")
	}
	last := t.Report.Continued[len(t.Report.Continued)-1]
	if last.Stopped {
		fmt.Fprintln(w, "interrupted: not all learning rates were compared")
	}
	if last.Epochs == 0 {
		fmt.Fprintf(w, "nothing was learned from %s more: no learning rate made the log loss on %s held out, %.4f, less\n", plural(last.Rows, "row"), plural(last.Held, "row"), last.Before)
	} else {
		fmt.Fprintf(w, "learned from %s more, with %s that are new\n", plural(last.Rows, "row"), plural(last.Added, "n-gram"))
		if last.Held > 0 {
			fmt.Fprintf(w, "  log loss on %s held out: %.4f before, %.4f after\n", plural(last.Held, "row"), last.Before, last.After)
		}
	}
	if err := t.writeFile(w, t.ngrams); err != nil || last.Dropped == 0 {
		return err
	}
	_, err := fmt.Fprintf(w, "%s that it had are left out. %s\n", plural(last.Dropped, "n-gram"), notMeasured)
	return err
}
