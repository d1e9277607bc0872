package linnet_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// block returns the text between the fences that follow a marker in README.md.
func block(t *testing.T, marker, language string) string {
	t.Helper()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(readme), "<!-- "+marker+" -->\n```"+language+"\n")
	if !found {
		t.Fatalf("README.md has no block of %s behind the marker %q", language, marker)
	}
	text, _, found := strings.Cut(rest, "```\n")
	if !found {
		t.Fatalf("the block behind %q does not end", marker)
	}
	return text
}

// What README.md shows of examples/embed is what it prints.
func TestReadmeShowsTheEmbeddedModel(t *testing.T) {
	command := strings.TrimSuffix(block(t, "embed", "sh"), "\n")
	const want = `go run ./examples/embed 'What a lovely film!' 'I want my money back.'`
	if command != want {
		t.Fatalf("README.md shows %s, and this test runs %s", command, want)
	}
	out, err := exec.Command("go", "run", "./examples/embed", "What a lovely film!", "I want my money back.").Output()
	if err != nil {
		t.Fatal(err)
	}
	if shown := block(t, "embed output", "text"); string(out) != shown {
		t.Errorf("README.md shows\n%sit prints\n%s", shown, out)
	}
}

// The program that README.md shows is the one that is compiled, and its output the one that a test holds.
func TestReadmeShowsTheQuickstart(t *testing.T) {
	program, err := os.ReadFile("examples/quickstart/main.go")
	if err != nil {
		t.Fatal(err)
	}
	if block(t, "quickstart", "go") != string(program) {
		t.Error("README.md and examples/quickstart/main.go differ")
	}
	test, err := os.ReadFile("examples/quickstart/main_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var output strings.Builder
	for line := range strings.Lines(block(t, "quickstart output", "text")) {
		output.WriteString(strings.TrimRight("\t// "+line, " "))
	}
	if !strings.Contains(string(test), "\t// Output:\n"+output.String()+"}") {
		t.Errorf("the output in README.md is not that of examples/quickstart/main_test.go:\n%s", output.String())
	}
}
