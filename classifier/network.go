package classifier

import (
	"context"
	"fmt"

	"github.com/linnet-ml/linnet/classifier/internal/regions"
	"github.com/linnet-ml/linnet/classifier/internal/selection"
	"github.com/linnet-ml/linnet/internal/safetensors"
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

// A NetworkReport is what a network brought on held-out rows.
type NetworkReport struct {
	Words  int     `json:"words"`  // in its vocabulary
	Units  int     `json:"units"`  // for each size of regions
	Epochs int     `json:"epochs"` // passes over the rows
	Weight float64 `json:"weight"` // how much its logits count; those of the linear model have the rest to 1
	// Gain is how much less log loss the average has than the linear model alone, and GainError the standard error of that. It is
	// kept if the gain is larger than the error.
	Gain      float64 `json:"gain"`
	GainError float64 `json:"gain_error"`
	Kept      bool    `json:"kept"`
	Linear    Trial   `json:"linear"`  // the linear model alone
	Average   Trial   `json:"average"` // together
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
func (p *Parts) addNetwork(ctx context.Context, l *selection.Linear, columns []uint32, a *selection.Average) error {
	alone := *p
	p.Scale, p.Bias, p.Weights = nil, nil, nil
	if err := p.quantize(ctx, l, columns, a.Calibration); err != nil {
		return err
	}
	n := a.Network
	p.Spec.NetworkUnits = a.Units
	p.Network = &Network{Words: n.Words, Small: n.Small, Large: n.Large, Scale: n.Scale, UnitBias: n.Bias, Output: n.Output}
	for k, s := range alone.Scale {
		factor := float32(1)
		if p.Scale[k] > 0 {
			factor = s / p.Scale[k]
		}
		p.Network.Without = append(p.Network.Without, factor)
	}
	p.Network.Without = append(p.Network.Without, alone.Bias...)
	return nil
}

// addNetwork says what the network brought.
func (r *Report) addNetwork(a *selection.Average) {
	if a == nil {
		return
	}
	linear, average := r.Best, trial(a.Together)
	average.Recipe += fmt.Sprintf(", averaged with a network over regions of words (%.2f)", a.Weight)
	r.Network = &NetworkReport{
		Words: a.Words, Units: a.Units, Epochs: a.Epochs, Weight: a.Weight, Gain: a.Gain, GainError: a.GainError, Kept: a.Network != nil,
		Linear: linear, Average: average,
	}
	if a.Network != nil {
		r.Best = average
	}
}

// entries are the network's tensors.
func (n *Network) entries(u, k int) []safetensors.Entry {
	const size = regions.HashBits / 8
	words := make([]uint8, 0, size*len(n.Words))
	for _, h := range n.Words {
		for i := range size {
			words = append(words, byte(h>>(64-regions.HashBits+8*i)))
		}
	}
	return []safetensors.Entry{
		{Name: networkWordsName, Shape: []int{len(n.Words), size}, Data: safetensors.Uint8Data(words)},
		{Name: networkSmallName, Shape: []int{3, len(n.Words), u}, Data: safetensors.Int8Data(n.Small)},
		{Name: networkLargeName, Shape: []int{len(n.Words), u}, Data: safetensors.Int8Data(n.Large)},
		{Name: networkScaleName, Shape: []int{2, u}, Data: safetensors.Float32Data(n.Scale)},
		{Name: networkBiasName, Shape: []int{2, u}, Data: safetensors.Float32Data(n.UnitBias)},
		{Name: networkOutputName, Shape: []int{2, u, k}, Data: safetensors.Float32Data(n.Output)},
		{Name: networkWithoutName, Shape: []int{2, k}, Data: safetensors.Float32Data(n.Without)},
	}
}

// network reads the network's tensors.
func (t *tensors) network(u, k int) *Network {
	const size = regions.HashBits / 8
	large := t.get(networkLargeName, safetensors.I8, -1, u)
	if t.err != nil {
		return nil
	}
	n := large.Shape[0]
	words := t.bytes(networkWordsName, n, size)
	small := t.get(networkSmallName, safetensors.I8, 3, n, u)
	x := &Network{
		Scale: t.float32(networkScaleName, 2, u), UnitBias: t.float32(networkBiasName, 2, u), Output: t.float32(networkOutputName, 2, u, k),
		Without: t.float32(networkWithoutName, 2, k),
	}
	if t.err != nil {
		return nil
	}
	var ok, also bool
	x.Small, ok = small.Int8View()
	x.Large, also = large.Int8View()
	if !ok || !also {
		t.err = fmt.Errorf("the tensors of the network cannot be read")
		return nil
	}
	for ; len(words) > 0; words = words[size:] {
		h := uint64(0)
		for i, b := range words[:size] {
			h |= uint64(b) << (64 - regions.HashBits + 8*i)
		}
		x.Words = append(x.Words, h)
	}
	return x
}

// withoutNetwork returns the linear model alone, as it was calibrated before it became part of an average.
func (c *Classifier) withoutNetwork() (*Classifier, error) {
	p := c.parts
	k := c.columns
	p.Network, p.Spec.NetworkUnits = nil, 0
	p.Scale, p.Bias = make([]float32, k), c.parts.Network.Without[k:]
	for j, s := range c.parts.Scale {
		p.Scale[j] = float32(s * c.parts.Network.Without[j])
	}
	x, err := newClassifier(context.Background(), p)
	if err != nil {
		return nil, err
	}
	if c.report != nil {
		r := *c.report
		if r.Network != nil {
			n := *r.Network
			n.Kept = false
			r.Network, r.Best = &n, n.Linear
		}
		x.report = &r
	}
	return x, nil
}
