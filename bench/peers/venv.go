package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

const pythonCommand = "python3.11"

// pinned are the versions that are measured.
var pinned = []struct{ name, version string }{
	{"tensorflow-cpu", "2.20.0"},
	{"keras", "3.15.1"},
	{"torch", "2.15.0"},
	{"numpy", "2.4.6"},
	{"onnxruntime", "1.31.1"},
	{"onnx", "1.23.2"},
}

// pythonIn is the interpreter of a virtual environment.
func pythonIn(venv string) string {
	if runtime.GOOS == "windows" {
		return filepath.Join(venv, "Scripts", "python.exe")
	}
	return filepath.Join(venv, "bin", "python")
}

// prepareVenv sees to it that b.venv has the packages at their pinned versions. It makes and completes the environment
// in the user's cache folder, makes one that -venv names and that is missing, and changes no other.
func (b *bench) prepareVenv(ctx context.Context, packages []string) error {
	own := b.venv == ""
	if own {
		cache, err := os.UserCacheDir()
		if err != nil {
			return fmt.Errorf("%w: name a folder with -venv", err)
		}
		b.venv = filepath.Join(cache, "linnet", "peers-venv")
	}
	venv, err := filepath.Abs(b.venv)
	if err != nil {
		return err
	}
	b.venv = venv
	if _, err := os.Stat(pythonIn(b.venv)); errors.Is(err, os.ErrNotExist) {
		python, err := exec.LookPath(pythonCommand)
		if err != nil {
			return fmt.Errorf("%s is not installed; Keras, PyTorch and onnxruntime need it (-venv names an environment that is there)", pythonCommand)
		}
		fmt.Fprintf(b.log, "making %s\n", b.venv)
		if out, err := exec.CommandContext(ctx, python, "-m", "venv", b.venv).CombinedOutput(); err != nil {
			return fmt.Errorf("%s -m venv: %w\n%s", pythonCommand, err, lastLines(string(out), 15))
		}
		own = true
	}
	missing, err := b.missingPackages(ctx, packages)
	if err != nil || len(missing) == 0 {
		return err
	}
	if !own {
		return fmt.Errorf("%s lacks packages; install them with\n  %s -m pip install %s", b.venv, pythonIn(b.venv), strings.Join(missing, " "))
	}
	fmt.Fprintf(b.log, "installing %s\n", strings.Join(missing, " "))
	cmd := exec.CommandContext(ctx, pythonIn(b.venv), append([]string{"-m", "pip", "install", "--quiet"}, missing...)...)
	cmd.Stderr = b.log
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("pip install: %w", err)
	}
	return nil
}

// missingPackages lists, as pip wants them, those that the environment lacks or has in another version.
func (b *bench) missingPackages(ctx context.Context, packages []string) ([]string, error) {
	out, err := exec.CommandContext(ctx, pythonIn(b.venv), "-c",
		"from importlib.metadata import distributions\nfor d in distributions(): print(d.metadata['Name'], d.version)").Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", pythonIn(b.venv), err)
	}
	return comparePins(string(out), packages), nil
}

// comparePins takes lines of a package's name and version. A build's suffix, as in 2.15.0+cpu, does not matter.
func comparePins(installed string, packages []string) []string {
	versions := map[string]string{}
	for line := range strings.Lines(installed) {
		if fields := strings.Fields(line); len(fields) == 2 {
			name := strings.ReplaceAll(strings.ToLower(fields[0]), "_", "-")
			versions[name], _, _ = strings.Cut(fields[1], "+")
		}
	}
	var missing []string
	for _, p := range pinned {
		if slices.Contains(packages, p.name) && versions[p.name] != p.version {
			missing = append(missing, p.name+"=="+p.version)
		}
	}
	return missing
}
