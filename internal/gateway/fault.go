package gateway

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Fault is something that goes wrong on purpose, so that callers meet a bad day before it comes. One of Status, Latency,
// Skew and Reset is set.
type Fault struct {
	Status  int           // this answer in place of the function's
	Latency time.Duration // this long before the function is invoked
	Skew    time.Duration // the gateway's clock is off by this, always
	Reset   bool          // the connection breaks in place of an answer
	Chance  float64       // 0 to 1; of each request
}

// ParseFault reads a fault: "status=429:1%", "latency=200ms:10%", "skew=+7m", "reset=1%". Without a chance it is always.
func ParseFault(spec string) (Fault, error) {
	kind, rest, _ := strings.Cut(spec, "=")
	value, chance, given := strings.Cut(rest, ":")
	if kind == "reset" {
		value, chance, given = "", rest, rest != ""
	}
	f := Fault{Chance: 1}
	var err error
	if given {
		if f.Chance, err = parseChance(chance); err != nil {
			return f, faultError(spec, err)
		}
	}
	switch kind {
	case "status":
		f.Status, err = strconv.Atoi(value)
		if err == nil && (f.Status < 400 || f.Status > 599) {
			err = fmt.Errorf("status %d is not from 400 to 599", f.Status)
		}
	case "latency":
		f.Latency, err = time.ParseDuration(value)
		if err == nil && (f.Latency <= 0 || f.Latency > time.Minute) {
			err = fmt.Errorf("latency %v is not up to a minute", f.Latency)
		}
	case "skew":
		f.Skew, err = time.ParseDuration(value)
		if err == nil && given {
			err = fmt.Errorf("a clock is off or it is not: skew takes no chance")
		}
	case "reset":
		f.Reset = true
	default:
		err = fmt.Errorf("unknown kind %q", kind)
	}
	if err != nil {
		return f, faultError(spec, err)
	}
	return f, nil
}

func parseChance(s string) (float64, error) {
	number, ok := strings.CutSuffix(s, "%")
	percent, err := strconv.ParseFloat(number, 64)
	if !ok || err != nil || !(percent > 0 && percent <= 100) {
		return 0, fmt.Errorf("%q is not a chance such as 5%%", s)
	}
	return percent / 100, nil
}

func faultError(spec string, err error) error {
	return fmt.Errorf("fault %q: %w; want status=500:5%%, latency=200ms:10%%, skew=+7m or reset=1%%", spec, err)
}

// faults are those of a gateway.
type faults struct {
	list   []Fault
	chance func() float64
	wait   func(context.Context, time.Duration)
}

// skew is how far the gateway's clock is off.
func (f *faults) skew() (sum time.Duration) {
	for _, fault := range f.list {
		sum += fault.Skew
	}
	return sum
}

// strike lets the faults happen that a request meets once it was let in: signatures and policies are checked all the same.
func (x *exchange) strike() *Refusal {
	for _, fault := range x.g.faults.list {
		if fault.Skew != 0 || x.g.faults.chance() >= fault.Chance {
			continue
		}
		switch {
		case fault.Latency > 0:
			x.record.pass("fault", "waited "+fault.Latency.String())
			x.g.faults.wait(x.r.Context(), fault.Latency)
		case fault.Reset:
			x.reset = true
			return x.record.fail("fault", refuseInternal.because("the connection is broken on purpose"))
		default:
			return x.record.fail("fault", faultRefusal(fault.Status).because("on purpose"))
		}
	}
	return nil
}

// faultRefusal is the answer of the real service for a status where there is one.
func faultRefusal(status int) *Refusal {
	for _, r := range []Refusal{refuseThrottled, refuseInternal, refuseFunctionError, refuseFunctionTimeout, refuseForbidden} {
		if r.Status == status {
			return &r
		}
	}
	r := plain(status, strings.ReplaceAll(http.StatusText(status), " ", "")+"Exception", http.StatusText(status))
	return &r
}

// abort breaks the connection without an answer, as a reset on the network does. net/http recognises the panic, closes
// the connection and stays quiet.
func (x *exchange) abort() { panic(http.ErrAbortHandler) }

func waitFor(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
