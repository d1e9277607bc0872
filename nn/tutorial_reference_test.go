package nn_test

import (
	"math"

	"github.com/linnet-ml/linnet/tensor"
)

// reference is the first tutorial's training in float64, written from the formulas alone, but for Adam's step size:
// that it rounds to float32 where Keras does, which moves the weights further than all other rounding.
type reference struct {
	w, m, v, g [5][]float64
	t          int
}

// review is one input: how often each id occurs.
type review struct {
	ids    []int32
	counts []float64
}

const units, length = 16, tutorialLength

func newReference(initial [][]float32) *reference {
	var r reference
	for i, values := range initial {
		r.w[i], r.m[i], r.v[i], r.g[i] = widen(values), make([]float64, len(values)), make([]float64, len(values)), make([]float64, len(values))
	}
	return &r
}

func widen(values []float32) []float64 {
	w := make([]float64, len(values))
	for i, v := range values {
		w[i] = float64(v)
	}
	return w
}

func countReviews(x *tensor.Int32) []review {
	all := make([]review, x.Len())
	at := map[int32]int{}
	for i := range all {
		clear(at)
		for _, id := range x.Row(i) {
			k, ok := at[id]
			if !ok {
				k = len(all[i].ids)
				at[id] = k
				all[i].ids, all[i].counts = append(all[i].ids, id), append(all[i].counts, 0)
			}
			all[i].counts[k]++
		}
	}
	return all
}

// batch takes one step and returns the sum of the losses and how many predictions were right.
func (r *reference) batch(x []review, y []int32, rows []int32) (loss float64, right int) {
	for i := range r.g {
		clear(r.g[i])
	}
	for _, row := range rows {
		l, ok := r.row(x[row], float64(y[row]), float64(len(rows)))
		loss += l
		right += ok
	}
	r.adam()
	return loss, right
}

// row adds one review's gradient.
func (r *reference) row(x review, y, n float64) (loss float64, right int) {
	var p, h, dp [units]float64
	for k, id := range x.ids {
		for j := range p {
			p[j] += x.counts[k] * r.w[0][int(id)*units+j] / length
		}
	}
	z := r.w[4][0]
	for u := range h {
		h[u] = r.w[2][u]
		for j := range p {
			h[u] += p[j] * r.w[1][j*units+u]
		}
		h[u] = max(h[u], 0)
		z += h[u] * r.w[3][u]
	}
	dz := (1/(1+math.Exp(-z)) - y) / n
	r.g[4][0] += dz
	for u := range h {
		r.g[3][u] += h[u] * dz
		if h[u] <= 0 {
			continue
		}
		dh := dz * r.w[3][u]
		r.g[2][u] += dh
		for j := range p {
			r.g[1][j*units+u] += p[j] * dh
			dp[j] += r.w[1][j*units+u] * dh
		}
	}
	for k, id := range x.ids {
		for j := range dp {
			r.g[0][int(id)*units+j] += x.counts[k] * dp[j] / length
		}
	}
	if (z > 0) == (y == 1) {
		right = 1
	}
	return max(z, 0) - z*y + math.Log1p(math.Exp(-math.Abs(z))), right
}

func (r *reference) adam() {
	r.t++
	power1, power2 := float32(math.Pow(float64(float32(0.9)), float64(r.t))), float32(math.Pow(float64(float32(0.999)), float64(r.t)))
	root := float32(math.Sqrt(float64(1 - power2)))
	alpha := float64(float32(float32(0.001)*root) / (1 - power1))
	for i := range r.w {
		for k, g := range r.g[i] {
			r.m[i][k] += (g - r.m[i][k]) * float64(float32(1-0.9))
			r.v[i][k] += (g*g - r.v[i][k]) * float64(float32(1-0.999))
			r.w[i][k] -= alpha * r.m[i][k] / (math.Sqrt(r.v[i][k]) + float64(float32(1e-7)))
		}
	}
}

// hotReference is the training of the multi-hot network in float64: Dense(16, relu), Dense(16, relu),
// Dense(1, sigmoid), binary cross-entropy, RMSprop.
type hotReference struct{ w, v, g [][]float64 }

func newHotReference(initial [][]float32) *hotReference {
	var r hotReference
	for _, values := range initial {
		r.w, r.v, r.g = append(r.w, widen(values)), append(r.v, make([]float64, len(values))), append(r.g, make([]float64, len(values)))
	}
	return &r
}

// batch takes one step and returns the sum of the losses.
func (r *hotReference) batch(x *tensor.Sparse, y []int32, rows []int32) (loss float64) {
	for i := range r.g {
		clear(r.g[i])
	}
	for _, row := range rows {
		words, _ := x.Row(int(row))
		loss += r.row(words, float64(y[row]), float64(len(rows)))
	}
	for i := range r.w {
		for k, g := range r.g[i] {
			r.v[i][k] = float64(float32(0.9))*r.v[i][k] + float64(float32(1-0.9))*g*g
			r.w[i][k] -= float64(float32(0.001)) * g / math.Sqrt(r.v[i][k]+float64(float32(1e-7)))
		}
	}
	return loss
}

func (r *hotReference) row(words []int32, y, n float64) float64 {
	var h1, h2, d1, d2 [units]float64
	copy(h1[:], r.w[1])
	copy(h2[:], r.w[3])
	for _, w := range words {
		for u := range h1 {
			h1[u] += r.w[0][int(w)*units+u]
		}
	}
	for u := range h1 {
		h1[u] = max(h1[u], 0)
		for k := range h2 {
			h2[k] += h1[u] * r.w[2][u*units+k]
		}
	}
	z := r.w[5][0]
	for k := range h2 {
		h2[k] = max(h2[k], 0)
		z += h2[k] * r.w[4][k]
	}
	dz := (1/(1+math.Exp(-z)) - y) / n
	r.g[5][0] += dz
	for k := range h2 {
		r.g[4][k] += h2[k] * dz
		if h2[k] > 0 {
			d2[k] = dz * r.w[4][k]
			r.g[3][k] += d2[k]
		}
	}
	for u := range h1 {
		for k := range d2 {
			r.g[2][u*units+k] += h1[u] * d2[k]
			if h1[u] > 0 {
				d1[u] += r.w[2][u*units+k] * d2[k]
			}
		}
		r.g[1][u] += d1[u]
	}
	for _, w := range words {
		for u := range d1 {
			r.g[0][int(w)*units+u] += d1[u]
		}
	}
	return max(z, 0) - z*y + math.Log1p(math.Exp(-math.Abs(z)))
}
