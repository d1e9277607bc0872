package simd

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"
)

// TestOnlyExactMath protects the same bits on every platform: of package math,
// the kernels use only what is exact or correctly rounded everywhere.
func TestOnlyExactMath(t *testing.T) {
	allowed := map[string]bool{
		"Sqrt": true, "Abs": true, "Floor": true, "FMA": true, "Inf": true, "NaN": true,
		"Float32bits": true, "Float32frombits": true, "Float64bits": true, "Float64frombits": true,
		"MaxFloat32": true, "MaxFloat64": true,
	}
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, file := range files {
		name := file.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if p, ok := s.X.(*ast.Ident); ok && p.Name == "math" {
				seen++
				if !allowed[s.Sel.Name] {
					t.Errorf("%s: math.%s may differ between platforms", set.Position(n.Pos()), s.Sel.Name)
				}
			}
			return true
		})
	}
	if seen == 0 {
		t.Error("found no use of package math: the test looks in the wrong place")
	}
}
