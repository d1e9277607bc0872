package selection

import (
	"slices"

	"github.com/linnet-ml/linnet/internal/random"
)

// A Sample is rows of a task, in the order of the file, each in one of several folds.
type Sample struct {
	Rows  []int32
	Fold  []uint8 // by index in Rows
	Folds int     // how many of the folds are held out in turn
}

// parts is the number of folds.
const parts = 5

// Draw takes about n rows of a task, the same share of each class, and cuts each class into five folds. Folds are runs of
// neighbours: exports put the messages of one discussion, or of one day, next to each other, and rows that resemble the
// ones learned from would make every recipe look better than it is on texts to come. Only as many folds are held out as
// give enough rows.
func (t *Task) Draw(n, enough int, seed uint64) Sample {
	var s Sample
	fold := make([]uint8, t.Rows())
	for g, rows := range t.groups() {
		take := len(rows)
		if n < t.Rows() {
			take = min(len(rows), int((int64(len(rows))*int64(n)+int64(t.Rows())-1)/int64(t.Rows())))
		}
		if take < len(rows) {
			random.New(seed, random.Split, uint64(g)).Shuffle(rows)
			rows = rows[:take]
			slices.Sort(rows)
		}
		for j, i := range rows {
			fold[i] = uint8((j*parts/len(rows) + g) % parts) // small classes begin with different folds
		}
		s.Rows = append(s.Rows, rows...)
	}
	slices.Sort(s.Rows)
	s.Fold = make([]uint8, len(s.Rows))
	for j, i := range s.Rows {
		s.Fold[j] = fold[i]
	}
	s.Folds = min(parts, max(1, (enough*parts+len(s.Rows)-1)/max(len(s.Rows), 1)))
	return s
}

// split returns the sample's rows, by their numbers in Rows, that are learned from and those that are held out while a fold is.
func (s *Sample) split(fold int) (rows, held []int32) {
	for i, p := range s.Fold {
		if int(p) == fold {
			held = append(held, int32(i))
		} else {
			rows = append(rows, int32(i))
		}
	}
	return rows, held
}

// limit makes the folds that are held out smaller, if more than most rows are: of each class, the first rows of a fold stay, and the
// others come to the folds that are not held out. As each class keeps a row, more than most may stay, up to twice as many.
func (s *Sample) limit(t *Task, most int) {
	frequency := t.frequency()
	groups := t.Classes + 1
	of := func(j int) int { return int(s.Fold[j])*groups + t.group(s.Rows[j], frequency) }
	held := 0
	counts := make([]int, s.Folds*groups) // by fold and group
	for j, p := range s.Fold {
		if int(p) < s.Folds {
			held++
			counts[of(j)]++
		}
	}
	if held <= most {
		return
	}
	for g, n := range counts {
		counts[g] = int((int64(n)*int64(most) + int64(held) - 1) / int64(held))
	}
	kept := 0
	for j, p := range s.Fold {
		if int(p) >= s.Folds {
			continue
		}
		if g := of(j); counts[g] > 0 && kept < 2*most {
			counts[g]--
			kept++
		} else {
			s.Fold[j] = parts
		}
	}
}
