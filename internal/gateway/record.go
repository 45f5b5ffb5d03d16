package gateway

import "time"

// Record says what became of one request and why: one for each, secrets and tokens left out.
type Record struct {
	Time      time.Time `json:"time"`
	RequestID string    `json:"request_id"`
	Door      string    `json:"door"`
	Method    string    `json:"method"`
	Host      string    `json:"host"`
	Path      string    `json:"path"` // normalised, with the stage
	API       string    `json:"api,omitempty"`
	Route     string    `json:"route,omitempty"`

	Identity    string `json:"identity,omitempty"` // the caller's ARN
	Name        string `json:"name,omitempty"`     // the caller's name here, such as its profile
	Claimed     string `json:"claimed,omitempty"`  // the name of whom a request says it is from whose signature was refused
	AccessKeyID string `json:"access_key_id,omitempty"`

	Checks []Check `json:"checks"`
	Status int     `json:"status"`

	// Of a refusal by the gateway.
	ErrorType        string `json:"error_type,omitempty"`
	Message          string `json:"message,omitempty"`
	Why              string `json:"why,omitempty"`
	CanonicalRequest string `json:"canonical_request,omitempty"`
	StringToSign     string `json:"string_to_sign,omitempty"`

	Function         string        `json:"function,omitempty"`
	FunctionDuration time.Duration `json:"function_duration_ns,omitempty"`
	Duration         time.Duration `json:"duration_ns"` // until the answer was ready to be sent

	Detail *Detail `json:"detail,omitempty"` // of a record that was read, or of one that Detailed returned
	// Evidence is what Detailed makes the Detail of; nil unless Config.DetailBytes asks for it.
	Evidence *Evidence `json:"-"`
}

// Check is one step of the pipeline. Steps that were not reached are not listed.
type Check struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail,omitempty"`
	// Duration is how long the step took, the steps before it that are not listed included. Only records with details
	// have it.
	Duration time.Duration `json:"duration_ns,omitempty"`
}

// mostChecks is how many a request that is let in usually has.
const mostChecks = 8

func (rec *Record) pass(name, detail string) {
	rec.Checks = append(rec.Checks, Check{Name: name, OK: true, Detail: detail})
}

func (rec *Record) fail(name string, refusal *Refusal) *Refusal {
	detail := refusal.Why
	if detail == "" {
		detail = firstLine(refusal.Message)
	}
	rec.Checks = append(rec.Checks, Check{Name: name, Detail: redact(detail)})
	return refusal
}

func (rec *Record) refused(refusal *Refusal) {
	rec.Status, rec.ErrorType = refusal.Status, refusal.Type
	rec.Message, rec.Why = redact(refusal.Message), redact(refusal.Why)
}

// timed gives the time since the last call to the step that was listed last.
func (x *exchange) timed() {
	checks := x.record.Checks
	if x.record.Evidence == nil || len(checks) == 0 || checks[len(checks)-1].Duration != 0 {
		return
	}
	now := x.g.now()
	checks[len(checks)-1].Duration = now.Sub(x.marked)
	x.marked = now
}
