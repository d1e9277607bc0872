package selection

import (
	"context"

	"github.com/linnet-ml/linnet/classifier/internal/calibration"
	"github.com/linnet-ml/linnet/classifier/internal/parallel"
	"github.com/linnet-ml/linnet/classifier/internal/regions"
)

// Sizes of the network.
const (
	networkUnits = 64     // for each size of regions
	networkWords = 30_000 // in the vocabulary
	fewestEpochs = 2      // with less work than for these, no network is tried
	mostEpochs   = 8
	steadyRows   = 2048      // of those that a network has learned from, on which its mean scores are compared
	patience     = 2         // epochs that make the average no better, after which no more are tried
	networkBytes = 256 << 20 // of text: with more no network is tried, whose words are in memory
)

// An Average is a linear model averaged with a network.
type Average struct {
	Words, Epochs int
	Weight        float64 // of the network's logits; the linear model has the rest
	Together      *Outcome
	// Gain is how much less log loss the average has than the linear model alone, on rows held out, and GainError the standard
	// error of that.
	Gain, GainError float64
	// Calibration is that of the linear model's scores, as part of the average. It has the biases of the network.
	Calibration Calibration
	Network     *regions.Parts // nil if the gain is not more than its standard error
	Units       int
}

// networkWork is the work of an epoch on a number of words, in units of [Task.work]: as many take about as long.
func (t *Task) networkWork(words int) int64 {
	return int64(words) * networkUnits / 32 * int64(16+t.Columns()) / 16
}

// AddNetwork learns a network from the rows that the best recipe was calibrated without, decides on held-out rows how many
// epochs are best for the average with the linear model and how much the network has to say, and learns it again from all
// rows. It returns nil if the work does not suffice or if there is too much text.
//
// When t.Stop is closed, as many epochs as were the best so far are learned from all rows, or there is no network if none has
// been compared. r.Stopped says so.
func (r *Result) AddNetwork(ctx context.Context, t *Task, seed uint64, work int64) (*Average, error) {
	rows := t.All()
	bytes := t.Texts.Bytes(rows)
	if bytes > networkBytes || t.networkWork(int(bytes/16)) > work { // words of 16 bytes: shorter ones are more work
		return nil, nil
	}
	stopping, end := t.stopping(ctx)
	defer end()
	texts, err := regions.Read(stopping, t.Texts, rows, r.Best.Recipe.Features, networkWords)
	if t.isStop(ctx, err) {
		r.Stopped = true
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	folds := r.Held.Folds
	epoch := t.networkWork(len(texts.ID)) * int64(parts+folds*(parts-1)) / parts // in each fold, and in the end
	epochs := int(min(work/max(epoch, 1), mostEpochs))
	if epochs < fewestEpochs || len(texts.Hash) == 0 {
		return nil, nil
	}
	k := t.Columns()
	s := regions.Settings{Seed: seed, Units: networkUnits, Scores: k, Softmax: t.Class != nil && !t.Binary()}
	done, total := 0, epochs*(len(rows)*(parts+folds*(parts-1))/parts)
	count := func(n int) {
		done += n
		t.Meter.Set(Averaging, min(done, total), total)
	}
	a := &Average{Units: networkUnits}
	var unknown []bool // the network, too, knows nothing of the held-out row
	if r.Best.unknown != nil {
		unknown = make([]bool, len(r.Best.Rows))
		for j, row := range r.Best.Rows {
			unknown[j] = r.Best.unknown[j] && !texts.Knows(row)
		}
	}
	var network *Outcome
	compare := func(e int, scores []float32) error {
		o, err := t.network(stopping, r.Best, scores)
		if err != nil {
			return err
		}
		both, w, err := t.average(stopping, r.Best, o, unknown)
		if err != nil {
			return err
		}
		if a.Together == nil || both.Loss < a.Together.Loss {
			a.Together, a.Weight, a.Epochs, network = both, w, e+1, o
		}
		return nil
	}
	scores := make([][]float32, epochs)  // of held-out rows, by epoch
	var steady [][]int32                 // some of the rows that were learned from, by fold
	means := make([][][]float64, epochs) // of their scores, by epoch, fold and score
	first := 0
	learn := func(fold int) error {
		var rows []int32
		held := r.Best.Rows[first:]
		n := 0
		for i, p := range r.Held.Fold {
			if int(p) == fold {
				n++
			} else {
				rows = append(rows, r.Held.Rows[i])
			}
		}
		held = held[:n]
		first += n
		steady = append(steady, someRows(rows, steadyRows))
		trainer := regions.New(texts, t, s)
		for e := range epochs {
			if err := trainer.Epoch(stopping, rows, e, count); err != nil {
				return err
			}
			at := len(scores[e])
			scores[e] = append(scores[e], make([]float32, n*k)...)
			if err := trainer.Scores(stopping, scores[e][at:], held); err != nil {
				return err
			}
			m, err := meanScores(stopping, trainer, steady[fold], k)
			if err != nil {
				return err
			}
			means[e] = append(means[e], m)
			if fold == folds-1 {
				if err := compare(e, scores[e]); err != nil {
					return err
				}
				scores[e] = nil
			}
			if folds == 1 && e+1-a.Epochs == patience {
				break
			}
		}
		return nil
	}
	for fold := range folds {
		err := learn(fold)
		if t.isStop(ctx, err) {
			if r.Stopped = true; a.Together == nil {
				return nil, nil
			}
			break
		}
		if err != nil {
			return nil, err
		}
	}
	a.Words = len(texts.Hash)
	a.Gain, a.GainError = r.Best.Against(a.Together)
	if a.Gain <= a.GainError {
		return a, nil
	}
	trainer := regions.New(texts, t, s)
	for e := range a.Epochs {
		if err := trainer.Epoch(ctx, rows, e, count); err != nil {
			return nil, err
		}
	}
	shift, err := meanShift(ctx, trainer, steady, means[a.Epochs-1], k)
	if err != nil {
		return nil, err
	}
	a.Calibration.Evenness = a.Together.Calibration.Evenness
	factor, offset := make([]float32, k), make([]float64, k)
	for j := range factor {
		l, n, both := &r.Best.plain, &network.Calibration, &a.Together.Calibration
		a.Calibration.Slope = append(a.Calibration.Slope, both.Slope[j]*(1-a.Weight)*l.Slope[j])
		factor[j] = float32(both.Slope[j] * a.Weight * n.Slope[j])
		offset[j] = both.Offset[j] + float64(both.Slope[j]*(float64((1-a.Weight)*l.Offset[j])+float64(a.Weight*n.Offset[j])))
		offset[j] += float64(float64(factor[j]) * shift[j])
	}
	var bias []float32
	a.Network, bias = trainer.Parts(factor)
	for j, b := range bias {
		a.Calibration.Offset = append(a.Calibration.Offset, offset[j]+float64(b))
	}
	return a, nil
}

// someRows returns n of the rows, or all if there are no more, at equal distances.
func someRows(rows []int32, n int) []int32 {
	n = min(n, len(rows))
	some := make([]int32, n)
	for i := range some {
		some[i] = rows[int(int64(i)*int64(len(rows))/int64(n))]
	}
	return some
}

// meanScores returns the mean of each of a network's k scores over rows.
func meanScores(ctx context.Context, trainer *regions.Trainer, rows []int32, k int) ([]float64, error) {
	scores, mean := make([]float32, len(rows)*k), make([]float64, k)
	if err := trainer.Scores(ctx, scores, rows); err != nil {
		return nil, err
	}
	for i, s := range scores {
		mean[i%k] += float64(s)
	}
	for j := range mean {
		mean[j] /= float64(max(len(rows), 1))
	}
	return mean, nil
}

// meanShift returns how much higher the scores of the networks of the folds were, on rows that these learned from, than those of the
// network that learned from all rows. The last steps of a training move all scores together by some tenths, and what was
// calibrated is the scores of the folds.
func meanShift(ctx context.Context, trainer *regions.Trainer, steady [][]int32, means [][]float64, k int) ([]float64, error) {
	shift := make([]float64, k)
	for fold, mean := range means {
		m, err := meanScores(ctx, trainer, steady[fold], k)
		if err != nil {
			return nil, err
		}
		for j := range shift {
			shift[j] += (mean[j] - m[j]) / float64(len(means))
		}
	}
	return shift, nil
}

// network is the outcome of a network's scores of the rows of another outcome.
func (t *Task) network(ctx context.Context, o *Outcome, scores []float32) (*Outcome, error) {
	n := &Outcome{Recipe: o.Recipe, Rows: o.Rows, Scores: scores}
	return n, n.calibrate(ctx, t, new(int))
}

// average returns the outcome of the best weighted average of two outcomes' logits, and the weight of the second. Unknown are the rows
// of which neither model knows anything; nil where that is not looked at.
func (t *Task) average(ctx context.Context, a, b *Outcome, unknown []bool) (best *Outcome, weight float64, err error) {
	const steps = 20
	k := t.Columns()
	part := calibration.Part(k)
	for i := 1; i < steps; i++ { // neither is left out
		w := float64(i) / steps
		o := &Outcome{Recipe: a.Recipe, Rows: a.Rows, Scores: make([]float32, len(a.Scores)), unknown: unknown}
		err := parallel.Each(ctx, (len(o.Rows)+part-1)/part, func(_ context.Context, p int) error {
			for j := p * part * k; j < min((p+1)*part*k, len(o.Scores)); j++ {
				x := float64(a.plain.Slope[j%k]*float64(a.Scores[j])) + a.plain.Offset[j%k]
				y := float64(b.Calibration.Slope[j%k]*float64(b.Scores[j])) + b.Calibration.Offset[j%k]
				o.Scores[j] = float32(float64((1-w)*x) + float64(w*y))
			}
			return nil
		})
		if err == nil {
			err = o.calibrate(ctx, t, &a.Calibration.Evenness.Quarters) // which both with and without the network are made even by
		}
		if err != nil {
			return nil, 0, err
		}
		if best == nil || o.Loss < best.Loss {
			best, weight = o, w
		}
	}
	return best, weight, nil
}
