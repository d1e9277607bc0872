package texts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/linnet-ml/linnet/internal/plainfile"
	"github.com/linnet-ml/linnet/internal/shown"
)

// Row is a text with its labels.
type Row struct {
	Text string
	// Labels are the row's labels, each once, in the order of the file, at most 100,000: a row with more is a [*RowError].
	// The slice must not be changed: rows with the same label share it.
	Labels []string
	// HasLabels tells that the labels are known. They may be known to be none: an empty list in JSON, or an empty field with
	// Options.LabelSeparator.
	HasLabels bool
	// File and Line tell where the row begins: as in [RowError].
	File string
	Line int
}

// Source is a file, folder or stream of rows.
//
// Found, Progress and Close may be called while another goroutine reads rows. Several goroutines may read the rows of a
// file or folder at once, each with its own call of Rows; Progress, and the encodings in Found, then mix what they read.
// A [Format] must allow this too.
type Source struct {
	path, shown string
	o           Options
	found       Found
	text, label int // columns; -1: none
	info        fs.FileInfo
	kind        kind
	table       *Format

	read, size atomic.Int64
	encodings  [4]atomic.Int64 // how many files of a folder have which of encodingNames

	// Of a stream.
	stream *stream
	stop   func() error // ends its reads, from any goroutine
	in     *input       // closed by whoever sets started first: Rows, or Close
	w      *window

	encodingKind atomic.Int32 // of a stream whose encoding was not given: onlyASCII, isUTF8 or isANSI
	started      atomic.Bool
}

type kind uint8

const (
	fileKind kind = iota
	streamKind
	folderKind
	tableKind
)

// Open finds the format, encoding, compression and columns of a file, folder or stream; the path "-" is Options.Stdin. A named
// pipe is a stream too. Other devices are errors.
//
// A file without a byte order mark is read to its end once, unless Options.Encoding is set. Of a stream no more is read than
// the findings need: a line, or 256 KB.
func Open(ctx context.Context, path string, o Options) (*Source, error) {
	if ctx == nil {
		return nil, errNilContext
	}
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("texts: %w", err)
	}
	o.Formats = slices.Clone(o.Formats)
	s := &Source{path: path, shown: path, o: o, text: -1, label: -1}
	if path == "-" {
		s.shown = "stdin"
	}
	if err := s.open(ctx); err != nil {
		s.Close()
		return nil, s.named(err, 0)
	}
	return s, nil
}

// named puts the path, and the line unless it is 0, in front of an error that does not have them.
func (s *Source) named(err error, line int) error {
	if errors.As(err, new(*RowError)) || errors.As(err, new(*fs.PathError)) || errors.As(err, new(*plainfile.Error)) {
		return shown.Errorf("texts: %w", err)
	}
	return shown.Errorf("texts: %s: %w", place(s.shown, line, 0), err)
}

func (s *Source) open(ctx context.Context) error {
	if s.path == "-" {
		r := s.o.Stdin
		if r == nil {
			r = os.Stdin
		}
		return s.openStream(ctx, r, func() error { return nil })
	}
	info, err := os.Stat(s.path)
	if err != nil {
		return err
	}
	if err := checkKind(info.Mode()); err != nil {
		return err
	}
	switch {
	case info.IsDir():
		return s.openFolder(ctx)
	case s.o.Format == Folders:
		return badOption("Format", "it is a file, not a folder")
	case info.Mode()&fs.ModeNamedPipe != 0:
		f, err := openPipe(ctx, s.path)
		if err != nil {
			return err
		}
		return s.openStream(ctx, f, f.Close)
	}
	return s.openFile(ctx)
}

// reopen opens a regular file, which must be the one that was looked at.
func (s *Source) reopen() (*os.File, error) {
	f, info, err := plainfile.OS(s.path)
	if err != nil {
		return nil, err
	}
	switch {
	case s.info == nil:
		s.info = info
	case !os.SameFile(info, s.info) || info.Size() != s.info.Size() || !info.ModTime().Equal(s.info.ModTime()):
		err = errors.New("the file has changed since it was opened")
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// openFile looks at a regular file.
func (s *Source) openFile(ctx context.Context) error {
	f, err := s.reopen()
	if err != nil {
		return err
	}
	s.size.Store(s.info.Size())
	if matched, err := s.matchTable(f); err != nil {
		f.Close()
		return err
	} else if matched != nil {
		defer f.Close()
		return s.openTable(ctx, f, matched)
	}
	in, err := newInput(&raw{ctx: ctx, r: f, read: new(atomic.Int64)}, s.o.limit(), f.Close)
	if err != nil {
		return err
	}
	defer in.close()
	s.found.Compression = in.compression
	mark, err := in.mark()
	if err != nil {
		return err
	}
	s.setEncoding(mark)
	// The first block is kept; the rest is only looked at for its encoding.
	var sc scan
	first := make([]byte, 0, block)
	buf := make([]byte, block)
	kept, cut := 0, false
	for done := false; !done; {
		n, err := io.ReadFull(in, buf[kept:])
		done = err == io.EOF || err == io.ErrUnexpectedEOF // of ReadFull itself; that of a reader is wrapped
		if err != nil && !done {
			return err
		}
		b := buf[kept : kept+n]
		room := min(cap(first)-len(first), len(b))
		first = append(first, b[:room]...)
		cut = cut || room < len(b)
		if s.found.Encoding != "" && cut {
			break
		}
		if h := (head{first, true}); s.found.Encoding == "" && len(first) == cap(first) && bytes.IndexByte(h.firstLine().b, 0) >= 0 && h.nulEverywhere() {
			cut = true // sniff refuses it: the rest, which may be a terabyte of a file with holes, need not be read
			break
		}
		kept = copy(buf, buf[sc.add(buf[:kept+n], done):kept+n])
	}
	if s.found.Encoding == "" {
		s.found.Encoding = sc.encoding()
	}
	if s.found.Encoding != utf8Name {
		if first, _, err = readAll(decoded(bytes.NewReader(first), s.found.Encoding, nil), nil, block); err != nil {
			return err
		}
		first = first[:min(len(first), block)]
	}
	return s.sniff(func(full bool) (head, error) {
		h := head{first, cut}
		if !full {
			h = h.firstLine()
		}
		return h, nil
	})
}

// nulEverywhere tells what is no text.
func (h head) nulEverywhere() bool {
	b := h.b[:min(len(h.b), 512)]
	return bytes.Count(b, []byte{0}) >= len(b)/4
}

// firstLine is the head up to the end of its first line that is not empty.
func (h head) firstLine() head {
	line := firstLine(h.b)
	n := len(h.b) - len(bytes.TrimLeft(h.b, " \t\r\n")) + len(line)
	if n < len(h.b) {
		return head{h.b[:n+1], true}
	}
	return h
}

// setEncoding takes the encoding of a byte order mark, or the one that was given.
func (s *Source) setEncoding(mark string) {
	s.found.Encoding, _ = encodingOf(s.o.Encoding)
	if mark != "" {
		s.found.Encoding = mark
	}
}

// openStream looks at the beginning of a stream.
func (s *Source) openStream(ctx context.Context, r io.Reader, closer func() error) error {
	s.kind = streamKind
	s.stream = newStream(r)
	rd := &raw{ctx: ctx, read: &s.read}
	rd.r = &streamReader{s.stream, rd}
	s.stop = sync.OnceValue(func() error {
		s.stream.close()
		return closer()
	})
	in, err := newInput(rd, s.o.limit(), func() error { return nil })
	if refused := (*refusedError)(nil); errors.As(err, &refused) {
		for _, f := range s.o.Formats {
			if f.Match([]byte(refused.magic)) {
				return fmt.Errorf("it has the format %s, which must be a file and not a stream", f.Name)
			}
		}
	}
	if err != nil {
		return err
	}
	s.in = in
	if s.o.Format == Folders {
		return badOption("Format", "it is a stream, not a folder")
	}
	s.found.Compression = in.compression
	mark, err := in.mark()
	if err != nil {
		return err
	}
	s.setEncoding(mark)
	s.w = newWindow(decoded(in, s.found.Encoding, &s.encodingKind), s.o.MaxText)
	return s.sniff(s.w.head)
}

// head returns the first line that is not empty, or the first block, and waits for no more than that.
func (w *window) head(full bool) (head, error) {
	for {
		b := w.bytes()
		h := head{b[:min(len(b), block)], true}
		if !full {
			if line := h.firstLine(); len(line.b) < len(h.b) || bytes.HasSuffix(bytes.TrimLeft(line.b, " \t\r\n"), []byte{'\n'}) {
				return line, nil
			}
		}
		if len(b) >= block {
			return h, nil
		}
		if !w.more() {
			if w.err != io.EOF {
				return head{}, w.err
			}
			h.cut = false
			return h, nil
		}
	}
}

// Found returns what was found.
func (s *Source) Found() Found {
	f := s.found
	f.Columns, f.Classes, f.Unlabelled = slices.Clone(f.Columns), slices.Clone(f.Classes), slices.Clone(f.Unlabelled)
	switch {
	case s.kind == streamKind && f.Encoding == "":
		f.Encoding = utf8Name
		if s.encodingKind.Load() == isANSI {
			f.Encoding = ansiName
		}
	case s.kind == folderKind:
		f.Encoding = s.folderEncoding()
	}
	return f
}

// Progress returns how many bytes of the file or stream have been read in the last call of Rows, as they lie on the disk, and
// the size of the file, 0 for a stream and a folder. It may be called while rows are read.
func (s *Source) Progress() (read, size int64) { return s.read.Load(), s.size.Load() }

// Once returns whether rows can be read once only: those of a stream.
func (s *Source) Once() bool { return s.kind == streamKind }

// Close closes a stream. It ends a Rows that is reading with an error that wraps [fs.ErrClosed], and after it Rows gives an
// error. A file or folder needs no Close, and neither does a stream whose rows have been read. A goroutine that waits for
// the reader of a stream goes on until that returns.
func (s *Source) Close() error {
	if s == nil || s.stop == nil {
		return nil
	}
	err := s.stop()
	// The decoder belongs to Rows once Rows has begun.
	if !s.started.Swap(true) && s.in != nil {
		s.in.close()
	}
	return err
}

// Rows yields the rows in the order of the file; those of a folder class by class, the files sorted by name. An error that
// is a [*RowError] stands for a row, and the rows after it follow. Any other error is the last thing yielded: that of the
// context, of reading, of packed data that is damaged, and that there are no rows.
//
// Rows of a file or folder may be read as often as wanted, those of a stream once.
func (s *Source) Rows(ctx context.Context) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		if ctx == nil {
			yield(Row{}, errNilContext)
			return
		}
		if s == nil || s.path == "" {
			yield(Row{}, errNotOpen)
			return
		}
		e := &emitter{ctx: ctx, yield: yield, separator: s.o.LabelSeparator, single: map[string][]string{}}
		err := s.rows(ctx, e)
		switch {
		case e.stopped:
			return
		case e.err != nil:
			err = e.err
		case err == nil && e.count == 0:
			err = ErrEmpty
		}
		if err != nil {
			yield(Row{}, s.named(err, e.line))
		}
	}
}

// rows reads all rows. An error belongs to the line e.line.
func (s *Source) rows(ctx context.Context, e *emitter) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	switch s.kind {
	case folderKind:
		s.read.Store(0)
		for i := range s.encodings {
			s.encodings[i].Store(0)
		}
		return s.folderRows(ctx, e)
	case streamKind:
		if s.started.Swap(true) {
			return errors.New("the rows of a stream can be read once")
		}
		defer s.in.close()
		defer s.stop()
		s.in.raw.ctx = ctx
		return s.windowRows(s.w, e)
	}
	f, err := s.reopen()
	if err != nil {
		return err
	}
	s.read.Store(0)
	if s.kind == tableKind {
		defer f.Close()
		t, err := s.table.Open(ctx, &countedAt{ctx, f, &s.read}, s.info.Size())
		if err != nil {
			return err
		}
		defer t.Close()
		return s.tableRows(ctx, t, e)
	}
	in, err := newInput(&raw{ctx: ctx, r: f, read: &s.read}, s.o.limit(), f.Close)
	if err != nil {
		return err
	}
	defer in.close()
	if _, err := in.mark(); err != nil {
		return err
	}
	return s.windowRows(newWindow(decoded(in, s.found.Encoding, nil), s.o.MaxText), e)
}

func (s *Source) windowRows(w *window, e *emitter) error {
	var err error
	switch s.found.Format {
	case CSV:
		err = s.csvRows(w, e)
	case JSONLines:
		err = s.jsonLineRows(w, e)
	case JSON:
		err = s.jsonArrayRows(w, e)
	case FastText:
		err = s.fastTextRows(w, e)
	default:
		err = s.plainRows(w, e)
	}
	e.line = w.line
	return err
}

// matchTable returns the further format of a file, nil if there is none.
func (s *Source) matchTable(f *os.File) (*Format, error) {
	b := make([]byte, 512)
	n, err := f.ReadAt(b, 0)
	if err != nil && err != io.EOF {
		return nil, err
	}
	for i := range s.o.Formats {
		if t := &s.o.Formats[i]; t.Name == s.o.Format || s.o.Format == "" && t.Match(b[:n]) {
			return t, nil
		}
	}
	return nil, nil
}

// openTable finds the columns of a file of a further format.
func (s *Source) openTable(ctx context.Context, f *os.File, format *Format) error {
	s.kind, s.table, s.found.Format = tableKind, format, format.Name
	t, err := format.Open(ctx, &countedAt{ctx, f, &s.read}, s.info.Size())
	if err != nil {
		return err
	}
	defer t.Close()
	sm, err := sampleTable(ctx, t)
	if err != nil {
		return err
	}
	return s.chooseColumns(sm)
}

// countedAt looks at its context before each read, and counts.
type countedAt struct {
	ctx  context.Context
	r    io.ReaderAt
	read *atomic.Int64
}

func (r *countedAt) ReadAt(p []byte, off int64) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.r.ReadAt(p, off)
	r.read.Add(int64(n))
	return n, err
}

// emitter gives rows to whoever asked for them.
type emitter struct {
	ctx       context.Context
	yield     func(Row, error) bool
	separator string
	single    map[string][]string // labels that have come, each alone in a slice
	set       labelSet            // of the current row
	count     int                 // rows, bad ones too
	line      int                 // of an error that ends the rows
	err       error               // of the context
	stopped   bool                // by whoever asked
}

// alive reports whether rows are still wanted.
func (e *emitter) alive() bool {
	if e.err == nil {
		e.err = e.ctx.Err()
	}
	return e.err == nil && !e.stopped
}

// row gives a row, or what is wrong with it, and reports whether more are wanted.
func (e *emitter) row(w *window, row Row, bad *fault) bool {
	if bad == nil {
		return e.emit(row, "", 0, 0)
	}
	line, column := w.place(bad.at)
	return e.emit(row, bad.message, line, column)
}

func (e *emitter) emit(row Row, message string, line, column int) bool {
	if !e.alive() {
		return false
	}
	e.count++
	if message == "" {
		e.stopped = !e.yield(row, nil)
	} else {
		e.stopped = !e.yield(Row{File: row.File, Line: row.Line}, &RowError{row.File, line, column, message})
	}
	return !e.stopped
}

// fieldLabels returns the labels of a field of a table.
func (e *emitter) fieldLabels(b []byte) (labels []string, known bool, bad string) {
	if e.separator == "" {
		labels, known = e.wholeLabel(b)
		return labels, known, ""
	}
	e.set.begin(e)
	for part := range bytes.SplitSeq(b, []byte(e.separator)) {
		if part = bytes.TrimSpace(part); !e.set.add(part, len(part) > 0) {
			break
		}
	}
	labels, bad = e.set.take()
	return labels, true, bad
}

// wholeLabel returns a label without the white space around it; an empty one is none.
func (e *emitter) wholeLabel(b []byte) (labels []string, known bool) {
	if b = bytes.TrimSpace(b); len(b) == 0 {
		return nil, false
	}
	return e.intern(b), true
}

// intern returns a label in a slice, the same for the same label unless there are too many.
func (e *emitter) intern(b []byte) []string {
	if labels, ok := e.single[string(b)]; ok {
		return labels
	}
	labels := []string{string(b)}
	if len(e.single) < 1<<16 && len(b) <= 256 {
		e.single[labels[0]] = labels
	}
	return labels
}

const (
	// maxLabels is how many different labels a row may have. More are a wrong column, not labels.
	maxLabels = maxClasses
	// fewLabels is how many labels are compared one by one.
	fewLabels = 16
)

// labelSet collects the labels of a row, each once, in time and memory that are linear in the row.
type labelSet struct {
	e      *emitter
	labels []string
	seen   map[string]bool // of labels, if they are more than a few
	added  int
	over   bool
}

func (l *labelSet) begin(e *emitter) {
	*l = labelSet{e: e, labels: l.labels[:0]}
}

// add adds a label if it is one, and reports whether more are wanted.
func (l *labelSet) add(b []byte, is bool) bool {
	if l.added++; l.added%1024 == 0 && !l.e.alive() {
		return false
	}
	switch {
	case !is:
		return true
	case l.seen != nil && l.seen[string(b)]:
		return true
	case l.seen == nil && slices.ContainsFunc(l.labels, func(label string) bool { return label == string(b) }):
		return true
	case len(l.labels) == maxLabels:
		l.over = true
		return false
	}
	label := l.e.intern(b)[0]
	if l.labels = append(l.labels, label); l.seen != nil {
		l.seen[label] = true
	} else if len(l.labels) > fewLabels {
		l.seen = make(map[string]bool, 2*len(l.labels))
		for _, label := range l.labels {
			l.seen[label] = true
		}
	}
	return true
}

// take returns the labels, or what is wrong with them.
func (l *labelSet) take() (labels []string, bad string) {
	switch {
	case l.over:
		return nil, "the row has more than " + decimal(maxLabels) + " labels"
	case len(l.labels) == 0:
		return nil, ""
	case len(l.labels) == 1:
		return l.e.intern([]byte(l.labels[0])), ""
	}
	return slices.Clone(l.labels), ""
}
