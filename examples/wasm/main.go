//go:build !js

// Wasm runs a classifier in the browser: no server, and no text leaves the machine. It writes a static page with everything that
// the page needs, for any web server:
//
//	go run ./examples/wasm reviews.linnet site
//	python3 -m http.server -d site
//
// browser.go is the program that runs in the browser, compiled for js/wasm; site is the page, which shares nothing with the page of
// package serve: it stays short enough to be copied. The compiled program has 3.6 MB with
// Go 1.26.8, 1.0 MB as web servers compress it; the classifier's file, usually 1 or 2 MB, comes beside it.
package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/linnet-ml/linnet/classifier"
)

//go:embed site
var site embed.FS

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: go run ./examples/wasm FILE FOLDER")
		os.Exit(2)
	}
	if err := build(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintf(os.Stderr, "wasm: %v\n", err)
		os.Exit(1)
	}
}

// build writes the page for the classifier in a file into a folder. The folder is made when all files are there.
func build(file, folder string) (err error) {
	if _, err := classifier.Load(context.Background(), file); err != nil {
		return err
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	files := map[string][]byte{"classifier.linnet": b}
	for _, name := range []string{"index.html", "page.css", "page.js"} {
		if files[name], err = site.ReadFile("site/" + name); err != nil {
			return err
		}
	}
	// The glue between Go and JavaScript belongs to the version of Go that compiles.
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("go env GOROOT: %w", err)
	}
	if files["wasm_exec.js"], err = os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec.js")); err != nil {
		return err
	}
	if files["linnet.wasm"], err = compile(); err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// compile returns the program for the browser.
func compile() (program []byte, err error) {
	dir, err := os.MkdirTemp("", "linnet-wasm-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "linnet.wasm")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, "github.com/linnet-ml/linnet/examples/wasm")
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("go build: %w", err)
	}
	return os.ReadFile(path)
}
