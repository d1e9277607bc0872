package main

import (
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// limitConnections returns a listener with at most the given number of connections. A further connection takes the place of the
// one that has waited longest for a request; without one it waits. So clients that keep connections without using them do not
// shut out others. The server must call changed as its ConnState.
func limitConnections(l net.Listener, most int) *limitedListener {
	return &limitedListener{Listener: l, most: most, open: map[*limitedConn]struct{}{}, left: make(chan struct{}, 1), closed: make(chan struct{})}
}

type limitedListener struct {
	net.Listener
	most   int
	left   chan struct{} // has an element after a connection was closed
	closed chan struct{}
	once   sync.Once
	mu     sync.Mutex
	open   map[*limitedConn]struct{}
}

// patience is how long a connection may wait for a request though others need its place. It is shorter than the time limits of
// health probes, and long enough for a client that is about to send.
const patience = 250 * time.Millisecond

func (l *limitedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &limitedConn{Conn: conn, l: l}
	c.waiting.Store(time.Now().UnixNano())
	for !l.enter(c) {
		oldest, since := l.oldest()
		rest := patience
		if oldest != nil {
			rest -= time.Since(time.Unix(0, since))
		}
		// It keeps its place if a request has come meanwhile.
		if rest <= 0 {
			if oldest.waiting.CompareAndSwap(since, 0) {
				oldest.Close()
			}
			continue
		}
		again := time.NewTimer(rest)
		select {
		case <-l.left:
		case <-again.C:
		case <-l.closed:
			conn.Close()
			return nil, net.ErrClosed
		}
		again.Stop()
	}
	return c, nil
}

// enter counts a connection if there is a place for it.
func (l *limitedListener) enter(c *limitedConn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.open) >= l.most {
		return false
	}
	l.open[c] = struct{}{}
	return true
}

// oldest returns the connection that has waited longest for a request, and since when. nil means that all have one.
func (l *limitedListener) oldest() (oldest *limitedConn, since int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.open {
		if w := c.waiting.Load(); w != 0 && (oldest == nil || w < since) {
			oldest, since = c, w
		}
	}
	return oldest, since
}

func (l *limitedListener) leave(c *limitedConn) {
	l.mu.Lock()
	delete(l.open, c)
	l.mu.Unlock()
	select {
	case l.left <- struct{}{}:
	default:
	}
}

// changed is the ConnState of the server.
func (l *limitedListener) changed(conn net.Conn, state http.ConnState) {
	if t, ok := conn.(interface{ NetConn() net.Conn }); ok { // TLS
		conn = t.NetConn()
	}
	c, ok := conn.(*limitedConn)
	if !ok {
		return
	}
	switch state {
	case http.StateActive:
		c.waiting.Store(0)
	case http.StateIdle:
		c.waiting.Store(time.Now().UnixNano())
	}
}

func (l *limitedListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// A limitedConn gives its place back when it is closed.
type limitedConn struct {
	net.Conn
	l       *limitedListener
	waiting atomic.Int64 // since when there is no request, as Unix time in ns; 0 while there is one
	once    sync.Once
}

func (c *limitedConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() { c.l.leave(c) })
	return err
}

// CloseWrite lets net/http end a connection so that the client can read the answer.
func (c *limitedConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}
