package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/linnet-ml/linnet/classifier"
	"github.com/rogpeppe/go-internal/testscript"
)

// freeAddress is an address that nobody listens on right now.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// httpCommand is the scripts' command "http STATUS METHOD URL [BODY [KEY]]": it sends a request and demands a status. It waits for a server
// that is not there yet.
func httpCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 || len(args) > 5 {
		ts.Fatalf("usage: http STATUS METHOD URL [BODY [KEY]]")
	}
	args = append(args, "", "")
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		r, err := http.NewRequest(args[1], args[2], strings.NewReader(args[3]))
		ts.Check(err)
		if args[3] != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		if args[4] != "" {
			r.Header.Set("Authorization", "Bearer "+args[4])
		}
		r.Close = true
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			if time.Now().After(end) {
				ts.Fatalf("%v", err)
			}
			continue
		}
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		ts.Check(err)
		fmt.Fprintf(ts.Stdout(), "%s", body)
		if got := strconv.Itoa(answer.StatusCode); got != args[0] {
			ts.Fatalf("status %s, want %s: %s", got, args[0], body)
		}
		return
	}
}

// A process is the program as a user starts it.
type process struct {
	cmd     *exec.Cmd
	address string
	pprof   string
	ended   chan error
	mu      sync.Mutex
	log     bytes.Buffer
}

func needsUnix(tb testing.TB) {
	tb.Helper()
	if runtime.GOOS == "windows" {
		tb.Skip("signals and links of Unix")
	}
}

// startServer runs "linnet serve" and waits until it serves.
func startServer(tb testing.TB, args ...string) *process {
	tb.Helper()
	needsUnix(tb)
	self, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	program := filepath.Join(tb.TempDir(), "linnet") // by this name the test is the program
	if err := os.Symlink(self, program); err != nil {
		tb.Fatal(err)
	}
	p := &process{cmd: exec.Command(program, append([]string{"serve", "--addr", "127.0.0.1:0"}, args...)...), ended: make(chan error, 1)}
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { p.cmd.Process.Kill() })
	serving := make(chan string, 2)
	go func() {
		for s := bufio.NewScanner(stderr); s.Scan(); {
			p.mu.Lock()
			p.log.WriteString(s.Text() + "\n")
			p.mu.Unlock()
			if _, url, ok := strings.Cut(s.Text(), "msg=profiles url="); ok {
				p.pprof = url
			}
			if _, rest, ok := strings.Cut(s.Text(), "msg=serving addr="); ok {
				address, _, _ := strings.Cut(rest, " ")
				serving <- address
			}
		}
		close(serving)
		p.ended <- p.cmd.Wait()
	}()
	select {
	case p.address = <-serving:
	case <-time.After(30 * time.Second):
	}
	if p.address == "" {
		tb.Fatalf("it does not serve: %s", p.logged())
	}
	return p
}

func (p *process) logged() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// get returns the status and the body of an answer. 0 stands for none.
func get(client *http.Client, method, url, body string) (int, string) {
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return 0, err.Error()
	}
	answer, err := client.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err.Error()
	}
	return answer.StatusCode, string(b)
}

// saved writes a classifier to path. flipped exchanges the classes.
func saved(tb testing.TB, path string, flipped bool) {
	tb.Helper()
	var examples []classifier.Example
	for i := range 20 {
		word, label := []string{"lovely", "dull"}[i%2], []string{"positive", "negative"}[i%2]
		if flipped {
			label = []string{"negative", "positive"}[i%2]
		}
		examples = append(examples, classifier.Example{Text: fmt.Sprintf("a %s film number %d", word, i/2), Labels: []string{label}})
	}
	c, err := classifier.Train(context.Background(), examples, classifier.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	if err := c.Save(context.Background(), path); err != nil {
		tb.Fatal(err)
	}
}

// waitFor waits for a condition.
func waitFor(tb testing.TB, what string, is func() bool) {
	tb.Helper()
	for end := time.Now().Add(30 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			tb.Fatalf("%s does not come", what)
		}
	}
}

// A failure is a request without an answer.
type failure struct {
	err     error
	fresh   bool // on a connection that no other request had used
	refused bool // the server was no longer there, or ended before it took the connection
}

// classifyFilms sends a lovely film and a dull one.
func classifyFilms(client *http.Client, url string) (status int, body string, failed *failure) {
	fresh := true // without a connection too
	trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { fresh = !info.Reused }}
	r, err := http.NewRequestWithContext(httptrace.WithClientTrace(context.Background(), trace), "POST", url+"/v1/classify", strings.NewReader(`{"texts":["a lovely film","a dull film"]}`))
	if err != nil {
		return 0, "", &failure{err: err}
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := client.Do(r)
	if err != nil {
		// The kernel resets connections that the server has not taken when it ends.
		return 0, "", &failure{err, fresh, errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, io.EOF)}
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, "", &failure{err: err}
	}
	return answer.StatusCode, string(b), nil
}

// filmLabels reads the answer to classifyFilms.
func filmLabels(status int, body string) (version, lovely, dull string, ok bool) {
	var a struct {
		Version string
		Results []struct{ Label string }
	}
	if err := json.Unmarshal([]byte(body), &a); err != nil || status != 200 || len(a.Results) != 2 {
		return "", "", "", false
	}
	return a.Version, a.Results[0].Label, a.Results[1].Label, true
}

// The file is replaced at random moments under load, and broken in between: no request fails, and no answer mixes versions. SIGTERM
// makes the server unready while it goes on answering, and then it ends in order. Clients that go on meanwhile lose no request on a
// connection that they have.
func TestServeReplaceAndDrain(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "m.linnet")
	saved(t, filepath.Join(dir, "a"), false)
	saved(t, filepath.Join(dir, "b"), true)
	put := func(name string) {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "new"), b, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(dir, "new"), path); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "broken"), []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	put("a")
	p := startServer(t, path, "--reload", "5ms", "--drain-delay", "3s", "--pprof", "127.0.0.1:0")
	url := "http://" + p.address
	var versions sync.Map // version to the label of "lovely"
	var draining atomic.Bool
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for {
				status, body, failed := classifyFilms(client, url)
				if failed != nil && draining.Load() && failed.fresh && failed.refused {
					return // the server has ended
				}
				if failed != nil {
					t.Errorf("%v, on a fresh connection: %v", failed.err, failed.fresh)
					return
				}
				version, lovely, dull, ok := filmLabels(status, body)
				label, _ := versions.LoadOrStore(version, lovely)
				if !ok || lovely != label || dull == label {
					t.Errorf("wrong or mixed: %d %s", status, body)
					return
				}
			}
		})
	}
	answers := func(version string) bool {
		_, body := get(http.DefaultClient, "GET", url+"/v1/models", "")
		return strings.Contains(body, version)
	}
	first := func() string {
		_, body := get(http.DefaultClient, "GET", url+"/v1/models", "")
		_, after, _ := strings.Cut(body, `"version":"`)
		version, _, _ := strings.Cut(after, `"`)
		return version
	}
	a := first()
	put("b")
	waitFor(t, "the second version", func() bool { return !answers(a) })
	b := first()
	for i := range 10 {
		put("broken")
		put([]string{"a", "b"}[i%2])
		waitFor(t, "the next version", func() bool { return answers([]string{a, b}[i%2]) })
	}
	put("broken")
	metric := func(line string) func() bool {
		return func() bool {
			_, body := get(http.DefaultClient, "GET", url+"/metrics", "")
			return strings.Contains(body, line+"\n")
		}
	}
	waitFor(t, "a broken file in the metrics", metric(`linnet_model_stale{model="m"} 1`))
	if !answers(b) || !strings.Contains(p.logged(), "level=ERROR") {
		t.Errorf("a broken file: %s", p.logged())
	}
	if status, body := get(http.DefaultClient, "GET", p.pprof+"goroutine?debug=1", ""); status != 200 || !strings.Contains(body, "goroutine profile") {
		t.Errorf("profiles: %d", status)
	}
	if status, _ := get(http.DefaultClient, "GET", url+"/debug/pprof/", ""); status != 404 {
		t.Errorf("profiles on the first address: %d", status)
	}

	if out, err := exec.Command("kill", "-HUP", strconv.Itoa(p.cmd.Process.Pid)).CombinedOutput(); err != nil { // it does nothing
		t.Fatalf("%v: %s", err, out)
	}
	time.Sleep(50 * time.Millisecond)
	draining.Store(true)
	begin := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "unready", func() bool {
		status, _ := get(http.DefaultClient, "GET", url+"/v2/health/ready", "")
		return status == 503
	})
	if status, _ := get(http.DefaultClient, "GET", url+"/v2/health/live", ""); status != 200 {
		t.Errorf("live while it drains: %d", status)
	}
	if status, _ := get(http.DefaultClient, "GET", p.pprof+"goroutine?debug=1", ""); status != 200 {
		t.Errorf("profiles while it drains: %d", status)
	}
	wait.Wait() // the clients go on until they are refused
	if took := time.Since(begin); took < 3*time.Second {
		t.Errorf("refused after %v", took)
	}
	select {
	case err := <-p.ended:
		if err != nil || !strings.Contains(p.logged(), "msg=ended") {
			t.Errorf("%v: %s", err, p.logged())
		}
	case <-time.After(20 * time.Second):
		t.Error("it does not end")
	}
	if n := 0; true {
		versions.Range(func(any, any) bool { n++; return true })
		if n != 2 {
			t.Errorf("%d versions answered", n)
		}
	}
}

// certificate writes a new key and a certificate of its own for a name, and returns it.
func certificate(tb testing.TB, dir, name string) *x509.Certificate {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), DNSNames: []string{name}, NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		tb.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		tb.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(filepath.Join(dir, file), pem.EncodeToMemory(block), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// With TLS, new files are shown without a restart, and files that do not fit are not. Connections that are kept lose their places to
// new ones.
func TestServeTLS(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "m.linnet")
	saved(t, path, false)
	old := certificate(t, dir, "old.test")
	p := startServer(t, path, "--reload", "5ms", "--tls-cert", filepath.Join(dir, "cert.pem"), "--tls-key", filepath.Join(dir, "key.pem"), "--max-connections", "2")
	ask := func(c *x509.Certificate) (int, string) {
		pool := x509.NewCertPool()
		pool.AddCert(c)
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: c.DNSNames[0]}, ForceAttemptHTTP2: true}
		t.Cleanup(transport.CloseIdleConnections)
		return get(&http.Client{Transport: transport, Timeout: 10 * time.Second}, "POST", "https://"+p.address+"/v1/classify", `{"text":"a lovely film"}`)
	}
	if status, body := ask(old); status != 200 || !strings.Contains(body, "positive") {
		t.Fatalf("%d %s", status, body)
	}
	if err := os.WriteFile(filepath.Join(dir, "key.pem"), []byte("no key"), 0o600); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "an error in the log", func() bool { return strings.Contains(p.logged(), "level=ERROR") })
	if status, body := ask(old); status != 200 {
		t.Errorf("%d %s", status, body)
	}
	new := certificate(t, dir, "new.test")
	waitFor(t, "the new certificate", func() bool { status, _ := ask(new); return status == 200 })
	if status, _ := ask(old); status != 0 {
		t.Error("the old certificate is still shown")
	}
}

// Servers are killed at random moments under load, while their file is replaced, and others start at the same address. Every answer
// that arrives whole is right and of one version, and only a killed server fails requests.
func TestServeKilled(t *testing.T) {
	needsUnix(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "m.linnet")
	labels := map[string]string{} // version to the label of "lovely"
	var files [][]byte
	for i, flipped := range []bool{false, true} {
		saved(t, path, flipped)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		digest := sha256.Sum256(b)
		labels[hex.EncodeToString(digest[:6])] = []string{"positive", "negative"}[i]
		files = append(files, b)
	}
	address, err := freeAddress()
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + address
	var up atomic.Bool // the server is there and nobody is about to kill it
	var kills atomic.Int64
	var mu sync.Mutex
	answers := map[string]int{} // of each version
	total := func() int {
		mu.Lock()
		defer mu.Unlock()
		n := 0
		for _, k := range answers {
			n += k
		}
		return n
	}
	stop := make(chan struct{})
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for {
				select {
				case <-stop:
					return
				default:
				}
				before, wasUp := kills.Load(), up.Load()
				status, body, failed := classifyFilms(client, url)
				if failed != nil {
					if wasUp && up.Load() && kills.Load() == before {
						t.Errorf("a living server: %v, on a fresh connection: %v", failed.err, failed.fresh)
						return
					}
					time.Sleep(time.Millisecond)
					continue
				}
				version, lovely, dull, ok := filmLabels(status, body)
				if want := labels[version]; !ok || want == "" || lovely != want || dull == want {
					t.Errorf("wrong or mixed: %d %s", status, body)
					return
				}
				mu.Lock()
				answers[version]++
				mu.Unlock()
			}
		})
	}
	wait.Go(func() { // the one who replaces the file
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(7 * time.Millisecond):
			}
			err := os.WriteFile(path+".new", files[i%2], 0o644)
			if err == nil {
				err = os.Rename(path+".new", path)
			}
			if err != nil {
				t.Error(err)
				return
			}
		}
	})
	for i := range 6 {
		p := startServer(t, path, "--addr", address, "--reload", "5ms")
		up.Store(true)
		want := total() + 50 + mathrand.IntN(200)
		waitFor(t, "answers", func() bool { return total() >= want || t.Failed() })
		up.Store(false)
		kills.Add(1)
		p.cmd.Process.Kill()
		<-p.ended
		if strings.Contains(p.logged(), "level=ERROR") {
			t.Errorf("server %d: %s", i, p.logged())
		}
	}
	close(stop)
	wait.Wait()
	if len(answers) != 2 {
		t.Errorf("answers by version: %v", answers)
	}
}

// A connection beyond the limit takes the place of one that waits for a request, but of none with a request.
func TestServeConnections(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "m.linnet")
	saved(t, path, false)
	certificate(t, dir, "a.test")
	t.Run("plain", func(t *testing.T) {
		p := startServer(t, path, "--max-connections", "2")
		testConnections(t, func() (net.Conn, error) { return net.Dial("tcp", p.address) })
	})
	t.Run("TLS", func(t *testing.T) {
		p := startServer(t, path, "--max-connections", "2", "--tls-cert", filepath.Join(dir, "cert.pem"), "--tls-key", filepath.Join(dir, "key.pem"))
		testConnections(t, func() (net.Conn, error) {
			c, err := net.Dial("tcp", p.address)
			if err != nil {
				return nil, err
			}
			return tls.Client(c, &tls.Config{InsecureSkipVerify: true}), nil // the handshake waits for the first byte
		})
	})
}

func testConnections(t *testing.T, open func() (net.Conn, error)) {
	dial := func() (net.Conn, *bufio.Reader) {
		c, err := open()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c, bufio.NewReader(c)
	}
	live := func(c net.Conn, r *bufio.Reader) error {
		c.SetDeadline(time.Now().Add(10 * time.Second))
		fmt.Fprint(c, "GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
		answer, err := http.ReadResponse(r, nil)
		if err == nil {
			_, err = io.Copy(io.Discard, answer.Body)
		}
		return err
	}
	oldest, ofOldest := dial()
	if err := live(oldest, ofOldest); err != nil {
		t.Fatal(err)
	}
	time.Sleep(500 * time.Millisecond) // the server sees the end of the answer after the client
	silent, ofSilent := dial()         // sends nothing
	third, ofThird := dial()
	if err := live(third, ofThird); err != nil {
		t.Errorf("a third connection beside idle ones: %v", err)
	}
	var timeout net.Error
	if _, err := ofOldest.ReadByte(); err == nil || errors.As(err, &timeout) && timeout.Timeout() {
		t.Errorf("the oldest connection still has its place: %v", err)
	}
	// Both that are left have a request each whose body does not come. The server says that it waits for the body.
	for _, c := range []struct {
		net.Conn
		r *bufio.Reader
	}{{third, ofThird}, {silent, ofSilent}} {
		fmt.Fprint(c, "POST /v1/classify HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 20\r\nExpect: 100-continue\r\n\r\n")
		if line, err := c.r.ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
			t.Fatalf("%q %v", line, err)
		}
		c.r.ReadString('\n')
	}
	fourth, ofFourth := dial()
	fourth.SetDeadline(time.Now().Add(2 * patience))
	fmt.Fprint(fourth, "GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
	if _, err := ofFourth.ReadByte(); err == nil {
		t.Error("a third connection beside two with requests")
	}
	fourth.Close()
	for _, c := range []struct {
		net.Conn
		r *bufio.Reader
	}{{third, ofThird}, {silent, ofSilent}} {
		fmt.Fprint(c, `{"text":"dull film"}`)
		c.SetDeadline(time.Now().Add(10 * time.Second))
		if answer, err := http.ReadResponse(c.r, nil); err != nil || answer.StatusCode != 200 {
			t.Errorf("a connection with a request lost it: %v", err)
		}
	}
	fifth, ofFifth := dial()
	if err := live(fifth, ofFifth); err != nil {
		t.Errorf("a connection after the requests: %v", err)
	}
}

// A server on the loopback without keys answers no request for a name that a page of the web could have. One with keys does.
func TestServeHost(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.linnet")
	saved(t, path, false)
	ask := func(p *process, host string) int {
		r, err := http.NewRequest("GET", "http://"+p.address+"/v2/health/live", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		var a struct{ Code string }
		if err := json.NewDecoder(answer.Body).Decode(&a); err != nil || (answer.StatusCode == 200) != (a.Code == "") {
			t.Errorf("%s: %d, code %q, %v", host, answer.StatusCode, a.Code, err)
		}
		return answer.StatusCode
	}
	p := startServer(t, path, "--host", "proxy.test")
	for host, want := range map[string]int{
		p.address: 200, "127.0.0.1": 200, "localhost": 200, "LocalHost:8080": 200, "[::1]:80": 200, "[::1]": 200, "10.0.0.1": 200, "proxy.test": 200,
		"evil.test": 421, "evil.test:8080": 421, "localhost.evil.test": 421, "127.0.0.1.evil.test:8080": 421,
	} {
		if got := ask(p, host); got != want {
			t.Errorf("Host %s: %d, want %d", host, got, want)
		}
	}
	keys := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(keys, []byte("one\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := ask(startServer(t, path, "--api-key-file", keys), "evil.test"); got != 200 {
		t.Errorf("with keys: %d", got)
	}
}

// A server that others reach says so, for its profiles too, and names an address to ask.
func TestServeEverywhere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.linnet")
	saved(t, path, false)
	p := startServer(t, path, "--addr", "0.0.0.0:0", "--pprof", "0.0.0.0:0")
	for _, want := range []string{"other machines can use this server", "other machines can read the profiles", "url=http://localhost:"} {
		if !strings.Contains(p.logged(), want) {
			t.Errorf("the log does not say %q: %s", want, p.logged())
		}
	}
	if strings.Contains(p.logged(), "url=http://0.0.0.0") {
		t.Error(p.logged())
	}
}
