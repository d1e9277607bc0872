package serve

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"testing"
	"time"
)

// listen serves with s until the test ends, and returns the address.
func listen(t *testing.T, s *http.Server) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Close()
		<-ended
	})
	return l.Addr().String()
}

// dial sends bytes on a connection of their own.
func dial(t *testing.T, address, bytes string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.(*net.TCPConn).SetReadBuffer(4096)
	c.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.WriteString(c, bytes); err != nil {
		t.Fatal(err)
	}
	return c
}

// A client that does not read its answer keeps no place, its time is limited, and it does not count for ever.
func TestSlowReader(t *testing.T) {
	h := newHandler(t, Options{MaxConcurrent: 1, MaxExplained: 1 << 20, BodyTimeout: time.Second})
	address := listen(t, &http.Server{Handler: h}) // somebody else's, without limits
	marks := strings.Repeat("!", 250_000)
	for _, body := range []string{
		`{"explain":true,"text":"` + marks + `"}`,
		`{"explain":true,"texts":["` + marks + `","` + marks + `"]}`,
		`{"explain":true,"texts":["` + marks[:1300] + `","` + marks + `"]}`, // the first part fits into what the kernel keeps
	} {
		dial(t, address, request("POST", "/v1/classify", "", body))
		until(t, "a long answer without a place", func() bool { return h.buffered.Load() > 8<<20 && h.working.Load() == 0 && len(h.heavy) == 0 })
		client := &http.Client{Timeout: 10 * time.Second}
		answer, err := client.Post("http://"+address+"/v1/classify", "application/json", strings.NewReader(`{"explain":true,"text":"a lovely film"}`))
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != 200 {
			t.Errorf("another client gets %d", answer.StatusCode)
		}
		client.CloseIdleConnections()
		until(t, "the end of the slow client", func() bool { return h.buffered.Load() == 0 })
	}
}

// An answer whose second part has to wait for a place is sent whole: the limit of the first part was for that part.
func TestPartsFarApart(t *testing.T) {
	h := newHandler(t, Options{MaxConcurrent: 1, BodyTimeout: 100 * time.Millisecond})
	address := listen(t, &http.Server{Handler: h})
	h.heavy <- struct{}{}
	c := dial(t, address, request("POST", "/v1/classify", "", `{"explain":true,"texts":["`+strings.Repeat("!", 1300)+`","a"]}`))
	time.Sleep(50 * time.Millisecond) // the request waits
	<-h.heavy                         // it works on the first text
	h.heavy <- struct{}{}             // it writes the first part
	time.Sleep(300 * time.Millisecond)
	<-h.heavy
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	var a struct{ Results []struct{ Label string } }
	if err := json.NewDecoder(answer.Body).Decode(&a); err != nil || len(a.Results) != 2 {
		t.Errorf("%d results: %v", len(a.Results), err)
	}
}

// A connection whose long answer was read goes on without a limit.
func TestLongAnswerThenWait(t *testing.T) {
	h := newHandler(t, Options{BodyTimeout: 100 * time.Millisecond})
	address := listen(t, &http.Server{Handler: h})
	c := dial(t, address, "")
	r := bufio.NewReader(c)
	for range 2 {
		io.WriteString(c, request("POST", "/v1/classify", "", `{"explain":true,"text":"`+strings.Repeat("!", 1000)+`"}`))
		answer, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(answer.Body)
		if err != nil || answer.ContentLength != int64(len(b)) || len(b) < freeBody {
			t.Fatalf("%d bytes, Content-Length %d: %v", len(b), answer.ContentLength, err)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

type wrapped struct{ http.ResponseWriter }

func (w wrapped) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Slow bodies are limited in any server, with middleware too.
func TestSlowBody(t *testing.T) {
	h := newHandler(t, Options{BodyTimeout: 200 * time.Millisecond})
	own := h.Server("")
	behind := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(wrapped{w}, r) })}
	for name, s := range map[string]*http.Server{"own": own, "behind middleware": behind} {
		address := listen(t, s)
		for _, length := range []string{"Content-Length: 100", "Transfer-Encoding: chunked"} {
			began := time.Now()
			c := dial(t, address, "POST /v1/classify HTTP/1.1\r\nHost: a\r\n"+length+"\r\n\r\n5\r\n{\"tex\r\n")
			answer, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil || answer.StatusCode != 408 || !answer.Close || time.Since(began) > 5*time.Second {
				t.Errorf("%s: %s: %+v, %v after %v", name, length, answer, err, time.Since(began))
			}
		}
	}
}

// reused sends a request and returns its status, and whether its connection was used before.
func reused(t *testing.T, client *http.Client, method, url, body string) (status int, was bool) {
	t.Helper()
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { was = i.Reused }})
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
	return answer.StatusCode, was
}

// A client's mistake costs no connection: not that of HTTP/2, which others share, nor one of HTTP/1 unless much of the body is to come.
func TestConnectionsKept(t *testing.T) {
	for _, v := range []struct {
		http2 bool
		body  int
		kept  bool
	}{{false, 10, true}, {false, 100_000, true}, {false, 1_000_000, false}, {true, 10, true}, {true, 1_000_000, true}} {
		t.Run(fmt.Sprintf("http2=%v/body=%d", v.http2, v.body), func(t *testing.T) {
			h := newHandler(t, Options{APIKeys: []string{"one"}})
			s := httptest.NewUnstartedServer(h)
			s.EnableHTTP2 = v.http2
			s.StartTLS()
			defer s.Close()
			client := s.Client()
			body := strings.Repeat(" ", v.body)
			for path, status := range map[string]int{"/v1/classify": 401, "/none": 404, "/v1/models": 405} {
				if got, _ := reused(t, client, "POST", s.URL+path, body); got != status {
					t.Errorf("%s: status %d, want %d", path, got, status)
				}
				if _, was := reused(t, client, "GET", s.URL+"/v2/health/live", ""); was != v.kept {
					t.Errorf("%s: the connection is kept: %v", path, was)
				}
			}
		})
	}
}

// Nobody waits long for a client that is refused and does not send its body, and the connection is not used again.
func TestRefusedWithoutBody(t *testing.T) {
	h := newHandler(t, Options{APIKeys: []string{"one"}})
	address := listen(t, h.Server(""))
	c := dial(t, address, "POST /v1/classify HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{")
	began := time.Now()
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || answer.StatusCode != 401 || !answer.Close || time.Since(began) > 2*lingerTime {
		t.Errorf("%+v, %v after %v", answer, err, time.Since(began))
	}
}

// While a server is not ready, each answer asks the client to leave, so that no request meets the end of the server.
func TestNotReadyCloses(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		h := newHandler(t, Options{})
		s := httptest.NewUnstartedServer(h)
		s.EnableHTTP2 = http2
		s.StartTLS()
		client := s.Client()
		send := func() bool {
			status, was := reused(t, client, "POST", s.URL+"/v1/classify", `{"text":"a lovely film"}`)
			if status != 200 {
				t.Errorf("status %d", status)
			}
			return was
		}
		send()
		if !send() {
			t.Errorf("http2 %v: ready: the connection was closed", http2)
		}
		h.SetReady(false)
		send()
		until(t, "a new connection", func() bool { return !send() }) // HTTP/2: the message comes after the answer
		s.Close()
	}
}

// While what a refused client still sends is read, its memory is free.
func TestLingerHoldsNothing(t *testing.T) {
	h := newHandler(t, Options{MaxBody: 100_000})
	address := listen(t, h.Server(""))
	chunk := "10000\r\n" + strings.Repeat(" ", 0x10000) + "\r\n"
	c := dial(t, address, "POST /v1/classify HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"+chunk+chunk)
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || answer.StatusCode != 413 {
		t.Fatalf("%+v, %v", answer, err)
	}
	answered := time.Now()
	until(t, "free memory", func() bool { return h.buffered.Load() == 0 })
	if after := time.Since(answered); after > lingerTime*9/10 {
		t.Errorf("the memory is free after %v", after)
	}
	if got := readMetrics(t, h)[`linnet_request_duration_seconds_sum{endpoint="classify"}`]; got > lingerTime.Seconds()*9/10 {
		t.Errorf("the request took %v seconds", got)
	}
}

// The limits of HTTP/2 are the server's too.
func TestStreams(t *testing.T) {
	h := newHandler(t, Options{MaxBody: 1 << 20, MaxBuffered: 1 << 20})
	s := httptest.NewUnstartedServer(nil)
	s.Config = h.Server("")
	s.EnableHTTP2 = true
	s.TLS = &tls.Config{}
	s.StartTLS()
	defer s.Close()
	h.buffered.Add(1 << 20)
	answer, err := s.Client().Post(s.URL+"/v1/classify", "application/json", strings.NewReader(`{"text":"a"}`))
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.ProtoMajor != 2 || answer.StatusCode != 429 {
		t.Errorf("HTTP/%d: status %d: small bodies do not count", answer.ProtoMajor, answer.StatusCode)
	}
	h.buffered.Add(-1 << 20)
	if l := s.Config.HTTP2; l == nil || l.MaxConcurrentStreams != 64 {
		t.Errorf("%+v", l)
	}
}
