//go:build linux || darwin || windows

package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/linnet-ml/linnet/classifier"
)

// The page labels a text as the library does, to the bit, in a real browser, and sends nothing.
func TestPage(t *testing.T) {
	if os.Getenv("LINNET_REQUIRE_BROWSER") != "1" {
		t.Skip("LINNET_REQUIRE_BROWSER=1 runs the page in a browser")
	}
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatalf("LINNET_REQUIRE_BROWSER=1: %v", err)
	}
	var examples []classifier.Example
	for i := range 20 {
		word, label := []string{"lovely", "dull"}[i%2], []string{"positive", "negative"}[i%2]
		examples = append(examples, classifier.Example{Text: fmt.Sprintf("a %s film number %d", word, i/2), Labels: []string{label}})
	}
	c, err := classifier.Train(t.Context(), examples, classifier.Options{})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file, site := filepath.Join(dir, "c.linnet"), filepath.Join(dir, "site")
	if err := c.Save(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	if err := build(file, site); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(site, "linnet.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("linnet.wasm has %d bytes", info.Size())
	if info.Size() > 5_000_000 {
		t.Errorf("linnet.wasm has %d bytes", info.Size())
	}
	s := httptest.NewServer(http.FileServer(http.Dir(site)))
	defer s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	o := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.Flag("disable-dev-shm-usage", true), chromedp.WSURLReadTimeout(time.Minute))
	ctx, cancel = chromedp.NewExecAllocator(ctx, o...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Navigate(s.URL+"/"), chromedp.WaitEnabled("#text"), chromedp.SendKeys("#text", "a lovely “film”")); err != nil {
		t.Fatal(err)
	}
	shown, err := chromedp.Run(ctx, chromedp.TextContent("#label"))
	if err != nil || !strings.HasPrefix(shown, "positive, ") {
		t.Errorf("%q: %v", shown, err)
	}
	want := c.Classify("a lovely “film”")
	got, err := chromedp.Run(ctx, chromedp.Evaluate[[]float64](`classifier.classify("a lovely “film”").scores`))
	if err != nil || len(got) != 2 || float32(got[0]) != want.Scores[0] || float32(got[1]) != want.Scores[1] {
		t.Errorf("%v, want %v: %v", got, want.Scores, err)
	}
	wrong, err := chromedp.Run(ctx, chromedp.Evaluate[string](`linnetLoad(new Uint8Array(5))`))
	if err != nil || !strings.Contains(wrong, "not a classifier's file") {
		t.Errorf("a wrong file: %q, %v", wrong, err)
	}
	// A screen reader hears the label after a pause.
	for _, step := range []struct{ script, id, want string }{
		{"0", "status", "positive, "},
		// A program that fails says so on the page.
		{`try { linnetLoad(Object.defineProperty(new Uint8Array(5), "length", { value: -1 })) } catch {} 0`, "label", "The program has ended"},
	} {
		if _, err := chromedp.Run(ctx, chromedp.Evaluate[int](step.script)); err != nil {
			t.Fatal(err)
		}
		got := ""
		for end := time.Now().Add(20 * time.Second); !strings.HasPrefix(got, step.want) && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
			if got, err = chromedp.Run(ctx, chromedp.TextContent("#"+step.id)); err != nil {
				t.Fatal(err)
			}
		}
		if !strings.HasPrefix(got, step.want) {
			t.Errorf("#%s shows %q, want %q", step.id, got, step.want)
		}
	}
}

// A file that is no classifier makes no page.
func TestWrongFile(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "site")
	if err := build("main.go", folder); err == nil || !strings.Contains(err.Error(), "main.go: not a classifier's file") {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(folder); err == nil {
		t.Error("there is a page")
	}
}
