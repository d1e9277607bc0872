package serve

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// A problem is an answer that is no success. As JSON it has what is wrong, a code for programs and what to do about it.
type problem struct {
	status  int
	code    string // also the kind in linnet_errors_total
	message string
	hint    string
	allow   string // the methods that are allowed
	retry   int    // seconds to wait
	failed  bool   // nothing more of the body can be read
}

func (p *problem) Error() string { return p.message }

func badRequest(code, hint, format string, args ...any) *problem {
	return &problem{status: http.StatusBadRequest, code: code, message: fmt.Sprintf(format, args...), hint: hint}
}

func tooLarge(code, hint, format string, args ...any) *problem {
	return &problem{status: http.StatusRequestEntityTooLarge, code: code, message: fmt.Sprintf(format, args...), hint: hint}
}

func notFound(code, hint, format string, args ...any) *problem {
	return &problem{status: http.StatusNotFound, code: code, message: fmt.Sprintf(format, args...), hint: hint}
}

func busy() *problem {
	return &problem{status: http.StatusTooManyRequests, code: "busy", message: "too many requests are being worked on", hint: "try again after the seconds in Retry-After", retry: 1}
}

func buffersFull() *problem {
	return &problem{status: http.StatusTooManyRequests, code: "buffers_full", message: "the requests that are being worked on have used up the memory for bodies and answers", hint: "try again after the seconds in Retry-After, with smaller requests", retry: 1}
}

// What metrics say in place of a status that no client sees.
const (
	statusGone = 499 // the client left before the answer or in the middle of it
	statusCut  = 0   // a fault of the server ended the answer in the middle
)

func gone() *problem {
	return &problem{status: statusGone, code: "client_gone", message: "the client closed the connection"}
}

func internal() *problem {
	return &problem{status: http.StatusInternalServerError, code: "internal", message: "a fault of the server", hint: "the server's log has the details", failed: true}
}

const (
	// lingerTime and lingerBytes bound what is read of a body that is not wanted. Without reading, a client that is still sending
	// would lose the answer.
	lingerTime  = 2 * time.Second
	lingerBytes = 16 << 20
	// discardedBytes is the size of a body that net/http reads by itself, so that the connection can be used again.
	discardedBytes = 256 << 10
)

var closeConnection = []string{"close"}

// write answers a request; read says that its body was read to its end. b is memory that may be used. If write returns true,
// lingerFor must be called.
func (p *problem) write(w http.ResponseWriter, r *http.Request, read bool, b []byte) (linger bool) {
	h := w.Header()
	if unread := !read && r.ContentLength != 0; unread && r.ProtoMajor == 1 { // HTTP/2 ends the stream alone
		switch {
		case p.failed:
			h["Connection"] = closeConnection
		case r.ContentLength < 0 || r.ContentLength > discardedBytes:
			h["Connection"] = closeConnection
			linger = r.Header.Get("Expect") == "" && control(w).EnableFullDuplex() == nil
		default:
			control(w).SetReadDeadline(time.Now().Add(lingerTime)) // net/http closes the connection if the body is not there by then
		}
	}
	b = append(b[:0], `{"error":`...)
	b = appendString(b, p.message)
	b = append(b, `,"code":`...)
	b = appendString(b, p.code)
	if p.hint != "" {
		b = append(b, `,"hint":`...)
		b = appendString(b, p.hint)
	}
	b = append(b, '}', '\n')
	setJSON(h, r.Method)
	if p.allow != "" {
		h.Set("Allow", p.allow)
	}
	if p.retry > 0 {
		h.Set("Retry-After", strconv.Itoa(p.retry))
	}
	if p.status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="linnet"`)
	}
	w.WriteHeader(p.status)
	w.Write(b)
	return linger && control(w).Flush() == nil
}

// lingerFor reads what a client is still sending after it was answered.
func lingerFor(w http.ResponseWriter, r *http.Request) {
	if control(w).SetReadDeadline(time.Now().Add(lingerTime)) == nil {
		io.CopyN(io.Discard, r.Body, lingerBytes)
	}
}

func control(w http.ResponseWriter) *http.ResponseController { return http.NewResponseController(w) }
