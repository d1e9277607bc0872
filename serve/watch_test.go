package serve

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/linnet-ml/linnet/classifier"
	"github.com/linnet-ml/linnet/internal/mapfile"
)

// A logBuffer is a log that may be read while it is written.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// until waits for a condition.
func until(tb testing.TB, what string, is func() bool) {
	tb.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			tb.Fatalf("%s does not come", what)
		}
	}
}

// A file that changes in place, is replaced, or is behind a link that moves, as in a ConfigMap, is loaded. One that is broken or gone
// leaves the old classifier.
func TestWatch(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "m.linnet")
	save := func(c interface {
		Save(context.Context, string) error
	}, path string) {
		t.Helper()
		if err := c.Save(t.Context(), path); err != nil {
			t.Fatal(err)
		}
	}
	save(two(), path)
	m, err := Load(t.Context(), "m", path)
	if err != nil {
		t.Fatal(err)
	}
	var log logBuffer
	h, err := New([]Model{m}, Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- h.Watch(ctx, "m", path, 5*time.Millisecond) }()
	label := func() string { return decode[answer](t, post(h, "/v1/classify", `{"text":"a lovely film"}`)).Label }
	is := func(want string) func() bool { return func() bool { return label() == want } }
	value := func(name string, want float64) func() bool {
		return func() bool { return readMetrics(t, h)[name+`{model="m"}`] == want }
	}

	until(t, "the first", is("positive"))
	save(turned(), path)
	until(t, "a replaced file", is("negative"))

	if err := os.WriteFile(path+".new", []byte("no classifier"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	until(t, "a failure", value("linnet_model_reload_failures_total", 1))
	until(t, "staleness", value("linnet_model_stale", 1))
	if label() != "negative" {
		t.Error("a broken file changed the classifier")
	}
	time.Sleep(50 * time.Millisecond) // several looks
	if !value("linnet_model_reload_failures_total", 1)() || strings.Count(log.String(), "level=ERROR") != 1 {
		t.Errorf("one broken file is more than one failure: %s", log.String())
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	until(t, "a second failure", value("linnet_model_reload_failures_total", 2))
	save(turned(), path) // the one that answers
	until(t, "an end of staleness", value("linnet_model_stale", 0))

	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	save(two(), path)
	until(t, "a replaced file", is("positive"))
	if err := os.WriteFile(path, b, 0o644); err != nil { // in place
		t.Fatal(err)
	}
	until(t, "a file written in place", is("negative"))

	// A ConfigMap: m.linnet -> ..data/m.linnet, ..data -> a folder, and the second link moves.
	for name, c := range map[string]interface {
		Save(context.Context, string) error
	}{"old": turned(), "new": two()} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
		save(c, filepath.Join(dir, name, "m.linnet"))
	}
	link := func(to, at string) {
		t.Helper()
		if runtime.GOOS == "windows" {
			t.Skip("a link cannot take the place of a link to a folder")
		}
		if err := os.Symlink(to, filepath.Join(dir, "tmp")); err != nil {
			t.Skipf("no links: %v", err)
		}
		if err := os.Rename(filepath.Join(dir, "tmp"), filepath.Join(dir, at)); err != nil {
			t.Fatal(err)
		}
	}
	link("old", "..data")
	link("..data/m.linnet", "m.linnet")
	until(t, "the same behind links", is("negative"))
	link("new", "..data")
	until(t, "a link that moved", is("positive"))

	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A file that has not changed is read, but not parsed: neither the one that answers nor a broken one. A file that is missing, or
// broken, at one look alone is no failure.
func TestWatchCost(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.linnet")
	if err := two().Save(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Load(t.Context(), "m", path)
	if err != nil {
		t.Fatal(err)
	}
	parsing := testing.AllocsPerRun(10, func() {
		if _, err := Load(t.Context(), "m", path); err != nil {
			t.Fatal(err)
		}
	})
	var log logBuffer
	h, err := New([]Model{m}, Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	w := watcher{h: h, slot: h.models["m"], name: "m", path: path}
	look := func() {
		w.looks = 0
		w.look(t.Context())
	}
	if n := testing.AllocsPerRun(10, look); n > 20 || n > parsing/4 {
		t.Errorf("%v allocations a look, %v for a parsed file", n, parsing)
	}
	// The weights of the file are cut: it parses for long until it fails.
	if err := os.WriteFile(path, good[:len(good)-1], 0o644); err != nil {
		t.Fatal(err)
	}
	w.look(t.Context())
	if n := testing.AllocsPerRun(10, look); n > 20 {
		t.Errorf("%v allocations a look at a broken file", n)
	}
	for range 3 { // one look each
		for _, change := range []func() error{func() error { return os.Remove(path) }, func() error { return os.WriteFile(path, good, 0o644) }} {
			if err := change(); err != nil {
				t.Fatal(err)
			}
			w.look(t.Context())
		}
	}
	if log.String() != "" {
		t.Errorf("a file that is gone or broken at one look: %s", log.String())
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	w.look(t.Context())
	w.look(t.Context())
	w.look(t.Context())
	if strings.Count(log.String(), "level=ERROR") != 1 {
		t.Errorf("a missing file: %s", log.String())
	}
}

func TestWatchErrors(t *testing.T) {
	h := newHandler(t, Options{})
	if err := h.Watch(t.Context(), "four", "x", time.Second); err == nil {
		t.Error("a classifier that is not there is watched")
	}
	if err := h.Watch(t.Context(), "two", "x", 0); err == nil {
		t.Error("an interval of 0")
	}
	dir := t.TempDir()
	if _, err := Load(t.Context(), "a", dir); !errors.Is(err, mapfile.ErrNotRegular) {
		t.Errorf("a folder: %v", err) // nor does it wait for the writer of a pipe, as mapfile tests
	}
	broken := filepath.Join(dir, "broken")
	if err := os.WriteFile(broken, []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(t.Context(), "a", broken); !errors.Is(err, classifier.ErrFile) || !strings.HasPrefix(err.Error(), "serve: "+broken+": not a classifier's file: ") {
		t.Errorf("a broken file: %v", err)
	}
	if _, err := Load(t.Context(), "a", filepath.Join(dir, "missing")); err == nil || !strings.Contains(err.Error(), "missing") {
		t.Errorf("a missing file: %v", err)
	}
}
