package selection

import (
	"context"
	"math"
	"sync/atomic"

	"github.com/linnet-ml/linnet/classifier/internal/calibration"
	"github.com/linnet-ml/linnet/classifier/internal/linear"
	"github.com/linnet-ml/linnet/classifier/internal/parallel"
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
	Scores   []float32 // their scores, row by row; nil if forgotten
	Losses   []float64 // their log losses after calibration
	Loss     float64   // the average
	Accuracy float64   // the share of decisions (of labels, with several a row) that are right at even odds

	Calibration Calibration
	unknown     []bool      // by index in Rows: none of the row's n-grams is in the model, which then says Task.Prior; nil where that is not looked at
	plain       Calibration // without evenness
	tolerance   float64
	complement  float32       // the factor of complement naive Bayes's weights
	linear      []float32     // the scores without complement naive Bayes
	bayes       []float32     // those of complement naive Bayes; nil if they were not needed
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
		*f = fitting{task: t, x: &x.Matrix, of: s.Rows, recipe: r, seed: seed, models: s.Folds * columns, tolerance: tolerance}
		if similar != nil {
			f.start = similar.start(fold)
		}
		first[fold] = len(o.Rows)
		f.rows, held[fold] = s.split(fold)
		for _, i := range held[fold] {
			o.Rows = append(o.Rows, s.Rows[i])
		}
	}
	known := make([]known, s.Folds)
	for fold := range fits {
		if err := known[fold].find(ctx, x, fits[fold].rows, held[fold]); err != nil {
			return nil, err
		}
	}
	if similar != nil && similar.linear != nil && similar.Recipe.withoutComplement() == r.withoutComplement() && similar.tolerance == tolerance {
		o.linear, o.bayes, o.duals = similar.linear, similar.bayes, similar.duals
	} else {
		o.linear, o.duals = make([]float32, len(o.Rows)*columns), make([][][]float32, s.Folds)
		for fold := range o.duals {
			o.duals[fold] = make([][]float32, columns)
		}
		err := parallel.Each(ctx, s.Folds*columns, func(ctx context.Context, i int) error {
			fold, k := i/columns, i%columns
			m, err := fits[fold].column(ctx, k)
			if err != nil {
				return err
			}
			if int64(s.Folds)*int64(columns)*int64(len(s.Rows)) <= mostDuals {
				o.duals[fold][k] = fits[fold].dual(m)
			}
			return x.scores(ctx, o.linear, first[fold]*columns+k, columns, m, held[fold], &known[fold])
		})
		if err != nil {
			return nil, err
		}
	}
	o.Scores = o.linear
	if r.Complement > 0 {
		if o.bayes == nil {
			bayes := make([]float32, len(o.linear))
			for fold := range fits {
				err := fits[fold].complement(ctx, func(ctx context.Context, k int, weights []float32) error {
					return x.scores(ctx, bayes, first[fold]*columns+k, columns, &linear.Model{Weights: weights}, held[fold], &known[fold])
				})
				if err != nil {
					return nil, err
				}
			}
			if o.bayes = bayes; similar != nil && len(similar.linear) > 0 && &similar.linear[0] == &o.linear[0] {
				similar.bayes = bayes // for the next factor
			}
		}
		if b := spread(o.bayes, columns); b > 0 {
			o.complement = float32(float64(r.Complement) * spread(o.linear, columns) / b)
		}
		o.Scores = make([]float32, len(o.bayes))
		for j, v := range o.bayes {
			o.Scores[j] = o.linear[j] + float32(o.complement*v)
		}
	}
	return o, o.calibrate(ctx, t, nil)
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
func (o *Outcome) calibrate(ctx context.Context, t *Task, quarters *int) error {
	columns := t.Columns()
	o.Losses = make([]float64, len(o.Rows))
	prior := t.Prior()
	scores := o.Scores
	decisions := len(o.Rows)
	var measure func(j int, scores []float32) (loss float64, right int) // of row j
	if t.Class != nil && !t.Binary() {
		var class []int32
		from := o.Scores
		if o.unknown != nil {
			from = make([]float32, 0, len(o.Scores))
		}
		for j, row := range o.Rows {
			if o.unknown == nil {
				class = append(class, t.Class[row])
			} else if !o.unknown[j] {
				class = append(class, t.Class[row])
				from = append(from, o.Scores[j*columns:(j+1)*columns]...)
			}
		}
		even, err := calibration.FindEvenness(ctx, from, columns, class, quarters)
		if err != nil {
			return err
		}
		a, err := calibration.Temperature(ctx, even.Even(from, columns), columns, class)
		if err != nil {
			return err
		}
		scores = even.Even(o.Scores, columns)
		plain := a
		if even.Quarters > 0 && quarters == nil { // else nobody asks for it
			if plain, err = calibration.Temperature(ctx, from, columns, class); err != nil {
				return err
			}
		}
		o.plain, o.Calibration = uniform(columns, plain), uniform(columns, a)
		even.Spread *= a
		o.Calibration.Evenness = even
		measure = func(j int, scores []float32) (loss float64, right int) {
			slope, class := a, t.Class[o.Rows[j]]
			if o.Unknown(j) {
				scores, slope = prior, 1
			}
			best := 0
			for i, v := range scores {
				if v > scores[best] {
					best = i
				}
			}
			if best == int(class) {
				right = 1
			}
			return calibration.SoftmaxLoss(scores, slope, class), right
		}
	} else {
		decisions *= columns
		o.Calibration = uniform(columns, 0)
		slope, offset := o.Calibration.Slope, o.Calibration.Offset
		err := parallel.Team(ctx, columns, func(_ context.Context, next func() (int, bool)) error {
			scores, positive := make([]float32, 0, len(o.Rows)), make([]bool, 0, len(o.Rows))
			for k, ok := next(); ok; k, ok = next() {
				scores, positive = scores[:0], positive[:0]
				for j, row := range o.Rows {
					if !o.Unknown(j) {
						scores, positive = append(scores, o.Scores[j*columns+k]), append(positive, t.Is(row, k))
					}
				}
				slope[k], offset[k] = calibration.Logistic(scores, positive)
			}
			return nil
		})
		if err != nil {
			return err
		}
		o.plain = o.Calibration
		measure = func(j int, scores []float32) (loss float64, right int) {
			for k, s := range scores {
				z := float64(slope[k]*float64(s)) + offset[k]
				if o.Unknown(j) {
					z = float64(prior[k])
				}
				positive := t.Is(o.Rows[j], k)
				loss += calibration.LogLoss(z, positive)
				if (z > 0) == positive {
					right++
				}
			}
			return loss, right
		}
	}
	var right atomic.Int64
	part := calibration.Part(columns)
	err := parallel.Each(ctx, (len(o.Rows)+part-1)/part, func(_ context.Context, p int) error {
		sum := 0
		for j := p * part; j < min((p+1)*part, len(o.Rows)); j++ {
			loss, n := measure(j, scores[j*columns:(j+1)*columns])
			o.Losses[j] = loss
			sum += n
		}
		right.Add(int64(sum))
		return nil
	})
	if err != nil {
		return err
	}
	for _, l := range o.Losses {
		o.Loss += l
	}
	o.Loss /= float64(max(len(o.Losses), 1))
	o.Accuracy = float64(right.Load()) / float64(max(decisions, 1))
	return nil
}

// Unknown returns whether a held-out row has no n-gram that the model has.
func (o *Outcome) Unknown(j int) bool { return o.unknown != nil && o.unknown[j] }

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
