package simd

// Axpy adds a multiple of x to y: y[i] += float32(a*x[i]). x and y may be the
// same slice.
func Axpy(a float32, x, y []float32) {
	checkLengths2("Axpy", len(x), len(y))
	for len(x) > block {
		active.axpy(a, x[:block], y[:block])
		x, y = x[block:], y[block:]
	}
	active.axpy(a, x, y)
}

// Add adds elementwise: dst[i] = x[i] + y[i]. dst may be x or y.
func Add(dst, x, y []float32) {
	checkLengths3("Add", len(dst), len(x), len(y))
	each3(active.add, dst, x, y)
}

// Mul multiplies elementwise: dst[i] = x[i] * y[i]. dst may be x or y.
func Mul(dst, x, y []float32) {
	checkLengths3("Mul", len(dst), len(x), len(y))
	each3(active.mul, dst, x, y)
}

// Scale multiplies by a number: dst[i] = a * x[i]. dst may be x.
func Scale(dst, x []float32, a float32) {
	checkLengths2("Scale", len(dst), len(x))
	for len(x) > block {
		active.scale(dst[:block], x[:block], a)
		dst, x = dst[block:], x[block:]
	}
	active.scale(dst, x, a)
}

// MaxAt keeps the larger of two numbers and where it was found: where x[j] > best[j], best[j] becomes x[j] and at[j]
// becomes i. A NaN in x is never larger, and nothing is larger than one in best. No slice may be another.
func MaxAt(best, at, x []float32, i float32) {
	checkLengths3("MaxAt", len(best), len(at), len(x))
	for len(x) > block {
		active.maxAt(best[:block], at[:block], x[:block], i)
		best, at, x = best[block:], at[block:], x[block:]
	}
	active.maxAt(best, at, x, i)
}

// Dot returns the inner product of x and y: the sum of float32(x[i]*y[i]), in
// the order of [Sum].
func Dot(x, y []float32) float32 {
	checkLengths2("Dot", len(x), len(y))
	if len(x) <= block {
		return active.dot(x, y)
	}
	var s float32
	for len(x) > block {
		s += active.dot(x[:block], y[:block])
		x, y = x[block:], y[block:]
	}
	return s + active.dot(x, y)
}

// Sum returns the sum of x. Element i of a block of 65,536 elements goes to
// lane i mod 32; each lane is added up in ascending order from +0; lane j takes
// lane j+16, then j+8, j+4, j+2 and j+1. The sums of several blocks are added
// in order. The sum of nothing is +0.
func Sum(x []float32) float32 {
	if len(x) <= block {
		return active.sum(x)
	}
	var s float32
	for len(x) > block {
		s += active.sum(x[:block])
		x = x[block:]
	}
	return s + active.sum(x)
}

// each2 calls kernel on blocks of two slices of equal length.
func each2(kernel func(dst, x []float32), dst, x []float32) {
	for len(x) > block {
		kernel(dst[:block], x[:block])
		dst, x = dst[block:], x[block:]
	}
	kernel(dst, x)
}

// each3 calls kernel on blocks of three slices of equal length.
func each3(kernel func(dst, x, y []float32), dst, x, y []float32) {
	for len(x) > block {
		kernel(dst[:block], x[:block], y[:block])
		dst, x, y = dst[block:], x[block:], y[block:]
	}
	kernel(dst, x, y)
}
