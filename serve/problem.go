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
	cut     bool   // the body was not read to its end: the connection cannot be used again
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

// statusGone stands in metrics for a client that left before its answer. No client sees it.
const statusGone = 499

func gone() *problem {
	return &problem{status: statusGone, code: "client_gone", message: "the client closed the connection"}
}

func internal() *problem {
	return &problem{status: http.StatusInternalServerError, code: "internal", message: "a fault of the server", hint: "the server's log has the details"}
}

const (
	// lingerTime and lingerBytes bound what is read of a body that nobody wants. Without reading, a client that is still sending
	// would lose the answer.
	lingerTime  = 2 * time.Second
	lingerBytes = 16 << 20
)

// write answers a request. b is memory that may be used.
func (p *problem) write(w http.ResponseWriter, r *http.Request, b []byte) {
	linger := p.cut && !p.failed && r.ProtoMajor == 1 && r.Header.Get("Expect") == ""
	control := http.NewResponseController(w)
	if linger {
		linger = control.EnableFullDuplex() == nil
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
	h := w.Header()
	setJSON(h)
	if p.allow != "" {
		h.Set("Allow", p.allow)
	}
	if p.retry > 0 {
		h.Set("Retry-After", strconv.Itoa(p.retry))
	}
	if p.status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="linnet"`)
	}
	if p.cut {
		h.Set("Connection", "close")
	}
	w.WriteHeader(p.status)
	w.Write(b)
	if linger && control.Flush() == nil && control.SetReadDeadline(time.Now().Add(lingerTime)) == nil {
		io.CopyN(io.Discard, r.Body, lingerBytes)
	}
}
