package dynamolocal

import (
	"context"
	"io"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// outputDelay is how long the output of a program that has ended is waited for. A grandchild that
// keeps it open must not keep Wait from returning.
const outputDelay = 3 * time.Second

// process is a program in a process group of its own, so that a Ctrl-C in the terminal reaches
// only us and we end it in order.
type process struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	// done is closed when the program has ended and was reaped; err is its result from then on.
	done chan struct{}
	err  error
}

// startProcess starts the command with a pipe as its standard input that stays open until this
// program ends. On Linux, the kernel sends it the signal then.
func startProcess(cmd *exec.Cmd, onDeath syscall.Signal) (*process, error) {
	separate(cmd, onDeath)
	cmd.WaitDelay = outputDelay
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, stdin: stdin, done: make(chan struct{})}
	started := make(chan error, 1)
	go p.run(started)
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// run stays on one thread from start to end: Linux sends the parent-death signal when the thread
// that started the child ends, not the process (prctl(2), PR_SET_PDEATHSIG).
func (p *process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	p.err = p.cmd.Wait()
	close(p.done)
}

// kill ends the whole group at once and waits until the program is reaped.
func (p *process) kill() {
	select {
	case <-p.done: // its number may belong to another one by now
	default:
		killGroup(p.cmd)
		<-p.done
	}
}

// wait returns the program's result, or kills it when the context ends first.
func (p *process) wait(ctx context.Context) error {
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		p.kill()
		return ctx.Err()
	}
}

// tail keeps the end of what is written to it, for an error message. It is safe for concurrent
// use.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const tailSize = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if over := len(t.buf) - tailSize; over > 0 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.buf))
}

// lines hands each complete line that is written to it to a function. A line longer than any that
// we look for is cut off there, which bounds the memory.
type lines struct {
	each func(line string)
	part []byte
}

const maxLine = 4 << 10

func (l *lines) Write(p []byte) (int, error) {
	for _, b := range p {
		switch {
		case b == '\n':
			l.each(strings.TrimRight(string(l.part), "\r"))
			l.part = l.part[:0]
		case len(l.part) < maxLine:
			l.part = append(l.part, b)
		}
	}
	return len(p), nil
}
