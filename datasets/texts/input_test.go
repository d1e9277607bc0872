package texts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/klauspost/compress/zstd"
)

// Damaged data gives the rows before the damage, and an error with a line.
func TestDamagedPackedStreams(t *testing.T) {
	var content strings.Builder
	content.WriteString("text,label\n")
	for i := range 100000 {
		fmt.Fprintf(&content, "row %d of many %x,pos\n", i, i*i*7919)
	}
	for name, packed := range map[string]string{"gzip": gzipped(content.String()), "zstd": zstdOf(content.String())} {
		cut := packed[:len(packed)/2]
		s := mustOpen(t, "-", Options{Stdin: strings.NewReader(cut)})
		n := 0
		var last error
		for row, err := range s.Rows(context.Background()) {
			if last != nil {
				t.Fatal("more after", last)
			}
			if last = err; err == nil {
				if want := fmt.Sprintf("row %d of many %x", n, n*n*7919); row.Text != want {
					t.Fatalf("row %q, want %q", row.Text, want)
				}
				n++
			}
		}
		if want := fmt.Sprintf("texts: stdin:%d: the %s data is cut short: unexpected EOF", n+2, name); last == nil || last.Error() != want || !errors.Is(last, io.ErrUnexpectedEOF) || n == 0 {
			t.Errorf("%d rows and the error\n\t%v\nwant\n\t%s", n, last, want)
		}
		// Of a file Open finds it, since it reads to the end.
		path := filepath.Join(t.TempDir(), "x")
		if err := os.WriteFile(path, []byte(cut), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Open(context.Background(), path, Options{})
		if want := "texts: " + path + ": the " + name + " data is cut short: unexpected EOF"; err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
		damaged := []byte(packed)
		damaged[len(damaged)/2] ^= 0x55
		damaged[len(damaged)-6] ^= 0x55
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err = Open(context.Background(), path, Options{}); err == nil || !strings.Contains(err.Error(), "the "+name+" data is ") {
			t.Errorf("error %v", err)
		}
	}
}

// A frame that says it refers further back than is allowed takes no memory.
func TestZstdWindow(t *testing.T) {
	header := []byte{0x28, 0xB5, 0x2F, 0xFD, 0, 0xA0 /* window of 1 GiB */, 1, 0, 0}
	_, err := Open(context.Background(), "-", Options{Stdin: bytes.NewReader(header)})
	if want := "texts: stdin: the zstd data needs a window of more than 128 MiB: window size exceeded"; err == nil || err.Error() != want || !errors.Is(err, zstd.ErrWindowSizeExceeded) {
		t.Errorf("error %v, want %s", err, want)
	}
}

// A file that changes between Open and Rows would not be what was found.
func TestChangedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	os.WriteFile(path, []byte("text,label\na,b\n"), 0o600)
	s := mustOpen(t, path, Options{})
	if got := dump(t, s); len(got) != 1 || got[0] != "2: b: a" {
		t.Fatal(got)
	}
	os.WriteFile(path, []byte("text,label\na,b\nc,d\n"), 0o600)
	if got := dump(t, s); len(got) != 1 || got[0] != "error texts: "+path+": the file has changed since it was opened" {
		t.Error(got)
	}
}

func TestStreamsAreReadOnce(t *testing.T) {
	open := func() *Source {
		return mustOpen(t, "-", Options{Stdin: strings.NewReader("text,label\na,b\n")})
	}
	s := open()
	if !s.Once() {
		t.Error("a stream can be read again")
	}
	if got := dump(t, s); len(got) != 1 {
		t.Fatal(got)
	}
	const want = "error texts: stdin: the rows of a stream can be read once"
	if got := dump(t, s); len(got) != 1 || got[0] != want {
		t.Error(got)
	}
	s = open()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if got := dump(t, s); len(got) != 1 || got[0] != want {
		t.Error(got)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// Close may come at any time from another goroutine: it ends Rows, and only one of the two closes the decoder.
func TestCloseWhileRowsAreRead(t *testing.T) {
	content := "text,label\n" + strings.Repeat("some text of a row,b\n", 1<<15)
	for name, packed := range map[string]string{"plain": content, "gzip": gzipped(content), "zstd": zstdOf(content)} {
		t.Run(name, func(t *testing.T) {
			for i := range 15 {
				r, w := io.Pipe() // it blocks after the data
				go io.WriteString(w, packed)
				s := mustOpen(t, "-", Options{Stdin: r})
				closed := make(chan struct{})
				go func() {
					defer close(closed)
					time.Sleep(time.Duration(i) * 400 * time.Microsecond)
					s.Progress()
					s.Found()
					if err := s.Close(); err != nil {
						t.Error(err)
					}
				}()
				var last error
				for _, err := range s.Rows(t.Context()) {
					last = err
				}
				<-closed
				closedFirst := last != nil && strings.Contains(last.Error(), "can be read once")
				if !closedFirst && (last == nil || !strings.HasPrefix(last.Error(), "texts: stdin:") ||
					!strings.HasSuffix(last.Error(), ": file already closed") || strings.Contains(last.Error(), "data") || !errors.Is(last, fs.ErrClosed)) {
					t.Fatalf("the error %v", last)
				}
				w.Close()
			}
		})
	}
}

// Rows of a stream come as soon as they are there, once the first line has told the format.
func TestRowsComeAtOnce(t *testing.T) {
	for name, c := range map[string]struct {
		first string
		row   string
		o     Options
	}{
		"CSV":                 {"text,label\n", "x,y\n", Options{}},
		"JSON lines":          {`{"text": "x", "label": "y"}` + "\n", `{"text": "x", "label": "y"}` + "\n", Options{}},
		"fastText":            {"__label__y x\n", "__label__y x\n", Options{}},
		"lines":               {"y\n", "x\n", Options{Format: Lines}},
		"lines, found":        {"y, z\n", "x\n", Options{LabelsOptional: true}},
		"JSON without labels": {`{"text": "x"}` + "\n", `{"text": "x"}` + "\n", Options{LabelsOptional: true}},
		"CSV without labels":  {"id,text\n", "1,x\n", Options{LabelsOptional: true}},
	} {
		t.Run(name, func(t *testing.T) {
			r, w := io.Pipe()
			defer w.Close()
			go io.WriteString(w, c.first)
			c.o.Stdin = r
			s := mustOpen(t, "-", c.o)
			n := 0
			go io.WriteString(w, c.row)
			for _, err := range s.Rows(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				if n++; n == 5 {
					break
				}
				go io.WriteString(w, c.row)
			}
		})
	}
}

// endless is a reader that never ends, in pieces of one line.
type endless string

func (e endless) Read(p []byte) (int, error) { return copy(p, e), nil }

// A context ends Open and Rows within 100 ms: of a reader that blocks, of one line without an end, of a file, of packed data.
func TestContext(t *testing.T) {
	big := filepath.Join(t.TempDir(), "big.csv")
	if err := os.WriteFile(big, []byte("text,label\n"+strings.Repeat("some text of a row,b\n", 1<<20)), 0o600); err != nil {
		t.Fatal(err)
	}
	within := func(t *testing.T, f func(ctx context.Context) error) {
		t.Helper()
		ctx, cancel := context.WithCancel(context.Background())
		var at time.Time
		time.AfterFunc(20*time.Millisecond, func() { at = time.Now(); cancel() })
		err := f(ctx)
		if took := time.Since(at); !errors.Is(err, context.Canceled) || took > 100*time.Millisecond {
			t.Errorf("after %v the error %v", took, err)
		}
	}
	last := func(ctx context.Context, s *Source) (err error) {
		for err == nil {
			for _, e := range s.Rows(ctx) {
				err = e
			}
		}
		return err
	}
	t.Run("blocked Open", func(t *testing.T) {
		r, w := io.Pipe()
		defer w.Close()
		within(t, func(ctx context.Context) error {
			_, err := Open(ctx, "-", Options{Stdin: r})
			return err
		})
	})
	t.Run("blocked Rows", func(t *testing.T) {
		r, w := io.Pipe()
		defer w.Close()
		go io.WriteString(w, "text,label\na,b\n")
		s := mustOpen(t, "-", Options{Stdin: r})
		within(t, func(ctx context.Context) error { return last(ctx, s) })
	})
	for name, line := range map[string]string{"rows": "text,label\n", "one line": `{"text": "xxxxxxxxxxx`, "no value": `{"text":`, "blank": "\n\n\n\n"} {
		t.Run("endless "+name, func(t *testing.T) {
			within(t, func(ctx context.Context) error {
				s, err := Open(ctx, "-", Options{Stdin: endless(line), Format: JSONLines, Text: "text"})
				if err != nil {
					return fmt.Errorf("%w: %w", err, func() error { <-ctx.Done(); return ctx.Err() }())
				}
				return last(ctx, s)
			})
		})
	}
	t.Run("file", func(t *testing.T) {
		s := mustOpen(t, big, Options{})
		within(t, func(ctx context.Context) error { return last(ctx, s) })
	})
	t.Run("folder", func(t *testing.T) {
		files := map[string]string{}
		for i := range 500 {
			files[fmt.Sprint("a/", i)] = "x"
		}
		s := mustOpen(t, folder(t, files), Options{})
		within(t, func(ctx context.Context) error { return last(ctx, s) })
	})
	t.Run("ended before", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := Open(ctx, big, Options{}); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	t.Run("nil", func(t *testing.T) {
		var none context.Context
		if _, err := Open(none, big, Options{}); err == nil || err.Error() != "texts: the context is nil" {
			t.Error(err)
		}
	})
}

// rowsOf reads as a row, left times.
type rowsOf struct {
	row  string
	left int
	at   int
}

func (r *rowsOf) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) && r.left > 0 {
		k := copy(p[n:], r.row[r.at:])
		n += k
		if r.at += k; r.at == len(r.row) {
			r.at, r.left = 0, r.left-1
		}
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// Memory is bounded by a row, whatever the size of the data. GOMEMLIMIT does not refuse memory, so the heap is looked at.
func TestMemory(t *testing.T) {
	long := strings.Repeat("word ", 1<<18)
	for name, c := range map[string]struct {
		head, row string
		most      uint64
	}{
		"CSV":        {"text,label\n", strings.Repeat("word ", 200) + ",pos\n", 8 << 20},
		"JSON lines": {"", `{"text": "` + strings.Repeat(`word \n `, 200) + `", "label": "pos"}` + "\n", 8 << 20},
		"JSON array": {`[{"text": "a", "label": "b"}`, `,{"text": "` + strings.Repeat(`word \n `, 200) + `", "label": "pos"}` + "\n", 8 << 20},
		"fastText":   {"", "__label__pos " + strings.Repeat("word ", 200) + "\n", 8 << 20},
		"long rows":  {"text,label\n", long + ",pos\n", 32 << 20},
		"too long":   {"text,label\na,b\n", "\"" + long + long + long, 32 << 20},
		"quote":      {"text,label\na,\"", "b\n", 32 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			const total = 200 << 20
			o := Options{MaxText: 2 << 20, Stdin: io.MultiReader(strings.NewReader(c.head), &rowsOf{row: c.row, left: total / len(c.row)})}
			if !strings.HasPrefix(c.head, "text") {
				o.Text, o.Label = "text", "label"
				if name == "fastText" {
					o.Text, o.Label = "", ""
				}
			}
			s := mustOpen(t, "-", o)
			runtime.GC()
			var before, m runtime.MemStats
			runtime.ReadMemStats(&before)
			n, most := 0, uint64(0)
			next := int64(10 << 20)
			for range s.Rows(context.Background()) {
				n++
				if read, _ := s.Progress(); read > next {
					next += 20 << 20
					runtime.GC()
					runtime.ReadMemStats(&m)
					most = max(most, m.HeapAlloc-min(m.HeapAlloc, before.HeapAlloc))
				}
			}
			if read, _ := s.Progress(); read < total-int64(len(c.row))-100 {
				t.Errorf("%d bytes read", read)
			}
			if n == 0 || most > c.most {
				t.Errorf("%d rows, %d bytes of memory", n, most)
			}
		})
	}
}

// A row of many small things takes memory by its bytes, not by their number.
func TestMemoryOfManyParts(t *testing.T) {
	const size = 2 << 20
	of := func(part string) string { return strings.Repeat(part, size/len(part)) }
	for name, c := range map[string]struct {
		row string
		o   Options
	}{
		"members":         {`{"text":"x",` + of(`"":1,`) + `"label":"y"}`, Options{Format: JSONLines, Text: "text", Label: "label"}},
		"members, array":  {`[{"text":"x",` + of(`"":1,`) + `"label":"y"}]`, Options{Format: JSON, Text: "text", Label: "label"}},
		"no text":         {`{` + of(`"":1,`) + `"label":"y"}`, Options{Format: JSONLines, Text: "text", Label: "label"}},
		"labels":          {`{"text":"x","label":[` + of(`1,`) + `1]}`, Options{Format: JSONLines, Text: "text", Label: "label"}},
		"text":            {`{"text":"` + of(`\n`) + `","label":"y"}`, Options{Format: JSONLines, Text: "text", Label: "label"}},
		"fields":          {"x," + of("y,"), Options{Format: CSV, Delimiter: ','}},
		"label separator": {"x," + of("y|"), Options{Format: CSV, Delimiter: ',', LabelSeparator: "|"}},
		"fastText":        {of("__label__a ") + "x", Options{Format: FastText}},
	} {
		t.Run(name, func(t *testing.T) {
			head := map[string]string{CSV: "text,label\na,b\n", JSONLines: `{"text":"a","label":"b"}` + "\n"}[c.o.Format]
			content := head + c.row + "\n"
			if c.o.Format == JSON {
				content = `[{"text":"a","label":"b"},` + c.row[1:]
			}
			c.o.Stdin = strings.NewReader(content)
			s := mustOpen(t, "-", c.o)
			// All that is allocated counts, whether it is freed or not: the window has 2, 4, … times the bytes of a piece.
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			n := 0
			for range s.Rows(t.Context()) {
				n++
			}
			runtime.ReadMemStats(&after)
			if took := after.TotalAlloc - before.TotalAlloc; n == 0 || took > 6*size {
				t.Errorf("%d rows, %.1f times the bytes of a row", n, float64(took)/size)
			} else {
				t.Logf("%.1f times the bytes of a row", float64(took)/size)
			}
		})
	}
}

// A text of 100 MB is over the default limit: an error with its place, and the rows after it follow.
func TestTextOfHundredMegabytes(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 300 MB")
	}
	const word = "word "
	for name, c := range map[string]struct{ before, after string }{
		"CSV":        {"text,label\na,b\n", ",b\nlast,b\n"},
		"JSON lines": {`{"text": "a", "label": "b"}` + "\n" + `{"label": "b", "text": "`, "\"}\n" + `{"text": "last", "label": "b"}`},
		"fastText":   {"__label__b a\n__label__b ", "\n__label__b last\n"},
	} {
		s := mustOpen(t, "-", Options{Stdin: io.MultiReader(strings.NewReader(c.before), &rowsOf{row: word, left: 100e6 / len(word)}, strings.NewReader(c.after))})
		got := dump(t, s)
		line := 2
		if name == "CSV" {
			line = 3
		}
		want := fmt.Sprintf("error stdin:%d:1: the row has more than 64 MiB (MaxText)", line)
		if len(got) != 3 || got[1] != want || got[2] != fmt.Sprintf("%d: b: last", line+1) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// An error of the reader comes after the rows before it, with a line, and the row that it cuts is not one.
func TestReadErrors(t *testing.T) {
	broken := errors.New("the disk is broken")
	for name, c := range map[string]struct {
		content string
		o       Options
		line    int
	}{
		"CSV":          {"text,label\na,b\nc,d", Options{}, 3},
		"CSV, quoted":  {"text,label\na,b\nc,\"d\n", Options{}, 3},
		"CSV, closed":  {"text,label\na,b\nc,\"d\"", Options{}, 3},
		"CSV, no text": {"text,label\na,b\n", Options{}, 3},
		"CSV, comma":   {"text,label\na,b\nc,", Options{}, 3},
		"JSON lines":   {`{"text": "a", "label": "b"}` + "\n{", Options{Text: "text", Label: "label"}, 2},
		"JSON array":   {`[{"text": "a", "label": "b"}` + ",\n{", Options{Text: "text", Label: "label", Format: JSON}, 2},
		"fastText":     {"__label__b a\n__label__b", Options{}, 2},
	} {
		r, w := io.Pipe()
		go func() {
			io.WriteString(w, c.content)
			w.CloseWithError(broken)
		}()
		c.o.Stdin = r
		s, err := Open(context.Background(), "-", c.o)
		if err != nil {
			if name != "JSON array" { // whose first row is looked for in the first block
				t.Error(name, err)
			} else if !errors.Is(err, broken) {
				t.Error(err)
			}
			continue
		}
		got := dump(t, s)
		if want := fmt.Sprintf("error texts: stdin:%d: the disk is broken", c.line); len(got) != 2 || !strings.HasSuffix(got[0], ": b: a") || got[1] != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// An error of the reader is not damage of the packed data, wherever it comes, and is returned as it is.
func TestReadErrorsOfPackedStreams(t *testing.T) {
	var content strings.Builder
	content.WriteString("text,label\n")
	for i := range 20000 {
		fmt.Fprintf(&content, "row %d of many %x,pos\n", i, i*i*7919)
	}
	for name, packed := range map[string]string{"gzip": gzipped(content.String()), "zstd": zstdOf(content.String())} {
		for _, broken := range []error{errors.New("connection reset by peer"), io.ErrUnexpectedEOF, fs.ErrClosed} {
			for _, n := range []int{1, 2, 3, 4, 5, 8, 12, 20, len(packed) / 2, len(packed) - 3, len(packed)} {
				var last error
				s, err := Open(context.Background(), "-", Options{Stdin: io.MultiReader(strings.NewReader(packed[:n]), iotest.ErrReader(broken))})
				if last = err; err == nil {
					for _, err := range s.Rows(context.Background()) {
						last = err
					}
				}
				if last == nil || !errors.Is(last, broken) || !strings.HasSuffix(last.Error(), ": "+broken.Error()) || strings.Contains(last.Error(), "data") {
					t.Errorf("%s, %v after %d of %d bytes: the error %v", name, broken, n, len(packed), last)
				}
			}
		}
	}
}

// What a terminal should not get is quoted in paths too.
func TestOddPath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a\x1b[31m")
	if err := os.WriteFile(path, []byte("text,label\na\n"), 0o600); err != nil {
		t.Skip(err)
	}
	s := mustOpen(t, path, Options{})
	if got := dump(t, s); len(got) != 1 || strings.Contains(got[0], "\x1b") || !strings.HasSuffix(got[0], ":2:1: 1 field where 2 are expected") {
		t.Errorf("%q", got)
	}
}
