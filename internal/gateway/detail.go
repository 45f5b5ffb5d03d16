package gateway

import (
	"encoding/json"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/marquee-api/marquee/internal/policy"
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

// timed gives the time since the last call to the step that was listed last.
func (x *exchange) timed() {
	checks := x.record.Checks
	if x.record.Detail == nil || len(checks) == 0 || checks[len(checks)-1].Duration != 0 {
		return
	}
	now := x.g.now()
	checks[len(checks)-1].Duration = now.Sub(x.marked)
	x.marked = now
}

// opinionOn is a policy that was asked; number counts the identity policies from 1.
type opinionOn struct {
	source   policy.Source
	number   int
	document *policy.Document
}

// opine keeps what a policy said to the request that was decided; decided is the verdict on it.
func (x *exchange) opine(asked *policy.Request, on opinionOn, decided policy.Verdict) {
	d := x.record.Detail
	if d == nil || on.document == nil {
		return
	}
	result := on.document.Evaluate(asked)
	d.Resource = asked.Resource
	d.Policies = append(d.Policies, PolicyOpinion{
		Kind: policyNames[on.source], Number: on.number, Decision: result.Decision.String(), Statement: result.Statement, Sid: result.Sid,
		Decided:  decided.Source == on.source && decided.Decision != policy.ImplicitDeny && decided.Document == max(on.number-1, 0),
		Document: json.RawMessage(on.document.String()),
	})
}

// opineAll keeps what the policies of a call said.
func (x *exchange) opineAll(asked *policy.Request, call *policy.Call, decided policy.Verdict) {
	if x.record.Detail == nil {
		return
	}
	x.opine(asked, opinionOn{policy.SourceResource, 0, call.Resource}, decided)
	for i, document := range call.Identity {
		x.opine(asked, opinionOn{policy.SourceIdentity, i + 1, document}, decided)
	}
	x.opine(asked, opinionOn{policy.SourceBoundary, 0, call.Boundary}, decided)
	x.opine(asked, opinionOn{policy.SourceSession, 0, call.Session}, decided)
}

// explainMismatch finds out what the client signed, where that can be found out.
func (x *exchange) explainMismatch(refusal *sigv4.Refusal) {
	if x.record.Detail == nil || refusal.CanonicalRequest == "" {
		return
	}
	mismatch := &Mismatch{}
	x.record.Detail.Mismatch = mismatch
	differences, client, found := sigv4.GuessText(x.verifyInput(func(accessKeyID string) (sigv4.Key, bool) {
		holder, ok := x.g.identities.Identity(accessKeyID)
		if !ok {
			return sigv4.Key{}, false
		}
		return holder.Key, true
	}))
	if !found {
		return
	}
	mismatch.Client = client
	for _, d := range differences {
		mismatch.Differences = append(mismatch.Differences, NewDifference(d))
	}
}

// NewDifference is a difference as a record holds it.
func NewDifference(d sigv4.Difference) Difference {
	return Difference{Part: string(d.Part), Name: d.Name, Line: d.Line, Server: redact(d.Server), Client: redact(d.Client), Why: d.Why}
}

// keepEvent keeps what the function is about to be invoked with. It is redacted at the end, when all secrets are known.
func (x *exchange) keepEvent(payload []byte) {
	if d := x.record.Detail; d != nil {
		d.EventBytes = len(payload)
		if len(payload) <= 4*x.g.keep { // an event names each header and parameter twice
			d.Event = payload
		}
	}
}

// describe completes the record's detail with what came in and what goes out, and takes every secret out of the record.
func (x *exchange) describe(header http.Header, body []byte) {
	d := x.record.Detail
	if d == nil {
		return
	}
	s := newScrubber(x.r.Header, x.r.URL.RawQuery, x.holder())
	d.SourceIP, d.VPCEndpointID = sourceIP(x.r), x.door.VPCEndpointID
	path, query, asked := strings.Cut(x.r.RequestURI, "?")
	if d.Target = s.text(path); asked {
		d.Target += "?" + s.text(redactQuery(query))
	}
	d.RequestHeader, d.ResponseHeader = s.header(x.r.Header), s.header(header)
	d.RequestBody, d.ResponseBody = x.kept(s, x.body), x.kept(s, body)
	if x.verified != nil {
		d.CanonicalRequest = s.text(redact(x.verified.Transcript().CanonicalRequest))
	}
	if m := d.Mismatch; m != nil {
		m.Client = s.text(redact(m.Client))
		for i := range m.Differences {
			m.Differences[i].Server, m.Differences[i].Client = s.text(m.Differences[i].Server), s.text(m.Differences[i].Client)
		}
	}
	if x.asked.Action != "" {
		d.Context = s.header(contextOf(&x.asked.Context, x.identity))
		if d.Resource == "" { // no policy had an opinion
			d.Resource = x.arn
		}
		d.Resource = s.text(d.Resource)
	}
	if x.route != nil {
		d.PathParameters = s.parameters(x.params)
	}
	if d.Event != nil {
		d.Event = s.event(d.Event)
	}
	x.record.Path, x.record.CanonicalRequest = s.text(x.record.Path), s.text(x.record.CanonicalRequest)
	x.record.Why, x.record.Message = s.text(x.record.Why), s.text(x.record.Message)
	for i := range x.record.Checks {
		x.record.Checks[i].Detail = s.text(x.record.Checks[i].Detail)
	}
}

// holder is the identity whose secrets the request may hold: who signed it, or whose key it names.
func (x *exchange) holder() *Identity {
	if x.identity != nil || x.record.AccessKeyID == "" {
		return x.identity
	}
	holder, _ := x.g.identities.Identity(x.record.AccessKeyID)
	return holder
}

// kept is the beginning of a body. The whole of it is searched for secrets, so that none is cut in two.
func (x *exchange) kept(s scrubber, body []byte) *Body {
	if len(body) == 0 {
		return nil
	}
	out := &Body{Bytes: len(body)}
	if !utf8.Valid(body) {
		out.Binary = true
		return out
	}
	text := redact(s.text(string(body)))
	if len(text) > x.g.keep {
		cut := x.g.keep
		for !utf8.RuneStart(text[cut]) {
			cut--
		}
		text, out.Truncated = text[:cut], true
	}
	out.Text = text
	return out
}

// contextKeys are the condition keys that a call may have, as AWS writes them.
var contextKeys = []string{
	"aws:CurrentTime", "aws:EpochTime", "aws:MultiFactorAuthPresent", "aws:PrincipalAccount", "aws:PrincipalArn",
	"aws:PrincipalType", "aws:Referer", "aws:SecureTransport", "aws:SourceIp", "aws:SourceVpc", "aws:SourceVpce",
	"aws:TokenIssueTime", "aws:UserAgent", "aws:userid", "aws:username", "aws:VpcSourceIp",
}

func contextOf(c *policy.Context, holder *Identity) map[string][]string {
	out := map[string][]string{}
	keep := func(key string) {
		if values, ok := c.Get(key); ok {
			out[key] = append([]string(nil), values...)
		}
	}
	for _, key := range contextKeys {
		keep(key)
	}
	if holder != nil {
		for key := range holder.ContextKeys {
			keep(key)
		}
	}
	return out
}
