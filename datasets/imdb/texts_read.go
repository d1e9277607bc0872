package imdb

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/klauspost/compress/gzip"

	"github.com/linnet-ml/linnet/datasets/internal/textfile"
	"github.com/linnet-ml/linnet/internal/ratio"
	"github.com/linnet-ml/linnet/internal/shown"
)

// readArchive reads a tar archive that gzip compressed.
func (c *collector) readArchive(r io.Reader, limit ratio.Limit) error {
	counted := &ratio.Counter{R: r}
	unpacked, err := gzip.NewReader(bufio.NewReaderSize(counted, 256<<10))
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return err
	}
	ahead := readAhead(limit.Reader(unpacked, counted.Count))
	defer ahead.stop()
	if err := c.readTar(ahead); err != nil || c.complete() {
		return err
	}
	// The checksum lies behind the end of the tar archive.
	_, err = io.Copy(io.Discard, ahead)
	return err
}

// readTar reads the entries up to the last review that may be wanted.
func (c *collector) readTar(r io.Reader) error {
	archive := tar.NewReader(r)
	var text bytes.Buffer
	last := ""
	for !c.complete() {
		h, err := archive.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			if last == "" {
				return err
			}
			return fmt.Errorf("after %s: %w", shown.Name(last), err)
		}
		last = h.Name
		k, name, rating, wanted, err := c.classify(h.Name)
		if err == nil && wanted && (h.Typeflag != tar.TypeReg || hasHoles(h)) {
			err = errors.New("it is no regular file")
		}
		if err == nil && wanted {
			text.Reset()
			// The size that the entry claims says nothing yet: what comes is read.
			_, err = text.ReadFrom(io.LimitReader(archive, maxReview+1))
			if err == nil && text.Len() > maxReview {
				err = fmt.Errorf("more than %d bytes, which no review has", maxReview)
			}
			if err == nil {
				err = c.add(k, name, rating, text.Bytes())
			}
		}
		if err != nil {
			return fmt.Errorf("%s: %w", shown.Name(h.Name), err)
		}
	}
	return nil
}

// hasHoles tells a sparse file, of which the archive need not hold what it unpacks to.
func hasHoles(h *tar.Header) bool {
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return false
}

// readFolder reads what an archive was unpacked to.
func (c *collector) readFolder(ctx context.Context, fsys fs.FS) error {
	for k, wanted := range c.wanted {
		if !wanted {
			continue
		}
		entries, err := fs.ReadDir(fsys, classes[k].folder)
		if errors.Is(err, fs.ErrNotExist) {
			continue // what is missing is seen when all are counted
		}
		if err != nil {
			return err
		}
		var names []string
		var ratings []int32
		for _, e := range entries {
			path := classes[k].folder + "/" + e.Name()
			_, name, rating, wanted, err := c.classify(path)
			if err != nil {
				return fmt.Errorf("%s: %w", shown.Name(path), err)
			}
			if wanted {
				names, ratings = append(names, name), append(ratings, rating)
			}
		}
		texts, err := textfile.Read(ctx, fsys, names, textfile.Limits{Max: maxReview})
		if err != nil {
			return err
		}
		for i, text := range texts {
			c.reviews[k] = append(c.reviews[k], review{names[i], text, ratings[i]})
		}
	}
	return nil
}

// aheadReader reads on another processor what will be asked for next.
type aheadReader struct {
	full  chan filled
	empty chan []byte
	done  chan struct{}
	now   filled
	rest  []byte
}

type filled struct {
	data []byte
	err  error
}

func readAhead(r io.Reader) *aheadReader {
	const buffers = 3
	a := &aheadReader{full: make(chan filled, buffers+1), empty: make(chan []byte, buffers), done: make(chan struct{})}
	for range buffers {
		a.empty <- make([]byte, 256<<10)
	}
	go func() {
		defer close(a.done)
		defer close(a.full)
		for buf := range a.empty {
			var n int
			var err error
			for buf = buf[:cap(buf)]; n < len(buf) && err == nil; {
				var m int
				m, err = r.Read(buf[n:])
				n += m
			}
			a.full <- filled{buf[:n], err}
			if err != nil {
				return
			}
		}
	}()
	return a
}

func (a *aheadReader) Read(p []byte) (int, error) {
	for len(a.rest) == 0 {
		if a.now.err != nil {
			return 0, a.now.err
		}
		if a.now.data != nil {
			a.empty <- a.now.data
		}
		a.now = <-a.full
		a.rest = a.now.data
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}

// stop ends the reading; when it returns nothing reads any more.
func (a *aheadReader) stop() {
	close(a.empty)
	<-a.done
}
