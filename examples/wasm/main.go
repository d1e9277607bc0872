//go:build !js

// Wasm runs a classifier in the browser: no server, and no text leaves the machine. It writes a static page with everything that
// the page needs, for any web server:
//
//	go run ./examples/wasm reviews.linnet site
//	python3 -m http.server -d site
//
// browser.go is the program that runs in the browser, compiled for js/wasm; site is the page. The compiled program has 3.8 MB with
// Go 1.26.8, 1.1 MB as web servers compress it; the classifier's file, usually 1 or 2 MB, comes beside it.
package main

import (
	"context"
	"embed"
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

// build writes the page for the classifier in a file into a folder.
func build(file, folder string) error {
	if _, err := classifier.Load(context.Background(), file); err != nil {
		return err
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for _, name := range []string{"index.html", "page.css", "page.js"} {
		page, err := site.ReadFile("site/" + name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, name), page, 0o644); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(folder, "classifier.linnet"), b, 0o644); err != nil {
		return err
	}
	// The glue between Go and JavaScript belongs to the version of Go that compiles.
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return err
	}
	glue, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec.js"))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, "wasm_exec.js"), glue, 0o644); err != nil {
		return err
	}
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", filepath.Join(folder, "linnet.wasm"), "github.com/linnet-ml/linnet/examples/wasm")
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	return cmd.Run()
}
