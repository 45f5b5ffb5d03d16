package gateway

import (
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/marquee-api/marquee/internal/policy"
	"github.com/marquee-api/marquee/internal/proxyevent"
	"github.com/marquee-api/marquee/internal/sigv4"
	"github.com/marquee-api/marquee/internal/spelling"
)

// exchange is one request on its way through the gateway.
type exchange struct {
	g      *Gateway
	door   *Door
	r      *http.Request
	now    time.Time
	record Record

	method   string // what is routed and authorised: the one on the wire, or the one that overrides it
	path     string // normalised, with the stage: what was signed, and what is routed and authorised
	query    string
	asCame   string // the path below the stage as it came, its doubled slashes included
	target   target
	arn      string // of the method and the path as it came
	plainARN string // of the method and the normalised path, where that is another
	asked    policy.Request
	verdict  policy.Verdict // of the policies that were asked last
	judged   bool           // there is a verdict
	body     []byte
	hash     string
	route    *Route
	params   map[string]string
	identity *Identity // nil: anonymous
	apiKey   *APIKey   // nil: the method needs none
	ids      requestIDs
	spelling spelling.Names
	invalid  string // what a model says of the body
	reset    bool   // the connection is to be broken

	verified *sigv4.Verified // nil: anonymous, or not asked for
	marked   time.Time       // when the last step that has a duration ended
}

// serve takes a request the whole way and answers it.
func (g *Gateway) serve(door *Door, w http.ResponseWriter, r *http.Request) {
	now := g.now()
	x := &exchange{g: g, door: door, r: r, now: now, ids: g.newRequestIDs(r, now), spelling: spelling.Take(r)}
	x.record = Record{
		Time: now, RequestID: x.ids.request, Door: door.Name, Method: r.Method, Host: r.Host, Path: r.URL.Path,
		Checks: make([]Check, 0, mostChecks),
	}
	if g.keep > 0 {
		x.record.Evidence, x.marked = &Evidence{}, now
	}
	response, refusal := x.handle(w)
	x.record.Status = response.Status
	if refusal != nil {
		x.record.refused(refusal)
		x.nameClaimed()
		response = x.refuse(refusal)
		x.record.Status = response.Status
	}
	x.answer(w.Header(), response, refusal)
	// Before the answer is sent: who has read it finds the record.
	x.record.Duration = g.now().Sub(now)
	x.gather(w.Header(), response.Body)
	g.observe(x.record)
	// The clients of a skewed clock correct theirs by this header.
	w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
	if x.reset {
		x.abort()
	}
	writeBody(w, response.Status, response.Body)
}

// handle is the order of the checks. Each one that refuses has said so in the record.
func (x *exchange) handle(w http.ResponseWriter) (proxyevent.Response, *Refusal) {
	if refusal := x.limit(); refusal != nil {
		return proxyevent.Response{}, x.record.fail("limits", refusal)
	}
	if refusal := x.find(); refusal != nil {
		return proxyevent.Response{}, x.record.fail("api", refusal)
	}
	if refusal := x.read(w); refusal != nil {
		return proxyevent.Response{}, x.record.fail("limits", refusal)
	}
	x.timed()
	for _, check := range []func() *Refusal{x.authenticate, x.authorize, x.routed, x.checkKey, x.throttle, x.validate, x.passOn, x.strike} {
		refusal := check()
		x.timed()
		if refusal != nil {
			return proxyevent.Response{}, refusal
		}
	}
	response, refusal := x.invoke()
	x.timed()
	return response, refusal
}

func (x *exchange) limit() *Refusal {
	if refusal := checkLimits(x.door, x.r); refusal != nil {
		return refusal
	}
	// The target as it was on the wire: net/url would hide differences that the signature covers.
	raw, query, _ := strings.Cut(x.r.RequestURI, "?")
	x.path, x.query = sigv4.NormalizePath(raw), query
	x.record.Path = x.path
	return x.overrideMethod()
}

// find names the API, and the route whose authorization type counts. A path without a route behaves like an AWS_IAM
// method, so that an unsigned caller learns nothing of what exists.
func (x *exchange) find() *Refusal {
	target, refusal := x.g.resolve(x.door, x.r, x.path)
	if refusal != nil {
		return refusal
	}
	api := target.api
	x.target = target
	x.record.API = api.ID
	x.record.pass("api", api.ID+"/"+api.Stage)
	x.route, x.params = api.router.match(x.method, target.path)
	// The actual path, percent-encoded as on the wire: that is what policies match.
	method := "arn:aws:execute-api:" + x.g.region + ":" + x.g.accountID + ":" + api.ID + "/" + api.Stage + "/" + x.method
	raw, _, _ := strings.Cut(x.r.RequestURI, "?")
	if _, x.asCame = splitStage(keptPath(raw, x.path)); x.asCame != target.path {
		x.plainARN = method + target.path
		x.keepGreedy()
	}
	x.arn = method + x.asCame
	if len(x.arn) > maxMethodARN {
		return refuseLongURI.because("the method ARN has %d bytes, the limit is %d", len(x.arn), maxMethodARN)
	}
	return nil
}

func (x *exchange) read(w http.ResponseWriter) (refusal *Refusal) {
	x.body, x.hash, refusal = readBody(w, x.r)
	return refusal
}

// authenticate verifies the signature and lets the endpoint policy see who it was, which comes before anything is said
// of a missing signature ("VPC endpoint policies": the principal by the content of Authorization).
func (x *exchange) authenticate() *Refusal {
	signer, err := x.verify()
	switch {
	case err == nil:
		x.identity = signer
		x.record.Claimed = ""
		x.record.Identity, x.record.Name = signer.Principal.ARN, signer.Name
		x.record.pass("signature", "signed by "+signer.Name)
	case x.signed() && (x.door.private() || !x.noAuth()):
		return x.record.fail("signature", x.refusedSignature(err))
	}
	x.timed()
	if refusal := x.checkEndpointPolicy(); refusal != nil {
		return refusal
	}
	if x.identity == nil && !x.noAuth() {
		return x.record.fail("signature", x.refusedSignature(err))
	}
	return x.checkOverride()
}

// signed says whether the request looks signed with SigV4, rightly or wrongly.
func (x *exchange) signed() bool {
	return strings.HasPrefix(x.r.Header.Get("Authorization"), "AWS4-") || strings.Contains(x.query, "X-Amz-Algorithm=AWS4-")
}

// noAuth says whether the method was found and asks for no signature.
func (x *exchange) noAuth() bool { return x.route != nil && x.route.NoAuth }

// verify returns who signed the request.
func (x *exchange) verify() (*Identity, error) {
	var signer *Identity
	verified, err := x.g.verifier.Verify(x.verifyInput(func(accessKeyID string) (sigv4.Key, bool) {
		holder, ok := x.g.identities.Identity(accessKeyID)
		if !ok {
			return sigv4.Key{}, false
		}
		x.record.AccessKeyID, x.record.Claimed = accessKeyID, holder.Name
		signer = holder
		return holder.Key, true
	}))
	if err != nil {
		return nil, err
	}
	x.verified = verified
	return signer, nil
}

func (x *exchange) verifyInput(lookup func(string) (sigv4.Key, bool)) *sigv4.VerifyInput {
	return &sigv4.VerifyInput{
		Method: x.r.Method, Target: x.r.RequestURI, Host: x.r.Host, Header: x.r.Header, PayloadHash: x.hash,
		Region: x.g.region, Service: "execute-api", Now: x.now,
		Lookup: lookup,
		// On AWS no port is ever part of Host, and clients that leave it out work there.
		HostWithoutPort: true,
	}
}

func (x *exchange) refusedSignature(err error) *Refusal {
	var refusal *sigv4.Refusal
	if !errors.As(err, &refusal) {
		return refuseInternal.because("verifying: %v", err)
	}
	x.record.CanonicalRequest = redact(refusal.CanonicalRequest)
	x.record.StringToSign = refusal.StringToSign
	x.explainMismatch(refusal)
	return refuseSignature(refusal.Type, refusal.Message)
}

// nameClaimed says whose key a request names that was refused before its key was looked up, for its door, its clock or its
// scope.
func (x *exchange) nameClaimed() {
	if x.record.AccessKeyID != "" || !x.signed() {
		return
	}
	in := x.verifyInput(nil)
	in.PayloadHash = emptyHash // which says nothing of whose key it is, and the body may not have been read
	seen, err := sigv4.Inspect(in)
	if err != nil {
		return
	}
	if holder, ok := x.g.identities.Identity(seen.AccessKeyID); ok {
		x.record.AccessKeyID, x.record.Claimed = seen.AccessKeyID, holder.Name
	}
}

// routed refuses what has no route, after authorization and in the words of a missing signature: the habit of the real
// service, which documents a 404 that nobody has reported.
func (x *exchange) routed() *Refusal {
	if x.route == nil {
		return x.record.fail("route", refuseMissingToken.because("no route for %s %s", x.method, x.target.path))
	}
	x.record.Route = x.route.name
	x.record.pass("route", x.record.Route)
	return nil
}

// throttle asks the narrower limits first ("Throttle requests to your REST APIs for better throughput"); a usage plan's
// came before. What a stage sets holds for each of its methods on its own, unless the method has a setting of its own.
func (x *exchange) throttle() *Refusal {
	if l := x.route.limiter; l != nil && !l.AllowN(x.now, 1) {
		whose := "the method's limit"
		if x.route.Throttle == nil {
			whose = "the stage's limit of each method"
		}
		return x.record.fail("throttle", refuseThrottled.because("%s", whose))
	}
	if l := x.g.limiter; l != nil && !l.AllowN(x.now, 1) {
		return x.record.fail("throttle", refuseThrottled.because("the account's limit in the region"))
	}
	return nil
}

func (x *exchange) proxyRequest() *proxyevent.Request {
	api := x.target.api
	event := &proxyevent.Request{
		Method: x.method, Path: oneSlash(x.asCame), ContextPath: "/" + api.Stage + x.asCame, RawQuery: x.query, Protocol: x.r.Proto, Host: x.r.Host,
		Header: x.r.Header, Spelling: x.spelling, Body: x.body, Resource: x.route.Path, PathParameters: x.params,
		API: proxyevent.API{
			AccountID: x.g.accountID, ID: api.ID, Stage: api.Stage, ResourceID: x.route.ResourceID,
			DeploymentID: api.DeploymentID, StageVariables: api.StageVariables, BinaryMediaTypes: api.BinaryMediaTypes,
		},
		Identity: proxyevent.Identity{
			SourceIP: sourceIP(x.r), UserAgent: x.r.UserAgent(), VPCID: x.door.VPCID, VPCEndpointID: x.door.VPCEndpointID,
			EndpointPolicy: x.door.Policy != nil,
		},
		RequestID: x.ids.request, ExtendedRequestID: x.ids.extended, Time: x.now,
	}
	if !x.door.private() {
		event.TraceID, _, _ = strings.Cut(x.ids.trace, ";")
	}
	if x.apiKey != nil {
		event.Identity.APIKey, event.Identity.APIKeyID = x.apiKey.Value, x.apiKey.ID
	}
	if x.identity != nil && !x.noAuth() {
		event.Identity.AccessKey = x.record.AccessKeyID
		event.Identity.AccountID = x.identity.AccountID
		event.Identity.UniqueID = x.identity.UniqueID
		event.Identity.ARN = x.identity.Principal.ARN
	}
	return event
}

func sourceIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
