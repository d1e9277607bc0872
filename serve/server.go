package serve

import (
	"log/slog"
	"net/http"
	"time"
)

// Server returns an http.Server for the Handler on an address, such as "127.0.0.1:8080". It has limits that net/http does not
// set: on the time of headers, of a request and of an answer, on idle connections, and on the size of headers. The caller starts
// it, and ends it with SetReady(false) and Shutdown.
func (h *Handler) Server(address string) *http.Server {
	return &http.Server{
		Addr:                         address,
		Handler:                      h,
		ReadHeaderTimeout:            5 * time.Second,
		ReadTimeout:                  h.o.BodyTimeout + 10*time.Second, // after BodyTimeout, which is answered
		WriteTimeout:                 h.o.BodyTimeout + 60*time.Second,
		IdleTimeout:                  2 * time.Minute,
		MaxHeaderBytes:               16 << 10,
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     slog.NewLogLogger(h.o.Log.Handler(), slog.LevelWarn),
	}
}
