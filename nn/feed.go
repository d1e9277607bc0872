package nn

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
)

// feed is where the batches of Fit and Evaluate come from: data in memory, of which each batch is some rows, or a
// source that makes its own.
type feed struct {
	model      *Model
	program    *program
	objectives []objective
	classes    map[int]float32 // the weights of classes, or nil

	// data is all of it, or with a stream the latest batch.
	data *dataset

	// In memory: the order of the rows, or nil for that in which they lie, in batches of so many.
	order     []int32
	batch, at int
	buffer    []int32 // the numbers of a batch's rows

	// From a stream.
	stream Source
	next   func() (Batch, error, bool)
	stop   func()
	epoch  int
	step   int
	fresh  bool // data is the first batch of the epoch and has not been handed out
	seen   bool // a batch was read before

	validation bool // for errors: these are the data of a Fit's validation
}

// newFeed checks the data; of a stream it reads the first batch of the epoch. It is told of data that is read but once.
// end must be called.
func (m *Model) newFeed(ctx context.Context, g *program, src Source, objectives []objective, batch, epoch int, once bool) (*feed, error) {
	if isNil(src) {
		return nil, errNoSource
	}
	f := &feed{model: m, program: g, objectives: objectives, batch: batch}
	d, inMemory := asData(src)
	if !inMemory {
		f.stream = src
		return f, f.open(ctx, epoch)
	}
	var err error
	b := Batch(d)
	if f.data, err = m.dataset(ctx, g, &b, objectives, once, nil); err != nil {
		return nil, err
	}
	return f, nil
}

// asData returns the rows in memory that a source is, if it is that.
func asData(src Source) (Data, bool) {
	switch d := src.(type) {
	case Data:
		return d, true
	case *Data:
		return *d, true
	}
	return Data{}, false
}

// weigh gives the rows the weights of their classes, where there are any.
func (f *feed) weigh() (err error) {
	if f.classes == nil {
		return nil
	}
	for i := range f.data.labels {
		set := &f.data.labels[i]
		if set.weights != nil {
			return errors.New("nn: class weights and sample weights cannot go together")
		}
		if set.weights, err = classWeights(set, f.data.n, f.classes); err != nil {
			return err
		}
	}
	return nil
}

// steps is the number of batches in an epoch, 0 when it is not known.
func (f *feed) steps() int {
	if f.stream != nil {
		return 0
	}
	return ceilDiv(f.data.n, f.batch)
}

// rows is how many rows a batch has, as far as is known.
func (f *feed) rows() int {
	if f.stream != nil {
		return f.data.n
	}
	return min(f.batch, f.data.n)
}

// threads is the number of workers for a setting. As far as is known a stream may have larger batches than the first.
func (f *feed) threads(setting int) int {
	rows := f.rows()
	if f.stream != nil {
		rows = max(rows, setting*f.program.unit)
	}
	return f.model.threads(f.program, setting, rows, f.data.signatures)
}

// begin starts an epoch. Data in memory has the given order, or that in which it lies.
func (f *feed) begin(ctx context.Context, epoch int, order []int32) error {
	if f.stream == nil {
		f.order, f.at = order, 0
		return nil
	}
	if f.fresh && f.epoch == epoch {
		return nil // newFeed has opened it
	}
	return f.open(ctx, epoch)
}

// open begins the stream's batches of an epoch and reads the first.
func (f *feed) open(ctx context.Context, epoch int) (err error) {
	if err := f.end(); err != nil {
		return err
	}
	defer recovering(&err)
	f.next, f.stop = iter.Pull2(f.stream.Batches(ctx, epoch))
	f.epoch, f.step = epoch, 0
	ok, err := f.pull(ctx)
	if err == nil && !ok {
		err = fault("nn: the stream has no batch in epoch %d", epoch+1)
		if f.validation {
			err = &placedError{"validation data", err}
		}
	}
	if err != nil {
		f.end()
		return err
	}
	f.fresh = true
	return nil
}

// end gives the stream back. A source that panics when it is stopped is an error.
func (f *feed) end() (err error) {
	if f.stop == nil {
		return nil
	}
	defer recovering(&err)
	stop := f.stop
	f.stop, f.fresh = nil, false
	stop()
	return nil
}

// endAfter gives the stream back after a call that returns err, and keeps the first error.
func (f *feed) endAfter(err *error) {
	if e := f.end(); *err == nil {
		*err = e
	}
}

// pull reads the stream's next batch into data, or returns false when there is none.
func (f *feed) pull(ctx context.Context) (_ bool, err error) {
	defer recovering(&err)
	b, err, ok := f.next()
	if !ok {
		return false, nil
	}
	var old *dataset
	if err == nil {
		old = f.data
		f.data, err = f.model.dataset(ctx, f.program, &b, f.objectives, false, old)
	}
	if err == nil {
		err = f.weigh()
	}
	if err == nil && f.seen {
		for i := range f.data.labels {
			before, now := old.labels[i].shape, f.data.labels[i].shape
			if !slices.Equal(before, now) {
				err = fault("labels of shape %v follow labels of shape %v", now, before)
			}
		}
	}
	if err != nil {
		return false, &placedError{f.place(), err}
	}
	f.seen = true
	f.step++
	return true, nil
}

// place names the stream's coming batch.
func (f *feed) place() string {
	if f.validation {
		return fmt.Sprintf("validation data: batch %d", f.step+1)
	}
	return fmt.Sprintf("batch %d of epoch %d", f.step+1, f.epoch+1)
}

// take returns the data that the next batch is of, and its rows, or none at the epoch's end.
func (f *feed) take(ctx context.Context) (*dataset, []int32, error) {
	if f.stream == nil {
		n := min(f.batch, f.data.n-f.at)
		at := f.at
		f.at += n
		if f.order != nil {
			return f.data, f.order[at : at+n], nil
		}
		f.buffer = consecutive(f.buffer, f.data.lo+at, n)
		return f.data, f.buffer, nil
	}
	if !f.fresh {
		if ok, err := f.pull(ctx); !ok {
			return nil, nil, err
		}
	}
	f.fresh = false
	f.buffer = consecutive(f.buffer, 0, f.data.n)
	return f.data, f.buffer, nil
}
