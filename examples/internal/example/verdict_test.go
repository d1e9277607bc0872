package example

import "testing"

// A score of a text without a known word is no verdict.
func TestVerdict(t *testing.T) {
	for _, c := range []struct {
		good  bool
		known int
		want  string
	}{{true, 1, "a good review"}, {false, 3, "a bad review"}, {true, 0, "no verdict"}, {false, 0, "no verdict"}} {
		if got := Verdict(c.good, c.known); got != c.want {
			t.Errorf("Verdict(%v, %d) is %q, want %q", c.good, c.known, got, c.want)
		}
	}
}
