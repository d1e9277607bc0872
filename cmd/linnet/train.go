package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/linnet-ml/linnet/classifier"
	"github.com/linnet-ml/linnet/internal/atomicfile"
	"github.com/spf13/cobra"
)

func newTrain() *cobra.Command { return newTrainOf(new(classifier.Options), new(dataFlags)) }

// newTrainOf is newTrain, whose flags set o and data.
func newTrainOf(o *classifier.Options, data *dataFlags) *cobra.Command {
	var output, from, report string
	var sweeps []string
	var skip, keep, asJSON bool
	cmd := &cobra.Command{
		Use:   "train DATA -o FILE",
		Short: "Learn to label texts from texts with labels",
		Long: `Train learns a classifier from texts with labels and writes it to one file. No option is needed: which features, weights
and strength of regularisation suit the data is decided on rows that are held out, and said.

` + dataHelp + `

The same rows and seed give the same file, on every machine and with any number of processors.

DATA may be larger than memory: if its texts have more than 64 MiB, they are read again, some ten times, from DATA, or from a
copy in the folder for temporary files if it is the standard input. N-grams need several
times the size of the texts in that folder ($TMPDIR, or /tmp). With --continue all rows are kept in memory. From some 1,000
classes on fewer n-grams are learned from, and more classes than a model in memory can have are an error before it begins.

Ctrl-C ends the training, and no file is written. With --keep-partial the best recipe so far is learned and written instead; a
second Ctrl-C ends that.

With --budget learning takes longer and is more accurate where there are thousands of texts: n-grams of characters are
tried on more of them, and a network that sees the order of words is averaged with the linear model if that is better on
rows held out. Each of the two takes as long as the budget at most, on a machine with two cores. The time is counted in
work, so that the same budget gives the same file everywhere; a slow machine takes longer than a fast one.

With --continue a classifier goes on learning from DATA, which may have further classes. It does not remember what it learned
from: put some of the old rows into DATA, or it forgets what they taught. Of more than 64 MiB of text it learns frequent
n-grams alone.

With --sweep nothing is learned. A line for a shell is written for each combination of values, as a job that any machine
may run: with "-o films.linnet" it writes films-1.linnet and what it found out to films-1.json. "tr '\n' '\0' < jobs | xargs -0 -n 1 -P 4 sh -c"
runs the lines four at a time, "parallel" too, and a task of a job array runs its line, "sed -n 7p jobs | sh". With --json a
job is an object with its words in "args". Each file is written whole, so that a job that was killed can be run again.
"linnet results" makes one table of the reports. The same sweep gives the same jobs in the same order.`,
		Example: "  linnet train reviews.csv -o reviews.linnet\n  linnet train mail.tsv -o mail.linnet --text body --label 1\n  linnet train reviews.csv -o better.linnet --budget 60s\n  linnet train more.csv --continue reviews.linnet -o newer.linnet\n  linnet train films.csv -o films.linnet --sweep max-features=50,100 --sweep seed=1,2",
		Args:    arguments(1, 1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if output == "" {
				return usagef("where to? -o FILE is missing")
			}
			if err := atomicfile.Check(output); err != nil {
				return usageError{err}
			}
			if sameFile(args[0], output) {
				return usagef("-o %s would replace the data", output)
			}
			if len(sweeps) > 0 {
				if report != "" {
					return usagef("--report: each job of a sweep has a report of its own, beside its classifier")
				}
				jobs, err := sweep(cmd, args[0], output, sweeps)
				if err != nil {
					return err
				}
				return writeJobs(cmd.OutOrStdout(), jobs, asJSON)
			}
			if report != "" {
				if err := checkReportFile(report, args[0], output); err != nil {
					return err
				}
			}
			var old *classifier.Classifier
			if from != "" {
				var err error
				if old, err = loadToContinue(cmd, from); err != nil {
					return err
				}
			}
			source, err := data.open(cmd, args[0])
			if err != nil {
				return err
			}
			ctx, p := cmd.Context(), newProgress(cmd, asJSON)
			d := &trainingData{ctx: ctx, path: args[0], source: source, skip: skip, notes: cmd.ErrOrStderr(), p: p, once: old != nil}
			defer func() {
				if closed := d.close(); closed != nil {
					err = errors.Join(err, closed)
				}
			}()
			o.Progress = p.report()
			if keep {
				// The first Ctrl-C ends the comparison of recipes or of epochs; what is best so far is learned to its end.
				o.Stop = ctx.Done()
				o.Progress = keepNote(ctx, cmd.ErrOrStderr(), p, old != nil)
				ctx = context.WithoutCancel(ctx)
			}
			begin := time.Now()
			var c *classifier.Classifier
			if old != nil {
				c, err = learnFurther(ctx, old, d, classifier.ContinueOptions{Seed: o.Seed, MaxFeatures: o.MaxFeatures, Progress: o.Progress, Stop: o.Stop})
			} else {
				c, err = classifier.TrainSource(ctx, d.examples, *o)
			}
			p.clear()
			if err != nil {
				return d.located(err)
			}
			took := time.Since(begin)
			size, failed := save(ctx, c, output)
			if failed != nil && (asJSON || errors.Is(failed, context.Canceled)) {
				return failed
			}
			// What was found out is said even if the file cannot be written.
			t := trained{File: output, Bytes: size, unsaved: failed != nil, Seconds: took.Seconds(), Classes: c.Classes(), Report: c.Report(), Faults: d.faults, Options: given(cmd), several: c.Parts().Spec.MultiLabel, ngrams: len(c.Parts().Hashes)}
			if report != "" && failed == nil {
				failed = atomicfile.Write(ctx, report, func(w io.Writer) error { return writeJSON(w, t) })
			}
			if asJSON {
				return errors.Join(failed, writeJSON(cmd.OutOrStdout(), t))
			}
			if old != nil {
				return errors.Join(failed, t.writeFurther(cmd.OutOrStdout()))
			}
			return errors.Join(failed, t.write(cmd.OutOrStdout()))
		},
	}
	data.add(cmd)
	flags := cmd.Flags()
	flags.StringVarP(&output, "output", "o", "", "the file of the classifier")
	flags.Uint64Var(&o.Seed, "seed", 0, "decides the order in which rows are learned and which are held out")
	flags.BoolVar(&o.MultiLabel, "multi-label", false, "decide for each label by itself; implied by a row with none or several")
	flags.IntVar(&o.MaxFeatures, "max-features", 0, "the most n-grams in the file (default 300,000; of three classes or more up to 1 Mi); what that costs is measured, but not with --continue")
	flags.DurationVar(&o.Budget, "budget", 0, "how much longer each part of learning may take to be more accurate, about, such as 60s")
	flags.StringVar(&from, "continue", "", "go on from the classifier in this `file` instead of beginning anew")
	flags.StringVar(&o.Positive, "positive", "", "of two classes, the one that --precision and --recall are for (default the second)")
	flags.Float64Var(&o.Goal.Precision, "precision", 0, "give a label only where at least this share of such texts have it, such as 0.95 (default: the best F1, with two classes the mean of both)")
	flags.Float64Var(&o.Goal.Recall, "recall", 0, "find at least this share of the texts with the label")
	flags.Float64Var(&o.MinConfidence, "min-confidence", 0, "give no label to texts whose probability is lower")
	flags.BoolVar(&skip, "skip-bad-rows", false, "leave out rows that cannot be read")
	flags.BoolVar(&keep, "keep-partial", false, "after Ctrl-C, learn and write the best recipe found so far")
	flags.StringArrayVar(&sweeps, "sweep", nil, "write a job for each value of an option, `OPTION=VALUE,VALUE`; may be repeated")
	flags.StringVar(&report, "report", "", "write the JSON object to this `file` too")
	flags.BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

const keeping = "interrupted: the best recipe so far is learned and written; Ctrl-C again ends at once\n"

// keepNote returns what shows progress, and says once after a Ctrl-C that there is something to keep. Further training keeps something
// if it comes to the last phase.
func keepNote(ctx context.Context, w io.Writer, p *progress, further bool) func(classifier.Progress) {
	said := false
	return func(t classifier.Progress) {
		keeps := t.Phase != classifier.PhaseReading && t.Phase != classifier.PhaseComparing
		if further {
			keeps = t.Phase == classifier.PhaseLearning
		}
		if !said && ctx.Err() != nil && keeps {
			said = true
			p.note(w, keeping)
		}
		p.training(t)
	}
}

// trained is what train says at the end.
type trained struct {
	File    string             `json:"file"`
	Bytes   int64              `json:"bytes"`
	Seconds float64            `json:"seconds"`
	Classes []string           `json:"classes"`
	Report  *classifier.Report `json:"report"`
	Faults  []jsonFault        `json:"faults"`
	Options map[string]string  `json:"options"` // that were given
	several bool
	ngrams  int
	unsaved bool
}

// save writes a classifier's file and returns its size.
func save(ctx context.Context, c *classifier.Classifier, path string) (int64, error) {
	if err := c.Save(ctx, path); err != nil {
		return 0, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// writeFile says what is in the file, if there is one.
func (t *trained) writeFile(w io.Writer, ngrams int) error {
	if t.unsaved {
		return nil
	}
	_, err := fmt.Fprintf(w, "%s: %s, %s, learned in %.1f s\n", visible(t.File), bytesText(t.Bytes), plural(ngrams, "n-gram"), t.Seconds)
	return err
}

func (t *trained) write(w io.Writer) error {
	r := t.Report
	if r == nil {
		return errors.New("the training has no report")
	}
	tried := table{}
	tried.add("held out", "accuracy", "log loss", "recipe")
	for _, trial := range r.Tried {
		tried.add(grouped(trial.Rows), fmt.Sprintf("%.3f", trial.Accuracy), fmt.Sprintf("%.4f", trial.Loss), trial.Recipe)
	}
	if err := tried.write(w, "rrrl"); err != nil {
		return err
	}
	if r.Stopped {
		fmt.Fprintln(w, "interrupted: this was compared until then, and nothing more")
	}
	best := r.Best
	if r.Unlimited != nil {
		best = *r.Unlimited
	}
	fmt.Fprintf(w, "chosen: %s\n  accuracy %.4f ± %.4f on %s held out\n", best.Recipe, best.Accuracy, best.AccuracyError, plural(best.Rows, "row"))
	if r.RunnerUp.Recipe != "" {
		fmt.Fprintf(w, "next best: %s\n  its log loss is %.4f ± %.4f more\n", r.RunnerUp.Recipe, max(r.Behind, 0), r.BehindError)
	}
	if r.Unlimited != nil {
		limited := r.Best
		if r.Network != nil {
			limited = r.Network.Linear
		}
		fmt.Fprintf(w, "with %s of it: accuracy %.4f ± %.4f, log loss %.4f\n", plural(r.Features, "n-gram"), limited.Accuracy, limited.AccuracyError, limited.Loss)
	}
	if t.several {
		fmt.Fprintln(w, "a text may have several labels, or none")
	}
	if n := r.Network; n != nil {
		writeNetwork(w, n)
	}
	writeLabelGoals(w, r.Labels)
	return t.writeFile(w, r.Features)
}

// writeNetwork writes what a network brought.
func writeNetwork(w io.Writer, n *classifier.NetworkReport) {
	what := "left out"
	if n.Kept {
		what = fmt.Sprintf("averaged with a weight of %.2f", n.Weight)
	}
	fmt.Fprintf(w, "network: %s and %s, %s: %s\n  the linear model alone has accuracy %.4f, both %.4f; their log loss is %.4f ± %.4f less\n",
		plural(n.Words, "word"), plural(2*n.Units, "unit"), plural(n.Epochs, "epoch"), what, n.Linear.Accuracy, n.Average.Accuracy, n.Gain, n.GainError)
}

// writeLabelGoals writes what the labels' thresholds reach on held-out rows.
func writeLabelGoals(w io.Writer, labels []classifier.LabelReport) {
	for _, l := range labels {
		missed := ""
		if !l.Reached {
			missed = "; the goal is not reached"
		}
		fmt.Fprintf(w, "%s from a probability of %.3f on: precision %.3f, recall %.3f%s\n", visible(l.Label), l.Threshold, l.Precision, l.Recall, missed)
	}
}
