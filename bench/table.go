package bench

import (
	"context"

	"github.com/linnet-ml/linnet/datasets/imdb"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/tensor"
	"github.com/linnet-ml/linnet/text"
)

// The size of the second tutorial's text embedding.
const (
	TableRows = 963812
	TableDim  = 50
)

// Table is the 15,000 reviews to train on, whole and with all their words, and a network with the large table.
type Table struct {
	Model *nn.Model
	Train nn.Data // bags of words
	// Moved is how many rows of the table a step can change once all reviews were seen.
	Moved int
}

// LoadReviews returns the 15,000 reviews that Table trains on.
func LoadReviews(ctx context.Context, folder string) (*imdb.Split, error) {
	train, _, err := imdb.Load(ctx, imdb.Options{Path: folder})
	if err != nil {
		return nil, err
	}
	return &imdb.Split{Reviews: train.Reviews[Validating:], Labels: train.Labels[Validating:]}, nil
}

// NewTable makes bags of the reviews and builds the network.
func NewTable(ctx context.Context, s *imdb.Split) (*Table, error) {
	bags, err := text.CountSequences(s.Reviews, text.BagOptions{Vocabulary: TableRows})
	if err != nil {
		return nil, err
	}
	y, err := tensor.Of(s.Labels)
	if err != nil {
		return nil, err
	}
	t := &Table{Train: nn.Data{X: bags, Y: y}, Moved: distinct(bags)}
	t.Model, err = network(ctx, TableRows, TableDim)
	return t, err
}

// distinct is the number of ids in the bags.
func distinct(bags *text.Bags) int {
	seen := make([]bool, bags.Vocabulary())
	n := 0
	for row := range bags.Len() {
		ids, _ := bags.Row(row)
		for _, id := range ids {
			if !seen[id] {
				seen[id] = true
				n++
			}
		}
	}
	return n
}

// FitOptions are those of the tutorial, without validation.
func (t *Table) FitOptions(epochs, threads int) nn.FitOptions {
	return fitOptions(epochs, Batch, threads)
}
