package lambdahost

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"sync"
	"syscall"
	"time"
)

const (
	// tailSize is how much of its log an invocation can return (Lambda API,
	// Invoke, LogType Tail).
	tailSize = 4 * 1024
	// maxLine bounds the memory one line can take; a longer one is cut into
	// several. It is CloudWatch Logs' limit for one event.
	maxLine = 256 * 1024
)

// LogLine is one line that a function printed or that its host wrote about it.
type LogLine struct {
	Time     time.Time
	Function string
	// RequestID is empty for what a process prints before its first event.
	RequestID string
	PID       int
	// Host is true for START, END, REPORT and error lines, which Lambda adds.
	Host bool
	// Text has no line end. It is what the function wrote, byte for byte.
	Text string
}

// output collects what one process writes. Both of its streams are one pipe,
// as they are one log stream on Lambda, which keeps their order.
type output struct {
	f *Function

	// Set before anything else can see them.
	read *os.File
	raw  syscall.RawConn
	pid  int
	done chan struct{}

	mu        sync.Mutex
	requestID string
	partial   []byte
	tail      []byte
	buf       []byte
}

func newOutput(f *Function) *output { return &output{f: f} }

// open returns the end of the pipe that the child writes to.
func (o *output) open() (*os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	raw, err := r.SyscallConn()
	if err != nil {
		_, _ = r.Close(), w.Close()
		return nil, err
	}
	o.read, o.raw = r, raw
	o.buf = make([]byte, 32*1024)
	return w, nil
}

// attach begins to read what the child, pid, writes.
func (o *output) attach(pid int) {
	o.pid, o.done = pid, make(chan struct{})
	go o.follow()
}

// follow reads whenever something is there, until the pipe ends.
func (o *output) follow() {
	defer close(o.done)
	_ = o.raw.Read(func(fd uintptr) bool {
		// The poller tells of new bytes once, so all of them must be taken.
		for {
			o.mu.Lock()
			n, err := readNow(fd, o.buf)
			if n > 0 {
				o.take(o.buf[:n])
			}
			o.mu.Unlock()
			if n > 0 {
				continue
			}
			return err != syscall.EAGAIN // the end, or a closed pipe
		}
	})
}

// drain takes what the process has written so far, so that every line belongs
// to the invocation it was printed in.
func (o *output) drain() {
	if o.raw == nil {
		return
	}
	_ = o.raw.Control(func(fd uintptr) {
		o.mu.Lock()
		defer o.mu.Unlock()
		// A pipe holds 64 KiB; whoever writes on while it is emptied may wait.
		for range 64 {
			n, _ := readNow(fd, o.buf)
			if n <= 0 {
				return
			}
			o.take(o.buf[:n])
		}
	})
}

// close ends the pipe after what is in it was taken.
func (o *output) close() {
	o.drain()
	_ = o.read.Close()
	if o.done != nil {
		<-o.done
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flush()
}

// take cuts b into lines. o.mu is held.
func (o *output) take(b []byte) {
	for len(b) > 0 {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			o.partial = append(o.partial, b...)
			if len(o.partial) >= maxLine {
				o.flush()
			}
			return
		}
		if len(o.partial) == 0 {
			o.line(b[:i], false)
		} else {
			o.partial = append(o.partial, b[:i]...)
			o.flush()
		}
		b = b[i+1:]
	}
}

// flush ends a line that has no end yet. o.mu is held.
func (o *output) flush() {
	if len(o.partial) > 0 {
		o.line(o.partial, false)
		o.partial = o.partial[:0]
	}
}

// line passes a line on. o.mu is held.
func (o *output) line(text []byte, host bool) {
	o.tail = append(append(o.tail, text...), '\n')
	if len(o.tail) > 4*tailSize {
		o.tail = append(o.tail[:0], o.tail[len(o.tail)-tailSize:]...)
	}
	if o.f.cfg.Log == nil {
		return
	}
	line := LogLine{
		Time: o.f.cfg.Now(), Function: o.f.cfg.Name, RequestID: o.requestID,
		PID: o.pid, Host: host, Text: string(text),
	}
	o.f.logMu.Lock()
	defer o.f.logMu.Unlock()
	o.f.cfg.Log(line)
}

// begin marks the start of an invocation. What was written before is not its.
func (o *output) begin(requestID, version string) {
	o.drain()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flush()
	o.requestID = requestID
	o.line(fmt.Appendf(nil, "START RequestId: %s Version: %s", requestID, version), true)
}

// report is what the lines at the end of an invocation say.
type report struct {
	requestID      string
	duration, init time.Duration
	memoryMB       int
	failure        failure
}

// end marks the end of an invocation and returns its log's tail.
func (o *output) end(r report) []byte {
	o.drain()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flush()
	switch r.failure.kind {
	case "":
	case typeTimeout:
		o.line(fmt.Appendf(nil, "%s %s %s", o.f.cfg.Now().UTC().Format("2006-01-02T15:04:05.000Z"), r.requestID, r.failure.text), true)
	default:
		if r.failure.document == nil {
			o.line(fmt.Appendf(nil, "RequestId: %s Error: %s", r.requestID, r.failure.text), true)
			o.line([]byte(r.failure.kind), true)
		}
	}
	o.line([]byte("END RequestId: "+r.requestID), true)
	ms := float64(r.duration) / float64(time.Millisecond)
	line := fmt.Appendf(nil, "REPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %.0f ms\tMemory Size: %d MB",
		r.requestID, ms, math.Ceil(ms), r.memoryMB)
	if r.init > 0 {
		line = fmt.Appendf(line, "\tInit Duration: %.2f ms", float64(r.init)/float64(time.Millisecond))
	}
	o.line(line, true)
	tail := o.tail[max(0, len(o.tail)-tailSize):]
	o.tail = nil
	return tail
}

// note logs the end of a process that nobody waits for.
func (o *output) note(why failure) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.line(fmt.Appendf(nil, "RequestId: %s Error: %s", o.requestID, why.text), true)
	o.line([]byte(why.kind), true)
}
