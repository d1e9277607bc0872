package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// outcome is what a section's rounds gave.
type outcome struct {
	runs    map[string][]measurement // by a peer's key, one for each round
	missing map[string]string        // why a peer has none
}

// measure runs each peer of a section once a round. Each round begins with another peer, so that none always follows
// the same one. Peers that fail are missing from the result, but linnet must not fail.
func measure(ctx context.Context, s section, missing map[string]string, rounds, seed int, log io.Writer) (outcome, error) {
	result := outcome{runs: map[string][]measurement{}, missing: map[string]string{}}
	for _, p := range s.peers {
		if why, ok := missing[p.key]; ok {
			result.missing[p.key] = why
		}
	}
	for round := range rounds {
		for i := range s.peers {
			p := s.peers[(round+i)%len(s.peers)]
			if _, ok := result.missing[p.key]; ok {
				continue
			}
			start := time.Now()
			m, err := p.run(ctx, seed+round)
			switch {
			case err != nil && (ctx.Err() != nil || strings.HasPrefix(p.key, "linnet")):
				return outcome{}, fmt.Errorf("%s, %s, round %d: %w", s.key, p.key, round+1, err)
			case err != nil:
				fmt.Fprintf(log, "%s: %s is left out: %v\n", s.key, p.key, err)
				why, _, _ := strings.Cut(err.Error(), "\n")
				result.missing[p.key] = why
				delete(result.runs, p.key)
				continue
			}
			fmt.Fprintf(log, "%s, round %d of %d: %-14s", s.key, round+1, rounds, p.key)
			for _, f := range s.figures {
				if v, ok := m.figures[f.key]; ok {
					fmt.Fprintf(log, " %s %.*f;", f.title, f.digits, v)
				}
			}
			fmt.Fprintf(log, " %.1f s\n", time.Since(start).Seconds())
			result.runs[p.key] = append(result.runs[p.key], m)
		}
	}
	return result, nil
}

// facts are those of all runs.
func (o outcome) facts() map[string]string {
	facts := map[string]string{}
	for _, runs := range o.runs {
		for _, m := range runs {
			maps.Copy(facts, m.facts)
		}
	}
	return facts
}

// values are one figure of one peer, by round; nil when a round lacks it.
func (o outcome) values(peer, figure string) []float64 {
	var list []float64
	for _, m := range o.runs[peer] {
		v, ok := m.figures[figure]
		if !ok {
			return nil
		}
		list = append(list, v)
	}
	return list
}

// ratios are how many times the base's figure a peer's is, in each round; nil where one of the two was not measured.
func (o outcome) ratios(peer, base, figure string) []float64 {
	return ratiosOf(o.values(peer, figure), o.values(base, figure))
}

// ratiosOf divides round by round; nil where one of the two lacks a round.
func ratiosOf(list, by []float64) []float64 {
	if len(list) == 0 || len(list) != len(by) {
		return nil
	}
	ratios := make([]float64, len(list))
	for i, v := range list {
		ratios[i] = v / by[i]
	}
	return ratios
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
