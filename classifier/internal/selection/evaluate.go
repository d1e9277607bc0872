package selection

import (
	"context"
	"math"

	"github.com/linnet-ml/linnet/classifier/internal/calibration"
	"github.com/linnet-ml/linnet/classifier/internal/linear"
)

// A Calibration turns scores into logits: Slope times the score plus Offset, for each score. Of three classes or more of which a text has
// one, they are made even then.
type Calibration struct {
	Slope, Offset []float64
	Evenness      calibration.Evenness // of the logits
}

// An Outcome is what a recipe reached on held-out rows.
type Outcome struct {
	Recipe   Recipe
	Rows     []int32   // the task's rows that were held out
	Scores   []float32 // their scores, row by row
	Losses   []float64 // their log losses after calibration
	Loss     float64   // the average
	Accuracy float64   // the share of decisions (of labels, with several a row) that are right at even odds

	Calibration Calibration
	plain       Calibration // without evenness
	tolerance   float64
	complement  float32       // the factor of complement naive Bayes's weights
	linear      []float32     // the scores without complement naive Bayes
	duals       [][][]float32 // the linear models' dual variables, by fold, score and row of the sample; nil if forgotten
}

// start is what linear models of a similar recipe begin with, if anything.
func (o *Outcome) start(fold int) [][]float32 {
	if fold >= len(o.duals) {
		return nil
	}
	return o.duals[fold]
}

// evaluate learns a recipe on all but one fold at a time, from the sample's texts with their values, and scores that fold. An outcome of a similar recipe on the same
// sample, or nil, saves work: linear models begin with its dual variables, and if only complement naive Bayes is new they are not
// fitted again.
func (t *Task) evaluate(ctx context.Context, x *Weighted, s Sample, r Recipe, seed uint64, similar *Outcome, tolerance float64) (*Outcome, error) {
	columns := t.Columns()
	o := &Outcome{Recipe: r, tolerance: tolerance}
	fits := make([]fitting, s.Folds)
	held := make([][]int32, s.Folds) // rows of the sample
	first := make([]int, s.Folds)    // where their scores begin
	for fold := range fits {
		f := &fits[fold]
		*f = fitting{task: t, x: &x.Matrix, of: s.Rows, recipe: r, seed: seed, tolerance: tolerance}
		if similar != nil {
			f.start = similar.start(fold)
		}
		first[fold] = len(o.Rows)
		for i, p := range s.Fold {
			if int(p) == fold {
				held[fold] = append(held[fold], int32(i))
				o.Rows = append(o.Rows, s.Rows[i])
			} else {
				f.rows = append(f.rows, int32(i))
			}
		}
	}
	known := make([]known, s.Folds)
	for fold := range fits {
		if err := known[fold].find(ctx, x, fits[fold].rows, held[fold]); err != nil {
			return nil, err
		}
	}
	if similar != nil && similar.Recipe.withoutComplement() == r.withoutComplement() && similar.tolerance == tolerance {
		o.linear, o.duals = similar.linear, similar.duals
	} else {
		o.linear, o.duals = make([]float32, len(o.Rows)*columns), make([][][]float32, s.Folds)
		for fold := range o.duals {
			o.duals[fold] = make([][]float32, columns)
		}
		err := parallel(ctx, s.Folds*columns, func(ctx context.Context, i int) error {
			fold, k := i/columns, i%columns
			m, dual, err := fits[fold].column(ctx, k)
			if err != nil {
				return err
			}
			if s.Folds*columns*len(s.Rows) <= mostDuals {
				o.duals[fold][k] = dual
			}
			known[fold].keep(m.Weights)
			for j, i := range held[fold] {
				o.linear[(first[fold]+j)*columns+k] = x.score(m, i, known[fold].scale[j])
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	o.Scores = o.linear
	if r.Complement > 0 {
		bayes := make([]float32, len(o.linear))
		for fold := range fits {
			weights, err := fits[fold].complement(ctx)
			if err != nil {
				return nil, err
			}
			for k, w := range weights {
				known[fold].keep(w)
				m := &linear.Model{Weights: w}
				for j, i := range held[fold] {
					bayes[(first[fold]+j)*columns+k] = x.score(m, i, known[fold].scale[j])
				}
			}
		}
		if b := spread(bayes, columns); b > 0 {
			o.complement = float32(float64(r.Complement) * spread(o.linear, columns) / b)
		}
		o.Scores = make([]float32, len(bayes))
		for j, v := range bayes {
			o.Scores[j] = o.linear[j] + float32(o.complement*v)
		}
	}
	o.calibrate(t, nil)
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

// calibrate finds the calibration and measures with it. Its evenness has the given quarters; nil means the best.
func (o *Outcome) calibrate(t *Task, quarters *int) {
	columns := t.Columns()
	o.Losses = make([]float64, len(o.Rows))
	right := 0
	decisions := len(o.Rows)
	if t.Class != nil && !t.Binary() {
		class := make([]int32, len(o.Rows))
		for j, row := range o.Rows {
			class[j] = t.Class[row]
		}
		even := calibration.FindEvenness(o.Scores, columns, class, quarters)
		scores := even.Even(o.Scores, columns)
		a := calibration.Temperature(scores, columns, class)
		o.plain = uniform(columns, a)
		if even.Quarters > 0 {
			o.plain = uniform(columns, calibration.Temperature(o.Scores, columns, class))
		}
		o.Calibration = uniform(columns, a)
		even.Spread *= a
		o.Calibration.Evenness = even
		for j, k := range class {
			s := scores[j*columns : (j+1)*columns]
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
	if o.plain.Slope == nil {
		o.plain = o.Calibration
	}
	for _, l := range o.Losses {
		o.Loss += l
	}
	o.Loss /= float64(max(len(o.Losses), 1))
	o.Accuracy = float64(right) / float64(max(decisions, 1))
}

// uniform is a calibration with one slope and no offsets.
func uniform(columns int, slope float64) Calibration {
	c := Calibration{Slope: make([]float64, columns), Offset: make([]float64, columns)}
	for k := range c.Slope {
		c.Slope[k] = slope
	}
	return c
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
