package classifier

import (
	"fmt"

	"github.com/linnet-ml/linnet/classifier/internal/regions"
	"github.com/linnet-ml/linnet/classifier/internal/selection"
	"github.com/linnet-ml/linnet/simd"
)

// A Network sees the order of words. It looks at every 3 neighbouring words, of which the place of each counts, and at every
// 20, as bags of words. A unit has the largest sum of weights over all of a text's regions, plus its bias, or 0 if that is
// negative; what units have is added to the logits of the linear model. With n words, u units for each size of regions and
// k scores:
type Network struct {
	Words    []uint64  // (n): the words' hashes in ascending order; their upper 40 bits, the others are 0
	Small    []int8    // (3, n, u): weights of a word at each place of 3, times Scale of the unit
	Large    []int8    // (n, u): weights of a word among 20
	Scale    []float32 // (2, u): of regions of 3, then of 20
	UnitBias []float32 // (2, u)
	Output   []float32 // (2, u, k): what a score adds of each unit
	// Without is what the rest of the Classifier needs without the network: (k) factors of Scale, and (k) biases.
	Without []float32
}

func (n *Network) parts() *regions.Parts {
	return &regions.Parts{Words: n.Words, Small: n.Small, Large: n.Large, Scale: n.Scale, Bias: n.UnitBias, Output: n.Output}
}

// checkNetwork returns an error if the network does not go with the rest.
func (p *Parts) checkNetwork() error {
	n, u, k := p.Network, p.Spec.NetworkUnits, p.Spec.columns()
	if n == nil {
		if u != 0 {
			return fmt.Errorf("network_units is %d, and there is no network", u)
		}
		return nil
	}
	if err := n.parts().Check(u, k); err != nil {
		return err
	}
	if len(n.Without) != 2*k {
		return fmt.Errorf("network.without has %d elements, want %d", len(n.Without), 2*k)
	}
	for i, v := range n.Without {
		if v-v != 0 || i < k && v < 0 {
			return fmt.Errorf("network.without[%d] is %g", i, v)
		}
	}
	return nil
}

// addNetwork makes the linear model, which is quantized with its own calibration, a part of the average.
func (p *Parts) addNetwork(l *selection.Linear, a *selection.Average) {
	alone := *p
	p.calibrate(l, a.Calibration)
	p.setEvenness(a.Calibration.Evenness)
	alike := float32(1) // what makes logits of the linear model alone even with the spread of the average
	if q := float64(p.Spec.quarters()); q > 0 {
		ratio := float64(alone.Spec.Spread) / float64(p.Spec.Spread)
		alike = float32(simd.Exp64(float64(simd.Log64(ratio) * (q / (4 - q)))))
	}
	n := a.Network
	p.Spec.NetworkUnits = a.Units
	p.Network = &Network{Words: n.Words, Small: n.Small, Large: n.Large, Scale: n.Scale, UnitBias: n.Bias, Output: n.Output}
	for k, s := range alone.Scale {
		factor := float32(1)
		if p.Scale[k] > 0 {
			factor = s / p.Scale[k] * alike
		}
		p.Network.Without = append(p.Network.Without, factor)
	}
	for _, b := range alone.Bias {
		p.Network.Without = append(p.Network.Without, b*alike)
	}
}
