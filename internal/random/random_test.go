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

// The hash of a name is FNV-1a; the known answers are those of its authors' test vectors.
func TestNamedHash(t *testing.T) {
	for name, want := range map[string]uint64{"": 0xcbf29ce484222325, "a": 0xaf63dc4c8601ec8c, "foobar": 0x85944171f73967e8} {
		if got := Named(name, 3); got != (Name{want, 3}) {
			t.Errorf("%q: %x, want %x", name, got, want)
		}
	}
}

// Recorded, so that every platform is held to them: initial values and noise must never change.
func TestNamedBits(t *testing.T) {
	for _, c := range []struct {
		name    string
		part    uint32
		seed    uint64
		purpose Purpose
		number  uint64
		want    [4]uint32
	}{
		{"dense/kernel", 0, 0, Initial, 0, [4]uint32{0x66519f78, 0x7051b943, 0xf2e3313f, 0xede63ca3}},
		{"dense/kernel", 0, 1<<63 + 7, Initial, 0, [4]uint32{0xfa842073, 0xe41ed466, 0x8c8a43a9, 0x7793eca3}},
		{"dropout", 0, 7, Noise, 1, [4]uint32{0xdfda13fa, 0x53e653ff, 0xcd77d891, 0x44ff8c73}},
		{"dropout", 1, 7, Noise, 1, [4]uint32{0x144b3a85, 0x9d8df73c, 0x667c5e9a, 0x0c008084}},
		{"größe", 0, 7, Noise, 1<<32 + 1, [4]uint32{0x42f30d73, 0x2b2d271e, 0x60281d48, 0x15ee1e47}},
	} {
		if got := Named(c.name, c.part).Stream(c.seed, c.purpose, c.number).Block(5); got != c.want {
			t.Errorf("%q, part %d, seed %d, purpose %d, number %d: {%#x, %#x, %#x, %#x}", c.name, c.part, c.seed, c.purpose, c.number, got[0], got[1], got[2], got[3])
		}
	}
}

// Names that are near to one another, and their parts and numbers, meet nowhere.
func TestNamedStreamsDiffer(t *testing.T) {
	seen := map[[4]uint32]bool{}
	for _, name := range []string{"", "dense", "dense_1", "dense_2", "dense_3", "dense/kernel", "dense/bias", "esnde"} {
		for part := range uint32(4) {
			for _, number := range []uint64{0, 1, 2, 3, 1 << 16, 2 << 16, 1 << 32, 2 << 32} {
				for i := range uint64(4) {
					b := Named(name, part).Stream(7, Noise, number).Block(i)
					if seen[b] {
						t.Fatalf("%q, part %d, number %d, block %d has been there before", name, part, number, i)
					}
					seen[b] = true
				}
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
