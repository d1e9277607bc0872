// Package kindtest checks lists of kinds of specs, for tests.
package kindtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// Check holds a package's list of kinds, a value of each, against the types of the package in the working folder that have
// a method Kind: a type without a row fails. Types that nobody writes down are left out by name.
func Check(t *testing.T, kinds []interface{ Kind() string }, without ...string) {
	t.Helper()
	listed := map[string]bool{}
	for _, k := range kinds {
		typ := reflect.TypeOf(k)
		if typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		listed[typ.Name()] = true
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv == nil || f.Name.Name != "Kind" {
				continue
			}
			typ := f.Recv.List[0].Type
			if star, ok := typ.(*ast.StarExpr); ok {
				typ = star.X
			}
			if name, ok := typ.(*ast.Ident); ok && !slices.Contains(without, name.Name) {
				found[name.Name] = true
			}
		}
	}
	for name := range found {
		if !listed[name] {
			t.Errorf("the kind %s is in no list", name)
		}
	}
	for name := range listed {
		if !found[name] {
			t.Errorf("the list has %s, which has no method Kind", name)
		}
	}
}
