package nn

import (
	"fmt"
	"log"
	"maps"
	"slices"

	"github.com/linnet-ml/linnet/nn/plan"
)

// warner tells the user of settings and data that a call accepts but that are probably a mistake. It is the one place from which
// warnings come. They wait until flush, where no output of callbacks is under way.
type warner struct {
	tell    func(format string, args ...any) // nil for package log
	pending []string
	seen    map[string]bool
}

// add notes a warning, each text once.
func (w *warner) add(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if w.seen[text] {
		return
	}
	if w.seen == nil {
		w.seen = map[string]bool{}
	}
	w.seen[text] = true
	w.pending = append(w.pending, text)
}

// flush tells the user what was noted. A panic of the user's function is an error.
func (w *warner) flush() (err error) {
	defer recovering(&err)
	for len(w.pending) > 0 {
		text := w.pending[0]
		w.pending = w.pending[1:]
		if w.tell == nil {
			log.Printf("warning: %s", text)
		} else {
			w.tell("%s", text)
		}
	}
	return nil
}

// flushAfter is flush at the end of a call that returns err, and keeps the first error.
func (w *warner) flushAfter(err *error) {
	if e := w.flush(); *err == nil {
		*err = e
	}
}

// data warns of what is odd about the labels and weights of rows, and of losses that do not suit the output. What names the
// rows: "" or "validation data".
func (w *warner) data(what string, data *dataset, objectives []objective) {
	for i := range objectives {
		o, set := &objectives[i], &data.labels[i]
		place := placeOf(what, o)
		if set.rule.Warning != "" {
			w.add("nn: %s%s", placeOf("", o), set.rule.Warning)
		}
		perRow := 1
		if set.perStep {
			perRow = set.perRow
		}
		from, to := data.lo*perRow, (data.lo+data.n)*perRow
		for k := from; k < min(to, len(set.weights)); k++ {
			if v := set.weights[k]; v < 0 {
				w.add("nn: %sthe weight of row %d is %v: training raises the losses of rows with negative weights", place, k/perRow, v)
				break
			}
		}
	}
}

// outputs warns of what a batch's losses are not meant to read.
func (w *warner) outputs(e *executor) {
	for k := range e.losses {
		l := &e.losses[k]
		if l.rule.CheckOutput == nil {
			continue
		}
		out := &e.ws.values[l.on]
		for _, v := range out.Floats[:e.ws.run.Rows*out.Fold*out.Width] {
			if err := l.rule.CheckOutput(v); err != nil {
				w.add("nn: %s%v", placeOf("", &e.objectives[l.set]), err)
				break
			}
		}
	}
}

// placeOf names data and an output, with a colon after each, where there is something to name.
func placeOf(what string, o *objective) string {
	if what != "" {
		what += ": "
	}
	if place := o.place(); place != "" {
		what += place + ": "
	}
	return what
}

// metric warns of the first label that a metric means nothing for.
func (w *warner) metric(what string, x Metric, m *meter, data *dataset, o *objective, set *labelSet) {
	checker, ok := m.sum.(plan.LabelChecker)
	if !ok || set.masked { // labels of masked steps are padding
		return
	}
	row := set.width * set.perRow
	labels := row // for each weight
	if set.perStep {
		labels = set.width
	}
	for i := data.lo * row; i < (data.lo+data.n)*row; i++ {
		if m.weighted && i/labels < len(set.weights) && set.weights[i/labels] == 0 {
			continue
		}
		if err := checker.CheckLabel(set.values[i]); err != nil {
			w.add("nn: %smetric %q: the label of row %d is %v: %v", placeOf(what, o), x.Name(), i/row, set.values[i], err)
			return
		}
	}
}

// diverged is how many times as large as at its start a loss is that no longer trains. A start below 1 counts as 1: the
// losses of classifiers begin near it.
const diverged = 100

// highRate is a learning rate above all that optimizers are used with: Adadelta's and Adagrad's go up to about 1.
const highRate = 100

// rates warns of learning rates with which nothing trains.
func (w *warner) rates(u *update) {
	for k, g := range u.groups {
		if rate := g.coming(); rate > highRate && finite(float64(rate)) {
			of := ""
			if k > 0 {
				of = fmt.Sprintf(" of group %d", k-1)
			}
			w.add("nn: the learning rate%s is %v; rates are usually below 1 (%s)", of, rate, g.rule.Name)
		}
	}
}

// classWeights warns of weights for classes that no row has.
func (w *warner) classWeights(data *dataset, classes map[int]float32) {
	for i := range data.labels {
		set := &data.labels[i]
		missing := maps.Clone(classes)
		for k := data.lo; k < data.lo+data.n && len(missing) > 0; k++ {
			delete(missing, set.class(k))
		}
		if len(missing) > 0 {
			w.add("nn: ClassWeight has weights for the labels %v, which no row to train on has", slices.Sorted(maps.Keys(missing)))
		}
	}
}

// mostClasses bounds the labels that are taken for classes. With more of them a small part of the data lacks some by chance.
const mostClasses = 100

// split warns where one part of the data lacks a class that the other has.
func (w *warner) split(train, test *dataset, objectives []objective) {
	for i := range objectives {
		a, ok := train.labels[i].classes(train.lo, train.n)
		if !ok {
			continue
		}
		b, ok := test.labels[i].classes(test.lo, test.n)
		if !ok || (train.n+test.n)/(len(a)+len(b)) < 2 { // labels of their own for most rows are no classes
			continue
		}
		place := placeOf("", &objectives[i])
		const advice = "rows are split in the order in which they lie; datasets/split chooses them at random"
		if only := without(a, b); len(only) > 0 {
			w.add("nn: %sValidationSplit: none of the last %d rows, which are for validation, has the label %v: %s", place, test.n, only, advice)
		}
		if only := without(b, a); len(only) > 0 {
			w.add("nn: %sValidationSplit: none of the first %d rows, which are to train on, has the label %v: %s", place, train.n, only, advice)
		}
	}
}

// without are the first few classes that a has and b lacks.
func without(a, b map[int]bool) []int {
	var only []int
	for _, c := range slices.Sorted(maps.Keys(a)) {
		if !b[c] && len(only) < 10 {
			only = append(only, c)
		}
	}
	return only
}

// classes are the labels of n rows, where they are classes: whole numbers, or vectors with a single 1.
func (set *labelSet) classes(lo, n int) (map[int]bool, bool) {
	if set.perRow > 1 || set.width < 1 {
		return nil, false
	}
	all := map[int]bool{}
	for i := lo; i < lo+n; i++ {
		row := set.values[i*set.width : (i+1)*set.width]
		class := set.class(i)
		if len(row) == 1 {
			if float32(class) != row[0] {
				return nil, false
			}
		} else {
			for k, v := range row {
				if k == class && v != 1 || k != class && v != 0 {
					return nil, false
				}
			}
		}
		if all[class] = true; len(all) > mostClasses {
			return nil, false
		}
	}
	return all, true
}
