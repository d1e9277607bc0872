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

// The program is built as its doc comment says, runs in a folder with nothing in it, and carries what it needs and no
// more.
func TestProgram(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "embed.exe")
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
	if !bytes.Contains(symbols, []byte("github.com/linnet-ml/linnet/model.FromBytes")) {
		t.Fatal("the program has no FromBytes: the test looks at the wrong names")
	}
	for _, other := range []string{"net/http.", "gonum.org/v1/plot", "linnet/plots.", "linnet/datasets/", "linnet/pretrained."} {
		if bytes.Contains(symbols, []byte(other)) {
			t.Errorf("the program has %s", other)
		}
	}
	build("-s -w")
	info, err := os.Stat(program)
	if err != nil {
		t.Fatal(err)
	}
	if size := info.Size(); size > 5e6 {
		t.Errorf("the program has %d bytes", size)
	}
	// README.md says the size for this platform, in units of 1,000,000 bytes.
	const shown = 4.4
	readme, err := os.ReadFile("../../README.md")
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
	cmd.Dir, cmd.Stdin = t.TempDir(), strings.NewReader("A wonderful film, the best I have seen!\nA waste of time: boring and awful.\n")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if want := "1.0000 positive: A wonderful film, the best I have seen!\n0.0000 negative: A waste of time: boring and awful.\n"; string(out) != want {
		t.Errorf("it prints\n%s", out)
	}
}

// The reviews may be arguments, too. The digits hold on every machine.
func TestRun(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), []string{"What a lovely film!", "I want my money back."}, strings.NewReader("not read"), &out); err != nil {
		t.Fatal(err)
	}
	const want = "1.0000 positive: What a lovely film!\n0.0046 negative: I want my money back.\n"
	if out.String() != want {
		t.Errorf("it prints\n%swant\n%s", out.String(), want)
	}
}
