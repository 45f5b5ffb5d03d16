// Package proxyevent maps an HTTP request to the event that API Gateway hands to a Lambda proxy integration of a REST
// API (payload version 1.0), and the function's answer back to an HTTP response.
//
// It maps and nothing else: who may call, which route is meant and which function runs is decided before, and the bytes
// are read and written by the caller. The event carries what was authorised: the caller of this package passes no
// path that was not.
//
// The rules are those of "Set up Lambda proxy integrations in API Gateway" and "Amazon API Gateway important notes" in
// AWS's developer guide, and of recorded answers of the real service where the guide is silent.
package proxyevent

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Request is one authorised HTTP request and what the gateway knows of it.
type Request struct {
	Method string
	Path   string // without the stage, percent-encoding as signed: "/movie_list/1999/A%2FB"
	// ContextPath is requestContext.path, with the stage. Empty: the stage and Path.
	ContextPath string
	RawQuery    string // as on the wire, without the question mark
	Protocol    string // "HTTP/1.1"
	Host        string // the Host header
	Header      http.Header
	Spelling    map[string]string // names of Header as the client spelt them; those that are missing reach the function as they are
	Body        []byte

	Resource       string            // the route's template: "/movie_list/{year}/{title}"
	PathParameters map[string]string // not decoded, as API Gateway passes them

	API      API
	Identity Identity

	TraceID           string // X-Amzn-Trace-Id as a regional API hands it on: "Root=1-…"; empty: none
	RequestID         string // x-amzn-RequestId
	ExtendedRequestID string // x-amz-apigw-id
	Time              time.Time
}

// API is the deployed stage that was called.
type API struct {
	AccountID        string
	ID               string
	Stage            string
	ResourceID       string
	DeploymentID     string
	StageVariables   map[string]string
	BinaryMediaTypes []string // "image/png", "image/*", "*/*"
}

// Identity is the caller as requestContext.identity shows it. Empty fields become null; VPCID and VPCEndpointID are
// left out altogether when empty, as on a public API.
type Identity struct {
	AccessKey     string
	AccountID     string
	UniqueID      string // "AROA…:session" for a role, "AIDA…" for a user
	ARN           string
	APIKey        string
	APIKeyID      string
	SourceIP      string
	UserAgent     string
	VPCID         string
	VPCEndpointID string
	// EndpointPolicy: the endpoint has a policy of its own in place of AWS's default.
	EndpointPolicy bool
}

// event has the fields of the real event in the real order; pointers and nil maps are the real event's nulls, which
// aws-lambda-go's own type cannot express (nor has it the identity's vpcId and vpceId).
type event struct {
	Resource              string              `json:"resource"`
	Path                  string              `json:"path"`
	HTTPMethod            string              `json:"httpMethod"`
	Headers               map[string]string   `json:"headers"`
	MultiValueHeaders     map[string][]string `json:"multiValueHeaders"`
	QueryStringParameters map[string]string   `json:"queryStringParameters"`
	MultiValueQuery       map[string][]string `json:"multiValueQueryStringParameters"`
	PathParameters        map[string]string   `json:"pathParameters"`
	StageVariables        map[string]string   `json:"stageVariables"`
	RequestContext        requestContext      `json:"requestContext"`
	Body                  *string             `json:"body"`
	IsBase64Encoded       bool                `json:"isBase64Encoded"`
}

type requestContext struct {
	ResourceID        string   `json:"resourceId"`
	ResourcePath      string   `json:"resourcePath"`
	HTTPMethod        string   `json:"httpMethod"`
	ExtendedRequestID string   `json:"extendedRequestId"`
	RequestTime       string   `json:"requestTime"`
	Path              string   `json:"path"`
	AccountID         string   `json:"accountId"`
	Protocol          string   `json:"protocol"`
	Stage             string   `json:"stage"`
	DomainPrefix      string   `json:"domainPrefix"`
	RequestTimeEpoch  int64    `json:"requestTimeEpoch"`
	RequestID         string   `json:"requestId"`
	Identity          identity `json:"identity"`
	DomainName        string   `json:"domainName"`
	DeploymentID      string   `json:"deploymentId"`
	APIID             string   `json:"apiId"`
}

type identity struct {
	CognitoIdentityPoolID         *string `json:"cognitoIdentityPoolId"`
	AccountID                     *string `json:"accountId"`
	CognitoIdentityID             *string `json:"cognitoIdentityId"`
	Caller                        *string `json:"caller"`
	SourceIP                      string  `json:"sourceIp"`
	PrincipalOrgID                *string `json:"principalOrgId"`
	AccessKey                     *string `json:"accessKey"`
	CognitoAuthenticationType     *string `json:"cognitoAuthenticationType"`
	CognitoAuthenticationProvider *string `json:"cognitoAuthenticationProvider"`
	UserARN                       *string `json:"userArn"`
	UserAgent                     *string `json:"userAgent"`
	User                          *string `json:"user"`
	APIKey                        *string `json:"apiKey,omitempty"`
	APIKeyID                      *string `json:"apiKeyId,omitempty"`
	VPCID                         string  `json:"vpcId,omitempty"`
	VPCEndpointID                 string  `json:"vpceId,omitempty"`
}

// requestTimeLayout is the Common Log Format time of requestContext.requestTime.
const requestTimeLayout = "02/Jan/2006:15:04:05 -0700"

// Marshal returns the event as JSON.
func Marshal(r *Request) ([]byte, error) {
	e := event{
		Resource:       r.Resource,
		Path:           r.Path,
		HTTPMethod:     r.Method,
		PathParameters: orNil(r.PathParameters),
		StageVariables: orNil(r.API.StageVariables),
		RequestContext: r.context(),
	}
	e.Headers, e.MultiValueHeaders = headerMaps(r)
	e.QueryStringParameters, e.MultiValueQuery = queryMaps(r.RawQuery)
	if len(r.Body) > 0 {
		e.IsBase64Encoded = matchesMediaType(r.API.BinaryMediaTypes, r.Header.Get("Content-Type"))
		body := string(r.Body)
		if e.IsBase64Encoded {
			body = base64.StdEncoding.EncodeToString(r.Body)
		}
		e.Body = &body
	}
	return json.Marshal(&e)
}

func (r *Request) context() requestContext {
	prefix, _, _ := strings.Cut(r.Host, ".")
	contextPath := r.ContextPath
	if contextPath == "" {
		contextPath = "/" + r.API.Stage + r.Path
	}
	return requestContext{
		ResourceID:        r.API.ResourceID,
		ResourcePath:      r.Resource,
		HTTPMethod:        r.Method,
		ExtendedRequestID: r.ExtendedRequestID,
		RequestTime:       r.Time.UTC().Format(requestTimeLayout),
		Path:              contextPath,
		AccountID:         r.API.AccountID,
		Protocol:          r.Protocol,
		Stage:             r.API.Stage,
		DomainPrefix:      prefix,
		RequestTimeEpoch:  r.Time.UnixMilli(),
		RequestID:         r.RequestID,
		Identity:          r.Identity.wire(),
		DomainName:        r.Host,
		DeploymentID:      r.API.DeploymentID,
		APIID:             r.API.ID,
	}
}

func (id *Identity) wire() identity {
	return identity{
		AccountID:     orNull(id.AccountID),
		Caller:        orNull(id.UniqueID),
		SourceIP:      id.SourceIP,
		AccessKey:     orNull(id.AccessKey),
		UserARN:       orNull(id.ARN),
		UserAgent:     orNull(id.UserAgent),
		User:          orNull(id.UniqueID),
		APIKey:        orNull(id.APIKey),
		APIKeyID:      orNull(id.APIKeyID),
		VPCID:         id.VPCID,
		VPCEndpointID: id.VPCEndpointID,
	}
}

// withheld names the request headers that never reach the function ("Important notes"; the proxy's list was recorded
// from the real service). X-Amzn-Vpc* are the gateway's own to set: a caller's are dropped so that they cannot be forged.
var withheld = map[string]bool{
	"Connection": true, "Content-Length": true, "Content-Md5": true, "Expect": true, "Max-Forwards": true,
	"Proxy-Authenticate": true, "Server": true, "Te": true, "Trailer": true, "Transfer-Encoding": true,
	"Upgrade": true, "Www-Authenticate": true,
	"X-Amzn-Vpc-Id": true, "X-Amzn-Vpce-Id": true, "X-Amzn-Vpce-Config": true, "X-Amzn-Vpce-Policy-Url": true,
	"X-Amzn-Cipher-Suite": true, "X-Amzn-Tls-Version": true,
}

// headerMaps returns the single map, which holds the last value of a repeated header, and the multi-value map.
func headerMaps(r *Request) (single map[string]string, multi map[string][]string) {
	multi = make(map[string][]string, len(r.Header)+8)
	for name, values := range r.Header {
		if withheld[http.CanonicalHeaderKey(name)] || len(values) == 0 {
			continue
		}
		if http.CanonicalHeaderKey(name) == "Authorization" && isSigV4(values[0]) {
			continue // removed before the integration; other schemes pass
		}
		multi[HeaderName(r.Spelling, name)] = values
	}
	multi["Host"] = []string{r.Host}
	forwarded := append([]string(nil), r.Header["X-Forwarded-For"]...)
	delete(multi, HeaderName(r.Spelling, "X-Forwarded-For"))
	multi["X-Forwarded-For"] = []string{strings.Join(append(forwarded, r.Identity.SourceIP), ", ")}
	if r.Identity.VPCEndpointID == "" {
		r.forward(multi)
	} else {
		// What the front end of a private API adds. The client's hop is TLS 1.2 there and nothing else.
		multi["x-amzn-cipher-suite"] = []string{"ECDHE-RSA-AES128-GCM-SHA256"}
		multi["x-amzn-tls-version"] = []string{"TLSv1.2"}
		multi["x-amzn-vpc-id"] = []string{r.Identity.VPCID}
		multi["x-amzn-vpce-id"] = []string{r.Identity.VPCEndpointID}
		multi["x-amzn-vpce-config"] = []string{"1"}
		if r.Identity.EndpointPolicy {
			multi["x-amzn-vpce-config"] = []string{"0"}
		}
	}
	single = make(map[string]string, len(multi))
	for name, values := range multi {
		single[name] = values[len(values)-1]
	}
	return single, multi
}

// forward sets what a regional API tells of the caller's own connection, whatever the caller says of it. Behind an endpoint
// these are not always there, so they are not there here.
func (r *Request) forward(multi map[string][]string) {
	for name, value := range map[string]string{"X-Forwarded-Port": "443", "X-Forwarded-Proto": "https", "X-Amzn-Trace-Id": r.TraceID} {
		delete(multi, HeaderName(r.Spelling, name))
		if value != "" {
			multi[name] = []string{value}
		}
	}
}

// HeaderName is a header's name as it reaches the function: as the client spelt it, but for those that were seen in one
// spelling whoever sent them.
func HeaderName(spelling map[string]string, name string) string {
	switch spelt := spelling[name]; {
	case spelt == "", name == "Authorization", name == "User-Agent":
		return name
	default:
		return spelt
	}
}

func isSigV4(authorization string) bool {
	return strings.HasPrefix(authorization, "AWS4-")
}

// queryMaps decodes names and values, a plus sign as a space. A pair that cannot be decoded is passed as it stands: the
// signature covers it either way, and dropping it would lose data.
func queryMaps(raw string) (single map[string]string, multi map[string][]string) {
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, value = decodeQuery(name), decodeQuery(value)
		if multi == nil {
			single, multi = map[string]string{}, map[string][]string{}
		}
		single[name] = value
		multi[name] = append(multi[name], value)
	}
	return single, multi
}

func decodeQuery(s string) string {
	if decoded, err := url.QueryUnescape(s); err == nil {
		return decoded
	}
	return s
}

// matchesMediaType says whether a media type, parameters aside, is one of the API's binary ones: equal, "type/*" or "*/*".
func matchesMediaType(binary []string, mediaType string) bool {
	mediaType, _, _ = strings.Cut(mediaType, ";")
	mediaType = strings.ToLower(strings.TrimSpace(mediaType))
	if mediaType == "" {
		return false
	}
	kind, _, _ := strings.Cut(mediaType, "/")
	for _, b := range binary {
		switch b = strings.ToLower(b); b {
		case mediaType, "*/*", kind + "/*":
			return true
		}
	}
	return false
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func orNil(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	return m
}
