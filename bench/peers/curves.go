package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
)

// curvePoint is linnet's cost at one size.
type curvePoint struct {
	Curve     string
	Value     int
	Pairs     int
	Moved     int
	MovedMiB  float64 `json:"moved_mib"`
	Elements  float64
	StepUS    float64 `json:"step_us"`
	PredictNS float64 `json:"predict_ns"`
}

func (b *bench) runCurves(ctx context.Context) ([]curvePoint, error) {
	point := "300ms"
	if b.quick {
		point = "1ms"
	}
	fmt.Fprintln(b.log, "curves")
	out, err := b.start(ctx, 2, b.program("measure"), "-what", "curves", "-data", filepath.Dir(b.npz()), "-point", point)
	if err != nil {
		return nil, err
	}
	var r struct{ Points []curvePoint }
	if err := json.Unmarshal(out, &r); err != nil {
		return nil, fmt.Errorf("linnet's curves: %w", err)
	}
	return r.Points, nil
}

// renderCurves makes a table of each curve, with its growth from end to end.
func renderCurves(points []curvePoint) string {
	var b strings.Builder
	for len(points) > 0 {
		n := 1
		for n < len(points) && points[n].Curve == points[0].Curve {
			n++
		}
		curve := points[:n]
		points = points[n:]
		first, last := curve[0], curve[n-1]
		fmt.Fprintf(&b, "| %s | step, µs | ids in bags | rows moved | their MiB | work, 10⁶ | ns a unit | predict a row, ns |\n|%s\n", first.Curve, strings.Repeat(" ---: |", 8))
		for _, p := range curve {
			fmt.Fprintf(&b, "| %d | %.1f | %d | %d | %.1f | %.2f | %.4f | %.0f |\n",
				p.Value, p.StepUS, p.Pairs, p.Moved, p.MovedMiB, p.Elements/1e6, p.StepUS*1e3/p.Elements, p.PredictNS)
		}
		time, work := last.StepUS/first.StepUS, last.Elements/first.Elements
		if work == 1 {
			fmt.Fprintf(&b, "\nFrom end to end a step is %.2f times as fast.\n\n", 1/time)
			continue
		}
		verdict := "no faster than the work"
		if time > work {
			verdict = "faster than the work"
		}
		fmt.Fprintf(&b, "\nFrom end to end the work grows %.2f times, the time of a step %.2f times: %s.\n\n", work, time, verdict)
	}
	return b.String()
}
