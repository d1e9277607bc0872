package model

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/linnet-ml/linnet/internal/atomicfile"
	"github.com/linnet-ml/linnet/internal/mapfile"
	"github.com/linnet-ml/linnet/internal/safetensors"
	"github.com/linnet-ml/linnet/internal/shown"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
)

// Tensors are the named arrays of an open safetensors file, of linnet or of another tool. All methods may be called from any
// goroutine.
type Tensors struct {
	path   string
	file   *safetensors.File
	memory []*mapfile.File
}

// OpenTensors opens a safetensors file, or a model that Hugging Face's tools have spread over several files: path is then its
// index, model.safetensors.index.json, which is known by its ending .json.
//
// The files are mapped into memory where the system can; values are read when they are asked for. Headers are checked whole,
// and what is wrong with them is an error that names the place; memory is taken in proportion to the headers. The files
// that an index names must lie in its folder: a path, or a symbolic link that leaves the folder, is an error. (The links in
// the cache of huggingface_hub do that; download to a folder of its own.) So is a tensor that is not in the file where the
// index has it, and one that the index does not name.
func OpenTensors(ctx context.Context, path string) (*Tensors, error) {
	if ctx == nil {
		return nil, errNilContext
	}
	t := &Tensors{path: path}
	var err error
	if strings.EqualFold(filepath.Ext(path), ".json") {
		err = t.openIndex(ctx)
	} else {
		t.file, err = t.open(ctx, path)
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		t.Close()
		return nil, shown.Errorf("model: %w", err)
	}
	return t, nil
}

// open opens one file and keeps its memory.
func (t *Tensors) open(ctx context.Context, path string) (f *safetensors.File, err error) {
	memory, err := mapfile.Open(path)
	if err != nil {
		return nil, err
	}
	t.memory = append(t.memory, memory)
	err = guard([]plan.Lender{memory}, func() error {
		if f, err = safetensors.OpenBytes(ctx, memory.Bytes()); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return nil
	})
	return f, err
}

// maxIndex is the largest index in bytes: as large as a header may be.
const maxIndex = 100_000_000

func (t *Tensors) openIndex(ctx context.Context) error {
	index, err := readIndex(ctx, t.path)
	if err != nil {
		return err
	}
	folder, err := os.OpenRoot(filepath.Dir(t.path))
	if err != nil {
		return err
	}
	defer folder.Close()
	files := make([]*safetensors.File, len(index.Files()))
	for i, name := range index.Files() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := folder.Stat(name); err != nil { // follows links, within the folder only
			return fmt.Errorf("%s: %w", t.path, err)
		}
		if files[i], err = t.open(ctx, filepath.Join(filepath.Dir(t.path), name)); err != nil {
			return err
		}
	}
	if t.file, err = index.Join(files); err != nil {
		return fmt.Errorf("%s: %w", t.path, err)
	}
	return nil
}

func readIndex(ctx context.Context, path string) (index *safetensors.Index, err error) {
	memory, err := mapfile.Open(path)
	if err != nil {
		return nil, err
	}
	defer memory.Close()
	if memory.Size() > maxIndex {
		return nil, fmt.Errorf("%s: an index of %d bytes exceeds %d", path, memory.Size(), maxIndex)
	}
	err = guard([]plan.Lender{memory}, func() error {
		if index, err = safetensors.ParseIndex(ctx, memory.Bytes()); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return nil
	})
	return index, err
}

// isOpen is false for Tensors that OpenTensors has not made.
func (t *Tensors) isOpen() bool { return t != nil && t.file != nil }

// Names lists the names of all tensors, sorted.
func (t *Tensors) Names() []string {
	if !t.isOpen() {
		return nil
	}
	names := make([]string, 0, len(t.file.Tensors()))
	for _, x := range t.file.Tensors() {
		names = append(names, x.Name)
	}
	slices.Sort(names)
	return names
}

// Metadata returns what the file holds beside the tensors, nil if that is nothing. Of several files it is that of all together;
// where two have a key, the value of the first counts, in the order of their names.
func (t *Tensors) Metadata() map[string]string {
	if !t.isOpen() {
		return nil
	}
	return maps.Clone(t.file.Metadata())
}

// Shape returns the dimensions of a tensor, none for a scalar.
func (t *Tensors) Shape(name string) (tensor.Shape, error) {
	x, err := t.tensor(name)
	return tensor.Shape(x.Shape).Clone(), err
}

// DType returns the type of a tensor's elements as the format names it: F64, F32, F16, BF16, I64, I32, I16, I8, U64, U32, U16, U8,
// BOOL, C64, or one of the floats of a byte or less, such as F8_E4M3 and F4.
func (t *Tensors) DType(name string) (string, error) {
	x, err := t.tensor(name)
	return string(x.DType), err
}

// Float32 reads a tensor of F32, F16, BF16 or I8, which are exact. Other types are an error that names the type. It ends with an
// error when ctx is done, and after Close with one that wraps fs.ErrClosed.
func (t *Tensors) Float32(ctx context.Context, name string) (*tensor.Float32, error) {
	return t.float32(ctx, name, safetensors.Conversion{})
}

// RoundedFloat32 reads what Float32 does and F64, rounded to the nearest float32. A number beyond the range of float32 is an
// error that names the element.
func (t *Tensors) RoundedFloat32(ctx context.Context, name string) (*tensor.Float32, error) {
	return t.float32(ctx, name, safetensors.Conversion{RoundF64: true})
}

func (t *Tensors) float32(ctx context.Context, name string, c safetensors.Conversion) (*tensor.Float32, error) {
	return read(t, ctx, name, func(x safetensors.Tensor, dst []float32) error { return x.ReadFloat32(ctx, dst, c) })
}

// Int32 reads a tensor of whole numbers: I32, I16, I8, U16 and U8, and I64, U32 and U64 if no value is beyond the range of int32. It
// ends as Float32 does.
func (t *Tensors) Int32(ctx context.Context, name string) (*tensor.Int32, error) {
	return read(t, ctx, name, func(x safetensors.Tensor, dst []int32) error { return x.ReadInt32(ctx, dst) })
}

// Close closes the file. Arrays that were read stay.
func (t *Tensors) Close() error {
	if t == nil {
		return nil
	}
	var errs []error
	for _, m := range t.memory {
		errs = append(errs, m.Close())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("model: %w", err)
	}
	return nil
}

func (t *Tensors) tensor(name string) (safetensors.Tensor, error) {
	if !t.isOpen() {
		return safetensors.Tensor{}, errors.New("model: the Tensors are nil or empty: OpenTensors makes them")
	}
	x, err := t.file.Tensor(name)
	if err != nil {
		return x, fmt.Errorf("model: %s: %w", t.path, err)
	}
	return x, nil
}

// read makes an array of what fill reads, while the files are held.
func read[E float32 | int32](t *Tensors, ctx context.Context, name string, fill func(safetensors.Tensor, []E) error) (*tensor.Array[E], error) {
	if ctx == nil {
		return nil, errNilContext
	}
	x, err := t.tensor(name)
	if err != nil {
		return nil, err
	}
	held := make([]plan.Lender, 0, len(t.memory))
	for _, m := range t.memory {
		if err := m.Acquire(); err != nil {
			return nil, fmt.Errorf("model: %w", err)
		}
		defer m.Release()
		held = append(held, m)
	}
	a, err := tensor.New[E](x.Shape...)
	if err == nil {
		err = guard(held, func() error { return fill(x, a.Data()) })
	}
	if err != nil {
		return nil, fmt.Errorf("model: %s: %w", t.path, err)
	}
	return a, nil
}

// SaveTensors writes arrays to a safetensors file at path, which is replaced as a whole, as [Save] does. Arrays are
// *tensor.Float32 or *tensor.Int32; metadata may be nil. The same content gives the same bytes. Every tensor is aligned for its
// type, and one whose size is a multiple of 64 bytes begins at a multiple of 64.
func SaveTensors(ctx context.Context, path string, arrays map[string]tensor.Rows, metadata map[string]string) error {
	if ctx == nil {
		return errNilContext
	}
	entries := make([]safetensors.Entry, 0, len(arrays))
	for _, name := range slices.Sorted(maps.Keys(arrays)) {
		e := safetensors.Entry{Name: name}
		switch a := arrays[name].(type) {
		case *tensor.Float32:
			if a != nil {
				e.Shape, e.Data = a.Shape(), safetensors.Float32Data(a.Data())
			}
		case *tensor.Int32:
			if a != nil {
				e.Shape, e.Data = a.Shape(), safetensors.Int32Data(a.Data())
			}
		case nil:
		default:
			return fmt.Errorf("model: tensor %.80q is a %T: only arrays of float32 and int32 are saved", name, a)
		}
		if e.Data == nil {
			return fmt.Errorf("model: tensor %.80q is nil", name)
		}
		entries = append(entries, e)
	}
	err := atomicfile.Write(ctx, path, func(w io.Writer) error {
		return safetensors.Write(ctx, w, metadata, entries, safetensors.Aligned)
	})
	if err != nil {
		return fmt.Errorf("model: %w", err)
	}
	return nil
}
