package simd

func axpyGeneric(a float32, x, y []float32) {
	y = y[:len(x)]
	for i, v := range x {
		y[i] += float32(a * v)
	}
}

func addGeneric(dst, x, y []float32) {
	dst, y = dst[:len(x)], y[:len(x)]
	for i, v := range x {
		dst[i] = v + y[i]
	}
}

func mulGeneric(dst, x, y []float32) {
	dst, y = dst[:len(x)], y[:len(x)]
	for i, v := range x {
		dst[i] = v * y[i]
	}
}

func scaleGeneric(dst, x []float32, a float32) {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] = a * v
	}
}

func maxAtGeneric(best, at, x []float32, i float32) {
	best, at = best[:len(x)], at[:len(x)]
	for j, v := range x {
		if v > best[j] {
			best[j], at[j] = v, i
		}
	}
}

func divideGeneric(dst, x []float32, a float32) {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] = v / a
	}
}

// lanes is the number of virtual lanes of a reduction.
const lanes = 32

func dotGeneric(x, y []float32) float32 {
	var s [lanes]float32
	y = y[:len(x)]
	for len(x) >= lanes && len(y) >= lanes {
		for j := range s {
			s[j] += float32(x[j] * y[j])
		}
		x, y = x[lanes:], y[lanes:]
	}
	for j, v := range x {
		s[j] += float32(v * y[j])
	}
	return addLanes(&s)
}

func sumGeneric(x []float32) float32 {
	var s [lanes]float32
	for len(x) >= lanes {
		for j := range s {
			s[j] += x[j]
		}
		x = x[lanes:]
	}
	for j, v := range x {
		s[j] += v
	}
	return addLanes(&s)
}

// addLanes adds the upper half of the lanes to the lower half until one is left.
func addLanes(s *[lanes]float32) float32 {
	for h := lanes / 2; h > 0; h /= 2 {
		for j := range h {
			s[j] += s[j+h]
		}
	}
	return s[0]
}
