package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/linnet-ml/linnet/classifier"
)

// What is wrong with data, a model or the output is said with its place, and no file is written.
func TestBadInput(t *testing.T) {
	t.Chdir(t.TempDir())
	write := func(name string, content string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	good := films(1, 60)
	write("films.csv", good)
	var stdout, stderr strings.Builder
	if code := run(t.Context(), []string{"train", "films.csv", "-o", "films.linnet"}, nil, &stdout, &stderr); code != 0 {
		t.Fatal(stderr.String())
	}
	model, err := os.ReadFile("films.linnet")
	if err != nil {
		t.Fatal(err)
	}
	write("empty.csv", "")
	write("header.csv", "text,label\n")
	write("one.csv", "text,label\na,x\nb,x\nc,x\n")
	write("nul.csv", good+"a \x00 film,positive\n")
	write("utf8.csv", good+"a caf\xe9 film,positive\n")
	write("utf8.jsonl", "{\"text\":\"a\",\"label\":\"x\"}\n{\"text\":\"caf\xe9\",\"label\":\"x\"}\n")
	write("short.linnet", string(model[:len(model)/2]))
	write("header.linnet", string(model[:5]))
	write("later.linnet", strings.Replace(string(model), `"linnet.format":"1"`, `"linnet.format":"9"`, 1))
	write("text.linnet", "text")
	for _, v := range []struct {
		args []string
		want string // of the standard error, a regular expression
	}{
		{[]string{"train", "empty.csv", "-o", "x"}, `^linnet: empty.csv: the file is empty: no rows\n$`},
		{[]string{"train", "header.csv", "-o", "x"}, `linnet: header.csv.*: no rows\n$`},
		{[]string{"train", "one.csv", "-o", "x"}, `linnet: one.csv: too few classes: 1 in 3 examples, want two\n$`},
		{[]string{"train", "films.csv", "-o", "x", "--text", "body"}, `^linnet: films.csv: there is no column "body"; the columns are "text", "label"\n$`},
		{[]string{"train", "films.csv", "-o", "x", "--label", "7"}, `^linnet: films.csv: there is no column "7"; the columns are "text", "label"\n$`},
		{[]string{"train", "nul.csv", "-o", "x"}, `  nul.csv:62:3: .*NUL`},
		{[]string{"train", "utf8.csv", "-o", "x", "--encoding", "utf-8"}, `  utf8.csv:62:6: .*UTF-8`},
		{[]string{"train", "utf8.jsonl", "-o", "x", "--encoding", "utf-8"}, `  utf8.jsonl:2:\d+: .*UTF-8`},
		{[]string{"train", "films.csv", "-o", "."}, `^linnet: . is a folder\n$`},
		// The output is looked at before the data.
		{[]string{"train", "missing.csv", "-o", "nowhere/x"}, `^linnet: nowhere/x cannot be written: there is no folder nowhere\n$`},
		{[]string{"evaluate", "short.linnet", "films.csv"}, `^linnet: short.linnet: not a classifier's file: .*\n$`},
		{[]string{"evaluate", "header.linnet", "films.csv"}, `^linnet: header.linnet: not a classifier's file: .*\n$`},
		{[]string{"evaluate", "text.linnet", "films.csv"}, `^linnet: text.linnet: not a classifier's file: .*\n$`},
		{[]string{"predict", "later.linnet", "films.csv"}, `^linnet: later.linnet: not a classifier's file: it has version 9 of the format, and this linnet reads up to 1: it needs a newer linnet\n$`},
		{[]string{"predict", ".", "films.csv"}, `^linnet: . is a folder, not a plain file\n$`},
	} {
		stderr.Reset()
		code := run(t.Context(), v.args, strings.NewReader(""), &stdout, &stderr)
		if code != exitFault && code != exitUsage || !regexp.MustCompile(v.want).MatchString(stderr.String()) {
			t.Errorf("%v: code %d, %q, want %s", v.args, code, stderr.String(), v.want)
		}
	}
	if _, err := os.Stat("x"); !os.IsNotExist(err) {
		t.Error("a file was written")
	}
}

// A file that is no model, or one of another kind, is said to be what it is by every command that takes a model.
func TestOtherFiles(t *testing.T) {
	network, err := os.ReadFile("../../model/testdata/v1.linnet")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	saved(t, "c.linnet", false)
	c, err := os.ReadFile("c.linnet")
	if err != nil {
		t.Fatal(err)
	}
	const ofNetwork = "it is a model of a network, not a classifier: model.Load opens it, and linnet inspect, plot and quantize take it"
	files := map[string]struct{ content, what string }{
		"n.linnet":     {string(network), ofNetwork},
		"x.csv":        {films(1, 60), `it is a text, which begins with "text,label"`},
		"x.png":        {"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "it is a PNG picture"},
		"empty":        {"", "it is an empty file"},
		"binary":       {strings.Repeat("\xf0\x01\x02\x03", 200), "it is no model file of linnet"},
		"short.linnet": {string(c[:100]), "header of \\d+ bytes in a file of 100, which is cut short"},
		"cut.linnet":   {string(c[:len(c)-1]), ".*; it may be cut short"},
	}
	for name, f := range files {
		if err := os.WriteFile(name, []byte(f.content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, command := range []string{
		"evaluate FILE x.csv", "evaluate c.linnet x.csv --compare FILE", "predict FILE x.csv", "explain FILE lovely", "serve a=FILE --addr 127.0.0.1:0",
		"train x.csv -o out --continue FILE", "quantize FILE -o out --size 100KB", "quantize FILE -o out", "inspect FILE",
	} {
		for name, f := range files {
			wantCode, want := exitFault, ": not a classifier's file: "+f.what
			if strings.HasPrefix(command, "inspect") || strings.HasSuffix(command, "-o out") {
				if want = ": " + strings.TrimSuffix(f.what, " of linnet") + "(, not a (safetensors|model) file( of linnet)?| of linnet)?"; f.what == ofNetwork {
					continue // they take it
				}
			}
			if name == "binary" && strings.HasPrefix(command, "inspect") {
				want = ": header of \\d+ bytes in a file of 800 \\(limit 100000000\\)"
			}
			if f.what == ofNetwork && strings.Contains(command, "--size") { // not the file is wrong, but what is wanted of it
				wantCode, want = exitUsage, " is a model of a network: --size is for classifiers, and --to says how its weights are stored"
			}
			var stdout, stderr strings.Builder
			code := run(t.Context(), strings.Fields(strings.Replace(command, "FILE", name, 1)), strings.NewReader(""), &stdout, &stderr)
			if code != wantCode || !regexp.MustCompile("^linnet: "+regexp.QuoteMeta(name)+want+"\n$").MatchString(stderr.String()) {
				t.Errorf("%s of %s: code %d, %q, want %s", command, name, code, stderr.String(), want)
			}
		}
	}
	var stdout, stderr strings.Builder
	if code := run(t.Context(), []string{"plot", "x.png"}, nil, &stdout, &stderr); code != exitFault || stderr.String() != "linnet: x.png: it is a PNG picture, not a history\n" {
		t.Errorf("plot: code %d, %q", code, stderr.String())
	}
}

// long is a CSV with a text of n bytes in its third line.
func long(n int64) io.Reader {
	head, rest, _ := strings.Cut(films(1, 60), "\n")
	row, rest, _ := strings.Cut(rest, "\n")
	return io.MultiReader(strings.NewReader(head+"\n"+row+"\n"), io.LimitReader(words{}, n), strings.NewReader(",positive\n"+rest))
}

// words is a text without end.
type words struct{}

func (words) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = "word "[i%5]
	}
	return len(b), nil
}

// A text of 100 MB is a row that cannot be read; one of 3 MB can.
func TestLongText(t *testing.T) {
	if testing.Short() {
		t.Skip("100 MB")
	}
	t.Chdir(t.TempDir())
	for _, v := range []struct {
		bytes int64
		args  []string
		code  int
		want  string
	}{
		{100e6, nil, exitFault, `  stdin:3:1: the row has more than 64 MiB \(MaxText\)\n(?s:.*)linnet: -: 1 row cannot be read: `},
		{100e6, []string{"--skip-bad-rows"}, 0, `  stdin:3:1: the row has more than 64 MiB \(MaxText\)\n`},
		{3e6, nil, 0, `^-: CSV with commas .*\n61 rows `},
	} {
		var stdout, stderr strings.Builder
		code := run(t.Context(), append([]string{"train", "-", "-o", "x.linnet"}, v.args...), long(v.bytes), &stdout, &stderr)
		if code != v.code || !regexp.MustCompile(v.want).MatchString(stderr.String()) {
			t.Errorf("%d bytes %v: code %d, %q", v.bytes, v.args, code, stderr.String())
		}
	}
}

// The standard input gives the file that the data gives in a file.
func TestTrainStdin(t *testing.T) {
	t.Chdir(t.TempDir())
	data := films(3, 300)
	if err := os.WriteFile("films.csv", []byte(data), 0o644); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr strings.Builder
	var files [2][]byte
	for i, from := range []string{"films.csv", "-"} {
		if code := run(t.Context(), []string{"train", from, "-o", "x.linnet"}, strings.NewReader(data), &stdout, &stderr); code != 0 {
			t.Fatal(stderr.String())
		}
		var err error
		if files[i], err = os.ReadFile("x.linnet"); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(files[0], files[1]) {
		t.Error("other bytes from the standard input")
	}
}

// example is an example with n labels.
func example(text string, n int) classifier.Example {
	return classifier.Example{Text: text, Labels: []string{"one", ""}[:min(n, 2)]}
}

// A spool gives back what was put into it, in memory and in a file of which nothing remains, as often as wanted.
func TestSpool(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	for _, size := range []int{10, spoolMemory + 10} {
		s := &spool{}
		want := []string{"", strings.Repeat("x", size), "last\n"}
		for i, text := range want {
			if err := s.add(example(text, i)); err != nil {
				t.Fatal(err)
			}
		}
		if (s.file != nil) != (size > spoolMemory) {
			t.Errorf("%d bytes: a file: %v", size, s.file != nil)
		}
		for range 2 {
			n := 0
			for e, err := range s.examples(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				if w := example(want[n], n); e.Text != w.Text || strings.Join(e.Labels, "|") != strings.Join(w.Labels, "|") {
					t.Errorf("%d bytes: example %d is another one", size, n)
				}
				n++
			}
			if n != len(want) {
				t.Errorf("%d examples", n)
			}
		}
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		for _, err := range s.examples(cancelled) {
			if !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}
		if err := s.close(); err != nil {
			t.Error(err)
		}
	}
	if files, err := filepath.Glob(filepath.Join(folder, "*")); err != nil || len(files) > 0 {
		t.Errorf("left behind: %v, %v", files, err)
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no /dev/full")
	}
	defer full.Close()
	s := &spool{file: full}
	if err := s.add(example(strings.Repeat("x", spoolMemory), 0)); !errors.Is(err, syscall.ENOSPC) || err.Error() != "a temporary file in "+folder+": no space left on device" {
		t.Error(err)
	}
}
