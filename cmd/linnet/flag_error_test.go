package main

import (
	"fmt"
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
