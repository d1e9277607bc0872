// The recipes are tested: every command on a page runs, every file on it is written, and what is printed is compared with
// what the page shows. The pages are those of this folder and README.md.
//
//	go test ./docs -update    writes what is printed into the pages
package docs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write what is printed into the pages")

// block is a fenced block of a page.
type block struct {
	marker   string // of the comment in the line before the block: <!-- marker -->
	language string
	first    int // the page's line after the fence, from 0
	lines    []string
}

// blocks are the fenced blocks of a page.
func blocks(t *testing.T, lines []string) []block {
	t.Helper()
	var list []block
	for i := 0; i < len(lines); i++ {
		language, ok := strings.CutPrefix(lines[i], "```")
		if !ok {
			continue
		}
		b := block{language: language, first: i + 1}
		if i > 0 && strings.HasPrefix(lines[i-1], "<!-- ") {
			b.marker = strings.TrimSuffix(strings.TrimPrefix(lines[i-1], "<!-- "), " -->")
		}
		for i++; i < len(lines) && lines[i] != "```"; i++ {
			b.lines = append(b.lines, lines[i])
		}
		if i == len(lines) {
			t.Fatalf("line %d: the block does not end", b.first)
		}
		list = append(list, b)
	}
	return list
}

// file is the name that a block's marker gives to its file: <!-- file main.go -->.
func (b *block) file() (string, bool) { return strings.CutPrefix(b.marker, "file ") }

// A command of a console block, after "$ ", with the lines that it prints.
type command struct {
	text        string
	first, last int // the page's lines of the output, the last excluded
	shown       []string
}

func (b *block) commands(t *testing.T) []command {
	t.Helper()
	var list []command
	for i := 0; i < len(b.lines); i++ {
		text, ok := strings.CutPrefix(b.lines[i], "$ ")
		if !ok {
			t.Fatalf("line %d: output without a command", b.first+i)
		}
		for strings.HasSuffix(text, "\\") {
			i++
			text += "\n" + b.lines[i]
		}
		from := i + 1
		for i+1 < len(b.lines) && !strings.HasPrefix(b.lines[i+1], "$ ") {
			i++
		}
		list = append(list, command{text, b.first + from, b.first + i + 1, b.lines[from : i+1]})
	}
	return list
}

// varies is what differs from run to run: times alone.
var varies = regexp.MustCompile(`\b(in|took) \d+\.\d+ m?s\b`)

func masked(line string) string {
	return varies.ReplaceAllString(strings.TrimRight(line, " "), "$1 … s")
}

// elided is a line that stands for any number of lines.
const elided = "..."

// matches reports whether output is what a page shows.
func matches(shown, printed []string) bool {
	if len(shown) == 0 {
		return len(printed) == 0
	}
	if shown[0] == elided {
		for i := range len(printed) + 1 {
			if matches(shown[1:], printed[i:]) {
				return true
			}
		}
		return false
	}
	return len(printed) > 0 && masked(shown[0]) == masked(printed[0]) && matches(shown[1:], printed[1:])
}

// renewed is output as a page shows it: as many lines before and after those that are left out as there were.
func renewed(shown, printed []string) []string {
	at := slices.Index(shown, elided)
	if at < 0 || len(printed) < len(shown) {
		return printed
	}
	after := len(shown) - at - 1
	return slices.Concat(printed[:at], shown[at:at+1], printed[len(printed)-after:])
}

// session runs the commands of a page one after the other.
type session struct {
	dir, path string
	status    int
}

// run returns what a command prints.
func (s *session) run(t *testing.T, text string) []string {
	t.Helper()
	if to, ok := strings.CutPrefix(text, "cd "); ok {
		s.dir = filepath.Join(s.dir, to)
		return nil
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", fmt.Sprintf("(exit %d)\n%s", s.status, text))
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "PATH="+s.path+string(os.PathListSeparator)+os.Getenv("PATH"), "GOFLAGS=-mod=mod", "GOPROXY=off", "LC_ALL=C")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	s.status = cmd.ProcessState.ExitCode()
	printed := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if out.Len() == 0 {
		return nil
	}
	return printed
}

// module makes dir a module that uses this one.
func module(t *testing.T, dir string) {
	t.Helper()
	mod, err := os.ReadFile(filepath.Join("..", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	const name = "module github.com/linnet-ml/linnet\n"
	if !bytes.HasPrefix(mod, []byte(name)) {
		t.Fatalf("go.mod does not begin with %q", name)
	}
	text := fmt.Sprintf("module example.com/shop\n%s\nrequire github.com/linnet-ml/linnet v0.0.0\nreplace github.com/linnet-ml/linnet => %q\n", mod[len(name):], root)
	write(t, filepath.Join(dir, "go.mod"), []byte(text))
	sum, err := os.ReadFile(filepath.Join("..", "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "go.sum"), sum)
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// program builds the program linnet and returns its folder.
func program(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("it builds and runs programs")
	}
	if runtime.GOOS == "windows" {
		t.Skip("the pages show commands of a POSIX shell")
	}
	bin := t.TempDir()
	cmd := exec.Command("go", "build", "-o", filepath.Join(bin, "linnet"), "./cmd/linnet")
	cmd.Dir = ".."
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return bin
}

// folder is a folder with the sample data, as commands find it.
func folder(t *testing.T, data string) string {
	t.Helper()
	dir := t.TempDir()
	files, err := filepath.Glob("data/*.csv")
	if err != nil || len(files) == 0 {
		t.Fatalf("no data: %v", err)
	}
	for _, path := range files {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, data, filepath.Base(path)), content)
	}
	return dir
}

func TestPages(t *testing.T) {
	bin := program(t)
	pages, err := filepath.Glob("*.md")
	if err != nil || len(pages) < 8 {
		t.Fatalf("%d pages: %v", len(pages), err)
	}
	for _, page := range append(pages, filepath.Join("..", "README.md")) {
		t.Run(strings.TrimPrefix(filepath.ToSlash(page), "../"), func(t *testing.T) {
			content, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(string(content), "\n")
			data := "."
			if page != filepath.Base(page) {
				data = filepath.Join("docs", "data")
			}
			dir := folder(t, data)
			module(t, filepath.Join(dir, data))
			t.Cleanup(func() { // a server that is left where a test fails half way
				number, err := os.ReadFile(filepath.Join(dir, data, "serve.pid"))
				if err != nil || !t.Failed() {
					return
				}
				if pid, err := strconv.Atoi(strings.TrimSpace(string(number))); err == nil {
					if p, err := os.FindProcess(pid); err == nil {
						p.Kill()
					}
				}
			})
			fresh := run(t, lines, &session{dir: dir, path: bin}, page == filepath.Base(page))
			if *update && !slices.Equal(lines, fresh) {
				write(t, page, []byte(strings.Join(fresh, "\n")))
			}
		})
	}
}

// run runs a page and returns its lines with what was printed. In a recipe every block must be run or be a file.
func run(t *testing.T, lines []string, s *session, recipe bool) []string {
	t.Helper()
	var fresh []string
	done := 0
	written := ""
	for _, b := range blocks(t, lines) {
		if name, ok := b.file(); ok {
			if written != "" {
				t.Errorf("line %d: no command uses %s", b.first, written)
			}
			written = name
			write(t, filepath.Join(s.dir, name), []byte(strings.Join(b.lines, "\n")+"\n"))
			continue
		}
		if b.language != "console" {
			if recipe {
				t.Errorf("line %d: a block of %q that is neither run nor a file", b.first, b.language)
			}
			continue
		}
		written = ""
		for _, c := range b.commands(t) {
			if s.status != 0 && !strings.Contains(c.text, "$?") {
				t.Errorf("line %d: the command before it ended with exit code %d, which the page does not show", c.first, s.status)
				s.status = 0
			}
			printed := s.run(t, c.text)
			shown := c.shown
			if !matches(c.shown, printed) {
				if *update {
					shown = renewed(c.shown, printed)
				} else {
					t.Errorf("line %d: %s\nprints\n%s\nthe page shows\n%s", c.first, c.text, strings.Join(printed, "\n"), strings.Join(c.shown, "\n"))
				}
			}
			fresh = append(append(fresh, lines[done:c.first]...), shown...)
			done = c.last
		}
	}
	if s.status != 0 {
		t.Errorf("the last command ended with exit code %d", s.status)
	}
	return append(fresh, lines[done:]...)
}

// The list of pages has all of them, and what is linked is there.
func TestLinks(t *testing.T) {
	pages, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	link := regexp.MustCompile(`\]\(([^)#]+)(#[^)]*)?\)`)
	listed := map[string]bool{"README.md": true}
	for _, page := range append(pages, filepath.Join("..", "README.md"), filepath.Join("data", "README.md")) {
		content, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(content), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), m[1])); err != nil {
				t.Errorf("%s links %s: %v", page, m[1], err)
			}
			if page == "README.md" {
				listed[m[1]] = true
			}
		}
	}
	for _, page := range pages {
		if !listed[page] {
			t.Errorf("README.md does not list %s", page)
		}
	}
}

// Each name in the JSON that commands print is explained in command.md.
func TestJSONIsDocumented(t *testing.T) {
	s := &session{dir: folder(t, "."), path: program(t)}
	page, err := os.ReadFile("command.md")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(s.dir, "bad.csv"), []byte("text,label\na,b,c\n"))
	write(t, filepath.Join(s.dir, "faults.csv"), []byte("text,label\na,x\na,x\nb,x\n"))
	free := []string{"scores", "intervals", "options"} // members of these are classes, names of figures and of flags
	for _, text := range []string{
		"linnet train messages.csv -o m.linnet --json 2>notes",
		"linnet train topics.csv --label-separator '|' -o t.linnet --json 2>notes",
		"linnet train messages.csv -o n.linnet --budget 60s --json 2>notes",
		"linnet train messages.csv --continue m.linnet -o c.linnet --json 2>notes",
		"linnet train messages.csv -o s.linnet --sweep seed=1,2 --json",
		"linnet train messages.csv -o s.linnet --report s.json >notes 2>&1 && linnet results s.json --json",
		"linnet check messages.csv test.csv --json",
		"linnet check faults.csv --json",
		"linnet evaluate m.linnet test.csv --json --compare m.linnet 2>notes",
		"linnet predict m.linnet test.csv --json 2>notes",
		"linnet predict t.linnet test.csv --json 2>notes",
		"linnet predict m.linnet bad.csv --json 2>notes; true",
		"linnet explain m.linnet 'where is it' --json",
		"linnet inspect m.linnet --json",
		"linnet inspect c.linnet --json",
		"linnet version --json",
	} {
		printed := s.run(t, text)
		if s.status != 0 {
			t.Fatalf("%s: exit code %d\n%s", text, s.status, strings.Join(printed, "\n"))
		}
		var visit func(v any)
		visit = func(v any) {
			switch v := v.(type) {
			case []any:
				for _, e := range v {
					visit(e)
				}
			case map[string]any:
				for name, e := range v {
					if !bytes.Contains(page, []byte("`"+name+"`")) {
						t.Errorf("%s: command.md does not explain %q", text, name)
					}
					if !slices.Contains(free, name) {
						visit(e)
					}
				}
			}
		}
		for _, line := range printed {
			var v any
			if err := json.Unmarshal([]byte(line), &v); err != nil {
				t.Fatalf("%s: %v\n%s", text, err, line)
			}
			visit(v)
		}
	}
}

// What the test itself decides: which output is that of the page.
func TestMatches(t *testing.T) {
	for _, c := range []struct {
		shown, printed string
		want           bool
	}{
		{"a\nb", "a\nb", true},
		{"a\nb", "a", false},
		{"a", "a\nb", false},
		{"a\n...\nc", "a\nb\nb\nc", true},
		{"a\n...", "a", true},
		{"a\n...\nc", "a\nb\nd", false},
		{"learned in 0.3 s", "learned in 12.3 s", true},
		{"learned in 0.3 s", "learned in 12 rows", false},
		{"a  ", "a", true},
	} {
		if got := matches(strings.Split(c.shown, "\n"), strings.Split(c.printed, "\n")); got != c.want {
			t.Errorf("%q shows %q: %v", c.shown, c.printed, got)
		}
	}
	if got := renewed([]string{"a", "...", "c"}, []string{"1", "2", "3", "4"}); !slices.Equal(got, []string{"1", "...", "4"}) {
		t.Errorf("renewed: %v", got)
	}
}
