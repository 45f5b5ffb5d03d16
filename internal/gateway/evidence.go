package gateway

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/marquee-api/marquee/internal/policy"
	"github.com/marquee-api/marquee/internal/sigv4"
)

// Evidence is what a Detail is made of: a request and its answer as they were, secrets included. Nothing of it is shown but
// as a Detail, which has none. It does not change, so that many may look at once.
type Evidence struct {
	scrub scrubber
	keep  int // bytes of each body
	size  int

	path, shownQuery              string
	hasQuery, signed              bool
	sourceIP, vpcEndpointID       string
	requestHeader, responseHeader http.Header
	requestBody, responseBody     keptBody
	verified                      *sigv4.Verified // nil: there is no right signature
	mismatch                      *Mismatch

	asked       *policy.Request // nil: policies were not asked
	contextKeys map[string]string
	resource    string
	opinions    []opinion

	params     map[string]string
	event      []byte
	eventBytes int
}

// opinion is a policy that was asked.
type opinion struct {
	asked    policy.Request
	source   policy.Source
	number   int // from 1, among the identity policies
	document *policy.Document
	decided  policy.Verdict // of all that were asked together
}

// keptBody is a body as it came, or of one that is too long for that what may be shown.
type keptBody struct {
	raw   []byte
	shown *Body
}

// Format says nothing of what the evidence holds, whoever prints a record by whichever verb.
func (Evidence) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "gateway.Evidence{"+redacted+"}")
}

// Size is roughly how many bytes of memory the evidence takes.
func (e *Evidence) Size() int {
	if e == nil {
		return 0
	}
	return e.size
}

// keepEvent keeps what the function is about to be invoked with.
func (x *exchange) keepEvent(payload []byte) {
	if e := x.record.Evidence; e != nil {
		e.eventBytes = len(payload)
		if len(payload) <= 4*x.g.keep { // an event names each header and parameter twice
			e.event = payload
		}
	}
}

// keepOpinion keeps which policy was asked about what.
func (x *exchange) keepOpinion(asked *policy.Request, o opinion) {
	if e := x.record.Evidence; e != nil && o.document != nil {
		o.asked, e.resource = *asked, asked.Resource
		e.opinions = append(e.opinions, o)
	}
}

// keepOpinions keeps which policies of a call were asked about what.
func (x *exchange) keepOpinions(asked *policy.Request, call *policy.Call, decided policy.Verdict) {
	x.keepOpinion(asked, opinion{source: policy.SourceResource, document: call.Resource, decided: decided})
	for i, document := range call.Identity {
		x.keepOpinion(asked, opinion{source: policy.SourceIdentity, number: i + 1, document: document, decided: decided})
	}
	x.keepOpinion(asked, opinion{source: policy.SourceBoundary, document: call.Boundary, decided: decided})
	x.keepOpinion(asked, opinion{source: policy.SourceSession, document: call.Session, decided: decided})
}

// explainMismatch finds out what the client signed, where that can be found out.
func (x *exchange) explainMismatch(refusal *sigv4.Refusal) {
	if x.record.Evidence == nil || refusal.CanonicalRequest == "" {
		return
	}
	mismatch := &Mismatch{}
	x.record.Evidence.mismatch = mismatch
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

// gather completes the evidence with what came in and what goes out, and takes the secrets out of the rest of the record,
// which is shown at once.
func (x *exchange) gather(header http.Header, body []byte) {
	e := x.record.Evidence
	if e == nil {
		return
	}
	var query string
	e.path, query, e.hasQuery = strings.Cut(x.r.RequestURI, "?")
	e.scrub, e.keep = newScrubber(x.g.secrets, x.r, x.holder()), x.g.keep
	e.shownQuery, e.signed = e.scrub.text(redactQuery(query)), x.r.Header.Get("Authorization") != "" || strings.Contains(query, "X-Amz-Algorithm=")
	e.sourceIP, e.vpcEndpointID = sourceIP(x.r), x.door.VPCEndpointID
	// The server goes on writing to the answer's header.
	e.requestHeader, e.responseHeader = x.r.Header, maps.Clone(header)
	e.requestBody, e.responseBody = e.body(x.body), e.body(body)
	e.verified = x.verified
	if x.asked.Action != "" {
		asked := x.asked // a pointer to it would hold on to the connection
		e.asked = &asked
		if x.identity != nil {
			e.contextKeys = x.identity.ContextKeys
		}
		if e.resource == "" { // no policy had an opinion
			e.resource = x.arn
		}
	}
	if x.route != nil {
		e.params = x.params
	}
	e.size = e.weigh()
	x.scrubRecord()
}

func (x *exchange) scrubRecord() {
	s, rec := &x.record.Evidence.scrub, &x.record
	rec.Method, rec.Host = s.text(rec.Method), s.text(rec.Host)
	rec.Path, rec.CanonicalRequest = s.text(rec.Path), s.text(rec.CanonicalRequest)
	rec.Why, rec.Message = s.text(rec.Why), s.text(rec.Message)
	for i := range rec.Checks {
		rec.Checks[i].Detail = s.text(rec.Checks[i].Detail)
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

func (e *Evidence) body(body []byte) keptBody {
	if len(body) > e.keep {
		return keptBody{shown: e.show(body)}
	}
	return keptBody{raw: body}
}

// weigh adds up what the evidence holds, roughly.
func (e *Evidence) weigh() int {
	size := 2<<10 + len(e.path) + len(e.shownQuery) + cap(e.event) + 128*len(e.opinions)
	for _, b := range []keptBody{e.requestBody, e.responseBody} {
		if size += cap(b.raw); b.shown != nil {
			size += len(b.shown.Text)
		}
	}
	for _, header := range []http.Header{e.requestHeader, e.responseHeader} {
		for name, values := range header {
			size += len(name) + 48
			for _, value := range values {
				size += len(value) + 16
			}
		}
	}
	if e.mismatch != nil {
		size += len(e.mismatch.Client)
	}
	return size
}

// detail makes the detail: what the evidence holds, without the secrets.
func (e *Evidence) detail() *Detail {
	s := &e.scrub
	d := &Detail{
		Target: s.text(e.path), SourceIP: e.sourceIP, VPCEndpointID: e.vpcEndpointID,
		RequestHeader: s.header(e.requestHeader), ResponseHeader: s.header(e.responseHeader),
		RequestBody: e.requestBody.show(e), ResponseBody: e.responseBody.show(e),
		Resource: s.text(e.resource), PathParameters: s.parameters(e.params), EventBytes: e.eventBytes,
	}
	if e.hasQuery {
		d.Target += "?" + e.shownQuery
	}
	if e.verified != nil {
		d.CanonicalRequest = s.text(redact(e.verified.Transcript().CanonicalRequest))
	}
	if e.mismatch != nil {
		d.Mismatch = s.mismatch(*e.mismatch)
	}
	if e.asked != nil {
		d.Context = s.header(contextOf(&e.asked.Context, e.contextKeys))
	}
	for _, o := range e.opinions {
		d.Policies = append(d.Policies, o.show())
	}
	if e.event != nil {
		d.Event = s.event(e.event)
	}
	return d
}

// show is what the policy says, asked once more: an evaluation depends on nothing but its request.
func (o *opinion) show() PolicyOpinion {
	result := o.document.Evaluate(&o.asked)
	return PolicyOpinion{
		Kind: policyNames[o.source], Number: o.number, Decision: result.Decision.String(), Statement: result.Statement, Sid: result.Sid,
		Decided:  o.decided.Source == o.source && o.decided.Decision != policy.ImplicitDeny && o.decided.Document == max(o.number-1, 0),
		Document: json.RawMessage(o.document.String()),
	}
}

func (b *keptBody) show(e *Evidence) *Body {
	if b.shown != nil || len(b.raw) == 0 {
		return b.shown
	}
	return e.show(b.raw)
}

// show is the beginning of a body. The whole of it is searched for secrets, so that none is cut in two.
func (e *Evidence) show(body []byte) *Body {
	out := &Body{Bytes: len(body)}
	if !utf8.Valid(body) {
		out.Binary = true
		return out
	}
	text := redact(e.scrub.text(string(body)))
	if len(text) > e.keep {
		cut := e.keep
		for !utf8.RuneStart(text[cut]) {
			cut--
		}
		text, out.Truncated = strings.Clone(text[:cut]), true // a piece of it would keep the whole
	}
	out.Text = text
	return out
}

// contextNames are the condition keys that a call may have, as AWS writes them.
var contextNames = []string{
	"aws:CurrentTime", "aws:EpochTime", "aws:MultiFactorAuthPresent", "aws:PrincipalAccount", "aws:PrincipalArn",
	"aws:PrincipalType", "aws:Referer", "aws:SecureTransport", "aws:SourceIp", "aws:SourceVpc", "aws:SourceVpce",
	"aws:TokenIssueTime", "aws:UserAgent", "aws:userid", "aws:username", "aws:VpcSourceIp",
}

// contextOf lists the condition keys of a call; further are the caller's own.
func contextOf(c *policy.Context, further map[string]string) map[string][]string {
	out := map[string][]string{}
	keep := func(key string) {
		if values, ok := c.Get(key); ok {
			out[key] = append([]string(nil), values...)
		}
	}
	for _, key := range contextNames {
		keep(key)
	}
	for key := range further {
		keep(key)
	}
	return out
}
