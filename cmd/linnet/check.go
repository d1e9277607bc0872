package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/linnet-ml/linnet/classifier"
	"github.com/linnet-ml/linnet/classifier/evaluation"
	"github.com/linnet-ml/linnet/datasets/texts"
	"github.com/spf13/cobra"
)

func newCheck() *cobra.Command {
	var data dataFlags
	var asJSON, quick bool
	var doubts int
	cmd := &cobra.Command{
		Use:   "check DATA [DATA2]",
		Short: "Find what is wrong with data before you train on it",
		Long: `Check says what it finds in data: rows, columns, classes, and faults with their file and line: rows that cannot be read,
empty texts, duplicates, a text with two labels, classes with one row, odd characters. Of test data, DATA2, it says which
of its texts are in the training data too. Last it learns from four fifths of the rows to label the other fifth, five times,
and lists the rows whose label it doubts most; --quick leaves that out. Faults do not change the exit code.

` + dataHelp,
		Example: "  linnet check reviews.csv\n  linnet check reviews.csv test.csv --quick",
		Args:    arguments(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if doubts < 0 {
				return usagef("--doubts is negative")
			}
			quick = quick || doubts == 0
			var checker texts.Checker
			r := &checkReport{}
			p := newProgress(cmd, asJSON)
			var train *labelled
			for i, path := range args {
				data.more = len(args) - 1 - i
				source, err := data.open(cmd, path)
				if err != nil {
					return err
				}
				d, err := readLabelled(cmd.Context(), source, &checker, i == 0 && !quick, p)
				if err != nil {
					return err
				}
				if i == 0 {
					train = d
				}
				r.Data = append(r.Data, checkedData{path, d.found.String(), checker.Rows()[i]})
			}
			r.checker = &checker
			var trouble error
			if !quick {
				r.Doubtful, trouble = doubtful(cmd.Context(), train, doubts, p)
				if errors.Is(trouble, context.Canceled) {
					return trouble
				}
			}
			if asJSON {
				return r.writeJSON(cmd.OutOrStdout(), trouble)
			}
			return r.write(cmd.OutOrStdout(), trouble, quick)
		},
	}
	data.add(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	cmd.Flags().BoolVar(&quick, "quick", false, "do not look for rows with doubtful labels")
	cmd.Flags().IntVar(&doubts, "doubts", 10, "how many rows with doubtful labels are listed")
	cmd.MarkFlagsMutuallyExclusive("quick", "doubts")
	return cmd
}

// checkReport is what check says.
type checkReport struct {
	Data     []checkedData `json:"data"`
	Classes  []jsonClass   `json:"classes"`
	Faults   []jsonFault   `json:"faults"`
	Doubtful []doubt       `json:"doubtful,omitempty"`
	Trouble  string        `json:"not_learned,omitempty"`
	checker  *texts.Checker
}

type checkedData struct {
	Path  string `json:"path"`
	Found string `json:"found"`
	Rows  int    `json:"rows"`
}

// jsonClass is a class and the number of its rows in each data.
type jsonClass struct {
	Name string `json:"name"`
	Rows []int  `json:"rows"`
}

type jsonFault struct {
	Kind     string   `json:"kind"`
	Count    int      `json:"count"`
	Examples []string `json:"examples"`
}

// doubt is a row whose label a classifier that learned from other rows does not believe.
type doubt struct {
	File        string   `json:"file"`
	Line        int      `json:"line"`
	Labels      []string `json:"labels"`
	Class       string   `json:"class"`
	Missing     bool     `json:"missing"` // whether the row should not have the class
	Probability float32  `json:"probability"`
}

// doubtful returns the rows whose labels are to be doubted first.
func doubtful(ctx context.Context, d *labelled, most int, p *progress) ([]doubt, error) {
	answers, err := classifier.CrossAnswers(ctx, d.examples, 5, classifier.Options{Progress: p.report()})
	p.clear()
	if err != nil {
		return nil, err
	}
	r, err := evaluation.Measure(ctx, answers, evaluation.Options{Resamples: 1, Mistakes: most})
	if err != nil {
		return nil, err
	}
	var list []doubt
	for _, m := range r.Mistakes {
		p := d.places[m.Row]
		list = append(list, doubt{p.file, p.line, d.examples[m.Row].Labels, answers.Classes[m.Class], m.Missed, m.Probability})
	}
	return list, nil
}

func (r *checkReport) writeJSON(w io.Writer, trouble error) error {
	r.Classes = []jsonClass{}
	for _, c := range r.checker.Classes() {
		j := jsonClass{Name: c.Name, Rows: make([]int, len(r.Data))}
		copy(j.Rows, c.Rows)
		r.Classes = append(r.Classes, j)
	}
	r.Faults = jsonFaults(r.checker)
	if trouble != nil {
		r.Trouble = trouble.Error()
	}
	return writeJSON(w, r)
}

func jsonFaults(c *texts.Checker) []jsonFault {
	list := []jsonFault{}
	for _, f := range c.Faults() {
		j := jsonFault{Kind: f.Kind.String(), Count: f.Count}
		for _, e := range f.Examples {
			j.Examples = append(j.Examples, e.String())
		}
		list = append(list, j)
	}
	return list
}

func (r *checkReport) write(w io.Writer, trouble error, quick bool) error {
	for _, d := range r.Data {
		fmt.Fprintf(w, "%s: %s\n", visible(d.Path), d.Found)
	}
	r.writeClasses(w)
	writeFaults(w, r.checker)
	if len(r.checker.Faults()) == 0 {
		fmt.Fprintln(w, "no faults")
	}
	switch {
	case quick:
	case trouble != nil:
		fmt.Fprintf(w, "no rows with doubtful labels were looked for: %s\n", withoutPackages(trouble.Error()))
	case len(r.Doubtful) == 0:
		fmt.Fprintln(w, "no doubtful labels")
	default:
		fmt.Fprintln(w, "doubtful labels, by a classifier that learned from other rows:")
		for _, d := range r.Doubtful {
			is := "should rather be"
			if d.Missing {
				is = "should not be"
			}
			p := d.Probability
			if d.Missing {
				p = 1 - p
			}
			fmt.Fprintf(w, "  %v: %s %s %s (%.3f)\n", place{d.File, d.Line}, shownAll(d.Labels), is, visible(d.Class), p)
		}
	}
	return nil
}

// writeClasses writes a line for each class with the number of its rows in each data.
func (r *checkReport) writeClasses(w io.Writer) {
	classes := r.checker.Classes()
	t := table{}
	header, all := []string{plural(len(classes), "class")}, []string{"all rows"}
	for _, d := range r.Data {
		header, all = append(header, visible(d.Path)), append(all, grouped(d.Rows))
	}
	t.add(header...)
	const most = 100
	for i, c := range classes {
		if i == most {
			t.add(fmt.Sprintf("and %d more", len(classes)-most))
			break
		}
		cells := []string{visible(c.Name)}
		for d := range r.Data {
			n := 0
			if d < len(c.Rows) {
				n = c.Rows[d]
			}
			cells = append(cells, grouped(n))
		}
		t.add(cells...)
	}
	t.add(all...)
	t.write(w, "lr")
}
