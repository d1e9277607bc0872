package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/linnet-ml/linnet/internal/plainfile"
	"github.com/linnet-ml/linnet/internal/strictjson"
	"github.com/spf13/cobra"
)

func newResults() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "results FILE...",
		Short: "Compare trainings in one table",
		Long: `Results reads the reports of trainings, from train --report or train --json, and writes them as one table: the log loss and
accuracy on held-out rows, how long the training took, the options in which the trainings differ, and the classifier's
file. The smallest log loss is first. If two reports are about one file, the later one counts: a job that ran twice is one
training.

Which rows are held out depends on --seed. Losses of different seeds differ by that alone, too.

A file that is missing or ends early is an error that names it: the job of that file has not been done.`,
		Example: "  linnet results films-1.json films-2.json films-3.json films-4.json",
		Args:    arguments(1, mostJobs),
		RunE: func(cmd *cobra.Command, args []string) error {
			var all []trained
			latest := map[string]int{} // the report of each file, in all
			for _, path := range args {
				reports, err := readReports(cmd.Context(), path)
				if err != nil {
					return err
				}
				for _, r := range reports {
					if i, ok := latest[r.File]; ok {
						all[i] = r
						continue
					}
					latest[r.File] = len(all)
					all = append(all, r)
				}
			}
			slices.SortStableFunc(all, func(a, b trained) int { return cmp.Compare(a.loss(), b.loss()) })
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), map[string]any{"trainings": all})
			}
			return writeResults(cmd.OutOrStdout(), all)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// mostReport is the largest file of reports.
const mostReport = 256 << 20

// readReports reads what trainings said, an object a line.
func readReports(ctx context.Context, path string) ([]trained, error) {
	b, err := plainfile.Read(ctx, path, mostReport)
	if err != nil {
		return nil, err
	}
	wrong := func(line int, problem string) error {
		return fmt.Errorf("%s:%d: %s: train --report writes what is read here", visible(path), line, problem)
	}
	if len(bytes.TrimSpace(b)) == 0 {
		return nil, wrong(1, "there is no report")
	}
	var reports []trained
	line := 0
	for text := range bytes.Lines(b) {
		line++
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		var t trained
		if err := strictjson.UnmarshalKnown(ctx, bytes.TrimSpace(text), &t); ctx.Err() != nil {
			return nil, ctx.Err()
		} else if err != nil {
			return nil, wrong(line, err.Error())
		}
		if t.Report == nil || t.File == "" {
			return nil, wrong(line, "this is no report of a training")
		}
		reports = append(reports, t)
	}
	return reports, nil
}

// loss is the log loss on held-out rows: after further training, that of the last one.
func (t *trained) loss() float64 {
	if n := len(t.Report.Continued); n > 0 {
		return t.Report.Continued[n-1].After
	}
	return t.Report.Best.Loss
}

// writeResults writes trainings with the options in which they differ.
func writeResults(w io.Writer, all []trained) error {
	names := map[string]bool{}
	differ := func(a, b map[string]string) {
		for name, value := range a {
			if v, ok := b[name]; !ok || v != value {
				names[name] = true
			}
		}
	}
	for _, t := range all[1:] {
		differ(t.Options, all[0].Options)
		differ(all[0].Options, t.Options)
	}
	options := slices.Sorted(maps.Keys(names))
	var rows table
	head := []string{"log loss", "accuracy", "±", "seconds", "size"}
	left := "rrrrr"
	for _, name := range options {
		head = append(head, visible(name))
		left += "r"
	}
	rows.add(append(head, "file")...)
	for _, t := range all {
		accuracy, width := "-", "-"
		if len(t.Report.Continued) == 0 {
			accuracy, width = fmt.Sprintf("%.4f", t.Report.Best.Accuracy), fmt.Sprintf("%.4f", t.Report.Best.AccuracyError)
		}
		cells := []string{fmt.Sprintf("%.4f", t.loss()), accuracy, width, fmt.Sprintf("%.1f", t.Seconds), bytesText(t.Bytes)}
		for _, name := range options {
			value, ok := t.Options[name]
			if !ok {
				value = "-"
			}
			cells = append(cells, visible(value))
		}
		rows.add(append(cells, visible(t.File))...)
	}
	return rows.write(w, left+"l")
}
