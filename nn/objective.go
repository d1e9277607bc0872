package nn

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/linnet-ml/linnet/nn/plan"
)

// OutputOptions say what is asked of one output of a model with several.
type OutputOptions struct {
	// Loss is what training minimises at this output; nil leaves the output out of the loss.
	Loss Loss
	// LossWeight weighs the loss among those of the other outputs; 1 by default.
	LossWeight float32
	Metrics    []Metric
	// WeightedMetrics are metrics that class and sample weights weigh; Metrics disregard them.
	WeightedMetrics []Metric
}

// objective is what is asked of one output.
type objective struct {
	output int
	name   string // of the output, where the model has several; else empty
	OutputOptions
}

// objectives works out what is asked of a model's outputs: of one output by loss, metrics and weighted, or by name.
func (m *Model) objectives(loss Loss, metrics, weighted []Metric, outputs map[string]OutputOptions) ([]objective, error) {
	if len(outputs) == 0 {
		if len(m.outputs) > 1 {
			return nil, fmt.Errorf("nn: the model has the outputs %q: give their losses and metrics by name, in Outputs", m.OutputNames())
		}
		outputs = map[string]OutputOptions{m.outputs[0].name: {Loss: loss, Metrics: metrics, WeightedMetrics: weighted}}
	} else if !isNil(loss) || metrics != nil || weighted != nil {
		return nil, errors.New("nn: Loss, Metrics and WeightedMetrics go with a model of one output; Outputs has those of several")
	}
	var all []objective
	for i, out := range m.outputs {
		o, ok := outputs[out.name]
		if !ok {
			continue
		}
		if o.LossWeight == 0 {
			o.LossWeight = 1
		}
		if !(o.LossWeight > 0) || math.IsInf(float64(o.LossWeight), 0) {
			return nil, fmt.Errorf("nn: output %q: a loss weight of %v is not above 0 and finite", out.name, o.LossWeight)
		}
		for _, x := range slices.Concat(o.Metrics, o.WeightedMetrics) {
			if isNil(x) {
				return nil, errors.New("nn: a metric is nil")
			}
		}
		if isNil(o.Loss) {
			o.Loss = nil
			if len(o.Metrics)+len(o.WeightedMetrics) == 0 {
				continue
			}
		}
		a := objective{output: i, OutputOptions: o}
		if len(m.outputs) > 1 {
			a.name = out.name
		}
		all = append(all, a)
	}
	for _, name := range slices.Sorted(maps.Keys(outputs)) {
		if !slices.Contains(m.OutputNames(), name) {
			return nil, fmt.Errorf("nn: the model has no output %q; there are %q", name, m.OutputNames())
		}
	}
	return all, nil
}

// needLoss refuses objectives without any loss.
func needLoss(all []objective, who string) error {
	if !slices.ContainsFunc(all, func(o objective) bool { return o.Loss != nil }) {
		return fmt.Errorf("nn: %s needs a loss", who)
	}
	return nil
}

// ruleFor starts an objective's loss for output and labels of the given shapes.
func (g *program) ruleFor(o *objective, info plan.LossInfo) (rule plan.LossRule, err error) {
	info.Activation = g.ends[o.output].activation
	defer recovering(&err)
	rule, err = o.Loss.Start(info)
	if err == nil && rule.Rows == nil {
		err = fmt.Errorf("the loss %s has no Rows", o.Loss.Kind())
	}
	if err == nil && rule.BeforeActivation && info.Activation == "" {
		err = fmt.Errorf("the loss %s wants what goes into an activation, which the output does not have", o.Loss.Kind())
	}
	if err != nil {
		return rule, nnError(o.place(), err)
	}
	return rule, nil
}

// place names the output in errors.
func (o *objective) place() string {
	if o.name == "" {
		return ""
	}
	return fmt.Sprintf("output %q", o.name)
}
