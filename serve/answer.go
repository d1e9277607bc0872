package serve

import "strconv"

const (
	// flushBytes is how much of an answer is kept before it is sent.
	flushBytes = 64 << 10
	// bufferedBytes is the size up to which net/http sends an answer with its length by itself.
	bufferedBytes = 2 << 10
)

// answer sends a body of JSON.
func (c *call) answer(body string) *problem {
	c.out = append(append(c.out[:0], body...), '\n')
	return c.finish()
}

// flush sends what there is of the answer. The request has no place meanwhile.
func (c *call) flush() *problem {
	heavy := c.heavy
	c.end()
	if p := c.write(false); p != nil {
		return p
	}
	c.wholeLimit()
	return c.resume(heavy)
}

// finish sends the answer, or the rest of it, and ends the work.
func (c *call) finish() *problem {
	c.end()
	return c.write(true)
}

// write sends c.out and empties it; last says that nothing follows. Memory for a long answer counts like that for a long body.
func (c *call) write(last bool) *problem {
	if p := c.reserve(&c.reserved.out, int64(cap(c.out)), freeBody); p != nil {
		return p
	}
	if !c.wrote {
		c.wrote = true
		h := c.w.Header()
		setJSON(h, c.r.Method)
		if c.jsonLength > 0 {
			h["Content-Type"] = octets
			h.Set(headerLength, strconv.Itoa(c.jsonLength))
		}
		if last && len(c.out) > bufferedBytes {
			h["Content-Length"] = []string{strconv.Itoa(len(c.out))}
		}
	}
	for b := c.out; len(b) > 0; {
		n := min(len(b), flushBytes)
		if c.limited || len(c.out) > freeBody {
			c.writeLimit()
		}
		if _, err := c.w.Write(b[:n]); err != nil {
			return gone()
		}
		b = b[n:]
	}
	c.out = c.out[:0]
	return nil
}
