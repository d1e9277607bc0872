package selection

import (
	"context"
	"math"

	"github.com/linnet-ml/linnet/classifier/internal/features"
)

// Sizes of the search.
const (
	sampleRows = 5000 // rows that recipes are compared on first
	allRows    = 6500 // with no more than these, all of them
	heldOut    = 2000 // rows that are held out in a comparison, if there are as many
	finalRows  = 4000 // rows that are held out when the last recipes are compared and calibrated
)

// DefaultWork is how much work n-grams of characters may make at most; see [Task.work].
const DefaultWork = 64 << 20

// A Result is what the search found.
type Result struct {
	Best     *Outcome
	RunnerUp *Outcome   // the next best of the last comparison; nil if there was none
	Sample   []*Outcome // what was tried on the sample, in order
	Rows     int        // rows in the sample
	Corpus   *features.Corpus
	Weighted *Weighted // nil until Fit
}

type search struct {
	task   *Task
	sample Sample
	seed   uint64
	corpus *features.Corpus
	holds  features.Settings // the corpus's
	tried  []*Outcome
}

func minimum(rows int) int {
	if rows < 200 {
		return 1
	}
	return 2
}

// try evaluates a recipe on the sample.
func (s *search) try(ctx context.Context, r Recipe) (*Outcome, error) {
	for _, o := range s.tried {
		if o.Recipe == r {
			return o, nil
		}
	}
	if s.corpus == nil || !holds(s.holds, r.Features) {
		s.holds = r.Features
		if s.holds.WordMax > 0 && s.holds.CharMax == 0 {
			s.holds.WordMin, s.holds.WordMax = 1, max(3, s.holds.WordMax)
		}
		c, err := features.Build(ctx, s.task.Texts, s.sample.Rows, s.holds, minimum(len(s.sample.Rows)))
		if err != nil {
			return nil, err
		}
		s.corpus = c
	}
	o, err := s.task.evaluate(ctx, s.corpus, s.sample, r, s.seed)
	if err == nil {
		s.tried = append(s.tried, o)
	}
	return o, err
}

// holds returns whether a corpus with settings a has all n-grams of settings b.
func holds(a, b features.Settings) bool {
	for k := range features.Kind(features.Kinds) {
		if b.Has(k) && !a.Has(k) {
			return false
		}
	}
	return a.KeepCase == b.KeepCase && a.Punctuation == b.Punctuation
}

// better returns whether a should replace b: a costlier recipe must win by a standard error, an equally costly or cheaper
// one by half of it.
func better(a, b *Outcome) bool {
	d, se := b.Against(a)
	if a.Recipe.cost() <= b.Recipe.cost() {
		se /= 2
	}
	return d > se
}

// improve tries changes of the best recipe and returns the best of all.
func (s *search) improve(ctx context.Context, best *Outcome, changes ...func(*Recipe)) (*Outcome, error) {
	from := best.Recipe
	for _, change := range changes {
		r := from
		change(&r)
		o, err := s.try(ctx, r)
		if err != nil {
			return nil, err
		}
		if better(o, best) {
			best = o
		}
	}
	return best, nil
}

// work is about how many n-grams of characters learning reads: three lengths of them for each byte of text, once for
// numbering them, and once more for every four scores that are fitted.
func (t *Task) work() int64 {
	bytes := int64(0)
	for _, text := range t.Texts {
		bytes += int64(len(text))
	}
	return 3 * bytes * int64(4+t.Columns()) / 4
}

// Search looks for a recipe. The order of decisions is weights and n-grams of words, punctuation, case, characters,
// regularisation, complement naive Bayes, class weights; each is made with what was best before. If the sample is not all
// rows, the best recipe, the same with n-grams of one more word, and the best of the other kind of weights are compared
// again on all of them.
func Search(ctx context.Context, t *Task, seed uint64, work int64) (*Result, error) {
	n := len(t.Texts)
	if n > allRows {
		n = sampleRows
	}
	s := &search{task: t, sample: t.Draw(n, heldOut, seed), seed: seed}
	best, err := s.try(ctx, Recipe{Features: features.Settings{WordMin: 1, WordMax: 1}, C: 1})
	if err != nil {
		return nil, err
	}
	words := func(n int, bayes bool) func(*Recipe) {
		return func(r *Recipe) {
			r.Features.WordMax, r.NaiveBayes, r.C = n, bayes, 1
			if bayes {
				r.C = 4
			}
		}
	}
	steps := [][]func(*Recipe){
		{words(1, true), words(2, false), words(2, true), words(3, false), words(3, true)},
		{func(r *Recipe) { r.Features.Punctuation = true }, func(r *Recipe) { r.Features.KeepCase = true }},
	}
	if t.work() <= work {
		characters := func(low, high int, words bool) func(*Recipe) {
			return func(r *Recipe) {
				if !words {
					r.Features = features.Settings{KeepCase: r.Features.KeepCase}
				}
				r.Features.CharMin, r.Features.CharMax = low, high
			}
		}
		steps = append(steps,
			[]func(*Recipe){characters(2, 4, true), characters(2, 4, false), characters(1, 4, false)},
			[]func(*Recipe){func(r *Recipe) { r.Features.KeepCase = !r.Features.KeepCase && r.Features.CharMax > 0 }})
	}
	steps = append(steps,
		[]func(*Recipe){func(r *Recipe) { r.C *= 4 }, func(r *Recipe) { r.C /= 4 }})
	if t.Class != nil && t.Classes > 2 {
		steps = append(steps, []func(*Recipe){
			func(r *Recipe) { r.NaiveBayes, r.C, r.Complement = false, 1, 0.5 },
			func(r *Recipe) { r.NaiveBayes, r.C, r.Complement = false, 1, 1 },
		})
	}
	if t.skewed() {
		steps = append(steps, []func(*Recipe){func(r *Recipe) { r.Balanced = true }})
	}
	for _, changes := range steps {
		if best, err = s.improve(ctx, best, changes...); err != nil {
			return nil, err
		}
	}
	result := &Result{Sample: s.tried, Rows: len(s.sample.Rows)}
	if n == len(t.Texts) && s.sample.Folds == parts {
		// The sample is all there is, and all of it was held out: nothing is left to compare.
		result.Best, result.RunnerUp, result.Corpus = best, s.second(best), s.corpus
		if !holds(s.holds, best.Recipe.Features) {
			result.Corpus, err = features.Build(ctx, t.Texts, s.sample.Rows, best.Recipe.Features, minimum(n))
		}
		return result, err
	}
	finalists := []Recipe{best.Recipe}
	s.holds = best.Recipe.Features
	if n < len(t.Texts) {
		if r := best.Recipe; r.Features.WordMax == 1 || r.Features.WordMax == 2 {
			r.Features.WordMax++ // which pays with more rows
			s.holds = r.Features
			finalists = append(finalists, r)
		}
		if o := s.rival(best); o != nil && holds(s.holds, o.Recipe.Features) {
			if d, se := o.Against(best); d < 4*se {
				finalists = append(finalists, o.Recipe)
			}
		}
	}
	all := t.Draw(len(t.Texts), finalRows, seed)
	if result.Corpus, err = features.Build(ctx, t.Texts, all.Rows, s.holds, minimum(len(all.Rows))); err != nil {
		return nil, err
	}
	for _, r := range finalists {
		o, err := t.evaluate(ctx, result.Corpus, all, r, seed)
		if err != nil {
			return nil, err
		}
		switch {
		case result.Best == nil:
			result.Best = o
		case better(o, result.Best):
			result.Best, result.RunnerUp = o, result.Best
		case result.RunnerUp == nil || o.Loss < result.RunnerUp.Loss:
			result.RunnerUp = o
		}
	}
	return result, nil
}

// second is the best recipe but one.
func (s *search) second(best *Outcome) *Outcome {
	var second *Outcome
	for _, o := range s.tried {
		if o != best && (second == nil || o.Loss < second.Loss) {
			second = o
		}
	}
	return second
}

// rival is the best recipe with the other kind of weights.
func (s *search) rival(best *Outcome) *Outcome {
	var rival *Outcome
	for _, o := range s.tried {
		if o.Recipe.NaiveBayes != best.Recipe.NaiveBayes && (rival == nil || o.Loss < rival.Loss) {
			rival = o
		}
	}
	return rival
}

// Fit learns the best recipe from all rows and keeps the columns with the largest weights, at most n of them. It returns
// the model and these columns in ascending order.
//
// A text's values then have length 1 without the columns that are gone, and are larger than those the model was fitted to. Weights
// of the columns that stay make up for that: they shrink by what the texts' lengths lose on average.
func (r *Result) Fit(ctx context.Context, t *Task, seed uint64, n int) (*Linear, []uint32, error) {
	rows := make([]int32, len(t.Texts))
	for i := range rows {
		rows[i] = int32(i)
	}
	r.Weighted = Weigh(r.Corpus, r.Best.Recipe)
	f := &fitting{task: t, x: &r.Weighted.Matrix, of: rows, rows: rows, recipe: r.Best.Recipe, seed: seed}
	l, err := f.fit(ctx, r.Best.complement)
	if err != nil {
		return nil, nil, err
	}
	used := largest(l, n)
	length := lengths(r.Weighted, r.Corpus, used)
	for _, w := range l.Weights {
		for _, c := range used {
			w[c] *= length[block(r.Corpus.Kind[c])]
		}
	}
	return l, used, nil
}

// lengths is the average length of texts' values in the given columns, for words and for characters.
func lengths(w *Weighted, c *features.Corpus, columns []uint32) [2]float32 {
	stays := make([]bool, len(c.Hash))
	for _, id := range columns {
		stays[id] = true
	}
	var sums [2]float64
	var texts [2]int
	for i := range w.Matrix.Rows() {
		var square [2]float64
		id, value := w.Matrix.Row(int32(i))
		for j, v := range value {
			if stays[id[j]] {
				square[block(c.Kind[id[j]])] += float64(v) * float64(v)
			}
		}
		for b, s := range square {
			if s > 0 {
				sums[b] += math.Sqrt(s)
				texts[b]++
			}
		}
	}
	length := [2]float32{1, 1}
	for b, n := range texts {
		if n > 0 {
			length[b] = float32(sums[b] / float64(n))
		}
	}
	return length
}
