package model

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	"github.com/linnet-ml/linnet/internal/atomicfile"
	"github.com/linnet-ml/linnet/internal/safetensors"
	"github.com/linnet-ml/linnet/internal/strictjson"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
)

// SaveOptions are the settings of Save and Write. The zero value saves the model alone.
type SaveOptions struct {
	// State, when given, is kept in the file, for another process to go on training from.
	State *nn.TrainingState
	Info  Info
	// Kinds are examples of layers and other specs in the model that are not linnet's: Residual{}.
	Kinds []plan.Spec
}

// Save writes the model to the file at path, which is replaced as a whole: whatever happens, be it a power cut, there is the
// old file or the new one. The same model gives the same bytes. The weights are written as they are stored: see [Convert].
//
// A symbolic link is followed, and a file that is replaced keeps its mode.
//
// Do not save a model while it trains: its weights change as they are written. Save it in a callback, such as
// callbacks.ModelCheckpoint, which the training waits for.
func Save(ctx context.Context, path string, m *nn.Model, o SaveOptions) error {
	w, err := newWriting(ctx, m, &o)
	if err != nil {
		return fmt.Errorf("model: %w", err)
	}
	defer w.release()
	if err := atomicfile.Write(ctx, path, w.write); err != nil {
		return fmt.Errorf("model: %w", err)
	}
	return nil
}

// Write writes what Save does to the writer, whose errors it returns. What was written until then is no model. As with
// [Save], the model must not train meanwhile, except in a callback.
func Write(ctx context.Context, to io.Writer, m *nn.Model, o SaveOptions) error {
	if to == nil {
		return errors.New("model: the writer is nil")
	}
	w, err := newWriting(ctx, m, &o)
	if err != nil {
		return fmt.Errorf("model: %w", err)
	}
	defer w.release()
	if err := w.write(to); err != nil {
		return fmt.Errorf("model: %w", err)
	}
	return nil
}

// writing is a file that is about to be written.
type writing struct {
	ctx      context.Context
	metadata map[string]string
	entries  []safetensors.Entry
	held     []plan.Lender
}

func (w *writing) write(to io.Writer) error {
	return guard(w.held, func() error { return safetensors.Write(w.ctx, to, w.metadata, w.entries, safetensors.Aligned) })
}

// release gives back the files that the weights lie in.
func (w *writing) release() {
	for _, l := range w.held {
		l.Release()
	}
}

// newWriting gathers all that belongs into the file. It checks everything before a byte is written.
func newWriting(ctx context.Context, m *nn.Model, o *SaveOptions) (_ *writing, err error) {
	switch {
	case ctx == nil:
		return nil, errors.New("the context is nil")
	case m == nil:
		return nil, errors.New("the model is nil")
	}
	w := &writing{ctx: ctx, metadata: map[string]string{formatKey: strconv.Itoa(formatVersion)}}
	defer func() {
		if err != nil {
			w.release()
		}
	}()
	if err := o.Info.check(m); err != nil {
		return nil, err
	}
	maps.Copy(w.metadata, o.Info.Metadata)
	k, err := kinds(o.Kinds)
	if err != nil {
		return nil, err
	}
	d, assets, err := newDocument(m, k, &o.Info)
	if err != nil {
		return nil, err
	}
	if err := w.json(modelKey, d); err != nil {
		return nil, err
	}
	log := o.Info.History
	if log == nil && o.State != nil {
		log = o.State.History
	}
	if log != nil {
		if err := w.json(historyKey, log); err != nil {
			return nil, err
		}
	}
	for _, p := range m.Parameters() {
		if err := w.parameter(p); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(assets)) {
		entries, err := assetEntries(assetPrefix, name, assets[name])
		if err != nil {
			return nil, err
		}
		w.entries = append(w.entries, entries...)
	}
	if o.State != nil {
		if err := w.state(m, o.State); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// json adds a value to the metadata.
func (w *writing) json(key string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("%q: %w", key, err)
	}
	w.metadata[key] = string(b)
	return nil
}

// parameter adds the elements of a parameter.
func (w *writing) parameter(p *plan.Parameter) error {
	if len(p.Name()) >= len(reserved) && p.Name()[:len(reserved)] == reserved {
		return fmt.Errorf("parameter %s: names that begin with %q are linnet's", strictjson.Quote(p.Name()), reserved)
	}
	s := p.Storage()
	if lent, ok := s.(plan.LentStorage); ok {
		if err := lent.Lender.Acquire(); err != nil {
			return fmt.Errorf("parameter %s: %w", strictjson.Quote(p.Name()), err)
		}
		w.held = append(w.held, lent.Lender)
		s = lent.Storage
	}
	w.entries = append(w.entries, storageEntries(p, s)...)
	return nil
}
