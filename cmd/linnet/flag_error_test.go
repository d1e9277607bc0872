package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// A wrong value of any flag of any command is named with its flag, and what reads it does not show.
func TestWrongValuesOfFlags(t *testing.T) {
	n := 0
	var check func(cmd *cobra.Command)
	check = func(cmd *cobra.Command) {
		for _, sub := range cmd.Commands() {
			check(sub)
		}
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			switch f.Value.Type() {
			case "string", "stringArray", "stringSlice", "count":
				return
			}
			n++
			for _, value := range []string{"", "x\x1b[2J", "1e999", "--"} {
				args := append(strings.Fields(cmd.CommandPath())[1:], fmt.Sprintf("--%s=%s", f.Name, value))
				var stdout, stderr strings.Builder
				if code := run(t.Context(), args, nil, &stdout, &stderr); code != 2 {
					t.Errorf("%q: exit code %d", args, code)
				}
				said := stderr.String()
				if !strings.HasPrefix(said, "linnet: --"+f.Name) || strings.ContainsAny(said, "\x1b") ||
					strings.Contains(said, "strconv") || strings.Contains(said, "time:") || strings.Count(said, "\n") != 1 {
					t.Errorf("%q: %q", args, said)
				}
			}
		})
	}
	root := newRoot()
	check(root)
	if n < 20 {
		t.Errorf("%d flags", n)
	}
}

// A wrong value in a sweep is said in the words of the flag itself.
func TestWrongValuesInSweeps(t *testing.T) {
	n := 0
	newTrain().Flags().VisitAll(func(f *pflag.Flag) {
		switch {
		case f.Value.Type() == "string", slices.Contains(unvaried, f.Name):
			return
		}
		n++
		for _, value := range []string{"x", "1e999"} {
			said := func(args ...string) string {
				var stderr strings.Builder
				if code := run(t.Context(), append([]string{"train", "films.csv", "-o", "out"}, args...), nil, io.Discard, &stderr); code != exitUsage {
					t.Errorf("%q: exit code %d", args, code)
				}
				_, words, _ := strings.Cut(stderr.String(), fmt.Sprintf("%q: ", value))
				return words
			}
			alone, varied := said("--"+f.Name+"="+value), said("--sweep", f.Name+"="+value)
			if alone == "" || alone != varied {
				t.Errorf("--%s=%s: %q, in a sweep %q", f.Name, value, alone, varied)
			}
		}
	})
	if n < 8 {
		t.Errorf("%d flags", n)
	}
}
