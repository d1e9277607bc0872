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
	for _, v := range []struct {
		source          string
		lost, ofProgram []string // with arguments, and without
	}{
		{"fmt.Println(1); fmt.Fprint(os.Stdout); fmt.Fprint(os.Stderr); _, _ = fmt.Print()", []string{"fmt.Println", "fmt.Fprint"}, []string{"fmt.Println", "fmt.Fprint"}},
		{`fmt.Fprintf(w, ""); fmt.Fprint(b); fmt.Fprint(stderr); func(out io.Writer) { fmt.Fprintln(out) }(w)`, []string{"fmt.Fprintf", "fmt.Fprintln"}, nil},
		{`io.WriteString(w, ""); w.Write(nil); b.Write(nil); io.Copy(w, r); stderr.Write(nil); _, err := w.Write(nil)`, []string{"io.WriteString", "Writer.Write", "io.Copy"}, nil},
		{`os.Stdout.WriteString(""); defer fmt.Println(); go io.WriteString(os.Stdout, ""); os.Stderr.Write(nil)`, []string{"Writer.WriteString", "fmt.Println", "io.WriteString"}, []string{"Writer.WriteString", "fmt.Println", "io.WriteString"}},
		{`out := os.Stdout; fmt.Fprint(out); out = os.Stderr; fmt.Fprint(out); var to io.Writer = w; to.Write(nil)`, []string{"fmt.Fprint", "Writer.Write"}, []string{"fmt.Fprint"}},
		{`all := io.MultiWriter(b, w); fmt.Fprint(all); none := io.MultiWriter(b); fmt.Fprint(none)`, []string{"fmt.Fprint"}, nil},
		{`t := tabwriter.NewWriter(w, 0); fmt.Fprint(t); defer t.Flush(); u := bufio.NewWriterSize(os.Stdout, 1); u.WriteString(""); u.Flush(); b.Flush()`,
			[]string{"Writer.Flush", "Writer.Flush"}, []string{"Writer.Flush"}},
	} {
		source := "package main\nfunc f(w, stderr io.Writer, b *bytes.Buffer) {\n" + v.source + "}\n"
		for arguments, want := range map[bool][]string{true: v.lost, false: v.ofProgram} {
			var got []string
			for _, fault := range printsUnchecked(t, arguments, source) {
				got = append(got, strings.TrimPrefix(fault, "3: "))
			}
			if !slices.Equal(got, want) {
				t.Errorf("the check itself, arguments %v, finds %q in %s", arguments, got, v.source)
			}
		}
	}
}

func checkPrints(t *testing.T, arguments bool, source string) {
	for _, fault := range printsUnchecked(t, arguments, source) {
		t.Errorf("line %s: its error is lost", fault)
	}
}

// printsUnchecked finds what a file writes to the standard output, or to an io.Writer that is an argument, and whose errors go
// nowhere: calls of package fmt, io.WriteString and io.Copy, and of the Writer's own methods; of a bufio.Writer or tabwriter.Writer,
// which keep their first error, Flush. A variable that one of these is assigned to is one too, but not a field of a struct. Writers
// for messages have names that say so.
func printsUnchecked(t *testing.T, arguments bool, source string) (faults []string) {
	t.Helper()
	files := token.NewFileSet()
	tree, err := parser.ParseFile(files, "", source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	s := scanner{arguments: arguments, held: map[string]holding{}}
	ast.Inspect(tree, func(n ast.Node) bool {
		var call ast.Expr
		switch n := n.(type) {
		case *ast.FuncDecl:
			clear(s.held)
		case *ast.FuncType:
			for _, p := range n.Params.List {
				for _, name := range p.Names {
					s.held[name.Name] = nothing
					if arguments && isSelector(p.Type, "io", "Writer") {
						s.hold(name.Name, results)
					}
				}
			}
		case *ast.AssignStmt:
			for i, to := range n.Lhs {
				if name, ok := to.(*ast.Ident); ok && len(n.Lhs) == len(n.Rhs) {
					s.hold(name.Name, s.holds(n.Rhs[i]))
				}
			}
		case *ast.ValueSpec:
			for i, name := range n.Names {
				if i < len(n.Values) {
					s.hold(name.Name, s.holds(n.Values[i]))
				} else {
					s.held[name.Name] = nothing
				}
			}
		case *ast.ExprStmt:
			call = n.X
		case *ast.DeferStmt:
			call = n.Call
		case *ast.GoStmt:
			call = n.Call
		}
		if c, ok := call.(*ast.CallExpr); ok {
			if what := s.loses(c); what != "" {
				faults = append(faults, fmt.Sprintf("%d: %s", files.Position(n.Pos()).Line, what))
			}
		}
		return true
	})
	return faults
}

// holding is what a Writer is.
type holding int

const (
	nothing holding = iota // to look at
	results                // the standard output, or an argument
	keeper                 // a Writer to one that keeps its first error for Flush
)

// A scanner knows what the variables of a function hold.
type scanner struct {
	arguments bool
	held      map[string]holding
}

func (s *scanner) hold(name string, what holding) {
	if slices.Contains([]string{"stderr", "errs", "log", "help"}, name) {
		what = nothing
	}
	s.held[name] = what
}

// holds tells what an expression is.
func (s *scanner) holds(e ast.Expr) holding {
	switch e := e.(type) {
	case *ast.Ident:
		return s.held[e.Name]
	case *ast.ParenExpr:
		return s.holds(e.X)
	case *ast.SelectorExpr:
		if isSelector(e, "os", "Stdout") {
			return results
		}
	case *ast.CallExpr:
		f, ok := e.Fun.(*ast.SelectorExpr)
		if !ok {
			break
		}
		to := func(a ast.Expr) bool { return s.holds(a) != nothing }
		switch {
		case isSelector(f, "io", "MultiWriter") && slices.ContainsFunc(e.Args, to):
			return results
		case (isName(f.X, "bufio") || isName(f.X, "tabwriter")) && strings.HasPrefix(f.Sel.Name, "NewWriter") && to(e.Args[0]):
			return keeper
		}
	}
	return nothing
}

// loses returns the name of a function whose error is lost if nobody looks at its result, or "".
func (s *scanner) loses(call *ast.CallExpr) string {
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	lost, of := false, "Writer"
	switch {
	case isName(f.X, "fmt"):
		of = "fmt"
		lost = strings.HasPrefix(f.Sel.Name, "Print") || strings.HasPrefix(f.Sel.Name, "Fprint") && s.holds(call.Args[0]) == results
	case isName(f.X, "io"):
		of = "io"
		lost = (f.Sel.Name == "WriteString" || strings.HasPrefix(f.Sel.Name, "Copy")) && s.holds(call.Args[0]) == results
	case f.Sel.Name == "Flush":
		lost = s.holds(f.X) == keeper
	default:
		lost = strings.HasPrefix(f.Sel.Name, "Write") && s.holds(f.X) == results
	}
	if !lost {
		return ""
	}
	return of + "." + f.Sel.Name
}

func isSelector(e ast.Expr, of, name string) bool {
	s, ok := e.(*ast.SelectorExpr)
	return ok && s.Sel.Name == name && isName(s.X, of)
}

func isName(e ast.Expr, name string) bool {
	i, ok := e.(*ast.Ident)
	return ok && i.Name == name
}
