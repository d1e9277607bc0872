package serve

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// An attack is a request that no friend sends, byte by byte, and the statuses that it may get. 0 is a connection that is
// closed without an answer.
type attack struct {
	name   string
	bytes  string
	more   func(c net.Conn) // what is sent while the answer is awaited
	half   bool             // nothing more will be sent
	status []int
}

// request is a request with a key, which the server takes for whole.
func request(method, path, headers, body string) string {
	return fmt.Sprintf("%s %s HTTP/1.1\r\nHost: a\r\nX-API-Key: right\r\nContent-Length: %d\r\n%s\r\n%s", method, path, len(body), headers, body)
}

// attacks makes the attacks of one round, no two alike.
func attacks(random *rand.Rand) []attack {
	path := []string{"/v1/classify", "/v2/models/two/infer", "/v2/models/two/versions/v1/infer"}[random.IntN(3)]
	n := 1 + random.IntN(50)
	word := strings.Repeat("x", n)
	bad := func(name, body string) attack {
		return attack{name: name, bytes: request("POST", path, "", body), status: []int{400}}
	}
	deep := func(open, close string) string {
		k := 2000 + random.IntN(20000)
		return strings.Repeat(open, k) + strings.Repeat(close, k*random.IntN(2))
	}
	list := []attack{
		bad("wrong types", []string{`{"text":1}`, `{"texts":{}}`, `{"inputs":"a"}`, `{"inputs":[1]}`, `[]`, `"a"`, `null`, `7`, `true`}[random.IntN(9)]),
		bad("half JSON", `{"text":"`+word),
		bad("deep lists", deep("[", "]")),
		bad("deep objects", deep(`{"text":`, "}")),
		bad("deep lists of texts", `{"texts":`+deep("[", "]")+`}`),
		bad("deep parameters", `{"parameters":{"a":`+deep("[", "]")+`}}`),
		bad("deep data", `{"inputs":[{"data":`+deep("[", "]")+`}]}`),
		bad("invalid UTF-8", "{\"text\":\""+word+[]string{"\xff", "\xc3", "\xed\xa0\x80", "\xf8\x88\x80\x80\x80"}[random.IntN(4)]+"\"}"),
		bad("half a pair", `{"text":"`+word+`\ud83d"}`),
		bad("control characters", "{\"text\":\""+word+"\x00\"}"),
		bad("the same name twice", `{"text":"a","text":"`+word+`"}`),
		bad("the same name twice, once escaped", `{"inputs":[],"\u0069nputs":[]}`),
		bad("unknown members", `{"`+word+`":1}`),
		bad("thousands of members", `{"parameters":{`+strings.Repeat(`"a`+word+`":1,`, 1000)+`"b":1}}`),
		bad("numbers out of range", `{"inputs":[{"name":"text","datatype":"BYTES","shape":[`+[]string{"-1", "1e400", "99999999999999999999", "2147483648", "0.5", "1e-400", strings.Repeat("9", 5000)}[random.IntN(7)]+`],"data":["a"]}]}`),
		bad("more texts said than sent", `{"inputs":[{"name":"text","datatype":"BYTES","shape":[2147483647],"data":["a"]}]}`),
		{name: "a number that is too long", bytes: request("POST", path, "", `{"text":`+strings.Repeat("1", 100000)+`}`), status: []int{400}},
		{name: "binary that lies", bytes: request("POST", "/v2/models/two/infer", headerLength+": 104\r\n", `{"inputs":[{"name":"text","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":2000000000}}]}  `+word), status: []int{400}},
		{name: "a header length that lies", bytes: request("POST", "/v2/models/two/infer", headerLength+": 99999999999999999999\r\n", `{}`), status: []int{400}},
		{name: "too many texts", bytes: request("POST", "/v1/classify", "", `{"texts":["a"`+strings.Repeat(`,"a"`, 2000)+`]}`), status: []int{413}},
		{name: "a text that is too long", bytes: request("POST", "/v1/classify", "", `{"text":"`+strings.Repeat(word, 1+20000/n)+`"}`), status: []int{413}},
		{name: "a body that is too large", bytes: request("POST", path, "", strings.Repeat(" ", 300_000+n*100_000)), status: []int{413}},
		{name: "a GB declared", bytes: "POST " + path + " HTTP/1.1\r\nHost: a\r\nX-API-Key: right\r\nContent-Length: " + strconv.Itoa(1<<30+n) + "\r\n\r\n{", status: []int{413}},
		{name: "a length that no number holds", bytes: "POST " + path + " HTTP/1.1\r\nHost: a\r\nX-API-Key: right\r\nContent-Length: 99999999999999999999\r\n\r\n{", status: []int{400}},
		{name: "two lengths", bytes: "POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}", status: []int{400}},
		{name: "a body that is cut", half: true, bytes: "POST " + path + " HTTP/1.1\r\nHost: a\r\nX-API-Key: right\r\nContent-Length: 1000\r\n\r\n{\"text\":\"" + word, status: []int{400}},
		{name: "a body that does not come", bytes: "POST " + path + " HTTP/1.1\r\nHost: a\r\nX-API-Key: right\r\nContent-Length: 1000\r\n\r\n{\"text\":\"" + word, status: []int{408}},
		{name: "a body that drips", bytes: "POST " + path + " HTTP/1.1\r\nHost: a\r\nX-API-Key: right\r\nContent-Length: 1000\r\n\r\n{\"text\":\"", more: drip, status: []int{408}},
		{name: "a header that drips", bytes: "POST " + path + " HTTP/1.1\r\nHost: a\r\nX-", more: drip, status: []int{0, 400}}, // net/http's own answer
		{name: "chunks without an end", bytes: "POST " + path + " HTTP/1.1\r\nHost: a\r\nX-API-Key: right\r\nTransfer-Encoding: chunked\r\n\r\n", more: flood, status: []int{413}},
		{name: "chunks that are none", bytes: "POST " + path + " HTTP/1.1\r\nHost: a\r\nX-API-Key: right\r\nTransfer-Encoding: chunked\r\n\r\nzz" + word + "\r\n", status: []int{400}},
		{name: "headers that flood", bytes: "GET /v2 HTTP/1.1\r\nHost: a\r\n" + strings.Repeat("X-"+word+": "+word+"\r\n", 30000/(n+2)), status: []int{431}},
		{name: "a path that floods", bytes: "GET /" + strings.Repeat(word, 1+30000/n) + " HTTP/1.1\r\nHost: a\r\n\r\n", status: []int{431}},
		{name: "a path that climbs", bytes: request("GET", []string{"/../../etc/passwd", "/..%2f..%2fetc/passwd", "//page.js", "/page/index.html", "/page.js/", "/%00", "/v2/models/..", "/v2/models/two%2Finfer/ready", "/v2/models/two/versions/../infer", "/./", "/v1/classify%20", "/V1/classify", "/.git/config"}[random.IntN(13)], "", ""), status: []int{404}},
		{name: "a path that is none", bytes: "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", status: []int{400}},
		{name: "the wrong method", bytes: request([]string{"PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "GET", strings.ToUpper(word)}[random.IntN(7)], path, "", "{}"), status: []int{405}},
		{name: "a method that is none", bytes: request("G(T", path, "", "{}"), status: []int{400}},
		{name: "the wrong key", bytes: strings.Replace(request("POST", path, "", `{"text":"a"}`), "right", "righ"+word, 1), status: []int{401}},
		{name: "no key, and a long body", bytes: "POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n" + strings.Repeat(" ", 3000000), status: []int{401}},
		{name: "no key", bytes: "POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n{", status: []int{401}},
		{name: "a key that floods", bytes: strings.Replace(request("POST", path, "", `{"text":"a"}`), "right", strings.Repeat("k", 5000), 1), status: []int{401}},
		{name: "a bomb", bytes: request("POST", path, "Content-Encoding: gzip\r\n", "\x1f\x8b\x08"), status: []int{415}},
		{name: "another type", bytes: request("POST", "/v1/classify", "Content-Type: multipart/form-data; boundary="+word+"\r\n", "--"), status: []int{415}},
		{name: "no host", bytes: "GET /v2 HTTP/1.1\r\n\r\n", status: []int{400}},
		{name: "a header with a zero", bytes: "GET /v2 HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n", status: []int{400}},
		{name: "TLS", bytes: "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + word + "\r\n\r\n", status: []int{400}},
		{name: "nothing", half: true, status: []int{0}},
	}
	return list
}

// drip sends a byte now and then.
func drip(c net.Conn) {
	for range 1000 {
		if _, err := c.Write([]byte("x")); err != nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// flood sends chunks until it cannot.
func flood(c net.Conn) {
	chunk := "2000\r\n" + strings.Repeat(" ", 0x2000) + "\r\n"
	for range 100000 {
		if _, err := io.WriteString(c, chunk); err != nil {
			return
		}
	}
}

// run makes the attack and returns the status of the answer, 0 if there is none.
func (a *attack) run(address string) (int, error) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(30 * time.Second))
	io.WriteString(c, a.bytes) // the server may answer and close before it has read everything
	if a.half {
		c.(*net.TCPConn).CloseWrite()
	}
	if a.more != nil {
		go a.more(c)
	}
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		if e, ok := err.(net.Error); ok && e.Timeout() {
			return 0, err
		}
		return 0, nil
	}
	defer r.Body.Close()
	if _, err = io.Copy(io.Discard, r.Body); a.more != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		err = nil // who goes on sending may lose the end of an answer
	}
	return r.StatusCode, err
}

// A thousand hostile requests each get their status; memory stays bounded, others are served meanwhile, and nothing is left
// behind.
func TestHostile(t *testing.T) {
	h := newHandler(t, Options{MaxBody: 256 << 10, MaxText: 10_000, BodyTimeout: 3 * time.Second, APIKeys: []string{"right"}})
	s := h.Server("")
	s.ReadHeaderTimeout = 3 * time.Second
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	goroutines := runtime.NumGoroutine()
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()

	stop := make(chan struct{})
	var beside, wait sync.WaitGroup
	var served, most atomic.Int64
	var before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	beside.Go(func() { // a friend
		client := &http.Client{Transport: &http.Transport{}, Timeout: 20 * time.Second}
		defer client.CloseIdleConnections()
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
			}
			r, _ := http.NewRequest("POST", "http://"+address+"/v1/classify", strings.NewReader(`{"text":"a lovely film"}`))
			r.Header.Set("X-API-Key", "right")
			answer, err := client.Do(r)
			if err != nil {
				t.Error(err)
				return
			}
			b, err := io.ReadAll(answer.Body)
			answer.Body.Close()
			if err != nil || answer.StatusCode != 200 || !strings.Contains(string(b), "positive") {
				t.Errorf("a friend gets %d %s: %v", answer.StatusCode, b, err)
				return
			}
			served.Add(1)
		}
	})
	beside.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
			}
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most.Store(max(most.Load(), int64(m.HeapInuse)))
		}
	})

	const total = 1000
	work := make(chan attack)
	for range 32 {
		wait.Go(func() {
			for a := range work {
				status, err := a.run(address)
				if err != nil || !slices.Contains(a.status, status) {
					t.Errorf("%s: status %d, want %v: %v: %.200q", a.name, status, a.status, err, a.bytes)
				}
			}
		})
	}
	random := rand.New(rand.NewPCG(13, 0))
	for n := 0; n < total; {
		for _, a := range attacks(random) {
			if n++; n <= total {
				work <- a
			}
		}
	}
	close(work)
	wait.Wait()
	close(stop)
	beside.Wait()
	if n := served.Load(); n < 20 {
		t.Errorf("a friend was served %d times", n)
	}
	if grown := most.Load() - int64(before.HeapInuse); grown > 128<<20 {
		t.Errorf("the memory grew by %d bytes", grown)
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != http.ErrServerClosed {
		t.Error(err)
	}
	if n, k := h.buffered.Load(), h.working.Load(); n != 0 || k != 0 {
		t.Errorf("%d bytes and %d requests are still counted", n, k)
	}
	until(t, "the end of all goroutines", func() bool { return runtime.NumGoroutine() <= goroutines })
}
