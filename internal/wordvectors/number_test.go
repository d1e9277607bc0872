package wordvectors

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
)

// checkNumber compares the fast path, where it takes a number, with strconv.
func checkNumber(t *testing.T, s string) (fast bool) {
	t.Helper()
	got, n, ok := parseFast([]byte(s))
	if !ok {
		return false
	}
	want, err := strconv.ParseFloat(s[:n], 32)
	if err != nil || math.Float32bits(float32(want)) != math.Float32bits(got) {
		t.Fatalf("%q: the fast path gives %v (%#x), strconv %v (%#x), %v", s, got, math.Float32bits(got), float32(want), math.Float32bits(float32(want)), err)
	}
	if n < len(s) && s[n] != ' ' {
		t.Fatalf("%q: the fast path stops at byte %d", s, n)
	}
	return true
}

func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		s    string
		fast bool
	}{
		{"0", true}, {"-0", true}, {"+1", true}, {".5", true}, {"5.", true}, {"-3.4E+2", true}, {"1e-05", true}, {"1e22", true},
		{"0.038194 7", true}, {"00000000.038194", true}, {"9007199254740992", true}, {"0.0000000000000001", true},
		{"", false}, {"-", false}, {".", false}, {"e5", false}, {"1e", false}, {"1e+", false}, {"1x", false}, {"nan", false}, {"1e23", false},
		{"9007199254740993", false}, {"1e-45", false}, {"3.4028236e38", false}, {"1e0005", false}, {"18446744073709551616", false}, {"1\t2", false},
		{"16777217", false},            // halfway between two float32
		{"1.00000005960464477", false}, // too many digits
		{"0.00000000000000000000001", false},
	} {
		if got := checkNumber(t, c.s); got != c.fast {
			t.Errorf("%q: fast %v, want %v", c.s, got, c.fast)
		}
	}
	for s, want := range map[string]float32{"1e-45": 1e-45, "3.4028234e38": math.MaxFloat32, "16777217": 16777216, "16777219": 16777220, "1e-60": 0, "7.0064923216240853546186479164495e-46": 0} {
		if got, err := parseSlow([]byte(s)); err != nil || got != want {
			t.Errorf("%q: %v, %v, want %v", s, got, err, want)
		}
	}
	if v, err := parseSlow([]byte("-0")); err != nil || !math.Signbit(float64(v)) {
		t.Errorf("-0: %v, %v", v, err)
	}
}

// Numbers as programs print them, and numbers at and beside the middle of two float32, where rounding twice would show.
func TestNumbersAreExact(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	fast, n := 0, 0
	check := func(s string) {
		n++
		if checkNumber(t, s) {
			fast++
		}
	}
	for range 20_000 {
		v := math.Float32frombits(rng.Uint32()&^(0xff<<23) | (100+rng.Uint32N(54))<<23)
		check(strconv.FormatFloat(float64(v), 'g', -1, 32))
		check(fmt.Sprintf("%.6g", v))
		check(fmt.Sprintf("%.5f", v))
		check(fmt.Sprintf("%.9g", v))
		middle := (float64(v) + float64(math.Nextafter32(v, math.MaxFloat32))) / 2
		for digits := 8; digits <= 18; digits += 2 {
			check(strconv.FormatFloat(middle, 'e', digits, 64))
			check(strconv.FormatFloat(math.Nextafter(middle, 0), 'e', digits, 64))
		}
	}
	if fast < n/3 {
		t.Errorf("only %d of %d numbers took the fast path", fast, n)
	}
}

func FuzzNumber(f *testing.F) {
	for _, s := range []string{"0.038194", "-3.4E+2", "1e-45", "16777217", "1.000000059604645", "inf"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if checkNumber(t, s) {
			return
		}
		if v, err := parseSlow([]byte(s)); err == nil {
			want, err := strconv.ParseFloat(s, 32)
			if err != nil || math.Float32bits(float32(want)) != math.Float32bits(v) {
				t.Fatalf("%q: %v, strconv %v, %v", s, v, want, err)
			}
		}
	})
}
