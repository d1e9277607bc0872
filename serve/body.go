package serve

import (
	"errors"
	"io"
	"net/http"
	"os"
	"slices"
	"time"
)

const (
	// freeBody is the size up to which a body does not count towards Options.MaxBuffered.
	freeBody = 16 << 10
	// keptBody is the largest memory that is kept for the next request.
	keptBody = 1 << 20
)

// readBody reads the body of the request into c.body. Memory grows with what arrives, not with what is announced.
func (c *call) readBody() *problem {
	r, o := c.r, &c.h.o
	if e := r.Header["Content-Encoding"]; len(e) > 0 && (len(e) > 1 || e[0] != "identity") {
		return &problem{status: http.StatusUnsupportedMediaType, code: "encoding", message: "the body is compressed or encoded", hint: "send it without Content-Encoding", cut: true}
	}
	large := func() *problem {
		p := tooLarge("body_too_large", "send fewer or shorter texts a request", "the body has more than %d bytes", o.MaxBody)
		p.cut = true
		return p
	}
	if r.ContentLength > o.MaxBody {
		return large()
	}
	deadline, hasDeadline := c.w.(interface{ SetReadDeadline(time.Time) error })
	if hasDeadline {
		deadline.SetReadDeadline(c.start.Add(o.BodyTimeout))
	}
	b := c.body[:0]
	if r.ContentLength > 0 {
		// One byte more, so that the end is seen without growing.
		b = slices.Grow(b, int(min(r.ContentLength, freeBody-1)+1))
	} else {
		b = slices.Grow(b, 512)
	}
	for {
		if len(b) == cap(b) {
			more := cap(b)
			if r.ContentLength > 0 {
				more = int(min(int64(more), r.ContentLength+1-int64(len(b))))
			}
			if p := c.reserve(int64(cap(b) + more)); p != nil {
				p.cut = true
				return p
			}
			b = slices.Grow(b, max(more, 1))
		}
		n, err := r.Body.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		c.body = b
		if int64(len(b)) > o.MaxBody {
			return large()
		}
		switch {
		case err == nil:
		case err == io.EOF:
			if hasDeadline {
				deadline.SetReadDeadline(time.Time{})
			}
			return nil
		case errors.Is(err, os.ErrDeadlineExceeded):
			return &problem{status: http.StatusRequestTimeout, code: "body_slow", message: "the body did not arrive in " + o.BodyTimeout.String(), hint: "send it faster, or in smaller requests", cut: true, failed: true}
		case errors.Is(err, io.ErrUnexpectedEOF):
			return &problem{status: http.StatusBadRequest, code: "body_cut", message: "the body ends too early", hint: "send as many bytes as Content-Length says", cut: true, failed: true}
		default:
			return &problem{status: http.StatusBadRequest, code: "body_unreadable", message: "the body cannot be read", hint: "look at its chunks and its Content-Length", cut: true, failed: true}
		}
	}
}

// reserve counts the memory of a body of so many bytes.
func (c *call) reserve(size int64) *problem {
	if size <= freeBody {
		return nil
	}
	if more := size - c.reserved; more > 0 {
		if c.h.buffered.Add(more) > c.h.o.MaxBuffered {
			c.h.buffered.Add(-more)
			return busy()
		}
		c.reserved = size
	}
	return nil
}
