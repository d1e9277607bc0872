package api

import (
	"errors"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/printer"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// programs are the folders of the module that hold no library packages.
var programs = []string{"bench", "cmd", "docs", "examples", "deploy"}

// Lines returns the API of the library whose module lies in the folder root, sorted. Packages that others cannot import and
// programs are left out. All platforms have the listing of linux on amd64.
func Lines(root string) ([]string, error) {
	platform := build.Default
	platform.GOOS, platform.GOARCH, platform.CgoEnabled, platform.BuildTags = "linux", "amd64", false, nil
	var lines []string
	err := filepath.WalkDir(root, func(folder string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		name, err := filepath.Rel(root, folder)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if base := path.Base(name); name != "." && (strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") ||
			base == "internal" || base == "testdata" || slices.Contains(programs, name)) {
			return fs.SkipDir
		}
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil && name != "." {
			return fs.SkipDir
		}
		p, err := platform.ImportDir(folder, 0)
		if none := (*build.NoGoError)(nil); errors.As(err, &none) || err == nil && p.Name == "main" {
			return nil
		}
		if err != nil {
			return err
		}
		files := token.NewFileSet()
		for _, file := range p.GoFiles {
			f, err := parser.ParseFile(files, filepath.Join(folder, file), nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			lines = append(lines, list(name, f)...)
		}
		return nil
	})
	slices.Sort(lines)
	return slices.Compact(lines), err
}

// list returns the API that one file adds to a package.
func list(name string, file *ast.File) []string {
	var lines []string
	add := func(format string, args ...any) {
		lines = append(lines, name+": "+fmt.Sprintf(format, args...))
	}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if !d.Name.IsExported() {
				continue
			}
			if d.Recv == nil {
				add("func %s%s%s", d.Name.Name, typeParameters(d.Type.TypeParams), signature(d.Type))
				continue
			}
			receiver := d.Recv.List[0].Type
			if base := baseName(receiver); ast.IsExported(base) {
				add("method (%s) %s%s", text(receiver), d.Name.Name, signature(d.Type))
			}
		case *ast.GenDecl:
			var last *ast.ValueSpec // what constants without a value repeat
			for i, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					if s.Name.IsExported() {
						listType(s, add)
					}
				case *ast.ValueSpec:
					if d.Tok == token.CONST && (len(s.Values) > 0 || last == nil) {
						last = s
					}
					listValues(d.Tok, s, last, i, add)
				}
			}
		}
	}
	return lines
}

// listValues lists constants or variables. Of a variable the value is no part of the API, unless it tells the type.
func listValues(kind token.Token, s, last *ast.ValueSpec, iota int, add func(string, ...any)) {
	typed, values := s.Type, s.Values
	if kind == token.CONST {
		typed, values = last.Type, last.Values
	}
	for i, n := range s.Names {
		if !n.IsExported() {
			continue
		}
		line := kind.String() + " " + n.Name
		if typed != nil {
			line += " " + text(typed)
		}
		if i < len(values) && (kind == token.CONST || typed == nil) {
			value := text(values[i])
			line += " = " + value
			if kind == token.CONST && usesIota(values[i]) {
				line += fmt.Sprintf(", iota %d", iota)
			}
		}
		add("%s", line)
	}
}

func usesIota(e ast.Expr) (uses bool) {
	ast.Inspect(e, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && id.Name == "iota" {
			uses = true
		}
		return true
	})
	return uses
}

// listType lists a type. A field more breaks no program that names the fields it sets, so each has a line. A method more breaks what
// implements an interface, so that an interface has a line with all its methods as well.
func listType(s *ast.TypeSpec, add func(string, ...any)) {
	head := "type " + s.Name.Name + typeParameters(s.TypeParams)
	if s.Assign.IsValid() {
		head += " ="
	}
	switch t := s.Type.(type) {
	case *ast.StructType:
		add("%s struct", head)
		for _, f := range t.Fields.List {
			if len(f.Names) == 0 && ast.IsExported(baseName(f.Type)) {
				add("type %s struct, embedded %s", s.Name.Name, text(f.Type))
			}
			for _, n := range f.Names {
				if n.IsExported() {
					add("type %s struct, %s %s", s.Name.Name, n.Name, text(f.Type))
				}
			}
		}
	case *ast.InterfaceType:
		var names []string
		for _, f := range t.Methods.List {
			if len(f.Names) == 0 {
				names = append(names, text(f.Type))
			}
			for _, n := range f.Names {
				names = append(names, n.Name)
				if n.IsExported() {
					add("type %s interface, %s%s", s.Name.Name, n.Name, signature(f.Type.(*ast.FuncType)))
				}
			}
		}
		slices.Sort(names)
		add("%s interface { %s }", head, strings.Join(names, "; "))
	default:
		add("%s %s", head, text(t))
	}
}

// baseName returns the name of the type that a receiver or an embedded field is of.
func baseName(t ast.Expr) string {
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.SelectorExpr:
			return x.Sel.Name
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}

func typeParameters(l *ast.FieldList) string {
	if l == nil {
		return ""
	}
	var all []string
	for _, f := range l.List {
		for _, n := range f.Names {
			all = append(all, n.Name+" "+text(f.Type))
		}
	}
	return "[" + strings.Join(all, ", ") + "]"
}

func signature(f *ast.FuncType) string {
	return strings.TrimPrefix(text(&ast.FuncType{Params: f.Params, Results: f.Results}), "func")
}

// text returns an expression on one line. The names of parameters, which callers do not write, are left out.
func text(e ast.Expr) string {
	ast.Inspect(e, func(n ast.Node) bool {
		if f, ok := n.(*ast.FuncType); ok {
			f.Params, f.Results = unnamed(f.Params), unnamed(f.Results)
		}
		return true
	})
	var b strings.Builder
	// Without positions the printer breaks no line that is not broken by its own rules.
	if err := printer.Fprint(&b, token.NewFileSet(), e); err != nil {
		panic(err) // a Builder takes all, and e comes from the parser
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func unnamed(l *ast.FieldList) *ast.FieldList {
	if l == nil {
		return nil
	}
	types := &ast.FieldList{}
	for _, f := range l.List {
		for range max(1, len(f.Names)) {
			types.List = append(types.List, &ast.Field{Type: f.Type})
		}
	}
	return types
}

// Broken returns the lines of the last release that the API no longer has and that are no exceptions, and the exceptions that
// are none: lines that the release does not have, or that are still there.
func Broken(released, exceptions, now []string) (missing, idle []string) {
	for _, line := range released {
		if !slices.Contains(now, line) && !slices.Contains(exceptions, line) {
			missing = append(missing, line)
		}
	}
	for _, line := range exceptions {
		if !slices.Contains(released, line) || slices.Contains(now, line) {
			idle = append(idle, line)
		}
	}
	return missing, idle
}
