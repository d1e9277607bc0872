package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
)

// measure runs each peer once a round. Each round begins with another peer, so that none always follows the same one.
// The result has, by a peer's key, one measurement for each round.
func measure(ctx context.Context, peers []peer, rounds, seed int, log io.Writer) (map[string][]measurement, error) {
	results := map[string][]measurement{}
	for round := range rounds {
		for i := range peers {
			p := peers[(round+i)%len(peers)]
			m, err := p.run(ctx, seed+round)
			if err != nil {
				return nil, fmt.Errorf("%s, round %d: %w", p.key, round+1, err)
			}
			fmt.Fprintf(log, "round %d of %d: %-13s fit %7.3f s, test accuracy %.4f\n",
				round+1, rounds, p.key, m.figures["fit_s"], m.figures["test_accuracy"])
			results[p.key] = append(results[p.key], m)
		}
	}
	return results, nil
}

// values are one figure of one peer, by round; nil when a round lacks it.
func values(runs []measurement, figure string) []float64 {
	var list []float64
	for _, m := range runs {
		v, ok := m.figures[figure]
		if !ok {
			return nil
		}
		list = append(list, v)
	}
	return list
}

// ratio is how many times linnet's figure the rival's is: taken in each round with the least of the rival's peers, and
// of these the median. It is NaN where one of the two was not measured.
func ratio(results map[string][]measurement, r rival, figure string) float64 {
	linnet := values(results["linnet"], figure)
	var best []float64
	for _, key := range r.peers {
		list := values(results[key], figure)
		if best == nil {
			best = list
			continue
		}
		for i, v := range list {
			best[i] = min(best[i], v)
		}
	}
	if len(linnet) == 0 || len(best) != len(linnet) {
		return math.NaN()
	}
	ratios := make([]float64, len(linnet))
	for i := range ratios {
		ratios[i] = best[i] / linnet[i]
	}
	return median(ratios)
}

// median is the middle value, or the mean of the two in the middle; NaN without values.
func median(list []float64) float64 {
	n := len(list)
	if n == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(list))
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
