package lambdahost

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

const (
	// MaxEventPayload is the most bytes an asynchronous invocation may carry
	// (Lambda API, Invoke). It was 256 KB until 2025.
	MaxEventPayload = 1024 * 1024
	// DefaultEventQueue is how many asynchronous invocations may be on their
	// way at a time.
	DefaultEventQueue = 1000
	// maxClientContext is the most bytes of X-Amz-Client-Context, in base64
	// (Lambda API, Invoke).
	maxClientContext = 3583
	// maxInvokeRequest is where Lambda stops counting and answers with another
	// error: 50 MiB in base64.
	maxInvokeRequest = 69905067
)

// InvokeAPI speaks Lambda's Invoke API for a set of functions, so that
// `aws lambda invoke --endpoint-url` and every SDK work. It checks no
// signature: serve it on a loopback address only. It refuses requests that a
// web page sent, and those for a host that is not its own.
//
// What Lambda does and it does not: an asynchronous invocation that fails is
// tried again only as Retries says, and has no dead-letter queue or
// destination; a qualifier other than $LATEST and the function's own version
// is unknown; streaming responses are not offered.
type InvokeAPI struct {
	// Functions are found by name, ARN or partial ARN. Do not change the map
	// while the handler serves.
	Functions map[string]*Function
	// AllowedHosts are the names that a request's Host header may have, without
	// port; empty means localhost, 127.0.0.1 and ::1.
	AllowedHosts []string
	// Region and Account complete the ARN of a function that is not there.
	Region, Account string
	// EventQueue bounds the asynchronous invocations on their way; zero is
	// [DefaultEventQueue]. A full queue answers 429.
	EventQueue int
	// Retries are the waits before an asynchronous invocation that failed is
	// tried again. Lambda waits one and then two minutes; nil tries once.
	Retries []time.Duration
	// EventDone, if set, is told how each attempt of an asynchronous
	// invocation ended.
	EventDone func(function string, r Result, err error)
	// NewID makes request ids; nil makes random UUIDs (version 4).
	NewID func() string

	once   sync.Once
	slots  chan struct{}
	ctx    context.Context
	cancel context.CancelFunc
	events sync.WaitGroup
}

// ServeHTTP answers POST /2015-03-31/functions/{function}/invocations.
func (a *InvokeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.once.Do(a.start)
	id := a.newID()
	w.Header().Set("x-amzn-RequestId", id)
	if !a.hostAllowed(r.Host) || len(r.Header["Origin"]) > 0 {
		apiFailure{http.StatusForbidden, "AccessDeniedException", "", "this Lambda endpoint answers tools on this machine only, not web pages or other hosts"}.write(w)
		return
	}
	name, qualifier, ok := invocationPath(r)
	if !ok || r.Method != http.MethodPost {
		apiFailure{http.StatusNotFound, "UnknownOperationException", "", "only Invoke is served here: POST /2015-03-31/functions/{name}/invocations"}.write(w)
		return
	}
	f, failed := a.find(name, qualifier)
	if failed != nil {
		failed.write(w)
		return
	}
	in, kind, failed := readInvocation(r)
	if failed != nil {
		failed.write(w)
		return
	}
	in.RequestID = id
	switch kind {
	case "DryRun":
		w.WriteHeader(http.StatusNoContent)
	case "Event":
		a.event(w, f, in)
	default:
		invokeNow(w, r, f, in)
	}
}

// Close waits for the asynchronous invocations on their way, until ctx ends;
// then it gives them up. New ones are refused.
func (a *InvokeAPI) Close(ctx context.Context) error {
	a.once.Do(a.start)
	for range cap(a.slots) {
		select {
		case a.slots <- struct{}{}: // with every slot taken, nothing is on its way
		case <-ctx.Done():
			a.cancel()
			a.events.Wait()
			return ctx.Err()
		}
	}
	a.cancel()
	return nil
}

// UnderWay is the number of asynchronous invocations that were accepted and are
// not over.
func (a *InvokeAPI) UnderWay() int {
	a.once.Do(a.start)
	return len(a.slots)
}

func (a *InvokeAPI) start() {
	a.slots = make(chan struct{}, orDefault(a.EventQueue, DefaultEventQueue))
	a.ctx, a.cancel = context.WithCancel(context.Background())
}

func (a *InvokeAPI) newID() string {
	if a.NewID != nil {
		return a.NewID()
	}
	return newUUID()
}

// hostAllowed keeps DNS rebinding out: a web page can make its own name point
// to this address, but not change the name that its browser sends.
func (a *InvokeAPI) hostAllowed(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.ToLower(strings.Trim(name, "[]"))
	if len(a.AllowedHosts) == 0 {
		return name == "localhost" || name == "127.0.0.1" || name == "::1"
	}
	return slices.ContainsFunc(a.AllowedHosts, func(s string) bool { return strings.EqualFold(s, name) })
}

// find looks a function up by any of the forms of its name.
func (a *InvokeAPI) find(name, qualifier string) (*Function, *apiFailure) {
	ref, ok := parseFunctionName(name)
	if !ok {
		return nil, &apiFailure{http.StatusBadRequest, "ValidationException", "", "1 validation error detected: Value '" + name + "' at 'functionName' failed to satisfy constraint: not a function name, ARN or partial ARN"}
	}
	if ref.qualifier != "" && qualifier != "" && ref.qualifier != qualifier {
		return nil, &apiFailure{http.StatusBadRequest, "InvalidParameterValueException", "User", "The derived qualifier from the function name does not match the specified qualifier."}
	}
	qualifier = orDefault(qualifier, ref.qualifier)
	f := a.Functions[ref.name]
	arn := "arn:aws:lambda:" + orDefault(ref.region, a.Region) + ":" + orDefault(ref.account, a.Account) + ":function:" + ref.name
	if f != nil && (ref.region == "" || ref.region == a.Region) && (ref.account == "" || ref.account == a.Account) &&
		(qualifier == "" || qualifier == latest || qualifier == f.Version()) {
		return f, nil
	}
	if qualifier != "" {
		arn += ":" + qualifier
	}
	return nil, &apiFailure{http.StatusNotFound, "ResourceNotFoundException", "User", "Function not found: " + arn}
}

// readInvocation reads the event and the headers that go with it.
func readInvocation(r *http.Request) (Invocation, string, *apiFailure) {
	kind := orDefault(r.Header.Get("X-Amz-Invocation-Type"), "RequestResponse")
	limit := MaxRequestPayload
	switch kind {
	case "RequestResponse", "DryRun":
	case "Event":
		limit = MaxEventPayload
	default:
		return Invocation{}, "", &apiFailure{http.StatusBadRequest, "InvalidParameterValueException", "User", "Value '" + kind + "' at 'invocationType' failed to satisfy constraint: Member must satisfy enum value set: [Event, RequestResponse, DryRun]"}
	}
	body, size, err := readPayload(r, limit)
	if err != nil {
		return Invocation{}, "", &apiFailure{http.StatusBadRequest, "InvalidRequestContentException", "User", "Could not read the request body: " + err.Error()}
	}
	if size > maxInvokeRequest {
		return Invocation{}, "", &apiFailure{http.StatusRequestEntityTooLarge, "RequestTooLargeException", "User", "Request must be smaller than " + strconv.Itoa(maxInvokeRequest) + " bytes for the InvokeFunction operation"}
	}
	if size > limit {
		return Invocation{}, "", &apiFailure{http.StatusRequestEntityTooLarge, "RequestEntityTooLargeException", "User",
			strconv.Itoa(size) + " byte payload is too large for the " + kind + " invocation type (limit " + strconv.Itoa(limit) + " bytes)"}
	}
	if why := notJSON(body); why != "" {
		return Invocation{}, "", &apiFailure{http.StatusBadRequest, "InvalidRequestContentException", "User", "Could not parse request body into json: Could not parse payload into json: " + why}
	}
	in := Invocation{Payload: body, TraceID: r.Header.Get("X-Amzn-Trace-Id")}
	if encoded := r.Header.Get("X-Amz-Client-Context"); encoded != "" && kind != "Event" {
		if len(encoded) > maxClientContext {
			return Invocation{}, "", &apiFailure{http.StatusBadRequest, "InvalidRequestContentException", "User", "Client context must be at most " + strconv.Itoa(maxClientContext) + " bytes of Base64-encoded data."}
		}
		doc, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil || !isObject(doc) {
			return Invocation{}, "", &apiFailure{http.StatusBadRequest, "InvalidRequestContentException", "User", "Client context must be a valid Base64-encoded JSON object."}
		}
		in.ClientContext = string(doc)
	}
	return in, kind, nil
}

// readPayload reads up to limit bytes and counts the rest, so that the client
// gets to read the answer.
func readPayload(r *http.Request, limit int) (body []byte, size int, err error) {
	body, err = io.ReadAll(io.LimitReader(r.Body, int64(limit)))
	if err != nil {
		return nil, 0, err
	}
	rest, err := io.Copy(io.Discard, io.LimitReader(r.Body, maxInvokeRequest))
	return body, len(body) + int(rest), err
}

func isObject(doc []byte) bool {
	return json.Valid(doc) && bytes.HasPrefix(bytes.TrimLeft(doc, " \t\r\n"), []byte("{"))
}

// notJSON says why a body is no JSON; empty if it is. Go takes bytes in a
// string that are no UTF-8, and Lambda does not.
func notJSON(body []byte) string {
	switch {
	case !utf8.Valid(body):
		return "Invalid UTF-8"
	case len(body) == 0 || json.Valid(body):
		return ""
	}
	var v json.RawMessage
	return json.Unmarshal(body, &v).Error() // not nil: it is not valid
}

// invokeNow answers a synchronous invocation.
func invokeNow(w http.ResponseWriter, r *http.Request, f *Function, in Invocation) {
	result, err := f.Invoke(r.Context(), in)
	if err != nil {
		hostFailure(err).write(w)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(result.Payload)))
	h.Set("X-Amz-Executed-Version", f.Version())
	if result.FunctionError != "" {
		h.Set("X-Amz-Function-Error", result.FunctionError)
	}
	if r.Header.Get("X-Amz-Log-Type") == "Tail" {
		h.Set("X-Amz-Log-Result", base64.StdEncoding.EncodeToString(result.LogTail))
	}
	_, _ = w.Write(result.Payload)
}

// event accepts an asynchronous invocation and sees it through.
func (a *InvokeAPI) event(w http.ResponseWriter, f *Function, in Invocation) {
	select {
	case a.slots <- struct{}{}:
	default:
		hostFailure(ErrThrottled).write(w)
		return
	}
	a.events.Add(1)
	go func() {
		defer func() { <-a.slots; a.events.Done() }()
		a.deliver(f, in)
	}()
	w.WriteHeader(http.StatusAccepted)
}

// deliver invokes until an attempt succeeds or no retry is left.
func (a *InvokeAPI) deliver(f *Function, in Invocation) {
	for attempt := 0; ; attempt++ {
		result, err := f.Invoke(a.ctx, in)
		if a.EventDone != nil {
			a.EventDone(f.Name(), result, err)
		}
		failed := err != nil || result.FunctionError != ""
		if !failed || errors.Is(err, ErrClosed) || attempt >= len(a.Retries) {
			return
		}
		wait := time.NewTimer(a.Retries[attempt])
		select {
		case <-wait.C:
		case <-a.ctx.Done():
			wait.Stop()
			return
		}
	}
}

// hostFailure is the API error for an error of [Function.Invoke].
func hostFailure(err error) apiFailure {
	switch {
	case errors.Is(err, ErrThrottled):
		return apiFailure{http.StatusTooManyRequests, "TooManyRequestsException", "User", "Rate Exceeded."}
	case errors.Is(err, ErrClosed):
		return apiFailure{http.StatusConflict, "ResourceConflictException", "User", "The operation cannot be performed at this time: the function is being stopped"}
	}
	return apiFailure{http.StatusInternalServerError, "ServiceException", "Service", err.Error()}
}

// apiFailure is an error of the Invoke API.
type apiFailure struct {
	status           int
	kind, side, text string
}

// write sends the error as Lambda does: the name in a header, who is to blame
// and the text in the body, whose keys differ between errors.
func (e apiFailure) write(w http.ResponseWriter) {
	doc := map[string]string{"message": e.text}
	switch {
	case e.kind == "ResourceNotFoundException":
		doc = map[string]string{"Message": e.text}
	case e.status == http.StatusTooManyRequests:
		doc["Reason"] = "ConcurrentInvocationLimitExceeded"
	}
	if e.side != "" {
		doc["Type"] = e.side
	}
	body, _ := json.Marshal(doc) // a map of strings always marshals
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("x-amzn-ErrorType", e.kind)
	w.WriteHeader(e.status)
	_, _ = w.Write(body)
}
