package texts

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/linnet-ml/linnet/internal/ratio"
)

// The names of formats.
const (
	CSV       = "csv"      // records of fields, with commas or another delimiter
	TSV       = "tsv"      // CSV with tabs; an option only: what is found is CSV
	JSONLines = "jsonl"    // an object a line
	JSON      = "json"     // one array of objects
	FastText  = "fasttext" // lines with labels that begin with __label__
	Lines     = "lines"    // lines that are texts, without labels
	Folders   = "folders"  // a folder for each class, a file for each text
)

// Header tells whether the first record of CSV has the names of the columns.
type Header uint8

// The zero value finds out: the first record is a header if it has a usual or given name that does not come again in its
// column. Without one it is a header of four rows and more if each of its values has a letter and at most 40 bytes, they differ and
// do not come again, one stands over labels, of which the same come again and again, and one over texts: they have four times its
// length on average, or it is one word, however long, and nine in ten of them are several.
const (
	FindHeader Header = iota
	HasHeader
	NoHeader
)

// Options overrule what [Open] finds. The zero value finds everything. An option that is about other formats than the one that is
// found, such as Delimiter where it is JSON, changes nothing.
type Options struct {
	// Text and Label name the columns of CSV or the fields of JSON. A number is a column from 1, unless a column has it as its
	// name. Case and white space around it count only if two names differ in nothing else.
	Text, Label string
	// LabelsOptional reads data without labels too: to classify it, not to learn from it. Lines that are nothing else are
	// texts then ([Lines]), and a folder of files needs no classes.
	LabelsOptional bool
	// LabelSeparator parts the labels of a row in one field of CSV or of a further format, such as "|". An empty field is then
	// a row with none of the labels. Default: the field is one label, and an empty field a row without label.
	LabelSeparator string

	// Format is the name of a format, one of the constants or of Formats.
	Format string
	// Delimiter parts the fields of CSV: an ASCII character. Default: the one of comma, semicolon, tab and | that fits.
	Delimiter rune
	// Header tells whether CSV has a header.
	Header Header
	// NoQuotes takes quotes of CSV for ordinary characters, as databases write TSV. It is found too.
	NoQuotes bool
	// Encoding is utf-8, utf-16le, utf-16be or windows-1252 (latin-1 is another name for it).
	Encoding string
	// Part is the folder to read, such as "train", if a folder has parts and not classes. Anything else is read whole, with
	// or without Part.
	Part string

	// MaxText is the most bytes that a row may have in its file, as UTF-8; of a further format, its text. A longer one is a
	// [*RowError]. Reading takes up to some six times as much memory. Default 64 MiB.
	MaxText int
	// MaxRatio is how many times its size a packed file may unpack to, and 16 MiB beside. Default 100: a file that is packed
	// more tightly, as one of a few lines again and again is, is an error.
	MaxRatio int
	// Stdin is read for the path "-". Default os.Stdin.
	Stdin io.Reader
	// Formats are further formats that files are looked at for before all others.
	Formats []Format
}

// defaultMaxText is the default of Options.MaxText.
const defaultMaxText = 64 << 20

func (o *Options) limit() ratio.Limit {
	return ratio.Limit{Ratio: o.MaxRatio, Option: "Options.MaxRatio (--max-ratio)"}
}

// Check returns the error that [Open] has for Options with which no data can be read. It wraps an [*OptionError].
func (o Options) Check() error {
	if err := o.check(); err != nil {
		return fmt.Errorf("texts: %w", err)
	}
	return nil
}

func (o *Options) check() error {
	known := []string{CSV, TSV, JSONLines, JSON, FastText, Lines, Folders}
	for _, f := range o.Formats {
		switch {
		case f.Name == "" || f.Match == nil || f.Open == nil:
			return badOption("Formats", "a format of Formats has no Name, Match or Open")
		case slices.Contains(known, f.Name):
			return badOption("Formats", "two formats are named %s", quoted(f.Name))
		}
		known = append(known, f.Name)
	}
	if o.Format != "" && !slices.Contains(known, o.Format) {
		return badOption("Format", "the format %s is unknown; there are %s", quoted(o.Format), strings.Join(known, ", "))
	}
	if o.Format == TSV {
		o.Format = CSV
		if o.Delimiter == 0 {
			o.Delimiter = '\t'
		}
	}
	if d := o.Delimiter; d != 0 && (d < ' ' && d != '\t' || d >= 0x7F || d == '"') {
		return badOption("Delimiter", "the delimiter %q cannot be; it must be an ASCII character that is no quote", d)
	}
	if o.Header > NoHeader {
		return badOption("Header", "there is no Header %d", o.Header)
	}
	if _, err := encodingOf(o.Encoding); err != nil {
		return err
	}
	if err := o.limit().Check(); err != nil {
		return &OptionError{"MaxRatio", err.Error()}
	}
	if o.MaxText < 0 {
		return badOption("MaxText", "MaxText is %d; it must not be negative", o.MaxText)
	}
	if o.MaxText == 0 {
		o.MaxText = defaultMaxText
	}
	return nil
}

// Found is what [Open] found.
type Found struct {
	// Format is one of the constants, or the name of a [Format].
	Format string
	// Compression is "", gzip or zstd. In a folder each file may have its own.
	Compression string
	// Encoding is UTF-8, UTF-16LE, UTF-16BE or Windows-1252. ASCII is UTF-8. In a stream that has been ASCII so far, and in
	// a folder, it may change while rows are read: where files of a folder have several, it names all of them, and how many files have
	// which.
	Encoding string

	// Delimiter, Header and NoQuotes are those of CSV.
	Delimiter rune
	Header    bool
	NoQuotes  bool
	// Columns are the names of the columns or fields; of CSV without a header their numbers from 1.
	Columns []string
	// TextColumn and LabelColumn are those that are read. Empty: the format has no columns, or there are no labels.
	TextColumn, LabelColumn string
	// Guessed tells that TextColumn or LabelColumn was not given.
	Guessed bool

	// Part is the part that was chosen of a folder with parts. Classes are the folders that are read as classes, Unlabelled
	// those whose names say that they have no label (unsup, unlabeled, unlabelled), and Ignored is the number of files
	// beside them.
	Part                string
	Classes, Unlabelled []string
	Ignored             int
}

// String describes the findings in one line.
func (f Found) String() string {
	var b strings.Builder
	switch f.Format {
	case CSV:
		if len(f.Columns) == 1 {
			b.WriteString("CSV of one column") // which no delimiter parts
		} else {
			b.WriteString("CSV with " + delimiterName(f.Delimiter))
		}
		if f.Header {
			b.WriteString(" and a header")
		} else {
			b.WriteString(", no header")
		}
		if f.NoQuotes {
			b.WriteString(", quotes are characters")
		}
	case JSONLines:
		b.WriteString("JSON lines")
	case JSON:
		b.WriteString("a JSON array")
	case FastText:
		b.WriteString("lines with fastText's labels")
	case Lines:
		b.WriteString("lines without labels")
	case Folders:
		if len(f.Classes) == 0 {
			b.WriteString("a folder of files without labels")
		} else {
			b.WriteString("a folder for each class (" + listed(f.Classes) + ")")
		}
		if f.Part != "" {
			b.WriteString(" in the part " + quoted(f.Part))
		}
		if len(f.Unlabelled) > 0 {
			b.WriteString(", without labels " + listed(f.Unlabelled))
		}
		if f.Ignored > 0 {
			b.WriteString(", " + counted(f.Ignored, "file") + " beside them not read")
		}
	default:
		b.WriteString(f.Format)
	}
	if f.Compression != "" {
		b.WriteString(", " + f.Compression)
	}
	if f.Encoding != "" {
		b.WriteString(", " + f.Encoding)
	}
	if f.TextColumn != "" {
		b.WriteString("; text " + f.shownColumn(f.TextColumn))
		if f.LabelColumn != "" {
			b.WriteString(", label " + f.shownColumn(f.LabelColumn))
		} else {
			b.WriteString(", no label")
		}
		if f.Guessed {
			b.WriteString(" (guessed)")
		}
	}
	return b.String()
}

// shownColumn quotes names and leaves numbers.
func (f Found) shownColumn(name string) string {
	if f.Format == CSV && !f.Header {
		return "column " + name
	}
	return quoted(name)
}

func delimiterName(d rune) string {
	switch d {
	case ',':
		return "commas"
	case ';':
		return "semicolons"
	case '\t':
		return "tabs"
	}
	return fmt.Sprintf("%q", string(d))
}
