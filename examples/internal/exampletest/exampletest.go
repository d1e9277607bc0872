// Package exampletest is what the tests of the tutorials' programs have in common: they run the program as its user does
// and look at what it prints and writes.
package exampletest

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// asProgram makes the test binary be the program, for runs with other settings of the process.
const asProgram = "LINNET_TEST_AS_PROGRAM"

// Program is a program under test.
type Program struct {
	Name string
	Run  func(ctx context.Context, args []string, stdout, stderr io.Writer) int
}

// Main is the body of TestMain. No test may find data in the caches of who runs it.
func (p Program) Main(m *testing.M) {
	if os.Getenv(asProgram) == "1" {
		os.Exit(p.Run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
	}
	flag.Bool("update", false, "write the expected output anew")
	flag.Parse()
	empty, err := os.MkdirTemp("", "linnet-"+p.Name+"-")
	if err != nil {
		panic(err)
	}
	for _, name := range []string{"HOME", "USERPROFILE", "XDG_CACHE_HOME", "LocalAppData", "LINNET_DATA", "TFHUB_CACHE_DIR"} {
		os.Setenv(name, empty)
	}
	os.Setenv("LC_ALL", "C") // diagrams in ASCII, whatever the locale is
	code := m.Run()
	os.RemoveAll(empty)
	os.Exit(code)
}

// Output runs the program and expects an exit code.
func (p Program) Output(t *testing.T, want int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	if code := p.Run(t.Context(), args, &out, &errs); code != want {
		t.Fatalf("%s %s: exit code %d, want %d\n%s", p.Name, strings.Join(args, " "), code, want, errs.String())
	}
	return out.String(), errs.String()
}

// Report runs the program with -quiet and reads its report.
func (p Program) Report(t *testing.T, report any, args ...string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.json")
	p.Output(t, 0, append([]string{"-quiet", "-report", file}, args...)...)
	ReadReport(t, file, report)
}

// ReportPortable is Report in a process of its own which has the portable kernels. Where it cannot be told to, the test
// ends.
func (p Program) ReportPortable(t *testing.T, report any, args ...string) {
	t.Helper()
	if runtime.GOARCH != "amd64" {
		t.Skip("only on amd64 can the kernels' path be chosen from outside")
	}
	file := filepath.Join(t.TempDir(), "report.json")
	cmd := exec.Command(os.Args[0], append([]string{"-quiet", "-report", file}, args...)...)
	cmd.Env = append(os.Environ(), asProgram+"=1", "GODEBUG=cpu.avx2=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ReadReport(t, file, report)
}

// Process runs the program in a process of its own, which must succeed.
func (p Program) Process(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", p.Name, strings.Join(args, " "), err, out)
	}
}

// Resumes trains until the last of some numbers of epochs in one process, and in as many as there are numbers, each of
// which goes on from the file of the one before. Both must leave the same file, to the byte, whose name it returns.
func (p Program) Resumes(t *testing.T, epochs []string, args ...string) (saved string) {
	t.Helper()
	dir := t.TempDir()
	once, often := filepath.Join(dir, "once.linnet"), filepath.Join(dir, "often.linnet")
	args = append([]string{"-quiet"}, args...)
	p.Process(t, append(args, "-epochs", epochs[len(epochs)-1], "-save", once)...)
	for i, n := range epochs {
		now := append(args, "-epochs", n, "-save", often)
		if i > 0 {
			now = append(now, "-resume", often)
		}
		p.Process(t, now...)
	}
	SameFiles(t, once, often)
	return often
}

// SameFiles compares files.
func SameFiles(t *testing.T, want, got string) {
	t.Helper()
	a, err := os.ReadFile(want)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(got)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a, b) {
		t.Errorf("%s has %d bytes and %s %d, and they differ", want, len(a), got, len(b))
	}
}

// ReadReport reads a report, which must have no field that report lacks.
func ReadReport(t *testing.T, file string, report any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(report); err != nil {
		t.Fatal(err)
	}
}

// Golden compares what the program printed, but for the machine and the times, with a file in testdata, which -update
// writes anew. No line is longer than a terminal is wide.
func Golden(t *testing.T, name, stdout string) {
	t.Helper()
	got := regexp.MustCompile(`(?m)^linnet .*\nCPU: .*$`).ReplaceAllString(stdout, "linnet VERSION\nCPU: NAME")
	got = regexp.MustCompile(`\d+\.\d\d s\b`).ReplaceAllString(got, "N s")
	golden := filepath.Join("testdata", name)
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(golden, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("the output has changed (go test -update writes it anew):\n%s", diff)
	}
	for line := range strings.Lines(got) {
		if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > 80 {
			t.Errorf("a line of %d characters: %s", n, line)
		}
	}
}

// Readme compares the block after a marker in README.md with what the program printed, but for times: all lines that it
// shows must be there, and "..." stands for any.
func Readme(t *testing.T, marker, printed string) {
	t.Helper()
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(readme), "<!-- "+marker+" -->\n```text\n")
	want, _, found := strings.Cut(rest, "```\n")
	if !found {
		t.Fatalf("README.md has no output behind the marker %q", marker)
	}
	clean := func(s string) string {
		return regexp.MustCompile(`\d+m?s - [^ ]+/step|\d+\.\d\d s\b`).ReplaceAllString(s, "N s")
	}
	got := clean(printed)
	for line := range strings.Lines(clean(want)) {
		if line != "...\n" && !strings.Contains(got, line) {
			t.Errorf("README.md shows a line that the program does not print: %s", line)
		}
	}
}

// Pictures are the beginnings of the files that -plot writes, by their endings.
func Pictures() map[string]string {
	return map[string]string{"p.png": "\x89PNG\r\n", "p.svg": "<?xml "}
}

// Drawn is what a program prints that draws its diagrams as text.
func Drawn() []string {
	return []string{"Training and validation loss\n", "Training and validation accuracy\n", "o Training acc   + Validation acc", "X Lowest: 0."}
}

// StopAt is a Writer that calls Stop when Texts were written to it, one after the other, each at once.
type StopAt struct {
	Texts []string
	Stop  func()
}

func (w *StopAt) Write(p []byte) (int, error) {
	if len(w.Texts) > 0 && bytes.Contains(p, []byte(w.Texts[0])) {
		if w.Texts = w.Texts[1:]; len(w.Texts) == 0 {
			w.Stop()
		}
	}
	return len(p), nil
}
