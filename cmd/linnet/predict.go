package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"github.com/linnet-ml/linnet/classifier"
	"github.com/linnet-ml/linnet/datasets/texts"
	"github.com/linnet-ml/linnet/internal/atomicfile"
	"github.com/linnet-ml/linnet/internal/shown"
	"github.com/linnet-ml/linnet/internal/statusline"
	"github.com/spf13/cobra"
)

func newPredict() *cobra.Command {
	var data dataFlags
	var asJSON, skip bool
	var shardText, output string
	cmd := &cobra.Command{
		Use:   "predict FILE [DATA]",
		Short: "Label texts",
		Long: `Predict labels the texts of a file or, without DATA, of the standard input, one a line. It writes a line for each text, in
the order of the texts, as they come: the label, or several with commas between them (one that has a comma itself is in
quotes), a tab, and its probability. --json writes an object with the probability of each class.

How DATA is read is said on the standard error, but for lines of the standard input; and in the end, in how many texts there was
nothing that the classifier knows: their labels say nothing about them.

A row that cannot be read gives an empty line (with --json an object with an error), a message on the standard error with
its place, and in the end exit code 1; with --skip-bad-rows the exit code is 0. -o writes the lines to a file, whole or not
at all: it is there if and only if the exit code was 0. Data without texts, such as a header alone, has no labels, and is no error.

--shard 2/5 labels the second of five parts: rows 2, 7, 12 and so on. Where parts are counted from 0, as by job arrays,
--shard "$INDEX+1/5" is the same. "paste -d '\n' 1.tsv 2.tsv 3.tsv 4.tsv 5.tsv" brings the files of the parts back into the
order of the texts; where the number of rows is not a multiple of that of the parts, some empty lines follow at the end.

` + dataHelp,
		Example: "  linnet predict reviews.linnet new.csv\n  linnet predict reviews.linnet < texts.txt\n  linnet predict reviews.linnet new.csv --json --shard 1/2\n  linnet predict reviews.linnet new.csv --shard 1+1/2 -o labels.2.tsv",
		Args:    arguments(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			part, err := parseShard(shardText)
			if err != nil {
				return err
			}
			if cmd.Flags().Changed("output") {
				if err := checkLabels(output, args); err != nil {
					return err
				}
			}
			c, err := classifier.Load(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			data.o.LabelsOptional = true
			path, filter := "-", false
			if len(args) > 1 {
				path = args[1]
			} else if data.o.Format == "" {
				data.o.Format, filter = texts.Lines, true
			}
			unwritten := ""
			label := func(to io.Writer, shows *progress) error {
				source, err := data.open(cmd, path)
				if errors.Is(err, texts.ErrEmpty) {
					return nil // no texts, no labels
				} else if err != nil {
					return err
				}
				defer shows.clear()
				p := &predictor{progress: shows, c: c, asJSON: asJSON, skip: skip, unwritten: unwritten, stdout: bufio.NewWriterSize(to, 1<<16), stderr: cmd.ErrOrStderr(), results: make([]classifier.Result, block)}
				if filter { // nothing was found out
					return p.predict(cmd.Context(), source, part)
				}
				early := foundLine(path, source.Found())
				p.progress.note(p.stderr, early)
				err = p.predict(cmd.Context(), source, part)
				// The encoding of a stream or a folder may be known after its rows alone.
				if late := foundLine(path, source.Found()); late != early {
					p.progress.note(p.stderr, late)
				}
				return err
			}
			if output != "" {
				unwritten = fmt.Sprintf(", and %s is not written without --skip-bad-rows", visible(output))
				return atomicfile.Write(cmd.Context(), output, func(w io.Writer) error { return label(w, newProgress(cmd, false)) })
			}
			var shows *progress
			if !statusline.New(unwatched(cmd.OutOrStdout())).Terminal() { // where the labels are to be seen
				shows = newProgress(cmd, asJSON)
			}
			return label(cmd.OutOrStdout(), shows)
		},
	}
	data.add(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "write a JSON object a line")
	cmd.Flags().StringVar(&shardText, "shard", "", "label one `part/parts` of the rows, such as 1/4, or 0+1/4")
	cmd.Flags().StringVarP(&output, "output", "o", "", "the `file` of the labels (default: the standard output)")
	cmd.Flags().BoolVar(&skip, "skip-bad-rows", false, "end with exit code 0 though rows cannot be read")
	return cmd
}

// shard is one of several parts of rows that are dealt in turn. The zero value is all rows.
type shard struct{ part, parts int }

func parseShard(text string) (shard, error) {
	if text == "" {
		return shard{}, nil
	}
	a, b, _ := strings.Cut(text, "/")
	a, from0 := strings.CutSuffix(a, "+1")
	part, err := strconv.Atoi(a)
	if from0 {
		part++
	}
	parts, err2 := strconv.Atoi(b)
	if err != nil || err2 != nil || part < 1 || part > parts {
		return shard{}, usagef("--shard %.40q is not one of its parts, such as 1/4", text)
	}
	return shard{part, parts}, nil
}

// checkLabels returns an error if labels cannot or must not be written to a file.
func checkLabels(output string, inputs []string) error {
	if output == "-" {
		return usagef("-o -: without -o labels go to the standard output")
	}
	for i, input := range inputs {
		if sameFile(input, output) {
			return usagef("-o %s would replace %s", output, [...]string{"the classifier", "the data"}[i])
		}
	}
	if err := atomicfile.Check(output); err != nil {
		return usageError{err}
	}
	return nil
}

// has reports whether row i, counted from 0, is in the shard.
func (s shard) has(i int) bool { return s.parts == 0 || i%s.parts == s.part-1 }

// block is how many rows are classified side by side before they are written.
const block = 256

// blockBytes ends a block of long texts early.
const blockBytes = 1 << 20

// predictor labels rows in the order in which they come.
type predictor struct {
	progress       *progress
	c              *classifier.Classifier
	asJSON         bool
	skip           bool   // rows that cannot be read are no error in the end
	unwritten      string // what follows in the error otherwise
	stdout         *bufio.Writer
	stderr         io.Writer
	texts          []string
	faults         []error // one for each text; nil for those that were read
	bytes          int
	results        []classifier.Result
	failed, worked int
	unknown        int // texts with nothing that is known
}

// predict labels a part of the rows.
func (p *predictor) predict(ctx context.Context, source *texts.Source, part shard) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ahead := newReadAhead()
	go ahead.read(ctx, source.Rows(ctx))
	rows := ahead.rows
	i := -1
	for r := range rows {
		ahead.taken(r)
		if errors.Is(r.err, texts.ErrEmpty) {
			break // such as a header alone: no texts, no labels
		}
		if i++; r.err != nil && !errors.As(r.err, new(*texts.RowError)) {
			return errors.Join(p.flush(), r.err)
		}
		p.progress.reading(source, i)
		if part.has(i) {
			p.texts, p.faults = append(p.texts, r.row.Text), append(p.faults, r.err)
			p.bytes += len(r.row.Text)
		}
		// Who types a text waits for its label: nothing waits for a block to fill.
		if len(p.texts) == block || p.bytes >= blockBytes || len(rows) == 0 {
			if err := p.flush(); err != nil {
				return err
			}
		}
	}
	if err := errors.Join(p.flush(), ctx.Err()); err != nil {
		return err
	}
	if p.unknown > 0 {
		p.progress.note(p.stderr, fmt.Sprintf("nothing is known in %s of %s: there the label follows from the classes' shares of the training data alone\n", grouped(p.unknown), plural(p.worked-p.failed, "text")))
	}
	if p.failed > 0 && !p.skip {
		return fmt.Errorf("%s of %d could not be read%s", plural(p.failed, "row"), p.worked, p.unwritten)
	}
	return nil
}

// flush labels the rows that wait, and writes them.
func (p *predictor) flush() error {
	n := len(p.texts)
	share := (n + runtime.GOMAXPROCS(0) - 1) / max(runtime.GOMAXPROCS(0), 1)
	var wait sync.WaitGroup
	for from := 0; from < n; from += share {
		to := min(n, from+share)
		wait.Go(func() {
			for i := from; i < to; i++ {
				if p.faults[i] == nil {
					p.c.ClassifyInto(&p.results[i], p.texts[i])
				}
			}
		})
	}
	wait.Wait()
	for i := range n {
		p.worked++
		if err := p.faults[i]; err != nil {
			p.failed++
			p.results[i].Unknown = false
			p.progress.note(p.stderr, fmt.Sprintf("linnet: %s\n", shown.Text(err.Error())))
		}
		if p.results[i].Unknown {
			p.unknown++
		}
		if err := p.write(&p.results[i], p.faults[i]); err != nil {
			return err
		}
	}
	clear(p.texts) // long ones are not kept
	p.texts, p.faults, p.bytes = p.texts[:0], p.faults[:0], 0
	return p.stdout.Flush()
}

// read is a row as it comes from the data.
type read struct {
	row texts.Row
	err error
}

// Rows are read ahead of what is labelled, in memory for a number of places. A row takes a place and one for each 64 KiB of
// its text, but never more than there are.
const (
	aheadPlaces = 256
	placeBytes  = 64 << 10
)

// readAhead reads rows while others are labelled: 256 of them, or 16 MiB of text, or one row that is longer.
type readAhead struct {
	rows   chan read
	places chan struct{} // has an element for each place that is taken
}

func newReadAhead() *readAhead {
	return &readAhead{make(chan read, aheadPlaces), make(chan struct{}, aheadPlaces)}
}

// needs is how many places a row takes.
func needs(r read) int { return min(1+len(r.row.Text)/placeBytes, aheadPlaces) }

// read sends rows until they end, or until nobody wants them any more.
func (a *readAhead) read(ctx context.Context, rows iter.Seq2[texts.Row, error]) {
	defer close(a.rows)
	for row, err := range rows {
		r := read{row, err}
		for range needs(r) {
			select {
			case a.places <- struct{}{}:
			case <-ctx.Done():
				return
			}
		}
		a.rows <- r // there is room: each row in it has a place
	}
}

// taken frees the places of a row that was received.
func (a *readAhead) taken(r read) {
	for range needs(r) {
		<-a.places
	}
}

// predicted is a line of predict --json.
type predicted struct {
	Label       string             `json:"label"`
	Labels      []string           `json:"labels,omitzero"` // where a text may have several
	Probability float32            `json:"probability"`
	Scores      map[string]float32 `json:"scores"`
	Unknown     bool               `json:"unknown,omitempty"` // nothing in the text is known
}

func (p *predictor) write(r *classifier.Result, fault error) error {
	several := p.c.Parts().Spec.MultiLabel
	switch {
	case p.asJSON && fault != nil:
		return writeJSON(p.stdout, map[string]string{"error": fault.Error()})
	case fault != nil:
		return p.stdout.WriteByte('\n')
	case p.asJSON:
		line := predicted{Label: r.Label, Probability: r.Probability, Scores: map[string]float32{}, Unknown: r.Unknown}
		for k, name := range p.c.Classes() {
			line.Scores[name] = r.Scores[k]
		}
		if several {
			line.Labels = append([]string{}, r.Labels...)
		}
		return writeJSON(p.stdout, line)
	}
	label := oneLine(r.Label)
	if several {
		list := make([]string, len(r.Labels))
		for i, l := range r.Labels {
			if list[i] = oneLine(l); list[i] == l && strings.ContainsAny(l, `,"`) {
				list[i] = strconv.Quote(l) // or it would look like several
			}
		}
		label = strings.Join(list, ",")
	}
	_, err := fmt.Fprintf(p.stdout, "%s\t%s\n", label, strconv.FormatFloat(math.Round(float64(r.Probability)*1e6)/1e6, 'g', -1, 64))
	return err
}

// oneLine is a label without what would end a field or a line, or speak to a terminal.
func oneLine(label string) string {
	if strings.ContainsFunc(label, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(label)
	}
	return label
}
