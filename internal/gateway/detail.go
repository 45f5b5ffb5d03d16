package gateway

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/marquee-api/marquee/internal/sigv4"
)

// Detail is what a record holds for someone who looks closely: what came in, what each policy said, what the function
// was handed, what went out. Session tokens, API keys, cookies and signatures are redacted wherever they stand.
type Detail struct {
	Target        string      `json:"target"` // as on the wire, with the query
	SourceIP      string      `json:"source_ip,omitempty"`
	VPCEndpointID string      `json:"vpc_endpoint_id,omitempty"` // empty: the public internet
	RequestHeader http.Header `json:"request_header,omitempty"`
	RequestBody   *Body       `json:"request_body,omitempty"`

	// CanonicalRequest is what was signed, of a request whose signature is right. Mismatch is of one whose is wrong.
	CanonicalRequest string    `json:"canonical_request,omitempty"`
	Mismatch         *Mismatch `json:"mismatch,omitempty"`

	Resource string              `json:"resource,omitempty"` // the ARN that policies were asked about
	Context  map[string][]string `json:"context,omitempty"`  // the condition keys that they saw
	Policies []PolicyOpinion     `json:"policies,omitempty"`

	PathParameters map[string]string `json:"path_parameters,omitempty"`
	// Event is what the function was invoked with; EventBytes is its size. A large event is left out.
	Event      json.RawMessage `json:"event,omitempty"`
	EventBytes int             `json:"event_bytes,omitempty"`

	ResponseHeader http.Header `json:"response_header,omitempty"`
	ResponseBody   *Body       `json:"response_body,omitempty"`
}

// Body is the beginning of a body. Text is empty if the body is no text.
type Body struct {
	Text      string `json:"text,omitempty"`
	Bytes     int    `json:"bytes"` // of the whole body
	Truncated bool   `json:"truncated,omitempty"`
	Binary    bool   `json:"binary,omitempty"`
}

// Mismatch says where the client's canonical request parts from the gateway's.
type Mismatch struct {
	// Client is the canonical request that the client signed, proven by its signature. Empty: not known.
	Client      string       `json:"client,omitempty"`
	Differences []Difference `json:"differences,omitempty"`
}

// Difference is a line on which they part; sigv4.Difference has the meaning of its fields.
type Difference struct {
	Part   string `json:"part"`
	Name   string `json:"name,omitempty"`
	Line   int    `json:"line,omitempty"`
	Server string `json:"server,omitempty"`
	Client string `json:"client,omitempty"`
	Why    string `json:"why,omitempty"`
}

// PolicyOpinion is what one policy said to a call.
type PolicyOpinion struct {
	Kind     string `json:"kind"`             // as AWS names it: "identity-based policy"
	Number   int    `json:"number,omitempty"` // from 1, among the identity-based policies
	Decision string `json:"decision"`         // allow, explicit_deny, implicit_deny
	// Statement is the place, from 0, of the statement that decided for the policy, -1 if none did, and Sid its name.
	Statement int    `json:"statement"`
	Sid       string `json:"sid,omitempty"`
	// Decided marks the policy whose opinion became the decision.
	Decided  bool            `json:"decided,omitempty"`
	Document json.RawMessage `json:"document"`
}

// NewDifference is a difference as a record holds it.
func NewDifference(d sigv4.Difference) Difference {
	return Difference{Part: string(d.Part), Name: d.Name, Line: d.Line, Server: redact(d.Server), Client: redact(d.Client), Why: d.Why}
}

// Detailed returns the record with its Detail, made anew from what was kept: it costs more than the gateway's decision,
// and few records are ever looked at. Without evidence the record is returned as it is.
func (rec Record) Detailed() Record {
	if rec.Evidence != nil && rec.Detail == nil {
		rec.Detail = rec.Evidence.detail()
	}
	return rec
}

// Query is the raw query as it may be shown.
func (rec *Record) Query() string {
	if rec.Evidence != nil {
		return rec.Evidence.shownQuery
	}
	if rec.Detail == nil {
		return ""
	}
	_, query, _ := strings.Cut(rec.Detail.Target, "?")
	return query
}

// LooksSigned says whether the request came with a signature, be it right or wrong. A record that has neither evidence nor
// a detail does not know.
func (rec *Record) LooksSigned() bool {
	if rec.Evidence != nil {
		return rec.Evidence.signed
	}
	return rec.Detail != nil && (rec.Detail.RequestHeader.Get("Authorization") != "" || strings.Contains(rec.Detail.Target, "X-Amz-Algorithm="))
}
