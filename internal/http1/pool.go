package http1

import (
	"slices"
	"sync"
	"time"
)

// pool holds the connections that no request uses. The one that came last is the first to go: it is the least likely to
// have been closed, and those that are not needed reach their time.
type pool struct {
	max      int
	idleTime time.Duration

	mu        sync.Mutex
	idle      []*conn // in the order in which they came
	closing   bool    // CloseIdleConnections was called, and no request since
	elsewhere map[origin]bool
}

// put takes a connection, unless none is wanted. A full pool parts with its oldest.
func (p *pool) put(c *conn) bool {
	p.mu.Lock()
	if p.closing {
		p.mu.Unlock()
		return false
	}
	var oldest *conn
	if len(p.idle) >= p.max {
		oldest = p.idle[0]
		p.idle = slices.Delete(p.idle, 0, 1)
	}
	p.idle = append(p.idle, c)
	c.arm(p.idleTime)
	p.mu.Unlock()
	if oldest != nil {
		oldest.close()
	}
	return true
}

// take gives a connection that a request can be written to, or nil.
func (p *pool) take(to origin) *conn {
	for {
		c := p.pop(to)
		if c == nil || c.isReady() {
			return c
		}
		c.drop()
	}
}

func (p *pool) pop(to origin) *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closing = false
	for i := len(p.idle) - 1; i >= 0; i-- {
		if c := p.idle[i]; c.to == to {
			p.idle = slices.Delete(p.idle, i, i+1)
			return c
		}
	}
	return nil
}

// remove reports whether the connection was in the pool, in which it is no more.
func (p *pool) remove(c *conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.Index(p.idle, c)
	if i < 0 {
		return false
	}
	p.idle = slices.Delete(p.idle, i, i+1)
	return true
}

func (p *pool) closeIdle() {
	p.mu.Lock()
	idle := p.idle
	p.idle, p.closing = nil, true
	p.mu.Unlock()
	for _, c := range idle {
		c.close()
	}
}

// setElsewhere notes that an origin speaks another protocol. That is so for good: next speaks both, so nothing is lost
// but time if the origin changes its mind.
func (p *pool) setElsewhere(to origin) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.elsewhere == nil {
		p.elsewhere = make(map[origin]bool)
	}
	p.elsewhere[to] = true
}

func (p *pool) isElsewhere(to origin) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.elsewhere[to]
}
