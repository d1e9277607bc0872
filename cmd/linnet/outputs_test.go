package main

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"testing"
	"unicode"
)

// full is a standard output that takes nothing.
type full struct{}

func (full) Write([]byte) (int, error) {
	return 0, &fs.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.ENOSPC}
}

// A result that cannot be written is an error, of each command and of each way to ask for help. Files are written all the same.
func TestFullOutput(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, content := range map[string]string{"films.csv": films(1, 60), "history.csv": "epoch,loss\n0,1\n1,2\n", "report.json": `{"file":"a","report":{"rows":1}}`} {
		if err := os.WriteFile(name, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	rows := map[string][]string{
		"train":    {"films.csv", "-o", "films.linnet"},
		"results":  {"report.json"},
		"check":    {"films.csv", "--quick"},
		"evaluate": {"films.linnet", "films.csv"},
		"predict":  {"films.linnet", "films.csv"},
		"explain":  {"films.linnet", "a lovely film"},
		"inspect":  {"films.linnet"},
		"quantize": {"films.linnet", "-o", "small.linnet", "--size", "100KB"},
		"plot":     {"history.csv"},
		"serve":    {"--help"}, // it has no results
		"version":  nil,
		"licenses": nil,
		"help":     {"train"},
	}
	const want = "linnet: the standard output cannot be written: no space left on device\n"
	fails := func(args ...string) {
		t.Helper()
		var stderr strings.Builder
		if code := run(t.Context(), args, strings.NewReader(""), full{}, &stderr); code != exitFault || !strings.HasSuffix(stderr.String(), want) {
			t.Errorf("%v: exit code %d, %s", args, code, stderr.String())
		}
	}
	fails()
	fails("--version")
	fails(append([]string{"train"}, rows["train"]...)...) // the others need its file
	for _, cmd := range newRoot().Commands() {
		args, ok := rows[cmd.Name()]
		if !ok {
			t.Errorf("%s has no row", cmd.Name())
			continue
		}
		fails(append([]string{cmd.Name()}, args...)...)
		if cmd.Flags().Lookup("json") != nil {
			fails(append([]string{cmd.Name(), "--json"}, args...)...)
		}
	}
	for _, name := range []string{"films.linnet", "small.linnet"} {
		if _, err := os.Stat(name); err != nil {
			t.Error(err)
		}
	}
}

// What a training has found out is said even if its file cannot be written.
func TestTrainUnwritable(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Mkdir("gone", 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("films.csv", []byte(films(1, 60)), 0o666); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr strings.Builder
	code := run(t.Context(), []string{"train", "films.csv", "-o", "gone/films.linnet"}, nil, &stdout, removing{&stderr, "gone"})
	if want := "linnet: gone/films.linnet cannot be written: there is no folder gone\n"; code != exitFault || !strings.HasSuffix(stderr.String(), want) || !strings.Contains(stdout.String(), "\nchosen: ") || strings.Contains(stdout.String(), "gone/") {
		t.Errorf("exit code %d\n%s%s", code, stdout.String(), stderr.String())
	}
}

// removing removes a folder when something is written.
type removing struct {
	to     *strings.Builder
	folder string
}

func (r removing) Write(b []byte) (int, error) {
	os.RemoveAll(r.folder)
	return r.to.Write(b)
}

const foreign = "a\x1b[2J\u202eb\u009bc"

// Labels, columns, names of files and texts never reach the terminal or the log as they are.
func TestForeignText(t *testing.T) {
	t.Chdir(t.TempDir())
	data := strings.ReplaceAll(films(1, 60), "negative", foreign)
	for name, content := range map[string]string{
		"films.csv": data, "bad.csv": data + "\"" + foreign, "columns.csv": foreign + "," + foreign + "\n1,2\n",
		"history.csv": "epoch," + foreign + "\n0,1\n1,2\n", "texts.txt": foreign + " dull awful\n",
	} {
		if err := os.WriteFile(name, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"train", "films.csv", "-o", "films.linnet"}, {"train", "films.csv", "-o", foreign + "/x"}, {"train", "bad.csv", "-o", "x"}, {"train", "columns.csv", "-o", "x"}, {"train", foreign, "-o", "x"},
		{"train", "films.csv", "-o", "x", "--text", foreign}, {"train", "films.csv", "-o", "x", "--positive", foreign + "2"},
		{"train", "films.csv", "-o", "x", "--sweep", foreign}, {"train", "films.csv", "-o", "x", "--sweep", "text=" + foreign}, {"results", "films.csv"}, {"results", foreign},
		{"check", "films.csv"}, {"check", "bad.csv", "--quick"}, {"check", "columns.csv"},
		{"evaluate", "films.linnet", "films.csv"}, {"predict", "films.linnet", "texts.txt", "--format", "lines"}, {"predict", "films.linnet", "bad.csv"},
		{"explain", "films.linnet", foreign + " dull"}, {"explain", "films.linnet", "dull", "--class", foreign + "2"}, {"inspect", "films.linnet"}, {"inspect", foreign},
		{"quantize", "films.linnet", "-o", foreign + "/x", "--size", "100KB"}, {"plot", "history.csv"}, {"plot", "history.csv", foreign}, {"plot", "history.csv", "-o", foreign},
		{"serve", foreign}, {"serve", "a=" + foreign}, {foreign}, {"train", "--" + foreign},
	} {
		for _, asJSON := range []bool{false, true} {
			if asJSON {
				if args[0] == "quantize" || args[0] == "plot" || args[0] == "serve" || strings.HasPrefix(args[0], "a") {
					continue
				}
				args = append(args, "--json")
			}
			var stdout, stderr strings.Builder
			run(t.Context(), args, strings.NewReader(""), &stdout, &stderr)
			said := stdout.String() + stderr.String()
			if said == "" || strings.ContainsFunc(said, func(r rune) bool { return r != '\n' && r != '\t' && !unicode.IsPrint(r) }) {
				t.Errorf("%q: %q", args, said)
			}
		}
	}
	for _, format := range []string{"text", "json"} {
		root := newRoot()
		var b bytes.Buffer
		root.SetErr(&b)
		f := serveFlags{logFormat: format, logLevel: "info"}
		log, err := f.logger(root)
		if err != nil {
			t.Fatal(err)
		}
		log.Info(foreign, slog.String("name", foreign))
		if line := strings.TrimSuffix(b.String(), "\n"); line == "" || strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%s: %q", format, line)
		}
		var got map[string]string
		if format == "json" && (json.Unmarshal(b.Bytes(), &got) != nil || got["name"] != foreign) {
			t.Errorf("%q", b.String())
		}
	}
}
