package labels

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/linnet-ml/linnet/tensor"
)

// Classes is a list of distinct names; the id of a class is its place, from 0. It never changes: any number of goroutines
// may use it at once.
type Classes struct {
	names []string
	ids   map[string]int32
}

// New makes classes of names, in their order: the classes of a model that was trained before, say. No names, an empty name
// and one that is there twice are errors.
func New(names ...string) (*Classes, error) {
	if len(names) == 0 {
		return nil, errors.New("labels: there are no classes")
	}
	if int64(len(names)) > math.MaxInt32 {
		return nil, fmt.Errorf("labels: %d classes are more than %d", len(names), math.MaxInt32)
	}
	c := &Classes{names: slices.Clone(names), ids: make(map[string]int32, len(names))}
	for i, name := range c.names {
		if name == "" {
			return nil, fmt.Errorf("labels: class %d has an empty name", i)
		}
		if first, twice := c.ids[name]; twice {
			return nil, fmt.Errorf("labels: classes %d and %d are both %q", first, i, name)
		}
		c.ids[name] = int32(i)
	}
	return c, nil
}

// Learn finds the classes of labels, one a row, and sorts them by the bytes of their names. No labels is an error, and an
// empty label is a [*Error].
func Learn(labels []string) (*Classes, error) {
	seen := map[string]bool{}
	for i, name := range labels {
		if name == "" {
			return nil, &Error{Row: i, Column: Whole}
		}
		seen[name] = true
	}
	return New(slices.Sorted(maps.Keys(seen))...)
}

// LearnSets is [Learn] of labels of which a row may have several, or none.
func LearnSets(labels [][]string) (*Classes, error) {
	seen := map[string]bool{}
	for i, row := range labels {
		for k, name := range row {
			if name == "" {
				return nil, &Error{Row: i, Column: k}
			}
			seen[name] = true
		}
	}
	return New(slices.Sorted(maps.Keys(seen))...)
}

// Whole is the Column of an [Error] about labels of which each row has one.
const Whole = -1

// Error reports a label that is none of the classes, or empty.
type Error struct {
	// Row is the place of the label's row. Column is its place within the row; [Whole] where a row has one label.
	Row, Column int
	// Label is the label as it was given.
	Label string
	// Classes is how many classes there are; 0 where they were being learned.
	Classes int
}

// Error names the place and the label.
func (e *Error) Error() string {
	place := fmt.Sprintf("row %d", e.Row)
	if e.Column != Whole {
		place += fmt.Sprintf(", label %d", e.Column)
	}
	if e.Label == "" {
		return fmt.Sprintf("labels: %s is empty", place)
	}
	return fmt.Sprintf("labels: %s: %.80q is none of the %d classes", place, e.Label, e.Classes)
}

// Len is the number of classes.
func (c *Classes) Len() int {
	if c == nil {
		return 0
	}
	return len(c.names)
}

// Names are the names of the classes in the order of their ids, in a slice made for the caller.
func (c *Classes) Names() []string { return slices.Clone(c.names) }

// Name returns the name of an id, and whether it has one.
func (c *Classes) Name(id int32) (name string, ok bool) {
	if id < 0 || int(id) >= c.Len() {
		return "", false
	}
	return c.names[id], true
}

// ID returns the id of a name, and whether it is a class.
func (c *Classes) ID(name string) (id int32, ok bool) {
	if c == nil {
		return 0, false
	}
	id, ok = c.ids[name]
	return id, ok
}

// IDs returns the id of each label, (len(labels),), as a sparse categorical loss takes them. With two classes the ids are
// also the labels of a binary loss. A label that is no class is an [*Error] with its row.
func (c *Classes) IDs(labels []string) (*tensor.Int32, error) {
	ids := make([]int32, len(labels))
	for i, name := range labels {
		id, ok := c.ID(name)
		if !ok {
			return nil, &Error{Row: i, Column: Whole, Label: name, Classes: c.Len()}
		}
		ids[i] = id
	}
	return tensor.Of(ids)
}

// Labels returns the name of each id: the way back from [Classes.IDs]. An id that is no class is an error with its row.
func (c *Classes) Labels(ids []int32) ([]string, error) {
	labels := make([]string, len(ids))
	for i, id := range ids {
		name, ok := c.Name(id)
		if !ok {
			return nil, fmt.Errorf("labels: row %d: id %d is none of the %d classes", i, id, c.Len())
		}
		labels[i] = name
	}
	return labels, nil
}

// MultiHot returns a row for each set of labels, (len(labels), Len), with 1 in the columns of its labels and 0 in the
// others. A set may be empty, and a label that is there twice counts once. One that is no class is an [*Error] with its row
// and its place in it.
func (c *Classes) MultiHot(labels [][]string) (*tensor.Float32, error) {
	x, err := tensor.New[float32](len(labels), c.Len())
	if err != nil {
		return nil, fmt.Errorf("labels: %w", err)
	}
	for i, set := range labels {
		row := x.Row(i)
		for k, name := range set {
			id, ok := c.ID(name)
			if !ok {
				return nil, &Error{Row: i, Column: k, Label: name, Classes: c.Len()}
			}
			row[id] = 1
		}
	}
	return x, nil
}

// Sets returns for each row of x, (rows, Len), the names of the columns that are at least threshold, in the order of their
// ids: the way back from [Classes.MultiHot], and from the probabilities that a model predicts. Another shape and a
// threshold that is NaN are errors.
func (c *Classes) Sets(x *tensor.Float32, threshold float32) ([][]string, error) {
	if x == nil || len(x.Shape()) != 2 || x.Shape()[1] != c.Len() {
		shape := tensor.Shape(nil)
		if x != nil {
			shape = x.Shape()
		}
		return nil, fmt.Errorf("labels: %w: sets of %d classes have shape (rows, %d), not %v", tensor.ErrShape, c.Len(), c.Len(), shape)
	}
	if threshold != threshold {
		return nil, errors.New("labels: the threshold is NaN")
	}
	sets := make([][]string, x.Len())
	for i := range sets {
		for k, v := range x.Row(i) {
			if v >= threshold {
				sets[i] = append(sets[i], c.names[k])
			}
		}
	}
	return sets, nil
}
