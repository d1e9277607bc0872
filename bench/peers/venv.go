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
	"strconv"
	"strings"
)

const pythonCommand = "python3.11"

// pin is the version of a package: one, or all below a major version, as in <81.
type pin struct{ name, version string }

// requirement is what pip wants.
func (p pin) requirement() string {
	if strings.HasPrefix(p.version, "<") {
		return p.name + p.version
	}
	return p.name + "==" + p.version
}

// allows reports whether a version will do; none is "".
func (p pin) allows(version string) bool {
	limit, below := strings.CutPrefix(p.version, "<")
	if !below {
		return version == p.version
	}
	first, _, _ := strings.Cut(version, ".")
	major, err := strconv.Atoi(first)
	most, wrong := strconv.Atoi(limit)
	return err == nil && wrong == nil && major < most
}

// pinned are the versions that are measured.
var pinned = []pin{
	{"tensorflow-cpu", "2.20.0"},
	{"keras", "3.15.1"},
	{"torch", "2.15.0"},
	{"numpy", "2.4.6"},
	{"onnxruntime", "1.31.1"},
	{"onnx", "1.23.2"},
	{"safetensors", "0.8.0"},
	{"fasttext-wheel", "0.9.2"},
	{"scikit-learn", "1.9.1"},
	{"fastapi", "0.165.0"},
	{"uvicorn", "0.54.0"},
	{"uvloop", "0.23.0"},
	{"httptools", "0.9.0"},
}

// pythonIn is the interpreter of a virtual environment.
func pythonIn(venv string) string {
	if runtime.GOOS == "windows" {
		return filepath.Join(venv, "Scripts", "python.exe")
	}
	return filepath.Join(venv, "bin", "python")
}

// pinsOf are the pins of packages that are named.
func pinsOf(packages []string) []pin {
	return slices.DeleteFunc(slices.Clone(pinned), func(p pin) bool { return !slices.Contains(packages, p.name) })
}

// prepareVenv sees to it that b.venv has the packages at their pinned versions.
func (b *bench) prepareVenv(ctx context.Context, packages []string) (err error) {
	b.venv, err = b.completeVenv(ctx, b.venv, "peers-venv", "-venv", pinsOf(packages))
	return err
}

// completeVenv sees to it that an environment has what is pinned, and returns its folder. It makes and completes the one
// called cached in the user's cache folder, which "" means, makes one that the flag names and that is missing, and
// changes no other.
func (b *bench) completeVenv(ctx context.Context, folder, cached, flag string, pins []pin) (string, error) {
	own := folder == ""
	if own {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("%w: name a folder with %s", err, flag)
		}
		folder = filepath.Join(cache, "linnet", cached)
	}
	folder, err := filepath.Abs(folder)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(pythonIn(folder)); errors.Is(err, os.ErrNotExist) {
		python, err := exec.LookPath(pythonCommand)
		if err != nil {
			return folder, fmt.Errorf("%s is not installed; Keras, PyTorch and onnxruntime need it (%s names an environment that is there)", pythonCommand, flag)
		}
		fmt.Fprintf(b.log, "making %s\n", folder)
		if out, err := exec.CommandContext(ctx, python, "-m", "venv", folder).CombinedOutput(); err != nil {
			return folder, fmt.Errorf("%s -m venv: %w\n%s", pythonCommand, err, lastLines(string(out), 15))
		}
		own = true
	}
	missing, err := missingPackages(ctx, folder, pins)
	if err != nil || len(missing) == 0 {
		return folder, err
	}
	if !own {
		return folder, fmt.Errorf("%s lacks packages; install them with\n  %s -m pip install '%s'", folder, pythonIn(folder), strings.Join(missing, "' '"))
	}
	fmt.Fprintf(b.log, "installing %s\n", strings.Join(missing, " "))
	cmd := exec.CommandContext(ctx, pythonIn(folder), append([]string{"-m", "pip", "install", "--quiet"}, missing...)...)
	cmd.Stderr = b.log
	if err := cmd.Run(); err != nil {
		return folder, fmt.Errorf("pip install: %w", err)
	}
	return folder, nil
}

// missingPackages lists, as pip wants them, those that the environment lacks or has in another version.
func missingPackages(ctx context.Context, venv string, pins []pin) ([]string, error) {
	out, err := exec.CommandContext(ctx, pythonIn(venv), "-c",
		"from importlib.metadata import distributions\nfor d in distributions(): print(d.metadata['Name'], d.version)").Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", pythonIn(venv), err)
	}
	return comparePins(string(out), pins), nil
}

// comparePins takes lines of a package's name and version. A build's suffix, as in 2.15.0+cpu, does not matter.
func comparePins(installed string, pins []pin) []string {
	versions := map[string]string{}
	for line := range strings.Lines(installed) {
		if fields := strings.Fields(line); len(fields) == 2 {
			name := strings.ReplaceAll(strings.ToLower(fields[0]), "_", "-")
			versions[name], _, _ = strings.Cut(fields[1], "+")
		}
	}
	var missing []string
	for _, p := range pins {
		if !p.allows(versions[p.name]) {
			missing = append(missing, p.requirement())
		}
	}
	return missing
}
