// Licenses collects the licences of what the program linnet links on the platforms of a release: the Go distribution and
// all modules. It writes cmd/linnet/THIRD_PARTY_LICENSES, which the program prints and a release's archives contain.
//
//	go generate ./cmd/linnet
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/linnet-ml/linnet/tools/internal/platforms"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("licenses: ")
	// go generate runs it in this module.
	if err := run("..", filepath.Join("..", "cmd", "linnet", "THIRD_PARTY_LICENSES")); err != nil {
		log.Fatal(err)
	}
}

// run writes the licences of what the program of the module in the folder root links.
func run(root, to string) error {
	goroot, err := output(root, nil, "go", "env", "GOROOT")
	if err != nil {
		return err
	}
	modules := map[string]*module{}
	for _, p := range platforms.Released {
		if err := addLinked(modules, root, p); err != nil {
			return err
		}
	}
	list := []*module{{Path: "Go", Dir: strings.TrimSpace(string(goroot)), folders: map[string]bool{".": true}}}
	for _, name := range slices.Sorted(maps.Keys(modules)) {
		list = append(list, modules[name])
	}
	var b bytes.Buffer
	if err := write(&b, list); err != nil {
		return err
	}
	return os.WriteFile(to, b.Bytes(), 0o644)
}

// output runs a command in a folder and returns what it prints.
func output(folder string, environ []string, name string, args ...string) ([]byte, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), environ...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return out, nil
}

// A module is linked by the program.
type module struct {
	Path, Version, Dir string
	Main               bool
	folders            map[string]bool // of linked packages and those above them, relative to Dir, with slashes
}

// name is what a reader knows the module by.
func (m *module) name() string { return strings.TrimSpace(m.Path + " " + m.Version) }

// addLinked adds what the program links on a platform.
func addLinked(modules map[string]*module, root string, p platforms.Platform) error {
	out, err := output(root, p.Environ(), "go", "list", "-deps", "-json=Dir,Module", "./cmd/linnet")
	if err != nil {
		return err
	}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var linked struct {
			Dir    string
			Module *module
		}
		if err := d.Decode(&linked); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if linked.Module == nil { // the standard library
			continue
		}
		m := modules[linked.Module.Path]
		if m == nil {
			m = linked.Module
			m.folders = map[string]bool{}
			modules[m.Path] = m
		}
		folder, err := filepath.Rel(m.Dir, linked.Dir)
		if err != nil {
			return err
		}
		for folder = filepath.ToSlash(folder); folder != "."; folder = path.Dir(folder) {
			m.folders[folder] = true
		}
		m.folders["."] = true
	}
}

// legal are the names of files with conditions or notices.
var legal = regexp.MustCompile(`(?i)^(un)?(licen[cs]e|copying|copyright|notice|patents)([-._].*)?$`)

// Modules under one of several licences, the files of the one that linnet does not choose, and the credit that the chosen one
// asks for.
var (
	notChosen = []string{"github.com/golang/freetype/licenses/gpl.txt"}
	credits   = map[string]string{
		"github.com/golang/freetype": "Under the FreeType License. Portions of this software are copyright © 2010 The FreeType Project\n(www.freetype.org). All rights reserved.",
	}
)

// A text is a file of one or more modules.
type text struct {
	names []string
	text  string
}

// files returns the names of a module's legal files: in the folders of linked packages and those above them, and in a folder
// of licences.
func (m *module) files() ([]string, error) {
	var names []string
	for _, folder := range slices.Sorted(maps.Keys(m.folders)) {
		entries, err := os.ReadDir(filepath.Join(m.Dir, filepath.FromSlash(folder)))
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			switch name := path.Join(folder, e.Name()); {
			case e.Type().IsRegular() && legal.MatchString(e.Name()) && !strings.HasSuffix(e.Name(), ".go"):
				names = append(names, name)
			case e.IsDir() && strings.EqualFold(e.Name(), "licenses"):
				inside, err := fs.Glob(os.DirFS(m.Dir), name+"/*.txt")
				if err != nil {
					return nil, err
				}
				names = append(names, inside...)
			}
		}
	}
	names = slices.DeleteFunc(names, func(name string) bool { return slices.Contains(notChosen, m.Path+"/"+name) })
	if len(names) == 0 {
		return nil, fmt.Errorf("%s has no licence in %s", m.name(), m.Dir)
	}
	return names, nil
}

const line = "================================================================================\n"

// write writes a list of modules, and then their texts, those of the main module first and each text once.
func write(w *bytes.Buffer, modules []*module) error {
	slices.SortStableFunc(modules, func(a, b *module) int {
		switch {
		case a.Main:
			return -1
		case b.Main:
			return 1
		}
		return 0
	})
	w.WriteString("The program linnet contains code of these modules, under the licences below. Which of them depends on the\n" +
		"platform. This file is made by \"go generate ./cmd/linnet\".\n\n")
	var texts []*text
	for _, m := range modules {
		name := m.name()
		if m.Main {
			name = m.Path // its version is that of the program
		}
		fmt.Fprintf(w, "    %s\n", name)
		files, err := m.files()
		if err != nil {
			return err
		}
		for _, file := range files {
			b, err := os.ReadFile(filepath.Join(m.Dir, filepath.FromSlash(file)))
			if err != nil {
				return err
			}
			s := strings.TrimSpace(strings.ReplaceAll(string(b), "\r\n", "\n")) + "\n"
			i := slices.IndexFunc(texts, func(t *text) bool { return t.text == s })
			if i < 0 {
				i = len(texts)
				texts = append(texts, &text{text: s})
			}
			texts[i].names = append(texts[i].names, name+", "+file)
		}
		if credit, ok := credits[m.Path]; ok {
			texts = append(texts, &text{[]string{name}, credit + "\n"})
		}
	}
	for _, t := range texts {
		w.WriteString("\n" + line + strings.Join(t.names, "\n") + "\n" + line + "\n" + t.text)
	}
	return nil
}
