//go:build unix

package atomicfile

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
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
)

const rewritten = "LINNET_TEST_REWRITE"

// TestMain makes the test's program one that rewrites a file until it is killed, where the environment asks for it.
func TestMain(m *testing.M) {
	if path := os.Getenv(rewritten); path != "" {
		fmt.Println(rewrite(path))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// rewrite writes contents of changing size to the file over and over. It prints a line before each.
func rewrite(path string) error {
	for n := rand.Uint32(); ; n++ {
		if _, err := fmt.Println("next"); err != nil {
			return err
		}
		if err := Write(context.Background(), path, func(w io.Writer) error { return selfChecked(w, n) }); err != nil {
			return err
		}
	}
}

// selfChecked writes a content that carries its own sum: a number, bytes that follow from it, and SHA-256.
func selfChecked(w io.Writer, n uint32) error {
	h := sha256.New()
	both := io.MultiWriter(w, h)
	if err := binary.Write(both, binary.LittleEndian, n); err != nil {
		return err
	}
	line := make([]byte, 1<<10)
	for i := range line {
		line[i] = byte(n) + byte(i)
	}
	for range n % 512 {
		if _, err := both.Write(line); err != nil {
			return err
		}
	}
	_, err := w.Write(h.Sum(nil))
	return err
}

// checkSelfChecked returns the number.
func checkSelfChecked(content []byte) (uint32, error) {
	if len(content) < 4+sha256.Size {
		return 0, fmt.Errorf("%d bytes", len(content))
	}
	rest, sum := content[:len(content)-sha256.Size], content[len(content)-sha256.Size:]
	if sha256.Sum256(rest) != [sha256.Size]byte(sum) {
		return 0, fmt.Errorf("%d bytes, and not their sum", len(content))
	}
	return binary.LittleEndian.Uint32(rest), nil
}

// A process is killed at a random moment while it replaces a file: the file is whole, and the next Write removes what is
// left.
func TestKill(t *testing.T) {
	if !locks(t) {
		t.Skip("no locks: what is left behind stays")
	}
	times := 200
	if testing.Short() {
		times = 20
	}
	folder := t.TempDir()
	path := filepath.Join(folder, "file")
	write := func() {
		if err := Write(t.Context(), path, func(w io.Writer) error { return selfChecked(w, 7) }); err != nil {
			t.Fatal(err)
		}
	}
	write()
	leftBehind, changed, last := 0, 0, uint32(7)
	for range times {
		kill(t, path)
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		n, err := checkSelfChecked(content)
		if err != nil {
			t.Fatalf("the file is torn: %v", err)
		}
		if n != last {
			changed++
		}
		last = n
		entries, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) > 2 {
			t.Fatalf("the folder has %v: a Write did not remove what an earlier one left", entries)
		}
		leftBehind += len(entries) - 1
	}
	if changed == 0 || leftBehind == 0 {
		t.Errorf("of %d processes %d changed the file and %d left a part of one: the moments are badly chosen", times, changed, leftBehind)
	}
	t.Logf("of %d processes %d changed the file and %d left a part of one", times, changed, leftBehind)
	write()
	wantNames(t, folder, "file")
}

// kill starts a process that rewrites the file, and kills it.
func kill(t *testing.T, path string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), rewritten+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for range 1 + rand.IntN(3) { // it is at work
		if !lines.Scan() || lines.Text() != "next" {
			t.Errorf("the process says %q", lines.Text())
			break
		}
	}
	time.Sleep(rand.N(10 * time.Millisecond))
	if err := cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	io.Copy(io.Discard, out)
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != -1 {
		t.Errorf("the process ended before it was killed: %v", err)
	}
}

// locks reports whether files can be locked here.
func locks(t *testing.T) bool {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_, err = filelock.Try(f)
	return err == nil
}
