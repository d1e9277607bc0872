package extension

import (
	"fmt"

	"github.com/linnet-ml/linnet/nn/plan"
)

// SignSGD moves each element by LearningRate against the sign of its averaged gradient (Bernstein et al., 2018, "signSGD").
type SignSGD struct {
	LearningRate float32 // 0.01 by default
	Momentum     float32 // from 0 to below 1
	Shared       plan.Shared
}

func (SignSGD) Kind() string { return "SignSGD" }

// Rule checks the rate and returns the update.
func (o SignSGD) Rule() (plan.Rule, error) {
	if o.LearningRate == 0 {
		o.LearningRate = 0.01
	}
	if !(o.LearningRate > 0) || !(o.Momentum >= 0 && o.Momentum < 1) {
		return plan.Rule{}, fmt.Errorf("extension: SignSGD with a rate of %v and a momentum of %v", o.LearningRate, o.Momentum)
	}
	return plan.Rule{
		Name: "sign_sgd", Rate: o.LearningRate, Shared: o.Shared,
		Slots: []plan.Slot{{Name: "average"}},
		Coefficients: func(_ int, rate float32, _ []float32) plan.Coefficients {
			return plan.Coefficients{rate, o.Momentum, 1 - o.Momentum}
		},
		Update: func(c *plan.Coefficients, w, gradient []float32, slots [][]float32) {
			average := slots[0]
			for i, g := range gradient {
				average[i] = float32(average[i]*c[1]) + float32(g*c[2])
				switch {
				case average[i] > 0:
					w[i] -= c[0]
				case average[i] < 0:
					w[i] += c[0]
				}
			}
		},
	}, nil
}
