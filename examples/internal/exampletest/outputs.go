package exampletest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"

	"github.com/linnet-ml/linnet/examples/internal/example"
)

// SharedFlags holds a program to what flags mean in all of them. What is wrong with one is said before the first step, on one
// line, and nothing is printed or written.
func (p Program) SharedFlags(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	missing, input := filepath.Join(dir, "missing"), filepath.Join(dir, "input")
	if err := os.WriteFile(input, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"-epochs 0", 2, "-epochs 0 is not from 1 to 1000000"},
		{"-batch 15001", 2, "-batch 15001 is not from 1 to 15000"},
		{"-units 0", 2, "-units 0 is not from 1 to 4096"},
		{"-lr -1", 2, "-lr -1 is not a positive float32"},
		{"-threads -1", 2, "-threads -1 is not from 0 to 1024"},
		{"-threads 1025", 2, "-threads 1025 is not from 0 to 1024"},
		{"-patience -2", 2, "-patience -2 is not from -1 to 2147483647"},
		{"-try=", 2, "-try is empty"},
		{"-data=", 2, "-data is empty"},
		{"-report=", 2, "-report is empty"},
		{"-history=", 2, "-history is empty"},
		{"-plot=", 2, "-plot is empty"},
		{"-save=", 2, "-save is empty"},
		{"-data " + missing, 1, "-data: imdb: stat " + missing + ": "},
		{"-try text -data " + missing, 1, "-data: imdb: stat " + missing + ": "},
		{"-data " + filepath.Join(input, "x"), 1, "-data: imdb: stat " + filepath.Join(input, "x") + ": "},
		{"-load " + missing, 1, "-load: model: "},
		{"-resume " + missing, 1, "-resume: model: "},
		{"-report r -history ./r", 2, "-report and -history name the same file"},
		{"-history r.svg -plot r.svg", 2, "-history and -plot name the same file"},
		{"-save r -report r", 2, "-save and -report name the same file"},
		{"-data " + input + " -report " + input, 2, "-data and -report name the same file"},
		{"-data " + input + " -save " + input, 2, "-save and -data name the same file"},
		{"-report " + filepath.Join(missing, "r"), 1, "-report: " + filepath.Join(missing, "r") + " cannot be written: there is no folder " + missing},
		{"-history " + filepath.Join(missing, "r"), 1, "-history: " + filepath.Join(missing, "r") + " cannot be written: there is no folder " + missing},
		{"-save " + filepath.Join(missing, "r"), 1, "-save: " + filepath.Join(missing, "r") + " cannot be written: there is no folder " + missing},
		{"-plot " + filepath.Join(missing, "r.svg"), 1, "-plot: plots: " + filepath.Join(missing, "r.svg") + " cannot be written: there is no folder " + missing},
	} {
		stdout, stderr := p.Output(t, c.code, strings.Fields(c.args)...)
		if want := p.Name + ": " + c.want; !strings.HasPrefix(stderr, want) || strings.Count(stderr, "\n") != 1 || stdout != "" {
			t.Errorf("%s:\ngot  %swant %s%s", c.args, stderr, want, stdout)
		}
	}
	p.wantFiles(t, dir, "input")
	for _, columns := range []int{40, 80} {
		var b, errs bytes.Buffer
		p.Run(t.Context(), []string{"-h"}, example.NarrowPage(&b, columns), &errs)
		fits(t, b.String(), columns)
	}
	help, _ := p.Output(t, 0, "-h")
	for _, want := range []string{"  -threads int\n    workers that share a step, 0 for as many as pay; they change no bit of the\n    result (default 0)\n", "  -quiet\n    print the results only\n", "  -try text\n", " -1 never"} {
		if !strings.Contains(help, want) {
			t.Errorf("the help lacks %q:\n%s", want, help)
		}
	}
}

// wantFiles compares the names in a folder.
func (p Program) wantFiles(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if slices.Sort(want); !slices.Equal(names, want) {
		t.Errorf("%s has %q, want %q", dir, names, want)
	}
}

// full is a Writer that takes nothing from a text on, and keeps what it took. With no text it takes nothing at all.
type full struct {
	took bytes.Buffer
	from string
}

func (f *full) Write(b []byte) (int, error) {
	if strings.Contains(string(b), f.from) {
		return 0, &os.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.ENOSPC}
	}
	return f.took.Write(b)
}

// Outputs holds a program to this: what cannot be written is an error with the flag and the user's file, the exit code says so,
// and nothing else is lost for it. The folder of the files of some flags goes while the program trains, and what it prints on
// a terminal of 40 columns fits, until it scores a text. The arguments should make it a short run.
func (p Program) Outputs(t *testing.T, lost []string, args ...string) {
	t.Helper()
	const want = ": the standard output cannot be written: no space left on device\n"
	outputs := []string{"save", "report", "history", "plot"}
	dir := t.TempDir()
	now := append(slices.Clone(args), "-quiet")
	for _, name := range outputs {
		now = append(now, "-"+name, filepath.Join(dir, name+".svg"))
	}
	var errs bytes.Buffer
	if code := p.Run(t.Context(), now, &full{}, &errs); code != 1 || errs.String() != p.Name+want {
		t.Errorf("-quiet: exit code %d, %s", code, errs.String())
	}
	p.wantFiles(t, dir, "save.svg", "report.svg", "history.svg", "plot.svg")
	if runtime.GOOS == "linux" {
		var errs bytes.Buffer
		cmd := exec.Command("sh", "-c", `exec "$0" -quiet -data builtin >&-`, os.Args[0])
		cmd.Env, cmd.Stderr = append(os.Environ(), asProgram+"=1"), &errs
		if cmd.Run(); cmd.ProcessState.ExitCode() != 1 || !strings.HasPrefix(errs.String(), p.Name+": the standard output is closed, ") {
			t.Errorf("a closed standard output: exit code %d, %s", cmd.ProcessState.ExitCode(), errs.String())
		}
	}
	if code := p.Run(t.Context(), []string{"-h"}, &full{}, &full{}); code != 1 {
		t.Errorf("-h to a full disk: exit code %d", code)
	}

	dir = t.TempDir()
	gone := filepath.Join(dir, "gone")
	if err := os.Mkdir(gone, 0o777); err != nil {
		t.Fatal(err)
	}
	now = append(slices.Clone(args), "-try", "A good film, and long enough a text.")
	var kept []string
	for _, name := range outputs {
		path := filepath.Join(dir, name+".svg")
		if slices.Contains(lost, name) {
			path = filepath.Join(gone, name+".svg")
		} else {
			kept = append(kept, name+".svg")
		}
		now = append(now, "-"+name, path)
	}
	errs.Reset()
	stop := &StopAt{Texts: []string{"Epoch 1/"}, Stop: func() { os.RemoveAll(gone) }}
	out := &full{from: "Your text"}
	code := p.Run(t.Context(), now, example.NarrowPage(out, 40), writers{&errs, stop})
	fits(t, out.took.String(), 40)
	if code != 1 || !strings.HasSuffix(errs.String(), p.Name+want) {
		t.Errorf("exit code %d\n%s", code, errs.String())
	}
	for _, name := range lost {
		want := fmt.Sprintf("\n%s: -%s: ", p.Name, name)
		if !strings.Contains(errs.String(), want) || !strings.Contains(errs.String(), filepath.Join(gone, name+".svg")+" cannot be written: there is no folder "+gone+"\n") {
			t.Errorf("without %s: %s", name, errs.String())
		}
	}
	if strings.Contains(errs.String(), "linnet-tmp") {
		t.Errorf("the name of a temporary file: %s", errs.String())
	}
	p.wantFiles(t, dir, kept...)
}

type writers struct {
	text *bytes.Buffer
	stop *StopAt
}

func (w writers) Write(b []byte) (int, error) {
	w.text.Write(b)
	return w.stop.Write(b)
}

// fits compares the lines of a text with the width of a terminal: none is longer, unless it is one word.
func fits(t *testing.T, text string, columns int) {
	t.Helper()
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if n := utf8.RuneCountInString(line); n > columns && strings.Contains(strings.TrimSpace(line), " ") {
			t.Errorf("%d characters on %d columns: %s", n, columns, line)
		}
	}
	if strings.Count(text, "\n") < 40 {
		t.Errorf("there is only\n%s", text)
	}
}
