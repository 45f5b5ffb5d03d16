// Package sts is AWS's Security Token Service for the identities of a local stack: GetCallerIdentity, AssumeRole and
// GetSessionToken over the Query protocol, so that the credential chains of SDKs and tools work against
// AWS_ENDPOINT_URL_STS.
//
// Every request must be signed with a key of the Directory. A role is assumed if its trust policy and the caller's own
// policies say so, as on AWS (IAM user guide, "Methods to assume a role" and "IAM JSON policy evaluation logic"). What AWS
// words is worded as AWS does, in one catalogue; each request leaves one Record that says which statement decided.
//
// It knows no MFA devices, no web identities, no SAML and no managed session policies: a request that needs one of them is
// refused, never granted without.
package sts

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/marquee-api/marquee/internal/identity"
	"github.com/marquee-api/marquee/internal/sigv4"
)

const (
	service = "sts"
	version = "2011-06-15"
	// globalRegion is what the endpoint without a region verifies for, which many clients still use ("AWS STS Regions and
	// endpoints").
	globalRegion = "us-east-1"
	// maxSkew is STS's; API Gateway's is five minutes.
	maxSkew = 15 * time.Minute
	maxBody = 64 << 10
)

// Server answers as STS. Directory and Region are required; the zero value of every other field is a good default.
type Server struct {
	Directory *identity.Directory
	// Region in which requests must be signed; us-east-1 is right besides, as for AWS's global endpoint.
	Region string
	// AllowedHosts are the names that Host may have, without port. Nil: localhost, 127.0.0.1 and ::1.
	AllowedHosts []string

	Observe func(Record)     // called once for each request, from many goroutines; nil: nobody watches
	Now     func() time.Time // nil: time.Now
	Random  io.Reader        // of request ids; nil: crypto/rand

	verifier sigv4.Verifier
}

// Record is what came of one request. It holds no secret; Message may hold what the client sent, line breaks too.
type Record struct {
	Time      time.Time
	RequestID string
	Action    string // "AssumeRole"; empty if the request named none
	Caller    string // ARN; empty if the signature was not good
	Session   string // ARN of the session that was made; empty: none was
	Status    int
	Code      string // AWS's error code; empty: success
	Message   string // AWS's error message
	Why       string // which statement decided, or what was wrong: not sent
}

// exchange is one request on its way.
type exchange struct {
	s      *Server
	r      *http.Request
	now    time.Time
	body   []byte
	params parameters
	region string // that the request was signed for
	caller *identity.Identity
	record Record
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{s: s, r: r, now: s.now()}
	x.record = Record{Time: x.now, RequestID: s.requestID(), Status: http.StatusOK}
	result, refused := x.serve(w)
	if refused != nil {
		x.record.Status, x.record.Code, x.record.Message = refused.status, refused.code, refused.message
		x.record.Why = refused.why
	}
	w.Header().Set("X-Amzn-RequestId", x.record.RequestID)
	w.Header().Set("Date", x.now.UTC().Format(http.TimeFormat)) // clients correct their clocks by it
	answer(w, x.record, result)
	if s.Observe != nil {
		s.Observe(x.record)
	}
}

// operations are the actions that are served.
var operations = map[string]func(*exchange) (any, *refusal){
	"AssumeRole":        (*exchange).assumeRole,
	"GetCallerIdentity": (*exchange).getCallerIdentity,
	"GetSessionToken":   (*exchange).getSessionToken,
}

func (x *exchange) serve(w http.ResponseWriter) (any, *refusal) {
	if refused := x.checkSender(); refused != nil {
		return nil, refused
	}
	if refused := x.read(w); refused != nil {
		return nil, refused
	}
	action := x.params.get("Action")
	operation, known := operations[action]
	switch {
	case action == "":
		return nil, refuseMissingAction()
	case x.params.get("Version") != version:
		return nil, refuseVersion(x.params.get("Version"))
	case !known:
		return nil, refuseAction(action)
	}
	x.record.Action = action
	if refused := x.verify(); refused != nil {
		return nil, refused
	}
	x.record.Caller = x.caller.Principal.ARN
	return operation(x)
}

// checkSender refuses what a web page could send: a request from a page, or one to a name that was pointed at this
// machine (DNS rebinding).
func (x *exchange) checkSender() *refusal {
	switch {
	case !x.s.hostAllowed(x.r.Host):
		return refuseSender("this endpoint does not answer to the Host that the request names")
	case len(x.r.Header["Origin"]) > 0:
		return refuseSender("this endpoint answers tools, not web pages")
	case x.r.Method != http.MethodPost && x.r.Method != http.MethodGet, x.r.URL.Path != "/" && x.r.URL.Path != "":
		return refuseRoute()
	}
	return nil
}

func (s *Server) hostAllowed(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.Trim(name, "[]")
	allowed := s.AllowedHosts
	if allowed == nil {
		allowed = []string{"localhost", "127.0.0.1", "::1"}
	}
	return slices.ContainsFunc(allowed, func(a string) bool { return strings.EqualFold(a, name) })
}

// read takes the parameters from the body and the query, as AWS does.
func (x *exchange) read(w http.ResponseWriter) (refused *refusal) {
	var err error
	x.body, err = io.ReadAll(http.MaxBytesReader(w, x.r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return refuseSize()
	case err != nil:
		return refuseMalformed("the body could not be read: " + err.Error())
	}
	x.params = parameters{}
	if refused = x.params.add(x.r.URL.RawQuery); refused != nil {
		return refused
	}
	if kind, _, _ := mime.ParseMediaType(x.r.Header.Get("Content-Type")); kind == "application/x-www-form-urlencoded" {
		return x.params.add(string(x.body))
	}
	return nil
}

// verify finds the caller by the signature.
func (x *exchange) verify() *refusal {
	in := &sigv4.VerifyInput{
		Method: x.r.Method, Target: x.r.RequestURI, Host: x.r.Host, Header: x.r.Header, PayloadHash: sigv4.HashBody(x.body),
		Region: x.s.Region, Service: service, Now: x.now, MaxSkew: maxSkew, HostWithoutPort: true,
		Lookup: func(id string) (sigv4.Key, bool) {
			holder, ok := x.s.Directory.Lookup(id)
			if !ok {
				return sigv4.Key{}, false
			}
			x.caller = holder
			return holder.Key, true
		},
	}
	if scopeRegion(in) == globalRegion {
		in.Region = globalRegion
	}
	x.region = in.Region
	_, err := x.s.verifier.Verify(in)
	var unverified *sigv4.Refusal
	switch {
	case errors.As(err, &unverified):
		return refuseSignature(unverified)
	case err != nil:
		return refuseInternal(err)
	}
	return nil
}

// scopeRegion is the region that the request claims to be signed for; empty if it claims none that can be read.
func scopeRegion(in *sigv4.VerifyInput) string {
	claimed := *in
	claimed.Lookup = nil
	inspection, err := sigv4.Inspect(&claimed)
	if err != nil {
		return ""
	}
	if parts := strings.Split(inspection.Scope, "/"); len(parts) == 4 { // day/region/service/aws4_request
		return parts[1]
	}
	return ""
}

func (s *Server) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

// requestID is a random UUID (version 4).
func (s *Server) requestID() string {
	random := s.Random
	if random == nil {
		random = rand.Reader
	}
	var b [16]byte
	_, _ = io.ReadFull(random, b[:]) // an id that is not random does no harm
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:])
}
