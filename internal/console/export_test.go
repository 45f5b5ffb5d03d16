package console

import "time"

// SetSlow shortens how long a reader of a stream may take.
func (c *Console) SetSlow(d time.Duration) { c.slow = d }

// Streams is the number of open streams.
func (c *Console) Streams() int {
	c.streams.mu.Lock()
	defer c.streams.mu.Unlock()
	return c.streams.n
}

// MostStreams is the bound of open streams.
const MostStreams = mostStreams

// Way tells the way of a request.
var Way = way

// FiguresOf counts requests.
var FiguresOf = figuresOf
