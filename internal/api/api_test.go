package api

import (
	"flag"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write api.txt")

// read returns the lines of a file without comments and empty lines.
func read(t *testing.T, name string) (lines []string) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimRight(line, "\r\n"); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return lines
}

const head = `# The exported API of the library, which "go test ./internal/api -update" writes. CONTRIBUTING.md says more.
`

// A change of the API shows in review, as a change of api.txt.
func TestListed(t *testing.T) {
	lines, err := Lines("../..")
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("api.txt", []byte(head+strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	listed := read(t, "api.txt")
	for _, line := range lines {
		if !slices.Contains(listed, line) {
			t.Errorf("api.txt lacks\n%s", line)
		}
	}
	for _, line := range listed {
		if !slices.Contains(lines, line) {
			t.Errorf("api.txt has what the code has not:\n%s", line)
		}
	}
	if t.Failed() {
		t.Log("go test ./internal/api -update writes api.txt anew")
	}
}

// What the last release had is still there, or among the exceptions.
func TestReleased(t *testing.T) {
	missing, idle := Broken(read(t, "released.txt"), read(t, "exceptions.txt"), read(t, "api.txt"))
	for _, line := range missing {
		t.Errorf("a program written for the last release may use what is gone or changed:\n%s", line)
	}
	for _, line := range idle {
		t.Errorf("exceptions.txt has a line that the last release has not, or that is still there:\n%s", line)
	}
}

func TestBroken(t *testing.T) {
	missing, idle := Broken([]string{"kept", "gone", "let go"}, []string{"let go", "kept", "never"}, []string{"kept", "new"})
	if diff := cmp.Diff([][]string{{"gone"}, {"kept", "never"}}, [][]string{missing, idle}); diff != "" {
		t.Error(diff)
	}
}

func TestList(t *testing.T) {
	const source = `package p

type Number interface{ ~int | float32 }

type (
	Pair[A, B any] struct {
		First  A
		second B
		*Inner
		hidden
		Call func(ctx context.Context, a, b int) (n int, err error)
	}
	Other = map[string]Pair[int, int]
	Kind  int
	small struct{ Field int }
)

type Shape interface {
	Area(unit string) float64
	private()
	Other
}

const (
	A Kind = iota
	b
	C
	D = "d"
)

var Default, other = New(1), 2
var Limit int = 5

func New(a, b int, more ...string) *Pair[int, string] { return nil }
func Max[T Number](x, y T) T { return x }
func hidden() {}
func (p *Pair[A, B]) Swap(into func(first A) B) {}
func (small) Exported() {}
`
	file, err := parser.ParseFile(token.NewFileSet(), "p.go", source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"p: type Number interface { ~int | float32 }",
		"p: type Pair[A any, B any] struct",
		"p: type Pair struct, First A",
		"p: type Pair struct, embedded *Inner",
		"p: type Pair struct, Call func(context.Context, int, int) (int, error)",
		"p: type Other = map[string]Pair[int, int]",
		"p: type Kind int",
		"p: type Shape interface, Area(string) float64",
		"p: type Shape interface { Area; Other; private }",
		"p: const A Kind = iota, iota 0",
		"p: const C Kind = iota, iota 2",
		`p: const D = "d"`,
		"p: var Default = New(1)",
		"p: var Limit int",
		"p: func New(int, int, ...string) *Pair[int, string]",
		"p: func Max[T Number](T, T) T",
		"p: method (*Pair[A, B]) Swap(func(A) B)",
	}
	if diff := cmp.Diff(want, list("p", file)); diff != "" {
		t.Error(diff)
	}
}
