//go:build unix

package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A part whose process is killed leaves no labels, and is complete once it has run again: nothing is lost and nothing is there
// twice.
func TestPredictKilled(t *testing.T) {
	t.Chdir(t.TempDir())
	saved(t, "m.linnet", false)
	var rows strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&rows, "lovely film number %d\n", i)
	}
	labels := func(args ...string) string {
		t.Helper()
		var stdout, stderr strings.Builder
		if code := run(t.Context(), append([]string{"predict", "m.linnet"}, args...), strings.NewReader(rows.String()), &stdout, &stderr); code != 0 {
			t.Fatalf("%v: exit code %d, %s", args, code, stderr.String())
		}
		return stdout.String()
	}
	want := labels("--shard", "0+1/2")
	if n := strings.Count(want, "\n"); n != 10_000 {
		t.Fatalf("%d labels", n)
	}

	cmd := exec.Command("linnet", "predict", "m.linnet", "--shard", "0+1/2", "-o", "part.tsv")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	if _, err := io.WriteString(stdin, rows.String()); err != nil { // and no end
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		begun, err := filepath.Glob(".part.tsv.*")
		if err != nil {
			t.Fatal(err)
		}
		if len(begun) == 1 {
			if info, err := os.Stat(begun[0]); err == nil && info.Size() > 0 {
				break
			}
		}
		if time.Now().After(deadline) {
			t.Fatal("no labels are being written")
		}
	}
	cmd.Process.Kill()
	cmd.Wait()
	if _, err := os.Stat("part.tsv"); !os.IsNotExist(err) {
		t.Errorf("a killed process left labels: %v", err)
	}

	labels("--shard", "0+1/2", "-o", "part.tsv")
	if got, err := os.ReadFile("part.tsv"); err != nil || string(got) != want {
		t.Errorf("the labels after a second run: %v, %d bytes, want %d", err, len(got), len(want))
	}
	// The same run again, by a scheduler that was wrong about the first, changes nothing.
	labels("--shard", "0+1/2", "-o", "part.tsv")
	if got, err := os.ReadFile("part.tsv"); err != nil || string(got) != want {
		t.Errorf("the labels after a third run: %v, %d bytes, want %d", err, len(got), len(want))
	}
	if files, err := filepath.Glob(".*"); err != nil || len(files) > 0 {
		t.Errorf("%v, %q are left", err, files)
	}
}
