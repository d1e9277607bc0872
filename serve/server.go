package serve

import (
	"log/slog"
	"net/http"
	"time"
)

const (
	headerTime = 5 * time.Second  // for the header of a request
	answerTime = 60 * time.Second // for the answer, after BodyTimeout
)

// Server returns an http.Server for the Handler on an address, such as "127.0.0.1:8080". It has limits that net/http does not
// set: on the time of headers, of a request and of an answer, on idle connections, and on the size of headers. The caller starts
// it, and ends it with SetReady(false) and Shutdown.
func (h *Handler) Server(address string) *http.Server {
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
		ErrorLog:                     slog.NewLogLogger(h.o.Log.Handler(), slog.LevelWarn),
	}
}
