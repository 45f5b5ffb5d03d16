package sidecar

import (
	"io"
	"sync"
	"time"
)

const (
	// lineBufferSize is how much of a log waits to be written at once.
	lineBufferSize = 16 << 10
	// lineBufferDelay is how long it waits at most. A process that is killed loses that much.
	lineBufferDelay = 200 * time.Millisecond
)

// LineBuffer collects the lines of a log: a write for each request would be a tenth of what a request costs. It is safe
// for concurrent use, writes whole lines, and runs nothing while there is nothing to write.
type LineBuffer struct {
	mu    sync.Mutex
	out   io.Writer
	lines []byte
	timer *time.Timer
}

// NewLineBuffer returns a buffer in front of out.
func NewLineBuffer(out io.Writer) *LineBuffer {
	b := &LineBuffer{out: out, lines: make([]byte, 0, lineBufferSize)}
	b.timer = time.AfterFunc(time.Hour, b.Flush)
	b.timer.Stop()
	return b
}

// Write takes whole lines, as a slog handler writes them. It reports no error: there is nobody to tell.
func (b *LineBuffer) Write(lines []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.lines)+len(lines) > lineBufferSize {
		b.flush()
	}
	if len(b.lines) == 0 {
		b.timer.Reset(lineBufferDelay)
	}
	b.lines = append(b.lines, lines...)
	return len(lines), nil
}

// Flush writes what has been collected.
func (b *LineBuffer) Flush() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.flush()
}

func (b *LineBuffer) flush() {
	b.timer.Stop()
	if len(b.lines) > 0 {
		b.out.Write(b.lines) //nolint:errcheck // a log that cannot be written has nobody to say so to
		b.lines = b.lines[:0]
	}
}
