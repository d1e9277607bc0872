//go:build unix

package model_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/linnet-ml/linnet/internal/filelock"
	"github.com/linnet-ml/linnet/layers"
	"github.com/linnet-ml/linnet/model"
	"github.com/linnet-ml/linnet/nn"
	"github.com/linnet-ml/linnet/simd"
)

// savedAgain names the file that a test's program saves over and over until it is killed.
const savedAgain = "LINNET_TEST_SAVE_AGAIN"

// modelOf is a model of some size all of whose weights are one number.
func modelOf(t testing.TB, n float32) *nn.Model {
	t.Helper()
	m, err := nn.NewSequential(layers.Embedding{Vocabulary: 4000, Dim: 16}, layers.GlobalAveragePooling1D{}, layers.Dense{Units: 1}).
		Build(t.Context(), nn.Tokens(4), nn.BuildOptions{})
	must(t, err)
	setAll(t, m, n)
	return m
}

func setAll(t testing.TB, m *nn.Model, n float32) {
	t.Helper()
	for _, p := range m.Parameters() {
		values := make([]float32, p.Size())
		for i := range values {
			values[i] = n
		}
		must(t, m.SetParameter(p.Name(), values))
	}
}

// numberOf is the number of the model in a file, which must be whole.
func numberOf(t testing.TB, path string) float32 {
	t.Helper()
	f, err := model.Load(t.Context(), path, model.LoadOptions{})
	must(t, err)
	defer f.Close()
	n := f.Model.Parameters()[0].Values()[0]
	for _, p := range f.Model.Parameters() {
		for i, v := range p.Values() {
			if v != n {
				t.Fatalf("the file is torn: element %d of %s is %v, and others are %v", i, p.Name(), v, n)
			}
		}
	}
	return n
}

// TestChildOfKills is the process that saves until it is killed. On its own it does nothing.
func TestChildOfKills(t *testing.T) {
	path := os.Getenv(savedAgain)
	if path == "" {
		t.Skip("it belongs to TestKilledWhileSaving")
	}
	n := float32(rand.IntN(1 << 23))
	m := modelOf(t, n)
	for {
		fmt.Println("\nnext")
		must(t, model.Save(context.Background(), path, m, model.SaveOptions{}))
		n++
		setAll(t, m, n)
	}
}

// A process that saves over an existing model is killed (kill -9) at random moments: the file is always the old one or the
// new one, whole, and what a process has left the next Save removes.
func TestKilledWhileSaving(t *testing.T) {
	times := 20
	if os.Getenv("LINNET_REQUIRE_DATA") == "1" && !testing.Short() && simd.Path() != "portable" { // once is enough: no kernel saves
		times = 200
	}
	folder := t.TempDir()
	path := filepath.Join(folder, "m.linnet")
	first := modelOf(t, 7)
	save := func() { must(t, model.Save(t.Context(), path, first, model.SaveOptions{})) }
	save()
	locked, err := os.Open(path)
	must(t, err)
	defer locked.Close()
	if _, err := filelock.Try(locked); err != nil {
		t.Skip("no locks: what is left behind stays")
	}
	changed, leftBehind, last := 0, 0, float32(7)
	for range times {
		killWhileSaving(t, path)
		if n := numberOf(t, path); n != last {
			changed++
			last = n
		}
		entries, err := os.ReadDir(folder)
		must(t, err)
		if len(entries) > 2 {
			t.Fatalf("the folder has %v: a Save did not remove what an earlier one left", entries)
		}
		leftBehind += len(entries) - 1
	}
	if changed == 0 || leftBehind == 0 {
		t.Errorf("of %d processes %d changed the file and %d left a part of one: the moments are badly chosen", times, changed, leftBehind)
	}
	t.Logf("of %d processes %d changed the file and %d left a part of one", times, changed, leftBehind)
	save()
	entries, err := os.ReadDir(folder)
	must(t, err)
	if len(entries) != 1 || numberOf(t, path) != 7 {
		t.Errorf("after a Save the folder has %v", entries)
	}
}

// killWhileSaving starts a process that saves, and kills it.
func killWhileSaving(t *testing.T, path string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestChildOfKills$", "-test.count=1")
	cmd.Env = append(os.Environ(), savedAgain+"="+path)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	lines := bufio.NewScanner(out)
	for wait := 1 + rand.IntN(3); wait > 0; { // it is at work
		if !lines.Scan() {
			t.Fatal("the process ended before it was killed")
		}
		if lines.Text() == "next" {
			wait--
		}
	}
	time.Sleep(rand.N(5 * time.Millisecond))
	must(t, cmd.Process.Kill())
	io.Copy(io.Discard, out)
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != -1 {
		t.Fatalf("the process ended before it was killed: %v", err)
	}
}
