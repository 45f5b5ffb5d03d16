package apiclient

import (
	"net/http"
	"regexp"
	"sync/atomic"
	"time"
)

const (
	// clockTolerance is the least deviation that is corrected. API Gateway accepts five minutes either way; below four
	// the clock is not what made a signature expire.
	clockTolerance = 4 * time.Minute
	// amzDate is the layout of X-Amz-Date.
	amzDate = "20060102T150405Z"
)

// Clock says which time signatures carry. The zero value follows the machine's clock and corrects it when API Gateway
// finds a signature too old or not yet current.
type Clock struct {
	// Offset is added to the machine's time. It is the client's systemClockOffset of other packages.
	Offset time.Duration
	// DisableCorrection leaves the offset as it is, whatever the gateway says.
	DisableCorrection bool
	// OnCorrection is told about each new offset. It is called from the request's goroutine and must not block.
	OnCorrection func(ClockCorrection)
	// Now replaces the machine's clock. nil is time.Now.
	Now func() time.Time
}

// ClockCorrection is a new offset, kept for all later requests of the client.
type ClockCorrection struct {
	// Offset is added to the machine's time from now on, Previous was until now.
	Offset, Previous time.Duration
	// Message is what the gateway said about the signature.
	Message string
}

// clock is the machine's time plus an offset that may change while requests run.
type clock struct {
	cfg    Clock
	offset atomic.Int64
}

func newClock(cfg Clock) *clock {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	c := &clock{cfg: cfg}
	c.offset.Store(int64(cfg.Offset))
	return c
}

// flight is when, by the machine's clock, a request left and its answer came, and the offset it was signed with.
type flight struct {
	sent, received time.Time
	offset         time.Duration
}

func (c *clock) depart() flight {
	return flight{sent: c.cfg.Now(), offset: time.Duration(c.offset.Load())}
}

// correct learns the offset from an answer that refused a signature for its time. It reports whether signing again
// will give another time.
func (c *clock) correct(f flight, header http.Header, message string) bool {
	if c.cfg.DisableCorrection {
		return false
	}
	current := time.Duration(c.offset.Load())
	if current != f.offset {
		return true // another request has learnt it meanwhile
	}
	// The gateway looked at the signature somewhere between the two; the middle is off by half the way at most.
	local := f.sent.Add(f.received.Sub(f.sent) / 2)
	for _, server := range serverTimes(header, message) {
		offset := server.Sub(local)
		if (offset - current).Abs() <= clockTolerance {
			continue
		}
		if c.offset.CompareAndSwap(int64(current), int64(offset)) && c.cfg.OnCorrection != nil {
			c.cfg.OnCorrection(ClockCorrection{Offset: offset, Previous: current, Message: message})
		}
		return true
	}
	return false
}

// judgedAt is the gateway's own time within such a sentence: (20170215T150034Z - 5 min.).
var judgedAt = regexp.MustCompile(`\((\d{8}T\d{6}Z) [-+] `)

// serverTimes are the gateway's clock as an answer shows it, the most trustworthy first. An answer with an Age came out
// of a cache, and its Date is that of the first time it was sent.
func serverTimes(header http.Header, message string) []time.Time {
	var times []time.Time
	if date, err := http.ParseTime(header.Get("Date")); err == nil && header.Get("Age") == "" {
		times = append(times, date)
	}
	if m := judgedAt.FindStringSubmatch(message); m != nil {
		if t, err := time.Parse(amzDate, m[1]); err == nil {
			times = append(times, t)
		}
	}
	return times
}
