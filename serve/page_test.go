//go:build linux || darwin || windows

package serve

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// A browser is a tab of a real one. The test fails if a page says anything on its console, breaks its policy, or talks to another
// server.
type browser struct {
	t   *testing.T
	ctx context.Context
	url string
}

// open opens the page of a Handler. With LINNET_REQUIRE_BROWSER=1 there must be a browser; without, the test is skipped.
func open(t *testing.T, h *Handler) *browser {
	t.Helper()
	if os.Getenv("LINNET_REQUIRE_BROWSER") != "1" {
		t.Skip("LINNET_REQUIRE_BROWSER=1 runs the page in a browser")
	}
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		t.Fatal("LINNET_REQUIRE_BROWSER=1 and no chromium")
	}
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	o := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.Flag("disable-dev-shm-usage", true), chromedp.WSURLReadTimeout(time.Minute))
	ctx, cancel = chromedp.NewExecAllocator(ctx, o...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &browser{t, ctx, s.URL}
	var mu sync.Mutex
	err := chromedp.Listen(ctx, func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			t.Errorf("exception: %s", e.ExceptionDetails.Text)
		case *runtime.EventConsoleAPICalled:
			t.Errorf("console: %v", e.Args)
		case *log.EventEntryAdded:
			// A wrong key is a failed request, which the browser notes.
			if !strings.Contains(e.Entry.Text, "401") {
				t.Errorf("log: %s %s", e.Entry.Text, e.Entry.URL)
			}
		case *network.EventRequestWillBeSent:
			if u, err := url.Parse(e.Request.URL); err != nil || "http://"+u.Host != s.URL {
				t.Errorf("the page asks %s", e.Request.URL)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, log.Enable, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.EmulateViewport(1000, 900), chromedp.Navigate(s.URL+"/"))
	return b
}

func (b *browser) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// value is what a script says.
func value[T any](b *browser, script string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script))
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

// run runs a script.
func run(script string) chromedp.Action[chromedp.Void] {
	return chromedp.Evaluate[chromedp.Void](script)
}

// text is what an element shows.
func (b *browser) text(selector string) string {
	b.t.Helper()
	return value[string](b, "document.querySelector("+quote(selector)+").innerText")
}

func quote(s string) string {
	q, _ := json.Marshal(s)
	return string(q)
}

// wait waits until an element shows a text.
func (b *browser) wait(selector, want string) {
	b.t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		got := b.text(selector)
		if strings.Contains(got, want) {
			return
		}
		if time.Now().After(end) {
			b.t.Fatalf("%s shows %q, want %q", selector, got, want)
		}
	}
}

// picture writes a picture of the page to the folder in LINNET_SCREENSHOTS, if there is one.
func (b *browser) picture(name string) {
	b.t.Helper()
	if dir := os.Getenv("LINNET_SCREENSHOTS"); dir != "" {
		png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
		if err != nil {
			b.t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
			b.t.Fatal(err)
		}
	}
}

// press presses keys, wherever the focus is.
func (b *browser) press(keys string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(keys))
}

const review = "A lovely film. What a dull, awful book it was made of! Great acting; the quasars are “great” too."

// The page labels a text as it is typed, and colours what speaks for and against it. Only the keyboard is used.
func TestPageText(t *testing.T) {
	b := open(t, newHandler(t, Options{}))
	b.wait("#version", "version v1")
	b.picture("empty")
	b.do(chromedp.Focus("#text"))
	b.press("a lovely film")
	b.wait("#label", "positive")
	b.press(" but dull and awful, awful")
	b.wait("#label", "negative")
	b.wait("#status", "negative") // for a screen reader
	if got := value[string](b, `document.querySelector("#status").getAttribute("aria-live")`); got != "polite" {
		t.Errorf("aria-live is %q", got)
	}
	if got := b.text("#tokens .against"); got != "lovely" {
		t.Errorf("%q speaks against", got)
	}
	if got := value[string](b, `[...document.querySelectorAll("#tokens .for")].map(e => e.textContent).join(" ")`); !strings.Contains(got, "dull") || strings.Count(got, "awful") != 2 {
		t.Errorf("%q speaks for", got)
	}
	if got := b.text("#tokens"); got != "a lovely film but dull and awful, awful" {
		t.Errorf("the text became %q", got)
	}
	if got := value[int](b, `document.querySelectorAll("#scores li").length`); got != 2 {
		t.Errorf("%d scores", got)
	}
	// Another class, another view of the same words.
	b.do(chromedp.SetValue("#class", "positive"), run(`document.querySelector("#class").dispatchEvent(new Event("change"))`))
	b.wait("#why-title", "Why positive")
	if got := b.text("#tokens .for"); got != "lovely" {
		t.Errorf("%q speaks for", got)
	}
	// A text that is HTML is text.
	b.do(run(`document.querySelector("#text").value = ""`), chromedp.Focus("#text"))
	b.press(`<b>lovely</b> “café” ☃ <img src=x onerror=alert(1)>`)
	b.wait("#tokens", "onerror=alert(1)>")
	if got := b.text("#tokens"); got != `<b>lovely</b> “café” ☃ <img src=x onerror=alert(1)>` {
		t.Errorf("the text became %q", got)
	}
	// Nothing is left of the answer without a text.
	b.do(run(`document.querySelector("#text").value = ""; document.querySelector("#text").dispatchEvent(new Event("input"))`), chromedp.WaitNotVisible("#answer-one"))
}

// Lines are labelled together. Tabs are changed with arrows.
func TestPageLines(t *testing.T) {
	b := open(t, newHandler(t, Options{}))
	b.wait("#version", "version v1")
	b.do(chromedp.Focus("#tab-one"))
	b.press(kb.ArrowRight)
	b.press(kb.Tab)
	b.press("a lovely film\r\ra dull play\ra great book")
	b.press(kb.Tab)
	b.press(kb.Enter)
	b.wait("#rows", "a great book")
	if got, want := value[string](b, `[...document.querySelectorAll("#rows tr")].map(r => r.cells[0].innerText + r.cells[1].innerText + r.cells[3].innerText).join("|")`),
		"1positivea lovely film|3negativea dull play|4positivea great book"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	b.wait("#many-note", "3 texts")
	b.wait("#status", "3 texts: 2 positive, 1 negative")
	b.picture("lines")
	many := strings.Repeat("a lovely film\n", 600)
	b.do(run(`document.querySelector("#lines").value = `+quote(many)), chromedp.Click("#run"))
	b.wait("#many-note", "600 texts")
	b.do(chromedp.SetValue("#model", "several"), run(`document.querySelector("#model").dispatchEvent(new Event("change"))`))
	b.do(run(`document.querySelector("#lines").value = "red and blue\ngrey"`), chromedp.Click("#run"))
	b.wait("#rows", "blue, red")
	b.wait("#rows", "no label")
}

// A server with keys is of use from the page.
func TestPageKey(t *testing.T) {
	b := open(t, newHandler(t, Options{APIKeys: []string{"right"}}))
	b.do(chromedp.WaitVisible("#key-form"))
	b.press("wrong" + kb.Enter) // the field has the focus
	b.wait("#problem-start", "The key is wrong")
	b.picture("key")
	b.press("right" + kb.Enter) // the wrong one was selected
	b.do(chromedp.WaitNotVisible("#key-form"))
	b.press("a lovely film")
	b.wait("#label", "positive")
}

// What is wrong is said on the page.
func TestPageProblem(t *testing.T) {
	h := newHandler(t, Options{MaxText: 20})
	b := open(t, h)
	b.wait("#version", "version v1")
	b.do(chromedp.Focus("#text"))
	// A refused text is a failed request, which the browser notes: look at the page's own words alone.
	if _, err := chromedp.Call(b.ctx, log.Disable, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	b.press("a text of more than twenty bytes")
	b.wait("#problem-one", "are allowed")
}

// The page works under other limits than its own, and after the classifier was replaced by one with other classes.
func TestPageLimits(t *testing.T) {
	h := newHandler(t, Options{MaxTexts: 3, MaxExplained: 30})
	b := open(t, h)
	b.wait("#version", "version v1")
	// Refused requests are noted by the browser.
	if _, err := chromedp.Call(b.ctx, log.Disable, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.Click("#tab-many"), run(`document.querySelector("#lines").value = `+quote(strings.Repeat("a lovely film\n", 11))), chromedp.Click("#run"))
	b.wait("#many-note", "11 texts")
	b.do(chromedp.Click("#tab-one"), chromedp.Focus("#text"))
	b.press("a lovely film")
	b.wait("#why-title", "Why positive")
	b.press(" of more than thirty bytes")
	b.do(chromedp.WaitNotVisible(".why"))
	b.wait("#label", "positive")
	// Half a character is sent as U+FFFD.
	b.do(run(`document.querySelector("#text").value = "lovely \ud83d"; document.querySelector("#text").dispatchEvent(new Event("input"))`), chromedp.WaitVisible(".why"))
	b.wait("#label", "positive")

	b.do(chromedp.SetValue("#class", "negative"), run(`document.querySelector("#class").dispatchEvent(new Event("change"))`))
	b.wait("#why-title", "Why negative")
	if err := h.Replace(Model{Name: "two", Version: "v2", Classifier: several()}); err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.Focus("#text"))
	b.press(" red")
	b.wait("#version", "version v2")
	b.wait("#label", "red")
	b.wait("#class", "blue")
}

// The page fits wide and narrow screens, light and dark; its colours can be read.
func TestPageLooks(t *testing.T) {
	h := newHandler(t, Options{})
	b := open(t, h)
	b.wait("#version", "version v1")
	b.do(chromedp.Focus("#text"))
	b.press(review)
	b.wait("#tokens", "quasars")
	for _, v := range []struct {
		name, scheme  string
		width, height int64
	}{{"light", "light", 1000, 900}, {"dark", "dark", 1000, 900}, {"phone-light", "light", 320, 700}, {"phone-dark", "dark", 390, 844}} {
		media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: v.scheme}}}
		if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, media); err != nil {
			t.Fatal(err)
		}
		b.do(chromedp.EmulateViewport(v.width, v.height))
		if got := value[int64](b, "document.documentElement.scrollWidth"); got > v.width {
			t.Errorf("%s: the page is %d wide", v.name, got)
		}
		for _, problem := range value[[]string](b, unreadable) {
			t.Errorf("%s: %s", v.name, problem)
		}
		b.picture(v.name)
	}
	for _, problem := range value[[]string](b, unnamed) {
		t.Errorf("%s", problem)
	}
}

// unreadable lists the elements with text whose contrast is below the 4.5 that WCAG asks for.
const unreadable = `(() => {
	const parse = c => { const v = c.match(/[\d.]+/g).map(Number); return v.length < 4 ? [...v, 1] : v; };
	const over = (a, b) => [0, 1, 2].map(i => a[i] * a[3] + b[i] * (1 - a[3])).concat(1);
	const light = c => { const v = c.slice(0, 3).map(x => { x /= 255; return x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4; }); return 0.2126 * v[0] + 0.7152 * v[1] + 0.0722 * v[2]; };
	const found = [];
	for (const e of document.querySelectorAll("body *")) {
		const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
		if (!own || !e.checkVisibility() || e.closest("svg, .skip, .quiet, noscript")) continue;
		const layers = [];
		for (let p = e; p; p = p.parentElement) layers.unshift(parse(getComputedStyle(p).backgroundColor));
		const ground = layers.reduce((b, a) => over(a, b), [255, 255, 255, 1]);
		const ink = over(parse(getComputedStyle(e).color), ground);
		const [x, y] = [light(ink), light(ground)].sort((a, b) => b - a);
		const contrast = (x + 0.05) / (y + 0.05);
		if (contrast < 4.5) found.push(e.tagName + "." + e.className + " " + e.textContent.slice(0, 20) + ": contrast " + contrast.toFixed(2));
	}
	return found;
})()`

// unnamed lists the controls that a screen reader has no name for.
const unnamed = `[...document.querySelectorAll("input, textarea, select, button")]
	.filter(e => !e.textContent.trim() && !e.labels?.length && !e.getAttribute("aria-label") || e.tagName === "SELECT" && !e.labels.length)
	.map(e => e.outerHTML.slice(0, 80) + " has no name")`
