package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strings"

	"github.com/linnet-ml/linnet/classifier"
	"github.com/linnet-ml/linnet/datasets/texts"
	"github.com/spf13/cobra"
)

// dataFlags are the flags of commands that read texts.
type dataFlags struct {
	o                texts.Options
	delimiter        string
	header, noHeader bool

	more int             // how many further data will be opened
	used map[string]bool // names of flags that said something of data that was opened
}

// dataHelp says what data may be.
const dataHelp = `DATA is CSV or TSV, JSON lines, a JSON array of objects, Parquet, fastText's __label__ lines, or a folder with a folder for each
class; gzip or zstd; UTF-8, UTF-16 or Windows-1252. "-" is the standard input. All of that is found, and said. Columns are
found by their usual names, such as text and label, or when they are obvious; --text and --label name others.`

func (f *dataFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.o.Text, "text", "", "the `column` of the texts, by its name or number from 1")
	flags.StringVar(&f.o.Label, "label", "", "the `column` of the labels")
	flags.StringVar(&f.o.LabelSeparator, "label-separator", "", "what stands between several labels in one field of CSV, such as |")
	flags.StringVar(&f.o.Format, "format", "", "csv, tsv, jsonl, json, parquet, fasttext, lines or folders")
	flags.StringVar(&f.delimiter, "delimiter", "", `what stands between the fields of CSV; "\t" is a tab`)
	flags.StringVar(&f.o.Encoding, "encoding", "", "utf-8, utf-16le, utf-16be or windows-1252")
	flags.IntVar(&f.o.MaxRatio, "max-ratio", 100, "how many `times` its size a packed file may unpack to, and 16 MiB beside")
	flags.StringVar(&f.o.Part, "part", "", "the folder to read of a folder with parts, such as train")
	flags.BoolVar(&f.header, "header", false, "the first record of CSV has the names of the columns")
	flags.BoolVar(&f.noHeader, "no-header", false, "the first record of CSV is a row")
	cmd.MarkFlagsMutuallyExclusive("header", "no-header")
}

// options are what the flags say, or a usageError for what no data could be read with.
func (f *dataFlags) options() (texts.Options, error) {
	o := f.o
	o.Formats = []texts.Format{parquetFormat(o.MaxRatio)}
	switch {
	case o.MaxRatio < 0:
		return o, usagef("--max-ratio is negative")
	case f.delimiter == `\t`:
		o.Delimiter = '\t'
	case len(f.delimiter) > 1:
		return o, usagef("--delimiter %.40q is not one ASCII character", f.delimiter)
	case f.delimiter != "":
		o.Delimiter = rune(f.delimiter[0])
	}
	if f.header {
		o.Header = texts.HasHeader
	} else if f.noHeader {
		o.Header = texts.NoHeader
	}
	if err := o.Check(); err != nil {
		return o, usageError{err}
	}
	return o, nil
}

// open opens the data. Flags that it does not fit, such as the name of a column that it does not have, are a usageError.
func (f *dataFlags) open(cmd *cobra.Command, path string) (*texts.Source, error) {
	o, err := f.options()
	if err != nil {
		return nil, err
	}
	o.Stdin = cmd.InOrStdin()
	source, err := texts.Open(cmd.Context(), path, o)
	if errors.As(err, new(*texts.OptionError)) {
		return nil, usageError{err}
	}
	if err != nil {
		return nil, err
	}
	if err := f.checkUsed(path, source.Found()); err != nil {
		return nil, errors.Join(err, source.Close())
	}
	return source, nil
}

// checkUsed returns an error for a flag that says nothing of any data: who gave it takes the data for something else.
func (f *dataFlags) checkUsed(path string, found texts.Found) error {
	this := texts.Found{Format: found.Format}.String()
	switch found.Format {
	case texts.CSV:
		this = "CSV"
	case texts.Folders:
		this = "a folder"
		if found.Part == "" {
			this += " without parts"
		}
	}
	known := slices.Contains([]string{texts.JSONLines, texts.JSON, texts.FastText, texts.Lines, texts.Folders}, found.Format)
	for _, flag := range []struct {
		name      string
		set, used bool
		subject   string
	}{
		{"header", f.header, found.Format == texts.CSV, "CSV"},
		{"no-header", f.noHeader, found.Format == texts.CSV, "CSV"},
		{"delimiter", f.delimiter != "", found.Format == texts.CSV, "CSV"},
		{"label-separator", f.o.LabelSeparator != "", !known, "CSV and Parquet"},
		{"encoding", f.o.Encoding != "", found.Encoding != "", "text"},
		{"part", f.o.Part != "", found.Part != "", "a folder with parts"},
	} {
		switch {
		case !flag.set || f.used[flag.name]:
		case flag.used:
			if f.used == nil {
				f.used = map[string]bool{}
			}
			f.used[flag.name] = true
		case f.more == 0:
			if path == "-" {
				path = "stdin"
			}
			return usagef("%s: --%s is for %s, and this is %s", visible(path), flag.name, flag.subject, this)
		}
	}
	return nil
}

// sameFile reports whether two paths name one file that exists.
func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// place is where a row stands.
type place struct {
	file string
	line int
}

func (p place) String() string { return fmt.Sprintf("%s:%d", visible(p.file), p.line) }

// labelled are rows to learn from or to test with.
type labelled struct {
	found    texts.Found
	noText   int // rows that were left out because their text is empty
	noLabel  int // others whose labels are not known
	examples []classifier.Example
	places   []place
}

// readLabelled reads rows that have a text and known labels, and lets checker look at all of them. Rows that cannot be read
// are left out, and are among the checker's faults. Without keep it returns no rows: check --quick takes memory for hashes alone.
func readLabelled(ctx context.Context, s *texts.Source, checker *texts.Checker, keep bool, p *progress) (*labelled, error) {
	d := &labelled{}
	defer p.clear()
	n := 0
	for row, err := range checker.Watch(s.Rows(ctx)) {
		n++
		p.reading(s, n)
		if err != nil {
			if errors.As(err, new(*texts.RowError)) {
				continue
			}
			return nil, err
		}
		switch {
		case strings.TrimSpace(row.Text) == "":
			d.noText++
		case !row.HasLabels:
			d.noLabel++
		case keep:
			d.examples = append(d.examples, classifier.Example{Text: row.Text, Labels: row.Labels})
			d.places = append(d.places, place{row.File, row.Line})
		}
	}
	d.found = s.Found()
	return d, nil
}

// leftOut says how many rows were left out, in a line; "" for none.
func (d *labelled) leftOut() string {
	var parts []string
	if d.noText > 0 {
		parts = append(parts, grouped(d.noText)+" without text")
	}
	if d.noLabel > 0 {
		parts = append(parts, grouped(d.noLabel)+" without label")
	}
	if parts == nil {
		return ""
	}
	return fmt.Sprintf("%s left out: %s\n", plural(d.noText+d.noLabel, "row"), strings.Join(parts, ", "))
}

// located is an error about the rows with what a user knows: the place of a row, and the names of flags.
func (d *labelled) located(path string, err error) error {
	return locatedAt(path, err, func(i int) (p place, ok bool) {
		if ok = i < len(d.places); ok {
			p = d.places[i]
		}
		return p, ok
	})
}

// locatedAt is an error about rows, of which at tells the places.
func locatedAt(path string, err error, at func(i int) (place, bool)) error {
	var row *classifier.ExampleError
	var option *classifier.OptionError
	switch {
	case errors.As(err, &row):
		if p, ok := at(row.Index); ok {
			return fmt.Errorf("%v: the row %s", p, row.Problem)
		}
	case errors.As(err, &option):
		flag, ok := map[string]string{"Goal": "--precision or --recall", "Positive": "--positive", "MaxFeatures": "--max-features", "Budget": "--budget", "MinConfidence": "--min-confidence"}[option.Option]
		if !ok {
			flag = option.Option
		}
		return usageError{fmt.Errorf("%s %s", flag, option.Problem)}
	case errors.Is(err, context.Canceled), strings.HasPrefix(err.Error(), "texts: "): // it has the path
		return err
	}
	return fmt.Errorf("%s: %w", path, err)
}

// learnable returns whether a row has a text and known labels.
func learnable(row *texts.Row) bool { return row.HasLabels && strings.TrimSpace(row.Text) != "" }

// trainingData is rows to learn from, which are read again and again. The first time they are looked at, and what was found is said.
type trainingData struct {
	ctx     context.Context // ends the first reading
	path    string
	source  *texts.Source
	skip    bool // leave out rows that cannot be read
	notes   io.Writer
	p       *progress
	once    bool // the rows are read once only
	again   bool // the rows have been read once
	faults  []jsonFault
	last    place   // of the row that was yielded last
	places  []place // of all rows, if they are learned from after they were read
	spooled *spool  // of what can be read once; nil for others
}

func (d *trainingData) examples(ctx context.Context) iter.Seq2[classifier.Example, error] {
	return func(yield func(classifier.Example, error) bool) {
		switch {
		case !d.again:
			d.again = true
			d.first(yield)
		case d.spooled != nil:
			d.spooled.examples(ctx)(yield)
		default:
			d.rows(d.source.Rows(ctx), nil, false, yield)
		}
	}
}

// first reads the rows for the first time.
func (d *trainingData) first(yield func(classifier.Example, error) bool) {
	if d.source.Once() && !d.once {
		d.spooled = &spool{}
	}
	var checker texts.Checker
	if !d.rows(checker.Watch(d.source.Rows(d.ctx)), d.spooled, true, yield) {
		return
	}
	var b strings.Builder
	writeFound(&b, d.path, d.source.Found(), &checker)
	writeFaults(&b, &checker)
	d.p.note(d.notes, b.String())
	d.faults = jsonFaults(&checker)
	if err := badRows(&checker); err != nil && !d.skip {
		yield(classifier.Example{}, err)
	}
}

// rows yields the rows that can be learned from, and returns whether there may be more. It adds them to a spool that is not nil, and
// shows how far the first reading is.
func (d *trainingData) rows(rows iter.Seq2[texts.Row, error], to *spool, first bool, yield func(classifier.Example, error) bool) bool {
	n := 0
	for row, err := range rows {
		n++
		if errors.As(err, new(*texts.RowError)) {
			continue
		}
		if err == nil && !learnable(&row) {
			continue
		}
		e := classifier.Example{Text: row.Text, Labels: row.Labels}
		if to != nil && err == nil {
			err = to.add(e)
		}
		if err != nil {
			yield(classifier.Example{}, err)
			return false
		}
		if first {
			d.p.reading(d.source, n)
		}
		d.last = place{row.File, row.Line}
		if !yield(e, nil) {
			return false
		}
	}
	return true
}

// located is an error of the training with the place of its row. One about a row is about the last one, which ended the first reading, unless all places are known.
func (d *trainingData) located(err error) error {
	return locatedAt(d.path, err, func(i int) (place, bool) {
		if i < len(d.places) {
			return d.places[i], true
		}
		return d.last, true
	})
}

// close gives back what the rows were kept in.
func (d *trainingData) close() error {
	if d.spooled == nil {
		return nil
	}
	return d.spooled.close()
}

// badRows is an error if rows could not be read.
func badRows(checker *texts.Checker) error {
	for _, f := range checker.Faults() {
		if f.Kind == texts.BadRow {
			return fmt.Errorf("%s cannot be read: mend the data, or leave them out with --skip-bad-rows", plural(f.Count, "row"))
		}
	}
	return nil
}

// foundLine says how data is read.
func foundLine(path string, found texts.Found) string {
	return fmt.Sprintf("%s: %s\n", visible(path), found)
}

// writeFound writes what was found in the data: a line, and the classes.
func writeFound(w io.Writer, path string, found texts.Found, checker *texts.Checker) {
	io.WriteString(w, foundLine(path, found))
	classes := checker.Classes()
	const most = 20
	fmt.Fprintf(w, "%s of %s:", plural(checker.Rows()[0], "row"), plural(len(classes), "class"))
	for i, c := range classes {
		if i == most {
			fmt.Fprintf(w, " and %d more", len(classes)-most)
			break
		}
		if i > 0 {
			fmt.Fprint(w, ",")
		}
		n := 0
		if len(c.Rows) > 0 {
			n = c.Rows[0]
		}
		fmt.Fprintf(w, " %s %s", brief(c.Name), grouped(n))
	}
	fmt.Fprintln(w)
	if s := separator(classes); s != "" {
		fmt.Fprintf(w, "labels with a %s: if they are several, --label-separator '%s' parts them\n", s, s)
	}
}

// separator is what seems to part several labels in one field: of some labels all parts are labels by themselves.
func separator(classes []texts.Class) string {
	names := map[string]bool{}
	for _, c := range classes {
		names[c.Name] = true
	}
	for _, s := range []string{"|", ";", ","} {
		for name := range names {
			parts := strings.Split(name, s)
			if len(parts) > 1 && !slices.ContainsFunc(parts, func(part string) bool { return !names[strings.TrimSpace(part)] }) {
				return s
			}
		}
	}
	return ""
}

// writeFaults writes the faults of the data, each with some places.
func writeFaults(w io.Writer, checker *texts.Checker) {
	for _, f := range checker.Faults() {
		fmt.Fprintf(w, "%s: %s\n", f.Kind, grouped(f.Count))
		for _, e := range f.Examples {
			fmt.Fprintf(w, "  %s\n", e)
		}
		if n := f.Count - len(f.Examples); n > 0 {
			fmt.Fprintf(w, "  and %s more\n", grouped(n))
		}
	}
}

// plural is a number and what it counts.
func plural(n int, what string) string {
	switch {
	case n == 1:
		return "1 " + what
	case strings.HasSuffix(what, "s"):
		return grouped(n) + " " + what + "es"
	}
	return grouped(n) + " " + what + "s"
}

// grouped is a number with commas between thousands.
func grouped(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
