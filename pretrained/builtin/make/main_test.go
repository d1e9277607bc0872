package main

import (
	"bytes"
	"context"
	"math"
	"os"
	"testing"

	"github.com/linnet-ml/linnet/internal/shared"
)

// TestReproducible makes the embedded file again, byte for byte.
func TestReproducible(t *testing.T) {
	glove := shared.Path(t, "data/embeddings/glove.6B.100d.imdb-vocab.txt.gz")
	reviews := shared.Path(t, "data/imdb")
	if testing.Short() {
		t.Skip("reads all reviews and turns all vectors")
	}
	got, err := build(context.Background(), glove, reviews)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("../glove.vectors")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the program makes another file (%d bytes) than the embedded one (%d bytes); run it", len(got), len(want))
	}
}

// Points on a known ellipse: the axes come out in the order of their lengths, the mean is gone, weights count as often
// as they say, and the directions' signs do not depend on the method.
func TestPrincipalComponents(t *testing.T) {
	c, s := 0.6, 0.8 // the long axis is (c, s), the short one (s, -c)
	along := []float64{3, -3, 0, 0, 1}
	across := []float64{0, 0, 1, -1, 0.5}
	weights := []float64{2, 2, 1, 1, 0}
	var x []float64
	for i := range along {
		x = append(x, 10+c*along[i]+s*across[i], -5+s*along[i]-c*across[i])
	}
	got, err := principalComponents(x, weights, 2, 2)
	if err != nil {
		t.Fatal(err)
	}
	for i := range along {
		// The short axis's sum s-c is positive, too.
		if math.Abs(got[2*i]-along[i]) > 1e-12 || math.Abs(got[2*i+1]-across[i]) > 1e-12 {
			t.Errorf("point %d: (%v, %v), want (%v, %v)", i, got[2*i], got[2*i+1], along[i], across[i])
		}
	}
}

// A V = V diag(values), with orthogonal V, for a matrix without structure.
func TestEigen(t *testing.T) {
	const n = 12
	a := make([]float64, n*n)
	for i := range n {
		for j := range n {
			a[i*n+j] = math.Abs(float64((i*7+j*7)%11)) + float64(i*j)/9
		}
	}
	before := append([]float64(nil), a...)
	values, v, err := eigen(a, n)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		for j := range n {
			product, dot := 0.0, 0.0
			for k := range n {
				product += before[i*n+k] * v[k*n+j]
				dot += v[k*n+i] * v[k*n+j]
			}
			unit := 0.0
			if i == j {
				unit = 1
			}
			if math.Abs(product-v[i*n+j]*values[j]) > 1e-10 || math.Abs(dot-unit) > 1e-12 {
				t.Fatalf("element (%d, %d): AV %v, V diag %v, VV %v", i, j, product, v[i*n+j]*values[j], dot)
			}
		}
	}
	if _, _, err := eigen([]float64{math.NaN()}, 1); err == nil {
		t.Error("NaN converged")
	}
}

func TestQuantise(t *testing.T) {
	step, columns := quantise([]float64{1, -2, 0.5, 0.004, -1, 2}, 2)
	if want := float32(0.1 * 2 / 127); step != want {
		t.Errorf("step %v, want %v", step, want)
	}
	for i, want := range []int8{64, 32, -64, -127, 0, 127} {
		if columns[i] != want {
			t.Errorf("column value %d: %d, want %d", i, columns[i], want)
		}
	}
}
