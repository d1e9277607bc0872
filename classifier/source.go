package classifier

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"iter"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/linnet-ml/linnet/classifier/internal/features"
	"github.com/linnet-ml/linnet/classifier/internal/selection"
)

// A Source is examples that can be read again and again, such as the rows of a file: each call returns all of them from the
// beginning, the same ones in the same order. An error is the last thing that is yielded. Texts and labels are kept only where
// [TrainSource] says so, so that memory for them may be used again.
type Source func(ctx context.Context) iter.Seq2[Example, error]

// Examples returns a Source of examples in memory.
func Examples(examples []Example) Source {
	return func(context.Context) iter.Seq2[Example, error] {
		return func(yield func(Example, error) bool) {
			for _, e := range examples {
				if !yield(e, nil) {
					return
				}
			}
		}
	}
}

// ErrSourceChanged is wrapped by the error for a [Source] that gave other examples than before.
var ErrSourceChanged = errors.New("the source has other examples than before")

// collector numbers the classes of examples.
type collector struct {
	several bool // a text may have several labels
	rows    int
	number  map[string]int32 // by name, in the order in which classes come
	names   []string
	counts  []int
	class   []int32   // of each text, while all have one label
	sets    [][]int32 // of each text, once one has none or several
	labels  []int32   // room for further sets
}

func (c *collector) add(e Example) error {
	if c.rows == math.MaxInt32 {
		return fmt.Errorf("classifier: more than %d examples are too many", c.rows)
	}
	if len(e.Labels) != 1 && !c.several {
		c.several = true
		for _, k := range c.class {
			c.sets = append(c.sets, c.set(1))
			c.sets[len(c.sets)-1][0] = k
		}
		c.class = nil
	}
	var set []int32
	if c.several {
		set = c.set(len(e.Labels))
		c.sets = append(c.sets, set)
	}
	for i, l := range e.Labels {
		k, ok := c.number[l]
		if !ok {
			if err := checkLabel(c.rows, l); err != nil {
				return err
			}
			if c.number == nil {
				c.number = map[string]int32{}
			}
			k = int32(len(c.names))
			l = strings.Clone(l)
			c.number[l] = k
			c.names, c.counts = append(c.names, l), append(c.counts, 0)
		}
		c.counts[k]++
		if !c.several {
			c.class = append(c.class, k)
			continue
		}
		if slices.Contains(set[:i], k) {
			return labelTwice(c.rows, l)
		}
		set[i] = k
	}
	c.rows++
	return nil
}

// checkLabel returns an error if l cannot be the name of a class.
func checkLabel(row int, l string) error {
	switch {
	case l == "":
		return &ExampleError{row, emptyLabel}
	case !utf8.ValidString(l):
		return &ExampleError{row, fmt.Sprintf("has the label %.40q, which is not UTF-8", l)}
	}
	return nil
}

func labelTwice(row int, l string) error {
	return &ExampleError{row, fmt.Sprintf("has the label %.40q twice", l)}
}

// set returns room for n labels.
func (c *collector) set(n int) []int32 {
	if n == 0 {
		return nil
	}
	if len(c.labels) < n {
		c.labels = make([]int32, max(n, 4096))
	}
	set := c.labels[:n:n]
	c.labels = c.labels[n:]
	return set
}

// task returns the spec and the task without texts.
func (c *collector) task() (*Spec, *selection.Task, error) {
	spec := &Spec{MultiLabel: c.several, Classes: slices.Clone(c.names)}
	slices.Sort(spec.Classes)
	want := "two"
	if spec.MultiLabel {
		want = "one"
	}
	if len(spec.Classes) == 0 || len(spec.Classes) == 1 && !spec.MultiLabel {
		return nil, nil, fmt.Errorf("classifier: %w: %d in %d examples, want %s", ErrTooFewClasses, len(spec.Classes), c.rows, want)
	}
	enough := 0
	for _, n := range c.counts {
		if n >= 2 && (!spec.MultiLabel || n < c.rows) {
			enough++
		}
	}
	switch {
	case spec.MultiLabel && enough == 0:
		return nil, nil, fmt.Errorf("classifier: %w: none of the labels is on two of the %d and missing on another, to learn from and to test with", ErrTooFewExamples, c.rows)
	case !spec.MultiLabel && enough < 2:
		return nil, nil, fmt.Errorf("classifier: %w: %d of %d classes have two, to learn from and to test with", ErrTooFewExamples, enough, len(spec.Classes))
	}
	to := make([]int32, len(c.names))
	for k, l := range spec.Classes {
		to[c.number[l]] = int32(k)
	}
	for i, k := range c.class {
		c.class[i] = to[k]
	}
	for _, set := range c.sets {
		for i, k := range set {
			set[i] = to[k]
		}
	}
	return spec, &selection.Task{Classes: len(spec.Classes), Class: c.class, Sets: c.sets}, nil
}

// newTask numbers the classes of examples in memory.
func newTask(examples []Example, o Options) (*Spec, *selection.Task, error) {
	c := collector{several: o.MultiLabel}
	texts := make(features.Memory, 0, len(examples))
	for _, e := range examples {
		if err := c.add(e); err != nil {
			return nil, nil, err
		}
		texts = append(texts, e.Text)
	}
	spec, task, err := c.task()
	if err == nil {
		task.Texts = texts
	}
	return spec, task, err
}

// bounds say what is kept in memory.
type bounds struct {
	texts int64 // bytes of texts
	array int   // bytes of an array
}

// newSourceTask numbers the classes of a source. Few texts are kept, others are read again when they are needed.
func newSourceTask(ctx context.Context, source Source, o Options, b bounds, meter *selection.Meter) (*Spec, *selection.Task, error) {
	c := collector{several: o.MultiLabel}
	s := &stream{source: source, seed: maphash.MakeSeed(), most: b.texts}
	texts := features.Memory{}
	bytes := int64(0)
	for e, err := range source(ctx) {
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = c.add(e)
		}
		if err == nil && int64(len(e.Text)) > math.MaxUint32 {
			err = &ExampleError{c.rows - 1, "has a text of more than 4 GB"}
		}
		if err != nil {
			return nil, nil, err
		}
		if bytes += int64(len(e.Text)); bytes <= b.texts {
			texts = append(texts, strings.Clone(e.Text))
		} else {
			texts = nil
		}
		s.lengths = append(s.lengths, uint32(len(e.Text)))
		s.sums = append(s.sums, s.sum(e.Text))
		if c.rows%1024 == 0 {
			meter.Set(selection.Reading, c.rows, 0)
		}
	}
	spec, task, err := c.task()
	if err != nil {
		return nil, nil, err
	}
	task.Texts = s
	if bytes <= b.texts {
		task.Texts = texts
	}
	return spec, task, nil
}

// stream is the texts of a source.
type stream struct {
	source  Source
	lengths []uint32
	sums    []uint32 // hashes of the texts, by which a source is known that has changed
	seed    maphash.Seed
	most    int64 // bytes of texts that are kept

	rows []int32 // those whose texts are kept
	kept []string
}

func (s *stream) sum(text string) uint32 { return uint32(maphash.String(s.seed, text)) }

// Bytes returns the length of the texts of some rows together.
func (s *stream) Bytes(rows []int32) int64 {
	n := int64(0)
	for _, i := range rows {
		n += int64(s.lengths[i])
	}
	return n
}

// Read yields the texts of some rows, in ascending order. It keeps those of the last call, if they are few.
func (s *stream) Read(ctx context.Context, rows []int32) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if len(rows) > 0 && slices.Equal(rows, s.rows) {
			features.Memory(s.kept).Read(ctx, s.places())(yield)
			return
		}
		s.rows, s.kept = nil, nil
		keep := s.Bytes(rows) <= s.most
		var kept []string
		next, n := 0, 0
		for e, err := range s.source(ctx) {
			if err == nil {
				err = ctx.Err()
			}
			if err == nil && (n == len(s.lengths) || int(s.lengths[n]) != len(e.Text)) {
				err = s.changed(n)
			}
			if err == nil && next < len(rows) && int(rows[next]) == n {
				if s.sums[n] != s.sum(e.Text) {
					err = s.changed(n)
				} else {
					text := e.Text
					if keep {
						text = strings.Clone(text)
						kept = append(kept, text)
					}
					next++
					if !yield(text, nil) {
						return
					}
				}
			}
			if err != nil {
				yield("", err)
				return
			}
			if n++; next == len(rows) {
				break
			}
		}
		if next < len(rows) {
			err := ctx.Err() // for which a source may end
			if err == nil {
				err = s.changed(n)
			}
			yield("", err)
			return
		}
		if keep {
			s.rows, s.kept = slices.Clone(rows), kept
		}
	}
}

// places numbers the texts that are kept.
func (s *stream) places() []int32 {
	places := make([]int32, len(s.kept))
	for i := range places {
		places[i] = int32(i)
	}
	return places
}

func (s *stream) changed(row int) error {
	return fmt.Errorf("classifier: example %d: %w", row, ErrSourceChanged)
}
