//go:build unix

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// slow is CSV that takes a while to learn from: long texts of many words, in six classes.
func slow() string {
	random := rand.New(rand.NewPCG(5, 0))
	var b strings.Builder
	b.WriteString("text,label\n")
	for i := range 2400 {
		for range 80 {
			fmt.Fprintf(&b, "Word%d ", random.IntN(1+random.IntN(20000)))
		}
		fmt.Fprintf(&b, "topic%d!,c%d\n", i%6+random.IntN(3), i%6)
	}
	return b.String()
}

// started is a training of the real program that has said what it found.
type started struct {
	*exec.Cmd
	stderr *bufio.Reader
	read   bytes.Buffer
}

func start(t *testing.T, args ...string) *started {
	t.Helper()
	s := &started{Cmd: exec.Command("linnet", args...)}
	pipe, err := s.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Process.Kill() })
	s.stderr = bufio.NewReader(pipe)
	s.until(t, " rows of ")
	return s
}

// until reads the standard error until it has said something.
func (s *started) until(t *testing.T, what string) {
	t.Helper()
	for !strings.Contains(s.read.String(), what) {
		line, err := s.stderr.ReadString('\n')
		s.read.WriteString(line)
		if err != nil {
			t.Fatalf("%v; the program said %q, not %q", err, s.read.String(), what)
		}
	}
}

// end waits for the end and returns the rest of the standard error.
func (s *started) end() string {
	s.read.ReadFrom(s.stderr)
	s.Wait()
	return s.read.String()
}

// Ctrl-C ends a training at once, with the code for it and no file.
func TestCtrlC(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("slow.csv", []byte(slow()), 0o644); err != nil {
		t.Fatal(err)
	}
	s := start(t, "train", "slow.csv", "-o", "out.linnet")
	s.until(t, "slow.csv: CSV") // now it compares recipes
	begin := time.Now()
	if err := s.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	said := s.end()
	// 100 ms are promised; a busy machine may need more to give the program its turn.
	if took := time.Since(begin); took > time.Second {
		t.Errorf("ended after %v", took)
	}
	if code := s.ProcessState.ExitCode(); code != exitInterrupted || !strings.HasSuffix(said, "linnet: interrupted\n") {
		t.Errorf("code %d, %q", code, said)
	}
	if files, err := filepath.Glob("*"); err != nil || len(files) != 1 {
		t.Errorf("%v, %v", files, err)
	}
}

// interrupted starts a training with --keep-partial and sends it Ctrl-C when it has something to keep.
func interrupted(t *testing.T) *started {
	t.Helper()
	if err := os.WriteFile("slow.csv", []byte(slow()), 0o644); err != nil {
		t.Fatal(err)
	}
	for wait := 200 * time.Millisecond; ; wait += wait / 2 {
		s := start(t, "train", "slow.csv", "-o", "out.linnet", "--keep-partial")
		time.Sleep(wait)
		if err := s.Process.Signal(os.Interrupt); err != nil {
			t.Fatal("the training was over before it was interrupted")
		}
		s.until(t, "interrupted")
		if !strings.Contains(s.read.String(), "before anything") {
			return s
		}
		// The first recipe takes longer here.
		if said := s.end(); s.ProcessState.ExitCode() != exitInterrupted || !strings.HasSuffix(said, "linnet: interrupted before anything was learned\n") {
			t.Fatalf("%v, %q", s.ProcessState, said)
		}
		if _, err := os.Stat("out.linnet"); !os.IsNotExist(err) {
			t.Fatal("a file was written")
		}
	}
}

// With --keep-partial the best recipe so far is learned and written.
func TestKeepPartial(t *testing.T) {
	t.Chdir(t.TempDir())
	s := interrupted(t)
	if said := s.end(); s.ProcessState.ExitCode() != 0 || !strings.HasSuffix(said, keeping) {
		t.Fatalf("%v, %q", s.ProcessState, said)
	}
	var stdout, stderr strings.Builder
	if code := run(t.Context(), []string{"inspect", "out.linnet", "--json"}, nil, &stdout, &stderr); code != 0 || !strings.Contains(stdout.String(), `"stopped":true`) {
		t.Errorf("code %d, %q, %q", code, stdout.String(), stderr.String())
	}
}

// A second Ctrl-C ends what the first has left.
func TestSecondCtrlC(t *testing.T) {
	t.Chdir(t.TempDir())
	s := interrupted(t)
	if err := s.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	s.end()
	if status := s.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGINT {
		t.Errorf("%v", s.ProcessState)
	}
	if files, err := filepath.Glob("*"); err != nil || len(files) != 1 {
		t.Errorf("%v, %v", files, err)
	}
}

// A pipe or a device is neither an output nor a model.
func TestPipesAndDevices(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("films.csv", []byte(films(1, 60)), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo("pipe", 0o600); err != nil {
		t.Skip(err)
	}
	saved(t, "c.linnet", false)
	for want, args := range map[string][]string{
		"linnet: pipe is a named pipe, which cannot be replaced by a file\n":                    {"train", "films.csv", "-o", "pipe"},
		"linnet: /dev/null is a device, which cannot be replaced by a file\n":                   {"train", "films.csv", "-o", "/dev/null"},
		"linnet: /dev/null: it is a device, not a file; - reads the standard input\n":           {"train", "/dev/null", "-o", "x"},
		"linnet: pipe is a named pipe, not a plain file\n":                                      {"evaluate", "pipe", "films.csv"},
		"linnet: /dev/null is a device, not a plain file\n":                                     {"predict", "/dev/null", "films.csv"},
		"linnet: --tls-cert: pipe is a named pipe, not a plain file\n":                          {"serve", "c.linnet", "--addr", "127.0.0.1:0", "--tls-cert", "pipe", "--tls-key", "pipe"},
		"linnet: --tls-key: /dev/zero is a device, not a plain file\n":                          {"serve", "c.linnet", "--addr", "127.0.0.1:0", "--tls-cert", "films.csv", "--tls-key", "/dev/zero"},
		"linnet: no/x.linnet cannot be written: no permission to make files in the folder no\n": {"train", "missing.csv", "-o", "no/x.linnet"},
		"linnet: /dev/full is a device, which cannot be replaced by a file\n":                   {"train", "films.csv", "-o", "/dev/full"},
	} {
		var stdout, stderr strings.Builder
		switch args[len(args)-1] {
		case "no/x.linnet":
			if os.Geteuid() == 0 {
				continue // may write anywhere
			}
			if err := os.Mkdir("no", 0o500); err != nil {
				t.Fatal(err)
			}
		case "/dev/full":
			if _, err := os.Stat("/dev/full"); err != nil {
				continue
			}
		}
		if code := run(t.Context(), args, nil, &stdout, &stderr); code == 0 || stderr.String() != want {
			t.Errorf("%v: code %d, %q, want %q", args, code, stderr.String(), want)
		}
	}
}

// A named pipe is data like any stream.
func TestTrainPipe(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := syscall.Mkfifo("pipe", 0o600); err != nil {
		t.Skip(err)
	}
	go os.WriteFile("pipe", []byte(films(1, 60)), 0)
	var stdout, stderr strings.Builder
	if code := run(t.Context(), []string{"train", "pipe", "-o", "x.linnet"}, nil, &stdout, &stderr); code != 0 || !strings.Contains(stderr.String(), "60 rows of 2 classes") {
		t.Errorf("code %d, %q", code, stderr.String())
	}
}
