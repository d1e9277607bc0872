package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// plot draws a measure over the epochs in characters: o for training, + for validation, * where both fall together.
func plot(title string, training, validation []float64) string {
	const width, height = 60, 10
	all := slices.Concat(training, validation)
	low, high := slices.Min(all), slices.Max(all)
	if !(high > low) || math.IsInf(high-low, 0) {
		return ""
	}
	columns := min(width, len(training))
	var grid [height][]byte
	for i := range grid {
		grid[i] = slices.Repeat([]byte{' '}, columns)
	}
	draw := func(values []float64, mark byte) {
		for c := range columns {
			v := values[c*(len(values)-1)/max(1, columns-1)]
			cell := &grid[int(math.Round((high-v)/(high-low)*(height-1)))][c]
			if *cell != ' ' {
				mark := byte('*')
				*cell = mark
				continue
			}
			*cell = mark
		}
	}
	draw(training, 'o')
	draw(validation, '+')
	var b strings.Builder
	fmt.Fprintf(&b, "%s (o training, + validation, * both)\n", title)
	for i, line := range grid {
		label := strings.Repeat(" ", 6)
		if i == 0 {
			label = fmt.Sprintf("%6.3f", high)
		} else if i == height-1 {
			label = fmt.Sprintf("%6.3f", low)
		}
		fmt.Fprintf(&b, "%s |%s\n", label, strings.TrimRight(string(line), " "))
	}
	fmt.Fprintf(&b, "       +%s\n        epoch 1%*s\n", strings.Repeat("-", columns), max(0, columns-len("epoch 1")), fmt.Sprint(len(training)))
	return b.String()
}
