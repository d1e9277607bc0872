package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/linnet-ml/linnet/classifier"
	"github.com/linnet-ml/linnet/classifier/evaluation"
	"github.com/linnet-ml/linnet/datasets/texts"
	"github.com/spf13/cobra"
)

func newEvaluate() *cobra.Command {
	var data dataFlags
	var o evaluation.Options
	var compare string
	var asJSON, skip bool
	cmd := &cobra.Command{
		Use:   "evaluate FILE DATA",
		Short: "Measure a classifier on texts with labels",
		Long: `Evaluate says how good a classifier is on texts that it has not learned from: accuracy, F1, precision, recall, the area
under the ROC curve, log loss and calibration error, each with an interval that the true value lies in with a probability
of 95 %, or what --confidence says; then a table of classes, a confusion matrix and the mistakes of which the classifier was most certain.

--compare says which figures of a second classifier differ by more than chance.

` + dataHelp,
		Example: "  linnet evaluate reviews.linnet test.csv\n  linnet evaluate reviews.linnet test.csv --compare other.linnet\n  linnet evaluate reviews.linnet test.csv --json",
		Args:    arguments(2, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			switch {
			case o.Resamples < 1 || o.Resamples > evaluation.MostResamples:
				return usagef("--resamples is not from 1 to %s", grouped(evaluation.MostResamples))
			case !(o.Confidence > 0 && o.Confidence < 1):
				return usagef("--confidence is not between 0 and 1")
			case o.Mistakes < 0:
				return usagef("--mistakes is negative")
			case o.Mistakes == 0:
				o.Mistakes = -1
			}
			paths := []string{args[0]}
			if compare != "" {
				paths = append(paths, compare)
			}
			var classifiers []*classifier.Classifier
			for _, path := range paths {
				c, err := classifier.Load(ctx, path)
				if err != nil {
					return err
				}
				classifiers = append(classifiers, c)
			}
			source, err := data.open(cmd, args[1])
			if err != nil {
				return err
			}
			var checker texts.Checker
			d, err := readLabelled(ctx, source, &checker, true, newProgress(cmd, asJSON))
			if err != nil {
				return err
			}
			writeFound(cmd.ErrOrStderr(), args[1], d.found, &checker)
			io.WriteString(cmd.ErrOrStderr(), d.leftOut())
			if err := badRows(&checker); err != nil && !skip {
				writeFaults(cmd.ErrOrStderr(), &checker)
				return fmt.Errorf("%s: %w", args[1], err)
			}
			e, err := evaluate(ctx, args[1], classifiers, d, o)
			if err != nil {
				return err
			}
			e.d, e.LeftOut = d, d.noText+d.noLabel
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), e)
			}
			return e.write(cmd.OutOrStdout(), paths, o.Confidence)
		},
	}
	data.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&compare, "compare", "", "a second classifier's `file`")
	flags.Uint64Var(&o.Seed, "seed", 0, "decides the bootstrap samples of the intervals")
	flags.IntVar(&o.Resamples, "resamples", 1000, "how many bootstrap samples there are")
	flags.Float64Var(&o.Confidence, "confidence", 0.95, "the probability that an interval contains the true value")
	flags.IntVar(&o.Mistakes, "mistakes", 10, "how many mistakes are listed")
	flags.BoolVar(&skip, "skip-bad-rows", false, "leave out rows that cannot be read")
	flags.BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// evaluated is what evaluate says.
type evaluated struct {
	*evaluation.Report
	LeftOut    int                    `json:"left_out,omitempty"`    // rows without text or label
	Places     []string               `json:"mistakes_at,omitempty"` // file:line of each mistake
	Comparison *evaluation.Comparison `json:"comparison,omitempty"`
	d          *labelled
}

func evaluate(ctx context.Context, path string, classifiers []*classifier.Classifier, d *labelled, o evaluation.Options) (*evaluated, error) {
	var answers []*evaluation.Answers
	for _, c := range classifiers {
		a, err := c.Answers(ctx, d.examples)
		if err != nil {
			return nil, d.located(path, err)
		}
		answers = append(answers, a)
	}
	e := &evaluated{}
	var err error
	if e.Report, err = evaluation.Measure(ctx, answers[0], o); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if e.Unknown == e.Rows {
		return nil, fmt.Errorf("%s: no row has a label that the classifier knows; its labels are %s", path, shownAll(answers[0].Classes))
	}
	for _, m := range e.Mistakes {
		e.Places = append(e.Places, d.places[m.Row].String())
	}
	if len(answers) > 1 {
		e.Comparison, err = evaluation.Compare(ctx, answers[0], answers[1], o)
	}
	return e, err
}

func (e *evaluated) write(to io.Writer, paths []string, confidence float64) error {
	w := &strings.Builder{}
	fmt.Fprintf(w, "%s", plural(e.Rows, "row"))
	if e.Unknown > 0 {
		fmt.Fprintf(w, ", %d of them with a label that the classifier does not know", e.Unknown)
	}
	fmt.Fprint(w, "\n\n")
	figures := table{}
	figures.add("figure", "value", fmt.Sprintf("%g %% interval", 100*confidence))
	for name, value := range e.All {
		figure, span := "-", "-" // as of rows of one class, which have no AUC
		if evaluation.Figure(value).Defined() {
			figure = fmt.Sprintf("%.4f", value)
		}
		if i, ok := e.Intervals[name]; ok {
			span = fmt.Sprintf("%.4f to %.4f", i.Low, i.High)
		}
		figures.add(figureName(name), figure, span)
	}
	figures.write(w, "lr")
	w.WriteByte('\n')
	e.writeTable(w)
	e.writeConfusion(w)
	e.writeMistakes(w)
	e.writeComparison(w, paths)
	_, err := io.WriteString(to, strings.TrimRight(w.String(), "\n")+"\n")
	return err
}

// figureName is the name of a measure as people write it.
func figureName(name string) string {
	words := strings.Split(name, "_")
	for i, word := range words {
		if word == "f1" || word == "auc" {
			words[i] = strings.ToUpper(word)
		}
	}
	return strings.Join(words, " ")
}

func (e *evaluated) writeTable(w io.Writer) {
	t := table{}
	t.add("class", "rows", "given", "precision", "recall", "F1")
	for _, c := range e.Classes {
		t.add(visible(c.Name), grouped(c.True), grouped(c.Given), fmt.Sprintf("%.4f", c.Precision), fmt.Sprintf("%.4f", c.Recall), fmt.Sprintf("%.4f", c.F1))
	}
	t.write(w, "lr")
	fmt.Fprintln(w)
}

// mostConfusion is the largest number of classes whose confusion matrix is shown as a whole.
const mostConfusion = 12

// writeConfusion writes the matrix, or of many classes the pairs that are mixed up most.
func (e *evaluated) writeConfusion(w io.Writer) {
	switch k := len(e.Classes); {
	case e.Confusion == nil && e.Confused == nil:
		return
	case k <= mostConfusion:
		t := e.confusion(func(c int) (row, column string) { return visible(e.Classes[c].Name), visible(e.Classes[c].Name) })
		if t.width() > helpWidth { // long names have numbers above the columns
			t = e.confusion(func(c int) (row, column string) {
				return fmt.Sprintf("%s (%d)", visible(e.Classes[c].Name), c+1), fmt.Sprintf("(%d)", c+1)
			})
		}
		t.write(w, "lr")
	default:
		t := table{}
		t.add("rows", "most often mixed up", "given")
		for _, p := range e.Confused[:min(10, len(e.Confused))] {
			t.add(grouped(p.Rows), visible(e.Classes[p.True].Name), visible(e.Classes[p.Given].Name))
		}
		t.write(w, "rl")
	}
	fmt.Fprintln(w)
}

// confusion is the matrix with names of rows and columns. Its last row, for labels that the classifier does not know, and its
// last column, for rows without an answer, are left out if they are empty.
func (e *evaluated) confusion(name func(c int) (row, column string)) *table {
	t, k := &table{}, len(e.Classes)
	rows, columns := k, k
	for c := range e.Confusion {
		if e.Confusion[c][k] > 0 {
			columns = k + 1
		}
	}
	if slices.Max(e.Confusion[k]) > 0 {
		rows = k + 1
	}
	header := []string{"true \\ given"}
	for c := range columns {
		column := "no label"
		if c < k {
			_, column = name(c)
		}
		header = append(header, column)
	}
	t.add(header...)
	for c := range rows {
		row := "(unknown)"
		if c < k {
			row, _ = name(c)
		}
		cells := []string{row}
		for _, n := range e.Confusion[c][:columns] {
			cells = append(cells, grouped(n))
		}
		t.add(cells...)
	}
	return t
}

func (e *evaluated) writeMistakes(w io.Writer) {
	if len(e.Mistakes) == 0 {
		return
	}
	fmt.Fprintln(w, "worst mistakes")
	for i, m := range e.Mistakes {
		row := e.d.examples[m.Row]
		said := "a label that the classifier does not know"
		if m.Class >= 0 {
			verb := "given"
			if m.Missed {
				verb = "not given"
			}
			said = fmt.Sprintf("%s %s (%.3f)", verb, visible(e.Classes[m.Class].Name), m.Probability)
		}
		fmt.Fprintf(w, "  %s: %s, %s: %s\n", e.Places[i], shownAll(row.Labels), said, excerpt(row.Text))
	}
	fmt.Fprintln(w)
}

func (e *evaluated) writeComparison(w io.Writer, paths []string) {
	c := e.Comparison
	if c == nil {
		return
	}
	fmt.Fprintf(w, "%s less %s\n", visible(paths[1]), visible(paths[0]))
	t := table{}
	for _, d := range c.Differences {
		verdict := "may be chance"
		if d.Beyond {
			verdict = "more than chance"
		} else if d.Interval == (evaluation.Interval{}) {
			verdict = "no difference"
		}
		t.add(figureName(d.Name), fmt.Sprintf("%+.4f", d.Value), fmt.Sprintf("%+.4f to %+.4f", d.Low, d.High), verdict)
	}
	t.write(w, "lrrl")
	fmt.Fprintf(w, "right in one alone: %d and %d rows; p = %.3g (McNemar's exact test)\n\n", c.OnlyFirst, c.OnlySecond, c.P)
}
