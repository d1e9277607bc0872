package serve

import (
	"bytes"
	"context"
	"log"
	"log/slog"
	"net/http"
	"time"
)

const (
	headerTime = 5 * time.Second  // for the header of a request
	answerTime = 60 * time.Second // for the answer, after BodyTimeout
)

// Server returns an http.Server for the Handler on an address, such as "127.0.0.1:8080". It has limits that net/http does not
// set: on the time of headers, of a request and of an answer, on idle connections, on the size of headers and on the streams of
// HTTP/2. The caller starts it, and ends it with SetReady(false) and Shutdown.
//
// A Handler in another server needs that server's ReadHeaderTimeout, WriteTimeout and IdleTimeout. Both need a limit of connections:
// the memory of a connection and of small requests counts toward no limit.
func (h *Handler) Server(address string) *http.Server {
	if !h.made() {
		return &http.Server{Addr: address, Handler: h, ReadHeaderTimeout: headerTime}
	}
	return &http.Server{
		Addr:                         address,
		Handler:                      h,
		ReadHeaderTimeout:            headerTime,
		ReadTimeout:                  h.o.BodyTimeout + headerTime,
		WriteTimeout:                 h.o.BodyTimeout + answerTime,
		IdleTimeout:                  2 * time.Minute,
		MaxHeaderBytes:               16 << 10,
		HTTP2:                        &http.HTTP2Config{MaxConcurrentStreams: 64, MaxReceiveBufferPerConnection: 256 << 10},
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     log.New(serverLog{h.o.Log}, "", 0),
	}
}

// A serverLog takes what net/http logs. Clients cause most of it, scanners without TLS for instance, as often as they like: that
// has level Debug. What the server itself cannot do has level Error.
type serverLog struct{ log *slog.Logger }

func (l serverLog) Write(line []byte) (int, error) {
	level := slog.LevelDebug
	if bytes.HasPrefix(line, []byte("http: Accept error")) {
		level = slog.LevelError
	}
	l.log.Log(context.Background(), level, string(bytes.TrimSuffix(line, []byte("\n"))))
	return len(line), nil
}
