package apiclient

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// service is the name that every signature's scope carries: the package calls API Gateway and nothing else.
const service = "execute-api"

// apiIDHeader names the API to a VPC endpoint that was addressed by its own name.
const apiIDHeader = "X-Apigw-Api-Id"

// Form is one of the ways into a private API ("Invoke a private API", API Gateway developer guide).
type Form int

const (
	// FormPrivateDNS is {api}.execute-api.{region}.amazonaws.com, which resolves inside a VPC with private DNS on.
	FormPrivateDNS Form = iota + 1
	// FormVPCEHost dials the VPC endpoint's DNS name and sends the API's own name as Host. It needs no private DNS.
	FormVPCEHost
	// FormVPCEHeader dials the VPC endpoint's DNS name, sends it as Host, and names the API in x-apigw-api-id.
	FormVPCEHeader
	// FormAlias is {api}-{vpce}.execute-api.{region}.amazonaws.com, the name of an API associated with an endpoint.
	FormAlias
	// FormCustomDomain is a name of your own in front of the API.
	FormCustomDomain
	// FormLoopback is this machine: a local gateway that stands for the API under 127.0.0.1, localhost, [::1] or
	// host.docker.internal. Plain http is allowed here and nowhere else.
	FormLoopback
)

func (f Form) String() string {
	switch f {
	case FormPrivateDNS:
		return "private DNS name"
	case FormVPCEHost:
		return "VPC endpoint DNS name with the API's Host"
	case FormVPCEHeader:
		return "VPC endpoint DNS name with x-apigw-api-id"
	case FormAlias:
		return "alias of API and VPC endpoint"
	case FormCustomDomain:
		return "custom domain name"
	case FormLoopback:
		return "loopback"
	default:
		return fmt.Sprintf("Form(%d)", int(f))
	}
}

// EndpointConfig is what is known about an API before it is called.
type EndpointConfig struct {
	// URL is the invoke URL with the stage, or with the base path mapping of a custom domain:
	// https://a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com/dev. Required.
	URL string
	// VPCE is the DNS name of the interface endpoint to dial where private DNS is off:
	// vpce-0abc-xyz.execute-api.ap-northeast-2.vpce.amazonaws.com. Connections go to that name and TLS verifies it;
	// Host and signature keep the API's own name. A loopback address, http://127.0.0.1:8080 for instance, dials a
	// local gateway instead. Empty dials the URL's host.
	VPCE string
	// APIID is sent as x-apigw-api-id. It is required when the URL's host is the VPC endpoint's own DNS name, and
	// refused otherwise, because the URL then names the API itself.
	APIID string
	// Region is used for names that hold none, custom domains and loopback; a region in a name wins. An
	// edge-optimised custom domain is signed for us-east-1.
	Region string
}

// Endpoint is an API with everything that a request to it needs. It is immutable; make one with [ResolveEndpoint].
type Endpoint struct {
	form       Form
	scheme     string // of the invoke URL
	host       string // what Host says and the signature covers
	dialScheme string // of the connection
	dial       string // authority of the connection; TLS verifies this name
	basePath   string // escaped, without a trailing slash
	apiID      string // value of x-apigw-api-id, FormVPCEHeader only
	region     string
}

// ResolveEndpoint reads an API's names. The error names the form that was understood and what it lacks.
func ResolveEndpoint(cfg EndpointConfig) (*Endpoint, error) {
	u, err := parseBaseURL(cfg.URL)
	if err != nil {
		return nil, err
	}
	name := classify(u.Hostname())
	e := &Endpoint{
		form:     name.form,
		scheme:   u.Scheme,
		host:     canonicalHost(u.Scheme, u.Host),
		basePath: strings.TrimRight(u.EscapedPath(), "/"),
		region:   name.region,
	}
	e.dialScheme, e.dial = e.scheme, e.host
	if name.problem != "" {
		return nil, fmt.Errorf("invoke URL %q: %s", cfg.URL, name.problem)
	}
	if err := e.useVPCE(cfg); err != nil {
		return nil, err
	}
	if err := e.useAPIID(cfg); err != nil {
		return nil, err
	}
	if e.scheme == "http" && name.form != FormLoopback || e.dialScheme == "http" && !isLoopback(hostname(e.dial)) {
		return nil, fmt.Errorf("invoke URL %q (%s): plain http is for loopback only, use https", cfg.URL, e.form)
	}
	if e.region == "" {
		e.region = cfg.Region
	}
	if e.region == "" {
		return nil, fmt.Errorf("invoke URL %q (%s) does not say its region: give the region beside it", cfg.URL, e.form)
	}
	if !isRegion(e.region) {
		return nil, fmt.Errorf("region %q of %q is not a region's name such as ap-northeast-2", e.region, cfg.URL)
	}
	return e, nil
}

func parseBaseURL(raw string) (*url.URL, error) {
	if raw == "" {
		return nil, errors.New("invoke URL is empty: give the API's URL with its stage, https://{api}.execute-api.{region}.amazonaws.com/{stage}")
	}
	u, err := url.Parse(raw)
	if err != nil {
		// The parser's own message repeats the whole URL, and with it a password, if there is one.
		return nil, errors.New("invoke URL cannot be parsed: it must look like https://{api}.execute-api.{region}.amazonaws.com/{stage}")
	}
	switch {
	case u.User != nil:
		return nil, errors.New("invoke URL holds a user name: requests are signed, leave it out")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("invoke URL%s: the scheme must be https (http for loopback)", shown(raw))
	case u.Hostname() == "":
		return nil, fmt.Errorf("invoke URL%s has no host", shown(raw))
	case u.RawQuery != "" || u.ForceQuery:
		return nil, fmt.Errorf("invoke URL%s holds a query: give it with each request", shown(raw))
	case u.Fragment != "":
		return nil, fmt.Errorf("invoke URL%s holds a fragment: leave it out", shown(raw))
	}
	return u, nil
}

// shown is a space and a URL for an error, without its query and fragment: they may be secrets, as a presigned URL's are. It
// is nothing where a user and a password may be in it.
func shown(raw string) string {
	if strings.Contains(raw, "@") {
		return ""
	}
	if i := strings.IndexAny(raw, "?#"); i >= 0 {
		raw = raw[:i] + "…"
	}
	return " " + strconv.Quote(raw)
}

// useVPCE applies the name of the VPC endpoint that stands beside the URL.
func (e *Endpoint) useVPCE(cfg EndpointConfig) error {
	if cfg.VPCE == "" {
		return nil
	}
	scheme, authority, err := parseDial(cfg.VPCE, e.scheme)
	if err != nil {
		return err
	}
	switch local := isLoopback(hostname(authority)); {
	case e.form == FormLoopback:
		return fmt.Errorf("VPC endpoint %q beside %q (%s): leave one of them out", cfg.VPCE, cfg.URL, e.form)
	case local && (e.form == FormAlias || e.form == FormVPCEHeader):
		e.dialScheme, e.dial = scheme, authority // the name says it all, a local gateway is only where it leads
		return nil
	case e.form == FormAlias:
		return fmt.Errorf("VPC endpoint %q beside %q (%s): that name holds an endpoint already; leave the endpoint out, or give the API's own name", cfg.VPCE, cfg.URL, e.form)
	case e.form == FormVPCEHeader && authority != e.host:
		return fmt.Errorf("invoke URL %q is a VPC endpoint's own DNS name, and %q is another one", cfg.URL, cfg.VPCE)
	case e.form == FormVPCEHeader:
		return nil
	case !local:
		if err := e.useRegionOf(hostname(authority), cfg); err != nil {
			return err
		}
	}
	e.form, e.dialScheme, e.dial = FormVPCEHost, scheme, authority
	return nil
}

// useRegionOf reads the name of a VPC endpoint, which must be in the API's region, and says it where the API's does not.
func (e *Endpoint) useRegionOf(vpce string, cfg EndpointConfig) error {
	name := classify(vpce)
	if name.form != FormVPCEHeader || name.problem != "" {
		return fmt.Errorf("VPC endpoint %q is not the DNS name of an execute-api endpoint, {vpce}-{suffix}.execute-api.{region}.vpce.amazonaws.com", cfg.VPCE)
	}
	if e.region != "" && e.region != name.region {
		return fmt.Errorf("VPC endpoint %q is in %s, but the API %q in %s", cfg.VPCE, name.region, cfg.URL, e.region)
	}
	e.region = name.region
	return nil
}

// useAPIID applies the API id: an endpoint's own name says nothing about the API, every other name says all.
func (e *Endpoint) useAPIID(cfg EndpointConfig) error {
	if e.form == FormVPCEHeader {
		if cfg.APIID == "" {
			return fmt.Errorf("invoke URL %q is a VPC endpoint's own DNS name, which does not say which API is meant: "+
				"give the API's own URL and this name as the VPC endpoint, or the API's id beside it (x-apigw-api-id)", cfg.URL)
		}
		if !isAPIID(cfg.APIID) {
			return fmt.Errorf("API id %q is not an id such as a1b2c3d4e5", cfg.APIID)
		}
		e.apiID = cfg.APIID
		return nil
	}
	if cfg.APIID != "" {
		return fmt.Errorf("API id %q beside %q (%s): x-apigw-api-id goes with a VPC endpoint's own DNS name only", cfg.APIID, cfg.URL, e.form)
	}
	return nil
}

// parseDial reads what to connect to: a name, a name with a port, or a URL without a path.
func parseDial(raw, scheme string) (dialScheme, authority string, err error) {
	bare := raw
	if s, rest, ok := strings.Cut(raw, "://"); ok {
		scheme, bare = strings.ToLower(s), strings.TrimSuffix(rest, "/")
	}
	u, err := url.Parse("//" + bare)
	if err != nil || u.Hostname() == "" || u.Host != bare || (scheme != "https" && scheme != "http") {
		return "", "", fmt.Errorf("VPC endpoint%s: it is not a DNS name such as {vpce}-{suffix}.execute-api.{region}.vpce.amazonaws.com", shown(raw))
	}
	return scheme, canonicalHost(scheme, u.Host), nil
}

// Form is the way into the API that the names mean.
func (e *Endpoint) Form() Form { return e.form }

// Host is the value of the Host header, which is also what the signature covers.
func (e *Endpoint) Host() string { return e.host }

// DialAddress is the host, with its port unless it is the scheme's own, that connections go to and whose certificate TLS
// verifies.
func (e *Endpoint) DialAddress() string { return e.dial }

// Region is the region of every signature's scope.
func (e *Endpoint) Region() string { return e.region }

// APIID is what goes out as x-apigw-api-id; empty means that the header is not sent.
func (e *Endpoint) APIID() string { return e.apiID }

// URL is the base of every request: what the caller of an API writes, not what is dialled.
func (e *Endpoint) URL() string { return e.scheme + "://" + e.host + e.basePath }

// String describes the endpoint for people.
func (e *Endpoint) String() string {
	s := fmt.Sprintf("%s (%s, region %s", e.URL(), e.form, e.region)
	if e.dial != e.host {
		s += ", dialled at " + e.dial
	}
	if e.apiID != "" {
		s += ", API " + e.apiID
	}
	return s + ")"
}

// accepts reports why a request must not be signed: signatures are for the API's own host and never leave by another
// door than the endpoint's.
func (e *Endpoint) accepts(req *http.Request) error {
	if req.URL == nil {
		return errors.New("request has no URL")
	}
	if req.URL.Host == e.host && req.URL.Scheme == e.scheme && (req.Host == e.host || req.Host == "") {
		return e.acceptsAPIID(req) // nearly every request
	}
	to := canonicalHost(req.URL.Scheme, req.URL.Host)
	named := to
	if req.Host != "" {
		named = canonicalHost(req.URL.Scheme, req.Host)
	}
	for _, host := range []string{to, named} {
		if host != e.host && host != e.dial {
			return &HostError{Host: host, Want: e.host}
		}
	}
	if want := e.schemeFor(to); req.URL.Scheme != want {
		return fmt.Errorf("request for %s://%s is not signed: %s is reached by %s", req.URL.Scheme, to, to, want)
	}
	return e.acceptsAPIID(req)
}

// acceptsAPIID: through a VPC endpoint the header decides which API answers, whatever Host says.
func (e *Endpoint) acceptsAPIID(req *http.Request) error {
	if id := req.Header.Get(apiIDHeader); id != "" && id != e.apiID && e.form != FormLoopback {
		return fmt.Errorf("request names API %q in x-apigw-api-id, but the endpoint is for %s", id, e)
	}
	return nil
}

func (e *Endpoint) schemeFor(host string) string {
	if host == e.host {
		return e.scheme
	}
	return e.dialScheme
}

// HostError says that a request was for another host than the API's. It was neither signed nor sent.
type HostError struct {
	Host string // the host of the request
	Want string // the API's host
}

func (e *HostError) Error() string {
	return fmt.Sprintf("request for host %q is not signed: the endpoint is for %q only", e.Host, e.Want)
}

// hostname cuts the port off an authority.
func hostname(authority string) string {
	u := url.URL{Host: authority}
	return u.Hostname()
}

// canonicalHost is the host as it is sent: lower case, without the port that the scheme has anyway. AWS never sees a
// port in Host, so a URL that spells :443 out must not have it signed.
func canonicalHost(scheme, authority string) string {
	authority = strings.ToLower(authority)
	host, port, err := net.SplitHostPort(authority)
	if err != nil || (scheme == "https" && port != "443") || (scheme == "http" && port != "80") {
		return strings.TrimSuffix(authority, ":")
	}
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}
