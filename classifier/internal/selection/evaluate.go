package selection

import (
	"context"
	"math"

	"github.com/linnet-ml/linnet/classifier/internal/calibration"
	"github.com/linnet-ml/linnet/classifier/internal/features"
)

// A Calibration turns scores into logits: Slope times the score plus Offset, for each score.
type Calibration struct{ Slope, Offset []float64 }

// An Outcome is what a recipe reached on held-out rows.
type Outcome struct {
	Recipe   Recipe
	Rows     []int32   // the task's rows that were held out
	Scores   []float32 // their scores, row by row
	Losses   []float64 // their log losses after calibration
	Loss     float64   // the average
	Accuracy float64   // the share of decisions (of labels, with several a row) that are right at even odds

	Calibration Calibration
	complement  float32 // the factor of complement naive Bayes's weights
}

// evaluate learns a recipe on all but one fold at a time and scores that fold.
func (t *Task) evaluate(ctx context.Context, c *features.Corpus, s Sample, r Recipe, seed uint64) (*Outcome, error) {
	x := Weigh(c, r)
	columns := t.Columns()
	o := &Outcome{Recipe: r}
	var complements []float32
	for fold := range s.Folds {
		f := &fitting{task: t, x: &x.Matrix, of: s.Rows, recipe: r, seed: seed}
		var held []int32
		for i, p := range s.Fold {
			if int(p) == fold {
				held = append(held, int32(i))
			} else {
				f.rows = append(f.rows, int32(i))
			}
		}
		l, err := f.fit(ctx, 0)
		if err != nil {
			return nil, err
		}
		first := len(o.Scores)
		o.Scores = append(o.Scores, make([]float32, len(held)*columns)...)
		for j, i := range held {
			l.Score(o.Scores[first+j*columns:first+(j+1)*columns], &x.Matrix, i)
			o.Rows = append(o.Rows, s.Rows[i])
		}
		if r.Complement > 0 {
			nb := &Linear{Weights: f.complement(), Bias: make([]float32, columns)}
			complements = append(complements, make([]float32, len(held)*columns)...)
			for j, i := range held {
				nb.Score(complements[first+j*columns:first+(j+1)*columns], &x.Matrix, i)
			}
		}
	}
	if r.Complement > 0 {
		a, b := spread(o.Scores, columns), spread(complements, columns)
		if b > 0 {
			o.complement = float32(float64(r.Complement) * a / b)
		}
		for j, v := range complements {
			o.Scores[j] += float32(o.complement * v)
		}
	}
	o.calibrate(t)
	return o, nil
}

// spread is the standard deviation of scores within a row.
func spread(scores []float32, columns int) float64 {
	sum := 0.0
	for i := 0; i < len(scores); i += columns {
		mean := 0.0
		for _, v := range scores[i : i+columns] {
			mean += float64(v)
		}
		mean /= float64(columns)
		for _, v := range scores[i : i+columns] {
			d := float64(v) - mean
			sum += float64(d * d)
		}
	}
	return math.Sqrt(sum / float64(max(len(scores), 1)))
}

// calibrate finds the calibration and measures with it.
func (o *Outcome) calibrate(t *Task) {
	columns := t.Columns()
	o.Losses = make([]float64, len(o.Rows))
	right := 0
	decisions := len(o.Rows)
	if t.Class != nil && !t.Binary() {
		class := make([]int32, len(o.Rows))
		for j, row := range o.Rows {
			class[j] = t.Class[row]
		}
		a := calibration.Temperature(o.Scores, columns, class)
		for range columns {
			o.Calibration.Slope = append(o.Calibration.Slope, a)
			o.Calibration.Offset = append(o.Calibration.Offset, 0)
		}
		for j, k := range class {
			s := o.Scores[j*columns : (j+1)*columns]
			o.Losses[j] = calibration.SoftmaxLoss(s, a, k)
			best := 0
			for i, v := range s {
				if v > s[best] {
					best = i
				}
			}
			if best == int(k) {
				right++
			}
		}
	} else {
		decisions *= columns
		scores, positive := make([]float32, len(o.Rows)), make([]bool, len(o.Rows))
		for k := range columns {
			for j, row := range o.Rows {
				scores[j], positive[j] = o.Scores[j*columns+k], t.Is(row, k)
			}
			a, b := calibration.Logistic(scores, positive)
			o.Calibration.Slope = append(o.Calibration.Slope, a)
			o.Calibration.Offset = append(o.Calibration.Offset, b)
			for j, s := range scores {
				z := float64(a*float64(s)) + b
				o.Losses[j] += calibration.LogLoss(z, positive[j])
				if (z > 0) == positive[j] {
					right++
				}
			}
		}
	}
	for _, l := range o.Losses {
		o.Loss += l
	}
	o.Loss /= float64(max(len(o.Losses), 1))
	o.Accuracy = float64(right) / float64(max(decisions, 1))
}

// Against is the difference of the two outcomes' losses, positive where o is worse, and its standard error. Both must have
// the same rows.
func (o *Outcome) Against(other *Outcome) (difference, standardError float64) {
	n := float64(len(o.Losses))
	if n < 2 {
		return 0, 0
	}
	difference = o.Loss - other.Loss
	for j, l := range o.Losses {
		d := l - other.Losses[j] - difference
		standardError += float64(d * d)
	}
	return difference, math.Sqrt(standardError / (n - 1) / n)
}
