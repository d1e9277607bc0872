package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The program is a filter that Spark can pipe partitions through: labels stay in the order of the texts, a command that was killed
// runs again without a label lost or written twice, and a fault of the command is one of the job. The variable LINNET_SPARK is a
// Python that has pyspark, and LINNET_SPARK_MASTER may name another Spark than one in this process.
func TestSpark(t *testing.T) {
	python := os.Getenv("LINNET_SPARK")
	if python == "" {
		t.Skip("LINNET_SPARK names no Python with pyspark")
	}
	master := os.Getenv("LINNET_SPARK_MASTER")
	if master == "" {
		master = "local[2,2]" // two cores, and two tries for a task
	}
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	saved(t, in("m.linnet"), false)
	var texts, rows strings.Builder
	for i := range 5000 {
		text := fmt.Sprintf("film number %d%s%s ☃", i, strings.Repeat(" lovely", i%7), strings.Repeat(" dull", i%5))
		if i%100 == 3 {
			text = "" // a line like others
		}
		fmt.Fprintln(&texts, text)
		if i == 3210 {
			fmt.Fprintln(&rows, `{"text": `)
		}
		fmt.Fprintf(&rows, "{\"text\": %q}\n", text)
	}
	for name, content := range map[string]string{"texts.txt": texts.String(), "rows.jsonl": rows.String()} {
		if err := os.WriteFile(in(name), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	linnet, err := exec.LookPath("linnet") // which testscript made
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "testdata/spark/pipe.py", master, linnet, in("m.linnet"), in("texts.txt"), in("rows.jsonl"), dir)
	cmd.Env = append(os.Environ(), "PYSPARK_PYTHON="+python, "SPARK_LOCAL_IP=127.0.0.1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	labels := func(texts string) string {
		t.Helper()
		var stdout, stderr strings.Builder
		if code := run(t.Context(), []string{"predict", in("m.linnet")}, strings.NewReader(texts), &stdout, &stderr); code != 0 {
			t.Fatalf("exit code %d, %s", code, stderr.String())
		}
		return stdout.String()
	}
	result := func(name string) string {
		t.Helper()
		b, err := os.ReadFile(in(name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	want := labels(texts.String())
	if n := strings.Count(want, "\n"); n != 5000 {
		t.Fatalf("%d labels", n)
	}
	if result("labels") != want {
		t.Error("Spark gives other labels than one process")
	}
	if got, want := result("empty"), labels("lovely\ndull\n"); got != want {
		t.Errorf("among empty partitions: %q, want %q", got, want)
	}
	if _, err := os.Stat(in("killed")); err != nil {
		t.Errorf("nothing was killed: %v", err)
	}
	if result("again") != want {
		t.Error("after a command was killed there are other labels than those of one process")
	}
	for name, code := range map[string]int{"missing": exitFault, "broken": exitFault} {
		if said := result(name); !strings.Contains(said, fmt.Sprintf("exited with error code %d", code)) {
			t.Errorf("%s: the job's error is %.1000q", name, said)
		}
	}
}
