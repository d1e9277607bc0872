package linnet_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A program whose result was not written has failed. No program ignores the errors of the standard output, or of a Writer
// that may be it, and none of those that the pages show does.
func TestPrintedResultsAreChecked(t *testing.T) {
	programs := 0
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(file, "_test.go") || filepath.Ext(file) != ".go" && filepath.Ext(file) != ".md" {
			return err
		}
		source, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if filepath.Ext(file) == ".go" {
			programs++
			// In these the standard output is a Writer that keeps its first error, and the exit code follows from it.
			kept := slices.Contains([]string{"cmd/linnet", "examples/internal/example"}, filepath.ToSlash(filepath.Dir(file)))
			t.Run(filepath.ToSlash(file), func(t *testing.T) { checkPrints(t, !kept, string(source)) })
			return nil
		}
		for _, block := range strings.Split(string(source), "```go\n")[1:] {
			block, _, _ = strings.Cut(block, "```\n")
			if strings.Contains("\n"+block, "\npackage ") {
				programs++
				t.Run(filepath.ToSlash(file), func(t *testing.T) { checkPrints(t, true, block) })
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if programs < 100 {
		t.Errorf("looked at %d files", programs)
	}
	if faults := printsUnchecked(t, true, `package main
func main() { fmt.Println(1); fmt.Fprint(os.Stdout); fmt.Fprint(os.Stderr); _, _ = fmt.Print() }
func f(w, stderr io.Writer, b *bytes.Buffer) { fmt.Fprintf(w, ""); fmt.Fprint(b); fmt.Fprint(stderr); func(out io.Writer) { fmt.Fprintln(out) }(w) }
`); !slices.Equal(faults, []string{"2: fmt.Println", "2: fmt.Fprint", "3: fmt.Fprintf", "3: fmt.Fprintln"}) {
		t.Errorf("the check itself finds %q", faults)
	}
}

func checkPrints(t *testing.T, arguments bool, source string) {
	for _, fault := range printsUnchecked(t, arguments, source) {
		t.Errorf("line %s: its error is lost", fault)
	}
}

// printsUnchecked finds the calls of package fmt in a file that print to the standard output, or to an io.Writer that is an
// argument, and whose errors go nowhere. Writers for messages have names that say so.
func printsUnchecked(t *testing.T, arguments bool, source string) (faults []string) {
	t.Helper()
	files := token.NewFileSet()
	tree, err := parser.ParseFile(files, "", source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	messages := []string{"stderr", "errs", "log", "help"}
	writers := map[string]bool{}
	ast.Inspect(tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			clear(writers)
		case *ast.FuncType:
			for _, p := range n.Params.List {
				of, ok := p.Type.(*ast.SelectorExpr)
				for _, name := range p.Names {
					writers[name.Name] = ok && of.Sel.Name == "Writer" && isName(of.X, "io") && !slices.Contains(messages, name.Name)
				}
			}
		case *ast.ExprStmt:
			call, ok := n.X.(*ast.CallExpr)
			if !ok {
				break
			}
			print, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || !isName(print.X, "fmt") {
				break
			}
			lost := strings.HasPrefix(print.Sel.Name, "Print")
			if strings.HasPrefix(print.Sel.Name, "Fprint") {
				switch to := call.Args[0].(type) {
				case *ast.Ident:
					lost = arguments && writers[to.Name]
				case *ast.SelectorExpr:
					lost = isName(to.X, "os") && to.Sel.Name == "Stdout"
				}
			}
			if lost {
				faults = append(faults, fmt.Sprintf("%d: fmt.%s", files.Position(n.Pos()).Line, print.Sel.Name))
			}
		}
		return true
	})
	return faults
}

func isName(e ast.Expr, name string) bool {
	i, ok := e.(*ast.Ident)
	return ok && i.Name == name
}
