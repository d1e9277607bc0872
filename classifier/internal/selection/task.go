package selection

import (
	"slices"

	"github.com/linnet-ml/linnet/classifier/internal/features"
	"github.com/linnet-ml/linnet/internal/spill"
	"github.com/linnet-ml/linnet/simd"
)

// A Task is labelled texts.
type Task struct {
	Texts   features.Texts
	Classes int
	Class   []int32   // the class of each text; nil with several labels
	Sets    [][]int32 // the classes of each text, any number of them, where Class is nil

	Space *spill.Space    // where n-grams and values are
	Meter *Meter          // is told how far the search is; nil for none
	Stop  <-chan struct{} // ends the search, and that for a network, not a fit, when it is closed; nil for never
}

// Rows returns the number of texts.
func (t *Task) Rows() int {
	if t.Class != nil {
		return len(t.Class)
	}
	return len(t.Sets)
}

// All returns the numbers of all rows.
func (t *Task) All() []int32 {
	rows := make([]int32, t.Rows())
	for i := range rows {
		rows[i] = int32(i)
	}
	return rows
}

// Binary returns whether a text is of one of two classes, so that one score decides.
func (t *Task) Binary() bool { return t.Class != nil && t.Classes == 2 }

// Columns returns the number of scores a model has: one for two classes, that of the second; else one for each class.
func (t *Task) Columns() int {
	if t.Binary() {
		return 1
	}
	return t.Classes
}

// Is returns whether score k should be positive for a text.
func (t *Task) Is(row int32, k int) bool {
	switch {
	case t.Binary():
		return t.Class[row] == 1
	case t.Class != nil:
		return t.Class[row] == int32(k)
	}
	return slices.Contains(t.Sets[row], int32(k))
}

// group is what rows are spread over folds by: the class, or the rarest of the classes, or Classes for none.
func (t *Task) group(row int32, frequency []int) int {
	if t.Class != nil {
		return int(t.Class[row])
	}
	g := t.Classes
	for _, k := range t.Sets[row] {
		if g == t.Classes || frequency[k] < frequency[g] {
			g = int(k)
		}
	}
	return g
}

// frequency returns how many rows have each of several labels.
func (t *Task) frequency() []int {
	frequency := make([]int, t.Classes+1)
	for _, s := range t.Sets {
		for _, k := range s {
			frequency[k]++
		}
	}
	return frequency
}

// groups returns the rows of each group in the order of the file.
func (t *Task) groups() [][]int32 {
	frequency := t.frequency()
	groups := make([][]int32, t.Classes+1)
	for i := range t.Rows() {
		g := t.group(int32(i), frequency)
		groups[g] = append(groups[g], int32(i))
	}
	return groups
}

// Positive returns for each score how many texts it should be positive for.
func (t *Task) Positive() []int {
	counts := t.frequency()
	for _, k := range t.Class {
		counts[k]++
	}
	if t.Binary() {
		return counts[1:2]
	}
	return counts[:t.Classes]
}

// skewed returns whether a class has less than half of the rows of another, or a label less than a third of all rows.
func (t *Task) skewed() bool {
	positive := t.Positive()
	least, most := slices.Min(positive), slices.Max(positive)
	if t.Class != nil && !t.Binary() {
		return 2*least < most
	}
	return 3*least < t.Rows() || 3*most > 2*t.Rows()
}

// Prior is the logits of the classes' shares of the rows, each class counted half a row more than it has.
func (t *Task) Prior() []float32 {
	n := float64(t.Rows())
	logits := make([]float32, t.Columns())
	count := t.Positive()
	for k := range logits {
		yes := 0.5 + float64(count[k])
		rest := n + 1 - yes
		if t.Class != nil && !t.Binary() {
			rest = 1 // softmax needs no more than the logarithm
		}
		logits[k] = float32(simd.Log64(yes) - simd.Log64(rest))
	}
	return logits
}
