package random

import (
	"slices"
	"testing"
)

// The known answers of the authors' library Random123 (kat_vectors, philox 4x32 10).
func TestPhiloxKnownAnswers(t *testing.T) {
	const f = 0xffffffff
	for _, c := range []struct {
		key     [2]uint32
		counter [4]uint32
		want    [4]uint32
	}{
		{[2]uint32{}, [4]uint32{}, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{[2]uint32{f, f}, [4]uint32{f, f, f, f}, [4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
		{[2]uint32{0xa4093822, 0x299f31d0}, [4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
			[4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
	} {
		if got := Philox(c.key, c.counter); got != c.want {
			t.Errorf("Philox(%x, %x) = %x, want %x", c.key, c.counter, got, c.want)
		}
	}
}

func TestUniformIsElementwise(t *testing.T) {
	s := New(7, Initial, 3)
	x := make([]float32, 11)
	s.Uniform(x, 0, 1)
	for i := range x {
		if x[i] != s.Float32(uint64(i)) {
			t.Fatalf("element %d is %v, alone %v", i, x[i], s.Float32(uint64(i)))
		}
	}
}

func TestShuffleIsAFairPermutation(t *testing.T) {
	counts := make([][5]int, 5)
	const tries = 20000
	for k := range uint64(tries) {
		order := []int32{0, 1, 2, 3, 4}
		New(1, Shuffle, k).Shuffle(order)
		for place, v := range order {
			counts[v][place]++
		}
		slices.Sort(order)
		if !slices.Equal(order, []int32{0, 1, 2, 3, 4}) {
			t.Fatalf("shuffle %d lost an element: %v", k, order)
		}
	}
	// 4000 each; the deviation is 57, so 300 is more than five of it, and the draws never change.
	for v := range counts {
		for place, n := range counts[v] {
			if n < tries/5-300 || n > tries/5+300 {
				t.Errorf("element %d came to place %d %d times of %d", v, place, n, tries)
			}
		}
	}
}

func TestStreamsDiffer(t *testing.T) {
	seen := map[uint32]bool{}
	for seed := range uint64(4) {
		for p := Initial; p <= Check; p++ {
			for n := range uint64(4) {
				u := New(seed, p, n).Uint32(0)
				if seen[u] {
					t.Fatalf("seed %d, purpose %d, number %d starts like another stream", seed, p, n)
				}
				seen[u] = true
			}
		}
	}
}
