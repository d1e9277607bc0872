package linnet_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// denseProgram trains a network of Dense layers.
const denseProgram = `package main

import (
	"context"

	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/loss"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/optim"
)

func main() {
	model, err := nn.NewSequential(layers.Dense{Units: 1}).Build(context.Background(), nn.Features(2), nn.BuildOptions{})
	if err == nil {
		_, err = model.Fit(context.Background(), nn.Data{}, nn.FitOptions{Optimizer: optim.Adam{}, Loss: loss.MeanSquaredError{}})
	}
	println(err)
}
`

// A program carries what it uses: one of Dense layers has no code for texts, no HTTP client and no drawing.
func TestDenseProgramLinksNoText(t *testing.T) {
	folder := t.TempDir()
	source, program := filepath.Join(folder, "main.go"), filepath.Join(folder, "program.exe")
	if err := os.WriteFile(source, []byte(denseProgram), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-o", program, source).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	symbols, err := exec.Command("go", "tool", "nm", program).Output()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(symbols, []byte(module+"/layers.Dense.Build")) {
		t.Fatal("the program has no Dense: the test looks at the wrong names")
	}
	for _, other := range []string{module + "/text.", "net/http.", "gonum.org/v1/plot", module + "/layers.LSTM."} {
		if bytes.Contains(symbols, []byte(other)) {
			t.Errorf("the program has %s", other)
		}
	}
}
