// Package examples_test holds what is asked of every program in this folder.
package examples_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A program whose results cannot be written to the standard output says so, and its exit code does.
func TestFullStandardOutput(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds and runs the programs")
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no /dev/full")
	}
	defer full.Close()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	runs := map[string][]string{ // a short run of each
		"embed":            {"A film."},
		"embed/classifier": {"A parcel."},
		"embed/make":       {"-o", dir},
		"imdb":             {"-quiet", "-data", "builtin", "-epochs", "1"},
		"imdb_hub":         {"-quiet", "-data", "builtin", "-module", "builtin", "-epochs", "1"},
		"quickstart":       {},
		"wasm":             nil, // it has no results but files
	}
	if err := os.Mkdir(filepath.Join(dir, "classifier"), 0o777); err != nil {
		t.Fatal(err)
	}
	list, err := exec.Command("go", "list", "-f", `{{if eq .Name "main"}}{{.ImportPath}}{{end}}`, "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for path := range strings.FieldsSeq(string(list)) {
		_, name, _ := strings.Cut(path, "/examples/")
		t.Run(name, func(t *testing.T) {
			args, known := runs[name]
			if !known {
				t.Fatal("there is no row for it in this test")
			}
			if args == nil {
				t.Skip("it prints nothing")
			}
			program := filepath.Join(dir, "program")
			if out, err := exec.Command("go", "build", "-o", program, path).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			cmd := exec.Command(program, args...)
			cmd.Dir = dir
			if name == "embed/make" {
				cmd.Dir = root
			}
			var errs bytes.Buffer
			cmd.Stdout, cmd.Stderr = full, &errs
			err := cmd.Run()
			if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(errs.String(), syscall.ENOSPC.Error()) {
				t.Errorf("%v\n%s", err, errs.String())
			}
		})
	}
}
