package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// The licences are those of the modules that the program links on any system of a release, in the versions that it links, and
// of no others.
func TestLicensesAreComplete(t *testing.T) {
	const self = "github.com/linnet-ml/linnet"
	linked := []string{self, "Go"}
	for _, system := range []string{"linux", "darwin", "windows", "freebsd"} {
		cmd := exec.Command("go", "list", "-deps", "-f", `{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}{{end}}{{end}}`, ".")
		cmd.Env = append(cmd.Environ(), "GOOS="+system, "GOARCH=amd64", "CGO_ENABLED=0")
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(out)) {
			linked = append(linked, strings.TrimSpace(line))
		}
	}
	slices.Sort(linked)
	linked = slices.Compact(linked)
	if len(linked) < 20 {
		t.Fatalf("the program links %q", linked)
	}

	list, texts, found := strings.Cut(thirdParty, "\n=====")
	if !found {
		t.Fatal("there are no texts")
	}
	var listed []string
	for line := range strings.Lines(list) {
		if name, ok := strings.CutPrefix(line, "    "); ok {
			listed = append(listed, strings.TrimSpace(name))
		}
	}
	slices.Sort(listed)
	if !slices.Equal(listed, linked) {
		t.Errorf("THIRD_PARTY_LICENSES is out of date (go generate ./cmd/linnet makes it): it lists %q, and the program links %q", listed, linked)
	}
	for _, name := range linked {
		if !strings.Contains(texts, "\n"+name+", ") {
			t.Errorf("THIRD_PARTY_LICENSES has no text of %s", name)
		}
	}
}
