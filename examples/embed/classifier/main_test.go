package main

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// The program is built as its users build it, runs in a folder with nothing in it, and is as small as README.md says.
func TestProgram(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "classifier.exe")
	build := func(flags string) {
		t.Helper()
		cmd := exec.Command("go", "build", "-o", program, "-trimpath", "-ldflags", flags, ".")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	build("")
	symbols, err := exec.Command("go", "tool", "nm", program).Output()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(symbols, []byte("github.com/linnet-ml/linnet/classifier.(*Classifier).ClassifyInto")) {
		t.Fatal("the program has no ClassifyInto: the test looks at the wrong names")
	}
	for _, other := range []string{"net/http.", "gonum.org/v1/plot", "linnet/plots.", "linnet/datasets/", "linnet/pretrained.", "linnet/layers."} {
		if bytes.Contains(symbols, []byte(other)) {
			t.Errorf("the program has %s", other)
		}
	}
	build("-s -w")
	info, err := os.Stat(program)
	if err != nil {
		t.Fatal(err)
	}
	if size := info.Size(); size > 3.2e6 {
		t.Errorf("the program has %d bytes", size)
	}
	// README.md says the size for this platform, in units of 1,000,000 bytes.
	const shown = 2.5
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(fmt.Sprintf(`a static\s+binary of %.1f MB`, shown)).Match(readme) {
		t.Errorf("README.md has another size than %.1f MB", shown)
	}
	if megabytes := float64(info.Size()) / 1e6; runtime.GOOS == "linux" && runtime.GOARCH == "amd64" && strings.HasPrefix(runtime.Version(), "go1.26") && math.Abs(megabytes-shown) > 0.1 {
		t.Errorf("the program has %.2f MB, and README.md says %.1f", megabytes, shown)
	}
	cmd := exec.Command(program)
	cmd.Dir, cmd.Stdin = t.TempDir(), strings.NewReader("My parcel has not arrived.\nThe app crashes.\n")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	lines := strings.Split(string(out), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[0], "delivery 0.") || !strings.HasPrefix(lines[1], "technical 0.") {
		t.Errorf("it prints\n%s", out)
	}
}

// Messages may be arguments, too.
func TestRun(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), []string{"I was charged twice."}, strings.NewReader("not read"), &out); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); !strings.HasPrefix(got, "billing ") || !strings.HasSuffix(got, ": I was charged twice.\n") {
		t.Errorf("it prints %s", got)
	}
}
