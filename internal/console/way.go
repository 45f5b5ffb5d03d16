package console

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/marquee-api/marquee/internal/gateway"
)

// State is how far a request came with a step of its way.
type State string

// The states of a step.
const (
	Passed    State = "passed"
	Stopped   State = "refused"     // here it ended
	NotNeeded State = "not needed"  // there was nothing to ask
	Unreached State = "not reached" // it ended before
)

// Step is one step of a request's way.
type Step struct {
	ID       string        `json:"id"`
	Label    string        `json:"label"`
	State    State         `json:"state"`
	Reason   string        `json:"reason"`
	Duration time.Duration `json:"duration_ns,omitempty"`
}

// The steps by which a way is told.
const (
	stepClient   = "client"
	stepDoor     = "door"
	stepSign     = "signature"
	stepEndpoint = "endpoint_policy"
	stepPolicies = "policies"
	stepRoute    = "route"
	stepThrottle = "throttle"
	stepValidate = "validation" // only of methods that ask for it
	stepFunction = "function"
	stepAnswer   = "answer"
)

var labels = map[string]string{
	stepClient: "client", stepDoor: "door", stepSign: "signature", stepEndpoint: "endpoint policy", stepPolicies: "resource and identity policy",
	stepRoute: "route", stepThrottle: "throttle", stepValidate: "request validation", stepFunction: "function", stepAnswer: "answer",
}

// stepOfCheck says to which step a check of a record belongs.
var stepOfCheck = map[string]string{
	"limits": stepDoor, "api": stepDoor, "method override": stepDoor, "signature": stepSign, "endpoint policy": stepEndpoint, "authorization": stepPolicies,
	"route": stepRoute, "request validation": stepValidate, "api key": stepThrottle, "usage plan": stepThrottle, "throttle": stepThrottle,
	"caller credentials": stepFunction, "fault": stepFunction, "mock integration": stepFunction, "function": stepFunction,
}

// way tells the way of a request from its record.
func way(r *gateway.Record) []Step {
	order := orderOf(r)
	last := len(order) - 2 // what lies behind the last check that was made was not reached, if it refused
	if refused := refusal(r); refused != nil {
		last = slices.Index(order, place(*refused))
	}
	steps := make([]Step, 0, len(order))
	for i, id := range order {
		step := Step{ID: id, Label: labels[id]}
		switch {
		case id == stepClient:
			step.State, step.Reason = Passed, clientReason(r)
		case id == stepAnswer:
			step.State, step.Reason = answerOf(r)
		default:
			step.fill(r)
			if step.State == "" {
				step.State, step.Reason = silent(r, id, i < last)
			}
		}
		steps = append(steps, step)
	}
	return steps
}

func place(c gateway.Check) string {
	id, known := stepOfCheck[c.Name]
	switch {
	case !known:
		return stepFunction
	case c.Name == "method override" && !c.OK:
		return stepSign // it is refused for want of a signature over it
	}
	return id
}

// orderOf is the order of the steps. The endpoint policy is asked before a missing signature is refused, and after a
// signature was verified.
func orderOf(r *gateway.Record) []string {
	order := []string{stepClient, stepDoor, stepSign, stepEndpoint, stepPolicies, stepRoute, stepThrottle, stepFunction, stepAnswer}
	at := func(name string) int {
		return slices.IndexFunc(r.Checks, func(c gateway.Check) bool { return c.Name == name })
	}
	if endpoint, signature := at("endpoint policy"), at("signature"); endpoint >= 0 && (signature < 0 || endpoint < signature) {
		order[2], order[3] = order[3], order[2]
	}
	if at("request validation") >= 0 {
		order = slices.Insert(order, slices.Index(order, stepFunction), stepValidate)
	}
	return order
}

// fill joins the checks that belong to the step.
func (s *Step) fill(r *gateway.Record) {
	var reasons []string
	for _, check := range r.Checks {
		if place(check) != s.ID {
			continue
		}
		s.State = Passed
		if !check.OK {
			s.State = Stopped
		}
		if reason := reasonOf(check); reason != "" {
			reasons = append(reasons, reason)
		}
		s.Duration += check.Duration
	}
	s.Reason = strings.Join(reasons, "; ")
}

func reasonOf(c gateway.Check) string {
	switch {
	case c.Name == "api" && c.OK:
		return "stage " + c.Detail
	case c.Name == "api key" && c.OK:
		return "API key " + c.Detail
	case c.Name == "fault":
		return "fault: " + c.Detail
	case c.Name == "mock integration" && c.OK:
		return "a fixed answer of the template"
	}
	return c.Detail
}

// silent says what there is to say of a step that the record does not list.
func silent(r *gateway.Record, id string, reached bool) (State, string) {
	if !reached {
		return Unreached, "the request ended before"
	}
	switch id {
	case stepSign:
		return NotNeeded, "the method asks for none"
	case stepEndpoint:
		if r.Detail != nil && r.Detail.VPCEndpointID == "" || r.Door == "public" {
			return NotNeeded, "it did not come through a VPC endpoint"
		}
		return NotNeeded, "the endpoint has none: AWS's default allows everything"
	case stepThrottle:
		return Passed, "below the limits, or there are none"
	}
	return Passed, ""
}

func clientReason(r *gateway.Record) string {
	name, unproven := identityOf(r)
	switch {
	case name == unsigned:
		return "sent it unsigned"
	case name == unknown:
		return "is not known"
	case unproven:
		return "says that it is " + name
	}
	return "is " + name
}

func answerOf(r *gateway.Record) (State, string) {
	text := fmt.Sprintf("%d %s", r.Status, http.StatusText(r.Status))
	refused := refusal(r)
	switch {
	case refused != nil && r.ErrorType != "":
		return Stopped, text + ", " + r.ErrorType
	case refused != nil:
		return Stopped, text + ", by the gateway"
	case r.Status >= 500:
		return Stopped, text + ", by the function"
	}
	return Passed, text + ", by the function"
}
