package selection

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"unicode"

	"github.com/linnet-ml/linnet/classifier/internal/features"
	"github.com/linnet-ml/linnet/classifier/internal/linear"
	"github.com/linnet-ml/linnet/classifier/internal/parallel"
)

// Sizes of the search.
const (
	sampleRows = 5000 // rows that recipes are compared on first
	allRows    = 6500 // with no more than these, all of them
	heldOut    = 2000 // rows that are held out in a comparison on the sample, if there are as many
	finalHeld  = 4000 // the same for the last comparison and to calibrate

	// finalBytes is how much text the last comparison is made on, at least allRows rows: about 50,000 reviews of films.
	finalBytes = 1 << 26
	// mostDuals is how many dual variables an outcome keeps for the next one to begin with. Of more, none.
	mostDuals = 1 << 24
	// mostComplement is the largest factor of complement naive Bayes.
	mostComplement = 2.0
	// usualRecipes is about how many recipes are compared on the sample.
	usualRecipes = 15
)

// ErrStopped is the error of a Search that was stopped before a recipe was evaluated.
var ErrStopped = errors.New("stopped before anything was learned")

// DefaultWork is how much work n-grams of characters may make at most; see [Task.work].
const DefaultWork = 64 << 20

// A Result is what the search found.
type Result struct {
	Best     *Outcome
	RunnerUp *Outcome // the next best of the last comparison; nil if there was none
	// Unlimited says what Best reached before Prune, and no more of it; nil without.
	Unlimited *Outcome
	// Behind is how much more log loss the runner-up had in that comparison, and BehindError the standard error of that.
	Behind, BehindError float64
	Sample              []*Outcome // what was tried on the sample, in order
	Rows                int        // rows in the sample
	Held                Sample     // what Best was calibrated on
	Corpus              *features.Corpus
	Weighted            *Weighted
	Stopped             bool // before the search was over, or the learning of a network
}

type search struct {
	task   *Task
	sample Sample
	seed   uint64
	tried  []*Outcome
	leader *Outcome // the best so far
	trial  bool     // what is tried may have to be better by far, and leads only then
	collection
	// other is the collection before the last one: if a change is no better, the search goes back to it.
	other collection
}

// A collection is rows with the n-grams and the values of a recipe.
type collection struct {
	corpus   *features.Corpus
	holds    features.Settings // the corpus's
	minimum  int               // of the texts that its n-grams are in
	weighted *Weighted
	weighs   Recipe // its recipe
}

// drop forgets the collection and gives its memory back.
func (c *collection) drop() {
	c.weighted.Free()
	if c.corpus != nil {
		c.corpus.Free()
	}
	*c = collection{}
}

// serves returns whether the corpus has what a recipe needs on n rows.
func (c *collection) serves(t *Task, n int, r Recipe) bool {
	return c.corpus != nil && c.corpus.Rows() == n && holds(c.holds, r.Features) && c.minimum == t.minimum(n, r)
}

// minimum is the number of texts that an n-gram must be in. Single words that one text alone has are not many, and naive
// Bayes learns from them; of longer n-grams they are most. With TF-IDF they stay if there is room for all: together, such n-grams say
// how alike texts are, which complement naive Bayes gains from most. With naive-Bayes weights they only add noise, and of n-grams of characters alone few
// are rare.
func (t *Task) minimum(rows int, r Recipe) int {
	f := r.Features
	if rows < 200 || f.CharMax == 0 && f.WordMax == 1 || f.WordMax > 0 && !r.NaiveBayes && t.grams(f) <= int64(t.mostColumns()) {
		return 1
	}
	return 2
}

// bytesPerGram is about how many bytes of text there are for each n-gram of one more word, or of characters: some 8 and 23 with few texts, more with many.
const bytesPerGram, bytesPerChars = 10, 20

// grams is about how many n-grams of two words and more, and of characters, the texts have.
func (t *Task) grams(f features.Settings) int64 {
	bytes := t.Texts.Bytes(t.All())
	n := bytes * int64(max(f.WordMax-1, 0)) / bytesPerGram
	if f.CharMax > 0 {
		n += bytes / bytesPerChars
	}
	return n
}

// try evaluates a recipe on the sample.
func (s *search) try(ctx context.Context, r Recipe, similar *Outcome) (*Outcome, error) {
	for _, o := range s.tried {
		if o.Recipe == r {
			return o, nil
		}
	}
	s.task.Meter.Set(Comparing, len(s.tried), max(usualRecipes, len(s.tried)+1))
	if s.task.stopped() { // which ctx may say later
		return nil, context.Canceled
	}
	wanted := r.Features
	if wanted.WordMax > 1 && wanted.CharMax == 0 {
		more := r // n-grams of the recipes to come, too
		more.Features.WordMin, more.Features.WordMax = 1, max(3, wanted.WordMax)
		if n := len(s.sample.Rows); s.task.minimum(n, r) == s.task.minimum(n, more) {
			wanted = more.Features
		}
	}
	if err := s.on(ctx, s.sample.Rows, r, wanted); err != nil {
		return nil, err
	}
	o, err := s.task.evaluate(ctx, s.weighted, s.sample, r, s.seed, similar, rough)
	if err == nil {
		s.tried = append(s.tried, o)
	}
	return o, err
}

// on makes corpus and weighted those of a recipe on given rows. If the corpus lacks n-grams it is built again, with those that are
// wanted.
func (s *search) on(ctx context.Context, rows []int32, r Recipe, wanted features.Settings) error {
	n := len(rows)
	if !s.serves(s.task, n, r) {
		s.collection, s.other = s.other, s.collection
	}
	if !s.serves(s.task, n, r) {
		s.collection.drop() // its memory is free before the next one is made
		if n > allRows {    // one collection of that many rows is enough
			s.other.drop()
		}
		minimum := s.task.minimum(n, r)
		c, err := s.task.build(ctx, rows, wanted, minimum)
		if err != nil {
			return err
		}
		s.corpus, s.holds, s.minimum = c, wanted, minimum
	}
	if s.weighted == nil || s.weighs.Features != r.Features || s.weighs.Weighting() != r.Weighting() {
		s.weighted.Free()
		s.weighted = nil
		w, err := Weigh(ctx, s.corpus, r, s.task.Space)
		if err != nil {
			return err
		}
		s.weighted, s.weighs = w, r
	}
	return nil
}

// build numbers the n-grams of rows.
func (t *Task) build(ctx context.Context, rows []int32, wanted features.Settings, minimum int) (*features.Corpus, error) {
	l := features.Limits{Minimum: minimum, Columns: t.mostColumns(), Space: t.Space}
	if len(rows) > allRows {
		l.Progress = t.Meter.counting()
	}
	return features.Build(ctx, t.Texts, rows, wanted, l)
}

// holds returns whether a corpus with settings a has all n-grams of settings b.
func holds(a, b features.Settings) bool {
	for k := range features.Kind(features.Kinds) {
		if b.Has(k) && !a.Has(k) {
			return false
		}
	}
	return a.KeepCase == b.KeepCase && (a.Punctuation == b.Punctuation || b.WordMax == 0)
}

// better returns whether a should replace b: a costlier recipe must win by a standard error, an equally costly or cheaper
// one by half of it. Weaker regularisation is costlier, too: it takes more passes.
func better(a, b *Outcome) bool {
	d, se := b.Against(a)
	if a.Recipe.cost() <= b.Recipe.cost() && a.Recipe.C <= b.Recipe.C {
		se /= 2
	}
	return d > se
}

// improve tries changes of the best recipe and returns the best of all.
func (s *search) improve(ctx context.Context, best *Outcome, changes ...func(*Recipe)) (*Outcome, error) {
	from := best
	s.lead(best)
	for _, change := range changes {
		r := from.Recipe
		change(&r)
		o, err := s.try(ctx, r, from)
		if err != nil {
			return nil, err
		}
		if better(o, best) {
			best, o = o, best
			s.lead(best)
		}
		if o != from && o != best {
			o.forget()
		}
	}
	if best != from {
		from.forget()
	}
	return best, nil
}

// lead notes the best recipe so far, which is the result when t.Stop is closed.
func (s *search) lead(best *Outcome) {
	if !s.trial {
		s.leader = best
	}
}

// work is about how many n-grams of characters learning from rows reads: three lengths of them for each byte of text, once for
// numbering them, and once more for every four scores that are fitted.
func (t *Task) work(rows []int32) int64 {
	return 3 * t.Texts.Bytes(rows) * int64(4+t.Columns()) / 4
}

// Search looks for a recipe. The order of decisions is weights and n-grams of words, punctuation, case, characters,
// regularisation, complement naive Bayes, class weights; each is made with what was best before. If the sample is not all
// rows, the best recipe, the same with n-grams of one more word, and the best of the other kind of weights are compared
// again on all of them, or on 64 MiB of text.
//
// When t.Stop is closed, the best recipe so far is the result.
func Search(ctx context.Context, t *Task, seed uint64, work int64) (*Result, error) {
	n := t.Rows()
	if n > allRows {
		n = sampleRows
	}
	s := &search{task: t, sample: t.Draw(n, heldOut, seed), seed: seed}
	s.sample.limit(t, t.mostHeld())
	compared := s.sample
	if n < t.Rows() {
		compared = t.Draw(t.finalRows(), finalHeld, seed)
		compared.limit(t, t.mostHeld())
	}
	all := compared
	if len(all.Rows) < t.Rows() {
		all = t.Draw(t.Rows(), finalHeld, seed)
	}
	result := &Result{Rows: len(s.sample.Rows)}
	stopping, end := t.stopping(ctx)
	best, err := s.compare(stopping, work)
	if err == nil {
		if n == t.Rows() {
			result.Best, result.RunnerUp = best, s.second(best)
		} else {
			err = s.final(stopping, result, best, compared)
		}
	}
	end()
	result.Sample = s.tried
	if t.isStop(ctx, err) {
		if s.leader == nil {
			return nil, ErrStopped
		}
		result.Best = &Outcome{Recipe: s.leader.Recipe}
		result.Stopped, err = true, nil
	}
	if err != nil {
		return nil, err
	}
	if result.RunnerUp != nil {
		result.Behind, result.BehindError = result.RunnerUp.Against(result.Best)
	}
	if len(result.Best.Rows) > 0 && len(compared.Rows) < len(all.Rows) {
		result.Best = &Outcome{Recipe: result.Best.Recipe} // other rows have other dual variables
	}
	return result, s.confirm(ctx, result, all)
}

// compare finds the best recipe on the sample.
func (s *search) compare(ctx context.Context, work int64) (*Outcome, error) {
	best, err := s.words(ctx)
	if err == nil {
		best, err = s.style(ctx, best)
	}
	if err == nil {
		best, err = s.admit(ctx, best, work)
	}
	if err == nil {
		best, err = s.strength(ctx, best)
	}
	return best, err
}

// admit decides on n-grams of characters if they make no more than the given work. If they make more, up to factor times as much, they
// must win by far; whether they do, a sample of short texts shows for little.
func (s *search) admit(ctx context.Context, best *Outcome, work int64) (*Outcome, error) {
	const (
		factor = 16
		share  = 4 // comparing them on the sample may make this part of the work
		far    = 5 // standard errors
	)
	all := s.task.work(s.task.All())
	if all <= work {
		return s.characters(ctx, best)
	}
	if all/factor > work || s.task.work(s.sample.Rows) > work/share {
		return best, nil
	}
	before := *best // with what the next recipes use, which a recipe that loses forgets
	s.trial = true
	o, err := s.characters(ctx, best)
	s.trial = false
	if err != nil {
		return nil, err
	}
	if d, se := best.Against(o); d <= far*se {
		*best = before
		o = best
	}
	s.lead(o)
	return o, nil
}

// finalRows is how many rows the last comparison is made on.
func (t *Task) finalRows() int {
	n := t.Rows()
	if bytes := t.Texts.Bytes(t.All()); bytes > finalBytes {
		n = min(n, max(allRows, int(float64(n)*(float64(finalBytes)/float64(bytes)))))
	}
	return n
}

// stopping returns a context that ends when t.Stop is closed.
func (t *Task) stopping(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	if t.Stop != nil {
		go func() {
			select {
			case <-t.Stop:
				cancel()
			case <-ctx.Done():
			}
		}()
	}
	return ctx, cancel
}

// isStop returns whether an error of what stopping has ended is because of t.Stop.
func (t *Task) isStop(ctx context.Context, err error) bool {
	return errors.Is(err, context.Canceled) && t.stopped() && ctx.Err() == nil
}

// stopped returns whether t.Stop is closed.
func (t *Task) stopped() bool {
	select {
	case <-t.Stop:
		return true
	default:
		return false
	}
}

// confirm evaluates the best recipe as precisely as it is learned in the end, for the calibration. With few rows, all are held out.
func (s *search) confirm(ctx context.Context, result *Result, all Sample) error {
	if len(all.Rows) <= allRows {
		all.Folds = parts
	}
	all.limit(s.task, s.task.mostHeld())
	r := result.Best.Recipe
	err := s.on(ctx, all.Rows, r, r.Features)
	if err != nil {
		return err
	}
	result.Corpus, result.Weighted, result.Held = s.corpus, s.weighted, all
	s.task.Meter.models(Testing, all.Folds*s.task.Columns())
	similar := *result.Best // its dual variables, and no scores, are of use
	for _, o := range append(s.tried, result.Best) {
		o.forget()
	}
	similar.Scores, similar.linear, similar.bayes = nil, nil, nil
	result.Best, err = s.task.evaluate(ctx, s.weighted, all, r, s.seed, &similar, precise)
	return err
}

// words decides on the weights and the n-grams of words: three words are tried if two are better than one.
func (s *search) words(ctx context.Context) (*Outcome, error) {
	best, err := s.try(ctx, Recipe{Features: features.Settings{WordMin: 1, WordMax: 1}, C: 1}, nil)
	if err != nil {
		return nil, err
	}
	bayes := func(r *Recipe) { r.NaiveBayes = true }
	two := func(r *Recipe) { r.Features.WordMax = 2 }
	both := func(r *Recipe) { bayes(r); two(r) }
	if best, err = s.improve(ctx, best, bayes, two, both); err != nil || best.Recipe.Features.WordMax < 2 {
		return best, err
	}
	return s.improve(ctx, best, func(r *Recipe) { r.Features.WordMax = 3 })
}

// style decides on punctuation and case, if the sample has any.
func (s *search) style(ctx context.Context, best *Outcome) (*Outcome, error) {
	var changes []func(*Recipe)
	marks, upper, err := s.task.style(ctx, s.sample.Rows)
	if err != nil {
		return nil, err
	}
	if marks {
		changes = append(changes, func(r *Recipe) { r.Features.Punctuation = true })
	}
	if upper {
		changes = append(changes, func(r *Recipe) { r.Features.KeepCase = true })
	}
	return s.improve(ctx, best, changes...)
}

// style returns whether texts have marks, which are neither letters nor digits nor white space, and upper-case letters.
func (t *Task) style(ctx context.Context, rows []int32) (marks, upper bool, err error) {
	for text, err := range t.Texts.Read(ctx, rows) {
		if err != nil {
			return false, false, err
		}
		for _, r := range features.Learned(text) {
			upper = upper || unicode.IsUpper(r)
			marks = marks || unicode.IsPunct(r) || unicode.IsSymbol(r)
		}
		if marks && upper {
			break
		}
	}
	return marks, upper, nil
}

// characters decides on n-grams of characters, beside those of words or in their place, and then on case again.
func (s *search) characters(ctx context.Context, best *Outcome) (*Outcome, error) {
	best, err := s.improve(ctx, best,
		func(r *Recipe) { r.Features.CharMin, r.Features.CharMax = 2, 4 },
		func(r *Recipe) { r.Features = features.Settings{KeepCase: r.Features.KeepCase, CharMin: 2, CharMax: 4} })
	if err != nil || best.Recipe.Features.CharMax == 0 {
		return best, err
	}
	if best.Recipe.Features.WordMax == 0 {
		if best, err = s.improve(ctx, best, func(r *Recipe) { r.Features.CharMin = 1 }); err != nil {
			return nil, err
		}
	}
	_, upper, err := s.task.style(ctx, s.sample.Rows)
	if err != nil {
		return nil, err
	}
	if upper {
		return s.improve(ctx, best, func(r *Recipe) { r.Features.KeepCase = !r.Features.KeepCase })
	}
	return best, nil
}

// strength decides on what does not change n-grams: regularisation, complement naive Bayes, class weights.
func (s *search) strength(ctx context.Context, best *Outcome) (*Outcome, error) {
	steps := [][]func(*Recipe){{func(r *Recipe) { r.C *= 4 }, func(r *Recipe) { r.C /= 4 }}}
	if t := s.task; t.Class != nil && t.Classes > 2 {
		complement := func(factor float32) func(*Recipe) {
			return func(r *Recipe) {
				if r.NaiveBayes {
					r.NaiveBayes, r.C = false, 1
				}
				r.Complement = factor
			}
		}
		steps = append(steps, []func(*Recipe){complement(mostComplement / 4), complement(mostComplement / 2), complement(mostComplement)})
	}
	if s.task.skewed() {
		steps = append(steps, []func(*Recipe){func(r *Recipe) { r.Balanced = true }})
	}
	for _, changes := range steps {
		var err error
		if best, err = s.improve(ctx, best, changes...); err != nil {
			return nil, err
		}
	}
	return best, nil
}

// final compares the best recipe of the sample on all rows with those that may do better there.
func (s *search) final(ctx context.Context, result *Result, best *Outcome, all Sample) error {
	finalists := []Recipe{best.Recipe}
	known := best.Recipe.Features // n-grams that are numbered anyway
	if r := best.Recipe; (r.Features.WordMax == 1 || r.Features.WordMax == 2) && s.promising(best, r.Features.WordMax+1) {
		r.Features.WordMax++ // which pays with more rows
		known = r.Features
		finalists = append(finalists, r)
	}
	if o := s.rival(best); o != nil && holds(known, o.Recipe.Features) {
		if d, se := o.Against(best); d < 4*se {
			finalists = append(finalists, o.Recipe)
		}
	}
	if len(finalists) == 1 {
		result.Best = &Outcome{Recipe: best.Recipe} // which confirm evaluates
		return nil
	}
	best.forget()
	// The costliest first: its n-grams are those of the others, as a rule.
	slices.SortStableFunc(finalists, func(a, b Recipe) int { return cmp.Compare(b.cost(), a.cost()) })
	var winner, runnerUp *Outcome // the result's only when all have been compared: a stop keeps the best recipe of the sample
	for _, r := range finalists {
		if err := s.on(ctx, all.Rows, r, r.Features); err != nil {
			return err
		}
		s.task.Meter.models(Finals, all.Folds*s.task.Columns())
		o, err := s.task.evaluate(ctx, s.weighted, all, r, s.seed, nil, rough)
		if err != nil {
			return err
		}
		if r.Complement > 0 && r.Complement < mostComplement { // the more rare n-grams, the more naive Bayes may say
			r.Complement *= 2
			more, err := s.task.evaluate(ctx, s.weighted, all, r, s.seed, o, rough)
			if err != nil {
				return err
			}
			if better(more, o) {
				o = more
			}
		}
		// Of two recipes the costlier one must be better.
		second := winner
		switch {
		case second == nil:
			winner = o
		case r.cost() < second.Recipe.cost() && !better(second, o), r.cost() >= second.Recipe.cost() && better(o, second):
			winner, runnerUp = o, second
		case runnerUp == nil || o.Loss < runnerUp.Loss:
			runnerUp = o
		}
		for _, o := range [...]*Outcome{o, second, runnerUp} {
			if o != nil && o != winner {
				o.forget()
			}
		}
	}
	result.Best, result.RunnerUp = winner, runnerUp
	return nil
}

// promising returns whether n-grams of n words may be better on all rows than those of one word less: not, if they were clearly
// worse on the sample.
func (s *search) promising(best *Outcome, n int) bool {
	for _, a := range s.tried {
		for _, b := range s.tried {
			r := a.Recipe
			r.Features.WordMax++
			if r == b.Recipe && r.Features.WordMax == n && r.NaiveBayes == best.Recipe.NaiveBayes {
				d, se := b.Against(a)
				return d < 2*se
			}
		}
	}
	return true
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
	rows := t.All()
	f := &fitting{task: t, x: &r.Weighted.Matrix, of: rows, rows: rows, recipe: r.Best.Recipe, seed: seed, start: r.Best.start(0), models: t.Columns(), tolerance: precise}
	t.Meter.models(Learning, t.Columns())
	l, err := f.fit(ctx, r.Best.complement)
	if err != nil {
		return nil, nil, err
	}
	used, err := largest(ctx, l, n)
	if err != nil {
		return nil, nil, err
	}
	return l, used, r.shorten(ctx, l, used, rows)
}

// shorten makes the weights of some columns smaller by what the lengths of rows' values lose, on average, without the others.
func (r *Result) shorten(ctx context.Context, l *Linear, columns []uint32, rows []int32) error {
	length, err := lengths(ctx, r.Weighted, columns, rows)
	if err != nil {
		return err
	}
	for _, w := range l.Weights {
		for _, c := range columns {
			w[c] *= length[block(r.Corpus.Kind[c])]
		}
	}
	return nil
}

// Prune measures the best recipe again, on the same held-out rows, with models of at most n n-grams, as Fit makes one. The recipe's
// calibration is then that of such models.
func (r *Result) Prune(ctx context.Context, t *Task, seed uint64, n int) error {
	before, columns := r.Best, t.Columns()
	o := &Outcome{Recipe: before.Recipe, Rows: before.Rows, tolerance: before.tolerance, complement: before.complement,
		Scores: make([]float32, len(before.Rows)*columns), unknown: make([]bool, len(before.Rows))}
	t.Meter.models(Testing, r.Held.Folds*columns)
	first := 0
	for fold := range r.Held.Folds {
		rows, held := r.Held.split(fold)
		f := &fitting{task: t, x: &r.Weighted.Matrix, of: r.Held.Rows, rows: rows, recipe: o.Recipe, seed: seed, start: before.start(fold),
			models: columns, tolerance: o.tolerance}
		l, err := f.fit(ctx, o.complement)
		if err != nil {
			return err
		}
		var known known
		if err := known.find(ctx, r.Weighted, rows, held); err != nil {
			return err
		}
		for _, w := range l.Weights {
			known.keep(w)
		}
		used, err := largest(ctx, l, n)
		if err != nil {
			return err
		}
		known.only(used)
		if err := known.measure(ctx, r.Weighted, held); err != nil {
			return err
		}
		if err := r.shorten(ctx, l, used, rows); err != nil {
			return err
		}
		for k, w := range l.Weights {
			m := &linear.Model{Weights: w, Bias: l.Bias[k]}
			if err := r.Weighted.scores(ctx, o.Scores, first+k, columns, m, held, &known); err != nil {
				return err
			}
		}
		for j, scale := range known.scale {
			o.unknown[first/columns+j] = scale == [2]float32{}
		}
		first += len(held) * columns
	}
	r.Best = o
	r.Unlimited = &Outcome{Recipe: before.Recipe, Rows: before.Rows, Loss: before.Loss, Accuracy: before.Accuracy}
	return o.calibrate(ctx, t, nil)
}

// lengths is the average length of rows' values in the given columns, for words and for characters.
func lengths(ctx context.Context, w *Weighted, columns []uint32, rows []int32) ([2]float32, error) {
	stays := make([]bool, len(w.kind))
	for _, id := range columns {
		stays[id] = true
	}
	var sums [2]float64
	var texts [2]int
	watch := parallel.NewWatch(ctx)
	for _, i := range rows {
		var square [2]float64
		id, value := w.Matrix.Row(i)
		if err := watch.Spend(len(id)); err != nil {
			return [2]float32{}, err
		}
		for j, v := range value {
			if stays[id[j]] {
				square[block(w.kind[id[j]])] += float64(v) * float64(v)
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
	return length, nil
}
