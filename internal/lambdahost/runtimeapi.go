package lambdahost

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The Runtime API ("Using the Lambda runtime API for custom runtimes", version
// 2018-06-01). Statuses, texts and the order of the checks are those of
// Lambda's own Runtime Interface Emulator.
const (
	pathInvocation = "/2018-06-01/runtime/invocation/"
	pathNext       = pathInvocation + "next"
	pathInitError  = "/2018-06-01/runtime/init/error"

	headerRequestID    = "Lambda-Runtime-Aws-Request-Id"
	headerDeadline     = "Lambda-Runtime-Deadline-Ms"
	headerFunctionARN  = "Lambda-Runtime-Invoked-Function-Arn"
	headerTraceID      = "Lambda-Runtime-Trace-Id"
	headerClient       = "Lambda-Runtime-Client-Context"
	headerErrorType    = "Lambda-Runtime-Function-Error-Type"
	headerErrorBody    = "Lambda-Runtime-Function-Error-Body" // a trailer of streamed answers
	headerResponseMode = "Lambda-Runtime-Function-Response-Mode"
)

// ServeHTTP answers this process's own runtime; anybody else is refused before
// anything is looked at.
func (p *process) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !p.ownRequest(r) {
		reply(w, http.StatusForbidden, "Forbidden", "this Runtime API belongs to another process")
		return
	}
	path := r.URL.EscapedPath()
	switch {
	case path == pathNext && r.Method == http.MethodGet:
		p.next(w, r)
		return
	case path == pathInitError && r.Method == http.MethodPost:
		p.initError(w, r)
		return
	case strings.HasPrefix(path, pathInvocation) && r.Method == http.MethodPost:
		id, verb, _ := strings.Cut(path[len(pathInvocation):], "/")
		switch verb {
		case "response":
			p.answer(w, r, id, stateResponding)
			return
		case "error":
			p.answer(w, r, id, stateFailing)
			return
		}
	}
	reply(w, http.StatusNotFound, "NotFound", "no such Runtime API call: "+r.Method+" "+path)
}

// next waits for an event and hands it over.
func (p *process) next(w http.ResponseWriter, r *http.Request) {
	inv, again, err := p.f.poll(p)
	if err != nil {
		reply(w, http.StatusForbidden, "InvalidStateTransition", err.Error())
		return
	}
	if inv == nil {
		select {
		case inv = <-p.deliver:
		case <-p.exited:
			return
		case <-r.Context().Done():
			// Its runtime left the connection: nobody knows whether it is
			// still able to work, so another process takes its place.
			p.f.leave(p)
			return
		}
	}
	if !again {
		p.out.begin(inv.RequestID, p.f.cfg.Version)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(inv.Payload)))
	h.Set(headerRequestID, inv.RequestID)
	h.Set(headerDeadline, strconv.FormatInt(inv.deadline.UnixMilli(), 10))
	h.Set(headerFunctionARN, p.f.cfg.ARN)
	if inv.TraceID != "" {
		h.Set(headerTraceID, inv.TraceID)
	}
	if inv.ClientContext != "" {
		h.Set(headerClient, inv.ClientContext)
	}
	_, _ = w.Write(inv.Payload) // a runtime that is gone is noticed by its exit
}

// poll is called when p's runtime asks for an event. It returns the invocation
// to hand over, and whether it was handed over before; nil when p has to wait.
func (f *Function) poll(p *process) (inv *invocation, again bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch p.state {
	case stateRunning:
		// Asked again without having answered: the event was lost on its way.
		return p.current, true, nil
	case stateStarting:
		f.starting--
		p.initDuration = f.cfg.Now().Sub(p.began)
		close(p.ready)
	case stateAnswered:
		p.current.timer.Stop()
		p.current = nil
	default:
		return nil, false, &transitionError{p.state, stateIdle}
	}
	p.state = stateIdle
	if p.retired || p.epoch != f.epoch {
		f.dismiss(p)
		return nil, false, nil
	}
	if inv := f.popPending(); inv != nil {
		f.assign(p, inv)
		return inv, false, nil
	}
	f.idle = append(f.idle, p)
	return nil, false, nil
}

// leave ends a process whose runtime hung up while it waited for an event.
func (f *Function) leave(p *process) {
	f.mu.Lock()
	f.retire(p)
	f.mu.Unlock()
	p.kill()
}

// answer takes an invocation's response or error.
func (p *process) answer(w http.ResponseWriter, r *http.Request, id string, as state) {
	inv, err := p.f.claim(p, id, as)
	if errors.Is(err, errRequestID) {
		reply(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
		return
	} else if err != nil {
		reply(w, http.StatusForbidden, "InvalidStateTransition", err.Error())
		return
	}
	result, why, refusal := readAnswer(w, r, as)
	p.f.finish(p, inv, result.with(why, inv.RequestID), why)
	p.f.answered(p)
	if refusal != nil {
		refusal()
		return
	}
	accepted(w)
}

var errRequestID = errors.New("invalid request id")

// claim checks that p may answer id now, and only then moves it on: an answer
// for an invocation that is not p's own must change nothing.
func (f *Function) claim(p *process, id string, as state) (*invocation, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p.current == nil || p.current.RequestID != id {
		return nil, errRequestID
	}
	if p.state != stateRunning {
		return nil, &transitionError{p.state, as}
	}
	p.state = as
	return p.current, nil
}

func (f *Function) answered(p *process) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p.state = stateAnswered
}

// transitionError refuses a call that does not fit the state a runtime is in.
type transitionError struct{ from, to state }

// Error is Lambda's wording, which runtimes may log or match.
func (e *transitionError) Error() string {
	return fmt.Sprintf("State transition from Runtime%s to Runtime%s failed for runtime. Error: State transition is not allowed", e.from, e.to)
}

// with completes a result by what went wrong.
func (r Result) with(why failure, requestID string) Result {
	if why.kind != "" {
		r.Payload, r.FunctionError = why.payload(requestID), Unhandled
	}
	return r
}

// readAnswer reads what a runtime posts. The refusal, if any, tells the runtime
// what was wrong with it; the caller of the function gets the failure.
func readAnswer(w http.ResponseWriter, r *http.Request, as state) (Result, failure, func()) {
	if mode := r.Header.Get(headerResponseMode); as == stateResponding && mode != "" && mode != "streaming" {
		return Result{}, failure{kind: typeResponseMode, text: "Invalid function response mode"}, func() {
			reply(w, http.StatusBadRequest, "InvalidFunctionResponseMode", "Invalid function response mode")
		}
	}
	body, err := readBody(r)
	if errors.Is(err, errBodyTooLarge) {
		why := failure{kind: typeResponseTooLarge, text: fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", MaxResponsePayload)}
		return Result{}, why, func() {
			reply(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge",
				fmt.Sprintf("Exceeded maximum allowed payload size (%d bytes).", MaxResponsePayload))
		}
	}
	if err != nil {
		return Result{}, failure{kind: typeTruncated, text: "Response was truncated"}, func() {
			reply(w, http.StatusBadRequest, "TruncatedHTTPRequest", "HTTP request detected as truncated")
		}
	}
	if as == stateFailing {
		return Result{}, postedFailure(r.Header.Get(headerErrorType), body), nil
	}
	// A streamed answer that breaks off says so in its trailer.
	if kind := r.Trailer.Get(headerErrorType); kind != "" {
		doc, _ := base64.StdEncoding.DecodeString(r.Trailer.Get(headerErrorBody))
		return Result{}, postedFailure(kind, doc), nil
	}
	return Result{Payload: body}, failure{}, nil
}

var errorType = regexp.MustCompile(`^(Runtime|Function)\.[A-Z][a-zA-Z]+$`)

// postedFailure is an error that the runtime reported. Without a usable
// document Lambda makes one from the header.
func postedFailure(kind string, document []byte) failure {
	if !errorType.MatchString(kind) {
		kind = typeUnknown
	}
	if json.Valid(document) {
		return failure{kind: kind, document: document}
	}
	return failure{kind: kind, text: "the runtime reported an error without a readable document"}
}

var errBodyTooLarge = errors.New("body too large")

// drainLimit is how much of a refused body is still read, so that the runtime
// sees the refusal instead of a broken connection.
const drainLimit = 64 * 1024 * 1024

// buffers are for answers while they arrive. aws-lambda-go does not say how
// long one is; room from the start has most of them read at once.
var buffers = sync.Pool{New: func() any { return bytes.NewBuffer(make([]byte, 0, 32*1024)) }}

// maxPooled keeps the room of one rare, large answer from being kept for ever.
const maxPooled = 256 * 1024

// readBody reads at most as much as a function may answer.
func readBody(r *http.Request) ([]byte, error) {
	buf := buffers.Get().(*bytes.Buffer)
	defer func() {
		if buf.Cap() <= maxPooled {
			buf.Reset()
			buffers.Put(buf)
		}
	}()
	n, err := buf.ReadFrom(io.LimitReader(r.Body, MaxResponsePayload+1))
	if err != nil {
		return nil, err
	}
	if n > MaxResponsePayload {
		_, _ = io.CopyN(io.Discard, r.Body, drainLimit)
		return nil, errBodyTooLarge
	}
	return bytes.Clone(buf.Bytes()), nil
}

// initError takes the report of a start that failed.
func (p *process) initError(w http.ResponseWriter, r *http.Request) {
	body, err := readBody(r)
	if err != nil {
		body = nil
	}
	why := postedFailure(r.Header.Get(headerErrorType), body)
	p.f.mu.Lock()
	if p.state != stateStarting {
		err = &transitionError{p.state, stateInitError}
	} else {
		err, p.state, p.posted = nil, stateInitError, &why
		time.AfterFunc(p.f.cfg.Grace, p.kill) // one that does not leave by itself
	}
	p.f.mu.Unlock()
	if err != nil {
		reply(w, http.StatusForbidden, "InvalidStateTransition", err.Error())
		return
	}
	accepted(w)
}

func accepted(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"status":"OK"}`+"\n")
}

// reply sends one of the Runtime API's error documents.
func reply(w http.ResponseWriter, status int, kind, text string) {
	doc, _ := json.Marshal(struct { // two strings always marshal
		Message string `json:"errorMessage"`
		Type    string `json:"errorType"`
	}{text, kind})
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(doc)
}
