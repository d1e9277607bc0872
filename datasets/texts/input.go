package texts

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/linnet-ml/linnet/internal/filekind"
	"github.com/linnet-ml/linnet/internal/ratio"
)

// The compressions.
const (
	gzipName = "gzip"
	zstdName = "zstd"
)

// maxWindow is how far back a zstd file may refer, in bytes, and so the memory that unpacking takes. It is what the program
// zstd allows without further options.
const maxWindow = 128 << 20

// magics are the first bytes of what is read in another way, or not at all.
var magics = []struct{ magic, name, refused string }{
	{"\x1f\x8b", gzipName, ""},
	{"\x28\xb5\x2f\xfd", zstdName, ""},
	{"PK\x03\x04", "", "a zip archive, or a file of Excel or OpenOffice; unpack it, or export it as CSV"},
	{"\xd0\xcf\x11\xe0\xa1\xb1", "", "a file of Excel or Word; export it as CSV"},
	{"BZh91AY&SY", "", "packed with bzip2; unpack it, or pack it with gzip or zstd"},
	{"\xfd7zXZ\x00", "", "packed with xz; unpack it, or pack it with gzip or zstd"},
	{"7z\xbc\xaf\x27\x1c", "", "packed with 7-Zip; unpack it, or pack it with gzip or zstd"},
	{"\x04\x22\x4d\x18", "", "packed with lz4; unpack it, or pack it with gzip or zstd"},
	{"PAR1", "", "a Parquet file, for which there is no reader here"},
	{"ARROW1\x00\x00", "", "an Arrow file; export it as CSV or JSON lines"},
	{"Obj\x01", "", "an Avro file; export it as CSV or JSON lines"},
	{"SQLite format 3\x00", "", "an SQLite database; export it as CSV"},
	{"\x89HDF\r\n\x1a\n", "", "an HDF5 file; export it as CSV"},
	{"%PDF-", "", "a PDF document; export its text"},
	{"{\\rtf", "", "an RTF document; export its text"},
	{"\x89PNG\r\n", "", "a picture"},
	{"\xff\xd8\xff", "", "a picture"},
}

// refusedError reports a file that is no text.
type refusedError struct{ magic, what string }

func (e *refusedError) Error() string { return "it is " + e.what }

// skippable is what follows the first byte, 0x50 to 0x5F, of a frame of zstd that is skipped.
const skippable = "\x2a\x4d\x18"

// raw reads a file or stream, looks at its context before each read, and counts.
type raw struct {
	ctx  context.Context
	r    io.Reader
	read *atomic.Int64
	n    int64 // bytes read
	err  error // of ctx or r, other than io.EOF
}

func (r *raw) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		r.err = err
		return 0, err
	}
	n, err := r.r.Read(p[:min(len(p), block)])
	r.read.Add(int64(n))
	r.n += int64(n)
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}

// input is one reading of a file or stream, unpacked.
type input struct {
	*bufio.Reader
	raw         *raw
	compression string
	close       func() error
}

// newInput finds the compression. It closes what it was given if it fails.
func newInput(r *raw, limit ratio.Limit, closer func() error) (*input, error) {
	in := &input{Reader: bufio.NewReaderSize(r, piece/2), raw: r, close: closer}
	bounded := func(z io.Reader, name string) *bufio.Reader {
		z = limit.Reader(z, func() int64 { return r.n })
		return bufio.NewReaderSize(&unpacked{z, r, name}, piece/2)
	}
	name, err := in.magic()
	if err == nil {
		in.compression = name
		switch name {
		case gzipName:
			var z *gzip.Reader
			if z, err = gzip.NewReader(in.Reader); err == nil {
				in.Reader = bounded(z, name)
			} else {
				err = unpackError(r, name, err)
			}
		case zstdName:
			var z *zstd.Decoder
			z, err = zstd.NewReader(in.Reader, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
				zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderMaxMemory(1<<63))
			if err == nil {
				in.close = func() error {
					z.Close()
					return closer()
				}
				in.Reader = bounded(z, name)
			} else {
				err = unpackError(r, name, err)
			}
		}
	}
	if err == nil && in.compression != "" {
		var twice string
		if twice, err = in.magic(); err == nil && twice != "" {
			err = fmt.Errorf("it is packed twice: %s in %s; unpack it once", twice, in.compression)
		}
	}
	if err != nil {
		in.close()
		return nil, err
	}
	return in, nil
}

// magic returns the compression that the first bytes tell, or an error if they tell what cannot be read. It waits for no
// more bytes than it needs.
func (in *input) magic() (string, error) {
	for n := 1; ; n++ {
		head, err := in.Peek(n)
		if err != nil && err != io.EOF {
			return "", err
		}
		possible := false
		if n := len(head); n > 0 && head[0]&0xF0 == 0x50 && n <= 4 && string(head[1:]) == skippable[:n-1] {
			if n == 4 {
				return zstdName, nil
			}
			possible = err == nil
		}
		for _, m := range magics {
			switch {
			case len(head) == len(m.magic) && string(head) == m.magic:
				if m.refused != "" {
					return "", &refusedError{m.magic, m.refused}
				}
				return m.name, nil
			case len(head) == n && n < len(m.magic) && m.magic[:n] == string(head):
				possible = true
			}
		}
		if !possible {
			return "", nil
		}
	}
}

// mark returns the encoding that a byte order mark names, and goes on after the mark.
func (in *input) mark() (string, error) {
	for n := 1; ; n++ {
		head, err := in.Peek(n)
		if err != nil && err != io.EOF {
			return "", err
		}
		var longer, found string
		for _, m := range marks {
			if len(head) == n && n < len(m.mark) && m.mark[:n] == string(head) {
				longer = m.name
			}
			if found == "" && bytes.HasPrefix(head, []byte(m.mark)) {
				found = m.name
			}
		}
		if longer != "" {
			continue
		}
		switch found {
		case "":
			return "", nil
		case utf8Name:
			_, err = in.Discard(3)
		case utf16leName, utf16beName:
			_, err = in.Discard(2)
		default:
			err = fmt.Errorf("its encoding is %s; convert it to UTF-8", found)
		}
		return found, err
	}
}

// decoded returns a reader of r as UTF-8. kind is for an encoding that is not known yet.
func decoded(r io.Reader, encoding string, kind *atomic.Int32) io.Reader {
	switch encoding {
	case utf16leName:
		return &utf16Reader{r: r, order: binary.LittleEndian}
	case utf16beName:
		return &utf16Reader{r: r, order: binary.BigEndian}
	case ansiName:
		return &ansiReader{r: r}
	case utf8Name:
		return r
	}
	return &undecidedReader{r: r, kind: kind}
}

// unpacked says in words what is wrong with packed data.
type unpacked struct {
	r    io.Reader
	raw  *raw // what r reads
	name string
}

func (u *unpacked) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	return n, unpackError(u.raw, u.name, err)
}

// unpackError says what is wrong with packed data, unless it is that reading the file or stream failed: decoders may
// turn an io.ErrUnexpectedEOF of the reader into the end of the data.
func unpackError(r *raw, name string, err error) error {
	ended := err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF)
	switch {
	case err == nil:
		return nil
	case r.err != nil && (ended || errors.Is(err, r.err)):
		return r.err
	case err == io.EOF:
		return err
	case ended:
		return fmt.Errorf("the %s data is cut short: %w", name, err)
	case errors.Is(err, ratio.ErrExceeded):
		return fmt.Errorf("the %s data is %w", name, err)
	case errors.Is(err, zstd.ErrWindowSizeExceeded):
		return fmt.Errorf("the zstd data needs a window of more than %d MiB: %w", maxWindow>>20, err)
	}
	return fmt.Errorf("the %s data is damaged: %w", name, err)
}

// stream makes reads of a reader end with a context. The reader may block as long as it likes: a goroutine waits for it,
// and reads one piece ahead.
type stream struct {
	pieces chan []byte
	free   chan []byte
	done   chan struct{}
	left   []byte
	piece  []byte
	err    error // of the reader, once pieces is closed
}

func newStream(r io.Reader) *stream {
	s := &stream{pieces: make(chan []byte), free: make(chan []byte, 2), done: make(chan struct{})}
	s.free <- make([]byte, piece)
	s.free <- make([]byte, piece)
	go func() {
		defer close(s.pieces)
		for empty := 0; ; {
			var p []byte
			select {
			case p = <-s.free:
			case <-s.done:
				return
			}
			n, err := r.Read(p[:cap(p)])
			if n == 0 && err == nil {
				if empty++; empty == 100 {
					err = io.ErrNoProgress
				}
				s.free <- p
			}
			if n > 0 {
				empty = 0
				select {
				case s.pieces <- p[:n]:
				case <-s.done:
					return
				}
			}
			if err != nil {
				s.err = err
				return
			}
		}
	}()
	return s
}

// close ends the reads, and the goroutine once the reader returns. It is called once, by any goroutine.
func (s *stream) close() { close(s.done) }

func (s *stream) closed() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// read is Read with a context. After close it returns [fs.ErrClosed].
func (s *stream) read(ctx context.Context, p []byte) (int, error) {
	if s.closed() {
		return 0, fs.ErrClosed
	}
	if len(s.left) == 0 {
		if s.piece != nil {
			s.free <- s.piece
			s.piece = nil
		}
		select {
		case piece, ok := <-s.pieces:
			if !ok {
				if s.closed() { // s.err may be that the reader was closed
					return 0, fs.ErrClosed
				}
				return 0, s.err
			}
			s.piece, s.left = piece, piece
		case <-s.done:
			return 0, fs.ErrClosed
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	n := copy(p, s.left)
	s.left = s.left[n:]
	return n, nil
}

// streamReader reads a stream with the context of the raw that reads it.
type streamReader struct {
	s *stream
	r *raw
}

func (r *streamReader) Read(p []byte) (int, error) { return r.s.read(r.r.ctx, p) }

// checkKind refuses what is neither a file nor a folder nor a named pipe.
func checkKind(mode fs.FileMode) error {
	switch {
	case mode.IsRegular(), mode&fs.ModeNamedPipe != 0, mode.IsDir():
		return nil
	case mode&fs.ModeDevice != 0:
		return errors.New(notFile(mode) + "; - reads the standard input")
	}
	return errors.New(notFile(mode))
}

// notFile says what is there instead of a file.
func notFile(mode fs.FileMode) string { return "it is " + filekind.Name(mode) + ", not a file" }

// openPipe opens a named pipe, which waits until somebody writes to it, or until the context ends.
func openPipe(ctx context.Context, path string) (*os.File, error) {
	type result struct {
		f   *os.File
		err error
	}
	opened := make(chan result, 1)
	go func() {
		f, err := os.Open(path)
		opened <- result{f, err}
	}()
	select {
	case o := <-opened:
		return o.f, o.err
	case <-ctx.Done():
		// It is woken here, not in the background: a writer who comes later would be taken for the one who wakes.
		for range 8 {
			wakePipe(path)
			select {
			case o := <-opened:
				if o.f != nil {
					o.f.Close()
				}
				return nil, ctx.Err()
			case <-time.After(10 * time.Millisecond): // it was not waiting yet
			}
		}
		return nil, ctx.Err()
	}
}

// readAll appends a whole file to buf, as far as it has no more than most bytes; over tells that it has more.
func readAll(r io.Reader, buf []byte, most int) (b []byte, over bool, err error) {
	for {
		if len(buf) > most {
			return buf, true, nil
		}
		if cap(buf)-len(buf) < 64 { // a decoder needs room for some characters
			buf = slices.Grow(buf, max(16<<10, len(buf)))
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if err == io.EOF {
			return buf, len(buf) > most, nil
		}
		if err != nil {
			return buf, false, err
		}
	}
}
