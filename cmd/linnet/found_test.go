package main

import (
	"os"
	"strings"
	"testing"
)

// predict says how data is read before the first label, and again if the encoding of a stream is known after more of it alone.
func TestPredictFound(t *testing.T) {
	t.Chdir(t.TempDir())
	saved(t, "m.linnet", false)
	late := "text\n" + strings.Repeat("a lovely film\n", 100_000) + "a caf\xe9 film\n"
	if err := os.WriteFile("late.csv", []byte(late), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, v := range []struct{ data, want string }{
		{"late.csv", "late.csv: CSV of one column and a header, Windows-1252; text \"text\", no label (guessed)\n"},
		{"-", "-: CSV of one column and a header, UTF-8; text \"text\", no label (guessed)\n-: CSV of one column and a header, Windows-1252; text \"text\", no label (guessed)\n"},
	} {
		var stdout, stderr strings.Builder
		code := run(t.Context(), []string{"predict", "m.linnet", v.data}, strings.NewReader(late), &stdout, &stderr)
		if code != 0 || stderr.String() != v.want || strings.Count(stdout.String(), "\n") != 100_001 {
			t.Errorf("%s: code %d, %q, want %q", v.data, code, stderr.String(), v.want)
		}
	}
}
