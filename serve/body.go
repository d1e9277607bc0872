package serve

import (
	"errors"
	"io"
	"net/http"
	"os"
	"slices"
)

// freeBody is the size up to which a body or an answer does not count towards Options.MaxBuffered, and up to which its memory is
// kept for the next request.
const freeBody = 16 << 10

// server returns the http.Server that a request came through, nil if that is unknown.
func server(r *http.Request) *http.Server {
	s, _ := r.Context().Value(http.ServerContextKey).(*http.Server)
	return s
}

// readBody reads the body of the request into c.body. Memory grows with what arrives, not with what is announced.
func (c *call) readBody() *problem {
	r, o := c.r, &c.h.o
	if e := r.Header["Content-Encoding"]; len(e) > 0 && (len(e) > 1 || e[0] != "identity") {
		return &problem{status: http.StatusUnsupportedMediaType, code: "encoding", message: "the body is compressed or encoded", hint: "send it without Content-Encoding"}
	}
	large := func() *problem {
		return tooLarge("body_too_large", "send fewer or shorter texts a request", "the body has more than %d bytes", o.MaxBody)
	}
	if r.ContentLength > o.MaxBody {
		return large()
	}
	free := int64(freeBody)
	if r.ProtoMajor > 1 { // one connection may have many requests
		free = 0
	}
	b := c.body[:0]
	if r.ContentLength > 0 {
		// One byte more, so that the end is seen without growing.
		b = slices.Grow(b, int(min(r.ContentLength, freeBody-1)+1))
	} else {
		b = slices.Grow(b, 512)
	}
	if p := c.reserve(&c.reserved.body, int64(cap(b)), free); p != nil {
		return p
	}
	// A server may limit the time of the whole request by itself. A body that is there at once needs no limit of its own then.
	limited := false
	limit := func() {
		limited = true
		control(c.w).SetReadDeadline(c.start.Add(o.BodyTimeout))
	}
	if s := server(r); s == nil || s.ReadTimeout <= 0 || s.ReadTimeout > o.BodyTimeout+headerTime {
		limit()
	}
	for {
		if len(b) == cap(b) {
			more := cap(b)
			if r.ContentLength > 0 {
				more = int(min(int64(more), r.ContentLength+1-int64(len(b))))
			}
			size := cap(b) + max(more, 1)
			if p := c.reserve(&c.reserved.body, int64(size), free); p != nil {
				return p
			}
			b = append(make([]byte, 0, size), b...) // exactly what is counted
		}
		n, err := r.Body.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		c.body = b
		if int64(len(b)) > o.MaxBody {
			return large()
		}
		switch {
		case err == nil:
			if !limited && (r.ContentLength < 0 || int64(len(b)) < r.ContentLength) {
				limit()
			}
		case err == io.EOF:
			c.read = true
			r.Body.Close() // else net/http looks for the end again
			return nil
		case errors.Is(err, os.ErrDeadlineExceeded):
			return &problem{status: http.StatusRequestTimeout, code: "body_slow", message: "the body did not arrive in " + o.BodyTimeout.String(), hint: "send it faster, or in smaller requests", failed: true}
		case errors.Is(err, io.ErrUnexpectedEOF):
			return &problem{status: http.StatusBadRequest, code: "body_cut", message: "the body ends too early", hint: "send as many bytes as Content-Length says", failed: true}
		default:
			return &problem{status: http.StatusBadRequest, code: "body_unreadable", message: "the body cannot be read", hint: "look at its chunks and its Content-Length", failed: true}
		}
	}
}

// reservations are the bytes of a request that Handler.buffered counts.
type reservations struct{ body, out, scores int64 }

// reserve counts memory of a size, unless it is free. part is what is counted of it already.
func (c *call) reserve(part *int64, size, free int64) *problem {
	if size <= free || size <= *part {
		return nil
	}
	more := size - *part
	if c.h.buffered.Add(more) > c.h.o.MaxBuffered {
		c.h.buffered.Add(-more)
		return buffersFull()
	}
	*part = size
	return nil
}

// unreserve gives back what was counted.
func (c *call) unreserve() {
	if n := c.reserved.body + c.reserved.out + c.reserved.scores; n > 0 {
		c.h.buffered.Add(-n)
	}
	c.reserved = reservations{}
}
