package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/linnet-ml/linnet/classifier/evaluation"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
)

func TestMain(m *testing.M) {
	cobra.EnableCommandSorting = false // as main does
	testscript.Main(m, map[string]func(){"linnet": main})
}

// The scripts run the program as a user does. Each begins in an empty folder with copies of the files in shared.
func TestScripts(t *testing.T) {
	shared := map[string]string{
		"reviews.linnet": "../../examples/embed/reviews.linnet",
		"whole.linnet":   "../../model/testdata/v1.linnet",
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"http": httpCommand},
		Setup: func(e *testscript.Env) error {
			e.Setenv("ESC", "\x1b")
			address, err := freeAddress()
			if err != nil {
				return err
			}
			e.Setenv("ADDR", address)
			for name, text := range map[string]string{"films.csv": films(1, 200), "test.csv": films(2, 60), "order.csv": orders(), "wrong.csv": strings.Replace(films(1, 200), ",negative", ",positive", 1)} {
				if err := os.WriteFile(filepath.Join(e.WorkDir, name), []byte(text), 0o644); err != nil {
					return err
				}
			}
			for name, from := range shared {
				b, err := os.ReadFile(from)
				if err != nil {
					return err
				}
				if err := os.WriteFile(filepath.Join(e.WorkDir, name), b, 0o644); err != nil {
					return err
				}
			}
			return nil
		},
	})
}

// films is CSV of made-up reviews of films, sorted by label as exports are.
func films(seed uint64, rows int) string {
	random := rand.New(rand.NewPCG(seed, 0))
	words := map[string][]string{
		"positive": {"lovely", "great", "moving", "funny", "brilliant"},
		"negative": {"dull", "awful", "boring", "wooden", "clumsy"},
		"":         {"film", "plot", "actors", "ending", "camera", "music", "scene", "story"},
	}
	pick := func(kind string) string { return words[kind][random.IntN(len(words[kind]))] }
	b := strings.Builder{}
	b.WriteString("text,label\n")
	for _, label := range []string{"negative", "positive"} {
		for range rows / 2 {
			fmt.Fprintf(&b, "The %s was %s and the %s with its %s %s,%s\n", pick(""), pick(label), pick(""), pick(label), pick(""), label)
		}
	}
	return b.String()
}

// orders is CSV of texts whose label is which of two words comes first: one of 30, or one of 30 others.
func orders() string {
	random := rand.New(rand.NewPCG(3, 0))
	var words [2][30]string
	for i := range words {
		for j := range words[i] {
			for range 5 {
				words[i][j] += string(rune('a' + random.IntN(26)))
			}
		}
	}
	b := strings.Builder{}
	b.WriteString("text,label\n")
	for i := range 700 {
		text := make([]string, 14)
		for j := range text {
			text[j] = "w" + string(rune('a'+random.IntN(20)))
		}
		at := random.IntN(13)
		text[at], text[at+1] = words[i%2][random.IntN(30)], words[1-i%2][random.IntN(30)]
		fmt.Fprintf(&b, "%s,%d\n", strings.Join(text, " "), i%2)
	}
	return b.String()
}

// foreground matches what makes a script's line run beside the next ones.
var foreground = regexp.MustCompile(` &(\w+&)?\n`)

// Every example in a command's help is a line of a script.
func TestExamplesRun(t *testing.T) {
	var scripts strings.Builder
	err := filepath.WalkDir("testdata/script", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".txtar" {
			return err
		}
		b, err := os.ReadFile(path)
		scripts.Write(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		if cmd.Example == "" && cmd.Runnable() && cmd.HasParent() {
			t.Errorf("%s has no example", cmd.CommandPath())
		}
		for line := range strings.Lines(cmd.Example) {
			line = strings.TrimSpace(line)
			command, input, redirected := strings.Cut(line, " < ")
			want := "exec " + command + "\n"
			if redirected {
				want = "stdin " + input + "\n" + want
			}
			if n++; !strings.Contains(foreground.ReplaceAllString(scripts.String(), "\n"), want) {
				t.Errorf("no script has\n%s", want)
			}
		}
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
	}
	visit(newRoot())
	if n == 0 {
		t.Error("there are no examples")
	}
}

// The examples of all commands work as they are written, one after the other, in a folder that has nothing but the files they read and
// none writes.
func TestExamplesWork(t *testing.T) {
	network, err := os.ReadFile("../../model/testdata/v1.linnet")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	mail := strings.Builder{}
	for line := range strings.Lines(films(3, 60)) {
		text, label, _ := strings.Cut(strings.TrimSpace(line), ",")
		fmt.Fprintf(&mail, "%s\t%s\n", label, strings.Replace(text, "text", "body", 1))
	}
	for name, content := range map[string]string{
		"reviews.csv": films(1, 200), "films.csv": films(2, 100), "test.csv": films(4, 60), "more.csv": films(5, 40), "mail.tsv": mail.String(),
		"new.csv": "text\na lovely film\na dull film\n", "texts.txt": "a lovely film\n", "network.linnet": string(network),
		"history.json": `{"epoch":[0,1],"history":{"loss":[0.7,0.5],"accuracy":[0.5,0.7]}}`,
	} {
		if err := os.WriteFile(name, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	works := func(args []string, stdin string) string {
		t.Helper()
		var stdout, stderr strings.Builder
		if code := run(t.Context(), args, strings.NewReader(stdin), &stdout, &stderr); code != 0 {
			t.Errorf("linnet %s: code %d, %s", strings.Join(args, " "), code, stderr.String())
		}
		return stdout.String()
	}
	works([]string{"train", "films.csv", "-o", "other.linnet"}, "") // that of evaluate --compare
	words := regexp.MustCompile(`'[^']*'|[^ ]+`)
	for _, cmd := range newRoot().Commands() {
		if cmd.Name() == "serve" {
			continue // it does not end; a script runs its examples
		}
		for line := range strings.Lines(cmd.Example) {
			line, input, redirected := strings.Cut(strings.TrimSpace(line), " < ")
			var args []string
			for _, word := range words.FindAllString(line, -1)[1:] {
				args = append(args, strings.Trim(word, "'"))
			}
			stdin := ""
			if redirected {
				b, err := os.ReadFile(input)
				if err != nil {
					t.Fatal(err)
				}
				stdin = string(b)
			}
			printed := works(args, stdin)
			if slices.Contains(args, "--sweep") {
				for job := range strings.Lines(printed) {
					works(strings.Fields(job)[1:], "")
				}
			}
		}
	}
}

// A context that is done ends every command with the code for interruptions, and nothing is written.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	out := filepath.Join(dir, "out.linnet")
	for _, args := range [][]string{
		{"quantize", "../../model/testdata/v1.linnet", "-o", out},
		{"inspect", "../../model/testdata/v1.linnet"},
		{"plot", "../../model/testdata/v1.linnet"},
	} {
		var stdout, stderr strings.Builder
		if code := run(ctx, args, strings.NewReader(""), &stdout, &stderr); code != exitInterrupted || stderr.String() != "linnet: interrupted\n" || stdout.Len() > 0 {
			t.Errorf("%v: code %d, %q, %q", args, code, stderr.String(), stdout.String())
		}
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
		t.Errorf("%v, %v", files, err)
	}
}

// Whoever waits for a pipe that nobody writes to can leave.
func TestInterruptedPipe(t *testing.T) {
	r, w := io.Pipe()
	defer w.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	var stdout, stderr strings.Builder
	if code := run(ctx, []string{"plot", "-"}, r, &stdout, &stderr); code == 0 {
		t.Errorf("code 0, %q", stderr.String())
	}
}

// What comes from files cannot speak to the terminal.
func TestShown(t *testing.T) {
	for text, want := range map[string]string{
		"plain":                        "plain",
		"good ☃":                       "good ☃",
		"":                             `""`,
		" a":                           `" a"`,
		"\x1b[2J":                      `"\x1b[2J"`,
		"a\xff":                        `"a\xff"`,
		"a\u202eb":                     `"a\u202eb"`,
		strings.Repeat("ä", 150):       strings.Repeat("ä", 100) + "…",
		strings.Repeat("x", 200):       strings.Repeat("x", 200),
		"a" + strings.Repeat("ä", 100): "a" + strings.Repeat("ä", 99) + "…",
	} {
		if got := visible(text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	for text, want := range map[string]string{"plain": "plain", "": `""`, "a" + strings.Repeat("ä", 25): "a" + strings.Repeat("ä", 19) + "…"} {
		if got := brief(text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0 bytes", 999: "999 bytes", 1000: "1 kB", 999_499: "999 kB", 999_500: "1 MB", 226_304: "226 kB", 5e9: "5 GB"} {
		if got := bytesText(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

// Every line of help fits on a terminal of 80 columns.
func TestHelpIsNarrow(t *testing.T) {
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		for line := range strings.Lines(cmd.Long + "\n\n" + cmd.UsageString()) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > helpWidth && !strings.Contains(cmd.Example, strings.TrimSpace(line)) {
				t.Errorf("%s: %d columns: %s", cmd.CommandPath(), n, line)
			}
		}
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
	}
	visit(newRoot())
}

// Numbers end together, and a line has no spaces at its end.
func TestTable(t *testing.T) {
	rows := table{}
	rows.add("class", "rows", "bar")
	rows.add("größer", "7", "")
	rows.add("b", "12,000", "++")
	var out strings.Builder
	if err := rows.write(&out, "lrl"); err != nil {
		t.Fatal(err)
	}
	const want = "class     rows  bar\ngrößer       7\nb       12,000  ++\n"
	if out.String() != want || rows.width() != 19 {
		t.Errorf("%d columns\n%swant\n%s", rows.width(), out.String(), want)
	}
}

// Names of classes that are too long for a line have numbers above the columns of the matrix.
func TestConfusionOfLongNames(t *testing.T) {
	e := &evaluated{Report: &evaluation.Report{Confusion: [][]int{{3, 1, 0}, {0, 2, 0}, {0, 0, 0}}}}
	for _, letter := range []string{"a", "b"} {
		e.Classes = append(e.Classes, evaluation.Class{Name: strings.Repeat(letter, 30)})
	}
	var out strings.Builder
	e.writeConfusion(&out)
	want := "true \\ given                        (1)  (2)\n" + strings.Repeat("a", 30) + " (1)    3    1\n" + strings.Repeat("b", 30) + " (2)    0    2\n\n"
	if out.String() != want {
		t.Errorf("it prints\n%swant\n%s", out.String(), want)
	}
}
