package main

import (
	"net/http"

	"github.com/marquee-api/marquee/apiclient"
)

// callRefusal is what standard error says of an answer that is no 2xx: what the body lacks, and what to do next.
type callRefusal struct {
	*apiclient.APIError
	next string // "" if there is no advice
}

func (r callRefusal) Error() string {
	if r.next == "" {
		return r.APIError.Error()
	}
	return r.APIError.Error() + "\nmarquee: " + r.next
}

// statusOf is the exit status for an answer; nil is a 2xx. What API Gateway refused is said with the error's type, and
// with its message unless a person has just read that in the body.
func (t *callTarget) statusOf(refusal *apiclient.APIError, bodySeen bool) *exitStatus {
	if refusal == nil {
		return nil
	}
	status := &exitStatus{code: 1}
	if class := refusal.StatusCode / 100; class == 4 || class == 5 {
		status.code = class
	}
	if status.code == 1 || refusal.ByGateway() {
		said := *refusal
		if bodySeen {
			said.Message = ""
		}
		status.err = callRefusal{APIError: &said, next: t.nextAfter(refusal)}
	}
	return status
}

// nextAfter is what to do about an answer: the local stack knows why it gave it, of AWS's the message tells.
func (t *callTarget) nextAfter(refusal *apiclient.APIError) string {
	if t.state != nil && t.state.ConsoleURL != "" && refusal.StatusCode == http.StatusForbidden {
		return "the console page " + t.state.ConsoleURL + " shows why"
	}
	if m, ok := knownMeaning(refusal.Message); ok {
		return m.next
	}
	return ""
}

// worse is the exit status that tells more of what went wrong: 5 before 4 before 1.
func worse(a, b *exitStatus) *exitStatus {
	if a == nil || b != nil && b.code > a.code {
		return b
	}
	return a
}
