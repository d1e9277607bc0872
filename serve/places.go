package serve

import (
	"runtime"
	"time"
)

// Requests are worked on in places: Options.MaxConcurrent of them. A heavy request - one with a large body, with explanations or
// with many scores - needs megabytes while it is worked on, and a CPU for longer than the scheduler leaves it there. It first
// takes one of the heavy places. There is one a CPU: more would be no faster and would multiply the memory.
//
// A request has its place while it computes and gives it back before it writes, because a client may be slow to read.

const (
	// heavyBody is the size from which a body makes a request heavy.
	heavyBody = 16 << 10
	// heavyScores is the number of scores from which an answer makes a request heavy.
	heavyScores = 16 << 10
	// turnTime is how long a heavy request waits for its place.
	turnTime = 5 * time.Second
)

// heavyPlaces returns the places for heavy requests.
func heavyPlaces(maxConcurrent int) chan struct{} {
	return make(chan struct{}, max(1, min(runtime.GOMAXPROCS(0), maxConcurrent)))
}

// begin takes a place, and for a heavy request one of the heavy places too.
func (c *call) begin(heavy bool) *problem {
	if heavy {
		if p := c.takeHeavy(turnTime); p != nil {
			return p
		}
	}
	if c.h.working.Add(1) > int64(c.h.o.MaxConcurrent) {
		c.h.working.Add(-1)
		if heavy {
			c.leaveHeavy()
		}
		return busy()
	}
	c.working = true
	return nil
}

// becomeHeavy changes the place of a request that turned out to be heavy.
func (c *call) becomeHeavy() *problem {
	if c.heavy {
		return nil
	}
	c.end()
	return c.begin(true)
}

// end gives back the places that the request has.
func (c *call) end() {
	if c.working {
		c.working = false
		c.h.working.Add(-1)
	}
	if c.heavy {
		c.leaveHeavy()
	}
}

// takeHeavy waits for a heavy place: for the time, or as long as the client if it is 0.
func (c *call) takeHeavy(wait time.Duration) *problem {
	select {
	case c.h.heavy <- struct{}{}:
		c.heavy = true
		return nil
	default:
	}
	var late <-chan time.Time
	if wait > 0 {
		t := time.NewTimer(wait)
		defer t.Stop()
		late = t.C
	}
	select {
	case c.h.heavy <- struct{}{}:
		c.heavy = true
		return nil
	case <-c.r.Context().Done():
		return c.canceled()
	case <-late:
		return busy()
	}
}

func (c *call) leaveHeavy() {
	c.heavy = false
	<-c.h.heavy
}

// resume takes the places of a request again that has written a part of its answer.
func (c *call) resume(heavy bool) *problem {
	if heavy {
		if p := c.takeHeavy(0); p != nil {
			return p
		}
	}
	c.h.working.Add(1) // even if there are too many: half an answer is of no use
	c.working = true
	return nil
}

// writeLimit ends a write that a client does not read. It allows each part of an answer Options.BodyTimeout, and the whole answer
// what Server allows.
func (c *call) writeLimit() error {
	now := time.Now()
	limit := now.Add(c.h.o.BodyTimeout)
	if last := c.start.Add(c.h.o.BodyTimeout + answerTime); last.Before(limit) {
		limit = last
	}
	c.limited = true
	return control(c.w).SetWriteDeadline(limit)
}

// wholeLimit undoes the limit of a part that is written: until the next one there is only that of the whole answer.
func (c *call) wholeLimit() {
	if c.limited {
		control(c.w).SetWriteDeadline(c.start.Add(c.h.o.BodyTimeout + answerTime))
	}
}

// unlimit undoes writeLimit for the next request on the connection, if net/http does not.
func (c *call) unlimit() {
	if !c.limited {
		return
	}
	if s := server(c.r); s != nil && s.WriteTimeout > 0 {
		return
	}
	if w := control(c.w); w.Flush() == nil {
		w.SetWriteDeadline(time.Time{})
	}
}
