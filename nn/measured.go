package nn

import (
	"errors"
	"fmt"

	"github.com/linnet-ml/linnet/history"
	"github.com/linnet-ml/linnet/nn/internal/workspace"
	"github.com/linnet-ml/linnet/nn/plan"
)

// measured is the loss and the metrics over batches.
type measured struct {
	total   float64   // of the losses of all outputs and the penalties
	losses  []float64 // of each loss alone, where there are several
	rows    int
	each    []meter
	names   []string
	better  []history.Direction // which values of each name are better
	hasLoss bool                // the first name is that of the loss
	params  []*plan.Parameter   // with a penalty that counts in the loss
	mask    []float32           // of the steps of an output, as weights
	// Of the first batch the outputs are looked at.
	warnings *warner
	looked   bool
}

// meter is a metric of an objective.
type meter struct {
	objective int
	weighted  bool
	sum       plan.Accumulator
	values    plan.ValuesAccumulator // sum, where it has several values
	n         int                    // their number
}

// startMetrics starts the metrics of the objectives for data of the given kind, and warns of what is odd about the data,
// which what names: "" or "validation data".
func startMetrics(g *program, data *dataset, objectives []objective, warnings *warner, what string) (_ *measured, err error) {
	defer recovering(&err)
	warnings.data(what, data, objectives)
	r := &measured{warnings: warnings}
	losses := 0
	for i := range objectives {
		if objectives[i].Loss != nil {
			losses++
		}
	}
	if losses > 0 {
		r.names, r.better, r.hasLoss = []string{"loss"}, []history.Direction{history.LowerIsBetter}, true
	}
	add := func(o *objective, name string, better history.Direction) error {
		if o.name != "" {
			name = o.name + "_" + name
		}
		switch name {
		case epochColumn:
			return fmt.Errorf("nn: a metric cannot be named %q: in files that is the column of epochs", name)
		case "":
			return errors.New("nn: a metric has no name")
		}
		for _, other := range r.names {
			if name == other {
				return fmt.Errorf("nn: two logs are named %q", name)
			}
		}
		r.names, r.better = append(r.names, name), append(r.better, better)
		return nil
	}
	if losses > 1 {
		for i := range objectives {
			if objectives[i].Loss != nil {
				if err := add(&objectives[i], "loss", history.LowerIsBetter); err != nil {
					return nil, err
				}
				r.losses = append(r.losses, 0)
			}
		}
	}
	for i := range objectives {
		o, set := &objectives[i], &data.labels[i]
		info := plan.MetricInfo{Output: set.output, Labels: set.shape, Logits: set.rule.Logits}
		for k, list := range [][]Metric{o.Metrics, o.WeightedMetrics} {
			for _, x := range list {
				sum, err := x.Start(info)
				if err != nil {
					return nil, placed(o.place(), err)
				}
				if isNil(sum) {
					return nil, nnError(o.place(), fmt.Errorf("the metric %s has no accumulator", x.Kind()))
				}
				one := meter{objective: i, weighted: k == 1, sum: sum}
				names := []string{x.Name()}
				if values, ok := sum.(plan.ValuesAccumulator); ok {
					names = names[:0]
					for _, name := range values.ValueNames() {
						names = append(names, x.Name()+"_"+name)
					}
					if one.values, one.n = values, len(names); one.n == 0 {
						return nil, nnError(o.place(), fmt.Errorf("the metric %s has no values", x.Kind()))
					}
				}
				for _, name := range names {
					if err := add(o, name, x.Direction()); err != nil {
						return nil, err
					}
				}
				warnings.metric(what, x, &one, data, o, set)
				r.each = append(r.each, one)
			}
		}
	}
	if losses > 0 {
		for _, p := range g.Params {
			if p.Trainable() && p.Regularizer() != nil {
				r.params = append(r.params, p)
			}
		}
	}
	return r, nil
}

func (r *measured) reset() (err error) {
	defer recovering(&err)
	r.total, r.rows = 0, 0
	clear(r.losses)
	for _, m := range r.each {
		m.sum.Reset()
	}
	return nil
}

// add takes the batch that e has just run and returns its loss.
func (r *measured) add(e *executor) (loss float64, err error) {
	defer recovering(&err)
	if !r.looked {
		r.looked = true
		r.warnings.outputs(e)
	}
	rows := e.ws.run.Rows
	plain := len(e.losses) == 1 && e.losses[0].weight == 1 && e.ws.ends[e.losses[0].end].perRow == 1
	for k := range e.losses {
		l := &e.losses[k]
		var batch float64
		if plain {
			r.total, batch = e.addLosses(k, r.total)
			loss = batch / float64(rows)
			break
		}
		_, batch = e.addLosses(k, 0)
		mean := batch / float64(rows*e.ws.ends[l.end].perRow)
		loss += mean * float64(l.weight)
		if r.losses != nil {
			r.losses[k] += mean * float64(rows)
		}
	}
	if !plain {
		r.total += loss * float64(rows)
	}
	if len(r.params) > 0 {
		p := penalty(r.params)
		loss += p
		r.total += p * float64(rows)
	}
	r.rows += rows
	for _, m := range r.each {
		o := &e.objectives[m.objective]
		end := &e.ws.ends[o.output]
		n := rows * end.perRow
		weights := end.weights
		if set := &e.data.labels[m.objective]; !m.weighted && set.weights != nil {
			if weights = nil; set.masked {
				weights = r.maskOf(e.ws.values[e.ws.program.Masks[o.output]].Ints[:n])
			}
		}
		m.sum.Add(end.labels[:n*end.labelWidth], e.output(o.output)[:n*e.ws.values[e.ws.program.Outputs[o.output]].Width/end.perRow], weights)
	}
	return loss, nil
}

// maskOf returns a mask as weights.
func (r *measured) maskOf(mask []int32) []float32 {
	r.mask = workspace.Grow(r.mask, len(mask))
	for i, on := range mask {
		r.mask[i] = 0
		if on != 0 {
			r.mask[i] = 1
		}
	}
	return r.mask
}

// log writes the results so far, under the given names.
func (r *measured) log(l *history.Logs, names []string) (err error) {
	defer recovering(&err)
	rows := float64(max(r.rows, 1))
	k := 0
	set := func(v float64) {
		l.Set(names[k], v)
		k++
	}
	if r.hasLoss {
		set(r.total / rows)
	}
	for _, v := range r.losses {
		set(v / rows)
	}
	for _, m := range r.each {
		if m.values == nil {
			set(m.sum.Result())
		}
		for i := range m.n {
			set(m.values.Value(i))
		}
	}
	return nil
}

// sums are what the results so far are computed from.
func (r *measured) sums() [][]float64 {
	all := [][]float64{{r.total, float64(r.rows)}, append([]float64{}, r.losses...)}
	for _, m := range r.each {
		all = append(all, append([]float64{}, m.sum.Sums()...))
	}
	return all
}

// setSums takes what sums returned.
func (r *measured) setSums(all [][]float64) (err error) {
	defer recovering(&err)
	if len(all) != 2+len(r.each) || len(all[0]) != 2 || len(all[1]) != len(r.losses) {
		return fmt.Errorf("nn: the training state's sums are not those of the logs %q", r.names)
	}
	if rows := all[0][1]; !(rows >= 0 && rows <= 1<<53) { // a loss may be NaN: after a step that was not taken for it
		return fmt.Errorf("nn: the training state has sums over %v rows", rows)
	}
	r.total, r.rows = all[0][0], int(all[0][1])
	copy(r.losses, all[1])
	for i, m := range r.each {
		if err := m.sum.SetSums(all[2+i]); err != nil {
			return fmt.Errorf("nn: the training state's sums: %w", err)
		}
	}
	return nil
}

// directions tells which values of the logs are better.
func (r *measured) directions(h *history.History) {
	for i, name := range r.names {
		h.SetDirection(name, r.better[i])
		h.SetDirection("val_"+name, r.better[i])
	}
}

// penalty is the sum of the parameters' regularizers, row by row in order.
func penalty(params []*plan.Parameter) float64 {
	total := 0.0
	for _, p := range params {
		rows, width := p.Rows()
		w := plan.Elements(key, p)
		for i := range rows {
			total += p.Regularizer().Penalty(w[i*width:(i+1)*width], nil)
		}
	}
	return total
}
