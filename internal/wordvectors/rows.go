package wordvectors

import (
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
)

// batchBytes is how much of a file goes to a worker at a time.
const batchBytes = 64 << 10

// A batch is some vectors that wait to be read as numbers.
type batch struct {
	row    int // of the first
	values []byte
	ends   []int // of each vector in values
	words  []int
	places []int64
}

// ReadRows reads on to the end of the file, or until dst is full, and writes the vectors of the words that want accepts
// to dst, row by row; want is asked for each word, with the row that it would be. ReadRows returns how many rows it
// wrote. The numbers are read on all cores while this goroutine goes through the file. An error is the first in the file.
func (d *Reader) ReadRows(dst []float32, want func(row int, word []byte) bool) (rows int, err error) {
	if len(dst)%d.dim != 0 {
		return 0, fmt.Errorf("wordvectors: vectors of %d values do not fill %d", d.dim, len(dst))
	}
	w := rowWorkers{kind: d.kind, dim: d.dim, dst: dst, full: make(chan *batch), free: make(chan *batch, 2*runtime.GOMAXPROCS(0))}
	for range cap(w.free) {
		w.free <- &batch{}
	}
	for range runtime.GOMAXPROCS(0) {
		w.running.Go(w.work)
	}
	rows, err = w.fill(d, want)
	close(w.full)
	w.running.Wait()
	if w.err != nil { // it stands before what fill may have found
		return w.errRow, w.err
	}
	return rows, err
}

type rowWorkers struct {
	kind       Kind
	dim        int
	dst        []float32
	full, free chan *batch
	running    sync.WaitGroup
	failed     atomic.Bool

	mu     sync.Mutex
	errRow int
	err    error // of the first row that has one
}

// fill hands out the vectors.
func (w *rowWorkers) fill(d *Reader, want func(row int, word []byte) bool) (rows int, err error) {
	b := <-w.free
	defer func() {
		if len(b.ends) > 0 {
			w.full <- b
		}
	}()
	for rows*w.dim < len(w.dst) && !w.failed.Load() {
		word, err := d.Next()
		if err == io.EOF {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		if !want(rows, word) {
			continue
		}
		if len(b.ends) == 0 {
			b.row = rows
		}
		b.values = append(b.values, d.values...)
		b.ends = append(b.ends, len(b.values))
		b.words, b.places = append(b.words, d.read), append(b.places, d.place)
		rows++
		if len(b.values) >= batchBytes {
			w.full <- b
			b = <-w.free
		}
	}
	return rows, nil
}

func (w *rowWorkers) work() {
	for b := range w.full {
		start := 0
		for k, end := range b.ends {
			row := b.row + k
			if i, err := parse(w.kind, b.values[start:end], w.dst[row*w.dim:(row+1)*w.dim]); err != nil {
				w.fail(row, fmt.Errorf("wordvectors: %s: value %d%w", placeOf(w.kind, b.words[k], b.places[k]), i+1, err))
				break
			}
			start = end
		}
		*b = batch{values: b.values[:0], ends: b.ends[:0], words: b.words[:0], places: b.places[:0]}
		w.free <- b
	}
}

func (w *rowWorkers) fail(row int, err error) {
	w.failed.Store(true)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil || row < w.errRow {
		w.errRow, w.err = row, err
	}
}
