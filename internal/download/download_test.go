package download

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// content is a file of n bytes that no other seed gives.
func content(n int, seed uint64) []byte {
	data := make([]byte, n)
	r := rand.New(rand.NewPCG(seed, 1))
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	return data
}

func sumOf(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

// server serves one file and misbehaves as told.
type server struct {
	*httptest.Server
	mu       sync.Mutex
	data     []byte
	tag      string
	cut      []int // how many bytes each answer gives before the connection breaks; then whole answers
	noRange  bool
	requests []string // the Range and If-Range of each request
	answer   http.HandlerFunc
}

func serve(t *testing.T, data []byte) *server {
	s := &server{data: data, tag: `"v1"`}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, strings.TrimSpace(r.Header.Get("Range")+" "+r.Header.Get("If-Range")))
	if r.Header.Get("Accept-Encoding") != "identity" {
		http.Error(w, "compression was asked for", http.StatusTeapot)
		return
	}
	if s.answer != nil {
		s.answer(w, r)
		return
	}
	if s.noRange {
		r.Header.Del("Range")
	}
	if s.tag != "" {
		w.Header().Set("ETag", s.tag)
	}
	if len(s.cut) > 0 {
		w = &cutter{ResponseWriter: w, left: s.cut[0]}
		s.cut = s.cut[1:]
	}
	http.ServeContent(w, r, "file.bin", time.Time{}, bytes.NewReader(s.data))
}

// cutter breaks the connection after some bytes.
type cutter struct {
	http.ResponseWriter
	left int
}

func (c *cutter) Write(p []byte) (int, error) {
	if len(p) < c.left {
		c.left -= len(p)
		return c.ResponseWriter.Write(p)
	}
	c.ResponseWriter.Write(p[:c.left])
	c.ResponseWriter.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

func (s *server) file(known bool) File {
	f := File{URL: s.URL + "/a/file.bin?version=1"}
	if known {
		f.Size, f.SHA256 = int64(len(s.data)), sumOf(s.data)
	}
	return f
}

// quick waits next to nothing between attempts.
func quick() Options { return Options{Wait: time.Millisecond} }

func wantContent(t *testing.T, file string, want []byte) {
	t.Helper()
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s has %d bytes with sha256 %s, want %d with %s", file, len(got), sumOf(got), len(want), sumOf(want))
	}
}

// wantNames holds that nothing else lies in the folder.
func wantNames(t *testing.T, folder string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if !slices.Equal(got, want) {
		t.Errorf("the folder has %q, want %q", got, want)
	}
}

func wantError(t *testing.T, err error, want ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %q", want)
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %v\nwant  %s", err, w)
		}
	}
}

func TestFetch(t *testing.T) {
	for _, known := range []bool{true, false} {
		s := serve(t, content(1<<20+7, 1))
		folder := filepath.Join(t.TempDir(), "a", "b")
		var calls []int64
		o := quick()
		o.Progress = func(name string, done, total int64) {
			if name != "file.bin" || total != int64(len(s.data)) {
				t.Errorf("progress of %s: %d of %d", name, done, total)
			}
			calls = append(calls, done)
		}
		file, err := Fetch(t.Context(), folder, s.file(known), o)
		if err != nil {
			t.Fatal(err)
		}
		if want := filepath.Join(folder, "file.bin"); file != want {
			t.Errorf("%s, want %s", file, want)
		}
		wantContent(t, file, s.data)
		wantNames(t, folder, "file.bin")
		if !slices.IsSorted(calls) || len(calls) < 2 || calls[len(calls)-1] != int64(len(s.data)) {
			t.Errorf("progress %v", calls)
		}
		// It is there: nothing is asked for again.
		if _, err := Fetch(t.Context(), folder, s.file(known), o); err != nil || len(s.requests) != 1 {
			t.Errorf("%d requests, %v", len(s.requests), err)
		}
	}
}

// The connection breaks three times; each request asks for what is missing, of the same version.
func TestResumeAfterCuts(t *testing.T) {
	for _, known := range []bool{true, false} {
		s := serve(t, content(1<<20, 1))
		s.cut = []int{100_000, 400_000, 7}
		file, err := Fetch(t.Context(), t.TempDir(), s.file(known), quick())
		if err != nil {
			t.Fatal(err)
		}
		wantContent(t, file, s.data)
		if want := []string{"", `bytes=100000- "v1"`, `bytes=500000- "v1"`, `bytes=500007- "v1"`}; !slices.Equal(s.requests, want) {
			t.Errorf("requests %q, want %q", s.requests, want)
		}
	}
}

// A later call goes on with what an earlier one left.
func TestResumeLater(t *testing.T) {
	s := serve(t, content(600_000, 1))
	s.cut = []int{300_000}
	folder := t.TempDir()
	o := quick()
	o.Attempts = 1
	_, err := Fetch(t.Context(), folder, s.file(true), o)
	wantError(t, err, "download: "+s.URL, "given up after 1 attempts: broken off after 300000 bytes: unexpected EOF")
	wantNames(t, folder, "file.bin.part", "file.bin.part.json")
	file, err := Fetch(t.Context(), folder, s.file(true), o)
	if err != nil {
		t.Fatal(err)
	}
	wantContent(t, file, s.data)
	wantNames(t, folder, "file.bin")
	if want := `bytes=300000- "v1"`; s.requests[1] != want {
		t.Errorf("request %q, want %q", s.requests[1], want)
	}
}

// A part whose origin is not known, or is another one, is not gone on with.
func TestStrangePart(t *testing.T) {
	for name, note := range map[string]string{
		"no note":       "",
		"broken note":   "{",
		"another URL":   `{"url":"http://example.com/file.bin","sha256":"SUM","validator":"\"v1\""}`,
		"another sum":   `{"url":"URL","validator":"\"v1\""}`,
		"endless note":  `{"url":"URL","sha256":"SUM","validator":"` + strings.Repeat("x", maxNote) + `"}`,
		"too many byte": `{"url":"URL","sha256":"SUM"}`,
	} {
		s := serve(t, content(3000, 1))
		folder := t.TempDir()
		f := s.file(true)
		part := filepath.Join(folder, "file.bin.part")
		length := 1000
		if name == "too many byte" {
			length = 3001
		}
		if err := os.WriteFile(part, content(length, 2), 0o666); err != nil {
			t.Fatal(err)
		}
		if note != "" {
			note = strings.NewReplacer("URL", f.URL, "SUM", f.SHA256).Replace(note)
			if err := os.WriteFile(notePath(part), []byte(note), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		file, err := Fetch(t.Context(), folder, f, quick())
		if err != nil {
			t.Fatal(name, err)
		}
		wantContent(t, file, s.data)
		if want := []string{""}; !slices.Equal(s.requests, want) {
			t.Errorf("%s: requests %q", name, s.requests)
		}
	}
}

// Between two calls the file at the server has changed: If-Range makes it send the new one from its beginning.
func TestChangedBetween(t *testing.T) {
	s := serve(t, content(5000, 1))
	s.cut = []int{2000}
	folder := t.TempDir()
	o := quick()
	o.Attempts = 1
	if _, err := Fetch(t.Context(), folder, s.file(false), o); err == nil {
		t.Fatal("no error")
	}
	s.data, s.tag = content(5000, 2), `"v2"`
	file, err := Fetch(t.Context(), folder, s.file(false), o)
	if err != nil {
		t.Fatal(err)
	}
	wantContent(t, file, s.data)
}

// Without a version in the answers only the sum finds out; then all is fetched again once.
func TestChangedUnseen(t *testing.T) {
	s := serve(t, content(5000, 1))
	s.tag, s.cut = "", []int{2000}
	f := s.file(true)
	f.SHA256 = sumOf(content(5000, 2))
	folder := t.TempDir()
	o := quick()
	o.Attempts = 1
	if _, err := Fetch(t.Context(), folder, f, o); err == nil {
		t.Fatal("no error")
	}
	s.data = content(5000, 2)
	o.Attempts = 2
	file, err := Fetch(t.Context(), folder, f, o)
	if err != nil {
		t.Fatal(err)
	}
	wantContent(t, file, s.data)
	if want := []string{"", "bytes=2000-", ""}; !slices.Equal(s.requests, want) {
		t.Errorf("requests %q, want %q", s.requests, want)
	}
}

// Without a version and without a sum nothing may be put together.
func TestNothingKnown(t *testing.T) {
	s := serve(t, content(5000, 1))
	s.tag, s.cut = "", []int{2000}
	file, err := Fetch(t.Context(), t.TempDir(), s.file(false), quick())
	if err != nil {
		t.Fatal(err)
	}
	wantContent(t, file, s.data)
	if want := []string{"", ""}; !slices.Equal(s.requests, want) {
		t.Errorf("requests %q, want %q", s.requests, want)
	}
}

// A weak tag says of two files that they mean the same, not that they are the same.
func TestWeakTag(t *testing.T) {
	s := serve(t, content(5000, 1))
	s.tag, s.cut = `W/"v1"`, []int{2000}
	if _, err := Fetch(t.Context(), t.TempDir(), s.file(true), quick()); err != nil {
		t.Fatal(err)
	}
	if want := []string{"", "bytes=2000-"}; !slices.Equal(s.requests, want) {
		t.Errorf("requests %q, want %q", s.requests, want)
	}
}

func TestNoRanges(t *testing.T) {
	s := serve(t, content(1<<20, 1))
	s.noRange, s.cut = true, []int{500_000, 100_000}
	file, err := Fetch(t.Context(), t.TempDir(), s.file(true), quick())
	if err != nil {
		t.Fatal(err)
	}
	wantContent(t, file, s.data)
}

// A server that gets no further ends the attempts, however many bytes it sends each time.
func TestGivenUp(t *testing.T) {
	s := serve(t, content(2<<20, 1))
	s.noRange, s.cut = true, slices.Repeat([]int{1 << 20}, 100)
	_, err := Fetch(t.Context(), t.TempDir(), s.file(true), quick())
	wantError(t, err, "given up after 5 attempts: broken off after 1048576 bytes")
	if len(s.requests) != 5 {
		t.Errorf("%d requests", len(s.requests))
	}
}

// Another file than the expected one is removed, and the error has both sums.
func TestOtherFile(t *testing.T) {
	s := serve(t, content(5000, 1))
	f := s.file(true)
	s.data = content(5000, 2)
	folder := t.TempDir()
	_, err := Fetch(t.Context(), folder, f, quick())
	wantError(t, err, "download: "+f.URL+": the file at the server is another one: its sha256 is "+sumOf(s.data)+" (5000 bytes), not "+f.SHA256+"; what came was removed")
	wantNames(t, folder)
	if len(s.requests) != 1 {
		t.Errorf("%d requests", len(s.requests))
	}
	// Shorter and longer ones.
	s.data = content(5001, 1)
	_, err = Fetch(t.Context(), folder, f, quick())
	wantError(t, err, "the file at the server has changed: it has more than the expected 5000 bytes")
	wantNames(t, folder)
	s.data = content(4999, 1)
	_, err = Fetch(t.Context(), folder, f, quick())
	wantError(t, err, "given up after 5 attempts: ")
}

// The server names lengths that are not so.
func TestLengthLies(t *testing.T) {
	raw := func(head string, body []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			c, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			fmt.Fprintf(c, "HTTP/1.1 %s\r\nConnection: close\r\n\r\n", head)
			c.Write(body)
		}
	}
	data := content(5000, 1)
	for _, c := range []struct {
		name  string
		known bool
		h     http.HandlerFunc
		want  string // empty: the file is right all the same
	}{
		{"too long", true, raw("200 OK\r\nContent-Length: 999999999999", data), ""},
		{"too long", false, raw("200 OK\r\nContent-Length: 999999999999", data), "broken off after 5000 bytes: unexpected EOF"},
		{"too short", true, raw("200 OK\r\nContent-Length: 4000", data), "the server ended after 4000 of 5000 bytes"},
		{"negative", true, raw("200 OK\r\nContent-Length: -5", data), "bad Content-Length"},
		{"none", true, raw("200 OK", data), ""},
		{"none", false, raw("200 OK", data), ""},
		{"none, and a byte more", true, raw("200 OK", append(slices.Clone(data), 0)), "it has more than the expected 5000 bytes"},
		{"none, and a byte less", true, raw("200 OK", data[:4999]), "the server ended after 4999 of 5000 bytes"},
		{"range unasked for", true, raw("206 Partial Content\r\nContent-Range: bytes 0-4999/5000", data), `the server sent the range "bytes 0-4999/5000" in place of the bytes from 0 on`},
		{"range without one", true, raw("206 Partial Content", data), `the server sent the range "" in place`},
		{"no range", true, raw("416 Range Not Satisfiable", nil), "the file at the server has no more than the 0 bytes that are here"},
		{"gone", true, raw("404 Not Found", data), "file.bin?version=1: the server answers 404 Not Found"},
		{"empty", true, raw("204 No Content", nil), "the server answers 204 No Content"},
		{"busy", true, raw("503 Service Unavailable\r\nRetry-After: x", nil), "given up after 2 attempts: the server answers 503 Service Unavailable"},
		{"no HTTP", true, raw("", nil), "malformed HTTP"},
		{"redirect to nowhere", true, raw("302 Found", nil), "the server answers 302 Found"},
		{"nothing comes", false, raw("200 OK\r\nContent-Length: 5000", nil), "broken off after 0 bytes: unexpected EOF"},
	} {
		s := serve(t, data)
		s.answer = c.h
		folder := t.TempDir()
		o := quick()
		o.Attempts = 2
		file, err := Fetch(t.Context(), folder, s.file(c.known), o)
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
				continue
			}
			wantContent(t, file, data)
			continue
		}
		wantError(t, err, c.want)
		if _, err := os.Stat(filepath.Join(folder, "file.bin")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: there is a file under the name: %v", c.name, err)
		}
	}
}

// A range that begins elsewhere is not joined to the part.
func TestWrongRange(t *testing.T) {
	s := serve(t, content(5000, 1))
	s.cut = []int{2000}
	folder := t.TempDir()
	o := quick()
	o.Attempts = 1
	if _, err := Fetch(t.Context(), folder, s.file(true), o); err == nil {
		t.Fatal("no error")
	}
	first := true
	s.answer = func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Range") == "" {
			w.Write(s.data)
			return
		}
		if !first {
			t.Error("a second range was asked for")
		}
		first = false
		w.Header().Set("Content-Range", "bytes 1999-4998/5000")
		w.WriteHeader(http.StatusPartialContent)
		w.Write(s.data[1999:4999])
	}
	o.Attempts = 2
	file, err := Fetch(t.Context(), folder, s.file(true), o)
	if err != nil {
		t.Fatal(err)
	}
	wantContent(t, file, s.data)
}

func TestLimit(t *testing.T) {
	s := serve(t, content(5000, 1))
	f := s.file(false)
	f.MaxSize = 4999
	folder := t.TempDir()
	_, err := Fetch(t.Context(), folder, f, quick())
	wantError(t, err, "the file has more than 4999 bytes, which is the limit")
	wantNames(t, folder)
	f.MaxSize = 5000
	if _, err := Fetch(t.Context(), folder, f, quick()); err != nil {
		t.Error(err)
	}
}

// A whole part that never got its name needs no request.
func TestWholePart(t *testing.T) {
	s := serve(t, content(5000, 1))
	f := s.file(true)
	folder := t.TempDir()
	part := filepath.Join(folder, "file.bin.part")
	put := func() {
		os.WriteFile(part, s.data, 0o666)
		os.WriteFile(notePath(part), fmt.Appendf(nil, `{"url":%q,"sha256":%q}`, f.URL, f.SHA256), 0o666)
	}
	put()
	file, err := Fetch(t.Context(), folder, f, quick())
	if err != nil || len(s.requests) != 0 {
		t.Fatalf("%d requests, %v", len(s.requests), err)
	}
	wantContent(t, file, s.data)
	// Where the size is not known, the server says that nothing is missing.
	os.Remove(file)
	put()
	f.Size = 0
	if file, err = Fetch(t.Context(), folder, f, quick()); err != nil || !slices.Equal(s.requests, []string{"bytes=5000-"}) {
		t.Fatalf("requests %q, %v", s.requests, err)
	}
	wantContent(t, file, s.data)
}

func TestRedirects(t *testing.T) {
	s := serve(t, content(5000, 1))
	hops := 3
	from := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if hops--; hops > 0 {
			http.Redirect(w, r, r.URL.String(), http.StatusFound)
			return
		}
		http.Redirect(w, r, s.URL+"/elsewhere", http.StatusMovedPermanently)
	}))
	defer from.Close()
	f := s.file(true)
	f.URL = from.URL + "/file.bin"
	file, err := Fetch(t.Context(), t.TempDir(), f, quick())
	if err != nil {
		t.Fatal(err)
	}
	wantContent(t, file, s.data)
	hops = 1000
	_, err = Fetch(t.Context(), t.TempDir(), f, quick())
	wantError(t, err, "more than 10 redirects")
	if hops < 980 {
		t.Errorf("asked again after too many redirects: %d", hops)
	}
}

func TestNoEncryption(t *testing.T) {
	s := serve(t, content(5000, 1))
	from := httptest.NewUnstartedServer(http.RedirectHandler(s.URL+"/x", http.StatusFound))
	from.Config.ErrorLog = log.New(io.Discard, "", 0)
	from.StartTLS()
	defer from.Close()
	f := s.file(true)
	f.URL = from.URL + "/file.bin"
	o := quick()
	o.Client = from.Client()
	_, err := Fetch(t.Context(), t.TempDir(), f, o)
	wantError(t, err, "redirected from https to "+s.URL+"/x, which is refused")
	if len(s.requests) != 0 {
		t.Error("the redirect was followed")
	}
	// A certificate that nobody vouches for is not asked for twice.
	o = Options{Wait: time.Hour}
	_, err = Fetch(t.Context(), t.TempDir(), f, o)
	wantError(t, err, "certificate")
}

// A cancelled download says so at once and leaves its part to the next.
func TestCancel(t *testing.T) {
	s := serve(t, content(1<<20, 1))
	ctx, cancel := context.WithCancel(t.Context())
	s.answer = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("ETag", s.tag)
		w.Header().Set("Content-Length", fmt.Sprint(len(s.data)))
		w.Write(s.data[:300_000])
		w.(http.Flusher).Flush()
		<-ctx.Done()
	}
	o := quick()
	o.Progress = func(_ string, done, _ int64) {
		if done > 0 {
			cancel()
		}
	}
	folder := t.TempDir()
	_, err := Fetch(ctx, folder, s.file(true), o)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	wantNames(t, folder, "file.bin.part", "file.bin.part.json")
	s.mu.Lock()
	s.answer = nil
	s.mu.Unlock()
	file, err := Fetch(t.Context(), folder, s.file(true), quick())
	if err != nil {
		t.Fatal(err)
	}
	wantContent(t, file, s.data)
	if !strings.HasPrefix(s.requests[1], "bytes=") {
		t.Errorf("request %q", s.requests[1])
	}
	// Cancelled while it waits for the next attempt.
	s.Close()
	ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Fetch(ctx, t.TempDir(), s.file(true), Options{Wait: time.Hour}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

// A server that sends nothing more counts as broken off.
func TestStall(t *testing.T) {
	s := serve(t, content(5000, 1))
	first := true
	s.answer = func(w http.ResponseWriter, r *http.Request) {
		if first {
			first = false
			w.Header().Set("ETag", s.tag)
			w.Header().Set("Content-Length", "5000")
			w.Write(s.data[:2000])
			w.(http.Flusher).Flush()
			<-r.Context().Done()
			return
		}
		w.Header().Set("ETag", s.tag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(s.data))
	}
	o := quick()
	o.Stall = 50 * time.Millisecond
	file, err := Fetch(t.Context(), t.TempDir(), s.file(true), o)
	if err != nil {
		t.Fatal(err)
	}
	wantContent(t, file, s.data)
	first = true
	o.Attempts = 1
	_, err = Fetch(t.Context(), t.TempDir(), s.file(true), o)
	wantError(t, err, "given up after 1 attempts: ", "nothing came for 50ms")
}

// Many callers want one file: it is fetched once, and all get it.
func TestAtOnce(t *testing.T) {
	s := serve(t, content(2<<20, 1))
	var asked atomic.Int32
	s.answer = func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		w.Write(s.data[:1<<20])
		w.(http.Flusher).Flush()
		time.Sleep(3 * tick)
		w.Write(s.data[1<<20:])
	}
	folder := t.TempDir()
	var wait sync.WaitGroup
	var reported atomic.Int32
	for range 8 {
		wait.Go(func() {
			o := quick()
			once := sync.OnceFunc(func() { reported.Add(1) })
			o.Progress = func(_ string, done, total int64) {
				if done > 0 && done < total {
					once()
				}
			}
			file, err := Fetch(t.Context(), folder, s.file(true), o)
			if err != nil {
				t.Error(err)
				return
			}
			wantContent(t, file, s.data)
		})
	}
	wait.Wait()
	wantNames(t, folder, "file.bin")
	switch runtime.GOOS {
	case "linux", "darwin", "windows":
		if asked.Load() != 1 {
			t.Errorf("%d requests", asked.Load())
		}
		if reported.Load() != 8 {
			t.Errorf("%d of 8 callers were told of the progress", reported.Load())
		}
	}
}

// A caller that waits for another can be cancelled.
func TestCancelWaiting(t *testing.T) {
	folder := t.TempDir()
	release, err := lock(t.Context(), filepath.Join(folder, "file.bin.lock"), func() {})
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip("no locks here")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	s := serve(t, content(10, 1))
	if _, err := Fetch(ctx, folder, s.file(true), quick()); !errors.Is(err, context.DeadlineExceeded) || len(s.requests) != 0 {
		t.Errorf("%d requests, error %v", len(s.requests), err)
	}
}

func TestBadFile(t *testing.T) {
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, "folder"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		f    File
		o    Options
		want string
	}{
		{File{URL: "ftp://example.com/a"}, Options{}, `download: "ftp://example.com/a" is no http or https URL`},
		{File{URL: "file:///etc/passwd"}, Options{}, `download: "file:///etc/passwd" is no http or https URL`},
		{File{URL: "http://[::1"}, Options{}, "download: parse"},
		{File{URL: "http://example.com"}, Options{}, `"." is no name for a file`},
		{File{URL: "http://example.com/.."}, Options{}, `".." is no name for a file`},
		{File{URL: "http://example.com/a", Name: "../a"}, Options{}, `"../a" is no name for a file`},
		{File{URL: "http://example.com/a", Name: `b\a`}, Options{}, `"b\\a" is no name for a file`},
		{File{URL: "http://example.com/a", SHA256: "12"}, Options{}, `"12" is no sha256`},
		{File{URL: "http://example.com/a", Size: -1}, Options{}, ": Size -1 must not be negative"},
		{File{URL: "http://example.com/a", MaxSize: -2}, Options{}, ": MaxSize -2 must not be negative"},
		{File{URL: "http://example.com/a"}, Options{Attempts: -1}, "Attempts -1 must not be negative"},
		{File{URL: "http://example.com/a"}, Options{Wait: -1}, "Wait -1ns must not be negative"},
		{File{URL: "http://example.com/a"}, Options{Stall: -1}, "Stall -1ns must not be negative"},
		{File{URL: "http://example.com/folder"}, Options{}, filepath.Join(folder, "folder") + " is a folder, not a file"},
	} {
		_, err := Fetch(t.Context(), folder, c.f, c.o)
		wantError(t, err, "download: ", c.want)
	}
	file := filepath.Join(folder, "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	_, err := Fetch(t.Context(), filepath.Join(file, "sub"), File{URL: "http://example.com/a"}, Options{})
	wantError(t, err, "download: ", file)
}

// A name that no server has is not asked for again and again.
func TestNoSuchHost(t *testing.T) {
	o := Options{Wait: time.Hour, Client: &http.Client{Transport: &http.Transport{
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.DNSError{Err: "no such host", Name: "nowhere.invalid", IsNotFound: true}
		},
	}}}
	folder := t.TempDir()
	_, err := Fetch(t.Context(), folder, File{URL: "http://nowhere.invalid/a"}, o)
	wantError(t, err, "nowhere.invalid: no such host")
	wantNames(t, folder)
}

func TestFolder(t *testing.T) {
	t.Setenv("LINNET_DATA", "/some/where")
	if dir, err := Folder(); dir != "/some/where" || err != nil {
		t.Error(dir, err)
	}
	t.Setenv("LINNET_DATA", "")
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skip(err)
	}
	if dir, err := Folder(); dir != filepath.Join(cache, "linnet") || err != nil {
		t.Error(dir, err)
	}
}

func TestPrinter(t *testing.T) {
	var b strings.Builder
	p := NewPrinter(&b)
	report := func() {
		p.Report("a", 0, 2_000_000)
		p.Report("a", 1_000_000, 2_000_000)
		p.Report("a", 2_000_000, 2_000_000)
		p.Report("b", 50_000, -1)
		p.End()
	}
	report()
	if want := "a: downloading 2.0 MB\na: 2.0 MB received\nb: downloading\n"; b.String() != want {
		t.Errorf("got  %q\nwant %q", b.String(), want)
	}
	b.Reset()
	p.terminal = true
	report()
	if want := "\ra: 0.0 MB of 2.0 MB (0 %)\ra: 1.0 MB of 2.0 MB (50 %)\ra: 2.0 MB of 2.0 MB (100 %)\n\rb: 0.1 MB\n"; b.String() != want {
		t.Errorf("got  %q\nwant %q", b.String(), want)
	}
}

// No goroutine and no connection stays behind a broken download.
func TestNothingLeft(t *testing.T) {
	s := serve(t, content(1<<20, 1))
	o := quick()
	before := runtime.NumGoroutine()
	for range 10 {
		s.mu.Lock()
		s.cut = []int{1000, 1000}
		s.mu.Unlock()
		if _, err := Fetch(t.Context(), t.TempDir(), s.file(true), o); err != nil {
			t.Fatal(err)
		}
	}
	for i := 0; runtime.NumGoroutine() > before; i++ { // the server's own end a moment later
		if i > 100 {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
