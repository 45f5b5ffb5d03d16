package loadgen

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const (
	// mostSlots bounds what is kept of the course of a run, however long it is.
	mostSlots  = 200
	firstWidth = 100 * time.Millisecond
)

// course is a run cut into slots of equal width. When there are too many, two become one.
type course struct {
	width time.Duration
	slots []*slot
}

type slot struct {
	requests, unexpected int64
	latency              *hdrhistogram.Histogram
}

func newSlot() *slot { return &slot{latency: newHistogram(slotDigits)} }

// at is the slot of a moment, counted from the beginning of the measurement.
func (c *course) at(offset time.Duration) *slot {
	for int(offset/c.width) >= mostSlots {
		c.halve()
	}
	i := int(offset / c.width)
	for len(c.slots) <= i {
		c.slots = append(c.slots, newSlot())
	}
	return c.slots[i]
}

func (c *course) halve() {
	c.width *= 2
	half := c.slots[:0]
	for i := 0; i < len(c.slots); i += 2 {
		one := c.slots[i]
		if i+1 < len(c.slots) {
			other := c.slots[i+1]
			one.requests += other.requests
			one.unexpected += other.unexpected
			one.latency.Merge(other.latency)
		}
		half = append(half, one)
	}
	clear(c.slots[len(half):])
	c.slots = half
}
