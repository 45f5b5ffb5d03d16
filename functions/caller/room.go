package main

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"

	"github.com/aws/aws-lambda-go/lambda/messages"
)

const (
	// maxResult is what Lambda returns of an invocation (Lambda quotas: 6 MB, which its own error says are 6291556 bytes).
	// The Runtime API answers 413 to more, and the runtime then ends the process: no result at all.
	maxResult = 6291556
	// frame is what stands around the results of a list at most.
	frame = len(`{"results":[],"attempts":}`) + len("9223372036854775807")
	// maxKept is how much may be left of a result that has lost its body: more than API Gateway's 10240 bytes of headers.
	// A hundred of them fit.
	maxKept = 16 << 10
	// maxReason is how long a reason may be. Some quote the event, which may have six million bytes.
	maxReason = 2 << 10
)

// ResultTooLargeError says that an answer came and cannot be returned. Its name is the error type that Lambda reports.
type ResultTooLargeError struct{ reason string }

func (e *ResultTooLargeError) Error() string { return e.reason }

// tooLarge is the reason why a result is not returned. Somebody who wrote something has to know that it was answered.
func tooLarge(r result, size int) string {
	return fmt.Sprintf("answered %d, but the answer takes %d of the %d bytes that Lambda returns of an invocation: ask for less at once", r.Status, size, maxResult)
}

// room holds the results of a list within what Lambda returns. What does not fit loses its body, the largest first, so that
// as many as possible are kept, whatever order they came in. It drops them as they come: memory is small.
type room struct {
	mu      sync.Mutex
	results []result
	sizes   []int // of each, in JSON, with a comma; 0: it is not there yet
	cut     []bool
	total   int
}

func newRoom(places int) *room {
	return &room{results: make([]result, places), sizes: make([]int, places), cut: make([]bool, places), total: frame}
}

// put gives a result its place.
func (m *room) put(place int, r result) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.set(place, r)
	for m.total > maxResult {
		largest := -1
		for i, size := range m.sizes {
			if !m.cut[i] && size > 0 && (largest < 0 || size >= m.sizes[largest]) {
				largest = i
			}
		}
		if largest < 0 {
			return // cannot be: what is left of a hundred is far below
		}
		m.cut[largest] = true
		m.set(largest, m.results[largest].withoutBody(m.sizes[largest]))
	}
}

func (m *room) set(place int, r result) {
	m.total -= m.sizes[place]
	m.results[place], m.sizes[place] = r, r.size()+len(",")
	m.total += m.sizes[place]
}

// size is how many bytes of the invocation's result it is.
func (r result) size() int {
	text, err := json.Marshal(r)
	if err != nil {
		return 0 // which the whole result's error says
	}
	return len(text)
}

// withoutBody is what is returned in place of a result of this size.
func (r result) withoutBody(size int) result {
	if r.Failure == "" {
		r.Failure = tooLarge(r, size)
	}
	r.Body, r.Base64, r.Error = nil, false, nil
	if r.size() > maxKept {
		r.Headers, r.Retried, r.Failure = nil, nil, cut(r.Failure)
	}
	return r
}

// cut shortens a reason.
func cut(reason string) string {
	if len(reason) <= maxReason {
		return reason
	}
	return strings.ToValidUTF8(reason[:maxReason], "") + "…"
}

// reported is the error of an invocation as it is told to Lambda: a part of it goes into a header.
func reported(err error) error {
	reason := err.Error()
	if len(reason) <= maxReason {
		return err
	}
	kind := reflect.TypeOf(err)
	if kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	return messages.InvokeResponse_Error{Message: cut(reason), Type: kind.Name()}
}
