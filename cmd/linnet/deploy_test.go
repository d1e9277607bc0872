package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What the files in deploy ask for is there: flags in the lines of systemd and in the arguments of Kubernetes, variables, and the paths of
// probes.
func TestDeploy(t *testing.T) {
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join("..", "..", "deploy", name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	flag := regexp.MustCompile(`\s--([a-z-]+)`)
	var asked []string
	for line := range strings.Lines(read("linnet.service")) {
		if _, after, ok := strings.Cut(line, "/linnet serve "); ok {
			asked = append(asked, after)
		}
	}
	manifest := read("kubernetes.yaml")
	asked = append(asked, regexp.MustCompile(`(?m)^\s+-\s+--.*$`).FindAllString(manifest, -1)...)
	n := 0
	for _, a := range asked {
		for _, m := range flag.FindAllStringSubmatch(a, -1) {
			if n++; newServe().Flags().Lookup(m[1]) == nil {
				t.Errorf("serve has no flag --%s", m[1])
			}
		}
	}
	if n != 5 {
		t.Errorf("%d flags", n)
	}
	variables := regexp.MustCompile(`\bLINNET_[A-Z_]+`).FindAllString(manifest+read("Dockerfile"), -1)
	for _, v := range variables {
		if v != addrVariable && v != keyVariable {
			t.Errorf("there is no variable %s", v)
		}
	}
	if len(variables) != 4 {
		t.Errorf("variables %v", variables)
	}
	for _, m := range regexp.MustCompile(`path: (/v2\S+),`).FindAllStringSubmatch(manifest, -1) {
		if m[1] != "/v2/health/ready" && m[1] != "/v2/health/live" {
			t.Errorf("a probe asks %s", m[1])
		}
	}
}
