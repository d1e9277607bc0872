package split

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/linnet-ml/linnet/internal/budget"
	"github.com/linnet-ml/linnet/internal/random"
)

// Options say how rows are divided.
type Options struct {
	// Validation is the fraction of the rows to validate with, more than 0 and less than 1. It is required.
	Validation float64
	// Seed decides which rows these are, and the order of all.
	Seed uint64
}

// Shuffled divides rows 0 to n-1: a random choice of Validation times n of them, rounded to the nearest whole number and
// half a row up, validates. Both lists are in random order; together they have each row once. The same n, Validation and
// Seed give the same lists on every machine.
//
// A fraction that is out of range or NaN is an error, and so is one that leaves no row in either list, and an n that is
// negative or beyond 1<<31-1.
func Shuffled(n int, o Options) (train, validation []int, err error) {
	order, err := o.order(n)
	if err != nil {
		return nil, nil, err
	}
	v := o.rows(n)
	if v == 0 || v == n {
		return nil, nil, o.empty(n)
	}
	// The first rows validate: a larger fraction adds rows to them and takes none away.
	rows := make([]int, n)
	for k, i := range order {
		rows[k] = int(i)
	}
	return rows[v:], rows[:v:v], nil
}

// Label lists the types of labels that [Stratified] reads.
type Label interface {
	~string | ~bool | ~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~float32 | ~float64
}

// Stratified is [Shuffled] of the rows of labels such that each class has its share of both lists: of a class of c rows
// Validation times c validate, rounded down or up so that the whole number of rows that validate is that of Shuffled.
//
// Each class keeps at least one row to train on. A class of a single row is therefore trained on and never validated with,
// and where classes are that small the validation list may be shorter than Validation asks for. It is an error when it is
// empty, and when a label is NaN. Pass Data() of an array of labels with one column.
func Stratified[L Label](labels []L, o Options) (train, validation []int, err error) {
	n := len(labels)
	order, err := o.order(n)
	if err != nil {
		return nil, nil, err
	}
	// Classes are numbered by their first rows.
	classes := map[L]int{}
	class := make([]int, n)
	var sizes []int
	for i, label := range labels {
		if label != label {
			return nil, nil, fmt.Errorf("split: the label of row %d is NaN", i)
		}
		c, ok := classes[label]
		if !ok {
			c = len(sizes)
			classes[label] = c
			sizes = append(sizes, 0)
		}
		class[i] = c
		sizes[c]++
	}
	quota := o.quotas(sizes, o.rows(n))
	for _, i := range order {
		if c := class[i]; quota[c] > 0 {
			quota[c]--
			validation = append(validation, int(i))
		} else {
			train = append(train, int(i))
		}
	}
	if len(validation) == 0 || len(train) == 0 {
		return nil, nil, o.empty(n)
	}
	return train, validation, nil
}

// quotas returns how many rows of each class validate, of total ones if classes allow it: the whole part of each class's
// share, and one more for those with the largest rests. Among equal rests the first class comes first.
func (o Options) quotas(sizes []int, total int) []int {
	quota, rest := make([]int, len(sizes)), make([]float64, len(sizes))
	byRest := make([]int, len(sizes))
	for c, size := range sizes {
		share := float64(o.Validation * float64(size))
		quota[c] = min(int(share), size-1)
		rest[c] = share - math.Floor(share)
		total -= quota[c]
		byRest[c] = c
	}
	slices.SortStableFunc(byRest, func(a, b int) int {
		switch {
		case rest[a] > rest[b]:
			return -1
		case rest[a] < rest[b]:
			return 1
		}
		return 0
	})
	for _, c := range byRest {
		if total > 0 && rest[c] > 0 && quota[c] < sizes[c]-1 {
			quota[c]++
			total--
		}
	}
	return quota
}

// order checks the options and returns all rows in random order.
func (o Options) order(n int) ([]int32, error) {
	if !(o.Validation > 0 && o.Validation < 1) {
		return nil, fmt.Errorf("split: Validation %v is not between 0 and 1", o.Validation)
	}
	if n < 0 || int64(n) > math.MaxInt32 {
		return nil, fmt.Errorf("split: %d rows are not 0 to %d", n, math.MaxInt32)
	}
	if n == 0 {
		return nil, errors.New("split: there are no rows")
	}
	if err := budget.Check("split: order of rows", 16, n); err != nil {
		return nil, err
	}
	order := make([]int32, n)
	for i := range order {
		order[i] = int32(i)
	}
	random.New(o.Seed, random.Split, 0).Shuffle(order)
	return order, nil
}

// rows is how many of n rows validate.
func (o Options) rows(n int) int { return int(math.Floor(float64(o.Validation*float64(n)) + 0.5)) }

func (o Options) empty(n int) error {
	return fmt.Errorf("split: a Validation of %v leaves one of the two parts of %d rows empty", o.Validation, n)
}

// Take returns the elements of s at these places, in their order: texts, say, or labels. A place that s does not have is an
// error.
func Take[S ~[]E, E any](s S, rows []int) (S, error) {
	out := make(S, len(rows))
	for k, i := range rows {
		if i < 0 || i >= len(s) {
			return nil, fmt.Errorf("split: number %d of the rows is %d, but there are rows 0 to %d", k, i, len(s)-1)
		}
		out[k] = s[i]
	}
	return out, nil
}
