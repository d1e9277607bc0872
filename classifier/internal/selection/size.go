package selection

import (
	"fmt"

	"github.com/linnet-ml/linnet/internal/budget"
)

// What limits memory. No limit depends on the machine: its memory would decide what is learned.
const (
	mostColumns   = 1 << 21 // n-grams
	usualWeights  = 1 << 25 // of a model, for each n-gram and score
	manyColumns   = 300_000 // n-grams, even if that gives more than usualWeights
	mostWeights   = 1 << 28 // of a model: a gigabyte
	fewestColumns = 1 << 14 // n-grams, even if that gives more than mostWeights

	mostRows    = 100_000 // held out
	mostScores  = 1 << 25 // of held-out rows
	fewestRows  = 1000    // held out, even if that gives more than mostScores
	bytesNumber = 4       // of a weight or a score
)

// mostColumns is the largest number of n-grams that are learned from.
func (t *Task) mostColumns() int {
	k := t.Columns()
	return min(mostColumns, max(usualWeights/k, min(manyColumns, max(mostWeights/k, fewestColumns))))
}

// mostHeld is the largest number of rows that are held out.
func (t *Task) mostHeld() int { return min(mostRows, max(mostScores/t.Columns(), fewestRows)) }

// Check returns an error if the weights of a model, and the scores of held-out rows, do not fit into memory: there are too many
// classes.
func (t *Task) Check() error {
	rows, bytes := int64(t.Rows()), t.Texts.Bytes(t.All())
	columns := min(int64(t.mostColumns()), 3*bytes+6*rows) // three lengths of n-grams of characters, with the spaces around
	held := min(int64(t.mostHeld()), rows)
	what := fmt.Sprintf("a model of %d classes (are these the labels?)", t.Classes)
	return budget.CheckBytes(what, bytesNumber*uint64(t.Columns())*uint64(columns+held))
}

// forget drops what no further outcome needs: with many classes and rows, scores are what takes the most memory.
func (o *Outcome) forget() { o.Scores, o.linear, o.bayes, o.duals = nil, nil, nil, nil }
