package plots

import (
	"math"
	"strconv"
	"strings"
)

// interval is the part of an axis that is shown.
type interval struct{ low, high float64 }

// at tells where v lies: 0 is low and 1 high.
func (i interval) at(v float64) float64 { return (v - i.low) / (i.high - i.low) }

// epochs returns the first and the last epoch that curves have, and true when they are one.
func epochs(curves ...[]point) (i interval, single bool) {
	i = interval{math.Inf(1), math.Inf(-1)}
	for _, c := range curves {
		if len(c) > 0 {
			i.low, i.high = min(i.low, c[0].x), max(i.high, c[len(c)-1].x)
		}
	}
	return i, i.low == i.high
}

// values returns the lowest and the highest value of curves. Where all are alike, or nearly so, it is made wider; where
// there are none it is 0 to 1.
func values(curves ...[]point) interval {
	i := interval{math.Inf(1), math.Inf(-1)}
	for _, c := range curves {
		for _, p := range c {
			if !p.gap() {
				i.low, i.high = min(i.low, p.y), max(i.high, p.y)
			}
		}
	}
	if i.low > i.high {
		return interval{0, 1}
	}
	size := max(math.Abs(i.low), math.Abs(i.high))
	if i.high-i.low > 1e-9*size && i.high-i.low > 1e-290 {
		return i
	}
	wider := size / 10
	if size < 1e-290 {
		wider = 1
	}
	return interval{i.low - wider, i.high + wider}
}

// widen adds a part of its length to both ends.
func (i interval) widen(part float64) interval {
	d := (i.high - i.low) * part
	return interval{i.low - d, i.high + d}
}

// tick is a place on an axis with its label.
type tick struct {
	value float64
	label string
}

// step returns 1, 2 or 5 times a power of ten, so that at most count steps fit into the span, and the power.
func step(span float64, count int) (size float64, power int) {
	least := span / float64(count)
	for power = int(math.Floor(math.Log10(least))) - 1; ; power++ {
		for _, m := range []float64{1, 2, 5} {
			if size = m * math.Pow10(power); size >= least {
				return size, power
			}
		}
	}
}

// valueTicks returns at most count+1 ticks at round values.
func valueTicks(i interval, count int) []tick {
	size, power := step(i.high-i.low, count)
	largest := max(math.Abs(i.low), math.Abs(i.high))
	var out []tick
	for k := math.Ceil(i.low / size); k*size <= i.high; k++ {
		v := k * size
		t := tick{value: v}
		if largest >= 1e5 || size < 1e-6 {
			t.label = scientific(v, int(math.Floor(math.Log10(largest)))-power)
		} else {
			t.label = strconv.FormatFloat(v, 'f', max(0, -power), 64)
		}
		if v == 0 {
			t.label = strings.TrimPrefix(t.label, "-")
		}
		out = append(out, t)
	}
	return out
}

// scientific writes 1200000 as 1.2e6.
func scientific(v float64, decimals int) string {
	if v == 0 {
		return "0"
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(v, 'e', max(0, decimals), 64), "e")
	if strings.Contains(mantissa, ".") {
		mantissa = strings.TrimRight(strings.TrimRight(mantissa, "0"), ".")
	}
	sign := ""
	if exponent[0] == '-' {
		sign = "-"
	}
	return mantissa + "e" + sign + strings.TrimLeft(exponent[1:], "0")
}

// epochTicks returns ticks at whole epochs, about count of them: the first epoch, and the multiples of a round number.
func epochTicks(i interval, count int) []tick {
	size := 1.0
	if i.high-i.low > float64(count) {
		size, _ = step(i.high-i.low, count)
	}
	var out []tick
	add := func(v float64) { out = append(out, tick{v, strconv.FormatFloat(v, 'f', 0, 64)}) }
	from := math.Ceil(i.low / size)
	if from*size-i.low >= 0.5*size {
		add(i.low)
	}
	for k := from; k*size <= i.high; k++ {
		add(k * size)
	}
	return out
}
