//go:build !purego

package simd

import (
	"bufio"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/cpu"
)

// pathRules says for each path what a processor must have, and what its
// assembly may use.
var pathRules = []struct {
	name, suffix string
	flags        map[string]*bool
	sets         []string // the instruction sets that avo may name
}{
	{
		"avx2", "AVX2",
		map[string]*bool{"AVX2": &cpu.X86.HasAVX2, "FMA": &cpu.X86.HasFMA},
		[]string{"CMOV", "MMX+", "SSE", "SSE2", "AVX", "AVX2", "FMA3"},
	},
	{
		"avx512", "AVX512",
		map[string]*bool{
			"AVX2": &cpu.X86.HasAVX2, "FMA": &cpu.X86.HasFMA, "BMI2": &cpu.X86.HasBMI2, "POPCNT": &cpu.X86.HasPOPCNT,
			"AVX512F": &cpu.X86.HasAVX512F, "AVX512VL": &cpu.X86.HasAVX512VL,
			"AVX512DQ": &cpu.X86.HasAVX512DQ, "AVX512BW": &cpu.X86.HasAVX512BW,
		},
		[]string{"CMOV", "MMX+", "SSE", "SSE2", "AVX", "AVX2", "FMA3", "BMI2", "POPCNT", "AVX512F", "AVX512VL", "AVX512DQ", "AVX512BW"},
	},
}

// TestFlags protects processors from paths that they cannot run: without any one
// of the features that a path needs, it is not available.
func TestFlags(t *testing.T) {
	has := func(name string) bool {
		return slices.ContainsFunc(available(), func(k kernels) bool { return k.name == name })
	}
	before := cpu.X86
	defer func() { cpu.X86 = before }()
	for _, path := range pathRules {
		for _, flag := range path.flags {
			*flag = true
		}
	}
	for _, path := range pathRules {
		if !has(path.name) {
			t.Errorf("%s is not available on a processor with all that it needs", path.name)
		}
		for name, flag := range path.flags {
			*flag = false
			if has(path.name) {
				t.Errorf("%s is available without %s", path.name, name)
			}
			*flag = true
		}
	}
}

// TestInstructions protects processors from instructions that a kernel's name
// does not promise: in the assembly of a path each function bears its name, needs
// nothing but its instruction sets, and ends in VZEROUPPER where it has used
// wide registers, without which the scalar code that follows is slow.
func TestInstructions(t *testing.T) {
	// What a VEX encoding cannot express: the registers 16 to 31, those of 512
	// bits, mask registers, and instructions with a suffix or a name of their own.
	evexRegister := regexp.MustCompile(`\b(Z[0-9]+|K[0-7]|[XY](1[6-9]|2[0-9]|3[01]))\b`)
	evexName := regexp.MustCompile(`^(K[A-Z]+|V\w+(_Z|_BCST|_SAE|_RN|_RZ|_RD|_RU)\w*|VMOVDQ[AU](8|16|32|64)|` +
		`VP(AND|ANDN|OR|XOR)[DQ]|VPTERNLOG[DQ]|VPERM[IT]2\w+|V(RNDSCALE|SCALEF|RANGE|REDUCE|GETEXP|GETMANT|FIXUPIMM|FPCLASS|BLENDM|COMPRESS|EXPAND)\w+|` +
		`V(EXTRACT|INSERT|BROADCAST|SHUF)[FI](32|64)X[248]|VP(BLENDM|COMPRESS|EXPAND|CONFLICT|LZCNT|TESTN?M|MOV[BWDQ]2M|MOVM2|ROL|ROR|MULLQ|ABSQ|SRAQ|SRAVQ)\w*|` +
		`VP(MAX|MIN)[SU]Q|VPMOV(Q|D|W|US?Q|US?D|S?Q|S?D)[BWD]|VCVT\w*(UDQ|UQQ|QQ)\w*|VPCMPU?[BWDQ]|VRCP14\w+|VRSQRT14\w+)$`)
	wideRegister := regexp.MustCompile(`\b[YZ][0-9]+\b`)
	for _, path := range pathRules {
		files, err := filepath.Glob("*_" + path.name + "_amd64.s")
		if err != nil || len(files) == 0 {
			t.Fatalf("no assembly of %s found: %v", path.name, err)
		}
		for _, file := range files {
			f, err := os.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			var function, last string
			wide := false
			lines := bufio.NewScanner(f)
			for n := 1; lines.Scan(); n++ {
				line := lines.Text()
				if sets, ok := strings.CutPrefix(line, "// Requires: "); ok {
					for _, set := range strings.Split(sets, ", ") {
						if !slices.Contains(path.sets, set) {
							t.Errorf("%s:%d: a kernel of path %s requires %s", file, n, path.name, set)
						}
					}
				}
				if name, ok := strings.CutPrefix(line, "TEXT ·"); ok {
					function, _, _ = strings.Cut(name, "(")
					wide = false
					if !strings.HasSuffix(function, path.suffix) {
						t.Errorf("%s:%d: %s is a kernel of path %s, which its name does not say", file, n, function, path.name)
					}
				}
				if !strings.HasPrefix(line, "\t") || strings.HasPrefix(line, "\t//") {
					continue
				}
				op := strings.Fields(line)[0]
				if path.name == "avx2" && (evexRegister.MatchString(line) || evexName.MatchString(op)) {
					t.Errorf("%s:%d: %s: %s is beyond AVX2", file, n, function, strings.TrimSpace(line))
				}
				wide = wide || wideRegister.MatchString(line)
				if op == "RET" && wide && last != "VZEROUPPER" {
					t.Errorf("%s:%d: %s returns without VZEROUPPER", file, n, function)
				}
				if op == "CALL" {
					t.Errorf("%s:%d: %s calls a function", file, n, function)
				}
				last = op
			}
			if err := lines.Err(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestReach protects processors from calls round the table of kernels: a
// function of a path is used by functions of that path or a better one, and by
// their tables, which only available uses.
func TestReach(t *testing.T) {
	// rank is 1 for AVX2, 2 for AVX-512, 0 for what runs everywhere.
	rank := func(name string) int {
		for i := range pathRules {
			if strings.HasSuffix(name, pathRules[i].suffix) || name == pathRules[i].name {
				return i + 1
			}
		}
		return 0
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	uses := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(set, file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		var inside func(user string, n ast.Node)
		inside = func(user string, n ast.Node) {
			ast.Inspect(n, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok {
					inside(user, s.X) // what is selected is a field
					return false
				}
				id, ok := n.(*ast.Ident)
				if !ok || rank(id.Name) == 0 {
					return true
				}
				uses++
				if rank(user) < rank(id.Name) {
					t.Errorf("%s: %s uses %s", set.Position(id.Pos()), user, id.Name)
				}
				return true
			})
		}
		for _, d := range parsed.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Body != nil && d.Name.Name != "available" {
					inside(d.Name.Name, d.Body)
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					if v, ok := s.(*ast.ValueSpec); ok {
						for _, value := range v.Values {
							inside(v.Names[0].Name, value)
						}
					}
				}
			}
		}
	}
	if uses == 0 {
		t.Error("found no use of a kernel: the test looks in the wrong place")
	}
}
