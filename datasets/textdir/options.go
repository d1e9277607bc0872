package textdir

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Subset is the part of a data set that is wanted.
type Subset uint8

// The subsets. Training and Validation go with a ValidationSplit.
const (
	All Subset = iota
	Training
	Validation
)

// String is Keras's name.
func (s Subset) String() string {
	switch s {
	case All:
		return "all"
	case Training:
		return "training"
	case Validation:
		return "validation"
	}
	return fmt.Sprintf("Subset(%d)", uint8(s))
}

// Options are those of text_dataset_from_directory. The zero value means Keras's defaults, but for Seed.
type Options struct {
	// ClassNames are the folders that are read, in the order of their labels (class_names). Default: all folders whose
	// names do not begin with a dot, sorted by the bytes of their names.
	ClassNames []string
	// Labels are the labels of all files in place of those of their folders (labels=[…]), in the sorted order of the
	// paths: folders as whole strings, the files of a folder by name. The classes are then the distinct labels.
	Labels []int32
	// NoLabels reads all files below the folder and no labels (labels=None).
	NoLabels bool

	// MaxLength cuts each text after so many bytes, which may be inside a character (max_length). 0 (None): none is cut.
	MaxLength int
	// MaxText is the most bytes that a file may have, unless MaxLength cuts it. A larger one is an error. Default 64 MiB. Keras
	// has no limit.
	MaxText int

	// NoShuffle leaves the files sorted (shuffle=False).
	NoShuffle bool
	// Seed orders the files, from 0 to 4294967295 (2147483647 where an int has 32 bits). Default 0; Keras draws one
	// when none is given, and so gives another order each time.
	Seed *int

	// ValidationSplit is the share of the files, the last ones of the order, that validate: of n files the whole part
	// of ValidationSplit*n. Above 0 and below 1; 0 (None): no split.
	ValidationSplit float64
	// Subset is the part that [Load] returns.
	Subset Subset
}

func (o *Options) maxText() int64 {
	if o.MaxText == 0 {
		return 64 << 20
	}
	return int64(o.MaxText)
}

func (o Options) check() error {
	if o.NoLabels && o.Labels != nil {
		return errors.New("textdir: there are Labels, but NoLabels is set")
	}
	if o.ClassNames != nil && (o.NoLabels || o.Labels != nil) {
		return errors.New("textdir: ClassNames go with the labels of folders only, not with Labels or NoLabels")
	}
	for i, name := range o.ClassNames {
		if slices.Contains(o.ClassNames[:i], name) {
			return fmt.Errorf("textdir: ClassNames has %q twice", name)
		}
	}
	if o.MaxLength < 0 {
		return fmt.Errorf("textdir: MaxLength is %d; it must not be negative", o.MaxLength)
	}
	if o.MaxText < 0 {
		return fmt.Errorf("textdir: MaxText is %d; it must not be negative", o.MaxText)
	}
	if o.Seed != nil {
		if seed := int64(*o.Seed); seed < 0 || seed > math.MaxUint32 {
			return fmt.Errorf("textdir: Seed is %d; it must be from 0 to 4294967295", seed)
		}
		if o.NoShuffle {
			return fmt.Errorf("textdir: Seed is %d, but NoShuffle is set", *o.Seed)
		}
	}
	if o.ValidationSplit != 0 && !(o.ValidationSplit > 0 && o.ValidationSplit < 1) {
		return fmt.Errorf("textdir: ValidationSplit is %v; it must be between 0 and 1", o.ValidationSplit)
	}
	switch {
	case o.Subset > Validation:
		return fmt.Errorf("textdir: there is no %v", o.Subset)
	case o.Subset == All && o.ValidationSplit != 0:
		return errors.New("textdir: a ValidationSplit needs a Subset (LoadBoth returns both)")
	case o.Subset != All && o.ValidationSplit == 0:
		return fmt.Errorf("textdir: the Subset %v needs a ValidationSplit", o.Subset)
	}
	return nil
}
