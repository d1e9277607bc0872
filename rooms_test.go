package linnet_test

import (
	"bytes"
	"encoding/json"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// A room is a folder and what its packages may import. The table is the one in CONTRIBUTING.md.
type room struct {
	folder  string
	imports []string // rooms of this module; those of a room itself must be listed too
	library bool     // whether it is bound to libraryModules
}

var rooms = []room{
	{"tensor", []string{"internal/budget"}, true},
	{"simd", nil, true},
	{"optional", nil, true},
	{"history", []string{"internal/shown", "internal/strictjson", "internal/textline"}, true},
	{"internal", []string{"internal", "tensor"}, true},
	{"text", []string{"tensor", "simd", "internal/budget", "internal/strictjson", "internal/textline"}, true},
	{"nn/plan", []string{"nn/internal/workspace", "history", "optional", "tensor", "simd", "internal/random", "internal/budget", "internal/hugepage", "internal/strictjson"}, true},
	{"nn/internal", []string{"nn/plan", "nn/internal", "tensor", "simd", "internal/hugepage", "internal/random"}, true},
	{"nn", []string{"nn/plan", "nn/internal", "history", "optional", "tensor", "simd", "internal/random", "internal/budget", "internal/shown"}, true},
	{"model", []string{"nn", "nn/plan", "layers", "text", "history", "tensor", "internal"}, true},
	{"layers", []string{"nn/plan", "text", "history", "optional", "tensor", "simd", "internal"}, true},
	{"loss", []string{"nn/plan", "text", "history", "optional", "tensor", "simd", "internal"}, true},
	{"optim", []string{"nn/plan", "text", "history", "optional", "tensor", "simd", "internal"}, true},
	{"metrics", []string{"nn/plan", "text", "history", "optional", "tensor", "simd", "internal"}, true},
	{"callbacks", []string{"nn/plan", "text", "history", "optional", "tensor", "simd", "internal"}, true},
	{"datasets", []string{"datasets", "text", "tensor", "internal"}, true},
	{"pretrained", []string{"pretrained", "text", "tensor", "internal"}, true},
	{"classifier", []string{"classifier", "simd", "internal"}, true},
	{"serve", []string{"classifier", "internal"}, false},
	{"plots", []string{"history", "internal/atomicfile", "internal/budget", "internal/shown"}, false},
	{"cmd", []string{""}, false},
	{"examples", []string{""}, false},
	{"bench", []string{""}, false},
	{"docs", []string{""}, false},
}

// libraryModules are the modules outside this one that packages from datasets downwards may link.
var libraryModules = []string{
	"gonum.org/v1/gonum", "github.com/klauspost/compress", "golang.org/x/sys", "golang.org/x/term",
	"golang.org/x/text", "github.com/dgryski/go-farm", "google.golang.org/protobuf",
}

const (
	module = "github.com/linnet-ml/linnet"
)

// builtins are the packages with data that a program carries only if it imports them itself.
var builtins = []string{"datasets/imdb/builtin", "pretrained/builtin"}

// testPackages serve tests only: they import package testing, which no program should carry.
var testPackages = []string{"internal/kindtest", "internal/golden", "internal/shared", "examples/internal/exampletest"}

type listed struct {
	ImportPath, Name string
	Standard         bool
	Imports, Deps    []string
	Module           *struct{ Path string }
	Error            *struct{ Err string }
}

// path is the package's folder in this module.
func (p *listed) path() string {
	return strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
}

func (p *listed) ours() bool { return p.Module != nil && p.Module.Path == module }

// list returns all packages of the module and those that they link.
func list(t *testing.T) map[string]*listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Name,Standard,Imports,Deps,Module,Error", "./...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	packages := map[string]*listed{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); err == io.EOF {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages[p.ImportPath] = &p
	}
}

func within(path, folder string) bool {
	return folder == "" || path == folder || strings.HasPrefix(path, folder+"/")
}

func roomOf(path string) *room {
	for i := range rooms {
		if within(path, rooms[i].folder) {
			return &rooms[i]
		}
	}
	return nil
}

// Imports point downwards only, and what a program did not ask for it does not carry.
func TestRooms(t *testing.T) {
	packages := list(t)
	seen := map[string]bool{}
	for _, p := range packages {
		if !p.ours() {
			continue
		}
		if p.ImportPath == module { // documentation only
			if len(p.Imports) > 0 {
				t.Errorf("the package at the root imports %v", p.Imports)
			}
			continue
		}
		r := roomOf(p.path())
		if r == nil {
			t.Errorf("%s lies in no room", p.path())
			continue
		}
		seen[r.folder] = true
		program := p.Name == "main"
		for _, i := range p.Imports {
			to := packages[i]
			if to == nil || !to.ours() {
				continue
			}
			if !program && !slices.ContainsFunc(r.imports, func(folder string) bool { return within(to.path(), folder) }) {
				t.Errorf("%s imports %s, which may not be known there", p.path(), to.path())
			}
			if to.Name == "main" {
				t.Errorf("%s imports the program %s", p.path(), to.path())
			}
			if slices.Contains(builtins, to.path()) && !program {
				t.Errorf("%s imports %s: every program that imports the one would carry the other", p.path(), to.path())
			}
			if slices.Contains(testPackages, to.path()) && !slices.Contains(testPackages, p.path()) {
				t.Errorf("%s imports %s, which serves tests only", p.path(), to.path())
			}
		}
		if !r.library || program {
			continue
		}
		for _, i := range p.Deps {
			if to := packages[i]; !to.Standard && !to.ours() && !slices.Contains(libraryModules, to.Module.Path) {
				t.Errorf("%s links %s of the module %s", p.path(), i, to.Module.Path)
			}
		}
	}
	for _, r := range rooms {
		if !seen[r.folder] {
			t.Errorf("the table has the room %s, which is empty", r.folder)
		}
	}
}
