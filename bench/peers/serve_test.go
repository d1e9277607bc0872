package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/linnet-ml/linnet/classifier"
)

func TestParseWrk(t *testing.T) {
	m, err := parseWrk([]byte("Running 1s test\nRequests/sec: 9254.10\n" + `{"requests":5000,"seconds":2.5,"p50_ms":0.093,"p99_ms":1.030,"p999_ms":4.383,"errors":2}` + "\n"))
	if err != nil || m.figures["rate"] != 2000 || m.figures["request_us"] != 500 || m.figures["p99_ms"] != 1.03 || m.figures["errors"] != 2 {
		t.Errorf("%v %v", m, err)
	}
	for _, out := range []string{"", "Transfer/sec: 1.57MB", `{"requests":0,"seconds":1,"errors":9}`} {
		if _, err := parseWrk([]byte(out)); err == nil {
			t.Errorf("%q is a result", out)
		}
	}
}

// The sections of servers are measured only when they are named, the soak only when its time is.
func TestServeSections(t *testing.T) {
	for args, want := range map[string]int{"": 0, "-only serve": 5, "-only serve -soak 1m": 6, "-only serve-8": 1, "-only serve,linnet": 5} {
		s, _, err := parseFlags(strings.Fields(args), io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		b := bench{settings: s}
		chosen, _, _, err := b.choose()
		if err != nil {
			t.Fatal(err)
		}
		if _, _, _, _, servers := apart(chosen); len(servers) != want {
			t.Errorf("%q: %d sections", args, len(servers))
		}
	}
	for args, want := range map[string]bool{"-only serve -soak 10m": true, "-only serve": false, "-only serve -soak 10m -quick": false, "-soak 10m": false} {
		if s, _, err := parseFlags(strings.Fields(args), io.Discard); err != nil || s.wholeServe() != want {
			t.Errorf("%q: %v", args, err)
		}
	}
}

// Requests are whole lines of texts of the same number of words.
func TestWriteRequests(t *testing.T) {
	b := bench{scratch: t.TempDir()}
	long := strings.Repeat("a <good> film ", 100)
	rows := []classifier.Example{{Text: long, Labels: []string{"pos"}}, {Text: "too short", Labels: []string{"neg"}}, {Text: "the " + long, Labels: []string{"neg"}}}
	path := filepath.Join(b.scratch, "texts.jsonl")
	if err := writeFile(path, func(w io.Writer) error { return writeLines(w, rows, true) }); err != nil {
		t.Fatal(err)
	}
	if err := b.writeRequests(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][3]int{"single.jsonl": {2, 230, 460}, "batch.jsonl": {1, 230 * serveBatch, 230 * serveBatch}, "alone.jsonl": {2, 230, 460}} {
		text, err := os.ReadFile(b.serveFile(name))
		if err != nil {
			t.Fatal(err)
		}
		words := len(strings.Fields(strings.ReplaceAll(string(text), `","`, " ")))
		if strings.Count(string(text), "\n") != want[0] || words < want[1] || words > want[2]+2 {
			t.Errorf("%s: %d lines, %d words", name, strings.Count(string(text), "\n"), words)
		}
	}
}

// What is read of a process under /proc is about right.
func TestProcesses(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("no /proc")
	}
	if mb, ok := residentMB(os.Getpid()); !ok || mb < 1 || mb > 10000 {
		t.Errorf("%v MB", mb)
	}
	cmd := exec.Command("sh", "-c", "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; sleep 10 & wait")
	if err := cmd.Start(); err != nil {
		t.Skip(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	for range 2000 {
		if d, ok := cpuTime(cmd.Process.Pid); ok && d > 0 && len(processes(cmd.Process.Pid)) == 2 {
			for _, p := range processes(cmd.Process.Pid)[1:] {
				if child, err := os.FindProcess(p); err == nil {
					child.Kill()
				}
			}
			return
		}
		exec.Command("sleep", "0.01").Run()
	}
	t.Error("no time of a busy process, or no child")
}
