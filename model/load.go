package model

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/internal/mapfile"
	"github.com/linnet-ml/linnet/internal/safetensors"
	"github.com/linnet-ml/linnet/internal/shown"
	"github.com/linnet-ml/linnet/internal/strictjson"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/nn/plan"
	"github.com/linnet-ml/linnet/tensor"
)

// LoadOptions are the settings of Load, Read and FromBytes.
type LoadOptions struct {
	// Kinds are examples of layers and other specs in the model that are not linnet's: Residual{}. A file with a kind that
	// is in neither list is an error that names it and where it stands.
	Kinds []plan.Spec
	// InMemory copies the weights. By default those of a file are read where they lie.
	InMemory bool
}

// File is an open model file.
type File struct {
	// Model is ready to predict and to train. Its weights lie in the file, so that it ends with Close, but for those that
	// training copied.
	Model *nn.Model
	Info  Info

	name   string
	file   *safetensors.File
	memory *mapfile.File // nil if the file is read as it is needed
}

// Load opens the model in the file at path, which [Save] wrote. The file is mapped into memory: however large it is, this takes
// no longer than reading its header and what the layers need beside weights, such as a vocabulary. Weights are read where they
// lie, and copied when they are trained. Where files cannot be mapped it is read into memory.
//
// Nothing in the file is trusted, and no code in it runs: it names kinds of layers, which the program has, and their
// settings. What is wrong with it is an error that names the place; memory is taken in proportion to the file. That the
// weights are good for anything, or even finite, is not checked.
//
// While a file is in use it must not be cut short. [Save] replaces it instead, and a model that is open keeps the old one.
func Load(ctx context.Context, path string, o LoadOptions) (*File, error) {
	if ctx == nil {
		return nil, errNilContext
	}
	memory, err := mapfile.Open(path)
	if err != nil {
		return nil, shown.Errorf("model: %w", err)
	}
	f, err := openMapped(ctx, path, memory, &o)
	if err != nil {
		memory.Close()
		return nil, err
	}
	return f, nil
}

// FromBytes opens the model in b, the content of a file that is in memory already, such as one that is embedded in the
// program. The weights are read where they lie: b must not change.
func FromBytes(ctx context.Context, b []byte, o LoadOptions) (*File, error) {
	if ctx == nil {
		return nil, errNilContext
	}
	const name = "bytes"
	return openMapped(ctx, name, mapfile.FromBytes(name, b), &o)
}

func openMapped(ctx context.Context, name string, memory *mapfile.File, o *LoadOptions) (*File, error) {
	if err := memory.Acquire(); err != nil {
		return nil, shown.Errorf("model: %w", err)
	}
	defer memory.Release()
	f := &File{name: name, memory: memory}
	err := guard([]plan.Lender{memory}, func() (err error) {
		if f.file, err = safetensors.OpenBytes(ctx, memory.Bytes()); err != nil {
			return fmt.Errorf("%s: %w", name, notModel(err))
		}
		return f.open(ctx, o)
	})
	if err != nil {
		return nil, shown.Errorf("model: %w", err)
	}
	return f, nil
}

// Read reads the model in the size bytes of r, a file's content. The weights are copied into memory.
func Read(ctx context.Context, r io.ReaderAt, size int64, o LoadOptions) (*File, error) {
	if ctx == nil {
		return nil, errNilContext
	}
	if r == nil {
		return nil, errors.New("model: the reader is nil")
	}
	file, err := safetensors.Open(ctx, r, size)
	if err != nil {
		return nil, shown.Errorf("model: %w", notModel(err))
	}
	f := &File{name: "file", file: file}
	if err := f.open(ctx, &o); err != nil {
		return nil, shown.Errorf("model: %w", err)
	}
	return f, nil
}

// notModel is err, or what to say of a file that is none of safetensors.
func notModel(err error) error {
	var foreign *safetensors.ForeignError
	switch {
	case !errors.As(err, &foreign):
		return err
	case foreign.What == "":
		return errors.New("it is no model file of linnet")
	}
	return fmt.Errorf("it is %s, not a model file of linnet", foreign.What)
}

// open reads what the header says, and builds the model.
func (f *File) open(ctx context.Context, o *LoadOptions) error {
	if err := f.read(ctx, o); err != nil {
		return fmt.Errorf("%s: %w", f.name, err)
	}
	return nil
}

func (f *File) read(ctx context.Context, o *LoadOptions) error {
	metadata := f.file.Metadata()
	if err := parseFormat(metadata); err != nil {
		return err
	}
	d, err := parseDocument(ctx, metadata)
	if err != nil {
		return err
	}
	f.Info = d.Info
	if err := f.readMetadata(ctx, metadata); err != nil {
		return err
	}
	k, err := kinds(o.Kinds)
	if err != nil {
		return err
	}
	assets, err := readAssets(ctx, f.file, assetPrefix)
	if err != nil {
		return err
	}
	var lender plan.Lender
	if f.memory != nil && !o.InMemory {
		lender = f.memory
	}
	used := map[string]bool{}
	f.Model, err = d.build(ctx, k, assets, func(name string, shape tensor.Shape) (plan.Storage, error) {
		s, err := storageOf(ctx, f.file, name, shape, lender)
		used[name] = true
		return s, err
	})
	if err != nil {
		return err
	}
	for _, t := range f.file.Tensors() {
		belongs := used[t.Name] || strings.HasPrefix(t.Name, assetPrefix) || strings.HasPrefix(t.Name, endsPrefix+assetPrefix)
		if name, ok := strings.CutPrefix(t.Name, scalesPrefix); ok && used[name] {
			of, err := f.file.Tensor(name)
			belongs = belongs || err == nil && of.DType == safetensors.I8
		}
		if isTensorOfState(t.Name) {
			if !f.HasState() {
				return fmt.Errorf("tensor %s belongs to a training state, and the file has none", strictjson.Quote(t.Name))
			}
			belongs = true
		}
		if !belongs {
			return fmt.Errorf("tensor %s belongs to no parameter of the model", strictjson.Quote(t.Name))
		}
	}
	return nil
}

// readMetadata takes over the user's own metadata and the log of the training.
func (f *File) readMetadata(ctx context.Context, metadata map[string]string) error {
	for key, value := range metadata {
		switch {
		case !strings.HasPrefix(key, reserved):
			if f.Info.Metadata == nil {
				f.Info.Metadata = map[string]string{}
			}
			f.Info.Metadata[key] = value
		case key == historyKey:
			f.Info.History = &history.History{}
			if err := strictjson.Unmarshal(ctx, []byte(value), f.Info.History); err != nil {
				return fmt.Errorf("%q: %w", historyKey, err)
			}
		case key != formatKey && key != modelKey && key != stateKey:
			return fmt.Errorf("the metadata %s are none that this linnet knows", strictjson.Quote(key))
		}
	}
	return nil
}

// errNilContext reports a call without a context.
var errNilContext = errors.New("model: the context is nil")

// isOpen is false for a File that Load, FromBytes and Read have not made.
func (f *File) isOpen() bool { return f != nil && f.file != nil }

// HasState reports whether the file has the state of a training.
func (f *File) HasState() bool {
	if !f.isOpen() {
		return false
	}
	_, ok := f.file.Metadata()[stateKey]
	return ok
}

// State reads the state of the training, for nn.FitOptions.State: all that another run needs to go on as if there had been
// one, the weights included. It is [ErrNoState] where the file has none.
func (f *File) State(ctx context.Context) (s *nn.TrainingState, err error) {
	if ctx == nil {
		return nil, errNilContext
	}
	if !f.isOpen() {
		return nil, errors.New("model: the file is nil or empty: Load, FromBytes and Read make one")
	}
	var held []plan.Lender
	if f.memory != nil {
		if err := f.memory.Acquire(); err != nil {
			return nil, shown.Errorf("model: %w", err)
		}
		defer f.memory.Release()
		held = append(held, f.memory)
	}
	err = guard(held, func() (err error) {
		s, err = readState(ctx, f.file, f.Model)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("model: %s: %w", f.name, err)
	}
	return s, nil
}

// Close gives up the file. Predictions under way end first; later ones are an error that wraps fs.ErrClosed. A model that
// was read into memory, and one all of whose parameters were trained since, stays usable.
func (f *File) Close() error {
	if f == nil || f.memory == nil {
		return nil
	}
	return f.memory.Close()
}
