package main

import (
	"cmp"
	"math"
	"slices"
)

// principalComponents projects the rows of x, each of dim values, onto the keep directions in which they vary most, and
// returns rows of keep values, the strongest direction first. Rows count by their weights, for the mean, which is taken
// away, and for the directions. An eigenvector's sign is that which makes its sum positive.
//
// Every product that is added to something is rounded first, so that the result is the same on processors that would
// fuse the two.
func principalComponents(x, weights []float64, dim, keep int) ([]float64, error) {
	mean := make([]float64, dim)
	total := 0.0
	for i, w := range weights {
		total += w
		for j, v := range x[i*dim : (i+1)*dim] {
			mean[j] += float64(w * v)
		}
	}
	for j := range mean {
		mean[j] /= total
	}
	covariance := make([]float64, dim*dim)
	centred := make([]float64, dim)
	for i, w := range weights {
		for j, v := range x[i*dim : (i+1)*dim] {
			centred[j] = v - mean[j]
		}
		for j, v := range centred {
			v *= w
			row := covariance[j*dim : (j+1)*dim]
			for k, u := range centred {
				row[k] += float64(v * u)
			}
		}
	}
	for i := range covariance {
		covariance[i] /= total
	}
	for j := range dim { // rounding differs on both sides of the diagonal
		for k := range j {
			covariance[j*dim+k] = covariance[k*dim+j]
		}
	}
	values, vectors, err := eigen(covariance, dim)
	if err != nil {
		return nil, err
	}
	order := make([]int, dim)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(values[b], values[a]) })
	out := make([]float64, len(weights)*keep)
	for c, which := range order[:keep] {
		direction := make([]float64, dim)
		sum := 0.0
		for j := range direction {
			direction[j] = vectors[j*dim+which]
			sum += direction[j]
		}
		if sum < 0 {
			for j := range direction {
				direction[j] = -direction[j]
			}
		}
		for i := range weights {
			s := 0.0
			for j, v := range x[i*dim : (i+1)*dim] {
				s += float64((v - mean[j]) * direction[j])
			}
			out[i*keep+c] = s
		}
	}
	return out, nil
}

// eigen returns the eigenvalues of a symmetric matrix of n rows, which it overwrites, and their vectors in the columns of
// another: Jacobi's method, by rows (Golub and Van Loan, Matrix Computations, 8.5).
func eigen(a []float64, n int) (values, vectors []float64, err error) {
	vectors = make([]float64, n*n)
	for i := range n {
		vectors[i*n+i] = 1
	}
	all := 0.0
	for _, v := range a {
		all += float64(v * v)
	}
	for range 50 {
		off := 0.0
		for p := range n {
			for q := p + 1; q < n; q++ {
				off += float64(a[p*n+q] * a[p*n+q])
			}
		}
		if off <= 1e-28*all {
			values = make([]float64, n)
			for i := range values {
				values[i] = a[i*n+i]
			}
			return values, vectors, nil
		}
		for p := range n {
			for q := p + 1; q < n; q++ {
				rotate(a, vectors, n, p, q)
			}
		}
	}
	return nil, nil, errNoConvergence
}

// rotate makes element (p, q) zero.
func rotate(a, vectors []float64, n, p, q int) {
	if a[p*n+q] == 0 {
		return
	}
	theta := (a[q*n+q] - a[p*n+p]) / (2 * a[p*n+q])
	t := 1 / (math.Abs(theta) + math.Sqrt(float64(theta*theta)+1))
	if theta < 0 {
		t = -t
	}
	c := 1 / math.Sqrt(float64(t*t)+1)
	s := t * c
	for k := range n {
		x, y := a[k*n+p], a[k*n+q]
		a[k*n+p], a[k*n+q] = float64(c*x)-float64(s*y), float64(s*x)+float64(c*y)
	}
	for k := range n {
		x, y := a[p*n+k], a[q*n+k]
		a[p*n+k], a[q*n+k] = float64(c*x)-float64(s*y), float64(s*x)+float64(c*y)
	}
	for k := range n {
		x, y := vectors[k*n+p], vectors[k*n+q]
		vectors[k*n+p], vectors[k*n+q] = float64(c*x)-float64(s*y), float64(s*x)+float64(c*y)
	}
}
