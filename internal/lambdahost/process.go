package lambdahost

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// state is where a process is in the Runtime API's life cycle. The names are
// those in Lambda's error messages.
type state string

const (
	stateStarting   state = "Started"
	stateInitError  state = "InitError"
	stateIdle       state = "Ready"
	stateRunning    state = "Running"
	stateResponding state = "InvocationResponse"
	stateFailing    state = "InvocationErrorResponse"
	stateAnswered   state = "ResponseSent"
)

// process is one execution environment: a child process with a Runtime API
// listener of its own, so that it can only ever answer for itself.
type process struct {
	f          *Function
	suppressed bool // its start is timed as part of an invocation
	epoch      int
	bootstrap  string
	out        *output
	deliver    chan *invocation // buffered by one
	exited     chan struct{}    // closed when the child is gone
	ready      chan struct{}    // closed at the first event asked for, or at the end

	// Guarded by f.mu.
	state        state
	current      *invocation
	invocations  int
	retired      bool     // it gets no further event
	ending       bool     // the host ends it, so that its end is no news
	overran      bool     // it took too long to start
	posted       *failure // what init/error reported
	initErr      error    // read after ready is closed
	began        time.Time
	initDuration time.Duration

	addr string        // host and port of the listener; set before the child starts
	born chan struct{} // closed when the child runs or could not be started

	groupMu sync.Mutex
	pid     int // 0 before the start and from the moment it is reaped
	doomed  bool
}

func newProcess(f *Function, suppressed bool) *process {
	return &process{
		f: f, suppressed: suppressed, epoch: f.epoch, bootstrap: f.bootstrap,
		out:     newOutput(f),
		deliver: make(chan *invocation, 1),
		exited:  make(chan struct{}),
		ready:   make(chan struct{}),
		born:    make(chan struct{}),
		state:   stateStarting,
		began:   f.cfg.Now(),
	}
}

// meet is called for each new connection to p's Runtime API.
func (p *process) meet(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, peerKey{}, sync.OnceValue(func() bool {
		<-p.born
		p.groupMu.Lock()
		pid := p.pid
		p.groupMu.Unlock()
		return pid != 0 && ownedBy(pid, c)
	}))
}

// peerKey finds, in a request's context, whether its sender is the child.
type peerKey struct{}

// ownRequest reports whether r comes from p's own child, by the name its
// runtime was given. What a web page sends names another host, or its origin.
func (p *process) ownRequest(r *http.Request) bool {
	own, ok := r.Context().Value(peerKey{}).(func() bool)
	return r.Host == p.addr && len(r.Header["Origin"]) == 0 && ok && own()
}

// run is the life of a process, from its start until nothing of it is left. It
// alone reaps the child.
func (p *process) run() {
	defer p.f.gone.Done()
	why := p.serve()
	close(p.exited)
	p.f.buried(p, why)
}

// serve opens the Runtime API, runs the child to its end and says how it ended.
func (p *process) serve() failure {
	write, err := p.out.open()
	if err != nil {
		return failure{kind: typeEntrypoint, text: err.Error()}
	}
	defer p.out.close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		_ = write.Close()
		return failure{kind: typeEntrypoint, text: err.Error()}
	}
	p.addr = listener.Addr().String()
	server := &http.Server{
		Handler:     p,
		ConnContext: p.meet,
		// aws-lambda-go sends an error's X-Ray cause, up to 1 MiB, as a header.
		MaxHeaderBytes: 2 << 20,
		ErrorLog:       log.New(io.Discard, "", 0), // a client that hangs up is no news
	}
	served := make(chan struct{})
	go func() { defer close(served); _ = server.Serve(listener) }()
	defer func() { _ = server.Close(); <-served }()
	return p.child(write)
}

// child starts the executable and waits for its end.
func (p *process) child(write *os.File) failure {
	// The kernel sends the parent-death signal when the thread that forked
	// ends, so this goroutine keeps its thread until the child is gone.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd, err := p.start(write)
	_ = write.Close()
	if err != nil {
		close(p.born)
		return failure{kind: typeEntrypoint, text: err.Error()}
	}
	p.started(cmd.Process.Pid)
	limit := p.f.cfg.InitTimeout
	if p.suppressed {
		limit = p.f.cfg.Timeout
	}
	timer := time.AfterFunc(limit, p.overdue)
	defer timer.Stop()
	reap(cmd, p.reapGroup)
	return exitFailure(cmd.ProcessState.String())
}

// start starts the executable. One that was written a moment ago may be busy:
// another child of this program, forked meanwhile, holds it open until it has
// become its own program (go.dev/issue/22315).
func (p *process) start(write *os.File) (*exec.Cmd, error) {
	cfg := p.f.cfg
	stream := cfg.Now().UTC().Format("2006/01/02") + "/[" + cfg.Version + "]" + newStreamID()
	for wait := time.Millisecond; ; wait *= 2 {
		cmd := &exec.Cmd{
			Path: p.bootstrap, Args: []string{p.bootstrap}, Dir: cfg.Dir,
			Env:    cfg.environment(p.addr, stream),
			Stdout: write, Stderr: write,
			SysProcAttr: processGroup(),
		}
		err := cmd.Start()
		if !errors.Is(err, syscall.ETXTBSY) || wait > time.Second {
			return cmd, err
		}
		time.Sleep(wait)
	}
}

// started notes the child's group, and ends it at once if that was asked for
// while it started.
func (p *process) started(pid int) {
	p.groupMu.Lock()
	defer p.groupMu.Unlock()
	p.pid = pid
	p.out.attach(pid)
	close(p.born)
	if p.doomed {
		signalGroup(pid, os.Kill)
	}
}

// reapGroup kills what the dead child left behind in its group. The child is
// not reaped yet, so its number cannot be anybody else's.
func (p *process) reapGroup() {
	p.groupMu.Lock()
	defer p.groupMu.Unlock()
	signalGroup(p.pid, os.Kill)
	p.pid = 0
}

// kill ends the process group now.
func (p *process) kill() { p.signal(os.Kill) }

// terminate asks the process group to end.
func (p *process) terminate() { p.signal(terminateSignal) }

func (p *process) signal(s os.Signal) {
	p.groupMu.Lock()
	defer p.groupMu.Unlock()
	p.doomed = true
	if p.pid != 0 {
		signalGroup(p.pid, s)
	}
}

// overdue ends a process that has not asked for its first event in time.
func (p *process) overdue() {
	p.f.mu.Lock()
	late := p.state == stateStarting
	p.overran = late
	p.f.mu.Unlock()
	if late {
		p.kill()
	}
}
