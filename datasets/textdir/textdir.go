package textdir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/linnet-ml/linnet/datasets/internal/textfile"
	"github.com/linnet-ml/linnet/internal/numpy"
	"github.com/linnet-ml/linnet/internal/plainfile"
	"github.com/linnet-ml/linnet/internal/shown"
)

// errNilContext reports a call without a context.
var errNilContext = errors.New("textdir: the context is nil")

// Dataset is texts with their labels, one element for each file.
type Dataset struct {
	Texts []string
	// Labels are places in Classes, or the labels that were given. Nil with NoLabels.
	Labels []int32
	// Names are the paths of the files.
	Names []string
	// Classes are the names of the classes, or the distinct labels that were given. Nil with NoLabels.
	Classes []string
}

// Load reads the files whose names end in .txt, in any case, of the folders of all classes and of the folders in these;
// symbolic links to folders are followed at the top only. The files are sorted and, unless NoShuffle is set, put into
// the order of Keras for the seed; Keras itself mixes them once more in each epoch, as Fit does. Errors name the file.
// That no file is left is an error, and so is a pipe or a device of such a name, which is not opened. It ends when ctx is
// done, but for a call to fsys that does not return.
func Load(ctx context.Context, fsys fs.FS, o Options) (*Dataset, error) {
	if ctx == nil {
		return nil, errNilContext
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	x, err := newIndex(ctx, fsys, o)
	if err != nil {
		return nil, shown.Errorf("textdir: %w", err)
	}
	return x.load(ctx, fsys, o, o.Subset)
}

// LoadBoth reads the files to train on and those to validate with (subset="both"). Subset must not be set.
func LoadBoth(ctx context.Context, fsys fs.FS, o Options) (train, validation *Dataset, err error) {
	if ctx == nil {
		return nil, nil, errNilContext
	}
	if o.Subset != All {
		return nil, nil, fmt.Errorf("textdir: the Subset %v is set for LoadBoth", o.Subset)
	}
	if o.ValidationSplit == 0 {
		return nil, nil, errors.New("textdir: LoadBoth needs a ValidationSplit, the share of the files that validate")
	}
	o.Subset = Training
	if err := o.check(); err != nil {
		return nil, nil, err
	}
	x, err := newIndex(ctx, fsys, o)
	if err != nil {
		return nil, nil, shown.Errorf("textdir: %w", err)
	}
	if train, err = x.load(ctx, fsys, o, Training); err != nil {
		return nil, nil, err
	}
	if validation, err = x.load(ctx, fsys, o, Validation); err != nil {
		return nil, nil, err
	}
	return train, validation, nil
}

// index is the files of a data set in their order.
type index struct {
	names   []string
	labels  []int32 // nil: none
	classes []string
}

// newIndex lists the files (index_directory in Keras).
func newIndex(ctx context.Context, fsys fs.FS, o Options) (*index, error) {
	x := &index{}
	if o.NoLabels || o.Labels != nil {
		if err := x.add(ctx, fsys, ".", -1); err != nil {
			return nil, err
		}
		if o.Labels != nil {
			if len(o.Labels) != len(x.names) {
				return nil, fmt.Errorf("%d Labels for %d text files", len(o.Labels), len(x.names))
			}
			x.labels = slices.Clone(o.Labels)
			distinct := slices.Compact(slices.Sorted(slices.Values(o.Labels)))
			for _, label := range distinct {
				x.classes = append(x.classes, strconv.Itoa(int(label)))
			}
		}
	} else {
		var err error
		if x.classes, err = classNames(fsys, o.ClassNames); err != nil {
			return nil, err
		}
		x.labels = []int32{}
		for k, name := range x.classes {
			if err := x.add(ctx, fsys, name, int32(k)); err != nil {
				return nil, err
			}
		}
	}
	if !o.NoShuffle {
		seed := 0
		if o.Seed != nil {
			seed = *o.Seed
		}
		order := numpy.NewRandomState(uint32(seed)).Permutation(len(x.names))
		x.names = arranged(x.names, order)
		if x.labels != nil {
			x.labels = arranged(x.labels, order)
		}
	}
	return x, nil
}

func arranged[E any](s []E, order []int32) []E {
	out := make([]E, len(order))
	for row, i := range order {
		out[row] = s[i]
	}
	return out
}

// classNames returns the folders that are classes.
func classNames(fsys fs.FS, given []string) ([]string, error) {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, topError(fsys, err)
	}
	var folders []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		folder, err := isFolder(fsys, e.Name(), e)
		if err != nil {
			return nil, err
		}
		if folder {
			folders = append(folders, e.Name())
		}
	}
	if given == nil {
		return folders, nil
	}
	for _, name := range given {
		if !slices.Contains(folders, name) {
			return nil, fmt.Errorf("ClassNames has %q, which is none of the folders %q", name, folders)
		}
	}
	return slices.Clone(given), nil
}

// topError names the folder of the data set in the error of reading it, where fsys tells its name, as that of os.DirFS does:
// the error itself has ".".
func topError(fsys fs.FS, err error) error {
	name := "the folder of the data set"
	if v := reflect.ValueOf(fsys); v.Kind() == reflect.String {
		name = fmt.Sprintf("the folder %.300q", v.String())
	}
	reason := err
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		reason = p.Err
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s does not exist: %w", name, reason)
	default:
		return fmt.Errorf("%s cannot be read: %w", name, reason)
	}
}

// isFolder follows symbolic links. One that leads nowhere is no folder.
func isFolder(fsys fs.FS, name string, e fs.DirEntry) (bool, error) {
	if e.Type()&fs.ModeSymlink == 0 {
		return e.IsDir(), nil
	}
	info, err := fs.Stat(fsys, name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return info.IsDir(), nil
}

// add appends the text files below a folder. As in Python folders are ordered by their whole paths, in which the
// separator counts as a character like any other.
func (x *index) add(ctx context.Context, fsys fs.FS, top string, label int32) error {
	type folder struct {
		path  string
		files []string
	}
	var folders []folder
	for waiting := []string{top}; len(waiting) > 0; {
		dir := waiting[len(waiting)-1]
		waiting = waiting[:len(waiting)-1]
		if err := ctx.Err(); err != nil {
			return err
		}
		entries, err := fs.ReadDir(fsys, dir)
		if err != nil && dir == "." {
			err = topError(fsys, err)
		}
		if err != nil {
			return err
		}
		f := folder{path: dir}
		for _, e := range entries {
			name := path.Join(dir, e.Name())
			switch folder, err := isFolder(fsys, name, e); {
			case err != nil:
				return err
			case folder && e.Type()&fs.ModeSymlink != 0: // may lead in a circle
			case folder:
				waiting = append(waiting, name)
			case !strings.HasSuffix(strings.ToLower(e.Name()), ".txt"):
			case plainfile.Regular(name, e.Type()&^fs.ModeSymlink) != nil: // what a link leads to is seen when it is read
				return plainfile.Regular(name, e.Type())
			default:
				f.files = append(f.files, name)
			}
		}
		folders = append(folders, f)
	}
	slices.SortFunc(folders, func(a, b folder) int {
		switch { // the top folder is "." only where it has no name
		case a.path == ".":
			return -1
		case b.path == ".":
			return 1
		}
		return strings.Compare(a.path, b.path)
	})
	for _, f := range folders {
		slices.Sort(f.files)
		x.names = append(x.names, f.files...)
		if label >= 0 {
			x.labels = append(x.labels, slices.Repeat([]int32{label}, len(f.files))...)
		}
	}
	return nil
}

// load reads a part of the files (get_training_or_validation_split in Keras).
func (x *index) load(ctx context.Context, fsys fs.FS, o Options, part Subset) (*Dataset, error) {
	lo, hi := 0, len(x.names)
	validation := int(o.ValidationSplit * float64(hi))
	switch part {
	case Training:
		hi -= validation
	case Validation:
		lo = hi - validation
	}
	if lo == hi {
		if len(x.names) > 0 {
			return nil, fmt.Errorf("textdir: a ValidationSplit of %v leaves none of %d text files for %v", o.ValidationSplit, len(x.names), part)
		}
		return nil, fmt.Errorf("textdir: no text files found; their names must end in .txt, and they must lie in a folder for each class")
	}
	d := &Dataset{Names: slices.Clone(x.names[lo:hi]), Classes: slices.Clone(x.classes)}
	if x.labels != nil {
		d.Labels = slices.Clone(x.labels[lo:hi])
	}
	var err error
	if d.Texts, err = textfile.Read(ctx, fsys, d.Names, textfile.Limits{Cut: o.MaxLength, Max: o.maxText()}); err != nil {
		return nil, shown.Errorf("textdir: %w", err)
	}
	return d, nil
}
