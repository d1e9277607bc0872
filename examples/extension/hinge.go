package extension

import (
	"fmt"

	"github.com/linnet-ml/linnet/nn/plan"
)

// Hinge is the loss max(0, 1 - s·y) of a score y for a label of 0 or 1, of which s is -1 or 1: that of a support vector
// machine.
type Hinge struct{}

func (Hinge) Kind() string { return "MyHinge" }

func (Hinge) Start(info plan.LossInfo) (plan.LossRule, error) {
	if info.Output.Size() != 1 || info.Labels.Size() != 1 {
		return plan.LossRule{}, fmt.Errorf("extension: Hinge takes one score and one label a row, not %v and %v", info.Output, info.Labels)
	}
	return plan.LossRule{
		Logits: true,
		CheckLabel: func(label float32) error {
			if label != 0 && label != 1 {
				return fmt.Errorf("extension: Hinge takes labels 0 and 1, not %v", label)
			}
			return nil
		},
		Rows: func(losses, gradient, output, labels []float32) {
			for i, y := range output {
				sign := 2*labels[i] - 1
				losses[i] = max(0, 1-float32(sign*y))
				if gradient == nil {
					continue
				}
				if gradient[i] = 0; losses[i] > 0 {
					gradient[i] = -sign
				}
			}
		},
	}, nil
}
